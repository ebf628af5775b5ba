#include "core/copy.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/pipeline.h"
#include "core/sqlite_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)1024 * 1024)
/*
 * Writing back is started after so much and waited for at a distance, so that
 * dirty pages stay bounded, the speed shown is the device's, and the flush
 * before eject is short.
 */
#define WRITE_BACK_BYTES ((int64_t)8 * 1024 * 1024)
#define WRITE_BACK_DISTANCE ((int64_t)64 * 1024 * 1024)
/* A change this close to the reading may not show in the change time: a tick
 * of the coarsest kernel clock (100 Hz), doubled. */
#define RACY_NS (20 * NS_PER_MS)
#define RETRY_PAUSE_NS (100 * NS_PER_MS)

struct copier {
    const struct copy_context *context;
    struct fsops ops; /* on the volume */
    struct hasher *hasher;
    char *buffer;
    struct pipeline *pipeline;
    uint64_t scratch_number;
};

struct copier *copier_new(const struct copy_context *context)
{
    struct copier *copier = xcalloc(1, sizeof *copier);

    copier->context = context;
    copier->ops = fsops_on(context->volume_fd);
    copier->hasher = hasher_new();
    copier->buffer = xmalloc(BUFFER_BYTES);
    copier->pipeline = pipeline_new();
    return copier;
}

void copier_free(struct copier *copier)
{
    if (!copier)
        return;
    fsops_release(&copier->ops);
    hasher_free(copier->hasher);
    free(copier->buffer);
    pipeline_free(copier->pipeline);
    free(copier);
}

/*
 * --- bytes ---
 */

static err_code check_stop(const struct copier *copier, struct error *err)
{
    if (stop_flag_is_raised(copier->context->stop))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    return ERR_OK;
}

static void pause_ns(int64_t duration_ns)
{
    struct timespec pause = clock_to_timespec(duration_ns);

    nanosleep(&pause, NULL);
}

/* Sleeps off what was written faster than the job's bandwidth allows. */
static void keep_bandwidth(const struct copier *copier, size_t bytes)
{
    int64_t bandwidth = copier->context->bandwidth;

    if (bandwidth > 0)
        pause_ns((int64_t)((double)bytes / (double)bandwidth *
                           (double)NS_PER_SECOND));
}

static void write_back(int fd, int64_t before, int64_t after)
{
    if (before / WRITE_BACK_BYTES == after / WRITE_BACK_BYTES)
        return;
    int64_t end = after / WRITE_BACK_BYTES * WRITE_BACK_BYTES;
    platform_write_back(fd, end - WRITE_BACK_BYTES, WRITE_BACK_BYTES, false);
    if (end > WRITE_BACK_DISTANCE)
        platform_write_back(fd, end - WRITE_BACK_DISTANCE - WRITE_BACK_BYTES,
                            WRITE_BACK_BYTES, true);
}

struct written {
    const struct copier *copier;
    int to;
};

/* What there is to do after each piece that was written. */
static err_code note_written(void *context, int64_t before, int64_t after,
                             struct error *err)
{
    const struct written *written = context;
    const struct copier *copier = written->copier;

    write_back(written->to, before, after);
    atomic_fetch_add(copier->context->bytes_written, after - before);
    keep_bandwidth(copier, (size_t)(after - before));
    return check_stop(copier, err);
}

static err_code stream_large(struct copier *copier, int from, int to,
                             int64_t limit, int64_t *out_done,
                             struct error *err)
{
    struct written written = {copier, to};
    const struct pipeline_job job = {
        .from = from,
        .to = to,
        .limit_bytes = limit,
        .hasher = copier->hasher,
        .context = &written,
        .moved = note_written,
    };

    if (copier->context->turn)
        mutex_lock(copier->context->turn);
    err_code code = pipeline_run(copier->pipeline, &job, out_done, err);
    if (copier->context->turn)
        mutex_unlock(copier->context->turn);
    return code;
}

/*
 * Moves up to `limit` bytes, hashing them; less where the source ends early.
 * `to` -1: only hashes.
 */
static err_code stream(struct copier *copier, int from, int to, int64_t limit,
                       int64_t *out_done, struct error *err)
{
    int64_t done = 0;
    err_code code = ERR_OK;

    hasher_reset(copier->hasher);
    if (to >= 0 && limit >= PIPELINE_FROM_BYTES)
        return stream_large(copier, from, to, limit, out_done, err);
    while (!code && done < limit) {
        size_t wanted = limit - done < (int64_t)BUFFER_BYTES
                            ? (size_t)(limit - done)
                            : BUFFER_BYTES;
        ssize_t got = fd_read_full(from, copier->buffer, wanted);
        if (got < 0)
            return error_set_errno(err, errno, "cannot read");
        if (!got)
            break;
        hasher_add(copier->hasher, copier->buffer, (size_t)got);
        if (to >= 0) {
            int failed = fd_write_full(to, copier->buffer, (size_t)got);
            if (failed)
                return error_set_errno(err, failed, "cannot write");
            struct written written = {copier, to};
            code = note_written(&written, done, done + got, err);
        }
        done += got;
        if (!code)
            code = check_stop(copier, err);
    }
    *out_done = done;
    return code;
}

