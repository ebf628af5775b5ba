#include "core/compare.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "core/compare_internal.h"
#include "core/db.h"

#include <stdlib.h>
#include <string.h>

struct compare_walk {
    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t changed;
    struct compare_task *stack;
    unsigned working;    /* walkers that may still push */
    err_code code;       /* the first failure; ends the walk */
    struct error *error; /* of that failure; NULL when nobody asks */
};

/* --- the stack --- */

static char *copy_string(char **at, const char *text)
{
    char *copy = *at;
    size_t size = strlen(text) + 1;

    memcpy(copy, text, size);
    *at += size;
    return copy;
}

static struct compare_task *task_copy(const struct compare_task *task)
{
    size_t size = strlen(task->path) + strlen(task->raw) + strlen(task->drive) +
                  strlen(task->listed) + 4;
    struct compare_task *copy = xmalloc(sizeof *copy + size);
    char *strings = (char *)(copy + 1);

    *copy = *task;
    copy->path = copy_string(&strings, task->path);
    copy->raw = copy_string(&strings, task->raw);
    copy->drive = copy_string(&strings, task->drive);
    copy->listed = copy_string(&strings, task->listed);
    return copy;
}

void compare_push(struct compare_walk *walk, const struct compare_task *task)
{
    struct compare_task *copy = task_copy(task);

    mutex_lock(&walk->mutex);
    copy->next = walk->stack;
    walk->stack = copy;
    condition_signal(&walk->changed);
    mutex_unlock(&walk->mutex);
}

/* NULL when there is nothing left and nobody who could add to it. */
static struct compare_task *take_task(struct compare_walk *walk)
{
    struct compare_task *task = NULL;

    mutex_lock(&walk->mutex);
    while (!walk->stack && walk->working && !walk->code)
        condition_wait(&walk->changed, &walk->mutex);
    if (walk->stack && !walk->code) {
        task = walk->stack;
        walk->stack = task->next;
        walk->working++;
    }
    mutex_unlock(&walk->mutex);
    return task;
}

static void finish_task(struct compare_walk *walk, err_code code,
                        const struct error *err)
{
    mutex_lock(&walk->mutex);
    walk->working--;
    if (code && !walk->code) {
        walk->code = code;
        if (walk->error)
            *walk->error = *err;
    }
    if (!walk->working || walk->code)
        condition_broadcast(&walk->changed);
    mutex_unlock(&walk->mutex);
}

static void *walker_main(void *argument)
{
    struct walker *walker = argument;
    struct compare_task *task;

    while ((task = take_task(walker->walk))) {
        struct error err = ERROR_INIT;
        err_code code;
        if (stop_flag_is_raised(walker->options->stop))
            code = error_set(&err, ERR_CANCELLED, "stopped on request");
        else
            code = compare_directory(walker, task, &err);
        free(task);
        finish_task(walker->walk, code, &err);
    }
    return NULL;
}

static void walk_init(struct compare_walk *walk, struct error *err)
{
    *walk = (struct compare_walk){.error = err};
    mutex_init(&walk->mutex);
    condition_init(&walk->changed);
}

static void walk_release(struct compare_walk *walk)
{
    while (walk->stack) {
        struct compare_task *task = walk->stack;
        walk->stack = task->next;
        free(task);
    }
    mutex_destroy(&walk->mutex);
    condition_destroy(&walk->changed);
}

/* --- walkers --- */

static err_code walker_init(struct walker *walker, struct compare_walk *walk,
                            const struct compare_options *options,
                            const struct filter *filter, struct error *err)
{
    err_code code = ERR_OK;

    *walker =
        (struct walker){.walk = walk, .options = options, .filter = filter};
    if (options->owner)
        code = catalogue_open_reader(options->catalogue_path,
                                     &walker->catalogue, err);
    return code;
}

static void walker_release(struct walker *walker)
{
    catalogue_close(walker->catalogue);
    arena_release(&walker->scratch);
    scan_release(&walker->source);
    scan_release(&walker->drive);
    records_release(&walker->rows);
    plan_release(&walker->plan);
    free(walker->moved.items);
    free(walker->twins.items);
    free(walker->gone.items);
    free(walker->fresh.items);
    free(walker->shifted.items);
}

static void append_candidates(struct rename_candidates *to,
                              const struct rename_candidates *from)
{
    ARRAY_RESERVE(to->items, to->count + from->count, to->capacity);
    if (from->count)
        memcpy(to->items + to->count, from->items,
               from->count * sizeof *from->items);
    to->count += from->count;
}

