/*
 * `.berth/session`: who writes to the volume, or wrote last. Durable before
 * the first rename of a session, so that another host can see that it found
 * the volume in the middle of something. A hint to be checked, not believed:
 * what cannot be understood counts as no record.
 */
#ifndef BERTH_DRIVE_RECORD_H
#define BERTH_DRIVE_RECORD_H

#include "core/base/error.h"
#include "core/fsops.h"

#include <stdbool.h>
#include <stdint.h>

struct drive_record {
    char *host; /* NULL: no record */
    bool is_open;
};
void drive_record_release(struct drive_record *record);

/* ERR_TOO_NEW: a newer berth was here. */
err_code drive_record_read(int root_fd, struct drive_record *out,
                           struct error *err) MUST_CHECK;
err_code drive_record_write(struct fsops *ops, const char *host, int64_t run,
                            bool is_open, struct error *err) MUST_CHECK;

#endif
