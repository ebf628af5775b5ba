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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static enum platform_check check_exfat(int root_fd, const char *node)
{
    const struct timespec pause = clock_to_timespec(LOOK_PAUSE_NS);
    int dirty = linux_exfat_is_dirty(node);

    for (int i = 0; i < LOOKS && dirty > 0; i++) {
        if (i)
            nanosleep(&pause, NULL);
        if (syncfs(root_fd))
            break;
        dirty = linux_exfat_is_dirty(node);
    }
    return dirty < 0 ? PLATFORM_CHECK_UNKNOWN
           : dirty   ? PLATFORM_CHECK_NEEDED
                     : PLATFORM_CHECK_NONE;
}

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

enum platform_check platform_mount_check(int root_fd,
                                         const struct platform_mount *mount)
{
    struct stat root, node;

    if (fstat(root_fd, &root))
        return PLATFORM_CHECK_UNKNOWN;
    if (!strcmp(mount->family, "ext4"))
        return check_ext4(root.st_dev);
    bool is_its_device = !stat(mount->source, &node) && S_ISBLK(node.st_mode) &&
                         node.st_rdev == root.st_dev;
    return !strcmp(mount->driver, "exfat") && is_its_device
               ? check_exfat(root_fd, mount->source)
               : PLATFORM_CHECK_UNKNOWN;
}
