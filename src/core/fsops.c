#include "core/fsops.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fsops fsops_on(int root_fd)
{
    struct fsops ops = {.root_fd = root_fd};

    for (size_t i = 0; i < FSOPS_KEPT; i++)
        ops.kept[i].fd = -1;
    return ops;
}

struct fsops fsops_on_source(const struct source *source)
{
    struct fsops ops = fsops_on(source->fd);

    ops.source = source;
    return ops;
}

err_code fsops_open(struct fsops *ops, const char *path, enum platform_open how,
                    int *out_fd, struct error *err)
{
    return ops->source
               ? source_open(ops->source, path, how, out_fd, err)
               : platform_open_beneath(ops->root_fd, path, how, out_fd, err);
}

err_code fsops_read_link(struct fsops *ops, const char *path, char **out_target,
                         struct error *err)
{
    return ops->source
               ? source_read_link(ops->source, path, out_target, err)
               : platform_read_link(ops->root_fd, path, out_target, err);
}

void fsops_forget_directories(struct fsops *ops)
{
    for (size_t i = 0; i < FSOPS_KEPT; i++) {
        free(ops->kept[i].path);
        ops->kept[i].path = NULL;
        cleanup_fd(&ops->kept[i].fd);
        ops->kept[i].fd = -1;
    }
}

void fsops_release(struct fsops *ops)
{
    fsops_forget_directories(ops);
}

static size_t longest_unused(const struct fsops *ops)
{
    size_t oldest = 0;

    for (size_t i = 1; i < FSOPS_KEPT; i++)
        if (ops->kept[i].used < ops->kept[oldest].used)
            oldest = i;
    return oldest;
}

/*
 * A descriptor of the directory that holds `path`'s last component; borrowed
 * until FSOPS_KEPT other directories were used.
 */
static err_code open_parent(struct fsops *ops, const char *path, int *out_fd,
                            struct error *err)
{
    size_t length = path_parent_length(path);

    if (!length) {
        *out_fd = ops->root_fd;
        return ERR_OK;
    }
    for (size_t i = 0; i < FSOPS_KEPT; i++) {
        const char *kept = ops->kept[i].path;
        if (kept && !strncmp(kept, path, length) && !kept[length]) {
            ops->kept[i].used = ++ops->uses;
            *out_fd = ops->kept[i].fd;
            return ERR_OK;
        }
    }
    CLEANUP_FREE char *parent = xstrndup(path, length);
    int fd;
    err_code code = fsops_open(ops, parent, PLATFORM_OPEN_DIRECTORY, &fd, err);
    if (code)
        return code;
    size_t slot = longest_unused(ops);
    free(ops->kept[slot].path);
    cleanup_fd(&ops->kept[slot].fd);
    ops->kept[slot].path = TAKE_PTR(parent);
    ops->kept[slot].fd = fd;
    ops->kept[slot].used = ++ops->uses;
    *out_fd = fd;
    return ERR_OK;
}

static bool is_forgotten(const char *kept, const char *path)
{
    return kept && path_is_within(kept, path);
}

/* The name at `path` is going to mean something else. */
static void forget_below(struct fsops *ops, const char *path)
{
    for (size_t i = 0; i < FSOPS_KEPT; i++) {
        if (!is_forgotten(ops->kept[i].path, path))
            continue;
        free(ops->kept[i].path);
        ops->kept[i].path = NULL;
        cleanup_fd(&ops->kept[i].fd);
        ops->kept[i].fd = -1;
    }
}

/* exFAT, NTFS: there are no modes, or not this one. */
static bool is_without_modes(int failed)
{
    /* The third and the fourth are one on Linux, and two on macOS. */
    static const int codes[] = {EPERM, ENOSYS, EOPNOTSUPP, ENOTSUP, EINVAL};

    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (failed == codes[i])
            return true;
    return false;
}

static err_code force_mode(int fd, const char *path, mode_t mode,
                           struct error *err)
{
    struct stat stat;

    if (fstat(fd, &stat))
        return error_set_errno(err, errno, "cannot look at %s", path);
    if ((stat.st_mode & 0777) == mode || !RETRY_ON_EINTR(fchmod(fd, mode)) ||
        is_without_modes(errno))
        return ERR_OK;
    return error_set_errno(err, errno, "cannot set the mode of %s", path);
}

