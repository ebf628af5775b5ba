/*
 * Drives and volumes of machines that are not here: /sys and the udev database
 * as recorded (tests/fixtures/devices, the format of umockdev-record), and
 * drives that are plugged in and pulled out by umockdev.
 */
#include "linux/mock_machine.h"

#include "core/base/path.h"
#include "platform/linux/linux_devices.h"
#include "platform/linux/linux_drive.h"
#include "platform/platform.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

/* --- as text --- */

static const char *bus_name(enum platform_bus bus)
{
    static const char *const names[] = {
        [PLATFORM_BUS_UNKNOWN] = "?",       [PLATFORM_BUS_USB] = "usb",
        [PLATFORM_BUS_THUNDERBOLT] = "tbt", [PLATFORM_BUS_ATA] = "ata",
        [PLATFORM_BUS_NVME] = "nvme",       [PLATFORM_BUS_MMC] = "mmc",
        [PLATFORM_BUS_SCSI] = "scsi",       [PLATFORM_BUS_VIRTUAL] = "virtual",
    };

    return names[bus];
}

static const char *cache_name(enum platform_write_cache cache)
{
    static const char *const names[] = {
        [PLATFORM_CACHE_UNKNOWN] = "?",
        [PLATFORM_CACHE_WRITE_BACK] = "back",
        [PLATFORM_CACHE_WRITE_THROUGH] = "through",
    };

    return names[cache];
}

static void add_volume(const struct platform_volume *volume,
                       struct strbuf *text)
{
    strbuf_addf(text, "  %s %s %s '%s' %" PRId64, volume->device,
                *volume->family ? volume->family : "-",
                *volume->fs_uuid ? volume->fs_uuid : "-", volume->fs_label,
                volume->size_bytes);
    strbuf_adds(text, volume->is_read_only ? " read-only" : "");
    strbuf_adds(text, volume->is_locked ? " locked" : "");
    strbuf_adds(text, volume->is_system ? " system" : "");
    strbuf_addch(text, '\n');
    if (*volume->no_eject)
        strbuf_addf(text, "    cannot be ejected: %s\n", volume->no_eject);
    for (size_t i = 0; i < volume->mount_point_count; i++)
        strbuf_addf(text, "    at %s\n", volume->mount_points[i]);
}

static void add_drive(const struct platform_drive *drive, struct strbuf *text)
{
    strbuf_addf(text, "%s '%s' '%s' '%s' %" PRId64 "\n", drive->device,
                drive->vendor, drive->model, drive->serial, drive->size_bytes);
    strbuf_addf(text, "  %s %" PRId64 " mbit, write %s", bus_name(drive->bus),
                drive->link_mbit, cache_name(drive->write_cache));
    strbuf_adds(text, drive->is_external ? ", external" : ", internal");
    strbuf_adds(text, drive->is_rotational ? ", rotational" : "");
    strbuf_adds(text, drive->is_read_only ? ", read-only" : "");
    strbuf_addch(text, '\n');
}

static char *devices_as_text(const struct platform_devices *devices)
{
    struct strbuf text = STRBUF_INIT;

    for (size_t d = 0; d < devices->drives.count; d++) {
        const struct platform_drive *drive = &devices->drives.items[d];
        add_drive(drive, &text);
        for (size_t v = 0; v < devices->volumes.count; v++)
            if (!strcmp(devices->volumes.items[v].drive, drive->id))
                add_volume(&devices->volumes.items[v], &text);
    }
    return strbuf_detach(&text);
}

/* --- recorded machines --- */

static void take_snapshot(const char *name, struct platform_devices *out)
{
    struct linux_snapshot snapshot = {.swaps = read_fixture(name, "swaps")};
    CLEANUP_FREE char *mounts = read_fixture(name, "mountinfo");

    linux_blocks_read(NULL, &snapshot.blocks);
    linux_mount_table_parse(mounts, strlen(mounts), &snapshot.mounts);
    linux_snapshot_devices(&snapshot, out);
    linux_snapshot_release(&snapshot);
}

/* Of a disk, a partition and a layer alone, without listing the others. */
static void expect_spin(const struct platform_devices *devices)
{
    for (size_t d = 0; d < devices->drives.count; d++) {
        const struct platform_drive *drive = &devices->drives.items[d];
        bool spins = drive->is_rotational && drive->bus != PLATFORM_BUS_VIRTUAL;
        assert_int_equal(linux_drive_spins(path_name(drive->device)), spins);
        for (size_t v = 0; v < devices->volumes.count; v++) {
            const struct platform_volume *volume = &devices->volumes.items[v];
            if (!strcmp(volume->drive, drive->id) &&
                strncmp(volume->device, "/dev/mapper", 11) != 0)
                assert_int_equal(linux_drive_spins(path_name(volume->device)),
                                 spins);
        }
    }
}

