/*
 * Patterns, junk and litter. Besides the tables, random patterns are compared
 * with an oracle that tries everything (and takes exponential time for it).
 */
#include "core/filter.h"

#include "core/base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static bool excludes(const char *pattern, const char *path, bool is_directory)
{
    struct filter *filter = filter_new(NULL, 0, &pattern, 1, true);
    enum filter_verdict verdict = filter_judge(filter, path, is_directory);

    filter_free(filter);
    return verdict == FILTER_EXCLUDED;
}

struct example {
    const char *pattern, *path;
    bool matches;
};

static void check_examples(const struct example *examples, size_t count,
                           bool is_directory)
{
    for (size_t i = 0; i < count; i++)
        if (excludes(examples[i].pattern, examples[i].path, is_directory) !=
            examples[i].matches)
            fail_msg("\"%s\" on \"%s\"%s", examples[i].pattern,
                     examples[i].path, is_directory ? ", a directory" : "");
}

/* --- patterns ---------------------------------------------------------------
 */

static void a_pattern_without_slash_is_tried_on_every_name(void **state)
{
    static const struct example examples[] = {
        {"*.tmp", "a.tmp", true},
        {"*.tmp", "x/y/a.tmp", true},
        {"*.tmp", "a.tmp.gz", false},
        {"*.tmp", ".tmp", true},
        {"*.tmp", "a.TMP", false},
        {"*.tmp", "tmp", false},
        {"core", "core", true},
        {"core", "x/core", true},
        {"core", "core.c", false},
        {"core", "score", false},
        {"cache", "a/cache/b", true},
        {"*.d", "x.d/y", true},
        {"*", "a", true},
        {"**", "a/b", true},
        {"a*", "a", true},
        {"a*c", "abbc", true},
        {"a*c", "a/c", false},
        {"*a*b*", "xxaxxbxx", true},
        {"*a*b*", "xxbxxaxx", false},
        {".*", ".git", true},
        {"a**b", "axxb", true},
    };
    check_examples(examples, COUNT(examples), false);
}

static void a_slash_anchors_a_pattern_at_the_source(void **state)
{
    static const struct example examples[] = {
        {"/cache", "cache", true},
        {"/cache", "a/cache", false},
        {"/cache", "cache/b/c", true},
        {"/cache", "cached", false},
        {"a/b", "a/b", true},
        {"a/b", "x/a/b", false},
        {"a/b", "a", false},
        {"a/b", "a/b/c", true},
        {"a/b", "a/bc", false},
        {"/a/*.c", "a/x.c", true},
        {"/a/*.c", "a/b/x.c", false},
        {"a//b", "a/b", true},
        {"/*", "a", true},
        {"/*/b", "a/b", true},
        {"/*/b", "b", false},
        {"//a", "a", true},
    };
    check_examples(examples, COUNT(examples), false);
}

static void a_trailing_slash_matches_directories_only(void **state)
{
    static const struct example files[] = {
        {"build/", "build", false},      {"build/", "build/x", true},
        {"build/", "a/build", false},    {"build/", "a/build/x/y", true},
        {"/build/", "build", false},     {"/build/", "build/x", true},
        {"**/build/", "a/build", false}, {"**/build/", "build/build", true},
        {"a/**/", "a/x", false},         {"a/**/", "a/x/y", true},
        {"*.d/", "x.d", false},          {"*/", "x", false},
    };
    static const struct example directories[] = {
        {"build/", "build", true},  {"build/", "a/build", true},
        {"/build/", "build", true}, {"/build/", "a/build", false},
        {"build//", "build", true}, {"a/**/", "a", false},
        {"a/**/", "a/x", true},     {"*/", "x", true},
    };
    check_examples(files, COUNT(files), false);
    check_examples(directories, COUNT(directories), true);
}

