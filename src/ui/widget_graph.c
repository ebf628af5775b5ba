#include "ui/widget.h"

#define EIGHTHS 8

static int64_t highest(const struct pace *pace, size_t count)
{
    int64_t most = 1;

    for (size_t i = 0; i < count; i++)
        if (pace_sample(pace, i) > most)
            most = pace_sample(pace, i);
    return most;
}

void widget_graph(struct area area, const struct pace *pace)
{
    static const char *const blocks[EIGHTHS + 1] = {" ", "▁", "▂", "▃", "▄",
                                                    "▅", "▆", "▇", "█"};
    int64_t most = highest(pace, (size_t)area.width);

    for (int x = 0; x < area.width; x++) {
        int64_t sample = pace_sample(pace, (size_t)(area.width - 1 - x));
        if (sample < 0)
            continue;
        int height =
            (int)((double)sample / (double)most * area.height * EIGHTHS);
        if (!height && sample > 0)
            height = 1;
        if (!height) /* a second without a byte is not one before the run */
            area_put(area, x, area.height - 1, STYLE_BAR_REST, blocks[1]);
        for (int row = 0; row < area.height; row++) {
            int part = height - row * EIGHTHS;
            if (part <= 0)
                break;
            area_put(area, x, area.height - 1 - row, STYLE_GRAPH,
                     blocks[part > EIGHTHS ? EIGHTHS : part]);
        }
    }
}
