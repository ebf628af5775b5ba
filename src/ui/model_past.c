#include "ui/model.h"

#include "core/base/array.h"

#include <stdlib.h>
#include <string.h>

/* Runs that copied less say nothing about a drive's speed. */
#define TELLING_BYTES (INT64_C(50) * 1000 * 1000)
#define TELLING_RUNS 5

const struct past *model_find_past(const struct model *model,
                                   const char *volume)
{
    for (size_t i = 0; i < model->pasts.count; i++)
        if (!strcmp(model->pasts.items[i].volume, volume))
            return &model->pasts.items[i];
    return NULL;
}

static struct past *need_past(struct model *model, const char *volume)
{
    for (size_t i = 0; i < model->pasts.count; i++)
        if (!strcmp(model->pasts.items[i].volume, volume))
            return &model->pasts.items[i];
    const struct past past = {.volume = xstrdup(volume)};
    ARRAY_PUSH(&model->pasts, past);
    return &model->pasts.items[model->pasts.count - 1];
}

static void learn_speed(struct past *past, int64_t bytes, int64_t duration_ns)
{
    if (bytes < TELLING_BYTES || duration_ns <= 0 ||
        past->speed_runs >= TELLING_RUNS)
        return;
    past->speed_bytes += bytes;
    past->speed_ns += duration_ns;
    past->speed_runs++;
}

/* Newest first, so that the first of a volume is its last run. */
void model_apply_history(struct model *model, const struct event *event)
{
    const struct run *run = &event->run;
    struct past *past = need_past(model, event->volume);

    if (!run->ended_ns)
        return;
    if (!past->ended_ns) {
        past->ended_ns = run->ended_ns;
        past->duration_ns = run->ended_ns - run->started_ns;
        past->bytes = run->counts.bytes_copied;
        past->exit_code = run->exit_code;
    }
    learn_speed(past, run->counts.bytes_copied,
                run->ended_ns - run->started_ns);
}

int64_t model_usual_speed(const struct model *model, const char *volume)
{
    const struct past *past = model_find_past(model, volume);

    if (!past || past->speed_ns <= 0)
        return 0;
    return (int64_t)((double)past->speed_bytes / (double)past->speed_ns * 1e9);
}

/* A job of our own run has ended. */
void model_remember_past(struct model *model, const struct event *event)
{
    struct past *past = need_past(model, event->volume);
    int64_t bytes = event->sync.counts.bytes_copied;

    if (past->ended_ns < model->run.started_ns) {
        past->bytes = 0; /* the first job of this run */
        past->exit_code = 0;
    }
    past->ended_ns = model->now_ns;
    past->duration_ns = model->now_ns - model->run.started_ns;
    past->bytes += bytes;
    past->exit_code =
        (int)outcome_worse((enum outcome)past->exit_code, event->outcome);
    if (past->speed_runs == TELLING_RUNS) {
        past->speed_bytes = past->speed_ns = 0;
        past->speed_runs = 0;
    }
    learn_speed(past, bytes, event->sync.duration_ns);
}
