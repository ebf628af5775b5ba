/*
 * Paths as strings. The order of paths is what plans and walks rely on, so it
 * is held against what it is for: each directory directly before its tree.
 */
#include "core/base/path.h"

#include "core/base/error.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void name_and_parent_are_told_apart(void **state)
{
    static const struct {
        const char *path, *name;
        size_t parent_length;
    } examples[] = {{"a/b", "b", 1},      {"a", "a", 0}, {"/a", "a", 1},
                    {"/", "", 1},         {"", "", 0},   {"a/b/c.d", "c.d", 3},
                    {"/ab/c", "c", 3},    {"a/", "", 1}, {"ä/ö", "ö", 2},
                    {"a b/c d", "c d", 3}};

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        const char *path = examples[i].path;
        if (strcmp(path_name(path), examples[i].name) != 0 ||
            path_parent_length(path) != examples[i].parent_length)
            fail_msg("\"%s\": \"%s\", %zu", path, path_name(path),
                     path_parent_length(path));
    }
}

static void joined_paths_have_one_slash_between_them(void **state)
{
    static const char *const examples[][3] = {
        {"a", "b", "a/b"},  {"", "b", "b"},      {"/", "b", "/b"},
        {"a/", "b", "a/b"}, {"/a", "b", "/a/b"}, {"a", "b/c", "a/b/c"},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        char *joined = path_join(examples[i][0], examples[i][1]);
        assert_string_equal(joined, examples[i][2]);
        free(joined);
    }
}

/* --- cleaning ---------------------------------------------------------------
 */

static void clean_paths_have_no_dots_nor_double_slashes(void **state)
{
    static const char *const examples[][2] = {
        {"", ""},
        {".", ""},
        {"./", ""},
        {"././.", ""},
        {"/", "/"},
        {"//", "/"},
        {"/.", "/"},
        {"/..", "/"},
        {"/../..", "/"},
        {"/../a", "/a"},
        {"a", "a"},
        {"a/", "a"},
        {"a//b", "a/b"},
        {"a/./b", "a/b"},
        {"a/..", ""},
        {"a/../", ""},
        {"a/../b", "b"},
        {"a/b/..", "a"},
        {"a/b/../..", ""},
        {"..", ".."},
        {"../..", "../.."},
        {"../a/..", ".."},
        {"a/../..", ".."},
        {"a/../../b", "../b"},
        {"../../a/../b", "../../b"},
        {"/a/b/../../..", "/"},
        {"/a/../b/", "/b"},
        {"...", "..."},
        {"..a/..", ""},
        {".a/a.", ".a/a."},
        {"a/...", "a/..."},
        {"///a///b///", "/a/b"},
        {" /a", " /a"},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        char *clean = path_clean(examples[i][0]);
        if (strcmp(clean, examples[i][1]) != 0)
            fail_msg("\"%s\" became \"%s\", not \"%s\"", examples[i][0], clean,
                     examples[i][1]);
        free(clean);
    }
}

/* A stack of components, as nobody would write it in earnest. */
static void clean_naively(const char *path, char *out)
{
    char stack[64][8];
    size_t depth = 0;
    bool is_absolute = *path == '/';

    while (*path) {
        size_t length = strcspn(path, "/");
        char name[8] = "";
        memcpy(name, path, length);
        path += length + (path[length] == '/');
        if (!*name || !strcmp(name, "."))
            continue;
        bool goes_up = !strcmp(name, "..");
        if (goes_up && depth && strcmp(stack[depth - 1], "..") != 0)
            depth--;
        else if (!goes_up || !is_absolute)
            memcpy(stack[depth++], name, sizeof name);
    }
    strcpy(out, is_absolute ? "/" : "");
    for (size_t i = 0; i < depth; i++) {
        strcat(out, i ? "/" : "");
        strcat(out, stack[i]);
    }
}

static void random_paths_are_cleaned_as_the_model_says(void **state)
{
    static const char *const parts[] = {"a", "b",  ".",   "..",   "/",
                                        "/", "//", "...", "/../", "c."};
    struct dice dice = dice_new(dice_seed_of_environment(4));

    for (int i = 0; i < 100000; i++) {
        char path[64] = "", expected[64];
        for (size_t rest = dice_below(&dice, 8); rest; rest--)
            strcat(path, parts[dice_below(&dice, COUNT_OF(parts))]);
        bool has_long_name = false;
        for (const char *at = path; *at;
             at += strcspn(at, "/") + !!strchr(at, '/'))
            has_long_name |= strcspn(at, "/") > 7;
        if (has_long_name)
            continue;
        clean_naively(path, expected);
        char *clean = path_clean(path);
        char *again = path_clean(clean);
        if (strcmp(clean, expected) != 0)
            fail_msg("\"%s\" became \"%s\", not \"%s\"", path, clean, expected);
        assert_string_equal(again, clean);
        free(clean);
        free(again);
    }
}

/* --- containing -------------------------------------------------------------
 */

