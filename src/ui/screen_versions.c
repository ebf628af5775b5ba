#include "ui/screen.h"

#include "core/base/quantity.h"
#include "core/names.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <inttypes.h>
#include <string.h>

static const struct table *versions_of(const struct model *model)
{
    return &model->lookup.versions;
}

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    strbuf_adds(left, "Versions");
    if (model_is_under_way(model, ROLE_RESTORE))
        strbuf_adds(right, "getting it back…");
    else
        screen_describe_table(versions_of(model), "copy", "copies", right);
}

/* --- rows ------------------------------------------------------------------
 */

#define STATE 2
#define STATE_WIDTH 14
#define TIME_WIDTH 14
#define SIZE_WIDTH 9
#define DRIVE_WIDTH 15
#define PROOF_WIDTH 22

struct columns {
    int path, drive, size, copied, until, proof;
};

/* Of a directory the rows are of many files. */
static bool has_many_files(const struct model *model)
{
    const struct table *table = versions_of(model);

    return table->count && strcmp(table->items[0].path,
                                  table->items[table->count - 1].path) != 0;
}

static struct columns columns_of(const struct model *model,
                                 const struct area *line)
{
    struct columns columns = {.drive = STATE + STATE_WIDTH};
    int room = line->width - columns.drive - DRIVE_WIDTH - SIZE_WIDTH -
               2 * TIME_WIDTH - 1;

    columns.proof = room > PROOF_WIDTH + (has_many_files(model) ? 20 : 0);
    room -= columns.proof ? PROOF_WIDTH : 0;
    columns.size = columns.drive + DRIVE_WIDTH;
    columns.copied = columns.size + SIZE_WIDTH + 2;
    columns.until = columns.copied + TIME_WIDTH;
    if (columns.proof)
        columns.proof = columns.until + TIME_WIDTH;
    if (has_many_files(model))
        columns.path = (columns.proof ? columns.proof + PROOF_WIDTH
                                      : columns.until + TIME_WIDTH) +
                       1;
    return columns;
}

static void head(const struct model *model, struct area line)
{
    struct columns columns = columns_of(model, &line);

    area_put(line, STATE, 0, STYLE_DIM, "What");
    area_put(line, columns.drive, 0, STYLE_DIM, "Drive");
    column_put_right(line, columns.size, SIZE_WIDTH, STYLE_DIM, "Size");
    area_put(line, columns.copied, 0, STYLE_DIM, "Copied");
    area_put(line, columns.until, 0, STYLE_DIM, "There until");
    if (columns.proof)
        area_put(line, columns.proof, 0, STYLE_DIM, "Read back");
    if (columns.path)
        area_put(line, columns.path, 0, STYLE_DIM, "File");
}

static const char *state_words(const struct version_info *info,
                               enum style *style)
{
    *style = STYLE_BAD;
    if (info->is_missing)
        return "✗ gone";
    *style = STYLE_GOOD;
    if (info->is_present)
        return "● on it now";
    switch (info->reason) {
    case VERSION_REPLACED:
        *style = STYLE_CHANGED;
        return "~ replaced";
    case VERSION_DELETED:
        *style = STYLE_DELETED;
        return "- deleted";
    case VERSION_FOREIGN:
        break;
    }
    *style = STYLE_BAD;
    return "! not berth's";
}

