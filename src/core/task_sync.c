#include "core/task_sync.h"

#include "core/base/clock.h"
#include "core/evidence.h"
#include "core/guard.h"
#include "core/host.h"
#include "core/journal.h"

#include "platform/platform_host.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
    free(syncing->no_space);
}

/* --- opening a volume --- */

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
    if (session->log_is_damaged)
        task_say(syncing->task,
                 "volume %s: what berth told it last about its files does not "
                 "read back: it is written anew from the catalogue",
                 syncing->config->name);
    if (session->needs_check)
        task_say(syncing->task,
                 "volume %s was left in the middle of a run, and what its "
                 "filesystem calls free may be in use: nothing is deleted and "
                 "nothing written until you %s",
                 syncing->config->name, session->remedy);
    else if (session->check == PLATFORM_CHECK_NEEDED)
        task_say(syncing->task,
                 "volume %s: its filesystem says that it was not unmounted "
                 "cleanly: nothing is deleted, everything copied is read back, "
                 "until you %s",
                 syncing->config->name, session->remedy);
    else if (session->is_unclean)
        task_say(
            syncing->task,
            "volume %s %s: nothing is deleted this time, everything copied "
            "is read back",
            syncing->config->name,
            session->log_is_damaged ? "has lost its last flush"
                                    : "was left in the middle of a run");
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
    if (!code)
        code = evidence_device_is_fresh(syncing->catalogue, &syncing->volume,
                                        &syncing->device_is_fresh, err);
    return code;
}

/* --- one volume --- */

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
    struct session *session = &syncing->session;
    err_code code = ERR_OK;

    bool is_looked_at = syncing->outcome == OUTCOME_DONE ||
                        syncing->outcome == OUTCOME_DIFFERENCES;

    /* Looked at in full, and nothing was to be done: what another host left
     * open is not found in the middle of something for ever. */
    if (!syncing->is_begun && is_looked_at &&
        (session->is_unclean || session->log_is_due) && !session->needs_check &&
        !syncing->volume.mount.is_read_only) {
        code = session_begin(session, err);
        syncing->is_begun = code == ERR_OK;
    }
    if (!code && syncing->is_begun && is_sound)
        code = session_close(session, err);
    if (code)
        return code;
    return history_end(syncing->catalogue, &run, err);
}

/* The device decides, not the mount table: an error can also be an error. Its
 * writes fail some moments before the kernel takes it off the list. */
static bool is_pulled(const struct syncing *syncing)
{
    const struct timespec pause = {.tv_nsec = 50 * NS_PER_MS};
    bool is_gone = false;

    for (int i = 0; i < 40 && !is_gone; i++) {
        if (i)
            nanosleep(&pause, NULL);
        is_gone = platform_check_attached(syncing->volume.root_fd, NULL) ==
                  ERR_DEVICE_GONE;
    }
    return is_gone;
}

static void tell_if_pulled(struct syncing *syncing)
{
    struct task_progress *progress = &syncing->task->progress;

    if (!is_pulled(syncing))
        return;
    struct event *event = task_event(syncing->task, EVENT_PULLED);

    event->volume = xstrdup(syncing->config->name);
    event->in_flight = atomic_load(&progress->run.files_total) -
                       atomic_load(&progress->run.files_durable);
    task_post(syncing->task, event);
}

/* After a failed flush a session is needed even if no job has anything to do:
 * only one that ends well says that the volume can be trusted again. */
