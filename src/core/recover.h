/*
 * What to do about a batch that was recorded and never committed, before
 * anything else is done to the volume (ENGINE, "Recovery"). Called by
 * session_open with the lock held.
 */
#ifndef BERTH_RECOVER_H
#define BERTH_RECOVER_H

#include "core/base/error.h"

struct session;

/*
 * The process was killed, or the filesystem has a journal: what is there is a
 * prefix of what was to be done. Do the rest, barrier, commit.
 */
err_code recover_redo(struct session *session, struct error *err) MUST_CHECK;

/*
 * The volume was left uncleanly and has no journal: its directories may be
 * torn. Only reads: what proves to be in place by its hash is committed,
 * everything else is left to the full diff that follows.
 */
err_code recover_doubtful(struct session *session, struct error *err)
    MUST_CHECK;

/* Another host wrote meanwhile: our intents mean nothing any more. */
err_code recover_drop(struct session *session, struct error *err) MUST_CHECK;

#endif
