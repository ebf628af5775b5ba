/* Names for people: what cannot be seen, or would move the rest, is escaped. */
#include "core/names.h"
#include "core/names_internal.h"

#include <string.h>
#include <utf8proc.h>

/* What decides whether the next character can be shown as it is. */
struct shown {
    int32_t last;  /* 0: nothing, or an escape, or '/' */
    bool is_emoji; /* an emoji and what extends it */
};

static bool is_mark(int32_t character)
{
    utf8proc_category_t category = utf8proc_category(character);

    return category == UTF8PROC_CATEGORY_MN ||
           category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
}

/* utf8proc knows class and category of what is assigned only. */
static bool is_noncharacter_or_reserved(int32_t character)
{
    return (character & 0xfffe) == 0xfffe ||
           (character >= 0xfdd0 && character <= 0xfdef) ||
           character == 0x2065 ||
           (character >= 0xfff0 && character <= 0xfff8) ||
           (character >= 0xe0000 && character <= 0xe0fff);
}

/*
 * The joiners, where they do something: between emoji (UAX #29, GB11), after
 * a virama (RFC 5892, A.1 and A.2), and the non-joiner between Arabic letters
 * (A.1; the bidirectional class stands in for the joining type).
 */
static bool is_joiner_in_place(const struct shown *before, int32_t joiner,
                               int32_t next)
{
    if (!before->last)
        return false;
    const utf8proc_property_t *left = utf8proc_get_property(before->last);
    const utf8proc_property_t *right = utf8proc_get_property(next);

    if (left->combining_class == 9)
        return true;
    if (joiner == 0x200c)
        return left->bidi_class == UTF8PROC_BIDI_CLASS_AL &&
               right->bidi_class == UTF8PROC_BIDI_CLASS_AL;
    return before->is_emoji &&
           right->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

/* A variation selector right after what can have variants. */
static bool is_selector_in_place(const struct shown *before, int32_t selector)
{
    if (selector < 0xfe00 || (selector > 0xfe0f && selector < 0xe0100) ||
        !before->last || is_mark(before->last) ||
        utf8proc_get_property(before->last)->ignorable)
        return false;
    return before->last >= 0x80 || strchr("0123456789#*", before->last);
}

static bool can_be_shown(const struct shown *before, int32_t character,
                         int32_t next)
{
    const utf8proc_property_t *property = utf8proc_get_property(character);

    if (character == 0x200c || character == 0x200d)
        return is_joiner_in_place(before, character, next);
    if (property->ignorable)
        return is_selector_in_place(before, character);
    switch (property->category) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    case UTF8PROC_CATEGORY_CF: /* visible are the Arabic number signs only */
        return property->boundclass == UTF8PROC_BOUNDCLASS_PREPEND;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return before->last != 0;
    default:
        return !is_noncharacter_or_reserved(character);
    }
}

static void append_shown(struct shown *shown, const char *text, size_t size,
                         int32_t character, struct strbuf *out)
{
    int boundclass = utf8proc_get_property(character)->boundclass;

    strbuf_add(out, text, size);
    shown->last = character == '/' ? 0 : character;
    if (boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC)
        shown->is_emoji = true;
    else if (boundclass != UTF8PROC_BOUNDCLASS_EXTEND)
        shown->is_emoji = false;
}

static bool is_printable_ascii(const char *text)
{
    while (*text >= ' ' && *text < 0x7f)
        text++;
    return !*text;
}

void name_display(const char *raw, struct strbuf *out)
{
    struct shown shown = {.last = 0};
    size_t length = strlen(raw);

    if (is_printable_ascii(raw)) {
        strbuf_add(out, raw, length);
        return;
    }
    for (size_t at = 0; at < length;) {
        int32_t character, next;
        size_t size = name_character_at(raw + at, length - at, &character);
        size_t end = at + (size ? size : 1);
        if (!name_character_at(raw + end, length - end, &next))
            next = 0;

        if (size && can_be_shown(&shown, character, next)) {
            append_shown(&shown, raw + at, size, character, out);
        } else {
            if (size > 1)
                strbuf_addf(out, "\\u{%x}", (unsigned)character);
            else
                strbuf_addf(out, "\\x%02x", (unsigned)(unsigned char)raw[at]);
            shown = (struct shown){.last = 0};
        }
        at = end;
    }
}
