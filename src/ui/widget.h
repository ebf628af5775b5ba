/*
 * Parts that several screens draw. Pure: they get values and an area.
 */
#ifndef BERTH_UI_WIDGET_H
#define BERTH_UI_WIDGET_H

#include "ui/canvas.h"
#include "ui/model.h"
#include "ui/pace.h"

#include <stdbool.h>
#include <stdint.h>

/* --- widget_bar.c ----------------------------------------------------------
 */

/* What is durable, what is only written, and the rest. */
void widget_progress(struct area area, int x, int y, int width, int64_t durable,
                     int64_t written, int64_t total);
/* How full a volume is. */
void widget_usage(struct area area, int x, int y, int width, int64_t used,
                  int64_t total);

/* --- widget_graph.c --------------------------------------------------------
 */

/* The last seconds of a run, newest at the right, one column each. */
void widget_graph(struct area area, const struct pace *pace);

/* --- widget_list.c ---------------------------------------------------------
 */

/* The first row to show so that rows [first, first + length) are visible. */
int widget_list_top(int first, int length, int rows, int height);
/* A scroll bar in the last column, where not everything fits. */
void widget_list_marks(struct area area, size_t top, size_t height,
                       size_t rows);

/*
 * Lines under each other, some of which may be scrolled away:
 *
 *     struct flow flow = {.area = area, .row = -scroll};
 *     flow_label(&flow, "Health", STYLE_GOOD, "good");
 */
struct flow {
    struct area area;
    int row;
};
/* A word at the left, text beside it that wraps. */
void flow_label(struct flow *flow, const char *label, enum style style,
                const char *text);
/* Text from column x on, in as many rows as it needs, at least one. */
void flow_beside(struct flow *flow, int x, enum style style, const char *text);
void flow_text(struct flow *flow, enum style style, const char *text);

/* --- widget_box.c ----------------------------------------------------------
 */

/* An empty box over the middle of the area; returns its inside. */
struct area widget_box(struct area area, int width, int height,
                       const char *title);
void widget_question(struct area area, const struct question *question);
/* Text over the screen, until a key; what Enter does, or NULL. */
void widget_story(struct area area, const char *title, const char *text,
                  const char *enter);

#endif
