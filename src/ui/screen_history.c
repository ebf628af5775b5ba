#include "ui/screen.h"

#include "core/base/quantity.h"
#include "core/names.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct lookup *lookup_of(const struct model *model)
{
    return &model->lookup;
}

/* --- header ----------------------------------------------------------------
 */

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    const struct lookup *lookup = lookup_of(model);

    strbuf_adds(left, "History");
    if (model_is_under_way(model, ROLE_UNDO)) {
        strbuf_adds(right, "taking it back…");
        return;
    }
    if (lookup->shows_items) {
        strbuf_addf(left, " · run %" PRId64 " on %s", lookup->run.id,
                    lookup->run_volume);
        screen_describe_table(&lookup->items, "change", "changes", right);
    } else {
        screen_describe_table(&lookup->runs, "run", "runs", right);
    }
}

/* --- runs ------------------------------------------------------------------
 */

/* Columns of a run, from the left. */
#define WHEN 2
#define DRIVE 16
#define JOBS 31
#define CHANGES_WIDTH 23
#define COPIED_WIDTH 9
#define ENDED_WIDTH 20

struct run_columns {
    int jobs, changes, copied, took, ended;
};

/* What there is room for beyond 80 columns: jobs, then how long it took. */
static struct run_columns run_columns(const struct area *line)
{
    int least = JOBS + CHANGES_WIDTH + COPIED_WIDTH + 2 + 14;
    int room = line->width - least - (ENDED_WIDTH - 14);
    struct run_columns columns = {.jobs = 0};

    columns.took = room >= 10 ? 10 : 0;
    room -= columns.took;
    columns.jobs = room < 20 ? 0 : room > 60 ? 60 : room;
    columns.changes = JOBS + columns.jobs + (columns.jobs > 0);
    columns.copied = columns.changes + CHANGES_WIDTH;
    columns.ended = columns.copied + COPIED_WIDTH + 2 + columns.took;
    return columns;
}

static void run_head(const struct model *model, struct area line)
{
    struct run_columns columns = run_columns(&line);

    area_put(line, WHEN, 0, STYLE_DIM, "When");
    area_put(line, DRIVE, 0, STYLE_DIM, "Drive");
    if (columns.jobs)
        area_put(line, JOBS, 0, STYLE_DIM, "Jobs");
    area_put(line, columns.changes, 0, STYLE_DIM, "What it did");
    column_put_right(line, columns.copied, COPIED_WIDTH, STYLE_DIM, "Copied");
    if (columns.took)
        column_put_right(line, columns.copied + COPIED_WIDTH, columns.took,
                         STYLE_DIM, "Took");
    area_put(line, columns.ended, 0, STYLE_DIM, "Ended");
}

static int put_change(struct area area, int x, enum style style,
                      const char *mark, int64_t count)
{
    char number[QUANTITY_SIZE];

    if (!count)
        return x;
    return area_putf(area, x, 0, style, "%s%s", mark,
                     format_count(count, number)) +
           1;
}

static void put_changes(const struct run_counts *counts, struct area area)
{
    int x = put_change(area, 0, STYLE_NEW, "+", counts->files_new);

    x = put_change(area, x, STYLE_CHANGED, "~", counts->files_updated);
    x = put_change(area, x, STYLE_RENAMED, "»", counts->files_renamed);
    x = put_change(area, x, STYLE_DELETED, "-", counts->files_deleted);
    x = put_change(area, x, STYLE_BAD, "✗", counts->failed);
    if (!x)
        area_put(area, 0, 0, STYLE_DIM, "nothing changed");
}

static enum style ended_style(const struct run *run)
{
    if (!run->ended_ns)
        return STYLE_BAD;
    if (run->exit_code <= OUTCOME_DIFFERENCES)
        return run->exit_code ? STYLE_WATCH : STYLE_GOOD;
    return run->exit_code == OUTCOME_INTERRUPTED ? STYLE_WATCH : STYLE_BAD;
}

