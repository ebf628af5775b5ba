#include "ui/screen.h"

#include "core/base/quantity.h"
#include "core/names.h"
#include "ui/words.h"

#include <inttypes.h>

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    const struct table *table = &model->lookup.lines;
    int64_t gone = 0, new = 0;
    char number[QUANTITY_SIZE];

    strbuf_adds(left, "Lines");
    for (size_t i = 0; i < table->count; i++) {
        gone += table->items[i].line.kind == LINE_GONE;
        new += table->items[i].line.kind == LINE_NEW;
    }
    if (!table->is_whole) {
        strbuf_adds(right, "reading");
        return;
    }
    strbuf_addf(right, "-%s ", format_count(gone, number));
    strbuf_addf(right, "+%s%s", format_count(new, number),
                table->left_out ? " or more" : "");
}

/* --- rows ------------------------------------------------------------------
 */

#define MARK 2
#define NUMBER 4
#define NUMBER_WIDTH 6
#define TEXT 11

static const struct {
    const char *mark;
    enum style style;
} kinds[] = {
    [LINE_SAME] = {" ", STYLE_NORMAL},
    [LINE_GONE] = {"-", STYLE_DELETED},
    [LINE_NEW] = {"+", STYLE_NEW},
    [LINE_LEFT_OUT] = {" ", STYLE_DIM},
};

static void head(const struct model *model, struct area line)
{
    column_put_right(line, NUMBER, NUMBER_WIDTH, STYLE_DIM, "Line");
}

/* Tabs as blanks, what else is no letter made visible. */
static void put_text(const char *raw, struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf blanks = STRBUF_INIT;

    for (; *raw; raw++)
        strbuf_adds(&blanks, *raw == '\t' ? "    " : (char[]){*raw, '\0'});
    name_display(blanks.length ? blanks.text : "", out);
}

static void row(const struct model *model, const struct table_row *row,
                bool is_same, struct area line)
{
    const struct line_info *info = &row->line;
    enum style style = kinds[info->kind].style;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    char number[QUANTITY_SIZE];

    if (info->kind == LINE_LEFT_OUT) {
        area_putf(line, TEXT, 0, style, "… %s equal line%s",
                  format_count(info->count, number),
                  info->count == 1 ? "" : "s");
        return;
    }
    put_text(row->text, &text);
    area_put(line, MARK, 0, style, kinds[info->kind].mark);
    column_put_right(
        line, NUMBER, NUMBER_WIDTH, STYLE_DIM,
        format_count(info->after ? info->after : info->before, number));
    area_put(area_columns(line, TEXT, line.width - TEXT), 0, 0, style,
             text.text);
}

static void about(const struct model *model, const struct table_row *row,
                  struct strbuf *out)
{
    if (row->line.kind == LINE_GONE)
        strbuf_addf(out, "line %" PRId64 " %s", row->line.before,
                    model->lookup.lines_before);
    else if (row->line.after)
        strbuf_addf(out, "line %" PRId64 " %s", row->line.after,
                    model->lookup.lines_after);
}

static const struct table_look look = {
    "What differs",
    "No line differs: the two are equal, but perhaps for the end of the last "
    "line.",
    head,
    row,
    about,
    NULL};

static void draw(const struct model *model, struct area area)
{
    CLEANUP_FREE char *sides = xasprintf(
        "- %s  + %s", model->lookup.lines_before, model->lookup.lines_after);
    int x = area_put(area, 1, 0, STYLE_STRONG, sides) + 2;

    column_put(area_rows(area, 0, 1), x, area.width - x - 1, STYLE_NORMAL,
               model->lookup.subject);
    screen_draw_table(model, area, &look);
}

/* --- keys ------------------------------------------------------------------
 */

static const struct binding bindings[] = {
    BINDING_FILTER,
    BINDING_BACK,
};

static void handle(struct model *model, enum intent intent, int argument)
{
    screen_handle_table(model, &look, intent, argument);
}

const struct screen screen_lines = {
    .bindings = {"Lines", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
