#include "core/compare_internal.h"

#include "core/base/array.h"
#include "core/base/fdio.h"
#include "core/base/path.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)256 * 1024)
/* Of many with one size and time (a tool set it) so many are tried. */
#define MOST_TRIED 8

/*
 * What survives a rename of a file: the filesystem, its content's size and
 * time, its inode and its birth. The change time does not.
 */
static int compare_identity(const struct rename_candidate *left,
                            const struct rename_candidate *right)
{
    const struct signature *one = &left->signature;
    const struct signature *other = &right->signature;

    if (left->filesystem != right->filesystem)
        return left->filesystem < right->filesystem ? -1 : 1;
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
    int order = compare_identity(left, right);

    return order ? order : path_compare(left->path, right->path);
}

static void sort_candidates(struct rename_candidates *candidates,
                            int (*order)(const void *, const void *))
{
    if (candidates->count)
        qsort(candidates->items, candidates->count, sizeof *candidates->items,
              order);
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
    const char *path, *drive; /* of the gone one */
    struct action *new, *delete;
    const struct signature *proven; /* see struct rename_from */
};
struct pairs {
    struct pair *items;
    size_t count, capacity;
};

static void add_pair(struct pairs *pairs, struct plan *plan,
                     struct rename_candidate *gone,
                     struct rename_candidate *fresh,
                     const struct signature *proven)
{
    struct pair pair = {
        .path = gone->path,
        .drive = gone->drive,
        .new = compare_find_action(plan, fresh->path, ACTION_NEW),
        .delete = compare_find_action(plan, gone->path, ACTION_DELETE),
        .proven = proven,
    };

    if (!pair.new || !pair.delete)
        return;
    gone->is_paired = fresh->is_paired = true;
    ARRAY_PUSH(pairs, pair);
}

static void make_rename(struct plan *plan, const struct pair *pair)
{
    struct rename_from *from = arena_alloc(&plan->arena, sizeof *from);

    *from = (struct rename_from){pair->path, pair->drive, pair->proven};
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

static void match_inodes(struct pairs *pairs, struct plan *plan,
                         struct rename_candidates *gone,
                         struct rename_candidates *fresh)
{
    size_t g = 0, f = 0;

    sort_candidates(gone, compare_candidates);
    sort_candidates(fresh, compare_candidates);
    while (g < gone->count && f < fresh->count) {
        int order = compare_identity(&gone->items[g], &fresh->items[f]);
        if (!order)
            add_pair(pairs, plan, &gone->items[g], &fresh->items[f], NULL);
        g += order <= 0;
        f += order >= 0;
    }
}

/*
 * --- the same content under another name, and no inode that tells: it was
 * moved over another filesystem, or restored ---
 */

static int compare_looks(const struct rename_candidate *one,
                         const struct rename_candidate *other)
{
    const struct signature *left = &one->signature, *right = &other->signature;

    if (left->size_bytes != right->size_bytes)
        return left->size_bytes < right->size_bytes ? -1 : 1;
    if (left->mtime_ns != right->mtime_ns)
        return left->mtime_ns < right->mtime_ns ? -1 : 1;
    return 0;
}

static int order_by_looks(const void *one, const void *other)
{
    const struct rename_candidate *left = one, *right = other;
    int order = compare_looks(left, right);

    return order ? order : path_compare(left->path, right->path);
}

static bool have_same_bytes(const struct compare_options *options, int source,
                            int drive)
{
    CLEANUP_FREE char *left = xmalloc(CHUNK_BYTES);
    CLEANUP_FREE char *right = xmalloc(CHUNK_BYTES);
    ssize_t got;

    do {
        got = fd_read_full(source, left, CHUNK_BYTES);
        if (got < 0 || fd_read_full(drive, right, CHUNK_BYTES) != got ||
            memcmp(left, right, (size_t)got) != 0 ||
            stop_flag_is_raised(options->stop))
            return false;
        atomic_fetch_add(&options->progress->hashed_bytes, got);
    } while (got > 0);
    return true;
}

/* A hash would do against rot, not against content made to collide. */
static bool is_same_content(const struct compare_options *options,
                            struct plan *plan,
                            const struct rename_candidate *gone,
                            const struct rename_candidate *fresh)
{
    const struct action *action =
        compare_find_action(plan, fresh->path, ACTION_NEW);
    CLEANUP_FREE char *there =
        path_join(options->directory, gone->drive ? gone->drive : gone->path);
    CLEANUP_FD int source = -1;
    CLEANUP_FD int drive = -1;

    if (!action ||
        source_open(options->source, action_raw(action), PLATFORM_OPEN_READ,
                    &source, NULL) ||
        platform_open_beneath(options->drive_fd, there, PLATFORM_OPEN_READ,
                              &drive, NULL))
        return false;
    return have_same_bytes(options, source, drive);
}

static void drop_paired(struct rename_candidates *candidates)
{
    size_t kept = 0;

    for (size_t i = 0; i < candidates->count; i++)
        if (!candidates->items[i].is_paired)
            candidates->items[kept++] = candidates->items[i];
    candidates->count = kept;
}

/* What is paired goes to the front, which moves on behind it: of many that look
 * the same, none is passed again. */
static void take_out(struct rename_candidates *gone, size_t *first, size_t at)
{
    const struct rename_candidate taken = gone->items[at];

    memmove(&gone->items[*first + 1], &gone->items[*first],
            (at - *first) * sizeof taken);
    gone->items[(*first)++] = taken;
}

static void match_one(const struct compare_options *options,
                      struct pairs *pairs, struct plan *plan,
                      struct rename_candidates *gone, size_t *first,
                      struct rename_candidate *fresh)
{
    for (size_t g = *first; g < gone->count && g - *first < MOST_TRIED; g++) {
        struct rename_candidate *old = &gone->items[g];
        if (compare_looks(old, fresh))
            return;
        if (!is_same_content(options, plan, old, fresh))
            continue;
        add_pair(pairs, plan, old, fresh,
                 arena_memdup(&plan->arena, &fresh->signature,
                              sizeof fresh->signature));
        if (old->is_paired)
            take_out(gone, first, g);
        return;
    }
}

static void match_contents(const struct compare_options *options,
                           struct pairs *pairs, struct plan *plan,
                           struct rename_candidates *gone,
                           struct rename_candidates *fresh)
{
    size_t g = 0;

    for (size_t f = 0; f < fresh->count; f++) {
        while (g < gone->count &&
               compare_looks(&gone->items[g], &fresh->items[f]) < 0)
            g++;
        match_one(options, pairs, plan, gone, &g, &fresh->items[f]);
    }
}

void compare_match_renames(const struct compare_options *options,
                           struct plan *plan, struct rename_candidates *gone,
                           struct rename_candidates *fresh)
{
    struct pairs pairs = {.items = NULL};

    match_inodes(&pairs, plan, gone, fresh);
    if (options->drive_fd >= 0) {
        drop_paired(gone);
        drop_paired(fresh);
        sort_candidates(gone, order_by_looks);
        sort_candidates(fresh, order_by_looks);
        match_contents(options, &pairs, plan, gone, fresh);
    }
    for (size_t i = 0; i < pairs.count; i++)
        make_rename(plan, &pairs.items[i]);
    if (pairs.count)
        drop_swallowed(plan);
    free(pairs.items);
}