static void two_stars_match_any_number_of_directories(void **state)
{
    static const struct example examples[] = {
        {"/logs/**/x.log", "logs/x.log", true},
        {"/logs/**/x.log", "logs/a/b/x.log", true},
        {"/logs/**/x.log", "logs/a/b/y.log", false},
        {"/logs/**/x.log", "a/logs/x.log", false},
        {"**/x", "x", true},
        {"**/x", "a/b/x", true},
        {"**/x/y", "x/x/y", true},
        {"**/x/y", "x/y", true},
        {"**/x/y", "x/a/y", false},
        {"a/**/b/**/c", "a/b/c", true},
        {"a/**/b/**/c", "a/1/b/2/3/c", true},
        {"a/**/b/**/c", "a/c/b", false},
        {"a/**/b/**/c", "a/b/b/x/c/d", true},
        {"**/**/x", "x", true},
        {"**/*.c", "a/b.c", true},
        {"**/a*/b", "a/ab/b", true},
        {"logs/**", "logs/a/b", true},
        {"logs/**", "logs/a", true},
        {"**/b/c", "b/b/c", true},
    };
    check_examples(examples, COUNT(examples), false);
    assert_false(excludes("logs/**", "logs", true));
}

static void sets_and_quotes_are_understood(void **state)
{
    static const struct example examples[] = {
        {"[a-c]x", "bx", true},  {"[a-c]x", "dx", false},
        {"[!a-c]x", "dx", true}, {"[!a-c]x", "ax", false},
        {"[^a]x", "ax", false},  {"[^a]x", "^x", true},
        {"[]]", "]", true},      {"[!]]", "a", true},
        {"[]-a]", "^", true},    {"[a-]", "-", true},
        {"[-a]", "-", true},     {"[\\]]", "]", true},
        {"[\\!a]", "!", true},   {"[a\\-c]", "b", false},
        {"[a\\-c]", "-", true},  {"[*]", "*", true},
        {"[*]", "a", false},     {"[?]", "?", true},
        {"\\*", "*", true},      {"\\*", "a", false},
        {"\\a", "a", true},      {"a\\?", "a?", true},
        {"*\\*", "a*", true},    {"*\\*", "ab", false},
        {"\\[a]", "[a]", true},  {"a]", "a]", true},
        {"x[a]*", "xab", true},  {"[a]/b", "a/b", true},
        {"!a", "!a", true},      {"!a", "b", false},
        {"#a", "#a", true},      {"[!a]", "/", false},
    };
    check_examples(examples, COUNT(examples), false);
}

static void a_question_mark_is_one_character(void **state)
{
    static const struct example examples[] = {
        {"?", "a", true},           {"?", "ä", true},
        {"?", "語", true},          {"?", "😀", true},
        {"?", "ab", false},         {"*??", "語", false},
        {"*??b*", "語bx", false},   {"*???", "語語", false},
        {"?\xff", "a\xff", true},   {"?", "\xff", true},
        {"??", "\xe3\x82", true},   {"[äö]", "ö", true},
        {"[äö]", "ü", false},       {"[!ä]", "ö", true},
        {"[а-я]", "ж", true},       {"[\xfe-\xff]", "\xff", true},
        {"[!\xff]", "a", true},     {"u\xcc\x88*", "übung", true},
        {"[u\xcc\x88]", "ü", true},
    };
    check_examples(examples, COUNT(examples), false);
}

static void hostile_patterns_end_in_time(void **state)
{
    static char path[4096], many[4096], deep[4096];

    memset(path, 'a', sizeof path - 1);
    assert_false(excludes("*a*a*a*a*a*b", path, false));
    assert_false(excludes("*a*a*a*a*a*a*a*a*a*a*a*a*[b]", path, false));
    for (size_t i = 0; i + 3 < sizeof many; i += 2)
        memcpy(many + i, "*a", 3);
    assert_true(excludes(many, path, false));
    many[strlen(many) - 1] = 'b';
    assert_false(excludes(many, path, false));

    memset(many, 'a', 2048);
    many[0] = '*';
    memcpy(many + 2048, "?b", 3);
    assert_false(excludes(many, path, false));

    for (size_t i = 0; i + 3 < sizeof deep; i += 2)
        memcpy(deep + i, "a/", 3);
    deep[strlen(deep) - 1] = 'a';
    assert_false(excludes("**/**/**/x", deep, false));
    assert_false(excludes("**/a/**/a/**/a/**/a/**/a/**/a/**/x", deep, false));
    assert_false(excludes("**/a*a/**/*a*b", deep, false));
    memset(many, 0, sizeof many);
    for (size_t i = 0; i + 7 < sizeof many; i += 5)
        memcpy(many + i, "**/a/", 6);
    strcat(many, "x");
    assert_false(excludes(many, deep, false));
}

/* --- the oracle -------------------------------------------------------------
 */

