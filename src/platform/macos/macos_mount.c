#include "platform/macos/macos_mount.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "platform/macos/macos_cf.h"
#include "platform/macos/macos_disk.h"
#include "platform/macos/macos_registry.h"
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- the table --- */

bool macos_mount_table_read(struct macos_mount_table *out)
{
    int count = getfsstat(NULL, 0, MNT_NOWAIT);

    /* It may have grown when it is asked again. */
    while (count >= 0) {
        int capacity = count + 8;
        struct statfs *items = xcalloc((size_t)capacity, sizeof *items);
        count =
            getfsstat(items, capacity * (int)sizeof(struct statfs), MNT_NOWAIT);
        if (count >= 0 && count < capacity) {
            *out = (struct macos_mount_table){items, (size_t)count};
            return true;
        }
        free(items);
    }
    return false;
}

void macos_mount_table_release(struct macos_mount_table *table)
{
    free(table->items);
    *table = (struct macos_mount_table){.items = NULL};
}

const struct statfs *macos_mount_find(const struct macos_mount_table *table,
                                      const char *mount_point)
{
    for (size_t i = table->count; i-- > 0;)
        if (!strcmp(table->items[i].f_mntonname, mount_point))
            return &table->items[i];
    return NULL;
}

/* --- drivers --- */

static bool is_driver(int fd, const char *const *drivers, size_t count)
{
    struct statfs found;

    if (fstatfs(fd, &found))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!strcmp(found.f_fstypename, drivers[i]))
            return true;
    return false;
}

/* "lifs": what DiskArbitration.c knows as a driver in a program of its own
 * (macOS 14); FAT and exFAT were the only ones. */
bool macos_lists_decomposed(int fd)
{
    static const char *const drivers[] = {"msdos", "exfat", "hfs", "lifs"};

    return is_driver(fd, drivers, COUNT_OF(drivers));
}

bool macos_reads_from_device(int fd)
{
    static const char *const drivers[] = {"apfs", "hfs"};

    return is_driver(fd, drivers, COUNT_OF(drivers));
}

/* --- what is mounted --- */

static bool is_journaled(const struct statfs *mounted)
{
    return !strcmp(mounted->f_fstypename, "apfs") ||
           (mounted->f_flags & MNT_JOURNALED);
}

/*
 * Unmounting and mounting again the same plugged device cannot be told apart:
 * Darwin numbers mounts by their device.
 */
static char *attachment_of(const struct statfs *mounted,
                           const struct macos_disk *disk)
{
    return xasprintf("%" PRIx64 "-%x", disk->media_id,
                     (unsigned)mounted->f_fsid.val[0]);
}

/* Without the disk (`disk` is empty): a filesystem of the network, or one
 * that DiskArbitration does not know. */
static void describe(const struct statfs *mounted, bool has_disk,
                     const struct macos_disk *disk, struct platform_mount *out)
{
    const char *kind =
        has_disk && *disk->kind ? disk->kind : mounted->f_fstypename;

    *out = (struct platform_mount){
        .mount_id = (uint32_t)mounted->f_fsid.val[0],
        .attachment = attachment_of(mounted, disk),
        .plug = has_disk ? xasprintf("%" PRIx64, disk->media_id) : xstrdup(""),
        .mount_point = xstrdup(mounted->f_mntonname),
        .source = has_disk ? xasprintf("/dev/%s", disk->bsd_name)
                           : xstrdup(mounted->f_mntfromname),
        .driver = xstrdup(mounted->f_fstypename),
        .family = xstrdup(macos_family_of(kind)),
        .subtree = xstrdup("/"),
        .fs_uuid = xstrdup(has_disk ? disk->uuid : ""),
        .fs_label = xstrdup(has_disk ? disk->label : ""),
        .is_read_only = (mounted->f_flags & MNT_RDONLY) != 0,
        .is_network = !(mounted->f_flags & MNT_LOCAL),
        .is_local_disk = has_disk,
        .has_journal = is_journaled(mounted),
    };
}

static void describe_mounted(DASessionRef session, const struct statfs *mounted,
                             struct platform_mount *out)
{
    CLEANUP_FREE char *name = macos_bsd_name(mounted->f_mntfromname);
    CLEANUP(macos_disk_release) struct macos_disk disk = {.bsd_name = NULL};
    bool has_disk =
        name && session && macos_disk_describe_name(session, name, &disk);

