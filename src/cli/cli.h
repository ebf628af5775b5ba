/*
 * The command line: words in, a command for the engine; events in, lines out.
 *
 *     cli.c          the table of commands, parsing
 *     cli_run.c      posts the command and prints until it is done
 *     cli_ask.c      questions at a terminal
 *     cli_help.c     --help, from the table
 *     cli_text.c     lines for people and logs
 *     cli_log.c      journal and syslog
 *     cli_json.c     documents for programs
 *     command_*.c    one family of commands each
 *
 * Messages go to stderr, results to stdout.
 */
#ifndef BERTH_CLI_H
#define BERTH_CLI_H

#include "core/base/error.h"
#include "core/engine.h"

#include <stdbool.h>

struct cli_command;

/* What the words on the command line say. */
struct cli_invocation {
    const struct cli_command *command; /* NULL: --help or --version only */
    struct command *request;           /* for the engine; owned */
    char *config_path;                 /* NULL: the default */
    char *state_directory;
    bool json;
    bool show_help, show_version;
};

void cli_invocation_release(struct cli_invocation *invocation);

/* ERR_INVALID with what is wrong and what would be right. */
err_code cli_parse(int argc, char *const *argv, struct cli_invocation *out,
                   struct error *err) MUST_CHECK;

/* `berth demo`: to be played by main. The request's names are the words of a
 * command to run there; none: the screen. */
bool cli_is_demo(const struct cli_invocation *invocation);

void cli_print_help(const struct cli_command *command);

/*
 * Posts the request, prints its events and returns the exit code.
 * `signal_fd` delivers one byte for each SIGINT, SIGTERM or SIGHUP: the first
 * asks the engine to stop, the second leaves at once.
 */
int cli_run(struct cli_invocation *invocation, struct engine *engine,
            int signal_fd);

/*
 * The exit code when what was printed has got out, as it should be known
 * before the program ends; else the reason on stderr, and 3 unless the code is
 * a worse one.
 */
int cli_finish_output(int exit_code);

#endif