err_code fsops_create(struct fsops *ops, const char *path, mode_t mode,
                      int *out_fd, struct error *err)
{
    int parent;
    err_code code = open_parent(ops, path, &parent, err);

    if (code)
        return code;
    int fd = RETRY_ON_EINTR(
        openat(parent, path_name(path),
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (fd < 0)
        return error_set_errno(err, errno, "cannot create %s", path);
    if (mode & (S_IRWXG | S_IRWXO)) /* what is ours alone no umask opens */
        code = force_mode(fd, path, mode, err);
    if (code)
        close(fd);
    else
        *out_fd = fd;
    return code;
}

err_code fsops_make_directory(struct fsops *ops, const char *path, mode_t mode,
                              struct error *err)
{
    int parent;
    err_code code = open_parent(ops, path, &parent, err);

    if (code)
        return code;
    if (RETRY_ON_EINTR(mkdirat(parent, path_name(path), mode)))
        return error_set_errno(err, errno, "cannot create the directory %s",
                               path);
    return ERR_OK;
}

static err_code check_is_directory(struct fsops *ops, const char *path,
                                   struct error *err)
{
    struct platform_stat stat;
    bool exists;
    err_code code = fsops_look(ops, path, &exists, &stat, err);

    if (!code && (!exists || stat.type != PLATFORM_DIRECTORY))
        code = error_set(err, ERR_CHANGED, "%s is not a directory", path);
    return code;
}

err_code fsops_ensure_directory(struct fsops *ops, const char *path,
                                struct error *err)
{
    err_code code = fsops_make_directory(ops, path, 0777, err);

    if (code == ERR_NOT_FOUND && path_parent_length(path)) {
        CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));
        code = fsops_ensure_directory(ops, parent, err);
        if (!code)
            code = fsops_make_directory(ops, path, 0777, err);
    }
    if (code == ERR_EXISTS)
        code = check_is_directory(ops, path, err);
    return code;
}

err_code fsops_ensure_own_directory(struct fsops *ops, const char *path,
                                    mode_t mode, struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = fsops_ensure_directory(ops, path, err);

    if (!code)
        code = platform_open_beneath(ops->root_fd, path,
                                     PLATFORM_OPEN_DIRECTORY, &fd, err);
    return code ? code : force_mode(fd, path, mode, err);
}

err_code fsops_make_symlink(struct fsops *ops, const char *target,
                            const char *path, struct error *err)
{
    int parent;
    err_code code = open_parent(ops, path, &parent, err);

    if (code)
        return code;
    if (RETRY_ON_EINTR(symlinkat(target, parent, path_name(path))))
        return error_set_errno(err, errno, "cannot create the symlink %s",
                               path);
    return ERR_OK;
}

/* --- two names --- */

static err_code open_both(struct fsops *ops, const char *from, const char *to,
                          int *out_from, int *out_to, struct error *err)
{
    err_code code = open_parent(ops, from, out_from, err);

    if (!code)
        code = open_parent(ops, to, out_to, err);
    return code;
}

err_code fsops_rename(struct fsops *ops, const char *from, const char *to,
                      struct error *err)
{
    int from_fd, to_fd;
    err_code code = open_both(ops, from, to, &from_fd, &to_fd, err);

    if (!code)
        code = platform_rename_noreplace(from_fd, path_name(from), to_fd,
                                         path_name(to), err);
    forget_below(ops, from);
    if (code)
        error_prefix(err, "cannot rename %s to %s", from, to);
    return code;
}

err_code fsops_replace(struct fsops *ops, const char *from, const char *to,
                       struct error *err)
{
    int from_fd, to_fd;
    err_code code = open_both(ops, from, to, &from_fd, &to_fd, err);

    if (code)
        return code;
    if (RETRY_ON_EINTR(
            renameat(from_fd, path_name(from), to_fd, path_name(to))))
        code = error_set_errno(err, errno, "cannot rename %s to %s", from, to);
    forget_below(ops, from);
    forget_below(ops, to);
    return code;
}

