/*
 * Carries out the intents of a recorded batch, in order: the only code that
 * changes final names on a volume. Each intent is idempotent: it looks at
 * what is there first, so that recovery can do a whole batch again.
 *
 * Where hard links exist, a file that is replaced gets its version's name
 * first and is then replaced in one step, so its final name is never absent;
 * elsewhere it is absent between two journalled renames (ENGINE G2).
 */
#ifndef BERTH_APPLY_H
#define BERTH_APPLY_H

#include "core/base/error.h"
#include "core/journal.h"
#include "core/session.h"

/*
 * ERR_CHANGED: what is there is not what was expected; nothing was touched.
 * ERR_EXISTS: a directory to be removed is not empty: kept.
 * On another failure what had been moved aside was put back, where possible.
 * On success the record's stamp is what was read back from the volume.
 */
err_code apply_intent(struct session *session, struct intent *intent,
                      struct error *err) MUST_CHECK;

/*
 * The second half of INTENT_UNLINK, after the barrier that made its version
 * durable; nothing is freed between barriers in which clusters are allocated.
 */
err_code apply_unlink(struct session *session, const struct intent *intent,
                      struct error *err) MUST_CHECK;

/* Reads a file of the volume; ERR_CORRUPT when its hash differs. */
err_code apply_check_content(struct session *session, const char *path,
                             const struct hash *hash, struct error *err)
    MUST_CHECK;

#endif
