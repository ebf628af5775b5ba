#include "core/compare_internal.h"

#include "core/base/array.h"
#include "core/base/path.h"

#include <stdlib.h>

/*
 * What survives a rename of a file: its content's size and time, its inode and
 * its birth. The change time does not.
 */
static int compare_identity(const struct signature *one,
                            const struct signature *other)
{
    if (one->inode != other->inode)
        return one->inode < other->inode ? -1 : 1;
    if (one->size_bytes != other->size_bytes)
        return one->size_bytes < other->size_bytes ? -1 : 1;
    if (one->mtime_ns != other->mtime_ns)
        return one->mtime_ns < other->mtime_ns ? -1 : 1;
    if (one->btime_ns != other->btime_ns)
        return one->btime_ns < other->btime_ns ? -1 : 1;
    return 0;
}

static int compare_candidates(const void *one, const void *other)
{
    const struct rename_candidate *left = one, *right = other;
    int order = compare_identity(&left->signature, &right->signature);

    return order ? order : path_compare(left->path, right->path);
}

static void sort_candidates(struct rename_candidates *candidates)
{
    if (candidates->count)
        qsort(candidates->items, candidates->count, sizeof *candidates->items,
              compare_candidates);
}

struct action *compare_find_action(struct plan *plan, const char *path,
                                   enum action_kind kind)
{
    size_t low = 0, high = plan->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct action *action = &plan->items[middle];
        int order = path_compare(path, action->path);
        if (!order)
            order = (int)kind - (int)action->kind;
        if (!order)
            return action;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/*
 * Pairs are found first and made afterwards: the plan has to stay sorted while
 * it is searched, and a pair that is made changes a kind and clears a path.
 */
struct pair {
    const struct rename_candidate *gone;
    struct action *new, *delete;
};
struct pairs {
    struct pair *items;
    size_t count, capacity;
};

static void add_pair(struct pairs *pairs, struct plan *plan,
                     const struct rename_candidate *gone,
                     const struct rename_candidate *fresh)
{
    struct pair pair = {
        .gone = gone,
        .new = compare_find_action(plan, fresh->path, ACTION_NEW),
        .delete = compare_find_action(plan, gone->path, ACTION_DELETE),
    };

    if (pair.new &&pair.delete)
        ARRAY_PUSH(pairs, pair);
}

static void make_rename(struct plan *plan, const struct pair *pair)
{
    struct rename_from *from = arena_alloc(&plan->arena, sizeof *from);

    *from = (struct rename_from){pair->gone->path, pair->gone->drive};
    pair->new->kind = ACTION_RENAME;
    pair->new->rename = from;
    pair->delete->path = NULL; /* swallowed: dropped below */
}

static void drop_swallowed(struct plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].path)
            plan->items[kept++] = plan->items[i];
    plan->count = kept;
}

void compare_match_renames(struct plan *plan, struct rename_candidates *gone,
                           struct rename_candidates *fresh)
{
    struct pairs pairs = {.items = NULL};
    size_t g = 0, f = 0;

    sort_candidates(gone);
    sort_candidates(fresh);
    while (g < gone->count && f < fresh->count) {
        int order = compare_identity(&gone->items[g].signature,
                                     &fresh->items[f].signature);
        if (!order)
            add_pair(&pairs, plan, &gone->items[g], &fresh->items[f]);
        g += order <= 0;
        f += order >= 0;
    }
    for (size_t i = 0; i < pairs.count; i++)
        make_rename(plan, &pairs.items[i]);
    if (pairs.count)
        drop_swallowed(plan);
    free(pairs.items);
}
