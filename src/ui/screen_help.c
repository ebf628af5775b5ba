#include "ui/screen.h"

#include "ui/widget.h"

#include <string.h>

#define KEYS_WIDTH 16
#define HELP_WIDTH 74

static void add_keys(const struct binding *binding, bool is_ascii,
                     struct strbuf *out)
{
    char name[KEY_NAME_SIZE];

    for (size_t i = 0; i < BINDING_KEYS && binding->keys[i]; i++)
        if (binding->keys[i] != '\n')
            strbuf_addf(out, "%s%s", out->length ? " " : "",
                        keys_name(binding->keys[i], is_ascii, name));
}

/* A key that means this or that, as it stands, is told once. */
static bool is_other_meaning(const struct model *model,
                             const struct bindings *bindings, size_t index)
{
    const struct binding *binding = &bindings->items[index];

    if (!binding->is_valid || binding->is_valid(model))
        return false;
    for (size_t i = 0; i < bindings->count; i++) {
        const struct binding *other = &bindings->items[i];
        if (i != index && other->help && other->keys[0] == binding->keys[0] &&
            (i < index || !other->is_valid || other->is_valid(model)))
            return true;
    }
    return false;
}

static void put_bindings(const struct model *model, struct flow *flow,
                         const struct bindings *bindings)
{
    area_put(flow->area, 0, flow->row++, STYLE_TITLE, bindings->title);
    for (size_t i = 0; i < bindings->count; i++) {
        const struct binding *binding = &bindings->items[i];
        CLEANUP(strbuf_release) struct strbuf keys = STRBUF_INIT;
        bool is_valid = !binding->is_valid || binding->is_valid(model);
        if (!binding->help || is_other_meaning(model, bindings, i))
            continue;
        add_keys(binding, flow->area.canvas->is_ascii, &keys);
        area_put(flow->area, 1, flow->row, is_valid ? STYLE_KEY : STYLE_DIM,
                 keys.text);
        flow_beside(flow, KEYS_WIDTH, is_valid ? STYLE_NORMAL : STYLE_DIM,
                    binding->help);
    }
    flow->row++;
}

static const struct {
    const char *mark, *help;
    enum style style;
} marks[] = {
    {"+", "new", STYLE_NEW},
    {"~", "changed", STYLE_CHANGED},
    {"»", "renamed on the drive", STYLE_RENAMED},
    {"-", "deleted, kept as a version", STYLE_DELETED},
    {"-?", "deleted, held until you approve", STYLE_DELETED},
    {"!", "conflict, or changed on the drive", STYLE_BAD},
    {".", "left alone, with the reason", STYLE_DIM},
    {"×", "left out of this run", STYLE_DIM},
};

static void put_marks(struct flow *flow)
{
    area_put(flow->area, 0, flow->row++, STYLE_TITLE, "Marks of the diff");
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        area_put(flow->area, 1, flow->row, marks[i].style, marks[i].mark);
        area_put(flow->area, KEYS_WIDTH, flow->row++, STYLE_NORMAL,
                 marks[i].help);
    }
}

/* Drawn once where it cannot be seen, to know how long it is. */
static int put_all(const struct model *model, const struct screen *screen,
                   struct area area, int row)
{
    struct flow flow = {.area = area, .row = row};

    put_bindings(model, &flow, &screen->bindings);
    put_bindings(model, &flow, &keys_everywhere);
    if (screen == &screen_diff)
        put_marks(&flow);
    return flow.row - row;
}

/* Slivers of what is below would be no help. */
static int box_width(int width)
{
    return width < HELP_WIDTH + 12 ? width : HELP_WIDTH;
}

int screen_help_rows_below(const struct model *model,
                           const struct screen *screen)
{
    CLEANUP(canvas_release) struct canvas canvas;

    canvas_init(&canvas, false);
    canvas_reset(&canvas, box_width(model->width) - 4, 1);
    struct area nowhere = area_rows(canvas_area(&canvas), 0, 0);
    int below = put_all(model, screen, nowhere, 0) - (screen_height(model) - 2);
    return below > 0 ? below : 0;
}

void screen_draw_help(const struct model *model, const struct screen *screen,
                      struct area area)
{
    int width = box_width(area.width);
    struct area nowhere = area_part(area, 0, 0, width - 4, 0);
    int rows = put_all(model, screen, nowhere, 0);
    int height = rows + 2 < area.height ? rows + 2 : area.height;
    struct area box = widget_box(area, width, height, "Help");
    int most = rows > box.height ? rows - box.height : 0;
    int scroll = model->help_scroll < most ? model->help_scroll : most;

    put_all(model, screen, box, -scroll);
    widget_list_marks(box, (size_t)scroll, (size_t)box.height, (size_t)rows);
}
