#include "core/base/array.h"
#include "core/base/path.h"
#include "platform/macos/macos_disk.h"
#include "platform/macos/macos_flush.h"
#include "platform/macos/macos_mount.h"
#include "platform/macos/macos_platform.h"
#include "platform/macos/macos_request.h"
#include "platform/platform.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- drives --- */

/* Values of "Protocol Characteristics" (IOStorageProtocolCharacteristics.h).
 * An Apple silicon Mac's own disk says "Apple Fabric". */
static const struct {
    const char *protocol;
    enum platform_bus bus;
} buses[] = {
    {"USB", PLATFORM_BUS_USB},
    {"Thunderbolt", PLATFORM_BUS_THUNDERBOLT},
    {"ATA", PLATFORM_BUS_ATA},
    {"SATA", PLATFORM_BUS_ATA},
    {"PCI", PLATFORM_BUS_NVME},
    {"PCI-Express", PLATFORM_BUS_NVME},
    {"Apple Fabric", PLATFORM_BUS_NVME},
    {"Secure Digital", PLATFORM_BUS_MMC},
    {"SAS", PLATFORM_BUS_SCSI},
    {"SCSI Parallel Interface", PLATFORM_BUS_SCSI},
    {"Virtual Interface", PLATFORM_BUS_VIRTUAL}, /* a disk image */
};

static enum platform_bus bus_of(const struct macos_disk *disk)
{
    for (size_t i = 0; i < COUNT_OF(buses); i++)
        if (!strcmp(disk->protocol, buses[i].protocol))
            return buses[i].bus;
    return PLATFORM_BUS_UNKNOWN;
}

static char *id_of(uint64_t physical_id)
{
    return xasprintf("%" PRIx64, physical_id);
}

/*
 * Not Removable and not Ejectable: those are of the medium, and a USB hard
 * disk has neither (IOMedia.h).
 */
static void add_drive(const struct macos_disk *disk,
                      struct platform_devices *out)
{
    enum platform_bus bus = bus_of(disk);
    struct platform_drive drive = {
        .id = id_of(disk->physical_id),
        .device = xasprintf("/dev/%s", disk->bsd_name),
        .vendor = xstrdup(disk->vendor),
        .model = xstrdup(disk->model),
        .serial = xstrdup(disk->serial),
        .bus = bus,
        .size_bytes = disk->size_bytes,
        .link_mbit = disk->link_mbit,
        .write_cache = PLATFORM_CACHE_UNKNOWN,
        .is_external = !disk->is_internal && bus != PLATFORM_BUS_VIRTUAL,
        .is_rotational = disk->is_rotational,
        .is_read_only = !disk->is_writable,
    };

    ARRAY_PUSH(&out->drives, drive);
}

/* --- volumes --- */

static bool is_system_place(const char *path)
{
    return !strcmp(path, "/") || path_is_within(path, "/System") ||
           path_is_within(path, "/private");
}

/* Only what has, or can have, a filesystem: DiskArbitration names no kind for
 * partition maps, APFS containers and what it does not recognise. */
static bool is_volume(const struct macos_disk *disk)
{
    return (*disk->kind || *disk->mount_point) && !disk->is_network;
}

/* macOS' own driver only reads NTFS. */
static bool is_read_only(const struct macos_disk *disk,
                         const struct statfs *mounted)
{
    return !disk->is_writable || !strcmp(disk->kind, "ntfs") ||
           (mounted && (mounted->f_flags & MNT_RDONLY));
}

static void add_volume(const struct macos_disk *disk,
                       const struct macos_mount_table *table,
                       struct platform_devices *out)
{
    const struct statfs *mounted = macos_mount_find(table, disk->mount_point);
    bool is_mounted = *disk->mount_point != '\0';
    struct platform_volume volume = {
        .device = xasprintf("/dev/%s", disk->bsd_name),
        .drive = id_of(disk->physical_id),
        .family = xstrdup(macos_family_of(disk->kind)),
        .fs_uuid = xstrdup(disk->uuid),
        .fs_label = xstrdup(disk->label),
        .size_bytes = disk->size_bytes,
        .is_read_only = is_read_only(disk, mounted),
        .is_locked = disk->is_encrypted && !is_mounted,
        .is_system = is_mounted && is_system_place(disk->mount_point),
        .no_eject = xstrdup(
            disk->spans ? "part of a volume that spans several drives" : ""),
    };

