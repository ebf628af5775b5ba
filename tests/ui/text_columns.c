/*
 * Text in columns: widths, cuts, wraps, stand-ins; a canvas that nothing can
 * draw out of; and random bytes as names.
 */
#include "ui/canvas.h"
#include "ui/theme.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_width_is_what_a_terminal_takes(void **state)
{
    static const struct {
        const char *text;
        int width;
    } examples[] = {
        {"", 0},         {"berth", 5},
        {"日本語", 6},   {"e\u0301te\u0301", 3},
        {"한국어", 6},   {"✓ ▲ ●", 5},
        {"\u200d", 1}, /* a joiner with nothing to join: U+FFFD */
        {"👨\u200d👩", 4}, {"\x1b[31m", 5},
        {"\xff\xfe", 2}, {"\xe6\x97", 2}, /* a character that is cut off */
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        if (text_width(examples[i].text) != examples[i].width)
            fail_msg("%s: %d columns, not %d", examples[i].text,
                     text_width(examples[i].text), examples[i].width);
}

static void what_is_cut_fits_and_says_that_it_was(void **state)
{
    static const char *const texts[] = {"short", "a longer text than that",
                                        "日本語のとても長い題名",
                                        "e\u0301e\u0301e\u0301e\u0301e\u0301"};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        for (int width = 0; width < 30; width++)
            for (int middle = 0; middle < 2; middle++) {
                CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
                (middle ? text_fit_middle : text_fit_end)(texts[i], width,
                                                          &out);
                assert_true(text_width(out.text) <= width);
                if (width >= text_width(texts[i]))
                    assert_string_equal(out.text, texts[i]);
                else if (width > 0)
                    assert_non_null(strstr(out.text, "…"));
            }
}

static void wrapped_lines_fit_and_lose_no_word(void **state)
{
    const char *text = "No file under its final name is half written; the "
                       "next sync repairs what was begun.";

    for (int width = 8; width < 90; width++) {
        CLEANUP(strbuf_release) struct strbuf joined = STRBUF_INIT;
        for (const char *at = text; *at;) {
            size_t next, length = text_wrap(at, width, &next);
            assert_true(length <= (size_t)width);
            assert_true(next > 0);
            if (joined.length)
                strbuf_addch(&joined, ' ');
            strbuf_add(&joined, at, length);
            at += next;
        }
        assert_string_equal(joined.text, text);
    }
}

static void every_sign_of_the_screens_has_an_ASCII_stand_in(void **state)
{
    const char *signs = "─│┌┐└┘├┤┬┴┼●○▲✓✗×█▒░▸▾»·–…→←↑↓°▁▂▃▄▅▆▇⌫";
    struct glyph glyph;
    size_t used;

    for (; (used = glyph_next(signs, &glyph)); signs += used) {
        struct glyph ascii = glyph;
        glyph_to_ascii(&ascii);
        if (ascii.bytes[0] == '?' || (unsigned char)ascii.bytes[0] >= 0x80)
            fail_msg("%s has no stand-in", glyph.bytes);
    }
}

static void letters_find_themselves_in_any_case(void **state)
{
    assert_true(text_contains("films/Nosferatu.mkv", "NOSFER"));
    assert_true(text_contains("日本語", "本"));
    assert_true(text_contains("anything", ""));
    assert_false(text_contains("abc", "abcd"));
}

static void random_name(struct dice *dice, char name[40])
{
    static const char *const parts[] = {"日", "e\u0301", "\u202e", "\x1b[2J",
                                        "a",  "\xff",    "👩",      "\u200d"};
    size_t length = 0;

    name[0] = '\0';
    while (length < 30 && dice_below(dice, 8)) {
        const char *part = parts[dice_below(dice, COUNT_OF(parts))];
        strcat(name, part);
        length += strlen(part);
    }
}

/* Whole, wide letters with both halves, no control character. */
static void check_canvas(const struct canvas *canvas)
{
    for (int y = 0; y < canvas->height; y++)
        for (int x = 0; x < canvas->width; x++) {
            const struct cell *cell = canvas_cell(canvas, x, y);
            assert_true((unsigned char)cell->glyph.bytes[0] >= ' ' ||
                        !cell->glyph.width);
            if (cell->glyph.width == 2) {
                assert_true(x + 1 < canvas->width);
                assert_int_equal(canvas_cell(canvas, x + 1, y)->glyph.width, 0);
            }
            if (cell->glyph.width == 0) {
                assert_true(x > 0);
                assert_int_equal(canvas_cell(canvas, x - 1, y)->glyph.width, 2);
            }
        }
}

static void nothing_lands_outside_and_no_letter_is_halved(void **state)
{
    struct dice dice = dice_new(1);
    struct canvas canvas;

    canvas_init(&canvas, false);
    for (int round = 0; round < 3000; round++) {
        char name[40];
        canvas_reset(&canvas, (int)dice_below(&dice, 24) + 1,
                     (int)dice_below(&dice, 5) + 1);
        for (int i = 0; i < 6; i++) {
            struct area area = area_part(
                canvas_area(&canvas), (int)dice_below(&dice, 30) - 3,
                (int)dice_below(&dice, 8) - 2, (int)dice_below(&dice, 30),
                (int)dice_below(&dice, 6));
            random_name(&dice, name);
            area_put_name(area, (int)dice_below(&dice, 9),
                          (int)dice_below(&dice, 6) - 2, STYLE_NORMAL, name);
            area_put_right(area, 0, STYLE_BAD, name);
            area_put_wrapped(area, 0, STYLE_BAD, name);
            area_select(area, (int)dice_below(&dice, 4), 3);
            area_frame(area, name);
        }
        check_canvas(&canvas);
    }
    canvas_release(&canvas);
}

static void every_style_is_told_apart_without_colours(void **state)
{
    const struct theme none = theme_choose("1", "0;15", 256);

    assert_int_equal(none.depth, THEME_MONO);
    for (int style = 0; style < STYLE_COUNT; style++) {
        struct look look = theme_look(none, (enum style)style, false);
        struct look selected = theme_look(none, (enum style)style, true);
        assert_int_equal(look.foreground, -1);
        assert_int_equal(look.background, -1);
        assert_int_not_equal(look.attributes & LOOK_REVERSE,
                             selected.attributes & LOOK_REVERSE);
    }
}

static void the_environment_chooses_the_theme(void **state)
{
    assert_int_equal(theme_choose(NULL, NULL, 256).depth, THEME_256);
    assert_int_equal(theme_choose("", NULL, 8).depth, THEME_16);
    assert_int_equal(theme_choose(NULL, NULL, -1).depth, THEME_MONO);
    assert_false(theme_choose(NULL, "15;0", 256).is_light);
    assert_true(theme_choose(NULL, "0;15", 256).is_light);
    assert_true(theme_choose(NULL, "0;default;15", 256).is_light);
    assert_false(theme_choose(NULL, "0;default", 256).is_light);
    assert_false(theme_choose(NULL, "12;8", 256).is_light);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_width_is_what_a_terminal_takes),
        cmocka_unit_test(what_is_cut_fits_and_says_that_it_was),
        cmocka_unit_test(wrapped_lines_fit_and_lose_no_word),
        cmocka_unit_test(every_sign_of_the_screens_has_an_ASCII_stand_in),
        cmocka_unit_test(letters_find_themselves_in_any_case),
        cmocka_unit_test(nothing_lands_outside_and_no_letter_is_halved),
        cmocka_unit_test(every_style_is_told_apart_without_colours),
        cmocka_unit_test(the_environment_chooses_the_theme),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
