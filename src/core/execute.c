#include "core/execute.h"

#include "core/apply.h"
#include "core/base/array.h"
#include "core/base/path.h"
#include "core/execute_build.h"
#include "core/execute_directories.h"
#include "core/execute_report.h"
#include "core/execute_resume.h"
#include "core/guard.h"
#include "core/halves.h"
#include "core/replica.h"
#include "core/sqlite_copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * A batch is what a power cut can undo, and what has to be journalled at
 * once: large enough that two barriers don't matter. Tests that kill at every
 * call are built with smaller ones.
 */
#define BATCH_BYTES ((int64_t)256 * 1024 * 1024)
#ifndef BATCH_FILES
#define BATCH_FILES ((size_t)4096)
#endif
/* Kept free for directories, versions and the filesystem itself. */
#define RESERVE_BYTES ((int64_t)4 * 1024 * 1024)
#define RESERVE_CLUSTERS 128

struct executor {
    const struct execute_options *options;
    struct session *session;
    struct copy_context copy;
    pthread_mutex_t turn; /* to write a large file to a disk that spins */
    struct owners owners;
    struct steps steps;
    struct run_counts *counts;
    /*
     * Applied, not committed: on a volume with a journal a batch's renames
     * are covered by the next batch's barrier.
     */
    struct batch waiting;
    struct execute_report report;
};

static void report(struct executor *executor, const char *path, err_code code,
                   const char *message)
{
    executor->counts->failed++;
    execute_report_failure(&executor->report, executor->options, path, code,
                           message);
}

/* --- one batch: stage --- */

static int64_t step_bytes(const struct step *step)
{
    return step->kind == STEP_COPY || step->kind == STEP_DELETE
               ? step->action->size_bytes
               : 0;
}

/* +1: a file goes to a temporary name; -1: it leaves that for its new one. */
static int temporary_change(const struct step *step)
{
    return (step->kind == STEP_RENAME_AWAY) - (step->kind == STEP_RENAME_BACK);
}

/*
 * How many steps from `first` on make one batch. Never just the first half of
 * a rename: between two batches staging is nobody's, and a run that ends there
 * empties it.
 */
static size_t batch_length(const struct executor *executor, size_t first)
{
    const struct steps *steps = &executor->steps;
    bool renames_are_torn = !executor->session->traits.has_journal;
    int64_t bytes = 0, temporaries = 0;
    size_t i = first;

    while (i < steps->count) {
        const struct step *step = &steps->items[i];
        bool is_large_sole_copy = step->kind == STEP_DELETE &&
                                  renames_are_torn &&
                                  step_bytes(step) > SOLE_COPY_LIMIT_BYTES;
        /* Renamed alone between two barriers (ENGINE G3). */
        if (is_large_sole_copy)
            return i == first ? 1 : i - first;
        bytes += step_bytes(step);
        temporaries += temporary_change(step);
        i++;
        if (step->ends_batch || (!temporaries && (bytes >= BATCH_BYTES ||
                                                  i - first >= BATCH_FILES)))
            break;
    }
    return i - first;
}

static err_code prepare_items(struct executor *executor, size_t first,
                              size_t length, struct arena *arena,
                              struct stage_items *out, struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = first; !code && i < first + length; i++) {
        struct stage_item item;
        code = build_stage_item(executor->options, &executor->steps.items[i],
                                arena, &item, err);
        if (code)
            break;
        execute_name_resumable(executor->options, &executor->copy, &item);
        ARRAY_PUSH(out, item);
    }
    return code;
}

static void leave_out(struct stage_item *item, err_code code,
                      const char *message)
{
    item->from = STAGE_NOTHING;
    item->code = code;
    item->message = xstrdup(message);
}

/* What does not fit is not tried: a full volume takes no renames either. */
static err_code leave_out_what_does_not_fit(struct executor *executor,
                                            struct stage_items *items,
                                            struct error *err)
{
    struct platform_space space;
    err_code code =
        platform_space(executor->session->volume->root_fd, &space, err);

    if (code)
        return code;
    int64_t cluster = space.cluster_bytes > 0 ? space.cluster_bytes : 4096;
    int64_t reserve = cluster * RESERVE_CLUSTERS > RESERVE_BYTES
                          ? cluster * RESERVE_CLUSTERS
                          : RESERVE_BYTES;
    int64_t longest =
        traits_longest_file(executor->session->volume->mount.family);
    int64_t left = space.free_bytes - reserve;
    for (size_t i = 0; i < items->count; i++) {
        struct stage_item *item = &items->items[i];
        if (item->from == STAGE_NOTHING)
            continue;
        if (item->step->action->size_bytes > longest) {
            leave_out(item, ERR_UNSUPPORTED,
                      "FAT holds no file of 4 GiB or more: the drive needs "
                      "another filesystem, exFAT for example");
            continue;
        }
        int64_t size = item->step->action->size_bytes - item->kept_bytes;
        int64_t needed = (size + cluster - 1) / cluster * cluster;
        if (needed <= left) {
            left -= needed;
            continue;
        }
        leave_out(item, ERR_NO_SPACE, "no space for it on the volume");
    }
    return ERR_OK;
}

