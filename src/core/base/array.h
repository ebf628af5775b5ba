/*
 * Growing arrays as three plain fields, without a type of their own:
 *
 *     struct plan { struct action *actions; size_t count, capacity; };
 *     ARRAY_RESERVE(plan->actions, plan->count + 1, plan->capacity);
 *     plan->actions[plan->count++] = action;
 *
 * Elements move when the array grows: keep indexes, not pointers.
 */
#ifndef BERTH_BASE_ARRAY_H
#define BERTH_BASE_ARRAY_H

#include <stddef.h>

#define ARRAY_RESERVE(items, needed, capacity)                                 \
    ((items) = array_reserve((items), (needed), &(capacity), sizeof *(items)))

/* Appends `value`; the fields are named `items`, `count`, `capacity`. */
#define ARRAY_PUSH(array, value)                                               \
    do {                                                                       \
        ARRAY_RESERVE((array)->items, (array)->count + 1, (array)->capacity);  \
        (array)->items[(array)->count++] = (value);                            \
    } while (0)

void *array_reserve(void *items, size_t needed, size_t *capacity,
                    size_t item_size);

#endif
