/*
 * Practice: plain POSIX on plain directories. Nothing that is written to a
 * drive of paper is any more durable than the directory below it.
 *
 * Core writes through descriptors of its own, which nobody can make fail from
 * here; but every name is opened, every flush and every look at the space goes
 * through this file, and a yank leaves directories in which nothing can be
 * made (practice_motion.c).
 */
#include "platform/platform_io.h"

#include "core/base/fdio.h"
#include "platform/posix_io.h"
#include "platform/practice/practice.h"
#include "platform/practice/practice_card.h"
#include "platform/practice/practice_pace.h"
#include "platform/practice/practice_verbs.h"
#include "platform/practice/practice_volume.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static _Atomic int played_proof = PLATFORM_PROOF_CACHE;

/* --- what is in the way --- */

/* 0, or the errno value that a pulled drive answers with. */
static int failure_of(int fd, int when_gone)
{
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};

    return practice_find_place(fd, &place) && place.is_gone ? when_gone : 0;
}

static err_code check_readable(int fd, const char *verb, const char *path,
                               struct error *err)
{
    int failed = failure_of(fd, EIO);

    return failed ? posix_path_error(failed, verb, path, err) : ERR_OK;
}

/* Of a new file. What core creates without us meets the space that we say. */
static int refusal_of(int fd)
{
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};
    CLEANUP(card_release) struct card card = CARD_INIT;
    struct platform_space space;

    if (!practice_find_place(fd, &place))
        return 0;
    card_load(CARD_VOLUME, place.volume, &card);
    if (card_says(&card, "read-only"))
        return EROFS;
    if (practice_fails_writes(place.volume))
        return EIO;
    if (!platform_space(fd, &space, NULL) && !space.free_bytes)
        return ENOSPC;
    return 0;
}

/* "b" and "a/b" are how "a/b" ends. */
static bool ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), wanted = strlen(ending);

    return length >= wanted && !strcmp(path + length - wanted, ending) &&
           (length == wanted || path[length - wanted - 1] == '/');
}

/* A sector that cannot be read: 0, or EIO. berth's own files are spared
 * where all fail, so that the drive is known still. */
static int rot_of(int root_fd, const char *path)
{
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};
    CLEANUP(card_release) struct card card = CARD_INIT;

    if (!practice_find_place(root_fd, &place))
        return 0;
    card_load(CARD_VOLUME, place.volume, &card);
    const char *wanted = card_get(&card, "fail-reads");
    if (!wanted || !*wanted)
        return 0;
    if (!strcmp(wanted, "*"))
        return strncmp(path, ".berth/", 7) != 0 ? EIO : 0;
    return ends_with(path, wanted) ? EIO : 0;
}

err_code platform_check_attached(int fd, struct error *err)
{
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};

    if (!practice_find_place(fd, &place) || !place.is_gone)
        return ERR_OK;
    return error_set(err, ERR_DEVICE_GONE,
                     "the practice drive %s is not plugged in", place.volume);
}

/* --- resolving --- */

/* An unplugged drive has no mount point; a pulled one has, and it is empty. */
err_code platform_open_root(const char *path, int *out_fd, struct error *err)
{
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};
    CLEANUP_FD int fd = -1;
    err_code code = posix_open_root(path, &fd, err);

    if (code)
        return code;
    if (practice_find_place(fd, &place)) {
        if (place.is_gone && !practice_is_stale(place.volume))
            return error_set_errno(err, ENOENT, "cannot open %s", path);
        practice_pace_open(place.volume);
    }
    *out_fd = TAKE_FD(fd);
    return ERR_OK;
}

err_code platform_open_beneath(int root_fd, const char *path,
                               enum platform_open how, int *out_fd,
                               struct error *err)
{
    err_code code = check_readable(root_fd, "open", path, err);
    int refused = 0;

    if (!code && how == PLATFORM_OPEN_CREATE)
        refused = refusal_of(root_fd);
    if (refused)
        return posix_path_error(refused, "create", path, err);
    if (!code && how == PLATFORM_OPEN_READ)
        refused = rot_of(root_fd, path);
    if (refused)
        return posix_path_error(refused, "read", path, err);
    if (!code)
        code = posix_open_beneath(&posix_walk_by_device, root_fd, path, how,
                                  out_fd, err);
    return code;
}

err_code platform_stat_beneath(int root_fd, const char *path,
                               struct platform_stat *out, struct error *err)
{
    err_code code = check_readable(root_fd, "examine", path, err);

    if (!code)
        code =
            posix_stat_beneath(&posix_walk_by_device, root_fd, path, out, err);
    return code;
}

err_code platform_stat_fd(int fd, struct platform_stat *out, struct error *err)
{
    return posix_stat_fd(fd, out, err);
}

/* A pulled drive's directories read as empty, without an error. */
err_code platform_list_directory(int dir_fd, platform_visit *visit,
                                 void *context, struct error *err)
{
    if (failure_of(dir_fd, EIO))
        return ERR_OK;
    return posix_list_directory(dir_fd, visit, context, err);
}

