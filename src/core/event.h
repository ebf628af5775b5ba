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
#include "core/crons.h"
#include "core/drive.h"
#include "core/eject.h"
#include "core/history.h"
#include "core/leftovers.h"
#include "core/lines.h"
#include "core/nights.h"
#include "core/offload.h"
#include "core/outcome.h"
#include "core/plan.h"
#include "core/queue.h"
#include "core/restore.h"

#include <stdbool.h>
#include <stdint.h>

enum event_kind {
    EVENT_PROGRESS, /* path: the file it is at; NULL while scanning */
    EVENT_MESSAGE,  /* text: for the user, does not end anything */
    EVENT_VOLUME,
    EVENT_JOB,
    EVENT_PLAN,        /* a diff of one job and target */
    EVENT_FILE_FAILED, /* did not arrive: job, path, text, is_repeated */
    EVENT_FINDING,     /* of a verify: job, path, text; job NULL: of a volume
                          that no job writes to */
    EVENT_JOB_SYNCED,
    EVENT_VERIFIED,
    EVENT_CONTENTS, /* volume, contents: of a read-only one, as accepted now */
    EVENT_RUN,
    EVENT_RUN_ITEM,
    EVENT_VERSION,      /* volume, job, path; text: on the volume */
    EVENT_RESTORED,     /* one file: volume, job, path; text: where it is now */
    EVENT_RESTORE_DONE, /* what was restored in all */
    EVENT_PRUNED,       /* volume */
    EVENT_UNDONE,       /* volume, run; text: number of what was taken back */
    EVENT_DRIVES,       /* all of them, anew */
    EVENT_EJECT,        /* a step, a holder list, or the verdict */
    EVENT_PULLED,     /* a drive left while it was written: volume, in_flight */
    EVENT_TIDY_FILE,  /* one file of a job in the mode `move`: job, path, volume
                         (whose copy lacks something; NULL), text, tidy.reason,
                         tidy.bytes, tidy.counted, tidy.until_ns */
    EVENT_TIDIED,     /* a job: tidy */
    EVENT_COPY,       /* one copy of one file: job, volume, path, copy */
    EVENT_COPIES,     /* a job: copies */
    EVENT_FOUND,      /* volume, job, path on the volume, found */
    EVENT_SCHEDULE,   /* one time: text: "02:00", job: its jobs, path: by what,
                         schedule */
    EVENT_CHECK,      /* path: topic, text, check */
    EVENT_SUGGESTION, /* text: a command line, path: why */
    EVENT_FOLDER,     /* in `path`, absolute: text, its name; first of all one
                         without a name */
    EVENT_SETTING,    /* volume or job; path: key, text: value; setting */
    EVENT_LINE,       /* text: of a file, cut where it is very long; line */
    EVENT_RSYNC_LINE, /* rsync; may be taken out */
    EVENT_DONE,       /* outcome; text when it ended with an error */
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
    char *target;         /* "hdd:/media" */
    int64_t last_sync_ns; /* 0: never */
    int64_t stale_after_ns;
    bool is_unknown; /* the catalogue that would tell cannot be read */
};

struct sync_info {
    struct run_counts counts;
    struct plan_totals totals;
    int64_t run;
    int64_t held, conflicts, too_young, unreadable;
    int64_t lost; /* offloaded, and not on the drive any more; `given_back` of
                     them were copied from another target */
    int64_t given_back;
    int64_t sources_read;   /* `verify --heal`: and are as recorded, or */
    int64_t sources_rotten; /* are not, or could not be read */
    bool was_full;          /* the drive's directories were read */
    enum outcome outcome;
    int64_t duration_ns;
};

struct verify_info {
    int64_t verified, compared, adopted, skipped;
    int64_t rotten, drifted, missing, unreadable;
    int64_t bytes, duration_ns;
};

struct contents_info {
    int64_t files;                /* that are there now */
    int64_t added, changed, gone; /* since the last time */
    int64_t failed;               /* could not be read */
    int64_t bytes, duration_ns;   /* read */
};

