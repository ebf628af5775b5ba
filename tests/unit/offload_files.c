/*
 * Taking source files away: what stays and why, and that whatever interrupts
 * it, the next run finds the private names again.
 */
#include "contract/scenery.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/guard.h"
#include "core/offload_files.h"
#include "core/offload_journal.h"

#include <dirent.h>

static char *sandbox, *source, *state_directory, *identity;
static int source_fd;
static char *unmarked, *said; /* what recovery told */

static char *in_source(const char *path)
{
    return path_join(source, path);
}

static void write_file(const char *path, const char *text)
{
    CLEANUP_FREE char *full = in_source(path);
    FILE *file = fopen(full, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static bool holds(const char *path, const char *text)
{
    CLEANUP_FREE char *full = in_source(path);
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;

    return !file_read(full, 4096, &found, NULL) && !strcmp(found.text, text);
}

/* How many names of the top directory begin so. */
static int count_names(const char *prefix)
{
    DIR *entries = opendir(source);
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(entries)))
        count += !strncmp(entry->d_name, prefix, strlen(prefix));
    closedir(entries);
    return count;
}

static bool has_journal(void)
{
    return offload_files_check(state_directory, "films", NULL) == ERR_REFUSED;
}

static int make_scene(void **state)
{
    const char *temporary = getenv("TMPDIR");
    struct platform_mount mount = PLATFORM_MOUNT_INIT;

    sandbox = xasprintf("%s/offload-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(sandbox));
    assert_int_equal(setenv("BERTH_PRACTICE", sandbox, 1), 0);
    source = path_join(sandbox, "source");
    state_directory = path_join(sandbox, "state");
    assert_int_equal(mkdir(source, 0755), 0);
    assert_int_equal(mkdir(state_directory, 0700), 0);
    assert_int_equal(platform_open_root(source, &source_fd, NULL), ERR_OK);
    assert_int_equal(platform_mount_of(source_fd, &mount, NULL), ERR_OK);
    identity = guard_source_identity(mount.family, mount.fs_uuid, mount.subtree,
                                     mount.source);
    platform_mount_release(&mount);
    write_file("one", "1");
    write_file("two", "22");
    return 0;
}

static int remove_scene(void **state)
{
    close(source_fd);
    remove_tree(sandbox);
    char **const owned[] = {&sandbox,  &source,   &state_directory,
                            &identity, &unmarked, &said};
    for (size_t i = 0; i < COUNT_OF(owned); i++) {
        free(*owned[i]);
        *owned[i] = NULL;
    }
    return 0;
}

/* --- a removal of "one" and "two" --- */

static void (*when_marked)(struct offload_item *items);
static err_code mark_code;

static err_code mark(void *context, struct offload_item *items, size_t count,
                     struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].is_hidden)
            assert_int_equal(items[i].result, OFFLOAD_READY);
    assert_true(has_journal());
    if (when_marked)
        when_marked(items);
    return mark_code ? error_set(err, mark_code, "not marked") : ERR_OK;
}

static struct offload_item items[2];

static err_code remove_both(void)
{
    static const char *const names[] = {"one", "two"};
    const struct offload_removal removal = {
        .source_fd = source_fd,
        .source = source,
        .identity = identity,
        .job = "films",
        .state_directory = state_directory,
        .mark = mark,
    };
    CLEANUP_FD int lock = -1;

    assert_int_equal(offload_files_lock(state_directory, &lock, NULL), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        struct platform_stat stat;
        if (items[i].path)
            continue; /* the test has made it */
        assert_int_equal(
            platform_stat_beneath(source_fd, names[i], &stat, NULL), ERR_OK);
        items[i] = (struct offload_item){.path = xstrdup(names[i]),
                                         .raw = xstrdup(names[i]),
                                         .source = signature_of(&stat)};
    }
    return offload_files_remove(&removal, items, COUNT_OF(items), NULL);
}

static void forget(void)
{
    for (size_t i = 0; i < COUNT_OF(items); i++)
        offload_item_release(&items[i]);
    when_marked = NULL;
    mark_code = ERR_OK;
}

/* As seen before somebody does something to it. */
static void look_at(size_t at, const char *name)
{
    struct platform_stat stat;

    assert_int_equal(platform_stat_beneath(source_fd, name, &stat, NULL),
                     ERR_OK);
    items[at] = (struct offload_item){.path = xstrdup(name),
                                      .raw = xstrdup(name),
                                      .source = signature_of(&stat)};
}

