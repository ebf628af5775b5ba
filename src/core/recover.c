#include "core/recover.h"

#include "core/apply.h"
#include "core/commit.h"
#include "core/halves.h"
#include "core/replica.h"
#include "core/session.h"

#include <stdlib.h>
#include <string.h>

static err_code load_batch(struct session *session, struct batch *out,
                           struct error *err)
{
    err_code code = journal_pending_batch(session->catalogue, &out->id, err);

    if (!code && out->id)
        code = journal_read_batch(session->catalogue, out->id, &out->arena,
                                  &out->intents, err);
    if (!code)
        out->codes = xcalloc(out->intents.count, sizeof *out->codes);
    /* A flush that failed does not become good by being asked again: what it
     * was to cover is finished here, and staged anew by the run (G8). */
    out->keeps_poison = true;
    return code;
}

/* Of what is not durable all the same, the names are not known to be. */
static err_code barrier(struct session *session, const struct batch *batch,
                        struct error *err)
{
    err_code code = session_barrier(session, err);

    for (size_t i = 0; code && i < batch->intents.count; i++) {
        const struct intent *intent = &batch->intents.items[i];
        if (intent->kind == INTENT_PLACE && *intent->path &&
            journal_poison(session->catalogue, intent->owner, intent->path,
                           NULL))
            error_prefix(err, "%s is not even noted", intent->path);
    }
    return code;
}

/* `tell` writes to the volume: not where nothing can be relied on. */
static err_code commit(struct session *session, struct batch *batch, bool tell,
                       struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    struct run_counts counts = {0};
    err_code code = catalogue_list_owners(session->catalogue, &owners, err);

    if (!code && tell)
        code = replica_tell_batch(session, &owners, batch, err);
    if (!code && tell)
        code = barrier(session, batch, err);
    if (!code)
        code = commit_batch(session, &owners, batch, &counts, err);
    return code;
}

/*
 * --- a prefix was done: do the rest ---
 */

static err_code exists(struct session *session, const char *path, bool *out,
                       struct error *err)
{
    struct platform_stat stat;

    return fsops_look(&session->ops, path, out, &stat, err);
}

/* Whether a rename's second half was done: the very name, with its content. */
static err_code is_at_new_name(struct session *session,
                               const struct intent *second, bool *out,
                               struct error *err)
{
    const struct record *record = &second->record;
    err_code code = fsops_lists_name(&session->ops, second->to, out, err);

    if (code == ERR_NOT_FOUND) {
        *out = false;
        return ERR_OK;
    }
    if (code || !*out || record->type != ENTRY_FILE ||
        record->flags & RECORD_UNHASHED)
        return code;
    code = apply_check_content(session, second->to, &record->hash, err);
    *out = code == ERR_OK;
    return error_is_device_failure(code) ? code : ERR_OK;
}

/*
 * Renames through temporary names: all first halves come before all second
 * halves, so a temporary name that is there settles where the run was. With
 * none there, either nothing or all of it was done: then everything stands at
 * its new name.
 */
static err_code find_progress(struct session *session,
                              const struct intents *intents, bool *out_all_done,
                              struct error *err)
{
    CLEANUP(halves_release) struct halves halves;
    err_code code = ERR_OK;

    halves_init(&halves, intents);
    *out_all_done = true;
    for (size_t i = 0; !code && *out_all_done && i < intents->count; i++) {
        const struct intent *second = &intents->items[i];
        const struct intent *first = halves_first(&halves, second);
        bool is_half_way = false;
        if (!first)
            continue;
        code = exists(session, first->to, &is_half_way, err);
        if (is_half_way)
            *out_all_done = false;
        else if (!code)
            code = is_at_new_name(session, second, out_all_done, err);
    }
    return code;
}

/*
 * A first half is done when its temporary name is there, and when a later one
 * is: its second half is, too, then. Those from `out` on are not done.
 */
static err_code find_undone_halves(struct session *session,
                                   const struct intents *intents, size_t *out,
                                   struct error *err)
{
    err_code code = ERR_OK;
    size_t i = intents->count;

    for (; !code && i > 0; i--) {
        bool is_there = false;
        if (half_is_first(&intents->items[i - 1]))
            code = exists(session, intents->items[i - 1].to, &is_there, err);
        if (is_there)
            break;
    }
    *out = i;
    return code;
}

static bool ends_recovery(err_code code)
{
    return error_is_device_failure(code) || code == ERR_NO_SPACE;
}

static err_code redo_first_pass(struct session *session, struct batch *batch,
                                struct error *err)
{
    struct intents *intents = &batch->intents;
    bool all_done = false;
    size_t undone = intents->count;
    err_code code = find_progress(session, intents, &all_done, err);

    if (!code && !all_done)
        code = find_undone_halves(session, intents, &undone, err);
    for (size_t i = 0; !code && i < intents->count; i++) {
        struct intent *intent = &intents->items[i];
        if (!half_is_first(intent) || i >= undone)
            batch->codes[i] = apply_intent(session, intent, err);
        if (ends_recovery(batch->codes[i]))
            return batch->codes[i];
        session->repaired += !batch->codes[i];
    }
    return code;
}

/* Removes originals only after the barrier behind their copies. */
static err_code redo_unlinks(struct session *session, struct batch *batch,
                             struct error *err)
{
    for (size_t i = 0; i < batch->intents.count; i++) {
        const struct intent *intent = &batch->intents.items[i];
        if (intent->kind != INTENT_UNLINK || batch->codes[i])
            continue;
        batch->codes[i] = apply_unlink(session, intent, err);
        if (ends_recovery(batch->codes[i]))
            return batch->codes[i];
    }
    return ERR_OK;
}

err_code recover_redo(struct session *session, struct error *err)
{
    CLEANUP(batch_release) struct batch batch = BATCH_INIT;
    err_code code = load_batch(session, &batch, err);

    if (code || !batch.id)
        return code;
    code = barrier(session, &batch, err);
    if (!code)
        code = redo_first_pass(session, &batch, err);
    if (!code)
        code = barrier(session, &batch, err);
    if (!code)
        code = redo_unlinks(session, &batch, err);
    if (!code)
        code = commit(session, &batch, true, err);
    if (code)
        error_prefix(err,
                     "cannot finish what an interrupted run left on "
                     "volume %s",
                     session->volume->marker.name);
    return code;
}

/*
 * --- nothing can be relied on ---
 */

/* Whether it stands at its final name, whole: read back, by its hash. */
static err_code check_in_place(struct session *session,
                               const struct intent *intent, struct error *err)
{
    if (intent->kind == INTENT_NOTE)
        return ERR_OK;
    if (intent->kind != INTENT_PLACE || !*intent->path || intent->old_path ||
        intent->record.type != ENTRY_FILE)
        return error_set(err, ERR_CHANGED, "left to the full diff");
    return apply_check_content(session, intent->to, &intent->record.hash, err);
}

err_code recover_doubtful(struct session *session, struct error *err)
{
    CLEANUP(batch_release) struct batch batch = BATCH_INIT;
    err_code code = load_batch(session, &batch, err);

    if (code || !batch.id)
        return code;
    for (size_t i = 0; i < batch.intents.count; i++) {
        batch.codes[i] = check_in_place(session, &batch.intents.items[i], err);
        if (error_is_device_failure(batch.codes[i]))
            return batch.codes[i];
    }
    return commit(session, &batch, false, err);
}

err_code recover_drop(struct session *session, struct error *err)
{
    int64_t batch;
    err_code code = journal_pending_batch(session->catalogue, &batch, err);

    if (!code && batch)
        code = journal_forget_batch(session->catalogue, batch, err);
    return code;
}
