/*
 * Two texts compared line by line: what is told is right and least, whatever
 * they are; and what nobody reads costs no time.
 */
#include "core/lines.h"
#include "core/base/error.h"
#include "core/base/strbuf.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct told {
    struct strbuf lines; /* "-a|+b| c|" */
    size_t gone, new, left_out;
    size_t most; /* lines wanted; 0: all */
};

static bool tell(void *context, const struct line *line)
{
    static const char marks[] = " -+.";
    struct told *told = context;

    told->gone += line->kind == LINE_GONE;
    told->new += line->kind == LINE_NEW;
    told->left_out += line->kind == LINE_LEFT_OUT ? line->count : 0;
    if (line->kind == LINE_LEFT_OUT)
        strbuf_addf(&told->lines, ".%zu|", line->count);
    else
        strbuf_addf(&told->lines, "%c%.*s|", marks[line->kind],
                    (int)line->length, line->text);
    return !told->most || --told->most;
}

static struct told compare(const char *before, const char *after, size_t around)
{
    struct told told = {.lines = STRBUF_INIT};

    lines_compare(before, strlen(before), after, strlen(after), around, tell,
                  &told);
    return told;
}

static void assert_told(const char *before, const char *after, size_t around,
                        const char *expected)
{
    struct told told = compare(before, after, around);

    assert_string_equal(told.lines.text ? told.lines.text : "", expected);
    strbuf_release(&told.lines);
}

static void what_differs_is_told_with_what_is_around_it(void **state)
{
    assert_told("a\nb\nc\n", "a\nB\nc\n", 3, " a|-b|+B| c|");
    assert_told("", "a\nb", 3, "+a|+b|");
    assert_told("a\nb", "", 3, "-a|-b|");
    assert_told("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\nX\n", 2,
                ".6| 7| 8|-9|+X|");
    assert_told("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "X\n2\n3\n4\n5\n6\n7\n8\nY\n", 1,
                "-1|+X| 2|.5| 8|-9|+Y|");
    assert_told("a\na\nb\n", "a\nb\n", 0, ".1|-a|.1|");
}

static void equal_texts_tell_nothing(void **state)
{
    assert_told("", "", 3, "");
    assert_told("a\nb\n", "a\nb\n", 3, "");
    assert_told("a\nb\n", "a\nb", 3, ""); /* no line differs */
}

/* Of letters, so that lines are often equal. */
static char *random_text(struct dice *dice, size_t lines)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_adds(&text, "");
    for (size_t i = 0; i < lines; i++)
        strbuf_addf(&text, "%c\n", (int)('a' + dice_below(dice, 4)));
    return text.text ? strbuf_detach(&text) : xstrdup("");
}

/* Longest common subsequence, naively; every line is a letter and its end. */
static size_t common(const char *one, size_t one_count, const char *other,
                     size_t other_count)
{
    size_t table[32][32] = {{0}};

    for (size_t i = 1; i <= one_count; i++)
        for (size_t j = 1; j <= other_count; j++) {
            size_t up = table[i - 1][j], left = table[i][j - 1];
            table[i][j] = one[2 * i - 2] == other[2 * j - 2]
                              ? table[i - 1][j - 1] + 1
                          : up > left ? up
                                      : left;
        }
    return table[one_count][other_count];
}

/* One of the two texts out of what was told: without "+", or without "-". */
static char *rebuilt(const char *told, char without)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_adds(&text, "");
    for (; *told; told += 3)
        if (*told != without)
            strbuf_addf(&text, "%c\n", told[1]);
    return text.text ? strbuf_detach(&text) : xstrdup("");
}

static void both_texts_are_in_what_is_told_and_no_line_too_many(void **state)
{
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct dice dice = dice_new(seed);
        size_t one = dice_below(&dice, 30), other = dice_below(&dice, 30);
        CLEANUP_FREE char *before = random_text(&dice, one);
        CLEANUP_FREE char *after = random_text(&dice, other);
        struct told told = compare(before, after, 1000);
        const char *lines = told.lines.text ? told.lines.text : "";
        if (strcmp(before, after) != 0) {
            CLEANUP_FREE char *was = rebuilt(lines, '+');
            CLEANUP_FREE char *is = rebuilt(lines, '-');
            assert_string_equal(was, before);
            assert_string_equal(is, after);
            size_t same = common(before, one, after, other);
            assert_int_equal(told.gone, one - same);
            assert_int_equal(told.new, other - same);
        }
        strbuf_release(&told.lines);
    }
}

static void texts_without_a_common_line_end_soon(void **state)
{
    CLEANUP(strbuf_release) struct strbuf one = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf other = STRBUF_INIT;
    enum { LINES = 100000 };

    for (int i = 0; i < LINES; i++) {
        strbuf_addf(&one, "before %d\n", i);
        strbuf_addf(&other, "after %d\n", i);
    }
    struct told told = compare(one.text, other.text, 3);
    assert_int_equal(told.gone, LINES);
    assert_int_equal(told.new, LINES);
    strbuf_release(&told.lines);
}

static void who_has_enough_is_told_no_more(void **state)
{
    struct told told = {.lines = STRBUF_INIT, .most = 2};

    lines_compare("a\nb\nc\n", 6, "d\ne\nf\n", 6, 3, tell, &told);
    assert_string_equal(told.lines.text, "-a|-b|");
    strbuf_release(&told.lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_differs_is_told_with_what_is_around_it),
        cmocka_unit_test(equal_texts_tell_nothing),
        cmocka_unit_test(both_texts_are_in_what_is_told_and_no_line_too_many),
        cmocka_unit_test(texts_without_a_common_line_end_soon),
        cmocka_unit_test(who_has_enough_is_told_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
