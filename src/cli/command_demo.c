#include "cli/cli_internal.h"

/* main plays it: there is no engine yet that could be asked for it. */
const struct cli_command cli_demo = {
    .name = "demo",
    .arguments = "[-- COMMAND…]",
    .summary = "A sandbox with drives of paper: see every screen, unplug "
               "nothing",
    .details =
        "Starts on sample files and practice drives, away from your own\n"
        "configuration and files, and removes all of it at the end. Drives\n"
        "come and go, are busy, and are ejected; every verdict says that it\n"
        "is practice. With a command, runs that one there: berth demo -- sync\n"
        "--eject. Without a terminal it shows what there is and the diff.",
    .kind = COMMAND_RESCAN,
    .most_words = 1000,
};

bool cli_is_demo(const struct cli_invocation *invocation)
{
    return invocation->command == &cli_demo;
}
