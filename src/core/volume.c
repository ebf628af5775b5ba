#include "core/volume.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/fsops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void volume_release(struct volume *volume)
{
    cleanup_fd(&volume->root_fd);
    cleanup_fd(&volume->marker_fd);
    platform_mount_release(&volume->mount);
    marker_release(&volume->marker);
    *volume = (struct volume)VOLUME_INIT;
}

/* The mount of `path`, whose root is open. */
static err_code describe_root(const char *path, bool is_folder,
                              struct volume *out, struct error *err)
{
    err_code code = platform_mount_of(out->root_fd, &out->mount, err);

    if (code)
        return code;
    out->is_folder = is_folder;
    if (!is_folder && !out->mount.is_root)
        return error_set(err, ERR_REFUSED,
                         "%s is not the root of a mounted volume (it lies on "
                         "%s): mount the drive and name its mount point, or "
                         "use --folder to take a plain directory",
                         path, out->mount.mount_point);
    if (!is_folder && !out->mount.is_local_disk)
        return error_set(err, ERR_REFUSED,
                         "%s is on no disk of this machine (%s), so that "
                         "berth would not find it again: use --folder to take "
                         "it as a plain directory",
                         path, out->mount.driver);
    return ERR_OK;
}

/* Root and mount of `path`, as far as they go without a marker. */
static err_code open_root(const char *path, bool is_folder, struct volume *out,
                          struct error *err)
{
    err_code code = platform_open_root(path, &out->root_fd, err);

    return code ? code : describe_root(path, is_folder, out, err);
}

static err_code read_marker(struct volume *volume, struct error *err)
{
    err_code code =
        platform_open_beneath(volume->root_fd, MARKER_PATH, PLATFORM_OPEN_READ,
                              &volume->marker_fd, err);

    if (!code)
        code = marker_read(volume->root_fd, &volume->marker, err);
    /* Something else than a file stands there: nobody we go by. */
    return code == ERR_CHANGED ? ERR_REFUSED : code;
}

err_code volume_open_path(const char *path, bool is_folder, struct volume *out,
                          struct error *err)
{
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    err_code code = open_root(path, is_folder, &volume, err);

    if (code)
        return code;
    code = read_marker(&volume, err);
    if (code && code != ERR_NOT_FOUND) {
        error_prefix(err, "%s", path);
        return code;
    }
    *out = volume;
    volume = (struct volume)VOLUME_INIT;
    return ERR_OK;
}

/*
 * The filesystem's own marks must agree with the marker: what differs is a
 * copy of .berth on another filesystem. Unknown marks say nothing.
 */
static err_code cross_check(const struct volume *volume, struct error *err)
{
    const struct marker *marker = &volume->marker;
    const struct platform_mount *mount = &volume->mount;
    bool other_family = *marker->family && *mount->family &&
                        strcmp(marker->family, mount->family) != 0;
    bool other_serial = *marker->fs_uuid && *mount->fs_uuid &&
                        strcmp(marker->fs_uuid, mount->fs_uuid) != 0;

    if (volume->is_folder || (!other_family && !other_serial))
        return ERR_OK;
    return error_set(err, ERR_REFUSED,
                     "%s carries the marker of volume %s, but that was made on "
                     "the filesystem %s %s and this is %s %s: a copy of .berth "
                     "on another volume? Remove its .berth, or `berth volume "
                     "forget` and add the volume anew",
                     mount->mount_point, marker->name, marker->family,
                     marker->fs_uuid, mount->family, mount->fs_uuid);
}

static err_code locate_folder(const struct config_volume *config,
                              struct volume *out, struct error *err)
{
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    err_code code = open_root(config->folder, true, &volume, err);

    if (!code)
        code = read_marker(&volume, err);
    if (code) {
        error_prefix(err, "volume %s", config->name);
        return code;
    }
    if (strcmp(volume.marker.id, config->id) != 0)
        return error_set(
            err, ERR_REFUSED,
            "%s is the folder of another volume (%s), not of %s: is "
            "the right share mounted there?",
            config->folder, volume.marker.name, config->name);
    *out = volume;
    volume = (struct volume)VOLUME_INIT;
    return ERR_OK;
}

/* By macOS, until the user consents; what the mode bits forbid is EACCES. */
static bool is_kept_private(err_code code, const struct error *err)
{
    return code == ERR_DENIED && err->os_errno == EPERM;
}

