#include "cli/cli_internal.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"

#include <jansson.h>

static err_code set_volume(struct command *request, const char *value,
                           struct error *err)
{
    request->run_volume = xstrdup(value);
    return ERR_OK;
}

static const struct cli_option options[] = {
    {"--volume", "NAME", "a run on this volume", set_volume},
    {0},
};

static json_t *undone_to_json(const struct event *event)
{
    const struct run_counts *counts = &event->run.counts;

    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "volume",
                     event->volume, "undone", event->text, "run",
                     (json_int_t)event->run.id, "back",
                     (json_int_t)counts->files_new, "as_before",
                     (json_int_t)counts->files_updated, "renamed_back",
                     (json_int_t)counts->files_renamed, "retired",
                     (json_int_t)counts->files_deleted, "failed",
                     (json_int_t)counts->failed);
}

static void print_undone(struct cli_output *output, const struct event *event)
{
    const struct run_counts *counts = &event->run.counts;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    char started[32];

    strbuf_add_part(&out, counts->files_new, "file is back", "files are back");
    strbuf_add_part(&out, counts->files_updated, "is as before",
                    "are as before");
    strbuf_add_part(&out, counts->files_renamed, "has its old name",
                    "have their old names");
    strbuf_add_part(&out, counts->files_deleted, "went into the versions",
                    "went into the versions");
    clock_format_minute(event->run.started_ns, started, sizeof started);
    cli_print(output, "%s: run %s of %s taken back: %s\n", event->volume,
              event->text, started, out.length ? out.text : "no file of it");
    cli_print(output, "  The next sync does it all again, unless the source "
                      "or the job changes first\n");
}

static void print(struct cli_output *output, struct event *event)
{
    if (event->kind == EVENT_UNDONE && output->json)
        cli_json_add(output, "runs", undone_to_json(event));
    else if (event->kind == EVENT_UNDONE)
        print_undone(output, event);
    else if (event->kind == EVENT_FILE_FAILED && !output->json)
        cli_complain(output, "%s: %s: %s", event->volume, cli_name(event->path),
                     event->text);
}

const struct cli_command cli_undo = {
    .name = "undo",
    .arguments = "[RUN]",
    .summary = "Take back on the drive what the last run did there",
    .details =
        "What the run added goes into the versions, what it replaced or\n"
        "deleted comes back from there, renamed files get their old names. "
        "The\n"
        "source is not touched. Refused when a later run or somebody else has\n"
        "changed any of it since. An undo is a run, too: undo takes it back, "
        "but\n"
        "not where directories got other names.",
    .kind = COMMAND_UNDO,
    .most_words = 1,
    .options = options,
    .take_words = cli_take_run,
    .print = print,
    .json_list = "runs",
};
