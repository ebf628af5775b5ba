/*
 * The practice backend: the contract of every backend, on a drive of paper,
 * and what is its own.
 */
#include "contract/platform_io_contract.h"

#include "platform/platform.h"
#include "platform/platform_host.h"
#include "platform/practice/practice.h"

#include <poll.h>

static char *sandbox;
static char *drive; /* of the contract */

static char *in_sandbox(const char *name)
{
    return path_join(sandbox, name);
}

static void attach_drive(const char *name)
{
    CLEANUP_FREE char *below = path_join("drives", name);
    CLEANUP_FREE char *path = in_sandbox(below);

    assert_int_equal(directory_ensure(path, NULL), ERR_OK);
}

static void mark_detached(const char *name, bool detached)
{
    CLEANUP_FREE char *path =
        xasprintf("%s/drives/%s/%s", sandbox, name, PRACTICE_DETACHED_NAME);

    if (!detached) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int group_setup(void **state)
{
    const char *temporary = getenv("TMPDIR");
    CLEANUP_FREE char *fresh =
        xasprintf("%s/practice-test-XXXXXX", temporary ? temporary : "/tmp");

    (void)state;
    if (!mkdtemp(fresh) || !(sandbox = realpath(fresh, NULL)))
        return -1;
    setenv("BERTH_PRACTICE", sandbox, 1);
    attach_drive("paper");
    drive = in_sandbox("drives/paper");
    contract_base = drive;
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    remove_tree(sandbox);
    free(sandbox);
    free(drive);
    return 0;
}

static int open_drive(const char *name)
{
    CLEANUP_FREE char *path = xasprintf("%s/drives/%s", sandbox, name);
    int fd = -1;

    assert_int_equal(platform_open_root(path, &fd, NULL), ERR_OK);
    return fd;
}

/* The names of what is mounted, each followed by a space. */
static void expect_mounted(struct platform *platform, const char *names)
{
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    struct platform_mounts mounts;

    assert_int_equal(platform_list_mounts(platform, &mounts, NULL), ERR_OK);
    for (size_t i = 0; i < mounts.count; i++)
        strbuf_addf(&found, "%s ", mounts.items[i].fs_label);
    platform_mounts_release(&mounts);
    assert_string_equal(found.text, names);
}

static bool is_woken(struct platform *platform, int timeout_ms)
{
    struct pollfd wake = {.fd = platform_wake_fd(platform), .events = POLLIN};

    return poll(&wake, 1, timeout_ms) == 1;
}

static void a_directory_below_drives_is_a_mounted_volume(void **state)
{
    struct platform *platform;
    struct platform_mounts mounts;

    (void)state;
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    assert_int_equal(platform_list_mounts(platform, &mounts, NULL), ERR_OK);
    assert_int_equal(mounts.count, 1);
    const struct platform_mount *mount = &mounts.items[0];
    assert_string_equal(mount->family, "practice");
    assert_string_equal(mount->mount_point, contract_base);
    assert_string_equal(mount->fs_label, "paper");
    assert_int_equal(strlen(mount->fs_uuid), 16);
    assert_true(mount->is_root);
    assert_true(mount->is_local_disk);
    assert_false(mount->has_journal);
    platform_mounts_release(&mounts);
    platform_mounts_release(&mounts);
    platform_free(platform);
    platform_free(NULL);
}

static void a_drive_that_comes_or_goes_wakes(void **state)
{
    struct platform *platform;

    (void)state;
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    assert_false(is_woken(platform, 300));
    attach_drive("second");
    assert_true(is_woken(platform, 5000));
    platform_acknowledge(platform);
    assert_false(is_woken(platform, 0));
    expect_mounted(platform, "paper second ");
    mark_detached("paper", true);
    assert_true(is_woken(platform, 5000));
    expect_mounted(platform, "second ");
    mark_detached("paper", false);
    CLEANUP_FREE char *second = in_sandbox("drives/second");
    assert_int_equal(rmdir(second), 0);
    expect_mounted(platform, "paper ");
    platform_free(platform);
}

static void no_drives_at_all_is_an_empty_list(void **state)
{
    struct platform *platform;

    (void)state;
    setenv("BERTH_PRACTICE", "/nonexistent/practice", 1);
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    expect_mounted(platform, "");
    platform_free(platform);
    setenv("BERTH_PRACTICE", sandbox, 1);
}

static void a_descriptor_knows_its_drive(void **state)
{
    struct platform_mount mount;
    int fd = open_drive("paper"), below_fd = -1;

    (void)state;
    assert_int_equal(platform_mount_of(fd, &mount, NULL), ERR_OK);
    assert_string_equal(mount.fs_label, "paper");
    assert_true(mount.is_root);
    platform_mount_release(&mount);
    assert_int_equal(mkdirat(fd, "below", 0700), 0);
    assert_int_equal(platform_open_beneath(fd, "below", PLATFORM_OPEN_DIRECTORY,
                                           &below_fd, NULL),
                     ERR_OK);
    assert_int_equal(platform_mount_of(below_fd, &mount, NULL), ERR_OK);
    assert_string_equal(mount.fs_label, "paper");
    assert_false(mount.is_root);
    platform_mount_release(&mount);
    assert_int_equal(unlinkat(fd, "below", AT_REMOVEDIR), 0);
    close(below_fd);
    close(fd);
}

static void a_descriptor_elsewhere_is_on_the_host(void **state)
{
    struct platform_mount mount;
    int fd = -1;

    (void)state;
    assert_int_equal(platform_open_root(sandbox, &fd, NULL), ERR_OK);
    assert_int_equal(platform_mount_of(fd, &mount, NULL), ERR_OK);
    assert_string_equal(mount.family, "host");
    assert_false(mount.is_root);
    platform_mount_release(&mount);
    assert_int_equal(platform_check_attached(fd, NULL), ERR_OK);
    close(fd);
}

static void a_detached_drive_is_gone(void **state)
{
    int fd = open_drive("paper"), again = -1;
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(platform_check_attached(fd, &err), ERR_OK);
    mark_detached("paper", true);
    assert_int_equal(platform_check_attached(fd, &err), ERR_DEVICE_GONE);
    assert_non_null(strstr(err.message, "paper"));
    assert_int_equal(platform_flush_volume(fd, fd, &err), ERR_DEVICE_GONE);
    assert_int_equal(platform_open_root(contract_base, &again, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(again, -1);
    mark_detached("paper", false);
    assert_int_equal(platform_check_attached(fd, &err), ERR_OK);
    close(fd);
}

static void a_removed_drive_is_gone(void **state)
{
    struct platform_mount mount;

    (void)state;
    attach_drive("short-lived");
    int fd = open_drive("short-lived");
    CLEANUP_FREE char *path = in_sandbox("drives/short-lived");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(platform_check_attached(fd, NULL), ERR_DEVICE_GONE);
    assert_int_equal(platform_mount_of(fd, &mount, NULL), ERR_DEVICE_GONE);
    close(fd);
}

static void the_proof_can_be_played(void **state)
{
    enum platform_proof proof;

    (void)state;
    assert_int_equal(platform_drop_cache(0, 0, &proof, NULL), ERR_OK);
    assert_int_equal(proof, PLATFORM_PROOF_CACHE);
    practice_set_proof(PLATFORM_PROOF_DEVICE);
    assert_int_equal(platform_drop_cache(0, 0, &proof, NULL), ERR_OK);
    assert_int_equal(proof, PLATFORM_PROOF_DEVICE);
    practice_set_proof(PLATFORM_PROOF_CACHE);
}

static void expect_in_sandbox(char *path, const char *name)
{
    CLEANUP_FREE char *expected = in_sandbox(name);

    assert_string_equal(path, expected);
    free(path);
}

static void the_users_own_directories_are_not_touched(void **state)
{
    char *path = NULL;

    (void)state;
    assert_int_equal(platform_config_directory(&path, NULL), ERR_OK);
    expect_in_sandbox(path, "config");
    assert_int_equal(platform_state_directory(&path, NULL), ERR_OK);
    expect_in_sandbox(path, "state");
    expect_in_sandbox(platform_lock_hint_directory(), "lock");
}

static void a_reboot_can_be_played(void **state)
{
    CLEANUP_FREE char *file = in_sandbox("boot-id");
    char *before, *after;

    (void)state;
    assert_int_equal(platform_boot_id(&before, NULL), ERR_OK);
    assert_int_equal(file_replace(file, "second boot\n", 12, 0600, NULL),
                     ERR_OK);
    assert_int_equal(platform_boot_id(&after, NULL), ERR_OK);
    assert_string_equal(after, "second boot");
    assert_string_not_equal(before, after);
    free(before);
    free(after);
}

static void a_clock_that_follows_no_other_can_be_played(void **state)
{
    CLEANUP_FREE char *file = in_sandbox("clock");

    (void)state;
    assert_true(platform_clock_is_synchronised());
    assert_int_equal(file_replace(file, "unsynchronised\n", 15, 0600, NULL),
                     ERR_OK);
    assert_false(platform_clock_is_synchronised());
    assert_int_equal(unlink(file), 0);
}

static void a_file_that_is_open_elsewhere_can_be_played(void **state)
{
    CLEANUP_FREE char *list = in_sandbox("open-elsewhere");
    CLEANUP_FD int fd = open(sandbox, O_RDONLY);
    struct stat found;
    bool is_open;

    (void)state;
    assert_int_equal(fstat(fd, &found), 0);
    CLEANUP_FREE char *line =
        xasprintf("7\n%llu\n", (unsigned long long)found.st_ino);
    assert_int_equal(file_replace(list, line, strlen(line), 0600, NULL),
                     ERR_OK);
    assert_int_equal(platform_is_open_elsewhere(fd, &is_open, NULL), ERR_OK);
    assert_true(is_open);
    assert_int_equal(unlink(list), 0);
    assert_int_equal(platform_is_open_elsewhere(fd, &is_open, NULL), ERR_OK);
    assert_false(is_open);
}

static void the_program_can_be_named(void **state)
{
    char *path;

    (void)state;
    setenv("BERTH_PRACTICE_PROGRAM", "/opt/berth-practice", 1);
    assert_int_equal(platform_own_program(&path, NULL), ERR_OK);
    assert_string_equal(path, "/opt/berth-practice");
    free(path);
    unsetenv("BERTH_PRACTICE_PROGRAM");
    if (!platform_own_program(&path, NULL)) {
        assert_non_null(strstr(path, "platform_practice"));
        free(path);
    }
}

static void without_a_sandbox_a_private_one_is_made_once(void **state)
{
    CLEANUP_FREE char *one = NULL, *two = NULL;
    struct stat found;

    (void)state;
    unsetenv("BERTH_PRACTICE");
    assert_int_equal(practice_directory(&one, NULL), ERR_OK);
    assert_int_equal(practice_directory(&two, NULL), ERR_OK);
    setenv("BERTH_PRACTICE", sandbox, 1);
    assert_string_equal(one, two);
    assert_int_equal(stat(one, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
    assert_int_equal(rmdir(one), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLATFORM_IO_CONTRACT,
        cmocka_unit_test(a_directory_below_drives_is_a_mounted_volume),
        cmocka_unit_test(a_drive_that_comes_or_goes_wakes),
        cmocka_unit_test(no_drives_at_all_is_an_empty_list),
        cmocka_unit_test(a_descriptor_knows_its_drive),
        cmocka_unit_test(a_descriptor_elsewhere_is_on_the_host),
        cmocka_unit_test(a_detached_drive_is_gone),
        cmocka_unit_test(a_removed_drive_is_gone),
        cmocka_unit_test(the_proof_can_be_played),
        cmocka_unit_test(the_users_own_directories_are_not_touched),
        cmocka_unit_test(a_reboot_can_be_played),
        cmocka_unit_test(a_clock_that_follows_no_other_can_be_played),
        cmocka_unit_test(a_file_that_is_open_elsewhere_can_be_played),
        cmocka_unit_test(the_program_can_be_named),
        cmocka_unit_test(without_a_sandbox_a_private_one_is_made_once),
    };

    return cmocka_run_group_tests_name("platform_practice", tests, group_setup,
                                       group_teardown);
}