/* ERR_NOT_FOUND: it is another volume, or none. */
static err_code try_mount(const struct platform_mount *mount,
                          const struct config_volume *config,
                          struct volume *out, struct error *err)
{
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    err_code code =
        platform_open_root(mount->mount_point, &volume.root_fd, err);

    /* The marker first: to describe a mount may mean to read its device. */
    if (!code)
        code = read_marker(&volume, err);
    if (code == ERR_TOO_NEW || is_kept_private(code, err)) {
        error_prefix(err, "%s", mount->mount_point);
        return code;
    }
    if (code || strcmp(volume.marker.id, config->id) != 0 ||
        describe_root(mount->mount_point, false, &volume, err))
        return error_set(err, ERR_NOT_FOUND, "%s is not volume %s",
                         mount->mount_point, config->name);
    code = cross_check(&volume, err);
    if (code)
        return code;
    *out = volume;
    volume = (struct volume)VOLUME_INIT;
    return ERR_OK;
}

static bool is_same_filesystem(const struct volume *one,
                               const struct volume *other)
{
    struct platform_stat root, other_root;

    return !platform_stat_fd(one->root_fd, &root, NULL) &&
           !platform_stat_fd(other->root_fd, &other_root, NULL) &&
           root.device == other_root.device && root.inode == other_root.inode;
}

/* Keeps the first; the second may only be another mount of the same. */
static err_code take_candidate(struct volume *found, struct volume *candidate,
                               struct error *err)
{
    if (found->root_fd < 0) {
        *found = *candidate;
        *candidate = (struct volume)VOLUME_INIT;
        return ERR_OK;
    }
    if (is_same_filesystem(found, candidate))
        return ERR_OK;
    return error_set(err, ERR_REFUSED,
                     "%s (%s) and %s (%s) both carry the marker of volume %s: "
                     "one is a clone of the other, so neither is written. "
                     "Unplug one, or remove .berth from the clone",
                     found->mount.mount_point, found->mount.source,
                     candidate->mount.mount_point, candidate->mount.source,
                     found->marker.name);
}

static err_code search_mounts(const struct platform_mounts *mounts,
                              const struct config_volume *config,
                              struct volume *found, struct error *err)
{
    struct error unread = ERROR_INIT; /* might be it: told if nothing else is */

    for (size_t i = 0; i < mounts->count; i++) {
        CLEANUP(volume_release) struct volume candidate = VOLUME_INIT;
        struct error why = ERROR_INIT;
        err_code code = try_mount(&mounts->items[i], config, &candidate, &why);
        if (!code)
            code = take_candidate(found, &candidate, &why);
        if (code == ERR_TOO_NEW || is_kept_private(code, &why))
            unread = why;
        else if (code && code != ERR_NOT_FOUND)
            return error_set(err, code, "%s", why.message);
    }
    if (found->root_fd >= 0)
        return ERR_OK;
    if (unread.code)
        return error_set(err, unread.code,
                         "volume %s is not attached, or it is "
                         "one that cannot be read: %s",
                         config->name, unread.message);
    return error_set(err, ERR_NOT_FOUND,
                     "volume %s is not attached or not mounted: plug the drive "
                     "in and mount it",
                     config->name);
}

/* The driver "ntfs", macOS' and Linux' old one, only reads. */
const char *volume_writable_remedy(const struct platform_mount *mount)
{
    return strcmp(mount->driver, "ntfs") != 0
               ? "mount it writable"
               : "this system's own driver only reads NTFS; format the drive "
                 "as exFAT, which every system writes";
}

err_code volume_locate(struct platform *platform,
                       const struct config_volume *config, struct volume *out,
                       struct error *err)
{
    if (config->folder)
        return locate_folder(config, out, err);

    CLEANUP(platform_mounts_release)
    struct platform_mounts mounts = {.items = NULL};
    CLEANUP(volume_release) struct volume found = VOLUME_INIT;
    err_code code = platform_list_mounts(platform, &mounts, err);
    if (!code)
        code = search_mounts(&mounts, config, &found, err);
    if (code)
        return code;
    *out = found;
    found = (struct volume)VOLUME_INIT;
    return ERR_OK;
}

