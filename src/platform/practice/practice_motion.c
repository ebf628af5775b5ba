#include "platform/practice/practice_motion.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "platform/posix_io.h"
#include "platform/practice/practice.h"
#include "platform/practice/practice_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- cards --- */

static err_code change_volume(const char *volume, const char *key,
                              const char *value, struct error *err)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_VOLUME, volume, &card);
    card_set(&card, key, value);
    return card_save(CARD_VOLUME, volume, &card, err);
}

/* Counts the times: KEY holds the last one's number while it lasts, KEY-count
 * always, so that no number comes twice. */
static void count_up(struct card *card, const char *key)
{
    CLEANUP_FREE char *count = xasprintf("%s-count", key);
    int64_t next = card_number(card, count, 0) + 1;

    card_set_number(card, count, next);
    card_set_number(card, key, next);
}

static err_code adopt_drive(const char *drive, struct error *err)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    if (card_exists(CARD_DRIVE, drive))
        return ERR_OK;
    if (practice_is_plugged(drive))
        card_set(&card, "plugged", "0");
    return card_save(CARD_DRIVE, drive, &card, err);
}

static err_code adopt_volume(const char *volume, struct error *err)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    if (card_exists(CARD_VOLUME, volume))
        return ERR_OK;
    if (practice_is_mounted(volume))
        card_set(&card, "mounted", "0");
    return card_save(CARD_VOLUME, volume, &card, err);
}

err_code practice_adopt(const char *name, struct error *err)
{
    CLEANUP(names_release) struct names volumes = {.items = NULL};
    CLEANUP_FREE char *drive = practice_find_drive(name);

    if (!drive)
        return error_set(err, ERR_NOT_FOUND,
                         "there is no practice drive or volume %s", name);
    practice_volumes_of(drive, &volumes);
    err_code code = adopt_drive(drive, err);
    for (size_t i = 0; !code && i < volumes.count; i++)
        code = adopt_volume(volumes.items[i], err);
    return code;
}

void practice_stamp(const char *volume)
{
    CLEANUP_FREE char *path = card_stamp_path(volume);

    if (!path || !card_exists(CARD_VOLUME, volume))
        return;
    CLEANUP_FD int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    /* Without it the volume is left "dirty": the careful side. */
    if (fd >= 0 && futimens(fd, NULL))
        return;
}

/* --- files in fresh directories --- */

/* Somebody may make files in a directory while we take them out. */
enum { PATIENCE = 1000 };

struct entry {
    char *name;
    bool is_directory;
    int64_t changed_ns;
};
struct entries {
    struct entry *items;
    size_t count, capacity;
};

static void entries_release(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i].name);
    free(entries->items);
}

static err_code take_entry(void *context, const struct platform_entry *entry,
                           struct error *err)
{
    struct entries *entries = context;

    if (entry->stat) {
        struct entry fresh = {xstrdup(entry->name),
                              entry->stat->type == PLATFORM_DIRECTORY,
                              entry->stat->ctime_ns};
        ARRAY_PUSH(entries, fresh);
    }
    return ERR_OK;
}

static err_code empty_into(int from_fd, int to_fd, int64_t *newest_ns,
                           struct error *err);

static err_code empty_directory_into(int from_fd, int to_fd, const char *name,
                                     int64_t *newest_ns, struct error *err)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct platform_stat before;

    if (mkdirat(to_fd, name, 0700) && errno != EEXIST)
        return error_set_errno(err, errno, "cannot make %s", name);
    CLEANUP_FD int inner_from_fd = posix_open_at(from_fd, name, flags, 0);
    CLEANUP_FD int inner_to_fd = posix_open_at(to_fd, name, flags, 0);
    if (inner_from_fd < 0 || inner_to_fd < 0)
        return error_set_errno(err, errno, "cannot open %s", name);
    err_code code = posix_stat_fd(inner_from_fd, &before, err);
    if (!code)
        code = empty_into(inner_from_fd, inner_to_fd, newest_ns, err);
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT},
                                     clock_to_timespec(before.mtime_ns)};
    if (!code && (fchmod(inner_to_fd, (mode_t)before.mode) ||
                  futimens(inner_to_fd, times)))
        code = error_set_errno(err, errno, "cannot finish %s", name);
    return code;
}

