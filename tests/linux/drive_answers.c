/*
 * What a drive answers, and what is made of it: to SYNCHRONIZE CACHE and START
 * STOP UNIT while it is powered off, and what the kernel counts of it. The
 * drive is a recorded one (umockdev), its answers are these tests' own.
 */
#include "linux/mock_machine.h"

#include "core/base/path.h"
#include "core/base/thread.h"
#include "platform/linux/linux_health.h"
#include "platform/linux/linux_scsi.h"
#include "platform/platform.h"

#include <errno.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <sys/stat.h>

static const char usb_path[] = "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-3";
static const char stick_id[] = "sdb.10";

/* --- a disk that answers --- */

enum { SYNCHRONIZE = 0x35, STOP = 0x1b, COMMANDS = 256 };

/* By the first byte of the command: what comes back. */
struct answer {
    int os_errno; /* of the ioctl itself */
    unsigned char status, sense_key;
    int times; /* how often it is answered so, before all is well; 0: always */
    bool is_last; /* the disk is pulled out while it answers */
    int asked;
};

/* Held while the disk answers. The tests go on when they have the answer, and
 * it then still writes: answers_rest() waits for that. */
static pthread_mutex_t answering = PTHREAD_MUTEX_INITIALIZER;
static struct answer answers[COMMANDS], others[COMMANDS];
static UMockdevTestbed *testbed;

static const char disk_path[] =
    "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/host3/"
    "target3:0:0/3:0:0:0/block/sdb";

#define TYPE_DISK (disk_get_type())
typedef struct {
    UMockdevIoctlBase parent;
} Disk;
typedef struct {
    UMockdevIoctlBaseClass parent;
} DiskClass;
GType disk_get_type(void);
G_DEFINE_TYPE(Disk, disk, UMOCKDEV_TYPE_IOCTL_BASE)

static void disk_init(Disk *disk)
{
    (void)disk;
}

static void give_answer(UMockdevIoctlClient *client, UMockdevIoctlData *header,
                        const struct sg_io_hdr *asked, struct answer *answer)
{
    bool is_bad = !answer->times || answer->asked <= answer->times;
    struct sg_io_hdr answered = *asked;
    unsigned char sense[32] = {0x70, 0, answer->sense_key};

    if (is_bad && answer->os_errno) {
        umockdev_ioctl_client_complete(client, -1, answer->os_errno);
        return;
    }
    answered.status = is_bad ? answer->status : 0;
    if (answered.status) {
        UMockdevIoctlData *data = umockdev_ioctl_data_resolve(
            header, offsetof(struct sg_io_hdr, sbp), sizeof sense, NULL);
        umockdev_ioctl_data_update(data, 0, sense, sizeof sense);
        g_object_unref(data);
        answered.sb_len_wr = sizeof sense;
    }
    answered.sbp = NULL; /* pointers are the client's */
    umockdev_ioctl_data_update(
        header, offsetof(struct sg_io_hdr, status),
        (guint8 *)&answered + offsetof(struct sg_io_hdr, status),
        sizeof answered - offsetof(struct sg_io_hdr, status));
    umockdev_ioctl_client_complete(client, 0, 0);
}

static void answers_rest(void)
{
    mutex_lock(&answering);
    mutex_unlock(&answering);
}

static gboolean handle_ioctl(UMockdevIoctlBase *base,
                             UMockdevIoctlClient *client)
{
    UMockdevIoctlData *argument = umockdev_ioctl_client_get_arg(client);
    const struct sg_io_hdr *asked;

    (void)base;
    if (umockdev_ioctl_client_get_request(client) != SG_IO)
        return FALSE;
    UMockdevIoctlData *header =
        umockdev_ioctl_data_resolve(argument, 0, sizeof *asked, NULL);
    asked = (const void *)header->data;
    UMockdevIoctlData *command = umockdev_ioctl_data_resolve(
        header, offsetof(struct sg_io_hdr, cmdp), asked->cmd_len, NULL);
    bool is_other =
        !strcmp(umockdev_ioctl_client_get_devnode(client), "/dev/sdx");
    struct answer *answer = (is_other ? others : answers) + command->data[0];
    mutex_lock(&answering);
    answer->asked++;
    if (answer->is_last)
        umockdev_testbed_remove_device(testbed, disk_path);
    give_answer(client, header, asked, answer);
    mutex_unlock(&answering);
    g_object_unref(command);
    g_object_unref(header);
    return TRUE;
}

static void disk_class_init(DiskClass *class)
{
    class->parent.handle_ioctl = handle_ioctl;
}

/* --- the machine --- */

