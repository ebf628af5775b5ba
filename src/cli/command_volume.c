#include "cli/cli_internal.h"

#include "core/base/quantity.h"

#include <jansson.h>
#include <string.h>

/* --- what is on a read-only volume --- */

static void add_count(struct strbuf *out, int64_t count, const char *words)
{
    char number[QUANTITY_SIZE];

    if (count)
        strbuf_addf(out, ", %s %s", format_count(count, number), words);
}

static void print_contents(struct cli_output *output, const struct event *event)
{
    const struct contents_info *info = &event->contents;
    CLEANUP(strbuf_release) struct strbuf words = STRBUF_INIT;
    char files[QUANTITY_SIZE], bytes[QUANTITY_SIZE];

    if (output->json) {
        cli_json_add(
            output, "contents",
            json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "volume",
                      event->volume, "files", (json_int_t)info->files, "new",
                      (json_int_t)info->added, "changed",
                      (json_int_t)info->changed, "gone", (json_int_t)info->gone,
                      "failed", (json_int_t)info->failed, "bytes",
                      (json_int_t)info->bytes, "seconds",
                      (double)info->duration_ns / 1e9));
        return;
    }
    add_count(&words, info->added, "new");
    add_count(&words, info->changed, "changed");
    add_count(&words, info->gone, "gone");
    add_count(&words, info->failed, "could not be read");
    cli_print(output, "%s: %s as %s to stay%s; %s read\n", event->volume,
              format_things(info->files, "file", files),
              plural(info->files, "it is", "they are"),
              words.length ? words.text : ", nothing new",
              format_bytes(info->bytes, bytes));
}

static void print_added(struct cli_output *output, struct event *event)
{
    if (event->kind == EVENT_CONTENTS)
        print_contents(output, event);
    else if (event->kind == EVENT_FINDING)
        cli_print_finding(output, event);
}

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
        "is mounted next time. A volume that another machine knows is joined.\n"
        "read-only: no job writes to it. Its files are read once, and their\n"
        "hashes recorded: `berth verify` tells what changed since, and `berth\n"
        "volume refresh` accepts it.",
    .kind = COMMAND_VOLUME_ADD,
    .least_words = 1,
    .most_words = 1,
    .options = add_options,
    .take_words = take_path,
    .check = check_add,
    .print = print_added,
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

const struct cli_command cli_volume_refresh = {
    .name = "volume refresh",
    .arguments = "NAME…",
    .summary = "Accept the files of a read-only volume as they are now",
    .details =
        "What is new or changed is read and its hash recorded, what is gone "
        "is\n"
        "forgotten; `berth verify` compares with that. Nothing is written to\n"
        "the volume. Look at the changes with `berth verify NAME` first.",
    .kind = COMMAND_VOLUME_REFRESH,
    .least_words = 1,
    .most_words = 1000,
    .print = print_added,
    .json_list = "contents",
};
