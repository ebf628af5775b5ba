/*
 * Health: what the kernel counted, what the filesystems counted, and what the
 * drive says of itself (linux_smart.c).
 */
#include "platform/linux/linux_health.h"

#include "core/base/clock.h"
#include "core/base/path.h"
#include "platform/linux/linux_devices.h"
#include "platform/linux/linux_drive.h"
#include "platform/linux/linux_platform.h"
#include "platform/linux/linux_volume.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Adds a count to a reading that may be unknown. */
static void add_count(int64_t *reading, int64_t count)
{
    if (count >= 0)
        *reading = (*reading < 0 ? 0 : *reading) + count;
}

/* --- the kernel --- */

/*
 * Not the device's ioerr_cnt: it also counts what a healthy disk answers while
 * it is looked at (a USB disk just plugged in had 3 [seen on 6.1]) and each
 * SMART command through a bridge (drivers/scsi/scsi_lib.c, scsi_complete).
 * iotmo_cnt, commands without an answer, is meant as it sounds (since 6.1).
 */
static void count_errors(const struct linux_block *disk,
                         struct platform_health *out)
{
    CLEANUP_FREE char *device = path_join(disk->path, "device");
    CLEANUP_FREE char *usb = linux_drive_usb_device(disk->path);
    struct linux_log log = {.disk = disk->name,
                            .port = usb ? path_name(usb) : ""};

    add_count(&out->io_errors, linux_sysfs_number(device, "iotmo_cnt", -1));
    if (!linux_log_read(&log))
        return;
    add_count(&out->io_errors, log.io_errors);
    if (log.under_voltages)
        out->has_under_voltage = true;
    if (usb)
        add_count(&out->link_resets, log.link_resets);
}

/* A Raspberry Pi. Its alarm is that of the last two seconds (drivers/hwmon/
 * raspberrypi-hwmon.c clears it with each look): what was before is in the log.
 */
static int read_under_voltage(void)
{
    static const char class_path[] = "/sys/class/hwmon";
    CLEANUP(linux_names_release) struct linux_names names = {.items = NULL};
    int found = -1;

    linux_sysfs_list(class_path, &names);
    for (size_t i = 0; i < names.count && found < 0; i++) {
        CLEANUP_FREE char *path = path_join(class_path, names.items[i]);
        CLEANUP_FREE char *name = linux_sysfs_text(path, "name");
        if (!strcmp(name, "rpi_volt"))
            found = (int)linux_sysfs_number(path, "in0_lcrit_alarm", -1);
    }
    return found;
}

/* --- filesystems --- */

/* "write_errs 0\nread_errs 2\n…" of one device of a btrfs (5.14). */
static int64_t sum_of_lines(const char *text)
{
    int64_t sum = 0;

    for (const char *at = strchr(text, ' '); at; at = strchr(at + 1, ' '))
        sum += strtoll(at, NULL, 10);
    return sum;
}

/* The directory of a mounted btrfs has a link for each of its devices. */
static void count_btrfs(const char *block, struct platform_health *out)
{
    static const char root[] = "/sys/fs/btrfs";
    CLEANUP(linux_names_release)
    struct linux_names filesystems = {.items = NULL};

    linux_sysfs_list(root, &filesystems);
    for (size_t i = 0; i < filesystems.count; i++) {
        CLEANUP_FREE char *path = path_join(root, filesystems.items[i]);
        CLEANUP_FREE char *link = xasprintf("devices/%s", block);
        CLEANUP_FREE char *infos = path_join(path, "devinfo");
        CLEANUP(linux_names_release)
        struct linux_names devices = {.items = NULL};
        if (!linux_sysfs_has(path, link))
            continue;
        linux_sysfs_list(infos, &devices);
        for (size_t d = 0; d < devices.count; d++) {
            CLEANUP_FREE char *info = path_join(infos, devices.items[d]);
            CLEANUP_FREE char *text = linux_sysfs_text(info, "error_stats");
            if (*text)
                add_count(&out->fs_errors, sum_of_lines(text));
        }
    }
}