/*
 * --- was it the same all the time? ---
 */

static bool is_unchanged(const struct platform_stat *before,
                         const struct platform_stat *after)
{
    return before->size_bytes == after->size_bytes &&
           before->mtime_ns == after->mtime_ns &&
           before->ctime_ns == after->ctime_ns;
}

/*
 * A log that is appended to: it is longer now, and the part that was copied
 * still reads the same.
 */
static err_code has_only_grown(struct copier *copier, int from, int64_t size,
                               const struct hash *copied, bool *out,
                               struct error *err)
{
    int64_t done;

    if (lseek(from, 0, SEEK_SET) < 0)
        return error_set_errno(err, errno, "cannot read again");
    err_code code = stream(copier, from, -1, size, &done, err);
    if (code)
        return code;
    struct hash again = hasher_digest(copier->hasher);
    *out = done == size && hash_equal(&again, copied);
    return ERR_OK;
}

static err_code judge_changes(struct copier *copier, int from, int64_t done,
                              const struct platform_stat *before,
                              struct record *record, struct error *err)
{
    struct platform_stat after;
    bool only_grew = false;
    err_code code = platform_stat_fd(from, &after, err);

    if (code)
        return code;
    if (is_unchanged(before, &after) && done == before->size_bytes)
        return ERR_OK;
    if (after.size_bytes > before->size_bytes && done == before->size_bytes)
        code =
            has_only_grown(copier, from, done, &record->hash, &only_grew, err);
    if (code)
        return code;
    if (!only_grew)
        return error_set(err, ERR_CHANGED, "still changing");
    record->flags |= RECORD_GREW;
    return ERR_OK;
}

static struct record new_record(const struct platform_stat *stat)
{
    return (struct record){
        .type = ENTRY_FILE,
        .source = signature_of(stat),
        .stamp = stamp_of(stat),
        .mode = stat->mode,
        .uid = stat->uid,
        .gid = stat->gid,
    };
}

static unsigned racy_flag(const struct platform_stat *stat, int64_t read_ns)
{
    return stat->ctime_ns > read_ns - RACY_NS ? RECORD_RACY : 0;
}

/* --- staging one file --- */

static err_code finish_staged(struct copier *copier, int to, const char *staged,
                              const struct record *record, struct error *err)
{
    return fsops_set_metadata_fd(to, staged, record, copier->context->metadata,
                                 err);
}

static err_code discard(struct copier *copier, const char *staged,
                        err_code code)
{
    /* What cannot be removed now is removed with the session's staging. */
    err_code removed = fsops_unlink_if_there(&copier->ops, staged, NULL);

    (void)removed;
    return code;
}

/* Streams an open file into staging; `*record` says what it looks like. */
static err_code stage(struct copier *copier, int from, int64_t size,
                      const char *staged, struct record *record,
                      int64_t *out_done, struct error *err)
{
    CLEANUP_FD int to = -1;
    err_code code = fsops_create(&copier->ops, staged, 0600, &to, err);

    if (code)
        return code;
    code = stream(copier, from, to, size, out_done, err);
    record->hash = hasher_digest(copier->hasher);
    record->stamp.size_bytes = *out_done;
    if (!code)
        code = finish_staged(copier, to, staged, record, err);
    return code;
}

static err_code copy_once(struct copier *copier, int from, const char *staged,
                          struct record *record, struct error *err)
{
    struct platform_stat before;
    int64_t done = 0, read_ns = clock_now_ns();
    err_code code = platform_stat_fd(from, &before, err);

    if (code)
        return code;
    *record = new_record(&before);
    record->flags |= racy_flag(&before, read_ns);
    if (before.size_bytes > (int64_t)BUFFER_BYTES)
        platform_advise_sequential(from);
    code = stage(copier, from, before.size_bytes, staged, record, &done, err);
    if (!code)
        code = judge_changes(copier, from, done, &before, record, err);
    return code ? discard(copier, staged, code) : ERR_OK;
}

static err_code copy_plain(struct copier *copier, int from, const char *staged,
                           struct record *record, struct error *err)
{
    err_code code = ERR_CHANGED;

    for (int i = 0; code == ERR_CHANGED && i < COPY_ATTEMPTS; i++) {
        if (i)
            pause_ns(RETRY_PAUSE_NS);
        if (i && lseek(from, 0, SEEK_SET) < 0)
            return error_set_errno(err, errno, "cannot read");
        code = copy_once(copier, from, staged, record, err);
    }
    return code;
}

/* --- databases --- */

struct database {
    int directory_fd;
    const char *name;
    char *scratch;
};

static void database_release(struct database *database)
{
    if (database->scratch)
        unlink(database->scratch);
    free(database->scratch);
    cleanup_fd(&database->directory_fd);
}

static err_code open_database(struct copier *copier, const char *raw,
                              struct database *out, struct error *err)
{
    const struct copy_context *context = copier->context;
    CLEANUP_FREE char *parent = xstrndup(raw, path_parent_length(raw));

