#include "cli/cli_internal.h"

#include "core/base/array.h"
#include "core/base/path.h"

#include <jansson.h>
#include <stdlib.h>

static err_code set_yes(struct command *request, const char *value,
                        struct error *err)
{
    request->dry_run = false;
    return ERR_OK;
}

static const struct cli_option options[] = {
    {"--yes", NULL, "do it all, without a question", set_yes},
    {0},
};

/* Called before the options are taken: what is said is not done. */
static void only_say(struct command *request)
{
    request->dry_run = true;
}

/* --- asking a person: what was suggested, then more jobs --- */

enum stage {
    STAGE_SAYING,  /* suggestions come; asked about when all are here */
    STAGE_DOING,   /* those that were wanted */
    STAGE_ADDING,  /* jobs that nobody suggested */
    STAGE_SHOWING, /* the first diff */
};

static struct command *show_diff(struct cli_output *output)
{
    output->talk.stage = STAGE_SHOWING;
    cli_print(output,
              "\nThis is what the first `berth sync` does. Nothing was copied "
              "yet.\n");
    return command_new(COMMAND_DIFF);
}

/* As if it had been typed; NULL: and that was wrong. */
static struct command *parse_job(struct cli_output *output, char *name,
                                 char *source, char *target, char *mode)
{
    CLEANUP(cli_invocation_release)
    struct cli_invocation typed = {.command = NULL};
    struct error err = ERROR_INIT;
    char words[][9] = {"berth",    "job",    "add", "--source",
                       "--target", "--mode", "--"};
    char *const argv[] = {words[0], words[1], words[2], words[3],
                          source,   words[4], target,   words[5],
                          mode,     words[6], name};

    if (cli_parse(COUNT_OF(argv), argv, &typed, &err)) {
        cli_complain(output, "%s", err.message);
        return NULL;
    }
    return TAKE_PTR(typed.request);
}

static void use_default(char **answer, const char *value)
{
    if (!*answer || **answer)
        return;
    free(*answer);
    *answer = xstrdup(value);
}

/* NULL: no more. */
static struct command *ask_for_job(struct cli_output *output)
{
    struct command *job = NULL;

    while (!job) {
        CLEANUP_FREE char *source = cli_ask(
            output, "A directory to copy, besides these (Enter: no more): ");
        if (!source || !*source)
            return NULL;
        CLEANUP_FREE char *target =
            cli_ask(output, "  where to, as in VOLUME:/DIRECTORY: ");
        CLEANUP_FREE char *mode =
            cli_ask(output, "  mirror (deletes follow, and are kept as "
                            "versions), update (nothing is deleted) or move "
                            "(local files go) [mirror]: ");
        CLEANUP_FREE char *name = cli_ask(
            output,
            "  what the job is called [%s]: ", cli_name(path_name(source)));
        use_default(&mode, "mirror");
        use_default(&name, path_name(source));
        if (!target || !mode || !name)
            return NULL;
        job = parse_job(output, name, source, target, mode);
    }
    return job;
}

static struct command *ask_for_more(struct cli_output *output)
{
    struct command *job = ask_for_job(output);

    output->talk.stage = STAGE_ADDING;
    return job ? job : show_diff(output);
}

/* What is not wanted goes into the names of the command. */
static struct command *ask_about_all(struct cli_output *output)
{
    struct command *command = command_new(COMMAND_INIT);
    size_t count = output->talk.count;
    bool is_over = false;

    for (size_t i = 0; i + 1 < count && !is_over; i += 2) {
        const char *line = output->talk.items[i + 1];
        cli_print(output, "%s:\n  %s\n", cli_name(output->talk.items[i]),
                  cli_name(line));
        if (!cli_ask_yes(output, "  do that?", &is_over))
            command_add_name(command, line);
    }
    if (!is_over && command->name_count < count / 2) {
        output->talk.stage = STAGE_DOING;
        return command;
    }
    command_free(command);
    return is_over ? NULL : ask_for_more(output);
}

static struct command *next(struct cli_output *output, const struct event *done)
{
    switch ((enum stage)output->talk.stage) {
    case STAGE_SAYING:
        /* With --yes it is done already. */
        return done->code || !output->talk.count ? NULL : ask_about_all(output);
    case STAGE_DOING:
        return done->code ? NULL : ask_for_more(output);
    case STAGE_ADDING:
        return ask_for_more(output);
    case STAGE_SHOWING:
        break;
    }
    return NULL;
}

/* --- saying --- */

static void print_suggestion(struct cli_output *output, struct event *event)
{
    if (output->json) {
        cli_json_add(output, "suggestions",
                     json_pack("{s:o, s:o}", "why", cli_json_path(event->path),
                               "command", cli_json_path(event->text)));
        return;
    }
    if (output->talk.stage == STAGE_DOING)
        return; /* they were said */
    if (output->asks) {
        ARRAY_PUSH(&output->talk, TAKE_PTR(event->path));
        ARRAY_PUSH(&output->talk, TAKE_PTR(event->text));
        return;
    }
    cli_print(output, "# %s\n%s\n", cli_name(event->path),
              cli_name(event->text));
}

static void print(struct cli_output *output, struct event *event)
{
    if (event->kind == EVENT_SUGGESTION)
        print_suggestion(output, event);
    else if (event->kind == EVENT_PLAN)
        cli_print_diff(output, event);
}

const struct cli_command cli_init = {
    .name = "init",
    .arguments = "",
    .summary = "The first run without the screen: drives and jobs to start "
               "from",
    .details =
        "Looks for attached drives that berth does not know, and for rsync\n"
        "lines in the crontabs and the scripts they call, and says by which\n"
        "commands they become volumes and jobs. At a terminal it asks about\n"
        "each, then for more directories, and shows the first diff; with\n"
        "--yes it does all of it, in a pipe it only says it. Nothing is\n"
        "copied before `berth sync`.",
    .kind = COMMAND_INIT,
    .options = options,
    .prepare = only_say,
    .print = print,
    .next = next,
    .json_list = "suggestions",
};