static err_code empty_entry_into(int from_fd, int to_fd,
                                 const struct entry *entry, int64_t *newest_ns,
                                 struct error *err)
{
    if (entry->changed_ns > *newest_ns)
        *newest_ns = entry->changed_ns;
    if (!entry->is_directory) {
        if (renameat(from_fd, entry->name, to_fd, entry->name) &&
            errno != ENOENT)
            return error_set_errno(err, errno, "cannot move %s", entry->name);
        return ERR_OK;
    }
    for (int i = 0; i < PATIENCE; i++) {
        err_code code =
            empty_directory_into(from_fd, to_fd, entry->name, newest_ns, err);
        if (code && code != ERR_NOT_FOUND)
            return code;
        if (!unlinkat(from_fd, entry->name, AT_REMOVEDIR) || errno == ENOENT)
            return ERR_OK;
        if (errno != ENOTEMPTY && errno != EEXIST)
            break;
    }
    return error_set_errno(err, errno, "cannot remove %s", entry->name);
}

/*
 * Moves everything from one directory into another whose directories are
 * new. The old ones are removed, so that descriptors of them lead nowhere,
 * as after a yank: creating below says ENOENT, whoever does it.
 */
static err_code empty_into(int from_fd, int to_fd, int64_t *newest_ns,
                           struct error *err)
{
    CLEANUP(entries_release) struct entries entries = {.items = NULL};
    err_code code = posix_list_directory(from_fd, take_entry, &entries, err);

    for (size_t i = 0; !code && i < entries.count; i++)
        code =
            empty_entry_into(from_fd, to_fd, &entries.items[i], newest_ns, err);
    return code;
}

/* --- yanked --- */

static err_code make_parent(const char *path, struct error *err)
{
    CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));

    return directory_ensure(parent, err);
}

static err_code move(const char *from, const char *to, struct error *err)
{
    err_code code = make_parent(to, err);

    if (!code && rename(from, to))
        code = error_set_errno(err, errno, "cannot move %s to %s", from, to);
    return code;
}

static int64_t stamp_ns(const char *volume)
{
    CLEANUP_FREE char *path = card_stamp_path(volume);
    struct stat found;
    struct platform_stat stat;

    if (!path || lstat(path, &found))
        return 0;
    posix_stat_from(&found, &stat);
    return stat.mtime_ns;
}

/* What a yank left in the old directories, perhaps one that was killed. */
static err_code shelve(const char *volume, struct error *err)
{
    CLEANUP_FREE char *pulled = practice_pulled(volume);
    CLEANUP_FREE char *shelf = practice_shelf(volume);
    CLEANUP_FD int from_fd = -1;
    CLEANUP_FD int to_fd = -1;
    int64_t newest_ns = 0;
    err_code code = posix_open_root(pulled, &from_fd, err);

    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    code = directory_ensure(shelf, err);
    if (!code)
        code = posix_open_root(shelf, &to_fd, err);
    int failed = ENOTEMPTY;
    for (int i = 0; !code && failed && i < PATIENCE; i++) {
        code = empty_into(from_fd, to_fd, &newest_ns, err);
        failed = rmdir(pulled) ? errno : 0;
    }
    if (!code && failed)
        code = error_set_errno(err, failed, "cannot remove %s", pulled);
    if (!code && newest_ns > stamp_ns(volume))
        code = change_volume(volume, "dirty", "yes", err);
    return code;
}

/* An empty directory that is listed as a mount: what a kernel leaves. */
static err_code make_stale(const char *mount_point, struct error *err)
{
    CLEANUP_FREE char *mark = path_join(mount_point, PRACTICE_DETACHED_NAME);
    err_code code = directory_ensure(mount_point, err);

    if (code)
        return code;
    CLEANUP_FD int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? error_set_errno(err, errno, "cannot create %s", mark)
                  : ERR_OK;
}

static err_code remove_stale(const char *mount_point, struct error *err)
{
    CLEANUP_FREE char *mark = path_join(mount_point, PRACTICE_DETACHED_NAME);

    if (unlink(mark) && errno != ENOENT)
        return error_set_errno(err, errno, "cannot remove %s", mark);
    if (rmdir(mount_point) && errno != ENOENT)
        return error_set_errno(err, errno, "cannot remove %s", mount_point);
    return ERR_OK;
}

static err_code yank(const char *volume, struct error *err)
{
    CLEANUP_FREE char *mount_point = practice_mount_point(volume);
    CLEANUP_FREE char *pulled = practice_pulled(volume);
    err_code code = shelve(volume, err);

    if (!code)
        code = move(mount_point, pulled, err);
    if (!code)
        code = make_stale(mount_point, err);
    if (!code)
        code = shelve(volume, err);
    return code;
}

