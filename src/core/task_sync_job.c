#include "core/base/clock.h"
#include "core/db.h"
#include "core/evidence.h"
#include "core/guard.h"
#include "core/journal.h"
#include "core/offload_copies.h"
#include "core/offload_files.h"
#include "core/source_mounts.h"
#include "core/task_sync.h"

#include <stdlib.h>
#include <string.h>

/* The plan that was shown, if it can still be believed as a whole. */
static bool take_reviewed(struct job_run *run)
{
    struct command *command = run->syncing->task->command;
    const struct session *session = &run->syncing->session;
    const struct prepared *prepared = &run->prepared;

    for (size_t i = 0; i < command->reviewed_count; i++) {
        struct reviewed_plan *reviewed = &command->reviewed[i];
        if (strcmp(reviewed->job, run->pair->job->name) != 0 ||
            strcmp(reviewed->volume, run->pair->volume->name) != 0)
            continue;
        bool is_outdated =
            session->repaired || session->is_unclean ||
            (prepared->has_owner &&
             prepared->owner.last_sync_ns > reviewed->plan.made_ns);
        if (is_outdated)
            break;
        run->plan = reviewed->plan;
        reviewed->plan = (struct plan)PLAN_INIT;
        run->is_reviewed = true;
        return true;
    }
    if (command->reviewed_count)
        task_say(run->syncing->task,
                 "job %s: the drive has changed since the review: compared "
                 "anew",
                 run->pair->job->name);
    return false;
}

static bool heals(const struct job_run *run)
{
    return run->syncing->task->command->heals;
}

static err_code make_plan(struct job_run *run, struct error *err)
{
    struct syncing *syncing = run->syncing;
    const struct prepared *prepared = &run->prepared;
    const struct evidence evidence = {
        .owner = prepared->has_owner ? &prepared->owner : NULL,
        .host = syncing->task->host,
        .now_ns = clock_now_ns(),
    };
    bool full = syncing->session.needs_full_diff ||
                syncing->task->command->depth == DIFF_DEPTH_FULL;
    err_code code = ERR_OK;

    if (!full && !heals(run) &&
        syncing->task->command->depth != DIFF_DEPTH_QUICK)
        code = evidence_needs_full(syncing->catalogue, &syncing->volume,
                                   &evidence, &full, err);
    if (code)
        return code;
    const struct compare_inputs inputs = {
        .prepared = prepared,
        .volume = full ? &syncing->volume : NULL,
        .catalogue = syncing->catalogue,
        .catalogue_path = syncing->catalogue_path,
        .traits = &syncing->session.traits,
    };
    return task_compare(syncing->task, &inputs, &run->plan, err);
}

static void hold_deletes(struct job_run *run)
{
    struct syncing *syncing = run->syncing;
    int64_t approved = syncing->task->command->approved_deletes;

    if (syncing->session.is_unclean)
        guard_hold_all_deletes(&run->plan);
    else if (!run->is_reviewed)
        guard_hold(&run->plan, run->pair->job, approved);
    run->info.held = run->plan.totals.held_files;
}

/* Whether executing would do anything, to the volume or to the catalogue. */
static void look_at_plan(const struct plan *plan, bool *out_changes_volume,
                         bool *out_changes_catalogue)
{
    *out_changes_volume = *out_changes_catalogue = false;
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        if (action->flags & ACTION_HELD)
            continue;
        if (action->kind == ACTION_NOTE)
            *out_changes_catalogue = true;
        else if (action->kind != ACTION_SKIP && action_is_pending(action))
            *out_changes_volume = true;
    }
}

static err_code ensure_owner(struct job_run *run, struct error *err)
{
    struct prepared *prepared = &run->prepared;

    if (prepared->has_owner)
        return ERR_OK;
    err_code code = catalogue_add_owner(
        run->syncing->catalogue, run->syncing->task->host, run->pair->job->name,
        run->pair->target->directory, &prepared->owner, err);
    prepared->has_owner = code == ERR_OK;
    return code;
}

