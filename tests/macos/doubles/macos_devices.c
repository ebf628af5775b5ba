/*
 * Drives and volumes of a Mac of paper, their coming and going, and the files
 * on them.
 */
#include "macos/doubles/machine.h"

#include "platform/macos/macos_disk.h"

#include <sys/mount.h>

/* --- drives --- */

static void a_usb_hard_disk_is_an_external_drive(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    plug_exfat();
    look(&devices);
    const struct platform_drive *drive = find_drive(&devices, "/dev/disk4");
    assert_non_null(drive);
    assert_true(drive->is_external);
    assert_int_equal(drive->bus, PLATFORM_BUS_USB);
    assert_string_equal(drive->vendor, "WD");
    assert_string_equal(drive->model, "My Passport");
    assert_string_equal(drive->serial, "WX123");
    assert_int_equal(drive->link_mbit, 5000);
    assert_true(drive->size_bytes == 5000000000000);
    const struct platform_volume *volume =
        find_volume(&devices, "/dev/disk4s1");
    assert_non_null(volume);
    assert_string_equal(volume->drive, drive->id);
    assert_string_equal(volume->family, "exfat");
    assert_string_equal(volume->fs_label, "hdd_homelab");
    assert_int_equal(volume->mount_point_count, 1);
    assert_string_equal(volume->mount_points[0], "/Volumes/hdd_homelab");
    assert_false(volume->is_read_only);
    assert_string_equal(volume->no_eject, "");
}

static void the_macs_own_disk_is_not_external(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    look(&devices);
    assert_int_equal(devices.drives.count, 1);
    assert_false(devices.drives.items[0].is_external);
    const struct platform_volume *volume =
        find_volume(&devices, "/dev/disk3s1");
    assert_non_null(volume);
    assert_true(volume->is_system);
    assert_string_equal(volume->drive, devices.drives.items[0].id);
}

static void apfs_volumes_belong_to_the_drive_they_are_on(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    plug_apfs();
    look(&devices);
    const struct platform_drive *drive = find_drive(&devices, "/dev/disk4");
    assert_int_equal(devices.drives.count, 2);
    assert_null(find_drive(&devices, "/dev/disk5"));
    assert_null(find_volume(&devices, "/dev/disk4s2"));
    assert_string_equal(find_volume(&devices, "/dev/disk5s1")->drive,
                        drive->id);
    assert_string_equal(find_volume(&devices, "/dev/disk5s2")->drive,
                        drive->id);
    assert_string_equal(find_volume(&devices, "/dev/disk5s1")->fs_uuid,
                        "0123456789abcdef0123456789abcdef");
}

static void partitions_of_every_format_are_told_apart(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    plug_whole("disk4");
    plug_part("disk4s1", "disk4", "msdos", "EFI", NULL);
    plug_part("disk4s2", "disk4", "hfs", "Old", "/Volumes/Old");
    plug_part("disk4s3", "disk4", "ntfs", "Windows", "/Volumes/Windows");
    plug_part("disk4s4", "disk4", NULL, NULL, NULL); /* nobody knows it */
    look(&devices);
    assert_string_equal(find_volume(&devices, "/dev/disk4s1")->family, "vfat");
    assert_int_equal(find_volume(&devices, "/dev/disk4s1")->mount_point_count,
                     0);
    assert_string_equal(find_volume(&devices, "/dev/disk4s2")->family,
                        "hfsplus");
    assert_false(find_volume(&devices, "/dev/disk4s2")->is_read_only);
    assert_string_equal(find_volume(&devices, "/dev/disk4s3")->family, "ntfs");
    assert_true(find_volume(&devices, "/dev/disk4s3")->is_read_only);
    assert_null(find_volume(&devices, "/dev/disk4s4"));
}

/* Apple derives them, another number than elsewhere: the drive would look
 * like another one. */
