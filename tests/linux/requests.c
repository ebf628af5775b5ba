/*
 * Mounting, unmounting and powering off, with the real udevd, D-Bus and
 * UDisks2, and without them.
 */
#include "linux/daemons.h"

#include "platform/linux/linux_udisks.h"
#include "platform/platform.h"

static struct platform *platform;

static int open_platform(void **state)
{
    (void)state;
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    return 0;
}

static int close_platform(void **state)
{
    platform_free(platform);
    platform = NULL;
    return leave_unmounted(state);
}

/* --- helpers --- */

static err_code wait_and_free(struct platform_request *request,
                              struct error *err)
{
    bool is_done = false;
    err_code code = platform_wait(request, 20000, &is_done, err);

    assert_true(is_done);
    platform_request_free(request);
    return code;
}

static err_code unmount_stick(struct error *err)
{
    return wait_and_free(platform_unmount(platform, stick.device), err);
}

static void mount_stick(void)
{
    struct error err = ERROR_INIT;

    if (wait_and_free(platform_mount(platform, stick.device), &err))
        fail_msg("%s", err.message);
}

/* A copy of what is listed of the stick; false when it is not listed. */
struct listed {
    char drive[64], family[32], label[32], mount_point[256];
    size_t mount_points;
};

static bool is_listed(const struct disk *disk, struct listed *out)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = {.drives = {.items = NULL}};

    *out = (struct listed){.mount_points = 0};
    assert_int_equal(platform_list_devices(platform, &devices, NULL), ERR_OK);
    for (size_t i = 0; i < devices.volumes.count; i++) {
        const struct platform_volume *volume = &devices.volumes.items[i];
        if (strcmp(volume->device, disk->device) != 0)
            continue;
        snprintf(out->drive, sizeof out->drive, "%s", volume->drive);
        snprintf(out->family, sizeof out->family, "%s", volume->family);
        snprintf(out->label, sizeof out->label, "%s", volume->fs_label);
        out->mount_points = volume->mount_point_count;
        if (out->mount_points)
            snprintf(out->mount_point, sizeof out->mount_point, "%s",
                     volume->mount_points[0]);
        return true;
    }
    return false;
}

static bool is_wakened(int timeout_ms)
{
    struct pollfd wake = {.fd = platform_wake_fd(platform), .events = POLLIN};
    bool is = poll(&wake, 1, timeout_ms) == 1;

    platform_acknowledge(platform);
    return is;
}

/* --- mount and unmount --- */

static void volume_is_mounted_where_the_system_would(void **state)
{
    struct listed found;

    (void)state;
    mount_stick();
    assert_true(is_listed(&stick, &found));
    assert_string_equal(found.mount_point, "/media/root/Stick");
    assert_string_equal(found.family, "ext4");
    assert_string_equal(found.label, "Stick");
    assert_true(is_wakened(2000));
    assert_int_equal(unmount_stick(NULL), ERR_OK);
    assert_true(is_listed(&stick, &found));
    assert_int_equal(found.mount_points, 0);
    /* UDisks2 takes its mount point away, too */
    assert_false(is_there("/media/root/Stick"));
}

static void mounting_twice_and_unmounting_twice_is_done(void **state)
{
    (void)state;
    mount_stick();
    mount_stick();
    assert_int_equal(unmount_stick(NULL), ERR_OK);
    assert_int_equal(unmount_stick(NULL), ERR_OK);
}

