/*
 * Shared by the task_restore*.c files only.
 *
 *     task_restore.c       words into places, places into rows and versions
 *     task_restore_file.c  one file: from the copy that was asked for, else
 *                          from another
 *     task_restore_newer.c what a volume that is away has otherwise
 */
#ifndef BERTH_TASK_RESTORE_H
#define BERTH_TASK_RESTORE_H

#include "core/restore.h"
#include "core/task_places.h"

struct restoring {
    struct task *task;
    struct holdings holdings;
    struct destination destination;
    bool has_destination;
    const struct place *place; /* at work */
    const char *prefix;        /* path of the destination's root */
    const char *head;          /* goes before the raw path, and of that */
    size_t cut;                /* so many components are left out */
    int64_t at_ns;             /* INT64_MAX: now */
    bool tells_each;           /* one file was named */
    /* Raw spelling of a directory in the job: the last one that was asked. */
    char *directory, *raw_directory;
    /* Made when all files are there, directories last. */
    struct arena arena;
    struct later {
        struct {
            char *to;
            const char *path;
            struct record record;
        } * items;
        size_t count, capacity;
    } symlinks, directories;
    struct restore_info counts;
    enum outcome outcome;
    struct error away; /* of what was asked for last, and is not attached */
};

/* A copy of what has `path` in the job. */
struct restore_choice {
    const char *path; /* key path in the job */
    const struct holding *holding;
    const char *drive_path;      /* below the volume's root */
    const struct record *record; /* NULL: not written by berth */
    bool is_hashed;
};

bool restoring_trusts(const struct restoring *restoring,
                      const struct record *record);

/* Beneath the destination; free() it. ERR_CORRUPT: no name for a file. */
err_code restoring_place_of(struct restoring *restoring, const char *path,
                            const struct record *record, char **out,
                            struct error *err) MUST_CHECK;

/*
 * Tells and counts the outcome. An error ends the restore: space, the stop,
 * the drive gone.
 */
err_code restoring_give_back(struct restoring *restoring,
                             const struct restore_choice *choice,
                             struct error *err) MUST_CHECK;
void restoring_tell(struct restoring *restoring, const char *path,
                    const struct restore_answer *answer, bool is_older);
/* One that did not come back. */
void restoring_tell_failure(struct restoring *restoring, const char *path,
                            err_code code, const char *message);
bool restoring_ends(err_code code);

/*
 * places[given] was restored. Says which of those before it, that are away,
 * were synced later and hold something else: that counts as absent.
 */
err_code restoring_tell_newer(struct restoring *restoring,
                              const struct place *places, size_t given,
                              struct error *err) MUST_CHECK;
/* `err` says why what it has of this cannot be reached, if that is so. */
void restoring_is_away(const struct place *place, struct error *err);

#endif
