#include "cli/cli_internal.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "core/names.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* In a log, a line of progress now and then says that it is alive. */
#define LOG_EVERY_NS (30 * NS_PER_SECOND)
#define CLEAR_LINE "\r\033[K"

void cli_end_progress(struct cli_output *output)
{
    if (!output->line_is_open)
        return;
    fputs(CLEAR_LINE, stderr);
    fflush(stderr);
    output->line_is_open = false;
}

void cli_print(struct cli_output *output, const char *format, ...)
{
    va_list args;

    cli_end_progress(output);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

static void complain(struct cli_output *output, bool is_error, const char *text)
{
    if (output)
        cli_end_progress(output);
    fflush(stdout);
    fprintf(stderr, "%sberth: %s\n", cli_log_prefix(output, is_error), text);
    cli_log_line(output, is_error, text);
}

void cli_complain(struct cli_output *output, const char *format, ...)
{
    char text[2 * ERROR_MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    complain(output, false, text);
}

void cli_complain_error(struct cli_output *output, const char *text)
{
    complain(output, true, text);
}

const char *cli_name(const char *raw)
{
    static struct strbuf shown[4] = {STRBUF_INIT, STRBUF_INIT, STRBUF_INIT,
                                     STRBUF_INIT};
    static size_t next;
    struct strbuf *name = &shown[next++ % 4];

    strbuf_reset(name);
    name_display(raw ? raw : "", name);
    return name->text;
}

/* --- progress --- */

static void describe_scan(const struct progress *progress, struct strbuf *out)
{
    char files[QUANTITY_SIZE], bytes[QUANTITY_SIZE];

    strbuf_addf(out, "reading: %s, %s",
                format_things(progress->files_done, "file", files),
                format_bytes(progress->bytes_done, bytes));
}

static int percent_of(int64_t part, int64_t whole)
{
    return whole > 0 ? (int)((double)part / (double)whole * 100.0) : 100;
}

/* "copying: 41 %  3.1 of 7.6 GB on the drive (3.4 written)  78 MB/s  58 s left"
 */
static void describe_copy(const struct progress *progress, struct strbuf *out)
{
    char durable[QUANTITY_SIZE], total[QUANTITY_SIZE], written[QUANTITY_SIZE];
    char speed[QUANTITY_SIZE], left[QUANTITY_SIZE];
    int64_t rest = progress->bytes_total - progress->bytes_written;

    strbuf_addf(out, "copying: %d %%  %s of %s on the drive",
                percent_of(progress->bytes_done, progress->bytes_total),
                format_bytes(progress->bytes_done, durable),
                format_bytes(progress->bytes_total, total));
    if (progress->bytes_written > progress->bytes_done)
        strbuf_addf(out, " (%s written)",
                    format_bytes(progress->bytes_written, written));
    strbuf_addf(
        out, "  %s",
        format_speed(progress->bytes_written, progress->elapsed_ns, speed));
    if (rest > 0 && progress->bytes_written > 0)
        strbuf_addf(out, "  %s left",
                    format_duration((int64_t)((double)progress->elapsed_ns /
                                              (double)progress->bytes_written *
                                              (double)rest),
                                    left));
    if (progress->files_failed)
        strbuf_addf(out, "  %lld failed", (long long)progress->files_failed);
}

static void describe_verify(const struct progress *progress, struct strbuf *out)
{
    char done[QUANTITY_SIZE], total[QUANTITY_SIZE], speed[QUANTITY_SIZE];

    strbuf_addf(
        out, "reading back: %d %%  %s of %s  %s",
        percent_of(progress->bytes_done, progress->bytes_total),
        format_bytes(progress->bytes_done, done),
        format_bytes(progress->bytes_total, total),
        format_speed(progress->bytes_done, progress->elapsed_ns, speed));
}

static void describe(const struct progress *progress, struct strbuf *out)
{
    switch (progress->phase) {
    case PHASE_SCANNING:
        describe_scan(progress, out);
        break;
    case PHASE_COPYING:
        describe_copy(progress, out);
        break;
    case PHASE_VERIFYING:
        describe_verify(progress, out);
        break;
    }
}

void cli_show_progress(struct cli_output *output, const struct event *event)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    int64_t now = clock_monotonic_ns();

    if (!output->progress_is_shown && event->progress.elapsed_ns < LOG_EVERY_NS)
        return;
    if (!output->progress_is_shown && now - output->last_log_ns < LOG_EVERY_NS)
        return;
    output->last_log_ns = now;
    describe(&event->progress, &line);
    if (output->progress_is_shown) {
        fprintf(stderr, CLEAR_LINE "%s", line.text);
        output->line_is_open = true;
    } else {
        fprintf(stderr, "%sberth: %s\n",
                output->log == CLI_LOG_JOURNAL ? "<6>" : "", line.text);
    }
    fflush(stderr);
}

/* --- a plan in words --- */

static void add_part(struct strbuf *out, int64_t count, const char *words,
                     int64_t bytes)
{
    char number[QUANTITY_SIZE], size[QUANTITY_SIZE];

    if (!count)
        return;
    if (out->length)
        strbuf_adds(out, ", ");
    strbuf_addf(out, "%s %s", format_count(count, number), words);
    if (bytes > 0)
        strbuf_addf(out, " (%s)", format_bytes(bytes, size));
}

static int64_t bytes_of(const struct plan *plan, enum action_kind kind)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].kind == kind)
            bytes += plan->items[i].size_bytes;
    return bytes;
}

char *cli_describe_plan(const struct plan *plan)
{
    const struct plan_totals *totals = &plan->totals;
    struct strbuf out = STRBUF_INIT;

    add_part(&out, totals->count[ACTION_NEW], "new",
             bytes_of(plan, ACTION_NEW));
    add_part(&out, totals->count[ACTION_UPDATE], "changed",
             bytes_of(plan, ACTION_UPDATE));
    add_part(&out, totals->count[ACTION_RENAME], "renamed", 0);
    add_part(&out, totals->count[ACTION_DELETE], "deleted",
             totals->delete_bytes);
    add_part(
        &out, totals->count[ACTION_MKDIR],
        plural(totals->count[ACTION_MKDIR], "new directory", "new directories"),
        0);
    add_part(&out, totals->count[ACTION_RMDIR],
             plural(totals->count[ACTION_RMDIR], "removed directory",
                    "removed directories"),
             0);
    add_part(&out, totals->count[ACTION_TOUCH], "with other permissions", 0);
    add_part(&out, totals->count[ACTION_CONFLICT], "in conflict", 0);
    add_part(&out, totals->skipped_pending, "not taken yet", 0);
    add_part(&out, totals->held_files, "held", 0);
    if (!out.length)
        strbuf_adds(&out, "in sync");
    return strbuf_detach(&out);
}
