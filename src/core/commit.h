/*
 * What an applied batch means for the catalogue and the history, in one
 * transaction with dropping its record. Only after the barrier that made the
 * batch's renames durable. Engine's task thread only.
 */
#ifndef BERTH_COMMIT_H
#define BERTH_COMMIT_H

#include "core/history.h"
#include "core/journal.h"
#include "core/session.h"

struct batch {
    int64_t id; /* in the journal; 0: not recorded */
    struct intents intents;
    err_code *codes;    /* one per intent, ERR_OK: applied */
    struct arena arena; /* strings of the intents */
};
#define BATCH_INIT                                                             \
    {                                                                          \
        .id = 0                                                                \
    }
void batch_release(struct batch *batch);

/*
 * `counts` grows by what was committed. `owners` are all owners of the volume.
 */
err_code commit_batch(struct session *session, const struct owners *owners,
                      struct batch *batch, struct run_counts *counts,
                      struct error *err) MUST_CHECK;

#endif
