#include "core/pipeline.h"

#include "core/base/fdio.h"
#include "core/base/thread.h"
#include "platform/platform_io.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUFFERS = 3 };
#define BUFFER_BYTES ((size_t)2 * 1024 * 1024)
/* Of memory, offsets and lengths past the page cache: no device wants more. */
#define ALIGNMENT ((size_t)4096)

struct pipeline {
    char *buffers[BUFFERS];
    const struct pipeline_job *job;
    /* The reader's own. */
    bool reads_past_cache;
    /* The writer's own. */
    bool writes_past_cache;
    pthread_mutex_t mutex; /* guards what follows it */
    pthread_cond_t changed;
    size_t lengths[BUFFERS];
    unsigned first, filled;
    bool has_ended;    /* nothing more will be filled */
    bool is_abandoned; /* nothing more will be written */
    int read_error;    /* errno */
};

struct pipeline *pipeline_new(void)
{
    struct pipeline *pipeline = xcalloc(1, sizeof *pipeline);

    mutex_init(&pipeline->mutex);
    condition_init(&pipeline->changed);
    return pipeline;
}

void pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    for (unsigned i = 0; i < BUFFERS; i++)
        free(pipeline->buffers[i]);
    mutex_destroy(&pipeline->mutex);
    condition_destroy(&pipeline->changed);
    free(pipeline);
}

static void allocate(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < BUFFERS; i++) {
        void *memory;
        if (pipeline->buffers[i])
            continue;
        if (posix_memalign(&memory, ALIGNMENT, BUFFER_BYTES))
            die("out of memory");
        pipeline->buffers[i] = memory;
    }
}

static void use_cache(int fd, bool *past_cache)
{
    if (*past_cache)
        platform_bypass_cache(fd, false);
    *past_cache = false;
}

/* --- reading --- */

static size_t align_up(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Up to `wanted` bytes; less only at the end of the file. -1: errno is set. */
static ssize_t fill(struct pipeline *pipeline, char *to, size_t wanted)
{
    int from = pipeline->job->from;
    size_t have = 0;

    while (have < wanted) {
        size_t ask = wanted - have;
        if (pipeline->reads_past_cache)
            ask = align_up(ask); /* never past the buffer: it is aligned */
        ssize_t got = read(from, to + have, ask);
        if (got < 0 && errno == EINVAL && pipeline->reads_past_cache)
            use_cache(from, &pipeline->reads_past_cache);
        else if (got < 0 && errno != EINTR)
            return -1;
        else if (!got)
            break;
        else if (got > 0)
            have += (size_t)got;
        if (have % ALIGNMENT) /* the last piece of the file */
            use_cache(from, &pipeline->reads_past_cache);
    }
    return (ssize_t)(have < wanted ? have : wanted);
}

/* The next buffer that is free; -1 when nobody wants it any more. */
static int wait_for_room(struct pipeline *pipeline)
{
    int slot = -1;

    mutex_lock(&pipeline->mutex);
    while (pipeline->filled == BUFFERS && !pipeline->is_abandoned)
        condition_wait(&pipeline->changed, &pipeline->mutex);
    if (!pipeline->is_abandoned)
        slot = (int)((pipeline->first + pipeline->filled) % BUFFERS);
    mutex_unlock(&pipeline->mutex);
    return slot;
}

static void hand_over(struct pipeline *pipeline, int slot, ssize_t got,
                      bool is_last, int read_error)
{
    mutex_lock(&pipeline->mutex);
    if (got > 0) {
        pipeline->lengths[slot] = (size_t)got;
        pipeline->filled++;
    }
    pipeline->read_error = read_error;
    pipeline->has_ended = is_last || got < 0;
    condition_signal(&pipeline->changed);
    mutex_unlock(&pipeline->mutex);
}

static void *reader_main(void *argument)
{
    struct pipeline *pipeline = argument;
    const struct pipeline_job *job = pipeline->job;
    int64_t done = 0;
    bool is_last = false;
    int slot;

    while (!is_last && (slot = wait_for_room(pipeline)) >= 0) {
        int64_t left = job->limit_bytes - done;
        size_t wanted =
            left < (int64_t)BUFFER_BYTES ? (size_t)left : BUFFER_BYTES;
        ssize_t got = fill(pipeline, pipeline->buffers[slot], wanted);
        int failed = got < 0 ? errno : 0;
        if (got > 0)
            done += got;
        is_last = got < (ssize_t)wanted || done >= job->limit_bytes;
        hand_over(pipeline, slot, got, is_last, failed);
    }
    return NULL;
}

/* --- writing --- */

/* 0, or errno. */
static int write_past_cache(struct pipeline *pipeline, const char **from,
                            size_t *size)
{
    int to = pipeline->job->to;

    while (pipeline->writes_past_cache && *size >= ALIGNMENT) {
        ssize_t wrote = write(to, *from, *size / ALIGNMENT * ALIGNMENT);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno != EINVAL)
            return errno;
        if (wrote < 0 || (size_t)wrote % ALIGNMENT)
            use_cache(to, &pipeline->writes_past_cache);
        if (wrote > 0) {
            *from += wrote;
            *size -= (size_t)wrote;
        }
    }
    if (*size)
        use_cache(to, &pipeline->writes_past_cache);
    return 0;
}

