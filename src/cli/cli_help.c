#include "cli/cli_internal.h"

#include <stdio.h>
#include <string.h>

static const char introduction[] =
    "berth syncs directories to external drives, and says when it is safe to\n"
    "unplug them.\n";

const struct cli_option cli_common_options[] = {
    {"--config", "FILE", "instead of ~/.config/berth/berth.conf (BERTH_CONFIG)",
     NULL},
    {"--state-dir", "DIR", "instead of ~/.local/state/berth (BERTH_STATE_DIR)",
     NULL},
    {"--json", NULL, "one JSON document instead of text (docs/json.md)", NULL},
    {"--help", NULL, "of berth, or of a command", NULL},
    {"--version", NULL, "the version of berth", NULL},
    {0},
};

const char *const cli_exit_codes[CLI_EXIT_CODES] = {
    "done",
    "differences, held deletes or conflicts are left",
    "wrong usage or configuration",
    "some files failed, rot was found, doctor has findings",
    "refused for safety",
    "a drive is absent, unknown or not mounted",
    "busy: another program holds it",
    "a drive failed or vanished: do not trust it",
    "interrupted",
    "not enough space",
};

static void print_exit_codes(void)
{
    printf("Exit codes; of several the first in 4, 7, 9, 5, 6, 8, 3, 1:\n");
    for (int code = 0; code < CLI_EXIT_CODES; code++)
        printf("  %d  %s\n", code, cli_exit_codes[code]);
}

static void print_options(const struct cli_option *option)
{
    for (; option && option->name; option++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", option->name,
                 option->value ? " " : "", option->value ? option->value : "");
        printf("  %-24s  %s\n", left, option->help);
    }
}

static void print_overview(void)
{
    printf("usage: berth COMMAND [ARGUMENTS] [OPTIONS]\n\n%s\n", introduction);
    for (size_t i = 0; i < cli_command_count; i++)
        printf("  %-16s  %s\n", cli_commands[i]->name,
               cli_commands[i]->summary);
    printf("\n");
    print_options(cli_common_options);
    printf("\n");
    print_exit_codes();
}

void cli_print_help(const struct cli_command *command)
{
    if (!command) {
        print_overview();
        return;
    }
    printf("usage: berth %s%s%s [OPTIONS]\n\n%s.\n", command->name,
           *command->arguments ? " " : "", command->arguments,
           command->summary);
    if (command->details)
        printf("\n%s\n", command->details);
    if (command->options) {
        printf("\n");
        print_options(command->options);
    }
    printf("\n");
    print_options(cli_common_options);
}
