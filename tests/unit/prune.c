/*
 * Which versions go: by each kind of rule, by age for room, and never the last
 * copy of something that was offloaded. And what a moment on the command line
 * means, and which version had the name then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/moment.h"
#include "core/prune.h"

#include <stdlib.h>

#define DAY (INT64_C(86400) * NS_PER_SECOND)
#define MOST 16

struct scene {
    struct version versions[MOST];
    struct prune_item items[MOST];
    size_t count;
    char went[MOST + 1];
};

static void add(struct scene *scene, const char *path, int day, int64_t size)
{
    struct version *version = &scene->versions[scene->count];

    *version = (struct version){
        .id = (int64_t)scene->count,
        .path = path,
        .created_ns = day * DAY,
        .has_record = true,
        .record = {.committed_ns = (day - 1) * DAY},
    };
    scene->items[scene->count] =
        (struct prune_item){version, version->created_ns, size, false};
    scene->count++;
}

/* Of path a: days 10, 20 and 30; of b: 15 and 25. */
static void fill(struct scene *scene)
{
    scene->count = 0;
    add(scene, "a", 10, 100);
    add(scene, "a", 20, 200);
    add(scene, "a", 30, 300);
    add(scene, "b", 15, 400);
    add(scene, "b", 25, 500);
}

/* "x..x.": the marked ones. */
static const char *went(struct scene *scene)
{
    for (size_t i = 0; i < scene->count; i++)
        scene->went[i] = scene->items[i].goes ? 'x' : '.';
    return scene->went;
}

static const char *by_rule(struct scene *scene, int kind, int64_t amount)
{
    struct keep_rule rule = {.amount = amount};

    rule.kind = kind == 0 ? KEEP_TIME : kind == 1 ? KEEP_COUNT : KEEP_BYTES;
    prune_by_rule(&rule, scene->items, scene->count, 31 * DAY);
    return went(scene);
}

static void a_time_keeps_what_is_not_older(void **state)
{
    struct scene scene = {.count = 0};

    fill(&scene);
    assert_string_equal(by_rule(&scene, 0, 11 * DAY), "x..x.");
    assert_string_equal(by_rule(&scene, 0, 11 * DAY - 1), "xx.x.");
    assert_string_equal(by_rule(&scene, 0, 0), "xxxxx");
}

static void a_clock_that_went_back_prunes_nothing(void **state)
{
    struct scene scene = {.count = 0};
    const struct keep_rule rule = {.kind = KEEP_TIME, .amount = DAY};

    fill(&scene);
    prune_by_rule(&rule, scene.items, scene.count, 2 * DAY);
    assert_string_equal(went(&scene), ".....");
}

static void a_count_keeps_the_newest_of_each_file(void **state)
{
    struct scene scene = {.count = 0};

    fill(&scene);
    assert_string_equal(by_rule(&scene, 1, 1), "xx.x.");
    assert_string_equal(by_rule(&scene, 1, 2), "x....");
    assert_string_equal(by_rule(&scene, 1, 0), "xxxxx");
}

static void a_size_keeps_the_newest_of_all_files(void **state)
{
    struct scene scene = {.count = 0};

    fill(&scene);
    assert_string_equal(by_rule(&scene, 2, 800), "xx.x.");
    assert_string_equal(by_rule(&scene, 2, 799), "xx.xx");
    assert_string_equal(by_rule(&scene, 2, 1500), ".....");
}

static void what_was_offloaded_stays_whatever_is_asked(void **state)
{
    struct scene scene = {.count = 0};

    fill(&scene);
    struct prune_items items = {scene.items, scene.count, scene.count};
    scene.versions[0].record.flags = RECORD_OFFLOADED;
    assert_string_equal(by_rule(&scene, 0, 0), ".xxxx");
    prune_oldest(&items, INT64_MAX, 1);
    assert_string_equal(went(&scene), ".xxxx");
}

static void room_is_made_oldest_first_and_in_clusters(void **state)
{
    struct scene scene = {.count = 0};

    fill(&scene);
    struct prune_items items = {scene.items, scene.count, scene.count};
    prune_oldest(&items, 0, 4096);
    assert_string_equal(went(&scene), ".....");
    prune_oldest(&items, 4096, 4096);
    assert_string_equal(went(&scene), "x....");
    prune_oldest(&items, 4097, 4096);
    assert_string_equal(went(&scene), "x..x.");
    assert_int_equal(prune_bytes(&items, 4096), 8192);
    assert_int_equal(prune_bytes(&items, 1), 500);
}

/* --- moments --- */

static struct moment parsed(const char *text)
{
    struct moment moment;

    assert_int_equal(moment_parse(text, 100 * DAY, &moment, NULL), ERR_OK);
    return moment;
}

static void moments_are_read_as_people_write_them(void **state)
{
    int64_t end_of_day = INT64_C(1795219199) * NS_PER_SECOND;

    setenv("TZ", "UTC", 1);
    assert_int_equal(parsed(NULL).kind, MOMENT_NOW);
    assert_int_equal(parsed("17").kind, MOMENT_RUN);
    assert_int_equal(parsed("17").run, 17);
    assert_true(parsed("3d").time_ns == 97 * DAY);
    assert_true(parsed("2026-11-20").time_ns == end_of_day + 999999999);
    assert_true(parsed("2026-11-20 23:59").time_ns == end_of_day + 999999999);
    assert_true(parsed("2026-11-20T23:59:59Z").time_ns == end_of_day);
}

static void what_is_no_moment_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",   "yesterday",        "2026-02-30",        "2026-13-01", "0",
        "-3", "2026-11-20 25:00", "2026-11-20 14:00 ", "2026-11-20x"};
    struct moment moment;

    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(moment_parse(wrong[i], 0, &moment, NULL), ERR_INVALID);
}

/* Each was copied the day before it had to go. */
static void the_version_of_a_moment_had_the_name_then(void **state)
{
    struct scene scene = {.count = 0};
    const struct version *a = scene.versions;

    fill(&scene);
    assert_null(moment_version(a, 3, 8 * DAY));
    assert_ptr_equal(moment_version(a, 3, 9 * DAY), &a[0]);
    assert_null(moment_version(a, 3, 10 * DAY));
    assert_ptr_equal(moment_version(a, 3, 19 * DAY + 1), &a[1]);
    assert_null(moment_version(a, 3, 30 * DAY));
    assert_ptr_equal(moment_version(a, 3, INT64_MAX), &a[2]);
    assert_null(moment_version(a, 0, INT64_MAX));
}

static void what_was_not_ours_had_its_name_all_the_time_before(void **state)
{
    struct scene scene = {.count = 0};

    fill(&scene);
    scene.versions[0].reason = VERSION_FOREIGN;
    assert_ptr_equal(moment_version(scene.versions, 3, 1), &scene.versions[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_keeps_what_is_not_older),
        cmocka_unit_test(a_clock_that_went_back_prunes_nothing),
        cmocka_unit_test(a_count_keeps_the_newest_of_each_file),
        cmocka_unit_test(a_size_keeps_the_newest_of_all_files),
        cmocka_unit_test(what_was_offloaded_stays_whatever_is_asked),
        cmocka_unit_test(room_is_made_oldest_first_and_in_clusters),
        cmocka_unit_test(moments_are_read_as_people_write_them),
        cmocka_unit_test(what_is_no_moment_is_refused),
        cmocka_unit_test(the_version_of_a_moment_had_the_name_then),
        cmocka_unit_test(what_was_not_ours_had_its_name_all_the_time_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
