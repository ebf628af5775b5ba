#include "platform/posix_io.h"

#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/base/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* --- paths and words --- */

static const char *shown(const char *path)
{
    return *path ? path : "the root directory";
}

err_code posix_check_path(const char *path, struct error *err)
{
    if (!*path || path_is_plain_relative(path))
        return ERR_OK;
    return error_set(err, ERR_INVALID, "\"%s\" is not a path below a root",
                     path);
}

err_code posix_path_error(int os_errno, const char *verb, const char *path,
                          struct error *err)
{
    const char *reason = NULL;

    switch (os_errno) {
    case ELOOP:
        reason = "a symlink stands in the path";
        break;
    case EXDEV:
        reason = "a mount point stands in the path";
        break;
    case ENOTDIR:
        reason = "something other than a directory stands in the path";
        break;
    default:
        return error_set_errno(err, os_errno, "cannot %s %s", verb,
                               shown(path));
    }
    error_set(err, ERR_CHANGED, "cannot %s %s: %s", verb, shown(path), reason);
    if (err)
        err->os_errno = os_errno;
    return ERR_CHANGED;
}

/* --- opening --- */

int posix_open_at(int dir_fd, const char *name, int flags, mode_t mode)
{
    int fd;

    do
        fd = openat(dir_fd, name, flags, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static int device_of(int fd, uint64_t *out_key)
{
    struct stat found;

    if (fstat(fd, &found))
        return -1;
    *out_key = (uint64_t)found.st_dev;
    return 0;
}

const struct posix_walk posix_walk_by_device = {
    .search_flags = O_RDONLY,
    .open_at = posix_open_at,
    .mount_key = device_of,
};

int posix_open_flags(enum platform_open how)
{
    switch (how) {
    case PLATFORM_OPEN_DIRECTORY:
        return O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    case PLATFORM_OPEN_READ:
        /* O_NONBLOCK: a FIFO put there meanwhile must not hold us up. */
        return O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    case PLATFORM_OPEN_CREATE:
        /*
         * Readable, too: what was written is hashed and looked for in the
         * cache through the same descriptor (mmap needs O_RDONLY or O_RDWR).
         */
        return O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    case PLATFORM_OPEN_APPEND:
        /* Not O_APPEND: with it Linux' pwrite ignores its offset (pwrite(2),
         * BUGS), and a resumed file is written at offsets. */
        return O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    }
    die("no such way to open: %d", (int)how);
}

err_code posix_check_opened(int fd, enum platform_open how, const char *path,
                            struct error *err)
{
    struct stat found;

    if (fstat(fd, &found))
        return posix_path_error(errno, "examine", path, err);
    if (how == PLATFORM_OPEN_DIRECTORY ? S_ISDIR(found.st_mode)
                                       : S_ISREG(found.st_mode))
        return ERR_OK;
    return error_set(err, ERR_CHANGED, "%s is not a %s any more", shown(path),
                     how == PLATFORM_OPEN_DIRECTORY ? "directory"
                                                    : "regular file");
}

err_code posix_open_root(const char *path, int *out_fd, struct error *err)
{
    int fd =
        posix_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

    if (fd < 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    *out_fd = fd;
    return ERR_OK;
}

/* Opens one component and refuses it when it is on another mount. */
static int enter(const struct posix_walk *walk, uint64_t mount_key, int dir_fd,
                 const char *name, int flags)
{
    CLEANUP_FD int fd = walk->open_at(
        dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    uint64_t found_key;

    if (fd < 0 || walk->mount_key(fd, &found_key))
        return -1;
    if (found_key != mount_key) {
        errno = EXDEV;
        return -1;
    }
    return TAKE_FD(fd);
}

/*
 * Linux says ENOTDIR for a symlink met with O_DIRECTORY | O_NOFOLLOW, others
 * ELOOP; and ENXIO for a socket, which elsewhere means a drive that is gone.
 * So look what is there, for the words and for the caller's reaction.
 */
static int explain(int os_errno, int dir_fd, const char *name)
{
    struct stat found;

    if ((os_errno == ENOTDIR || os_errno == ENXIO) &&
        !fstatat(dir_fd, name, &found, AT_SYMLINK_NOFOLLOW)) {
        if (S_ISLNK(found.st_mode))
            return ELOOP;
        if (os_errno == ENXIO && !S_ISREG(found.st_mode))
            return EISDIR; /* in our table: not the type it was */
    }
    return os_errno;
}

/* As posix_open_parent, with the key that the root's mount has. */
static err_code walk_to_parent(const struct posix_walk *walk,
                               uint64_t mount_key, int root_fd,
                               const char *path, int *out_fd,
                               const char **out_name, struct error *err)
{
    CLEANUP_FD int dir_fd = -1;
    const char *slash;
    const char *rest = path;

    while ((slash = strchr(rest, '/'))) {
        CLEANUP_FREE char *name = xstrndup(rest, (size_t)(slash - rest));
        int from_fd = dir_fd < 0 ? root_fd : dir_fd;
        int next_fd = enter(walk, mount_key, from_fd, name,
                            walk->search_flags | O_DIRECTORY);
        if (next_fd < 0)
            return posix_path_error(explain(errno, from_fd, name), "open", path,
                                    err);
        if (dir_fd >= 0)
            close(dir_fd);
        dir_fd = next_fd;
        rest = slash + 1;
    }
    *out_fd = TAKE_FD(dir_fd);
    *out_name = rest;
    return ERR_OK;
}

err_code posix_open_parent(const struct posix_walk *walk, int root_fd,
                           const char *path, int *out_fd, const char **out_name,
                           struct error *err)
{
    uint64_t mount_key;
    err_code code = posix_check_path(path, err);

    if (code)
        return code;
    if (walk->mount_key(root_fd, &mount_key))
        return posix_path_error(errno, "examine", "", err);
    return walk_to_parent(walk, mount_key, root_fd, path, out_fd, out_name,
                          err);
}

err_code posix_open_beneath(const struct posix_walk *walk, int root_fd,
                            const char *path, enum platform_open how,
                            int *out_fd, struct error *err)
{
    CLEANUP_FD int parent_fd = -1;
    const char *name = ".";
    uint64_t mount_key;
    err_code code = posix_check_path(path, err);

    if (code)
        return code;
    if (walk->mount_key(root_fd, &mount_key))
        return posix_path_error(errno, "examine", "", err);
    if (*path)
        code = walk_to_parent(walk, mount_key, root_fd, path, &parent_fd, &name,
                              err);
    if (code)
        return code;
    int dir_fd = parent_fd < 0 ? root_fd : parent_fd;
    CLEANUP_FD int fd =
        enter(walk, mount_key, dir_fd, name, posix_open_flags(how));
    if (fd < 0)
        return posix_path_error(explain(errno, dir_fd, name),
                                how == PLATFORM_OPEN_CREATE ? "create" : "open",
                                path, err);
    code = posix_check_opened(fd, how, path, err);
    if (!code)
        *out_fd = TAKE_FD(fd);
    return code;
}

/* --- looking --- */

int64_t posix_time_ns(int64_t seconds, int64_t nanoseconds)
{
    if (seconds >= INT64_MAX / NS_PER_SECOND)
        return INT64_MAX;
    if (seconds <= INT64_MIN / NS_PER_SECOND)
        return INT64_MIN;
    return seconds * NS_PER_SECOND + nanoseconds;
}

static enum platform_type type_of(mode_t mode)
{
    if (S_ISREG(mode))
        return PLATFORM_FILE;
    if (S_ISDIR(mode))
        return PLATFORM_DIRECTORY;
    return S_ISLNK(mode) ? PLATFORM_SYMLINK : PLATFORM_OTHER;
}

/* What POSIX.1-2008 calls st_mtim has another name in Darwin's headers. */
#ifdef _DARWIN_C_SOURCE
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#endif

static void set_times(const struct stat *from, struct platform_stat *out)
{
    out->mtime_ns = posix_time_ns(from->st_mtim.tv_sec, from->st_mtim.tv_nsec);
    out->ctime_ns = posix_time_ns(from->st_ctim.tv_sec, from->st_ctim.tv_nsec);
    out->btime_ns = 0;
#ifdef _DARWIN_C_SOURCE
    out->btime_ns = posix_time_ns(from->st_birthtimespec.tv_sec,
                                  from->st_birthtimespec.tv_nsec);
#endif
}

void posix_stat_from(const struct stat *from, struct platform_stat *out)
{
    *out = (struct platform_stat){
        .type = type_of(from->st_mode),
        .mode = (uint32_t)from->st_mode & 07777,
        .uid = (uint32_t)from->st_uid,
        .gid = (uint32_t)from->st_gid,
        .links = (uint32_t)from->st_nlink,
        .size_bytes = (int64_t)from->st_size,
        .allocated_bytes = (int64_t)from->st_blocks * 512,
        .inode = (uint64_t)from->st_ino,
        .device = (uint64_t)from->st_dev,
        .mount = (uint64_t)from->st_dev,
    };
    set_times(from, out);
}

err_code posix_stat_beneath(const struct posix_walk *walk, int root_fd,
                            const char *path, struct platform_stat *out,
                            struct error *err)
{
    CLEANUP_FD int parent_fd = -1;
    const char *name;
    struct stat found;

    if (!*path)
        return posix_stat_fd(root_fd, out, err);
    err_code code =
        posix_open_parent(walk, root_fd, path, &parent_fd, &name, err);
    if (code)
        return code;
    if (fstatat(parent_fd < 0 ? root_fd : parent_fd, name, &found,
                AT_SYMLINK_NOFOLLOW))
        return posix_path_error(errno, "examine", path, err);
    posix_stat_from(&found, out);
    return ERR_OK;
}

err_code posix_stat_fd(int fd, struct platform_stat *out, struct error *err)
{
    struct stat found;

    if (fstat(fd, &found))
        return error_set_errno(err, errno, "cannot examine an open file");
    posix_stat_from(&found, out);
    return ERR_OK;
}

static err_code visit_entry(int dir_fd, const char *name, platform_visit *visit,
                            void *context, struct error *err)
{
    struct platform_entry entry = {.name = name};
    struct platform_stat converted;
    struct stat found;

    if (fstatat(dir_fd, name, &found, AT_SYMLINK_NOFOLLOW)) {
        entry.stat_error = error_code_of_errno(errno);
    } else {
        posix_stat_from(&found, &converted);
        entry.stat = &converted;
    }
    return visit(context, &entry, err);
}

static void close_stream(DIR **stream)
{
    if (*stream)
        closedir(*stream);
}

err_code posix_list_directory(int dir_fd, platform_visit *visit, void *context,
                              struct error *err)
{
    /*
     * The stream owns its descriptor, so it gets a copy, which shares the
     * position: hence the rewind. Opening "." anew would need the right to
     * search, which a directory that can be read may lack.
     */
    CLEANUP_FD int copy_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
    CLEANUP(close_stream) DIR *stream = copy_fd < 0 ? NULL : fdopendir(copy_fd);

    if (!stream)
        return error_set_errno(err, errno, "cannot list a directory");
    TAKE_FD(copy_fd);
    rewinddir(stream);
    for (;;) {
        errno = 0;
        const struct dirent *found = readdir(stream);
        if (!found && errno)
            return error_set_errno(err, errno, "cannot list a directory");
        if (!found)
            return ERR_OK;
        if (!strcmp(found->d_name, ".") || !strcmp(found->d_name, ".."))
            continue;
        err_code code = visit_entry(dir_fd, found->d_name, visit, context, err);
        if (code)
            return code;
    }
}

err_code posix_read_link_at(int dir_fd, const char *name, const char *path,
                            char **out_target, struct error *err)
{
    /* st_size is only a hint (0 in /proc), so ask until it fits. */
    for (size_t size = 256;; size *= 2) {
        CLEANUP_FREE char *target = xmalloc(size);
        ssize_t length = readlinkat(dir_fd, name, target, size);
        if (length < 0 && errno == EINVAL)
            return error_set(err, ERR_CHANGED, "%s is not a symlink any more",
                             shown(path));
        if (length < 0)
            return posix_path_error(errno, "read the symlink", path, err);
        if ((size_t)length < size) {
            target[length] = '\0';
            *out_target = TAKE_PTR(target);
            return ERR_OK;
        }
    }
}

err_code posix_space(int fd, struct platform_space *out, struct error *err)
{
    struct statvfs found;

    if (fstatvfs(fd, &found))
        return error_set_errno(err, errno, "cannot ask for the free space");
    /* Blocks are counted in f_frsize; f_bsize is what is good for I/O. */
    int64_t unit = (int64_t)(found.f_frsize ? found.f_frsize : found.f_bsize);
    *out = (struct platform_space){
        .total_bytes = (int64_t)found.f_blocks * unit,
        .free_bytes = (int64_t)found.f_bavail * unit,
        .cluster_bytes = unit,
    };
    return ERR_OK;
}

/* --- changing --- */

err_code posix_rename_look_before(int from_dir_fd, const char *from,
                                  int to_dir_fd, const char *to,
                                  struct error *err)
{
    struct stat found;

    if (!fstatat(to_dir_fd, to, &found, AT_SYMLINK_NOFOLLOW))
        return error_set_errno(err, EEXIST, "cannot rename %s to %s", from, to);
    if (errno != ENOENT)
        return error_set_errno(err, errno, "cannot examine %s", to);
    if (RETRY_ON_EINTR(renameat(from_dir_fd, from, to_dir_fd, to)))
        return error_set_errno(err, errno, "cannot rename %s to %s", from, to);
    return ERR_OK;
}

err_code platform_try_lock(int fd, struct error *err)
{
    while (flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno == EINTR)
            continue;
        if (errno == EWOULDBLOCK)
            return error_set(err, ERR_BUSY, "somebody else has the lock");
        return error_set_errno(err, errno, "cannot lock");
    }
    return ERR_OK;
}