static struct platform *platform;
static UMockdevIoctlBase *disk;

static int set_up(void **state)
{
    (void)state;
    memset(answers, 0, sizeof answers);
    memset(others, 0, sizeof others);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/at/all", 1);
    setenv("PATH", "/nowhere", 1); /* smartctl would ask the real machine */
    testbed = umockdev_testbed_new();
    load_devices(testbed, "unpartitioned-stick");
    umockdev_testbed_set_attribute(testbed, usb_path, "remove", "");
    disk = g_object_new(TYPE_DISK, NULL);
    assert_true(umockdev_testbed_attach_ioctl(testbed, "/dev/sdb", disk, NULL));
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    platform_free(platform);
    umockdev_testbed_detach_ioctl(testbed, "/dev/sdb", NULL);
    g_object_unref(disk);
    g_object_unref(testbed);
    return 0;
}

static void make_directories(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(path, 0755);
        *at = '/';
    }
}

/* A file of sysfs that belongs to no device: "fs/ext4/sdb/errors_count". */
static void write_sys(const char *name, const char *text)
{
    gchar *root = umockdev_testbed_get_sys_dir(testbed);
    CLEANUP_FREE char *path = path_join(root, name);

    make_directories(path);
    assert_int_equal(file_replace(path, text, strlen(text), 0644, NULL),
                     ERR_OK);
    g_free(root);
}

/* --- power off --- */

static bool was_removed(void)
{
    CLEANUP_FREE char *path = path_join(usb_path, "remove");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    assert_int_equal(file_read(path, 64, &text, NULL), ERR_OK);
    return !strcmp(text.text, "1");
}

static err_code power_off(struct platform_power_proof *out_proof,
                          struct error *err)
{
    answers_rest(); /* as the test has written them */
    struct platform_request *request = platform_power_off(platform, stick_id);
    bool is_done = false;
    err_code code = platform_wait(request, 10000, &is_done, err);

    answers_rest();
    assert_true(is_done);
    *out_proof = platform_request_proof(request);
    platform_request_free(request);
    return code;
}

static void flush_and_stop_that_were_seen_are_proof(void **state)
{
    struct platform_power_proof proof;

    (void)state;
    assert_int_equal(power_off(&proof, NULL), ERR_OK);
    assert_true(proof.flush_seen && proof.stop_seen);
    assert_false(proof.flush_failed || proof.stop_failed);
    assert_int_equal(answers[SYNCHRONIZE].asked, 1);
    assert_int_equal(answers[STOP].asked, 1);
    assert_true(was_removed());
}

static void disk_that_fails_to_flush_stays(void **state)
{
    struct platform_power_proof proof;
    struct error err = ERROR_INIT;

    (void)state;
    answers[SYNCHRONIZE] = (struct answer){.status = 2, .sense_key = 4};
    assert_int_equal(power_off(&proof, &err), ERR_IO);
    assert_string_equal(err.message, "/dev/sdb did not empty its cache");
    assert_true(proof.flush_failed);
    assert_false(proof.flush_seen || proof.stop_seen);
    assert_int_equal(answers[STOP].asked, 0);
    assert_false(was_removed());
}

static void disk_without_the_command_is_no_proof(void **state)
{
    struct platform_power_proof proof;

    (void)state;
    answers[SYNCHRONIZE] = (struct answer){.status = 2, .sense_key = 5};
    assert_int_equal(power_off(&proof, NULL), ERR_OK);
    assert_false(proof.flush_seen || proof.flush_failed);
    assert_true(proof.stop_seen && was_removed());
}

static void command_that_may_not_be_sent_is_neither_good_nor_bad(void **state)
{
    static const int refusals[] = {EPERM, ENOTTY};
    struct platform_power_proof proof;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        answers[SYNCHRONIZE] = (struct answer){.os_errno = refusals[i]};
        answers[STOP] = (struct answer){.os_errno = refusals[i]};
        assert_int_equal(power_off(&proof, NULL), ERR_OK);
        assert_false(proof.flush_seen || proof.flush_failed);
        assert_false(proof.stop_seen || proof.stop_failed);
    }
}

static void disk_that_does_not_stop_says_so(void **state)
{
    struct platform_power_proof proof;

    (void)state;
    answers[STOP] = (struct answer){.status = 2, .sense_key = 4};
    assert_int_equal(power_off(&proof, NULL), ERR_OK);
    assert_true(proof.flush_seen && proof.stop_failed);
    assert_false(proof.stop_seen);
}

