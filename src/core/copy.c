#include "core/copy.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/copy_internal.h"
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
#define RETRY_PAUSE_NS (100 * NS_PER_MS)

struct copier *copier_new(const struct copy_context *context)
{
    struct copier *copier = xcalloc(1, sizeof *copier);

    copier->context = context;
    copier->ops = fsops_on(context->volume_fd);
    copier->hasher = hasher_new();
    copier->buffer = xmalloc(BUFFER_BYTES);
    copier->pipeline = pipeline_new();
    copier->attributes = (struct strbuf)STRBUF_INIT;
    return copier;
}

void copier_free(struct copier *copier)
{
    if (!copier)
        return;
    fsops_release(&copier->ops);
    hasher_free(copier->hasher);
    free(copier->buffer);
    strbuf_release(&copier->attributes);
    pipeline_free(copier->pipeline);
    free(copier);
}

/*
 * --- bytes ---
 */

err_code copy_check_stop(const struct copier *copier, struct error *err)
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

/* Sleeps off what was written faster than the job's bandwidth allows, or what
 * was asked for while it runs. */
static void keep_bandwidth(const struct copier *copier, size_t bytes)
{
    const struct copy_context *context = copier->context;
    int64_t bandwidth = atomic_load(&context->stop->bandwidth);

    if (!bandwidth)
        bandwidth = context->bandwidth;
    if (bandwidth <= 0)
        return;
    int64_t left = (int64_t)((double)bytes * (double)context->workers /
                             (double)bandwidth * (double)NS_PER_SECOND);
    /* In slices: a slow job is stopped as fast as any. */
    for (; left > 0 && !stop_flag_is_raised(context->stop);
         left -= RETRY_PAUSE_NS)
        pause_ns(left < RETRY_PAUSE_NS ? left : RETRY_PAUSE_NS);
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
    struct copier *copier;
    int to;
    int64_t begun; /* where this writing began in the file */
};

/* What there is to do after each piece that was written. */
static err_code note_written(void *context, int64_t before, int64_t after,
                             struct error *err)
{
    const struct written *written = context;
    struct copier *copier = written->copier;

    write_back(written->to, written->begun + before, written->begun + after);
    atomic_fetch_add(copier->context->bytes_written, after - before);
    keep_bandwidth(copier, (size_t)(after - before));
    err_code code =
        copy_note_if_due(copier, written->to, written->begun + after, err);
    return code ? code : copy_check_stop(copier, err);
}

static err_code stream_large(struct copier *copier, int from, int to,
                             int64_t done, int64_t limit, int64_t *out_done,
                             struct error *err)
{
    struct written written = {copier, to, done};
    const struct pipeline_job job = {
        .from = from,
        .to = to,
        .limit_bytes = limit - done,
        .hasher = copier->hasher,
        .context = &written,
        .moved = note_written,
    };

    if (copier->context->turn)
        mutex_lock(copier->context->turn);
    err_code code = pipeline_run(copier->pipeline, &job, out_done, err);
    if (copier->context->turn)
        mutex_unlock(copier->context->turn);
    *out_done += done;
    return code;
}

err_code copy_stream_on(struct copier *copier, int from, int to, int64_t done,
                        int64_t limit, int64_t *out_done, struct error *err)
{
    err_code code = ERR_OK;

    if (to >= 0 && limit - done >= PIPELINE_FROM_BYTES)
        return stream_large(copier, from, to, done, limit, out_done, err);
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
            struct written written = {copier, to, 0};
            code = note_written(&written, done, done + got, err);
        }
        done += got;
        if (!code && to < 0)
            code = copy_check_stop(copier, err);
    }
    *out_done = done;
    return code;
}

err_code copy_stream(struct copier *copier, int from, int to, int64_t limit,
                     int64_t *out_done, struct error *err)
{
    hasher_reset(copier->hasher);
    return copy_stream_on(copier, from, to, 0, limit, out_done, err);
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
    err_code code = copy_stream(copier, from, -1, size, &done, err);
    if (code)
        return code;
    struct hash again = hasher_digest(copier->hasher);
    *out = done == size && hash_equal(&again, copied);
    return ERR_OK;
}

