/*
 * What a path on the command line means: which jobs on which volumes, and
 * where in them. Shared by versions, restore, prune and undo.
 *
 *     "/home/me/media/a"   a source path: all volumes that a job copies it to
 *     "usb:/media/a"       a path on a volume, by whatever job and host
 */
#ifndef BERTH_TASK_PLACES_H
#define BERTH_TASK_PLACES_H

#include "core/lock.h"
#include "core/task.h"
#include "core/traits.h"
#include "core/volume.h"

/* A configured volume that this machine has a catalogue of. */
struct holding {
    const struct config_volume *config;
    struct catalogue *catalogue; /* a reader */
    struct owners owners;
    struct traits traits; /* zero where it was never probed */
    /* After holding_attach: */
    struct volume volume; /* root_fd -1: not attached */
    struct lock lock;
    struct platform_inhibitor *inhibitor;
    bool was_tried;
    err_code attach_code;
    char *attach_message; /* why not; NULL */
};

struct holdings {
    struct holding *items;
    size_t count, capacity;
};
err_code holdings_open(struct task *task, struct holdings *out,
                       struct error *err) MUST_CHECK;
void holdings_release(struct holdings *holdings);

/*
 * Finds the volume and locks it, once; what an interrupted run left there is
 * repaired first where the volume can be written. ERR_NOT_FOUND: not
 * attached; ERR_BUSY. `command` is what others are told.
 */
err_code holding_attach(struct task *task, struct holding *holding,
                        const char *command, struct error *err) MUST_CHECK;

struct place {
    struct holding *holding;
    const struct owner *owner;
    const struct config_job *job; /* NULL: not a job of this host any more */
    char *path;                   /* key path in the job; "": all of it */
    bool names_volume;            /* it was "VOLUME:/PATH" */
    char *named; /* PATH, clean and relative to the volume; else the source
                    path */
};

struct places {
    struct place *items;
    size_t count, capacity;
};
/* ERR_INVALID when the word names nothing that berth knows. */
err_code places_find(struct task *task, struct holdings *holdings,
                     const char *word, struct places *out, struct error *err)
    MUST_CHECK;
void places_release(struct places *places);

#endif
