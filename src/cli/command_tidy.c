#include "cli/cli_internal.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"

#include <jansson.h>
#include <string.h>

static err_code set_dry_run(struct command *request, const char *value,
                            struct error *err)
{
    request->dry_run = true;
    return ERR_OK;
}

static const struct cli_option options[] = {
    {"--dry-run", NULL, "say what would go, and why the others stay",
     set_dry_run},
    {0},
};

/* --- text --- */

static const char *describe_copies(int count, char buffer[QUANTITY_SIZE])
{
    snprintf(buffer, QUANTITY_SIZE, "%d %s", count,
             plural(count, "copy", "copies"));
    return buffer;
}

static void print_file(struct cli_output *output, const struct event *event)
{
    const struct tidy_info *info = &event->tidy;
    char size[QUANTITY_SIZE], copies[QUANTITY_SIZE], until[32] = "";

    if (info->reason == OFFLOAD_READY) {
        cli_print(output, "  %s %s  %s  (%s)\n",
                  info->is_dry ? "would go " : "removed  ",
                  cli_name(event->path), format_bytes(info->bytes, size),
                  describe_copies(info->counted, copies));
        return;
    }
    if (info->reason == OFFLOAD_KEEP_LOCAL)
        clock_format_local(info->until_ns, until, sizeof until);
    cli_print(output, "  stays     %s  (%s%s%s%s%s)\n", cli_name(event->path),
              cli_name(event->text), event->volume ? ": " : "",
              event->volume ? event->volume : "", *until ? " until " : "",
              until);
}

static void print_waiting(struct cli_output *output,
                          const struct tidy_info *info)
{
    for (size_t i = 0; i < OFFLOAD_REASON_COUNT; i++) {
        enum offload_reason reason = (enum offload_reason)i;
        const char *advice = offload_reason_advice(reason);
        char count[QUANTITY_SIZE];
        if (info->waiting[i])
            cli_print(output, "  %s %s here: %s%s%s\n",
                      format_count(info->waiting[i], count),
                      plural(info->waiting[i], "stays", "stay"),
                      offload_reason_text(reason), *advice ? "; " : "", advice);
    }
}

static void print_job(struct cli_output *output, const struct event *event)
{
    const struct tidy_info *info = &event->tidy;
    char count[QUANTITY_SIZE], bytes[QUANTITY_SIZE];

    cli_print(output, "%s: %s %s (%s)", event->job,
              format_things(info->files, "file", count),
              info->is_dry ? "would be removed from this machine"
                           : "removed from this machine",
              format_bytes(info->bytes, bytes));
    if (info->directories)
        cli_print(output, ", %s emptied %s",
                  format_count(info->directories, count),
                  plural(info->directories, "directory", "directories"));
    cli_print(output, "\n");
    print_waiting(output, info);
    if (event->text)
        cli_complain(output, "%s: %s", event->job, event->text);
}

/* --- JSON: files and jobs in one list, told apart by "type" --- */

static json_t *file_to_json(const struct event *event)
{
    const struct tidy_info *info = &event->tidy;
    bool is_gone = info->reason == OFFLOAD_READY;

    return json_pack(
        "{s:s, s:s, s:o, s:I, s:s, s:s, s:s?, s:o, s:i}", "type", "file", "job",
        event->job, "path", cli_json_path(event->path), "size_bytes",
        (json_int_t)info->bytes, "state",
        !is_gone       ? "waiting"
        : info->is_dry ? "would-go"
                       : "removed",
        "reason", offload_reason_name(info->reason), "volume", event->volume,
        "until",
        cli_json_time(info->reason == OFFLOAD_KEEP_LOCAL ? info->until_ns : 0),
        "copies", info->counted);
}

static json_t *job_to_json(const struct event *event)
{
    const struct tidy_info *info = &event->tidy;
    json_t *waiting = json_object();

    for (size_t i = 0; i < OFFLOAD_REASON_COUNT; i++)
        if (info->waiting[i])
            json_object_set_new(waiting,
                                offload_reason_name((enum offload_reason)i),
                                json_integer(info->waiting[i]));
    return json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:o, s:s?}", "type", "job",
                     "job", event->job, "dry_run", info->is_dry, "removed",
                     (json_int_t)info->files, "bytes", (json_int_t)info->bytes,
                     "directories", (json_int_t)info->directories, "waiting",
                     waiting, "error", event->text);
}

void cli_print_tidy(struct cli_output *output, struct event *event)
{
    if (event->kind == EVENT_TIDY_FILE && output->json)
        cli_json_add(output, "tidied", file_to_json(event));
    else if (event->kind == EVENT_TIDY_FILE)
        print_file(output, event);
    else if (event->kind == EVENT_TIDIED && output->json)
        cli_json_add(output, "tidied", job_to_json(event));
    else if (event->kind == EVENT_TIDIED)
        print_job(output, event);
}

const struct cli_command cli_tidy = {
    .name = "tidy",
    .arguments = "[JOB…]",
    .summary = "Remove local files that `move` jobs have enough copies of",
    .details =
        "A file goes when min_copies copies of it were written by this\n"
        "machine, read back from the device within 90 days, on drives that\n"
        "are not failing, and keep_local has passed. What stays is listed\n"
        "with the reason. Directories that this empties go, too. `berth\n"
        "sync` does the same at its end.",
    .kind = COMMAND_TIDY,
    .most_words = 1000,
    .options = options,
    .print = cli_print_tidy,
    .json_list = "tidied",
};
