/*
 * Names: keys, folds, drive names and what is shown. The properties of
 * name_encode are tried on every short sequence of the characters that matter
 * to it, and on random ones; tests/fuzz/names.c goes on from there.
 */
#include "core/names.h"

#include "core/base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include <cmocka.h>

static const struct name_rules exfat = {
    .is_case_insensitive = true,
    .is_utf16 = true,
    .refuses_dos_characters = true,
    .strips_trailing_dots = true,
    .refuses_dos_names = true,
    .longest_utf16_units = 255,
};
static const struct name_rules ext4 = {.longest_bytes = 255};
static const struct name_rules apfs = {
    .is_case_insensitive = true, .is_utf16 = true, .longest_bytes = 255};
static const struct name_rules dotless = {.strips_trailing_dots = true};
static const struct name_rules no_devices = {.refuses_dos_names = true};
static const struct name_rules no_characters = {.refuses_dos_characters = true};

static const struct name_rules *const all_rules[] = {
    &exfat, &ext4, &apfs, &dotless, &no_devices, &no_characters};

/* One buffer for all, so that "appends" is tried everywhere, too. */
static struct strbuf buffer = STRBUF_INIT;

static const char *key(const char *raw)
{
    strbuf_reset(&buffer);
    name_key(raw, &buffer);
    return buffer.text;
}

static const char *fold(const char *raw)
{
    strbuf_reset(&buffer);
    strbuf_adds(&buffer, "before ");
    name_fold(raw, &buffer);
    assert_int_equal(strncmp(buffer.text, "before ", 7), 0);
    return buffer.text + 7;
}

static const char *encode(const char *raw, const struct name_rules *rules)
{
    strbuf_reset(&buffer);
    strbuf_adds(&buffer, "before ");
    bool fits = name_encode(raw, rules, &buffer);
    assert_int_equal(strncmp(buffer.text, "before ", 7), 0);
    if (!fits)
        assert_int_equal(buffer.length, 7);
    return fits ? buffer.text + 7 : NULL;
}

static const char *show(const char *raw)
{
    strbuf_reset(&buffer);
    name_display(raw, &buffer);
    return buffer.text;
}

static bool are_twins(const char *one, const char *other)
{
    char *first = xstrdup(fold(one));
    bool are_equal = !strcmp(first, fold(other));

    free(first);
    return are_equal;
}

static void assert_names(const char *const table[][2], size_t count,
                         const char *(*function)(const char *))
{
    for (size_t i = 0; i < count; i++)
        assert_string_equal(function(table[i][0]), table[i][1]);
}

/* --- keys and folds ---------------------------------------------------------
 */

static void a_key_is_nfc_if_the_name_is_utf8(void **state)
{
    static const char *const table[][2] = {
        {"plain.txt", "plain.txt"},
        {"Gru\xcc\x88\xc3\x9f"
         "e",
         "Grüße"},
        {"cafe\xcc\x81", "café"},
        {"café", "café"},
        {"\xe1\x84\x92\xe1\x85\xae\xe1\x86\xab", "훈"},
        {"か\xe3\x82\x99", "が"},
        {"\xe2\x84\xab", "Å"},            /* Angstrom sign */
        {"\xef\xac\x81", "\xef\xac\x81"}, /* "fi" stays: not NFKC */
        {"👩🏽‍🚀", "👩🏽‍🚀"},
        {"e\xcc\x81\xff", "e\xcc\x81\xff"},
        {"\xed\xa0\x80", "\xed\xa0\x80"}, /* a surrogate is not UTF-8 */
        {"\xc0\xaf", "\xc0\xaf"},         /* neither is an overlong '/' */
    };
    assert_names(table, sizeof table / sizeof *table, key);
}

static void a_very_long_name_has_a_key(void **state)
{
    static char raw[3 * 4096 + 1], wanted[2 * 4096 + 1];

    for (size_t i = 0; i < 4096; i++) {
        strcat(raw + 3 * i, "e\xcc\x81");
        strcat(wanted + 2 * i, "\xc3\xa9");
    }
    assert_string_equal(key(raw), wanted);
}

