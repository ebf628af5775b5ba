#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <string.h>

static const struct table *found_of(const struct model *model)
{
    return &model->lookup.found;
}

static bool has_pattern(const struct model *model)
{
    return model->lookup.pattern && *model->lookup.pattern;
}

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    strbuf_adds(left, "Find");
    if (has_pattern(model))
        strbuf_addf(left, " · %s", model->lookup.pattern);
    if (model_is_under_way(model, ROLE_FIND))
        strbuf_adds(right, "looking");
    else if (found_of(model)->is_whole)
        screen_describe_table(found_of(model), "place", "places", right);
}

/* --- rows ------------------------------------------------------------------
 */

#define PATH 2
#define DRIVE_WIDTH 15
#define STATE_WIDTH 15
#define SIZE_WIDTH 9
#define TIME_WIDTH 13

struct columns {
    int size, drive, state, time;
};

static struct columns columns_of(const struct area *line)
{
    struct columns columns;
    bool has_time = line->width >= 96;

    columns.time = has_time ? line->width - TIME_WIDTH : 0;
    columns.size = (has_time ? columns.time - 2 : line->width) - SIZE_WIDTH;
    columns.state = columns.size - STATE_WIDTH;
    columns.drive = columns.state - DRIVE_WIDTH;
    return columns;
}

static void head(const struct model *model, struct area line)
{
    struct columns columns = columns_of(&line);

    area_put(line, PATH, 0, STYLE_DIM, "File");
    area_put(line, columns.drive, 0, STYLE_DIM, "Drive");
    column_put_right(line, columns.size, SIZE_WIDTH, STYLE_DIM, "Size");
    if (columns.time)
        area_put(line, columns.time, 0, STYLE_DIM, "Changed");
}

static const char *state_words(const struct found_info *found,
                               enum style *style)
{
    switch (found->state) {
    case FOUND_PRESENT:
        *style = STYLE_GOOD;
        return "● on it";
    case FOUND_OFFLOADED:
        *style = STYLE_WATCH;
        return "● only there";
    case FOUND_VERSION:
        break;
    }
    *style = STYLE_DIM;
    return "~ version";
}

static void row(const struct model *model, const struct table_row *row,
                bool is_same, struct area line)
{
    const struct found_info *found = &row->found;
    struct columns columns = columns_of(&line);
    char bytes[QUANTITY_SIZE], when[WORDS_SIZE];
    enum style style;
    const char *words = state_words(found, &style);

    if (!is_same)
        column_put(line, PATH, columns.drive - PATH - 1, STYLE_NORMAL,
                   row->path);
    column_put(line, columns.drive, DRIVE_WIDTH - 1, STYLE_STRONG, row->volume);
    area_put(line, columns.state, 0, style, words);
    column_put_right(
        line, columns.size, SIZE_WIDTH, STYLE_NORMAL,
        found->size_bytes >= 0 ? format_bytes(found->size_bytes, bytes) : "?");
    if (columns.time && found->mtime_ns)
        area_put(line, columns.time, 0, STYLE_NORMAL,
                 words_time(model->now_ns, found->mtime_ns, when));
}

static void about(const struct model *model, const struct table_row *row,
                  struct strbuf *out)
{
    char when[WORDS_SIZE];

    strbuf_addf(out, "%s:/%s", row->volume, row->path);
    if (row->found.state == FOUND_VERSION && row->found.replaced_ns)
        strbuf_addf(out, " · a version: it was there until %s",
                    words_time(model->now_ns, row->found.replaced_ns, when));
    if (row->found.state == FOUND_OFFLOADED)
        strbuf_adds(out, " · moved there: not on this computer any more");
    if (!row->found.is_ours)
        strbuf_adds(out, " · from another computer");
}

/* The path is the volume's: with the job's directory before it. */
static void open_row(struct model *model, const struct table_row *row)
{
    const struct target *target =
        model_find_target(model, row->job, row->volume);
    size_t length = target ? strlen(target->directory) : 0;
    /* "/notes" on the volume, "notes/a.md" in the row */
    bool is_below = length > 1 && row->found.is_ours && *target->source &&
                    !strncmp(row->path, target->directory + 1, length - 1) &&
                    row->path[length - 1] == '/';
    CLEANUP_FREE char *subject =
        is_below
            ? model_subject(model, row->job, row->volume, row->path + length)
            : xasprintf("%s:/%s", row->volume, row->path);
    model_open_versions(model, subject);
}

static const struct table_look look = {
    "On all drives, attached or not",
    "No drive has a file of that name, and no version is kept of one.",
    head,
    row,
    about,
    open_row};

static void draw(const struct model *model, struct area area)
{
    struct area framed = area_rows(area, 1, area.height - 2);

    screen_draw_words(model, area,
                      "Part of a name, or a pattern: *.pdf, /2024/**");
    if (has_pattern(model) &&
        (table_count(found_of(model)) || found_of(model)->is_whole ||
         model_is_under_way(model, ROLE_FIND))) {
        screen_draw_table(model, area, &look);
        return;
    }
    area_frame(framed, look.title);
    struct flow flow = {
        .area = area_part(framed, 2, 2, framed.width - 4, framed.height - 3)};
    flow_text(&flow, STYLE_DIM,
              "Type two letters or more. It looks in what berth knows of every "
              "drive: what is on it, what was moved there, and versions.");
}

/* --- keys ------------------------------------------------------------------
 */

static bool has_row(const struct model *model)
{
    return table_cursor(found_of(model)) != NULL;
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "versions",
     "all copies that are kept of it, to get one back",
     has_row},
    {{'/'}, INTENT_FILTER, "find", "type something else", NULL},
    BINDING_BACK,
};

static void handle(struct model *model, enum intent intent, int argument)
{
    screen_handle_table(model, &look, intent, argument);
}

const struct screen screen_find = {
    .bindings = {"Find", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
