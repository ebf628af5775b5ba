/*
 * Drives and volumes, made of block devices, mounts and swaps.
 */
#ifndef BERTH_LINUX_DEVICES_H
#define BERTH_LINUX_DEVICES_H

#include "platform/linux/linux_block.h"
#include "platform/linux/linux_mountinfo.h"
#include "platform/platform.h"

/* What the machine looked like at one moment. */
struct linux_snapshot {
    struct linux_blocks blocks;
    struct linux_mount_table mounts;
    char *swaps; /* /proc/swaps */
};

/* `probes`: see linux_blocks_read. */
err_code linux_snapshot_read(struct linux_probes *probes,
                             struct linux_snapshot *out, struct error *err)
    MUST_CHECK;
void linux_snapshot_release(struct linux_snapshot *snapshot);

void linux_snapshot_devices(const struct linux_snapshot *snapshot,
                            struct platform_devices *out);

/* The disks that a block device lies on: itself, or through partition, LUKS,
 * LVM, RAID. Names of the kernel. */
void linux_snapshot_disks_of(const struct linux_snapshot *snapshot,
                             const struct linux_block *block,
                             struct linux_names *out);

/* Whether the filesystem of the mount lies on this block device. */
bool linux_snapshot_is_mount_of(const struct linux_snapshot *snapshot,
                                const struct linux_mount_entry *entry,
                                const struct linux_block *block);

/* The same for a node. After a yank the node is gone and the mount is not: then
 * its name decides. */
bool linux_snapshot_is_mount_at(const struct linux_snapshot *snapshot,
                                const struct linux_mount_entry *entry,
                                const char *node);

/* The block device that a path of a device node names, borrowed; NULL. */
const struct linux_block *linux_snapshot_find_node(
    const struct linux_snapshot *snapshot, const char *node);

/*
 * The path in a line of /proc/swaps, and the start of the next line through
 * *text; NULL at its end. free() it.
 */
char *linux_swap_next(const char **text);

#endif
