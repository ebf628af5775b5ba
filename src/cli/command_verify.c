#include "cli/cli_internal.h"

#include "core/base/quantity.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static err_code set_sample(struct command *request, const char *value,
                           struct error *err)
{
    char *end;
    double percent = strtod(value, &end);

    if (end == value || (strcmp(end, "%") != 0 && *end) || percent <= 0 ||
        percent > 100)
        return error_set(err, ERR_INVALID,
                         "--sample %s: give a percentage such as 5%%", value);
    request->sample = percent / 100;
    return ERR_OK;
}

static err_code set_heal(struct command *request, const char *value,
                         struct error *err)
{
    request->heals = true;
    return ERR_OK;
}

static const struct cli_option options[] = {
    {"--heal", NULL,
     "read the sources, too, and make rotten copies anew from what is good",
     set_heal},
    {"--sample", "PERCENT", "only so many of the files, others each time",
     set_sample},
    {0},
};

static json_t *verified_to_json(const struct event *event)
{
    const struct verify_info *info = &event->verify;

    return json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "volume",
        event->volume, "verified", (json_int_t)info->verified, "compared",
        (json_int_t)info->compared, "first_reading", (json_int_t)info->adopted,
        "not_in_sample", (json_int_t)info->skipped, "rotten",
        (json_int_t)info->rotten, "drifted", (json_int_t)info->drifted,
        "missing", (json_int_t)info->missing, "unreadable",
        (json_int_t)info->unreadable, "bytes", (json_int_t)info->bytes,
        "seconds", (double)info->duration_ns / 1e9);
}

static void print_verified(struct cli_output *output, const struct event *event)
{
    const struct verify_info *info = &event->verify;
    char count[QUANTITY_SIZE], bytes[QUANTITY_SIZE], speed[QUANTITY_SIZE];
    int64_t found =
        info->rotten + info->drifted + info->missing + info->unreadable;

    cli_print(output, "%s: %s, %s\n", event->volume,
              format_bytes(info->bytes, bytes),
              format_speed(info->bytes, info->duration_ns, speed));
    if (info->verified)
        cli_print(output, "  %s verified: read from the device, as recorded\n",
                  format_count(info->verified, count));
    if (info->compared)
        cli_print(output,
                  "  %s compared: as recorded, but this filesystem may have "
                  "answered from memory\n",
                  format_count(info->compared, count));
    if (info->adopted)
        cli_print(output, "  %s read for the first time: hash recorded\n",
                  format_count(info->adopted, count));
    if (info->skipped)
        cli_print(output, "  %s not in this sample\n",
                  format_count(info->skipped, count));
    if (found)
        cli_print(output, "  %s not as recorded: named above\n",
                  format_count(found, count));
}

static void print_healed(struct cli_output *output, const struct event *event)
{
    const struct sync_info *info = &event->sync;
    const struct run_counts *counts = &info->counts;
    char number[QUANTITY_SIZE];
    int64_t healed = counts->files_updated + counts->files_new;

    if (output->json) {
        cli_json_add(
            output, "healed",
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s?}", "job", event->job,
                      "volume", event->volume, "healed", (json_int_t)healed,
                      "not_healed", (json_int_t)counts->failed, "sources_read",
                      (json_int_t)info->sources_read, "sources_rotten",
                      (json_int_t)info->sources_rotten, "error", event->text));
        return;
    }
    cli_print(output, "%s -> %s: %s healed", event->job, event->volume,
              format_count(healed, number));
    if (counts->failed)
        cli_print(output, ", %s not", format_count(counts->failed, number));
    cli_print(output, "; %s of the source read",
              format_things(info->sources_read, "file", number));
    if (info->sources_rotten)
        cli_print(output, ", %s rotten",
                  format_count(info->sources_rotten, number));
    cli_print(output, "\n");
    if (event->text)
        cli_complain(output, "%s -> %s: %s", event->job, event->volume,
                     event->text);
}

void cli_print_finding(struct cli_output *output, const struct event *event)
{
    if (output->json)
        cli_json_add(output, "findings",
                     json_pack("{s:s?, s:s?, s:o, s:s}", "job", event->job,
                               "volume", event->volume, "path",
                               cli_json_path(event->path), "finding",
                               event->text));
    else
        cli_print(output, "%s: %s: %s\n",
                  event->job ? event->job : event->volume,
                  cli_name(event->path), event->text);
}

static void print(struct cli_output *output, struct event *event)
{
    if (event->kind == EVENT_JOB_SYNCED)
        print_healed(output, event);
    else if (event->kind == EVENT_FILE_FAILED && !output->json)
        cli_complain(output, "%s: %s: %s", event->job, cli_name(event->path),
                     event->text);
    else if (event->kind == EVENT_VERIFIED && output->json)
        cli_json_add(output, "volumes", verified_to_json(event));
    else if (event->kind == EVENT_VERIFIED)
        print_verified(output, event);
    else if (event->kind == EVENT_FINDING)
        cli_print_finding(output, event);
}

const struct cli_command cli_verify = {
    .name = "verify",
    .arguments = "[JOB|VOLUME…]",
    .summary = "Read the drive back and compare it with what was written",
    .details =
        "Of a volume whose role is read-only: with what was recorded when it\n"
        "was added; new and changed files are drift there.\n"
        "\"verified\" means that the bytes came from the device. Through FUSE\n"
        "and on network shares that cannot be proved: there it says "
        "\"compared\".\n"
        "A rotten file is in quarantine: it counts as no copy, and --heal or\n"
        "the next sync makes it anew if the source is as it was. A source is\n"
        "never written: `berth restore --replace` does that.",
    .kind = COMMAND_VERIFY,
    .most_words = 1000,
    .options = options,
    .print = print,
    .json_list = "volumes",
};