/* --- one batch: record, apply, commit --- */

/* What was written since the last good barrier cannot be trusted (G8). */
static void poison(struct executor *executor, const struct batch *batch)
{
    for (size_t i = 0; i < batch->intents.count; i++) {
        const struct intent *intent = &batch->intents.items[i];
        if (intent->kind != INTENT_PLACE || !*intent->path)
            continue;
        if (journal_poison(executor->session->catalogue, intent->owner,
                           intent->path, NULL))
            report(executor, intent->path, ERR_INTERNAL,
                   "could not be marked as doubtful after a failed flush");
    }
}

static err_code barrier(struct executor *executor, const struct batch *current,
                        struct error *err)
{
    err_code code = session_barrier(executor->session, err);

    if (!code)
        return ERR_OK;
    poison(executor, &executor->waiting);
    if (current)
        poison(executor, current);
    return code;
}

static void count_durable(struct executor *executor, const struct batch *batch)
{
    struct run_progress *progress = executor->options->progress;

    for (size_t i = 0; i < batch->intents.count; i++) {
        const struct intent *intent = &batch->intents.items[i];
        if (batch->codes[i] || intent->kind != INTENT_PLACE || intent->old_path)
            continue;
        atomic_fetch_add(&progress->files_durable, 1);
        atomic_fetch_add(&progress->bytes_durable,
                         intent->record.stamp.size_bytes);
    }
    lock_publish(&executor->session->lock,
                 atomic_load(&progress->bytes_durable),
                 atomic_load(&progress->bytes_total));
}

static err_code commit(struct executor *executor, struct batch *batch,
                       struct error *err)
{
    if (!batch->intents.count)
        return ERR_OK;
    err_code code = commit_batch(executor->session, &executor->owners, batch,
                                 executor->counts, err);
    if (!code)
        count_durable(executor, batch);
    if (!code)
        code = execute_forget_resumed(&executor->copy, batch, err);
    batch_release(batch);
    return code;
}

static bool is_in_source(struct executor *executor,
                         const struct stage_item *item)
{
    struct platform_stat stat;

    return source_stat(executor->options->source,
                       action_raw(item->step->action), &stat,
                       NULL) != ERR_NOT_FOUND;
}

/* A -wal whose database did not arrive belongs to the drive's old one. */
static bool is_still_needed(const struct executor *executor,
                            const struct action *action)
{
    const struct execute_report *report = &executor->report;

    if (action->kind != ACTION_DELETE || action->reason != REASON_STALE_SIDE)
        return false;
    size_t length = sqlite_side_file_base(action->path);
    for (size_t i = 0; i < report->count; i++)
        if (strlen(report->items[i].path) == length &&
            !strncmp(report->items[i].path, action->path, length))
            return true;
    return false;
}

static void collect_intents(struct executor *executor,
                            struct stage_items *items, struct batch *batch)
{
    for (size_t i = 0; i < items->count; i++) {
        struct stage_item *item = &items->items[i];
        struct error err = ERROR_INIT;
        const char *message = item->message ? item->message : err.message;
        err_code code = item->code;
        if (is_still_needed(executor, item->step->action)) {
            executor->session->is_doubtful = true; /* the next run looks */
            executor->counts->skipped++;
            continue;
        }
        if (!code)
            code = build_intent(executor->options, item, batch, &err);
        if (!code && item->result.lost_attributes)
            report(executor, item->step->action->path, ERR_UNSUPPORTED,
                   "copied without its extended attributes: they cannot be "
                   "read, or are more than 64 KiB");
        /* What vanished from the source meanwhile is the next run's delete. */
        if (code == ERR_NOT_FOUND && !is_in_source(executor, item))
            executor->counts->skipped++;
        else if (code && code != ERR_CANCELLED)
            report(executor, item->step->action->path, code, message);
    }
    halves_drop_lone(&batch->intents);
    batch->codes = xcalloc(batch->intents.count, sizeof *batch->codes);
}

static bool changes_volume(const struct batch *batch)
{
    for (size_t i = 0; i < batch->intents.count; i++)
        if (batch->intents.items[i].kind != INTENT_NOTE)
            return true;
    return false;
}