static void a_path_is_within_itself_and_the_ones_above_only(void **state)
{
    static const struct {
        const char *inner, *outer;
        bool is_within;
    } examples[] = {
        {"a", "a", true},       {"a/b", "a", true},     {"ab", "a", false},
        {"a", "a/b", false},    {"a", "", true},        {"", "", true},
        {"/a", "", false},      {"/a", "/", true},      {"/", "/", true},
        {"a", "/", false},      {"/a/b", "/a", true},   {"/ab", "/a", false},
        {"/a", "a", false},     {"", "a", false},       {"a.b", "a", false},
        {"a/b/c", "a/b", true}, {"a/bc", "a/b", false},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        const char *inner = examples[i].inner, *outer = examples[i].outer;
        bool is_within = examples[i].is_within;
        if (path_is_within(inner, outer) != is_within)
            fail_msg("\"%s\" within \"%s\"", inner, outer);
        assert_int_equal(path_overlaps(inner, outer),
                         is_within || path_is_within(outer, inner));
        assert_int_equal(path_overlaps(inner, outer),
                         path_overlaps(outer, inner));
    }
}

static void only_plain_relative_paths_are_safe_below_a_root(void **state)
{
    static const char *const plain[] = {"a",   "a/b",   "...",  "..a",
                                        "a..", ".a",    "a/.b", " ",
                                        "~",   "a/...", "-rf",  "\xff"};
    static const char *const others[] = {
        "",     "/",    "/a",  "a/",    "a//b",   ".",      "..", "./a",
        "../a", "a/..", "a/.", "a/./b", "a/../b", "a/b/..", "//",
    };

    for (size_t i = 0; i < COUNT_OF(plain); i++)
        if (!path_is_plain_relative(plain[i]))
            fail_msg("\"%s\" is one", plain[i]);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (path_is_plain_relative(others[i]))
            fail_msg("\"%s\" is none", others[i]);
}

/* --- order ------------------------------------------------------------------
 */

static void a_directory_comes_before_its_neighbours_with_longer_names(
    void **state)
{
    static const char *const sorted[] = {
        "",    "a",   "a/b", "a/b/c", "a/b.c", "a/\xff", "a\x01", "a b",
        "a-b", "a.b", "a0",  "ab",    "b",     "\xff",   "\xff/a"};

    for (size_t i = 0; i < COUNT_OF(sorted); i++)
        for (size_t j = 0; j < COUNT_OF(sorted); j++) {
            int order = path_compare(sorted[i], sorted[j]);
            if ((order > 0) - (order < 0) != (i > j) - (i < j))
                fail_msg("\"%s\" and \"%s\"", sorted[i], sorted[j]);
        }
}

#define MANY 200

static int compare_items(const void *one, const void *other)
{
    return path_compare(one, other);
}

static void random_path(struct dice *dice, char *out)
{
    static const char letters[] = "a/b/.\x01 -0\xc3z";
    size_t length = 1 + dice_below(dice, 10);

    for (size_t i = 0; i < length; i++)
        out[i] = letters[dice_below(dice, sizeof letters - 1)];
    out[length] = '\0';
    char *clean = path_clean(out);
    strcpy(out, clean);
    free(clean);
}

/* Whatever is below a path stands directly behind it, with nothing between. */
static void check_subtrees(char (*paths)[16], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool has_ended = false;
        for (size_t j = i + 1; j < count; j++) {
            bool is_below = path_is_within(paths[j], paths[i]);
            if (is_below && has_ended)
                fail_msg("\"%s\" is apart from \"%s\"", paths[j], paths[i]);
            has_ended |= !is_below;
        }
        for (size_t j = 0; j < i; j++)
            if (path_is_within(paths[j], paths[i]) &&
                strcmp(paths[j], paths[i]) != 0)
                fail_msg("\"%s\" comes before \"%s\"", paths[j], paths[i]);
    }
}

static void sorted_paths_are_a_walk(void **state)
{
    static char paths[MANY][16];
    struct dice dice = dice_new(dice_seed_of_environment(5));

    for (int round = 0; round < 100; round++) {
        size_t count = 0;
        while (count < MANY) {
            random_path(&dice, paths[count]);
            count += path_is_plain_relative(paths[count]);
        }
        qsort(paths, count, sizeof *paths, compare_items);
        check_subtrees(paths, count);
        for (size_t i = 1; i < count; i++)
            assert_true(!strcmp(paths[i - 1], paths[i]) ||
                        path_compare(paths[i - 1], paths[i]) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_and_parent_are_told_apart),
        cmocka_unit_test(joined_paths_have_one_slash_between_them),
        cmocka_unit_test(clean_paths_have_no_dots_nor_double_slashes),
        cmocka_unit_test(random_paths_are_cleaned_as_the_model_says),
        cmocka_unit_test(a_path_is_within_itself_and_the_ones_above_only),
        cmocka_unit_test(only_plain_relative_paths_are_safe_below_a_root),
        cmocka_unit_test(
            a_directory_comes_before_its_neighbours_with_longer_names),
        cmocka_unit_test(sorted_paths_are_a_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
