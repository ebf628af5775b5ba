#include "cli/cli_internal.h"

#include "core/base/quantity.h"

#include <jansson.h>

static err_code set_at(struct command *request, const char *value,
                       struct error *err)
{
    request->at = xstrdup(value);
    return ERR_OK;
}

static err_code set_to(struct command *request, const char *value,
                       struct error *err)
{
    request->to = cli_absolute(value);
    return ERR_OK;
}

static err_code set_replace(struct command *request, const char *value,
                            struct error *err)
{
    request->replace = true;
    return ERR_OK;
}

static err_code set_trust(struct command *request, const char *value,
                          struct error *err)
{
    request->trust = true;
    return ERR_OK;
}

static const struct cli_option options[] = {
    {"--at", "TIME", "as of then: 2026-11-20, \"2026-11-20 14:00\", 3d, a run",
     set_at},
    {"--to", "DIR", "into this directory, not where it came from", set_to},
    {"--replace", NULL, "in the place of what is there, which is kept",
     set_replace},
    {"--trust", NULL,
     "owners, setuid and attributes also from other hosts' rows", set_trust},
    {0},
};

static const char *describe_how(enum restore_how how)
{
    switch (how) {
    case RESTORE_PLACED:
        return "restored";
    case RESTORE_SAME:
        return "there already";
    case RESTORE_BESIDE:
        return "restored beside what is there";
    case RESTORE_REPLACED:
        return "restored, what was there is kept beside it";
    }
    return "?";
}

static const char *json_how(enum restore_how how)
{
    static const char *const names[] = {
        [RESTORE_PLACED] = "placed",
        [RESTORE_SAME] = "same",
        [RESTORE_BESIDE] = "beside",
        [RESTORE_REPLACED] = "replaced",
    };

    return names[how];
}

static void print_restored(struct cli_output *output, const struct event *event)
{
    cli_print(output, "%s  (%s%s)\n", cli_name(event->text),
              describe_how(event->restore.how),
              event->restore.is_older ? ", an older version" : "");
}

static void print_done(struct cli_output *output, const struct event *event)
{
    const struct restore_info *info = &event->restore;
    char count[QUANTITY_SIZE], bytes[QUANTITY_SIZE];

    cli_print(output, "%s restored, %s\n",
              format_things(info->files - info->same, "file", count),
              format_bytes(info->bytes, bytes));
    if (info->same)
        cli_print(output, "  %s there already, with the same content\n",
                  format_count(info->same, count));
    if (info->beside)
        cli_print(output, "  %s beside what is there: named above\n",
                  format_count(info->beside, count));
    if (info->kept)
        cli_print(output, "  %s replaced something, which is kept beside it\n",
                  format_count(info->kept, count));
    if (info->refused)
        cli_print(output, "  %s refused: named above\n",
                  format_things(info->refused, "file", count));
    if (info->failed)
        cli_print(output, "  %s with a failure: named above\n",
                  format_count(info->failed, count));
}

static json_t *done_to_json(const struct event *event)
{
    const struct restore_info *info = &event->restore;

    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "files",
                     (json_int_t)info->files, "bytes", (json_int_t)info->bytes,
                     "same", (json_int_t)info->same, "beside",
                     (json_int_t)info->beside, "replaced",
                     (json_int_t)info->kept, "failed", (json_int_t)info->failed,
                     "refused", (json_int_t)info->refused);
}

static void print_json(struct cli_output *output, const struct event *event)
{
    if (event->kind == EVENT_RESTORE_DONE)
        cli_json_add(output, "totals", done_to_json(event));
    else if (event->kind == EVENT_RESTORED)
        cli_json_add(output, "files",
                     json_pack("{s:s, s:s, s:o, s:o, s:s, s:b}", "volume",
                               event->volume, "job", event->job, "path",
                               cli_json_path(event->path), "to",
                               cli_json_path(event->text), "how",
                               json_how(event->restore.how), "older",
                               event->restore.is_older));
    else if (event->kind == EVENT_FILE_FAILED)
        cli_json_add(output, "files",
                     json_pack("{s:s, s:s, s:o, s:s, s:s}", "volume",
                               event->volume, "job", event->job, "path",
                               cli_json_path(event->path), "how", "failed",
                               "reason", event->text));
}

static void print(struct cli_output *output, struct event *event)
{
    if (output->json)
        print_json(output, event);
    else if (event->kind == EVENT_RESTORED)
        print_restored(output, event);
    else if (event->kind == EVENT_FILE_FAILED)
        cli_complain(output, "%s: %s: %s: %s", event->volume, event->job,
                     cli_name(event->path), event->text);
    else if (event->kind == EVENT_RESTORE_DONE)
        print_done(output, event);
}

const struct cli_command cli_restore = {
    .name = "restore",
    .arguments = "PATH|VOLUME:/PATH…",
    .summary = "Give files back from a drive, as they are there or were once",
    .details =
        "PATH is a path in a job's source; VOLUME:/PATH one on a drive, and\n"
        "VOLUME:/ everything. Nothing is overwritten: where something else\n"
        "stands, NAME.restored-DATE comes beside it; with --replace it goes "
        "to\n"
        "NAME and what was there becomes NAME.replaced-DATE. Files that are\n"
        "there with the same content stay as they are. What is gone from the\n"
        "drive, too, comes from its versions. A day or minute means its end.\n"
        "Content is checked on the way; where a copy is rotten another one is\n"
        "taken, and the exit code is 3.",
    .kind = COMMAND_RESTORE,
    .least_words = 1,
    .most_words = 1000,
    .options = options,
    .take_words = cli_take_places,
    .print = print,
    .json_list = "files",
};
