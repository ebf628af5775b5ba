#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <inttypes.h>
#include <string.h>

#define PART_ROWS 6
#define GRAPH_ROWS_MOST 10

/* --- header ----------------------------------------------------------------
 */

static const char *state_words(const struct sync_run *run)
{
    if (!run->is_active)
        return "over";
    if (run->is_stopping)
        return "stopping at the next clean boundary";
    if (run->is_paused)
        return "PAUSED";
    switch (run->progress.phase) {
    case PHASE_SCANNING:
        return "comparing";
    case PHASE_COPYING:
        return "copying";
    case PHASE_VERIFYING:
        return "reading back";
    }
    return "";
}

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    const struct sync_run *run = &model->run;

    strbuf_addf(left, "Sync · %s", run->title ? run->title : "");
    strbuf_adds(right, state_words(run));
    if (run->is_active && run->progress.bytes_total > 0)
        strbuf_addf(
            right, " · %d %%",
            words_percent(run->progress.bytes_done, run->progress.bytes_total));
}

/* --- before the first byte -------------------------------------------------
 */

static int put_check(struct area area, int x, int y, const char *words,
                     enum preflight_state state)
{
    static const struct {
        const char *mark;
        enum style style;
    } marks[] = {{"✗", STYLE_BAD}, {"✓", STYLE_GOOD}, {"?", STYLE_DIM}};

    x = area_put(area, x, y, STYLE_NORMAL, words);
    return area_put(area, x + 1, y, marks[state].style, marks[state].mark) + 2;
}

static void draw_preflight(const struct sync_run *run, struct area area)
{
    const struct preflight *preflight = &run->preflight;
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    char bytes[QUANTITY_SIZE], files[WORDS_SIZE], about[WORDS_SIZE];

    strbuf_addf(&words, "%s in %s", format_bytes(run->bytes_total, bytes),
                words_count(run->files_total, "file", files));
    if (preflight->usual_ns > 0)
        strbuf_addf(&words, " · %s at this drive's usual speed",
                    words_about(preflight->usual_ns, about));
    area_put(area, 0, 0, STYLE_NORMAL, words.text);
    int x = put_check(area, 0, 1, "identity", preflight->identity);
    x = put_check(area, x, 1, "clean", preflight->clean);
    x = put_check(area, x, 1, "space", preflight->space);
    if (preflight->space == PREFLIGHT_YES)
        x = area_putf(area, x - 1, 1, STYLE_DIM, "leaves %s",
                      format_bytes(preflight->space_left, bytes)) +
            2;
    area_putf(area, x, 1, run->held ? STYLE_WATCH : STYLE_NORMAL,
              "· %s over the cap", words_count(run->held, "delete", files));
}

static void draw_foreign(const struct model *model, struct area area)
{
    const struct drive *drive = model_find_drive(model, model->run.drive);
    const struct drive_volume *volume = drive ? drive_foreign_run(drive) : NULL;

    if (!volume) {
        area_put(area, 0, 0, STYLE_NORMAL, "the other process has ended");
        return;
    }
    area_putf(area, 0, 0, STYLE_NORMAL,
              "%s, pid %" PRId64 " of %s, is writing to %s",
              volume->run.command, volume->run.pid, volume->run.user,
              volume_title(volume));
    if (model->waiting_for_other)
        area_put(area, 0, 1, STYLE_STRONG,
                 "when it is over: compare, sync what is left, eject");
}

/* --- total -----------------------------------------------------------------
 */

static void draw_amounts(const struct sync_run *run, struct area area, int y)
{
    const struct progress *progress = &run->progress;
    char durable[QUANTITY_SIZE], total[QUANTITY_SIZE], ahead[QUANTITY_SIZE];
    char done[QUANTITY_SIZE], files[QUANTITY_SIZE];
    int64_t ahead_bytes = progress->bytes_written - progress->bytes_done;

    int x = area_putf(area, 0, y, STYLE_STRONG, "%s of %s on the drive",
                      format_bytes(progress->bytes_done, durable),
                      format_bytes(progress->bytes_total, total));
    if (progress->files_total > 0)
        x = area_putf(area, x + 1, y, STYLE_NORMAL, "· %s of %s files",
                      format_count(progress->files_done, done),
                      format_count(progress->files_total, files));
    if (ahead_bytes > 0 && run->is_active)
        x = area_putf(area, x + 1, y, STYLE_DIM,
                      "· %s written, not durable yet",
                      format_bytes(ahead_bytes, ahead));
    if (progress->files_failed)
        area_putf(area, x + 1, y, STYLE_BAD, "· %s failed",
                  format_count(progress->files_failed, done));
}

