#include "cli/cli_internal.h"

#include "core/base/quantity.h"

#include <jansson.h>

static err_code set_free(struct command *request, const char *value,
                         struct error *err)
{
    if (!config_parse_bytes(value, &request->free_bytes) ||
        request->free_bytes < 1)
        return error_set(err, ERR_INVALID,
                         "--free %s: give a size such as 40G or 500M", value);
    return ERR_OK;
}

static err_code set_dry_run(struct command *request, const char *value,
                            struct error *err)
{
    request->dry_run = true;
    return ERR_OK;
}

static const struct cli_option options[] = {
    {"--free", "SIZE", "the oldest ones, too, until so much is free", set_free},
    {"--dry-run", NULL, "say what would go, remove nothing", set_dry_run},
    {0},
};

static json_t *pruned_to_json(const struct event *event)
{
    const struct prune_info *info = &event->prune;
    json_t *free_bytes = info->free_bytes < 0
                             ? json_null()
                             : json_integer((json_int_t)info->free_bytes);

    return json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "volume",
                     event->volume, "dry_run", info->is_dry_run, "pruned",
                     (json_int_t)info->files, "bytes", (json_int_t)info->bytes,
                     "kept", (json_int_t)info->left_files, "kept_bytes",
                     (json_int_t)info->left_bytes, "without_rule",
                     (json_int_t)info->unruled_files, "free_bytes", free_bytes);
}

void cli_print_pruned(struct cli_output *output, const struct event *event)
{
    const struct prune_info *info = &event->prune;
    char count[QUANTITY_SIZE], bytes[QUANTITY_SIZE];
    char left[QUANTITY_SIZE], left_bytes[QUANTITY_SIZE];

    if (output->json) {
        cli_json_add(output, "volumes", pruned_to_json(event));
        return;
    }
    cli_print(output, "%s: %s %s, %s; %s kept, %s", event->volume,
              format_things(info->files, "version", count),
              info->is_dry_run ? "would go" : "pruned",
              format_bytes(info->bytes, bytes),
              format_count(info->left_files, left),
              format_bytes(info->left_bytes, left_bytes));
    if (info->free_bytes >= 0 && !info->is_dry_run)
        cli_print(output, "; %s free", format_bytes(info->free_bytes, bytes));
    cli_print(output, "\n");
    if (info->unruled_files)
        cli_print(output,
                  "  %s of other jobs or hosts: not this configuration's\n",
                  format_count(info->unruled_files, count));
}

static void print(struct cli_output *output, struct event *event)
{
    if (event->kind == EVENT_VERSION)
        cli_print_version(output, event);
    else if (event->kind == EVENT_PRUNED)
        cli_print_pruned(output, event);
}

const struct cli_command cli_prune = {
    .name = "prune",
    .arguments = "[JOB|VOLUME…]",
    .summary = "Remove the versions that their job's rule does not keep",
    .details =
        "A job's `versions` is a time (\"30d\"), a number of versions of each\n"
        "file, or a size on each volume. A sync prunes at its end; this does\n"
        "only that. With --free SIZE the oldest versions go beyond the rule\n"
        "until so much is free on the volume. Nothing is pruned while deletes\n"
        "are held, or before a sync has looked at a drive that was pulled.",
    .kind = COMMAND_PRUNE,
    .most_words = 1000,
    .options = options,
    .print = print,
    .json_list = "volumes",
};