struct tidy_info {
    bool is_dry;                       /* nothing was removed: what would be */
    int64_t files, bytes, directories; /* removed */
    int64_t waiting[OFFLOAD_REASON_COUNT]; /* files that stay, by reason */
    /* of one file */
    enum offload_reason reason; /* OFFLOAD_READY: removed */
    int counted;                /* copies that count */
    int64_t until_ns;           /* OFFLOAD_KEEP_LOCAL */
};

/* One copy, on one target of a job. */
struct copy_info {
    bool is_there;     /* false: no copy; the rest is meaningless */
    bool is_current;   /* the source as it is now, or is offloaded */
    bool is_offloaded; /* the source was removed by `move` */
    bool is_adopted, is_compared;
    int64_t size_bytes, committed_ns;
    int64_t verified_ns; /* read back from the device; 0: never */
};
/* How many copies the files of a job have. */
#define COPIES_MOST 4
struct copies_info {
    int64_t files[COPIES_MOST + 1]; /* by copies; the last: that or more */
    int64_t offloaded, unproven;    /* of them: no copy proved to be readable */
};

enum found_state { FOUND_PRESENT, FOUND_OFFLOADED, FOUND_VERSION };
struct found_info {
    enum found_state state;
    int64_t size_bytes, mtime_ns;
    int64_t replaced_ns; /* of a version: when it was superseded or deleted */
    bool is_ours;        /* this host's job */
};

/* A copy of a file: what stands on the drive now, or a version. */
struct version_info {
    bool is_present;
    bool is_missing;            /* looked for on the drive, and not there */
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
    struct leftovers left; /* of DONE; no jobs: not asked for */
    int64_t time_ns;
};
void eject_info_release(struct eject_info *info);

struct schedule_info {
    bool is_installed, is_current;
    bool is_idle;                /* installed, but nothing runs it */
    int lingers;                 /* platform_schedule.h */
    int64_t next_ns;             /* 0: not known, or with the next plug */
    int64_t overdue, overdue_ns; /* runs that did not happen; since when */
    struct night_record record;
};

enum check_level { CHECK_FINE, CHECK_NOTE, CHECK_FINDING };
struct check_info {
    enum check_level level;
    char *remedy; /* NULL: none */
};

/* Of a comparison of two texts (lines.h). */
struct line_info {
    enum line_kind kind;
    int64_t before, after, count;
};

struct setting_info {
    char *hint; /* what may stand there */
    bool is_default, is_fixed;
};

struct event {
    struct queue_link link;
    enum event_kind kind;
    uint64_t command; /* id of the command that it belongs to */
    char *job;        /* NULL where it does not apply, as the next three */
    char *volume;
    char *path;
    char *text;
    err_code code;    /* of a failure */
    bool is_repeated; /* EVENT_FILE_FAILED: there is no space for it, as for one
                         of this volume before; EVENT_JOB_SYNCED sums up.
                         EVENT_PLAN: its volume's trouble was told already */
    enum outcome outcome;
    struct progress progress;
    struct volume_info volume_info;
    struct job_info job_info;
    int64_t in_flight;   /* EVENT_PULLED: files that had not arrived */
    struct plan plan;    /* EVENT_PLAN: may be taken out */
    int64_t duration_ns; /* EVENT_PLAN: of the comparison */
    struct sync_info sync;
    struct drives drives;    /* EVENT_DRIVES: may be taken out */
    struct eject_info eject; /* EVENT_EJECT */
    struct verify_info verify;
    struct contents_info contents;
    struct tidy_info tidy;
    struct copy_info copy;
    struct copies_info copies;
    struct found_info found;
    struct version_info version;
    struct restore_info restore;
    struct prune_info prune;
    struct schedule_info schedule;
    struct check_info check;
    struct setting_info setting;
    struct line_info line;
    struct rsync_line rsync;
    struct run run;       /* EVENT_RUN: `jobs` is in `text` */
    struct run_item item; /* EVENT_RUN_ITEM: strings are in job, path, text */
};

struct event *event_new(enum event_kind kind, uint64_t command);
void event_free(struct event *event);

#endif
