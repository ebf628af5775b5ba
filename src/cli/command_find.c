#include "cli/cli_internal.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static err_code take_pattern(struct command *request,
                             const struct cli_words *words, struct error *err)
{
    request->path = xstrdup(words->items[0]);
    return ERR_OK;
}

static const char *const state_names[] = {
    [FOUND_PRESENT] = "present",
    [FOUND_OFFLOADED] = "offloaded",
    [FOUND_VERSION] = "version",
};

static void print_found(struct cli_output *output, const struct event *event)
{
    const struct found_info *found = &event->found;
    char size[QUANTITY_SIZE] = "?", time[32] = "", replaced[32] = "";

    if (found->size_bytes >= 0)
        format_bytes(found->size_bytes, size);
    if (found->mtime_ns)
        clock_format_local(found->mtime_ns, time, sizeof time);
    if (found->replaced_ns)
        clock_format_local(found->replaced_ns, replaced, sizeof replaced);
    cli_print(output, "%s:/%s  %s  %s%s%s%s%s\n", event->volume,
              cli_name(event->path), size, time,
              found->state == FOUND_OFFLOADED ? "  (offloaded)" : "",
              found->state == FOUND_VERSION ? "  (version, until " : "",
              replaced, found->state == FOUND_VERSION ? ")" : "");
}

static json_t *found_to_json(const struct event *event)
{
    const struct found_info *found = &event->found;

    return json_pack(
        "{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:b}", "volume", event->volume,
        "job", event->job, "path", cli_json_path(event->path), "state",
        state_names[found->state], "size_bytes",
        found->size_bytes < 0 ? json_null() : json_integer(found->size_bytes),
        "modified", cli_json_time(found->mtime_ns), "replaced",
        cli_json_time(found->replaced_ns), "this_host", found->is_ours);
}

static void print(struct cli_output *output, struct event *event)
{
    if (event->kind == EVENT_FOUND && output->json)
        cli_json_add(output, "found", found_to_json(event));
    else if (event->kind == EVENT_FOUND)
        print_found(output, event);
}

const struct cli_command cli_find = {
    .name = "find",
    .arguments = "PATTERN",
    .summary = "Where a file is, on any drive, attached or not",
    .details =
        "PATTERN as in a job's include: `*.pdf` is tried on names at any\n"
        "depth, `/2024/**` from the top of a job or volume, `**` is any\n"
        "number of directories. Present files, versions and what was\n"
        "offloaded, from the catalogues on this machine.",
    .kind = COMMAND_FIND,
    .least_words = 1,
    .most_words = 1,
    .take_words = take_pattern,
    .print = print,
    .json_list = "found",
};
