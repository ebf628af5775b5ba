/*
 * Reads files of a volume back and compares them with the catalogue's hashes.
 *
 * It says which proof it has: "verified" only where the pages were dropped
 * and seen to be gone, so that the bytes came from the device; elsewhere
 * (FUSE, network) "compared". Blocking, on the engine's task thread; the
 * volume's lock is held.
 */
#ifndef BERTH_VERIFY_H
#define BERTH_VERIFY_H

#include "core/base/error.h"
#include "core/base/thread.h"
#include "core/catalogue.h"
#include "core/current.h"
#include "core/volume.h"

#include <stdatomic.h>
#include <stdint.h>

enum verify_finding {
    VERIFY_ROT,   /* size and time as recorded, content not */
    VERIFY_DRIFT, /* something else changed it */
    VERIFY_MISSING,
    VERIFY_UNREADABLE, /* the device or filesystem failed on it */
    VERIFY_SOURCE_ROT, /* the same of the source: nothing of it is copied */
    VERIFY_DIFFERENT,  /* of an adopted file: source and drive differ, and
                          berth wrote neither */
};
const char *verify_finding_text(enum verify_finding finding);

struct verify_progress {
    _Atomic int64_t files_total, bytes_total;
    _Atomic int64_t files_done, bytes_done;
};

struct verify_counts {
    int64_t verified; /* equal, read from the device */
    int64_t compared; /* equal, but perhaps read from memory */
    int64_t adopted;  /* had no hash yet: this is the first reading */
    int64_t skipped;  /* not in the sample */
    int64_t rotten, drifted, missing, unreadable;
    int64_t bytes;
};

struct verify_listener {
    void *context;
    void (*found)(void *context, const char *job, const char *path,
                  enum verify_finding finding, const char *message);
};

struct verify_options {
    const struct volume *volume;
    struct catalogue *catalogue;
    int64_t time_tolerance_ns;
    /* Nothing was written since the device was plugged in (evidence.h):
     * whatever the cache holds, it came from the device. */
    bool device_is_fresh;
    bool is_spinning; /* seeks are dear: one file after the other */
    double sample;    /* part of the files, 1.0: all */
    uint64_t seed;    /* another sample each time */
    const struct stop_flag *stop;
    struct verify_progress *progress;
    struct current *current; /* the file it is at; NULL: nobody looks */
    const struct verify_listener *listener;
};

/* ERR_OK whatever was found; ERR_DEVICE_GONE, ERR_CANCELLED … end it. */
err_code verify_owner(const struct verify_options *options,
                      const struct owner *owner, struct verify_counts *counts,
                      struct error *err) MUST_CHECK;

/*
 * Only what this host wrote and nobody has read back with proof yet. Stops
 * at the first file that could only be compared.
 */
err_code verify_unproven(const struct verify_options *options,
                         const struct owner *owner,
                         struct verify_counts *counts, struct error *err)
    MUST_CHECK;

/* Only what has no hash yet (RECORD_UNHASHED): it is read, and gets one. */
err_code verify_unhashed(const struct verify_options *options,
                         const struct owner *owner,
                         struct verify_counts *counts, struct error *err)
    MUST_CHECK;

/*
 * Only what a plan has copied, read back after its commit: new and updated
 * files that have a row now.
 */
struct plan;
err_code verify_copied(const struct verify_options *options,
                       const struct owner *owner, const struct plan *plan,
                       struct verify_counts *counts, struct error *err)
    MUST_CHECK;

/*
 * Notes that all that is recorded of a volume was read from the device just
 * now, if by these counts every file was, and was as recorded.
 */
err_code verify_note_all(struct catalogue *catalogue,
                         const struct verify_counts *counts, struct error *err)
    MUST_CHECK;
/* When that was the last time; 0: never. */
err_code verify_last_ns(struct catalogue *catalogue, int64_t *out,
                        struct error *err) MUST_CHECK;

#endif
