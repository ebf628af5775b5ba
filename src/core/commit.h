/*
 * What an applied batch means for the catalogue and the history, in one
 * transaction with dropping its record. Only after the barrier that made the
 * batch's renames durable. Engine's task thread only.
 */
#ifndef BERTH_COMMIT_H
#define BERTH_COMMIT_H

#include "core/commit_file.h"
#include "core/history.h"
#include "core/journal.h"
#include "core/session.h"

struct batch {
    int64_t id; /* in the journal; 0: not recorded */
    struct intents intents;
    err_code *codes;      /* one per intent, ERR_OK: applied */
    struct arena arena;   /* strings of the intents */
    int64_t committed_ns; /* 0: not prepared */
    bool keeps_poison;    /* see commit_when */
    /* The commit file that tells the volume of it (replica.h). */
    struct {
        int64_t sequence; /* 0: none */
        char generation[GENERATION_LENGTH + 1];
        int64_t bytes;
    } told;
};
#define BATCH_INIT                                                             \
    {                                                                          \
        .id = 0                                                                \
    }
void batch_release(struct batch *batch);

/*
 * Once all is applied: a version that was never made is none. From here on
 * the intents say what commit_change will make of them, here and wherever the
 * commit file is read.
 */
err_code commit_prepare(struct session *session, struct batch *batch,
                        struct error *err) MUST_CHECK;

/* What one applied intent of a run means for the catalogue. */
struct commit_when {
    int64_t run;
    int64_t now_ns;
    bool keeps_poison; /* not staged since the flush failed: still doubtful */
};
err_code commit_change(struct catalogue *catalogue, struct commit_when when,
                       const struct owner *owner, const struct intent *intent,
                       struct error *err) MUST_CHECK;

/*
 * `counts` grows by what was committed. `owners` are all owners of the volume.
 */
err_code commit_batch(struct session *session, const struct owners *owners,
                      struct batch *batch, struct run_counts *counts,
                      struct error *err) MUST_CHECK;

#endif
