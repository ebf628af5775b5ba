#include "core/base/arena.h"

#include "core/base/error.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK_BYTES ((size_t)4096)
#define LARGEST_BLOCK_BYTES ((size_t)1 << 20)
#define ALIGNMENT ((size_t)8)

struct arena_block {
    struct arena_block *next;
    size_t capacity, used;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

void arena_release(struct arena *arena)
{
    struct arena_block *block = arena->blocks;

    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct arena)ARENA_INIT;
}

static struct arena_block *take_largest(struct arena *arena)
{
    struct arena_block **largest = &arena->blocks;

    for (struct arena_block **link = &arena->blocks; *link;
         link = &(*link)->next)
        if ((*link)->capacity > (*largest)->capacity)
            largest = link;
    struct arena_block *block = *largest;
    *largest = block->next;
    return block;
}

void arena_reset(struct arena *arena)
{
    if (!arena->blocks)
        return;
    struct arena_block *kept = take_largest(arena);
    arena_release(arena);
    kept->next = NULL;
    kept->used = 0;
    arena->blocks = kept;
}

static void add_block(struct arena *arena, size_t size)
{
    size_t capacity = FIRST_BLOCK_BYTES;

    if (arena->blocks)
        capacity = arena->blocks->capacity * 2;
    if (capacity > LARGEST_BLOCK_BYTES)
        capacity = LARGEST_BLOCK_BYTES;
    if (capacity < size)
        capacity = size;
    struct arena_block *block = xmalloc(sizeof *block + capacity);
    block->next = arena->blocks;
    block->capacity = capacity;
    block->used = 0;
    arena->blocks = block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (!arena->blocks || arena->blocks->capacity - arena->blocks->used < size)
        add_block(arena, size);
    struct arena_block *block = arena->blocks;
    void *memory = block->bytes + block->used;
    block->used += size;
    arena->used_bytes += size;
    return memory;
}

void *arena_memdup(struct arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_alloc(arena, size);

    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

void arena_absorb(struct arena *to, struct arena *from)
{
    struct arena_block **tail = &to->blocks;

    while (*tail)
        tail = &(*tail)->next;
    *tail = from->blocks;
    to->used_bytes += from->used_bytes;
    *from = (struct arena)ARENA_INIT;
}
