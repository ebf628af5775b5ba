#include "cli/cli_internal.h"

#include <jansson.h>

static err_code set_yes(struct command *request, const char *value,
                        struct error *err)
{
    request->dry_run = false;
    return ERR_OK;
}

static const struct cli_option options[] = {
    {"--yes", NULL, "do it; else it is only said", set_yes},
    {0},
};

/* Called before the options are taken: what is said is not done. */
static void only_say(struct command *request)
{
    request->dry_run = true;
}

static void print_suggestion(struct cli_output *output, struct event *event)
{
    if (event->kind != EVENT_SUGGESTION)
        return;
    if (output->json)
        cli_json_add(output, "suggestions",
                     json_pack("{s:o, s:o}", "why", cli_json_path(event->path),
                               "command", cli_json_path(event->text)));
    else
        cli_print(output, "# %s\n%s\n", cli_name(event->path),
                  cli_name(event->text));
}

const struct cli_command cli_init = {
    .name = "init",
    .arguments = "",
    .summary = "The first run without the screen: drives and jobs to start "
               "from",
    .details =
        "Looks for attached drives that berth does not know, and for rsync\n"
        "lines in the crontabs and the scripts they call, and says by which\n"
        "commands they become volumes and jobs. With --yes it does that.\n"
        "Nothing is copied: `berth diff` shows what the first sync would do.",
    .kind = COMMAND_INIT,
    .options = options,
    .prepare = only_say,
    .print = print_suggestion,
    .json_list = "suggestions",
};