static void what_is_as_it_was_copied_goes(void **state)
{
    assert_int_equal(remove_both(), ERR_OK);
    assert_int_equal(items[0].result, OFFLOAD_READY);
    assert_int_equal(count_names("one") + count_names("two"), 0);
    assert_int_equal(count_names(OFFLOAD_HIDDEN_PREFIX), 0);
    assert_false(has_journal());
    forget();
}

static void what_changed_in_the_last_moment_stays(void **state)
{
    look_at(0, "one");
    nanosleep(&(struct timespec){.tv_nsec = 20 * NS_PER_MS}, NULL);
    write_file("one", "X"); /* as large as before */
    assert_int_equal(remove_both(), ERR_OK);
    assert_int_equal(items[0].result, OFFLOAD_CHANGED);
    assert_int_equal(items[1].result, OFFLOAD_READY);
    assert_true(holds("one", "X"));
    assert_int_equal(count_names("two"), 0);
    assert_false(has_journal());
    forget();
}

static void what_is_another_file_by_now_stays(void **state)
{
    look_at(0, "one");
    write_file("other", "1");
    CLEANUP_FREE char *from = in_source("other");
    CLEANUP_FREE char *to = in_source("one");
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(remove_both(), ERR_OK);
    assert_int_equal(items[0].result, OFFLOAD_CHANGED);
    assert_true(holds("one", "1"));
    forget();
}

static void a_second_name_or_somebody_who_has_it_open_keeps_it(void **state)
{
    CLEANUP_FREE char *one = in_source("one");
    CLEANUP_FREE char *link_name = in_source("linked");
    CLEANUP_FREE char *list = path_join(sandbox, "open-elsewhere");
    struct stat found;

    assert_int_equal(link(one, link_name), 0);
    look_at(1, "two");
    CLEANUP_FREE char *line =
        xasprintf("%llu\n", (unsigned long long)items[1].source.inode);
    assert_int_equal(file_replace(list, line, strlen(line), 0600, NULL),
                     ERR_OK);
    assert_int_equal(remove_both(), ERR_OK);
    assert_int_equal(items[0].result, OFFLOAD_LINKED);
    assert_int_equal(items[1].result, OFFLOAD_OPEN);
    assert_int_equal(stat(one, &found), 0);
    assert_int_equal(found.st_nlink, 2);
    assert_true(holds("two", "22"));
    forget();
}

static void what_cannot_be_recorded_comes_back(void **state)
{
    mark_code = ERR_IO;
    assert_int_equal(remove_both(), ERR_IO);
    assert_true(holds("one", "1") && holds("two", "22"));
    assert_int_equal(count_names(OFFLOAD_HIDDEN_PREFIX), 0);
    assert_true(has_journal()); /* who knows what was recorded */
    forget();
}

static void keep_the_first(struct offload_item *marked)
{
    marked[0].result = OFFLOAD_CHANGED;
    write_file("one", "a new one");
}

static void a_name_that_was_taken_meanwhile_is_not_overwritten(void **state)
{
    when_marked = keep_the_first;
    assert_int_equal(remove_both(), ERR_OK);
    assert_int_equal(items[0].result, OFFLOAD_FAILED);
    assert_non_null(strstr(items[0].message, "one.kept-"));
    assert_true(holds("one", "a new one"));
    assert_int_equal(count_names("one.kept-"), 1);
    forget();
}

static void only_one_process_removes_at_a_time(void **state)
{
    CLEANUP_FD int lock = -1;
    CLEANUP_FD int other = -1;

    assert_int_equal(offload_files_lock(state_directory, &lock, NULL), ERR_OK);
    assert_int_equal(offload_files_lock(state_directory, &other, NULL),
                     ERR_BUSY);
}

/* --- recovery --- */

static err_code unmark(void *context, const char *job, const char *path,
                       const struct platform_stat *now, struct error *err)
{
    assert_string_equal(job, "films");
    free(unmarked);
    unmarked = xstrdup(path);
    return ERR_OK;
}

static void say(void *context, const char *job, const char *message)
{
    free(said);
    said = xstrdup(message);
}

static err_code recover(void)
{
    const struct offload_recovery recovery = {
        .state_directory = state_directory, .unmark = unmark, .say = say};

    return offload_files_recover(&recovery, NULL);
}

