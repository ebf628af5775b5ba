#include "core/verify.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/db.h"
#include "core/pipeline.h"
#include "core/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)1024 * 1024)
/* Rows are written back together: a commit costs a flush of the disk. */
#define ROWS_PER_COMMIT 2000

struct verifying {
    const struct verify_options *options;
    const struct owner *owner;
    struct verify_counts *counts;
    struct hasher *hasher;
    char *chunk;
    struct pipeline *pipeline; /* for large files: reads while it hashes */
    int rows_waiting;
    bool only_unproven; /* and only while there is proof to be had */
    bool has_no_proof;
};

const char *verify_finding_text(enum verify_finding finding)
{
    switch (finding) {
    case VERIFY_ROT:
        return "rot: the content changed, size and time did not";
    case VERIFY_DRIFT:
        return "drift: something other than berth changed it";
    case VERIFY_MISSING:
        return "missing on the drive";
    case VERIFY_UNREADABLE:
        return "cannot be read";
    case VERIFY_SOURCE_ROT:
        return "rot in the source: the content changed, size and times did not";
    }
    return "?";
}

static void tell(struct verifying *verifying, const char *path,
                 enum verify_finding finding, const char *message)
{
    const struct verify_listener *listener = verifying->options->listener;
    struct verify_counts *counts = verifying->counts;
    int64_t *const count[] = {
        [VERIFY_ROT] = &counts->rotten,
        [VERIFY_DRIFT] = &counts->drifted,
        [VERIFY_MISSING] = &counts->missing,
        [VERIFY_UNREADABLE] = &counts->unreadable,
        [VERIFY_SOURCE_ROT] = &counts->rotten,
    };

    (*count[finding])++;
    if (listener)
        listener->found(listener->context, verifying->owner->job, path, finding,
                        message);
}

static err_code note_read(void *context, int64_t before, int64_t after,
                          struct error *err)
{
    struct verifying *verifying = context;
    const struct verify_options *options = verifying->options;

    atomic_fetch_add(&options->progress->bytes_done, after - before);
    verifying->counts->bytes += after - before;
    if (stop_flag_is_raised(options->stop))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    return ERR_OK;
}

static err_code hash_large(struct verifying *verifying, int fd,
                           const char *path, struct error *err)
{
    const struct pipeline_job job = {
        .from = fd,
        .to = -1,
        .limit_bytes = INT64_MAX,
        .hasher = verifying->hasher,
        .context = verifying,
        .moved = note_read,
    };
    int64_t done;
    err_code code = pipeline_run(verifying->pipeline, &job, &done, err);

    if (code && code != ERR_CANCELLED)
        error_prefix(err, "%s", path);
    return code;
}

static err_code hash_small(struct verifying *verifying, int fd,
                           const char *path, struct error *err)
{
    err_code code = ERR_OK;
    ssize_t got;

    while (!code &&
           (got = fd_read_full(fd, verifying->chunk, CHUNK_BYTES)) != 0) {
        if (got < 0)
            return error_set_errno(err, errno, "cannot read %s", path);
        hasher_add(verifying->hasher, verifying->chunk, (size_t)got);
        code = note_read(verifying, 0, got, err);
    }
    return code;
}

static err_code hash_file(struct verifying *verifying, int fd, int64_t size,
                          const char *path, struct hash *out, struct error *err)
{
    hasher_reset(verifying->hasher);
    err_code code = size >= PIPELINE_FROM_BYTES
                        ? hash_large(verifying, fd, path, err)
                        : hash_small(verifying, fd, path, err);

    if (!code)
        *out = hasher_digest(verifying->hasher);
    return code;
}

/*
 * --- writing back what was learnt ---
 */

static err_code commit_rows(struct verifying *verifying, struct error *err)
{
    if (!verifying->rows_waiting)
        return ERR_OK;
    verifying->rows_waiting = 0;
    return db_commit(catalogue_db(verifying->options->catalogue), err);
}

static err_code write_row(struct verifying *verifying, const char *path,
                          const struct record *record, struct error *err)
{
    struct catalogue *catalogue = verifying->options->catalogue;
    err_code code = ERR_OK;

    if (!verifying->rows_waiting)
        code = db_begin(catalogue_db(catalogue), err);
    if (!code)
        code = catalogue_put(catalogue, verifying->owner, path, record, err);
    if (!code && ++verifying->rows_waiting >= ROWS_PER_COMMIT)
        code = commit_rows(verifying, err);
    return code;
}