    describe(mounted, has_disk, &disk, out);
}

/* By path: inode numbers of exFAT's roots are made up anew (gocryptfs#585). */
static bool is_root_of(int fd, const struct statfs *mounted)
{
    char path[MAXPATHLEN];

    return fcntl(fd, F_GETPATH, path) != -1 &&
           !strcmp(path, mounted->f_mntonname);
}

err_code platform_mount_of(int fd, struct platform_mount *out,
                           struct error *err)
{
    struct statfs mounted;

    if (fstatfs(fd, &mounted))
        return error_set_errno(err, errno,
                               "cannot find out what is mounted here");
    DASessionRef session = DASessionCreate(NULL);
    describe_mounted(session, &mounted, out);
    out->is_root = is_root_of(fd, &mounted);
    macos_release(session);
    return ERR_OK;
}

/* Darwin checks before it mounts, and shows no mark afterwards. */
enum platform_check platform_mount_check(int root_fd, int file_fd,
                                         const struct platform_mount *mount)
{
    return PLATFORM_CHECK_UNKNOWN;
}

/* The halves of the system's own volume that nobody sees are no places for
 * files; a volume that is only hidden from the Finder is one. */
static bool could_be_a_volume(const struct statfs *mounted)
{
    CLEANUP_FREE char *name = macos_bsd_name(mounted->f_mntfromname);
    bool is_systems = (mounted->f_flags & MNT_DONTBROWSE) &&
                      !strncmp(mounted->f_mntonname, "/System/Volumes/", 16) &&
                      strcmp(mounted->f_mntonname, "/System/Volumes/Data") != 0;

    return name && (mounted->f_flags & MNT_LOCAL) && !is_systems;
}

err_code platform_list_mounts(struct platform *platform,
                              struct platform_mounts *out, struct error *err)
{
    CLEANUP(macos_mount_table_release)
    struct macos_mount_table table = {.items = NULL};
    struct platform_mounts found = {.items = NULL};

    if (!macos_mount_table_read(&table))
        return error_set_errno(err, errno, "cannot read the mount table");
    DASessionRef session = DASessionCreate(NULL);
    for (size_t i = 0; i < table.count; i++) {
        struct platform_mount mount;
        if (!could_be_a_volume(&table.items[i]))
            continue;
        describe_mounted(session, &table.items[i], &mount);
        mount.is_root = true;
        ARRAY_PUSH(&found, mount);
    }
    macos_release(session);
    *out = found;
    return ERR_OK;
}

static bool has_files(const struct statfs *mounted)
{
    return strcmp(mounted->f_fstypename, "devfs") != 0 &&
           strcmp(mounted->f_fstypename, "autofs") != 0;
}

err_code platform_visit_mounts_below(int root_fd, platform_visit_mount *visit,
                                     void *context, struct error *err)
{
    CLEANUP(macos_mount_table_release)
    struct macos_mount_table table = {.items = NULL};
    char root[MAXPATHLEN];

    if (fcntl(root_fd, F_GETPATH, root) == -1)
        return error_set_errno(err, errno, "cannot tell a directory's path");
    if (!macos_mount_table_read(&table))
        return error_set_errno(err, errno, "cannot read the mount table");
    for (size_t i = 0; i < table.count; i++) {
        const char *path = table.items[i].f_mntonname;
        if (!path_is_within(path, root))
            continue;
        path += strlen(root);
        path += *path == '/';
        if (*path)
            visit(context, path, has_files(&table.items[i]));
    }
    return ERR_OK;
}

/*
 * When a drive is pulled its volume is unmounted by force, and descriptors on
 * it answer with an error at once (deadfs). The registry is asked as well,
 * should the volume be slow to go.
 */
err_code platform_check_attached(int fd, struct error *err)
{
    struct statfs mounted;

    if (fstatfs(fd, &mounted)) {
        if (errno == EBADF || errno == EIO)
            errno = ENXIO;
        return error_set_errno(err, errno, "the drive does not answer");
    }
    CLEANUP_FREE char *name = macos_bsd_name(mounted.f_mntfromname);
    if (!name)
        return ERR_OK;
    io_service_t media = macos_registry_find(name);
    if (!media)
        return error_set(err, ERR_DEVICE_GONE, "/dev/%s is unplugged", name);
    IOObjectRelease(media);
    return ERR_OK;
}
