/*
 * Reading sysfs and the kernel's names of block devices. Any thread; opens no
 * device. Attributes are small texts; a missing one is "" or the fallback.
 */
#ifndef BERTH_LINUX_SYSFS_H
#define BERTH_LINUX_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The attribute without white space around it; free() it. */
char *linux_sysfs_text(const char *directory, const char *name);
/* Decimal, or "0x…"; `fallback` when it is no number. */
int64_t linux_sysfs_number(const char *directory, const char *name,
                           int64_t fallback);
/* The first `count` numbers of a line; missing ones are 0. */
void linux_sysfs_numbers(const char *directory, const char *name, int64_t *out,
                         size_t count);
bool linux_sysfs_has(const char *directory, const char *name);

/* The last component of what a link points to: of "subsystem", "driver". */
char *linux_sysfs_link_name(const char *directory, const char *name);

/* "/sys/devices/…/block/sda/sda1" of "sda1"; NULL when there is none. */
char *linux_sysfs_of_block(const char *name);

/* The kernel's name ("sda1", "dm-0") of a block device; NULL. */
char *linux_sysfs_name_of(dev_t device);

/*
 * The nearest directory at or above `path` that is a device of the subsystem
 * and, unless it is NULL, has the attribute; NULL. free() it.
 */
char *linux_sysfs_ancestor(const char *path, const char *subsystem,
                           const char *attribute);

/* Names in a directory of sysfs, sorted as people count: sda2, sda10. */
struct linux_names {
    char **items;
    size_t count, capacity;
};
void linux_sysfs_list(const char *directory, struct linux_names *out);
void linux_names_release(struct linux_names *names);

/* As strcmp, but runs of digits compare by value. */
int linux_name_compare(const char *one, const char *other);

#endif