static void expect_machine(const char *name)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = {.drives = {.items = NULL}};
    CLEANUP_FREE char *expected = read_fixture(name, "expected");
    UMockdevTestbed *testbed = umockdev_testbed_new();

    load_devices(testbed, name);
    take_snapshot(name, &devices);
    expect_spin(&devices);
    g_object_unref(testbed);
    CLEANUP_FREE char *found = devices_as_text(&devices);
    if (strcmp(found, expected) != 0)
        print_message("%s is:\n%s", name, found);
    assert_string_equal(found, expected);
}

#define MACHINE_TEST(sentence, name)                                           \
    static void sentence(void **state)                                         \
    {                                                                          \
        (void)state;                                                           \
        expect_machine(name);                                                  \
    }

MACHINE_TEST(usb_disk_is_named_as_its_case_is, "usb-hard-disk")
MACHINE_TEST(stick_without_partitions_is_a_volume, "unpartitioned-stick")
MACHINE_TEST(luks_and_lvm_belong_to_their_disk, "laptop-luks-lvm")
MACHINE_TEST(empty_slots_of_a_reader_are_not_listed, "card-reader")
MACHINE_TEST(home_on_a_usb_disk_is_the_systems, "raspberry-pi")
MACHINE_TEST(btrfs_of_two_disks_is_on_both_and_stays, "btrfs-of-two")
MACHINE_TEST(images_are_drives_when_somebody_means_them, "loops")
MACHINE_TEST(drives_without_a_disc_are_not_listed, "odd-slots")
MACHINE_TEST(containers_are_locked_or_their_content, "encrypted")
MACHINE_TEST(thunderbolt_is_external_and_raid_spans, "thunderbolt-and-raid")

/* --- hot-plug --- */

struct plug {
    UMockdevTestbed *testbed;
    struct platform *platform;
    char *disk; /* in sysfs */
};

static int set_up(void **state)
{
    struct plug *plug = xcalloc(1, sizeof *plug);

    plug->testbed = umockdev_testbed_new();
    load_devices(plug->testbed, "unpartitioned-stick");
    assert_int_equal(platform_new(&plug->platform, NULL), ERR_OK);
    *state = plug;
    return 0;
}

static int tear_down(void **state)
{
    struct plug *plug = *state;

    platform_free(plug->platform);
    g_object_unref(plug->testbed);
    free(plug->disk);
    free(plug);
    return 0;
}

static void expect_wake(const struct plug *plug)
{
    struct pollfd wake = {.fd = platform_wake_fd(plug->platform),
                          .events = POLLIN};

    assert_int_equal(poll(&wake, 1, 5000), 1);
    platform_acknowledge(plug->platform);
}

/* The id of a drive, or NULL when it is not listed. */
static char *id_of(const char *device)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = {.drives = {.items = NULL}};

    take_snapshot("unpartitioned-stick", &devices);
    for (size_t i = 0; i < devices.drives.count; i++)
        if (!strcmp(devices.drives.items[i].device, device))
            return xstrdup(devices.drives.items[i].id);
    return NULL;
}

/* As the kernel announces it; udev has not looked at it yet. */
static void plug_in(struct plug *plug, const char *sequence)
{
    static const char parent[] = "/sys/devices/pci0000:00/0000:00:14.0/usb1";
    gchar *path = umockdev_testbed_add_device(
        plug->testbed, "block", "sdx", parent, "dev", "65:112", "size",
        "2000000", "diskseq", sequence, NULL, "DEVNAME", "/dev/sdx", "DEVTYPE",
        "disk", "MAJOR", "65", "MINOR", "112", NULL);

    free(plug->disk);
    plug->disk = xstrdup(path);
    g_free(path);
    umockdev_testbed_uevent(plug->testbed, plug->disk, "add");
}

/* umockdev announces nothing by itself, and only what is there. 0.17 leaves the
 * link in /sys/block behind. */
static void pull_out(const struct plug *plug)
{
    gchar *root = umockdev_testbed_get_root_dir(plug->testbed);
    CLEANUP_FREE char *link = xasprintf("%s/sys/block/sdx", root);

    umockdev_testbed_uevent(plug->testbed, plug->disk, "remove");
    umockdev_testbed_remove_device(plug->testbed, plug->disk);
    unlink(link);
    g_free(root);
}

static void let_udev_look(const struct plug *plug)
{
    umockdev_testbed_set_property(plug->testbed, plug->disk, "ID_FS_TYPE",
                                  "exfat");
    umockdev_testbed_set_property(plug->testbed, plug->disk, "USEC_INITIALIZED",
                                  "4711");
    umockdev_testbed_uevent(plug->testbed, plug->disk, "change");
}

static void drive_is_listed_when_udev_is_done_with_it(void **state)
{
    struct plug *plug = *state;

    plug_in(plug, "77");
    expect_wake(plug);
    assert_null(id_of("/dev/sdx"));
    let_udev_look(plug);
    expect_wake(plug);
    CLEANUP_FREE char *id = id_of("/dev/sdx");
    assert_non_null(id);
}

