#include "core/task.h"

#include "core/base/clock.h"
#include "core/contents.h"
#include "core/evidence.h"
#include "core/lock.h"
#include "core/volume.h"

#include <string.h>

/*
 * A volume that no job writes to, opened and locked: what is on it is compared
 * with what was accepted when it was added, or with the last refresh.
 */
struct reading {
    struct task *task;
    const struct config_volume *config;
    const struct volume *volume; /* borrowed */
    struct catalogue *catalogue;
    struct lock lock;
    struct platform_inhibitor *inhibitor;
    struct owner owner;
    struct contents_counts found;
    struct verify_counts read;
    bool device_is_fresh;
    int64_t started_ns;
};

static void reading_release(struct reading *reading)
{
    lock_release(&reading->lock);
    platform_inhibitor_release(reading->inhibitor);
    owner_release(&reading->owner);
    catalogue_close(reading->catalogue);
}

static struct reading reading_of(struct task *task,
                                 const struct config_volume *config,
                                 const struct volume *volume)
{
    return (struct reading){.task = task,
                            .config = config,
                            .volume = volume,
                            .lock = LOCK_INIT,
                            .started_ns = clock_monotonic_ns()};
}

static err_code open_reading(struct reading *reading, const char *deed,
                             struct error *err)
{
    struct task *task = reading->task;
    const struct config_volume *config = reading->config;
    err_code code = lock_take(reading->volume->root_fd, config->id,
                              config->name, deed, &reading->lock, err);

    atomic_store(&task->progress.phase, PHASE_VERIFYING);
    if (!code)
        reading->inhibitor = task_inhibit(task, reading->volume, deed);
    if (!code)
        code = task_open_catalogue(task, config, &reading->catalogue, err);
    if (!code)
        code = evidence_device_is_fresh(reading->catalogue, reading->volume,
                                        &reading->device_is_fresh, err);
    return code;
}

/* --- what is found --- */

static void post_finding(void *context, const char *path, const char *words)
{
    const struct reading *reading = context;
    struct event *event = task_event(reading->task, EVENT_FINDING);

    event->volume = xstrdup(reading->config->name);
    event->path = xstrdup(path);
    event->text = xstrdup(words);
    task_post(reading->task, event);
}

static void tell_found(void *context, const char *path, const char *failure)
{
    struct reading *reading = context;

    if (!*failure)
        reading->read.drifted++;
    post_finding(reading, path,
                 *failure ? failure : "drift: it was not there before");
}

static void tell_read(void *context, const char *job, const char *path,
                      enum verify_finding finding, const char *message)
{
    CLEANUP_FREE char *words =
        *message ? xasprintf("%s (%s)", verify_finding_text(finding), message)
                 : xstrdup(verify_finding_text(finding));

    post_finding(context, path, words);
}

static err_code walk(struct reading *reading, bool accepts, struct error *err)
{
    const struct contents_listener listener = {reading, tell_found};
    const struct contents_options options = {
        .volume = reading->volume,
        .catalogue = reading->catalogue,
        .owner = &reading->owner,
        .accepts = accepts,
        .stop = &reading->task->stop,
        .listener = &listener,
    };

    return contents_walk(&options, &reading->found, err);
}

static err_code read_files(struct reading *reading, bool only_unhashed,
                           struct error *err)
{
    struct task *task = reading->task;
    const struct verify_listener listener = {reading, tell_read};
    const struct verify_options options = {
        .volume = reading->volume,
        .catalogue = reading->catalogue,
        .time_tolerance_ns = CONTENTS_TOLERANCE_NS,
        .sample = only_unhashed ? 1.0 : task->command->sample,
        .device_is_fresh = reading->device_is_fresh,
        .is_spinning = platform_volume_spins(task->context->platform,
                                             &reading->volume->mount),
        .seed = (uint64_t)clock_now_ns(),
        .stop = &task->stop,
        .progress = &task->progress.verify,
        .current = &task->progress.current,
        .listener = &listener,
    };

    return only_unhashed
               ? verify_unhashed(&options, &reading->owner, &reading->read, err)
               : verify_owner(&options, &reading->owner, &reading->read, err);
}

static void add_totals(struct reading *reading, int64_t files, int64_t bytes)
{
    struct verify_progress *progress = &reading->task->progress.verify;

    atomic_fetch_add(&progress->files_total, files);
    atomic_fetch_add(&progress->bytes_total, bytes);
}

/* --- recording --- */

/* doctor asks for it until the next time. */
static err_code remember(struct reading *reading, int64_t findings,
                         struct error *err)
{
    CLEANUP_FREE char *text = xasprintf("%lld", (long long)findings);

    return catalogue_set_meta(reading->catalogue, CONTENTS_FINDINGS, text, err);
}

