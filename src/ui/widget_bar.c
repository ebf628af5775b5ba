#include "ui/widget.h"

static int columns_of(int64_t part, int64_t whole, int width)
{
    if (whole <= 0 || part >= whole)
        return width;
    if (part <= 0)
        return 0;
    int columns = (int)((double)part / (double)whole * width);
    return columns ? columns : 1; /* something is not nothing */
}

void widget_progress(struct area area, int x, int y, int width, int64_t durable,
                     int64_t written, int64_t total)
{
    int full = columns_of(durable, total, width);
    int half = columns_of(written, total, width);

    if (half < full)
        half = full;
    area_repeat(area, x, y, full, STYLE_BAR_DURABLE, "█");
    area_repeat(area, x + full, y, half - full, STYLE_BAR_WRITTEN, "▒");
    area_repeat(area, x + half, y, width - half, STYLE_BAR_REST, "░");
}

void widget_usage(struct area area, int x, int y, int width, int64_t used,
                  int64_t total)
{
    int full = columns_of(used, total, width);

    area_repeat(area, x, y, full, STYLE_BAR_DURABLE, "█");
    area_repeat(area, x + full, y, width - full, STYLE_BAR_REST, "░");
}