static void busy_volume_reports_busy_and_can_be_retried(void **state)
{
    struct error err = ERROR_INIT;

    (void)state;
    mount_stick();
    int fd = open("/media/root/Stick", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(unmount_stick(&err), ERR_BUSY);
    CLEANUP_FREE char *words =
        xasprintf("cannot unmount %s: it is in use", stick.device);
    assert_string_equal(err.message, words);
    close(fd);
    assert_int_equal(unmount_stick(&err), ERR_OK);
}

static void every_mount_of_a_volume_goes(void **state)
{
    CLEANUP_FREE char *second = path_join(base, "second");
    struct listed found;

    (void)state;
    mount_stick();
    assert_int_equal(mkdir(second, 0700), 0);
    assert_int_equal(mount("/media/root/Stick", second, NULL, MS_BIND, NULL),
                     0);
    assert_true(is_listed(&stick, &found));
    assert_int_equal(found.mount_points, 2);
    assert_int_equal(unmount_stick(NULL), ERR_OK);
    assert_true(is_listed(&stick, &found));
    assert_int_equal(found.mount_points, 0);
    rmdir(second);
}

static void what_is_mounted_over_is_not_unmounted_instead(void **state)
{
    CLEANUP_FREE char *point = path_join(base, "point");

    (void)state;
    assert_int_equal(mkdir(point, 0700), 0);
    assert_int_equal(mount(stick.device, point, "ext4", 0, NULL), 0);
    assert_int_equal(mount("none", point, "tmpfs", 0, NULL), 0);
    assert_int_equal(unmount_stick(NULL), ERR_BUSY);
    assert_int_equal(umount2(point, 0), 0);
    assert_int_equal(unmount_stick(NULL), ERR_OK);
    assert_int_equal(rmdir(point), 0);
}

static void device_that_is_not_there_is_gone(void **state)
{
    struct error err = ERROR_INIT;

    (void)state;
    err_code code =
        wait_and_free(platform_unmount(platform, "/dev/sdz9"), &err);
    assert_int_equal(code, ERR_DEVICE_GONE);
    code = wait_and_free(platform_mount(platform, "/dev/sdz9"), &err);
    assert_int_equal(code, ERR_DEVICE_GONE);
    assert_string_equal(err.message, "cannot mount /dev/sdz9: it is not "
                                     "plugged in any more");
}

static void what_holds_no_filesystem_cannot_be_mounted(void **state)
{
    (void)state;
    assert_int_equal(
        wait_and_free(platform_mount(platform, blank.device), NULL),
        ERR_UNSUPPORTED);
}

static void locking_what_is_not_encrypted_is_done(void **state)
{
    (void)state;
    assert_int_equal(wait_and_free(platform_lock(platform, stick.device), NULL),
                     ERR_OK);
}

/* --- power off --- */

static void image_cannot_be_powered_off(void **state)
{
    struct error err = ERROR_INIT;
    struct listed found;
    bool is_done = false;

    (void)state;
    assert_true(is_listed(&stick, &found));
    struct platform_request *request =
        platform_power_off(platform, found.drive);
    assert_int_equal(platform_wait(request, 5000, &is_done, &err),
                     ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "cannot be powered off"));
    assert_false(platform_request_proof(request).flush_seen);
    platform_request_free(request);
}

static void mounted_drive_is_not_powered_off(void **state)
{
    struct error err = ERROR_INIT;
    struct listed found;

    (void)state;
    mount_stick();
    assert_true(is_listed(&stick, &found));
    assert_int_equal(
        wait_and_free(platform_power_off(platform, found.drive), &err),
        ERR_BUSY);
    assert_non_null(strstr(err.message, "is mounted"));
}

/* --- rights --- */

/*
 * The request of an ordinary user, made by this program started anew: a child
 * that is only forked must not start threads under TSan.
 */
static const char other_user[] = "--as-somebody-else";

