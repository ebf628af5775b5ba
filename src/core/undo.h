/*
 * Takes a run back: what it added is retired into the versions, what it
 * replaced or deleted comes back from there, what it renamed gets its old name.
 *
 * All or nothing is decided before anything is done: where a later run or
 * somebody else has touched any of it, or a version is gone, the undo is
 * refused. Then it is a run like any other: journalled, repaired after a kill,
 * and itself undone by the next undo; not so where it gave directories their
 * old names, last of all, since what it did before tells of other paths.
 * Permissions and notes in the catalogue are not part of it.
 *
 *     undo.c        which run, in batches
 *     undo_build.c  deeds into intents, last one first
 *     undo_renames.c  names that meet
 */
#ifndef BERTH_UNDO_H
#define BERTH_UNDO_H

#include "core/base/arena.h"
#include "core/base/thread.h"
#include "core/copy.h"
#include "core/history.h"
#include "core/journal.h"
#include "core/session.h"

#include <stdbool.h>
#include <stddef.h>

struct undo_step {
    struct intent intent;
    /* The sole copy of something on a volume where a rename may lose it
     * (ENGINE G3): it is copied, not moved. */
    bool is_copied;
    bool begins_batch;
};

struct undo {
    struct undo_step *items;
    size_t count, capacity;
    struct arena arena;
    int64_t copied_bytes;
};
void undo_release(struct undo *undo);

/*
 * The steps that take `run` back; nothing is changed yet, but the session has
 * begun. ERR_REFUSED with the reason, ERR_INVALID when it did nothing.
 */
err_code undo_build(struct session *session, int64_t run, struct undo *out,
                    struct error *err) MUST_CHECK;

struct undo_failure {
    void *context;
    void (*failed)(void *context, const char *path, err_code code,
                   const char *message);
};
err_code undo_carry_out(struct session *session, struct undo *undo,
                        const struct stop_flag *stop,
                        const struct undo_failure *failure,
                        struct run_counts *counts, struct error *err)
    MUST_CHECK;

#endif
