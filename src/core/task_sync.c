#include "core/task.h"

#include "core/base/clock.h"
#include "core/evidence.h"
#include "core/guard.h"
#include "core/host.h"
#include "core/session.h"
#include "platform/platform_host.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One volume while its jobs are synced. */
struct syncing {
    struct task *task;
    const struct config_volume *config;
    struct volume volume;
    struct catalogue *catalogue;
    char *catalogue_path;
    struct session session;
    bool is_open, is_begun;
    char *program, *scratch;
    char *jobs; /* names, for the history */
    struct run_counts counts;
    enum outcome outcome;
};

static void syncing_release(struct syncing *syncing)
{
    if (syncing->is_open)
        session_release(&syncing->session);
    catalogue_close(syncing->catalogue);
    volume_release(&syncing->volume);
    free(syncing->catalogue_path);
    free(syncing->program);
    free(syncing->scratch);
    free(syncing->jobs);
}

/* --- opening a volume
 * ---------------------------------------------------------- */

static char *join_job_names(const struct pair *pairs, size_t count)
{
    struct strbuf names = STRBUF_INIT;

    for (size_t i = 0; i < count; i++)
        strbuf_addf(&names, "%s%s", i ? ", " : "", pairs[i].job->name);
    return strbuf_detach(&names);
}

/* Snapshots of databases that a killed run left on the internal disk. */
static void clear_scratch(const char *directory)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;

    if (!entries)
        return;
    while ((entry = readdir(entries))) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 0 && kill((pid_t)pid, 0))
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
}

static err_code open_host_side(struct syncing *syncing, struct error *err)
{
    struct task *task = syncing->task;
    const char *state = task->context->state_directory;
    err_code code = platform_own_program(&syncing->program, err);

    if (!code)
        code = host_scratch_directory(state, &syncing->scratch, err);
    if (!code)
        code = host_catalogue_path(state, syncing->config->id,
                                   &syncing->catalogue_path, err);
    if (!code)
        code = task_open_catalogue(task, syncing->config, &syncing->catalogue,
                                   err);
    if (!code)
        clear_scratch(syncing->scratch);
    return code;
}

static err_code open_session(struct syncing *syncing, struct error *err)
{
    CLEANUP_FREE char *command = xasprintf("berth sync %s", syncing->jobs);
    const struct session_options options = {
        .volume = &syncing->volume,
        .catalogue = syncing->catalogue,
        .host = syncing->task->host,
        .command = command,
    };
    err_code code = session_open(&options, &syncing->session, err);

    syncing->is_open = code == ERR_OK;
    if (!code)
        code = history_begin(syncing->catalogue, syncing->jobs,
                             &syncing->session.run, err);
    return code;
}

static void tell_about_repair(struct syncing *syncing)
{
    const struct session *session = &syncing->session;

    if (session->repaired)
        task_say(syncing->task,
                 "volume %s: an interrupted run was repaired (%" PRId64
                 " changes finished)",
                 syncing->config->name, session->repaired);
    if (session->is_unclean)
        task_say(syncing->task,
                 "volume %s was left in the middle of a run: nothing is "
                 "deleted this time, everything copied is read back",
                 syncing->config->name);
}

static err_code open_volume(struct syncing *syncing, struct error *err)
{
    err_code code = volume_locate(syncing->task->context->platform,
                                  syncing->config, &syncing->volume, err);

    if (!code && syncing->config->role == VOLUME_READ_ONLY)
        code = error_set(err, ERR_REFUSED,
                         "volume %s has the role \"read-only\": no job may "
                         "write to it",
                         syncing->config->name);
    if (!code)
        code = open_host_side(syncing, err);
    if (!code)
        code = open_session(syncing, err);
    if (!code)
        tell_about_repair(syncing);
    return code;
}

/* --- one job
 * ------------------------------------------------------------------- */

/* One job while it is synced to one volume. */
struct job_run {
    struct syncing *syncing;
    const struct pair *pair;
    struct prepared prepared;
    struct plan plan;
    bool is_reviewed; /* deletes were approved on the screen */
    struct sync_info info;
};

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

    if (!full && syncing->task->command->depth != DIFF_DEPTH_QUICK)
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

static void begin_progress(struct job_run *run)
{
    struct task_progress *progress = &run->syncing->task->progress;
    const struct plan_totals *totals = &run->plan.totals;
    int64_t files = totals->count[ACTION_NEW] + totals->count[ACTION_UPDATE];

    atomic_fetch_add(&progress->run.files_total, files);
    atomic_fetch_add(&progress->run.bytes_total, totals->copy_bytes);
    atomic_store(&progress->phase, PHASE_COPYING);
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
    task_post(syncing->task, event);
}