err_code fsops_link(struct fsops *ops, const char *from, const char *to,
                    struct error *err)
{
    int from_fd, to_fd;
    err_code code = open_both(ops, from, to, &from_fd, &to_fd, err);

    if (code)
        return code;
    if (RETRY_ON_EINTR(
            linkat(from_fd, path_name(from), to_fd, path_name(to), 0)))
        return error_set_errno(err, errno, "cannot link %s to %s", from, to);
    return ERR_OK;
}

/* --- removing --- */

static err_code unlink_at(struct fsops *ops, const char *path, int flags,
                          struct error *err)
{
    int parent;
    err_code code = open_parent(ops, path, &parent, err);

    if (code)
        return code;
    forget_below(ops, path);
    if (RETRY_ON_EINTR(unlinkat(parent, path_name(path), flags)))
        return error_set_errno(err, errno, "cannot remove %s", path);
    return ERR_OK;
}

err_code fsops_unlink(struct fsops *ops, const char *path, struct error *err)
{
    return unlink_at(ops, path, 0, err);
}

err_code fsops_unlink_if_there(struct fsops *ops, const char *path,
                               struct error *err)
{
    err_code code = unlink_at(ops, path, 0, err);

    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

err_code fsops_remove_directory(struct fsops *ops, const char *path,
                                struct error *err)
{
    return unlink_at(ops, path, AT_REMOVEDIR, err);
}

struct names {
    struct {
        char *name;
        bool is_directory;
    } * items;
    size_t count, capacity;
};

static err_code collect_name(void *context, const struct platform_entry *entry,
                             struct error *err)
{
    struct names *names = context;

    ARRAY_RESERVE(names->items, names->count + 1, names->capacity);
    names->items[names->count].name = xstrdup(entry->name);
    names->items[names->count].is_directory =
        entry->stat && entry->stat->type == PLATFORM_DIRECTORY;
    names->count++;
    return ERR_OK;
}

static void names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].name);
    free(names->items);
}

static err_code list_names(struct fsops *ops, const char *path,
                           struct names *out, struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = fsops_open(ops, path, PLATFORM_OPEN_DIRECTORY, &fd, err);

    if (!code)
        code = platform_list_directory(fd, collect_name, out, err);
    return code;
}

err_code fsops_lists_name(struct fsops *ops, const char *path,
                          bool *out_is_listed, struct error *err)
{
    CLEANUP(names_release) struct names names = {.items = NULL};
    CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));
    err_code code = list_names(ops, parent, &names, err);

    if (code)
        return code;
    *out_is_listed = false;
    for (size_t i = 0; i < names.count; i++)
        if (!strcmp(names.items[i].name, path_name(path)))
            *out_is_listed = true;
    return ERR_OK;
}

err_code fsops_is_empty(struct fsops *ops, const char *path, bool *out_is_empty,
                        struct error *err)
{
    CLEANUP(names_release) struct names names = {.items = NULL};
    err_code code = list_names(ops, path, &names, err);

    if (!code)
        *out_is_empty = names.count == 0;
    return code;
}

err_code fsops_empty_directory(struct fsops *ops, const char *path,
                               struct error *err)
{
    CLEANUP(names_release) struct names names = {.items = NULL};
    err_code code = list_names(ops, path, &names, err);

    for (size_t i = 0; !code && i < names.count; i++) {
        CLEANUP_FREE char *child = path_join(path, names.items[i].name);
        if (!names.items[i].is_directory) {
            code = fsops_unlink(ops, child, err);
            continue;
        }
        code = fsops_empty_directory(ops, child, err);
        if (!code)
            code = fsops_remove_directory(ops, child, err);
    }
    return code;
}

/* --- metadata --- */

/*
 * Both times, always: libfuse 2 drops a change of only one (lib/fuse.c,
 * fuse_lib_setattr), so that UTIME_OMIT left exfat-fuse's mtime at "now".
 */
static void fill_times(const struct record *record, struct timespec times[2])
{
    times[0] = clock_to_timespec(clock_now_ns());
    times[1] = clock_to_timespec(record->source.mtime_ns);
}

/* Only root may give files away; others keep what they create. */
static bool may_chown(unsigned what)
{
    return what & FSOPS_SET_OWNER && geteuid() == 0;
}

