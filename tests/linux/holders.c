/*
 * Who holds a volume, for each way in which that is possible.
 */
#include "linux/disks.h"

#include "platform/platform.h"

#include <sys/mman.h>
#include <sys/swap.h>

static struct platform *platform;
static struct disk disk;

static int set_up(void **state)
{
    (void)state;
    disk = (struct disk)DISK_INIT;
    make_ext4(&disk);
    assert_int_equal(chmod(disk.mount_point, 0755), 0);
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    platform_free(platform);
    disk_release(&disk);
    return 0;
}

/* --- a process that holds something --- */

/* What the child does before it sleeps; false: it could not. */
typedef bool take(const char *path);

static pid_t start_holder(take *take_it, const char *path)
{
    int ends[2];
    char done = 0;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        done = take_it(path);
        (void)!write(ends[1], &done, 1);
        close(ends[0]);
        close(ends[1]);
        pause();
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &done, 1), 1);
    close(ends[0]);
    assert_true(done);
    return child;
}

static void end_holder(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static bool take_file(const char *path)
{
    return open(path, O_RDONLY) >= 0;
}

static bool take_and_delete(const char *path)
{
    return open(path, O_RDONLY) >= 0 && !unlink(path);
}

static bool take_directory(const char *path)
{
    return !chdir(path);
}

static bool take_root(const char *path)
{
    return !chroot(path) && !chdir("/");
}

static bool take_mapping(const char *path)
{
    int fd = open(path, O_RDONLY);
    bool is_mapped =
        mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED;

    close(fd);
    return is_mapped;
}

/* As containers do. */
static bool take_mount(const char *path)
{
    return !unshare(CLONE_NEWNS) &&
           !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* --- what is listed --- */

static void list(struct platform_holders *out)
{
    struct error err = ERROR_INIT;

    if (platform_list_holders(platform, disk.device, out, &err))
        fail_msg("%s", err.message);
}

static const struct platform_holder *find(const struct platform_holders *found,
                                          pid_t pid, enum platform_hold kind)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i].pid == pid && found->items[i].kind == kind)
            return &found->items[i];
    return NULL;
}

static void expect_holder(pid_t pid, enum platform_hold kind, const char *path)
{
    CLEANUP(platform_holders_release)
    struct platform_holders found = {.items = NULL};

    list(&found);
    const struct platform_holder *holder = find(&found, pid, kind);
    assert_non_null(holder);
    assert_string_equal(holder->path, path);
    assert_string_equal(holder->user, pid ? "root" : "");
    if (pid)
        assert_string_equal(holder->command, "holders");
    assert_int_equal(holder->is_same_user, pid != 0);
    assert_true(found.is_complete);
}

static char *file_on_disk(const char *name)
{
    char *path = path_join(disk.mount_point, name);

    assert_int_equal(file_replace(path, "content", 7, 0644, NULL), ERR_OK);
    return path;
}

/* --- tests --- */

static void volume_that_nobody_holds_has_no_holders(void **state)
{
    CLEANUP(platform_holders_release)
    struct platform_holders found = {.items = NULL};

    (void)state;
    list(&found);
    assert_int_equal(found.count, 0);
    assert_true(found.is_complete);
}

static void open_file_is_named_with_its_process(void **state)
{
    CLEANUP_FREE char *path = file_on_disk("a file");
    pid_t child = start_holder(take_file, path);

    (void)state;
    expect_holder(child, PLATFORM_HOLD_FILE, path);
    end_holder(child);
}

static void deleted_file_is_still_held(void **state)
{
    CLEANUP_FREE char *path = file_on_disk("file");
    CLEANUP_FREE char *shown = xasprintf("%s (deleted)", path);
    pid_t child = start_holder(take_and_delete, path);

    (void)state;
    expect_holder(child, PLATFORM_HOLD_FILE, shown);
    end_holder(child);
}

