/*
 * What is not on a drive although it may be safe to unplug it: safe speaks of
 * removal only, complete of this, and both are always said. Pure.
 */
#ifndef BERTH_LEFTOVERS_H
#define BERTH_LEFTOVERS_H

#include "core/plan.h"

#include <stdbool.h>
#include <stdint.h>

struct leftovers {
    int64_t jobs;    /* that write to it */
    int64_t unknown; /* of these: could not be compared */
    int64_t undone;  /* of these: not done at all; nobody knows how much */
    int64_t pending, failed, too_young, unreadable, held, conflicts, left_out;
};

void leftovers_add(struct leftovers *to, const struct leftovers *from);
/* A plan that was made and not carried out. */
void leftovers_add_plan(struct leftovers *to, const struct plan *plan);

bool leftovers_are_none(const struct leftovers *left);
/* "everything is on it", "NOT on it: 3 failed, 2 too young, 41 deletes held",
 * or why that is not known. free() it. */
char *leftovers_words(const struct leftovers *left);

#endif
