/*
 * The Linux backend: the contract of every backend, with openat2 and with the
 * walk that replaces it, and what an ordinary user can see of the rest.
 */
#include "contract/platform_io_contract.h"

#include "core/base/fdio.h"
#include "core/base/strbuf.h"
#include "platform/linux/linux_io.h"
#include "platform/linux/linux_mountinfo.h"
#include "platform/platform.h"
#include "platform/platform_host.h"

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>

static char *base;

static int make_base(void **state)
{
    const char *temporary = getenv("TMPDIR");

    (void)state;
    base = xasprintf("%s/linux-test-XXXXXX", temporary ? temporary : "/tmp");
    contract_base = base;
    return mkdtemp(base) ? 0 : -1;
}

static int make_base_and_walk(void **state)
{
    linux_io_force_component_walk(true);
    return make_base(state);
}

static int remove_base(void **state)
{
    (void)state;
    linux_io_force_component_walk(false);
    remove_tree(base);
    free(base);
    return 0;
}

/* --- resolving ---------------------------------------------------------- */

static void the_walk_can_be_forced(void **state)
{
    (void)state;
    bool probed = linux_io_uses_openat2();
    linux_io_force_component_walk(true);
    assert_false(linux_io_uses_openat2());
    linux_io_force_component_walk(false);
    assert_int_equal(linux_io_uses_openat2(), probed);
    if (!probed)
        SKIP_BECAUSE("this kernel has no openat2");
}

/* /proc/self is a symlink, /proc/self/root a "magic" one. */
static void magic_links_are_refused(void **state)
{
    int root_fd, fd = -1;

    (void)state;
    assert_int_equal(platform_open_root("/proc/self/", &root_fd, NULL), ERR_OK);
    for (int walk = 0; walk < 2; walk++) {
        linux_io_force_component_walk(walk);
        assert_int_equal(platform_open_beneath(root_fd, "root/etc",
                                               PLATFORM_OPEN_DIRECTORY, &fd,
                                               NULL),
                         ERR_CHANGED);
        assert_int_equal(platform_open_beneath(root_fd, "exe",
                                               PLATFORM_OPEN_READ, &fd, NULL),
                         ERR_CHANGED);
    }
    linux_io_force_component_walk(false);
    close(root_fd);
}

/* A directory on the way needs to be searched, not read. */
static void a_directory_that_cannot_be_read_can_be_passed(void **state)
{
    struct contract *contract = *state;
    int fd;

    make_directory(contract, "closed");
    make_file(contract, "closed/file", "x");
    assert_int_equal(fchmodat(contract->root_fd, "closed", 0711, 0), 0);
    assert_int_equal(fchmodat(contract->root_fd, ".", 0755, 0), 0);
    for (int walk = 0; walk < 2; walk++) {
        linux_io_force_component_walk(walk);
        if (!getuid())
            assert_int_equal(seteuid(65534), 0);
        err_code code =
            open_it(contract, "closed/file", PLATFORM_OPEN_READ, &fd);
        if (!getuid())
            assert_int_equal(seteuid(0), 0);
        assert_int_equal(code, ERR_OK);
        close(fd);
    }
    linux_io_force_component_walk(false);
}

static void reading_leaves_the_access_time_alone(void **state)
{
    struct contract *contract = *state;
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct stat found;
    int fd;

    make_file(contract, "file", "content");
    for (int walk = 0; walk < 2; walk++) {
        linux_io_force_component_walk(walk);
        assert_int_equal(utimensat(contract->root_fd, "file", old, 0), 0);
        assert_int_equal(open_it(contract, "file", PLATFORM_OPEN_READ, &fd),
                         ERR_OK);
        expect_text(fd, "content");
        close(fd);
        assert_int_equal(fstatat(contract->root_fd, "file", &found, 0), 0);
        assert_int_equal(found.st_atime, 1000);
    }
    linux_io_force_component_walk(false);
}

