/*
 * A large file's bytes from one descriptor to another: one thread reads, the
 * caller writes and hashes, a few buffers in between. Past the page cache
 * where the platform can, since neither side is read again soon: copying
 * through it takes several times the processor's time, and empties it of
 * what others use.
 */
#ifndef BERTH_PIPELINE_H
#define BERTH_PIPELINE_H

#include "core/base/error.h"
#include "core/base/hash.h"

#include <stdint.h>

/* Files from this size on are worth it. */
#define PIPELINE_FROM_BYTES ((int64_t)1024 * 1024)

/* Its buffers; one for each thread that copies. */
struct pipeline *pipeline_new(void);
void pipeline_free(struct pipeline *pipeline);

struct pipeline_job {
    int from; /* read from where it stands */
    int to;   /* written from where it stands; -1: only hashed */
    int64_t limit_bytes;
    struct hasher *hasher; /* gets what is written, before `moved` is told */
    void *context;
    /* After each piece, on the caller's thread; an error ends it. */
    err_code (*moved)(void *context, int64_t before, int64_t after,
                      struct error *err);
};

/*
 * Less than the limit where the source ends early: *out_done says. Both
 * descriptors go through the page cache again afterwards.
 */
err_code pipeline_run(struct pipeline *pipeline, const struct pipeline_job *job,
                      int64_t *out_done, struct error *err) MUST_CHECK;

#endif
