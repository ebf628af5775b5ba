#include "ui/theme.h"

#include <stdlib.h>
#include <string.h>

#define OWN (-1)

/* Chosen to be readable on the ground of both #14161b and #ffffff panels. */
static const struct look dark_256[STYLE_COUNT] = {
    [STYLE_NORMAL] = {OWN, OWN, 0},
    [STYLE_DIM] = {245, OWN, 0},
    [STYLE_STRONG] = {OWN, OWN, LOOK_BOLD},
    [STYLE_FRAME] = {240, OWN, 0},
    [STYLE_TITLE] = {OWN, OWN, LOOK_BOLD},
    [STYLE_KEY] = {117, OWN, LOOK_BOLD},
    [STYLE_GOOD] = {114, OWN, 0},
    [STYLE_WATCH] = {221, OWN, 0},
    [STYLE_BAD] = {210, OWN, LOOK_BOLD},
    [STYLE_NEW] = {114, OWN, 0},
    [STYLE_CHANGED] = {221, OWN, 0},
    [STYLE_RENAMED] = {117, OWN, 0},
    [STYLE_DELETED] = {210, OWN, 0},
    [STYLE_BAR_DURABLE] = {110, OWN, 0},
    [STYLE_BAR_WRITTEN] = {67, OWN, 0},
    [STYLE_BAR_REST] = {238, OWN, 0},
    [STYLE_GRAPH] = {110, OWN, 0},
    [STYLE_BANNER] = {221, OWN, LOOK_BOLD},
    [STYLE_GREEN] = {231, 28, LOOK_BOLD},
    [STYLE_YELLOW] = {16, 220, LOOK_BOLD},
    [STYLE_RED] = {231, 124, LOOK_BOLD},
};

static const struct look light_256[STYLE_COUNT] = {
    [STYLE_NORMAL] = {OWN, OWN, 0},
    [STYLE_DIM] = {242, OWN, 0},
    [STYLE_STRONG] = {OWN, OWN, LOOK_BOLD},
    [STYLE_FRAME] = {249, OWN, 0},
    [STYLE_TITLE] = {OWN, OWN, LOOK_BOLD},
    [STYLE_KEY] = {25, OWN, LOOK_BOLD},
    [STYLE_GOOD] = {28, OWN, 0},
    [STYLE_WATCH] = {130, OWN, 0},
    [STYLE_BAD] = {160, OWN, LOOK_BOLD},
    [STYLE_NEW] = {28, OWN, 0},
    [STYLE_CHANGED] = {130, OWN, 0},
    [STYLE_RENAMED] = {25, OWN, 0},
    [STYLE_DELETED] = {160, OWN, 0},
    [STYLE_BAR_DURABLE] = {25, OWN, 0},
    [STYLE_BAR_WRITTEN] = {74, OWN, 0},
    [STYLE_BAR_REST] = {252, OWN, 0},
    [STYLE_GRAPH] = {25, OWN, 0},
    [STYLE_BANNER] = {130, OWN, LOOK_BOLD},
    [STYLE_GREEN] = {231, 28, LOOK_BOLD},
    [STYLE_YELLOW] = {16, 220, LOOK_BOLD},
    [STYLE_RED] = {231, 124, LOOK_BOLD},
};

/* Eight colours and bold: the eight bright ones are not everywhere. Yellow on
 * white cannot be read, so a light ground gets its letters from elsewhere. */
static const struct look dark_16[STYLE_COUNT] = {
    [STYLE_NORMAL] = {OWN, OWN, 0},
    [STYLE_DIM] = {OWN, OWN, LOOK_DIM},
    [STYLE_STRONG] = {OWN, OWN, LOOK_BOLD},
    [STYLE_FRAME] = {OWN, OWN, LOOK_DIM},
    [STYLE_TITLE] = {OWN, OWN, LOOK_BOLD},
    [STYLE_KEY] = {6, OWN, LOOK_BOLD},
    [STYLE_GOOD] = {2, OWN, 0},
    [STYLE_WATCH] = {3, OWN, 0},
    [STYLE_BAD] = {1, OWN, LOOK_BOLD},
    [STYLE_NEW] = {2, OWN, 0},
    [STYLE_CHANGED] = {3, OWN, 0},
    [STYLE_RENAMED] = {6, OWN, 0},
    [STYLE_DELETED] = {1, OWN, 0},
    [STYLE_BAR_DURABLE] = {6, OWN, 0},
    [STYLE_BAR_WRITTEN] = {4, OWN, 0},
    [STYLE_BAR_REST] = {OWN, OWN, LOOK_DIM},
    [STYLE_GRAPH] = {6, OWN, 0},
    [STYLE_BANNER] = {3, OWN, LOOK_BOLD},
    [STYLE_GREEN] = {0, 2, 0},
    [STYLE_YELLOW] = {0, 3, 0},
    [STYLE_RED] = {7, 1, LOOK_BOLD},
};

