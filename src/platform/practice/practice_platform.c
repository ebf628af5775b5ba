/*
 * Practice: the drives, and a thread that looks whether there are others.
 */
#include "platform/platform.h"

#include "core/base/array.h"
#include "core/base/hash.h"
#include "core/base/path.h"
#include "core/base/thread.h"
#include "platform/posix_io.h"
#include "platform/practice/practice.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* --- drives ------------------------------------------------------------- */

/* "SANDBOX/drives/NAME", or its parent for ""; NULL. free() it. */
static char *drive_path(const char *drive)
{
    CLEANUP_FREE char *drives = NULL;

    if (practice_path("drives", &drives, NULL))
        return NULL;
    return *drive ? path_join(drives, drive) : TAKE_PTR(drives);
}

bool practice_is_detached(const char *drive)
{
    CLEANUP_FREE char *path = drive_path(drive);
    struct stat found;

    if (!path || lstat(path, &found) || !S_ISDIR(found.st_mode))
        return true;
    CLEANUP_FREE char *mark = path_join(path, PRACTICE_DETACHED_NAME);
    return !lstat(mark, &found);
}

struct names {
    char **items;
    size_t count, capacity;
};

static void names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

static err_code collect_directory(void *context,
                                  const struct platform_entry *entry,
                                  struct error *err)
{
    struct names *names = context;

    if (entry->stat && entry->stat->type == PLATFORM_DIRECTORY)
        ARRAY_PUSH(names, xstrdup(entry->name));
    return ERR_OK;
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* In the order of their names; none where there is no such directory. */
static err_code list_drives(struct names *out, struct error *err)
{
    CLEANUP_FREE char *drives = drive_path("");
    CLEANUP_FD int fd = -1;

    if (!drives)
        return practice_directory(&drives, err); /* for its words */
    err_code code = posix_open_root(drives, &fd, err);
    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    code = posix_list_directory(fd, collect_directory, out, err);
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, compare_names);
    return code;
}

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* The drive whose directory this is; a name of no drive once it is removed. */
static char *name_of(const struct stat *wanted)
{
    CLEANUP(names_release) struct names names = {.items = NULL};

    if (list_drives(&names, NULL))
        return xstrdup("");
    for (size_t i = 0; i < names.count; i++) {
        CLEANUP_FREE char *path = drive_path(names.items[i]);
        struct stat found;
        if (path && !lstat(path, &found) && is_same(&found, wanted))
            return xstrdup(names.items[i]);
    }
    return xstrdup("that was removed");
}

