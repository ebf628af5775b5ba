/*
 * Powering a drive off: flush, stop, take it from the system.
 *
 * Who has the rights does it without UDisks2, which would do the same (its
 * handle_power_off, src/udiskslinuxdrive.c) but drops the disk's answers to
 * SYNCHRONIZE CACHE and START STOP UNIT: here they are read and kept. Two of
 * each would not do: a disk that has stopped may start again for the second.
 * Everybody else asks UDisks2, after a SYNCHRONIZE CACHE of our own where the
 * rights are enough for that.
 */
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "platform/linux/linux_devices.h"
#include "platform/linux/linux_drive.h"
#include "platform/linux/linux_request.h"
#include "platform/linux/linux_scsi.h"
#include "platform/linux/linux_udisks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct power {
    struct linux_bus *bus;
    struct linux_snapshot snapshot;
    const struct linux_block *disk;
    char *remove_path; /* "1" written there takes the drive away; NULL: none */
    bool is_usb;
    struct platform_power_proof proof;
};

static void power_release(struct power *power)
{
    linux_snapshot_release(&power->snapshot);
    free(power->remove_path);
}

/* --- looking --- */

/*
 * A USB device leaves as a whole (Documentation/ABI/testing/sysfs-bus-usb,
 * "remove"), any other SCSI disk by its "delete". Not the slot reader that is
 * built into a laptop: it would be gone until the next boot.
 */
static char *remove_path_of(const struct linux_block *disk)
{
    CLEANUP_FREE char *usb = linux_drive_usb_device(disk->path);
    CLEANUP_FREE char *device = path_join(disk->path, "device");

    if (usb) {
        CLEANUP_FREE char *place = linux_sysfs_text(usb, "removable");
        bool is_slot = linux_sysfs_number(disk->path, "removable", 0) != 0;
        return is_slot && !strcmp(place, "fixed") ? NULL
                                                  : path_join(usb, "remove");
    }
    return linux_sysfs_has(device, "delete") ? path_join(device, "delete")
                                             : NULL;
}

static err_code look(struct power *power, const char *id, struct error *err)
{
    CLEANUP_FREE char *name = NULL;
    err_code code = linux_drive_find(id, &name, err);

    if (!code)
        code = linux_snapshot_read(NULL, &power->snapshot, err);
    if (code)
        return code;
    power->disk = linux_blocks_find(&power->snapshot.blocks, name);
    if (!power->disk)
        return error_set(err, ERR_DEVICE_GONE, "%s is not plugged in any more",
                         name);
    power->remove_path = remove_path_of(power->disk);
    CLEANUP_FREE char *usb = linux_drive_usb_device(power->disk->path);
    power->is_usb = usb != NULL;
    return ERR_OK;
}

/* Whether a disk leaves with ours: another bay, another slot. */
static bool leaves_too(const struct power *power,
                       const struct linux_block *disk)
{
    CLEANUP_FREE char *ours = linux_drive_usb_device(power->disk->path);
    CLEANUP_FREE char *its = linux_drive_usb_device(disk->path);

    return disk == power->disk || (ours && its && !strcmp(ours, its));
}

static bool is_in_use(const struct power *power,
                      const struct linux_block *block)
{
    for (size_t i = 0; i < power->snapshot.mounts.count; i++)
        if (linux_snapshot_is_mount_of(&power->snapshot,
                                       &power->snapshot.mounts.items[i], block))
            return true;
    return false;
}

static err_code check_block(const struct power *power,
                            const struct linux_block *block, struct error *err)
{
    if (is_in_use(power, block))
        return error_set(err, ERR_BUSY, "cannot power off %s: %s is mounted",
                         power->disk->node, block->node);
    if (!strncmp(block->dm_uuid, "CRYPT-", strlen("CRYPT-")))
        return error_set(err, ERR_REFUSED,
                         "cannot power off %s: %s is not locked",
                         power->disk->node, block->node);
    return ERR_OK;
}

/* Also of what is not listed as a volume, and of the drives that leave too. */
static err_code check_unused(const struct power *power, struct error *err)
{
    for (size_t i = 0; i < power->snapshot.blocks.count; i++) {
        const struct linux_block *block = &power->snapshot.blocks.items[i];
        CLEANUP(linux_names_release) struct linux_names disks = {.items = NULL};
        linux_snapshot_disks_of(&power->snapshot, block, &disks);
        for (size_t d = 0; d < disks.count; d++) {
            const struct linux_block *disk =
                linux_blocks_find(&power->snapshot.blocks, disks.items[d]);
            err_code code = disk && leaves_too(power, disk)
                                ? check_block(power, block, err)
                                : ERR_OK;
            if (code)
                return code;
        }
    }
    return ERR_OK;
}

/* --- commands --- */

/*
 * O_EXCL on a block device fails while anybody has claimed it or a partition of
 * it (block/bdev.c, bd_may_claim): a mount in another namespace, the device
 * mapper. Not O_RDWR: closing that would make udev read the disk again, which
 * starts it (60-block.rules, OPTIONS+="watch").
 */
