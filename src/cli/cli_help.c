#include "cli/cli_internal.h"

#include <stdio.h>
#include <string.h>

static const char introduction[] =
    "berth syncs directories to external drives, and says when it is safe to\n"
    "unplug them.\n";

static const char common_options[] =
    "  --config FILE     instead of ~/.config/berth/berth.conf (BERTH_CONFIG)\n"
    "  --state-dir DIR   instead of ~/.local/state/berth (BERTH_STATE_DIR)\n"
    "  --json            one JSON document instead of text\n"
    "  --help            of berth, or of a command\n"
    "  --version\n";

static const char exit_codes[] =
    "Exit codes: 0 done, 1 differences or held deletes, 2 wrong usage or\n"
    "configuration, 3 some files failed, 4 refused for safety, 5 drive "
    "absent,\n"
    "6 busy, 7 drive failed or vanished, 8 interrupted, 9 not enough space.\n";

static void print_overview(void)
{
    printf("usage: berth COMMAND [ARGUMENTS] [OPTIONS]\n\n%s\n", introduction);
    for (size_t i = 0; i < cli_command_count; i++)
        printf("  %-16s  %s\n", cli_commands[i]->name,
               cli_commands[i]->summary);
    printf("\n%s\n%s", common_options, exit_codes);
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
    printf("\n%s", common_options);
}
