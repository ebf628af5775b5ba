/*
 * Exit codes: which error leads to which, and which of several is told.
 */
#include "core/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* "Several apply: 4, 7, 9, 5, 6, 8, 3, 1 in this order"; wrong usage ends a
 * command before anything else can happen. */
static const enum outcome by_weight[] = {
    OUTCOME_USAGE,       OUTCOME_REFUSED,      OUTCOME_DEVICE,
    OUTCOME_NO_SPACE,    OUTCOME_ABSENT,       OUTCOME_BUSY,
    OUTCOME_INTERRUPTED, OUTCOME_FAILED_FILES, OUTCOME_DIFFERENCES,
    OUTCOME_DONE,
};

static void of_two_outcomes_the_weightier_is_told(void **state)
{
    for (size_t i = 0; i < COUNT_OF(by_weight); i++)
        for (size_t j = 0; j < COUNT_OF(by_weight); j++)
            assert_int_equal(outcome_worse(by_weight[i], by_weight[j]),
                             by_weight[i < j ? i : j]);
}

static void exit_codes_are_those_of_the_manual(void **state)
{
    static const int numbers[] = {2, 4, 7, 9, 5, 6, 8, 3, 1, 0};

    for (size_t i = 0; i < COUNT_OF(by_weight); i++)
        assert_int_equal(by_weight[i], numbers[i]);
}

static void the_order_of_adding_up_does_not_matter(void **state)
{
    for (int a = 0; a <= OUTCOME_NO_SPACE; a++)
        for (int b = 0; b <= OUTCOME_NO_SPACE; b++)
            for (int c = 0; c <= OUTCOME_NO_SPACE; c++) {
                enum outcome one = (enum outcome)a, two = (enum outcome)b,
                             three = (enum outcome)c;
                assert_int_equal(outcome_worse(outcome_worse(one, two), three),
                                 outcome_worse(one, outcome_worse(two, three)));
            }
}

static void every_error_has_its_exit_code(void **state)
{
    static const enum outcome outcomes[] = {
        [ERR_OK] = OUTCOME_DONE,
        [ERR_INVALID] = OUTCOME_USAGE,
        [ERR_NOT_FOUND] = OUTCOME_ABSENT,
        [ERR_EXISTS] = OUTCOME_USAGE,
        [ERR_DENIED] = OUTCOME_FAILED_FILES,
        [ERR_BUSY] = OUTCOME_BUSY,
        [ERR_NO_SPACE] = OUTCOME_NO_SPACE,
        [ERR_READ_ONLY] = OUTCOME_REFUSED,
        [ERR_IO] = OUTCOME_DEVICE,
        [ERR_DEVICE_GONE] = OUTCOME_DEVICE,
        [ERR_CHANGED] = OUTCOME_FAILED_FILES,
        [ERR_CORRUPT] = OUTCOME_REFUSED,
        [ERR_UNSUPPORTED] = OUTCOME_FAILED_FILES,
        [ERR_REFUSED] = OUTCOME_REFUSED,
        [ERR_CANCELLED] = OUTCOME_INTERRUPTED,
        [ERR_TOO_NEW] = OUTCOME_REFUSED,
        [ERR_INTERNAL] = OUTCOME_FAILED_FILES,
    };

    assert_int_equal(COUNT_OF(outcomes), ERR_INTERNAL + 1);
    for (size_t i = 0; i < COUNT_OF(outcomes); i++)
        assert_int_equal(outcome_of((err_code)i), outcomes[i]);
}

static void only_success_is_told_as_success(void **state)
{
    for (int code = ERR_OK + 1; code <= ERR_INTERNAL; code++)
        assert_int_not_equal(outcome_of((err_code)code), OUTCOME_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_outcomes_the_weightier_is_told),
        cmocka_unit_test(exit_codes_are_those_of_the_manual),
        cmocka_unit_test(the_order_of_adding_up_does_not_matter),
        cmocka_unit_test(every_error_has_its_exit_code),
        cmocka_unit_test(only_success_is_told_as_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
