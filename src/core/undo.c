#include "core/undo.h"

#include "core/apply.h"
#include "core/base/array.h"
#include "core/commit.h"
#include "core/execute.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_STEPS ((size_t)4096)
/* Left free for directories and the filesystem itself. */
#define RESERVE_BYTES ((int64_t)4 * 1024 * 1024)

struct undoing {
    struct session *session;
    struct undo *undo;
    const struct stop_flag *stop;
    const struct undo_failure *failure;
    struct run_counts *counts;
    struct owners owners;
    struct copier *copier;
};

void undo_release(struct undo *undo)
{
    free(undo->items);
    arena_release(&undo->arena);
    *undo = (struct undo){.items = NULL};
}

static void tell(struct undoing *undoing, const char *path, err_code code,
                 const char *message)
{
    undoing->counts->failed++;
    undoing->session->is_doubtful = true;
    undoing->failure->failed(undoing->failure->context, path, code, message);
}

/*
 * --- copies ---
 */

/* The content of a sole copy, staged: its old name stays until the copy is
 * behind a barrier. */
static err_code stage(struct undoing *undoing, struct intent *intent,
                      struct error *err)
{
    struct session *session = undoing->session;
    CLEANUP_FREE char *staged = session_new_staged(session);
    const char *path = arena_strdup(&undoing->undo->arena, staged);
    struct copy_result result;
    err_code code =
        copy_within_volume(undoing->copier, intent->from, path, &result, err);

    if (code)
        return code;
    if (intent->kind == INTENT_RETIRE) {
        intent->kind = INTENT_UNLINK;
        intent->to = path;
        intent->record = result.record;
        return ERR_OK;
    }
    if (!(intent->record.flags & RECORD_UNHASHED) &&
        !hash_equal(&result.record.hash, &intent->record.hash))
        return error_set(err, ERR_CORRUPT,
                         "rot: its version is not what was written there");
    intent->from = path;
    return ERR_OK;
}

static err_code stage_all(struct undoing *undoing, size_t first, size_t end,
                          struct batch *batch, struct error *err)
{
    struct intents *intents = &batch->intents;

    for (size_t i = first; i < end; i++) {
        const struct undo_step *step = &undoing->undo->items[i];
        struct intent intent = step->intent;
        err_code code = step->is_copied ? stage(undoing, &intent, err) : ERR_OK;
        if (error_is_device_failure(code) || code == ERR_NO_SPACE ||
            code == ERR_CANCELLED)
            return code;
        if (code)
            tell(undoing, intent.path, code, err->message);
        else
            ARRAY_PUSH(intents, intent);
    }
    batch->codes = xcalloc(intents->count, sizeof *batch->codes);
    return ERR_OK;
}

/*
 * --- one batch ---
 */

static bool is_first_half(const struct intent *intent)
{
    return intent->kind == INTENT_PLACE && !*intent->path;
}

/* What cannot go on goes back, and nothing of its group is done. */
static void put_back(struct undoing *undoing, struct batch *batch, size_t at)
{
    struct intents *intents = &batch->intents;
    struct fsops *ops = &undoing->session->ops;

    if (!intents->count || !is_first_half(&intents->items[0]))
        return;
    for (size_t i = intents->count; i-- > 0;) {
        const struct intent *intent = &intents->items[i];
        bool is_done = i < at && !batch->codes[i];
        batch->codes[i] = ERR_CHANGED;
        if (is_done && fsops_rename(ops, intent->to, intent->from, NULL))
            tell(undoing, intent->from, ERR_CHANGED,
                 "could not be put back: the next sync copies it");
    }
}

