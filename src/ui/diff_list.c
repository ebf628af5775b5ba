#include "ui/diff_list.h"

#include "core/base/array.h"
#include "core/base/quantity.h"
#include "ui/text.h"

#include <stdlib.h>
#include <string.h>

/* Sorted by qsort before the merging begins. */
#define FIRST_RUN ((size_t)512)

void diff_list_release(struct diff_list *list)
{
    free(list->items);
    free(list->spare);
    *list = (struct diff_list){.items = NULL};
}

/* --- listing ---------------------------------------------------------------
 */

static void add_entry(struct diff_list *list, size_t first, size_t end)
{
    struct review_sum sum = review_sum_of(list->review, first, end);
    struct diff_entry entry = {
        .first = (uint32_t)first,
        .end = (uint32_t)end,
        .weight = sum_of_bytes(sum_of_bytes(sum.copy_bytes, sum.delete_bytes),
                               sum.pending),
    };

    if (sum.shown)
        ARRAY_PUSH(list, entry);
}

static size_t list_entry(struct diff_list *list)
{
    const char *name =
        list->review->plan.items[list->cursor].path + list->prefix;
    size_t end = review_end_of(list->review, list->cursor, list->end,
                               list->prefix, strcspn(name, "/"));

    add_entry(list, list->cursor, end);
    return end;
}

static size_t list_row(struct diff_list *list)
{
    const struct action *action = &list->review->plan.items[list->cursor];

    if (text_contains(action->path, list->filter))
        add_entry(list, list->cursor, list->cursor + 1);
    return list->cursor + 1;
}

static void end_listing(struct diff_list *list)
{
    list->cursor = 0;
    list->run = FIRST_RUN;
    list->phase = list->is_by_path ? DIFF_READY : DIFF_SORTING;
}

/* --- sorting ---------------------------------------------------------------
 */

static int compare_entries(const void *one, const void *other)
{
    const struct diff_entry *left = one, *right = other;

    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return left->first < right->first ? -1 : left->first > right->first;
}

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

static void merge(struct diff_list *list, size_t from)
{
    size_t left = from, middle = least(from + list->run, list->count);
    size_t right = middle, end = least(middle + list->run, list->count);

    for (size_t to = from; to < end; to++) {
        bool takes_left =
            left < middle &&
            (right == end ||
             compare_entries(&list->items[left], &list->items[right]) < 0);
        list->spare[to] = list->items[takes_left ? left++ : right++];
    }
}

static void end_sorting(struct diff_list *list)
{
    free(list->spare);
    list->spare = NULL;
    list->phase = DIFF_READY;
}

/* The first pass sorts short stretches where they are, each further one
 * merges neighbours into the other array. */
static size_t sort_some(struct diff_list *list)
{
    size_t from = list->cursor;

    if (list->run == FIRST_RUN && !list->spare) {
        size_t count = least(FIRST_RUN, list->count - from);
        if (count)
            qsort(list->items + from, count, sizeof *list->items,
                  compare_entries);
        list->cursor += count;
        if (list->cursor == list->count && list->count > FIRST_RUN) {
            list->spare = xcalloc(list->count, sizeof *list->spare);
            list->cursor = 0;
        } else if (list->cursor == list->count) {
            end_sorting(list);
        }
        return count;
    }
    merge(list, from);
    list->cursor = least(from + 2 * list->run, list->count);
    size_t done = list->cursor - from;
    if (list->cursor == list->count) {
        struct diff_entry *merged = list->spare;
        list->spare = list->items;
        list->items = merged;
        list->cursor = 0;
        list->run *= 2;
        if (list->run >= list->count)
            end_sorting(list);
    }
    return done;
}

bool diff_list_work(struct diff_list *list, size_t budget)
{
    size_t done = 0;

    if (list->phase == DIFF_LISTING && list->cursor < list->first)
        list->cursor = list->first;
    while (list->phase == DIFF_LISTING && done < budget) {
        if (list->cursor >= list->end) {
            end_listing(list);
            break;
        }
        size_t before = list->cursor;
        list->cursor = list->is_flat ? list_row(list) : list_entry(list);
        /* An entry costs about as much whether one row is in it or many. */
        done += list->is_flat ? list->cursor - before : 1;
    }
    while (list->phase == DIFF_SORTING && done < budget)
        done += sort_some(list) + 1;
    return list->phase != DIFF_READY;
}
