#include "cli/cli_internal.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"

#include <jansson.h>
#include <string.h>

err_code cli_take_places(struct command *request, const struct cli_words *words,
                         struct error *err)
{
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i];
        size_t name = strcspn(word, "/:");
        bool is_on_volume = name && !strncmp(word + name, ":/", 2);
        CLEANUP_FREE char *path = is_on_volume ? NULL : cli_absolute(word);
        command_add_name(request, path ? path : word);
    }
    return ERR_OK;
}

static const char *describe_reason(const struct version_info *info)
{
    if (info->is_present)
        return info->is_missing ? "recorded" : "on the drive";
    switch (info->reason) {
    case VERSION_REPLACED:
        return "replaced";
    case VERSION_DELETED:
        return "deleted";
    case VERSION_FOREIGN:
        return "not berth's";
    }
    return "?";
}

static const char *json_reason(const struct version_info *info)
{
    if (info->is_present)
        return "present";
    return info->reason == VERSION_REPLACED  ? "replaced"
           : info->reason == VERSION_DELETED ? "deleted"
                                             : "foreign";
}

static void print_version(struct cli_output *output, const struct event *event)
{
    const struct version_info *info = &event->version;
    char size[QUANTITY_SIZE] = "?", copied[32] = "?", until[32];

    if (info->size_bytes >= 0)
        format_bytes(info->size_bytes, size);
    if (info->committed_ns)
        clock_format_minute(info->committed_ns, copied, sizeof copied);
    cli_print(output, "%s: %s  %s  %-12s %10s  copied %s", event->job,
              cli_name(event->path), event->volume, describe_reason(info), size,
              copied);
    if (!info->is_present) {
        clock_format_minute(info->created_ns, until, sizeof until);
        cli_print(output, ", there until %s (run %lld)", until,
                  (long long)info->run);
    }
    cli_print(output, "%s\n", info->is_missing ? ", GONE from it" : "");
}

static json_t *version_to_json(const struct event *event)
{
    const struct version_info *info = &event->version;
    json_t *size = info->size_bytes < 0
                       ? json_null()
                       : json_integer((json_int_t)info->size_bytes);

    return json_pack(
        "{s:s, s:s, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:I, s:o}",
        "volume", event->volume, "job", event->job, "path",
        cli_json_path(event->path), "state", json_reason(info), "missing",
        info->is_missing, "size_bytes", size, "modified",
        cli_json_time(info->mtime_ns), "copied",
        cli_json_time(info->committed_ns), "verified",
        cli_json_time(info->verified_ns), "until",
        cli_json_time(info->created_ns), "run", (json_int_t)info->run, "stored",
        cli_json_path(event->text));
}

void cli_print_version(struct cli_output *output, const struct event *event)
{
    if (output->json)
        cli_json_add(output, "versions", version_to_json(event));
    else
        print_version(output, event);
}

static void print(struct cli_output *output, struct event *event)
{
    if (event->kind == EVENT_VERSION)
        cli_print_version(output, event);
}

const struct cli_command cli_versions = {
    .name = "versions",
    .arguments = "PATH|VOLUME:/PATH",
    .summary =
        "The copies that are kept of a file, or of all below a directory",
    .details =
        "What was replaced or deleted on a drive is kept there for as long as\n"
        "the job's `versions` says (30d). `berth restore PATH --at TIME` "
        "gives\n"
        "back what was there between \"copied\" and \"until\". The drive may "
        "be\n"
        "away.",
    .kind = COMMAND_VERSIONS,
    .least_words = 1,
    .most_words = 1,
    .take_words = cli_take_places,
    .print = print,
    .json_list = "versions",
};
