/*
 * Times as text and back. What comes back from a drive is anybody's text.
 */
#include "core/base/clock.h"

#include "core/base/compiler.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define SECONDS(count) ((count)*NS_PER_SECOND)

static void moments_are_written_in_utc(void **state)
{
    static const struct {
        int64_t time_ns;
        const char *text, *compact;
    } examples[] = {
        {0, "1970-01-01T00:00:00Z", "19700101-000000"},
        {1, "1970-01-01T00:00:00Z", "19700101-000000"},
        {-1, "1969-12-31T23:59:59Z", "19691231-235959"},
        {SECONDS(-1), "1969-12-31T23:59:59Z", "19691231-235959"},
        {SECONDS(951782400), "2000-02-29T00:00:00Z", "20000229-000000"},
        {SECONDS(951868799), "2000-02-29T23:59:59Z", "20000229-235959"},
        {SECONDS(1795356363), "2026-11-22T14:06:03Z", "20261122-140603"},
        {SECONDS(-2203891200), "1900-03-01T00:00:00Z", "19000301-000000"},
        {SECONDS(4107542400), "2100-03-01T00:00:00Z", "21000301-000000"},
        {INT64_MAX, "2262-04-11T23:47:16Z", "22620411-234716"},
        {INT64_MIN, "1677-09-21T00:12:43Z", "16770921-001243"},
    };
    char text[32];

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        clock_format_utc(examples[i].time_ns, text, sizeof text);
        assert_string_equal(text, examples[i].text);
        clock_format_compact(examples[i].time_ns, text, sizeof text);
        assert_string_equal(text, examples[i].compact);
    }
}

static void what_was_written_is_read_as_the_same_second(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(6));
    int64_t last = INT64_MAX / NS_PER_SECOND;

    for (int i = 0; i < 100000; i++) {
        int64_t second = dice_extreme(&dice) % (last + 1), time_ns;
        char text[32];
        clock_format_utc(SECONDS(second), text, sizeof text);
        if (!clock_parse_utc(text, &time_ns) || time_ns != SECONDS(second))
            fail_msg("%s", text);
    }
}

static void every_day_of_four_centuries_is_read(void **state)
{
    for (int64_t day = -106000; day < 106000; day++) {
        int64_t time_ns;
        char text[32];
        clock_format_utc(SECONDS(day * 86400), text, sizeof text);
        if (!clock_parse_utc(text, &time_ns) || time_ns != SECONDS(day * 86400))
            fail_msg("%s", text);
    }
}

static void anything_else_is_no_time(void **state)
{
    static const char *const texts[] = {
        "",
        "2026-11-22",
        "2026-11-22T14:06:03",
        "2026-11-22 14:06:03Z",
        "2026-11-22T14:06:03z",
        "2026-11-22T14:06:03ZZ",
        "2026-11-22T14:06:03Z ",
        " 2026-11-22T14:06:03Z",
        "2026-11-22T14:06:03+00:00",
        "2026-11-22T14:06:03.5Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "-2026-01-01T00:00:00Z",
        "02026-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-1-2T3:4:5Z",
        "2026- 1- 2T 3: 4: 5Z",
        "+202-01-01T00:00:00Z",
        "-202-01-01T00:00:00Z",
        "2026-+1-01T00:00:00Z",
        "2026-01-01T+1:00:00Z",
        "2026-01-01T00:-0:00Z",
        "2026-12-31T23:59:60Z",
        /* years that 64 bits of nanoseconds do not hold */
        "9999-12-31T23:59:59Z",
        "2262-04-11T23:47:17Z",
        "2263-01-01T00:00:00Z",
        "1677-09-21T00:12:42Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t time_ns = 42;
        if (clock_parse_utc(texts[i], &time_ns))
            fail_msg("\"%s\" was read as %lld", texts[i], (long long)time_ns);
        assert_true(time_ns == 42);
    }
}

static void short_buffers_are_never_overrun(void **state)
{
    char guarded[8] = "xxxxxxx";

    clock_format_utc(0, guarded, 4);
    assert_int_equal(guarded[4], 'x');
    clock_format_compact(0, guarded, 4);
    assert_int_equal(guarded[4], 'x');
    clock_format_local(0, guarded, 4);
    assert_int_equal(guarded[4], 'x');
}

static void people_read_their_own_time(void **state)
{
    char text[32];

    setenv("TZ", "XXX-2", 1); /* two hours east of Greenwich */
    tzset();
    clock_format_local(SECONDS(1795356363), text, sizeof text);
    assert_string_equal(text, "22 Nov 16:06");
    clock_format_utc(SECONDS(1795356363), text, sizeof text);
    assert_string_equal(text, "2026-11-22T14:06:03Z");
    unsetenv("TZ");
    tzset();
}

static void timespecs_are_the_same_moment(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(7));
    int64_t last = INT64_MAX / NS_PER_SECOND;

    for (int i = 0; i < 100000; i++) {
        int64_t time_ns = dice_extreme(&dice);
        struct timespec time = clock_to_timespec(time_ns);
        assert_in_range(time.tv_nsec, 0, NS_PER_SECOND - 1);
        if (time.tv_sec > -last && time.tv_sec < last)
            assert_true(clock_from_timespec(time) == time_ns);
    }
}

static void times_that_64_bits_cannot_hold_are_the_first_or_last_moment(
    void **state)
{
    static const int64_t late[] = {INT64_C(10000000000), INT64_C(1) << 40,
                                   INT64_MAX};

    for (size_t i = 0; i < COUNT_OF(late); i++) {
        struct timespec time = {.tv_sec = (time_t)late[i],
                                .tv_nsec = 999999999};
        assert_true(clock_from_timespec(time) == INT64_MAX);
        time.tv_sec = -time.tv_sec;
        assert_true(clock_from_timespec(time) == INT64_MIN);
    }
}

static void a_frozen_clock_stands_still_and_goes_on_afterwards(void **state)
{
    int64_t before = clock_monotonic_ns();

    clock_freeze(SECONDS(1795356363));
    assert_true(clock_now_ns() == SECONDS(1795356363));
    assert_true(clock_now_ns() == SECONDS(1795356363));
    while (clock_monotonic_ns() == before)
        continue; /* this one never stands still */
    clock_freeze(0);
    assert_true(clock_now_ns() / NS_PER_SECOND - (int64_t)time(NULL) < 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_written_in_utc),
        cmocka_unit_test(what_was_written_is_read_as_the_same_second),
        cmocka_unit_test(every_day_of_four_centuries_is_read),
        cmocka_unit_test(anything_else_is_no_time),
        cmocka_unit_test(short_buffers_are_never_overrun),
        cmocka_unit_test(people_read_their_own_time),
        cmocka_unit_test(timespecs_are_the_same_moment),
        cmocka_unit_test(
            times_that_64_bits_cannot_hold_are_the_first_or_last_moment),
        cmocka_unit_test(a_frozen_clock_stands_still_and_goes_on_afterwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
