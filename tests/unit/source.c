/*
 * What lies below a source: which filesystem's root a path is reached from. The
 * roots are directories of one filesystem here; integration/cross-mounts.sh
 * has real ones.
 */
#include "contract/scenery.h"

#include "core/base/array.h"
#include "core/source.h"

static char *directory;
static struct source source;

static int open_directory(const char *name)
{
    CLEANUP_FREE char *path = path_join(directory, name);
    CLEANUP_FREE char *file = path_join(path, "file");
    int fd = -1;

    if (*name)
        assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_replace(file, name, strlen(name), 0600, NULL),
                     ERR_OK);
    assert_int_equal(platform_open_root(path, &fd, NULL), ERR_OK);
    return fd;
}

static void add(const char *path, enum source_mount_state state, int fd)
{
    struct source_mount mount = {
        .path = xstrdup(path),
        .raw = xstrdup(path),
        .why = state == SOURCE_ENTERED ? NULL : xstrdup("somewhere else"),
        .state = state,
        .fd = fd,
    };

    ARRAY_PUSH(&source, mount);
}

/* "a" and "a/b/c" were entered, "gone" is away; sorted, as they are found. */
static int make_source(void **state)
{
    const char *temporary = getenv("TMPDIR");

    (void)state;
    directory = xasprintf("%s/source-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(directory))
        return -1;
    source = (struct source)SOURCE_INIT;
    source.fd = open_directory("");
    add("a", SOURCE_ENTERED, open_directory("outer"));
    add("a/b/c", SOURCE_ENTERED, open_directory("inner"));
    add("gone", SOURCE_AWAY, -1);
    return 0;
}

static int remove_source(void **state)
{
    (void)state;
    source_release(&source);
    remove_tree(directory);
    free(directory);
    return 0;
}

static void assert_reached(const char *path, int64_t size)
{
    struct platform_stat stat;

    assert_int_equal(source_stat(&source, path, &stat, NULL), ERR_OK);
    assert_int_equal(stat.size_bytes, size);
}

static void a_path_is_reached_from_the_deepest_filesystem(void **state)
{
    const char *rest = "a/b/c/d/e";

    (void)state;
    assert_reached("file", 0);
    assert_reached("a/file", (int64_t)strlen("outer"));
    assert_reached("a/b/c/file", (int64_t)strlen("inner"));
    assert_int_equal(source_root(&source, &rest), source.items[1].fd);
    assert_string_equal(rest, "d/e");
    rest = "a/b/c";
    assert_int_equal(source_root(&source, &rest), source.items[1].fd);
    assert_string_equal(rest, "");
    rest = "ab/c";
    assert_int_equal(source_root(&source, &rest), source.fd);
    assert_string_equal(rest, "ab/c");
}

static void what_was_not_entered_is_not_reached(void **state)
{
    struct platform_stat stat;
    struct error err = ERROR_INIT;
    char *target = NULL;
    int fd = -1;

    (void)state;
    assert_int_equal(
        source_open(&source, "gone/x", PLATFORM_OPEN_READ, &fd, &err),
        ERR_CHANGED);
    assert_string_equal(err.message, "gone: somewhere else");
    assert_int_equal(source_stat(&source, "gone", &stat, NULL), ERR_CHANGED);
    assert_int_equal(source_read_link(&source, "gone/x", &target, NULL),
                     ERR_CHANGED);
    assert_int_equal(source_stat(&source, "gone2", &stat, NULL), ERR_NOT_FOUND);
}

static void each_filesystem_has_a_number_of_its_own(void **state)
{
    (void)state;
    size_t own = source_filesystem_of(&source, "x");
    size_t outer = source_filesystem_of(&source, "a/x");
    size_t inner = source_filesystem_of(&source, "a/b/c/x");

    assert_true(own != outer && outer != inner && own != inner);
    assert_int_equal(source_filesystem_of(&source, "a/b/x"), outer);
    assert_int_equal(source_filesystem_of(&source, "ab"), own);
}

static void a_directory_knows_of_the_mounts_in_it(void **state)
{
    (void)state;
    assert_true(source_has_mount_within(&source, "a"));
    assert_true(source_has_mount_within(&source, "a/b"));
    assert_true(source_has_mount_within(&source, "gone"));
    assert_false(source_has_mount_within(&source, "a/b/c/d"));
    assert_false(source_has_mount_within(&source, "go"));
    assert_null(source_mount_at(&source, "a/b"));
    source.items[2].state = SOURCE_PLAIN; /* nothing is left of it */
    assert_false(source_has_mount_within(&source, "gone"));
    assert_null(source_mount_at(&source, "gone"));
}

#define SOURCE_TEST(test)                                                      \
    cmocka_unit_test_setup_teardown(test, make_source, remove_source)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SOURCE_TEST(a_path_is_reached_from_the_deepest_filesystem),
        SOURCE_TEST(what_was_not_entered_is_not_reached),
        SOURCE_TEST(each_filesystem_has_a_number_of_its_own),
        SOURCE_TEST(a_directory_knows_of_the_mounts_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
