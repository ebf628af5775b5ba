#include "ui/canvas.h"

#include "core/base/array.h"
#include "core/base/error.h"
#include "core/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cell blank = {.glyph = {.bytes = " ", .width = 1}};

void canvas_init(struct canvas *canvas, bool is_ascii)
{
    *canvas =
        (struct canvas){.is_ascii = is_ascii, .cursor_x = -1, .cursor_y = -1};
}

void canvas_release(struct canvas *canvas)
{
    free(canvas->cells);
    free(canvas->hits.items);
    *canvas = (struct canvas){.cells = NULL};
}

void canvas_reset(struct canvas *canvas, int width, int height)
{
    size_t count = (size_t)width * (size_t)height;

    if (width != canvas->width || height != canvas->height)
        canvas->cells =
            xrealloc(canvas->cells, (count + 1) * sizeof *canvas->cells);
    canvas->width = width;
    canvas->height = height;
    canvas->cursor_x = canvas->cursor_y = -1;
    canvas->hits.count = 0;
    for (size_t i = 0; i < count; i++)
        canvas->cells[i] = blank;
}

static struct cell *cell_at(const struct canvas *canvas, int x, int y)
{
    return &canvas->cells[(size_t)y * (size_t)canvas->width + (size_t)x];
}

const struct cell *canvas_cell(const struct canvas *canvas, int x, int y)
{
    return cell_at(canvas, x, y);
}

const struct hit *canvas_hit_at(const struct canvas *canvas, int x, int y)
{
    for (size_t i = canvas->hits.count; i-- > 0;) {
        const struct hit *hit = &canvas->hits.items[i];
        if (x >= hit->x && x < hit->x + hit->width && y >= hit->y &&
            y < hit->y + hit->height)
            return hit;
    }
    return NULL;
}

void canvas_to_text(const struct canvas *canvas, struct strbuf *out)
{
    for (int y = 0; y < canvas->height; y++) {
        size_t end = out->length;
        for (int x = 0; x < canvas->width; x++) {
            const struct glyph *glyph = &cell_at(canvas, x, y)->glyph;
            if (!glyph->width)
                continue;
            strbuf_adds(out, glyph->bytes);
            if (strcmp(glyph->bytes, " ") != 0)
                end = out->length;
        }
        strbuf_truncate(out, end);
        strbuf_addch(out, '\n');
    }
}

/* --- areas -----------------------------------------------------------------
 */

struct area canvas_area(struct canvas *canvas)
{
    return (struct area){canvas, 0, 0, canvas->width, canvas->height};
}

static int clamp(int value, int least, int most)
{
    if (value > most)
        value = most;
    return value < least ? least : value;
}

struct area area_part(struct area area, int x, int y, int width, int height)
{
    x = clamp(x, 0, area.width);
    y = clamp(y, 0, area.height);
    return (struct area){
        .canvas = area.canvas,
        .x = area.x + x,
        .y = area.y + y,
        .width = clamp(width, 0, area.width - x),
        .height = clamp(height, 0, area.height - y),
    };
}

struct area area_rows(struct area area, int y, int height)
{
    return area_part(area, 0, y, area.width, height);
}

struct area area_columns(struct area area, int x, int width)
{
    return area_part(area, x, 0, width, area.height);
}

/* A wide letter of which one half is overwritten loses the other half, too. */
static void set_blank_partner(struct canvas *canvas, int x, int y)
{
    struct cell *cell = cell_at(canvas, x, y);

    if (!cell->glyph.width && x > 0)
        cell_at(canvas, x - 1, y)->glyph = blank.glyph;
    if (cell->glyph.width == 2 && x + 1 < canvas->width)
        cell_at(canvas, x + 1, y)->glyph = blank.glyph;
}

static void set_cell(struct area area, int x, int y, const struct glyph *glyph,
                     enum style style)
{
    struct canvas *canvas = area.canvas;
    int column = area.x + x, row = area.y + y;

    for (int i = 0; i < glyph->width; i++)
        set_blank_partner(canvas, column + i, row);
    struct cell *cell = cell_at(canvas, column, row);
    *cell = (struct cell){.glyph = *glyph, .style = (unsigned char)style};
    if (glyph->width == 2) {
        cell[1] = *cell;
        cell[1].glyph = (struct glyph){.width = 0};
    }
}

void area_clear(struct area area, enum style style)
{
    for (int y = 0; y < area.height; y++)
        area_repeat(area, 0, y, area.width, style, " ");
}

