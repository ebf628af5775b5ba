/*
 * Whose target is it? Targets of all jobs on a volume, from any host, are
 * disjoint and not nested (ENGINE G13); of two hosts that name the same
 * directory, the one with more claims has it. Jobs of this host are the
 * configuration's matter. Engine's task thread only.
 */
#ifndef BERTH_CLAIM_H
#define BERTH_CLAIM_H

#include "core/base/error.h"
#include "core/catalogue.h"
#include "core/config.h"

#include <stdbool.h>

/* ERR_REFUSED: the target meets another host's; it is named. */
err_code claim_check(struct catalogue *catalogue, const char *host,
                     const char *job, const char *directory, struct error *err)
    MUST_CHECK;

/*
 * Takes the directory over from the hosts that have it, with all rows and
 * versions, as rows that this host's source has not confirmed yet
 * (RECORD_CLAIMED): nothing is copied twice, deleted or rolled back for them.
 * One transaction; the replica is due. ERR_REFUSED when the directories only
 * overlap.
 */
err_code claim_take(struct catalogue *catalogue, const char *host,
                    const char *job, const char *directory, bool *out_taken,
                    struct error *err) MUST_CHECK;

/*
 * A job of this host that the configuration does not know any more had the
 * directory: it has another name now. Its rows, as unconfirmed ones, and its
 * versions become this job's; where this job has rows of its own, only the
 * versions, which no rule would prune else. One transaction; the replica is
 * due. *out_old is its name (free() it), NULL when there is none.
 */
err_code claim_renamed(struct catalogue *catalogue, const struct config *config,
                       const char *host, const char *job, const char *directory,
                       char **out_old, struct error *err) MUST_CHECK;

/*
 * What a drive said of this host's own jobs, after the catalogue had lost it:
 * rows that nothing here confirms any more, as if taken over. Part of the
 * caller's transaction; the replica is due.
 */
err_code claim_own(struct catalogue *catalogue, const char *host,
                   struct error *err) MUST_CHECK;

#endif
