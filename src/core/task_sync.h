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
    struct platform_inhibitor *inhibitor;
    bool is_open, is_begun;
    bool moves;           /* a job in the mode "move" is among them */
    bool device_is_fresh; /* nothing was written to it since it was plugged in
                           */
    char *program, *scratch;
    char *jobs;     /* names, for the history */
    char *no_space; /* the words for a file that did not fit, once said */
    struct run_counts counts;
    enum outcome outcome;
};

/*
 * Compares, guards and executes one job, and posts EVENT_JOB_SYNCED. True when
 * the volume's other jobs may still be tried.
 */
bool sync_run_job(struct syncing *syncing, const struct pair *pair);

/* One job while it is synced to one volume. */
struct job_run {
    struct syncing *syncing;
    const struct pair *pair;
    struct prepared prepared;
    struct plan plan;
    bool is_reviewed; /* deletes were approved on the screen */
    struct sync_info info;
};

/* Opens the session for writing, unless it is. */
err_code sync_begin(struct job_run *run, struct error *err) MUST_CHECK;
/* Executes a plan of the job, its files read from `source`. */
err_code sync_execute(struct job_run *run, const struct plan *plan,
                      const struct source *source, struct run_counts *counts,
                      struct error *err) MUST_CHECK;
/* What the plan copied is read back, where the job asks for it. */
err_code sync_read_back(struct job_run *run, const struct plan *plan,
                        struct error *err) MUST_CHECK;

/* Says which files and directories of the source could not be read, and why. */
void sync_tell_unread(struct job_run *run);

/*
 * task_sync_loss.c: what was offloaded to this volume and is not there as
 * recorded any more: named, counted, and copied back from another target of
 * the job that is attached and has it.
 */
err_code sync_handle_losses(struct job_run *run, struct error *err) MUST_CHECK;

/*
 * task_sync_heal.c, of `verify --heal`: reads the files of the source that are
 * as they were when they were copied; one whose content is not is named, and
 * never written. And leaves in a plan only what is rotten or lost on the drive.
 */
err_code sync_read_sources(struct job_run *run, struct error *err) MUST_CHECK;
void sync_keep_rotten(struct plan *plan);

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