static void fat_and_ntfs_have_no_uuid_here(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    plug_exfat();
    plug_part("disk4s2", "disk4", "ntfs", "Windows", NULL);
    look(&devices);
    assert_string_equal(find_volume(&devices, "/dev/disk4s1")->fs_uuid, "");
    assert_string_equal(find_volume(&devices, "/dev/disk4s2")->fs_uuid, "");
}

static void a_volume_over_two_drives_cannot_be_ejected(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    plug_whole("disk4");
    plug_whole("disk6");
    fake_plug(&(struct fake_medium){.bsd_name = "disk7",
                                    .on = "disk4",
                                    .also_on = "disk6",
                                    .is_whole = true,
                                    .says_not_internal = true,
                                    .protocol = "USB",
                                    .kind = "hfs",
                                    .label = "Raid"});
    look(&devices);
    assert_non_null(strstr(find_volume(&devices, "/dev/disk7")->no_eject,
                           "several drives"));
    assert_null(find_drive(&devices, "/dev/disk7"));
}

static void an_encrypted_volume_that_is_not_mounted_is_locked(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    plug_whole("disk4");
    fake_plug(&(struct fake_medium){.bsd_name = "disk4s1",
                                    .on = "disk4",
                                    .kind = "apfs",
                                    .is_encrypted = true});
    look(&devices);
    assert_true(find_volume(&devices, "/dev/disk4s1")->is_locked);
}

static void a_disk_image_is_not_external(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    fake_plug(&(struct fake_medium){.bsd_name = "disk8",
                                    .is_whole = true,
                                    .says_not_internal = true,
                                    .protocol = "Virtual Interface"});
    look(&devices);
    assert_false(find_drive(&devices, "/dev/disk8")->is_external);
    assert_int_equal(find_drive(&devices, "/dev/disk8")->bus,
                     PLATFORM_BUS_VIRTUAL);
}

/* --- what is not said --- */

static void a_description_without_any_key_is_a_drive_without_names(void **state)
{
    static const enum fake_unsaid unsaid[] = {FAKE_NO_KEYS, FAKE_WRONG_TYPES};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(unsaid); i++) {
        CLEANUP(platform_devices_release) struct platform_devices devices;
        fake_plug(&(struct fake_medium){.bsd_name = "disk9",
                                        .is_whole = true,
                                        .protocol = "USB",
                                        .kind = "exfat",
                                        .description = unsaid[i]});
        look(&devices);
        const struct platform_drive *drive = find_drive(&devices, "/dev/disk9");
        assert_non_null(drive);
        assert_string_equal(drive->vendor, "");
        assert_false(drive->is_external);
        assert_null(find_volume(&devices, "/dev/disk9"));
        fake_unplug("disk9");
    }
}

static void a_disk_without_a_description_is_left_out(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    fake_plug(&(struct fake_medium){
        .bsd_name = "disk9", .is_whole = true, .description = FAKE_NULL});
    look(&devices);
    assert_int_equal(devices.drives.count, 1);
}

/* --- coming and going --- */

static void arrival_change_and_departure_wake(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    assert_true(is_woken(5000)); /* the disks that were there */
    look(&devices);
    platform_devices_release(&devices);
    platform_acknowledge(platform);
    plug_exfat();
    assert_true(is_woken(5000));
    look(&devices);
    assert_non_null(find_drive(&devices, "/dev/disk4"));
    platform_devices_release(&devices);
    platform_acknowledge(platform);
    assert_false(is_woken(0));
    fake_unplug("disk4");
    assert_true(is_woken(5000));
    look(&devices);
    assert_null(find_drive(&devices, "/dev/disk4"));
    assert_null(find_volume(&devices, "/dev/disk4s1"));
}

static void a_replugged_drive_has_another_id(void **state)
{
    (void)state;
    plug_exfat();
    CLEANUP_FREE char *before = id_of("/dev/disk4");
    fake_unplug("disk4");
    plug_exfat();
    CLEANUP_FREE char *after = id_of("/dev/disk4");
    assert_string_not_equal(before, after);
}

