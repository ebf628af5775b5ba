/*
 * The mount table, and what is known of the filesystem under a descriptor.
 * Any thread; nothing here waits for a network server.
 */
#ifndef BERTH_MACOS_MOUNT_H
#define BERTH_MACOS_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/param.h>

struct macos_mount_table {
    struct statfs *items;
    size_t count;
};
/* As the kernel remembers it, without asking the filesystems. */
bool macos_mount_table_read(struct macos_mount_table *out);
void macos_mount_table_release(struct macos_mount_table *table);

/* Borrowed from the table; NULL: nothing is mounted there. */
const struct statfs *macos_mount_find(const struct macos_mount_table *table,
                                      const char *mount_point);

/* Whether the driver lists names in decomposed form (NFD). */
bool macos_lists_decomposed(int fd);

/* Whether what is not in the kernel's cache is read from the device: no
 * program with a cache of its own serves the filesystem. */
bool macos_reads_from_device(int fd);

#endif
