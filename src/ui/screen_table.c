#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <string.h>

/* Wider, and the eye would lose the line between two columns. */
#define WIDEST 140
/* Lines of the body that are no rows: words, frame, heads, about the row under
 * the cursor. */
#define TABLE_CHROME 5

void column_put(struct area line, int x, int width, enum style style,
                const char *text)
{
    area_put_name(area_columns(line, x, width), 0, 0, style, text);
}

void column_put_right(struct area line, int x, int width, enum style style,
                      const char *text)
{
    area_put_right(area_columns(line, x, width), 0, style, text);
}

void screen_draw_words(const struct model *model, struct area area,
                       const char *words)
{
    if (!model_note(model))
        area_put_name(area_part(area, 1, 0, area.width - 2, 1), 0, 0,
                      STYLE_NORMAL, words);
}

static void draw_empty(const struct table *table, struct area area,
                       const char *empty)
{
    struct flow flow = {
        .area = area_part(area, 1, 1, area.width - 2, area.height - 1)};

    if (table->error)
        flow_text(&flow, STYLE_BAD, table->error);
    else if (!table->is_whole)
        flow_text(&flow, STYLE_DIM, "looking…");
    else if (table->filter && table->count)
        flow_text(&flow, STYLE_DIM, "nothing matches the filter");
    else
        flow_text(&flow, STYLE_DIM, empty);
}

static bool is_same_file(const struct table_row *one,
                         const struct table_row *other)
{
    return one && *one->path && !strcmp(one->path, other->path) &&
           !strcmp(one->job, other->job);
}

/* Without the column of the scroll bar. */
static struct area readable(struct area line)
{
    int width = line.width - 1;

    return area_columns(line, 0, width < WIDEST ? width : WIDEST);
}

static void draw_rows(const struct model *model, struct area area,
                      const struct table *table, const struct table_look *look)
{
    for (int y = 0; y < area.height; y++) {
        size_t at = table->top + (size_t)y;
        const struct table_row *row = table_row(table, at);
        if (!row)
            break;
        struct area line = area_rows(area, y, 1);
        bool is_selected = at == table->cursor;
        if (is_selected)
            area_put(line, 0, 0, STYLE_KEY, ">");
        bool is_same = y > 0 && !is_selected &&
                       is_same_file(table_row(table, at - 1), row);
        look->row(model, row, is_same, readable(line));
        if (is_selected)
            area_select(area, y, 1);
        area_hit(line, INTENT_GO_TO, (int)at);
    }
}

void screen_draw_table(const struct model *model, struct area area,
                       const struct table_look *look)
{
    const struct table *table = model_shown_table(model);
    struct area framed = area_rows(area, 1, area.height - 2);
    struct area inside = area_inside(framed);
    CLEANUP(strbuf_release) struct strbuf about = STRBUF_INIT;

    area_frame(framed, look->title);
    if (!table_count(table)) {
        draw_empty(table, inside, look->empty);
        return;
    }
    look->head(model, readable(area_rows(inside, 0, 1)));
    struct area rows = area_rows(inside, 1, inside.height - 1);
    draw_rows(model, rows, table, look);
    widget_list_marks(rows, table->top, (size_t)rows.height,
                      table_count(table));
    look->about(model, table_cursor(table), &about);
    column_put(area_rows(area, area.height - 1, 1), 1, area.width - 2,
               STYLE_DIM, about.text ? about.text : "");
}

void screen_describe_table(const struct table *table, const char *one,
                           const char *many, struct strbuf *out)
{
    char shown[QUANTITY_SIZE], all[QUANTITY_SIZE];
    int64_t told = (int64_t)table->count + table->left_out;
    const char *thing = told == 1 ? one : many;

    format_count(told, all);
    if (!table->is_whole)
        strbuf_adds(out, "looking");
    else if (table->left_out)
        strbuf_addf(out, "the first %s of %s or more %s",
                    format_count((int64_t)table->count, shown), all, thing);
    else if (table_count(table) != table->count)
        strbuf_addf(out, "%s of %s %s",
                    format_count((int64_t)table_count(table), shown), all,
                    thing);
    else
        strbuf_addf(out, "%s %s", all, thing);
}

void model_fit_table(struct model *model)
{
    struct table *table = model_table(model);
    int height = screen_height(model) - TABLE_CHROME;

    if (table)
        table_set_height(table, height > 0 ? (size_t)height : 0);
}

static bool move_cursor(struct model *model, enum intent intent, int argument)
{
    struct table *table = model_table(model);
    long cursor = (long)table->cursor;
    long page = screen_height(model) - TABLE_CHROME - 1;

    switch (intent) {
    case INTENT_UP:
        cursor--;
        break;
    case INTENT_DOWN:
        cursor++;
        break;
    case INTENT_PAGE_UP:
        cursor -= page;
        break;
    case INTENT_PAGE_DOWN:
        cursor += page;
        break;
    case INTENT_TOP:
        cursor = 0;
        break;
    case INTENT_BOTTOM:
        cursor = (long)table_count(table);
        break;
    case INTENT_GO_TO:
        if (argument == cursor)
            return false;
        cursor = argument;
        break;
    default:
        return false;
    }
    table_go_to(table, cursor);
    return true;
}

bool screen_handle_table(struct model *model, const struct table_look *look,
                         enum intent intent, int argument)
{
    const struct table_row *row = table_cursor(model_table(model));

    if (move_cursor(model, intent, argument))
        return true;
    switch (intent) {
    case INTENT_ENTER:
    case INTENT_RIGHT:
    case INTENT_GO_TO:
        if (row && look->open)
            look->open(model, row);
        return true;
    case INTENT_FILTER:
        model->types_filter = true;
        return true;
    case INTENT_CANCEL:
    case INTENT_BACK:
    case INTENT_LEFT:
        model_leave_table(model);
        return true;
    default:
        return false;
    }
}