static mode_t mode_of(const struct record *record, unsigned what)
{
    bool keeps_access = what & FSOPS_KEEP_ACCESS &&
                        record->type == ENTRY_DIRECTORY && geteuid() != 0;

    return (record->mode | (keeps_access ? S_IRWXU : 0)) & 07777;
}

/* What does not fit on a volume is in its catalogue. */
static err_code write_attributes(int fd, const char *path,
                                 const struct record *record, unsigned what,
                                 struct error *err)
{
    err_code code = platform_write_attributes(fd, record->attributes,
                                              record->attributes_length, err);

    if (code && code != ERR_DENIED && what & FSOPS_IF_THEY_FIT &&
        !error_is_device_failure(code))
        return ERR_OK;
    if (code)
        error_prefix(err, "%s", path);
    return code;
}

err_code fsops_set_metadata_fd(int fd, const char *path,
                               const struct record *record, unsigned what,
                               struct error *err)
{
    struct timespec times[2];

    fill_times(record, times);
    if (may_chown(what) &&
        RETRY_ON_EINTR(fchown(fd, record->uid, record->gid)) && errno != EPERM)
        return error_set_errno(err, errno, "cannot set the owner of %s", path);
    /* Behind the owner, which takes capabilities away; before the mode, which
     * may take the right to write. */
    err_code code = what & FSOPS_SET_ATTRIBUTES && record->attributes_length
                        ? write_attributes(fd, path, record, what, err)
                        : ERR_OK;
    if (code)
        return code;
    if (what & FSOPS_SET_MODE &&
        RETRY_ON_EINTR(fchmod(fd, record->mode & 07777)))
        return error_set_errno(err, errno, "cannot set the mode of %s", path);
    if (what & FSOPS_SET_TIMES && RETRY_ON_EINTR(futimens(fd, times)))
        return error_set_errno(err, errno, "cannot set the times of %s", path);
    return ERR_OK;
}

/* Of a file that stands there: whoever may not write to it may, for once. */
static err_code renew_attributes(struct fsops *ops, const char *path,
                                 const struct record *record, unsigned what,
                                 struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = fsops_open(ops, path, PLATFORM_OPEN_READ, &fd, err);

    if (!code)
        code = write_attributes(fd, path, record, what, err);
    if (code == ERR_DENIED && !RETRY_ON_EINTR(fchmod(fd, 0600)))
        code = write_attributes(fd, path, record, what, err);
    return code;
}

err_code fsops_set_metadata(struct fsops *ops, const char *path,
                            const struct record *record, unsigned what,
                            struct error *err)
{
    bool is_link = record->type == ENTRY_SYMLINK;
    const char *name = path_name(path);
    struct timespec times[2];
    int parent;
    err_code code = open_parent(ops, path, &parent, err);

    if (code)
        return code;
    fill_times(record, times);
    if (may_chown(what) &&
        RETRY_ON_EINTR(fchownat(parent, name, record->uid, record->gid,
                                AT_SYMLINK_NOFOLLOW)) &&
        errno != EPERM)
        return error_set_errno(err, errno, "cannot set the owner of %s", path);
    if (what & FSOPS_SET_ATTRIBUTES && record->type == ENTRY_FILE)
        code = renew_attributes(ops, path, record, what, err);
    if (code)
        return code;
    if (what & FSOPS_SET_MODE && !is_link &&
        RETRY_ON_EINTR(
            fchmodat(parent, name, mode_of(record, what), AT_SYMLINK_NOFOLLOW)))
        return error_set_errno(err, errno, "cannot set the mode of %s", path);
    if (what & FSOPS_SET_TIMES &&
        RETRY_ON_EINTR(utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW)))
        return error_set_errno(err, errno, "cannot set the times of %s", path);
    return ERR_OK;
}

err_code fsops_look(struct fsops *ops, const char *path, bool *out_exists,
                    struct platform_stat *out_stat, struct error *err)
{
    int parent;
    err_code code = open_parent(ops, path, &parent, err);

    if (!code)
        code = platform_stat_beneath(parent, path_name(path), out_stat, err);
    *out_exists = code == ERR_OK;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}
