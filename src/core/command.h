/*
 * What a user interface asks the engine for: values that it builds, posts and
 * forgets. Strings are owned by the command.
 */
#ifndef BERTH_COMMAND_H
#define BERTH_COMMAND_H

#include "core/config.h"
#include "core/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command_kind {
    COMMAND_VOLUME_ADD,
    COMMAND_VOLUME_LIST,
    COMMAND_VOLUME_FORGET,
    COMMAND_JOB_ADD,
    COMMAND_JOB_LIST,
    COMMAND_JOB_REMOVE,
    COMMAND_JOB_CLAIM,
    COMMAND_DIFF,
    COMMAND_SYNC,
    COMMAND_VERIFY,
    COMMAND_HISTORY,
};

enum diff_depth {
    DIFF_DEPTH_AUTO,  /* by the rule for a nightly sync */
    DIFF_DEPTH_QUICK, /* source against catalogue: needs no drive */
    DIFF_DEPTH_FULL,
};

struct command {
    struct queue_link link;
    enum command_kind kind;
    uint64_t id; /* set by engine_post; events carry it */

    /* DIFF, SYNC, VERIFY: names of jobs and volumes, none: all.
     * FORGET, REMOVE, CLAIM: the one name. */
    char **names;
    size_t name_count;

    char *path;                  /* VOLUME_ADD: the volume's root */
    struct config_volume volume; /* VOLUME_ADD: name, role */
    bool is_folder;              /* VOLUME_ADD */
    struct config_job job;       /* JOB_ADD */
    enum diff_depth depth;       /* DIFF, SYNC */
    bool dry_run;                /* SYNC: plan only */
    int64_t approved_deletes;    /* SYNC: 0 for none */
    double sample;               /* VERIFY: part of the files */
    int64_t run;                 /* HISTORY: 0 for the list of runs */
    char *run_volume;            /* HISTORY: of that run; NULL: any */
};

struct command *command_new(enum command_kind kind);
void command_free(struct command *command);
void command_add_name(struct command *command, const char *name);

#endif