static bool flush_anew(struct syncing *syncing)
{
    struct error err = ERROR_INIT;
    bool has_failed = false;
    err_code code =
        journal_has_failed_flush(syncing->catalogue, &has_failed, &err);

    if (!code && has_failed) {
        code = session_begin(&syncing->session, &err);
        syncing->is_begun = code == ERR_OK;
    }
    if (!code)
        return true;
    task_say(syncing->task, "volume %s: %s", syncing->config->name,
             err.message);
    syncing->outcome = outcome_worse(syncing->outcome, outcome_of(code));
    return false;
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
    bool go_on = flush_anew(&syncing);
    for (size_t i = 0; go_on && i < count; i++)
        go_on = sync_run_job(&syncing, &pairs[i]);
    code = task->command->heals ? ERR_OK : sync_prune(&syncing, 0, &err);
    if (code)
        task_say(task, "volume %s: cannot prune: %s", syncing.config->name,
                 err.message);
    syncing.outcome = outcome_worse(syncing.outcome, outcome_of(code));
    bool is_sound = syncing.outcome != OUTCOME_DEVICE;
    if (!is_sound)
        tell_if_pulled(&syncing);
    code = close_volume(&syncing, is_sound, &err);
    if (code)
        task_say(task, "volume %s: %s", syncing.config->name, err.message);
    return outcome_worse(syncing.outcome, outcome_of(code));
}

/* --- targets that are away --- */

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

/* --- the volumes, one after the other --- */

struct served {
    bool *is_absent; /* by pair */
    const struct config_volume **to_eject;
    size_t to_eject_count;
};

/* What did not arrive is said, and the drive may go; what is wrong with the
 * drive itself has to be looked at first. */
static bool may_leave(enum outcome outcome)
{
    return outcome == OUTCOME_DONE || outcome == OUTCOME_DIFFERENCES ||
           outcome == OUTCOME_FAILED_FILES;
}

static enum outcome serve(struct task *task, const struct pairs *pairs,
                          struct served *served)
{
    enum outcome worst = OUTCOME_DONE;
    size_t next;

    for (size_t i = 0; i < pairs->count; i = next) {
        const struct pair *pair = &pairs->items[i];
        bool is_absent = false;
        for (next = i; next < pairs->count; next++)
            if (pairs->items[next].volume != pair->volume)
                break;
        if (stop_flag_is_raised(&task->stop))
            return outcome_worse(worst, OUTCOME_INTERRUPTED);
        enum outcome outcome = sync_volume(task, pair, next - i, &is_absent);
        worst = outcome_worse(worst, outcome);
        for (size_t j = i; j < next; j++)
            served->is_absent[j] = is_absent;
        if (!is_absent && may_leave(outcome))
            served->to_eject[served->to_eject_count++] = pair->volume;
    }
    return worst;
}

enum outcome task_heal(struct task *task, const struct pairs *pairs)
{
    CLEANUP_FREE bool *is_absent = xcalloc(pairs->count, sizeof *is_absent);
    CLEANUP_FREE const struct config_volume **to_eject =
        xcalloc(pairs->count, sizeof(struct config_volume *));
    struct served served = {.is_absent = is_absent, .to_eject = to_eject};

    return serve(task, pairs, &served);
}

err_code task_sync(struct task *task, enum outcome *outcome, struct error *err)
{
    CLEANUP(pairs_release) struct pairs pairs = {.items = NULL};

    if (task->command->dry_run) /* looks only: no lock, no repair */
        return task_diff(task, outcome, err);
    err_code code = task_select_pairs(task, &pairs, err);
    if (!code)
        code = check_approval(task, err);
    if (!code)
        code = task_recover_offloads(task, err);
    if (code)
        return code;
    CLEANUP_FREE bool *is_absent = xcalloc(pairs.count, sizeof *is_absent);
    CLEANUP_FREE const struct config_volume **to_eject =
        xcalloc(pairs.count, sizeof(struct config_volume *));
    struct served served = {.is_absent = is_absent, .to_eject = to_eject};
    *outcome = outcome_worse(*outcome, serve(task, &pairs, &served));
    *outcome = outcome_worse(*outcome, judge_absent(task, &pairs, is_absent));
    if (!stop_flag_is_raised(&task->stop))
        *outcome =
            outcome_worse(*outcome, task_tidy_jobs(task, &pairs, false, false));
    if (task->command->eject_after)
        *outcome =
            outcome_worse(*outcome, task_eject_volumes(task, to_eject,
                                                       served.to_eject_count));
    return ERR_OK;
}