static void working_directory_is_a_hold(void **state)
{
    pid_t child = start_holder(take_directory, disk.mount_point);

    (void)state;
    expect_holder(child, PLATFORM_HOLD_DIRECTORY, disk.mount_point);
    end_holder(child);
}

static void changed_root_is_a_hold(void **state)
{
    pid_t child = start_holder(take_root, disk.mount_point);

    (void)state;
    expect_holder(child, PLATFORM_HOLD_ROOT, disk.mount_point);
    end_holder(child);
}

static void mapping_without_a_descriptor_is_a_hold(void **state)
{
    CLEANUP_FREE char *path = file_on_disk("mapped file");
    pid_t child = start_holder(take_mapping, path);

    (void)state;
    expect_holder(child, PLATFORM_HOLD_MAPPING, path);
    end_holder(child);
}

static void program_that_runs_from_it_is_a_hold(void **state)
{
    CLEANUP(platform_holders_release)
    struct platform_holders found = {.items = NULL};
    CLEANUP_FREE char *path =
        path_join(disk.mount_point, "a program with a long name");

    (void)state;
    assert_int_equal(RUN("cp", "/bin/sleep", path), 0);
    pid_t child = fork();
    if (!child) {
        execl(path, path, "1000", (char *)NULL);
        _exit(127);
    }
    const struct platform_holder *holder = NULL;
    for (int i = 0; i < 100 && !holder; i++) {
        poll(NULL, 0, 20);
        platform_holders_release(&found);
        list(&found);
        holder = find(&found, child, PLATFORM_HOLD_PROGRAM);
    }
    assert_non_null(holder);
    assert_string_equal(holder->path, path);
    assert_string_equal(holder->command, "a program with a long name");
    end_holder(child);
}

static void mount_in_another_namespace_is_a_hold(void **state)
{
    pid_t child = start_holder(take_mount, NULL);

    (void)state;
    expect_holder(child, PLATFORM_HOLD_MOUNT, disk.mount_point);
    assert_int_equal(umount2(disk.mount_point, 0), 0);
    expect_holder(child, PLATFORM_HOLD_MOUNT, disk.mount_point);
    end_holder(child);
}

static void mount_below_it_is_held_by_the_kernel(void **state)
{
    CLEANUP_FREE char *point = path_join(disk.mount_point, "below");

    (void)state;
    assert_int_equal(mkdir(point, 0700), 0);
    assert_int_equal(mount("none", point, "tmpfs", 0, NULL), 0);
    expect_holder(0, PLATFORM_HOLD_MOUNT, point);
    assert_int_equal(umount2(point, 0), 0);
}

static void file_on_what_is_mounted_below_is_no_hold(void **state)
{
    CLEANUP(platform_holders_release)
    struct platform_holders found = {.items = NULL};
    CLEANUP_FREE char *point = path_join(disk.mount_point, "below");
    CLEANUP_FREE char *path = path_join(point, "file");

    (void)state;
    assert_int_equal(mkdir(point, 0700), 0);
    assert_int_equal(mount("none", point, "tmpfs", 0, NULL), 0);
    assert_int_equal(file_replace(path, "", 0, 0600, NULL), ERR_OK);
    pid_t child = start_holder(take_file, path);
    list(&found);
    assert_null(find(&found, child, PLATFORM_HOLD_FILE));
    end_holder(child);
    assert_int_equal(umount2(point, 0), 0);
}

static void file_that_was_mounted_over_is_still_held(void **state)
{
    CLEANUP_FREE char *point = path_join(disk.mount_point, "below");
    CLEANUP_FREE char *path = path_join(point, "file");

    (void)state;
    assert_int_equal(mkdir(point, 0700), 0);
    assert_int_equal(file_replace(path, "", 0, 0600, NULL), ERR_OK);
    pid_t child = start_holder(take_file, path);
    assert_int_equal(mount("none", point, "tmpfs", 0, NULL), 0);
    expect_holder(child, PLATFORM_HOLD_FILE, path);
    end_holder(child);
    assert_int_equal(umount2(point, 0), 0);
}