static void ascii_ends_at_127(void **state)
{
    assert_true(name_is_ascii(""));
    assert_true(name_is_ascii("a\x01\x7f"));
    assert_false(name_is_ascii("a\x80"));
    assert_false(name_is_ascii("\xff"
                               "a"));
}

static void names_that_differ_in_case_are_twins(void **state)
{
    assert_true(are_twins("readme.TXT", "README.txt"));
    assert_true(are_twins("Ärger", "a\xcc\x88RGER"));
    assert_true(are_twins("σς", "ΣΣ"));
    assert_true(are_twins("ÿ", "Ÿ"));
    assert_true(are_twins("ａ", "Ａ"));
    assert_true(are_twins("ａ\xffz", "Ａ\xffZ"));
    assert_false(are_twins("a", "b"));
    assert_false(are_twins("a\xff", "a\xfe"));
}

/* What exFAT's recommended up-case table keeps apart, full folding does not. */
static void names_that_exfat_keeps_apart_are_no_twins(void **state)
{
    static const char *const apart[][2] = {
        {"Straße", "STRASSE"},
        {"ß", "ẞ"},
        {"kılıç", "kiliç"},
        {"ı", "I"},
        {"İ", "i"},
        {"ſ", "s"},
        {"µ", "μ"},
        {"ϐ", "β"},
        {"ǅ", "Ǆ"},
        {"ŉ", "ʼN"},
        {"𐐨", "𐐀"},
        {"ﬁ", "FI"},
    };
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++)
        if (are_twins(apart[i][0], apart[i][1]))
            fail_msg("%s and %s", apart[i][0], apart[i][1]);
}

static void a_fold_of_a_fold_is_itself(void **state)
{
    for (int32_t character = 1; character <= 0x10ffff; character++) {
        utf8proc_uint8_t name[5] = {0};
        if (!utf8proc_codepoint_valid(character))
            continue;
        utf8proc_encode_char(character, name);
        char *once = xstrdup(fold((const char *)name));
        assert_string_equal(fold(once), once);
        free(once);
    }
}

/* --- drive names ------------------------------------------------------------
 */