/* O_NOATIME is for owners: others read all the same. */
static void a_file_of_somebody_else_is_read(void **state)
{
    struct contract *contract = *state;
    int fd;

    if (getuid())
        SKIP_BECAUSE("needs root, to have a file of another user");
    make_file(contract, "file", "content");
    assert_int_equal(fchmodat(contract->root_fd, ".", 0755, 0), 0);
    for (int walk = 0; walk < 2; walk++) {
        linux_io_force_component_walk(walk);
        assert_int_equal(seteuid(65534), 0);
        err_code code = open_it(contract, "file", PLATFORM_OPEN_READ, &fd);
        assert_int_equal(seteuid(0), 0);
        assert_int_equal(code, ERR_OK);
        expect_text(fd, "content");
        close(fd);
    }
    linux_io_force_component_walk(false);
}

/* --- mounts ------------------------------------------------------------- */

static void stat_and_mount_agree_on_the_mounts_number(void **state)
{
    struct contract *contract = *state;
    struct platform_mount mount;
    struct platform_stat stat;
    uint64_t mount_id;

    assert_int_equal(linux_mount_id(contract->root_fd, &mount_id), 0);
    assert_int_equal(platform_stat_fd(contract->root_fd, &stat, NULL), ERR_OK);
    assert_int_equal(platform_mount_of(contract->root_fd, &mount, NULL),
                     ERR_OK);
    assert_true(mount.mount_id == mount_id);
    assert_true(stat.mount == mount_id);
    assert_int_equal(path_is_within(contract->path, mount.mount_point), 1);
    platform_mount_release(&mount);
}

static void the_root_directory_is_the_root_of_a_mount(void **state)
{
    struct platform_mount mount;
    int fd = -1;

    (void)state;
    assert_int_equal(platform_open_root("/", &fd, NULL), ERR_OK);
    struct error err = ERROR_INIT;
    assert_int_equal(platform_mount_of(fd, &mount, &err), ERR_OK);
    assert_true(mount.is_root);
    assert_string_equal(mount.mount_point, "/");
    platform_mount_release(&mount);
    close(fd);
}

static void kernel_filesystems_are_no_volumes(void **state)
{
    struct platform *platform;
    struct platform_mounts mounts;
    struct platform_mount proc;
    int fd = -1;

    (void)state;
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    assert_int_equal(platform_list_mounts(platform, &mounts, NULL), ERR_OK);
    for (size_t i = 0; i < mounts.count; i++) {
        assert_true(mounts.items[i].is_local_disk);
        assert_false(mounts.items[i].is_network);
        assert_string_not_equal(mounts.items[i].driver, "tmpfs");
        assert_string_not_equal(mounts.items[i].driver, "proc");
        assert_string_not_equal(mounts.items[i].driver, "overlay");
    }
    platform_mounts_release(&mounts);
    platform_free(platform);
    assert_int_equal(platform_open_root("/proc", &fd, NULL), ERR_OK);
    assert_int_equal(platform_mount_of(fd, &proc, NULL), ERR_OK);
    assert_string_equal(proc.family, "proc");
    assert_false(proc.is_local_disk);
    assert_false(proc.has_journal);
    platform_mount_release(&proc);
    assert_int_equal(platform_check_attached(fd, NULL), ERR_OK);
    close(fd);
}

/*
 * Once a directory is removed all copies of what is mounted there go, in every
 * mount namespace, and each hears of it (fs/namespace.c, __detach_mounts).
 * Only root may leave single ones out: those of a new user's namespace are
 * locked together.
 */
static void leave_their_mounts(void)
{
    static const char *const places[] = {"/tmp/", "/var/tmp/", "/mnt/",
                                         "/media/"};
    CLEANUP(linux_mount_table_release)
    struct linux_mount_table table = {.items = NULL};

    if (unshare(CLONE_NEWNS) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        linux_mount_table_read(&table, NULL))
        return;
    for (size_t i = table.count; i--;)
        for (size_t j = 0; j < COUNT_OF(places); j++)
            if (!strncmp(table.items[i].mount_point, places[j],
                         strlen(places[j])) &&
                !path_is_within(base, table.items[i].mount_point))
                umount2(table.items[i].mount_point, MNT_DETACH);
}

