#include "core/base/array.h"

#include "core/base/error.h"

#include <stdint.h>

void *array_reserve(void *items, size_t needed, size_t *capacity,
                    size_t item_size)
{
    if (needed <= *capacity)
        return items;
    size_t grown = *capacity + *capacity / 2 + 8;
    if (grown < needed)
        grown = needed;
    if (grown > SIZE_MAX / item_size)
        die("array of %zu items is too large", grown);
    *capacity = grown;
    return xrealloc(items, grown * item_size);
}
