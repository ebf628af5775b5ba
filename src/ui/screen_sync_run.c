#include "ui/screen.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "ui/widget.h"
#include "ui/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PART_ROWS 6
#define GRAPH_ROWS_MOST 10

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
    area_putf(area, x - 1, 1, run->held ? STYLE_WATCH : STYLE_NORMAL,
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
    char done[QUANTITY_SIZE], files[WORDS_SIZE];
    int64_t ahead_bytes = progress->bytes_written - progress->bytes_done;

    int x = area_putf(area, 0, y, STYLE_STRONG, "%s of %s durable",
                      format_bytes(progress->bytes_done, durable),
                      format_bytes(progress->bytes_total, total));
    if (ahead_bytes > 0 && run->is_active)
        x = area_putf(area, x + 1, y, STYLE_NORMAL, "· %s more written",
                      format_bytes(ahead_bytes, ahead));
    if (progress->files_total > 0)
        x = area_putf(area, x + 1, y, STYLE_DIM, "· %s of %s",
                      format_count(progress->files_done, done),
                      words_count(progress->files_total, "file", files));
    if (progress->files_failed)
        area_putf(area, x + 1, y, STYLE_BAD, "· %s failed",
                  format_count(progress->files_failed, done));
}

static void draw_speed(const struct sync_run *run, struct area area, int y)
{
    const struct pace *pace = &run->pace;
    char now[QUANTITY_SIZE], average[QUANTITY_SIZE], left[WORDS_SIZE];

    if (!pace->busy_ns || !run->is_active)
        return;
    format_bytes(pace_average(pace), average);
    if (run->is_paused) {
        area_putf(area, 0, y, STYLE_NORMAL, "%s/s average", average);
        return;
    }
    int x = area_putf(area, 0, y, STYLE_NORMAL, "%s/s now · %s/s average",
                      format_bytes((int64_t)pace->speed, now), average);
    if (run->bandwidth > 0)
        x = area_putf(area, x + 1, y, STYLE_WATCH, "· at most %s/s",
                      format_bytes(run->bandwidth, now));
    if (!run->is_foreign &&
        run->progress.bytes_written >= run->progress.bytes_total)
        area_put(area, x + 1, y, STYLE_STRONG, "· making it durable");
    else if (pace->left_ns >= 0)
        area_putf(area, x + 1, y, STYLE_STRONG, "· %s left",
                  words_left(pace->left_ns, left));
}

static void draw_total(const struct sync_run *run, struct area area)
{
    const struct progress *progress = &run->progress;
    char files[WORDS_SIZE], bytes[QUANTITY_SIZE];

    if (run->is_active && progress->phase == PHASE_SCANNING &&
        !progress->bytes_total) {
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
    if (part->text && part->info.outcome == OUTCOME_INTERRUPTED) {
        strbuf_adds(out, "stopped");
        *style = STYLE_WATCH;
    } else if (part->text) {
        strbuf_adds(out, "✗ not finished");
        *style = STYLE_BAD;
    } else if (counts->failed || part->info.unreadable) {
        strbuf_addf(
            out, "✗ %s did not arrive",
            format_count(counts->failed + part->info.unreadable, number));
        *style = STYLE_BAD;
    } else if (part->info.held || part->info.conflicts) {
        strbuf_addf(
            out, part->info.conflicts ? "✓ %s left for you" : "✓ %s held back",
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
    if (part->is_over && !part->text)
        done = written = part->bytes_total;
    if (!part->bytes_total && (!part->is_over || part->text))
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
    } else if (!part->bytes_total) {
        area_put(words, 0, y, STYLE_DIM, "nothing to copy");
    } else if (run->is_active && (done || written)) {
        area_putf(words, 0, y, STYLE_NORMAL, "%d %%",
                  words_percent(done, part->bytes_total));
    } else {
        area_put(words, 0, y, STYLE_DIM,
                 run->is_active ? "waiting" : "not begun");
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

/* " · 78.3 MB/s", where it ran long enough to mean something. */
static const char *describe_average(const struct sync_run *run, int64_t bytes,
                                    char buffer[WORDS_SIZE])
{
    int64_t duration_ns = run->ended_ns - run->started_ns;
    char speed[QUANTITY_SIZE];

    buffer[0] = '\0';
    if (duration_ns >= 3 * NS_PER_SECOND && bytes)
        snprintf(buffer, WORDS_SIZE, " · %s",
                 format_speed(bytes, duration_ns, speed));
    return buffer;
}

static enum style describe_end(const struct sync_run *run, struct strbuf *out)
{
    char files[WORDS_SIZE], bytes[QUANTITY_SIZE], duration[QUANTITY_SIZE];
    char average[WORDS_SIZE];
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
    if (run->pulled)
        strbuf_adds(out, run->pulled);
    else if (run->error)
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
        strbuf_addf(out, "✓ Done: %s, %s in %s%s", files, bytes, duration,
                    describe_average(run, sum.bytes_copied, average));
    if (run->pulled)
        return STYLE_RED;
    if (run->outcome == OUTCOME_INTERRUPTED)
        return STYLE_WATCH;
    if (run->error || run->outcome > OUTCOME_DIFFERENCES)
        return STYLE_BAD;
    return STYLE_GOOD;
}

/* Why jobs did not come to their end, in full. */
static void draw_part_errors(const struct sync_run *run, struct flow *flow)
{
    for (size_t i = 0; i < run->parts.count; i++) {
        const struct run_part *part = &run->parts.items[i];
        if (!part->text || part->info.outcome == OUTCOME_INTERRUPTED ||
            (run->error && !strcmp(part->text, run->error)))
            continue;
        CLEANUP_FREE char *words = xasprintf("%s: %s", part->job, part->text);
        flow_text(flow, STYLE_BAD, words);
    }
}

static int draw_end(const struct sync_run *run, struct area area)
{
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    enum style style = describe_end(run, &words);
    struct flow flow = {.area = area};

    if (style == STYLE_RED) {
        area_clear(area_rows(area, 0, 1), style);
        area = area_columns(area, 1, area.width - 2);
    }
    flow.row = area_put_wrapped(area, 0, style, words.text);
    draw_part_errors(run, &flow);
    return flow.row + 1;
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
        int rows = draw_end(run, area);
        area = area_rows(area, rows, area.height);
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

void screen_draw_run(const struct model *model, struct area area)
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