static void what_exfat_refuses_is_replaced(void **state)
{
    static const char *const table[][2] = {
        {"a:b", "a‛：b"},
        {"\"*:<>?\\|", "‛＂‛＊‛：‛＜‛＞‛？‛＼‛｜"},
        {"a\tb\x1f", "a‛␉b‛␟"},
        {"\x7f", "\x7f"},
        {"etc.", "etc‛．"},
        {"etc...", "etc..‛．"},
        {"...", "..‛．"},
        {"name ", "name‛␠"},
        {"a . b", "a . b"},
        {".hidden", ".hidden"},
        {" leading", " leading"},
        {"a\xff"
         "b",
         "a‛FFb"},
        {"Gr\xfc\xdf"
         "e",
         "Gr‛FC‛DFe"},
        {"\xed\xa0\x80", "‛ED‛A0‛80"},
        {"日本\xe3\x82", "日本‛E3‛82"},
        {"Hawai‛i", "Hawai‛‛i"},
        {"‛FF", "‛‛FF"},
        {"\xea\xcc\x81", "‛EA‛CC‛81"}, /* not "‛EÁ" on a Mac */
        {"\xea"
         "e\xcc\x81",
         "‛EAe‛CC‛81"}, /* not "‛EAé" */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_string_equal(encode(table[i][0], &exfat), table[i][1]);
}

/* With rclone's polarity they would be quoted: see names.h. */
static void full_width_names_stay_as_they_are(void **state)
{
    static const char *const names[] = {
        "What is this？ ｜ Part 1： Why＂.mp4",
        "前／後",
        "終．",
        "␀␠␉",
        "？",
        "Ａ.txt",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_string_equal(encode(names[i], &exfat), names[i]);
        strbuf_reset(&buffer);
        assert_true(name_decode(names[i], &exfat, &buffer));
        assert_string_equal(buffer.text, names[i]);
    }
}

static void dos_devices_are_quoted(void **state)
{
    static const char *const table[][2] = {
        {"CON", "CO‛N"},
        {"con.txt", "co‛n.txt"},
        {"NUL.tar.gz", "NU‛L.tar.gz"},
        {"COM1", "COM‛1"},
        {"lpt9.x", "lpt‛9.x"},
        {"LPT¹", "LPT‛¹"},
        {"com³.doc", "com‛³.doc"},
        {"aux .c", "au‛x .c"},
        {"prn.", "pr‛n‛．"},
        {"CON ", "CO‛N‛␠"},
        {"conin$", "conin‛$"},
        {"CONOUT$.log", "CONOUT‛$.log"},
        {"CO‛N", "CO‛‛N"},
        {"CON:", "CON‛："},
        {"CONSOLE", "CONSOLE"},
        {"COM0", "COM0"},
        {"COM10", "COM10"},
        {"COM", "COM"},
        {"COM⁴", "COM⁴"},
        {"my.con", "my.con"},
        {" con", " con"},
        {"conin", "conin"},
        {"COM1\xff", "COM1‛FF"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_string_equal(encode(table[i][0], &exfat), table[i][1]);
}

static void a_volume_that_takes_anything_gets_it(void **state)
{
    static const char *const names[] = {"a:b", "con", "x.", "\xff", "‛", "\n"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(encode(names[i], &ext4), names[i]);
    assert_string_equal(encode("a:b‛", &apfs), "a:b‛‛");
    assert_string_equal(encode("a\xff", &dotless), "a\xff");
}

static const char *repeated(const char *part, size_t count, const char *end)
{
    static char name[4096];

    name[0] = '\0';
    for (size_t i = 0; i < count; i++)
        strcat(name, part);
    return strcat(name, end);
}

static void too_long_names_are_refused_and_leave_nothing(void **state)
{
    assert_non_null(encode(repeated("a", 255, ""), &exfat));
    assert_null(encode(repeated("a", 256, ""), &exfat));
    assert_non_null(encode(repeated("a", 253, ":"), &exfat));
    assert_null(encode(repeated("a", 254, ":"), &exfat)); /* quote and form */
    assert_non_null(encode(repeated("語", 255, ""), &exfat));
    assert_null(encode(repeated("語", 256, ""), &exfat));
    assert_non_null(encode(repeated("😀", 127, "a"), &exfat));
    assert_null(encode(repeated("😀", 128, ""), &exfat)); /* two units each */
    assert_non_null(encode(repeated("語", 85, ""), &ext4));
    assert_null(encode(repeated("語", 85, "a"), &ext4));
}

static void what_is_no_name_is_never_encoded(void **state)
{
    static const char *const names[] = {"", ".", "..", "a/b", "/"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t j = 0; j < sizeof all_rules / sizeof *all_rules; j++)
            assert_null(encode(names[i], all_rules[j]));
}

static void names_of_others_are_their_own_keys(void **state)
{
    static const char *const names[] = {
        "a‛b",    "‛",      "‛F",       "‛fF",   "‛2F..",  "‛00",      "‛7F",
        "‛C3‛A9", "‛．",    "..‛／etc", "x‛．y", "‛␠y",    "CO‛NSOLE", "C‛ON",
        "CO‛N‛",  "CO‛‛N‛", "‛＠",      "‛Ａ",   "a:b",    "con",      "x ",
        "\xff",   "‛␀",     "‛‛‛",      "‛\xff", "a‛：b:", "e‛CC‛81",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        strbuf_reset(&buffer);
        if (name_decode(names[i], &exfat, &buffer))
            fail_msg("%s became %s", names[i], buffer.text);
        assert_string_equal(buffer.text, names[i]);
    }
}

static void trailing_dot_survives_a_round_trip(void **state)
{
    assert_string_equal(encode("Vol. 1.", &exfat), "Vol. 1‛．");
    strbuf_reset(&buffer);
    assert_true(name_decode("Vol. 1‛．", &exfat, &buffer));
    assert_string_equal(buffer.text, "Vol. 1.");
}

static void a_mac_gives_drive_names_back_in_nfd(void **state)
{
    static const char *const table[][2] = {
        {"e\xcc\x81‛：", "é:"},
        {"Gru\xcc\x88\xc3\x9f‛␠", "Grüß "},
        {"か\xe3\x82\x99‛FF", "が\xff"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        strbuf_reset(&buffer);
        assert_true(name_decode(table[i][0], &exfat, &buffer));
        assert_string_equal(buffer.text, table[i][1]);
    }
    strbuf_reset(&buffer);
    assert_false(name_decode("e\xcc\x81‛x", &exfat, &buffer));
    assert_string_equal(buffer.text, "é‛x");
}

/* --- properties -------------------------------------------------------------
 */

static bool is_reserved(const char *name)
{
    static const char *const devices[] = {
        "con",  "prn",  "aux",  "nul",  "conin$", "conout$", "com1", "com9",
        "com¹", "com²", "com³", "lpt1", "lpt9",   "lpt¹",    "lpt²", "lpt³",
    };
    size_t stem = strcspn(name, ".");

    while (stem && name[stem - 1] == ' ')
        stem--;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        const char *device = devices[i];
        size_t same = 0;
        while (
            same < stem && device[same] &&
            (name[same] | (name[same] >= 'A' && name[same] <= 'Z' ? 32 : 0)) ==
                device[same])
            same++;
        if (same == stem && !device[same])
            return true;
    }
    return false;
}

static bool is_nfc(const char *name)
{
    utf8proc_uint8_t *nfc = utf8proc_NFC((const utf8proc_uint8_t *)name);
    bool is_same = nfc && !strcmp((const char *)nfc, name);

    free(nfc);
    return is_same;
}

static bool is_utf8(const char *name)
{
    utf8proc_ssize_t length = utf8proc_decompose((const utf8proc_uint8_t *)name,
                                                 0, NULL, 0, UTF8PROC_NULLTERM);
    return length >= 0;
}

/* Written without looking at names.c: what the rules say. */
static bool is_refused(const char *name, const struct name_rules *rules)
{
    size_t length = strlen(name), units = 0;

    if (!length || !strcmp(name, ".") || !strcmp(name, "..") ||
        strchr(name, '/'))
        return true;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (rules->refuses_dos_characters &&
            (byte < 0x20 || strchr("\"*:<>?\\|", byte)))
            return true;
        units += byte < 0x80 || byte >= 0xc0;
        units += byte >= 0xf0;
    }
    if (rules->strips_trailing_dots &&
        (name[length - 1] == '.' || name[length - 1] == ' '))
        return true;
    if (rules->refuses_dos_names && is_reserved(name))
        return true;
    if (rules->is_utf16 && !is_utf8(name))
        return true;
    return (rules->longest_bytes && length > rules->longest_bytes) ||
           (rules->longest_utf16_units && units > rules->longest_utf16_units);
}

/* Of a name and rules; leaves the drive name in `drive`, empty if too long. */
static void check_properties(const char *raw, const struct name_rules *rules,
                             struct strbuf *drive)
{
    static struct strbuf name = STRBUF_INIT, back = STRBUF_INIT;

    strbuf_reset(&name);
    name_key(raw, &name);
    strbuf_reset(drive);
    strbuf_reset(&back);
    if (name_encode(raw, rules, drive)) {
        assert_false(is_refused(drive->text, rules));
        assert_true(name_decode(drive->text, rules, &back));
        assert_string_equal(back.text, raw);
        if (rules->is_utf16 && !strcmp(raw, name.text))
            assert_true(is_nfc(drive->text));
    }
    /* As a name that somebody else left on the drive. */
    strbuf_reset(&back);
    bool is_ours = name_decode(raw, rules, &back);
    assert_int_equal(strlen(back.text), back.length);
    assert_true(is_ours || !strcmp(back.text, raw) ||
                !strcmp(back.text, name.text));
    if (is_ours)
        assert_true(strcmp(back.text, ".") && strcmp(back.text, "..") &&
                    back.length && !strchr(back.text, '/'));
    strbuf_reset(&back);
    name_display(raw, &back);
    for (const char *c = back.text; *c; c++)
        assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
    assert_true(is_utf8(back.text));
}

static const char *const parts[] = {
    "a",    "N",        "co",   "CO",   "nul",  "COM", "1",         "¹",
    ".",    " ",        ":",    "\x01", "：",   "．",  "␠",         "‛",
    "\xff", "\xcc\x81", "\xe2", "\x80", "\x9b", "F",   "E\xcc\x81", "é",
    "😀",    "／",       "\xea", "8",    "?",    "ß",   "aux",       "$",
};
enum { PART_COUNT = sizeof parts / sizeof *parts };

static uint64_t random_state = 88172645463325252u;

static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

static void random_names_survive_a_round_trip(void **state)
{
    struct strbuf raw = STRBUF_INIT, drive = STRBUF_INIT;

    for (size_t i = 0; i < 300000; i++) {
        size_t rest = i % 100 ? random_below(8) + 1 : 240 + random_below(20);
        strbuf_reset(&raw);
        while (rest--) {
            if (random_below(4))
                strbuf_adds(&raw, parts[random_below(PART_COUNT)]);
            else
                strbuf_addch(&raw, (char)(1 + random_below(255)));
        }
        check_properties(raw.text, all_rules[i % 6], &drive);
    }
    strbuf_release(&raw);
    strbuf_release(&drive);
}

struct spelling {
    char *key, *key_fold, *drive, *drive_fold;
};

static int compare_drives(const void *one, const void *other)
{
    const struct spelling *left = one, *right = other;
    return strcmp(left->drive, right->drive);
}

static int compare_drive_folds(const void *one, const void *other)
{
    const struct spelling *left = one, *right = other;
    return strcmp(left->drive_fold, right->drive_fold);
}

static void different_keys_have_different_drive_names(void **state)
{
    size_t count = 0, limit = (size_t)PART_COUNT * PART_COUNT * PART_COUNT;
    struct spelling *all = xcalloc(limit, sizeof *all);
    struct strbuf raw = STRBUF_INIT, drive = STRBUF_INIT;

    for (size_t i = 0; i < limit; i++) {
        strbuf_reset(&raw);
        for (size_t rest = i; rest; rest /= PART_COUNT)
            strbuf_adds(&raw, parts[rest % PART_COUNT]);
        check_properties(raw.text, &exfat, &drive);
        char *name = xstrdup(key(raw.text));
        const char *encoded = encode(name, &exfat);
        if (!encoded) {
            free(name);
            continue;
        }
        struct spelling *spelling = &all[count++];
        spelling->key = name;
        spelling->drive = xstrdup(encoded);
        spelling->key_fold = xstrdup(fold(name));
        spelling->drive_fold = xstrdup(fold(spelling->drive));
    }
    qsort(all, count, sizeof *all, compare_drives);
    for (size_t i = 1; i < count; i++)
        if (!strcmp(all[i - 1].drive, all[i].drive))
            assert_string_equal(all[i - 1].key, all[i].key);
    qsort(all, count, sizeof *all, compare_drive_folds);
    for (size_t i = 1; i < count; i++)
        if (!strcmp(all[i - 1].drive_fold, all[i].drive_fold))
            assert_string_equal(all[i - 1].key_fold, all[i].key_fold);
    for (size_t i = 0; i < count; i++) {
        free(all[i].key);
        free(all[i].key_fold);
        free(all[i].drive);
        free(all[i].drive_fold);
    }
    free(all);
    strbuf_release(&raw);
    strbuf_release(&drive);
}

/* --- what is shown ----------------------------------------------------------
 */

static void readable_names_are_shown_as_they_are(void **state)
{
    static const char *const names[] = {
        "plain name.txt",
        "日本語　全角.mp4",
        "العربية ١٢٣",
        "שלום",
        "Grüße",
        "e\xcc\x81",
        "हिन्दी",
        "ไทย",
        "👩🏽‍🚀 👨‍👩‍👧 ❤️‍🔥 1️⃣ 🇩🇪",
        "می‌خواهم",
        "क्‍ष",
        "葛󠄀城",
        "a\\b",
        "Photo\u202fAM",
        "🫨 newer",
        "۝",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(show(names[i]), names[i]);
}

static void what_a_terminal_would_obey_is_escaped(void **state)
{
    static const char *const table[][2] = {
        {"a\x1b[2Jb", "a\\x1b[2Jb"},
        {"a\nb\r\t\x7f", "a\\x0ab\\x0d\\x09\\x7f"},
        {"a\xff\xfe", "a\\xff\\xfe"},
        {"\xe3\x82", "\\xe3\\x82"},
        {"\xc2\x9b"
         "2J",
         "\\u{9b}2J"}, /* CSI as a C1 control */
        {"\xc2\x85", "\\u{85}"},
        {"x\xe2\x80\xaegpj.exe", "x\\u{202e}gpj.exe"},
        {"\xe2\x81\xa6x\xe2\x81\xa9", "\\u{2066}x\\u{2069}"},
        {"a\xe2\x80\x8b"
         "b",
         "a\\u{200b}b"},
        {"a\xe2\x80\x8d"
         "b",
         "a\\u{200d}b"}, /* a joiner without a script */
        {"a\u200d🚀", "a\\u{200d}🚀"},
        {"a\u200cم", "a\\u{200c}م"},
        {"e\xcc\x81\ufe0f", "e\xcc\x81\\u{fe0f}"},
        {"a\xe2\x80\x8c"
         "b",
         "a\\u{200c}b"},
        {"👩\xe2\x80\x8d\xe2\x80\x8d🚀", "👩\\u{200d}\\u{200d}🚀"},
        {"\xe2\x80\x8f\xd8\x9c", "\\u{200f}\\u{61c}"},
        {"a\xef\xbb\xbf", "a\\u{feff}"},
        {"a\xc2\xad", "a\\u{ad}"},
        {"\xe3\x85\xa4", "\\u{3164}"}, /* Hangul filler */
        {"a\xef\xb8\x8f", "a\\u{fe0f}"},
        {"❤\xef\xb8\x8f\xef\xb8\x8f", "❤\xef\xb8\x8f\\u{fe0f}"},
        {"\xcc\x81"
         "a",
         "\\u{301}a"},
        {"\x1b\xcc\x81", "\\x1b\\u{301}"},
        {"dir/\xcc\x81", "dir/\\u{301}"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}"},
        {"🏴\xf3\xa0\x81\xa7", "🏴\\u{e0067}"}, /* tags can hide a text */
        {"\xef\xbf\xbf\xef\xb7\x90", "\\u{ffff}\\u{fdd0}"},
        {"\xef\xbf\xb9\xe2\x81\xa5", "\\u{fff9}\\u{2065}"},
    };
    assert_names(table, sizeof table / sizeof *table, show);
}

static int release(void **state)
{
    strbuf_release(&buffer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_nfc_if_the_name_is_utf8),
        cmocka_unit_test(a_very_long_name_has_a_key),
        cmocka_unit_test(ascii_ends_at_127),
        cmocka_unit_test(names_that_differ_in_case_are_twins),
        cmocka_unit_test(names_that_exfat_keeps_apart_are_no_twins),
        cmocka_unit_test(a_fold_of_a_fold_is_itself),
        cmocka_unit_test(what_exfat_refuses_is_replaced),
        cmocka_unit_test(full_width_names_stay_as_they_are),
        cmocka_unit_test(dos_devices_are_quoted),
        cmocka_unit_test(a_volume_that_takes_anything_gets_it),
        cmocka_unit_test(too_long_names_are_refused_and_leave_nothing),
        cmocka_unit_test(what_is_no_name_is_never_encoded),
        cmocka_unit_test(names_of_others_are_their_own_keys),
        cmocka_unit_test(trailing_dot_survives_a_round_trip),
        cmocka_unit_test(a_mac_gives_drive_names_back_in_nfd),
        cmocka_unit_test(random_names_survive_a_round_trip),
        cmocka_unit_test(different_keys_have_different_drive_names),
        cmocka_unit_test(readable_names_are_shown_as_they_are),
        cmocka_unit_test(what_a_terminal_would_obey_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
