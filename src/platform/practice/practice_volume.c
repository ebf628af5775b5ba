#include "platform/practice/practice_volume.h"

#include "core/base/hash.h"
#include "core/base/path.h"
#include "platform/posix_io.h"
#include "platform/practice/practice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* --- where --- */

/* "SANDBOX/TOP/NAME", or its parent for "". */
static char *place_path(const char *top, const char *name)
{
    CLEANUP_FREE char *directory = NULL;

    if (practice_path(top, &directory, NULL))
        return NULL;
    return *name ? path_join(directory, name) : TAKE_PTR(directory);
}

char *practice_mount_point(const char *volume)
{
    return place_path("drives", volume);
}

char *practice_shelf(const char *volume)
{
    return place_path("shelf", volume);
}

char *practice_pulled(const char *volume)
{
    return place_path("pulled", volume);
}

static bool is_directory(const char *path)
{
    struct stat found;

    return path && !lstat(path, &found) && S_ISDIR(found.st_mode);
}

/* --- which --- */

static err_code take_directory(void *context,
                               const struct platform_entry *entry,
                               struct error *err)
{
    if (entry->stat && entry->stat->type == PLATFORM_DIRECTORY)
        names_add(context, entry->name);
    return ERR_OK;
}

err_code practice_list_volumes(struct names *out, struct error *err)
{
    CLEANUP_FREE char *drives = place_path("drives", "");
    CLEANUP_FD int fd = -1;

    if (!drives)
        return practice_directory(&drives, err); /* for its words */
    err_code code = posix_open_root(drives, &fd, err);
    if (!code)
        code = posix_list_directory(fd, take_directory, out, err);
    if (code && code != ERR_NOT_FOUND)
        return code;
    card_list(CARD_VOLUME, out);
    names_sort(out);
    return ERR_OK;
}

char *practice_drive_of(const char *volume)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_VOLUME, volume, &card);
    const char *drive = card_get(&card, "drive");
    return xstrdup(drive ? drive : volume);
}

void practice_list_drives(struct names *out)
{
    CLEANUP(names_release) struct names volumes = {.items = NULL};

    card_list(CARD_DRIVE, out);
    if (practice_list_volumes(&volumes, NULL))
        return;
    for (size_t i = 0; i < volumes.count; i++) {
        CLEANUP_FREE char *drive = practice_drive_of(volumes.items[i]);
        names_add(out, drive);
    }
    names_sort(out);
}

void practice_volumes_of(const char *drive, struct names *out)
{
    CLEANUP(names_release) struct names volumes = {.items = NULL};

    if (practice_list_volumes(&volumes, NULL))
        return;
    for (size_t i = 0; i < volumes.count; i++) {
        CLEANUP_FREE char *owner = practice_drive_of(volumes.items[i]);
        if (!strcmp(owner, drive))
            names_add(out, volumes.items[i]);
    }
}

/* A drive without a card is there as long as its directory is. */
bool practice_is_plugged(const char *drive)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    if (!card_exists(CARD_DRIVE, drive))
        return !practice_is_gone(drive);
    card_load(CARD_DRIVE, drive, &card);
    return card_has(&card, "plugged");
}

static bool is_volume(const char *name)
{
    CLEANUP_FREE char *path = practice_mount_point(name);

    return card_exists(CARD_VOLUME, name) || is_directory(path);
}

char *practice_find_drive(const char *name)
{
    if (card_exists(CARD_DRIVE, name))
        return xstrdup(name);
    return is_volume(name) ? practice_drive_of(name) : NULL;
}

void practice_find_volumes(const char *name, struct names *out)
{
    if (is_volume(name))
        names_add(out, name);
    else
        practice_volumes_of(name, out);
}

/* --- mounts --- */

bool practice_is_gone(const char *volume)
{
    CLEANUP_FREE char *path = practice_mount_point(volume);
    struct stat found;

    if (!path || (lstat(path, &found) ? errno == ENOENT || errno == ENOTDIR
                                      : !S_ISDIR(found.st_mode)))
        return true; /* where we may not look it may be there */
    CLEANUP_FREE char *mark = path_join(path, PRACTICE_DETACHED_NAME);
    return !lstat(mark, &found);
}

static bool says_mounted(const char *volume)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_VOLUME, volume, &card);
    return card_has(&card, "mounted");
}

bool practice_is_stale(const char *volume)
{
    CLEANUP_FREE char *path = practice_mount_point(volume);

    return is_directory(path) && practice_is_gone(volume) &&
           says_mounted(volume);
}

bool practice_is_mounted(const char *volume)
{
    return !practice_is_gone(volume) || practice_is_stale(volume);
}

/* Of this plug and this mount; plain words while neither was ever played. */
static char *attachment_of(const char *volume, const struct card *card)
{
    CLEANUP_FREE char *drive = practice_drive_of(volume);
    CLEANUP(card_release) struct card drive_card = CARD_INIT;

    card_load(CARD_DRIVE, drive, &drive_card);
    const char *plugged = card_get(&drive_card, "plugged");
    const char *mounted = card_get(card, "mounted");
    if (!plugged && !mounted)
        return xstrdup("practice");
    return xasprintf("practice-%s-%s", plugged ? plugged : "0",
                     mounted ? mounted : "0");
}

static char *plug_of(const char *volume)
{
    CLEANUP_FREE char *drive = practice_drive_of(volume);
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_DRIVE, drive, &card);
    const char *plugged = card_get(&card, "plugged");
    return xstrdup(plugged ? plugged : "0");
}

