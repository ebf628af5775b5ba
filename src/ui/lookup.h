/*
 * What is asked of the catalogues, drives attached or not: past runs and what
 * each did, the versions of a file, where a file is, how many copies there
 * are; and what is not as berth left it. Part of the model:
 *
 *     model_lookup.c   asking, and what is told
 *     model_drift.c    what a comparison and a verify found
 *     model_mend.c     what is done about it: undo, restore, verify, prune
 */
#ifndef BERTH_UI_LOOKUP_H
#define BERTH_UI_LOOKUP_H

#include "ui/table.h"

struct model;
struct drive;

struct lookup {
    struct table runs;  /* newest first */
    struct table items; /* of one run */
    bool shows_items;
    struct run run; /* whose they are; `jobs` is not kept */
    char *run_volume, *run_jobs;

    char *subject; /* whose versions: a path here, or VOLUME:/PATH */
    struct table versions;
    const char *marked; /* its row's `volume`, as a name of it; NULL: none */

    struct table lines; /* what differs between two of them */
    char *lines_before, *lines_after;

    char *pattern;   /* what is looked for; NULL: nothing yet */
    bool asks_again; /* it has changed since it was asked */
    struct table found;

    struct table jobs;   /* how many copies their files have */
    struct table copies; /* of one job's files */
    char *copies_job;    /* NULL: the jobs */

    char *drift_drive; /* key; NULL: none was looked at */
    struct table drift;
};

/* What is done about it, one at a time. */
struct mend {
    char *note; /* how it went, in a line; NULL: nothing was done */
    bool is_bad;
    int screen;  /* where it is told */
    char *drive; /* key of the one that is read back; NULL */
    struct progress progress;
    int64_t failures; /* files */
    char *first_failure;
};

void lookup_release(struct lookup *lookup);
void mend_release(struct mend *mend);
/* What is told on the screen that is shown; NULL: nothing. */
const char *model_note(const struct model *model);

/* --- model_lookup.c --------------------------------------------------------
 */

struct event;
void model_open_history(struct model *model);
void model_open_run(struct model *model, const struct table_row *run);
/* `subject`: an absolute path, or VOLUME:/PATH. */
void model_open_versions(struct model *model, const char *subject);
/* Marks the version under the cursor, or unmarks it. */
void model_mark_version(struct model *model);
const struct table_row *model_marked_version(const struct model *model);
/* What differs between it and the marked one, else what is there now. */
void model_open_lines(struct model *model);
void model_open_find(struct model *model);
void model_set_pattern(struct model *model, const char *pattern);
void model_open_copies(struct model *model);
void model_open_copies_of(struct model *model, const char *job);
/* Where a job's file is on this machine, else on the volume. free() it. */
char *model_subject(const struct model *model, const char *job,
                    const char *volume, const char *path);
/* Of the screen that is shown; NULL: it has none. */
const struct table *model_shown_table(const struct model *model);
struct table *model_table(struct model *model);
/* Out of its filter, else of what one of its rows opened, else the screen. */
void model_leave_table(struct model *model);
/* Its cursor is among what is visible; screen_table.c knows how much that is.
 */
void model_fit_table(struct model *model);

/* Events of these roles. */
void model_apply_lookup(struct model *model, int role, struct event *event);
void model_lookup_done(struct model *model, int role,
                       const struct event *event);

/* --- model_drift.c ---------------------------------------------------------
 */

void model_open_drift(struct model *model, const struct drive *drive);
/* The rows anew: a comparison has ended. */
void model_list_drift(struct model *model);
/* How much of a drive is not as it was left, by its last comparison. */
int64_t model_count_drift(const struct model *model, const struct drive *drive);

/* --- model_mend.c ----------------------------------------------------------
 */

/* Part of the files, other ones each time. */
#define VERIFY_SAMPLE 0.05

void model_ask_to_undo(struct model *model);
void model_undo(struct model *model);
void model_ask_to_restore(struct model *model);
/* `to`: a directory, absolute; NULL: where it came from. */
void model_restore(struct model *model, bool replaces, const char *to);
/* VOLUME:/PATH of a copy; free() it. */
char *model_place_of_version(const struct model *model,
                             const struct table_row *row);
/* False, and told: it is on a drive that is away. */
bool model_can_read_version(struct model *model, const struct table_row *row);
void model_ask_to_verify(struct model *model, const struct drive *drive);
void model_verify(struct model *model, const struct drive *drive,
                  double sample);
/* Says what is at work; NULL: nothing that writes or reads for long. */
const char *model_at_work(const struct model *model);
void model_apply_mend(struct model *model, int role, struct event *event);
void model_mend_done(struct model *model, int role, const struct event *event);

#endif
