/* Scheduled runs: when the next one is, and what was missed (core/nights.h);
 * rsync lines of crontabs (core/crons.h). */
#include "core/nights.h"
#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/crons.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static int64_t at(const char *utc)
{
    int64_t time_ns;

    assert_true(clock_parse_utc(utc, &time_ns));
    return time_ns;
}

static void use_zone(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

static void the_next_run_is_today_or_tomorrow(void **state)
{
    use_zone("UTC");
    assert_int_equal(night_next("02:00", at("2026-11-22T01:59:59Z")),
                     at("2026-11-22T02:00:00Z"));
    assert_int_equal(night_next("02:00", at("2026-11-22T02:00:00Z")),
                     at("2026-11-23T02:00:00Z"));
    assert_int_equal(night_next("on-plug", at("2026-11-22T02:00:00Z")), 0);
}

static void nights_are_counted_on_the_clock_on_the_wall(void **state)
{
    int64_t first;

    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    /* Summer time ends on the 25th: the nights are 25 hours apart. */
    assert_int_equal(night_count("03:30", at("2026-10-24T01:30:00Z"),
                                 at("2026-10-26T02:30:00Z"), &first),
                     2);
    assert_int_equal(first, at("2026-10-25T02:30:00Z"));
    assert_int_equal(night_count("03:30", at("2026-10-24T01:30:00Z"),
                                 at("2026-10-24T23:00:00Z"), &first),
                     0);
    use_zone("UTC");
}

static void a_late_run_misses_nothing_and_a_week_off_misses_six(void **state)
{
    struct night_record record = {.installed_ns = at("2026-11-01T12:00:00Z")};

    use_zone("UTC");
    night_begin(&record, "02:00", at("2026-11-02T09:00:00Z")); /* late */
    assert_int_equal(record.missed, 0);
    night_begin(&record, "02:00", at("2026-11-09T02:00:01Z"));
    assert_int_equal(record.missed, 6);
    assert_int_equal(record.missed_at_ns, at("2026-11-03T02:00:00Z"));
    night_begin(&record, "02:00", at("2026-11-10T02:00:01Z"));
    assert_int_equal(record.missed, 0);
}

static void a_run_is_overdue_after_a_quarter_of_an_hour(void **state)
{
    struct night_record record = {.started_ns = at("2026-11-01T02:00:00Z")};
    int64_t first;

    use_zone("UTC");
    assert_int_equal(
        night_overdue(&record, "02:00", at("2026-11-02T02:14:00Z"), &first), 0);
    assert_int_equal(
        night_overdue(&record, "02:00", at("2026-11-02T02:16:00Z"), &first), 1);
    assert_int_equal(first, at("2026-11-02T02:00:00Z"));
    record = (struct night_record){.started_ns = 0}; /* never installed */
    assert_int_equal(
        night_overdue(&record, "02:00", at("2026-11-02T02:16:00Z"), &first), 0);
}

static void a_record_is_read_as_it_was_written(void **state)
{
    const struct night_record written = {.installed_ns = 1,
                                         .started_ns = 2,
                                         .ended_ns = 3,
                                         .exit_code = 4,
                                         .missed = 5,
                                         .missed_at_ns = 6};
    struct night_record found;
    CLEANUP_FREE char *directory = xasprintf("%s/state", getenv("TMPDIR"));
    CLEANUP_FREE char *path = xasprintf("%s/schedule/0200", directory);
    struct error err = ERROR_INIT;

    assert_non_null(getenv("TMPDIR")); /* tests/run-unit sets it */
    assert_int_equal(night_read(directory, "02:00", &found, &err), ERR_OK);
    assert_int_equal(found.started_ns, 0);
    assert_int_equal(night_write(directory, "02:00", &written, &err), ERR_OK);
    assert_int_equal(night_read(directory, "02:00", &found, &err), ERR_OK);
    assert_int_equal(found.installed_ns, 1);
    assert_int_equal(found.started_ns, 2);
    assert_int_equal(found.ended_ns, 3);
    assert_int_equal(found.exit_code, 4);
    assert_int_equal(found.missed, 5);
    assert_int_equal(found.missed_at_ns, 6);
    assert_int_equal(file_replace(path, "what", 4, 0600, &err), ERR_OK);
    assert_int_equal(night_read(directory, "02:00", &found, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.message, "remove it"));
}

static void rsync_lines_are_read_as_a_shell_would(void **state)
{
    CLEANUP(rsync_lines_release) struct rsync_lines lines;

    crons_find_rsync(
        "crontab\t0 2 * * * rsync -a --delete ~/my\\ media \"/mnt/h d/\" >/x\n"
        "crontab\t0 2 * * * nice /usr/bin/rsync -a --exclude '*.tmp' "
        "--exclude=/cache $HOME/data/ /mnt/hdd/sqlite && echo rsync a b\n"
        "crontab\t0 2 * * * rsync -a /srv/ me@host:/srv\n"
        "crontab\t0 2 * * * rsync -a /one /two /three\n"
        "crontab\t0 2 * * * echo hello\n",
        "/home/me", &lines);
    assert_int_equal(lines.count, 2);
    assert_string_equal(lines.items[0].source, "/home/me/my media");
    assert_string_equal(lines.items[0].target, "/mnt/h d/my media");
    assert_true(lines.items[0].deletes);
    assert_string_equal(lines.items[1].source, "/home/me/data");
    assert_string_equal(lines.items[1].target, "/mnt/hdd/sqlite");
    assert_false(lines.items[1].deletes);
    assert_int_equal(lines.items[1].exclude_count, 2);
    assert_string_equal(lines.items[1].exclude[0], "*.tmp");
    assert_string_equal(lines.items[1].exclude[1], "/cache");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_run_is_today_or_tomorrow),
        cmocka_unit_test(nights_are_counted_on_the_clock_on_the_wall),
        cmocka_unit_test(a_late_run_misses_nothing_and_a_week_off_misses_six),
        cmocka_unit_test(a_run_is_overdue_after_a_quarter_of_an_hour),
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(rsync_lines_are_read_as_a_shell_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