static void row(const struct model *model, const struct table_row *row,
                bool is_same, struct area line)
{
    const struct version_info *info = &row->version;
    struct columns columns = columns_of(model, &line);
    char when[WORDS_SIZE], bytes[QUANTITY_SIZE];
    enum style style;
    const char *words = state_words(info, &style);

    if (row->volume == model->lookup.marked)
        area_put(line, STATE - 1, 0, STYLE_KEY, "*");
    area_put(line, STATE, 0, style, words);
    column_put(line, columns.drive, DRIVE_WIDTH - 1, STYLE_STRONG, row->volume);
    column_put_right(
        line, columns.size, SIZE_WIDTH, STYLE_NORMAL,
        info->size_bytes >= 0 ? format_bytes(info->size_bytes, bytes) : "?");
    area_put(line, columns.copied, 0, STYLE_NORMAL,
             info->committed_ns
                 ? words_time(model->now_ns, info->committed_ns, when)
                 : "?");
    if (!info->is_present)
        area_put(line, columns.until, 0, STYLE_NORMAL,
                 words_time(model->now_ns, info->created_ns, when));
    if (columns.proof)
        area_put(area_columns(line, columns.proof, PROOF_WIDTH), 0, 0,
                 info->verified_ns ? STYLE_NORMAL : STYLE_DIM,
                 info->verified_ns
                     ? words_ago(model->now_ns, info->verified_ns, when)
                     : "never");
    if (columns.path)
        column_put(line, columns.path, line.width - columns.path, STYLE_NORMAL,
                   row->path);
}

static void about(const struct model *model, const struct table_row *row,
                  struct strbuf *out)
{
    const struct version_info *info = &row->version;

    if (!info->is_present)
        strbuf_addf(out, "put away by run %" PRId64 " · ", info->run);
    strbuf_addf(out, "%s: %s", row->job, row->path);
}

void screen_put_version(const struct model *model, struct area line)
{
    const struct table_row *row = table_cursor(versions_of(model));
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    char bytes[QUANTITY_SIZE];

    if (!row)
        return;
    strbuf_adds(&words, row->path);
    if (row->version.size_bytes >= 0)
        strbuf_addf(&words, " · %s",
                    format_bytes(row->version.size_bytes, bytes));
    strbuf_addf(&words, " · from %s", row->volume);
    area_put_name(line, 0, 0, STYLE_STRONG, words.text);
}

static void open_row(struct model *model, const struct table_row *row)
{
    model_ask_to_restore(model);
}

static const struct table_look look = {
    "Copies that are kept",
    "Nothing is kept of it: no drive has it, and no version is left. Versions "
    "stay as long as the job's `versions` says.",
    head,
    row,
    about,
    open_row};

static void draw(const struct model *model, struct area area)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;

    name_display(model->lookup.subject, &words);
    screen_draw_words(model, area, words.text);
    screen_draw_table(model, area, &look);
}

/* --- keys ------------------------------------------------------------------
 */

static bool can_restore(const struct model *model)
{
    return table_cursor(versions_of(model)) && !model_at_work(model);
}

static bool has_row(const struct model *model)
{
    return table_cursor(versions_of(model)) != NULL;
}

static bool is_restoring(const struct model *model)
{
    return model_is_under_way(model, ROLE_RESTORE);
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, 'r', '\n'},
     INTENT_RESTORE,
     "get it back",
     "to where it came from, or to another folder; asks, and overwrites "
     "nothing",
     can_restore},
    {{'d'},
     INTENT_LINES,
     "lines",
     "the lines of a text that differ from what is there now, or from the "
     "marked copy",
     has_row},
    {{' '},
     INTENT_MARK,
     "mark",
     "mark a copy for d to compare others with; again: no more",
     has_row},
    {{'c'}, INTENT_STOP, "stop", "stop getting it back", is_restoring},
    BINDING_FILTER,
    BINDING_BACK,
};

static void handle(struct model *model, enum intent intent, int argument)
{
    if (screen_handle_table(model, &look, intent, argument))
        return;
    if (intent == INTENT_RESTORE)
        model_ask_to_restore(model);
    else if (intent == INTENT_LINES)
        model_open_lines(model);
    else if (intent == INTENT_MARK)
        model_mark_version(model);
    else if (intent == INTENT_STOP)
        model_request(model, REQUEST_STOP, ROLE_RESTORE);
}

const struct screen screen_versions = {
    .bindings = {"Versions", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
