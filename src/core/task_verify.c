#include "core/task.h"

#include "core/base/clock.h"
#include "core/evidence.h"
#include "core/lock.h"
#include "core/marker.h"
#include "core/peers.h"
#include "core/replica_read.h"
#include "core/volume.h"

#include <string.h>

/* The job of this host with that directory, if the command names it. */
static bool is_wanted(const struct task *task, const struct owner *owner,
                      const struct pair *pair)
{
    return !strcmp(owner->host, task->host) &&
           !strcmp(owner->job, pair->job->name) &&
           !strcmp(owner->directory, pair->target->directory);
}

struct verifying_volume {
    struct task *task;
    const struct pair *pairs;
    size_t pair_count;
    struct volume volume;
    struct catalogue *catalogue;
    struct lock lock;
    struct platform_inhibitor *inhibitor;
    struct traits traits;
    struct owners owners;
    bool device_is_fresh;
};

static void verifying_volume_release(struct verifying_volume *verifying)
{
    lock_release(&verifying->lock);
    platform_inhibitor_release(verifying->inhibitor);
    owners_release(&verifying->owners);
    catalogue_close(verifying->catalogue);
    volume_release(&verifying->volume);
}

static err_code open_volume(struct verifying_volume *verifying,
                            struct error *err)
{
    struct task *task = verifying->task;
    const struct config_volume *config = verifying->pairs->volume;
    err_code code =
        volume_locate(task->context->platform, config, &verifying->volume, err);

    if (!code)
        code = lock_take(verifying->volume.root_fd, config->id, config->name,
                         "berth verify", &verifying->lock, err);
    if (!code)
        verifying->inhibitor =
            task_inhibit(task, &verifying->volume, "berth verify");
    if (!code)
        code = task_open_catalogue(task, config, &verifying->catalogue, err);
    if (!code)
        code = traits_load(verifying->catalogue, &verifying->traits, err);
    if (!code)
        code = catalogue_list_owners(verifying->catalogue, &verifying->owners,
                                     err);
    if (!code)
        code =
            evidence_device_is_fresh(verifying->catalogue, &verifying->volume,
                                     &verifying->device_is_fresh, err);
    return code;
}

static err_code add_totals(struct verifying_volume *verifying,
                           const struct owner *owner, struct error *err)
{
    struct verify_progress *progress = &verifying->task->progress.verify;
    int64_t files, bytes;
    err_code code =
        catalogue_count(verifying->catalogue, owner, &files, &bytes, err);

    if (code)
        return code;
    atomic_fetch_add(&progress->files_total, files);
    atomic_fetch_add(&progress->bytes_total, bytes);
    return ERR_OK;
}

static err_code for_each_owner(struct verifying_volume *verifying,
                               const struct verify_options *options,
                               struct verify_counts *counts, struct error *err)
{
    err_code code = ERR_OK;

    for (size_t o = 0; o < verifying->owners.count; o++) {
        const struct owner *owner = &verifying->owners.items[o];
        for (size_t p = 0; !code && p < verifying->pair_count; p++) {
            if (!is_wanted(verifying->task, owner, &verifying->pairs[p]))
                continue;
            code = options ? verify_owner(options, owner, counts, err)
                           : add_totals(verifying, owner, err);
        }
    }
    return code;
}

static void post_verified(struct verifying_volume *verifying,
                          const struct verify_counts *counts,
                          int64_t duration_ns)
{
    struct event *event = task_event(verifying->task, EVENT_VERIFIED);

    event->volume = xstrdup(verifying->pairs->volume->name);
    event->verify = (struct verify_info){
        .verified = counts->verified,
        .compared = counts->compared,
        .adopted = counts->adopted,
        .skipped = counts->skipped,
        .rotten = counts->rotten,
        .drifted = counts->drifted,
        .missing = counts->missing,
        .unreadable = counts->unreadable,
        .bytes = counts->bytes,
        .duration_ns = duration_ns,
    };
    task_post(verifying->task, event);
}

/* What the volume itself says about its files (ENGINE G12). */
static err_code verify_log(struct verifying_volume *verifying,
                           struct verify_counts *counts, struct error *err)
{
    struct task *task = verifying->task;
    bool is_whole;
    err_code code = replica_reads_back(&verifying->volume, verifying->catalogue,
                                       task->host, true, &is_whole, err);

    if (code || is_whole)
        return code;
    counts->rotten++;
    task_post_finding(task, verifying->pairs->job->name, COMMITS_PATH,
                      VERIFY_ROT,
                      "the next sync writes it anew from the catalogue");
    return peers_mark_due(verifying->catalogue, task->host, err);
}