static err_code execute(struct job_run *run, struct error *err)
{
    struct syncing *syncing = run->syncing;
    const struct run_listener listener = {syncing, post_failed};
    const struct execute_options options = {
        .session = &syncing->session,
        .job = run->pair->job,
        .owner = &run->prepared.owner,
        .plan = &run->plan,
        .source_fd = run->prepared.source_fd,
        .directory = run->pair->target->directory,
        .program = syncing->program,
        .scratch = syncing->scratch,
        .workers = run->pair->job->bandwidth ? 1 : 2,
        .stop = &syncing->task->stop,
        .progress = &syncing->task->progress.run,
        .listener = &listener,
    };

    begin_progress(run);
    return execute_plan(&options, &run->info.counts, err);
}

static err_code carry_out(struct job_run *run, struct error *err)
{
    struct syncing *syncing = run->syncing;
    bool changes_volume, changes_catalogue;
    err_code code = ensure_owner(run, err);

    look_at_plan(&run->plan, &changes_volume, &changes_catalogue);
    if (!code && changes_volume && !syncing->is_begun) {
        code = session_begin(&syncing->session, err);
        syncing->is_begun = code == ERR_OK;
    }
    if (!code && (changes_volume || changes_catalogue))
        code = execute(run, err);
    return code;
}

/* Everything that was copied now is read back from the device. */
static err_code read_back(struct job_run *run, struct error *err)
{
    struct syncing *syncing = run->syncing;
    struct verify_counts counts = {0};
    const struct verify_listener listener = {syncing->task, task_post_finding};
    const struct verify_options options = {
        .volume = &syncing->volume,
        .catalogue = syncing->catalogue,
        .time_tolerance_ns = syncing->session.traits.time_tolerance_ns,
        .sample = 1.0,
        .stop = &syncing->task->stop,
        .progress = &syncing->task->progress.verify,
        .listener = &listener,
    };

    if (!syncing->session.is_unclean &&
        run->pair->job->verify != JOB_VERIFY_READ_BACK)
        return ERR_OK;
    atomic_store(&syncing->task->progress.phase, PHASE_VERIFYING);
    err_code code =
        verify_copied(&options, &run->prepared.owner, &run->plan, &counts, err);
    run->info.counts.failed +=
        counts.rotten + counts.drifted + counts.missing + counts.unreadable;
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
        if (action->kind != ACTION_SKIP)
            continue;
        info->too_young += action->reason == REASON_TOO_YOUNG;
        info->unreadable += action->reason == REASON_UNREADABLE;
    }
}

static enum outcome judge(const struct job_run *run, err_code code)
{
    const struct sync_info *info = &run->info;
    enum outcome outcome = outcome_of(code);

