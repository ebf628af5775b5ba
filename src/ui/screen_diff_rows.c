#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <string.h>

/* Of a row, from the left: cursor, mark, fold and name; from the right: bytes,
 * files, and in wide windows the reason. */
#define MARK_COLUMN 2
#define NAME_COLUMN 5
#define BYTES_WIDTH 9
#define FILES_WIDTH 11
#define NOTE_WIDTH 34
#define WIDE 110
/* Wider, and the eye would lose the line between name and bytes. */
#define WIDEST 130

static const struct review *review_of(const struct model *model,
                                      const struct diff_row *row)
{
    return model->diff.tree->roots.items[row->root].review;
}

/* --- a row -----------------------------------------------------------------
 */

static enum style mark_style(const char *mark)
{
    switch (mark[0]) {
    case '+':
        return STYLE_NEW;
    case '~':
        return STYLE_CHANGED;
    case '-':
        return STYLE_DELETED;
    case '!':
        return STYLE_BAD;
    case '.':
        return STYLE_DIM;
    default:
        return STYLE_RENAMED;
    }
}

bool screen_diff_is_approved(const struct model *model,
                             const struct diff_row *row)
{
    return row->action && row->action->flags & ACTION_HELD &&
           review_of(model, row)->held_are_approved;
}

static size_t left_out_of(const struct model *model, const struct diff_row *row)
{
    return review_count_left_out(review_of(model, row), row->first, row->end);
}

static bool is_left_out(const struct model *model, const struct diff_row *row)
{
    return row->end > row->first &&
           left_out_of(model, row) == row->end - row->first;
}

/* Of a directory in which nothing is done but deleting: as the first. */
static const char *mark_below(const struct model *model,
                              const struct diff_row *row)
{
    const struct review *review = review_of(model, row);
    struct review_sum sum = review_sum_of(review, row->first, row->end);
    size_t at = row->first;

    if (row->kind != DIFF_ROW_DIRECTORY || !sum.deletes ||
        sum.deletes != sum.pending)
        return "";
    while (review->plan.items[at].kind != ACTION_DELETE)
        at++;
    return review->held_are_approved ? "-"
                                     : action_mark(&review->plan.items[at]);
}

static void put_mark(const struct model *model, const struct diff_row *row,
                     struct area area, int y)
{
    const char *mark =
        row->action ? action_mark(row->action) : mark_below(model, row);

    if (is_left_out(model, row)) {
        area_put(area, MARK_COLUMN, y, STYLE_DIM, "×");
        return;
    }
    if (screen_diff_is_approved(model, row))
        mark = "-";
    /* Of a directory that is only on the way to something. */
    if (row->kind == DIFF_ROW_DIRECTORY && *mark == '.')
        return;
    if (*mark)
        area_put(area, MARK_COLUMN, y, mark_style(mark), mark);
}

/* Why this row is here, in a few words. */
void screen_describe_row(const struct model *model, const struct diff_row *row,
                         struct strbuf *out)
{
    const struct action *action = row->action;
    char number[QUANTITY_SIZE];
    size_t left_out = left_out_of(model, row);

    if (left_out && left_out == row->end - row->first) {
        strbuf_adds(out, "left out of this run");
        return;
    }
    if (left_out)
        strbuf_addf(out, "%s left out",
                    format_count((int64_t)left_out, number));
    if (!action || row->kind == DIFF_ROW_JOB)
        return;
    if (out->length)
        strbuf_adds(out, ", ");
    if (action->flags & ACTION_HELD)
        strbuf_adds(out, screen_diff_is_approved(model, row)
                             ? "approved by you"
                             : "held: so many at once look wrong");
    else if (action->kind == ACTION_RENAME)
        strbuf_addf(out, "was %s", action->rename->path);
    else if (action->reason < REASON_COUNT)
        strbuf_adds(out, action_reason_text(action->reason));
}