static err_code remember(struct verifying *verifying, const char *path,
                         const struct record *record, const struct hash *hash,
                         enum platform_proof proof, struct error *err)
{
    struct record known = *record;

    if (record->flags & RECORD_UNHASHED)
        verifying->counts->adopted++;
    else if (proof == PLATFORM_PROOF_DEVICE)
        verifying->counts->verified++;
    else
        verifying->counts->compared++;
    known.hash = *hash;
    known.flags &= ~(unsigned)(RECORD_UNHASHED | RECORD_ROTTEN);
    if (proof == PLATFORM_PROOF_DEVICE) {
        known.verified_ns = clock_now_ns();
        known.flags &= ~(unsigned)RECORD_COMPARED;
    } else if (!known.verified_ns) {
        known.flags |= RECORD_COMPARED;
    }
    if (known.flags == record->flags &&
        known.verified_ns == record->verified_ns)
        return ERR_OK;
    return write_row(verifying, path, &known, err);
}

/* What was proved of it before is worth nothing now. What is not what was
 * written is in quarantine: it counts as no copy, and is made anew. */
static err_code doubt(struct verifying *verifying, const char *path,
                      const struct record *record, enum verify_finding finding,
                      const char *message, struct error *err)
{
    struct record known = *record;

    tell(verifying, path, finding, message);
    known.verified_ns = 0;
    known.flags &= ~(unsigned)RECORD_COMPARED;
    if (finding == VERIFY_ROT || finding == VERIFY_UNREADABLE)
        known.flags |= RECORD_ROTTEN;
    if (known.flags == record->flags &&
        known.verified_ns == record->verified_ns)
        return ERR_OK;
    return write_row(verifying, path, &known, err);
}

/* --- one file --- */

static err_code check_open_file(struct verifying *verifying, int fd,
                                const char *path, const char *drive_path,
                                const struct record *record, struct error *err)
{
    const struct verify_options *options = verifying->options;
    enum platform_proof proof;
    struct platform_stat stat;
    struct hash hash;
    err_code code = platform_stat_fd(fd, &stat, err);

    if (!code && !stamp_equal(stamp_of(&stat), record->stamp,
                              options->time_tolerance_ns))
        return doubt(verifying, path, record, VERIFY_DRIFT, "", err);
    if (!code)
        code = platform_drop_cache(fd, stat.size_bytes, &proof, err);
    if (!code && options->device_is_fresh)
        proof = PLATFORM_PROOF_DEVICE;
    if (!code && verifying->only_unproven && proof != PLATFORM_PROOF_DEVICE) {
        verifying->has_no_proof = true;
        return ERR_OK;
    }
    if (!code)
        code =
            hash_file(verifying, fd, stat.size_bytes, drive_path, &hash, err);
    if (code)
        return code;
    if (record->flags & RECORD_UNHASHED || hash_equal(&hash, &record->hash))
        return remember(verifying, path, record, &hash, proof, err);
    return doubt(verifying, path, record, VERIFY_ROT, "", err);
}

static bool ends_verify(err_code code)
{
    return code == ERR_CANCELLED || code == ERR_DEVICE_GONE;
}

static err_code check_file(struct verifying *verifying, const char *path,
                           const char *drive_path, const struct record *record,
                           struct error *err)
{
    CLEANUP_FREE char *full =
        path_join(verifying->owner->directory, drive_path);
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(verifying->options->volume->root_fd,
                                          full, PLATFORM_OPEN_READ, &fd, err);

    if (code == ERR_NOT_FOUND) {
        /* After a yank every name is "not found": ask the device. */
        code = volume_check(verifying->options->volume, err);
        if (!code)
            code = doubt(verifying, path, record, VERIFY_MISSING, "", err);
        return code;
    }
    if (code == ERR_CHANGED) {
        CLEANUP_FREE char *why = xstrdup(err->message);
        return doubt(verifying, path, record, VERIFY_DRIFT, why, err);
    }
    if (!code)
        code = check_open_file(verifying, fd, path, drive_path, record, err);
    if (!code || ends_verify(code))
        return code;
    CLEANUP_FREE char *why = xstrdup(err->message);
    code = doubt(verifying, path, record, VERIFY_UNREADABLE, why, err);
    return code ? code : volume_check(verifying->options->volume, err);
}

