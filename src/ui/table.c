#include "ui/table.h"

#include "core/base/array.h"
#include "ui/text.h"

#include <stdlib.h>
#include <string.h>

void table_release(struct table *table)
{
    arena_release(&table->arena);
    free(table->items);
    free(table->shown);
    free(table->filter);
    free(table->error);
    *table = (struct table){.items = NULL};
}

void table_clear(struct table *table)
{
    char *filter = table->filter;

    table->filter = NULL;
    table_release(table);
    table->filter = filter;
}

static const char *keep(struct arena *arena, const char *text)
{
    return arena_strdup(arena, text ? text : "");
}

static bool is_let_through(const struct table *table,
                           const struct table_row *row)
{
    const char *filter = table->filter;

    return !filter || text_contains(row->path, filter) ||
           text_contains(row->job, filter) ||
           text_contains(row->volume, filter) ||
           text_contains(row->text, filter);
}

static void show(struct table *table, size_t at)
{
    ARRAY_RESERVE(table->shown, table->shown_count + 1, table->shown_capacity);
    table->shown[table->shown_count++] = (uint32_t)at;
}

bool table_add(struct table *table, const struct table_row *row)
{
    if (table->count == TABLE_ROWS_MOST) {
        table->left_out++;
        return false;
    }
    struct table_row kept = *row;
    kept.volume = keep(&table->arena, row->volume);
    kept.job = keep(&table->arena, row->job);
    kept.path = keep(&table->arena, row->path);
    kept.text = keep(&table->arena, row->text);
    ARRAY_PUSH(table, kept);
    if (is_let_through(table, &kept))
        show(table, table->count - 1);
    return true;
}

/* --- what is shown ---------------------------------------------------------
 */

size_t table_count(const struct table *table)
{
    return table->shown_count;
}

const struct table_row *table_row(const struct table *table, size_t at)
{
    return at < table->shown_count ? &table->items[table->shown[at]] : NULL;
}

const struct table_row *table_cursor(const struct table *table)
{
    return table_row(table, table->cursor);
}

void table_go_to(struct table *table, long row)
{
    long last = (long)table->shown_count - 1;

    if (row > last)
        row = last;
    table->cursor = row > 0 ? (size_t)row : 0;
}

void table_set_height(struct table *table, size_t height)
{
    size_t last = table->shown_count > height ? table->shown_count - height : 0;

    if (table->cursor < table->top)
        table->top = table->cursor;
    if (height && table->cursor >= table->top + height)
        table->top = table->cursor - height + 1;
    if (table->top > last)
        table->top = last;
}

/* --- other rows, another order ---------------------------------------------
 */

/* Strings stay where they are, each its own: the same row has the same one. */
static void list_anew(struct table *table, const char *volume)
{
    long cursor = 0;

    table->shown_count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->items[i];
        if (!is_let_through(table, row))
            continue;
        if (row->volume == volume)
            cursor = (long)table->shown_count;
        show(table, i);
    }
    table_go_to(table, cursor);
}

void table_set_filter(struct table *table, const char *filter)
{
    const struct table_row *row = table_cursor(table);
    const char *volume = row ? row->volume : NULL;

    free(table->filter);
    table->filter = filter && *filter ? xstrdup(filter) : NULL;
    list_anew(table, volume);
}

void table_sort(struct table *table,
                int (*compare)(const void *one, const void *other))
{
    const struct table_row *row = table->cursor ? table_cursor(table) : NULL;
    const char *volume = row ? row->volume : NULL;

    if (table->count)
        qsort(table->items, table->count, sizeof *table->items, compare);
    list_anew(table, volume);
}

void table_drop(struct table *table,
                bool (*is_repeated)(const struct table_row *row,
                                    const struct table_row *before))
{
    const struct table_row *row = table_cursor(table);
    const char *volume = row ? row->volume : NULL;
    size_t kept = 0;

    for (size_t i = 0; i < table->count; i++)
        if (!kept || !is_repeated(&table->items[i], &table->items[kept - 1]))
            table->items[kept++] = table->items[i];
    table->count = kept;
    list_anew(table, volume);
}