/* At once: a first copy has an action for each file, and none of it twice. */
static void take_actions(struct plan *plan, struct plan *part)
{
    if (!plan->count) {
        free(plan->items);
        plan->items = part->items;
        plan->count = part->count;
        plan->capacity = part->capacity;
    } else {
        ARRAY_RESERVE(plan->items, plan->count + part->count, plan->capacity);
        if (part->count)
            memcpy(plan->items + plan->count, part->items,
                   part->count * sizeof *part->items);
        plan->count += part->count;
        free(part->items);
    }
    part->items = NULL;
    part->count = part->capacity = 0;
}

/* Moves what a walker found into the common plan. */
static void collect(struct plan *plan, struct rename_candidates *gone,
                    struct rename_candidates *fresh,
                    struct shifted_files *shifted, struct walker *walker)
{
    struct plan *part = &walker->plan;

    take_actions(plan, part);
    arena_absorb(&plan->arena, &part->arena);
    plan->totals.files_seen += part->totals.files_seen;
    plan->totals.bytes_seen =
        sum_of_bytes(plan->totals.bytes_seen, part->totals.bytes_seen);
    plan->totals.rows_files += part->totals.rows_files;
    plan->totals.rows_bytes =
        sum_of_bytes(plan->totals.rows_bytes, part->totals.rows_bytes);
    append_candidates(gone, &walker->gone);
    append_candidates(fresh, &walker->fresh);
    for (size_t i = 0; i < walker->shifted.count; i++)
        ARRAY_PUSH(shifted, walker->shifted.items[i]);
}

static void make_plan(const struct compare_options *options,
                      struct walker *walkers, struct plan *out)
{
    struct plan plan = PLAN_INIT;
    struct rename_candidates gone = {.items = NULL}, fresh = {.items = NULL};
    struct shifted_files shifted = {.items = NULL};

    for (unsigned i = 0; i < options->walkers; i++)
        collect(&plan, &gone, &fresh, &shifted, &walkers[i]);
    plan_sort(&plan);
    compare_adopt_shifted(options, &plan, &shifted);
    if (options->job->mode == JOB_MIRROR)
        compare_match_renames(options, &plan, &gone, &fresh);
    if (options->job->include_count)
        plan_drop_empty_directories(&plan);
    plan_keep_directories(&plan);
    free(gone.items);
    free(fresh.items);
    free(shifted.items);
    plan.is_full = options->drive_fd >= 0;
    plan.made_ns = options->now_ns;
    plan_total(&plan);
    *out = plan;
}

static void run_walkers(struct walker *walkers, unsigned count)
{
    CLEANUP_FREE pthread_t *threads = xmalloc(count * sizeof *threads);

    for (unsigned i = 1; i < count; i++)
        threads[i] = thread_start(walker_main, &walkers[i]);
    /* While the first directories are read. */
    if (walkers[0].catalogue)
        db_read_ahead(catalogue_db(walkers[0].catalogue));
    walker_main(&walkers[0]);
    for (unsigned i = 1; i < count; i++)
        thread_join(threads[i]);
}

err_code compare(const struct compare_options *options, struct plan *out,
                 struct error *err)
{
    const struct config_job *job = options->job;
    struct compare_walk walk;
    struct filter *filter = filter_new(
        (const char *const *)job->include, job->include_count,
        (const char *const *)job->exclude, job->exclude_count, job->keep_junk);
    CLEANUP_FREE struct walker *walkers =
        xcalloc(options->walkers, sizeof *walkers);
    struct platform_stat source;
    err_code code = platform_stat_fd(options->source->fd, &source, err);

    if (code) {
        filter_free(filter);
        return code;
    }
    const struct compare_task root = {
        .path = "",
        .raw = "",
        .drive = "",
        .listed = "",
        .mount = source.mount,
        .row = options->owner ? options->owner->root : 0,
        .in_source = true,
        .on_drive = options->drive_has_directory,
    };

    walk_init(&walk, err);
    for (unsigned i = 0; !code && i < options->walkers; i++)
        code = walker_init(&walkers[i], &walk, options, filter, err);
    if (!code) {
        compare_push(&walk, &root);
        run_walkers(walkers, options->walkers);
        code = walk.code;
    }
    if (!code)
        make_plan(options, walkers, out);
    for (unsigned i = 0; i < options->walkers; i++)
        walker_release(&walkers[i]);
    walk_release(&walk);
    filter_free(filter);
    return code;
}
