/*
 * What this machine's catalogue of a volume remembers for the list of drives,
 * whether the volume is attached or away. Reading it opens a database: a task's
 * thread only.
 */
#ifndef BERTH_VOLUME_PAST_H
#define BERTH_VOLUME_PAST_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct volume_past {
    bool is_read;
    /* Not ERR_OK: the catalogue is there and cannot be read; the message says
     * why. It may know of a failed flush. */
    err_code code;
    char *message;
    char *filesystem; /* its UUID when it was last open; "" if never */
    int64_t last_seen_ns, verified_ns;
    int64_t last_sync_ns; /* of its jobs the one that waits longest */
    bool has_failed_flush, has_open_session;
};

/* Of the volume with that identity. One that was never synced from here leaves
 * everything 0. Release with volume_past_release. */
void volume_past_read(struct volume_past *past, const char *state_directory,
                      const char *host, const char *volume_id);
void volume_past_release(struct volume_past *past);

#endif
