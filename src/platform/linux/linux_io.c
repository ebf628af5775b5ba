#include "platform/linux/linux_io.h"

#include "platform/platform_io.h"
#include "platform/posix_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* --- which mount -------------------------------------------------------- */

/* "mnt_id:\t27", since Linux 3.15. */
static int mount_id_from_proc(int fd, uint64_t *out_mount_id)
{
    char path[64], line[256];

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    FILE *stream = fopen(path, "re");
    if (!stream)
        return -1;
    bool found = false;
    while (!found && fgets(line, sizeof line, stream)) {
        unsigned long id;
        found = sscanf(line, "mnt_id: %lu", &id) == 1;
        if (found)
            *out_mount_id = id;
    }
    fclose(stream);
    if (!found)
        errno = ENOSYS;
    return found ? 0 : -1;
}

int linux_mount_id(int fd, uint64_t *out_mount_id)
{
    struct statx found;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &found))
        return -1;
    if (!(found.stx_mask & STATX_MNT_ID)) /* before 5.8 */
        return mount_id_from_proc(fd, out_mount_id);
    *out_mount_id = found.stx_mnt_id;
    return 0;
}

/* Before 5.8: a mount's root is where ".." leads to another mount, or nowhere.
 */
static int parent_is_elsewhere(int fd)
{
    struct stat here, above;
    uint64_t mount, mount_above;
    CLEANUP_FD int parent_fd =
        openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (parent_fd < 0 || fstat(fd, &here) || fstat(parent_fd, &above) ||
        linux_mount_id(fd, &mount) || linux_mount_id(parent_fd, &mount_above))
        return -1;
    return mount != mount_above ||
           (here.st_dev == above.st_dev && here.st_ino == above.st_ino);
}

int linux_is_mount_root(int fd)
{
    struct statx found;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &found))
        return -1;
    if (found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
        return !!(found.stx_attributes & STATX_ATTR_MOUNT_ROOT);
    return S_ISDIR(found.stx_mode) ? parent_is_elsewhere(fd) : 0;
}

/* --- resolving ---------------------------------------------------------- */

enum resolver { RESOLVER_UNKNOWN, RESOLVER_OPENAT2, RESOLVER_WALK };

static _Atomic int probed_resolver = RESOLVER_UNKNOWN;
static _Atomic bool walk_is_forced;

static int call_openat2(int root_fd, const char *path, int flags, mode_t mode)
{
    const struct open_how how = {
        .flags = (uint64_t)(unsigned)flags,
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV |
                   RESOLVE_NO_MAGICLINKS,
    };
    long fd;

    do
        fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    while (fd < 0 && errno == EINTR);
    return (int)fd;
}

/*
 * ENOSYS before Linux 5.6, EPERM from seccomp filters that are older than the
 * call; and whatever else it is, the walk does the same.
 */