static void disk_that_was_reset_is_asked_again(void **state)
{
    struct platform_power_proof proof;

    (void)state;
    answers[SYNCHRONIZE] =
        (struct answer){.status = 2, .sense_key = 6, .times = 1};
    assert_int_equal(power_off(&proof, NULL), ERR_OK);
    assert_true(proof.flush_seen);
    assert_int_equal(answers[SYNCHRONIZE].asked, 2);
}

static void disk_that_vanishes_meanwhile_is_gone(void **state)
{
    struct platform_power_proof proof;
    struct error err = ERROR_INIT;

    (void)state;
    answers[SYNCHRONIZE] = (struct answer){.os_errno = ENODEV, .is_last = true};
    assert_int_equal(power_off(&proof, &err), ERR_DEVICE_GONE);
    assert_string_equal(err.message,
                        "/dev/sdb was pulled out while it was powered off");
    assert_false(proof.flush_seen);
    assert_true(proof.flush_failed);
}

/* Another disk in the same case leaves with it. */
static void plug_in_companion(void)
{
    GError *error = NULL;

    umockdev_testbed_add_from_string(
        testbed,
        "P: /devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/block/sdx\n"
        "N: sdx\nE: DEVNAME=/dev/sdx\nE: DEVTYPE=disk\nE: MAJOR=65\n"
        "E: MINOR=112\nE: SUBSYSTEM=block\nA: dev=65:112\nA: diskseq=11\n"
        "A: size=2000000\n",
        &error);
    assert_null(error);
    assert_true(umockdev_testbed_attach_ioctl(testbed, "/dev/sdx", disk, NULL));
}

static void disk_that_leaves_too_is_flushed_and_stopped(void **state)
{
    struct platform_power_proof proof;

    (void)state;
    plug_in_companion();
    assert_int_equal(power_off(&proof, NULL), ERR_OK);
    assert_int_equal(others[SYNCHRONIZE].asked, 1);
    assert_int_equal(others[STOP].asked, 1);
    assert_true(was_removed());
}

static void disk_that_leaves_too_and_fails_keeps_both(void **state)
{
    struct platform_power_proof proof;
    struct error err = ERROR_INIT;

    (void)state;
    plug_in_companion();
    others[SYNCHRONIZE] = (struct answer){.status = 2, .sense_key = 4};
    assert_int_equal(power_off(&proof, &err), ERR_IO);
    assert_string_equal(err.message, "/dev/sdx, which would leave with it, did "
                                     "not empty its cache");
    assert_int_equal(answers[STOP].asked, 0);
    assert_false(was_removed());
}

/* --- what is unwritten --- */

static void unwritten_is_of_the_machine_and_the_rest_of_the_drive(void **state)
{
    CLEANUP(strbuf_release) struct strbuf meminfo = STRBUF_INIT;
    struct platform_unwritten found;

    (void)state;
    assert_int_equal(platform_read_unwritten(platform, stick_id, &found, NULL),
                     ERR_OK);
    assert_int_equal(found.written_bytes, 8000 * 512);
    assert_int_equal(found.in_flight, 0);
    assert_int_equal(file_read("/proc/meminfo", 64 * 1024, &meminfo, NULL),
                     ERR_OK);
    assert_true(found.system_bytes >= 0 && found.system_bytes % 1024 == 0);
    assert_int_equal(platform_read_unwritten(platform, "sdb.9", &found, NULL),
                     ERR_DEVICE_GONE);
}

static void requests_under_way_are_counted(void **state)
{
    struct platform_unwritten found;

    (void)state;
    umockdev_testbed_set_attribute(testbed, disk_path, "inflight",
                                   "       2       30\n");
    assert_int_equal(platform_read_unwritten(platform, stick_id, &found, NULL),
                     ERR_OK);
    assert_int_equal(found.in_flight, 32);
}

/* --- health --- */

static void read_health(struct platform_health *out)
{
    struct error err = ERROR_INIT;

    if (platform_read_health(platform, stick_id, out, &err))
        fail_msg("%s", err.message);
}

static void what_nobody_counts_is_unknown(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    read_health(&found);
    assert_int_equal(found.smart, PLATFORM_SMART_UNKNOWN);
    assert_int_equal(found.temperature_c, -1);
    assert_int_equal(found.power_on_hours, -1);
    assert_int_equal(found.fs_errors, -1);
    assert_int_equal(found.is_dirty, -1);
    assert_int_equal(found.has_under_voltage, -1);
    assert_int_equal(found.attribute_count, 0);
    assert_int_equal(platform_read_health(platform, "sdb.9", &found, NULL),
                     ERR_DEVICE_GONE);
}

