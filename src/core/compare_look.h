/* What the walk has to look at closer. Shared by the compare_*.c files. */
#ifndef BERTH_COMPARE_LOOK_H
#define BERTH_COMPARE_LOOK_H

#include "core/compare_internal.h"
#include "core/diff.h"

struct look {
    enum action_reason reason; /* REASON_NONE: the job takes it */
    err_code detail;
};

/* Whether the job takes an entry of its source, and if not, why. */
struct look look_at_source(struct walker *walker,
                           const struct compare_task *task,
                           const struct scan_entry *entry);

/* signature.side of a database: digest of its -wal, 0 without one. */
uint64_t look_at_wal(const struct scan *source, const char *raw);

/*
 * Compares a source entry's content with its row, or, for a symlink without
 * one, with the drive's. Reads the whole file. ERR_CANCELLED when stopped.
 */
err_code look_at_content(struct walker *walker, const struct compare_task *task,
                         const struct scan_entry *source,
                         const struct record *row,
                         const struct scan_entry *drive,
                         enum content_state *out, struct error *err) MUST_CHECK;

#endif
