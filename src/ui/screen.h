/*
 * Screens: for each its keys, how it is drawn, and what intents do. One file
 * each; screen.c has what they share: the header line, the news, the footer,
 * questions and boxes over everything, and where a key goes.
 */
#ifndef BERTH_UI_SCREEN_H
#define BERTH_UI_SCREEN_H

#include "ui/canvas.h"
#include "ui/intent.h"
#include "ui/keys.h"
#include "ui/model.h"
#include "ui/widget.h"

struct screen {
    struct bindings bindings;
    /* Words for the header: where we are, and how it stands. */
    void (*describe)(const struct model *model, struct strbuf *left,
                     struct strbuf *right);
    void (*draw)(const struct model *model, struct area area);
    /* `argument` is a row where something was clicked. */
    void (*handle)(struct model *model, enum intent intent, int argument);
    /* Letters that are typed into the screen, while they are; NULL: none. */
    bool (*is_typed)(const struct model *model, uint32_t key);
    void (*type)(struct model *model, uint32_t key);
};

extern const struct screen screen_drives, screen_diff, screen_sync,
    screen_eject, screen_history, screen_versions, screen_lines, screen_find,
    screen_copies, screen_drift, screen_setup, screen_health, screen_settings;

void screen_draw(const struct model *model, struct canvas *canvas);
/* The canvas knows what is where: for clicks. */
void screen_input(struct model *model, const struct canvas *canvas,
                  const struct input *input);

/* --- between the screens ---------------------------------------------------
 */

/* Lines that are not the screen's: header, news, footer. */
#define SCREEN_CHROME 3
int screen_height(const struct model *model);

void screen_draw_help(const struct model *model, const struct screen *screen,
                      struct area area);
/* So far it can be scrolled. */
int screen_help_rows_below(const struct model *model,
                           const struct screen *screen);
/* The list of drives (screen_drives_list.c). */
void screen_draw_drives(const struct model *model, struct area area);
/* What is beside the list, or instead of it (screen_drives_detail.c). */
void screen_draw_drive(const struct model *model, const struct drive *drive,
                       struct area area);
/* The tree of the diff (screen_diff_rows.c), and why a row is in it. */
void screen_draw_rows(const struct model *model, struct area area);
void screen_describe_row(const struct model *model, const struct diff_row *row,
                         struct strbuf *out);
/* A run, ours or another's (screen_sync_run.c). */
void screen_draw_run(const struct model *model, struct area area);
/* A held delete that somebody released. */
bool screen_diff_is_approved(const struct model *model,
                             const struct diff_row *row);
/* Both sides of the row under the cursor (screen_diff_entry.c). */
void screen_draw_entry(const struct model *model, struct area area);

/*
 * A list in a frame under a line of words, for the screens that look things up
 * (screen_table.c).
 */
struct table_look {
    const char *title;
    const char *empty; /* when there is nothing, and all was told */
    void (*head)(const struct model *model, struct area line);
    /* `is_same`: the row above it is of the same file. */
    void (*row)(const struct model *model, const struct table_row *row,
                bool is_same, struct area line);
    /* The line below the list: the whole story of the row under the cursor. */
    void (*about)(const struct model *model, const struct table_row *row,
                  struct strbuf *out);
    /* Enter, → or a second click on the row under the cursor; NULL: nothing. */
    void (*open)(struct model *model, const struct table_row *row);
};
/* Keys that every list has. */
#define BINDING_FILTER                                                         \
    {                                                                          \
        {'/'}, INTENT_FILTER, "filter", "only what contains what you type",    \
            NULL                                                               \
    }
#define BINDING_BACK                                                           \
    {                                                                          \
        {'q'}, INTENT_BACK, "back", NULL, NULL                                 \
    }
/* The line above the list, unless how something went stands there. */
void screen_draw_words(const struct model *model, struct area area,
                       const char *words);
/* The table of the screen that is shown. */
void screen_draw_table(const struct model *model, struct area area,
                       const struct table_look *look);
/* "3 of 1,204 shown"; nothing when all are. */
void screen_describe_table(const struct table *table, const char *one,
                           const char *many, struct strbuf *out);
/* Moving, opening, filtering, leaving; false when the intent is another. */
bool screen_handle_table(struct model *model, const struct table_look *look,
                         enum intent intent, int argument);
/* Text in a column: cut in the middle, or at the right edge of it. */
void column_put(struct area line, int x, int width, enum style style,
                const char *text);
void column_put_right(struct area line, int x, int width, enum style style,
                      const char *text);
/* The version under the cursor, in a line (screen_versions.c). */
void screen_put_version(const struct model *model, struct area line);
/* How it is connected, and how its filesystem is: for the detail and for the
 * health of a drive. */
void screen_put_health(struct flow *flow, const struct drive *drive);
void screen_put_link(struct flow *flow, const struct drive *drive);
void screen_put_state(struct flow *flow, const struct drive_volume *volume);

/* "exFAT" for "exfat" */
const char *family_words(const char *family);
/* "▲ 1,204 pending · 38.2 GB", "✓ in sync", "scanning 40 %" … */
enum style describe_count(const struct model *model,
                          const struct drive_count *count, struct strbuf *out);

#endif
