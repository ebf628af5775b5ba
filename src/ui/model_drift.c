#include "ui/model.h"

#include <stdlib.h>
#include <string.h>

static const struct drive *drive_of(const struct model *model)
{
    return model_find_drive(model, model->lookup.drift_drive);
}

int64_t model_count_drift(const struct model *model, const struct drive *drive)
{
    int64_t count = 0;

    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (target->review && !target->error && target_is_of(target, drive))
            count += target->review->drifted;
    }
    return count;
}

static void add_action(struct table *table, const struct target *target,
                       const struct action *action)
{
    const struct table_row row = {
        .volume = target->volume,
        .job = target->job,
        .path = action_raw(action),
        .text = action_reason_text((enum action_reason)action->reason),
        .finding = {.reason = action->reason, .kind = action->kind},
        .rank = action->kind == ACTION_FOREIGN ? 2 : 1,
    };

    table_add(table, &row);
}

/* What a verify has found stays: the comparison does not know of it. */
static void keep_findings(struct table *from, struct table *to)
{
    for (size_t i = 0; i < from->count; i++)
        if (from->items[i].finding.is_of_verify)
            table_add(to, &from->items[i]);
}

static int worst_first(const void *one, const void *other)
{
    const struct table_row *a = one, *b = other;
    int order = a->rank - b->rank;

    if (!order)
        order = strcmp(a->job, b->job);
    if (!order)
        order = strcmp(a->path, b->path);
    return order ? order : a->finding.is_of_verify - b->finding.is_of_verify;
}

/* Seen by comparing and by reading back: once. */
static bool is_repeated(const struct table_row *row,
                        const struct table_row *before)
{
    return !strcmp(row->path, before->path) && !strcmp(row->job, before->job) &&
           row->finding.is_of_verify;
}

void model_list_drift(struct model *model)
{
    struct table *table = &model->lookup.drift;
    const struct drive *drive = drive_of(model);
    struct table anew = {.filter = table->filter,
                         .cursor = table->cursor,
                         .top = table->top,
                         .is_whole = true};

    if (!drive)
        return;
    table->filter = NULL;
    keep_findings(table, &anew);
    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (!target->review || !target_is_of(target, drive))
            continue;
        const struct plan *plan = &target->review->plan;
        for (size_t row = 0; row < plan->count; row++)
            if (plan->items[row].kind == ACTION_FOREIGN ||
                action_is_drift(&plan->items[row]))
                add_action(&anew, target, &plan->items[row]);
    }
    table_release(table);
    *table = anew;
    table_sort(table, worst_first);
    table_drop(table, is_repeated);
}

void model_open_drift(struct model *model, const struct drive *drive)
{
    struct lookup *lookup = &model->lookup;

    if (!lookup->drift_drive || !drive_has_key(drive, lookup->drift_drive)) {
        table_release(&lookup->drift);
        free(lookup->drift_drive);
        lookup->drift_drive = drive_key(drive);
    }
    table_set_filter(&lookup->drift, NULL);
    model_list_drift(model);
    model_open(model, SCREEN_DRIFT);
}