static void begin_progress(struct job_run *run, const struct plan *plan)
{
    struct task_progress *progress = &run->syncing->task->progress;
    const struct plan_totals *totals = &plan->totals;
    int64_t files = totals->count[ACTION_NEW] + totals->count[ACTION_UPDATE];

    atomic_fetch_add(&progress->run.files_total, files);
    atomic_fetch_add(&progress->run.bytes_total, totals->copy_bytes);
    atomic_store(&progress->phase, PHASE_COPYING);
}

/* A full volume is told once; each file that it had no space for has its event
 * all the same. */
static bool was_told(struct syncing *syncing, err_code code,
                     const char *message)
{
    if (code != ERR_NO_SPACE)
        return false;
    if (syncing->no_space && !strcmp(syncing->no_space, message))
        return true;
    free(syncing->no_space);
    syncing->no_space = xstrdup(message);
    return false;
}

static void post_failed(void *context, const char *job, const char *path,
                        err_code code, const char *message)
{
    struct syncing *syncing = context;
    struct event *event = task_event(syncing->task, EVENT_FILE_FAILED);

    event->job = xstrdup(job);
    event->volume = xstrdup(syncing->config->name);
    event->path = xstrdup(path);
    event->text = xstrdup(message);
    event->code = code;
    event->is_repeated = was_told(syncing, code, message);
    task_post(syncing->task, event);
}

/* The lower of what the job and the volume may; 0: neither says. */
static int64_t bandwidth_of(const struct pair *pair)
{
    int64_t job = pair->job->bandwidth, volume = pair->volume->bandwidth;

    return !job || (volume && volume < job) ? volume : job;
}

err_code sync_execute(struct job_run *run, const struct plan *plan,
                      const struct source *source, struct run_counts *counts,
                      struct error *err)
{
    struct syncing *syncing = run->syncing;
    const struct run_listener listener = {syncing, post_failed};
    const struct execute_options options = {
        .session = &syncing->session,
        .job = run->pair->job,
        .owner = &run->prepared.owner,
        .plan = plan,
        .source = source,
        .directory = run->pair->target->directory,
        .program = syncing->program,
        .scratch = syncing->scratch,
        .workers = bandwidth_of(run->pair) ? 1 : 2,
        .bandwidth = bandwidth_of(run->pair),
        .is_spinning = platform_volume_spins(syncing->task->context->platform,
                                             &syncing->volume.mount),
        .stop = &syncing->task->stop,
        .progress = &syncing->task->progress.run,
        .current = &syncing->task->progress.current,
        .listener = &listener,
    };

    begin_progress(run, plan);
    return execute_plan(&options, counts, err);
}

err_code sync_begin(struct job_run *run, struct error *err)
{
    struct syncing *syncing = run->syncing;
    err_code code = ERR_OK;

    if (!syncing->is_begun)
        code = session_begin(&syncing->session, err);
    syncing->is_begun |= code == ERR_OK;
    return code;
}

static err_code carry_out(struct job_run *run, struct error *err)
{
    bool changes_volume, changes_catalogue;
    err_code code = ensure_owner(run, err);

    if (!code)
        code =
            source_record_mounts(&run->prepared.source, run->syncing->catalogue,
                                 &run->prepared.owner, err);
    look_at_plan(&run->plan, &changes_volume, &changes_catalogue);
    /* What only the catalogue learns the volume is told, too (ENGINE G12). */
    changes_volume |=
        changes_catalogue && !run->syncing->volume.mount.is_read_only;
    if (!code && changes_volume)
        code = sync_begin(run, err);
    if (!code && changes_volume)
        code = sync_make_room(run->syncing, run->plan.totals.space_bytes,
                              run->info.held, err);
    if (!code && (changes_volume || changes_catalogue))
        code = sync_execute(run, &run->plan, &run->prepared.source,
                            &run->info.counts, err);
    return code;
}

/* --- reading back --- */