static void draw_speed(const struct sync_run *run, struct area area, int y)
{
    const struct pace *pace = &run->pace;
    char now[QUANTITY_SIZE], average[QUANTITY_SIZE], left[QUANTITY_SIZE];

    if (!pace->busy_ns)
        return;
    int x = area_putf(area, 0, y, STYLE_NORMAL, "%s/s now · %s/s average",
                      format_bytes((int64_t)pace->speed, now),
                      format_bytes(pace_average(pace), average));
    if (pace->left_ns >= 0 && run->is_active)
        area_putf(area, x + 1, y, STYLE_STRONG, "· %s left",
                  format_duration(pace->left_ns / 1000000000 * 1000000000 +
                                      1000000000,
                                  left));
}

static void draw_total(const struct sync_run *run, struct area area)
{
    const struct progress *progress = &run->progress;
    char files[WORDS_SIZE], bytes[QUANTITY_SIZE];

    if (progress->phase == PHASE_SCANNING && !progress->bytes_total) {
        area_putf(area, 0, 0, STYLE_DIM, "comparing: %s, %s so far",
                  words_count(progress->files_done, "file", files),
                  format_bytes(progress->bytes_done, bytes));
        return;
    }
    int64_t written = progress->phase == PHASE_COPYING ? progress->bytes_written
                                                       : progress->bytes_done;
    int percent = words_percent(progress->bytes_done, progress->bytes_total);
    widget_progress(area, 0, 0, area.width - 7, progress->bytes_done, written,
                    progress->bytes_total);
    area_putf(area_columns(area, area.width - 5, 5), 0, 0, STYLE_STRONG,
              "%3d %%", percent);
    if (progress->phase == PHASE_VERIFYING) {
        area_putf(area, 0, 1, STYLE_NORMAL, "reading back what was copied");
        return;
    }
    draw_amounts(run, area, 1);
    draw_speed(run, area, 2);
}

/* --- jobs ------------------------------------------------------------------
 */

/* Progress is of the whole run; its jobs are done one after the other. */
static int64_t done_of_part(const struct sync_run *run, size_t index,
                            int64_t done)
{
    for (size_t i = 0; i < index; i++)
        done -= run->parts.items[i].bytes_total;
    if (done < 0)
        return 0;
    int64_t total = run->parts.items[index].bytes_total;
    return done > total ? total : done;
}

static void describe_part(const struct run_part *part, struct strbuf *out,
                          enum style *style)
{
    const struct run_counts *counts = &part->info.counts;
    char number[QUANTITY_SIZE];

    *style = STYLE_GOOD;
    if (part->text) {
        strbuf_addf(out, "✗ %s", part->text);
        *style = STYLE_BAD;
    } else if (counts->failed || part->info.unreadable) {
        strbuf_addf(
            out, "✗ %s did not arrive",
            format_count(counts->failed + part->info.unreadable, number));
        *style = STYLE_BAD;
    } else if (part->info.held || part->info.conflicts) {
        strbuf_addf(
            out, "✓ %s left for you",
            format_count(part->info.held + part->info.conflicts, number));
        *style = STYLE_WATCH;
    } else {
        strbuf_adds(out, "✓ done");
    }
}

static void draw_part(const struct sync_run *run, size_t index,
                      struct area area, int y)
{
    const struct run_part *part = &run->parts.items[index];
    int64_t done = done_of_part(run, index, run->progress.bytes_done);
    int64_t written = done_of_part(run, index, run->progress.bytes_written);
    int bar = area.width > 110 ? 50 : 26;
    char bytes[QUANTITY_SIZE];