/* Every job that writes to it was meant. */
static bool is_all_of_volume(const struct verifying_volume *verifying)
{
    const struct config *config = &verifying->task->config;
    const char *volume = verifying->pairs->volume->name;
    size_t count = 0;

    for (size_t j = 0; j < config->job_count; j++)
        for (size_t t = 0; t < config->jobs[j].target_count; t++)
            count += !strcmp(config->jobs[j].targets[t].volume, volume);
    return verifying->pair_count == count;
}

static err_code verify_volume(struct verifying_volume *verifying,
                              enum outcome *outcome, struct error *err)
{
    struct task *task = verifying->task;
    const struct verify_listener listener = {task, task_post_finding};
    const struct verify_options options = {
        .volume = &verifying->volume,
        .catalogue = verifying->catalogue,
        .time_tolerance_ns = verifying->traits.time_tolerance_ns,
        .sample = task->command->sample,
        .device_is_fresh = verifying->device_is_fresh,
        .is_spinning = platform_volume_spins(task->context->platform,
                                             &verifying->volume.mount),
        .seed = (uint64_t)clock_now_ns(),
        .stop = &task->stop,
        .progress = &task->progress.verify,
        .current = &task->progress.current,
        .listener = &listener,
    };
    struct verify_counts counts = {0};
    int64_t started = clock_monotonic_ns();

    err_code code = for_each_owner(verifying, NULL, NULL, err);
    if (!code)
        code = for_each_owner(verifying, &options, &counts, err);
    if (!code)
        code = verify_log(verifying, &counts, err);
    if (!code && is_all_of_volume(verifying))
        code = verify_note_all(verifying->catalogue, &counts, err);
    post_verified(verifying, &counts, clock_monotonic_ns() - started);
    if (counts.rotten || counts.drifted || counts.missing || counts.unreadable)
        *outcome = outcome_worse(*outcome, OUTCOME_FAILED_FILES);
    return code;
}

/* A volume that no job writes to, if the command means it. */
static bool is_meant(const struct task *task,
                     const struct config_volume *config)
{
    const struct command *command = task->command;
    bool is_named = !command->name_count;

    for (size_t i = 0; i < command->name_count; i++)
        is_named |= !strcmp(command->names[i], config->name);
    return is_named && config->role == VOLUME_READ_ONLY;
}

/* Those that are away are none of it unless they were named. */
static err_code verify_contents(struct task *task, enum outcome *outcome,
                                struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < task->config.volume_count; i++) {
        const struct config_volume *config = &task->config.volumes[i];
        if (!is_meant(task, config))
            continue;
        code = task_verify_contents(task, config, outcome, err);
        if (code == ERR_NOT_FOUND && !task->command->name_count) {
            task_say(task, "%s", err->message);
            code = ERR_OK;
        }
    }
    return code;
}

static err_code verify_pairs(struct task *task, const struct pairs *pairs,
                             enum outcome *outcome, struct error *err)
{
    err_code code = ERR_OK;
    size_t i = 0;

    while (!code && i < pairs->count) {
        CLEANUP(verifying_volume_release)
        struct verifying_volume verifying = {.task = task,
                                             .pairs = &pairs->items[i],
                                             .volume = VOLUME_INIT,
                                             .lock = LOCK_INIT};
        while (i < pairs->count &&
               pairs->items[i].volume == verifying.pairs->volume) {
            verifying.pair_count++;
            i++;
        }
        code = open_volume(&verifying, err);
        if (!code)
            code = verify_volume(&verifying, outcome, err);
    }
    return code;
}

static bool means_contents(const struct task *task)
{
    for (size_t i = 0; i < task->config.volume_count; i++)
        if (is_meant(task, &task->config.volumes[i]))
            return true;
    return false;
}

err_code task_verify(struct task *task, enum outcome *outcome,
                     struct error *err)
{
    CLEANUP(pairs_release) struct pairs pairs = {.items = NULL};
    err_code code = means_contents(task)
                        ? task_select_any_pairs(task, &pairs, err)
                        : task_select_pairs(task, &pairs, err);

    atomic_store(&task->progress.phase, PHASE_VERIFYING);
    if (!code)
        code = verify_pairs(task, &pairs, outcome, err);
    if (!code)
        code = verify_contents(task, outcome, err);
    if (!code && task->command->heals && pairs.count)
        *outcome = outcome_worse(*outcome, task_heal(task, &pairs));
    return code;
}
