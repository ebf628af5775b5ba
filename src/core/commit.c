#include "core/commit.h"

#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/db.h"
#include "core/marker.h"
#include "core/replica.h"

#include <stdlib.h>

void batch_release(struct batch *batch)
{
    intents_release(&batch->intents);
    free(batch->codes);
    arena_release(&batch->arena);
    *batch = (struct batch)BATCH_INIT;
}

/* The row as it was before this batch; ERR_NOT_FOUND is no failure. */
static err_code find_old(struct catalogue *catalogue, const struct owner *owner,
                         const char *path, struct arena *arena,
                         struct record *out, bool *out_found, struct error *err)
{
    err_code code = catalogue_find(catalogue, owner, path, arena, out, err);

    *out_found = code == ERR_OK;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* What gave way to something new, or was deleted, is a version now. */
static err_code add_version(struct catalogue *catalogue,
                            struct commit_when when, const struct owner *owner,
                            const struct intent *intent, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct version version = {
        .owner = owner->id,
        .path = intent->path,
        .drive_path = intent->version,
        .reason = intent->reason,
        .run = when.run,
        .created_ns = when.now_ns,
    };
    err_code code = find_old(catalogue, owner, intent->path, &arena,
                             &version.record, &version.has_record, err);

    if (!code)
        code = catalogue_add_version(catalogue, &version, err);
    return code;
}

static err_code commit_placed(struct catalogue *catalogue,
                              struct commit_when when,
                              const struct owner *owner,
                              const struct intent *intent, struct error *err)
{
    err_code code = ERR_OK;

    if (!*intent->path) /* half of a rename through a temporary name */
        return ERR_OK;
    if (intent->version && intent->before.size_bytes != NO_SIZE)
        code = add_version(catalogue, when, owner, intent, err);
    if (!code && intent->record.type == ENTRY_DIRECTORY)
        return catalogue_move_directory(catalogue, owner, intent->old_path,
                                        intent->path, &intent->record, err);
    if (!code && intent->old_path)
        code = catalogue_remove(catalogue, owner, intent->old_path, err);
    if (!code && intent_uses_version(intent)) /* an undo */
        code =
            catalogue_remove_version(catalogue, owner->id, intent->from, err);
    if (!code)
        code = intent->forget
                   ? catalogue_remove_file(catalogue, owner, intent->path, err)
                   : catalogue_put(catalogue, owner, intent->path,
                                   &intent->record, err);
    if (!code && !when.keeps_poison)
        code = journal_unpoison(catalogue, owner->id, intent->path, err);
    return code;
}

static err_code commit_removed(struct catalogue *catalogue,
                               struct commit_when when,
                               const struct owner *owner,
                               const struct intent *intent, struct error *err)
{
    err_code code = ERR_OK;

    if (intent->version)
        code = add_version(catalogue, when, owner, intent, err);
    if (code)
        return code;
    return intent->kind == INTENT_RETIRE || intent->kind == INTENT_UNLINK
               ? catalogue_remove_file(catalogue, owner, intent->path, err)
               : catalogue_remove(catalogue, owner, intent->path, err);
}

err_code commit_change(struct catalogue *catalogue, struct commit_when when,
                       const struct owner *owner, const struct intent *intent,
                       struct error *err)
{
    switch (intent->kind) {
    case INTENT_PLACE:
        return commit_placed(catalogue, when, owner, intent, err);
    case INTENT_RETIRE:
    case INTENT_UNLINK:
    case INTENT_RMDIR:
        return commit_removed(catalogue, when, owner, intent, err);
    case INTENT_NOTE:
        if (intent->forget)
            return commit_removed(catalogue, when, owner, intent, err);
        break;
    case INTENT_PRUNE:
        return catalogue_remove_version(catalogue, owner->id, intent->from,
                                        err);
    case INTENT_MKDIR:
    case INTENT_TOUCH:
        break;
    }
    return catalogue_put(catalogue, owner, intent->path, &intent->record, err);
}

err_code commit_prepare(struct session *session, struct batch *batch,
                        struct error *err)
{
    if (batch->committed_ns)
        return ERR_OK;
    int64_t now = clock_now_ns();
    for (size_t i = 0; i < batch->intents.count; i++) {
        struct intent *intent = &batch->intents.items[i];
        struct platform_stat stat;
        bool was_made = true;
        if (batch->codes[i])
            continue;
        if (!intent->record.committed_ns)
            intent->record.committed_ns = now;
        err_code code = ERR_OK;
        if (intent->version)
            code = fsops_look(&session->ops, intent->version, &was_made, &stat,
                              err);
        if (code)
            return code;
        if (!was_made) /* nothing stood there after all */
            intent->version = NULL;
    }
    batch->committed_ns = now;
    return ERR_OK;
}

/*
 * --- history ---
 */

static enum history_deed count_placed(const struct intent *intent,
                                      struct run_counts *counts)
{
    if (intent->old_path) {
        counts->files_renamed++;
        return DEED_RENAMED;
    }
    counts->bytes_copied += intent->record.stamp.size_bytes;
    if (intent->before.size_bytes == NO_SIZE) {
        counts->files_new++;
        return DEED_NEW;
    }
    counts->files_updated++;
    return DEED_UPDATED;
}

/* 0: not worth telling. */
static enum history_deed count_deed(const struct intent *intent,
                                    struct run_counts *counts)
{
    switch (intent->kind) {
    case INTENT_PLACE:
        return *intent->path ? count_placed(intent, counts) : 0;
    case INTENT_RETIRE:
    case INTENT_UNLINK:
        counts->files_deleted++;
        return DEED_DELETED;
    case INTENT_MKDIR:
        counts->directories_made++;
        return DEED_MADE_DIRECTORY;
    case INTENT_RMDIR:
        counts->directories_removed++;
        return DEED_REMOVED_DIRECTORY;
    case INTENT_PRUNE:
        return DEED_PRUNED;
    case INTENT_TOUCH:
    case INTENT_NOTE:
        break;
    }
    return 0;
}

static err_code tell(struct session *session, const struct owner *owner,
                     const struct intent *intent, struct run_counts *counts,
                     struct error *err)
{
    enum history_deed deed = count_deed(intent, counts);
    struct run_item item = {
        .deed = deed,
        .job = owner->job,
        .path = intent->path,
        .detail = intent->old_path,
        .size_bytes = intent->record.stamp.size_bytes,
    };

