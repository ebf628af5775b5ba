/*
 * berth: syncs directories to external drives, and says when it is safe to
 * unplug them.
 *
 * A tour of the house, from the door down. Each room knows only the ones
 * below it; `make check` proves that.
 *
 *   src/main.c         here: builds everything in this order, tears it down in
 *                      reverse
 *   src/ui/            the screen: events -> a model -> pictures; keys ->
 * commands src/cli/           words of the command line -> a command; events ->
 * lines src/core/          the sync engine engine           the facade:
 * commands in, events out, a task per command task_*           what each
 * command does, from configuration to report config*          the configuration
 * file; edits keep comments volume, marker   which drive is this, and is it
 * still that one compare*, diff   source, catalogue and drive side by side -> a
 * plan scan, filter, names   directories, what a job takes, names across
 * systems guard            may we: delete cap, sources that are not there,
 * space order, execute*  a plan -> steps -> batches: stage, barrier, record,
 *                      rename, barrier, commit
 *     stage, copy, sqlite_*  files into staging; databases as snapshots
 *     apply            the only code that changes final names on a drive
 *     session, recover what an interrupted run left, and how it is repaired
 *     catalogue, journal, history, db   one SQLite file per volume
 *     verify           reading back
 *     fsops            every mutation of a volume, below one descriptor
 *   src/core/base/     strings, arenas, errors, threads, time
 *   src/platform/      what the system has to do for us; implemented in
 *                      linux/, macos/ and practice/, chosen by the linker
 *
 * Where to start reading: core/plan.h says what a sync consists of, then
 * core/execute.c how it is done, then core/recover.c what happens when the
 * plug is pulled. docs/design.md has the decisions and their measurements.
 */
#include "cli/cli.h"
#include "core/base/path.h"
#include "core/sqlite_copy.h"
#include "platform/platform.h"
#include "platform/platform_host.h"
#include "ui/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int signal_pipe[2] = {-1, -1};

static void pass_signal_on(int number)
{
    int saved = errno;
    char byte = (char)number;

    if (write(signal_pipe[1], &byte, 1) < 0) {
        /* The pipe is full: somebody has been told often enough. */
    }
    errno = saved;
}

/* The screen pauses what runs before it lets itself be stopped; a command is
 * stopped as any other. */
static err_code watch_signals(bool for_screen, struct error *err)
{
    static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
    static const int pausing[] = {SIGTSTP, SIGCONT};
    struct sigaction action = {.sa_handler = pass_signal_on,
                               .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (pipe(signal_pipe) || fcntl(signal_pipe[0], F_SETFD, FD_CLOEXEC) ||
        fcntl(signal_pipe[1], F_SETFD, FD_CLOEXEC) ||
        fcntl(signal_pipe[0], F_SETFL, O_NONBLOCK) ||
        fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK))
        return error_set_errno(err, errno, "cannot create a pipe");
    for (size_t i = 0; i < COUNT_OF(stopping); i++)
        sigaction(stopping[i], &action, NULL);
    for (size_t i = 0; for_screen && i < COUNT_OF(pausing); i++)
        sigaction(pausing[i], &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL); /* a write that fails says so */
    return ERR_OK;
}

static err_code find_paths(struct cli_invocation *invocation, char **out_home,
                           struct error *err)
{
    CLEANUP_FREE char *config = NULL;
    err_code code = platform_home_directory(out_home, err);

    if (!code && !invocation->config_path) {
        code = platform_config_directory(&config, err);
        if (!code)
            invocation->config_path = path_join(config, "berth.conf");
    }
    if (!code && !invocation->state_directory)
        code = platform_state_directory(&invocation->state_directory, err);
    return code;
}

static int use(struct cli_invocation *invocation, struct engine *engine)
{
    const struct ui_options options = {
        .engine = engine,
        .signal_fd = signal_pipe[0],
        .has_mouse = true,
    };

    if (invocation->command)
        return cli_run(invocation, engine, signal_pipe[0]);
    return ui_run(&options);
}

static err_code run(struct cli_invocation *invocation, int *out_exit,
                    struct error *err)
{
    CLEANUP_FREE char *home = NULL;
    struct platform *platform = NULL;
    struct engine *engine = NULL;
    err_code code = watch_signals(!invocation->command, err);

    if (!code)
        code = find_paths(invocation, &home, err);
    if (!code)
        code = platform_new(&platform, err);
    if (!code) {
        const struct engine_options options = {
            .platform = platform,
            .config_path = invocation->config_path,
            .state_directory = invocation->state_directory,
            .home = home,
        };
        code = engine_new(&options, &engine, err);
    }
    if (!code)
        *out_exit = use(invocation, engine);
    engine_free(engine);
    platform_free(platform);
    return code;
}

static int fail(err_code code, const struct error *err)
{
    fprintf(stderr, "berth: %s\n", err->message);
    return (int)outcome_of(code);
}

/* The screen is for a person at a terminal; a script gets the help. */
static bool has_screen(const struct cli_invocation *invocation)
{
    return !invocation->command && isatty(STDIN_FILENO) &&
           isatty(STDOUT_FILENO);
}

int main(int argc, char **argv)
{
    CLEANUP(cli_invocation_release)
    struct cli_invocation invocation = {.command = NULL};
    struct error err = ERROR_INIT;
    int exit_code = 0;

    setlocale(LC_ALL, "");
    if (argc > 1 && !strcmp(argv[1], SQLITE_COPY_COMMAND))
        return sqlite_copy_helper_main(argc, argv);
    err_code code = cli_parse(argc, argv, &invocation, &err);
    if (code)
        return fail(code, &err);
    if (invocation.show_version) {
        puts("berth " BERTH_VERSION);
        return 0;
    }
    if (invocation.show_help ||
        (!invocation.command && !has_screen(&invocation))) {
        cli_print_help(invocation.command);
        return 0;
    }
    code = run(&invocation, &exit_code, &err);
    return code ? fail(code, &err) : exit_code;
}
