#include "core/order.h"

#include "core/base/arena.h"
#include "core/base/array.h"
#include "core/base/path.h"

#include <stdlib.h>
#include <string.h>

/* Renames in case only, in one batch: what a kill makes recovery look through,
 * and what lies in staging at a time, which exFAT searches from the front. */
#define MOST_RESPELT ((size_t)2048)

struct names {
    const char **items;
    size_t count, capacity;
};

struct ordering {
    const struct plan *plan;
    const struct name_rules *rules;
    struct steps *steps;
    bool *is_early;           /* by action: directories that renames go into */
    struct names left, taken; /* by renames; by them and early directories */
    struct arena arena;       /* names that are not the plan's own */
    struct strbuf folded;     /* a name that is looked up */
    size_t temporaries;
};

void steps_release(struct steps *steps)
{
    free(steps->items);
    *steps = (struct steps){.items = NULL};
}

static void add_step(struct ordering *order, enum step_kind kind,
                     const struct action *action)
{
    struct step step = {.kind = kind, .action = action};

    ARRAY_PUSH(order->steps, step);
}

static void end_batch(struct ordering *order)
{
    if (order->steps->count)
        order->steps->items[order->steps->count - 1].ends_batch = true;
}

static bool is_held(const struct action *action)
{
    return action->flags & ACTION_HELD;
}

static bool is_rename(const struct action *action, bool of_directory)
{
    return action->kind == ACTION_RENAME && !is_held(action) &&
           (action->type == ENTRY_DIRECTORY) == of_directory;
}

/* --- what renames need --- */

static size_t find_action(const struct plan *plan, const char *path,
                          enum action_kind kind)
{
    size_t low = 0, high = plan->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct action *action = &plan->items[middle];
        int order = path_compare(path, action->path);
        if (!order)
            order = (int)kind - (int)action->kind;
        if (!order)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return plan->count;
}

/*
 * The directories above a rename's new name have to be made, or adopted by the
 * catalogue, before it.
 */
static void mark_parents(struct ordering *order, const char *path)
{
    static const enum action_kind kinds[] = {ACTION_MKDIR, ACTION_NOTE};
    CLEANUP_FREE char *parent = xstrdup(path);
    size_t length;

    while ((length = path_parent_length(parent))) {
        parent[length] = '\0';
        for (size_t i = 0; i < COUNT_OF(kinds); i++) {
            size_t at = find_action(order->plan, parent, kinds[i]);
            if (at < order->plan->count)
                order->is_early[at] = true;
        }
    }
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* As the volume tells names apart; until the next call. */
static const char *fold(struct ordering *order, const char *path)
{
    if (!order->rules->is_case_insensitive)
        return path;
    strbuf_reset(&order->folded);
    name_fold(path, &order->folded);
    return order->folded.text;
}

static void add_name(struct ordering *order, struct names *names,
                     const char *path)
{
    const char *name = fold(order, path);

    if (name != path)
        name = arena_strdup(&order->arena, name);
    ARRAY_PUSH(names, name);
}

static void sort_names(struct names *names)
{
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, compare_names);
}

static bool has_name(struct ordering *order, const struct names *names,
                     const char *path)
{
    const char *name = names->count ? fold(order, path) : NULL;

    return name && bsearch(&name, names->items, names->count,
                           sizeof *names->items, compare_names);
}

static void prepare(struct ordering *order)
{
    const struct plan *plan = order->plan;

    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        if (action->kind != ACTION_RENAME || is_held(action))
            continue;
        mark_parents(order, action->path);
        add_name(order, &order->left, action->rename->path);
        add_name(order, &order->taken, action->path);
    }
    for (size_t i = 0; i < plan->count; i++)
        if (order->is_early[i] && plan->items[i].kind == ACTION_MKDIR)
            add_name(order, &order->taken, plan->items[i].path);
    sort_names(&order->left);
    sort_names(&order->taken);
}

/*
 * The new name is still another rename's old one (or its own, in other cases),
 * or something takes the old name before the second halves are reached.
 */
static bool needs_temporary(struct ordering *order, const struct action *action)
{
    return has_name(order, &order->left, action->path) ||
           has_name(order, &order->taken, action->rename->path);
}

/* A file's own name in other cases: it meets no other rename's. */
static bool is_respelt(const struct ordering *order,
                       const struct action *action)
{
    return order->rules->is_case_insensitive &&
           name_is_twin(action->rename->path, action->path);
}

/* --- the steps --- */

static void add_half(struct ordering *order, enum step_kind kind,
                     const struct action *action, size_t temporary)
{
    add_step(order, kind, action);
    order->steps->items[order->steps->count - 1].temporary = temporary;
}

/* Parents come first in the plan, and a child's old name is below its parent's
 * new one. A pair through a temporary name is a batch of its own. */
static void rename_directories(struct ordering *order)
{
    for (size_t i = 0; i < order->plan->count; i++) {
        const struct action *action = &order->plan->items[i];
        if (!is_rename(action, true))
            continue;
        if (!needs_temporary(order, action)) {
            add_step(order, STEP_RENAME, action);
            continue;
        }
        end_batch(order);
        size_t number = order->temporaries++;
        add_half(order, STEP_RENAME_AWAY, action, number);
        add_half(order, STEP_RENAME_BACK, action, number);
        end_batch(order);
    }
    end_batch(order);
}

