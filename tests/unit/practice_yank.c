/*
 * Drives of paper that come and go: a pulled one behaves as the kernel showed
 * in tests/vm, and nothing that lay on it is lost.
 */
#include "unit/practice_stage.h"

/* --- plugging and pulling --- */

static void a_drive_that_is_plugged_again_has_another_id(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    CLEANUP_FREE char *before = only_id(stage);
    control(stage, "unplug hdd");
    expect_devices(stage, "");
    control(stage, "plug hdd");
    expect_devices(stage, "hdd[films*]");
    CLEANUP_FREE char *after = only_id(stage);
    assert_string_not_equal(before, after);
    control(stage, "plug hdd"); /* it is in: nothing happens */
    CLEANUP_FREE char *again = only_id(stage);
    assert_string_equal(after, again);
}

static void coming_and_going_wakes(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    assert_false(is_woken(stage, 300));
    control(stage, "unplug films"); /* a volume's name does, too */
    assert_true(is_woken(stage, 5000));
    platform_acknowledge(stage->platform);
    assert_false(is_woken(stage, 300));
    control(stage, "plug hdd");
    assert_true(is_woken(stage, 5000));
}

static void a_pulled_drive_leaves_a_mount_that_can_be_unmounted(void **state)
{
    struct stage *stage = *state;
    int fd;

    start_with(stage, "");
    make_directory(stage, "drives/films/a");
    control(stage, "unplug hdd");
    expect_devices(stage, "");
    expect_mounts(stage, "FILMS");
    fd = open_root(stage, "films"); /* an empty directory, as a kernel has it */
    assert_int_equal(platform_check_attached(fd, &stage->err), ERR_DEVICE_GONE);
    close(fd);
    assert_int_equal(unmount(stage, "practice:films"), ERR_OK);
    expect_mounts(stage, "");
    assert_false(is_there(stage, "drives/films"));
    assert_int_equal(unmount(stage, "practice:films"), ERR_DEVICE_GONE);
}

static err_code count_entry(void *context, const struct platform_entry *entry,
                            struct error *err)
{
    (void)entry;
    (void)err;
    ++*(int *)context;
    return ERR_OK;
}

/* What the kernel said, in tests/vm: see practice.h. */
static void expect_dead(struct stage *stage, int root_fd, int dir_fd,
                        int file_fd)
{
    struct error *err = &stage->err;
    struct platform_stat stat;
    int fd = -1, entries = 0;
    char *target;

    for (int i = 0; i < 2; i++) {
        int at_fd = i ? dir_fd : root_fd;
        assert_int_equal(platform_check_attached(at_fd, err), ERR_DEVICE_GONE);
        assert_int_equal(
            platform_open_beneath(at_fd, "file", PLATFORM_OPEN_READ, &fd, err),
            ERR_IO);
        assert_int_equal(
            platform_open_beneath(at_fd, "x", PLATFORM_OPEN_CREATE, &fd, err),
            ERR_IO);
        assert_int_equal(platform_stat_beneath(at_fd, "file", &stat, err),
                         ERR_IO);
        assert_int_equal(platform_read_link(at_fd, "l", &target, err), ERR_IO);
        assert_int_equal(
            platform_rename_noreplace(at_fd, "file", at_fd, "f", err), ERR_IO);
        assert_int_equal(
            platform_list_directory(at_fd, count_entry, &entries, err), ERR_OK);
        assert_int_equal(platform_flush_volume(at_fd, file_fd, err),
                         ERR_DEVICE_GONE);
        /* What core does without the platform leads nowhere, too. */
        assert_int_equal(create_at(at_fd, "new"), -1);
        assert_int_equal(mkdirat(at_fd, "newdir", 0700), -1);
        assert_int_equal(renameat(at_fd, "file", at_fd, "f"), -1);
        assert_int_equal(unlinkat(at_fd, "file", 0), -1);
    }
    assert_int_equal(entries, 0);
}

static void descriptors_of_a_pulled_drive_stay_dead(void **state)
{
    struct stage *stage = *state;
    struct platform_mount mount;

    start_with(stage, "");
    int root_fd = open_root(stage, "films"), dir_fd = -1;
    assert_int_equal(mkdirat(root_fd, "dir", 0700), 0);
    make_file_at(root_fd, "file", "root");
    make_file_at(root_fd, "dir/file", "below");
    assert_int_equal(platform_open_beneath(root_fd, "dir",
                                           PLATFORM_OPEN_DIRECTORY, &dir_fd,
                                           &stage->err),
                     ERR_OK);
    int file_fd = openat(root_fd, "file", O_RDWR);
    assert_int_equal(platform_flush_file(file_fd, &stage->err), ERR_OK);
    control(stage, "unplug hdd");
    expect_dead(stage, root_fd, dir_fd, file_fd);
    assert_int_equal(platform_flush_file(file_fd, &stage->err),
                     ERR_DEVICE_GONE);
    assert_int_equal(platform_mount_of(root_fd, &mount, NULL), ERR_DEVICE_GONE);
    control(stage, "plug hdd");
    expect_dead(stage, root_fd, dir_fd, file_fd);
    close(root_fd);
    close(dir_fd);
    close(file_fd);
}

