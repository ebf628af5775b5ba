#include "cli/cli_internal.h"

#include <stdlib.h>

static err_code set_keep(struct command *request, const char *value,
                         struct error *err)
{
    (void)err;
    free(request->path);
    request->path = cli_absolute(value);
    return ERR_OK;
}

static const struct cli_option options[] = {
    {"--keep", "DIR", "the sandbox is there, and stays; used again next time",
     set_keep},
    {0},
};

/* main plays it: there is no engine yet that could be asked for it. */
const struct cli_command cli_demo = {
    .name = "demo",
    .arguments = "[--keep DIR] [COMMAND…]",
    .summary = "A sandbox with drives of paper: see every screen, unplug "
               "nothing",
    .details =
        "Opens the screen on sample files and practice drives, away from your\n"
        "own files and configuration, and removes all of it at the end. "
        "Drives\n"
        "come and go, are busy, and are ejected; every verdict says that it\n"
        "is practice. With a command, runs that one there, as in\n"
        "`berth demo sync hdd_homelab`; without a terminal it is "
        "`diff`.\n\n"
        "With --keep nothing happens by itself, but what you append to\n"
        "DIR/control does, at once: unplug hdd, plug hdd, plug rotating,\n"
        "busy hdd_homelab - vlc film.mkv, free hdd, full hdd, fail flush hdd,\n"
        "fail writes hdd, fail reads hdd, mend hdd.",
    .kind = COMMAND_RESCAN,
    .most_words = 1000,
    .options = options,
    .rest_is_command = true,
};

bool cli_is_demo(const struct cli_invocation *invocation)
{
    return invocation->command == &cli_demo;
}
