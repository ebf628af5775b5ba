/*
 * May we? The rules that hold deletes, refuse sources and count space. Pure:
 * no file, clock or global.
 */
#ifndef BERTH_GUARD_H
#define BERTH_GUARD_H

#include "core/base/error.h"
#include "core/config.h"
#include "core/plan.h"

#include <stdbool.h>
#include <stdint.h>

/* --- G5: the delete cap --- */

/* Deletes are never held below this many files. */
#define GUARD_FEW_DELETES 5
/* Overwrites are held from this many files and this part of the job. */
#define GUARD_MANY_OVERWRITES 100
#define GUARD_OVERWRITE_PERCENT 50

/*
 * Marks deletes (and, if there are too many, overwrites) ACTION_HELD, sets
 * the plan's flags and totals. `approved` is what the user released: the exact
 * number of held files, overwrites included; anything else releases nothing.
 * Returns the number of files that stay held.
 */
int64_t guard_hold(struct plan *plan, const struct config_job *job,
                   int64_t approved);

/* Deletes must wait for another reason (an unclean volume): holds them all. */
int64_t guard_hold_all_deletes(struct plan *plan);

/* --- G4: the source --- */

/*
 * The filesystem a source is on: family, UUID ("" when it cannot be read),
 * what of it is mounted, and what it is mounted from. Not st_dev, which btrfs,
 * LVM and APFS renumber. As one string, for the catalogue and for people.
 */
char *guard_source_identity(const char *family, const char *uuid,
                            const char *subtree, const char *mounted_from);

/* Whether two of these name one filesystem, as far as both know it. */
bool guard_is_same_filesystem(const char *recorded, const char *now);

struct guard_source {
    const char *job;
    const char *path;
    const char *recorded_identity; /* "" before the first sync */
    const char *identity;          /* of the filesystem it is on now */
    bool is_empty;                 /* no entry at all */
    bool has_rows;                 /* the catalogue knows files of the job */
    enum job_mode mode;
};
/* ERR_REFUSED with the reason and what to do. */
err_code guard_check_source(const struct guard_source *source,
                            struct error *err) MUST_CHECK;

/* --- space --- */

/* What the plan's copies take, in whole clusters, versions included. */
int64_t guard_space_needed(const struct plan *plan, int64_t cluster_bytes,
                           bool deletes_by_copy, int64_t sole_copy_limit);

#endif