static err_code write_piece(struct pipeline *pipeline, unsigned slot,
                            size_t size, struct error *err)
{
    const char *from = pipeline->buffers[slot];

    if (pipeline->job->to < 0)
        return ERR_OK;
    int failed = write_past_cache(pipeline, &from, &size);
    if (!failed)
        failed = fd_write_full(pipeline->job->to, from, size);
    return failed ? error_set_errno(err, failed, "cannot write") : ERR_OK;
}

/* The length of the oldest piece; 0 when there will be none. */
static size_t wait_for_piece(struct pipeline *pipeline, unsigned *out_slot,
                             int *out_read_error)
{
    size_t length = 0;

    mutex_lock(&pipeline->mutex);
    while (!pipeline->filled && !pipeline->has_ended)
        condition_wait(&pipeline->changed, &pipeline->mutex);
    *out_slot = pipeline->first;
    *out_read_error = pipeline->read_error;
    if (pipeline->filled)
        length = pipeline->lengths[pipeline->first];
    mutex_unlock(&pipeline->mutex);
    return length;
}

static void give_back(struct pipeline *pipeline)
{
    mutex_lock(&pipeline->mutex);
    pipeline->first = (pipeline->first + 1) % BUFFERS;
    pipeline->filled--;
    condition_signal(&pipeline->changed);
    mutex_unlock(&pipeline->mutex);
}

static void abandon(struct pipeline *pipeline)
{
    mutex_lock(&pipeline->mutex);
    pipeline->is_abandoned = true;
    condition_signal(&pipeline->changed);
    mutex_unlock(&pipeline->mutex);
}

static err_code write_all(struct pipeline *pipeline, int64_t *out_done,
                          struct error *err)
{
    const struct pipeline_job *job = pipeline->job;
    unsigned slot;
    int read_error;
    size_t length;
    err_code code = ERR_OK;

    *out_done = 0;
    while (!code &&
           (length = wait_for_piece(pipeline, &slot, &read_error)) > 0) {
        int64_t before = *out_done, after = before + (int64_t)length;
        code = write_piece(pipeline, slot, length, err);
        if (!code) {
            hasher_add(job->hasher, pipeline->buffers[slot], length);
            *out_done = after;
            code = job->moved(job->context, before, after, err);
        }
        give_back(pipeline);
    }
    if (!code && read_error)
        code = error_set_errno(err, read_error, "cannot read");
    return code;
}

err_code pipeline_run(struct pipeline *pipeline, const struct pipeline_job *job,
                      int64_t *out_done, struct error *err)
{
    pipeline->job = job;
    pipeline->first = pipeline->filled = 0;
    pipeline->has_ended = pipeline->is_abandoned = false;
    pipeline->read_error = 0;
    pipeline->reads_past_cache = platform_bypass_cache(job->from, true);
    pipeline->writes_past_cache =
        job->to >= 0 && platform_bypass_cache(job->to, true);
    allocate(pipeline);

    pthread_t reader = thread_start(reader_main, pipeline);
    err_code code = write_all(pipeline, out_done, err);
    abandon(pipeline);
    thread_join(reader);
    use_cache(job->from, &pipeline->reads_past_cache);
    if (job->to >= 0)
        use_cache(job->to, &pipeline->writes_past_cache);
    return code;
}
