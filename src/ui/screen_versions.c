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
#define TIME_WIDTH 13
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
               2 * (TIME_WIDTH + 1) - 1;

    columns.proof = room > PROOF_WIDTH + (has_many_files(model) ? 20 : 0);
    room -= columns.proof ? PROOF_WIDTH : 0;
    columns.size = columns.drive + DRIVE_WIDTH;
    columns.copied = columns.size + SIZE_WIDTH + 2;
    columns.until = columns.copied + TIME_WIDTH;
    if (columns.proof)
        columns.proof = columns.until + TIME_WIDTH + 1;
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
    column_put_right(line, columns.size, SIZE_WIDTH, STYLE_DIM, "size");
    area_put(line, columns.copied, 0, STYLE_DIM, "copied");
    area_put(line, columns.until, 0, STYLE_DIM, "there until");
    if (columns.proof)
        area_put(line, columns.proof, 0, STYLE_DIM, "read back");
    if (columns.path)
        area_put(line, columns.path, 0, STYLE_DIM, "file");
}

static const char *state_words(const struct version_info *info,
                               enum style *style)
{
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

static const struct table_look look = {
    "Copies that are kept",
    "Nothing is kept of it: no drive has it, and no version is left. Versions "
    "stay as long as the job's `versions` says.",
    head, row, about};

static void draw(const struct model *model, struct area area)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;

    name_display(model->lookup.subject, &words);
    screen_draw_words(model, area, words.text);
    screen_draw_table(model, area, versions_of(model), &look);
}

/* --- keys ------------------------------------------------------------------
 */

static bool can_restore(const struct model *model)
{
    return table_cursor(versions_of(model)) && !model_at_work(model);
}

static bool is_restoring(const struct model *model)
{
    return model_is_under_way(model, ROLE_RESTORE);
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, 'r', '\n'},
     INTENT_RESTORE,
     "get it back",
     "to where it came from; asks, and overwrites nothing",
     can_restore},
    {{'c'}, INTENT_STOP, "stop", "stop getting it back", is_restoring},
    {{'/'}, INTENT_FILTER, "filter", "only what contains what you type", NULL},
    {{'q'}, INTENT_BACK, "back", NULL, NULL},
};

static void handle(struct model *model, enum intent intent, int argument)
{
    if (screen_move_in_table(model, &intent, argument))
        return;
    switch (intent) {
    case INTENT_ENTER:
    case INTENT_RESTORE:
        model_ask_to_restore(model);
        break;
    case INTENT_STOP:
        model_request(model, REQUEST_STOP, ROLE_RESTORE);
        break;
    case INTENT_FILTER:
        model->types_filter = true;
        break;
    case INTENT_CANCEL:
    case INTENT_BACK:
        if (versions_of(model)->filter)
            table_set_filter(&model->lookup.versions, NULL);
        else
            model_back(model);
        break;
    default:
        break;
    }
}

const struct screen screen_versions = {
    .bindings = {"Versions", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