static void delete_early(struct ordering *order)
{
    for (size_t i = 0; i < order->plan->count; i++) {
        const struct action *action = &order->plan->items[i];
        if (action->kind == ACTION_DELETE && action->flags & ACTION_EARLY &&
            !is_held(action))
            add_step(order, STEP_DELETE, action);
    }
    end_batch(order);
}

/* Recovery relies on it: all first halves, then all second ones, in the same
 * order (recover.c). */
static size_t rename_halves(struct ordering *order, bool second)
{
    size_t number = order->temporaries;

    for (size_t i = 0; i < order->plan->count; i++) {
        const struct action *action = &order->plan->items[i];
        if (!is_rename(action, false) || is_respelt(order, action))
            continue;
        bool through_temporary = needs_temporary(order, action);
        if (!through_temporary && second)
            add_step(order, STEP_RENAME, action);
        if (through_temporary)
            add_half(order, second ? STEP_RENAME_BACK : STEP_RENAME_AWAY,
                     action, number++);
    }
    return number;
}

static void rename_files(struct ordering *order)
{
    const struct plan *plan = order->plan;

    rename_halves(order, false);
    for (size_t i = plan->count; i-- > 0;)
        if (plan->items[i].kind == ACTION_RMDIR &&
            plan->items[i].flags & ACTION_EARLY && !is_held(&plan->items[i]))
            add_step(order, STEP_RMDIR, &plan->items[i]);
    for (size_t i = 0; i < plan->count; i++)
        if (order->is_early[i])
            add_step(order,
                     plan->items[i].kind == ACTION_MKDIR ? STEP_MKDIR
                                                         : STEP_NOTE,
                     &plan->items[i]);
    order->temporaries = rename_halves(order, true);
    end_batch(order);
}

/* Some of them from `first` on; returns where the others begin. */
static size_t respell_some(struct ordering *order, size_t first)
{
    const struct plan *plan = order->plan;
    size_t away = order->steps->count, count = 0, i;

    for (i = first; i < plan->count && count < MOST_RESPELT; i++)
        if (is_rename(&plan->items[i], false) &&
            is_respelt(order, &plan->items[i]))
            add_half(order, STEP_RENAME_AWAY, &plan->items[i],
                     order->temporaries + count++);
    for (size_t j = 0; j < count; j++)
        add_half(order, STEP_RENAME_BACK, order->steps->items[away + j].action,
                 order->temporaries + j);
    order->temporaries += count;
    end_batch(order);
    return i;
}

static void respell_files(struct ordering *order)
{
    size_t next = 0;

    while (next < order->plan->count)
        next = respell_some(order, next);
}

static void copy(struct ordering *order)
{
    for (size_t i = 0; i < order->plan->count; i++) {
        const struct action *action = &order->plan->items[i];
        if (is_held(action))
            continue;
        if (action->kind == ACTION_NEW || action->kind == ACTION_UPDATE)
            add_step(order, STEP_COPY, action);
        else if (action->kind == ACTION_MKDIR && !order->is_early[i])
            add_step(order, STEP_MKDIR, action);
        else if (action->kind == ACTION_NOTE && !order->is_early[i])
            add_step(order, STEP_NOTE, action);
        else if (action->kind == ACTION_TOUCH &&
                 action->type != ENTRY_DIRECTORY)
            add_step(order, STEP_TOUCH, action);
    }
    end_batch(order);
}

static void delete_late(struct ordering *order)
{
    const struct plan *plan = order->plan;

    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        if (action->kind == ACTION_DELETE && !(action->flags & ACTION_EARLY) &&
            !is_held(action))
            add_step(order, STEP_DELETE, action);
    }
    end_batch(order);
    for (size_t i = plan->count; i-- > 0;) {
        const struct action *action = &plan->items[i];
        if (action->kind == ACTION_RMDIR && !(action->flags & ACTION_EARLY) &&
            !is_held(action))
            add_step(order, STEP_RMDIR, action);
        else if (action->kind == ACTION_TOUCH &&
                 action->type == ENTRY_DIRECTORY)
            add_step(order, STEP_TOUCH, action);
    }
}

void order_plan(const struct plan *plan, const struct name_rules *rules,
                struct steps *out)
{
    CLEANUP_FREE bool *is_early = xcalloc(plan->count, sizeof *is_early);

    struct ordering order = {
        .plan = plan,
        .rules = rules,
        .steps = out,
        .is_early = is_early,
        .arena = ARENA_INIT,
        .folded = STRBUF_INIT,
    };

    *out = (struct steps){.items = NULL};
    prepare(&order);
    rename_directories(&order);
    delete_early(&order);
    rename_files(&order);
    respell_files(&order);
    copy(&order);
    delete_late(&order);
    free(order.left.items);
    free(order.taken.items);
    arena_release(&order.arena);
    strbuf_release(&order.folded);
}
