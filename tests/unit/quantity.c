/*
 * Quantities as people read them, at the edges where they are rounded.
 */
#include "core/base/quantity.h"

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void bytes_have_three_figures_and_a_unit(void **state)
{
    static const struct {
        int64_t bytes;
        const char *text;
    } examples[] = {
        {0, "0 B"},
        {1, "1 B"},
        {999, "999 B"},
        {1000, "1.0 kB"},
        {1049, "1.0 kB"},
        {1250, "1.2 kB"},
        {9949, "9.9 kB"},
        {9951, "10.0 kB"},
        {99949, "99.9 kB"},
        {99950, "100 kB"},
        {100000, "100 kB"},
        {999499, "999 kB"},
        {999500, "1.0 MB"},
        {999949, "1.0 MB"},
        {999950, "1.0 MB"},
        {999999, "1.0 MB"},
        {1000000, "1.0 MB"},
        {38200000000, "38.2 GB"},
        {412000000000, "412 GB"},
        {999499999999, "999 GB"},
        {999500000001, "1.0 TB"},
        {5000000000000, "5.0 TB"},
        {1000000000000000, "1.0 PB"},
        {999999999999999999, "1.0 EB"},
        {INT64_MAX, "9.2 EB"},
    };
    char text[QUANTITY_SIZE];

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        format_bytes(examples[i].bytes, text);
        if (strcmp(text, examples[i].text) != 0)
            fail_msg("%lld: \"%s\", not \"%s\"", (long long)examples[i].bytes,
                     text, examples[i].text);
    }
}

static void fewer_than_no_bytes_look_like_as_many_with_a_minus(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(10));
    char text[QUANTITY_SIZE], negative[QUANTITY_SIZE];

    for (int i = 0; i < 100000; i++) {
        int64_t bytes = dice_extreme(&dice);
        if (bytes <= 0)
            continue;
        format_bytes(bytes, text);
        format_bytes(-bytes, negative);
        assert_int_equal(*negative, '-');
        if (strcmp(text, negative + 1) != 0)
            fail_msg("\"%s\" and \"%s\"", text, negative);
    }
    assert_string_equal(format_bytes(INT64_MIN, text), "-9.2 EB");
}

/* Never "1000" of anything, nor more than three figures. */
static void no_number_has_four_figures(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(11));
    char text[QUANTITY_SIZE];

    for (int i = 0; i < 300000; i++) {
        int64_t unit = 1;
        for (size_t up = dice_below(&dice, 6); up; up--)
            unit *= 1000;
        int64_t bytes = dice_one_in(&dice, 2)
                            ? dice_extreme(&dice)
                            : unit / 1000 *
                                  (999900 + (int64_t)dice_below(&dice, 200)) /
                                  1000;
        if (bytes < 0)
            continue;
        format_bytes(bytes, text);
        if (strcspn(text, " .") > 3)
            fail_msg("%lld: \"%s\"", (long long)bytes, text);
    }
}

static void counts_are_grouped_by_thousands(void **state)
{
    static const struct {
        int64_t count;
        const char *text;
    } examples[] = {
        {0, "0"},
        {7, "7"},
        {999, "999"},
        {1000, "1,000"},
        {1204, "1,204"},
        {999999, "999,999"},
        {1000000, "1,000,000"},
        {-1, "-1"},
        {-999, "-999"},
        {-1000, "-1,000"},
        {-123456, "-123,456"},
        {INT64_MAX, "9,223,372,036,854,775,807"},
        {INT64_MIN, "-9,223,372,036,854,775,808"},
    };
    char text[QUANTITY_SIZE];

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        assert_string_equal(format_count(examples[i].count, text),
                            examples[i].text);
}

static void one_thing_has_no_plural(void **state)
{
    char text[QUANTITY_SIZE];

    assert_string_equal(format_things(1, "file", text), "1 file");
    assert_string_equal(format_things(0, "file", text), "0 files");
    assert_string_equal(format_things(1204, "file", text), "1,204 files");
    assert_string_equal(format_things(INT64_MIN, "scheduled run", text),
                        "-9,223,372,036,854,775,808 scheduled runs");
    assert_string_equal(plural(1, "copy", "copies"), "copy");
    assert_string_equal(plural(2, "copy", "copies"), "copies");
}

static void durations_have_at_most_two_units(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } examples[] = {
        {0, "0.0 s"},
        {40, "0.0 s"},
        {400, "0.4 s"},
        {9900, "9.9 s"},
        {10000, "10 s"},
        {12000, "12 s"},
        {59999, "59 s"},
        {60000, "1 m 00 s"},
        {192000, "3 m 12 s"},
        {3599999, "59 m 59 s"},
        {3600000, "1 h 00 m"},
        {7500000, "2 h 05 m"},
        {172799999, "47 h 59 m"},
        {172800000, "2 d"},
        {777600000, "9 d"},
    };
    char text[QUANTITY_SIZE];

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        assert_string_equal(format_duration(examples[i].ms * NS_PER_MS, text),
                            examples[i].text);
    assert_string_equal(format_duration(INT64_MAX, text), "106751 d");
}

static void speed_is_bytes_in_a_second(void **state)
{
    static const struct {
        int64_t bytes, ms;
        const char *text;
    } examples[] = {
        {78300000, 1000, "78.3 MB/s"},
        {78300000, 2000, "39.1 MB/s"},
        {0, 1000, "0 B/s"},
        {1, 1000, "1 B/s"},
        {1, 3000, "0 B/s"},
        {1000, 0, "–"},
        {1000, -5, "–"},
        {999999999, 1000, "1.0 GB/s"},
    };
    char text[QUANTITY_SIZE];

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        assert_string_equal(
            format_speed(examples[i].bytes, examples[i].ms * NS_PER_MS, text),
            examples[i].text);
}

/* A first moment may be a nanosecond long. */
static void impossible_speeds_are_fast_and_not_negative(void **state)
{
    char text[QUANTITY_SIZE];

    format_speed(INT64_MAX, 1, text);
    assert_int_not_equal(*text, '-');
    format_speed(INT64_C(100) << 30, 1, text);
    assert_int_not_equal(*text, '-');
}

static void every_result_fits_its_buffer(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(12));

    for (int i = 0; i < 100000; i++) {
        char text[QUANTITY_SIZE + 1];
        int64_t one = dice_extreme(&dice), other = dice_extreme(&dice);
        text[QUANTITY_SIZE] = 'x';
        format_bytes(one, text);
        format_count(one, text);
        assert_true(text[0] == '-' || one >= 0);
        format_duration(one, text);
        format_speed(one, other, text);
        assert_true(strlen(text) < QUANTITY_SIZE);
        assert_int_equal(text[QUANTITY_SIZE], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_have_three_figures_and_a_unit),
        cmocka_unit_test(fewer_than_no_bytes_look_like_as_many_with_a_minus),
        cmocka_unit_test(no_number_has_four_figures),
        cmocka_unit_test(counts_are_grouped_by_thousands),
        cmocka_unit_test(one_thing_has_no_plural),
        cmocka_unit_test(durations_have_at_most_two_units),
        cmocka_unit_test(speed_is_bytes_in_a_second),
        cmocka_unit_test(impossible_speeds_are_fast_and_not_negative),
        cmocka_unit_test(every_result_fits_its_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