static err_code open_disk(const struct linux_block *disk, int *out_fd,
                          struct error *err)
{
    int fd = open(disk->node, O_RDONLY | O_NONBLOCK | O_EXCL | O_CLOEXEC);

    if (fd < 0 && errno == EBUSY)
        return error_set(err, ERR_BUSY,
                         "cannot power off %s: it is still in use, perhaps "
                         "mounted in a container",
                         disk->node);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open %s", disk->node);
    *out_fd = fd;
    return ERR_OK;
}

/*
 * fsync of the node: what lies in the cache of the block device itself, as a
 * FUSE server leaves it behind, and a flush that the kernel knows of.
 */
static err_code flush_disk(struct power *power, int fd, struct error *err)
{
    if (fsync(fd)) {
        power->proof.flush_failed = true;
        return error_set_errno(err, errno, "cannot flush %s",
                               power->disk->node);
    }
    switch (linux_scsi_synchronize_cache(fd)) {
    case LINUX_SCSI_GOOD:
        power->proof.flush_seen = true;
        break;
    case LINUX_SCSI_FAILED:
        power->proof.flush_failed = true;
        return error_set(err, ERR_IO, "%s did not empty its cache",
                         power->disk->node);
    case LINUX_SCSI_UNKNOWN:
        break;
    }
    return ERR_OK;
}

static void stop_disk(struct power *power, int fd)
{
    enum linux_scsi_outcome outcome = linux_scsi_stop(fd);

    power->proof.stop_seen = outcome == LINUX_SCSI_GOOD;
    power->proof.stop_failed = outcome == LINUX_SCSI_FAILED;
}

static err_code remove_device(const struct power *power, struct error *err)
{
    CLEANUP_FD int fd = open(power->remove_path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || fd_write_full(fd, "1", 1))
        return error_set_errno(err, errno, "cannot remove %s from the system",
                               power->disk->node);
    return ERR_OK;
}

/* They have nothing mounted: their caches, and their motors. */
static err_code stop_companion(const struct linux_block *disk,
                               struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = open_disk(disk, &fd, err);

    if (code)
        return code;
    if (fsync(fd) || linux_scsi_synchronize_cache(fd) == LINUX_SCSI_FAILED)
        return error_set(err, ERR_IO,
                         "%s, which would leave with it, did not empty its "
                         "cache",
                         disk->node);
    (void)linux_scsi_stop(fd); /* nothing is lost when it runs on */
    return ERR_OK;
}

static err_code stop_companions(const struct power *power, struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < power->snapshot.blocks.count; i++) {
        const struct linux_block *disk = &power->snapshot.blocks.items[i];
        if (disk != power->disk && !*disk->disk && leaves_too(power, disk))
            code = stop_companion(disk, err);
    }
    return code;
}

/* --- both ways --- */

/* Who may open it learns at least whether it is still in use. */
static err_code cannot_leave(const struct power *power, struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = open_disk(power->disk, &fd, err);

    if (code == ERR_BUSY)
        return code;
    return error_set(err, ERR_UNSUPPORTED,
                     "%s cannot be powered off: it is not a drive that can be "
                     "taken from the system",
                     power->disk->node);
}

static err_code power_off(struct power *power, struct error *err)
{
    CLEANUP_FD int fd = -1;
    bool may_remove = !access(power->remove_path, W_OK);
    err_code code = open_disk(power->disk, &fd, err);

    if (code && code != ERR_DENIED)
        return code;
    if (!code)
        code = flush_disk(power, fd, err);
    else
        may_remove = false; /* what cannot be flushed is not taken away */
    if (code && code != ERR_DENIED)
        return code;
    if (may_remove) {
        code = stop_companions(power, err);
        if (code)
            return code;
        stop_disk(power, fd);
        return remove_device(power, err);
    }
    if (!power->is_usb) /* UDisks2 knows no other way ("No usb device") */
        return cannot_leave(power, err);
    close(TAKE_FD(fd)); /* UDisks2 opens it with O_EXCL, too */
    code = linux_udisks_power_off(power->bus, power->disk->name,
                                  power->disk->node, err);
    return code == ERR_NOT_FOUND
               ? error_set(err, ERR_DENIED,
                           "cannot power off %s: UDisks2 is not there, and "
                           "without it only root may",
                           power->disk->node)
               : code;
}

err_code linux_power_off(struct linux_bus *bus, const char *drive,
                         struct platform_power_proof *out_proof,
                         struct error *err)
{
    CLEANUP(power_release) struct power power = {.bus = bus};
    CLEANUP_FREE char *name = NULL;
    err_code code = look(&power, drive, err);

    if (!code)
        code = check_unused(&power, err);
    if (!code && !power.remove_path)
        code = cannot_leave(&power, err);
    if (!code)
        code = power_off(&power, err);
    *out_proof = power.proof;
    if (code && power.disk && linux_drive_find(drive, &name, NULL))
        return error_set(err, ERR_DEVICE_GONE,
                         "%s was pulled out while it was powered off",
                         power.disk->node);
    return code;
}