static void the_list_survives_a_restart_of_the_daemon(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    plug_exfat();
    look(&devices);
    platform_devices_release(&devices);
    fake_daemon_restart();
    look(&devices);
    assert_non_null(find_drive(&devices, "/dev/disk4"));
    platform_acknowledge(platform);
    plug_part("disk4s2", "disk4", "exfat", "second", NULL);
    assert_true(is_woken(5000)); /* the new session tells of it */
}

/* --- health --- */

static void health(const char *device, struct platform_health *out)
{
    CLEANUP_FREE char *id = id_of(device);

    assert_int_equal(platform_read_health(platform, id, out, NULL), ERR_OK);
}

static void smart_is_hidden_over_usb_and_read_of_an_internal_disk(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    plug_exfat();
    health("/dev/disk4", &found);
    assert_int_equal(found.smart, PLATFORM_SMART_HIDDEN);
    health("/dev/disk0", &found); /* Apple's own: nothing public */
    assert_int_equal(found.smart, PLATFORM_SMART_UNKNOWN);
    assert_int_equal(found.temperature_c, -1);
    for (int fails = 0; fails < 2; fails++) {
        fake_plug(&(struct fake_medium){.bsd_name = "disk1",
                                        .is_whole = true,
                                        .is_internal = true,
                                        .protocol = "SATA",
                                        .read_errors = 2,
                                        .write_errors = 3,
                                        .has_smart = true,
                                        .smart_fails = fails});
        health("/dev/disk1", &found);
        assert_int_equal(found.smart, fails ? PLATFORM_SMART_FAILING
                                            : PLATFORM_SMART_PASSED);
        assert_int_equal(found.io_errors, 5);
        platform_health_release(&found);
        fake_unplug("disk1");
    }
}

static void attributes_of_an_internal_disk_are_read(void **state)
{
    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        CLEANUP(platform_health_release) struct platform_health found;
        fake_plug(&(struct fake_medium){.bsd_name = "disk1",
                                        .is_whole = true,
                                        .is_internal = true,
                                        .protocol = "SATA",
                                        .has_smart = true,
                                        .smart_fails = fails});
        health("/dev/disk1", &found);
        assert_int_equal(found.temperature_c, 34);
        assert_int_equal(found.power_on_hours, 0x1018);
        assert_int_equal(found.attribute_count, 4);
        assert_int_equal(found.attributes[0].id, 5);
        assert_string_equal(found.attributes[0].name,
                            "reallocated-sector-count");
        assert_int_equal(found.attributes[0].threshold, 36);
        assert_int_equal(found.attributes[0].raw, 8);
        assert_int_equal(found.attributes[0].is_failing_now, fails);
        assert_string_equal(found.attributes[3].name, "attribute-240");
        assert_int_equal(found.attributes[3].raw, 0x060504030201);
        assert_false(found.attributes[3].is_failing_now);
        fake_unplug("disk1");
    }
}

static void health_of_a_drive_that_left_is_gone(void **state)
{
    struct platform_health found;

    (void)state;
    assert_int_equal(platform_read_health(platform, "deadbeef", &found, NULL),
                     ERR_DEVICE_GONE);
}

static void what_is_unwritten_is_not_made_up(void **state)
{
    struct platform_unwritten found;

    (void)state;
    assert_int_equal(platform_read_unwritten(platform, "", &found, NULL),
                     ERR_UNSUPPORTED);
}

/* --- holders --- */

static const struct platform_holder *find_holder(
    const struct platform_holders *holders, int64_t pid)
{
    for (size_t i = 0; i < holders->count; i++)
        if (holders->items[i].pid == pid)
            return &holders->items[i];
    return NULL;
}