    return deed ? history_add_item(session->catalogue, session->run, &item, err)
                : ERR_OK;
}

static const struct owner *find_owner(const struct owners *owners, int64_t id)
{
    for (size_t i = 0; i < owners->count; i++)
        if (owners->items[i].id == id)
            return &owners->items[i];
    return NULL;
}

static err_code commit_all(struct session *session, const struct owners *owners,
                           struct batch *batch, struct run_counts *counts,
                           struct error *err)
{
    const struct commit_when when = {session->run, batch->committed_ns,
                                     batch->keeps_poison};
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < batch->intents.count; i++) {
        const struct intent *intent = &batch->intents.items[i];
        const struct owner *owner = find_owner(owners, intent->owner);
        if (batch->codes[i] || !owner)
            continue;
        code = commit_change(session->catalogue, when, owner, intent, err);
        if (code == ERR_NOT_FOUND) {
            /* Its directory could not be recorded: the next diff, a full
             * one, adopts what is there. */
            session->is_doubtful = true;
            code = ERR_OK;
            continue;
        }
        if (!code)
            code = tell(session, owner, intent, counts, err);
    }
    return code;
}

err_code commit_batch(struct session *session, const struct owners *owners,
                      struct batch *batch, struct run_counts *counts,
                      struct error *err)
{
    struct db *db = catalogue_db(session->catalogue);
    struct run_counts grown = *counts;
    err_code code = commit_prepare(session, batch, err);

    if (!code)
        code = db_begin(db, err);
    if (code)
        return code;
    code = commit_all(session, owners, batch, &grown, err);
    if (!code)
        code = replica_note_batch(session, batch, err);
    if (!code && batch->id)
        code = journal_forget_batch(session->catalogue, batch->id, err);
    if (!code && session->id)
        code = journal_set_state(session->catalogue, session->id,
                                 SESSION_AT_REST, err);
    code = db_end(db, code, err);
    if (!code)
        *counts = grown;
    return code;
}