static bool oracle_set(const char **text, char character)
{
    const char *c = *text + 1;
    bool is_negated = *c == '!' || *c == '^';
    bool is_inside = false;

    c += is_negated;
    for (bool is_first = true; is_first || *c != ']'; is_first = false) {
        c += *c == '\\';
        char first = *c++, last = first;
        if (*c == '-' && c[1] != ']') {
            c++;
            c += *c == '\\';
            last = *c++;
        }
        is_inside |= first <= character && character <= last;
    }
    *text = c + 1;
    return is_inside != is_negated;
}

static bool oracle_glob(const char *text, const char *name)
{
    if (!*text || *text == '/')
        return !*name || *name == '/';
    if (*text == '*') {
        if (oracle_glob(text + 1, name))
            return true;
        return *name && *name != '/' && oracle_glob(text, name + 1);
    }
    if (!*name || *name == '/')
        return false;
    if (*text == '[')
        return oracle_set(&text, *name) && oracle_glob(text, name + 1);
    if (*text == '?')
        return oracle_glob(text + 1, name + 1);
    text += *text == '\\';
    return *text == *name && oracle_glob(text + 1, name + 1);
}

static const char *after_component(const char *path)
{
    path += strcspn(path, "/");
    return path + strspn(path, "/");
}

static bool oracle_path(const char *pattern, const char *path,
                        bool is_directory)
{
    size_t length = strcspn(pattern, "/");
    bool is_any =
        length == 2 && !strncmp(pattern, "**", 2) && *after_component(pattern);

    if (!*pattern)
        return true;
    if (is_any && oracle_path(after_component(pattern), path, is_directory))
        return true;
    if (!*path)
        return false;
    if (is_any)
        return oracle_path(pattern, after_component(path), is_directory);
    if (!oracle_glob(pattern, path))
        return false;
    bool ends = !*after_component(pattern);
    bool is_file = !*after_component(path) && !is_directory;
    if (ends && is_file && pattern[length] == '/')
        return false;
    return oracle_path(after_component(pattern), after_component(path),
                       is_directory);
}

static bool oracle(const char *pattern, const char *path, bool is_directory)
{
    if (*pattern == '/' || *after_component(pattern))
        return oracle_path(pattern + strspn(pattern, "/"), path, is_directory);
    for (; *path; path = after_component(path))
        if (oracle_path(pattern, path, is_directory))
            return true;
    return false;
}

static uint64_t random_state = 88172645463325252u;

static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

static void random_text(char *out, const char *const *parts, size_t count,
                        size_t most)
{
    *out = '\0';
    for (size_t rest = 1 + random_below(most); rest; rest--)
        strcat(out, parts[random_below(count)]);
}

static void random_patterns_match_as_the_oracle_says(void **state)
{
    static const char *const pattern_parts[] = {
        "a",   "b",  "*", "?", "/", "**/", "/**/", "[ab]",  "[!a]",
        "\\a", "*a", "[", "]", "-", "\\",  "!",    "[]-b]", "/",
    };
    static const char *const path_parts[] = {"a", "b", "/", "ab", "/a", "]"};
    char pattern[128], path[128];
    size_t compared = 0, matched = 0;

    while (compared < 300000) {
        random_text(pattern, pattern_parts, COUNT(pattern_parts), 7);
        random_text(path, path_parts, COUNT(path_parts), 9);
        if (*path == '/' || path[strlen(path) - 1] == '/' ||
            strstr(path, "//") || filter_check(pattern, NULL))
            continue;
        bool is_directory = random_below(2);
        bool expected = oracle(pattern, path, is_directory);
        if (excludes(pattern, path, is_directory) != expected)
            fail_msg("\"%s\" on \"%s\" should be %d", pattern, path, expected);
        compared++;
        matched += expected;
    }
    assert_true(matched > compared / 10);
}

/* --- verdicts ---------------------------------------------------------------
 */

