/*
 * What things look like: a style per meaning, and per kind of terminal the
 * look that it gets. Pure tables. Colour never stands alone: whatever has one
 * of these styles says the same with a word or a mark.
 */
#ifndef BERTH_UI_THEME_H
#define BERTH_UI_THEME_H

#include <stdbool.h>

enum style {
    STYLE_NORMAL,
    STYLE_DIM,    /* less important than its neighbours */
    STYLE_STRONG, /* names, numbers that count */
    STYLE_FRAME,
    STYLE_TITLE,
    STYLE_KEY, /* a key in the footer, a question or the help */
    STYLE_GOOD,
    STYLE_WATCH,
    STYLE_BAD,
    STYLE_NEW, /* marks of the diff */
    STYLE_CHANGED,
    STYLE_RENAMED,
    STYLE_DELETED,
    STYLE_BAR_DURABLE,
    STYLE_BAR_WRITTEN,
    STYLE_BAR_REST,
    STYLE_GRAPH,
    STYLE_BANNER,
    STYLE_GREEN, /* verdicts: whole lines */
    STYLE_YELLOW,
    STYLE_RED,
    STYLE_COUNT,
};

enum theme_depth { THEME_MONO, THEME_16, THEME_256 };

struct theme {
    enum theme_depth depth;
    bool is_light; /* dark letters on a light ground */
};

enum {
    LOOK_BOLD = 1u << 0,
    LOOK_DIM = 1u << 1,
    LOOK_REVERSE = 1u << 2,
    LOOK_UNDERLINE = 1u << 3,
};

struct look {
    short foreground, background; /* -1: the terminal's own */
    unsigned attributes;          /* LOOK_… */
};

/* `is_selected`: the row under the cursor. */
struct look theme_look(struct theme theme, enum style style, bool is_selected);

/*
 * From what the environment says (any may be NULL): NO_COLOR (set and not
 * empty: https://no-color.org), COLORFGBG ("15;0", of rxvt, Konsole and
 * others), and how many colours the terminal has.
 */
struct theme theme_choose(const char *no_color, const char *color_fg_bg,
                          int colours);

#endif
