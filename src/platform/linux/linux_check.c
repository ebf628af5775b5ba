/*
 * What filesystems say about their own state: exFAT's VolumeDirty, ext4's
 * count of errors.
 *
 * The kernel sets VolumeDirty before it writes anything, and a flush clears it
 * again; but where it was set when the volume was mounted it stays until fsck
 * (fs/exfat/super.c, vol_flags_persistent, since 5.9). exfat-fuse sets it with
 * the first write and clears it at the end whatever was there before, so of
 * that nothing is known while it is mounted.
 */
#include "platform/linux/linux_sysfs.h"
#include "platform/linux/linux_volume.h"
#include "platform/platform_io.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* exFAT specification, 3.1: boot sector. */
enum { EXFAT_NAME = 3, EXFAT_FLAGS = 106, EXFAT_DIRTY = 2, EXFAT_READ = 512 };

/* Another program that writes sets the mark again, a moment later. */
#define LOOKS 3
#define LOOK_PAUSE_NS (50 * NS_PER_MS)

int linux_exfat_is_dirty(const char *node)
{
    unsigned char sector[EXFAT_READ];
    CLEANUP_FD int fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || pread(fd, sector, sizeof sector, 0) != sizeof sector ||
        memcmp(sector + EXFAT_NAME, "EXFAT   ", 8) != 0)
        return -1;
    return (sector[EXFAT_FLAGS] & EXFAT_DIRTY) != 0;
}

static void wait_before(int look)
{
    const struct timespec pause = clock_to_timespec(LOOK_PAUSE_NS);

    if (look)
        nanosleep(&pause, NULL);
}

static enum platform_check check_exfat(int root_fd, const char *node)
{
    int dirty = linux_exfat_is_dirty(node);

    for (int i = 0; i < LOOKS && dirty > 0; i++) {
        wait_before(i);
        if (syncfs(root_fd))
            break;
        dirty = linux_exfat_is_dirty(node);
    }
    return dirty < 0 ? PLATFORM_CHECK_UNKNOWN
           : dirty   ? PLATFORM_CHECK_NEEDED
                     : PLATFORM_CHECK_NONE;
}

/* --- exFAT, for who may not read the device --- */

/* Written so far: Documentation/block/stat.rst. */
struct writes {
    int64_t requests, sectors;
};

static struct writes writes_of(dev_t device)
{
    char path[64];
    int64_t done[7];

    snprintf(path, sizeof path, "/sys/dev/block/%u:%u", major(device),
             minor(device));
    linux_sysfs_numbers(path, "stat", done, COUNT_OF(done));
    return (struct writes){.requests = done[4], .sectors = done[6]};
}

/* Sectors of 512 bytes in one of the device, which the mark takes. */
static int64_t sectors_of_mark(dev_t device)
{
    CLEANUP_FREE char *name = linux_sysfs_name_of(device);
    CLEANUP_FREE char *path = name ? linux_sysfs_of_block(name) : NULL;
    CLEANUP_FREE char *disk =
        path ? linux_sysfs_ancestor(path, "block", "queue") : NULL;

    return disk
               ? linux_sysfs_number(disk, "queue/logical_block_size", 512) / 512
               : 1;
}

/* Writes the file's times as they are, and makes that durable. */
static bool touch(int fd)
{
    struct stat found;

    if (fstat(fd, &found))
        return false;
    const struct timespec times[] = {found.st_atim, found.st_mtim};
    return !futimens(fd, times) && !fsync(fd);
}

/*
 * A flush writes the boot sector to take the mark away, and nothing else when
 * all is written: one request of one sector. Where the mark stays it writes
 * nothing (exfat_set_vol_flags returns early). Somebody else's flush may have
 * come before ours, somebody else's writes beside it: looked at again. That the
 * kernel counts at all is seen in the touch.
 */
static enum platform_check check_exfat_by_writes(int root_fd, int file_fd,
                                                 dev_t device)
{
    int64_t mark = sectors_of_mark(device);
    int without = 0;

    for (int i = 0; i < LOOKS; i++) {
        wait_before(i);
        if (syncfs(root_fd))
            return PLATFORM_CHECK_UNKNOWN;
        struct writes start = writes_of(device);
        if (!touch(file_fd))
            return PLATFORM_CHECK_UNKNOWN;
        struct writes touched = writes_of(device);
        if (touched.requests == start.requests || syncfs(root_fd))
            return PLATFORM_CHECK_UNKNOWN;
        struct writes end = writes_of(device);
        if (end.requests == touched.requests + 1 &&
            end.sectors == touched.sectors + mark)
            return PLATFORM_CHECK_NONE;
        without += end.requests == touched.requests;
    }
    return without == LOOKS ? PLATFORM_CHECK_NEEDED : PLATFORM_CHECK_UNKNOWN;
}

/* --- */

static enum platform_check check_ext4(dev_t device)
{
    CLEANUP_FREE char *name = linux_sysfs_name_of(device);

    if (!name)
        return PLATFORM_CHECK_UNKNOWN;
    CLEANUP_FREE char *path = xasprintf("/sys/fs/ext4/%s", name);
    int64_t errors = linux_sysfs_number(path, "errors_count", -1);
    return errors < 0   ? PLATFORM_CHECK_UNKNOWN
           : errors > 0 ? PLATFORM_CHECK_NEEDED
                        : PLATFORM_CHECK_NONE;
}

enum platform_check platform_mount_check(int root_fd, int file_fd,
                                         const struct platform_mount *mount)
{
    struct stat root, node;

    if (fstat(root_fd, &root))
        return PLATFORM_CHECK_UNKNOWN;
    if (!strcmp(mount->family, "ext4"))
        return check_ext4(root.st_dev);
    bool is_its_device = !stat(mount->source, &node) && S_ISBLK(node.st_mode) &&
                         node.st_rdev == root.st_dev;
    if (strcmp(mount->driver, "exfat") != 0 || !is_its_device)
        return PLATFORM_CHECK_UNKNOWN;
    enum platform_check check = check_exfat(root_fd, mount->source);
    return check == PLATFORM_CHECK_UNKNOWN && !mount->is_read_only
               ? check_exfat_by_writes(root_fd, file_fd, root.st_dev)
               : check;
}
