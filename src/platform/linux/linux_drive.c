#include "platform/linux/linux_drive.h"

#include "core/base/path.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- identity --- */

/*
 * diskseq (5.15, Documentation/ABI/stable/sysfs-block) counts up with every
 * disk that appears and every medium that is changed, so that another card in
 * the same reader is another drive. Older kernels: the number of the directory
 * in sysfs, which is given out in a circle (fs/kernfs/dir.c, idr_alloc_cyclic).
 */
char *linux_drive_id(const char *name, const char *path)
{
    struct stat found;
    int64_t sequence = linux_sysfs_number(path, "diskseq", -1);

    if (sequence >= 0)
        return xasprintf("%s.%" PRId64, name, sequence);
    if (stat(path, &found))
        return xasprintf("%s.", name);
    return xasprintf("%s.i%ju", name, (uintmax_t)found.st_ino);
}

err_code linux_drive_find(const char *id, char **out_name, struct error *err)
{
    const char *dot = strrchr(id, '.');
    CLEANUP_FREE char *name = xstrndup(id, dot ? (size_t)(dot - id) : 0);
    CLEANUP_FREE char *path = *name ? linux_sysfs_of_block(name) : NULL;
    CLEANUP_FREE char *now = path ? linux_drive_id(name, path) : NULL;

    if (!now || strcmp(now, id) != 0)
        return error_set(err, ERR_DEVICE_GONE,
                         "the drive %s is not plugged in any more", name);
    *out_name = TAKE_PTR(name);
    return ERR_OK;
}

/* --- connection --- */

/*
 * Where the hardware is. A drive that could be reached on two ways hangs on
 * a virtual node (drivers/nvme/host/multipath.c), whose links "nvme0", "nvme1"
 * lead to its controllers.
 */
static char *hardware_path(const char *path)
{
    CLEANUP_FREE char *subsystem =
        linux_sysfs_ancestor(path, "nvme-subsystem", NULL);
    CLEANUP(linux_names_release) struct linux_names names = {.items = NULL};

    if (subsystem)
        linux_sysfs_list(subsystem, &names);
    for (size_t i = 0; i < names.count; i++) {
        const char *digits = names.items[i] + strlen("nvme");
        if (strncmp(names.items[i], "nvme", 4) != 0 || !*digits ||
            digits[strspn(digits, "0123456789")])
            continue;
        CLEANUP_FREE char *link = path_join(subsystem, names.items[i]);
        char *found = realpath(link, NULL);
        if (found)
            return found;
    }
    return xstrdup(path);
}

static bool has_ancestor(const char *path, const char *subsystem,
                         const char *attribute)
{
    CLEANUP_FREE char *found = linux_sysfs_ancestor(path, subsystem, attribute);

    return found != NULL;
}

/* Only the devices of the USB subsystem, not their interfaces, have a speed. */
char *linux_drive_usb_device(const char *path)
{
    return linux_sysfs_ancestor(path, "usb", "speed");
}

/*
 * PCI devices behind Thunderbolt and USB4 (and ExpressCard): the firmware marks
 * the port as facing outwards, and the kernel what is behind it as removable
 * (5.15, drivers/pci/probe.c, pci_set_removable).
 */
static bool is_behind_thunderbolt(const char *path)
{
    CLEANUP_FREE char *at = xstrdup(path);
    char *device;

    while ((device = linux_sysfs_ancestor(at, "pci", "removable"))) {
        CLEANUP_FREE char *removable = linux_sysfs_text(device, "removable");
        free(at);
        at = device;
        if (!strcmp(removable, "removable"))
            return true;
        at[path_parent_length(at)] = '\0';
    }
    return false;
}

/* libata's ports have no subsystem: "…/ata1/host0/target0:0:0/…". */
static bool is_below_ata(const char *path)
{
    const char *at = path;

    while ((at = strstr(at, "/ata"))) {
        at += strlen("/ata");
        size_t digits = strspn(at, "0123456789");
        if (digits && at[digits] == '/')
            return true;
    }
    return false;
}

static bool is_virtual(const char *path)
{
    return path_is_within(path, "/sys/devices/virtual") ||
           has_ancestor(path, "virtio", NULL);
}

/* ID_BUS does not tell: it says "ata" of a USB disk whose bridge passes ATA
 * commands on. */