static void put_sums(const struct model *model, const struct diff_row *row,
                     struct area area, int y, enum style style)
{
    char text[QUANTITY_SIZE];
    struct review_sum sum =
        row->kind == DIFF_ROW_JOB
            ? review_included(review_of(model, row))
            : review_sum_of(review_of(model, row), row->first, row->end);
    int64_t bytes = sum.copy_bytes ? sum.copy_bytes : sum.delete_bytes;

    if (row->kind == DIFF_ROW_JOB && !sum.pending && !sum.conflicts)
        area_put_right(area, y, STYLE_GOOD, "✓ nothing pending");
    else if (row->kind != DIFF_ROW_ENTRY && sum.pending)
        area_put_right(area_columns(area, 0, area.width - BYTES_WIDTH - 1), y,
                       style, format_count(sum.pending, text));
    if (row->kind == DIFF_ROW_ENTRY && !bytes && row->action &&
        row->action->size_bytes > 0)
        bytes = row->action->size_bytes;
    if (bytes > 0)
        area_put_right(area, y, style, format_bytes(bytes, text));
}

static void put_name(const struct model *model, const struct diff_row *row,
                     struct area area, int y, enum style style)
{
    static const char *const folds[] = {"▸ ", "▾ "};
    int x = NAME_COLUMN + 2 * row->depth;
    bool is_directory = row->kind == DIFF_ROW_DIRECTORY ||
                        (row->action && row->action->type == ENTRY_DIRECTORY);

    if (row->kind == DIFF_ROW_JOB) {
        const struct target *target = model_target_of_root(model, row->root);
        x = area_put(area, x, y, STYLE_DIM, folds[row->is_open]);
        CLEANUP_FREE char *words =
            target ? xasprintf("%s → %s:%s", target->job, target->volume,
                               target->directory)
                   : xstrdup("");
        area_put_name(area, x, y, STYLE_STRONG, words);
        return;
    }
    if (row->kind == DIFF_ROW_DIRECTORY)
        area_put(area, x, y, STYLE_DIM, folds[row->is_open]);
    CLEANUP_FREE char *name = xstrndup(row->name, row->name_length);
    CLEANUP_FREE char *shown = xasprintf("%s%s", name, is_directory ? "/" : "");
    area_put_name(area, x + 2, y, style, shown);
}

static void draw_row(const struct model *model, const struct diff_row *row,
                     struct area area, int y)
{
    int sums = BYTES_WIDTH + FILES_WIDTH;
    int note = area.width >= WIDE ? NOTE_WIDTH : 0;
    bool is_faint = is_left_out(model, row) ||
                    (row->action && row->kind == DIFF_ROW_ENTRY &&
                     !action_counts(row->action));
    enum style style = is_faint ? STYLE_DIM : STYLE_NORMAL;

    if (row->kind == DIFF_ROW_WAITING) {
        area_put(area, NAME_COLUMN + 2 * row->depth + 2, y, STYLE_DIM,
                 "listing…");
        return;
    }
    put_mark(model, row, area, y);
    put_name(model, row, area_columns(area, 0, area.width - sums - note - 1), y,
             style);
    if (note) {
        CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
        screen_describe_row(model, row, &words);
        area_put_name(area_columns(area, area.width - sums - note, note), 0, y,
                      STYLE_DIM, words.text);
    }
    put_sums(model, row, area, y, style);
}

/* --- the list --------------------------------------------------------------
 */

void screen_draw_rows(const struct model *model, struct area area)
{
    const struct diff_view *diff = &model->diff;
    size_t rows = diff_view_row_count(diff);
    int width = area.width - 1 < WIDEST ? area.width - 1 : WIDEST;

    for (int y = 0; y < area.height && diff->top + (size_t)y < rows; y++) {
        size_t at = diff->top + (size_t)y;
        struct diff_row row = diff_tree_row(diff->tree, at);
        draw_row(model, &row, area_columns(area, 0, width), y);
        if (at == diff->cursor) {
            area_put(area, 0, y, STYLE_KEY, ">");
            area_select(area, y, 1);
        }
        area_hit(area_rows(area, y, 1), INTENT_GO_TO, (int)at);
    }
    widget_list_marks(area, diff->top, (size_t)area.height, rows);
}
