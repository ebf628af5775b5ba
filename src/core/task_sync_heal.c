#include "core/task_sync.h"

#include "core/base/fdio.h"
#include "core/copies.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK_BYTES ((size_t)1024 * 1024)

/* --- the sources --- */

struct reading {
    struct job_run *run;
    struct hasher *hasher;
    char *chunk;
};

static bool stop_is_asked(const struct reading *reading)
{
    return stop_flag_is_raised(&reading->run->syncing->task->stop);
}

static err_code hash_source(struct reading *reading, int fd, int64_t size_bytes,
                            struct hash *out, struct error *err)
{
    enum platform_proof proof;
    ssize_t got;

    hasher_reset(reading->hasher);
    if (platform_drop_cache(fd, size_bytes, &proof, NULL))
        proof = PLATFORM_PROOF_CACHE; /* then from memory: better than not */
    platform_advise_sequential(fd);
    while ((got = fd_read_full(fd, reading->chunk, CHUNK_BYTES)) > 0) {
        hasher_add(reading->hasher, reading->chunk, (size_t)got);
        if (stop_is_asked(reading))
            return error_set(err, ERR_CANCELLED, "stopped on request");
    }
    if (got < 0)
        return error_set_errno(err, errno, "cannot read");
    *out = hasher_digest(reading->hasher);
    return ERR_OK;
}

/* Whether the file is still the one that the row was written of. */
static err_code is_as_recorded(int fd, const struct record *row, bool *out,
                               struct error *err)
{
    struct platform_stat stat;
    err_code code = platform_stat_fd(fd, &stat, err);

    if (code)
        return code;
    struct signature now = signature_of(&stat);
    *out = signature_compare(&row->source, &now) == SIGNATURE_SAME;
    return ERR_OK;
}

static void found(struct reading *reading, const char *path,
                  enum verify_finding finding, const char *message)
{
    struct job_run *run = reading->run;

    run->info.sources_rotten++;
    task_post_finding(run->syncing->task, run->pair->job->name, path, finding,
                      message);
}

static void found_rot(struct reading *reading, const char *path,
                      const struct record *row)
{
    const char *volume = reading->run->syncing->config->name;
    CLEANUP_FREE char *message =
        row->flags & RECORD_ROTTEN
            ? xasprintf("the copy on %s is rotten, too", volume)
        : row->flags & RECORD_ADOPTED
            ? xasprintf("its copy on %s was adopted: which of the two is right "
                        "berth cannot know. `berth restore --to DIR` puts it "
                        "beside for a look; a `touch` of the source has it "
                        "copied over it",
                        volume)
            : xasprintf("the copy on %s is what was written: `berth restore "
                        "--replace` brings it back",
                        volume);
    enum verify_finding finding =
        row->flags & RECORD_ADOPTED ? VERIFY_DIFFERENT : VERIFY_SOURCE_ROT;

    found(reading, path, finding, message);
}

static err_code read_source(struct reading *reading, const char *path,
                            const char *raw, const struct record *row,
                            struct error *err)
{
    CLEANUP_FD int fd = -1;
    struct hash hash;
    bool is_same = false;
    err_code code = source_open(&reading->run->prepared.source, raw,
                                PLATFORM_OPEN_READ, &fd, err);

    if (!code)
        code = is_as_recorded(fd, row, &is_same, err);
    if (code || !is_same)
        return code;
    code = hash_source(reading, fd, row->source.size_bytes, &hash, err);
    if (!code)
        code = is_as_recorded(fd, row, &is_same, err);
    if (code || !is_same)
        return code;
    reading->run->info.sources_read++;
    if (!hash_equal(&hash, &row->hash))
        found_rot(reading, path, row);
    return ERR_OK;
}

static err_code visit(void *context, const struct copies_entry *entry,
                      struct error *err)
{
    const unsigned no_hash = RECORD_SQLITE | RECORD_UNHASHED | RECORD_RACY |
                             RECORD_CLAIMED | RECORD_HELD | RECORD_OFFLOADED;
    const struct record *row = entry->rows[0];
    struct reading *reading = context;
    struct error own = ERROR_INIT;

    if (row->type != ENTRY_FILE || row->flags & no_hash)
        return ERR_OK;
    if (stop_is_asked(reading))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    current_set(&reading->run->syncing->task->progress.current, entry->path);
    err_code code = read_source(reading, entry->path, entry->raw, row, &own);
    if (code == ERR_CANCELLED)
        return error_set(err, code, "%s", own.message);
    /* Gone or something else now: that is a change, and sync's business. */
    if (code && code != ERR_NOT_FOUND && code != ERR_CHANGED) {
        CLEANUP_FREE char *message =
            xasprintf("in the source: %s", own.message);
        found(reading, entry->path, VERIFY_UNREADABLE, message);
    }
    return ERR_OK;
}

err_code sync_read_sources(struct job_run *run, struct error *err)
{
    const struct copies_side side = {run->syncing->catalogue,
                                     &run->prepared.owner};
    struct reading reading = {run, hasher_new(), xmalloc(CHUNK_BYTES)};
    err_code code = ERR_OK;

    if (run->prepared.has_owner)
        code = copies_walk(&side, 1, "", visit, &reading, err);
    hasher_free(reading.hasher);
    free(reading.chunk);
    return code;
}

/* --- the plan --- */

void sync_keep_rotten(struct plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].reason == REASON_ROTTEN ||
            plan->items[i].reason == REASON_LOSS)
            plan->items[kept++] = plan->items[i];
    plan->count = kept;
    plan_total(plan);
}