static enum platform_bus bus_of(const char *path)
{
    if (has_ancestor(path, "usb", "speed"))
        return PLATFORM_BUS_USB;
    if (is_behind_thunderbolt(path))
        return PLATFORM_BUS_THUNDERBOLT;
    if (has_ancestor(path, "mmc", NULL))
        return PLATFORM_BUS_MMC;
    if (has_ancestor(path, "nvme", NULL))
        return PLATFORM_BUS_NVME;
    if (is_below_ata(path))
        return PLATFORM_BUS_ATA;
    if (is_virtual(path))
        return PLATFORM_BUS_VIRTUAL;
    return has_ancestor(path, "scsi", NULL) ? PLATFORM_BUS_SCSI
                                            : PLATFORM_BUS_UNKNOWN;
}

/*
 * Not `removable`: that is of the medium, so USB hard disks say 0. An eMMC is
 * soldered, its type is "MMC" (drivers/mmc/core/bus.c).
 */
static bool is_external(const char *path, enum platform_bus bus)
{
    if (bus == PLATFORM_BUS_MMC) {
        CLEANUP_FREE char *card = linux_sysfs_ancestor(path, "mmc", NULL);
        CLEANUP_FREE char *type = linux_sysfs_text(card, "type");
        return strcmp(type, "MMC") != 0;
    }
    return bus == PLATFORM_BUS_USB || bus == PLATFORM_BUS_THUNDERBOLT ||
           has_ancestor(path, "firewire", NULL);
}

/* "480", "10000", "1.5": megabits (Documentation/ABI/testing/sysfs-bus-usb). */
static int64_t link_mbit(const char *path)
{
    CLEANUP_FREE char *device = linux_drive_usb_device(path);

    if (!device)
        return 0;
    CLEANUP_FREE char *speed = linux_sysfs_text(device, "speed");
    return isdigit((unsigned char)*speed) ? strtol(speed, NULL, 10) : 0;
}

static enum platform_write_cache write_cache(const char *path)
{
    CLEANUP_FREE char *text = linux_sysfs_text(path, "queue/write_cache");

    if (!strcmp(text, "write back"))
        return PLATFORM_CACHE_WRITE_BACK;
    if (!strcmp(text, "write through"))
        return PLATFORM_CACHE_WRITE_THROUGH;
    return PLATFORM_CACHE_UNKNOWN;
}

void linux_drive_describe(const struct linux_block *disk,
                          struct platform_drive *out)
{
    CLEANUP_FREE char *path = hardware_path(disk->path);
    enum platform_bus bus = bus_of(path);

    *out = (struct platform_drive){
        .id = linux_drive_id(disk->name, disk->path),
        .device = xstrdup(disk->node),
        .vendor = xstrdup(disk->vendor),
        .model = xstrdup(disk->model),
        .serial = xstrdup(disk->serial),
        .bus = bus,
        .size_bytes = disk->size_bytes,
        .link_mbit = link_mbit(path),
        .write_cache = write_cache(disk->path),
        .is_external = is_external(path, bus),
        .is_rotational =
            linux_sysfs_number(disk->path, "queue/rotational", 0) != 0,
        .is_read_only = disk->is_read_only,
    };
}

/* --- does it turn --- */

/* Layers do not nest deeper; a circle would be a bug of the kernel's. */
enum { DEEPEST_LAYER = 16 };

/* The disk's directory, from that of a partition or of the disk. */
static char *disk_path_of(const char *name)
{
    char *path = linux_sysfs_of_block(name);

    if (path && linux_sysfs_has(path, "partition"))
        path[path_parent_length(path)] = '\0';
    return path;
}

static bool spins(const char *name, int depth)
{
    CLEANUP_FREE char *path = disk_path_of(name);
    CLEANUP(linux_names_release) struct linux_names below = {.items = NULL};
    bool found = false;

    if (!path || depth > DEEPEST_LAYER)
        return false;
    CLEANUP_FREE char *slaves = path_join(path, "slaves");
    linux_sysfs_list(slaves, &below);
    for (size_t i = 0; !found && i < below.count; i++)
        found = spins(below.items[i], depth + 1);
    if (below.count || !linux_sysfs_number(path, "queue/rotational", 0))
        return found;
    CLEANUP_FREE char *hardware = hardware_path(path);
    return bus_of(hardware) != PLATFORM_BUS_VIRTUAL;
}

bool linux_drive_spins(const char *name)
{
    return spins(name, 0);
}