static void errors_of_filesystems_are_added_up(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    write_sys("fs/ext4/sdb/errors_count", "3\n");
    write_sys("fs/ext4/sda/errors_count", "100\n");
    write_sys("fs/btrfs/5a-1/devices/sdb", "");
    write_sys("fs/btrfs/5a-1/devinfo/1/error_stats",
              "write_errs 1\nread_errs 2\nflush_errs 0\n"
              "corruption_errs 4\ngeneration_errs 0\n");
    write_sys("fs/btrfs/5a-2/devices/sda", "");
    write_sys("fs/btrfs/5a-2/devinfo/1/error_stats", "write_errs 100\n");
    read_health(&found);
    assert_int_equal(found.fs_errors, 10);
}

static void weak_power_supply_of_a_raspberry_pi_is_seen(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    write_sys("class/hwmon/hwmon0/name", "cpu_thermal\n");
    write_sys("class/hwmon/hwmon1/name", "rpi_volt\n");
    write_sys("class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
    read_health(&found);
    assert_int_equal(found.has_under_voltage, 1);
}

static void log_is_counted_since_the_drive_was_plugged_in(void **state)
{
    static const char *const messages[] = {
        "I/O error, dev sdb, sector 8 op 0x1:(WRITE) flags 0x0",
        "usb 1-3: reset high-speed USB device number 4 using xhci_hcd",
        "usb 1-3: New USB device found, idVendor=0781, idProduct=5567",
        "sd 3:0:0:0: [sdb] Attached SCSI removable disk",
        "usb 1-3: reset high-speed USB device number 5 using xhci_hcd",
        "usb 1-3.1: reset high-speed USB device number 6 using xhci_hcd",
        "PM: suspend entry (deep)",
        "usb 1-3: reset high-speed USB device number 5 using xhci_hcd",
        "PM: suspend exit",
        "blk_update_request: I/O error, dev sdb, sector 16",
        "blk_update_request: critical medium error, dev sdb, sector 24",
        "critical target error, dev sdb, sector 24 op 0x3:(DISCARD)",
        "I/O error, dev sdbb, sector 8 op 0x1:(WRITE) flags 0x0",
        "I/O error, dev sda, sector 8 op 0x1:(WRITE) flags 0x0",
        "Buffer I/O error on dev sdb, logical block 2, lost async page write",
    };
    struct linux_log log = {.disk = "sdb", .port = "1-3"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        linux_log_take(&log, messages[i]);
    assert_int_equal(log.io_errors, 2);
    assert_int_equal(log.link_resets, 1);
}

static void weak_power_is_counted_since_the_drive_was_plugged_in(void **state)
{
    static const char *const messages[] = {
        "hwmon hwmon1: Undervoltage detected!",
        "sd 3:0:0:0: [sdb] Attached SCSI removable disk",
        "hwmon hwmon1: Voltage normalised",
        "hwmon hwmon1: Undervoltage detected!",
        "Under-voltage detected! (0x00050005)",
    };
    struct linux_log log = {.disk = "sdb", .port = ""};

    (void)state;
    linux_log_take(&log, messages[0]);
    assert_int_equal(log.under_voltages, 1);
    for (size_t i = 1; i < COUNT_OF(messages); i++)
        linux_log_take(&log, messages[i]);
    assert_int_equal(log.under_voltages, 2);
}

/* -------------------------------------------------------------------------- */

#define DRIVE_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        DRIVE_TEST(flush_and_stop_that_were_seen_are_proof),
        DRIVE_TEST(disk_that_fails_to_flush_stays),
        DRIVE_TEST(disk_without_the_command_is_no_proof),
        DRIVE_TEST(command_that_may_not_be_sent_is_neither_good_nor_bad),
        DRIVE_TEST(disk_that_does_not_stop_says_so),
        DRIVE_TEST(disk_that_was_reset_is_asked_again),
        DRIVE_TEST(disk_that_vanishes_meanwhile_is_gone),
        DRIVE_TEST(disk_that_leaves_too_is_flushed_and_stopped),
        DRIVE_TEST(disk_that_leaves_too_and_fails_keeps_both),
        DRIVE_TEST(unwritten_is_of_the_machine_and_the_rest_of_the_drive),
        DRIVE_TEST(requests_under_way_are_counted),
        DRIVE_TEST(what_nobody_counts_is_unknown),
        DRIVE_TEST(errors_of_filesystems_are_added_up),
        DRIVE_TEST(weak_power_supply_of_a_raspberry_pi_is_seen),
        cmocka_unit_test(log_is_counted_since_the_drive_was_plugged_in),
        cmocka_unit_test(weak_power_is_counted_since_the_drive_was_plugged_in),
    };

    (void)count;
    run_below_umockdev(arguments);
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