/* --- plugging and mounting --- */

static err_code set_plugged(const char *drive, bool plugged, struct error *err)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_DRIVE, drive, &card);
    if (plugged)
        count_up(&card, "plugged");
    else
        card_set(&card, "plugged", NULL);
    return card_save(CARD_DRIVE, drive, &card, err);
}

static bool mounts_itself(const char *volume)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_VOLUME, volume, &card);
    const char *automount = card_get(&card, "automount");
    return !card_says(&card, "locked") &&
           (!automount || strcmp(automount, "no") != 0);
}

/* Nobody is in the way: its files go to where it is mounted. */
static err_code put_in_place(const char *volume, struct error *err)
{
    CLEANUP(card_release) struct card card = CARD_INIT;
    CLEANUP_FREE char *shelf = practice_shelf(volume);
    CLEANUP_FREE char *mount_point = practice_mount_point(volume);
    struct stat found;
    err_code code = shelve(volume, err);

    if (!code && !lstat(shelf, &found))
        code = move(shelf, mount_point, err);
    else if (!code)
        code = directory_ensure(mount_point, err);
    if (code)
        return code;
    card_load(CARD_VOLUME, volume, &card);
    count_up(&card, "mounted");
    code = card_save(CARD_VOLUME, volume, &card, err);
    practice_stamp(volume);
    return code;
}

err_code practice_plug(const char *drive, struct error *err)
{
    CLEANUP(names_release) struct names volumes = {.items = NULL};
    err_code code = practice_adopt(drive, err);

    if (code || practice_is_plugged(drive))
        return code;
    code = set_plugged(drive, true, err);
    practice_volumes_of(drive, &volumes);
    for (size_t i = 0; !code && i < volumes.count; i++) {
        if (practice_is_stale(volumes.items[i]))
            code = practice_unmount(volumes.items[i], err);
        if (!code && mounts_itself(volumes.items[i]))
            code = put_in_place(volumes.items[i], err);
    }
    return code;
}

err_code practice_unplug(const char *drive, struct error *err)
{
    CLEANUP(names_release) struct names volumes = {.items = NULL};
    err_code code = practice_adopt(drive, err);

    if (code || !practice_is_plugged(drive))
        return code;
    code = set_plugged(drive, false, err);
    practice_volumes_of(drive, &volumes);
    for (size_t i = 0; !code && i < volumes.count; i++)
        if (!practice_is_gone(volumes.items[i]))
            code = yank(volumes.items[i], err);
    return code;
}

err_code practice_mount(const char *volume, struct error *err)
{
    CLEANUP_FREE char *drive = practice_drive_of(volume);
    CLEANUP(card_release) struct card card = CARD_INIT;
    err_code code = practice_adopt(volume, err);

    if (code)
        return code;
    card_load(CARD_VOLUME, volume, &card);
    if (!practice_is_plugged(drive))
        return error_set(err, ERR_DEVICE_GONE,
                         "the practice drive %s is not plugged in", drive);
    if (practice_is_mounted(volume))
        return error_set(err, ERR_EXISTS, "%s is mounted already", volume);
    if (card_says(&card, "locked"))
        return error_set(err, ERR_DENIED, "%s is locked", volume);
    return put_in_place(volume, err);
}

err_code practice_unmount(const char *volume, struct error *err)
{
    CLEANUP_FREE char *mount_point = practice_mount_point(volume);
    CLEANUP_FREE char *shelf = practice_shelf(volume);
    err_code code = practice_adopt(volume, err);

    if (code)
        return code;
    if (!practice_is_mounted(volume))
        return error_set(err, ERR_NOT_FOUND, "%s is not mounted", volume);
    code = practice_is_stale(volume) ? remove_stale(mount_point, err)
                                     : move(mount_point, shelf, err);
    return code ? code : change_volume(volume, "mounted", NULL, err);
}

err_code practice_begin_volume(const char *volume, struct error *err)
{
    CLEANUP_FREE char *drive = practice_drive_of(volume);
    CLEANUP_FREE char *mount_point = practice_mount_point(volume);
    CLEANUP_FREE char *shelf = practice_shelf(volume);
    struct stat found;

    if (practice_is_plugged(drive) && mounts_itself(volume))
        return put_in_place(volume, err);
    if (!lstat(mount_point, &found))
        return move(mount_point, shelf, err);
    return directory_ensure(shelf, err);
}
