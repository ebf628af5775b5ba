#include "ui/review.h"

#include "core/base/path.h"

#include <stdlib.h>
#include <string.h>

#define WORD_BITS ((size_t)64)

struct review *review_new(struct plan *plan)
{
    struct review *review = xcalloc(1, sizeof *review);

    review->plan = *plan;
    *plan = (struct plan)PLAN_INIT;
    review->sums =
        xcalloc(review->plan.count / REVIEW_STRIDE + 1, sizeof *review->sums);
    return review;
}

void review_free(struct review *review)
{
    if (!review)
        return;
    plan_release(&review->plan);
    free(review->sums);
    free(review->left_out);
    free(review);
}

/* --- sums ------------------------------------------------------------------
 */

bool action_is_drift(const struct action *action)
{
    switch ((enum action_reason)action->reason) {
    case REASON_MISSING_ON_DRIVE:
    case REASON_DRIFT:
    case REASON_DRIFT_KEPT:
    case REASON_GONE_BUT_CHANGED:
    case REASON_FOREIGN_DIRECTORY:
    case REASON_TREE_IN_THE_WAY:
    case REASON_ROT:
    case REASON_LOSS:
        return true;
    default:
        return false;
    }
}

/*
 * Sums of ranges are differences, so sums of all may wrap around: sparse files
 * of 8 EiB exist. Of what is not there any more no size is known.
 */
static void add_bytes(int64_t *to, int64_t bytes)
{
    *to = (int64_t)((uint64_t)*to + (uint64_t)(bytes > 0 ? bytes : 0));
}

static void add_action(struct review_sum *sum, const struct action *action)
{
    bool is_pending = action_is_pending(action);

    if (action->kind == ACTION_NEW || action->kind == ACTION_UPDATE)
        add_bytes(&sum->copy_bytes, action->size_bytes);
    if (action->kind == ACTION_DELETE)
        add_bytes(&sum->delete_bytes, action->size_bytes);
    sum->pending += is_pending;
    sum->deletes += is_pending && action->kind == ACTION_DELETE;
    sum->files += is_pending && action->type != ENTRY_DIRECTORY;
    sum->shown += action->kind != ACTION_NOTE;
    sum->conflicts += action->kind == ACTION_CONFLICT;
}

static void add_sum(struct review_sum *to, const struct review_sum *from)
{
    add_bytes(&to->copy_bytes, from->copy_bytes);
    add_bytes(&to->delete_bytes, from->delete_bytes);
    to->pending += from->pending;
    to->deletes += from->deletes;
    to->files += from->files;
    to->shown += from->shown;
    to->conflicts += from->conflicts;
}

/* More than anybody has shows as the most that can be said. */
static int64_t difference(int64_t from, int64_t what)
{
    int64_t bytes = (int64_t)((uint64_t)from - (uint64_t)what);

    return bytes < 0 ? INT64_MAX : bytes;
}

static void subtract_sum(struct review_sum *from, const struct review_sum *what)
{
    from->copy_bytes = difference(from->copy_bytes, what->copy_bytes);
    from->delete_bytes = difference(from->delete_bytes, what->delete_bytes);
    from->pending -= what->pending;
    from->deletes -= what->deletes;
    from->files -= what->files;
    from->shown -= what->shown;
    from->conflicts -= what->conflicts;
}

bool review_is_ready(const struct review *review)
{
    return review->summed == review->plan.count;
}

bool review_work(struct review *review, size_t rows)
{
    const struct plan *plan = &review->plan;

    for (; rows && review->summed < plan->count; rows--) {
        size_t row = review->summed++;
        const struct action *action = &plan->items[row];
        add_action(&review->total, action);
        review->too_young +=
            action->kind == ACTION_SKIP && action->reason == REASON_TOO_YOUNG;
        review->unreadable += action_is_unread(action);
        review->drifted += action_is_drift(action);
        review->held += (action->flags & ACTION_HELD) != 0 &&
                        action->type != ENTRY_DIRECTORY;
        if (review->summed % REVIEW_STRIDE == 0)
            review->sums[review->summed / REVIEW_STRIDE] = review->total;
    }
    return !review_is_ready(review);
}

