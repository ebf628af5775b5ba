/*
 * A line of a crontab becomes a comment, and nothing else changes.
 */
#include "platform/posix_crontab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_silenced(const char *text, const char *line,
                            const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    strbuf_adds(&out, text);
    assert_true(posix_crontab_silence(&out, line));
    assert_string_equal(out.text, expected);
}

static void a_line_becomes_a_comment_and_the_others_stay(void **state)
{
    assert_silenced("# mine\n0 2 * * * rsync -a /a /b\n0 3 * * * other\n",
                    "0 2 * * * rsync -a /a /b",
                    "# mine\n# berth does this now: 0 2 * * * rsync -a /a /b\n"
                    "0 3 * * * other\n");
    assert_silenced("x\n", "x", "# berth does this now: x\n");
    assert_silenced("x", "x", "# berth does this now: x");
    assert_silenced("x\ny\nx\n", "x",
                    "# berth does this now: x\ny\n# berth does this now: x\n");
}

static void what_only_begins_or_ends_alike_stays(void **state)
{
    static const char *const others[] = {"0 2 * * * rsync -a /a /bc\n",
                                         "#0 2 * * * rsync -a /a /b\n",
                                         " 0 2 * * * rsync -a /a /b\n", "\n"};
    static const char line[] = "0 2 * * * rsync -a /a /b";

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        strbuf_adds(&text, others[i]);
        assert_false(posix_crontab_silence(&text, line));
        assert_string_equal(text.text, others[i]);
    }
}

static void nothing_is_no_line(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    assert_false(posix_crontab_silence(&text, "x"));
    strbuf_adds(&text, "\n\n");
    assert_false(posix_crontab_silence(&text, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_becomes_a_comment_and_the_others_stay),
        cmocka_unit_test(what_only_begins_or_ends_alike_stays),
        cmocka_unit_test(nothing_is_no_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
