/*
 * The picture of one frame: a grid of glyphs with styles. Pure; whoever has a
 * terminal shows it (term.h), tests read it as text.
 *
 * Everything is drawn through an area, a rectangle of the canvas that clips:
 * a text that does not fit ends in an ellipsis, and nothing ever lands
 * outside. A wide letter that would be cut in two is left out.
 */
#ifndef BERTH_UI_CANVAS_H
#define BERTH_UI_CANVAS_H

#include "core/base/compiler.h"
#include "core/base/strbuf.h"
#include "ui/text.h"
#include "ui/theme.h"

#include <stdbool.h>
#include <stddef.h>

struct cell {
    struct glyph glyph; /* width 0: the right half of its left neighbour */
    unsigned char style;
    bool is_selected;
};

/* What a click on a part of the picture means: an intent and its argument. */
struct hit {
    int x, y, width, height;
    int intent;
    int argument;
};

struct canvas {
    int width, height;
    struct cell *cells;     /* row by row */
    bool is_ascii;          /* the locale cannot show more */
    int cursor_x, cursor_y; /* where text is typed; -1: nowhere */
    struct {
        struct hit *items;
        size_t count, capacity;
    } hits;
};

void canvas_init(struct canvas *canvas, bool is_ascii);
void canvas_release(struct canvas *canvas);
/* Empty, of this size. */
void canvas_reset(struct canvas *canvas, int width, int height);
const struct cell *canvas_cell(const struct canvas *canvas, int x, int y);
/* The last one drawn wins; NULL when there is none. */
const struct hit *canvas_hit_at(const struct canvas *canvas, int x, int y);
/* The letters alone, a line each, without blanks at their ends. */
void canvas_to_text(const struct canvas *canvas, struct strbuf *out);

/* --- areas: passed by value ------------------------------------------------
 */

struct area {
    struct canvas *canvas;
    int x, y, width, height;
};

struct area canvas_area(struct canvas *canvas);
/* Parts of an area; what lies outside is cut off. */
struct area area_part(struct area area, int x, int y, int width, int height);
struct area area_rows(struct area area, int y, int height);
struct area area_columns(struct area area, int x, int width);

void area_clear(struct area area, enum style style);
/* Fills the rest of the line from x with copies of a glyph. */
void area_repeat(struct area area, int x, int y, int count, enum style style,
                 const char *glyph);

/* Returns the column behind the text. */
int area_put(struct area area, int x, int y, enum style style,
             const char *text);
int area_putf(struct area area, int x, int y, enum style style,
              const char *format, ...) PRINTF_LIKE(5, 6);
/* Ends at the right edge; returns the column where it starts. */
int area_put_right(struct area area, int y, enum style style, const char *text);
void area_put_centred(struct area area, int y, enum style style,
                      const char *text);
/* A name or path from a disk, made harmless; cut in the middle. */
int area_put_name(struct area area, int x, int y, enum style style,
                  const char *raw);
/* Words, wrapped; returns how many rows they took (at most the area's). */
int area_put_wrapped(struct area area, int y, enum style style,
                     const char *text);

/* Shows the row as the one under the cursor. */
void area_select(struct area area, int y, int height);
void area_frame(struct area area, const char *title);
/* What is inside a frame. */
struct area area_inside(struct area area);

void area_hit(struct area area, int intent, int argument);

#endif
