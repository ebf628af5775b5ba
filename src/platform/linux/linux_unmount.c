/*
 * Mounting and unmounting: by UDisks2 where it knows the device, which also
 * removes the mount points that it made; by the system call where it is
 * absent, or by mount(8) as /etc/fstab says. Never lazy, never forced.
 */
#include "core/base/clock.h"
#include "core/base/strbuf.h"
#include "platform/linux/linux_devices.h"
#include "platform/linux/linux_request.h"
#include "platform/linux/linux_udisks.h"
#include "platform/posix_program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>

/* More mounts of one device than anybody has; a loop that does not end else. */
enum { MOST_MOUNTS = 1000 };

enum { UDISKS_PATIENCE_MS = 3000, LOOK_MS = 200 };

/* --- which mounts there are --- */

/* The last one made, which must go first; NULL. */
static const struct linux_mount_entry *last_mount_of(
    const struct linux_snapshot *snapshot, const char *device)
{
    for (size_t i = snapshot->mounts.count; i--;)
        if (linux_snapshot_is_mount_at(snapshot, &snapshot->mounts.items[i],
                                       device))
            return &snapshot->mounts.items[i];
    return NULL;
}

/*
 * How many there are. ERR_BUSY when one is hidden: an unmount, ours as well as
 * UDisks2's, takes what is on top at the path, whosever it is.
 */
static err_code count_mounts(const char *device, size_t *out_count,
                             struct error *err)
{
    struct linux_snapshot snapshot;
    size_t count = 0;
    err_code code = linux_snapshot_read(NULL, &snapshot, err);

    if (code)
        return code;
    for (size_t i = 0; i < snapshot.mounts.count && !code; i++) {
        const struct linux_mount_entry *entry = &snapshot.mounts.items[i];
        if (!linux_snapshot_is_mount_at(&snapshot, entry, device))
            continue;
        count++;
        if (!linux_mount_is_visible(&snapshot.mounts, entry))
            code = error_set(err, ERR_BUSY,
                             "cannot unmount %s: something else is mounted "
                             "over %s",
                             device, entry->mount_point);
    }
    linux_snapshot_release(&snapshot);
    if (!code)
        *out_count = count;
    return code;
}

/* --- the system call --- */

static err_code unmount_at(const struct linux_mount_entry *entry,
                           const char *device, struct error *err)
{
    if (!umount2(entry->mount_point, UMOUNT_NOFOLLOW))
        return ERR_OK;
    if (errno == EPERM || errno == EACCES)
        return error_set(err, ERR_DENIED,
                         "cannot unmount %s: UDisks2 is not there or does not "
                         "know it, and without it only root may",
                         device);
    return error_set_errno(err, errno, "cannot unmount %s from %s", device,
                           entry->mount_point);
}

static err_code again_and_again(const char *device, struct error *err)
{
    return error_set(err, ERR_BUSY,
                     "cannot unmount %s: it is mounted again and again",
                     device);
}

static err_code unmount_last(const char *device, struct error *err)
{
    struct linux_snapshot snapshot;
    err_code code = linux_snapshot_read(NULL, &snapshot, err);

    if (code)
        return code;
    const struct linux_mount_entry *entry = last_mount_of(&snapshot, device);
    if (entry)
        code = unmount_at(entry, device, err);
    linux_snapshot_release(&snapshot);
    return code;
}

static err_code unmount_by_call(const char *device, struct error *err)
{
    for (int i = 0; i < MOST_MOUNTS; i++) {
        size_t before = 0;
        err_code code = count_mounts(device, &before, err);
        if (!code && before)
            code = unmount_last(device, err);
        if (code || !before)
            return code;
    }
    return again_and_again(device, err);
}

/* --- UDisks2 --- */

static void pause_for(int milliseconds)
{
    const struct timespec pause = {.tv_nsec = milliseconds * 1000000L};

    nanosleep(&pause, NULL);
}

/*
 * One mount less. UDisks2 may say "not mounted" for a moment (it hears of new
 * mounts later than we do), for good (it lives in another mount namespace), or
 * "already unmounting".
 */
