#include "ui/diff_view.h"

#include "core/base/error.h"

#include <stdlib.h>
#include <string.h>

void diff_view_init(struct diff_view *view)
{
    *view = (struct diff_view){.filter = xstrdup(""), .height = 1};
}

void diff_view_release(struct diff_view *view)
{
    diff_view_clear(view);
    free(view->filter);
    view->filter = NULL;
}

void diff_view_clear(struct diff_view *view)
{
    diff_tree_free(view->tree);
    diff_tree_free(view->next);
    view->tree = view->next = NULL;
}

size_t diff_view_row_count(const struct diff_view *view)
{
    return view->tree ? diff_tree_row_count(view->tree) : 0;
}

struct diff_row diff_view_cursor_row(const struct diff_view *view)
{
    if (view->cursor >= diff_view_row_count(view))
        return (struct diff_row){.kind = DIFF_ROW_WAITING, .name = ""};
    return diff_tree_row(view->tree, view->cursor);
}

/* --- where the cursor is ---------------------------------------------------
 */

static void keep_in_sight(struct diff_view *view)
{
    size_t rows = diff_view_row_count(view);
    size_t height = view->height ? view->height : 1;

    if (rows && view->cursor >= rows)
        view->cursor = rows - 1;
    if (view->cursor < view->top)
        view->top = view->cursor;
    if (view->cursor >= view->top + height)
        view->top = view->cursor - height + 1;
    if (view->top + height > rows)
        view->top = rows > height ? rows - height : 0;
}

void diff_view_set_height(struct diff_view *view, int height)
{
    size_t rows = height > 1 ? (size_t)height : 1;

    if (rows == view->height)
        return;
    view->height = rows;
    keep_in_sight(view);
}

void diff_view_go_to(struct diff_view *view, size_t row)
{
    view->cursor = row;
    keep_in_sight(view);
}

void diff_view_move(struct diff_view *view, long rows)
{
    size_t count = diff_view_row_count(view);
    size_t step = rows < 0 ? (size_t)-rows : (size_t)rows;

    if (rows < 0)
        diff_view_go_to(view, view->cursor > step ? view->cursor - step : 0);
    else if (count)
        diff_view_go_to(view, view->cursor + step < count ? view->cursor + step
                                                          : count - 1);
}

/* --- a new tree beside the old one -----------------------------------------
 */

static struct diff_options options_of(const struct diff_view *view)
{
    return (struct diff_options){
        .is_flat = view->is_flat,
        .is_by_path = view->is_by_path,
        .filter = xstrdup(view->filter),
    };
}

static bool is_shown_alike(const struct diff_tree *one,
                           const struct diff_tree *other)
{
    return one->options.is_flat == other->options.is_flat &&
           one->options.is_by_path == other->options.is_by_path &&
           !strcmp(one->options.filter, other->options.filter);
}

/* The row under the cursor stays on its line of the screen. */
static void take_place(struct diff_view *view)
{
    struct diff_row row = diff_view_cursor_row(view);
    CLEANUP_FREE char *path = diff_row_path(view->tree, &row);
    size_t line = view->cursor >= view->top ? view->cursor - view->top : 0;
    size_t before = view->cursor;
    bool is_exact, is_other_way = !is_shown_alike(view->tree, view->next);

    diff_tree_free(view->tree);
    view->tree = view->next;
    view->next = NULL;
    size_t at = diff_tree_find(view->tree, row.root, path, &is_exact);
    /* What was done meanwhile is gone: its neighbours moved up. Shown in
     * another way, the closest thing is meant. */
    view->cursor = is_exact || is_other_way ? at : before;
    view->top = view->cursor > line ? view->cursor - line : 0;
    keep_in_sight(view);
}

void diff_view_show(struct diff_view *view, struct review *const *reviews,
                    size_t count)
{
    const struct diff_options options = options_of(view);
    struct diff_tree *tree = diff_tree_new(reviews, count, &options);

    diff_tree_free(view->next);
    view->next = NULL;
    if (!view->tree) {
        view->tree = tree;
        view->cursor = view->top = 0;
        return;
    }
    diff_tree_open_as(tree, view->tree);
    view->next = tree;
}

/* The same reviews, shown in another way. */
static void make_anew(struct diff_view *view)
{
    const struct diff_tree *model = view->next ? view->next : view->tree;

    if (!model)
        return;
    size_t count = model->roots.count;
    CLEANUP_FREE struct review **reviews = xcalloc(count + 1, sizeof *reviews);
    for (size_t i = 0; i < count; i++)
        reviews[i] = model->roots.items[i].review;
    diff_view_show(view, reviews, count);
}

bool diff_view_is_settled(const struct diff_view *view)
{
    return !view->next;
}

bool diff_view_work(struct diff_view *view, size_t budget)
{
    if (!view->next)
        return view->tree && diff_tree_work(view->tree, budget);
    if (diff_tree_work(view->next, budget))
        return true;
    take_place(view);
    return false;
}

/* --- what a person does ----------------------------------------------------
 */

void diff_view_toggle_open(struct diff_view *view)
{
    struct diff_row row = diff_view_cursor_row(view);

    if (row.kind != DIFF_ROW_JOB && row.kind != DIFF_ROW_DIRECTORY)
        return;
    diff_tree_toggle(view->tree, view->cursor);
    keep_in_sight(view);
    if (view->next)
        make_anew(view);
}

void diff_view_open(struct diff_view *view)
{
    if (!diff_view_cursor_row(view).is_open)
        diff_view_toggle_open(view);
}

void diff_view_close(struct diff_view *view)
{
    if (view->cursor >= diff_view_row_count(view))
        return;
    if (diff_view_cursor_row(view).is_open)
        diff_view_toggle_open(view);
    else
        diff_view_go_to(view, diff_tree_parent(view->tree, view->cursor));
}

void diff_view_toggle_left_out(struct diff_view *view)
{
    struct diff_row row = diff_view_cursor_row(view);

    if (row.kind == DIFF_ROW_WAITING || row.first == row.end)
        return;
    review_toggle(view->tree->roots.items[row.root].review, row.first, row.end);
    diff_view_move(view, 1);
}

void diff_view_set_flat(struct diff_view *view, bool is_flat)
{
    view->is_flat = is_flat;
    make_anew(view);
}

void diff_view_set_by_path(struct diff_view *view, bool is_by_path)
{
    view->is_by_path = is_by_path;
    make_anew(view);
}

void diff_view_set_filter(struct diff_view *view, const char *filter)
{
    free(view->filter);
    view->filter = xstrdup(filter);
    make_anew(view);
}