static err_code apply(struct undoing *undoing, struct batch *batch,
                      bool unlinks, struct error *err)
{
    struct session *session = undoing->session;

    for (size_t i = 0; i < batch->intents.count; i++) {
        struct intent *intent = &batch->intents.items[i];
        if (batch->codes[i] || (unlinks && intent->kind != INTENT_UNLINK))
            continue;
        err_code code = unlinks ? apply_unlink(session, intent, err)
                                : apply_intent(session, intent, err);
        batch->codes[i] = code;
        if (error_is_device_failure(code))
            return code;
        if (!code || (code == ERR_EXISTS && intent->kind == INTENT_RMDIR))
            continue; /* something in it is not ours */
        tell(undoing, *intent->path ? intent->path : intent->from, code,
             err->message);
        put_back(undoing, batch, i);
    }
    return ERR_OK;
}

static bool has_unlinks(const struct batch *batch)
{
    for (size_t i = 0; i < batch->intents.count; i++)
        if (batch->intents.items[i].kind == INTENT_UNLINK && !batch->codes[i])
            return true;
    return false;
}

static err_code run_batch(struct undoing *undoing, size_t first, size_t end,
                          struct error *err)
{
    CLEANUP(batch_release) struct batch batch = BATCH_INIT;
    struct session *session = undoing->session;
    err_code code = stage_all(undoing, first, end, &batch, err);

    if (!code)
        code = volume_check(session->volume, err);
    if (!code)
        code = session_barrier(session, err);
    if (!code)
        code = journal_record(session->catalogue, session->id, &batch.intents,
                              &batch.id, err);
    if (!code)
        code = apply(undoing, &batch, false, err);
    if (!code && has_unlinks(&batch)) {
        code = session_barrier(session, err);
        if (!code)
            code = apply(undoing, &batch, true, err);
    }
    if (!code)
        code = session_barrier(session, err);
    if (!code)
        code = commit_batch(session, &undoing->owners, &batch, undoing->counts,
                            err);
    return code;
}

/* A group of renames through temporary names is never parted. */
static size_t batch_end(const struct undo *undo, size_t first)
{
    bool is_group = is_first_half(&undo->items[first].intent);
    size_t end = first + 1;

    while (end < undo->count && !undo->items[end].begins_batch &&
           (is_group || end - first < BATCH_STEPS))
        end++;
    return end;
}

static err_code run_batches(struct undoing *undoing, struct error *err)
{
    size_t end;
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < undoing->undo->count; i = end) {
        if (stop_flag_is_raised(undoing->stop))
            return error_set(err, ERR_CANCELLED, "stopped on request");
        end = batch_end(undoing->undo, i);
        code = run_batch(undoing, i, end, err);
    }
    return code;
}

static err_code check_space(const struct undoing *undoing, struct error *err)
{
    struct platform_space space;
    err_code code =
        platform_space(undoing->session->volume->root_fd, &space, err);
    int64_t slack = (int64_t)undoing->undo->count * space.cluster_bytes;

    if (!code &&
        undoing->undo->copied_bytes + slack + RESERVE_BYTES > space.free_bytes)
        code = error_set(err, ERR_NO_SPACE,
                         "volume %s is too full to take the run back safely: "
                         "`berth prune --free SIZE` makes room",
                         undoing->session->volume->marker.name);
    return code;
}

err_code undo_carry_out(struct session *session, struct undo *undo,
                        const struct stop_flag *stop,
                        const struct undo_failure *failure,
                        struct run_counts *counts, struct error *err)
{
    _Atomic int64_t written = 0;
    const struct copy_context context = {
        .volume_fd = session->volume->root_fd,
        .metadata = traits_metadata(&session->traits),
        .stop = stop,
        .bytes_written = &written,
    };
    struct undoing undoing = {
        .session = session,
        .undo = undo,
        .stop = stop,
        .failure = failure,
        .counts = counts,
    };
    err_code code =
        catalogue_list_owners(session->catalogue, &undoing.owners, err);

    if (!code && undo->copied_bytes)
        code = check_space(&undoing, err);
    undoing.copier = copier_new(&context);
    if (!code)
        code = run_batches(&undoing, err);
    copier_free(undoing.copier);
    owners_release(&undoing.owners);
    return code;
}