static void holders_are_named_with_what_they_hold(void **state)
{
    CLEANUP(platform_holders_release) struct platform_holders holders;

    (void)state;
    plug_exfat();
    plug_part("disk6s1", "disk0", "exfat", "in", "/Volumes/hdd_homelab/in");
    fake_run(&(struct fake_process){
        .pid = 4001, .command = "zsh", .directory = "/Volumes/hdd_homelab/a"});
    fake_run(&(struct fake_process){.pid = 4002,
                                    .command = "VLC",
                                    .directory = "/",
                                    .file = "/Volumes/hdd_homelab/film"});
    fake_run(&(struct fake_process){.pid = 4003, .is_unreadable = true});
    assert_int_equal(
        platform_list_holders(platform, "/dev/disk4s1", &holders, NULL),
        ERR_OK);
    assert_int_equal(holders.count, 4);
    assert_int_equal(holders.items[0].kind, PLATFORM_HOLD_MOUNT);
    assert_string_equal(holders.items[0].path, "/Volumes/hdd_homelab/in");
    assert_string_equal(find_holder(&holders, 4001)->command, "zsh");
    assert_int_equal(find_holder(&holders, 4001)->kind,
                     PLATFORM_HOLD_DIRECTORY);
    assert_string_equal(find_holder(&holders, 4002)->path,
                        "/Volumes/hdd_homelab/film");
    /* somebody else's: it holds something, nobody may know what */
    assert_string_equal(find_holder(&holders, 4003)->command, "");
    assert_string_equal(find_holder(&holders, 4003)->path,
                        "/Volumes/hdd_homelab");
    assert_int_equal(holders.is_complete, geteuid() == 0);
}

/* --- mounts --- */