static int as_nobody(const char *verb, const char *words)
{
    char *const arguments[] = {
        (char *)(uintptr_t) "requests", (char *)(uintptr_t)other_user,
        (char *)(uintptr_t)verb,        stick.device,
        (char *)(uintptr_t)words,       NULL};
    int status = -1;
    pid_t child = fork();

    if (!child) {
        if (!setresuid(65534, 65534, 65534))
            execv("/proc/self/exe", arguments);
        _exit(100);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}

/* 0 when the request is denied, with these words in its message. */
static int request_and_expect_denial(char **arguments)
{
    struct error err = ERROR_INIT;
    bool is_done = false;

    if (platform_new(&platform, NULL))
        return 101;
    struct platform_request *request =
        strcmp(arguments[2], "mount") != 0
            ? platform_unmount(platform, arguments[3])
            : platform_mount(platform, arguments[3]);
    err_code code = platform_wait(request, 20000, &is_done, &err);
    platform_request_free(request);
    platform_free(platform);
    if (code == ERR_DENIED && strstr(err.message, arguments[4]))
        return 0;
    printf("%s: %s\n", error_code_name(code), err.message);
    return 1;
}

static void user_without_a_seat_is_told_what_helps(void **state)
{
    (void)state;
    assert_int_equal(as_nobody("mount", "polkit rule must allow "
                                        "org.freedesktop.udisks2.filesystem-"
                                        "mount"),
                     0);
    mount_stick();
    assert_int_equal(as_nobody("unmount", "filesystem-unmount-others"), 0);
}

/* --- without UDisks2 --- */

static int open_platform_without_bus(void **state)
{
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/at/all", 1);
    return open_platform(state);
}

static int close_platform_without_bus(void **state)
{
    unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
    return close_platform(state);
}

static void make_plain_mount(char **out_point)
{
    *out_point = path_join(base, "plain");
    assert_int_equal(mkdir(*out_point, 0755), 0);
    assert_int_equal(mount(stick.device, *out_point, "ext4", 0, NULL), 0);
}

static void root_unmounts_without_udisks(void **state)
{
    CLEANUP_FREE char *point = NULL;

    (void)state;
    make_plain_mount(&point);
    int fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(unmount_stick(NULL), ERR_BUSY);
    close(fd);
    assert_int_equal(unmount_stick(NULL), ERR_OK);
    assert_int_equal(rmdir(point), 0);
}

static void user_without_udisks_is_told(void **state)
{
    CLEANUP_FREE char *point = NULL;

    (void)state;
    make_plain_mount(&point);
    assert_int_equal(as_nobody("unmount", "only root may"), 0);
    assert_int_equal(unmount_stick(NULL), ERR_OK);
    assert_int_equal(rmdir(point), 0);
}

static void nothing_is_mounted_without_udisks(void **state)
{
    (void)state;
    assert_int_equal(
        wait_and_free(platform_mount(platform, stick.device), NULL),
        ERR_UNSUPPORTED);
}

static void fstab_is_obeyed_without_udisks(void **state)
{
    CLEANUP_FREE char *point = path_join(base, "fstab point");
    CLEANUP_FREE char *table = path_join(base, "fstab");
    CLEANUP_FREE char *line =
        xasprintf("LABEL=Stick %s/fstab\\040point ext4 noauto 0 0\n", base);
    struct listed found;

    (void)state;
    assert_int_equal(mkdir(point, 0700), 0);
    assert_int_equal(file_replace(table, line, strlen(line), 0644, NULL),
                     ERR_OK);
    assert_int_equal(mount(table, "/etc/fstab", NULL, MS_BIND, NULL), 0);
    for (int i = 0; i < 2; i++) /* the second time it is mounted already */
        mount_stick();
    assert_true(is_listed(&stick, &found));
    assert_string_equal(found.mount_point, point);
    assert_int_equal(umount2("/etc/fstab", 0), 0);
    assert_int_equal(unmount_stick(NULL), ERR_OK);
    assert_int_equal(rmdir(point), 0);
}

/* --- requests that nobody waits for --- */

static void request_that_takes_long_is_not_done_yet(void **state)
{
    bool is_done = true;

    (void)state;
    mount_stick();
    signal_udisks(SIGSTOP);
    struct platform_request *request = platform_unmount(platform, stick.device);
    assert_int_equal(platform_wait(request, 300, &is_done, NULL), ERR_OK);
    assert_false(is_done);
    signal_udisks(SIGCONT);
    assert_int_equal(wait_and_free(request, NULL), ERR_OK);
}

static void platform_ends_while_a_request_runs(void **state)
{
    struct error err = ERROR_INIT;
    struct platform *own = NULL;
    bool is_done = true;

    (void)state;
    mount_stick();
    assert_int_equal(platform_new(&own, NULL), ERR_OK);
    signal_udisks(SIGSTOP);
    struct platform_request *waiting = platform_unmount(own, stick.device);
    platform_request_free(platform_unmount(own, stick.device));
    assert_int_equal(platform_wait(waiting, 300, &is_done, NULL), ERR_OK);
    assert_false(is_done);
    platform_free(own);
    assert_int_equal(wait_and_free(waiting, &err), ERR_CANCELLED);
    signal_udisks(SIGCONT);
}

static void many_requests_at_once_are_answered(void **state)
{
    struct platform_request *requests[16];

    (void)state;
    for (int i = 0; i < 16; i++)
        requests[i] = i % 2 ? platform_mount(platform, stick.device)
                            : platform_unmount(platform, stick.device);
    for (int i = 0; i < 8; i++)
        platform_request_free(requests[i]);
    for (int i = 8; i < 16; i++) {
        err_code code = wait_and_free(requests[i], NULL);
        assert_true(code == ERR_OK || code == ERR_IO || code == ERR_BUSY);
    }
    WAIT_FOR(unmount_stick(NULL) == ERR_OK);
}

static void udisks_that_dies_does_not_leave_us_waiting(void **state)
{
    struct error err = ERROR_INIT;

    (void)state;
    mount_stick();
    signal_udisks(SIGSTOP);
    struct platform_request *request = platform_unmount(platform, stick.device);
    poll(NULL, 0, 200);
    signal_udisks(SIGKILL);
    err_code code = wait_and_free(request, &err);
    assert_true(code == ERR_OK || code == ERR_IO);
    start_udisks();
}

/* --- news --- */

static void filesystem_that_udev_finds_wakes(void **state)
{
    struct listed found;

    (void)state;
    assert_false(is_listed(&blank, &found));
    is_wakened(500);
    assert_int_equal(RUN("mkfs.ext4", "-q", "-L", "New", blank.device), 0);
    WAIT_FOR(is_wakened(0) && is_listed(&blank, &found));
    assert_string_equal(found.label, "New");
    assert_int_equal(RUN("wipefs", "-q", "-a", blank.device), 0);
    WAIT_FOR(is_wakened(0) && !is_listed(&blank, &found));
}

static void rename_into(const char *directory, const char *from, const char *to)
{
    CLEANUP_FREE char *old = path_join(directory, from);
    CLEANUP_FREE char *new = path_join(directory, to);

    close(open(old, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(rename(old, new), 0);
}

static const char hints[] = "/run/lock/berth";

static void lock_something_else(void)
{
    close(open("/run/lock/of-others", O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(unlink("/run/lock/of-others"), 0);
}

static void publish_own_run(void)
{
    CLEANUP_FREE char *own = xasprintf("ID.%ld", (long)getpid());

    rename_into(hints, own, "ID");
}

/* The devices of tests beside this one are news, too: what does not wake is
 * quiet at least once. */
static bool wakes(void (*deed)(void))
{
    for (int i = 0; i < 100; i++) {
        is_wakened(50);
        deed();
        if (!is_wakened(100))
            return false;
    }
    return true;
}

static void run_of_another_process_wakes(void **state)
{
    (void)state;
    assert_false(wakes(lock_something_else));
    assert_int_equal(mkdir(hints, 0755), 0);
    assert_true(is_wakened(2000));
    for (int i = 0; i < 2; i++) {
        rename_into(hints, "ID.1", "ID");
        assert_true(is_wakened(2000));
        assert_false(wakes(publish_own_run));
    }
    assert_int_equal(unlink("/run/lock/berth/ID"), 0);
    assert_true(is_wakened(2000));
    assert_int_equal(rmdir(hints), 0);
    assert_true(is_wakened(2000));
    assert_int_equal(mkdir(hints, 0755), 0);
    assert_true(is_wakened(2000));
    assert_int_equal(rmdir(hints), 0);
}

/* --- what UDisks2 says --- */

static void errors_of_udisks_become_codes(void **state)
{
#define UDISKS "org.freedesktop.UDisks2.Error."
#define DBUS "org.freedesktop.DBus.Error."
    static const struct {
        const char *name, *words;
        err_code code;
    } cases[] = {
        {UDISKS "DeviceBusy", "", ERR_BUSY},
        {UDISKS "NotAuthorized", "", ERR_DENIED},
        {UDISKS "NotAuthorizedCanObtain", "", ERR_DENIED},
        {UDISKS "NotAuthorizedDismissed", "", ERR_DENIED},
        {UDISKS "OptionNotPermitted", "", ERR_DENIED},
        {DBUS "NoReply", "", ERR_CHANGED},
        {UDISKS "NotMounted", "", ERR_OK},
        {UDISKS "AlreadyUnmounting", "", ERR_OK},
        {UDISKS "NotSupported", "", ERR_UNSUPPORTED},
        {UDISKS "Failed", "Error opening /dev/sdb: Device or resource busy",
         ERR_BUSY},
        {UDISKS "Failed", "Error syncing /dev/sdb", ERR_IO},
        {DBUS "ServiceUnknown", "", ERR_NOT_FOUND},
        {DBUS "Spawn.ChildExited", "", ERR_NOT_FOUND},
        {"org.freedesktop.systemd1.UnitMasked", "", ERR_NOT_FOUND},
        {"com.example.Nonsense", "", ERR_IO},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(linux_udisks_code(cases[i].name, cases[i].words),
                         cases[i].code);
}

/* -------------------------------------------------------------------------- */

#define REQUEST_TEST(test)                                                     \
    cmocka_unit_test_setup_teardown(test, open_platform, close_platform)
#define BARE_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_platform_without_bus,           \
                                    close_platform_without_bus)

static int run_group(void)
{
    const struct CMUnitTest none[] = {cmocka_unit_test(daemons_are_missing)};
    const struct CMUnitTest tests[] = {
        REQUEST_TEST(volume_is_mounted_where_the_system_would),
        REQUEST_TEST(mounting_twice_and_unmounting_twice_is_done),
        REQUEST_TEST(busy_volume_reports_busy_and_can_be_retried),
        REQUEST_TEST(every_mount_of_a_volume_goes),
        REQUEST_TEST(what_is_mounted_over_is_not_unmounted_instead),
        REQUEST_TEST(device_that_is_not_there_is_gone),
        REQUEST_TEST(what_holds_no_filesystem_cannot_be_mounted),
        REQUEST_TEST(locking_what_is_not_encrypted_is_done),
        REQUEST_TEST(image_cannot_be_powered_off),
        REQUEST_TEST(mounted_drive_is_not_powered_off),
        REQUEST_TEST(user_without_a_seat_is_told_what_helps),
        BARE_TEST(root_unmounts_without_udisks),
        BARE_TEST(user_without_udisks_is_told),
        BARE_TEST(nothing_is_mounted_without_udisks),
        BARE_TEST(fstab_is_obeyed_without_udisks),
        REQUEST_TEST(request_that_takes_long_is_not_done_yet),
        REQUEST_TEST(platform_ends_while_a_request_runs),
        REQUEST_TEST(many_requests_at_once_are_answered),
        REQUEST_TEST(udisks_that_dies_does_not_leave_us_waiting),
        REQUEST_TEST(filesystem_that_udev_finds_wakes),
        REQUEST_TEST(run_of_another_process_wakes),
        cmocka_unit_test(errors_of_udisks_become_codes),
    };

    if (!has_daemons())
        return cmocka_run_group_tests_name("no daemons", none, NULL, NULL);
    return cmocka_run_group_tests_name("requests", tests, set_up_system, NULL);
}

int main(int count, char **arguments)
{
    if (count == 5 && !strcmp(arguments[1], other_user))
        return request_and_expect_denial(arguments);
    return run_with_disks(run_group);
}
