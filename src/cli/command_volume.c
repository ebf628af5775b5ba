#include "cli/cli_internal.h"

#include "core/base/quantity.h"

#include <jansson.h>
#include <string.h>

/* --- volume add --- */

static err_code set_name(struct command *request, const char *value,
                         struct error *err)
{
    request->volume.name = xstrdup(value);
    return ERR_OK;
}

static err_code set_role(struct command *request, const char *value,
                         struct error *err)
{
    if (!strcmp(value, "backup"))
        request->volume.role = VOLUME_BACKUP;
    else if (!strcmp(value, "read-only"))
        request->volume.role = VOLUME_READ_ONLY;
    else
        return error_set(err, ERR_INVALID,
                         "--role %s: use \"backup\" or \"read-only\"", value);
    return ERR_OK;
}

static err_code set_folder(struct command *request, const char *value,
                           struct error *err)
{
    request->is_folder = true;
    return ERR_OK;
}

static err_code take_path(struct command *request,
                          const struct cli_words *words, struct error *err)
{
    request->path = xstrdup(words->items[0]);
    return ERR_OK;
}

static err_code check_add(const struct command *request, struct error *err)
{
    if (request->volume.name)
        return ERR_OK;
    return error_set(err, ERR_INVALID,
                     "a volume needs a name: berth volume add %s --name NAME",
                     request->path);
}

static const struct cli_option add_options[] = {
    {"--name", "NAME", "what the volume is called from now on", set_name},
    {"--role", "ROLE", "backup (the default) or read-only", set_role},
    {"--folder", NULL, "take a plain directory (network share, test)",
     set_folder},
    {0},
};

static void print_nothing(struct cli_output *output, struct event *event)
{
}

const struct cli_command cli_volume_add = {
    .name = "volume add",
    .arguments = "PATH",
    .summary = "Make a mounted volume known: a marker on it, an entry in the "
               "configuration",
    .details =
        "PATH is where the volume is mounted. berth writes a small directory\n"
        ".berth to it, with a random id by which it is recognised wherever it\n"
        "is mounted next time. A volume that another machine knows is joined.",
    .kind = COMMAND_VOLUME_ADD,
    .least_words = 1,
    .most_words = 1,
    .options = add_options,
    .take_words = take_path,
    .check = check_add,
    .print = print_nothing,
};

/* --- volume list --- */

static json_t *volume_to_json(const struct event *event)
{
    const struct volume_info *info = &event->volume_info;

    return json_pack("{s:s, s:s, s:s, s:b, s:b, s:s?, s:s?, s:I, s:I, s:s?}",
                     "name", event->volume, "id", info->id, "role",
                     info->role == VOLUME_BACKUP ? "backup" : "read-only",
                     "folder", info->is_folder, "attached", info->is_attached,
                     "mount_point", info->mount_point, "filesystem",
                     info->family, "total_bytes", (json_int_t)info->total_bytes,
                     "free_bytes", (json_int_t)info->free_bytes, "problem",
                     info->problem);
}

static void print_volume(struct cli_output *output, struct event *event)
{
    const struct volume_info *info = &event->volume_info;
    char total[QUANTITY_SIZE], free_space[QUANTITY_SIZE];

    if (output->json) {
        cli_json_add(output, "volumes", volume_to_json(event));
        return;
    }
    if (info->problem) {
        cli_print(output, "%-16s  %s\n", event->volume, info->problem);
    } else if (!info->is_attached) {
        cli_print(output, "%-16s  away\n", event->volume);
    } else {
        cli_print(output, "%-16s  %-8s  %8s of %8s free  %s%s%s\n",
                  event->volume, info->family,
                  format_bytes(info->free_bytes, free_space),
                  format_bytes(info->total_bytes, total), info->mount_point,
                  info->role == VOLUME_READ_ONLY ? "  read-only" : "",
                  info->is_folder ? "  folder: known by its path" : "");
    }
}

const struct cli_command cli_volume_list = {
    .name = "volume list",
    .arguments = "",
    .summary = "Known volumes, attached or away",
    .kind = COMMAND_VOLUME_LIST,
    .print = print_volume,
    .json_list = "volumes",
};

const struct cli_command cli_volume_forget = {
    .name = "volume forget",
    .arguments = "NAME",
    .summary = "Remove a volume from the configuration; the drive stays as it "
               "is",
    .kind = COMMAND_VOLUME_FORGET,
    .least_words = 1,
    .most_words = 1,
    .print = print_nothing,
};