static void names_of_devices_are_found_in_every_source(void **state)
{
    static const char *const cases[][2] = {
        {"/dev/disk4s1", "disk4s1"},
        {"disk4s1", "disk4s1"},
        {"exfat://disk4s1/hdd_homelab", "disk4s1"},
        {"//me@nas/share", NULL},
        {"/dev/diskette", NULL},
        {"map auto_home", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP_FREE char *name = macos_bsd_name(cases[i][0]);
        if (cases[i][1])
            assert_string_equal(name, cases[i][1]);
        else
            assert_null(name);
    }
}

static void mounted_filesystems_of_disks_are_listed(void **state)
{
    CLEANUP(platform_mounts_release) struct platform_mounts mounts;

    (void)state;
    fake_plug(&(struct fake_medium){.bsd_name = "disk3s4",
                                    .on = "disk3",
                                    .kind = "apfs",
                                    .mount_point = "/System/Volumes/VM",
                                    .mount_flags = MNT_DONTBROWSE});
    plug_whole("disk4");
    fake_plug(&(struct fake_medium){.bsd_name = "disk4s1",
                                    .on = "disk4",
                                    .kind = "exfat",
                                    .type = "lifs",
                                    .source = "exfat://disk4s1/hdd",
                                    .label = "hdd",
                                    .mount_point = "/Volumes/hdd",
                                    .mount_flags = MNT_RDONLY});
    fake_plug(&(struct fake_medium){.bsd_name = "disk99",
                                    .kind = "smbfs",
                                    .source = "//me@nas/share",
                                    .mount_point = "/Volumes/share"});
    assert_int_equal(platform_list_mounts(platform, &mounts, NULL), ERR_OK);
    assert_int_equal(mounts.count, 2);
    assert_string_equal(mounts.items[0].mount_point, "/System/Volumes/Data");
    const struct platform_mount *mount = &mounts.items[1];
    assert_string_equal(mount->source, "/dev/disk4s1");
    assert_string_equal(mount->driver, "lifs");
    assert_string_equal(mount->family, "exfat");
    assert_string_equal(mount->fs_label, "hdd");
    assert_true(mount->is_read_only && mount->is_local_disk && mount->is_root);
    assert_false(mount->has_journal);
    assert_true(mounts.items[0].has_journal);
}

/* --- files --- */

static char *directory;
static int directory_fd;

/* A real directory as the volume's mount point. */
static void plug_here(const char *kind)
{
    const char *temporary = getenv("TMPDIR");
    char *given = xasprintf("%s/macos-XXXXXX", temporary ? temporary : "/tmp");

    assert_non_null(mkdtemp(given));
    directory = realpath(given, NULL);
    free(given);
    plug_whole("disk4");
    plug_part("disk4s1", "disk4", kind, "here", directory);
    assert_int_equal(platform_open_root(directory, &directory_fd, NULL),
                     ERR_OK);
}

static void leave_here(void)
{
    close(directory_fd);
    remove_tree(directory);
    free(directory);
}

static int create(const char *name)
{
    int fd = -1;

    assert_int_equal(platform_open_beneath(directory_fd, name,
                                           PLATFORM_OPEN_CREATE, &fd, NULL),
                     ERR_OK);
    return fd;
}

static void a_descriptor_knows_its_volume_and_that_it_left(void **state)
{
    CLEANUP(platform_mount_release)
    struct platform_mount mount = PLATFORM_MOUNT_INIT;
    CLEANUP_FREE char *attachment = NULL;

    (void)state;
    plug_here("exfat");
    assert_int_equal(platform_mount_of(directory_fd, &mount, NULL), ERR_OK);
    assert_true(mount.is_root);
    assert_string_equal(mount.mount_point, directory);
    assert_string_equal(mount.source, "/dev/disk4s1");
    attachment = xstrdup(mount.attachment);
    platform_mount_release(&mount);
    assert_int_equal(platform_check_attached(directory_fd, NULL), ERR_OK);
    fake_unplug("disk4s1");
    plug_part("disk4s1", "disk4", "exfat", "here", directory);
    assert_int_equal(platform_mount_of(directory_fd, &mount, NULL), ERR_OK);
    assert_string_not_equal(mount.attachment, attachment);
    leave_here();
}

static void a_flush_goes_as_deep_as_the_filesystem_can(void **state)
{
    static const struct {
        int full, barrier;
        err_code code;
        int barriers; /* how often F_BARRIERFSYNC was tried */
        enum platform_write_cache cache;
    } cases[] = {
        {0, 0, ERR_OK, 0, PLATFORM_CACHE_WRITE_BACK},
        {ENOTSUP, 0, ERR_OK, 1, PLATFORM_CACHE_WRITE_THROUGH},
        {ENOTTY, EINVAL, ERR_OK, 1, PLATFORM_CACHE_WRITE_THROUGH},
        {EIO, 0, ERR_IO, 0, PLATFORM_CACHE_WRITE_THROUGH}, /* as before */
        {EINVAL, EIO, ERR_IO, 1, PLATFORM_CACHE_WRITE_THROUGH},
        {ENXIO, 0, ERR_DEVICE_GONE, 0, PLATFORM_CACHE_WRITE_THROUGH},
    };

    (void)state;
    plug_here("exfat");
    int fd = create("file");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake_flush_errors(cases[i].full, cases[i].barrier, 0);
        assert_int_equal(platform_flush_volume(directory_fd, fd, NULL),
                         cases[i].code);
        assert_int_equal(fake_fcntl_count(85), cases[i].barriers);
    }
    close(fd);
    leave_here();
}

struct names {
    char *items[8];
    size_t count;
};

static err_code take_name(void *context, const struct platform_entry *entry,
                          struct error *err)
{
    struct names *names = context;

    (void)err;
    names->items[names->count++] = xstrdup(entry->name);
    return ERR_OK;
}

static void list_one(const char *expected)
{
    struct names names = {.count = 0};

    assert_int_equal(
        platform_list_directory(directory_fd, take_name, &names, NULL), ERR_OK);
    assert_int_equal(names.count, 1);
    assert_string_equal(names.items[0], expected);
    free(names.items[0]);
}