void area_repeat(struct area area, int x, int y, int count, enum style style,
                 const char *text)
{
    struct glyph glyph;

    if (y < 0 || y >= area.height || !glyph_next(text, &glyph))
        return;
    if (area.canvas->is_ascii)
        glyph_to_ascii(&glyph);
    for (int i = 0; i < count; i++)
        if (x + i >= 0 && x + i < area.width)
            set_cell(area, x + i, y, &glyph, style);
}

/* Puts what fits, without an ellipsis. */
static int put_fitting(struct area area, int x, int y, enum style style,
                       const char *text)
{
    struct glyph glyph;
    size_t used;

    if (y < 0 || y >= area.height || x < 0)
        return x;
    while ((used = glyph_next(text, &glyph))) {
        if (area.canvas->is_ascii)
            glyph_to_ascii(&glyph);
        if (x + glyph.width > area.width)
            break;
        set_cell(area, x, y, &glyph, style);
        x += glyph.width;
        text += used;
    }
    return x;
}

int area_put(struct area area, int x, int y, enum style style, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf fit = STRBUF_INIT;

    if (x >= area.width)
        return x;
    text_fit_end(text, area.width - x, &fit);
    return put_fitting(area, x, y, style, fit.text);
}

int area_putf(struct area area, int x, int y, enum style style,
              const char *format, ...)
{
    char text[512]; /* names of any length are put with area_put_name */
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return area_put(area, x, y, style, text);
}

int area_put_right(struct area area, int y, enum style style, const char *text)
{
    int x = area.width - text_width(text);

    if (x < 0)
        x = 0;
    area_put(area, x, y, style, text);
    return x;
}

void area_put_centred(struct area area, int y, enum style style,
                      const char *text)
{
    int x = (area.width - text_width(text)) / 2;

    area_put(area, x > 0 ? x : 0, y, style, text);
}

int area_put_name(struct area area, int x, int y, enum style style,
                  const char *raw)
{
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf fit = STRBUF_INIT;

    name_display(raw, &shown);
    text_fit_middle(shown.text, area.width - x, &fit);
    return put_fitting(area, x, y, style, fit.text);
}

int area_put_wrapped(struct area area, int y, enum style style,
                     const char *text)
{
    int rows = 0;

    while (*text && y + rows < area.height) {
        size_t next;
        size_t length = text_wrap(text, area.width, &next);
        CLEANUP_FREE char *line = xstrndup(text, length);
        area_put(area, 0, y + rows, style, line);
        rows++;
        text += next;
    }
    return rows;
}

void area_select(struct area area, int y, int height)
{
    area = area_rows(area, y, height);
    for (int row = 0; row < area.height; row++)
        for (int x = 0; x < area.width; x++)
            cell_at(area.canvas, area.x + x, area.y + row)->is_selected = true;
}

void area_frame(struct area area, const char *title)
{
    int right = area.width - 1, bottom = area.height - 1;

    if (right < 1 || bottom < 1)
        return;
    for (int y = 1; y < bottom; y++) {
        area_put(area, 0, y, STYLE_FRAME, "│");
        area_put(area, right, y, STYLE_FRAME, "│");
    }
    area_repeat(area, 1, 0, right - 1, STYLE_FRAME, "─");
    area_repeat(area, 1, bottom, right - 1, STYLE_FRAME, "─");
    area_put(area, 0, 0, STYLE_FRAME, "┌");
    area_put(area, right, 0, STYLE_FRAME, "┐");
    area_put(area, 0, bottom, STYLE_FRAME, "└");
    area_put(area, right, bottom, STYLE_FRAME, "┘");
    if (!*title || right < 5)
        return;
    int end = area_put_name(area_columns(area, 2, right - 3), 0, 0, STYLE_TITLE,
                            title);
    area_put(area, 1, 0, STYLE_FRAME, " ");
    area_put(area, 2 + end, 0, STYLE_FRAME, " ");
}

struct area area_inside(struct area area)
{
    return area_part(area, 1, 1, area.width - 2, area.height - 2);
}

void area_hit(struct area area, int intent, int argument)
{
    struct hit hit = {.x = area.x,
                      .y = area.y,
                      .width = area.width,
                      .height = area.height,
                      .intent = intent,
                      .argument = argument};

    ARRAY_PUSH(&area.canvas->hits, hit);
}
