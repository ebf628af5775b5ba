/* What is not on a drive, in numbers and in words. */
#include "core/leftovers.h"

#include "core/base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_words(const struct leftovers *left, const char *expected)
{
    CLEANUP_FREE char *words = leftovers_words(left);

    assert_string_equal(words, expected);
}

static void complete_is_said_only_when_every_job_was_compared(void **state)
{
    struct leftovers left = {0};

    check_words(&left, "no job of berth writes to it");
    assert_false(leftovers_are_none(&left));
    left.jobs = 2;
    check_words(&left, "everything is on it");
    assert_true(leftovers_are_none(&left));
    left.unknown = 1;
    check_words(&left, "whether everything is on it was not compared");
    assert_false(leftovers_are_none(&left));
}

static void each_kind_of_leftover_is_named_and_makes_it_incomplete(void **state)
{
    static const struct {
        struct leftovers left;
        const char *words;
    } examples[] = {
        {{.jobs = 1, .pending = 1204}, "NOT on it: 1,204 pending"},
        {{.jobs = 1, .failed = 3}, "NOT on it: 3 failed"},
        {{.jobs = 1, .too_young = 2}, "NOT on it: 2 too young"},
        {{.jobs = 1, .unreadable = 1}, "NOT on it: 1 not readable"},
        {{.jobs = 1, .held = 41}, "NOT on it: 41 deletes held"},
        {{.jobs = 1, .conflicts = 1}, "NOT on it: 1 in conflict"},
        {{.jobs = 1, .left_out = 5}, "NOT on it: 5 left out"},
        {{.jobs = 2, .undone = 1},
         "NOT on it: what a job that was not done has"},
        {{.jobs = 2, .undone = 2, .failed = 1},
         "NOT on it: what jobs that were not done have, 1 failed"},
        {{.jobs = 1, .failed = 3, .too_young = 2, .held = 41, .unknown = 1},
         "NOT on it: 3 failed, 2 too young, 41 deletes held"},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        check_words(&examples[i].left, examples[i].words);
        assert_false(leftovers_are_none(&examples[i].left));
    }
}

static void a_plan_is_counted_by_what_is_still_to_be_done(void **state)
{
    static const struct action actions[] = {
        {.kind = ACTION_NEW},
        {.kind = ACTION_MKDIR, .type = ENTRY_DIRECTORY},
        {.kind = ACTION_NEW, .flags = ACTION_HELD | ACTION_NEEDS_ROOM},
        {.kind = ACTION_DELETE, .flags = ACTION_HELD},
        {.kind = ACTION_UPDATE, .flags = ACTION_HELD},
        {.kind = ACTION_CONFLICT, .reason = REASON_TWIN},
        {.kind = ACTION_SKIP, .reason = REASON_TOO_YOUNG},
        {.kind = ACTION_SKIP, .reason = REASON_UNREADABLE},
        {.kind = ACTION_SKIP, .reason = REASON_EXCLUDED},
        {.kind = ACTION_NOTE, .reason = REASON_SIGNED},
        {.kind = ACTION_FOREIGN},
    };
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;
    struct leftovers left = {0};

    for (size_t i = 0; i < COUNT_OF(actions); i++)
        ARRAY_PUSH(&plan, actions[i]);
    leftovers_add_plan(&left, &plan);
    check_words(&left, "NOT on it: 3 pending, 1 too young, 1 not readable, "
                       "2 deletes held, 1 in conflict");
    assert_int_equal(left.jobs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_is_said_only_when_every_job_was_compared),
        cmocka_unit_test(
            each_kind_of_leftover_is_named_and_makes_it_incomplete),
        cmocka_unit_test(a_plan_is_counted_by_what_is_still_to_be_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