    out->name = path_name(raw);
    out->scratch =
        xasprintf("%s/%ld-%p-%" PRIu64 ".db", context->scratch, (long)getpid(),
                  (const void *)copier, copier->scratch_number++);
    return platform_open_beneath(context->source_fd, parent,
                                 PLATFORM_OPEN_DIRECTORY, &out->directory_fd,
                                 err);
}

/* Of the database with its -wal: a change only there is a change. */
static err_code sign_database(const struct database *database,
                              struct platform_stat *out_stat,
                              struct signature *out, struct error *err)
{
    CLEANUP_FREE char *wal_name = xasprintf("%s-wal", database->name);
    struct platform_stat wal;
    err_code code = platform_stat_beneath(database->directory_fd,
                                          database->name, out_stat, err);

    if (code)
        return code;
    *out = signature_of(out_stat);
    code = platform_stat_beneath(database->directory_fd, wal_name, &wal, err);
    if (!code)
        out->side = side_digest(&wal);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static err_code hash_scratch(struct copier *copier, int fd, int64_t size,
                             struct hash *out, struct error *err)
{
    int64_t done;
    err_code code = stream(copier, fd, -1, size, &done, err);

    *out = hasher_digest(copier->hasher);
    if (!code && lseek(fd, 0, SEEK_SET) < 0)
        code = error_set_errno(err, errno, "cannot read the snapshot");
    return code;
}

static err_code stage_snapshot(struct copier *copier, const char *scratch,
                               const char *staged, const struct hash *known,
                               struct copy_result *out, struct error *err)
{
    CLEANUP_FD int fd = open(scratch, O_RDONLY | O_CLOEXEC);
    struct platform_stat stat;
    int64_t done;

    if (fd < 0)
        return error_set_errno(err, errno, "cannot open the snapshot");
    err_code code = platform_stat_fd(fd, &stat, err);
    if (!code && known)
        code =
            hash_scratch(copier, fd, stat.size_bytes, &out->record.hash, err);
    if (code)
        return code;
    if (known && hash_equal(known, &out->record.hash)) {
        out->is_unchanged = true;
        return ERR_OK;
    }
    code = stage(copier, fd, stat.size_bytes, staged, &out->record, &done, err);
    return code ? discard(copier, staged, code) : ERR_OK;
}

static err_code copy_database(struct copier *copier, const char *raw,
                              const char *staged, const struct hash *known,
                              struct copy_result *out, struct error *err)
{
    const struct copy_context *context = copier->context;
    CLEANUP(database_release) struct database database = {.directory_fd = -1};
    struct sqlite_snapshot snapshot;
    struct signature signature;
    struct platform_stat stat;
    int64_t read_ns = clock_now_ns();
    err_code code = open_database(copier, raw, &database, err);

    if (!code)
        code = sign_database(&database, &stat, &signature, err);
    if (!code)
        code = sqlite_copy_snapshot(context->program, database.directory_fd,
                                    database.name, database.scratch,
                                    context->stop, &snapshot, err);
    if (code)
        return code;
    out->record = new_record(&stat);
    out->record.source = signature;
    out->record.flags = RECORD_SQLITE | racy_flag(&stat, read_ns);
    return stage_snapshot(copier, database.scratch, staged, known, out, err);
}

/* --- what the executor calls --- */

static err_code is_database(int fd, bool *out, struct error *err)
{
    unsigned char magic[SQLITE_MAGIC_BYTES];
    /* A short read is no database's: it has more than its magic. */
    ssize_t got = RETRY_ON_EINTR(pread(fd, magic, sizeof magic, 0));

    if (got < 0)
        return error_set_errno(err, errno, "cannot read");
    *out = sqlite_is_database(magic, (size_t)got);
    return ERR_OK;
}

err_code copy_file(struct copier *copier, const char *raw, const char *staged,
                   const struct hash *known, struct copy_result *out,
                   struct error *err)
{
    CLEANUP_FD int from = -1;
    bool is_sqlite = false;
    err_code code = platform_open_beneath(copier->context->source_fd, raw,
                                          PLATFORM_OPEN_READ, &from, err);

    *out = (struct copy_result){.is_unchanged = false};
    if (!code)
        code = is_database(from, &is_sqlite, err);
    if (!code && is_sqlite)
        code = copy_database(copier, raw, staged, known, out, err);
    else if (!code)
        code = copy_plain(copier, from, staged, &out->record, err);
    return code;
}

err_code copy_within_volume(struct copier *copier, const char *path,
                            const char *staged, struct copy_result *out,
                            struct error *err)
{
    CLEANUP_FD int from = -1;
    struct platform_stat stat;
    int64_t done = 0;
    err_code code = platform_open_beneath(copier->context->volume_fd, path,
                                          PLATFORM_OPEN_READ, &from, err);

    *out = (struct copy_result){.is_unchanged = false};
    if (!code)
        code = platform_stat_fd(from, &stat, err);
    if (code)
        return code;
    out->record = new_record(&stat);
    code =
        stage(copier, from, stat.size_bytes, staged, &out->record, &done, err);
    if (!code && done != stat.size_bytes)
        code = error_set(err, ERR_IO, "%s ended early", path);
    return code ? discard(copier, staged, code) : ERR_OK;
}
