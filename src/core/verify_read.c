#include "core/verify_read.h"

#include "core/base/fdio.h"
#include "core/current.h"
#include "core/pipeline.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK_BYTES ((size_t)1024 * 1024)
/* Read ahead of the judgement, which may wait for a commit. */
enum { READINGS = 32, READERS = 3 };

struct verify_reader {
    const struct verify_options *options;
    bool needs_proof;
    unsigned thread_count;
    pthread_t threads[READERS];
    _Atomic bool ends;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct reading items[READINGS]; /* a reader's while it is not done */
    unsigned first, count;
    unsigned begun; /* of these */
};

/* A reader's own. */
struct hand {
    struct verify_reader *reader;
    struct reading *reading;
    struct hasher *hasher;
    char *chunk;
    struct pipeline *pipeline; /* for large files: reads while it hashes */
};

/* --- one file --- */

static err_code note_read(void *context, int64_t before, int64_t after,
                          struct error *err)
{
    struct hand *hand = context;
    const struct verify_options *options = hand->reader->options;

    atomic_fetch_add(&options->progress->bytes_done, after - before);
    hand->reading->bytes += after - before;
    if (stop_flag_is_raised(options->stop) || atomic_load(&hand->reader->ends))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    return ERR_OK;
}

static err_code hash_large(struct hand *hand, int fd, struct error *err)
{
    const struct pipeline_job job = {
        .from = fd,
        .to = -1,
        .limit_bytes = INT64_MAX,
        .hasher = hand->hasher,
        .context = hand,
        .moved = note_read,
    };
    int64_t done;
    err_code code = pipeline_run(hand->pipeline, &job, &done, err);

    if (code && code != ERR_CANCELLED)
        error_prefix(err, "%s", hand->reading->drive_path);
    return code;
}

static err_code hash_small(struct hand *hand, int fd, struct error *err)
{
    err_code code = ERR_OK;
    ssize_t got;

    while (!code && (got = fd_read_full(fd, hand->chunk, CHUNK_BYTES)) != 0) {
        if (got < 0)
            return error_set_errno(err, errno, "cannot read %s",
                                   hand->reading->drive_path);
        hasher_add(hand->hasher, hand->chunk, (size_t)got);
        code = note_read(hand, 0, got, err);
    }
    return code;
}

static err_code hash_file(struct hand *hand, int fd, int64_t size,
                          struct error *err)
{
    struct reading *reading = hand->reading;

    hasher_reset(hand->hasher);
    err_code code = size >= PIPELINE_FROM_BYTES ? hash_large(hand, fd, err)
                                                : hash_small(hand, fd, err);
    reading->has_hash = code == ERR_OK;
    if (!code)
        reading->hash = hasher_digest(hand->hasher);
    return code;
}

static err_code read_open_file(struct hand *hand, int fd, struct error *err)
{
    const struct verify_options *options = hand->reader->options;
    struct reading *reading = hand->reading;
    struct platform_stat stat;
    err_code code = platform_stat_fd(fd, &stat, err);

    reading->has_drifted =
        !code && !stamp_equal(stamp_of(&stat), reading->record.stamp,
                              options->time_tolerance_ns);
    if (code || reading->has_drifted)
        return code;
    code = platform_drop_cache(fd, stat.size_bytes, &reading->proof, err);
    if (!code && options->device_is_fresh)
        reading->proof = PLATFORM_PROOF_DEVICE;
    if (!code && hand->reader->needs_proof &&
        reading->proof != PLATFORM_PROOF_DEVICE)
        return ERR_OK;
    return code ? code : hash_file(hand, fd, stat.size_bytes, err);
}

static void read_back(struct hand *hand)
{
    const struct verify_options *options = hand->reader->options;
    struct reading *reading = hand->reading;
    struct error *err = &reading->err;
    CLEANUP_FD int fd = -1;

    current_set(options->current, reading->path);
    reading->code = platform_open_beneath(
        options->volume->root_fd, reading->full, PLATFORM_OPEN_READ, &fd, err);
    reading->was_opened = reading->code == ERR_OK;
    if (!reading->code)
        reading->code = read_open_file(hand, fd, err);
}

