/* Shared by the task_sync*.c files only. */
#ifndef BERTH_TASK_SYNC_H
#define BERTH_TASK_SYNC_H

#include "core/session.h"
#include "core/task.h"

/* One volume while its jobs are synced. */
struct syncing {
    struct task *task;
    const struct config_volume *config;
    struct volume volume;
    struct catalogue *catalogue;
    char *catalogue_path;
    struct session session;
    bool is_open, is_begun;
    char *program, *scratch;
    char *jobs; /* names, for the history */
    struct run_counts counts;
    enum outcome outcome;
};

/*
 * Compares, guards and executes one job, and posts EVENT_JOB_SYNCED. True when
 * the volume's other jobs may still be tried.
 */
bool sync_run_job(struct syncing *syncing, const struct pair *pair);

/*
 * Prunes by the jobs' rules, and posts EVENT_PRUNED where something went.
 * Nothing goes while anything is held; `held` is of a job that is not counted
 * yet.
 */
err_code sync_prune(struct syncing *syncing, int64_t held, struct error *err)
    MUST_CHECK;
/* The same before a job that does not fit. */
err_code sync_make_room(struct syncing *syncing, int64_t needed_bytes,
                        int64_t held, struct error *err) MUST_CHECK;

#endif
