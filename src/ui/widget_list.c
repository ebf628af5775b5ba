#include "ui/widget.h"

#define LABEL_WIDTH 9

int widget_list_top(int first, int length, int rows, int height)
{
    int top = first + length - height;

    if (rows <= height || top < 0)
        return 0;
    return top < first ? top : first;
}

void widget_list_marks(struct area area, size_t top, size_t height, size_t rows)
{
    if (rows <= height || !area.height)
        return;
    size_t last = (size_t)area.height - 1;
    size_t room = rows - height;
    size_t at = top >= room
                    ? last
                    : (size_t)((double)top / (double)room * (double)last);

    area_put(area, area.width - 1, (int)at, STYLE_FRAME, "█");
}

void flow_text(struct flow *flow, enum style style, const char *text)
{
    while (*text) {
        size_t next;
        size_t length = text_wrap(text, flow->area.width, &next);
        CLEANUP_FREE char *line = xstrndup(text, length);
        area_put(flow->area, 0, flow->row++, style, line);
        text += next;
    }
}

void flow_label(struct flow *flow, const char *label, enum style style,
                const char *text)
{
    area_put(flow->area, 0, flow->row, STYLE_DIM, label);
    flow_beside(flow, LABEL_WIDTH, style, text);
}

void flow_beside(struct flow *flow, int x, enum style style, const char *text)
{
    struct flow beside = *flow;

    /* A row above the area has no part of it: cut columns, not rows. */
    beside.area.x += x;
    beside.area.width -= x;
    if (beside.area.width < 1)
        beside.area.width = 1;
    flow_text(&beside, style, text);
    flow->row = beside.row > flow->row ? beside.row : flow->row + 1;
}
