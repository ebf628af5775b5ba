/*
 * What is on a volume that no job writes to (role "read-only"): files that
 * somebody put there once and that are to stay as they are. The catalogue
 * keeps their hashes below one owner of this host, CONTENTS_JOB; a later
 * change is drift until it is accepted. Nothing is written to the volume.
 *
 * Blocking, on the engine's task thread; the volume's lock is held.
 */
#ifndef BERTH_CONTENTS_H
#define BERTH_CONTENTS_H

#include "core/base/error.h"
#include "core/base/thread.h"
#include "core/catalogue.h"
#include "core/volume.h"

#include <stdint.h>

/* No job can be called so (config.h). */
#define CONTENTS_JOB "-"

/* Name of the catalogue's meta value: how much the last verify found. */
#define CONTENTS_FINDINGS "contents_findings"

/* Times closer than this are the same: exfat-fuse keeps two seconds, the
 * kernel's driver hundredths. What changed within them shows in the hash. */
#define CONTENTS_TOLERANCE_NS (2 * INT64_C(1000000000))

struct contents_counts {
    int64_t files;                /* on the volume now */
    int64_t added, changed, gone; /* files, since they were accepted */
    int64_t failed;        /* files and directories: cannot be examined */
    int64_t bytes_to_read; /* of what was added or changed */
};

struct contents_listener {
    void *context;
    /* A file that was not there before, `failure` "": or what cannot be
     * examined, and why. */
    void (*found)(void *context, const char *path, const char *failure);
};

struct contents_options {
    const struct volume *volume;
    struct catalogue *catalogue;
    const struct owner *owner;
    bool accepts; /* writes rows for what is there now, RECORD_UNHASHED where
                     it changed (verify_unhashed reads those); else it only
                     looks for what was added */
    const struct stop_flag *stop;
    const struct contents_listener *listener;
};

/* ERR_NOT_FOUND: nothing was accepted yet. */
err_code contents_find_owner(struct catalogue *catalogue, const char *host,
                             struct owner *out, struct error *err) MUST_CHECK;
/* The same, made when there is none. */
err_code contents_ensure_owner(struct catalogue *catalogue, const char *host,
                               struct owner *out, struct error *err) MUST_CHECK;
/* Of a volume that jobs write to from now on. Fine when there is none. */
err_code contents_forget(struct catalogue *catalogue, const char *host,
                         struct error *err) MUST_CHECK;

/*
 * Walks the volume beside the rows. What cannot be examined is counted and
 * keeps its rows. ERR_CANCELLED, or a failure of the drive, ends it; rows
 * accepted so far stay.
 */
err_code contents_walk(const struct contents_options *options,
                       struct contents_counts *counts, struct error *err)
    MUST_CHECK;

#endif
