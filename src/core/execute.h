/*
 * Executes a plan on a volume: batches of staged copies, each with barrier,
 * record, renames, barrier, commit (ENGINE, "Committing").
 *
 *     execute.c        the batches, one after the other
 *     execute_build.c  steps of a batch into intents
 *     execute_report.c files that did not arrive
 *
 * Runs on the engine's task thread; workers copy.
 */
#ifndef BERTH_EXECUTE_H
#define BERTH_EXECUTE_H

#include "core/base/error.h"
#include "core/base/thread.h"
#include "core/config.h"
#include "core/history.h"
#include "core/plan.h"
#include "core/session.h"
#include "core/source.h"

#include <stdatomic.h>
#include <stdint.h>

/* Up to this size a sole copy goes into the versions by copy, where a rename
 * might lose it (ENGINE G3). */
#define SOLE_COPY_LIMIT_BYTES ((int64_t)64 * 1024 * 1024)

/* Read by anybody while the run goes on. */
struct run_progress {
    _Atomic int64_t files_total, bytes_total;
    _Atomic int64_t files_durable, bytes_durable; /* committed */
    _Atomic int64_t bytes_written; /* staged, perhaps not flushed yet */
    _Atomic int64_t files_failed;
};

/* Somebody who wants to hear of each file that did not arrive. Called on the
 * task thread; must not block. */
struct run_listener {
    void *context;
    void (*failed)(void *context, const char *job, const char *path,
                   err_code code, const char *message);
};

struct execute_options {
    struct session *session; /* open */
    const struct config_job *job;
    const struct owner *owner;
    const struct plan *plan;
    const struct source *source;
    const char *directory; /* of the job on the volume */
    const char *program;   /* platform_own_program() */
    const char *scratch;   /* directory on the internal disk */
    unsigned workers;
    int64_t bandwidth; /* bytes a second; 0: no limit */
    bool is_spinning;  /* the volume's disk: seeks are dear */
    const struct stop_flag *stop;
    struct run_progress *progress;
    struct current *current; /* the file it is at; NULL: nobody looks */
    const struct run_listener *listener;
};

/*
 * ERR_OK also when single files failed: they are in counts->failed and went
 * to the listener. ERR_CANCELLED: stopped, what was staged whole is committed.
 * ERR_NO_SPACE: what fitted is committed. ERR_DEVICE_GONE, ERR_IO: the volume
 * must not be unplugged as safe; what a failed barrier left doubtful is noted
 * in the journal.
 */
err_code execute_plan(const struct execute_options *options,
                      struct run_counts *counts, struct error *err) MUST_CHECK;

#endif