/* As a kill leaves it: "one" under a private name, "two" untouched. */
static void interrupt(const char *of_filesystem)
{
    struct offload_journal journal = {.job = xstrdup("films"),
                                      .source = xstrdup(source),
                                      .identity = xstrdup(of_filesystem)};
    CLEANUP_FREE char *from = in_source("one");
    CLEANUP_FREE char *to = in_source(OFFLOAD_HIDDEN_PREFIX "7-0");
    CLEANUP_FD int lock = -1;

    assert_int_equal(offload_files_lock(state_directory, &lock, NULL), ERR_OK);
    offload_journal_add(&journal, "one", "one", OFFLOAD_HIDDEN_PREFIX "7-0");
    offload_journal_add(&journal, "two", "two", OFFLOAD_HIDDEN_PREFIX "7-1");
    assert_int_equal(offload_journal_write(state_directory, &journal, NULL),
                     ERR_OK);
    assert_int_equal(rename(from, to), 0);
    offload_journal_release(&journal);
}

static void a_private_name_is_found_again(void **state)
{
    interrupt(identity);
    assert_int_equal(recover(), ERR_OK);
    assert_true(holds("one", "1") && holds("two", "22"));
    assert_int_equal(count_names(OFFLOAD_HIDDEN_PREFIX), 0);
    assert_string_equal(unmarked, "two"); /* the last one that is there */
    assert_non_null(strstr(said, "1 file again under its name"));
    assert_false(has_journal());
    assert_int_equal(recover(), ERR_OK);
}

static void what_is_not_back_yet_is_not_forgotten_for_the_next_ones(
    void **state)
{
    interrupt(identity);
    write_file("three", "333");
    look_at(0, "three");
    assert_int_equal(remove_both(), ERR_REFUSED);
    assert_true(holds("three", "333") && holds("two", "22"));
    assert_int_equal(recover(), ERR_OK);
    assert_true(holds("one", "1"));
    forget();
}

static void what_took_its_name_meanwhile_stays_and_both_are_there(void **state)
{
    interrupt(identity);
    write_file("one", "a new one");
    assert_int_equal(recover(), ERR_OK);
    assert_true(holds("one", "a new one"));
    assert_int_equal(count_names("one.kept-"), 1);
}

/* An unmounted source looks like a directory in which nothing is to be found.
 */
static void a_source_on_another_filesystem_waits(void **state)
{
    interrupt("ext4 another one");
    assert_int_not_equal(recover(), ERR_OK);
    assert_int_equal(count_names(OFFLOAD_HIDDEN_PREFIX), 1);
    assert_true(has_journal());
}

static void a_source_that_is_not_there_waits(void **state)
{
    CLEANUP_FREE char *away = path_join(sandbox, "away");

    interrupt(identity);
    assert_int_equal(rename(source, away), 0);
    assert_int_not_equal(recover(), ERR_OK);
    assert_true(has_journal());
    assert_int_equal(rename(away, source), 0);
    assert_int_equal(recover(), ERR_OK);
    assert_true(holds("one", "1"));
}

static void a_damaged_journal_touches_nothing_and_is_said(void **state)
{
    CLEANUP_FREE char *path = path_join(state_directory, "offload");
    CLEANUP_FREE char *file = NULL;

    interrupt(identity);
    DIR *entries = opendir(path);
    struct dirent *entry;
    while ((entry = readdir(entries)))
        if (strlen(entry->d_name) > 8)
            file = path_join(path, entry->d_name);
    closedir(entries);
    static const char bad[] =
        "berth offload 1\0films\0/\0id\0x\0../../etc/x\0y\0";
    assert_int_equal(file_replace(file, bad, sizeof bad - 1, 0600, NULL),
                     ERR_OK);
    assert_int_equal(recover(), ERR_CORRUPT);
    assert_non_null(strstr(said, "is damaged"));
    assert_true(has_journal());
}

#define SCENE_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(what_is_as_it_was_copied_goes),
        SCENE_TEST(what_changed_in_the_last_moment_stays),
        SCENE_TEST(what_is_another_file_by_now_stays),
        SCENE_TEST(a_second_name_or_somebody_who_has_it_open_keeps_it),
        SCENE_TEST(what_cannot_be_recorded_comes_back),
        SCENE_TEST(a_name_that_was_taken_meanwhile_is_not_overwritten),
        SCENE_TEST(only_one_process_removes_at_a_time),
        SCENE_TEST(a_private_name_is_found_again),
        SCENE_TEST(what_is_not_back_yet_is_not_forgotten_for_the_next_ones),
        SCENE_TEST(what_took_its_name_meanwhile_stays_and_both_are_there),
        SCENE_TEST(a_source_on_another_filesystem_waits),
        SCENE_TEST(a_source_that_is_not_there_waits),
        SCENE_TEST(a_damaged_journal_touches_nothing_and_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
