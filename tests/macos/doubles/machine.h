/*
 * A Mac with its own disk and the drives that a test plugs in. Included once
 * by a test program.
 */
#ifndef BERTH_TESTS_MACHINE_H
#define BERTH_TESTS_MACHINE_H

#include "contract/scenery.h"

#include "fake/macos/fake.h"
#include "platform/platform.h"

#include <poll.h>

static UNUSED struct platform *platform;

/* --- drives --- */

static void plug_internal(void)
{
    const struct fake_medium media[] = {
        {.bsd_name = "disk0",
         .is_whole = true,
         .size_bytes = 500000000000,
         .is_internal = true,
         .protocol = "Apple Fabric",
         .model = "APPLE SSD"},
        {.bsd_name = "disk0s2",
         .on = "disk0",
         .is_internal = true,
         .protocol = "Apple Fabric"},
        {.bsd_name = "disk3",
         .on = "disk0s2",
         .is_whole = true,
         .is_internal = true,
         .protocol = "Apple Fabric"},
        {.bsd_name = "disk3s1",
         .on = "disk3",
         .is_internal = true,
         .protocol = "Apple Fabric",
         .kind = "apfs",
         .label = "Macintosh HD",
         .mount_point = "/System/Volumes/Data",
         .has_uuid = true},
    };

    for (size_t i = 0; i < COUNT_OF(media); i++)
        fake_plug(&media[i]);
}

/* A USB hard disk as they are: neither removable nor ejectable. */
static void plug_whole(const char *bsd_name)
{
    fake_plug(&(struct fake_medium){.bsd_name = bsd_name,
                                    .is_whole = true,
                                    .size_bytes = 5000000000000,
                                    .says_not_internal = true,
                                    .protocol = "USB",
                                    .vendor = "WD      ",
                                    .model = "My Passport     ",
                                    .serial = "WX123",
                                    .speed = 3});
}

static void plug_part(const char *bsd_name, const char *on, const char *kind,
                      const char *label, const char *mount_point)
{
    fake_plug(&(struct fake_medium){.bsd_name = bsd_name,
                                    .on = on,
                                    .size_bytes = 4999000000000,
                                    .says_not_internal = true,
                                    .protocol = "USB",
                                    .kind = kind,
                                    .label = label,
                                    .mount_point = mount_point,
                                    .has_uuid = true});
}

static UNUSED void plug_exfat(void)
{
    plug_whole("disk4");
    plug_part("disk4s1", "disk4", "exfat", "hdd_homelab",
              "/Volumes/hdd_homelab");
}

/* The container's own disk has another unit number. */
static UNUSED void plug_apfs(void)
{
    plug_whole("disk4");
    plug_part("disk4s2", "disk4", NULL, NULL, NULL);
    fake_plug(&(struct fake_medium){.bsd_name = "disk5",
                                    .on = "disk4s2",
                                    .is_whole = true,
                                    .says_not_internal = true,
                                    .protocol = "USB"});
    plug_part("disk5s1", "disk5", "apfs", "Photos", "/Volumes/Photos");
    plug_part("disk5s2", "disk5", "apfs", "Films", "/Volumes/Films");
}

/* --- looking --- */

static UNUSED const struct platform_drive *find_drive(
    const struct platform_devices *devices, const char *device)
{
    for (size_t i = 0; i < devices->drives.count; i++)
        if (!strcmp(devices->drives.items[i].device, device))
            return &devices->drives.items[i];
    return NULL;
}

static UNUSED const struct platform_volume *find_volume(
    const struct platform_devices *devices, const char *device)
{
    for (size_t i = 0; i < devices->volumes.count; i++)
        if (!strcmp(devices->volumes.items[i].device, device))
            return &devices->volumes.items[i];
    return NULL;
}

static UNUSED void look(struct platform_devices *out)
{
    struct error err = ERROR_INIT;

    if (platform_list_devices(platform, out, &err))
        fail_msg("%s", err.message);
}

static UNUSED char *id_of(const char *device)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    look(&devices);
    const struct platform_drive *drive = find_drive(&devices, device);
    assert_non_null(drive);
    return xstrdup(drive->id);
}

static UNUSED bool is_woken(int timeout_ms)
{
    struct pollfd poller = {.fd = platform_wake_fd(platform), .events = POLLIN};

    return poll(&poller, 1, timeout_ms) == 1;
}

/* --- the whole --- */

static UNUSED int plug_in_and_start(void **state)
{
    (void)state;
    fake_reset();
    plug_internal();
    return platform_new(&platform, NULL) ? -1 : 0;
}

/* Nothing that the backend was given may be left. */
static UNUSED int end_and_count(void **state)
{
    (void)state;
    platform_free(platform);
    platform = NULL;
    long alive = fake_live_objects();
    fake_reset();
    if (alive)
        print_message("%ld objects of CoreFoundation, IOKit or dispatch are "
                      "still alive\n",
                      alive);
    return alive ? -1 : 0;
}

#define MACHINE_TEST(name)                                                     \
    cmocka_unit_test_setup_teardown(name, plug_in_and_start, end_and_count)

#endif