err_code volume_check(const struct volume *volume, struct error *err)
{
    CLEANUP(marker_release) struct marker now = {.name = NULL};
    err_code code = platform_check_attached(volume->root_fd, err);

    if (!code)
        code = marker_read(volume->root_fd, &now, err);
    if (code == ERR_NOT_FOUND)
        return error_set(
            err, ERR_DEVICE_GONE,
            "the marker of volume %s is gone from %s: was it formatted or "
            "emptied meanwhile? If not, `berth volume add PATH --name NAME`, "
            "with the name that it has here, writes it anew",
            volume->marker.name, volume->mount.mount_point);
    if (!code && strcmp(now.id, volume->marker.id) != 0)
        code =
            error_set(err, ERR_REFUSED,
                      "%s is not volume %s any more: plug that drive in again",
                      volume->mount.mount_point, volume->marker.name);
    return code;
}

static err_code write_file(struct fsops *ops, const char *path,
                           const char *text, struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = fsops_create(ops, path, 0644, &fd, err);

    if (code)
        return code;
    int failed = fd_write_full(fd, text, strlen(text));
    if (failed)
        return error_set_errno(err, failed, "cannot write %s", path);
    return platform_flush_file(fd, err);
}

static err_code write_marker(struct volume *volume, struct error *err)
{
    CLEANUP(fsops_release) struct fsops ops = fsops_on(volume->root_fd);
    CLEANUP_FREE char *text = marker_format(&volume->marker);
    err_code code =
        fsops_ensure_own_directory(&ops, BERTH_DIRECTORY, FSOPS_SHARED, err);

    if (!code) /* left by an attempt that was killed */
        code = fsops_unlink_if_there(&ops, MARKER_PATH ".new", err);
    if (!code)
        code = write_file(&ops, MARKER_PATH ".new", text, err);
    if (!code)
        code = fsops_rename(&ops, MARKER_PATH ".new", MARKER_PATH, err);
    if (!code) {
        code = write_file(&ops, NOMEDIA_PATH, "", err);
        if (code == ERR_EXISTS)
            code = ERR_OK;
    }
    return code;
}

/* What `volume.marker` says, durable on the volume. */
static err_code put_marker(struct volume *volume, struct error *err)
{
    err_code code = write_marker(volume, err);

    if (!code)
        code =
            platform_open_beneath(volume->root_fd, MARKER_PATH,
                                  PLATFORM_OPEN_READ, &volume->marker_fd, err);
    if (!code)
        code = platform_flush_volume(volume->root_fd, volume->marker_fd, err);
    return code;
}

static void fill_marker(struct volume *volume, const char *name)
{
    struct marker marker = {
        .name = xstrdup(name),
        .family = xstrdup(volume->mount.family),
        .fs_uuid = xstrdup(volume->is_folder ? "" : volume->mount.fs_uuid),
        .created_ns = clock_now_ns(),
    };

    marker_release(&volume->marker);
    volume->marker = marker;
}

err_code volume_introduce(struct volume *volume, const char *name,
                          struct error *err)
{
    if (*volume->marker.id)
        return error_set(err, ERR_EXISTS, "%s is volume %s already",
                         volume->mount.mount_point, volume->marker.name);
    fill_marker(volume, name);
    err_code code = marker_new_id(volume->marker.id, err);
    return code ? code : put_marker(volume, err);
}

static bool is_known_as(const struct volume *volume, const char *path,
                        const struct config_volume *config, const char *fs_uuid)
{
    CLEANUP_FREE char *folder =
        config->folder ? realpath(config->folder, NULL) : NULL;

    if (config->folder)
        return folder && !strcmp(folder, path);
    return *fs_uuid && !strcmp(volume->mount.fs_uuid, fs_uuid);
}

err_code volume_mark_again(const char *path, const struct config_volume *config,
                           const char *fs_uuid, struct error *err)
{
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    err_code code = open_root(path, config->folder != NULL, &volume, err);

    if (code)
        return code;
    code = read_marker(&volume, err);
    bool is_damaged = code == ERR_CORRUPT;
    if (code && code != ERR_NOT_FOUND && !is_damaged)
        return code;
    if (!code || !is_known_as(&volume, path, config, fs_uuid))
        return error_set(err, ERR_EXISTS, "%s is not volume %s", path,
                         config->name);
    if (volume.mount.is_read_only)
        return error_set(err, ERR_READ_ONLY, "%s is mounted read-only: %s",
                         path, volume_writable_remedy(&volume.mount));
    cleanup_fd(&volume.marker_fd);
    CLEANUP(fsops_release) struct fsops ops = fsops_on(volume.root_fd);
    code = is_damaged ? fsops_unlink(&ops, MARKER_PATH, err) : ERR_OK;
    fill_marker(&volume, config->name);
    memcpy(volume.marker.id, config->id, sizeof volume.marker.id);
    return code ? code : put_marker(&volume, err);
}