static void loop_device_is_held_by_the_kernel(void **state)
{
    CLEANUP_DISK struct disk inner = DISK_INIT;

    (void)state;
    make_image(&inner, disk.mount_point, 1024 * 1024);
    expect_holder(0, PLATFORM_HOLD_LOOP, inner.image);
}

static void swap_file_is_held_by_the_kernel(void **state)
{
    CLEANUP_FREE char *path = path_join(disk.mount_point, "swap");
    CLEANUP_FREE char *of = xasprintf("of=%s", path);

    (void)state;
    if (!has_program("mkswap"))
        SKIP_BECAUSE("needs mkswap");
    assert_int_equal(RUN("dd", "if=/dev/zero", of, "bs=64k", "count=16"), 0);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(RUN("mkswap", path), 0);
    if (swapon(path, 0))
        SKIP_BECAUSE("this kernel does not swap");
    expect_holder(0, PLATFORM_HOLD_SWAP, path);
    assert_int_equal(swapoff(path), 0);
}

/* The shell from which berth was started. */
static void parent_that_holds_it_is_an_ancestor(void **state)
{
    int status = -1;

    (void)state;
    pid_t shell = fork();
    if (!shell) {
        pid_t berth = chdir(disk.mount_point) ? -1 : fork();
        if (!berth) {
            struct platform_holders found = {.items = NULL};
            if (chdir("/") ||
                platform_list_holders(platform, disk.device, &found, NULL))
                _exit(3);
            const struct platform_holder *holder =
                find(&found, getppid(), PLATFORM_HOLD_DIRECTORY);
            _exit(!holder ? 2 : !holder->is_ancestor);
        }
        waitpid(berth, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 4);
    }
    waitpid(shell, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* What belongs to others cannot be seen without rights: that is said. */
static void user_without_rights_is_told_that_some_are_missing(void **state)
{
    CLEANUP(platform_holders_release)
    struct platform_holders found = {.items = NULL};
    CLEANUP_FREE char *path = file_on_disk("file");
    pid_t child = start_holder(take_file, path);

    (void)state;
    assert_int_equal(seteuid(65534), 0);
    err_code code = platform_list_holders(platform, disk.device, &found, NULL);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(code, ERR_OK);
    assert_false(found.is_complete);
    assert_null(find(&found, child, PLATFORM_HOLD_FILE));
    end_holder(child);
}

#define HOLDER_TEST(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static int run_group(void)
{
    const struct CMUnitTest tests[] = {
        HOLDER_TEST(volume_that_nobody_holds_has_no_holders),
        HOLDER_TEST(open_file_is_named_with_its_process),
        HOLDER_TEST(deleted_file_is_still_held),
        HOLDER_TEST(working_directory_is_a_hold),
        HOLDER_TEST(changed_root_is_a_hold),
        HOLDER_TEST(mapping_without_a_descriptor_is_a_hold),
        HOLDER_TEST(program_that_runs_from_it_is_a_hold),
        HOLDER_TEST(mount_in_another_namespace_is_a_hold),
        HOLDER_TEST(mount_below_it_is_held_by_the_kernel),
        HOLDER_TEST(file_on_what_is_mounted_below_is_no_hold),
        HOLDER_TEST(file_that_was_mounted_over_is_still_held),
        HOLDER_TEST(loop_device_is_held_by_the_kernel),
        HOLDER_TEST(swap_file_is_held_by_the_kernel),
        HOLDER_TEST(parent_that_holds_it_is_an_ancestor),
        HOLDER_TEST(user_without_rights_is_told_that_some_are_missing),
    };

    return cmocka_run_group_tests_name("holders", tests, NULL, NULL);
}

int main(void)
{
    return run_with_disks(run_group);
}