err_code platform_read_link(int root_fd, const char *path, char **out_target,
                            struct error *err)
{
    CLEANUP_FD int parent_fd = -1;
    const char *name;
    err_code code = check_readable(root_fd, "read the symlink", path, err);

    if (!code)
        code = posix_open_parent(&posix_walk_by_device, root_fd, path,
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
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};
    err_code code;

    if (!practice_find_place(to_dir_fd, &place))
        return posix_rename_look_before(from_dir_fd, from, to_dir_fd, to, err);
    if (place.is_gone || practice_fails_writes(place.volume))
        return error_set_errno(err, EIO, "cannot rename %s to %s", from, to);
    code = posix_rename_look_before(from_dir_fd, from, to_dir_fd, to, err);
    if (!code)
        practice_play_file(place.volume);
    return code;
}

/* --- durability --- */

/* Not fsync of everything: what core wrote is in the directory below. */
static int flush_both(int root_fd, int file_fd)
{
    int root_failed = fsync(root_fd) ? errno : 0;
    int file_failed = fsync(file_fd) ? errno : 0;

    return root_failed ? root_failed : file_failed;
}

err_code platform_flush_volume(int root_fd, int file_fd, struct error *err)
{
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};
    bool is_paper = practice_find_place(root_fd, &place);

    if (is_paper && place.is_gone)
        return error_set_errno(err, ENODEV, "cannot flush the volume");
    int failed = flush_both(root_fd, file_fd);
    if (failed)
        return error_set_errno(err, failed, "cannot flush the volume");
    return is_paper ? practice_pace_flush(place.volume, err) : ERR_OK;
}

err_code platform_flush_file(int fd, struct error *err)
{
    int failed = failure_of(fd, ENODEV);

    if (!failed && fsync(fd))
        failed = errno;
    return failed ? error_set_errno(err, failed, "cannot flush a file")
                  : ERR_OK;
}

void platform_write_back(int fd, int64_t offset, int64_t length, bool wait)
{
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};

    /* Who announces has to wait already while too much is on its way. */
    if (!wait && practice_find_place(fd, &place) && !place.is_gone)
        practice_pace_write(place.volume, length);
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

bool platform_bypass_cache(int fd, bool bypass)
{
    return false;
}

/* POSIX cannot tell: the inodes that the sandbox's file lists are open. */
err_code platform_is_open_elsewhere(int fd, bool *out_is_open,
                                    struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct platform_stat stat;
    err_code code = platform_stat_fd(fd, &stat, err);

    if (!code)
        code = practice_path("open-elsewhere", &path, err);
    if (code)
        return code;
    *out_is_open = false;
    if (file_read(path, (size_t)1024 * 1024, &text, NULL))
        return ERR_OK;
    for (const char *line = text.text; *line;) {
        char *end;
        *out_is_open |= strtoull(line, &end, 10) == stat.inode;
        line = *end ? end + 1 : end;
    }
    return ERR_OK;
}

err_code platform_clone(int from_fd, int to_fd, struct error *err)
{
    return error_set_errno(err, EOPNOTSUPP, "cannot clone a file");
}

/* --- the filesystem --- */

err_code platform_space(int fd, struct platform_space *out, struct error *err)
{
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};
    err_code code = posix_space(fd, out, err);

    if (!code && practice_find_place(fd, &place))
        practice_pace_space(place.volume, out);
    return code;
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
        .plug = xstrdup(""),
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

enum platform_check platform_mount_check(int root_fd, int file_fd,
                                         const struct platform_mount *mount)
{
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};
    CLEANUP(card_release) struct card card = CARD_INIT;

    if (!practice_find_place(root_fd, &place))
        return PLATFORM_CHECK_UNKNOWN;
    card_load(CARD_VOLUME, place.volume, &card);
    const char *check = card_get(&card, "check");
    if (!check || !strcmp(check, "unknown"))
        return PLATFORM_CHECK_UNKNOWN;
    return strcmp(check, "none") ? PLATFORM_CHECK_NEEDED : PLATFORM_CHECK_NONE;
}

err_code platform_mount_of(int fd, struct platform_mount *out,
                           struct error *err)
{
    CLEANUP(practice_place_release)
    struct practice_place place = {.volume = NULL};

    if (!practice_find_place(fd, &place))
        return describe_surroundings(fd, out, err);
    if (place.is_gone && !place.is_root)
        return error_set(err, ERR_DEVICE_GONE,
                         "the practice drive %s is not plugged in",
                         place.volume);
    err_code code = practice_describe(place.volume, out, err);
    if (!code)
        out->is_root = place.is_root;
    return code;
}

/* A practice source is one directory: nothing is mounted in it. */
err_code platform_visit_mounts_below(int root_fd, platform_visit_mount *visit,
                                     void *context, struct error *err)
{
    return ERR_OK;
}