char *practice_drive_of(int fd, bool *out_is_root)
{
    CLEANUP_FREE char *drives = drive_path("");
    struct stat top, here, above;

    if (!drives || stat(drives, &top) || fstat(fd, &here) ||
        !S_ISDIR(here.st_mode))
        return NULL;
    CLEANUP_FD int at_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    for (bool is_root = true; at_fd >= 0; is_root = false) {
        int above_fd =
            posix_open_at(at_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        close(at_fd);
        at_fd = above_fd;
        if (at_fd < 0 || fstat(at_fd, &above))
            return NULL;
        if (is_same(&above, &top)) {
            *out_is_root = is_root;
            return name_of(&here);
        }
        if (is_same(&above, &here)) /* "/" */
            return NULL;
        here = above;
    }
    return NULL;
}

/*
 * Its serial is made of its name. It has no journal, as the drives that berth
 * is for have none: so the careful ways are what is practised.
 */
err_code practice_describe(const char *drive, struct platform_mount *out,
                           struct error *err)
{
    CLEANUP_FREE char *path = drive_path(drive);
    struct statvfs filesystem;
    struct stat found;
    struct hash serial = hash_of(drive, strlen(drive));
    char hex[HASH_HEX_SIZE];

    if (!path || stat(path, &found) || statvfs(path, &filesystem))
        return error_set(err, ERR_DEVICE_GONE,
                         "the practice drive %s is not plugged in", drive);
    hash_to_hex(&serial, hex);
    *out = (struct platform_mount){
        .mount_id = (uint64_t)found.st_ino,
        .attachment = xstrdup("practice"),
        .mount_point = TAKE_PTR(path),
        .source = xasprintf("practice:%s", drive),
        .driver = xstrdup("practice"),
        .family = xstrdup("practice"),
        .subtree = xstrdup("/"),
        .fs_uuid = xstrndup(hex, 16),
        .fs_label = xstrdup(drive),
        .is_read_only = filesystem.f_flag & ST_RDONLY,
        .is_local_disk = true,
    };
    return ERR_OK;
}

/* --- the platform ------------------------------------------------------- */

enum { LOOK_EVERY_MS = 100 };

struct platform {
    int wake_read_fd, wake_write_fd; /* does not block; any thread */
    int stop_read_fd, stop_write_fd;
    struct names drives; /* the thread's: attached when it looked last */
    pthread_t thread;
};

static void take_attached(struct names *out)
{
    CLEANUP(names_release) struct names all = {.items = NULL};

    if (list_drives(&all, NULL))
        return;
    for (size_t i = 0; i < all.count; i++)
        if (!practice_is_detached(all.items[i]))
            ARRAY_PUSH(out, xstrdup(all.items[i]));
}

static bool names_equal(const struct names *one, const struct names *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (strcmp(one->items[i], other->items[i]) != 0)
            return false;
    return true;
}

static void wake(struct platform *platform)
{
    ssize_t done;

    do /* EAGAIN: full, so it is readable */
        done = write(platform->wake_write_fd, "", 1);
    while (done < 0 && errno == EINTR);
}

/* POSIX cannot wait for a directory to change. */
static void *watch_drives(void *argument)
{
    struct platform *platform = argument;
    struct pollfd stop = {.fd = platform->stop_read_fd, .events = POLLIN};

    while (poll(&stop, 1, LOOK_EVERY_MS) <= 0) {
        struct names now = {.items = NULL};
        take_attached(&now);
        bool changed = !names_equal(&now, &platform->drives);
        names_release(&platform->drives);
        platform->drives = now;
        if (changed)
            wake(platform);
    }
    return NULL;
}

static int make_pipe(int *out_read_fd, int *out_write_fd)
{
    int ends[2];

    if (pipe(ends))
        return -1;
    *out_read_fd = ends[0];
    *out_write_fd = ends[1];
    for (int i = 0; i < 2; i++)
        if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) ||
            fcntl(ends[i], F_SETFL, O_NONBLOCK))
            return -1;
    return 0;
}

static void release_all(struct platform *platform)
{
    cleanup_fd(&platform->wake_read_fd);
    cleanup_fd(&platform->wake_write_fd);
    cleanup_fd(&platform->stop_read_fd);
    cleanup_fd(&platform->stop_write_fd);
    names_release(&platform->drives);
    free(platform);
}

err_code platform_new(struct platform **out, struct error *err)
{
    struct platform *platform = xmalloc(sizeof *platform);

    *platform = (struct platform){-1, -1, -1, -1, .drives = {.items = NULL}};
    if (make_pipe(&platform->wake_read_fd, &platform->wake_write_fd) ||
        make_pipe(&platform->stop_read_fd, &platform->stop_write_fd)) {
        err_code code = error_set_errno(err, errno, "cannot make a pipe");
        release_all(platform);
        return code;
    }
    take_attached(&platform->drives);
    platform->thread = thread_start(watch_drives, platform);
    *out = platform;
    return ERR_OK;
}

void platform_free(struct platform *platform)
{
    if (!platform)
        return;
    close(TAKE_FD(platform->stop_write_fd)); /* the other end: readable */
    thread_join(platform->thread);
    release_all(platform);
}

int platform_wake_fd(const struct platform *platform)
{
    return platform->wake_read_fd;
}

void platform_acknowledge(struct platform *platform)
{
    char drained[64];

    while (read(platform->wake_read_fd, drained, sizeof drained) > 0)
        continue;
}

err_code platform_list_mounts(struct platform *platform,
                              struct platform_mounts *out, struct error *err)
{
    CLEANUP(names_release) struct names drives = {.items = NULL};
    struct platform_mounts found = {.items = NULL};
    err_code code = list_drives(&drives, err);

    if (code)
        return code;
    for (size_t i = 0; i < drives.count; i++) {
        struct platform_mount mount;
        if (practice_is_detached(drives.items[i]) ||
            practice_describe(drives.items[i], &mount, NULL))
            continue; /* pulled, or pulled just now */
        mount.is_root = true;
        ARRAY_PUSH(&found, mount);
    }
    *out = found;
    return ERR_OK;
}
