#include "ui/text.h"

#include <string.h>
#include <utf8proc.h>

#define REPLACEMENT 0xfffd
#define ELLIPSIS "…"

/* --- glyphs ----------------------------------------------------------------
 */

static size_t character_at(const char *text, int32_t *out)
{
    unsigned char first = (unsigned char)text[0];

    if (first < 0x80) {
        *out = first;
        return first ? 1 : 0;
    }
    size_t length = strnlen(text, 4);
    utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)text,
                                             (utf8proc_ssize_t)length, out);
    if (size > 0)
        return (size_t)size;
    *out = REPLACEMENT;
    return 1;
}

/* What some terminals join with its neighbours, and others do not. */
static bool is_joining(int32_t character)
{
    return character == 0x200c || character == 0x200d ||
           (character >= 0xfe00 && character <= 0xfe0f) ||
           (character >= 0x1f3fb && character <= 0x1f3ff) ||
           (character >= 0xe0000 && character <= 0xe01ef);
}

static bool is_mark(int32_t character)
{
    if (character < 0x300)
        return false;
    return is_joining(character) || utf8proc_charwidth(character) == 0;
}

static size_t put_character(int32_t character, char *to)
{
    return (size_t)utf8proc_encode_char(character, (utf8proc_uint8_t *)to);
}

static bool is_unshowable(int32_t character)
{
    if (character < 0x20 || character == 0xad ||
        (character >= 0x7f && character < 0xa0))
        return true;
    if (character < 0x300)
        return false;
    utf8proc_category_t category = utf8proc_category(character);
    return category == UTF8PROC_CATEGORY_CN ||
           category == UTF8PROC_CATEGORY_CS ||
           category == UTF8PROC_CATEGORY_CO || category == UTF8PROC_CATEGORY_CF;
}

size_t glyph_next(const char *text, struct glyph *out)
{
    int32_t character;
    size_t used = character_at(text, &character);
    size_t length = 0;

    if (!used)
        return 0;
    if (is_unshowable(character) || is_mark(character))
        character = REPLACEMENT;
    out->width =
        character >= 0x300 && utf8proc_charwidth(character) == 2 ? 2 : 1;
    length = put_character(character, out->bytes);
    for (int marks = 0;;) {
        size_t size = character_at(text + used, &character);
        if (!size || !is_mark(character))
            break;
        if (marks < GLYPH_MARKS_MOST && !is_joining(character)) {
            length += put_character(character, out->bytes + length);
            marks++;
        }
        used += size;
    }
    out->bytes[length] = '\0';
    return used;
}

static const struct {
    const char *glyph;
    char ascii;
} stand_ins[] = {
    {"─", '-'}, {"│", '|'}, {"┌", '+'}, {"┐", '+'}, {"└", '+'}, {"┘", '+'},
    {"├", '+'}, {"┤", '+'}, {"┬", '+'}, {"┴", '+'}, {"┼", '+'}, {"●", '*'},
    {"○", 'o'}, {"▲", '^'}, {"✓", 'v'}, {"✗", 'x'}, {"×", 'x'}, {"█", '#'},
    {"▓", '='}, {"▒", '='}, {"░", '.'}, {"▸", '>'}, {"▾", 'v'}, {"»", '>'},
    {"·", '-'}, {"–", '-'}, {"…", '~'}, {"→", '>'}, {"←", '<'}, {"↑", '^'},
    {"↓", 'v'}, {"°", ' '}, {"▁", '_'}, {"▂", '.'}, {"▃", ':'}, {"▄", ':'},
    {"▅", '|'}, {"▆", '|'}, {"▇", '#'}, {"⌫", '<'}, {"⏎", '<'},
};

void glyph_to_ascii(struct glyph *glyph)
{
    char ascii = '?';

    if ((unsigned char)glyph->bytes[0] < 0x80) {
        glyph->bytes[1] = '\0'; /* without marks */
        return;
    }
    for (size_t i = 0; i < COUNT_OF(stand_ins); i++)
        if (!strcmp(glyph->bytes, stand_ins[i].glyph))
            ascii = stand_ins[i].ascii;
    memcpy(glyph->bytes, (char[2]){ascii, '\0'}, 2);
    glyph->width = 1;
}

/* --- widths ----------------------------------------------------------------
 */

int text_width(const char *text)
{
    struct glyph glyph;
    size_t used;
    int width = 0;

    while ((used = glyph_next(text, &glyph))) {
        width += glyph.width;
        text += used;
    }
    return width;
}

/* Bytes of the longest start that fits; *out_width is what it takes. */
static size_t fitting_start(const char *text, int width, int *out_width)
{
    struct glyph glyph;
    size_t at = 0, used;
    int taken = 0;

    while ((used = glyph_next(text + at, &glyph))) {
        if (taken + glyph.width > width)
            break;
        taken += glyph.width;
        at += used;
    }
    *out_width = taken;
    return at;
}

/* Where the longest end that fits begins. */
static size_t fitting_end(const char *text, int whole, int width)
{
    struct glyph glyph;
    size_t at = 0;

    while (whole > width) {
        at += glyph_next(text + at, &glyph);
        whole -= glyph.width;
    }
    return at;
}

void text_fit_end(const char *text, int width, struct strbuf *out)
{
    int taken;

    if (width <= 0)
        return;
    size_t length = fitting_start(text, width, &taken);
    if (!text[length]) {
        strbuf_add(out, text, length);
        return;
    }
    length = fitting_start(text, width - 1, &taken);
    strbuf_add(out, text, length);
    strbuf_adds(out, ELLIPSIS);
}

void text_fit_middle(const char *text, int width, struct strbuf *out)
{
    int whole = text_width(text), taken;

    if (width <= 0)
        return;
    if (whole <= width) {
        strbuf_adds(out, text);
        return;
    }
    /* The end of a path says more than its beginning. */
    size_t start = fitting_start(text, (width - 1) * 2 / 5, &taken);
    strbuf_add(out, text, start);
    strbuf_adds(out, ELLIPSIS);
    strbuf_adds(out, text + fitting_end(text, whole, width - 1 - taken));
}

size_t text_wrap(const char *text, int width, size_t *out_next)
{
    int taken;
    size_t length = fitting_start(text, width > 0 ? width : 1, &taken);
    size_t end = strcspn(text, "\n");

    if (end <= length) {
        *out_next = end + (text[end] == '\n');
        return end;
    }
    if (text[length]) {
        size_t space = length;
        while (space && text[space] != ' ')
            space--;
        if (space)
            length = space;
    }
    *out_next = length + strspn(text + length, " ");
    return length;
}

void text_add_character(struct strbuf *out, uint32_t character)
{
    char bytes[4];

    strbuf_add(out, bytes, put_character((int32_t)character, bytes));
}

void text_remove_character(struct strbuf *out)
{
    while (out->length &&
           ((unsigned char)out->text[out->length - 1] & 0xc0) == 0x80)
        strbuf_truncate(out, out->length - 1);
    if (out->length)
        strbuf_truncate(out, out->length - 1);
}

/* --- searching -------------------------------------------------------------
 */

static unsigned char lower(unsigned char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (unsigned char)(letter + 32)
                                          : letter;
}

bool text_contains(const char *text, const char *part)
{
    unsigned char first = lower((unsigned char)part[0]);

    if (!first)
        return true;
    for (; *text; text++) {
        size_t i = 1;
        if (lower((unsigned char)*text) != first)
            continue;
        while (part[i] &&
               lower((unsigned char)text[i]) == lower((unsigned char)part[i]))
            i++;
        if (!part[i])
            return true;
    }
    return false;
}