static void everything_is_there_after_the_replug(void **state)
{
    struct stage *stage = *state;
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {1700000000, 5}};
    struct stat found;

    start_with(stage, "");
    int fd = open_root(stage, "films");
    make_directory(stage, "drives/films/a/b/c");
    make_file_at(fd, "a/b/c/deep", "deep");
    assert_int_equal(symlinkat("nowhere", fd, "a/link"), 0);
    assert_int_equal(fchmodat(fd, "a/b", 0750, 0), 0);
    assert_int_equal(utimensat(fd, "a/b", times, 0), 0);
    close(fd);
    control(stage, "unplug hdd");
    control(stage, "plug hdd");
    fd = open_root(stage, "films");
    assert_int_equal(fstatat(fd, "a/b", &found, 0), 0);
    assert_int_equal(found.st_mode & 07777, 0750);
    assert_int_equal(found.st_mtime, 1700000000);
    assert_int_equal(fstatat(fd, "a/link", &found, AT_SYMLINK_NOFOLLOW), 0);
    CLEANUP_FREE char *text = read_text(stage, "drives/films/a/b/c/deep");
    assert_string_equal(text, "deep");
    assert_false(is_there(stage, "drives/films/.detached"));
    assert_false(is_there(stage, "pulled/films"));
    close(fd);
}

enum { WRITTEN = 3000 };

struct writing {
    int root_fd;
    _Atomic int made;
};

static void *write_until_it_fails(void *argument)
{
    struct writing *writing = argument;
    char name[32];

    for (int i = 0; i < WRITTEN; i++) {
        snprintf(name, sizeof name, "d%d/f%d", i % 7, i);
        int fd = create_at(writing->root_fd, name);
        if (fd < 0)
            break;
        close(fd);
        atomic_fetch_add(&writing->made, 1);
    }
    return NULL;
}

static void a_yank_in_the_middle_of_writing_loses_no_file(void **state)
{
    struct stage *stage = *state;
    int found = 0;

    start_with(stage, "");
    struct writing writing = {.root_fd = open_root(stage, "films")};
    for (int i = 0; i < 7; i++) {
        CLEANUP_FREE char *name = xasprintf("d%d", i);
        assert_int_equal(mkdirat(writing.root_fd, name, 0700), 0);
    }
    pthread_t thread = thread_start(write_until_it_fails, &writing);
    while (atomic_load(&writing.made) < 100)
        poll(NULL, 0, 1);
    control(stage, "unplug hdd");
    thread_join(thread);
    control(stage, "plug hdd");
    int fd = open_root(stage, "films");
    for (int i = 0; i < 7; i++) {
        CLEANUP_FREE char *name = xasprintf("d%d", i);
        int dir_fd = -1;
        assert_int_equal(platform_open_beneath(fd, name,
                                               PLATFORM_OPEN_DIRECTORY, &dir_fd,
                                               &stage->err),
                         ERR_OK);
        assert_int_equal(
            platform_list_directory(dir_fd, count_entry, &found, NULL), ERR_OK);
        close(dir_fd);
    }
    assert_int_equal(found, atomic_load(&writing.made));
    close(fd);
    close(writing.root_fd);
}

/* The process that played it was killed half way. */
static void a_yank_that_was_not_finished_is_finished_by_the_plug(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    control(stage, "unplug hdd");
    make_directory(stage, "pulled/films/half/way");
    append(stage, "pulled/films/half/file", "text");
    make_directory(stage, "shelf/films/half/done");
    control(stage, "plug hdd");
    assert_true(is_there(stage, "drives/films/half/file"));
    assert_true(is_there(stage, "drives/films/half/way"));
    assert_true(is_there(stage, "drives/films/half/done"));
    assert_false(is_there(stage, "pulled/films"));
}

static int read_dirty(struct stage *stage)
{
    CLEANUP_FREE char *id = only_id(stage);
    struct platform_health health;

    assert_int_equal(
        platform_read_health(stage->platform, id, &health, &stage->err),
        ERR_OK);
    int is_dirty = health.is_dirty;
    platform_health_release(&health);
    return is_dirty;
}

static void only_what_was_not_flushed_leaves_it_dirty(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    int fd = open_root(stage, "films");
    make_file_at(fd, "file", "text");
    poll(NULL, 0, 20); /* file times move in ticks of up to 10 ms */
    assert_int_equal(platform_flush_volume(fd, fd, &stage->err), ERR_OK);
    close(fd);
    control(stage, "unplug hdd");
    control(stage, "plug hdd");
    assert_int_equal(read_dirty(stage), 0);
    fd = open_root(stage, "films");
    poll(NULL, 0, 20);
    make_file_at(fd, "second", "text");
    close(fd);
    control(stage, "unplug hdd");
    control(stage, "plug hdd");
    assert_int_equal(read_dirty(stage), 1);
    control(stage, "set films dirty=no"); /* fsck */
    assert_int_equal(read_dirty(stage), 0);
}

static void an_unscripted_directory_can_be_played_with(void **state)
{
    struct stage *stage = *state;

    make_directory(stage, "drives/paper/kept");
    start(stage);
    control(stage, "unplug paper");
    expect_devices(stage, "");
    control(stage, "plug paper");
    expect_devices(stage, "paper[paper*]");
    assert_true(is_there(stage, "drives/paper/kept"));
    assert_int_equal(unmount(stage, "practice:paper"), ERR_OK);
    assert_int_equal(power_off(stage), ERR_OK);
    expect_devices(stage, "");
    assert_true(is_there(stage, "shelf/paper/kept"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_drive_that_is_plugged_again_has_another_id),
        STAGE_TEST(coming_and_going_wakes),
        STAGE_TEST(a_pulled_drive_leaves_a_mount_that_can_be_unmounted),
        STAGE_TEST(descriptors_of_a_pulled_drive_stay_dead),
        STAGE_TEST(everything_is_there_after_the_replug),
        STAGE_TEST(a_yank_in_the_middle_of_writing_loses_no_file),
        STAGE_TEST(a_yank_that_was_not_finished_is_finished_by_the_plug),
        STAGE_TEST(only_what_was_not_flushed_leaves_it_dirty),
        STAGE_TEST(an_unscripted_directory_can_be_played_with),
    };

    return cmocka_run_group_tests_name("practice_yank", tests, NULL, NULL);
}
