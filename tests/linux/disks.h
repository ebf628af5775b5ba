/*
 * Real filesystems for tests: images on loop devices, in a world of the
 * program's own from which nothing is left behind when a test fails. Needs
 * root. Included once by a test program:
 *
 *     int main(void) { return run_with_disks(run_my_groups); }
 */
#ifndef BERTH_TESTS_LINUX_DISKS_H
#define BERTH_TESTS_LINUX_DISKS_H

#include "contract/scenery.h"

#include <linux/loop.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/*
 * systemd's libraries keep a random key for all hash tables, made by whoever
 * comes first and copied into each table (src/basic/hashmap.c, get_hash_key):
 * two that come at once may mix theirs, which is as random. Children of these
 * tests become other users and start threads.
 */
#define SEEN_BY_TSAN __attribute__((visibility("default")))
SEEN_BY_TSAN const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libudev.so\nrace:libsystemd.so\n";
}
SEEN_BY_TSAN const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}

static char *base; /* a private directory */

/* Runs a program without a shell; its output only shows when it fails. */
static int run(const char *const *arguments)
{
    char log[4096] = "";
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    close(ends[1]);
    fd_read_full(ends[0], log, sizeof log - 1);
    close(ends[0]);
    int status = -1;
    waitpid(child, &status, 0);
    if (status)
        print_message("%s: status %d: %s\n", arguments[0], status, log);
    return status;
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

UNUSED static bool has_program(const char *name)
{
    static const char *const directories[] = {"/sbin", "/usr/sbin", "/bin",
                                              "/usr/bin"};

    for (size_t i = 0; i < COUNT_OF(directories); i++) {
        CLEANUP_FREE char *path = path_join(directories[i], name);
        if (!access(path, X_OK))
            return true;
    }
    return false;
}

/* A mounted image. Fields are NULL until they are made. */
struct disk {
    char *image, *device, *mount_point;
    int loop_fd;
};

/* Another process may take the free device that we were told of. */
static int attach_loop(struct disk *disk)
{
    int control_fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    struct loop_config config = {.info.lo_flags = LO_FLAGS_AUTOCLEAR};
    int failed = -1;

    config.fd = (unsigned)open(disk->image, O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 16 && failed; i++) {
        int number = ioctl(control_fd, LOOP_CTL_GET_FREE);
        free(disk->device);
        disk->device = xasprintf("/dev/loop%d", number);
        disk->loop_fd = open(disk->device, O_RDWR | O_CLOEXEC);
        failed = ioctl(disk->loop_fd, LOOP_CONFIGURE, &config);
        if (failed)
            close(disk->loop_fd);
    }
    close((int)config.fd);
    close(control_fd);
    return failed;
}

static void make_image(struct disk *disk, const char *directory,
                       int64_t size_bytes)
{
    disk->image = xasprintf("%s/image-XXXXXX", directory);
    int fd = mkstemp(disk->image);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size_bytes), 0);
    close(fd);
    assert_int_equal(attach_loop(disk), 0);
}

static void make_mount_point(struct disk *disk)
{
    disk->mount_point = xasprintf("%s/mount-XXXXXX", base);
    assert_non_null(mkdtemp(disk->mount_point));
}

static void mount_disk(struct disk *disk, const char *type)
{
    make_mount_point(disk);
    if (!strcmp(type, "exfat"))
        assert_int_equal(
            RUN("mount.exfat-fuse", disk->device, disk->mount_point), 0);
    else
        assert_int_equal(mount(disk->device, disk->mount_point, type, 0, NULL),
                         0);
}

UNUSED static void disk_release(struct disk *disk)
{
    if (disk->mount_point) {
        for (int i = 0;
             i < 50 && umount2(disk->mount_point, 0) == -1 && errno == EBUSY;
             i++)
            poll(NULL, 0, 20); /* a FUSE server takes a moment to close */
        rmdir(disk->mount_point);
    }
    if (disk->loop_fd >= 0)
        close(disk->loop_fd);
    if (disk->image)
        unlink(disk->image);
    free(disk->image);
    free(disk->device);
    free(disk->mount_point);
}
#define CLEANUP_DISK CLEANUP(disk_release)
#define DISK_INIT                                                              \
    {                                                                          \
        .loop_fd = -1                                                          \
    }

static const int64_t disk_bytes = 320 * 1024 * 1024;

UNUSED static void make_ext4(struct disk *disk)
{
    make_image(disk, base, disk_bytes);
    assert_int_equal(RUN("mkfs.ext4", "-q", "-L", "Test disk", "-U",
                         "0E3F1A44-9A49-4B6C-8C07-5D3D6C6F9A10", disk->device),
                     0);
    mount_disk(disk, "ext4");
}

UNUSED static int open_root(const char *path)
{
    struct error err = ERROR_INIT;
    int fd = -1;

    if (platform_open_root(path, &fd, &err))
        fail_msg("%s", err.message);
    return fd;
}

/* --- a world of its own ------------------------------------------------- */

static pid_t world;

static void end_world(int signal_number)
{
    (void)signal_number;
    kill(world, SIGKILL);
}

static int exit_code_of(pid_t child)
{
    int status = -1;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Everything below a process of number 1 dies with it: the FUSE servers. */
NORETURN static void be_init(int (*tests)(void))
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mount("proc", "/proc", "proc", 0, NULL))
        _exit(1);
    pid_t child = fork();
    if (!child)
        exit(tests());
    _exit(exit_code_of(child));
}

/* Once its init is dead nobody in here can fork: so not in this process. */
NORETURN static void be_world(int (*tests)(void))
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWPID))
        _exit(1);
    pid_t init = fork();
    if (!init)
        be_init(tests);
    _exit(exit_code_of(init));
}

/*
 * This process keeps the mount namespace until the others are dead: a FUSE
 * server that is killed as its last holder unmounts what only it could answer
 * for, and hangs in the kernel for good [seen on 6.18].
 */
static int run_in_own_world(int (*tests)(void))
{
    if (unshare(CLONE_NEWNS) || prctl(PR_SET_CHILD_SUBREAPER, 1) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount(base, base, NULL, MS_BIND, NULL))
        return 1;
    fflush(NULL);
    world = fork();
    if (!world)
        be_world(tests);
    signal(SIGTERM, end_world);
    signal(SIGINT, end_world);
    int code = exit_code_of(world);
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
    umount2("/proc", MNT_DETACH);
    umount2(base, MNT_DETACH); /* and all that is mounted below it */
    return code;
}

static void these_tests_need_root(void **state)
{
    (void)state;
    SKIP_BECAUSE("needs root, for loop devices and mounts");
}

static int run_with_disks(int (*tests)(void))
{
    const struct CMUnitTest none[] = {cmocka_unit_test(these_tests_need_root)};
    const char *temporary = getenv("TMPDIR");

    if (geteuid() || access("/dev/loop-control", R_OK | W_OK))
        return cmocka_run_group_tests_name("no disks", none, NULL, NULL);
    base = xasprintf("%s/disks-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(base))
        return 1;
    int failed = run_in_own_world(tests);
    remove_tree(base);
    free(base);
    return failed;
}

#endif
