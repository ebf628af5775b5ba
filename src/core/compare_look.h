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

/*
 * Whether a filesystem that is or was mounted at this name, or below it,
 * forbids that the drive's side is touched. `entry` NULL: the source has none.
 */
struct look look_at_mounts(struct walker *walker,
                           const struct compare_task *task, const char *key,
                           const struct scan_entry *entry);

/* By the job's patterns, whatever there is of it. */
bool look_is_excluded(struct walker *walker, const struct compare_task *task,
                      const char *key, bool is_directory);

/* Whether a file has other extended attributes than its row says. What cannot
 * be read has not: reading it for the note will say why. */
bool look_at_attributes(struct walker *walker, const struct compare_task *task,
                        const struct scan_entry *source,
                        const struct record *row);

/*
 * signature.side of a database: digest of its -wal, 0 without one. Of what is
 * no snapshot by its row, or has none, only a -wal counts that holds something:
 * what rsync copied is then not all of it.
 */
uint64_t look_at_wal(struct walker *walker, const struct compare_task *task,
                     const struct scan_entry *entry, const struct record *row);

/* Whether the drive's entry is a -wal or -journal of SQLite's beside what is a
 * database in the source, which has none of this name. */
bool look_is_stale_side(struct walker *walker, const struct compare_task *task,
                        const char *key, const struct scan_entry *drive);

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
