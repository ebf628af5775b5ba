/*
 * What a user interface asks the engine for: values that it builds, posts and
 * forgets. Strings are owned by the command.
 */
#ifndef BERTH_COMMAND_H
#define BERTH_COMMAND_H

#include "core/config.h"
#include "core/plan.h"
#include "core/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command_kind {
    COMMAND_VOLUME_ADD,
    COMMAND_VOLUME_LIST,
    COMMAND_VOLUME_FORGET,
    COMMAND_VOLUME_REFRESH, /* names of read-only volumes */
    COMMAND_JOB_ADD,
    COMMAND_JOB_LIST,
    COMMAND_JOB_REMOVE,
    COMMAND_JOB_CLAIM,
    COMMAND_EXCLUDE, /* path: a pattern, into a job's `exclude`; take_back: out
                        of it */
    COMMAND_DIFF,
    COMMAND_SYNC,
    COMMAND_VERIFY,
    COMMAND_HISTORY,
    COMMAND_VERSIONS,
    COMMAND_RESTORE,
    COMMAND_PRUNE,
    COMMAND_UNDO,
    COMMAND_WATCH,  /* EVENT_DRIVES now and whenever they change, until stopped
                     */
    COMMAND_RESCAN, /* look again, health included; compare_first: and at the
                       sources, for what is not on each volume */
    COMMAND_MOUNT,
    COMMAND_EJECT,
    COMMAND_TIDY,   /* what `move` may remove locally: names, dry_run */
    COMMAND_COPIES, /* path: a source's, absolute; NULL: all jobs */
    COMMAND_FIND,   /* path: a pattern (filter.h) */
    COMMAND_SCHEDULE_INSTALL,
    COMMAND_SCHEDULE_REMOVE,
    COMMAND_SCHEDULE_SHOW,
    COMMAND_DOCTOR,
    COMMAND_INIT,        /* dry_run: say only; names: of what it would say,
                            what is not to be done */
    COMMAND_ASK_TO_QUIT, /* a holder: SIGTERM to a program of the user's */
    COMMAND_SETTINGS,    /* every setting of every volume and job */
    COMMAND_SET,         /* name, key, value */
    COMMAND_FOLDERS,     /* path: a directory, absolute; NULL: the home */
    COMMAND_LINES, /* what differs between two texts: names[0] as of at_ns,
                      names[1] as of other_at_ns: VOLUME:/PATH, or an
                      absolute path here */
    COMMAND_RSYNC_LINES, /* what rsync does by cron */
    COMMAND_SILENCE,     /* value: such a line, made a comment */
};

enum diff_depth {
    DIFF_DEPTH_AUTO,  /* by the rule for a nightly sync */
    DIFF_DEPTH_QUICK, /* source against catalogue: needs no drive */
    DIFF_DEPTH_FULL,
};

struct reviewed_plan {
    char *job, *volume;
    struct plan plan;
};

struct command {
    struct queue_link link;
    enum command_kind kind;
    uint64_t id; /* set by engine_post; events carry it */

    /* DIFF, SYNC, VERIFY, PRUNE: names of jobs and volumes, none: all.
     * VERSIONS, RESTORE: absolute paths, or VOLUME:/PATH.
     * FORGET, REFRESH, REMOVE, CLAIM, MOUNT, EXCLUDE: the one name. EJECT: a
     * volume's name, a device, a model. */
    char **names;
    size_t name_count;

    char *path;                  /* VOLUME_ADD: the volume's root; COPIES,
                                    FIND, FOLDERS */
    struct config_volume volume; /* VOLUME_ADD: name, role */
    bool is_folder;              /* VOLUME_ADD */
    struct config_job job;       /* JOB_ADD */
    bool claim; /* JOB_ADD: targets that are another machine's, too */
    enum diff_depth depth; /* DIFF, SYNC */
    bool dry_run;          /* SYNC, TIDY, PRUNE: say only */
    bool eject_after;      /* SYNC: the drives that it wrote to */
    bool mounts;           /* SYNC: also what is attached and not mounted */
    /*
     * SYNC: exactly these plans, as they were shown; what changed meanwhile
     * on the drive's side drops out. NULL: made anew.
     */
    struct reviewed_plan *reviewed;
    size_t reviewed_count;
    bool wait_while_busy;     /* EJECT: until it is free or stopped: a screen */
    bool compare_first;       /* EJECT, eject_after: to say what is not on it;
                                 true unless changed, of RESCAN false */
    int64_t pid;              /* ASK_TO_QUIT */
    int64_t approved_deletes; /* SYNC: 0 for none */
    char *scheduled;          /* SYNC: "02:00": by a timer (nights.h); NULL */
    double sample;            /* VERIFY: part of the files */
    bool heals;               /* VERIFY: also reads the sources, and makes
                                 rotten copies anew from what is good */
    int64_t run;              /* HISTORY: 0: the list; UNDO: 0: the last */
    char *run_volume;         /* HISTORY, UNDO: of that run; NULL: any */
    char *at;                 /* RESTORE: as of then (moment.h); NULL: now */
    int64_t at_ns;       /* RESTORE: exactly then; 0: as `at` says; LINES */
    int64_t other_at_ns; /* LINES; 0: now */
    char *to;            /* RESTORE: absolute; NULL: where it came from */
    bool replace, trust; /* RESTORE */
    char *key, *value;   /* SET */
    bool take_back;      /* EXCLUDE */
    int64_t free_bytes;  /* PRUNE: until so much is free; 0: by rule */
};

struct command *command_new(enum command_kind kind);
void command_free(struct command *command);
/* Takes the plan out of `plan`, which is empty afterwards. */
void command_add_plan(struct command *command, const char *job,
                      const char *volume, struct plan *plan_taking);
void command_add_name(struct command *command, const char *name);

#endif
