#include "core/task_sync.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/contents.h"
#include "core/evidence.h"
#include "core/guard.h"
#include "core/host.h"
#include "core/journal.h"
#include "core/peers.h"
#include "core/replica_read.h"
#include "core/task_schedule.h"

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
    platform_inhibitor_release(syncing->inhibitor);
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

static bool has_move(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pairs[i].job->mode == JOB_MOVE)
            return true;
    return false;
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
        syncing->inhibitor =
            task_inhibit(syncing->task, &syncing->volume, command);
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
    struct platform *platform = syncing->task->context->platform;
    err_code code =
        volume_locate(platform, syncing->config, &syncing->volume, err);

    if (code == ERR_NOT_FOUND &&
        (syncing->config->mount || syncing->task->command->mounts)) {
        code = task_mount_volume(syncing->task, syncing->config, err);
        if (!code)
            code =
                volume_locate(platform, syncing->config, &syncing->volume, err);
    }
    if (!code && syncing->config->role == VOLUME_READ_ONLY)
        code = error_set(err, ERR_REFUSED,
                         "volume %s has the role \"read-only\": no job may "
                         "write to it",
                         syncing->config->name);
    if (!code)
        code = open_host_side(syncing, err);
    if (!code) /* of a time when no job wrote to it */
        code = contents_forget(syncing->catalogue, syncing->task->host, err);
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

static bool may_tell(const struct syncing *syncing)
{
    return !syncing->volume.mount.is_read_only && !syncing->session.is_unclean;
}

/*
 * After a failed flush a session is needed even if no job has anything to do:
 * only one that ends well says that the volume can be trusted again. So it is
 * where the volume was not told yet of something that changed while it was
 * away: what was offloaded since.
 */
static bool begin_if_owed(struct syncing *syncing)
{
    struct error err = ERROR_INIT;
    struct peer peer = {.is_due = false};
    bool has_failed = false;
    err_code code =
        journal_has_failed_flush(syncing->catalogue, &has_failed, &err);

    if (!code)
        code =
            peers_get(syncing->catalogue, syncing->session.host, &peer, &err);
    if (!code && (has_failed || (peer.is_due && may_tell(syncing)))) {
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

/*
 * Files may leave this machine only once the volume's replica was read back
 * (ENGINE, "move"): before the first change, where only what was written in an
 * earlier plug can be proved (FUSE), and after the last one.
 */
static void read_replica_back(struct syncing *syncing, bool device_is_fresh)
{
    struct error err = ERROR_INIT;

    if (!syncing->moves || syncing->session.is_unclean)
        return;
    err_code code =
        replica_note_read_back(syncing->catalogue, &syncing->volume,
                               syncing->session.host, device_is_fresh, &err);
    if (!code)
        return;
    task_say(syncing->task,
             "volume %s: the replica of the catalogue does not read back (%s): "
             "no local file goes until it was written anew",
             syncing->config->name, err.message);
    syncing->outcome = outcome_worse(syncing->outcome,
                                     code == ERR_CORRUPT ? OUTCOME_FAILED_FILES
                                                         : outcome_of(code));
}

static enum outcome sync_volume(struct task *task, const struct pair *pairs,
                                size_t count, bool *out_is_absent)
{
    CLEANUP(syncing_release)
    struct syncing syncing = {.task = task,
                              .config = pairs->volume,
                              .volume = VOLUME_INIT,
                              .jobs = join_job_names(pairs, count),
                              .moves = has_move(pairs, count)};
    struct error err = ERROR_INIT;
    err_code code = open_volume(&syncing, &err);

    *out_is_absent = code == ERR_NOT_FOUND;
    if (code) {
        task_say(task, "%s", err.message);
        return *out_is_absent ? OUTCOME_DONE : outcome_of(code);
    }
    read_replica_back(&syncing, syncing.device_is_fresh);
    bool go_on = begin_if_owed(&syncing);
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
    else if (is_sound)
        read_replica_back(&syncing,
                          syncing.device_is_fresh && !syncing.is_begun);
    return outcome_worse(syncing.outcome, outcome_of(code));
}

/* --- targets that are away --- */

/*
 * A target that was never in sync counts from the night on which it was first
 * missed, which a file of the state directory remembers: else the first sync
 * of a pair of rotating drives would end with an alarm. So does one whose last
 * time has not come yet: the clock was ahead then.
 */
static err_code first_missed_ns(struct task *task, const struct pair *pair,
                                int64_t *out, struct error *err)
{
    CLEANUP_FREE char *directory =
        path_join(task->context->state_directory, "waiting");
    CLEANUP_FREE char *name =
        xasprintf("%s.%s", pair->volume->id, pair->job->name);
    CLEANUP_FREE char *path = path_join(directory, name);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code = directory_ensure(directory, err);

    *out = clock_now_ns();
    if (code)
        return code;
    code = file_read(path, 64, &text, err);
    if (code && code != ERR_NOT_FOUND)
        return code;
    int64_t noted = code ? INT64_MAX : strtoll(text.text, NULL, 10);
    if (noted <= *out) {
        *out = noted;
        return ERR_OK;
    }
    strbuf_reset(&text);
    strbuf_addf(&text, "%" PRId64 "\n", *out);
    return file_replace(path, text.text, text.length, 0600, err);
}

static err_code is_stale(struct task *task, const struct pair *pair, bool *out,
                         struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(owner_release) struct owner owner = {.id = 0};
    CLEANUP_FREE char *path = NULL;
    int64_t last_ns = 0, now_ns = clock_now_ns();
    err_code code = ERR_OK;

    if (!task_open_reader(task, pair->volume, &catalogue, &path, NULL) &&
        !catalogue_find_owner(catalogue, task->host, pair->job->name,
                              pair->target->directory, &owner, NULL))
        last_ns = owner.last_sync_ns;
    if (!last_ns || last_ns > now_ns)
        code = first_missed_ns(task, pair, &last_ns, err);
    *out = !code && now_ns - last_ns > pair->volume->stale_after_ns;
    return code;
}

/* A drive that is away is none of tonight's news, unless it is out of date. */
static bool is_missed(struct task *task, const struct pair *pair)
{
    struct error err = ERROR_INIT;
    bool stale = false;

    if (is_stale(task, pair, &stale, &err)) {
        task_say(task, "job %s: cannot tell since when volume %s is missed: %s",
                 pair->job->name, pair->volume->name, err.message);
        return true;
    }
    if (stale)
        task_say(task,
                 "job %s: volume %s is away, and was not in sync for longer "
                 "than its stale_after: plug it in and run `berth sync %s`",
                 pair->job->name, pair->volume->name, pair->volume->name);
    return stale;
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
        bool missed = is_missed(task, pair);
        if (is_served && !missed)
            continue;
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

static err_code sync_all(struct task *task, enum outcome *outcome,
                         struct error *err)
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

err_code task_sync(struct task *task, enum outcome *outcome, struct error *err)
{
    const char *scheduled = task->command->scheduled;

    if (scheduled && !config_schedule_is_valid(scheduled))
        return error_set(err, ERR_INVALID,
                         "--scheduled %s: give a time as in \"02:00\", or "
                         "\"on-plug\"",
                         scheduled);
    if (scheduled)
        task_begin_night(task);
    err_code code = sync_all(task, outcome, err);
    if (scheduled)
        task_end_night(task, outcome_worse(*outcome, outcome_of(code)));
    return code;
}
