/*
 * Renames through temporary names, of one batch: a first half goes to a
 * temporary name in staging, its second half from there to the new one. All
 * first halves come before all second ones. Pure.
 */
#ifndef BERTH_HALVES_H
#define BERTH_HALVES_H

#include "core/journal.h"

#include <stdbool.h>
#include <stddef.h>

struct halves {
    const struct intent **items; /* first halves, borrowed, by their `to` */
    size_t count, capacity;
};

bool half_is_first(const struct intent *intent);

/* Of intents that stay where they are until halves_release. */
void halves_init(struct halves *halves, const struct intents *intents);
void halves_release(struct halves *halves);

/* The first half whose second half this is; NULL: it is none. */
const struct intent *halves_first(const struct halves *halves,
                                  const struct intent *second);

/*
 * Takes the first halves out that have no second one: what they move would stay
 * in staging, and staging is emptied.
 */
void halves_drop_lone(struct intents *intents);

#endif