    if (info->counts.failed || info->unreadable)
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

static err_code sync_job(struct job_run *run, struct error *err)
{
    struct syncing *syncing = run->syncing;
    err_code code = task_prepare(syncing->task, run->pair, &syncing->volume,
                                 syncing->catalogue, &run->prepared, err);

    if (!code && !take_reviewed(run))
        code = make_plan(run, err);
    if (code)
        return code;
    hold_deletes(run);
    count_leftovers(run);
    code = carry_out(run, err);
    if (!code)
        code = read_back(run, err);
    if (!code)
        code = remember_job(run, err);
    return code;
}

/* True when the volume's other jobs may still be tried. */
static bool run_job(struct syncing *syncing, const struct pair *pair)
{
    struct error err = ERROR_INIT;
    struct job_run run = {
        .syncing = syncing,
        .pair = pair,
        .prepared = {.source_fd = -1},
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

/* --- one volume
 * ------------------------------------------------------------------ */

/* What went wrong on the device leaves the session open in the journal: the
 * next run repairs it. */
static err_code close_volume(struct syncing *syncing, bool is_sound,
                             struct error *err)
{
    const struct run run = {
        .id = syncing->session.run,
        .ended_ns = clock_now_ns(),
        .exit_code = (int)syncing->outcome,
        .counts = syncing->counts,
    };
    err_code code = ERR_OK;

    if (syncing->is_begun && is_sound)
        code = session_close(&syncing->session, err);
    if (code)
        return code;
    return history_end(syncing->catalogue, &run, err);
}

/* The device decides, not the mount table: an error can also be an error. */
static void tell_if_pulled(struct syncing *syncing)
{
    struct task_progress *progress = &syncing->task->progress;

    if (platform_check_attached(syncing->volume.root_fd, NULL) !=
        ERR_DEVICE_GONE)
        return;
    struct event *event = task_event(syncing->task, EVENT_PULLED);
    int64_t in_flight = atomic_load(&progress->run.files_total) -
                        atomic_load(&progress->run.files_durable);
    event->volume = xstrdup(syncing->config->name);
    event->text = xasprintf("PULLED: %" PRId64 " files had not arrived; plug "
                            "it in, and the next sync repairs what is left",
                            in_flight);
    task_post(syncing->task, event);
}

static enum outcome sync_volume(struct task *task, const struct pair *pairs,
                                size_t count, bool *out_is_absent)
{
    CLEANUP(syncing_release)
    struct syncing syncing = {.task = task,
                              .config = pairs->volume,
                              .volume = VOLUME_INIT,
                              .jobs = join_job_names(pairs, count)};
    struct error err = ERROR_INIT;
    err_code code = open_volume(&syncing, &err);

    *out_is_absent = code == ERR_NOT_FOUND;
    if (code) {
        task_say(task, "%s", err.message);
        return *out_is_absent ? OUTCOME_DONE : outcome_of(code);
    }
    bool go_on = true;
    for (size_t i = 0; go_on && i < count; i++)
        go_on = run_job(&syncing, &pairs[i]);
    bool is_sound = syncing.outcome != OUTCOME_DEVICE;
    if (!is_sound)
        tell_if_pulled(&syncing);
    code = close_volume(&syncing, is_sound, &err);
    if (code)
        task_say(task, "volume %s: %s", syncing.config->name, err.message);
    return outcome_worse(syncing.outcome, outcome_of(code));
}

/* --- targets that are away
 * ---------------------------------------------------------- */

static bool is_stale(struct task *task, const struct pair *pair)
{
    struct catalogue *catalogue = NULL;
    CLEANUP_FREE char *path = NULL;
    struct owner owner = {.id = 0};
    int64_t last_ns = 0;

    if (!task_open_reader(task, pair->volume, &catalogue, &path, NULL) &&
        !catalogue_find_owner(catalogue, task->host, pair->job->name,
                              pair->target->directory, &owner, NULL))
        last_ns = owner.last_sync_ns;
    owner_release(&owner);
    catalogue_close(catalogue);
    return clock_now_ns() - last_ns > pair->volume->stale_after_ns;
}

/* Two rotating drives must not cause an alarm each night; two stale ones do. */
static enum outcome judge_absent(struct task *task, const struct pairs *pairs,
                                 const bool *is_absent)
{
    enum outcome outcome = OUTCOME_DONE;

    for (size_t i = 0; i < pairs->count; i++) {
        const struct pair *pair = &pairs->items[i];
        bool is_served = false;
        if (!is_absent[i])
            continue;
        for (size_t j = 0; j < pairs->count; j++)
            is_served |= pairs->items[j].job == pair->job && !is_absent[j];
        if (is_served && !is_stale(task, pair))
            continue;
        if (is_served)
            task_say(task, "job %s: volume %s is away and out of date",
                     pair->job->name, pair->volume->name);
        outcome = OUTCOME_ABSENT;
    }
    return outcome;
}

static err_code check_approval(struct task *task, struct error *err)
{
    const struct command *command = task->command;

    if (!command->approved_deletes)
        return ERR_OK;
    if (command->name_count != 1 ||
        !config_find_job(&task->config, command->names[0]))
        return error_set(err, ERR_INVALID,
                         "--deletes releases the held deletes of one job: name "
                         "that job");
    return ERR_OK;
}

err_code task_sync(struct task *task, enum outcome *outcome, struct error *err)
{
    CLEANUP(pairs_release) struct pairs pairs = {.items = NULL};

    if (task->command->dry_run) /* looks only: no lock, no repair */
        return task_diff(task, outcome, err);
    err_code code = task_select_pairs(task, &pairs, err);
    if (!code)
        code = check_approval(task, err);
    if (code)
        return code;
    CLEANUP_FREE bool *is_absent = xcalloc(pairs.count, sizeof *is_absent);
    size_t i = 0;
    while (i < pairs.count) {
        size_t first = i;
        bool absent = false;
        while (i < pairs.count &&
               pairs.items[i].volume == pairs.items[first].volume)
            i++;
        if (stop_flag_is_raised(&task->stop)) {
            *outcome = outcome_worse(*outcome, OUTCOME_INTERRUPTED);
            break;
        }
        enum outcome of_volume =
            sync_volume(task, &pairs.items[first], i - first, &absent);
        *outcome = outcome_worse(*outcome, of_volume);
        for (size_t j = first; j < i; j++)
            is_absent[j] = absent;
    }
    *outcome = outcome_worse(*outcome, judge_absent(task, &pairs, is_absent));
    return ERR_OK;
}