static void run_row(const struct model *model, const struct table_row *row,
                    bool is_same, struct area line)
{
    const struct run *run = &row->run;
    struct run_columns columns = run_columns(&line);
    char when[WORDS_SIZE], bytes[QUANTITY_SIZE], duration[QUANTITY_SIZE];

    area_put(line, WHEN, 0, STYLE_NORMAL,
             words_time(model->now_ns, run->started_ns, when));
    column_put(line, DRIVE, JOBS - DRIVE - 1, STYLE_STRONG, row->volume);
    if (columns.jobs)
        area_put(area_columns(line, JOBS, columns.jobs - 1), 0, 0, STYLE_NORMAL,
                 row->text);
    put_changes(&run->counts,
                area_columns(line, columns.changes, CHANGES_WIDTH));
    if (run->counts.bytes_copied)
        column_put_right(line, columns.copied, COPIED_WIDTH, STYLE_NORMAL,
                         format_bytes(run->counts.bytes_copied, bytes));
    if (columns.took && run->ended_ns)
        column_put_right(
            line, columns.copied + COPIED_WIDTH, columns.took, STYLE_NORMAL,
            format_duration(run->ended_ns - run->started_ns, duration));
    area_put(line, columns.ended, 0, ended_style(run),
             run->ended_ns ? words_ended(run->exit_code) : "did not end");
}

static void about_run(const struct model *model, const struct table_row *row,
                      struct strbuf *out)
{
    const struct run_counts *counts = &row->run.counts;
    char number[QUANTITY_SIZE];

    strbuf_addf(out, "run %" PRId64 ": %s", row->run.id,
                *row->text ? row->text : "no job");
    if (counts->held)
        strbuf_addf(out, " · %s held", format_count(counts->held, number));
    if (counts->skipped)
        strbuf_addf(out, " · %s left alone",
                    format_count(counts->skipped, number));
    if (!row->run.ended_ns)
        strbuf_adds(out, " · it was killed, cut or pulled, or is still at "
                         "work; the next sync repairs");
}

/* --- what one did ----------------------------------------------------------
 */

#define SIZE_COLUMN 4
#define SIZE_WIDTH 9
#define PATH_COLUMN 15

static const struct {
    const char *mark;
    enum style style;
} deeds[] = {
    [DEED_NEW] = {"+", STYLE_NEW},
    [DEED_UPDATED] = {"~", STYLE_CHANGED},
    [DEED_RENAMED] = {"»", STYLE_RENAMED},
    [DEED_DELETED] = {"-", STYLE_DELETED},
    [DEED_MADE_DIRECTORY] = {"+", STYLE_DIM},
    [DEED_REMOVED_DIRECTORY] = {"-", STYLE_DIM},
    [DEED_FAILED] = {"✗", STYLE_BAD},
    [DEED_PRUNED] = {".", STYLE_DIM},
};

static void item_head(const struct model *model, struct area line)
{
    column_put_right(line, SIZE_COLUMN, SIZE_WIDTH, STYLE_DIM, "Size");
    area_put(line, PATH_COLUMN, 0, STYLE_DIM, "Job and path");
}

static char *describe_item(const struct table_row *row)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf detail = STRBUF_INIT;
    bool is_directory = row->item.deed == DEED_MADE_DIRECTORY ||
                        row->item.deed == DEED_REMOVED_DIRECTORY;

    name_display(row->path, &path);
    name_display(row->text, &detail);
    return xasprintf("%s: %s%s%s%s", row->job, path.text,
                     is_directory ? "/" : "",
                     !detail.length                   ? ""
                     : row->item.deed == DEED_RENAMED ? "  was "
                                                      : "  ",
                     detail.length ? detail.text : "");
}

static void item_row(const struct model *model, const struct table_row *row,
                     bool is_same, struct area line)
{
    CLEANUP_FREE char *words = describe_item(row);
    char bytes[QUANTITY_SIZE];
    enum style style = deeds[row->item.deed].style;

    area_put(line, 2, 0, style, deeds[row->item.deed].mark);
    if (row->item.deed != DEED_MADE_DIRECTORY &&
        row->item.deed != DEED_REMOVED_DIRECTORY &&
        row->item.deed != DEED_FAILED && row->item.size_bytes >= 0)
        column_put_right(line, SIZE_COLUMN, SIZE_WIDTH, STYLE_NORMAL,
                         format_bytes(row->item.size_bytes, bytes));
    column_put(line, PATH_COLUMN, line.width - PATH_COLUMN,
               style == STYLE_DIM || style == STYLE_BAD ? style : STYLE_NORMAL,
               words);
}

