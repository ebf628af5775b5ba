#include "core/names.h"

#include "core/base/error.h"
#include "core/base/path.h"
#include "core/names_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define QUOTE "\xe2\x80\x9b" /* U+201B */
#define QUOTE_LENGTH (sizeof(QUOTE) - 1)

/*
 * --- UTF-8 ---
 */

size_t name_character_at(const char *text, size_t length, int32_t *out)
{
    if (!length)
        return 0;
    utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)text,
                                             (utf8proc_ssize_t)length, out);
    return size > 0 ? (size_t)size : 0;
}

static void append_character(int32_t character, struct strbuf *out)
{
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t size = utf8proc_encode_char(character, bytes);

    strbuf_add(out, bytes, (size_t)size);
}

/* Bytes at the beginning of `text` that are UTF-8. */
static size_t utf8_prefix(const char *text, size_t length)
{
    size_t valid = 0;
    int32_t character;

    while (valid < length) {
        size_t size =
            name_character_at(text + valid, length - valid, &character);
        if (!size)
            break;
        valid += size;
    }
    return valid;
}

static bool is_utf8(const char *name)
{
    size_t length = strlen(name);

    return utf8_prefix(name, length) == length;
}

bool name_is_ascii(const char *name)
{
    unsigned char seen = 0;

    for (; *name; name++)
        seen |= (unsigned char)*name;
    return seen < 0x80;
}

static char ascii_upper(char character)
{
    return (char)(character >= 'a' && character <= 'z' ? character - 'a' + 'A'
                                                       : character);
}

/*
 * --- keys and folds ---
 */

/*
 * exFAT compares UTF-16 unit by unit through the volume's up-case table, one
 * unit to one (specification 7.2); Linux compares code points above U+FFFF as
 * they are (exfat_utf8_d_cmp in fs/exfat/namei.c, exfat_toupper in nls.c).
 *
 * Upper case is taken only where lower case leads back. That is what the
 * recommended table (7.2.5.1; Linux and mkfs.exfat write that one) does: it
 * keeps 'ı', 'ſ', 'µ', 'ϐ' and 'ǅ' apart from "I", "S", "Μ", "Β" and "Ǆ", with
 * the final sigma as its one exception; and 'ß', which utf8proc makes 'ẞ', is
 * itself in it. Compared over all of the BMP: no pair that the table folds is
 * missed, and the 290 pairs folded beyond it are letters that Unicode got
 * later.
 */
static int32_t fold_character(int32_t character)
{
    if (character > 0xffff || character == 0xdf)
        return character;
    int32_t upper = utf8proc_toupper(character);
    if (character == 0x3c2 || utf8proc_tolower(upper) == character)
        return upper;
    return character;
}

/* Appends NFC, folded or not, of what is known to be UTF-8. */
static void append_nfc(const char *text, size_t length, bool is_folded,
                       struct strbuf *out)
{
    const utf8proc_option_t options = UTF8PROC_COMPOSE | UTF8PROC_STABLE;
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
    int32_t on_stack[512]; /* names of up to 255 bytes decompose into less */
    CLEANUP_FREE int32_t *on_heap = NULL;
    int32_t *characters = on_stack;
    utf8proc_ssize_t room = (utf8proc_ssize_t)COUNT_OF(on_stack);

    utf8proc_ssize_t count = utf8proc_decompose(bytes, (utf8proc_ssize_t)length,
                                                characters, room, options);
    if (count > room) {
        room = count;
        on_heap = xmalloc((size_t)room * sizeof *on_heap);
        characters = on_heap;
        count = utf8proc_decompose(bytes, (utf8proc_ssize_t)length, characters,
                                   room, options);
    }
    if (count >= 0)
        count = utf8proc_normalize_utf32(characters, count, options);
    if (count < 0)
        die("cannot normalise a name: %s", utf8proc_errmsg(count));
    for (utf8proc_ssize_t i = 0; i < count; i++)
        append_character(
            is_folded ? fold_character(characters[i]) : characters[i], out);
}

void name_key(const char *raw, struct strbuf *out)
{
    if (name_is_ascii(raw) || !is_utf8(raw))
        strbuf_adds(out, raw);
    else
        append_nfc(raw, strlen(raw), false, out);
}

/*
 * In a name that is not UTF-8 the parts that are count all the same: there
 * are drive names that differ in the case of those only.
 */
void name_fold(const char *raw, struct strbuf *out)
{
    size_t length = strlen(raw);

    if (name_is_ascii(raw)) {
        strbuf_add(out, raw, length);
        for (char *c = out->text + out->length - length; *c; c++)
            *c = ascii_upper(*c);
        return;
    }
    for (size_t at = 0; at < length;) {
        size_t valid = utf8_prefix(raw + at, length - at);
        append_nfc(raw + at, valid, true, out);
        at += valid;
        if (at < length)
            strbuf_addch(out, raw[at++]);
    }
}

