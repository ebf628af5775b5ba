/*
 * A system of the test's own around two disks: udevd, D-Bus and UDisks2, the
 * real ones, with a /dev, /run and /media that nobody else sees. Needs root.
 * Included once by a test program, whose tests run within run_with_daemons.
 */
#ifndef BERTH_TESTS_LINUX_DAEMONS_H
#define BERTH_TESTS_LINUX_DAEMONS_H

#include "linux/disks.h"

#include <dirent.h>
#include <sys/sysmacros.h>
#include <systemd/sd-bus.h>

static struct disk stick = {.loop_fd = -1}; /* ext4, labelled "Stick" */
static struct disk blank = {.loop_fd = -1};

/* The first of the programs that is there; NULL. */
static const char *first_program(const char *const *paths)
{
    while (*paths && access(*paths, X_OK))
        paths++;
    return *paths;
}

static const char *const udevd_places[] = {"/usr/lib/systemd/systemd-udevd",
                                           "/lib/systemd/systemd-udevd", NULL};
static const char *const dbus_places[] = {"/usr/bin/dbus-daemon", NULL};
static const char *const udisksd_places[] = {"/usr/libexec/udisks2/udisksd",
                                             "/usr/lib/udisks2/udisksd", NULL};

/* --- directories --- */

static void mount_memory(const char *path)
{
    if (mkdir(path, 0755) && errno != EEXIST)
        fail_msg("mkdir %s: errno %d", path, errno);
    if (mount("none", path, "tmpfs", 0, "mode=755"))
        fail_msg("mount %s: errno %d", path, errno);
}

static void copy_node(const char *directory, const char *from)
{
    CLEANUP_FREE char *to = path_join(directory, path_name(from));
    struct stat found;

    if (!stat(from, &found))
        mknod(to, found.st_mode, found.st_rdev);
}

/*
 * udevd works on every node that it finds: it must not find those of other
 * tests. What it does to ours stays in here.
 */
static void make_own_dev(void)
{
    static const char *const nodes[] = {
        "/dev/null",    "/dev/zero", "/dev/full", "/dev/random",
        "/dev/urandom", "/dev/tty",  "/dev/fuse", "/dev/loop-control"};
    CLEANUP_FREE char *directory = path_join(base, "dev");

    mount_memory(directory);
    for (size_t i = 0; i < COUNT_OF(nodes); i++)
        copy_node(directory, nodes[i]);
    copy_node(directory, stick.device);
    copy_node(directory, blank.device);
    assert_int_equal(mount(directory, "/dev", NULL, MS_MOVE, NULL), 0);
}

static void make_directories(void)
{
    static const char *const below_run[] = {"/run/udev", "/run/dbus",
                                            "/run/lock", "/run/udisks2"};

    mount_memory("/run");
    for (size_t i = 0; i < COUNT_OF(below_run); i++)
        assert_int_equal(mkdir(below_run[i], 0755), 0);
    mount_memory("/media");
    mount_memory("/var/lib/udisks2");
}

/* --- daemons --- */

static pid_t start_daemon(const char *const *arguments)
{
    CLEANUP_FREE char *log =
        xasprintf("%s/%s.log", base, path_name(arguments[0]));
    pid_t child = fork();

    if (child)
        return child;
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execv(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}
#define START(...) start_daemon((const char *const[]){__VA_ARGS__, NULL})

static bool is_there(const char *path)
{
    return !access(path, F_OK);
}

/* Asks the bus, not UDisks2: a question to it would start one, too. */
static pid_t udisks_pid(void)
{
    sd_bus *bus = NULL;
    sd_bus_message *answer = NULL;
    uint32_t pid = 0;

    if (sd_bus_open_system(&bus) < 0 ||
        sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "GetConnectionUnixProcessID",
                           NULL, &answer, "s", "org.freedesktop.UDisks2") < 0 ||
        sd_bus_message_read(answer, "u", &pid) < 0)
        pid = 0;
    sd_bus_message_unref(answer);
    sd_bus_flush_close_unref(bus);
    return (pid_t)pid;
}

#define WAIT_FOR(condition)                                                    \
    do {                                                                       \
        int left_ = 600;                                                       \
        while (!(condition) && left_--)                                        \
            poll(NULL, 0, 50);                                                 \
        assert_true(left_ >= 0);                                               \
    } while (0)

UNUSED static void signal_udisks(int signal_number)
{
    pid_t pid = udisks_pid();

    assert_true(pid > 1);
    assert_int_equal(kill(pid, signal_number), 0);
}

static void start_udisks(void)
{
    pid_t child =
        START(first_program(udisksd_places), "--no-debug", "--replace");

    WAIT_FOR(udisks_pid() == child);
}

static void start_daemons(void)
{
    START(first_program(udevd_places), "--resolve-names=never");
    START(first_program(dbus_places), "--system", "--nofork", "--nopidfile");
    WAIT_FOR(is_there("/run/udev/control"));
    WAIT_FOR(is_there("/run/dbus/system_bus_socket"));
    start_udisks();
}

/* --- devices --- */

/* udev hears of a device that was there before it. */
static void announce(const struct disk *disk)
{
    CLEANUP_FREE char *path =
        xasprintf("/sys/class/block/%s/uevent", path_name(disk->device));
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_int_equal(fd_write_full(fd, "change", strlen("change")), 0);
    close(fd);
}

/* Of what type UDisks2 says it is. */
static bool is_known_as(const struct disk *disk, const char *type)
{
    CLEANUP_FREE char *path = xasprintf(
        "/org/freedesktop/UDisks2/block_devices/%s", path_name(disk->device));
    sd_bus *bus = NULL;
    char *found = NULL;
    bool is = sd_bus_open_system(&bus) >= 0 &&
              sd_bus_get_property_string(bus, "org.freedesktop.UDisks2", path,
                                         "org.freedesktop.UDisks2.Block",
                                         "IdType", NULL, &found) >= 0 &&
              !strcmp(found, type);

    free(found);
    sd_bus_flush_close_unref(bus);
    return is;
}

static int set_up_system(void **state)
{
    (void)state;
    assert_int_equal(unshare(CLONE_NEWNET), 0); /* uevents are sent to each */
    make_image(&stick, base, disk_bytes);
    make_image(&blank, base, disk_bytes);
    assert_int_equal(RUN("mkfs.ext4", "-q", "-L", "Stick", stick.device), 0);
    make_own_dev();
    make_directories();
    start_daemons();
    announce(&stick);
    announce(&blank);
    WAIT_FOR(is_known_as(&stick, "ext4") && is_known_as(&blank, ""));
    return 0;
}

static void daemons_are_missing(void **state)
{
    (void)state;
    SKIP_BECAUSE("needs systemd-udevd, dbus-daemon and udisksd");
}

static bool has_daemons(void)
{
    return first_program(udevd_places) && first_program(dbus_places) &&
           first_program(udisksd_places);
}

/* Whatever the test did, the next one finds the stick unmounted. */
static int leave_unmounted(void **state)
{
    CLEANUP_FREE char *words = xasprintf(" %s ", stick.device);
    CLEANUP(strbuf_release) struct strbuf mounts = STRBUF_INIT;

    (void)state;
    assert_int_equal(
        file_read("/proc/self/mountinfo", 1024 * 1024, &mounts, NULL), ERR_OK);
    if (strstr(mounts.text, words))
        RUN("umount", "--quiet", "--all-targets", stick.device);
    return 0;
}

#endif
