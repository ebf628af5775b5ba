#include "cli/cli_internal.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

static err_code set_volume(struct command *request, const char *value,
                           struct error *err)
{
    request->run_volume = xstrdup(value);
    return ERR_OK;
}

static const struct cli_option options[] = {
    {"--volume", "NAME", "of this volume only", set_volume},
    {0},
};

err_code cli_take_run(struct command *request, const struct cli_words *words,
                      struct error *err)
{
    char *end;

    if (!words->count)
        return ERR_OK;
    errno = 0;
    request->run = strtoll(words->items[0], &end, 10);
    if (errno || *end || request->run < 1)
        return error_set(err, ERR_INVALID,
                         "%s is not the number of a run: `berth history` lists "
                         "them",
                         words->items[0]);
    return ERR_OK;
}

/* --- text
 * -----------------------------------------------------------------------------
 */

static void print_run(struct cli_output *output, const struct event *event)
{
    const struct run *run = &event->run;
    const struct run_counts *counts = &run->counts;
    char started[32], duration[QUANTITY_SIZE], bytes[QUANTITY_SIZE];

    clock_format_local(run->started_ns, started, sizeof started);
    cli_print(output, "%4lld  %s  %-12s  %-20s  ", (long long)run->id, started,
              event->volume, event->text);
    if (!run->ended_ns) {
        cli_print(output, "did not end: interrupted, or still running\n");
        return;
    }
    cli_print(output, "+%lld ~%lld »%lld -%lld  %s in %s  exit %d%s\n",
              (long long)counts->files_new, (long long)counts->files_updated,
              (long long)counts->files_renamed,
              (long long)counts->files_deleted,
              format_bytes(counts->bytes_copied, bytes),
              format_duration(run->ended_ns - run->started_ns, duration),
              run->exit_code, counts->failed ? ", some files failed" : "");
}

static void print_item(struct cli_output *output, const struct event *event)
{
    enum history_deed deed = event->item.deed;

    cli_print(output, "      %-8s %s: %s", history_deed_name(deed), event->job,
              cli_name(event->path));
    if (deed == DEED_RENAMED)
        cli_print(output, "  (was %s)", cli_name(event->text));
    else if (deed == DEED_FAILED)
        cli_print(output, "  (%s)", cli_name(event->text));
    cli_print(output, "\n");
}

/* --- JSON
 * -------------------------------------------------------------------------------
 */

static json_t *run_to_json(const struct event *event)
{
    const struct run *run = &event->run;
    const struct run_counts *counts = &run->counts;

    return json_pack(
        "{s:I, s:s, s:s, s:o, s:o, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
        "run", (json_int_t)run->id, "volume", event->volume, "jobs",
        event->text, "started", cli_json_time(run->started_ns), "ended",
        cli_json_time(run->ended_ns), "exit", run->exit_code, "new",
        (json_int_t)counts->files_new, "changed",
        (json_int_t)counts->files_updated, "renamed",
        (json_int_t)counts->files_renamed, "deleted",
        (json_int_t)counts->files_deleted, "bytes_copied",
        (json_int_t)counts->bytes_copied, "failed", (json_int_t)counts->failed,
        "held", (json_int_t)counts->held);
}

static json_t *item_to_json(const struct event *event)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:I}", "deed",
                     history_deed_name(event->item.deed), "job", event->job,
                     "path", cli_json_path(event->path), "detail",
                     cli_json_path(event->text), "size_bytes",
                     (json_int_t)event->item.size_bytes);
}

static void print(struct cli_output *output, struct event *event)
{
    if (event->kind == EVENT_RUN && output->json)
        cli_json_add(output, "runs", run_to_json(event));
    else if (event->kind == EVENT_RUN)
        print_run(output, event);
    else if (event->kind == EVENT_RUN_ITEM && output->json)
        cli_json_add(output, "items", item_to_json(event));
    else if (event->kind == EVENT_RUN_ITEM)
        print_item(output, event);
}

const struct cli_command cli_history = {
    .name = "history",
    .arguments = "[RUN]",
    .summary = "Past runs, or what one of them did to which file",
    .kind = COMMAND_HISTORY,
    .most_words = 1,
    .options = options,
    .take_words = cli_take_run,
    .print = print,
    .json_list = "runs",
};
