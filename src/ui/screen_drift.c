#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <string.h>

static const struct drive *drive_of(const struct model *model)
{
    return model_find_drive(model, model->lookup.drift_drive);
}

static bool is_reading(const struct model *model)
{
    return model_is_under_way(model, ROLE_VERIFY);
}

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    const struct drive *drive = drive_of(model);
    const struct progress *progress = &model->mend.progress;

    strbuf_addf(left, "Drift · %s",
                drive ? drive->title : model->lookup.drift_drive);
    if (is_reading(model))
        strbuf_addf(right, "reading back · %d %%",
                    words_percent(progress->bytes_done, progress->bytes_total));
    else
        screen_describe_table(&model->lookup.drift, "finding", "findings",
                              right);
}

/* --- rows ------------------------------------------------------------------
 */

#define MARK 2
#define JOB 4
#define JOB_WIDTH 13

static int what_column(const struct area *line)
{
    return line->width - (line->width >= 110 ? 48 : 34);
}

static void head(const struct model *model, struct area line)
{
    area_put(line, JOB, 0, STYLE_DIM, "Job");
    area_put(line, JOB + JOB_WIDTH, 0, STYLE_DIM, "File");
    area_put(line, what_column(&line), 0, STYLE_DIM, "What is wrong");
}

static const char *mark_of(const struct table_row *row, enum style *style)
{
    bool is_foreign = row->finding.kind == ACTION_FOREIGN;

    *style = STYLE_BAD;
    if (row->finding.is_of_verify)
        return "✗";
    if (is_foreign)
        *style = STYLE_DIM;
    return is_foreign ? "." : "!";
}

/* Of verify_finding_text: what it begins with. */
static const char *finding_words(const char *text)
{
    static const struct {
        const char *begin, *words;
    } findings[] = {
        {"rot", "rotten: other content"},
        {"drift", "changed on the drive"},
        {"missing", "gone from the drive"},
        {"cannot", "cannot be read"},
    };

    for (size_t i = 0; i < COUNT_OF(findings); i++)
        if (!strncmp(text, findings[i].begin, strlen(findings[i].begin)))
            return findings[i].words;
    return text;
}

/* Short enough for a column. */
static const char *short_words(const struct table_row *row)
{
    if (row->finding.is_of_verify)
        return finding_words(row->text);
    if (row->finding.kind == ACTION_FOREIGN)
        return "not berth's, beside its files";
    switch ((enum action_reason)row->finding.reason) {
    case REASON_MISSING_ON_DRIVE:
        return "gone from the drive";
    case REASON_DRIFT:
        return "changed on the drive";
    case REASON_DRIFT_KEPT:
        return "changed on the drive, kept";
    case REASON_GONE_BUT_CHANGED:
        return "changed there, gone here";
    case REASON_FOREIGN_DIRECTORY:
        return "a directory of somebody else's";
    case REASON_TREE_IN_THE_WAY:
        return "a directory is in the way";
    case REASON_ROT:
        return "rotten";
    case REASON_LOSS:
        return "lost";
    default:
        return row->text;
    }
}

static void row(const struct model *model, const struct table_row *row,
                bool is_same, struct area line)
{
    int what = what_column(&line), path = JOB + JOB_WIDTH;
    enum style style;
    const char *mark = mark_of(row, &style);

    area_put(line, MARK, 0, style, mark);
    column_put(line, JOB, JOB_WIDTH - 1, STYLE_NORMAL, row->job);
    column_put(line, path, what - path - 1, STYLE_STRONG, row->path);
    area_put(area_columns(line, what, line.width - what), 0, 0,
             style == STYLE_DIM ? STYLE_DIM : STYLE_NORMAL, short_words(row));
}

/* What happens next to the row under the cursor. */
static const char *outlook(const struct table_row *row)
{
    if (row->finding.is_of_verify)
        return "The next sync copies it anew, and keeps this one as a version.";
    switch ((enum action_kind)row->finding.kind) {
    case ACTION_FOREIGN:
        return "It stays: berth deletes only what it wrote.";
    case ACTION_CONFLICT:
        return "A conflict: it is left alone until you decide.";
    case ACTION_NEW:
    case ACTION_MKDIR:
        return "The next sync puts it back.";
    case ACTION_UPDATE:
    case ACTION_DELETE:
        return "The next sync makes it right; what is there becomes a version.";
    default:
        return "";
    }
}

static void about(const struct model *model, const struct table_row *row,
                  struct strbuf *out)
{
    const char *detail = row->finding.is_of_verify ? strchr(row->text, '(') : 0;

    strbuf_adds(out, detail ? row->text : outlook(row));
}

static void open_row(struct model *model, const struct table_row *row)
{
    CLEANUP_FREE char *subject =
        model_subject(model, row->job, row->volume, row->path);

    model_open_versions(model, subject);
}

static const struct table_look look = {
    "Not as berth left it",
    "As far as was looked, everything is as berth left it. v reads every file "
    "back and compares it with its hash.",
    head,
    row,
    about,
    open_row};

/* --- drawing ---------------------------------------------------------------
 */

static void draw_reading(const struct model *model, struct area area)
{
    const struct progress *progress = &model->mend.progress;
    char done[QUANTITY_SIZE], total[QUANTITY_SIZE], speed[QUANTITY_SIZE];
    struct area line = area_part(area, 1, 0, area.width - 2, 1);
    CLEANUP_FREE char *words = xasprintf(
        "%s of %s · %s", format_bytes(progress->bytes_done, done),
        format_bytes(progress->bytes_total, total),
        format_speed(progress->bytes_done, progress->elapsed_ns, speed));
    int width = line.width - text_width(words) - 2;

    widget_progress(line, 0, 0, width, progress->bytes_done,
                    progress->bytes_done, progress->bytes_total);
    area_put_right(line, 0, STYLE_NORMAL, words);
}

static void draw(const struct model *model, struct area area)
{
    if (is_reading(model))
        draw_reading(model, area);
    else
        screen_draw_words(model, area,
                          "What berth did not do: seen by comparing, or by "
                          "reading back (v).");
    screen_draw_table(model, area, &look);
}

/* --- keys ------------------------------------------------------------------
 */

static bool has_row(const struct model *model)
{
    return table_cursor(&model->lookup.drift) != NULL;
}

static bool can_verify(const struct model *model)
{
    const struct drive *drive = drive_of(model);

    if (!drive || model_at_work(model))
        return false;
    for (size_t i = 0; i < drive->volumes.count; i++)
        if (*drive->volumes.items[i].name && drive->volumes.items[i].is_mounted)
            return true;
    return false;
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "versions",
     "the copies that are kept of the file, to get one back",
     has_row},
    {{'v'},
     INTENT_VERIFY,
     "verify",
     "read the drive back and compare every file with its hash; asks first",
     can_verify},
    {{'c'}, INTENT_STOP, "stop", "stop reading back", is_reading},
    {{'R'},
     INTENT_RESCAN,
     "read again",
     "compare again, the drive's directories included",
     can_verify},
    BINDING_FILTER,
    BINDING_BACK,
};

static void handle(struct model *model, enum intent intent, int argument)
{
    const struct drive *drive = drive_of(model);

    if (screen_handle_table(model, &look, intent, argument))
        return;
    if (intent == INTENT_STOP)
        model_request(model, REQUEST_STOP, ROLE_VERIFY);
    else if (intent == INTENT_VERIFY && drive)
        model_ask_to_verify(model, drive);
    else if (intent == INTENT_RESCAN && drive)
        model_wish_drive(model, drive, WISH_FULL);
}

const struct screen screen_drift = {
    .bindings = {"Drift", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
