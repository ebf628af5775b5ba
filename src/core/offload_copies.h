/*
 * What is known of the volumes that a job's copies stand on: those that are
 * attached are looked at and locked meanwhile, of those that are away the
 * catalogues tell. The engine's task thread only.
 */
#ifndef BERTH_OFFLOAD_COPIES_H
#define BERTH_OFFLOAD_COPIES_H

#include "core/copies.h"
#include "core/drive.h"
#include "core/journal.h"
#include "core/lock.h"
#include "core/offload.h"
#include "core/task.h"
#include "core/traits.h"
#include "core/volume.h"

/* One target of the job. */
struct offload_target {
    struct pair pair;
    struct catalogue *catalogue; /* NULL: never synced to */
    struct owner owner;
    struct volume volume; /* root_fd -1: away */
    struct lock lock;
    struct traits traits;
    struct paths poisoned;
    enum offload_reason state; /* what the volume lacks, or OFFLOAD_READY */
    int64_t replica_ns;        /* see offload_replica_until */
    int64_t last_run_ns;
};
struct offload_targets {
    struct offload_target *items;
    struct copies_side *sides; /* the same, for copies_walk */
    size_t count;
    int64_t last_run_ns; /* on any of them */
};

/*
 * `drives`: with their health. ERR_BUSY when another process writes to one of
 * them. Attached volumes stay locked until offload_targets_release.
 */
err_code offload_targets_open(struct task *task, const struct config_job *job,
                              const struct drives *drives,
                              struct offload_targets *out, struct error *err)
    MUST_CHECK;
void offload_targets_release(struct offload_targets *targets);

/* One file's copy on a target. `look`: also at the drive, when it is attached.
 */
struct offload_copy offload_copy_on(const struct offload_target *target,
                                    const char *path, const char *drive_path,
                                    const struct record *row, bool look);

/*
 * "The replica holding its metadata is flushed and read back": rows that were
 * committed up to this time are in such a replica on the volume; 0: there is
 * none. Whoever writes replicas calls offload_note_replica after reading one
 * back, with the time at which the rows for it were read from the catalogue.
 */
err_code offload_replica_until(struct catalogue *catalogue, int64_t *out_ns,
                               struct error *err) MUST_CHECK;
err_code offload_note_replica(struct catalogue *catalogue, int64_t until_ns,
                              struct error *err) MUST_CHECK;

/* The source has the file again, as `now`: its row is not offloaded, if it is
 * a row of that very file. */
err_code offload_unmark(struct catalogue *catalogue, const struct owner *owner,
                        const char *path, const struct platform_stat *now,
                        struct error *err) MUST_CHECK;

/*
 * What was proved of a copy is worth nothing: something on the drive is not as
 * recorded. Fine when there is no row.
 */
err_code offload_doubt(struct catalogue *catalogue, const struct owner *owner,
                       const char *path, struct error *err) MUST_CHECK;

#endif
