#include "core/base/strbuf.h"

#include "core/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char strbuf_empty[1];

void strbuf_release(struct strbuf *buffer)
{
    if (buffer->capacity)
        free(buffer->text);
    *buffer = (struct strbuf)STRBUF_INIT;
}

char *strbuf_detach(struct strbuf *buffer)
{
    strbuf_reserve(buffer, 0);
    char *text = buffer->text;
    *buffer = (struct strbuf)STRBUF_INIT;
    return text;
}

void strbuf_reset(struct strbuf *buffer)
{
    strbuf_truncate(buffer, 0);
}

void strbuf_truncate(struct strbuf *buffer, size_t length)
{
    if (length > buffer->length)
        die("strbuf_truncate beyond the end");
    if (!buffer->capacity)
        return;
    buffer->length = length;
    buffer->text[length] = '\0';
}

void strbuf_reserve(struct strbuf *buffer, size_t extra)
{
    size_t needed = buffer->length + extra + 1;

    if (needed <= buffer->capacity)
        return;
    size_t capacity = buffer->capacity ? buffer->capacity * 2 : 64;
    if (capacity < needed)
        capacity = needed;
    if (buffer->capacity) {
        buffer->text = xrealloc(buffer->text, capacity);
    } else {
        buffer->text = xmalloc(capacity);
        buffer->text[0] = '\0';
    }
    buffer->capacity = capacity;
}

void strbuf_add(struct strbuf *buffer, const void *bytes, size_t length)
{
    if (!length)
        return;
    strbuf_reserve(buffer, length);
    memcpy(buffer->text + buffer->length, bytes, length);
    buffer->length += length;
    buffer->text[buffer->length] = '\0';
}

void strbuf_adds(struct strbuf *buffer, const char *text)
{
    strbuf_add(buffer, text, strlen(text));
}

void strbuf_addch(struct strbuf *buffer, char character)
{
    strbuf_add(buffer, &character, 1);
}

void strbuf_addf(struct strbuf *buffer, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        die("cannot format \"%s\"", format);
    strbuf_reserve(buffer, (size_t)length);
    vsnprintf(buffer->text + buffer->length, (size_t)length + 1, format, again);
    va_end(again);
    buffer->length += (size_t)length;
}

void strbuf_splice(struct strbuf *buffer, size_t offset, size_t length,
                   const char *with, size_t with_length)
{
    if (offset > buffer->length || length > buffer->length - offset)
        die("strbuf_splice beyond the end");
    strbuf_reserve(buffer, with_length);
    char *gap = buffer->text + offset;
    memmove(gap + with_length, gap + length,
            buffer->length - offset - length + 1);
    if (with_length)
        memcpy(gap, with, with_length);
    buffer->length = buffer->length - length + with_length;
}