static struct review_sum sum_before(const struct review *review, size_t row)
{
    struct review_sum sum = review->sums[row / REVIEW_STRIDE];

    for (size_t i = row - row % REVIEW_STRIDE; i < row; i++)
        add_action(&sum, &review->plan.items[i]);
    return sum;
}

struct review_sum review_sum_of(const struct review *review, size_t first,
                                size_t end)
{
    struct review_sum sum = {0}, before = {0};

    if (end - first <= REVIEW_STRIDE) {
        for (size_t i = first; i < end; i++)
            add_action(&sum, &review->plan.items[i]);
    } else {
        before = sum_before(review, first);
        sum = sum_before(review, end);
    }
    subtract_sum(&sum, &before);
    return sum;
}

struct review_sum review_included(const struct review *review)
{
    struct review_sum sum = review->total;

    subtract_sum(&sum, &review->left_out_total);
    return sum;
}

/* --- ranges ----------------------------------------------------------------
 */

static bool has_name(const struct review *review, size_t row, const char *name,
                     size_t offset, size_t length)
{
    const char *other = review->plan.items[row].path + offset;

    return !strncmp(other, name, length) &&
           (other[length] == '\0' || other[length] == '/');
}

/* Looks one, two, four … rows ahead, then between the last two: most entries
 * are one row, few are very many. */
size_t review_end_of(const struct review *review, size_t first, size_t limit,
                     size_t offset, size_t name_length)
{
    const char *name = review->plan.items[first].path + offset;
    size_t inside = first, outside = limit;

    for (size_t step = 1; inside + step < limit; step *= 2) {
        if (!has_name(review, inside + step, name, offset, name_length)) {
            outside = inside + step;
            break;
        }
        inside += step;
    }
    while (outside - inside > 1) {
        size_t middle = inside + (outside - inside) / 2;
        if (has_name(review, middle, name, offset, name_length))
            inside = middle;
        else
            outside = middle;
    }
    return outside;
}