bool name_is_twin(const char *one, const char *other)
{
    size_t parent = path_parent_length(one);
    CLEANUP(strbuf_release) struct strbuf fold = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf other_fold = STRBUF_INIT;

    if (parent != path_parent_length(other) || strncmp(one, other, parent) != 0)
        return false;
    name_fold(path_name(one), &fold);
    name_fold(path_name(other), &other_fold);
    return !strcmp(fold.text, other_fold.text);
}

/*
 * --- drive names ---
 */

static bool is_dos_device(const char *stem, size_t length)
{
    static const char *const devices[] = {"CON", "PRN",    "AUX",
                                          "NUL", "CONIN$", "CONOUT$"};
    char upper[8];

    if (length < 3 || length >= sizeof upper)
        return false;
    for (size_t i = 0; i < length; i++)
        upper[i] = ascii_upper(stem[i]);
    upper[length] = '\0';
    for (size_t i = 0; i < COUNT_OF(devices); i++)
        if (!strcmp(upper, devices[i]))
            return true;
    if (strncmp(upper, "COM", 3) && strncmp(upper, "LPT", 3))
        return false;
    const char *port = upper + 3;
    if (length == 4)
        return *port >= '1' && *port <= '9';
    return !strcmp(port, "¹") || !strcmp(port, "²") || !strcmp(port, "³");
}

/*
 * Where the quote goes that keeps a name from being a DOS device: the offset
 * of the last letter of the device, 0 if it is none. What follows a dot does
 * not count, nor spaces before it ("NUL.tar.gz", "con .txt"); superscript
 * digits are digits ("Naming Files, Paths, and Namespaces" at
 * learn.microsoft.com; for CONIN$, CONOUT$ and the spaces CPython's
 * ntpath.isreserved, github.com/python/cpython issue 95486).
 */
