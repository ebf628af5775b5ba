/* A set of texts: what was added is in it, once, and nothing else. */
#include "core/base/text_set.h"
#include "core/base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void an_empty_set_has_nothing(void **state)
{
    CLEANUP(text_set_release) struct text_set set = TEXT_SET_INIT;

    assert_false(text_set_has(&set, ""));
    assert_false(text_set_has(&set, "a"));
}

static void a_set_has_what_was_added_and_nothing_else(void **state)
{
    CLEANUP(text_set_release) struct text_set set = TEXT_SET_INIT;
    char text[16];

    for (int i = 0; i < 1000; i += 2) {
        snprintf(text, sizeof text, "%d", i * 7919 % 1000);
        text_set_add(&set, text); /* copied: the next one overwrites it */
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(text_set_has(&set, text), i % 2 == 0);
    }
    assert_false(text_set_has(&set, ""));
}

static void what_is_added_twice_is_there_once(void **state)
{
    CLEANUP(text_set_release) struct text_set set = TEXT_SET_INIT;

    text_set_add(&set, "a");
    text_set_add(&set, "a");
    text_set_add(&set, "");
    assert_true(text_set_has(&set, "a"));
    assert_true(text_set_has(&set, ""));
    text_set_release(&set);
    assert_false(text_set_has(&set, "a"));
    text_set_release(&set); /* harmless */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_has_nothing),
        cmocka_unit_test(a_set_has_what_was_added_and_nothing_else),
        cmocka_unit_test(what_is_added_twice_is_there_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
