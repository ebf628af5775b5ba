/*
 * News from the engine: values that it posts and forgets. Whoever takes one
 * frees it. Strings are owned by the event, never NULL where the comment of
 * their kind names them.
 *
 * Progress is coalesced, ten a second at most; other events are never dropped.
 * The last event of a command is EVENT_DONE.
 */
#ifndef BERTH_EVENT_H
#define BERTH_EVENT_H

#include "core/config.h"
#include "core/drive.h"
#include "core/eject.h"
#include "core/history.h"
#include "core/outcome.h"
#include "core/plan.h"
#include "core/queue.h"
#include "core/restore.h"

#include <stdbool.h>
#include <stdint.h>

enum event_kind {
    EVENT_PROGRESS,
    EVENT_MESSAGE, /* text: for the user, does not end anything */
    EVENT_VOLUME,
    EVENT_JOB,
    EVENT_PLAN,        /* a diff of one job and target */
    EVENT_FILE_FAILED, /* did not arrive: job, path, text */
    EVENT_FINDING,     /* of a verify: job, path, text */
    EVENT_JOB_SYNCED,
    EVENT_VERIFIED,
    EVENT_RUN,
    EVENT_RUN_ITEM,
    EVENT_VERSION,      /* volume, job, path; text: on the volume */
    EVENT_RESTORED,     /* one file: volume, job, path; text: where it is now */
    EVENT_RESTORE_DONE, /* what was restored in all */
    EVENT_PRUNED,       /* volume */
    EVENT_UNDONE,       /* volume, run; text: number of what was taken back */
    EVENT_DRIVES,       /* all of them, anew */
    EVENT_EJECT,        /* a step, a holder list, or the verdict */
    EVENT_PULLED,       /* a drive left while it was written: volume, text */
    EVENT_DONE,         /* outcome; text when it ended with an error */
};

enum progress_phase {
    PHASE_SCANNING,  /* files and bytes: seen so far; totals 0 */
    PHASE_COPYING,   /* durable, written and total */
    PHASE_VERIFYING, /* done and total */
};

struct progress {
    enum progress_phase phase;
    int64_t files_done, files_total;
    int64_t bytes_done, bytes_total; /* done: durable on the drive */
    int64_t bytes_written;           /* perhaps not durable yet */
    int64_t files_failed;
    int64_t elapsed_ns;
};

struct volume_info {
    char id[VOLUME_ID_HEX_LENGTH + 1];
    enum volume_role role;
    bool is_folder, is_attached;
    char *mount_point, *family; /* NULL when not attached */
    char *problem;              /* why it cannot be used; NULL: none */
    int64_t total_bytes, free_bytes;
};

struct job_info {
    char *source;
    enum job_mode mode;
    char *target; /* "hdd:/media" */
    int64_t last_sync_ns;
};

struct sync_info {
    struct run_counts counts;
    struct plan_totals totals;
    int64_t run;
    int64_t held, conflicts, too_young, unreadable;
    bool was_full; /* the drive's directories were read */
    enum outcome outcome;
    int64_t duration_ns;
};

struct verify_info {
    int64_t verified, compared, adopted, skipped;
    int64_t rotten, drifted, missing, unreadable;
    int64_t bytes, duration_ns;
};

/* A copy of a file: what stands on the drive now, or a version. */
struct version_info {
    bool is_present;
    enum version_reason reason; /* why it had to go */
    int64_t run, created_ns;    /* in which run it became a version, and when */
    int64_t size_bytes;         /* NO_SIZE: not known, it was not berth's */
    int64_t mtime_ns, committed_ns, verified_ns;
};

struct restore_info {
    enum restore_how how; /* EVENT_RESTORED */
    bool is_older;        /* what was asked for could not be read */
    int64_t files, bytes, same, beside, kept, failed, refused; /* _DONE */
};

struct prune_info {
    int64_t files, bytes;           /* pruned, or with --dry-run would be */
    int64_t left_files, left_bytes; /* kept by their rule */
    int64_t unruled_files;          /* not of the jobs that were asked for */
    int64_t free_bytes;             /* afterwards; -1: the drive is away */
    bool is_dry_run;
};

struct eject_info {
    enum eject_step step;    /* under way; DONE: verdict */
    bool is_waiting;         /* busy: holders say for whom; goes on when free */
    char *drive;             /* title */
    char *detail;            /* of the step: the volume's name; "" */
    int64_t unwritten_bytes; /* while flushing; -1: not known */
    bool unwritten_is_global; /* of the whole machine, not of this drive */
    struct platform_holders holders;
    struct eject_proof proof;
    struct eject_judgement judgement;
    bool is_practice;
    /* What is not on the drive although it is safe: counts of its jobs. */
    int64_t failed, too_young, held;
    int64_t time_ns;
};

struct event {
    struct queue_link link;
    enum event_kind kind;
    uint64_t command; /* id of the command that it belongs to */
    char *job;        /* NULL where it does not apply, as the next three */
    char *volume;
    char *path;
    char *text;
    err_code code; /* of a failure */
    enum outcome outcome;
    struct progress progress;
    struct volume_info volume_info;
    struct job_info job_info;
    struct plan plan;    /* EVENT_PLAN: may be taken out */
    int64_t duration_ns; /* EVENT_PLAN: of the comparison */
    struct sync_info sync;
    struct drives drives;    /* EVENT_DRIVES: may be taken out */
    struct eject_info eject; /* EVENT_EJECT */
    struct verify_info verify;
    struct version_info version;
    struct restore_info restore;
    struct prune_info prune;
    struct run run;       /* EVENT_RUN: `jobs` is in `text` */
    struct run_item item; /* EVENT_RUN_ITEM: strings are in job, path, text */
};

struct event *event_new(enum event_kind kind, uint64_t command);
void event_free(struct event *event);

#endif
