/*
 * What of a review is on the screen: the tree, the cursor, the first visible
 * row. Pure.
 *
 * When the plans or the order change a new tree is made beside the old one,
 * in slices, with the same directories open; it takes the old one's place
 * when it is whole, with the row under the cursor where it was. So nothing
 * flickers, and no key ever hits a row that has just moved.
 */
#ifndef BERTH_UI_DIFF_VIEW_H
#define BERTH_UI_DIFF_VIEW_H

#include "ui/diff_tree.h"

#include <stdbool.h>
#include <stddef.h>

struct diff_view {
    struct diff_tree *tree; /* shown; NULL: nothing */
    struct diff_tree *next; /* being made; NULL: none */
    bool is_flat, is_by_path;
    char *filter;
    size_t cursor, top;
    size_t height; /* rows that fit on the screen */
};

void diff_view_init(struct diff_view *view);
void diff_view_release(struct diff_view *view);

/* Forgets the trees: the reviews they show are about to go. */
void diff_view_clear(struct diff_view *view);
/* Shows these reviews: at once when nothing is shown, else when it is whole.
 * Reviews that are shown must live until diff_view_is_settled. */
void diff_view_show(struct diff_view *view, struct review *const *reviews,
                    size_t count);
bool diff_view_is_settled(const struct diff_view *view);
/* True when there is more to do. */
bool diff_view_work(struct diff_view *view, size_t budget);

size_t diff_view_row_count(const struct diff_view *view);
struct diff_row diff_view_cursor_row(const struct diff_view *view);

void diff_view_set_height(struct diff_view *view, int height);
void diff_view_move(struct diff_view *view, long rows);
void diff_view_go_to(struct diff_view *view, size_t row);
/* Opens or closes the directory under the cursor. */
void diff_view_toggle_open(struct diff_view *view);
void diff_view_open(struct diff_view *view);
/* Closes it, or goes to the directory that it is in. */
void diff_view_close(struct diff_view *view);
/* Leaves the row under the cursor out of this run, or takes it in again. */
void diff_view_toggle_left_out(struct diff_view *view);

void diff_view_set_flat(struct diff_view *view, bool is_flat);
void diff_view_set_by_path(struct diff_view *view, bool is_by_path);
void diff_view_set_filter(struct diff_view *view, const char *filter);

#endif
