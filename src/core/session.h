/*
 * The time in which a run may change a volume: lock, recovery of what an
 * earlier one left, barrier, and the record on the drive of who writes.
 *
 *     session_open     lock, look at the last session, repair; writes to the
 *                      drive only where there is something to repair
 *     session_begin    before the first change: staging, `.berth/session`
 *     session_barrier  everything written so far survives a power cut
 *     session_close    record at rest, barrier, unlock
 *
 * Engine's task thread only; staging names may be taken by workers.
 */
#ifndef BERTH_SESSION_H
#define BERTH_SESSION_H

#include "core/base/error.h"
#include "core/base/strbuf.h"
#include "core/catalogue.h"
#include "core/fsops.h"
#include "core/lock.h"
#include "core/traits.h"
#include "core/volume.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct session {
    struct volume *volume;       /* borrowed */
    struct catalogue *catalogue; /* borrowed */
    struct lock lock;
    struct fsops ops; /* of the task thread; workers have their own */
    struct traits traits;
    const char *host; /* borrowed */
    int64_t run;
    int64_t id;     /* in the journal; 0 until session_begin */
    char *staging;  /* ".berth/staging/17" */
    char *versions; /* ".berth/versions/20261122-140603-17" */
    /*
     * The volume was left in the middle of something on a filesystem without
     * a journal: nothing is deleted or pruned in this run, everything is read
     * back (ENGINE, "Recovery").
     */
    bool is_unclean;
    /* What the filesystem says of itself; unclean until it is checked. */
    enum platform_check check;
    char *remedy; /* "unmount it and run `fsck.exfat /dev/sdb1`" */
    /*
     * It needs a check, and it was left between the record and the commit of a
     * batch: what its allocation bitmap calls free may be in use, so that
     * anything written might overwrite something. session_begin refuses.
     */
    bool needs_check;
    bool log_is_damaged; /* what we told the volume last did not read back: a
                            replica is due */
    bool log_is_due;     /* one is, whatever else there is to do */
    /* What is to be done about it (recover.h); NULL: nothing. */
    err_code (*recover)(struct session *session, struct error *err);
    bool has_learnt; /* what this host had forgotten (struct session_options) */
    bool needs_full_diff; /* somebody or something else was there since */
    bool is_doubtful; /* something on the drive was not as expected, or could
                         not be recorded: the next diff reads it */
    int64_t repaired; /* changes of an interrupted batch that were redone */
    char *ensured;    /* the directory of versions that was made last */
    int64_t told_sequence; /* of our last file in COMMITS_PATH; 0: not looked */
    _Atomic uint64_t next_staged;
    _Atomic uint64_t shelves; /* a bit for each of staging's that was made */
};

struct session_options {
    struct volume *volume;
    struct catalogue *catalogue;
    const char *host;    /* random id of this state directory */
    const char *command; /* for whoever finds the volume busy */
    bool learns; /* what this host told the volume and has forgotten; else a
                    catalogue that is behind is refused */
};

/* ERR_BUSY, ERR_DEVICE_GONE, ERR_TOO_NEW … Released with session_release. */
err_code session_open(const struct session_options *options,
                      struct session *out, struct error *err) MUST_CHECK;
/* `run` must be set: staging and versions are named after it. */
err_code session_begin(struct session *session, struct error *err) MUST_CHECK;
err_code session_barrier(struct session *session, struct error *err) MUST_CHECK;
err_code session_close(struct session *session, struct error *err) MUST_CHECK;
/* Unlocks whatever the state; what is open stays recorded as open. */
void session_release(struct session *session);

/* The UUID of the volume's filesystem when it was last open; "" if never. */
err_code session_known_filesystem(struct catalogue *catalogue,
                                  struct strbuf *out_uuid, struct error *err)
    MUST_CHECK;

/* Tries what the volume can hold and keeps it in the catalogue. */
err_code session_probe(struct session *session, struct error *err) MUST_CHECK;

/* A fresh path in staging; free() it. Any thread. */
char *session_new_staged(struct session *session);
/* A free name among this run's versions for what stands at `path`. */
err_code session_new_version(struct session *session, struct arena *arena,
                             const char *path, const char **out,
                             struct error *err) MUST_CHECK;

#endif