/*
 * Other tests mount, plug and publish locks at the same time: this one wants a
 * machine of its own. It stays in it, so it comes last. With a user namespace:
 * the kernel tells every network namespace of devices, but for those that do
 * not belong to the machine's root (lib/kobject_uevent.c).
 */
static bool leave_the_others_behind(void)
{
    CLEANUP_FREE char *map = xasprintf("0 %u 1", (unsigned)geteuid());

    leave_their_mounts();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET))
        return false;
    CLEANUP_FD int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    if (fd_write_full(fd, map, strlen(map)) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return false;
    return !mount("none", "/run/lock", "tmpfs", 0, NULL) || errno == ENOENT;
}

/* The youngest thread of this process: ids count up. */
static long youngest_thread(void)
{
    DIR *stream = opendir("/proc/self/task");
    const struct dirent *entry;
    long youngest = 0;

    assert_non_null(stream);
    while ((entry = readdir(stream)))
        if (strtol(entry->d_name, NULL, 10) > youngest)
            youngest = strtol(entry->d_name, NULL, 10);
    closedir(stream);
    return youngest;
}

/* How often a thread went to sleep. */
static long sleeps_of(long thread)
{
    CLEANUP_FREE char *path = xasprintf("/proc/self/task/%ld/status", thread);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    long count = -1;

    assert_int_equal(file_read(path, 64 * 1024, &text, NULL), ERR_OK);
    const char *found = strstr(text.text, "\nvoluntary_ctxt_switches:");
    assert_non_null(found);
    assert_int_equal(sscanf(found, " voluntary_ctxt_switches: %ld", &count), 1);
    return count;
}

/* Its start may take a while on a busy machine. */
static long sleeps_once_at_rest(long thread)
{
    long before = -1, now = sleeps_of(thread);

    for (int i = 0; i < 50 && now != before; i++) {
        before = now;
        poll(NULL, 0, 200);
        now = sleeps_of(thread);
    }
    return now;
}

static void nothing_wakes_while_nothing_happens(void **state)
{
    struct platform *platform;

    (void)state;
    if (!leave_the_others_behind())
        SKIP_BECAUSE("needs a user namespace, which a process with other "
                     "threads (TSan's) may not enter, nor one in a chroot");
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    struct pollfd wake = {.fd = platform_wake_fd(platform), .events = POLLIN};
    long thread = youngest_thread();
    long sleeps = sleeps_once_at_rest(thread);
    assert_int_equal(poll(&wake, 1, 2000), 0);
    assert_int_equal(sleeps_of(thread), sleeps);
    assert_int_equal(mount("none", base, "tmpfs", 0, NULL), 0);
    assert_int_equal(poll(&wake, 1, 5000), 1);
    for (int i = 0; i < 100 && sleeps_of(thread) == sleeps; i++)
        poll(NULL, 0, 20);
    assert_true(sleeps_of(thread) > sleeps); /* it was that thread */
    platform_acknowledge(platform);
    assert_int_equal(umount2(base, 0), 0);
    platform_free(platform);
    platform_free(NULL);
}

/* --- cache -------------------------------------------------------------- */

static void a_file_in_memory_is_never_verified(void **state)
{
    enum platform_proof proof = PLATFORM_PROOF_DEVICE;
    int fd;

    (void)state;
    CLEANUP_FREE char *path = xasprintf("/dev/shm/berth-%ld", (long)getpid());
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        SKIP_BECAUSE("no /dev/shm here");
    unlink(path);
    assert_int_equal(platform_drop_cache(fd, 0, &proof, NULL), ERR_OK);
    assert_int_equal(proof, PLATFORM_PROOF_CACHE);
    close(fd);
}

/* --- host --------------------------------------------------------------- */

static void expect_path(err_code code, char *path, const char *expected)
{
    assert_int_equal(code, ERR_OK);
    assert_string_equal(path, expected);
    free(path);
}

