/*
 * Telling the volume what its rows say, so that the drive alone is enough
 * (ENGINE G12). Each host keeps a log of its own in `.berth/commits/`:
 *
 *     HOST-SEQUENCE-GENERATION.commit   one batch, written after its renames
 *                                       and covered by the barrier behind them
 *     HOST-SEQUENCE-GENERATION.replica  everything, when the commit files
 *                                       since the last one outgrow it
 *
 * No host writes or removes a file of another's, so any number of them can
 * feed one drive, in any order, yanked or not. A file is never replaced: the
 * new replica has a name of its own, and what it supersedes is removed behind
 * the barrier that made it durable.
 *
 * Engine's task thread only, with the session's lock.
 */
#ifndef BERTH_REPLICA_H
#define BERTH_REPLICA_H

#include "core/base/error.h"
#include "core/commit.h"
#include "core/session.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * After the batch was applied, before the barrier behind its renames. Full
 * volume: the batch stays untold, and a replica is due.
 */
err_code replica_tell_batch(struct session *session,
                            const struct owners *owners, struct batch *batch,
                            struct error *err) MUST_CHECK;
/* In the transaction that commits the batch. */
err_code replica_note_batch(struct session *session, const struct batch *batch,
                            struct error *err) MUST_CHECK;

/*
 * At the end of a session: writes a replica where one is due or pays, and
 * removes what it supersedes. Its barriers are its own.
 */
err_code replica_write_if_due(struct session *session, struct error *err)
    MUST_CHECK;

#endif