err_code copy_judge_changes(struct copier *copier, int from, int64_t done,
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

struct record copy_new_record(const struct platform_stat *stat)
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

err_code copy_add_attributes(struct copier *copier, int from,
                             struct record *record, struct error *err)
{
    err_code code = platform_read_attributes(from, &copier->attributes, err);

    if (error_is_device_failure(code))
        return code;
    copier->lost_attributes = code != ERR_OK;
    record->attributes = copier->attributes.text;
    record->attributes_length = copier->attributes.length;
    return ERR_OK;
}

/* They go with the result. */
static void hand_over_attributes(const struct copier *copier,
                                 struct copy_result *out)
{
    out->lost_attributes = copier->lost_attributes;
    if (!out->record.attributes_length)
        return;
    out->attributes = xmalloc(out->record.attributes_length);
    memcpy(out->attributes, out->record.attributes,
           out->record.attributes_length);
    out->record.attributes = out->attributes;
}

unsigned copy_racy_flag(const struct platform_stat *stat, int64_t read_ns)
{
    const struct signature signature = signature_of(stat);

    return signature_is_racy(&signature, read_ns) ? RECORD_RACY : 0;
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
    code = copy_stream(copier, from, to, size, out_done, err);
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
    *record = copy_new_record(&before);
    record->flags |= copy_racy_flag(&before, read_ns);
    code = copy_add_attributes(copier, from, record, err);
    if (code)
        return code;
    if (before.size_bytes > (int64_t)BUFFER_BYTES)
        platform_advise_sequential(from);
    code = stage(copier, from, before.size_bytes, staged, record, &done, err);
    if (!code)
        code = copy_judge_changes(copier, from, done, &before, record, err);
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
    return source_open(context->source, parent, PLATFORM_OPEN_DIRECTORY,
                       &out->directory_fd, err);
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
    return sqlite_lacks_side_file(code) ? ERR_OK : code;
}

static err_code hash_scratch(struct copier *copier, int fd, int64_t size,
                             struct hash *out, struct error *err)
{
    int64_t done;
    err_code code = copy_stream(copier, fd, -1, size, &done, err);

    *out = hasher_digest(copier->hasher);
    if (!code && lseek(fd, 0, SEEK_SET) < 0)
        code = error_set_errno(err, errno, "cannot read the snapshot");
    return code;
}

/* The drive's copy has this content, and what else of it the drive holds. */
static bool is_up_to_date(const struct copier *copier,
                          const struct record *known, const struct record *now)
{
    unsigned what = copier->context->metadata;

    if (what & FSOPS_SET_MODE && known->mode != now->mode)
        return false;
    if (what & FSOPS_SET_OWNER &&
        (known->uid != now->uid || known->gid != now->gid))
        return false;
    if (what & FSOPS_SET_ATTRIBUTES && !record_same_attributes(known, now))
        return false;
    return hash_equal(&known->hash, &now->hash);
}

static err_code stage_snapshot(struct copier *copier, const char *scratch,
                               const char *staged, const struct record *known,
                               struct copy_result *out, struct error *err)
{
    CLEANUP_FD int fd = RETRY_ON_EINTR(open(scratch, O_RDONLY | O_CLOEXEC));
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
    if (known && is_up_to_date(copier, known, &out->record)) {
        out->is_unchanged = true;
        return ERR_OK;
    }
    code = stage(copier, fd, stat.size_bytes, staged, &out->record, &done, err);
    return code ? discard(copier, staged, code) : ERR_OK;
}

static err_code copy_database(struct copier *copier, int from, const char *raw,
                              const char *staged, const struct record *known,
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
    out->record = copy_new_record(&stat);
    out->record.source = signature;
    out->record.flags = RECORD_SQLITE | copy_racy_flag(&stat, read_ns);
    code = copy_add_attributes(copier, from, &out->record, err);
    if (code)
        return code;
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

/* Not what may change once more without its times telling: a part of the one
 * and a part of the other would look like a whole. */
static bool is_worth_resuming(const struct copier *copier,
                              const struct copy_request *request, int from)
{
    int64_t read_ns = clock_now_ns();
    struct platform_stat stat;

    return copier->context->resumes && request->resumable &&
           !platform_stat_fd(from, &stat, NULL) &&
           stat.size_bytes >= RESUMABLE_BYTES &&
           !copy_racy_flag(&stat, read_ns);
}

static err_code copy_opened(struct copier *copier,
                            const struct copy_request *request, int from,
                            struct copy_result *out, struct error *err)
{
    bool is_sqlite = false;
    err_code code = is_database(from, &is_sqlite, err);

    if (code)
        return code;
    if (is_sqlite)
        return copy_database(copier, from, request->raw, request->staged,
                             request->known, out, err);
    if (!is_worth_resuming(copier, request, from))
        return copy_plain(copier, from, request->staged, &out->record, err);
    code = copy_resumable(copier, request, from, out, err);
    if (code != ERR_CHANGED)
        return code;
    out->is_resumable = false; /* it is being written: from its beginning */
    return copy_plain(copier, from, request->staged, &out->record, err);
}

err_code copy_file(struct copier *copier, const struct copy_request *request,
                   struct copy_result *out, struct error *err)
{
    CLEANUP_FD int from = -1;
    err_code code = source_open(copier->context->source, request->raw,
                                PLATFORM_OPEN_READ, &from, err);

    *out = (struct copy_result){.is_unchanged = false};
    if (!code)
        code = copy_opened(copier, request, from, out, err);
    if (!code)
        hand_over_attributes(copier, out);
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
    out->record = copy_new_record(&stat);
    code = copy_add_attributes(copier, from, &out->record, err);
    if (code)
        return code;
    code =
        stage(copier, from, stat.size_bytes, staged, &out->record, &done, err);
    if (!code && done != stat.size_bytes)
        code = error_set(err, ERR_IO, "%s ended early", path);
    if (!code)
        hand_over_attributes(copier, out);
    return code ? discard(copier, staged, code) : ERR_OK;
}