/* What could not go on to its new name goes back to its old one: staging is
 * emptied at the end. */
static void put_back(struct executor *executor, const struct intent *first)
{
    if (first &&
        fsops_rename(&executor->session->ops, first->to, first->from, NULL))
        executor->session->is_doubtful = true; /* the next run copies it */
}

/*
 * Returns only what ends the run; a single failure is reported. A directory
 * that is not empty is kept: something in it is not ours.
 */
static err_code apply_batch(struct executor *executor, struct batch *batch,
                            bool unlinks, struct error *err)
{
    CLEANUP(halves_release) struct halves halves;

    halves_init(&halves, &batch->intents);
    for (size_t i = 0; i < batch->intents.count; i++) {
        struct intent *intent = &batch->intents.items[i];
        if (batch->codes[i] || (unlinks && intent->kind != INTENT_UNLINK))
            continue;
        const struct intent *first = halves_first(&halves, intent);
        /* A first half that failed takes its second half along. */
        if (first && batch->codes[first - batch->intents.items])
            batch->codes[i] = error_set(err, ERR_CHANGED,
                                        "could not be moved out of the way");
        else
            batch->codes[i] =
                unlinks ? apply_unlink(executor->session, intent, err)
                        : apply_intent(executor->session, intent, err);
        err_code code = batch->codes[i];
        if (error_is_device_failure(code))
            return code;
        if (code == ERR_EXISTS && intent->kind == INTENT_RMDIR) {
            executor->session->is_doubtful = true; /* a look tells why */
            continue;
        }
        if (!code || code == ERR_CANCELLED)
            continue;
        executor->session->is_doubtful = true;
        report(executor, intent->path, code, err->message);
        put_back(executor, first);
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

/* Committed with the next barrier, whoever asks for it. */
static void wait_for_barrier(struct executor *executor, struct batch *batch)
{
    executor->waiting = *batch;
    *batch = (struct batch)BATCH_INIT;
}

/* Nothing on the volume changes but what it is told. */
static err_code note(struct executor *executor, struct batch *batch,
                     struct error *err)
{
    struct session *session = executor->session;

    if (!session->id) /* a read-only mount */
        return commit(executor, batch, err);
    err_code code = replica_tell_batch(session, &executor->owners, batch, err);
    if (!code)
        wait_for_barrier(executor, batch);
    return code;
}

/* Recorded: from here on a kill is repaired by the next run. */
static err_code carry_out(struct executor *executor, struct batch *batch,
                          struct error *err)
{
    struct session *session = executor->session;
    err_code code = journal_record(session->catalogue, session->id,
                                   &batch->intents, &batch->id, err);

    if (!code)
        code = apply_batch(executor, batch, false, err);
    if (!code && has_unlinks(batch)) {
        code = barrier(executor, batch, err);
        if (!code)
            code = apply_batch(executor, batch, true, err);
    }
    if (!code)
        code = replica_tell_batch(session, &executor->owners, batch, err);
    if (code)
        return code;
    if (session->traits.has_journal) {
        wait_for_barrier(executor, batch);
        return ERR_OK;
    }
    code = barrier(executor, batch, err);
    return code ? code : commit(executor, batch, err);
}

/* Everything that was applied so far becomes durable and is committed. */
static err_code settle(struct executor *executor, struct error *err)
{
    if (!executor->waiting.intents.count)
        return ERR_OK;
    err_code code = barrier(executor, NULL, err);
    return code ? code : commit(executor, &executor->waiting, err);
}

/* A batch from its staging to its renames. */
struct coming {
    size_t first, length;
    struct stage_items *items; /* the workers hold on to it */
    struct staging *staging;
    struct batch batch; /* its arena holds the items' paths */
};

static void coming_release(struct coming *coming)
{
    stage_end(coming->staging);
    if (coming->items)
        stage_items_release(coming->items);
    free(coming->items);
    batch_release(&coming->batch);
    *coming = (struct coming){.batch = BATCH_INIT};
}

static err_code begin_batch(struct executor *executor, size_t first,
                            struct coming *out, struct error *err)
{
    out->first = first;
    out->length = batch_length(executor, first);
    out->items = xcalloc(1, sizeof *out->items);
    err_code code = prepare_items(executor, first, out->length,
                                  &out->batch.arena, out->items, err);

    if (!code)
        code = leave_out_what_does_not_fit(executor, out->items, err);
    if (!code)
        out->staging = stage_begin(executor->session, &executor->copy,
                                   executor->options->workers, out->items);
    return code;
}

static err_code finish_batch(struct executor *executor, struct coming *coming,
                             struct error *err)
{
    struct batch *batch = &coming->batch;
    /* The drive is asked who it is at each commit, and after every failure. */
    err_code code = volume_check(executor->session->volume, err);

    if (!code)
        code = barrier(executor, NULL, err);
    if (!code)
        code = commit(executor, &executor->waiting, err);
    if (code)
        return code;
    collect_intents(executor, coming->items, batch);
    if (!batch->intents.count)
        return ERR_OK;
    if (!changes_volume(batch))
        return note(executor, batch, err);
    return carry_out(executor, batch, err);
}

/* Whether all these steps only add, from the source. */
static bool only_adds(const struct executor *executor, size_t first,
                      size_t length)
{
    for (size_t i = first; i < first + length; i++) {
        enum step_kind kind = executor->steps.items[i].kind;
        if (kind != STEP_COPY && kind != STEP_MKDIR && kind != STEP_NOTE)
            return false;
    }
    return true;
}

/*
 * While one batch is flushed, renamed and recorded, the next may be staged
 * already: should the flush fail, the run ends and nothing of it was used. Not
 * where a power cut tears directories: there a batch stays alone between its
 * barriers; nor when anything is moved or goes away.
 */
static bool may_overlap(const struct executor *executor,
                        const struct coming *now, size_t next)
{
    if (!executor->session->traits.has_journal ||
        next >= executor->steps.count ||
        stop_flag_is_raised(executor->options->stop))
        return false;
    return only_adds(executor, now->first, now->length) &&
           only_adds(executor, next, batch_length(executor, next));
}

static err_code run_batches(struct executor *executor, struct error *err)
{
    struct coming now = {.batch = BATCH_INIT};
    size_t done = 0;
    err_code code = ERR_OK;

    while (!code && done < executor->steps.count) {
        struct coming next = {.batch = BATCH_INIT};
        if (!now.staging && stop_flag_is_raised(executor->options->stop))
            break;
        if (!now.staging)
            code = begin_batch(executor, done, &now, err);
        if (!code) {
            stage_wait(now.staging);
            done += now.length;
            if (may_overlap(executor, &now, done))
                code = begin_batch(executor, done, &next, err);
        }
        if (!code)
            code = finish_batch(executor, &now, err);
        coming_release(&now);
        now = next;
    }
    coming_release(&now);
    if (!code)
        code = settle(executor, err);
    if (!code && stop_flag_is_raised(executor->options->stop))
        code = error_set(err, ERR_CANCELLED, "stopped on request");
    return code;
}

/* --- the whole --- */

static void fill_copy_context(struct executor *executor)
{
    const struct execute_options *options = executor->options;

    executor->copy = (struct copy_context){
        .source = options->source,
        .volume_fd = executor->session->volume->root_fd,
        .metadata = traits_metadata(&executor->session->traits),
        .program = options->program,
        .scratch = options->scratch,
        .bandwidth = options->bandwidth,
        .workers = options->workers ? (int64_t)options->workers : 1,
        .stop = options->stop,
        .bytes_written = &options->progress->bytes_written,
        .current = options->current,
        .turn = options->is_spinning ? &executor->turn : NULL,
    };
}

err_code execute_plan(const struct execute_options *options,
                      struct run_counts *counts, struct error *err)
{
    struct error own = ERROR_INIT;
    struct executor executor = {
        .options = options,
        .session = options->session,
        .counts = counts,
        .waiting = BATCH_INIT,
    };

    if (!err)
        err = &own;
    mutex_init(&executor.turn);
    fill_copy_context(&executor);
    order_plan(options->plan, &options->session->traits.names, &executor.steps);
    err_code code = catalogue_list_owners(options->session->catalogue,
                                          &executor.owners, err);
    if (!code)
        code = execute_ensure_job_directory(options, err);
    if (!code)
        code = execute_open_resumes(options, &executor.copy, err);
    if (!code)
        code = run_batches(&executor, err);
    err_code closed = execute_close_resumes(options, &executor.copy, !code,
                                            code ? NULL : err);
    if (!code)
        code = closed;
    if (!code || code == ERR_CANCELLED) {
        err_code finished =
            execute_finish_directories(options, counts, &executor.report, err);
        code = finished ? finished : code;
    }
    if (!code && executor.report.without_space)
        code = error_set(err, ERR_NO_SPACE,
                         "volume %s is full: %" PRId64
                         " did not fit: `berth prune --free SIZE` makes room "
                         "among its versions",
                         options->session->volume->marker.name,
                         executor.report.without_space);
    err_code recorded =
        execute_report_end(&executor.report, options, code ? NULL : err);
    if (!code)
        code = recorded;
    batch_release(&executor.waiting);
    owners_release(&executor.owners);
    steps_release(&executor.steps);
    mutex_destroy(&executor.turn);
    return code;
}