static int probe_resolver(void)
{
    CLEANUP_FD int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int fd =
        call_openat2(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

    return fd >= 0 ? RESOLVER_OPENAT2 : RESOLVER_WALK;
}

bool linux_io_uses_openat2(void)
{
    int resolver = atomic_load(&probed_resolver);

    if (atomic_load(&walk_is_forced))
        return false;
    if (resolver == RESOLVER_UNKNOWN) {
        resolver = probe_resolver();
        atomic_store(&probed_resolver, resolver);
    }
    return resolver == RESOLVER_OPENAT2;
}

void linux_io_force_component_walk(bool forced)
{
    atomic_store(&walk_is_forced, forced);
}

/*
 * EAGAIN: something was renamed or mounted while ".." or a mount was looked
 * at (openat2(2)). It passes; where it does not, the walk is immune to it.
 */
static int resolve(int root_fd, const char *path, int flags, mode_t mode)
{
    int fd = -1;

    for (int attempt = 0; attempt < 16; attempt++) {
        fd = call_openat2(root_fd, path, flags, mode);
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    return fd;
}

/*
 * Reading must not write: O_NOATIME, for which the kernel wants the file's
 * owner or CAP_FOWNER and else says EPERM (open(2)).
 */
static bool wants_no_atime(int flags)
{
    return (flags & O_ACCMODE) == O_RDONLY && !(flags & O_PATH);
}

static int resolve_without_atime(int root_fd, const char *path, int flags)
{
    if (wants_no_atime(flags)) {
        int fd = resolve(root_fd, path, flags | O_NOATIME, 0);
        if (fd >= 0 || errno != EPERM)
            return fd;
    }
    return resolve(root_fd, path, flags, flags & O_CREAT ? 0600 : 0);
}

static int open_at_without_atime(int dir_fd, const char *name, int flags,
                                 mode_t mode)
{
    if (wants_no_atime(flags)) {
        int fd = posix_open_at(dir_fd, name, flags | O_NOATIME, mode);
        if (fd >= 0 || errno != EPERM)
            return fd;
    }
    return posix_open_at(dir_fd, name, flags, mode);
}

/*
 * The same rules as openat2's. By mount id: st_dev would miss a bind mount of
 * the same filesystem and stumble over btrfs subvolumes, which RESOLVE_NO_XDEV
 * lets pass (they are no mounts).
 */
static const struct posix_walk linux_walk = {
    .search_flags = O_PATH,
    .open_at = open_at_without_atime,
    .mount_key = linux_mount_id,
};

/* Something moved meanwhile; or the path is longer than a system call takes
 * (PATH_MAX), which its components need not be. */
static bool takes_a_walk(int os_errno)
{
    return os_errno == EAGAIN || os_errno == ENAMETOOLONG;
}

static err_code open_parent(int root_fd, const char *path, int *out_fd,
                            const char **out_name, struct error *err)
{
    const char *slash = strrchr(path, '/');
    err_code code = posix_check_path(path, err);

    if (code)
        return code;
    if (!slash) { /* the root itself: nothing is entered */
        *out_fd = -1;
        *out_name = path;
        return ERR_OK;
    }
    if (linux_io_uses_openat2()) {
        CLEANUP_FREE char *parent = xstrndup(path, (size_t)(slash - path));
        CLEANUP_FD int fd =
            resolve(root_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        if (fd < 0 && !takes_a_walk(errno))
            return posix_path_error(errno, "open", path, err);
        if (fd >= 0) {
            *out_fd = TAKE_FD(fd);
            *out_name = slash + 1;
            return ERR_OK;
        }
    }
    return posix_open_parent(&linux_walk, root_fd, path, out_fd, out_name, err);
}

err_code platform_open_root(const char *path, int *out_fd, struct error *err)
{
    return posix_open_root(path, out_fd, err);
}

/* ENXIO is a socket's answer to open(), too, not only a vanished drive's. */
static int explain(int os_errno, int root_fd, const char *path)
{
    struct platform_stat found;

    if (os_errno == ENXIO &&
        !platform_stat_beneath(root_fd, path, &found, NULL) &&
        found.type != PLATFORM_FILE)
        return EISDIR; /* in our table: not of the type it was */
    return os_errno;
}

err_code platform_open_beneath(int root_fd, const char *path,
                               enum platform_open how, int *out_fd,
                               struct error *err)
{
    if (!linux_io_uses_openat2())
        return posix_open_beneath(&linux_walk, root_fd, path, how, out_fd, err);

    err_code code = posix_check_path(path, err);
    if (code)
        return code;
    CLEANUP_FD int fd = resolve_without_atime(root_fd, *path ? path : ".",
                                              posix_open_flags(how));
    if (fd < 0 && takes_a_walk(errno))
        return posix_open_beneath(&linux_walk, root_fd, path, how, out_fd, err);
    if (fd < 0)
        return posix_path_error(explain(errno, root_fd, path),
                                how == PLATFORM_OPEN_CREATE ? "create" : "open",
                                path, err);
    code = posix_check_opened(fd, how, path, err);
    if (!code)
        *out_fd = TAKE_FD(fd);
    return code;
}

/* --- looking ------------------------------------------------------------ */

/*
 * What struct platform_stat needs and no more: a filesystem may have to look
 * for each bit. Not AT_STATX_DONT_SYNC: on a local disk it changes nothing,
 * and FUSE and NFS may answer it with attributes that somebody else has long
 * changed (fs/fuse/dir.c, fuse_update_get_attr).
 */
#define STAT_MASK                                                              \
    (STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID |           \
     STATX_MTIME | STATX_CTIME | STATX_INO | STATX_SIZE | STATX_BLOCKS |       \
     STATX_BTIME | STATX_MNT_ID)

static enum platform_type type_of(unsigned mode)
{
    if (S_ISREG(mode))
        return PLATFORM_FILE;
    if (S_ISDIR(mode))
        return PLATFORM_DIRECTORY;
    return S_ISLNK(mode) ? PLATFORM_SYMLINK : PLATFORM_OTHER;
}

static int64_t time_ns(const struct statx_timestamp *time)
{
    return posix_time_ns(time->tv_sec, time->tv_nsec);
}

/* Before 5.8 there is no mount id here; st_dev finds all but bind mounts. */
static int examine(int dir_fd, const char *name, int flags,
                   struct platform_stat *out)
{
    struct statx found;

    if (statx(dir_fd, name, flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
              STAT_MASK, &found))
        return -1;
    uint64_t device = makedev(found.stx_dev_major, found.stx_dev_minor);
    *out = (struct platform_stat){
        .type = type_of(found.stx_mode),
        .mode = found.stx_mode & 07777,
        .uid = found.stx_uid,
        .gid = found.stx_gid,
        .links = found.stx_nlink,
        .size_bytes = (int64_t)found.stx_size,
        .allocated_bytes = (int64_t)found.stx_blocks * 512,
        .mtime_ns = time_ns(&found.stx_mtime),
        .ctime_ns = time_ns(&found.stx_ctime),
        .btime_ns =
            found.stx_mask & STATX_BTIME ? time_ns(&found.stx_btime) : 0,
        .inode = found.stx_ino,
        .device = device,
        .mount = found.stx_mask & STATX_MNT_ID ? found.stx_mnt_id : device,
    };
    return 0;
}

err_code platform_stat_beneath(int root_fd, const char *path,
                               struct platform_stat *out, struct error *err)
{
    CLEANUP_FD int parent_fd = -1;
    const char *name;

    if (!*path)
        return platform_stat_fd(root_fd, out, err);
    err_code code = open_parent(root_fd, path, &parent_fd, &name, err);
    if (code)
        return code;
    if (examine(parent_fd < 0 ? root_fd : parent_fd, name, 0, out))
        return posix_path_error(errno, "examine", path, err);
    return ERR_OK;
}

err_code platform_stat_fd(int fd, struct platform_stat *out, struct error *err)
{
    if (examine(fd, "", AT_EMPTY_PATH, out))
        return error_set_errno(err, errno, "cannot examine an open file");
    return ERR_OK;
}

/*
 * A piece of a directory as getdents64 gives it. Pieces, so that memory does
 * not grow with the directory.
 */
enum {
    BATCH_BYTES = 128 * 1024,
    /* inode, offset, length, type; a name of one byte and NUL; multiple of 8 */
    SMALLEST_RECORD_BYTES = 24,
    /* Below this, one read-ahead of the inode table has them all. */
    SORT_FROM_COUNT = 64,
};

struct batch {
    _Alignas(struct dirent64) char records[BATCH_BYTES];
    size_t count;
    struct batch_item {
        uint64_t inode;
        size_t offset;
    } items[BATCH_BYTES / SMALLEST_RECORD_BYTES];
};

static const struct dirent64 *record_at(const struct batch *batch,
                                        size_t offset)
{
    return (const struct dirent64 *)(const void *)(batch->records + offset);
}

static void split_batch(struct batch *batch, size_t length)
{
    batch->count = 0;
    for (size_t offset = 0; offset < length;) {
        const struct dirent64 *record = record_at(batch, offset);
        if (strcmp(record->d_name, ".") && strcmp(record->d_name, ".."))
            batch->items[batch->count++] =
                (struct batch_item){record->d_ino, offset};
        offset += record->d_reclen;
    }
}

static int compare_inodes(const void *one, const void *other)
{
    uint64_t left = ((const struct batch_item *)one)->inode;
    uint64_t right = ((const struct batch_item *)other)->inode;

    return left < right ? -1 : left > right;
}

/*
 * ext4 lists in the order of name hashes: by inode number its inode table is
 * read in one direction. Others list in the order of creation or of the disk,
 * and the kernel's exFAT looks a name up starting where it found the last one
 * (exfat_find_dir_entry, hint_stat): there another order is quadratic.
 */
static bool is_listed_in_hash_order(int dir_fd)
{
    struct statfs found;

    return !fstatfs(dir_fd, &found) && found.f_type == EXT4_SUPER_MAGIC;
}

static err_code visit_batch(int dir_fd, const struct batch *batch,
                            platform_visit *visit, void *context,
                            struct error *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct platform_stat found;
        struct platform_entry entry = {
            .name = record_at(batch, batch->items[i].offset)->d_name,
            .stat = &found,
        };
        if (examine(dir_fd, entry.name, 0, &found)) {
            entry.stat_error = error_code_of_errno(errno);
            entry.stat = NULL;
        }
        err_code code = visit(context, &entry, err);
        if (code)
            return code;
    }
    return ERR_OK;
}

err_code platform_list_directory(int dir_fd, platform_visit *visit,
                                 void *context, struct error *err)
{
    CLEANUP_FREE struct batch *batch = xmalloc(sizeof *batch);

    if (lseek(dir_fd, 0, SEEK_SET) < 0)
        return error_set_errno(err, errno, "cannot list a directory");
    for (;;) {
        ssize_t length = getdents64(dir_fd, batch->records, BATCH_BYTES);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return error_set_errno(err, errno, "cannot list a directory");
        if (!length)
            return ERR_OK;
        split_batch(batch, (size_t)length);
        if (batch->count >= SORT_FROM_COUNT && is_listed_in_hash_order(dir_fd))
            qsort(batch->items, batch->count, sizeof *batch->items,
                  compare_inodes);
        err_code code = visit_batch(dir_fd, batch, visit, context, err);
        if (code)
            return code;
    }
}

err_code platform_read_link(int root_fd, const char *path, char **out_target,
                            struct error *err)
{
    CLEANUP_FD int parent_fd = -1;
    const char *name;
    err_code code = open_parent(root_fd, path, &parent_fd, &name, err);

    if (code)
        return code;
    return posix_read_link_at(parent_fd < 0 ? root_fd : parent_fd, name, path,
                              out_target, err);
}

err_code platform_space(int fd, struct platform_space *out, struct error *err)
{
    return posix_space(fd, out, err);
}

/* --- changing ----------------------------------------------------------- */

err_code platform_rename_noreplace(int from_dir_fd, const char *from,
                                   int to_dir_fd, const char *to,
                                   struct error *err)
{
    if (!RETRY_ON_EINTR(
            renameat2(from_dir_fd, from, to_dir_fd, to, RENAME_NOREPLACE)))
        return ERR_OK;
    /* The filesystem, or the kernel, does not know the flag (rename(2)). */
    if (errno == EINVAL || errno == ENOSYS)
        return posix_rename_look_before(from_dir_fd, from, to_dir_fd, to, err);
    return error_set_errno(err, errno, "cannot rename %s to %s", from, to);
}
