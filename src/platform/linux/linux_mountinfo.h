/*
 * The mount table as /proc/self/mountinfo tells it (proc(5)), and what the
 * names of filesystems mean. All but linux_mount_table_read is pure.
 */
#ifndef BERTH_LINUX_MOUNTINFO_H
#define BERTH_LINUX_MOUNTINFO_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line, decoded. Strings are owned and never NULL. */
struct linux_mount_entry {
    uint64_t mount_id, parent_id;
    unsigned major, minor;  /* major 0: no block device of its own */
    uint64_t peers, master; /* groups of mount_namespaces(7); 0: none */
    char *subtree;          /* what of the filesystem is mounted: "/" */
    char *mount_point;
    char *options;       /* of this mount: "rw,noatime" */
    char *type;          /* "ext4", "fuse.sshfs" */
    char *source;        /* "/dev/sda1"; any words where there is no device */
    char *super_options; /* of the filesystem: "rw,errors=remount-ro" */
};

struct linux_mount_table {
    struct linux_mount_entry *items; /* as the kernel lists them */
    size_t count, capacity;
};

/* False, and nothing is set, for what is not a line of mountinfo. */
bool linux_mountinfo_parse_line(const char *line, size_t length,
                                struct linux_mount_entry *out);
void linux_mount_entry_release(struct linux_mount_entry *entry);

/* Appends every line that can be read; others are left out. */
void linux_mount_table_parse(const char *text, size_t length,
                             struct linux_mount_table *out);
err_code linux_mount_table_read(struct linux_mount_table *out,
                                struct error *err) MUST_CHECK;
void linux_mount_table_release(struct linux_mount_table *table);

/* Borrowed from the table; NULL when it is not in there. */
const struct linux_mount_entry *linux_mount_table_find(
    const struct linux_mount_table *table, uint64_t mount_id);

/*
 * Whether the mount is what one meets at its mount point: nothing is mounted
 * on top of it or over a directory above it.
 */
bool linux_mount_is_visible(const struct linux_mount_table *table,
                            const struct linux_mount_entry *entry);

/* Whether a list like "rw,noatime" holds exactly this option. */
bool linux_mount_has_option(const char *options, const char *option);

bool linux_mount_is_read_only(const struct linux_mount_entry *entry);

/*
 * Whether the driver made the filesystem read-only after an error, as exFAT,
 * FAT, ext4 and btrfs do. What is unwritten then stays so, and syncfs returns 0
 * (fs/sync.c, sync_filesystem: "No point in syncing out anything if the
 * filesystem is read-only"). Whoever mounts it read-only sets both options; a
 * driver that does so by itself at the mount (hfsplus, isofs) is not meant.
 */
bool linux_mount_was_made_read_only(const struct linux_mount_entry *entry);

/* NFS, SMB, sshfs …, and directories shared by a virtual machine's host. */
bool linux_mount_is_network(const struct linux_mount_entry *entry);

/*
 * Whether the type says that a disk is behind it. False for FUSE without a
 * block device in `major`: there the caller looks at the source.
 */
bool linux_mount_is_disk(const struct linux_mount_entry *entry);

/*
 * Whether the type holds what somebody keeps: not /proc and its kin, which the
 * kernel makes up while they are read, and not what shows a desktop session's
 * other places again (GVfs, document portals).
 */
bool linux_mount_has_files(const struct linux_mount_entry *entry);

/* Whether the format is a read-only image (squashfs, iso9660 …). */
bool linux_mount_is_image(const struct linux_mount_entry *entry);

/*
 * The format under any driver: ("fuseblk", "exfat") -> "exfat". `probed` is
 * what udev or blkid found on the device, "" when nobody knows. Borrowed from
 * the table of families or from the arguments.
 */
const char *linux_family_of(const char *driver, const char *probed);

/*
 * Whether a rename on this filesystem is whole or absent after a power cut,
 * as far as its names tell. Of ext3 and ext4 it takes the existence of the
 * journal for granted: the caller asks sysfs.
 */
bool linux_mount_is_journaled(const struct linux_mount_entry *entry);

#endif