static const struct look light_16[STYLE_COUNT] = {
    [STYLE_NORMAL] = {OWN, OWN, 0},
    [STYLE_DIM] = {OWN, OWN, LOOK_DIM},
    [STYLE_STRONG] = {OWN, OWN, LOOK_BOLD},
    [STYLE_FRAME] = {OWN, OWN, LOOK_DIM},
    [STYLE_TITLE] = {OWN, OWN, LOOK_BOLD},
    [STYLE_KEY] = {4, OWN, LOOK_BOLD},
    [STYLE_GOOD] = {2, OWN, 0},
    [STYLE_WATCH] = {5, OWN, 0},
    [STYLE_BAD] = {1, OWN, LOOK_BOLD},
    [STYLE_NEW] = {2, OWN, 0},
    [STYLE_CHANGED] = {5, OWN, 0},
    [STYLE_RENAMED] = {4, OWN, 0},
    [STYLE_DELETED] = {1, OWN, 0},
    [STYLE_BAR_DURABLE] = {4, OWN, 0},
    [STYLE_BAR_WRITTEN] = {6, OWN, 0},
    [STYLE_BAR_REST] = {OWN, OWN, LOOK_DIM},
    [STYLE_GRAPH] = {4, OWN, 0},
    [STYLE_BANNER] = {5, OWN, LOOK_BOLD},
    [STYLE_GREEN] = {0, 2, 0},
    [STYLE_YELLOW] = {0, 3, 0},
    [STYLE_RED] = {7, 1, LOOK_BOLD},
};

static const unsigned mono[STYLE_COUNT] = {
    [STYLE_DIM] = LOOK_DIM,
    [STYLE_STRONG] = LOOK_BOLD,
    [STYLE_TITLE] = LOOK_BOLD,
    [STYLE_KEY] = LOOK_BOLD,
    [STYLE_BAD] = LOOK_BOLD,
    [STYLE_BAR_REST] = LOOK_DIM,
    [STYLE_BANNER] = LOOK_BOLD,
    [STYLE_GREEN] = LOOK_REVERSE | LOOK_BOLD,
    [STYLE_YELLOW] = LOOK_REVERSE | LOOK_BOLD,
    [STYLE_RED] = LOOK_REVERSE | LOOK_BOLD,
};

static struct look select_look(struct theme theme, struct look look)
{
    /* Colours turned round would be patches: words and marks are enough. */
    if (theme.depth != THEME_256)
        return (struct look){
            OWN, OWN, (look.attributes ^ LOOK_REVERSE) & ~(unsigned)LOOK_DIM};
    look.background = theme.is_light ? 254 : 237;
    if (look.foreground == 240 || look.foreground == 238)
        look.foreground = 248; /* grey on grey */
    if (look.foreground == 249 || look.foreground == 252)
        look.foreground = 244;
    return look;
}

struct look theme_look(struct theme theme, enum style style, bool is_selected)
{
    struct look look = {OWN, OWN, mono[style]};

    if (theme.depth == THEME_256)
        look = theme.is_light ? light_256[style] : dark_256[style];
    if (theme.depth == THEME_16)
        look = theme.is_light ? light_16[style] : dark_16[style];
    return is_selected ? select_look(theme, look) : look;
}

/* "15;0" or "15;default;0": the last number is the ground. 7 and 9 to 15 are
 * light ones, 8 is dark grey. */
static bool is_light_ground(const char *color_fg_bg)
{
    const char *last = color_fg_bg ? strrchr(color_fg_bg, ';') : NULL;
    char *end;

    if (!last || !last[1])
        return false;
    long colour = strtol(last + 1, &end, 10);
    return !*end && (colour == 7 || (colour > 8 && colour < 16));
}

struct theme theme_choose(const char *no_color, const char *color_fg_bg,
                          int colours)
{
    struct theme theme = {.is_light = is_light_ground(color_fg_bg)};

    if (colours >= 256)
        theme.depth = THEME_256;
    else if (colours >= 8)
        theme.depth = THEME_16;
    if (no_color && *no_color)
        theme.depth = THEME_MONO;
    return theme;
}
