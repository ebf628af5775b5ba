#include "core/halves.h"

#include "core/base/array.h"

#include <stdlib.h>
#include <string.h>

bool half_is_first(const struct intent *intent)
{
    return intent->kind == INTENT_PLACE && !*intent->path;
}

static int compare_firsts(const void *one, const void *other)
{
    return strcmp((*(const struct intent *const *)one)->to,
                  (*(const struct intent *const *)other)->to);
}

static int compare_name(const void *name, const void *first)
{
    return strcmp(name, (*(const struct intent *const *)first)->to);
}

void halves_init(struct halves *halves, const struct intents *intents)
{
    *halves = (struct halves){.items = NULL};
    for (size_t i = 0; i < intents->count; i++) {
        const struct intent *intent = &intents->items[i];
        if (half_is_first(intent))
            ARRAY_PUSH(halves, intent);
    }
    if (halves->count)
        qsort(halves->items, halves->count, sizeof *halves->items,
              compare_firsts);
}

void halves_release(struct halves *halves)
{
    free(halves->items);
    *halves = (struct halves){.items = NULL};
}

const struct intent *halves_first(const struct halves *halves,
                                  const struct intent *second)
{
    if (!halves->count || second->kind != INTENT_PLACE)
        return NULL;
    const struct intent **first =
        bsearch(second->from, halves->items, halves->count,
                sizeof *halves->items, compare_name);

    return first ? *first : NULL;
}

void halves_drop_lone(struct intents *intents)
{
    CLEANUP(halves_release) struct halves halves;
    CLEANUP_FREE bool *has_second = xcalloc(intents->count, sizeof *has_second);
    size_t kept = 0;

    halves_init(&halves, intents);
    for (size_t i = 0; i < intents->count; i++) {
        const struct intent *first = halves_first(&halves, &intents->items[i]);
        if (first)
            has_second[first - intents->items] = true;
    }
    for (size_t i = 0; i < intents->count; i++)
        if (!half_is_first(&intents->items[i]) || has_second[i])
            intents->items[kept++] = intents->items[i];
    intents->count = kept;
}