static bool needs_read_back(const struct job_run *run, const struct plan *plan)
{
    const struct config_job *job = run->pair->job;

    if (run->syncing->session.is_unclean ||
        job->verify == JOB_VERIFY_READ_BACK || job->mode == JOB_MOVE)
        return true;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].reason == REASON_POISONED ||
            plan->items[i].reason == REASON_ROTTEN)
            return true;
    return false;
}

/* A copy that does not read back is made anew by the next run; until then
 * no eject is green. Seen after a power cut: clusters that the bitmap calls
 * free are another file's, and the copy's content changes under it. */
static void found_in_copy(void *context, const char *job, const char *path,
                          enum verify_finding finding, const char *message)
{
    const struct job_run *run = context;
    struct syncing *syncing = run->syncing;

    task_post_finding(syncing->task, job, path, finding, message);
    if (finding == VERIFY_ROT &&
        journal_poison(syncing->catalogue, run->prepared.owner.id, path, NULL))
        task_say(syncing->task, "%s: could not be marked as doubtful", path);
}

static err_code look_back(struct job_run *run, const struct plan *plan,
                          struct error *err)
{
    struct syncing *syncing = run->syncing;
    const struct owner *owner = &run->prepared.owner;
    struct verify_counts counts = {0};
    const struct verify_listener listener = {run, found_in_copy};
    const struct verify_options options = {
        .volume = &syncing->volume,
        .catalogue = syncing->catalogue,
        .time_tolerance_ns = syncing->session.traits.time_tolerance_ns,
        .device_is_fresh = !plan && syncing->device_is_fresh,
        .is_spinning = platform_volume_spins(syncing->task->context->platform,
                                             &syncing->volume.mount),
        .sample = 1.0,
        .stop = &syncing->task->stop,
        .progress = &syncing->task->progress.verify,
        .current = &syncing->task->progress.current,
        .listener = &listener,
    };

    atomic_store(&syncing->task->progress.phase, PHASE_VERIFYING);
    err_code code = plan ? verify_copied(&options, owner, plan, &counts, err)
                         : verify_unproven(&options, owner, &counts, err);
    run->info.counts.failed +=
        counts.rotten + counts.drifted + counts.missing + counts.unreadable;
    return code;
}

err_code sync_read_back(struct job_run *run, const struct plan *plan,
                        struct error *err)
{
    return needs_read_back(run, plan) ? look_back(run, plan, err) : ERR_OK;
}

/* In one transaction: each would be a flush of this machine's disk. */
static err_code doubt_conflicts(struct job_run *run, struct error *err)
{
    struct catalogue *catalogue = run->syncing->catalogue;
    struct db *db = catalogue_db(catalogue);

    if (!run->plan.totals.count[ACTION_CONFLICT])
        return ERR_OK;
    err_code code = db_begin(db, err);
    for (size_t i = 0; !code && i < run->plan.count; i++)
        if (run->plan.items[i].kind == ACTION_CONFLICT)
            code = offload_doubt(catalogue, &run->prepared.owner,
                                 run->plan.items[i].path, err);
    return db_end(db, code, err);
}

/*
 * Before anything is written: what earlier runs copied and could not read
 * back with proof (through FUSE: in the plug in which it was written), or did
 * not come to. And what the drive turned out not to hold is not proved.
 */
static err_code prove_earlier(struct job_run *run, struct error *err)
{
    const struct session *session = &run->syncing->session;

    if (run->pair->job->mode != JOB_MOVE || !run->prepared.has_owner)
        return ERR_OK;
    err_code code = doubt_conflicts(run, err);
    if (!code && !session->is_unclean && !session->repaired)
        code = look_back(run, NULL, err);
    return code;
}

static void count_leftovers(struct job_run *run)
{
    struct sync_info *info = &run->info;

    info->totals = run->plan.totals;
    info->was_full = run->plan.is_full;
    info->conflicts = run->plan.totals.count[ACTION_CONFLICT];
    for (size_t i = 0; i < run->plan.count; i++) {
        const struct action *action = &run->plan.items[i];
        info->too_young +=
            action->kind == ACTION_SKIP && action->reason == REASON_TOO_YOUNG;
        info->unreadable += action_is_unread(action);
    }
}

