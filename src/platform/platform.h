/*
 * Drives and volumes as values, and news of them.
 *
 * A backend owns one serial context (a thread on Linux, a dispatch queue on
 * macOS, the script in practice) that owns the session with the system. Its
 * notifications are only a hint to look: whoever cares takes a new snapshot
 * and compares, so that a missed one costs nothing.
 *
 * Functions may be called from any thread unless they say otherwise; they may
 * block on a sick drive and so belong on a worker, never on the ui thread.
 */
#ifndef BERTH_PLATFORM_H
#define BERTH_PLATFORM_H

#include "core/base/error.h"
#include "platform/platform_io.h"

#include <stddef.h>

struct platform;

err_code platform_new(struct platform **out, struct error *err) MUST_CHECK;
/* Ends the serial context; no wake-up comes afterwards. NULL is fine. */
void platform_free(struct platform *platform);

/*
 * Readable (poll POLLIN) when something may have changed since the last
 * platform_acknowledge. Owned by the platform.
 */
int platform_wake_fd(const struct platform *platform);
void platform_acknowledge(struct platform *platform);

/*
 * Every mounted filesystem that could be a volume of a job: on a disk, or a
 * FUSE server of one; no pseudo filesystems, no network, nothing that would
 * have to be waited for. In mount order.
 */
struct platform_mounts {
    struct platform_mount *items;
    size_t count, capacity;
};
err_code platform_list_mounts(struct platform *platform,
                              struct platform_mounts *out, struct error *err)
    MUST_CHECK;
void platform_mounts_release(struct platform_mounts *mounts);

#endif
