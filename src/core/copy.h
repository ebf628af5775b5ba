/*
 * One file from the source into staging: read, hashed on the way, written,
 * its metadata set, and checked that the source did not change meanwhile
 * (ENGINE G7). Workers only; nothing under a final name is touched.
 */
#ifndef BERTH_COPY_H
#define BERTH_COPY_H

#include "core/base/error.h"
#include "core/base/thread.h"
#include "core/current.h"
#include "core/fsops.h"
#include "core/record.h"
#include "core/resume.h"
#include "core/source.h"

#include <stdatomic.h>
#include <stdint.h>

/* A file that changes while it is read is read again this often. */
#define COPY_ATTEMPTS 3

/* What stays the same for all files of a run. Any thread reads it. */
struct copy_context {
    const struct source *source; /* NULL: nothing is read from one */
    int volume_fd;
    unsigned metadata;   /* FSOPS_SET_… that the volume holds */
    const char *program; /* for the SQLite helper */
    const char *scratch; /* directory on the internal disk */
    int64_t bandwidth;   /* bytes a second for this run; 0: no limit */
    int64_t workers;     /* that share it */
    const struct stop_flag *stop;
    _Atomic int64_t *bytes_written; /* grows while files are staged */
    struct current *current; /* the file that is being staged; NULL: nobody
                                looks */
    struct resumes *resumes; /* of large files; NULL: none is resumed */
    int64_t owner;           /* whose they are */
    /* Held while a large file is written: a disk that spins gets one after
     * the other. NULL: as many at once as there are workers. */
    pthread_mutex_t *turn;
};

/* One worker's own: buffers and open directories. */
struct copier;
struct copier *copier_new(const struct copy_context *context);
void copier_free(struct copier *copier);

struct copy_result {
    struct record record; /* source, hash, flags, metadata; not the key */
    bool is_unchanged;    /* a database whose snapshot equals the row's: not
                             staged, only the signature is new */
    bool is_resumable;    /* it is at `resumable`, not at `staged` */
    char *attributes;     /* the record's, owned; NULL: none */
    bool lost_attributes; /* too many, or they cannot be read */
};

/* One file to be copied. Borrowed. */
struct copy_request {
    const char *path;           /* key path in the job */
    const char *raw;            /* in the source */
    const char *staged;         /* where to, on the volume */
    const char *resumable;      /* where to if it is large and plain; NULL */
    const struct record *known; /* a database's row, or NULL */
};

/*
 * Copies a file of the source to the volume. On failure nothing is left in
 * staging, but for what the next run resumes: after ERR_CANCELLED, or when the
 * device failed.
 *
 * ERR_CHANGED     it kept changing
 * ERR_CANCELLED   stopped; within a second, also inside a large file
 * ERR_NO_SPACE    on the volume, or on the internal disk for a database
 * ERR_NOT_FOUND   it vanished from the source
 */
err_code copy_file(struct copier *copier, const struct copy_request *request,
                   struct copy_result *out, struct error *err) MUST_CHECK;

/*
 * Copies a file of the volume to `staged`, for a sole copy that goes into the
 * versions. `out` gets size, times and hash.
 */
err_code copy_within_volume(struct copier *copier, const char *path,
                            const char *staged, struct copy_result *out,
                            struct error *err) MUST_CHECK;

#endif