/* --- readers --- */

/* NULL at the end. */
static struct reading *take(struct verify_reader *reader)
{
    struct reading *reading = NULL;

    mutex_lock(&reader->mutex);
    while (reader->begun == reader->count && !atomic_load(&reader->ends))
        condition_wait(&reader->changed, &reader->mutex);
    if (!atomic_load(&reader->ends))
        reading = &reader->items[(reader->first + reader->begun++) % READINGS];
    mutex_unlock(&reader->mutex);
    return reading;
}

static void *reader_main(void *argument)
{
    struct verify_reader *reader = argument;
    struct hand hand = {
        .reader = reader,
        .hasher = hasher_new(),
        .chunk = xmalloc(CHUNK_BYTES),
        .pipeline = pipeline_new(),
    };

    while ((hand.reading = take(reader))) {
        read_back(&hand);
        mutex_lock(&reader->mutex);
        hand.reading->is_done = true;
        condition_broadcast(&reader->changed);
        mutex_unlock(&reader->mutex);
    }
    hasher_free(hand.hasher);
    free(hand.chunk);
    pipeline_free(hand.pipeline);
    return NULL;
}

struct verify_reader *verify_reader_new(const struct verify_options *options,
                                        bool needs_proof)
{
    struct verify_reader *reader = xcalloc(1, sizeof *reader);

    reader->options = options;
    reader->needs_proof = needs_proof;
    mutex_init(&reader->mutex);
    condition_init(&reader->changed);
    while (reader->thread_count < (options->is_spinning ? 1 : READERS))
        reader->threads[reader->thread_count++] =
            thread_start(reader_main, reader);
    return reader;
}

void verify_reader_free(struct verify_reader *reader)
{
    if (!reader)
        return;
    mutex_lock(&reader->mutex);
    atomic_store(&reader->ends, true);
    condition_broadcast(&reader->changed);
    mutex_unlock(&reader->mutex);
    while (reader->thread_count)
        thread_join(reader->threads[--reader->thread_count]);
    for (unsigned i = 0; i < READINGS; i++)
        arena_release(&reader->items[i].arena);
    mutex_destroy(&reader->mutex);
    condition_destroy(&reader->changed);
    free(reader);
}

/* --- the queue --- */

bool verify_reader_is_full(const struct verify_reader *reader)
{
    return reader->count == READINGS; /* only the caller changes it */
}

void verify_reader_add(struct verify_reader *reader, const char *path,
                       const char *drive_path, const char *full,
                       const struct record *record)
{
    struct reading *reading =
        &reader->items[(reader->first + reader->count) % READINGS];
    struct arena arena = reading->arena;

    arena_reset(&arena);
    *reading = (struct reading){.record = *record};
    reading->path = arena_strdup(&arena, path);
    reading->drive_path = arena_strdup(&arena, drive_path);
    reading->full = arena_strdup(&arena, full);
    record_keep(&reading->record, &arena);
    reading->arena = arena;
    mutex_lock(&reader->mutex);
    reader->count++;
    condition_broadcast(&reader->changed);
    mutex_unlock(&reader->mutex);
}

struct reading *verify_reader_oldest(struct verify_reader *reader)
{
    struct reading *oldest = &reader->items[reader->first];

    if (!reader->count)
        return NULL;
    mutex_lock(&reader->mutex);
    while (!oldest->is_done)
        condition_wait(&reader->changed, &reader->mutex);
    mutex_unlock(&reader->mutex);
    return oldest;
}

void verify_reader_drop_oldest(struct verify_reader *reader)
{
    mutex_lock(&reader->mutex);
    reader->first = (reader->first + 1) % READINGS;
    reader->count--;
    reader->begun--;
    mutex_unlock(&reader->mutex);
}
