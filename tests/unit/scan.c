/*
 * Directories as they are read: keys, twins and what cannot be examined, on
 * real directories.
 */
#include "contract/scenery.h"

#include "core/scan.h"

static char *directory;
static int root_fd = -1;
static struct arena arena = ARENA_INIT;
static struct scan scan = {.items = NULL};

static const struct name_rules unix_rules = {.longest_bytes = 255};
static const struct name_rules fat_rules = {
    .is_case_insensitive = true,
    .is_utf16 = true,
    .refuses_dos_characters = true,
    .strips_trailing_dots = true,
    .refuses_dos_names = true,
    .longest_utf16_units = 255,
};

static int make_directory(void **state)
{
    const char *temporary = getenv("TMPDIR");

    directory = xasprintf("%s/scan-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(directory))
        return -1;
    return platform_open_root(directory, &root_fd, NULL);
}

static int remove_directory(void **state)
{
    close(TAKE_FD(root_fd));
    arena_release(&arena);
    scan_release(&scan);
    remove_tree(directory);
    free(directory);
    return 0;
}

static char *inside(const char *name)
{
    return path_join(directory, name);
}

/* False where the filesystem below does not take such a name. */
static bool touch(const char *name)
{
    CLEANUP_FREE char *path = inside(name);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT, 0644);

    return fd >= 0;
}

static void read_it(const struct name_rules *rules, bool is_drive)
{
    struct error err = ERROR_INIT;

    if (scan_directory(root_fd, "", rules, is_drive, &arena, &scan, &err))
        fail_msg("%s", err.message);
    for (size_t i = 1; i < scan.count; i++)
        assert_true(strcmp(scan.items[i - 1].key, scan.items[i].key) <= 0);
}

/* By the bytes that readdir gave. */
static const struct scan_entry *find_raw(const char *raw)
{
    for (size_t i = 0; i < scan.count; i++)
        if (!strcmp(scan.items[i].raw, raw))
            return &scan.items[i];
    return NULL;
}

static bool has_twin(const char *raw)
{
    const struct scan_entry *entry = find_raw(raw);

    assert_non_null(entry);
    return entry->has_twin;
}