size_t review_find(const struct review *review, const char *path)
{
    size_t low = 0, high = review->plan.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (path_compare(review->plan.items[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* --- what is left out ------------------------------------------------------
 */

bool review_is_left_out(const struct review *review, size_t row)
{
    return review->left_out &&
           (review->left_out[row / WORD_BITS] >> (row % WORD_BITS)) & 1;
}

static int count_bits(uint64_t word)
{
    return __builtin_popcountll(word);
}

/* The bits of word `at` that belong to the range. */
static uint64_t mask_of(size_t at, size_t first, size_t end)
{
    uint64_t mask = ~UINT64_C(0);

    if (at == first / WORD_BITS)
        mask &= ~UINT64_C(0) << (first % WORD_BITS);
    if (at == end / WORD_BITS)
        mask &= ~(~UINT64_C(0) << (end % WORD_BITS));
    return mask;
}

size_t review_count_left_out(const struct review *review, size_t first,
                             size_t end)
{
    size_t count = 0;

    if (!review->left_out)
        return 0;
    for (size_t at = first / WORD_BITS; at <= end / WORD_BITS; at++)
        count +=
            (size_t)count_bits(review->left_out[at] & mask_of(at, first, end));
    return count;
}

static void set_left_out(struct review *review, size_t row, bool left_out)
{
    uint64_t bit = UINT64_C(1) << (row % WORD_BITS);
    uint64_t *word = &review->left_out[row / WORD_BITS];
    struct review_sum sum = {0};

    if (((*word & bit) != 0) == left_out)
        return;
    *word ^= bit;
    add_action(&sum, &review->plan.items[row]);
    if (left_out)
        add_sum(&review->left_out_total, &sum);
    else
        subtract_sum(&review->left_out_total, &sum);
}

static void need_left_out(struct review *review)
{
    if (!review->left_out)
        review->left_out = xcalloc(review->plan.count / WORD_BITS + 1,
                                   sizeof *review->left_out);
}

/* Nothing of the range was left out, or all of it: no need to look at rows. */
static void set_whole_range(struct review *review, size_t first, size_t end,
                            bool left_out)
{
    struct review_sum sum = review_sum_of(review, first, end);

    for (size_t at = first / WORD_BITS; at <= end / WORD_BITS; at++) {
        if (left_out)
            review->left_out[at] |= mask_of(at, first, end);
        else
            review->left_out[at] &= ~mask_of(at, first, end);
    }
    if (left_out)
        add_sum(&review->left_out_total, &sum);
    else
        subtract_sum(&review->left_out_total, &sum);
}

void review_toggle(struct review *review, size_t first, size_t end)
{
    size_t count = review_count_left_out(review, first, end);

    need_left_out(review);
    if (count == 0 || count == end - first) {
        set_whole_range(review, first, end, count == 0);
        return;
    }
    for (size_t row = first; row < end; row++)
        set_left_out(review, row, true);
}

void review_carry_over(struct review *review, const struct review *from)
{
    const struct plan *plan = &review->plan, *old = &from->plan;
    size_t row = 0;

    review->held_are_approved =
        from->held_are_approved && from->held == review->held;
    if (!from->left_out_total.shown)
        return;
    need_left_out(review);
    for (size_t i = 0; i < old->count; i++) {
        if (!review_is_left_out(from, i))
            continue;
        while (row < plan->count &&
               path_compare(plan->items[row].path, old->items[i].path) < 0)
            row++;
        for (size_t at = row; at < plan->count &&
                              !strcmp(plan->items[at].path, old->items[i].path);
             at++)
            if (plan->items[at].kind == old->items[i].kind)
                set_left_out(review, at, true);
    }
}

/* --- what is executed ------------------------------------------------------
 */

/* A directory cannot be removed while something that was left out is in it. */
static bool is_in_the_way(const struct review *review, size_t row)
{
    const struct action *action = &review->plan.items[row];

    if (action->kind != ACTION_RMDIR)
        return false;
    size_t end =
        review_end_of(review, row, review->plan.count, 0, strlen(action->path));
    return review_count_left_out(review, row, end) > 0;
}

/* With what takes its place: a file cannot be put where the directory stays. */
static void leave_out_name(struct review *review, size_t row)
{
    const struct plan *plan = &review->plan;
    const char *path = plan->items[row].path;

    while (row > 0 && !strcmp(plan->items[row - 1].path, path))
        row--;
    for (; row < plan->count && !strcmp(plan->items[row].path, path); row++)
        set_left_out(review, row, true);
}

static void drop_left_out(struct review *review)
{
    struct plan *plan = &review->plan;
    size_t kept = 0;

    /* Marked first: looking for ends needs the whole plan. */
    for (size_t i = 0; i < plan->count; i++)
        if (is_in_the_way(review, i))
            leave_out_name(review, i);
    for (size_t i = 0; i < plan->count; i++)
        if (!review_is_left_out(review, i) ||
            plan->items[i].kind == ACTION_NOTE)
            plan->items[kept++] = plan->items[i];
    plan->count = kept;
}

static void approve(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        plan->items[i].flags &= (unsigned char)~ACTION_HELD;
    plan->deletes_are_held = plan->overwrites_are_held = false;
}

struct plan review_take_plan(struct review *review)
{
    if (review->left_out_total.shown)
        drop_left_out(review);
    if (review->held_are_approved)
        approve(&review->plan);
    plan_total(&review->plan);
    struct plan plan = review->plan;
    review->plan = (struct plan)PLAN_INIT;
    review->summed = 0;
    return plan;
}
