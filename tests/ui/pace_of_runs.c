/*
 * Speed and time left of runs that go as runs go: steadily, in bursts, with a
 * slow flush, with pauses.
 */
#include "ui/pace.h"

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "ui/words.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MB (INT64_C(1000) * 1000)
#define TICK (NS_PER_SECOND / 10)

static void a_steady_run_is_told_rightly(void **state)
{
    struct pace pace;
    int64_t total = 10000 * MB;

    pace_init(&pace);
    for (int i = 1; i <= 500; i++) /* 100 MB/s */
        pace_add(&pace, i * TICK, i * 10 * MB, i * 10 * MB, total);
    assert_in_range(pace.speed, 99e6, 101e6);
    assert_in_range(pace_average(&pace), 99 * MB, 101 * MB);
    assert_in_range(pace.left_ns, 49 * NS_PER_SECOND, 51 * NS_PER_SECOND);
    assert_in_range(pace_sample(&pace, 0), 99 * MB, 101 * MB);
    assert_int_equal(pace_sample(&pace, 400), -1);
}

static void the_time_left_never_runs_backwards(void **state)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct dice dice = dice_new(seed);
        struct pace pace;
        int64_t total = 5000 * MB, written = 0, durable = 0, now = 0;
        int64_t shown = INT64_MAX;
        pace_init(&pace);
        while (durable < total) {
            now += TICK;
            if (dice_below(&dice, 3)) /* bursts, and stalls */
                written += (int64_t)dice_below(&dice, 20) * MB;
            if (written > total)
                written = total;
            if (!dice_below(&dice, 20))
                durable = written;
            pace_add(&pace, now, written, durable, total);
            if (pace.left_ns < 0)
                continue;
            assert_true(pace.left_ns <= shown);
            shown = pace.left_ns;
        }
        assert_true(shown < INT64_MAX);
    }
}

/* A batch is written in a second and flushed in four: 50 MB/s in the end. */
static void a_slow_flush_is_part_of_what_is_left(void **state)
{
    struct pace pace;
    int64_t total = 10000 * MB;

    pace_init(&pace);
    for (int i = 1; i <= 400; i++) {
        int64_t batch = i / 50, part = i % 50 < 10 ? i % 50 : 10;
        pace_add(&pace, i * TICK, batch * 250 * MB + part * 25 * MB,
                 batch * 250 * MB, total);
    }
    assert_in_range(pace.left_ns, 80 * NS_PER_SECOND, 240 * NS_PER_SECOND);
}

static void a_pause_is_not_counted(void **state)
{
    struct pace pace;

    pace_init(&pace);
    for (int i = 1; i <= 50; i++)
        pace_add(&pace, i * TICK, i * 10 * MB, i * 10 * MB, 1000 * MB);
    int64_t left = pace.left_ns;
    for (int i = 51; i <= 600; i++)
        pace_skip(&pace, i * TICK);
    assert_int_equal(pace.left_ns, left);
    pace_add(&pace, 601 * TICK, 510 * MB, 510 * MB, 1000 * MB);
    assert_in_range(pace_average(&pace), 95 * MB, 105 * MB);
}

static void what_is_left_is_said_in_one_unit_or_two(void **state)
{
    static const struct {
        int64_t seconds;
        const char *words;
    } examples[] = {
        {0, "1 s"},           {58, "59 s"},         {98, "99 s"},
        {99, "2 min"},        {420, "7 min"},       {5399, "90 min"},
        {6000, "1 h 40 min"}, {7199, "2 h 00 min"},
    };
    char buffer[WORDS_SIZE];

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        assert_string_equal(
            words_left(examples[i].seconds * NS_PER_SECOND, buffer),
            examples[i].words);
}

static void an_age_takes_three_columns_at_most(void **state)
{
    static const struct {
        int64_t minutes;
        const char *words;
    } examples[] = {
        {-5, "now"},         {0, "now"},          {1, "1m"},
        {59, "59m"},         {60, "1h"},          {2879, "47h"},
        {2880, "2d"},        {12 * 1440, "12d"},  {99 * 1440, "99d"},
        {100 * 1440, "14w"}, {699 * 1440, "99w"}, {730 * 1440, "2y"},
    };
    char buffer[WORDS_SIZE];

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        assert_string_equal(
            words_age(0, -examples[i].minutes * 60 * NS_PER_SECOND, buffer),
            examples[i].words);
}

static void a_percentage_is_100_only_when_it_is_all(void **state)
{
    assert_int_equal(words_percent(0, 0), 100);
    assert_int_equal(words_percent(999999, 1000000), 99);
    assert_int_equal(words_percent(1000000, 1000000), 100);
    assert_int_equal(words_percent(-1, 10), 0);
    assert_int_equal(words_percent(INT64_MAX / 2, INT64_MAX), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_run_is_told_rightly),
        cmocka_unit_test(the_time_left_never_runs_backwards),
        cmocka_unit_test(a_slow_flush_is_part_of_what_is_left),
        cmocka_unit_test(a_pause_is_not_counted),
        cmocka_unit_test(what_is_left_is_said_in_one_unit_or_two),
        cmocka_unit_test(an_age_takes_three_columns_at_most),
        cmocka_unit_test(a_percentage_is_100_only_when_it_is_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