    area_put_name(area_columns(area, 0, 15), 0, y, STYLE_NORMAL, part->job);
    if (part->is_over)
        done = written = part->bytes_total;
    if (!part->bytes_total && !part->is_over)
        area_repeat(area, 16, y, bar, STYLE_BAR_REST, "░");
    else
        widget_progress(area, 16, y, bar, done, written, part->bytes_total);
    area_put_right(area_columns(area, 16 + bar + 1, 9), y, STYLE_NORMAL,
                   format_bytes(part->bytes_total, bytes));
    struct area words = area_columns(area, 16 + bar + 12, area.width);
    if (part->is_over) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        enum style style;
        describe_part(part, &text, &style);
        area_put(words, 0, y, style, text.text);
    } else if (done || written || part->bytes_total == 0) {
        area_putf(words, 0, y, STYLE_NORMAL, "%d %%",
                  words_percent(done, part->bytes_total));
    } else {
        area_put(words, 0, y, STYLE_DIM, "waiting");
    }
}

/* From the first that is not over, if not all of them fit. */
static int draw_parts(const struct sync_run *run, struct area area)
{
    size_t count = run->parts.count, first = 0;
    int y = 0;

    while (count - first > PART_ROWS && run->parts.items[first].is_over)
        first++;
    for (size_t i = first; i < count && y < PART_ROWS; i++)
        draw_part(run, i, area, y++);
    return y;
}

/* --- how it ended ----------------------------------------------------------
 */

static enum style describe_end(const struct sync_run *run, struct strbuf *out)
{
    char files[WORDS_SIZE], bytes[QUANTITY_SIZE], duration[QUANTITY_SIZE];
    struct run_counts sum = {0};

    for (size_t i = 0; i < run->parts.count; i++) {
        const struct run_counts *counts = &run->parts.items[i].info.counts;
        sum.files_new += counts->files_new + counts->files_updated;
        sum.bytes_copied += counts->bytes_copied;
        sum.failed += counts->failed + run->parts.items[i].info.unreadable;
    }
    words_count(sum.files_new, "file", files);
    format_bytes(sum.bytes_copied, bytes);
    format_duration(run->ended_ns - run->started_ns, duration);
    if (run->error)
        strbuf_addf(out, "✗ %s", run->error);
    else if (run->outcome == OUTCOME_INTERRUPTED || run->is_stopping)
        strbuf_addf(out, "Stopped at a clean boundary after %s, %s", files,
                    bytes);
    else if (sum.failed)
        strbuf_addf(out, "✗ %s did not arrive; %s copied, %s in %s",
                    words_count(sum.failed, "file", (char[WORDS_SIZE]){'\0'}),
                    files, bytes, duration);
    else if (run->outcome > OUTCOME_DIFFERENCES)
        strbuf_addf(out, "✗ Not everything was done; %s copied, %s", files,
                    bytes);
    else
        strbuf_addf(out, "✓ Done: %s, %s in %s", files, bytes, duration);
    if (run->error || run->outcome > OUTCOME_DIFFERENCES)
        return STYLE_BAD;
    return STYLE_GOOD;
}

static void draw_failures(const struct sync_run *run, struct area area)
{
    size_t count = run->failures.count, height = (size_t)area.height;
    size_t most = count > height ? count - height : 0;
    size_t top = run->scroll < most ? run->scroll : most;

    for (int y = 0; y < area.height && top + (size_t)y < count; y++) {
        const struct run_failure *failure =
            &run->failures.items[top + (size_t)y];
        CLEANUP_FREE char *where =
            xasprintf("%s: %s", failure->job, failure->path);
        int half = area.width / 2;
        area_put(area, 0, y, STYLE_BAD, "✗");
        area_put_name(area_columns(area, 2, half), 0, y, STYLE_NORMAL, where);
        area_put_name(area_columns(area, half + 4, area.width - half - 5), 0, y,
                      STYLE_DIM, failure->text);
    }
    widget_list_marks(area, top, height, count);
}

