/*
 * A list of what the engine told: rows with a filter, a cursor, and a limit,
 * so that memory stays bounded whatever a run did. Pure. What a row means is
 * the business of the screen that asked (lookup.h).
 */
#ifndef BERTH_UI_TABLE_H
#define BERTH_UI_TABLE_H

#include "core/base/arena.h"
#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More rows are counted, and not kept. */
#define TABLE_ROWS_MOST ((size_t)100000)

/* Strings belong to the table, "" where there is none. */
struct table_row {
    const char *volume, *job, *path, *text;
    union {
        struct run run;
        struct run_item item;
        struct version_info version;
        struct found_info found;
        struct copy_info copy;
        struct copies_info copies;
        struct line_info line;
        struct {
            bool is_of_verify; /* else of a comparison */
            int reason;        /* enum action_reason */
            int kind;          /* enum action_kind */
        } finding;
    };
    int rank; /* sorted by it first */
};

struct table {
    struct table_row *items;
    size_t count, capacity;
    struct arena arena;
    uint32_t *shown; /* rows that the filter lets through */
    size_t shown_count, shown_capacity;
    char *filter; /* NULL: none */
    size_t cursor, top;
    int64_t left_out; /* told, and not kept */
    bool is_whole;    /* all was told */
    char *error;      /* why it was not; NULL */
};

void table_release(struct table *table);
/* Empty, and waiting for rows. */
void table_clear(struct table *table);
/* Copies the row's strings. False when there is no room for it. */
bool table_add(struct table *table, const struct table_row *row);
/* Whoever looks at a row keeps looking at it. */
void table_sort(struct table *table,
                int (*compare)(const void *one, const void *other));

/* Rows that repeat the one before them. */
void table_drop(struct table *table,
                bool (*is_repeated)(const struct table_row *row,
                                    const struct table_row *before));

size_t table_count(const struct table *table);
/* NULL: there is none. */
const struct table_row *table_row(const struct table *table, size_t at);
const struct table_row *table_cursor(const struct table *table);
void table_go_to(struct table *table, long row);
/* Keeps the cursor among `height` visible rows. */
void table_set_height(struct table *table, size_t height);
/* Rows of which any text contains these words. */
void table_set_filter(struct table *table, const char *filter);

#endif
