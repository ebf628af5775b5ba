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

#endif