static void pulled_drive_wakes_and_is_gone(void **state)
{
    struct plug *plug = *state;
    CLEANUP_FREE char *name = NULL;

    plug_in(plug, "77");
    let_udev_look(plug);
    CLEANUP_FREE char *id = id_of("/dev/sdx");
    assert_int_equal(linux_drive_find(id, &name, NULL), ERR_OK);
    assert_string_equal(name, "sdx");
    expect_wake(plug);
    poll(NULL, 0, 100); /* what came late */
    platform_acknowledge(plug->platform);
    pull_out(plug);
    expect_wake(plug);
    assert_null(id_of("/dev/sdx"));
    assert_int_equal(linux_drive_find(id, &name, NULL), ERR_DEVICE_GONE);
}

/* sysfs gives no number of a directory out again, this filesystem does. */
static void use_up_inodes(const struct plug *plug)
{
    gchar *root = umockdev_testbed_get_root_dir(plug->testbed);

    for (int i = 0; i < 20; i++) {
        CLEANUP_FREE char *path = xasprintf("%s/used-%d", root, i);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    g_free(root);
}

static void drive_that_comes_back_has_another_id(void **state)
{
    struct plug *plug = *state;
    CLEANUP_FREE char *name = NULL;

    for (int is_old_kernel = 0; is_old_kernel < 2; is_old_kernel++) {
        plug_in(plug, is_old_kernel ? "" : "77");
        let_udev_look(plug);
        CLEANUP_FREE char *first = id_of("/dev/sdx");
        pull_out(plug);
        if (is_old_kernel)
            use_up_inodes(plug);
        plug_in(plug, is_old_kernel ? "" : "78");
        let_udev_look(plug);
        CLEANUP_FREE char *second = id_of("/dev/sdx");
        assert_string_not_equal(first, second);
        assert_int_equal(linux_drive_find(first, &name, NULL), ERR_DEVICE_GONE);
        pull_out(plug);
    }
}

static void power_off_of_a_drive_that_left_says_gone(void **state)
{
    struct plug *plug = *state;
    struct error err = ERROR_INIT;
    bool is_done = false;

    struct platform_request *request =
        platform_power_off(plug->platform, "sdx.77");
    assert_int_equal(platform_wait(request, 5000, &is_done, &err),
                     ERR_DEVICE_GONE);
    assert_true(is_done);
    assert_string_equal(err.message,
                        "the drive sdx is not plugged in any more");
    platform_request_free(request);
}

/* --- names --- */

static void names_are_sorted_as_people_count(void **state)
{
    static const char *const sorted[] = {"dm-9", "dm-10",     "sda",
                                         "sda2", "sda10",     "sdaa",
                                         "sdb",  "nvme0n1p1", NULL};

    (void)state;
    for (size_t i = 0; i + 3 < COUNT_OF(sorted); i++)
        assert_true(linux_name_compare(sorted[i], sorted[i + 1]) < 0);
    assert_true(linux_name_compare("sda01", "sda1") == 0);
    assert_true(linux_name_compare("sda", "sda") == 0);
    assert_true(linux_name_compare("a18446744073709551617", "a2") > 0);
}

static void swaps_are_read_line_by_line(void **state)
{
    const char *lines = "Filename   Type  Size  Used  Priority\n"
                        "/dev/sda3  partition  1  0  -2\n"
                        "/my\\040swap  file  1  0  -3";
    const char *const expected[] = {"/dev/sda3", "/my swap", NULL};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        CLEANUP_FREE char *path = linux_swap_next(&lines);
        if (expected[i])
            assert_string_equal(path, expected[i]);
        else
            assert_null(path);
    }
}

int main(int count, char **arguments)
{
    const struct CMUnitTest machines[] = {
        cmocka_unit_test(usb_disk_is_named_as_its_case_is),
        cmocka_unit_test(stick_without_partitions_is_a_volume),
        cmocka_unit_test(luks_and_lvm_belong_to_their_disk),
        cmocka_unit_test(empty_slots_of_a_reader_are_not_listed),
        cmocka_unit_test(home_on_a_usb_disk_is_the_systems),
        cmocka_unit_test(btrfs_of_two_disks_is_on_both_and_stays),
        cmocka_unit_test(images_are_drives_when_somebody_means_them),
        cmocka_unit_test(drives_without_a_disc_are_not_listed),
        cmocka_unit_test(containers_are_locked_or_their_content),
        cmocka_unit_test(thunderbolt_is_external_and_raid_spans),
        cmocka_unit_test(names_are_sorted_as_people_count),
        cmocka_unit_test(swaps_are_read_line_by_line),
    };
    const struct CMUnitTest plugs[] = {
        cmocka_unit_test_setup_teardown(
            drive_is_listed_when_udev_is_done_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pulled_drive_wakes_and_is_gone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(drive_that_comes_back_has_another_id,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            power_off_of_a_drive_that_left_says_gone, set_up, tear_down),
    };

    (void)count;
    run_below_umockdev(arguments);
    return cmocka_run_group_tests_name("machines", machines, NULL, NULL) +
           cmocka_run_group_tests_name("plugs", plugs, NULL, NULL);
}
