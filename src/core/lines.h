/*
 * What differs between two texts, line by line: the fewest lines that are gone
 * and new (Myers 1986, in linear space), with some equal ones around them.
 * Pure.
 */
#ifndef BERTH_LINES_H
#define BERTH_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* Where more lines than this differ, the rest is told as all gone, all new:
 * nobody reads it, and the time would grow with the square. */
#define LINES_DIFFERENT_MOST 2000

enum line_kind {
    LINE_SAME,
    LINE_GONE,
    LINE_NEW,
    LINE_LEFT_OUT, /* equal ones: `count` of them */
};

struct line {
    enum line_kind kind;
    size_t before, after; /* numbers from 1; 0: not on that side */
    size_t count;         /* LEFT_OUT */
    const char *text;     /* without its line end; "" for LEFT_OUT */
    size_t length;
};

/* False: enough. */
typedef bool line_visit(void *context, const struct line *line);

/* Tells the lines in order, of equal ones at most `around` beside what
 * differs; nothing when all are equal. */
void lines_compare(const char *before, size_t before_length, const char *after,
                   size_t after_length, size_t around, line_visit *visit,
                   void *context);

#endif
