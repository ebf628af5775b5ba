/*
 * The folding tree of the diff screen: jobs, and below each the directories
 * that are open. Pure. Only what is open is in memory; rows are numbered from
 * the top, and found again by their paths when the tree is made anew.
 */
#ifndef BERTH_UI_DIFF_TREE_H
#define BERTH_UI_DIFF_TREE_H

#include "ui/diff_list.h"
#include "ui/review.h"

#include <stdbool.h>
#include <stddef.h>

/* An open directory. */
struct diff_node {
    struct diff_list list;
    int depth;
    size_t rows; /* below it that are visible, open directories included */
    struct {
        struct diff_open *items; /* by position */
        size_t count, capacity;
    } open;
};
struct diff_open {
    size_t position; /* in the list of its parent */
    struct diff_node *node;
};

struct diff_root {
    struct review *review;  /* borrowed; outlives the tree */
    struct diff_node *node; /* NULL: closed */
};

struct diff_wish {
    size_t root;
    char *path;
};

struct diff_options {
    bool is_flat, is_by_path;
    char *filter; /* owned; "": none. Where there is one the tree is flat. */
};

struct diff_tree {
    struct diff_options options;
    struct {
        struct diff_root *items;
        size_t count, capacity;
    } roots;
    struct { /* directories to be opened once their parents are listed */
        struct diff_wish *items;
        size_t count, capacity, next;
    } wishes;
};

enum diff_row_kind {
    DIFF_ROW_JOB,
    DIFF_ROW_DIRECTORY,
    DIFF_ROW_ENTRY,   /* a file, or a directory that is all there is to it */
    DIFF_ROW_WAITING, /* being listed or sorted */
};

struct diff_row {
    enum diff_row_kind kind;
    size_t root;
    size_t first, end; /* rows of the plan */
    int depth;
    bool is_open;
    const struct action *action; /* its own; NULL: only what is below it */
    const char *name;            /* in the action's path */
    size_t name_length;
};

/* Takes the filter. Every job is open unless the wishes say otherwise. */
struct diff_tree *diff_tree_new(struct review *const *reviews, size_t count,
                                const struct diff_options *options_taking);
void diff_tree_free(struct diff_tree *tree);
/* What was open in the other tree will be open here. */
void diff_tree_open_as(struct diff_tree *tree, const struct diff_tree *other);

/* True when there is more to do; rows appear while it is done. */
bool diff_tree_work(struct diff_tree *tree, size_t budget);

size_t diff_tree_row_count(const struct diff_tree *tree);
struct diff_row diff_tree_row(const struct diff_tree *tree, size_t at);

/* Opens what is closed, closes what is open. */
void diff_tree_toggle(struct diff_tree *tree, size_t at);
/* The row of the directory that this one is in; itself at the top. */
size_t diff_tree_parent(const struct diff_tree *tree, size_t at);
/*
 * The row of a path ("" is the job). *out_is_exact false: it is not visible;
 * then what comes closest, the nearest directory above it or, in a flat list,
 * what follows it.
 */
size_t diff_tree_find(const struct diff_tree *tree, size_t root,
                      const char *path, bool *out_is_exact);
/* The path of a row; free() it. */
char *diff_row_path(const struct diff_tree *tree, const struct diff_row *row);

#endif