static void draw_notes(const struct sync_run *run, struct area area)
{
    struct flow flow = {.area = area};

    for (size_t i = 0; i < run->notes.count; i++)
        flow_text(&flow, STYLE_WATCH, run->notes.items[i]);
}

/* --- the whole -------------------------------------------------------------
 */

static void draw_graph(const struct sync_run *run, struct area area)
{
    char most[QUANTITY_SIZE];
    int64_t highest = 0;

    if (area.height < 3 || pace_sample(&run->pace, 0) < 0)
        return;
    if (area.height > GRAPH_ROWS_MOST + 1)
        area = area_rows(area, 0, GRAPH_ROWS_MOST + 1);
    for (size_t i = 0; i < (size_t)area.width; i++)
        if (pace_sample(&run->pace, i) > highest)
            highest = pace_sample(&run->pace, i);
    area_putf(area, 0, 0, STYLE_DIM, "written each second, up to %s/s",
              format_bytes(highest, most));
    widget_graph(area_rows(area, 1, area.height - 1), &run->pace);
}

static void draw_rest(const struct sync_run *run, struct area area)
{
    if (!run->is_active && !run->is_foreign) {
        CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
        enum style style = describe_end(run, &words);
        int rows = area_put_wrapped(area, 0, style, words.text);
        area = area_rows(area, rows + 1, area.height);
        if (run->failures.count)
            draw_failures(run, area);
        else if (run->notes.count)
            draw_notes(run, area);
        else
            draw_graph(run, area);
        return;
    }
    if (run->shows_failures && run->failures.count) {
        draw_failures(run, area);
        return;
    }
    if (run->current_path) {
        area_put(area, 0, 0, STYLE_DIM, "now");
        area_put_name(area, 4, 0, STYLE_NORMAL, run->current_path);
        area = area_rows(area, 2, area.height);
    }
    if (run->notes.count) {
        area_put_wrapped(area_rows(area, 0, 2), 0, STYLE_WATCH,
                         run->notes.items[run->notes.count - 1]);
        area = area_rows(area, 3, area.height);
    }
    draw_graph(run, area);
}

static void draw(const struct model *model, struct area area)
{
    const struct sync_run *run = &model->run;
    struct area inside = area_inside(area);

    area_frame(area, run->is_foreign ? "Another process" : "Sync");
    inside = area_part(inside, 1, 0, inside.width - 2, inside.height);
    if (run->is_foreign)
        draw_foreign(model, area_rows(inside, 0, 2));
    else
        draw_preflight(run, area_rows(inside, 0, 2));
    draw_total(run, area_rows(inside, 3, 3));
    int parts = draw_parts(run, area_rows(inside, 7, PART_ROWS));
    int rest = 7 + parts + (parts > 0);
    draw_rest(run, area_rows(inside, rest, inside.height - rest));
}

/* --- keys ------------------------------------------------------------------
 */

static bool is_own(const struct model *model)
{
    return model->run.is_active && !model->run.is_foreign &&
           !model->run.is_stopping;
}

static bool can_pause(const struct model *model)
{
    return is_own(model) && !model->run.is_paused;
}

static bool can_go_on(const struct model *model)
{
    return is_own(model) && model->run.is_paused;
}

static bool is_foreign(const struct model *model)
{
    return model->run.is_active && model->run.is_foreign;
}

static bool is_over(const struct model *model)
{
    return !model->run.is_active;
}

static bool has_failures(const struct model *model)
{
    return model->run.failures.count > 0 && model->run.is_active;
}

