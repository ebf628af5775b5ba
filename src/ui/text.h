/*
 * Text as a terminal shows it: columns, not bytes. Pure.
 *
 * A glyph is what one cell (or two, for wide letters) holds: a character with
 * the marks that combine with it. What terminals disagree about is left out,
 * so that columns stay where they are: joiners, variation selectors and skin
 * tones (a family of four is shown as four people).
 *
 * Names from a disk go through name_display first. What still comes here and
 * cannot be shown is shown as U+FFFD, in one column.
 */
#ifndef BERTH_UI_TEXT_H
#define BERTH_UI_TEXT_H

#include "core/base/strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A character and up to four marks: what a cell of curses holds. */
#define GLYPH_MARKS_MOST 4
#define GLYPH_SIZE 21

struct glyph {
    char bytes[GLYPH_SIZE]; /* UTF-8, '\0' at its end */
    unsigned char width;    /* 1 or 2 columns */
};

/* The next glyph of a text; returns the bytes that it took, 0 at the end. */
size_t glyph_next(const char *text, struct glyph *out);
/* The same in ASCII: box drawing and marks have stand-ins, the rest is '?'. */
void glyph_to_ascii(struct glyph *glyph);

int text_width(const char *text);

/*
 * Appends the text, cut to `width` columns with an ellipsis where it is
 * longer: at its end, or in its middle (paths: both ends tell something).
 */
void text_fit_end(const char *text, int width, struct strbuf *out);
void text_fit_middle(const char *text, int width, struct strbuf *out);

/* Bytes of the first line when `text` is wrapped between words at `width`
 * columns; *out_next is where the next line starts. */
size_t text_wrap(const char *text, int width, size_t *out_next);

/* Appends a character as UTF-8. */
void text_add_character(struct strbuf *out, uint32_t character);
/* Takes the last one away. */
void text_remove_character(struct strbuf *out);

/* Whether `text` contains `part`; ASCII letters in any case. */
bool text_contains(const char *text, const char *part);

#endif