static void every_entry_is_listed_with_what_it_is(void **state)
{
    CLEANUP_FREE char *sub = inside("directory");
    CLEANUP_FREE char *link = inside("link");
    CLEANUP_FREE char *fifo = inside("fifo");
    static const struct {
        const char *name;
        enum platform_type type;
    } expected[] = {
        {"directory", PLATFORM_DIRECTORY},
        {"fifo", PLATFORM_OTHER},
        {"file", PLATFORM_FILE},
        {"link", PLATFORM_SYMLINK},
    };

    assert_true(touch("file"));
    assert_int_equal(mkdir(sub, 0755), 0);
    assert_int_equal(symlink("nowhere", link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    read_it(&unix_rules, false);
    assert_int_equal(scan.count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_string_equal(scan.items[i].key, expected[i].name);
        assert_string_equal(scan.items[i].raw, expected[i].name);
        assert_int_equal(scan.items[i].stat.type, expected[i].type);
        assert_int_equal(scan.items[i].stat_error, ERR_OK);
        assert_false(scan.items[i].has_twin);
    }
    assert_ptr_equal(scan_find(&scan, "file"), &scan.items[2]);
    assert_null(scan_find(&scan, "File"));
    assert_null(scan_find(&scan, ""));
    assert_null(find_raw("nothing"));
}

static void an_empty_directory_is_empty_after_a_full_one(void **state)
{
    CLEANUP_FREE char *file = inside("file");

    assert_true(touch("file"));
    read_it(&fat_rules, false);
    assert_int_equal(scan.count, 1);
    assert_int_equal(unlink(file), 0);
    read_it(&fat_rules, false);
    assert_int_equal(scan.count, 0);
    assert_null(scan_find(&scan, "file"));
}

/* A Mac writes "u" and dots, Linux one letter: one name, twice. */
static void two_spellings_of_one_name_are_twins_everywhere(void **state)
{
    static const char nfc[] = "\xc3\xbc", nfd[] = "u\xcc\x88";

    if (!touch(nfc) || !touch(nfd))
        SKIP_BECAUSE("this filesystem takes no such names");
    assert_true(touch("other"));
    read_it(&unix_rules, false);
    if (scan.count != 3)
        SKIP_BECAUSE("this filesystem makes one name of both");
    assert_true(has_twin(nfc));
    assert_true(has_twin(nfd));
    assert_false(has_twin("other"));
    for (size_t i = 1; i < scan.count; i++)
        assert_string_equal(scan.items[i].key, nfc);
    read_it(&unix_rules, true);
    assert_true(has_twin(nfc));
}

static void a_decomposed_name_has_a_composed_key(void **state)
{
    static const char nfd[] = "A\xcc\x8angstro\xcc\x88m";

    assert_true(touch(nfd));
    read_it(&unix_rules, false);
    const struct scan_entry *entry = scan_find(&scan, "\xc3\x85ngstr\xc3\xb6m");
    assert_non_null(entry);
    assert_string_equal(entry->raw, nfd);
    assert_false(entry->has_twin);
}

static void names_that_differ_in_case_are_twins_on_such_a_volume_only(
    void **state)
{
    static const char *const names[] = {"readme", "README", "Readme.txt",
                                        "ärger",  "ÄRGER",  "straße",
                                        "STRASSE"};
    static const bool twins[] = {true, true, false, true, true, false, false};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(touch(names[i]));
    read_it(&unix_rules, false);
    if (scan.count != COUNT_OF(names))
        SKIP_BECAUSE("this filesystem does not tell cases apart");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_false(has_twin(names[i]));
    read_it(&fat_rules, false);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (has_twin(names[i]) != twins[i])
            fail_msg("%s", names[i]);
}

static void three_names_of_one_fold_are_all_twins(void **state)
{
    static const char *const names[] = {"a", "A", "\xc3\xbc", "U\xcc\x88",
                                        "\xc3\x9c"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(touch(names[i]));
    read_it(&fat_rules, false);
    if (scan.count != COUNT_OF(names))
        SKIP_BECAUSE("this filesystem does not tell them apart");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(has_twin(names[i]));
}

static void bytes_that_are_no_text_are_names_all_the_same(void **state)
{
    static const char *const names[] = {"\xff", "a\xc3", "\xed\xa0\x80",
                                        "\xc0\xaf", "x\xff\xfey"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (!touch(names[i]))
            SKIP_BECAUSE("this filesystem takes no such names");
    read_it(&unix_rules, false);
    assert_int_equal(scan.count, COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct scan_entry *entry = scan_find(&scan, names[i]);
        assert_non_null(entry);
        assert_string_equal(entry->raw, names[i]);
        assert_false(entry->has_twin);
    }
    read_it(&fat_rules, false);
    for (size_t i = 0; i < scan.count; i++)
        assert_false(scan.items[i].has_twin);
}

/* What stands on the drive under another name is known by its key. */
static void encoded_names_of_a_drive_are_decoded(void **state)
{
    static const char *const keys[] = {"a:b",   "what?", "end.", "end ",
                                       "con.c", "a\xff", "plain"};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
        assert_true(name_encode(keys[i], &fat_rules, &name));
        assert_true(touch(name.text));
    }
    read_it(&fat_rules, true);
    assert_int_equal(scan.count, COUNT_OF(keys));
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (!scan_find(&scan, keys[i]))
            fail_msg("%s", keys[i]);
    read_it(&fat_rules, false); /* in a source they are names like others */
    assert_null(scan_find(&scan, "a:b"));
}

/* Not both are known by the key: which of them would it be? */
static void a_foreign_file_with_the_key_of_ours_is_a_twin(void **state)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;

    assert_true(name_encode("con", &fat_rules, &name));
    assert_true(touch(name.text));
    assert_true(touch("con"));
    read_it(&fat_rules, true);
    assert_int_equal(scan.count, 2);
    assert_true(has_twin("con"));
    assert_true(has_twin(name.text));
}

static void a_missing_or_linked_directory_is_an_error(void **state)
{
    CLEANUP_FREE char *link = inside("link");
    CLEANUP_FREE char *real = inside("real");
    struct error err = ERROR_INIT;

    assert_true(touch("file"));
    assert_int_equal(mkdir(real, 0755), 0);
    assert_int_equal(symlink("real", link), 0);
    assert_int_equal(scan_directory(root_fd, "missing", &unix_rules, false,
                                    &arena, &scan, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(scan_directory(root_fd, "link", &unix_rules, false, &arena,
                                    &scan, &err),
                     ERR_CHANGED);
    assert_int_not_equal(scan_directory(root_fd, "file", &unix_rules, false,
                                        &arena, &scan, &err),
                         ERR_OK);
    assert_int_equal(scan_directory(root_fd, "real", &unix_rules, false, &arena,
                                    &scan, &err),
                     ERR_OK);
    assert_int_equal(scan.count, 0);
}

static void an_unreadable_directory_is_not_an_empty_one(void **state)
{
    CLEANUP_FREE char *closed = inside("closed");
    bool is_root = !geteuid();

    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(mkdir(closed, 0), 0);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    err_code code = scan_directory(root_fd, "closed", &unix_rules, false,
                                   &arena, &scan, NULL);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(code, ERR_DENIED);
}

static void many_entries_are_found_again(void **state)
{
    for (int i = 0; i < 3000; i++) {
        CLEANUP_FREE char *name = xasprintf("%d%s", i * 7919 % 3000, "ä");
        assert_true(touch(name));
    }
    read_it(&fat_rules, false);
    assert_int_equal(scan.count, 3000);
    for (int i = 0; i < 3000; i++) {
        CLEANUP_FREE char *name = xasprintf("%d%s", i, "ä");
        const struct scan_entry *entry = scan_find(&scan, name);
        assert_non_null(entry);
        assert_false(entry->has_twin);
    }
}

/* The catalogue's walks end somewhere, paths don't. */
static void what_lies_too_deep_is_not_listed(void **state)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    struct error err = ERROR_INIT;

    for (int i = 0; i < SCAN_DEPTH_LIMIT; i++)
        strbuf_addf(&path, "d/");
    strbuf_addf(&path, "d");
    assert_int_equal(scan_directory(root_fd, path.text, &unix_rules, false,
                                    &arena, &scan, &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.message, "2000 directories deep"));
}

#define SCAN_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCAN_TEST(every_entry_is_listed_with_what_it_is),
        SCAN_TEST(an_empty_directory_is_empty_after_a_full_one),
        SCAN_TEST(two_spellings_of_one_name_are_twins_everywhere),
        SCAN_TEST(a_decomposed_name_has_a_composed_key),
        SCAN_TEST(names_that_differ_in_case_are_twins_on_such_a_volume_only),
        SCAN_TEST(three_names_of_one_fold_are_all_twins),
        SCAN_TEST(bytes_that_are_no_text_are_names_all_the_same),
        SCAN_TEST(encoded_names_of_a_drive_are_decoded),
        SCAN_TEST(a_foreign_file_with_the_key_of_ours_is_a_twin),
        SCAN_TEST(a_missing_or_linked_directory_is_an_error),
        SCAN_TEST(an_unreadable_directory_is_not_an_empty_one),
        SCAN_TEST(many_entries_are_found_again),
        SCAN_TEST(what_lies_too_deep_is_not_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