static const struct binding bindings[] = {
    {{'p'}, INTENT_PAUSE, "pause", "hold between two files", can_pause},
    {{'p'}, INTENT_PAUSE, "go on", "go on copying", can_go_on},
    {{'c', UI_KEY_ESCAPE},
     INTENT_STOP,
     "stop",
     "at the next clean boundary; what is staged whole is committed",
     is_own},
    {{'e'},
     INTENT_EJECT,
     "stop, eject",
     "stop at the next boundary and eject now; says what stays behind",
     is_own},
    {{'c'},
     INTENT_STOP,
     "ask it to stop",
     "ask the other process to stop",
     is_foreign},
    {{'E'},
     INTENT_SYNC_EJECT,
     "then sync, eject",
     "when it has ended: compare, sync what is left, eject",
     is_foreign},
    {{'e'}, INTENT_EJECT, "eject", "flush, unmount and power off", is_over},
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "what failed",
     "list the files that did not arrive",
     has_failures},
    {{'q'}, INTENT_BACK, "back", NULL, NULL},
};

static void ask_to_leave(struct model *model)
{
    struct question question = {.title = xstrdup("A sync is at work")};

    question.text = xstrdup("It goes on only while berth is open.");
    question_add(&question, 'k', "keep watching", ANSWER_CLOSE);
    question_add(&question, 'c', "stop and quit", ANSWER_STOP_AND_QUIT);
    model_ask(model, &question);
}

static void ask_to_stop_and_eject(struct model *model)
{
    const struct progress *progress = &model->run.progress;
    struct question question = {.title = xstrdup("Stop, and eject now?")};
    char files[WORDS_SIZE], bytes[QUANTITY_SIZE];

    question.text = xasprintf(
        "%s (%s) would stay behind.",
        words_count(progress->files_total - progress->files_done, "file",
                    files),
        format_bytes(progress->bytes_total - progress->bytes_done, bytes));
    question_add(&question, 'x', "stop and eject", ANSWER_STOP_AND_EJECT);
    model_ask(model, &question);
}

static void ask_other_to_stop(struct model *model)
{
    const struct drive *drive = model_find_drive(model, model->run.drive);
    const struct drive_volume *volume = drive ? drive_foreign_run(drive) : NULL;
    struct question question = {.title = xstrdup("Ask it to stop?")};

    if (!volume) {
        question_release(&question);
        return;
    }
    question.text = xasprintf("%s (pid %" PRId64 ") stops at its next clean "
                              "boundary.",
                              volume->run.command, volume->run.pid);
    question.pid = volume->run.pid;
    question_add(&question, 'y', "ask it", ANSWER_STOP_OTHER);
    model_ask(model, &question);
}

static void leave(struct model *model)
{
    if (model->run.is_active && !model->run.is_foreign)
        ask_to_leave(model);
    else
        model_back(model);
}

static void eject(struct model *model)
{
    const struct drive *drive = model_find_drive(model, model->run.drive);

    if (is_own(model))
        ask_to_stop_and_eject(model);
    else if (drive)
        model_want_eject(model, drive);
}

static void scroll_by(struct model *model, long rows)
{
    struct sync_run *run = &model->run;
    long at = (long)run->scroll + rows;
    long most = (long)run->failures.count - 1;

    if (at > most)
        at = most;
    run->scroll = at > 0 ? (size_t)at : 0;
}

static void handle(struct model *model, enum intent intent, int argument)
{
    switch (intent) {
    case INTENT_PAUSE:
        model_pause_run(model);
        break;
    case INTENT_STOP:
        if (model->run.is_foreign)
            ask_other_to_stop(model);
        else
            model_stop_run(model);
        break;
    case INTENT_EJECT:
        eject(model);
        break;
    case INTENT_SYNC_EJECT:
        if (model_find_drive(model, model->run.drive))
            model_want_sync(model, model_find_drive(model, model->run.drive),
                            true);
        break;
    case INTENT_ENTER:
        model->run.shows_failures = !model->run.shows_failures;
        break;
    case INTENT_UP:
        scroll_by(model, -1);
        break;
    case INTENT_DOWN:
        scroll_by(model, 1);
        break;
    case INTENT_PAGE_UP:
        scroll_by(model, -10);
        break;
    case INTENT_PAGE_DOWN:
        scroll_by(model, 10);
        break;
    case INTENT_CANCEL:
    case INTENT_BACK:
        leave(model);
        break;
    default:
        break;
    }
}

const struct screen screen_sync = {
    .bindings = {"Sync", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = draw,
    .handle = handle,
};