static void post_contents(const struct reading *reading)
{
    const struct contents_counts *found = &reading->found;
    struct event *event = task_event(reading->task, EVENT_CONTENTS);

    event->volume = xstrdup(reading->config->name);
    event->contents = (struct contents_info){
        .files = found->files,
        .added = found->added,
        .changed = found->changed,
        .gone = found->gone,
        .failed = found->failed + reading->read.unreadable +
                  reading->read.missing + reading->read.drifted,
        .bytes = reading->read.bytes,
        .duration_ns = clock_monotonic_ns() - reading->started_ns,
    };
    task_post(reading->task, event);
}

err_code task_record_contents(struct task *task,
                              const struct config_volume *config,
                              const struct volume *volume,
                              enum outcome *outcome, struct error *err)
{
    CLEANUP(reading_release)
    struct reading reading = reading_of(task, config, volume);
    struct contents_counts *found = &reading.found;
    err_code code = open_reading(&reading, "berth volume refresh", err);

    if (!code)
        code = contents_ensure_owner(reading.catalogue, task->host,
                                     &reading.owner, err);
    /* What is read now may be in memory still; after another plug it is not. */
    if (!code)
        code = evidence_note_device(reading.catalogue, volume, err);
    if (!code)
        code = walk(&reading, true, err);
    if (!code) {
        add_totals(&reading, found->added + found->changed,
                   found->bytes_to_read);
        code = read_files(&reading, true, err);
    }
    if (!code)
        code = remember(&reading, 0, err);
    if (!code)
        post_contents(&reading);
    if (found->failed || reading.read.unreadable || reading.read.missing ||
        reading.read.drifted)
        *outcome = outcome_worse(*outcome, OUTCOME_FAILED_FILES);
    return code;
}

static err_code refresh(struct task *task, const char *name,
                        enum outcome *outcome, struct error *err)
{
    const struct config_volume *config = NULL;
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    err_code code = task_find_volume(task, name, &config, err);

    if (code)
        return code;
    if (config->role != VOLUME_READ_ONLY)
        return error_set(err, ERR_INVALID,
                         "volume %s is written by jobs, which keep its "
                         "catalogue: refresh is for role = \"read-only\"; "
                         "`berth diff %s --full` looks at this one",
                         name, name);
    code = volume_locate(task->context->platform, config, &volume, err);
    return code ? code
                : task_record_contents(task, config, &volume, outcome, err);
}

err_code task_volume_refresh(struct task *task, enum outcome *outcome,
                             struct error *err)
{
    const struct command *command = task->command;
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < command->name_count; i++)
        code = refresh(task, command->names[i], outcome, err);
    return code;
}

/* --- reading back --- */

static void post_verified(const struct reading *reading)
{
    const struct verify_counts *counts = &reading->read;
    struct event *event = task_event(reading->task, EVENT_VERIFIED);

    event->volume = xstrdup(reading->config->name);
    event->verify = (struct verify_info){
        .verified = counts->verified,
        .compared = counts->compared,
        .adopted = counts->adopted,
        .skipped = counts->skipped,
        .rotten = counts->rotten,
        .drifted = counts->drifted,
        .missing = counts->missing,
        .unreadable = counts->unreadable + reading->found.failed,
        .bytes = counts->bytes,
        .duration_ns = clock_monotonic_ns() - reading->started_ns,
    };
    task_post(reading->task, event);
}

static err_code read_back(struct reading *reading, struct error *err)
{
    int64_t files, bytes;
    err_code code = contents_find_owner(reading->catalogue, reading->task->host,
                                        &reading->owner, err);

    if (code == ERR_NOT_FOUND)
        return error_set(err, ERR_INVALID,
                         "volume %s: nothing is recorded of its files yet: "
                         "`berth volume refresh %s` does that",
                         reading->config->name, reading->config->name);
    if (!code)
        code = catalogue_count(reading->catalogue, &reading->owner, &files,
                               &bytes, err);
    if (code)
        return code;
    add_totals(reading, files, bytes);
    code = walk(reading, false, err);
    return code ? code : read_files(reading, false, err);
}

err_code task_verify_contents(struct task *task,
                              const struct config_volume *config,
                              enum outcome *outcome, struct error *err)
{
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    CLEANUP(reading_release)
    struct reading reading = reading_of(task, config, &volume);
    const struct verify_counts *counts = &reading.read;
    err_code code =
        volume_locate(task->context->platform, config, &volume, err);

    if (!code)
        code = open_reading(&reading, "berth verify", err);
    if (!code)
        code = read_back(&reading, err);
    if (code)
        return code;
    post_verified(&reading);
    int64_t findings = counts->rotten + counts->drifted + counts->missing +
                       counts->unreadable + reading.found.failed;
    if (findings)
        *outcome = outcome_worse(*outcome, OUTCOME_FAILED_FILES);
    if (counts->drifted || counts->missing)
        task_say(task,
                 "volume %s: nothing but berth knows how it was: if the "
                 "changes are yours, `berth volume refresh %s` accepts them",
                 config->name, config->name);
    code = remember(&reading, findings, err);
    if (!code && !findings)
        code = verify_note_all(reading.catalogue, counts, err);
    return code;
}
