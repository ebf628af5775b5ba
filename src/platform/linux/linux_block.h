/*
 * The machine's block devices as values: what the kernel (sysfs) and udev say
 * of each. linux_devices.c makes drives and volumes of them.
 */
#ifndef BERTH_LINUX_BLOCK_H
#define BERTH_LINUX_BLOCK_H

#include "platform/linux/linux_sysfs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Strings are owned and never NULL. */
struct linux_block {
    char *name; /* the kernel's: "sda1", "dm-0" */
    char *path; /* in sysfs */
    char *node; /* "/dev/sda1", "/dev/mapper/luks-…" */
    char *disk; /* of a partition: the name of its disk; else "" */
    dev_t number;
    int64_t size_bytes;
    bool is_read_only;
    bool is_known;          /* udev is done with it, or there is no udev */
    int64_t known_since_us; /* CLOCK_MONOTONIC; 0: udev does not say */
    bool is_ignored;        /* UDisks2 hides it: EFI, recovery … */
    bool has_disc;          /* of a CD drive */

    char *fs_type, *fs_label; /* "" when not recognised */
    char *fs_uuid;            /* canonical */
    char *fs_member;          /* ID_FS_UUID_SUB: differs between the devices of
                                 one btrfs */
    char *dm_name, *dm_uuid;  /* of the device mapper */
    char *backing_file;       /* of a loop device */
    char *vendor, *model, *serial; /* of a disk */
    struct linux_names slaves,
        holders; /* below and above it: LUKS, LVM, RAID */
};

/* In the order of their names, as people count. */
struct linux_blocks {
    struct linux_block *items;
    size_t count, capacity;
};

/*
 * What the devices themselves said where nobody else knows, so that a list of
 * devices does not wake disks: good until the next notice. Any thread.
 */
struct linux_probes;
struct linux_probes *linux_probes_new(void);
void linux_probes_free(struct linux_probes *probes);
void linux_probes_forget(struct linux_probes *probes);

/*
 * Everything of a size. `probes`: opens devices of which nothing is known,
 * for machines without udev; NULL: opens nothing.
 */
void linux_blocks_read(struct linux_probes *probes, struct linux_blocks *out);
void linux_blocks_release(struct linux_blocks *blocks);

/* Borrowed from the table; NULL. */
const struct linux_block *linux_blocks_find(const struct linux_blocks *blocks,
                                            const char *name);

/* Whether udevd runs; without it nobody fills its database. */
bool linux_has_udev(void);

#endif