static void included_files_are_taken_and_directories_walked(void **state)
{
    static const char *const include[] = {"*.sqlite", "/photos/", "notes"};
    static const char *const exclude[] = {"*.tmp", "photos/raw"};
    struct filter *filter = filter_new(include, 3, exclude, 2, false);
    static const struct {
        const char *path;
        bool is_directory;
        enum filter_verdict verdict;
    } examples[] = {
        {"", true, FILTER_TAKE},
        {"a.sqlite", false, FILTER_TAKE},
        {"deep/b.sqlite", false, FILTER_TAKE},
        {"b.txt", false, FILTER_EXCLUDED},
        {"anything", true, FILTER_TAKE},
        {"photos/1.jpg", false, FILTER_TAKE},
        {"photos/raw/1.dng", false, FILTER_EXCLUDED},
        {"photos/raw", true, FILTER_EXCLUDED},
        {"photos/x.tmp", false, FILTER_EXCLUDED},
        {"photos/.DS_Store", false, FILTER_JUNK},
        {"x/notes/1", false, FILTER_TAKE},
        {"photos", false, FILTER_EXCLUDED},
    };

    for (size_t i = 0; i < COUNT(examples); i++)
        if (filter_judge(filter, examples[i].path, examples[i].is_directory) !=
            examples[i].verdict)
            fail_msg("\"%s\"", examples[i].path);
    filter_free(filter);
}

static void a_malformed_pattern_matches_nothing(void **state)
{
    static const char *const bad[] = {"[a", "", "x\\"};
    struct filter *excluding = filter_new(NULL, 0, bad, 3, true);
    struct filter *including = filter_new(bad, 3, NULL, 0, true);

    assert_int_equal(filter_judge(excluding, "[a", false), FILTER_TAKE);
    assert_int_equal(filter_judge(including, "[a", false), FILTER_EXCLUDED);
    filter_free(excluding);
    filter_free(including);
    filter_free(NULL);
}

static void malformed_patterns_are_named(void **state)
{
    static const struct {
        const char *pattern, *words;
    } bad[] = {
        {"", "is empty"},
        {"/", "is empty"},
        {"//", "is empty"},
        {"[a", "without ']'"},
        {"a/[]", "without ']'"},
        {"[a/b]", "without ']'"},
        {"[a\\", "without ']'"},
        {"[a-\\", "without ']'"},
        {"[a-", "without ']'"},
        {"[!", "without ']'"},
        {"[", "without ']'"},
        {"[!]", "without ']'"},
        {"[z-a]", "backwards"},
        {"a\\", "nothing after it"},
        {"a\\/b", "nothing after it"},
        {"./a", "\".\""},
        {"a/../b", "\".\""},
        {"..", "\".\""},
    };
    static const char *const good[] = {
        "a",          "/a/",  "*",     "**",
        "[]]",        "[!]]", "[a-]",  "\\\\",
        "a]",         "...",  "[]-a]", "[\\]-a]",
        ".*",         "[[]",  "ä[ö]",  "[z-e\xcc\x81]",
        "\xff[\xfe]",
    };
    static char long_one[FILTER_PATTERN_MAX + 2];
    struct error err = ERROR_INIT;

    for (size_t i = 0; i < COUNT(bad); i++) {
        err.message[0] = '\0';
        if (filter_check(bad[i].pattern, &err) != ERR_INVALID ||
            !strstr(err.message, bad[i].words))
            fail_msg("\"%s\": %s", bad[i].pattern, err.message);
    }
    for (size_t i = 0; i < COUNT(good); i++)
        if (filter_check(good[i], &err))
            fail_msg("%s", err.message);
    memset(long_one, 'a', sizeof long_one - 1);
    assert_int_equal(filter_check(long_one, NULL), ERR_INVALID);
    long_one[FILTER_PATTERN_MAX] = '\0';
    assert_int_equal(filter_check(long_one, NULL), ERR_OK);
}

/* --- junk -------------------------------------------------------------------
 */