static bool is_in_sample(const struct verify_options *options, const char *path)
{
    if (options->sample >= 1.0)
        return true;
    CLEANUP_FREE char *seeded =
        xasprintf("%llx %s", (unsigned long long)options->seed, path);
    struct hash hash = hash_of(seeded, strlen(seeded));
    unsigned lot = (unsigned)hash.bytes[0] << 16 |
                   (unsigned)hash.bytes[1] << 8 | hash.bytes[2];
    return lot < options->sample * (1 << 24);
}

static err_code visit(void *context, const char *path, const char *drive_path,
                      const struct record *record, struct error *err)
{
    struct verifying *verifying = context;
    const struct verify_options *options = verifying->options;

    if (record->type != ENTRY_FILE || verifying->has_no_proof)
        return ERR_OK;
    if (verifying->only_unproven &&
        (record->verified_ns || record->flags & (RECORD_ADOPTED | RECORD_HELD)))
        return ERR_OK;
    if (stop_flag_is_raised(options->stop))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    if (!is_in_sample(options, path)) {
        verifying->counts->skipped++;
        return ERR_OK;
    }
    current_set(options->current, path);
    err_code code = check_file(verifying, path, drive_path, record, err);
    atomic_fetch_add(&options->progress->files_done, 1);
    return code;
}

static struct verifying begin(const struct verify_options *options,
                              const struct owner *owner,
                              struct verify_counts *counts)
{
    return (struct verifying){
        .options = options,
        .owner = owner,
        .counts = counts,
        .hasher = hasher_new(),
        .chunk = xmalloc(CHUNK_BYTES),
        .pipeline = pipeline_new(),
    };
}

static err_code end(struct verifying *verifying, err_code code,
                    struct error *err)
{
    err_code committed = commit_rows(verifying, code ? NULL : err);

    hasher_free(verifying->hasher);
    free(verifying->chunk);
    pipeline_free(verifying->pipeline);
    return code ? code : committed;
}

static err_code verify_walk(struct verifying *verifying, struct error *err)
{
    struct error own = ERROR_INIT;

    if (!err)
        err = &own;
    err_code code = catalogue_walk(verifying->options->catalogue,
                                   verifying->owner, visit, verifying, err);
    return end(verifying, code, err);
}

err_code verify_owner(const struct verify_options *options,
                      const struct owner *owner, struct verify_counts *counts,
                      struct error *err)
{
    struct verifying verifying = begin(options, owner, counts);

    return verify_walk(&verifying, err);
}

err_code verify_unproven(const struct verify_options *options,
                         const struct owner *owner,
                         struct verify_counts *counts, struct error *err)
{
    struct verifying verifying = begin(options, owner, counts);

    verifying.only_unproven = true;
    return verify_walk(&verifying, err);
}

static err_code check_copied(struct verifying *verifying,
                             const struct action *action, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record record;
    err_code code =
        catalogue_find(verifying->options->catalogue, verifying->owner,
                       action->path, &arena, &record, err);

    /* It did not arrive, and was reported. */
    if (code == ERR_NOT_FOUND || (!code && record.flags & RECORD_ROTTEN))
        return ERR_OK;
    if (!code)
        code =
            visit(verifying, action->path, action_drive(action), &record, err);
    return code;
}

err_code verify_copied(const struct verify_options *options,
                       const struct owner *owner, const struct plan *plan,
                       struct verify_counts *counts, struct error *err)
{
    struct error own = ERROR_INIT;
    struct verifying verifying = begin(options, owner, counts);
    err_code code = ERR_OK;

    if (!err)
        err = &own;
    for (size_t i = 0; !code && i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        bool was_copied =
            (action->kind == ACTION_NEW || action->kind == ACTION_UPDATE) &&
            !(action->flags & ACTION_HELD);
        if (was_copied)
            code = check_copied(&verifying, action, err);
    }
    return end(&verifying, code, err);
}