static bool has_journal(const char *family)
{
    static const char *const families[] = {"ext4", "btrfs", "xfs", "apfs"};

    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (!strcmp(families[i], family))
            return true;
    return false;
}

static char *serial_of(const char *volume)
{
    struct hash serial = hash_of(volume, strlen(volume));
    char hex[HASH_HEX_SIZE];

    hash_to_hex(&serial, hex);
    return xstrndup(hex, 16);
}

static char *text_or(const struct card *card, const char *key,
                     const char *missing)
{
    const char *value = card_get(card, key);

    return xstrdup(value ? value : missing);
}

char *practice_uuid(const char *volume)
{
    CLEANUP_FREE char *serial = serial_of(volume);
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_VOLUME, volume, &card);
    return text_or(&card, "uuid", serial);
}

/*
 * Without a card its serial is made of its name. It has no journal, as the
 * drives that berth is for have none: so the careful ways are what is
 * practised.
 */
err_code practice_describe(const char *volume, struct platform_mount *out,
                           struct error *err)
{
    CLEANUP_FREE char *path = practice_mount_point(volume);
    CLEANUP(card_release) struct card card = CARD_INIT;
    struct statvfs filesystem;
    struct stat found;

    if (!path || stat(path, &found) || statvfs(path, &filesystem))
        return error_set(err, ERR_DEVICE_GONE,
                         "the practice drive %s is not plugged in", volume);
    card_load(CARD_VOLUME, volume, &card);
    *out = (struct platform_mount){
        .mount_id = (uint64_t)found.st_ino,
        .attachment = attachment_of(volume, &card),
        .plug = plug_of(volume),
        .mount_point = TAKE_PTR(path),
        .source = xasprintf("practice:%s", volume),
        .driver = xstrdup("practice"),
        .family = text_or(&card, "family", "practice"),
        .subtree = xstrdup("/"),
        .fs_uuid = practice_uuid(volume),
        .fs_label = text_or(&card, "label", volume),
        .is_read_only =
            filesystem.f_flag & ST_RDONLY || card_says(&card, "read-only"),
        .is_local_disk = true,
    };
    out->has_journal = has_journal(out->family);
    return ERR_OK;
}

/* --- descriptors --- */

void practice_place_release(struct practice_place *place)
{
    free(place->volume);
    *place = (struct practice_place){.volume = NULL};
}

/* As Linux puts behind the path of what has no name any more. */
#define DELETED " (deleted)"

static bool strip_deleted(char *path)
{
    size_t length = strlen(path), ending = strlen(DELETED);

    if (length < ending || strcmp(path + length - ending, DELETED) != 0)
        return false;
    path[length - ending] = '\0';
    return true;
}

static const char *below(const char *path, const char *top)
{
    size_t length = strlen(top);

    if (strncmp(path, top, length) != 0 || path[length] != '/')
        return NULL;
    return path + length + 1;
}

static bool place_of_path(int fd, char *path, struct practice_place *out)
{
    static const char *const tops[] = {"drives", "pulled", "shelf"};
    CLEANUP_FREE char *sandbox = NULL;
    bool is_deleted = strip_deleted(path);
    const char *rest, *inside = NULL;
    size_t top = 0;
    struct stat found;

    if (practice_directory(&sandbox, NULL) || !(rest = below(path, sandbox)))
        return false;
    while (top < COUNT_OF(tops) && !(inside = below(rest, tops[top])))
        top++;
    if (!inside || !*inside)
        return false;
    size_t length = strcspn(inside, "/");
    *out = (struct practice_place){
        .volume = xstrndup(inside, length),
        .is_root = !top && !inside[length] && !is_deleted,
    };
    /* A file without a name is as good as before: SQLite's are. */
    out->is_gone =
        top || practice_is_gone(out->volume) ||
        (is_deleted && (fstat(fd, &found) || S_ISDIR(found.st_mode)));
    return true;
}

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* The volume whose directory this is; a name of none once it is removed. */
static char *name_of(const struct stat *wanted)
{
    CLEANUP(names_release) struct names names = {.items = NULL};

    if (practice_list_volumes(&names, NULL))
        return xstrdup("");
    for (size_t i = 0; i < names.count; i++) {
        CLEANUP_FREE char *path = practice_mount_point(names.items[i]);
        struct stat found;
        if (path && !lstat(path, &found) && is_same(&found, wanted))
            return xstrdup(names.items[i]);
    }
    return xstrdup("that was removed");
}

/* Where the system has no /proc. */
static bool walk_up(int fd, struct practice_place *out)
{
    CLEANUP_FREE char *drives = practice_mount_point("");
    struct stat top, here, above;

    if (!drives || stat(drives, &top) || fstat(fd, &here) ||
        !S_ISDIR(here.st_mode))
        return false;
    CLEANUP_FD int at_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    for (bool is_root = true; at_fd >= 0; is_root = false) {
        int above_fd =
            posix_open_at(at_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        close(at_fd);
        at_fd = above_fd;
        if (at_fd < 0 || fstat(at_fd, &above) || is_same(&above, &here))
            return false;
        if (is_same(&above, &top)) {
            *out = (struct practice_place){.volume = name_of(&here),
                                           .is_root = is_root};
            out->is_gone = practice_is_gone(out->volume);
            return true;
        }
        here = above;
    }
    return false;
}

bool practice_find_place(int fd, struct practice_place *out)
{
    CLEANUP_FREE char *link = xasprintf("/proc/self/fd/%d", fd);
    CLEANUP_FREE char *path = NULL;

    if (posix_read_link_at(AT_FDCWD, link, link, &path, NULL))
        return walk_up(fd, out);
    return place_of_path(fd, path, out);
}