static void junk_and_partial_files_are_left_out(void **state)
{
    static const struct {
        const char *path;
        bool is_directory;
        enum filter_verdict verdict;
    } examples[] = {
        {".DS_Store", false, FILTER_JUNK},
        {"a/.DS_Store", false, FILTER_JUNK},
        {".DS_Store", true, FILTER_TAKE},
        {"a/._photo.jpg", false, FILTER_MAYBE_JUNK},
        {"._dir", true, FILTER_TAKE},
        {"._dir/file", false, FILTER_TAKE},
        {".Spotlight-V100", true, FILTER_JUNK},
        {".Spotlight-V100/Store/x", false, FILTER_JUNK},
        {"disk2/lost+found/#12", false, FILTER_JUNK},
        {"lost+found", false, FILTER_TAKE},
        {"lost", true, FILTER_TAKE},
        {".fseventsd/00", false, FILTER_JUNK},
        {".Trashes", true, FILTER_JUNK},
        {".Trashes", false, FILTER_JUNK},
        {".Trash-1000", true, FILTER_JUNK},
        {".Trash-1000/files/a", false, FILTER_JUNK},
        {".Trash", true, FILTER_TAKE},
        {"$RECYCLE.BIN/x", false, FILTER_JUNK},
        {"$Recycle.Bin", true, FILTER_JUNK},
        {"System Volume Information", true, FILTER_JUNK},
        {"System Volume Informations", true, FILTER_TAKE},
        {"a.temp", false, FILTER_PARTIAL},
        {"video.mp4.part", false, FILTER_PARTIAL},
        {"a/b.crdownload", false, FILTER_PARTIAL},
        {"x.ab12.partial", false, FILTER_PARTIAL},
        {".hidden.part", false, FILTER_PARTIAL},
        {".part", false, FILTER_TAKE},
        {"part", false, FILTER_TAKE},
        {"a.part.txt", false, FILTER_TAKE},
        {"chapter.part", true, FILTER_TAKE},
        {"chapter.part/1.txt", false, FILTER_TAKE},
        {"a/.rsync-partial/x", false, FILTER_PARTIAL},
        {".~tmp~", true, FILTER_PARTIAL},
        {".berth", true, FILTER_TAKE},
        {".berth/volume", false, FILTER_TAKE},
        {"LOST.DIR", true, FILTER_TAKE},
        {"Android/x", false, FILTER_TAKE},
        {"FOUND.000", true, FILTER_TAKE},
    };
    struct filter *filter = filter_new(NULL, 0, NULL, 0, false);
    struct filter *keeping = filter_new(NULL, 0, NULL, 0, true);

    for (size_t i = 0; i < COUNT(examples); i++) {
        const char *path = examples[i].path;
        bool is_directory = examples[i].is_directory;
        if (filter_judge(filter, path, is_directory) != examples[i].verdict)
            fail_msg("\"%s\"", path);
        assert_int_equal(filter_judge(keeping, path, is_directory),
                         FILTER_TAKE);
    }
    filter_free(filter);
    filter_free(keeping);
}

static void litter_at_a_volumes_root_is_known(void **state)
{
    static const char *const litter[] = {
        "LOST.DIR",   "FOUND.000",    "FOUND.123",  "Android",
        "lost+found", ".Trashes",     ".fseventsd", "System Volume Information",
        ".Trash-0",   "$RECYCLE.BIN", ".DS_Store",  ".Spotlight-V100",
        "._.Trashes",
    };
    static const char *const others[] = {
        "FOUND.00", "FOUND.0000", "FOUND.00a", "FOUND.", "Androids", "photos",
        ".berth",   "._x",        "a.part",    "",       "lost.dir",
    };

    for (size_t i = 0; i < COUNT(litter); i++)
        if (!filter_is_volume_litter(litter[i]))
            fail_msg("%s", litter[i]);
    for (size_t i = 0; i < COUNT(others); i++)
        if (filter_is_volume_litter(others[i]))
            fail_msg("%s", others[i]);
}

static void apple_double_is_known_by_its_magic(void **state)
{
    static const unsigned char magic[] = {0x00, 0x05, 0x16, 0x07, 0x00};
    static const unsigned char single[] = {0x00, 0x05, 0x16, 0x00};

    assert_true(filter_is_apple_double(magic, 5));
    assert_true(filter_is_apple_double(magic, 4));
    assert_false(filter_is_apple_double(magic, 3));
    assert_false(filter_is_apple_double(magic, 0));
    assert_false(filter_is_apple_double(single, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_without_slash_is_tried_on_every_name),
        cmocka_unit_test(a_slash_anchors_a_pattern_at_the_source),
        cmocka_unit_test(a_trailing_slash_matches_directories_only),
        cmocka_unit_test(two_stars_match_any_number_of_directories),
        cmocka_unit_test(sets_and_quotes_are_understood),
        cmocka_unit_test(a_question_mark_is_one_character),
        cmocka_unit_test(hostile_patterns_end_in_time),
        cmocka_unit_test(random_patterns_match_as_the_oracle_says),
        cmocka_unit_test(included_files_are_taken_and_directories_walked),
        cmocka_unit_test(a_malformed_pattern_matches_nothing),
        cmocka_unit_test(malformed_patterns_are_named),
        cmocka_unit_test(junk_and_partial_files_are_left_out),
        cmocka_unit_test(litter_at_a_volumes_root_is_known),
        cmocka_unit_test(apple_double_is_known_by_its_magic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