static void count_ext4(const char *block, struct platform_health *out)
{
    CLEANUP_FREE char *path = path_join("/sys/fs/ext4", block);

    add_count(&out->fs_errors, linux_sysfs_number(path, "errors_count", -1));
}

/* --- exFAT's VolumeDirty --- */

/* A disk that was plugged in just now turns: the kernel has read from it.
 * That it passed SMART says nothing: UDisks2's answer may be minutes old. */
#define AWAKE_AFTER_PLUG_NS (30 * NS_PER_SECOND)

static bool is_awake(const struct linux_block *disk)
{
    return !linux_sysfs_number(disk->path, "queue/rotational", 1) ||
           clock_monotonic_ns() - disk->known_since_us * 1000 <
               AWAKE_AFTER_PLUG_NS;
}

/* While it is mounted the flag says that it is written to, no more. */
static void look_for_dirty(const struct linux_snapshot *snapshot,
                           const struct linux_block *block,
                           struct platform_health *out)
{
    if (strcmp(block->fs_type, "exfat") != 0)
        return;
    for (size_t i = 0; i < snapshot->mounts.count; i++)
        if (linux_snapshot_is_mount_of(snapshot, &snapshot->mounts.items[i],
                                       block))
            return;
    int dirty = linux_exfat_is_dirty(block->node);
    if (dirty > out->is_dirty)
        out->is_dirty = dirty;
}

/* --- the drive --- */

static bool is_on(const struct linux_snapshot *snapshot,
                  const struct linux_block *block, const char *disk)
{
    CLEANUP(linux_names_release) struct linux_names disks = {.items = NULL};

    linux_snapshot_disks_of(snapshot, block, &disks);
    for (size_t i = 0; i < disks.count; i++)
        if (!strcmp(disks.items[i], disk))
            return true;
    return false;
}

static void look_at_volumes(const struct linux_snapshot *snapshot,
                            const struct linux_block *disk,
                            struct platform_health *out)
{
    bool may_read = is_awake(disk);

    for (size_t i = 0; i < snapshot->blocks.count; i++) {
        const struct linux_block *block = &snapshot->blocks.items[i];
        if (!is_on(snapshot, block, disk->name))
            continue;
        count_ext4(block->name, out);
        count_btrfs(block->name, out);
        if (may_read)
            look_for_dirty(snapshot, block, out);
    }
}

/* Only of what can have it: disks of SCSI (SATA and USB, too) and NVMe. */
static void read_smart(struct linux_bus *bus, const struct linux_block *disk,
                       bool is_usb, struct platform_health *out)
{
    if (strncmp(disk->name, "sd", 2) != 0 &&
        strncmp(disk->name, "nvme", 4) != 0)
        return;
    linux_smart_read(bus, disk->name, is_usb, out);
    if (out->smart == PLATFORM_SMART_UNKNOWN ||
        out->smart == PLATFORM_SMART_HIDDEN)
        linux_smartctl_read(disk->node, is_usb, out);
}

err_code platform_read_health(struct platform *platform, const char *drive,
                              struct platform_health *out, struct error *err)
{
    CLEANUP_FREE char *name = NULL;
    CLEANUP(linux_snapshot_release)
    struct linux_snapshot snapshot = {.swaps = NULL};
    struct platform_health health = PLATFORM_HEALTH_INIT;
    err_code code = linux_drive_find(drive, &name, err);

    if (!code)
        code = linux_snapshot_read(linux_has_udev() ? NULL : platform->probes,
                                   &snapshot, err);
    if (code)
        return code;
    const struct linux_block *disk = linux_blocks_find(&snapshot.blocks, name);
    if (!disk)
        return error_set(err, ERR_DEVICE_GONE,
                         "the drive %s is not plugged in any more", name);
    CLEANUP_FREE char *usb = linux_drive_usb_device(disk->path);
    health.has_under_voltage = read_under_voltage();
    read_smart(platform->bus, disk, usb != NULL, &health);
    count_errors(disk, &health);
    look_at_volumes(&snapshot, disk, &health);
    *out = health;
    return ERR_OK;
}