static void directories_follow_the_xdg_specification(void **state)
{
    char *path = NULL;

    (void)state;
    CLEANUP_FREE char *home = xstrdup(getenv("HOME") ? getenv("HOME") : "/");
    setenv("HOME", "/home/me/", 1);
    unsetenv("XDG_CONFIG_HOME");
    setenv("XDG_STATE_HOME", "relative/is/ignored", 1);
    err_code code = platform_config_directory(&path, NULL);
    expect_path(code, path, "/home/me/.config/berth");
    code = platform_state_directory(&path, NULL);
    expect_path(code, path, "/home/me/.local/state/berth");
    setenv("XDG_CONFIG_HOME", "/etc/x/", 1);
    setenv("XDG_STATE_HOME", "/var/x", 1);
    code = platform_config_directory(&path, NULL);
    expect_path(code, path, "/etc/x/berth");
    code = platform_state_directory(&path, NULL);
    expect_path(code, path, "/var/x/berth");
    code = platform_home_directory(&path, NULL);
    expect_path(code, path, "/home/me");
    unsetenv("HOME");
    assert_int_equal(platform_home_directory(&path, NULL), ERR_OK);
    assert_int_equal(*path, '/');
    free(path);
    setenv("HOME", home, 1);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("XDG_STATE_HOME");
}

static void the_machine_has_names(void **state)
{
    CLEANUP_FREE char *host = platform_host_name();
    CLEANUP_FREE char *user = platform_user_name();
    CLEANUP_FREE char *hint = platform_lock_hint_directory();
    CLEANUP_FREE char *boot = NULL, *again = NULL, *program = NULL;

    (void)state;
    assert_int_not_equal(strlen(host), 0);
    assert_int_not_equal(strlen(user), 0);
    assert_true(!*hint || !strcmp(hint, "/run/lock/berth"));
    assert_int_equal(platform_boot_id(&boot, NULL), ERR_OK);
    assert_int_equal(platform_boot_id(&again, NULL), ERR_OK);
    assert_int_equal(strlen(boot), 36);
    assert_string_equal(boot, again);
    assert_int_equal(platform_own_program(&program, NULL), ERR_OK);
    assert_int_equal(access(program, X_OK), 0);
}

static bool is_open_elsewhere(int fd)
{
    bool is_open;

    assert_int_equal(platform_is_open_elsewhere(fd, &is_open, NULL), ERR_OK);
    return is_open;
}

static void a_second_descriptor_or_a_mapping_is_open_elsewhere(void **state)
{
    char path[] = "/tmp/berth-lease-XXXXXX";
    int other = mkstemp(path);

    (void)state;
    assert_true(other >= 0);
    assert_int_equal(ftruncate(other, 4096), 0);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(is_open_elsewhere(fd));
    void *mapped =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
    assert_ptr_not_equal(mapped, MAP_FAILED);
    close(other);
    assert_true(is_open_elsewhere(fd));
    assert_int_equal(munmap(mapped, 4096), 0);
    assert_false(is_open_elsewhere(fd));
    close(fd);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest contract[] = {PLATFORM_IO_CONTRACT};
    const struct CMUnitTest own[] = {
        cmocka_unit_test(the_walk_can_be_forced),
        cmocka_unit_test(magic_links_are_refused),
        CONTRACT_TEST(a_directory_that_cannot_be_read_can_be_passed),
        CONTRACT_TEST(reading_leaves_the_access_time_alone),
        CONTRACT_TEST(a_file_of_somebody_else_is_read),
        CONTRACT_TEST(stat_and_mount_agree_on_the_mounts_number),
        cmocka_unit_test(the_root_directory_is_the_root_of_a_mount),
        cmocka_unit_test(kernel_filesystems_are_no_volumes),
        cmocka_unit_test(a_file_in_memory_is_never_verified),
        cmocka_unit_test(a_second_descriptor_or_a_mapping_is_open_elsewhere),
        cmocka_unit_test(directories_follow_the_xdg_specification),
        cmocka_unit_test(the_machine_has_names),
        cmocka_unit_test(nothing_wakes_while_nothing_happens),
    };

    return cmocka_run_group_tests_name("contract, openat2", contract, make_base,
                                       remove_base) +
           cmocka_run_group_tests_name("contract, component walk", contract,
                                       make_base_and_walk, remove_base) +
           cmocka_run_group_tests_name("linux", own, make_base, remove_base);
}
