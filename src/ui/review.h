/*
 * A plan as a person reviews it: its sums over any range of rows, what was
 * left out of this run, whether held deletes were approved. Pure.
 *
 * A plan is in walk order, so that a directory and all that is below it are
 * neighbours. Sums are kept every REVIEW_STRIDE rows only: a range costs two
 * short walks, a million rows less than a megabyte.
 *
 * Making the sums takes a while for a million rows, so it is done in slices
 * between frames: review_work until it says that it is ready.
 */
#ifndef BERTH_UI_REVIEW_H
#define BERTH_UI_REVIEW_H

#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REVIEW_STRIDE ((size_t)64)

struct review_sum {
    int64_t copy_bytes;   /* of new and changed files */
    int64_t delete_bytes; /* of files that are deleted, held ones included */
    uint32_t pending;     /* actions that a sync has to do */
    uint32_t deletes;     /* of them */
    uint32_t files;       /* those that are no directories */
    uint32_t shown;       /* what a person is shown: all but notes */
    uint32_t conflicts;
};

struct review {
    struct plan plan;
    struct review_sum *sums; /* before row i * REVIEW_STRIDE */
    size_t summed;           /* rows */
    struct review_sum total; /* of the rows summed so far */
    int64_t too_young, unreadable, held, drifted;
    uint64_t *left_out; /* a bit per row; NULL: none ever was */
    struct review_sum left_out_total;
    bool held_are_approved;
};

/* On the drive it is not as berth left it. */
bool action_is_drift(const struct action *action);

/* Takes the plan out of `plan`. */
struct review *review_new(struct plan *plan_taking);
void review_free(struct review *review);

/* Sums at most `rows` more; true when there are more to come. */
bool review_work(struct review *review, size_t rows);
bool review_is_ready(const struct review *review);

struct review_sum review_sum_of(const struct review *review, size_t first,
                                size_t end);
/* What a sync will do: all of it but what was left out. */
struct review_sum review_included(const struct review *review);

/*
 * Where the entry of row `first` ends: the rows behind it that are that entry
 * or lie below it, looking at the name that starts at `offset` in its path.
 */
size_t review_end_of(const struct review *review, size_t first, size_t limit,
                     size_t offset, size_t name_length);
/* The first row whose path is not before `path`. */
size_t review_find(const struct review *review, const char *path);

bool review_is_left_out(const struct review *review, size_t row);
size_t review_count_left_out(const struct review *review, size_t first,
                             size_t end);
/* Leaves all of the range out; if that is so already, takes it in again. */
void review_toggle(struct review *review, size_t first, size_t end);

/* What was left out of `from` and is still there; approval of held deletes if
 * their number is still the same. */
void review_carry_over(struct review *review, const struct review *from);

/*
 * The plan to execute, taken out of the review: without what was left out,
 * and without directories being removed that something left out is in;
 * approved deletes are not held any more.
 */
struct plan review_take_plan(struct review *review);

#endif
