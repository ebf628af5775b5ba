#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <string.h>

#define KEY_COLUMN 2
#define VALUE_COLUMN 18

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    strbuf_adds(left, "Settings");
    strbuf_adds(right, model->settings.typed
                           ? "checked before it is written"
                           : "as in berth.conf; comments there stay");
}

/* --- rows: of each entry a title, its settings, a blank ---------------------
 */

static bool is_first_of_entry(const struct settings *settings, size_t index)
{
    const struct setting *rows = settings->rows.items;

    return !index || rows[index].is_job != rows[index - 1].is_job ||
           strcmp(rows[index].owner, rows[index - 1].owner) != 0;
}

/* Its title, and the blank above that. */
static int rows_above(const struct settings *settings, size_t index)
{
    return !is_first_of_entry(settings, index) ? 0 : index ? 2 : 1;
}

static int row_of(const struct settings *settings, size_t index)
{
    int row = 0;

    for (size_t i = 0; i <= index && i < settings->rows.count; i++)
        row += rows_above(settings, i);
    return row + (int)index;
}

static void draw_setting(const struct model *model, struct area area, int y,
                         size_t index)
{
    const struct settings *settings = &model->settings;
    const struct setting *row = &settings->rows.items[index];
    bool is_here = index == settings->cursor;
    bool is_typed = is_here && settings->typed;
    struct area value =
        area_columns(area, VALUE_COLUMN, area.width - VALUE_COLUMN - 1);

    if (is_first_of_entry(settings, index)) {
        int x =
            area_put(area, 0, y - 1, STYLE_DIM, row->is_job ? "job" : "volume");
        area_put_name(area, x + 1, y - 1, STYLE_TITLE, row->owner);
    }
    area_put(area, KEY_COLUMN, y,
             row->is_fixed || row->is_default ? STYLE_DIM : STYLE_NORMAL,
             row->key);
    int x = area_put_name(value, 0, y,
                          is_typed                           ? STYLE_STRONG
                          : row->is_fixed || row->is_default ? STYLE_DIM
                                                             : STYLE_NORMAL,
                          is_typed      ? settings->typed
                          : *row->value ? row->value
                                        : "none");
    if (!is_here)
        return;
    area_put(area, 0, y, STYLE_KEY, ">");
    if (is_typed) {
        area.canvas->cursor_x = value.x + x;
        area.canvas->cursor_y = value.y + y;
    } else {
        area_select(area, y, 1);
    }
}

static void draw_rows(const struct model *model, struct area area)
{
    const struct settings *settings = &model->settings;
    size_t count = settings->rows.count;
    int rows = count ? row_of(settings, count - 1) + 1 : 0;
    int top = widget_list_top(row_of(settings, settings->cursor) - 1, 2, rows,
                              area.height);

    for (size_t i = 0, above = 0; i < count; i++) {
        above += (size_t)rows_above(settings, i);
        int y = (int)(above + i) - top;
        if (y < 0 || y > area.height)
            continue;
        draw_setting(model, area, y, i);
        if (y < area.height)
            area_hit(area_rows(area, y, 1), INTENT_GO_TO, (int)i);
    }
    widget_list_marks(area, (size_t)top, (size_t)area.height, (size_t)rows);
}

/* What may stand there, or why it was not taken. */
static void draw_hint(const struct model *model, struct area area)
{
    const struct settings *settings = &model->settings;
    const struct setting *row = settings->cursor < settings->rows.count
                                    ? &settings->rows.items[settings->cursor]
                                    : NULL;

    if (settings->error) {
        area_put_wrapped(area, 0, STYLE_BAD, settings->error);
    } else if (row && row->is_fixed) {
        area_put(area, 0, 0, STYLE_DIM,
                 "stays: the drive and other entries know it");
    } else if (row) {
        CLEANUP_FREE char *words = xasprintf(
            "%s%s", row->hint, row->is_default ? " · this is the default" : "");
        area_put_wrapped(area, 0, STYLE_DIM, words);
    } else if (!model_is_under_way(model, ROLE_SETTINGS)) {
        area_put(area, 0, 0, STYLE_NORMAL,
                 "Nothing is configured yet: a on the drives begins.");
    }
}

static void draw(const struct model *model, struct area area)
{
    struct area inside = area_inside(area);

    area_frame(area, "Settings");
    inside = area_columns(inside, 1, inside.width - 2);
    if (!model->settings.rows.count) {
        draw_hint(model, inside);
        return;
    }
    draw_rows(model, area_rows(inside, 0, inside.height - 3));
    draw_hint(model, area_rows(inside, inside.height - 2, 2));
}

/* --- keys ------------------------------------------------------------------
 */

static bool is_editing(const struct model *model)
{
    return model->settings.typed != NULL;
}

static bool is_looking(const struct model *model)
{
    return !model->settings.typed;
}

static bool can_edit(const struct model *model)
{
    const struct settings *settings = &model->settings;

    return is_looking(model) && settings->cursor < settings->rows.count &&
           !settings->rows.items[settings->cursor].is_fixed;
}

static bool can_reset(const struct model *model)
{
    const struct settings *settings = &model->settings;

    return can_edit(model) &&
           !settings->rows.items[settings->cursor].is_default;
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "save",
     "check the value, and write it",
     is_editing},
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "change",
     "change the value",
     can_edit},
    {{UI_KEY_BACKSPACE, UI_KEY_DELETE},
     INTENT_DEFAULT,
     "default",
     "the default again",
     can_reset},
    {{UI_KEY_ESCAPE},
     INTENT_CANCEL,
     "leave it",
     "leave it as it is",
     is_editing},
    {{'q', UI_KEY_ESCAPE},
     INTENT_BACK,
     "back",
     "back to the drives",
     is_looking},
};

static void handle_moving(struct model *model, enum intent intent)
{
    long page = screen_height(model) - 8;
    long all = (long)model->settings.rows.count;

    switch (intent) {
    case INTENT_UP:
        model_move_in_settings(model, -1);
        break;
    case INTENT_DOWN:
        model_move_in_settings(model, 1);
        break;
    case INTENT_PAGE_UP:
        model_move_in_settings(model, -page);
        break;
    case INTENT_PAGE_DOWN:
        model_move_in_settings(model, page);
        break;
    case INTENT_TOP:
        model_move_in_settings(model, -all);
        break;
    case INTENT_BOTTOM:
        model_move_in_settings(model, all);
        break;
    default:
        break;
    }
}

static void handle(struct model *model, enum intent intent, int argument)
{
    const struct settings *settings = &model->settings;

    switch (intent) {
    case INTENT_GO_TO: /* a second click changes it */
        if ((size_t)argument == settings->cursor)
            model_edit_setting(model);
        else
            model_move_in_settings(model, argument - (long)settings->cursor);
        break;
    case INTENT_ENTER:
        if (settings->typed)
            model_take_setting(model);
        else
            model_edit_setting(model);
        break;
    case INTENT_DEFAULT:
        model_reset_setting(model);
        break;
    case INTENT_CANCEL:
    case INTENT_BACK:
        if (settings->typed)
            model_drop_setting(model);
        else
            model_back(model);
        break;
    default:
        handle_moving(model, intent);
        break;
    }
}

static bool is_typed(const struct model *model, uint32_t key)
{
    return model->settings.typed &&
           ((key >= ' ' && key < UI_KEY_UP && key != 0x7f) ||
            key == UI_KEY_BACKSPACE || key == UI_CONTROL('u'));
}

const struct screen screen_settings = {
    .bindings = {"Settings", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
    .is_typed = is_typed,
    .type = model_type_setting,
};
