/*
 * A growing string.
 *
 * Invariants: `text` is never NULL and always ends in '\0' at text[length];
 * it may hold NUL bytes before that. An empty strbuf owns no memory.
 *
 *     CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
 *     strbuf_addf(&path, "%s/%s", directory, name);
 *     open(path.text, O_RDONLY);
 *
 * Do not keep `text` across a call that grows the buffer: it moves.
 * strbuf_detach hands the string over and leaves the buffer empty.
 */
#ifndef BERTH_BASE_STRBUF_H
#define BERTH_BASE_STRBUF_H

#include "core/base/compiler.h"

#include <stddef.h>

struct strbuf {
    char *text;
    size_t length;
    size_t capacity; /* 0: `text` points to shared, constant "" */
};

extern char strbuf_empty[1];
#define STRBUF_INIT                                                            \
    {                                                                          \
        .text = strbuf_empty                                                   \
    }

void strbuf_release(struct strbuf *buffer);
char *strbuf_detach(struct strbuf *buffer); /* free() it */
void strbuf_reset(struct strbuf *buffer);   /* empty, memory kept */
void strbuf_truncate(struct strbuf *buffer, size_t length);
void strbuf_reserve(struct strbuf *buffer, size_t extra);
void strbuf_add(struct strbuf *buffer, const void *bytes, size_t length);
void strbuf_adds(struct strbuf *buffer, const char *text);
void strbuf_addch(struct strbuf *buffer, char character);
void strbuf_addf(struct strbuf *buffer, const char *format, ...)
    PRINTF_LIKE(2, 3);
/* Replaces `length` bytes at `offset` by `with`. */
void strbuf_splice(struct strbuf *buffer, size_t offset, size_t length,
                   const char *with, size_t with_length);

#endif
