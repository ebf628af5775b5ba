/*
 * Practice: plain POSIX on plain directories. Nothing that is written to a
 * drive of paper is any more durable than the directory below it.
 */
#include "platform/platform_io.h"

#include "platform/posix_io.h"
#include "platform/practice/practice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static _Atomic int played_proof = PLATFORM_PROOF_CACHE;

/* --- resolving ---------------------------------------------------------- */

static err_code check_attached(const char *drive, struct error *err)
{
    if (!drive || !practice_is_detached(drive))
        return ERR_OK;
    return error_set(err, ERR_DEVICE_GONE,
                     "the practice drive %s is not plugged in", drive);
}

err_code platform_check_attached(int fd, struct error *err)
{
    bool is_root;
    CLEANUP_FREE char *drive = practice_drive_of(fd, &is_root);

    return check_attached(drive, err);
}

/* An unplugged drive has no mount point: there is nothing to be opened. */
err_code platform_open_root(const char *path, int *out_fd, struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = posix_open_root(path, &fd, err);

    if (!code && platform_check_attached(fd, NULL))
        code = error_set_errno(err, ENOENT, "cannot open %s", path);
    if (!code)
        *out_fd = TAKE_FD(fd);
    return code;
}

err_code platform_open_beneath(int root_fd, const char *path,
                               enum platform_open how, int *out_fd,
                               struct error *err)
{
    return posix_open_beneath(&posix_walk_by_device, root_fd, path, how, out_fd,
                              err);
}

err_code platform_stat_beneath(int root_fd, const char *path,
                               struct platform_stat *out, struct error *err)
{
    return posix_stat_beneath(&posix_walk_by_device, root_fd, path, out, err);
}

err_code platform_stat_fd(int fd, struct platform_stat *out, struct error *err)
{
    return posix_stat_fd(fd, out, err);
}

err_code platform_list_directory(int dir_fd, platform_visit *visit,
                                 void *context, struct error *err)
{
    return posix_list_directory(dir_fd, visit, context, err);
}

err_code platform_read_link(int root_fd, const char *path, char **out_target,
                            struct error *err)
{
    CLEANUP_FD int parent_fd = -1;
    const char *name;
    err_code code = posix_open_parent(&posix_walk_by_device, root_fd, path,
                                      &parent_fd, &name, err);

    if (code)
        return code;
    return posix_read_link_at(parent_fd < 0 ? root_fd : parent_fd, name, path,
                              out_target, err);
}

err_code platform_rename_noreplace(int from_dir_fd, const char *from,
                                   int to_dir_fd, const char *to,
                                   struct error *err)
{
    return posix_rename_look_before(from_dir_fd, from, to_dir_fd, to, err);
}

/* --- durability --------------------------------------------------------- */

err_code platform_flush_volume(int root_fd, int file_fd, struct error *err)
{
    int root_failed = fsync(root_fd) ? errno : 0;
    int file_failed = fsync(file_fd) ? errno : 0;
    int failed = root_failed ? root_failed : file_failed;
    err_code code = platform_check_attached(root_fd, err);

    if (!code && failed)
        code = error_set_errno(err, failed, "cannot flush the volume");
    return code;
}

err_code platform_flush_file(int fd, struct error *err)
{
    return fsync(fd) ? error_set_errno(err, errno, "cannot flush a file")
                     : ERR_OK;
}

void platform_write_back(int fd, int64_t offset, int64_t length, bool wait)
{
}

void practice_set_proof(enum platform_proof proof)
{
    atomic_store(&played_proof, (int)proof);
}

err_code platform_drop_cache(int fd, int64_t size_bytes,
                             enum platform_proof *out_proof, struct error *err)
{
    *out_proof = (enum platform_proof)atomic_load(&played_proof);
    return ERR_OK;
}

void platform_advise_sequential(int fd)
{
}

err_code platform_clone(int from_fd, int to_fd, struct error *err)
{
    return error_set_errno(err, EOPNOTSUPP, "cannot clone a file");
}

/* --- the filesystem ----------------------------------------------------- */

err_code platform_space(int fd, struct platform_space *out, struct error *err)
{
    return posix_space(fd, out, err);
}

/*
 * The filesystem below a path that is no drive's, as far as POSIX can say:
 * its number. Its mount point, device and type have no name there.
 */
static err_code describe_surroundings(int fd, struct platform_mount *out,
                                      struct error *err)
{
    struct stat found;
    struct statvfs filesystem;

    if (fstat(fd, &found) || fstatvfs(fd, &filesystem))
        return error_set_errno(err, errno,
                               "cannot tell which filesystem it "
                               "is");
    *out = (struct platform_mount){
        .mount_id = (uint64_t)found.st_dev,
        .attachment = xstrdup("practice"),
        .mount_point = xstrdup("/"),
        .source = xstrdup("host"),
        .driver = xstrdup("host"),
        .family = xstrdup("host"),
        .subtree = xstrdup("/"),
        .fs_uuid = xasprintf("%lx", (unsigned long)filesystem.f_fsid),
        .fs_label = xstrdup(""),
        .is_read_only = filesystem.f_flag & ST_RDONLY,
        .is_local_disk = true,
    };
    return ERR_OK;
}

err_code platform_mount_of(int fd, struct platform_mount *out,
                           struct error *err)
{
    bool is_root;
    CLEANUP_FREE char *drive = practice_drive_of(fd, &is_root);

    if (!drive)
        return describe_surroundings(fd, out, err);
    err_code code = practice_describe(drive, out, err);
    if (!code)
        out->is_root = is_root;
    return code;
}