static void about_item(const struct model *model, const struct table_row *row,
                       struct strbuf *out)
{
    CLEANUP_FREE char *words = describe_item(row);

    strbuf_addf(out, "%s · %s", history_deed_name(row->item.deed), words);
}

/* --- drawing ---------------------------------------------------------------
 */

static void open_file(struct model *model, const struct table_row *row)
{
    CLEANUP_FREE char *subject =
        model_subject(model, row->job, model->lookup.run_volume, row->path);

    model_open_versions(model, subject);
}

static const struct table_look runs_look = {
    "Runs",    "No run yet: what a sync does is listed here.",
    run_head,  run_row,
    about_run, model_open_run};
static const struct table_look items_look = {
    "What it did", "It changed nothing on the drive.",
    item_head,     item_row,
    about_item,    open_file};

static void draw_items(const struct model *model, struct area area)
{
    const struct lookup *lookup = lookup_of(model);
    const struct run *run = &lookup->run;
    char when[WORDS_SIZE], duration[QUANTITY_SIZE], bytes[QUANTITY_SIZE];
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;

    strbuf_addf(&words, "%s · %s",
                words_time(model->now_ns, run->started_ns, when),
                *lookup->run_jobs ? lookup->run_jobs : "no job");
    if (run->ended_ns)
        strbuf_addf(&words, " · %s in %s · %s",
                    format_bytes(run->counts.bytes_copied, bytes),
                    format_duration(run->ended_ns - run->started_ns, duration),
                    words_ended(run->exit_code));
    else
        strbuf_adds(&words, " · did not end: interrupted, or still at work");
    screen_draw_words(model, area, words.text);
    screen_draw_table(model, area, &items_look);
}

static void draw(const struct model *model, struct area area)
{
    const struct lookup *lookup = lookup_of(model);

    if (lookup->shows_items) {
        draw_items(model, area);
        return;
    }
    screen_draw_words(model, area, "What ran, on every drive, newest first.");
    screen_draw_table(model, area, &runs_look);
}

/* --- keys ------------------------------------------------------------------
 */

static bool has_run(const struct model *model)
{
    const struct lookup *lookup = lookup_of(model);

    return !lookup->shows_items && table_cursor(&lookup->runs);
}

static bool can_undo(const struct model *model)
{
    const struct lookup *lookup = lookup_of(model);

    return (lookup->shows_items || table_cursor(&lookup->runs)) &&
           !model_at_work(model);
}

static bool is_undoing(const struct model *model)
{
    return model_is_under_way(model, ROLE_UNDO);
}

static bool has_file(const struct model *model)
{
    const struct lookup *lookup = lookup_of(model);

    return lookup->shows_items && table_cursor(&lookup->items);
}

static const struct binding bindings[] = {
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "what it did",
     "which file the run did what to",
     has_run},
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "versions",
     "the copies that are kept of the file, to get one back",
     has_file},
    {{'u'},
     INTENT_UNDO,
     "undo",
     "take back on the drive what the run did there; asks first",
     can_undo},
    {{'c'}, INTENT_STOP, "stop", "stop taking it back", is_undoing},
    BINDING_FILTER,
    BINDING_BACK,
};

static void handle(struct model *model, enum intent intent, int argument)
{
    const struct table_look *look =
        model->lookup.shows_items ? &items_look : &runs_look;

    if (screen_handle_table(model, look, intent, argument))
        return;
    if (intent == INTENT_UNDO)
        model_ask_to_undo(model);
    else if (intent == INTENT_STOP)
        model_request(model, REQUEST_STOP, ROLE_UNDO);
}

const struct screen screen_history = {
    .bindings = {"History", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
