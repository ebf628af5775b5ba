/*
 * Making a drive and a job known, step by step: the first run. Nothing is
 * written before the last question is answered with yes. The same list of
 * folders says where a restore goes.
 *
 *     model_setup.c         steps, and what is written at the end
 *     model_setup_folders.c the folder that is looked into, here or on the
 *                           drive
 *     model_setup_join.c    a second drive for a job that there is
 *     screen_setup.c        how it looks, and its keys
 */
#ifndef BERTH_UI_SETUP_H
#define BERTH_UI_SETUP_H

#include "core/command.h"
#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>

struct model;
struct event;

enum setup_step {
    SETUP_DRIVE,  /* which volume */
    SETUP_FOLDER, /* what goes on it */
    SETUP_PLACE,  /* where on it */
    SETUP_MODE,
    SETUP_NAMES, /* and the last question */
    SETUP_STEPS,
    /* None of them: where a version is restored to. */
    SETUP_ELSEWHERE = SETUP_STEPS,
};

enum setup_writing { SETUP_NOT_YET, SETUP_VOLUME, SETUP_JOB, SETUP_LOOKING };

/* A directory, and those in it that contain what was typed. */
struct folders {
    char *path; /* absolute; NULL: not known yet */
    struct {
        char **items;
        size_t count, capacity;
    } names;
    char *filter; /* NULL: everything */
    char *error;  /* why it could not be read; NULL */
    bool is_loading;
};

struct setup {
    enum setup_step step;
    size_t cursor;
    int drive, volume; /* of the list of drives, while SETUP_DRIVE: -1 none */
    char *mount_point; /* of the chosen volume; NULL: none yet */
    char *title;       /* what to call it meanwhile */
    char *known_as;    /* by another machine; "" */
    bool is_known;     /* only a job is missing */
    struct folders folders;
    char *home;      /* for "~"; NULL: not told yet */
    char *source;    /* absolute */
    char *directory; /* on the drive, clean, "" is its root */
    enum job_mode mode;
    char **exclude; /* as an rsync had it; NULL: nothing */
    size_t exclude_count;
    char *volume_name, *job_name;
    bool joins; /* the job is there: the drive becomes one more target of it */
    enum setup_writing writing;
    char *error; /* why it could not be written; NULL */
};

/* --- model_setup.c ---------------------------------------------------------
 */

/* The volumes that a job may be made for. */
struct setup_choice {
    size_t drive, volume;
};
/* Returns how many there are; the one at `index` in *out, if it is there. */
size_t setup_choices(const struct model *model, size_t index,
                     struct setup_choice *out);
/* Begins, at the selected drive. */
void model_open_setup(struct model *model);
/* Where to restore the version under the cursor to. */
void model_open_elsewhere(struct model *model);
void setup_release(struct setup *setup);
/* The row under the cursor is meant. */
void model_setup_next(struct model *model);
void model_setup_back(struct model *model);
/* To the folder above; false when there is none. */
bool model_setup_up(struct model *model);
/* Rows of the list that are no folders: what rsync does, and to take the one
 * looked into. */
bool setup_has_folders(const struct setup *setup); /* its step has */
size_t setup_rows_before(const struct model *model);
/* What rsync puts on the chosen volume, while the home directory is shown:
 * the index-th, NULL: none. */
const struct rsync_line *setup_rsync_line(const struct model *model,
                                          size_t index);
/* How many such lines there are for what is mounted there. */
size_t setup_rsync_lines(const struct model *model, const char *mount_point);
/* The folder looked into, below the drive's root. */
const char *setup_place_below(const struct setup *setup);
/* What is offered there: named as the source, or as was typed. free() it. */
char *setup_new_place(const struct setup *setup);
void model_setup_move(struct model *model, long rows);
size_t setup_rows(const struct model *model);
void model_setup_type(struct model *model, uint32_t key);
/* After yes: the volume, then the job, then the first comparison. */
void model_setup_write(struct model *model);
void model_apply_setup(struct model *model, const struct event *event);
/* Goes on to the diff when drives and jobs know of what was written. */
void model_setup_follow(struct model *model);
/* A name for volumes and jobs made of any text. free() it. */
char *setup_name(const struct model *model, const char *text);

/* --- model_setup_join.c ---------------------------------------------------
 */

/* Whether a job has this source already, and not this drive: it is joined. */
void setup_look_for_job(struct model *model);
/* After yes: the drive becomes one of its targets. */
void setup_join_job(struct model *model);

/* --- model_setup_folders.c -------------------------------------------------
 */

void folders_release(struct folders *folders);
/* NULL: the home directory. */
void model_open_folder(struct model *model, const char *path);
void model_apply_folder(struct model *model, const struct event *event);
/* The index-th that the filter lets through; NULL: none. */
const char *folders_at(const struct folders *folders, size_t index);
size_t folders_count(const struct folders *folders);
bool folders_have(const struct folders *folders, const char *name);
/* "~/media" for "/home/me/media". free() it. */
char *setup_short_path(const struct setup *setup, const char *path);

#endif