static void names_come_composed_where_the_driver_decomposes(void **state)
{
    static const struct {
        const char *kind, *made, *listed;
    } cases[] = {
        {"exfat", "Ho\xcc\x88hle", "H\xc3\xb6hle"},
        {"msdos", "Ho\xcc\x88hle", "H\xc3\xb6hle"},
        {"hfs", "\xed\x95\x9c", "\xed\x95\x9c"},
        {"apfs", "Ho\xcc\x88hle", "Ho\xcc\x88hle"}, /* as it was given */
        {"exfat", "\xff\xfe", "\xff\xfe"},          /* no UTF-8 */
        {"exfat", "plain", "plain"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        plug_here(cases[i].kind);
        close(create(cases[i].made));
        list_one(cases[i].listed);
        leave_here();
        fake_unplug("disk4");
    }
}

static void rename_looks_first_where_the_filesystem_cannot(void **state)
{
    (void)state;
    plug_here("exfat");
    close(create("one"));
    close(create("two"));
    for (int i = 0; i < 2; i++) {
        fake_rename_error(i ? ENOTSUP : 0);
        assert_int_equal(platform_rename_noreplace(directory_fd, "one",
                                                   directory_fd, "two", NULL),
                         ERR_EXISTS);
    }
    assert_int_equal(platform_rename_noreplace(directory_fd, "one",
                                               directory_fd, "three", NULL),
                     ERR_OK);
    leave_here();
}

static void what_a_program_serves_is_never_called_verified(void **state)
{
    enum platform_proof proof;

    (void)state;
    plug_here("exfat");
    int fd = create("file");
    assert_int_equal(platform_drop_cache(fd, 0, &proof, NULL), ERR_OK);
    assert_int_equal(proof, PLATFORM_PROOF_CACHE);
    assert_int_equal(fake_fcntl_count(48), 1);
    close(fd);
    leave_here();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE_TEST(a_usb_hard_disk_is_an_external_drive),
        MACHINE_TEST(the_macs_own_disk_is_not_external),
        MACHINE_TEST(apfs_volumes_belong_to_the_drive_they_are_on),
        MACHINE_TEST(partitions_of_every_format_are_told_apart),
        MACHINE_TEST(fat_and_ntfs_have_no_uuid_here),
        MACHINE_TEST(a_volume_over_two_drives_cannot_be_ejected),
        MACHINE_TEST(an_encrypted_volume_that_is_not_mounted_is_locked),
        MACHINE_TEST(a_disk_image_is_not_external),
        MACHINE_TEST(a_description_without_any_key_is_a_drive_without_names),
        MACHINE_TEST(a_disk_without_a_description_is_left_out),
        MACHINE_TEST(arrival_change_and_departure_wake),
        MACHINE_TEST(a_replugged_drive_has_another_id),
        MACHINE_TEST(the_list_survives_a_restart_of_the_daemon),
        MACHINE_TEST(smart_is_hidden_over_usb_and_read_of_an_internal_disk),
        MACHINE_TEST(attributes_of_an_internal_disk_are_read),
        MACHINE_TEST(health_of_a_drive_that_left_is_gone),
        MACHINE_TEST(what_is_unwritten_is_not_made_up),
        MACHINE_TEST(holders_are_named_with_what_they_hold),
        MACHINE_TEST(names_of_devices_are_found_in_every_source),
        MACHINE_TEST(mounted_filesystems_of_disks_are_listed),
        MACHINE_TEST(a_descriptor_knows_its_volume_and_that_it_left),
        MACHINE_TEST(a_flush_goes_as_deep_as_the_filesystem_can),
        MACHINE_TEST(names_come_composed_where_the_driver_decomposes),
        MACHINE_TEST(rename_looks_first_where_the_filesystem_cannot),
        MACHINE_TEST(what_a_program_serves_is_never_called_verified),
    };

    return cmocka_run_group_tests_name("macos_devices", tests, NULL, NULL);
}
