/*
 * Memory that is freed all at once: for what lives exactly as long as one
 * plan or one directory. Pointers stay valid until reset or release.
 * Not thread-safe.
 */
#ifndef BERTH_BASE_ARENA_H
#define BERTH_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* handed out since init or reset */
};

#define ARENA_INIT                                                             \
    {                                                                          \
        .blocks = NULL                                                         \
    }

void arena_release(struct arena *arena);
void arena_reset(struct arena *arena); /* empty; the largest block is kept */
void *arena_alloc(struct arena *arena, size_t size); /* 8-byte aligned */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
void *arena_memdup(struct arena *arena, const void *bytes, size_t size);
/* Moves everything that `from` owns into `to`; `from` is empty afterwards. */
void arena_absorb(struct arena *to, struct arena *from);

#endif