static size_t dos_device_mark(const char *name)
{
    size_t length = strcspn(name, ".");

    while (length && name[length - 1] == ' ')
        length--;
    if (!is_dos_device(name, length))
        return 0;
    length--;
    while (((unsigned char)name[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* What exFAT refuses (specification 7.7.3, table 35), but for '/'. */
static bool is_dos_character(char character)
{
    if ((unsigned char)character < ' ')
        return true;
    switch (character) {
    case '"':
    case '*':
    case ':':
    case '<':
    case '>':
    case '?':
    case '\\':
    case '|':
        return true;
    default:
        return false;
    }
}

static bool has_dos_character(const char *name)
{
    while (*name && !is_dos_character(*name))
        name++;
    return *name;
}

static bool is_strippable(char character)
{
    return character == '.' || character == ' ';
}

/* Volumes that take any bytes have nothing to quote. */
static bool has_quoting(const struct name_rules *rules)
{
    return rules->is_utf16 || rules->refuses_dos_characters ||
           rules->strips_trailing_dots || rules->refuses_dos_names;
}

static bool is_name(const char *name)
{
    return *name && strcmp(name, ".") && strcmp(name, "..") &&
           !strchr(name, '/');
}

/* Whether a name is its own drive name, but for its length. */
static bool is_holdable(const char *name, const struct name_rules *rules)
{
    if (!has_quoting(rules))
        return true;
    if (rules->refuses_dos_characters && has_dos_character(name))
        return false;
    if (rules->strips_trailing_dots && is_strippable(name[strlen(name) - 1]))
        return false;
    if (rules->refuses_dos_names && dos_device_mark(name))
        return false;
    if (name_is_ascii(name))
        return true;
    return !strstr(name, QUOTE) && (!rules->is_utf16 || is_utf8(name));
}

/* The character that stands for one that is refused, and back. */
static int32_t form_of(char character)
{
    return character <= ' ' ? 0x2400 + character : 0xfee0 + character;
}

/* 0 when it stands for none. */
static char character_of_form(int32_t form)
{
    if (form > 0x2400 && form <= 0x2420)
        return (char)(form - 0x2400);
    if (form <= 0xff00 || form > 0xff5e)
        return '\0';
    char character = (char)(form - 0xfee0);
    return is_dos_character(character) || character == '.' ? character : '\0';
}

static void append_quoted_bytes(const char *bytes, size_t count,
                                struct strbuf *out)
{
    for (size_t i = 0; i < count; i++)
        strbuf_addf(out, QUOTE "%02X", (unsigned)(unsigned char)bytes[i]);
}

/* `is_bytewise`: quotes every byte that is not ASCII, see name_encode. */
static void append_encoded(const char *key, const struct name_rules *rules,
                           bool is_bytewise, struct strbuf *out)
{
    size_t length = strlen(key);
    size_t mark = rules->refuses_dos_names ? dos_device_mark(key) : 0;

    for (size_t at = 0, size; at < length; at += size) {
        int32_t character;
        const char *here = key + at;
        size = name_character_at(here, length - at, &character);
        bool is_byte = size != 1 && (!size || is_bytewise);
        if (!size)
            size = 1;

        if (is_byte && rules->is_utf16) {
            append_quoted_bytes(here, size, out);
        } else if (size == 1 && ((rules->refuses_dos_characters &&
                                  is_dos_character(*here)) ||
                                 (rules->strips_trailing_dots &&
                                  at + 1 == length && is_strippable(*here)))) {
            strbuf_adds(out, QUOTE);
            append_character(form_of(*here), out);
        } else {
            if ((mark && at == mark) || !strncmp(here, QUOTE, QUOTE_LENGTH))
                strbuf_adds(out, QUOTE);
            strbuf_add(out, here, size);
        }
    }
}

static bool is_nfc(const char *name)
{
    CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT;

    name_key(name, &key);
    return !strcmp(name, key.text);
}

/* UTF-16 units: one for each lead byte, two beyond the BMP. */
static size_t utf16_units(const char *name)
{
    size_t units = 0;

    for (; *name; name++) {
        unsigned char byte = (unsigned char)*name;
        if ((byte & 0xc0) != 0x80)
            units += byte >= 0xf0 ? 2 : 1;
    }
    return units;
}

static bool fits(const char *name, const struct name_rules *rules)
{
    size_t length = strlen(name); /* of UTF-8 never less than its units */

    if (rules->longest_bytes && length > rules->longest_bytes)
        return false;
    return !rules->longest_utf16_units ||
           length <= rules->longest_utf16_units ||
           utf16_units(name) <= rules->longest_utf16_units;
}

bool name_encode(const char *key, const struct name_rules *rules,
                 struct strbuf *out)
{
    size_t start = out->length;

    if (!is_name(key))
        return false;
    if (is_holdable(key, rules)) {
        strbuf_adds(out, key);
    } else {
        append_encoded(key, rules, false, out);
        /*
         * Only keys that are not UTF-8 come out other than NFC: their parts
         * need not be ("\xea" "e" U+0301), or a mark meets a digit of a byte
         * ("\xea" U+0301 is "‛EÁ" in NFC).
         */
        if (rules->is_utf16 && !is_nfc(out->text + start)) {
            strbuf_truncate(out, start);
            append_encoded(key, rules, true, out);
        }
    }
    if (fits(out->text + start, rules))
        return true;
    strbuf_truncate(out, start);
    return false;
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

/*
 * Appends what the quote before `text` stands for; returns how much of
 * `text` that took: 0 where the quote only stood in a DOS name. No path: a
 * byte is never ASCII here and a form never that of '/'.
 */
static size_t append_unquoted(const char *text, struct strbuf *out)
{
    int32_t form;
    size_t size = name_character_at(text, strlen(text), &form);

    if (!strncmp(text, QUOTE, QUOTE_LENGTH)) {
        strbuf_adds(out, QUOTE);
        return QUOTE_LENGTH;
    }
    if (size > 1 && character_of_form(form)) {
        strbuf_addch(out, character_of_form(form));
        return size;
    }
    int high = hex_digit(text[0]);
    int low = high >= 8 ? hex_digit(text[1]) : -1;
    if (low < 0)
        return 0;
    strbuf_addch(out, (char)(high << 4 | low));
    return 2;
}

/* Appends what undoing every quote gives; the first one is at `quote`. */
static void append_unquoted_name(const char *text, const char *quote,
                                 struct strbuf *out)
{
    for (; quote; quote = strstr(text, QUOTE)) {
        strbuf_add(out, text, (size_t)(quote - text));
        text = quote + QUOTE_LENGTH;
        text += append_unquoted(text, out);
    }
    strbuf_adds(out, text);
}

/*
 * The unquoted name is the key only if encoding it again gives this very
 * drive name. So nothing that somebody else put on the drive is taken for a
 * name that berth wrote.
 */
bool name_decode(const char *drive_name, const struct name_rules *rules,
                 struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf again = STRBUF_INIT;
    const char *quote = has_quoting(rules) ? strstr(drive_name, QUOTE) : NULL;

    if (!quote) {
        strbuf_adds(out, drive_name);
        return is_name(drive_name) && is_holdable(drive_name, rules) &&
               fits(drive_name, rules);
    }
    append_unquoted_name(drive_name, quote, &key);
    if (name_encode(key.text, rules, &again) &&
        !strcmp(again.text, drive_name)) {
        strbuf_adds(out, key.text);
        return true;
    }
    if (is_utf8(drive_name) && !is_nfc(drive_name)) {
        strbuf_reset(&again);
        name_key(drive_name, &again);
        return name_decode(again.text, rules, out);
    }
    strbuf_adds(out, drive_name);
    return false;
}