    if (is_mounted) {
        volume.mount_points = xmalloc(sizeof *volume.mount_points);
        volume.mount_points[0] = xstrdup(disk->mount_point);
        volume.mount_point_count = 1;
    }
    ARRAY_PUSH(&out->volumes, volume);
}

/* --- the snapshot --- */

/*
 * Where a flush was seen to reach no further than the device, its cache is
 * the device's own business: what the interface calls "write through".
 */
static void judge_flush(const struct macos_disk *disk,
                        const struct macos_mount_table *table,
                        struct platform_devices *out)
{
    const struct statfs *mounted = macos_mount_find(table, disk->mount_point);
    CLEANUP_FREE char *id = id_of(disk->physical_id);
    enum macos_flush seen =
        mounted ? macos_flush_seen((dev_t)mounted->f_fsid.val[0])
                : MACOS_FLUSH_UNKNOWN;

    for (size_t i = 0; i < out->drives.count; i++) {
        struct platform_drive *drive = &out->drives.items[i];
        if (strcmp(drive->id, id) != 0)
            continue;
        if (seen == MACOS_FLUSH_FILE || seen == MACOS_FLUSH_BARRIER)
            drive->write_cache = PLATFORM_CACHE_WRITE_THROUGH;
        else if (seen == MACOS_FLUSH_FULL &&
                 drive->write_cache == PLATFORM_CACHE_UNKNOWN)
            drive->write_cache = PLATFORM_CACHE_WRITE_BACK;
    }
}

static void build(const struct macos_disks *disks,
                  const struct macos_mount_table *table,
                  struct platform_devices *out)
{
    *out = (struct platform_devices){.drives = {.items = NULL}};
    for (size_t i = 0; i < disks->count; i++)
        if (disks->items[i].is_physical)
            add_drive(&disks->items[i], out);
    for (size_t i = 0; i < disks->count; i++) {
        if (!is_volume(&disks->items[i]))
            continue;
        add_volume(&disks->items[i], table, out);
        judge_flush(&disks->items[i], table, out);
    }
}

struct reading {
    struct macos_session *session;
    struct macos_disks disks;
    err_code code;
    struct error *err;
};

/* On the queue. A session that nobody answers is replaced, once. */
static void read_disks(void *context)
{
    struct reading *reading = context;
    struct macos_session *session = reading->session;

    reading->code =
        macos_disks_read(session->arbitration, &reading->disks, reading->err);
    if (reading->code != ERR_IO)
        return;
    macos_requests_repeat(session);
    reading->code =
        macos_disks_read(session->arbitration, &reading->disks, reading->err);
}

err_code platform_list_devices(struct platform *platform,
                               struct platform_devices *out, struct error *err)
{
    CLEANUP(macos_mount_table_release)
    struct macos_mount_table table = {.items = NULL};
    struct reading reading = {.session = platform->session, .err = err};

    macos_session_run(platform->session, read_disks, &reading);
    if (reading.code)
        return reading.code;
    /* Without it volumes are not known to be read-only; that is all. */
    if (!macos_mount_table_read(&table))
        table = (struct macos_mount_table){.items = NULL};
    build(&reading.disks, &table, out);
    macos_disks_release(&reading.disks);
    return ERR_OK;
}

static bool drive_spins(const struct platform_devices *devices, const char *id)
{
    for (size_t i = 0; i < devices->drives.count; i++) {
        const struct platform_drive *drive = &devices->drives.items[i];
        if (!strcmp(drive->id, id))
            return drive->is_rotational && drive->bus != PLATFORM_BUS_VIRTUAL;
    }
    return false;
}

bool platform_volume_spins(struct platform *platform,
                           const struct platform_mount *mount)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = {.drives = {.items = NULL}};
    bool found = false;

    if (platform_list_devices(platform, &devices, NULL))
        return false;
    for (size_t i = 0; !found && i < devices.volumes.count; i++)
        found = !strcmp(devices.volumes.items[i].device, mount->source) &&
                drive_spins(&devices, devices.volumes.items[i].drive);
    return found;
}
