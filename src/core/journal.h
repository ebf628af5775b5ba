/*
 * The write-ahead journal: what berth is about to do to a volume, durable on
 * the internal disk before the first rename, so that a kill, a power cut or a
 * pulled plug at any moment can be repaired by the next run (ENGINE G6).
 *
 * A *session* is the time in which a run may change a volume on one mount. It
 * is OPEN while a batch is between its record and its commit, AT REST when
 * everything so far is behind a barrier and committed, CLOSED after a verified
 * unmount. Found OPEN by the next run on the same attachment: a process was
 * killed. Found OPEN on another: the volume left uncleanly.
 *
 * A *batch* is a list of intents, executed in order. An intent is one change
 * to the volume and what the catalogue will say afterwards; it carries all
 * that recovery needs, so that no plan has to survive.
 *
 * Same database and connection as the catalogue: a commit of a batch is one
 * transaction over both. Engine's task thread only.
 */
#ifndef BERTH_JOURNAL_H
#define BERTH_JOURNAL_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/catalogue.h"
#include "core/record.h"

#include <stdbool.h>
#include <stdint.h>

extern const char journal_schema[];

enum intent_kind {
    /* `from` becomes `to`; what stands at `to` becomes `version` first. */
    INTENT_PLACE = 1,
    /* `from` becomes `version`: a deleted file. */
    INTENT_RETIRE,
    INTENT_MKDIR,  /* `to` */
    INTENT_RMDIR,  /* `from`, only if it is empty */
    INTENT_UNLINK, /* `from`, whose content stands at `version`, flushed */
    INTENT_TOUCH,  /* mode, owner and times of `to` become the record's */
    INTENT_NOTE,   /* the catalogue only: adopted, signed anew, forgotten */
    INTENT_PRUNE,  /* `from`, a version, goes for good */
};

/*
 * Paths `from`, `to` and `version` are relative to the volume's root, in the
 * volume's spelling; `path` and `old_path` are key paths in the job. NULL
 * where there is none. Strings are borrowed.
 */
struct intent {
    enum intent_kind kind;
    int64_t owner;
    const char *path;
    const char *old_path; /* of a rename: this row goes away */
    const char *from, *to, *version;
    enum version_reason reason;
    struct stamp before;  /* at `to` (or `from`, when it retires) beforehand;
                             NO_SIZE: nothing stands there */
    bool forget;          /* the row of `path` goes away: what stands there is
                             not berth's */
    struct record record; /* else it becomes this */
};

/* Whether `from` is a version, which is none any more afterwards. */
bool intent_uses_version(const struct intent *intent);

struct intents {
    struct intent *items;
    size_t count, capacity;
};

enum session_state {
    SESSION_NONE,
    SESSION_OPEN,
    SESSION_AT_REST,
    SESSION_CLOSED
};

struct journal_session {
    int64_t id;
    enum session_state state;
    int64_t run;
    int64_t opened_ns;
    char *boot;       /* boot id */
    char *attachment; /* of this mount of this plugged device */
};
void journal_session_release(struct journal_session *session);

/* The last session of this host on the volume; state NONE when none. */
err_code journal_last_session(struct catalogue *catalogue,
                              struct journal_session *out, struct error *err)
    MUST_CHECK;
err_code journal_open_session(struct catalogue *catalogue, int64_t run,
                              const char *boot, const char *attachment,
                              int64_t *out_id, struct error *err) MUST_CHECK;
err_code journal_set_state(struct catalogue *catalogue, int64_t session,
                           enum session_state state, struct error *err)
    MUST_CHECK;

/*
 * Makes the batch durable and the session OPEN, in one transaction. Returns
 * the batch's id. The first change to the volume comes after this.
 */
err_code journal_record(struct catalogue *catalogue, int64_t session,
                        const struct intents *batch, int64_t *out_batch,
                        struct error *err) MUST_CHECK;

/* The batch that was recorded and not committed; 0 when there is none. */
err_code journal_pending_batch(struct catalogue *catalogue, int64_t *out_batch,
                               struct error *err) MUST_CHECK;
err_code journal_read_batch(struct catalogue *catalogue, int64_t batch,
                            struct arena *arena, struct intents *out,
                            struct error *err) MUST_CHECK;
void intents_release(struct intents *intents);

/*
 * Drops the batch's record. Called inside the transaction that writes its
 * effects to the catalogue, or when recovery has given it up.
 */
err_code journal_forget_batch(struct catalogue *catalogue, int64_t batch,
                              struct error *err) MUST_CHECK;

/*
 * Files whose content a failed barrier has made doubtful (ENGINE G8): they are
 * staged anew from the source, whatever the diff says.
 */
err_code journal_poison(struct catalogue *catalogue, int64_t owner,
                        const char *path, struct error *err) MUST_CHECK;
err_code journal_unpoison(struct catalogue *catalogue, int64_t owner,
                          const char *path, struct error *err) MUST_CHECK;
/*
 * That a barrier failed, until a session has ended with a good one and nothing
 * doubtful left: asking again proves nothing, since a retried flush returns 0
 * after EIO. The volume is DO NOT UNPLUG meanwhile.
 */
err_code journal_note_failed_flush(struct catalogue *catalogue,
                                   struct error *err) MUST_CHECK;
err_code journal_has_failed_flush(struct catalogue *catalogue, bool *out,
                                  struct error *err) MUST_CHECK;
/* Once no file of `host` is doubtful any more; else it stays. */
err_code journal_forgive_flush(struct catalogue *catalogue, const char *host,
                               struct error *err) MUST_CHECK;

struct paths {
    char **items; /* sorted by bytes */
    size_t count, capacity;
};
err_code journal_list_poisoned(struct catalogue *catalogue, int64_t owner,
                               struct paths *out, struct error *err) MUST_CHECK;
void paths_release(struct paths *paths);
bool paths_contain(const struct paths *paths, const char *path);

#endif
