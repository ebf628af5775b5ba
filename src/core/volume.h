/*
 * Attached volumes: found by their marker, known by a descriptor of their
 * root that stays with the drive whatever happens to the path (ENGINE G1).
 */
#ifndef BERTH_VOLUME_H
#define BERTH_VOLUME_H

#include "core/base/error.h"
#include "core/config.h"
#include "core/marker.h"
#include "platform/platform.h"

#include <stdbool.h>

struct volume {
    int root_fd;
    int marker_fd; /* read-only; the lock and the barrier's fsync use it */
    struct platform_mount mount; /* of the root; of the filesystem around it
                                    for a folder */
    struct marker marker;
    bool is_folder;
};

#define VOLUME_INIT                                                            \
    {                                                                          \
        .root_fd = -1, .marker_fd = -1                                         \
    }
void volume_release(struct volume *volume);

/* What to do about a read-only mount: "mount it writable". */
const char *volume_writable_remedy(const struct platform_mount *mount);

/*
 * Finds and opens a configured volume. ERR_NOT_FOUND: not attached or not
 * mounted. ERR_DENIED: macOS keeps what might be it private. ERR_REFUSED: what
 * carries the marker cannot be it, or two attached filesystems carry it (a
 * clone): both are named.
 */
err_code volume_locate(struct platform *platform,
                       const struct config_volume *config, struct volume *out,
                       struct error *err) MUST_CHECK;

/*
 * Opens the volume whose root is `path`, marker or not. ERR_REFUSED when
 * `path` is not the root of a mount of its own (and `is_folder` is false),
 * with what to do. Without a marker, marker.id is "".
 */
err_code volume_open_path(const char *path, bool is_folder, struct volume *out,
                          struct error *err) MUST_CHECK;

/*
 * Whether the descriptors still belong to the volume of that marker, and the
 * drive is still there. For each commit and after EIO, ENODEV, ENOENT.
 * ERR_DEVICE_GONE or ERR_REFUSED.
 */
err_code volume_check(const struct volume *volume, struct error *err)
    MUST_CHECK;

/*
 * Makes the filesystem a volume: `.berth/` with marker and .nomedia, flushed.
 * ERR_EXISTS when it has a marker already.
 */
err_code volume_introduce(struct volume *volume, const char *name,
                          struct error *err) MUST_CHECK;

/*
 * Writes the marker of `config` anew at `path`, where it is missing or damaged.
 * ERR_EXISTS when `path` is not known to be that volume: for a folder by its
 * path, else by `fs_uuid`, which its filesystem had last.
 */
err_code volume_mark_again(const char *path, const struct config_volume *config,
                           const char *fs_uuid, struct error *err) MUST_CHECK;

#endif
