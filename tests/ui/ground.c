/*
 * What terminals answer when they are asked for the colour of their ground.
 */
#include "ui/term_ground.h"

#include "core/base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void answers_are_understood(void **state)
{
    static const struct {
        const char *reply;
        bool is_told, is_light;
    } examples[] = {
        {"\033]11;rgb:ffff/ffff/ffff\033\\\033[?62c", true, true},
        {"\033]11;rgb:0000/0000/0000\007\033[?1;2c", true, false},
        {"\033]11;rgb:fd/f6/e3\007", true, true},
        {"\033]11;rgb:00/2b/36\007", true, false},
        {"\033]11;rgba:ffff/ffff/ffff/ffff\033\\", true, true},
        {"\033[?62;22c", false, false},
        {"", false, false},
        {"\033]11;rgb:\033\\", false, false},
        {"\033]11;rgb:fffff/0/0\033\\", false, false},
        {"\033]11;rgb:ffff", false, false},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        bool is_light = false;
        assert_int_equal(ground_parse(examples[i].reply, &is_light),
                         examples[i].is_told);
        assert_int_equal(is_light, examples[i].is_light);
    }
}

static void what_was_typed_is_kept(void **state)
{
    static const char *const examples[][2] = {
        {"e\033]11;rgb:ffff/ffff/ffff\033\\\033[?62cE", "eE"},
        {"\033]11;rgb:0/0/0\007?\033[?1;2c", "?"},
        {"\033[A\033[?62c", "\033[A"},
        {"\033]11;rgb:ffff/ff", ""},
        {"jk", "jk"},
        {"", ""},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        char reply[GROUND_REPLY_SIZE];
        snprintf(reply, sizeof reply, "%s", examples[i][0]);
        ground_keep_keys(reply);
        assert_string_equal(reply, examples[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_understood),
        cmocka_unit_test(what_was_typed_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