static err_code unmount_one(struct linux_bus *bus, const char *name,
                            const char *device, size_t before,
                            struct error *err)
{
    int64_t give_up_ns = clock_monotonic_ns() + UDISKS_PATIENCE_MS * NS_PER_MS;

    for (;;) {
        size_t now = before;
        err_code code = linux_udisks_unmount(bus, name, device, err);
        if (!code)
            code = count_mounts(device, &now, err);
        if (code || now < before)
            return code;
        if (clock_monotonic_ns() > give_up_ns)
            return error_set(
                err, ERR_NOT_FOUND,
                "cannot unmount %s: UDisks2 does not see the mount", device);
        pause_for(LOOK_MS);
    }
}

/* Each call takes away one mount. */
static err_code unmount_by_udisks(struct linux_bus *bus, const char *name,
                                  const char *device, struct error *err)
{
    for (int i = 0; i < MOST_MOUNTS; i++) {
        size_t before = 0;
        err_code code = count_mounts(device, &before, err);
        if (!code && before)
            code = unmount_one(bus, name, device, before, err);
        if (code || !before)
            return code;
    }
    return again_and_again(device, err);
}

/* The kernel's name of the device; NULL when it is not plugged in. */
static char *name_of(const char *device)
{
    struct linux_snapshot snapshot;

    if (linux_snapshot_read(NULL, &snapshot, NULL))
        return NULL;
    const struct linux_block *block =
        linux_snapshot_find_node(&snapshot, device);
    char *name = block ? xstrdup(block->name) : NULL;
    linux_snapshot_release(&snapshot);
    return name;
}

static err_code gone(const char *verb, const char *device, struct error *err)
{
    return error_set(err, ERR_DEVICE_GONE,
                     "cannot %s %s: it is not plugged in any more", verb,
                     device);
}

err_code linux_unmount(struct linux_bus *bus, const char *device,
                       struct error *err)
{
    CLEANUP_FREE char *name = name_of(device);
    err_code code = ERR_NOT_FOUND;

    if (name)
        code = unmount_by_udisks(bus, name, device, err);
    if (code == ERR_NOT_FOUND)
        code = unmount_by_call(device, err);
    if (code && code != ERR_DENIED)
        return code;
    /* A mount of what was pulled out is taken away without an error, too. */
    CLEANUP_FREE char *now = name ? name_of(device) : NULL;
    return now ? code : gone("unmount", device, err);
}

/* --- mounting --- */

/*
 * mount(8) knows the UUIDs and labels of /etc/fstab, and what a user may mount
 * that it names. Never at a place of our own choice.
 */
static err_code mount_by_fstab(const char *device, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    char *const arguments[] = {
        (char[]){"env"},
        (char[]){"LC_ALL=C"},
        (char[]){"mount"},
        (char *)(uintptr_t)device,
        NULL,
    };
    int status = posix_program_run(arguments, true, &words);

    if (!status)
        return ERR_OK;
    words.text[strcspn(words.text, "\n")] = '\0';
    if (status < 0 || strstr(words.text, "fstab"))
        return error_set(err, ERR_UNSUPPORTED,
                         "cannot mount %s: UDisks2 is not there or knows no "
                         "filesystem on it, and /etc/fstab does not name it",
                         device);
    if (strstr(words.text, "superuser") || strstr(words.text, "permission"))
        return error_set(err, ERR_DENIED,
                         "cannot mount %s: UDisks2 is not there, and without "
                         "it only root may",
                         device);
    return error_set(err, ERR_IO, "cannot mount %s: %s", device, words.text);
}

err_code linux_mount(struct linux_bus *bus, const char *device,
                     struct error *err)
{
    CLEANUP_FREE char *name = name_of(device);
    size_t count = 0;

    if (!name)
        return gone("mount", device, err);
    err_code code = linux_udisks_mount(bus, name, device, err);
    if (code != ERR_NOT_FOUND)
        return code;
    code = count_mounts(device, &count, err);
    return code || count ? code : mount_by_fstab(device, err);
}