static enum outcome judge(const struct job_run *run, err_code code)
{
    const struct sync_info *info = &run->info;
    enum outcome outcome = outcome_of(code);

    if (info->counts.failed || info->unreadable || info->lost ||
        info->sources_rotten)
        outcome = outcome_worse(outcome, OUTCOME_FAILED_FILES);
    if (info->held || info->conflicts || run->syncing->session.is_unclean)
        outcome = outcome_worse(outcome, OUTCOME_DIFFERENCES);
    return outcome;
}

static err_code remember_job(struct job_run *run, struct error *err)
{
    struct owner *owner = &run->prepared.owner;
    const struct sync_info *info = &run->info;
    int64_t now = clock_now_ns();

    free(owner->source_identity);
    owner->source_identity = xstrdup(run->prepared.source_identity);
    if (run->plan.is_full)
        owner->last_full_ns = now;
    if (!info->counts.failed && !info->held && !info->unreadable)
        owner->last_sync_ns = now;
    return catalogue_update_owner(run->syncing->catalogue, owner, err);
}

static void add_counts(struct run_counts *to, const struct run_counts *from)
{
    to->files_new += from->files_new;
    to->files_updated += from->files_updated;
    to->files_renamed += from->files_renamed;
    to->files_deleted += from->files_deleted;
    to->directories_made += from->directories_made;
    to->directories_removed += from->directories_removed;
    to->bytes_copied += from->bytes_copied;
    to->failed += from->failed;
}

static void post_synced(struct job_run *run, err_code code,
                        const struct error *err)
{
    struct syncing *syncing = run->syncing;
    struct event *event = task_event(syncing->task, EVENT_JOB_SYNCED);

    run->info.outcome = judge(run, code);
    run->info.run = syncing->session.run;
    add_counts(&syncing->counts, &run->info.counts);
    syncing->counts.held += run->info.held;
    syncing->outcome = outcome_worse(syncing->outcome, run->info.outcome);
    event->job = xstrdup(run->pair->job->name);
    event->volume = xstrdup(syncing->config->name);
    event->sync = run->info;
    event->outcome = run->info.outcome;
    event->code = code;
    if (code)
        event->text = xstrdup(err->message);
    task_post(syncing->task, event);
}

/* What a sync does beside carrying out its plan. */
static err_code look_around(struct job_run *run, struct error *err)
{
    if (heals(run)) {
        sync_keep_rotten(&run->plan);
        return sync_read_sources(run, err);
    }
    hold_deletes(run);
    count_leftovers(run);
    sync_tell_unread(run);
    task_tell_mounts(run->syncing->task, &run->prepared);
    return prove_earlier(run, err);
}

static err_code sync_job(struct job_run *run, struct error *err)
{
    struct syncing *syncing = run->syncing;
    err_code code = offload_files_check(syncing->task->context->state_directory,
                                        run->pair->job->name, err);

    if (!code)
        code = task_prepare(syncing->task, run->pair, &syncing->volume,
                            syncing->catalogue, &run->prepared, err);
    if (!code && !take_reviewed(run))
        code = make_plan(run, err);
    if (!code)
        code = look_around(run, err);
    if (!code)
        code = carry_out(run, err);
    if (!code)
        code = sync_read_back(run, &run->plan, err);
    if (!code)
        code = sync_handle_losses(run, err);
    if (!code && !heals(run))
        code = remember_job(run, err);
    return code;
}

bool sync_run_job(struct syncing *syncing, const struct pair *pair)
{
    struct error err = ERROR_INIT;
    struct job_run run = {
        .syncing = syncing,
        .pair = pair,
        .prepared = {.source = SOURCE_INIT},
        .plan = PLAN_INIT,
    };
    int64_t started = clock_monotonic_ns();
    err_code code = sync_job(&run, &err);

    run.info.duration_ns = clock_monotonic_ns() - started;
    post_synced(&run, code, &err);
    prepared_release(&run.prepared);
    plan_release(&run.plan);
    return !error_is_device_failure(code) && code != ERR_CANCELLED;
}
