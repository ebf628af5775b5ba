#include "core/task.h"

#include "core/base/clock.h"
#include "core/evidence.h"
#include "core/guard.h"
#include "core/import.h"
#include "core/volume.h"

#include <stdlib.h>

/* One volume while its jobs are compared. */
struct diffing {
    struct task *task;
    const struct config_volume *config;
    enum diff_depth depth;
    struct volume volume; /* root_fd -1: not attached */
    struct catalogue *catalogue;
    char *catalogue_path;
    struct traits traits;
    bool tells; /* somebody reads it, with what is to be done */
};

static void diffing_release(struct diffing *diffing)
{
    volume_release(&diffing->volume);
    catalogue_close(diffing->catalogue);
    free(diffing->catalogue_path);
}

static bool is_attached(const struct diffing *diffing)
{
    return diffing->volume.root_fd >= 0;
}

/* A state that was restored from a backup compares with what was: a sync
 * refuses, and what would be listed is not what it would do. */
static err_code check_is_current(struct diffing *diffing, struct error *err)
{
    bool is_behind = false;
    err_code code = is_attached(diffing)
                        ? import_is_behind(diffing->catalogue, &diffing->volume,
                                           diffing->task->host, &is_behind, err)
                        : ERR_OK;

    return code || !is_behind ? code : import_refuse(&diffing->volume, err);
}

static err_code open_volume(struct task *task,
                            const struct config_volume *config,
                            enum diff_depth depth, struct diffing *out,
                            struct error *err)
{
    err_code code = ERR_OK;

    out->task = task;
    out->config = config;
    out->depth = depth;
    out->volume = (struct volume)VOLUME_INIT;
    if (depth != DIFF_DEPTH_QUICK)
        code =
            volume_locate(task->context->platform, config, &out->volume, err);
    if (code == ERR_NOT_FOUND && depth == DIFF_DEPTH_AUTO)
        code = ERR_OK;
    if (code)
        return code;
    code = task_open_reader(task, config, &out->catalogue, &out->catalogue_path,
                            err);
    if (!code)
        code = traits_load(out->catalogue, &out->traits, err);
    if (code == ERR_NOT_FOUND)
        error_set(err, code,
                  "this machine has no catalogue of volume %s yet: plug the "
                  "drive in and run `berth sync`",
                  config->name);
    return code ? code : check_is_current(out, err);
}

static err_code decide_depth(struct diffing *diffing,
                             const struct prepared *prepared, bool *out_full,
                             struct error *err)
{
    const struct evidence evidence = {
        .owner = prepared->has_owner ? &prepared->owner : NULL,
        .host = diffing->task->host,
        .now_ns = clock_now_ns(),
    };

    *out_full = diffing->depth == DIFF_DEPTH_FULL;
    if (*out_full || !is_attached(diffing))
        return ERR_OK;
    return evidence_needs_full(diffing->catalogue, &diffing->volume, &evidence,
                               out_full, err);
}

static err_code diff_pair(struct diffing *diffing, const struct pair *pair,
                          struct plan *out, struct error *err)
{
    struct task *task = diffing->task;
    const struct volume *volume =
        is_attached(diffing) ? &diffing->volume : NULL;
    CLEANUP(prepared_release)
    struct prepared prepared = {.source = SOURCE_INIT};
    bool full = false;
    err_code code =
        task_prepare(task, pair, volume, diffing->catalogue, &prepared, err);

    if (!code)
        code = decide_depth(diffing, &prepared, &full, err);
    if (code)
        return code;
    const struct compare_inputs inputs = {
        .prepared = &prepared,
        .volume = full ? volume : NULL,
        .catalogue = diffing->catalogue,
        .catalogue_path = diffing->catalogue_path,
        .traits = &diffing->traits,
    };
    code = task_compare(task, &inputs, out, err);
    if (!code)
        guard_hold(out, pair->job, 0);
    if (!code && diffing->tells)
        task_tell_mounts(task, &prepared);
    return code;
}

static enum outcome outcome_of_plan(const struct plan *plan)
{
    enum outcome outcome = OUTCOME_DONE;

    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        if (action_counts(action))
            outcome = outcome_worse(outcome, action->reason == REASON_LOSS
                                                 ? OUTCOME_FAILED_FILES
                                                 : OUTCOME_DIFFERENCES);
    }
    return outcome;
}

/* `opened`: what became of opening its volume, with `why`. */
static enum outcome post_diff(struct diffing *diffing, const struct pair *pair,
                              err_code opened, bool was_told,
                              const struct error *why)
{
    struct task *task = diffing->task;
    struct error err = *why;
    struct event *event = task_event(task, EVENT_PLAN);
    int64_t started = clock_monotonic_ns();

    event->job = xstrdup(pair->job->name);
    event->volume = xstrdup(pair->volume->name);
    event->is_repeated = opened && was_told;
    event->code =
        opened ? opened : diff_pair(diffing, pair, &event->plan, &err);
    event->duration_ns = clock_monotonic_ns() - started;
    if (event->code)
        event->text = xstrdup(err.message);
    event->outcome =
        event->code ? outcome_of(event->code) : outcome_of_plan(&event->plan);
    enum outcome outcome = event->outcome;
    task_post(task, event);
    return outcome;
}

err_code task_diff(struct task *task, enum outcome *outcome, struct error *err)
{
    CLEANUP(pairs_release) struct pairs pairs = {.items = NULL};
    err_code code = task_select_pairs(task, &pairs, err);
    size_t i = 0;

    while (!code && i < pairs.count && !stop_flag_is_raised(&task->stop)) {
        CLEANUP(diffing_release)
        struct diffing diffing = {.task = NULL, .tells = true};
        const struct config_volume *volume = pairs.items[i].volume;
        struct error why = ERROR_INIT;
        size_t first = i;
        err_code opened =
            open_volume(task, volume, task->command->depth, &diffing, &why);
        for (; i < pairs.count && pairs.items[i].volume == volume; i++)
            *outcome =
                outcome_worse(*outcome, post_diff(&diffing, &pairs.items[i],
                                                  opened, i > first, &why));
    }
    return code;
}

struct leftovers task_leftovers(struct task *task,
                                const struct config_volume *volume)
{
    CLEANUP(pairs_release) struct pairs pairs = {.items = NULL};
    CLEANUP(diffing_release) struct diffing diffing = {.task = NULL};
    struct leftovers left = {0};

    task_pairs_of_volume(task, volume, &pairs);
    err_code code = open_volume(task, volume, DIFF_DEPTH_QUICK, &diffing, NULL);
    for (size_t i = 0; i < pairs.count; i++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        if (!code && !diff_pair(&diffing, &pairs.items[i], &plan, NULL)) {
            leftovers_add_plan(&left, &plan);
        } else {
            left.jobs++;
            left.unknown++;
        }
    }
    return left;
}
