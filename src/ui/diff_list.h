/*
 * The entries of one directory of a review, or all rows of it (flat), in the
 * order in which they are shown. Pure.
 *
 * A directory can hold a million entries, so that listing and sorting them
 * takes longer than a frame: both are done in slices, diff_list_work between
 * frames until it says that nothing is left. 16 bytes an entry, and 16 more
 * while it is sorted.
 */
#ifndef BERTH_UI_DIFF_LIST_H
#define BERTH_UI_DIFF_LIST_H

#include "ui/review.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows [first, end) of the plan: an entry and what is below it. */
struct diff_entry {
    uint32_t first, end;
    int64_t weight; /* bytes, then files: what "biggest" means */
};

enum diff_list_phase { DIFF_LISTING, DIFF_SORTING, DIFF_READY };

struct diff_list {
    const struct review *review; /* borrowed */
    size_t first, end;           /* rows of the directory */
    size_t prefix;               /* bytes of its path with the last '/' */
    bool is_flat, is_by_path;
    const char *filter; /* borrowed; "": everything */
    enum diff_list_phase phase;
    size_t cursor; /* next row to list, next entry to merge */
    struct diff_entry *items;
    size_t count, capacity;
    struct diff_entry *spare; /* merged into; then they change places */
    size_t run;               /* sorted stretches have this length */
};

void diff_list_release(struct diff_list *list);
/* Does about `budget` rows' worth of work; true when more is to come. */
bool diff_list_work(struct diff_list *list, size_t budget);

#endif
