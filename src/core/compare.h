/*
 * Source, catalogue and drive, walked in lockstep: makes a plan.
 *
 * A directory at a time, its three sides sorted by key and merged, so that
 * memory grows with the differences and the widest directory, never with the
 * tree. Walkers share a stack of directories; each has a connection of its own
 * to the catalogue. The drive is only read, never written.
 *
 *     compare.c            the walkers and their stack
 *     compare_directory.c  one directory: merge, decide, note the action
 *     compare_renames.c    afterwards: what is gone here and new there
 */
#ifndef BERTH_COMPARE_H
#define BERTH_COMPARE_H

#include "core/base/error.h"
#include "core/base/thread.h"
#include "core/catalogue.h"
#include "core/config.h"
#include "core/journal.h"
#include "core/plan.h"
#include "core/source.h"
#include "core/traits.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Read by anybody while the walk goes on. */
struct compare_progress {
    _Atomic int64_t directories, files, bytes; /* of the source, seen so far */
    _Atomic int64_t hashed_bytes; /* read because a signature was doubtful */
};

/* A directory that is left out wherever it is met: berth's own. */
struct directory_id {
    uint64_t device, inode;
};

struct compare_options {
    const struct config_job *job;
    const struct source *source;
    int drive_fd;             /* the volume's root; -1: quick, drive not read */
    const char *directory;    /* of the job on the volume */
    bool drive_has_directory; /* false: nothing of the job is there yet */
    const char *catalogue_path;  /* NULL: no catalogue yet */
    const struct owner *owner;   /* NULL: this job has no rows yet */
    const struct traits *traits; /* of the volume */
    const struct paths *poisoned;
    const struct directory_id *left_out;
    size_t left_out_count;
    bool can_chown; /* we are root: owners can be given to the drive */
    int64_t now_ns;
    unsigned walkers; /* 1 on a spinning target, else 2 */
    const struct stop_flag *stop;
    struct compare_progress *progress;
};

/*
 * ERR_CANCELLED when stopped; ERR_DENIED, ERR_IO … when a *root* or the
 * catalogue cannot be read. What cannot be read below is in the plan.
 */
err_code compare(const struct compare_options *options, struct plan *out,
                 struct error *err) MUST_CHECK;

#endif
