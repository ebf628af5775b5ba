/*
 * berth: syncs directories to external drives, and says when it is safe to
 * unplug them.
 *
 * A tour of the house, from the door down. Each room knows only the ones
 * below it; `make check` proves that.
 *
 *   src/main.c         here: builds everything in this order, tears it down in
 *                      reverse
 *   src/ui/            events -> a model -> pictures; keys -> commands
 *   src/cli/           words of the command line -> a command; events -> lines
 *   src/core/          the sync engine
 *     engine           the facade: commands in, events out, a task per command
 *     task_*           what each command does, from configuration to report
 *     config*          the configuration file; edits keep comments
 *     volume, marker   which drive is this, and is it still that one
 *     compare*, diff   source, catalogue and drive side by side -> a plan
 *     scan, filter, names   directories, what a job takes, names across systems
 *     guard            may we: delete cap, sources that are not there, space
 *     order, halves, execute*   a plan -> steps -> batches: stage, barrier,
 *                      record, rename, barrier, commit
 *     stage, copy, sqlite_*  files into staging; databases as snapshots
 *     apply            the only code that changes final names on a drive
 *     session, recover what an interrupted run left, and how it is repaired
 *     catalogue, journal, history, db   one SQLite file per volume
 *     replica, commit_*, import  the drive alone is enough; several hosts
 *     restore, undo, prune  getting back, taking back, making room
 *     offload*         what `move` may remove from the internal disk
 *     verify           reading back
 *     nights, crons    scheduled runs and what was missed; old rsync lines
 *     fsops            every mutation of a volume, below one descriptor
 *   src/core/base/     strings, sets, arenas, errors, threads, time
 *   src/platform/      what the system has to do for us; implemented in
 *                      linux/, macos/ and practice/, chosen by the linker
 *
 * Where to start reading: core/plan.h says what a sync consists of, then
 * core/execute.c how it is done, then core/recover.c what happens when the
 * plug is pulled. docs/design.md has the decisions and their measurements.
 */
#include "cli/cli.h"
#include "core/base/path.h"
#include "core/demo.h"
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
#include <sys/resource.h>
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

/* `demo` is NULL for what is not practice. */
static err_code run(struct cli_invocation *invocation, struct demo *demo,
                    int *out_exit, struct error *err)
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
    if (!code && demo)
        code = demo_play_past(demo, engine, signal_pipe[0], err);
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

/* --- the demo --- */

/* The words behind "demo" as a command line of their own; none: the screen,
 * where there is one. */
static err_code parse_inner(const struct cli_invocation *outer,
                            struct cli_invocation *out, struct error *err)
{
    static char program[] = "berth", diff[] = "diff";
    size_t count = outer->request->name_count;
    char **words = xcalloc(count + 3, sizeof *words);
    int given = 1;

    words[0] = program;
    for (size_t i = 0; i < count; i++)
        words[given++] = outer->request->names[i];
    if (!count && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
        words[given++] = diff;
    err_code code = cli_parse(given, words, out, err);
    free(words);
    if (!code && out->command && cli_is_demo(out))
        code = error_set(err, ERR_INVALID,
                         "this is the demo already: leave `demo` out");
    else if (!code && (out->config_path || out->state_directory))
        code = error_set(err, ERR_INVALID,
                         "the demo has a configuration and a state of its own: "
                         "leave --config and --state-dir out");
    return code;
}

static err_code play_demo(const struct cli_invocation *outer, int *out_exit,
                          struct error *err)
{
    CLEANUP(cli_invocation_release)
    struct cli_invocation inner = {.command = NULL};
    struct demo *demo = NULL;
    const char *kept = outer->request->path;
    struct error left = ERROR_INIT;

    unsetenv("BERTH_CONFIG"); /* the user's own */
    unsetenv("BERTH_STATE_DIR");
    err_code code = parse_inner(outer, &inner, err);
    if (code)
        return code;
    if (inner.show_help) {
        cli_print_help(inner.command);
        return ERR_OK;
    }
    const struct demo_options options = {
        .kept_directory = kept,
        .has_surprises = !kept && !inner.command,
    };
    code = demo_new(&options, &demo, err);
    if (!code)
        code = run(&inner, demo, out_exit, err);
    if (!code && kept && !inner.command)
        fprintf(stderr, "berth: the sandbox is kept in %s\n",
                demo_directory(demo));
    if (demo_close(demo, &left))
        fprintf(stderr, "berth: %s\n", left.message);
    return code;
}

/* The program with real drives lets the one with drives of paper do it. */
static err_code start_demo(const struct cli_invocation *invocation,
                           char *const *argv, int *out_exit, struct error *err)
{
    if (!platform_is_practice())
        return demo_start_program(argv, err);
    return play_demo(invocation, out_exit, err);
}

/*
 * What is opened next would take the number of a closed stdin, stdout or
 * stderr, and be written what is meant for people: a file on the drive, or our
 * own signal pipe. Opened the wrong way round: whoever writes learns of it.
 */
static err_code fill_standard_streams(struct error *err)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};

    for (int fd = 0; fd < (int)COUNT_OF(modes); fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            return error_set_errno(err, errno, "cannot open /dev/null");
    return ERR_OK;
}

/* Most seen in a sync of 2,403 files to three drives: 43. */
#define FILES_NEEDED 128
#define FILES_WANTED 1024

/* A run that cannot open a file in its middle would have to be repaired. */
static err_code allow_enough_files(struct error *err)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return error_set_errno(err, errno, "cannot ask for the open files");
    if (limit.rlim_cur < FILES_WANTED) {
        limit.rlim_cur =
            limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
        if (setrlimit(RLIMIT_NOFILE, &limit))
            return error_set_errno(err, errno, "cannot open enough files");
    }
    if (limit.rlim_cur < FILES_NEEDED)
        return error_set(err, ERR_INVALID,
                         "at most %llu files may be open at once here, and "
                         "berth needs %d: raise the limit (`ulimit -n`, "
                         "LimitNOFILE= of a unit)",
                         (unsigned long long)limit.rlim_cur, FILES_NEEDED);
    return ERR_OK;
}

int main(int argc, char **argv)
{
    CLEANUP(cli_invocation_release)
    struct cli_invocation invocation = {.command = NULL};
    struct error err = ERROR_INIT;
    int exit_code = 0;

    if (fill_standard_streams(&err))
        return OUTCOME_FAILED_FILES; /* there is nobody to be told */
    setlocale(LC_ALL, "");
    if (argc > 1 && !strcmp(argv[1], SQLITE_COPY_COMMAND))
        return sqlite_copy_helper_main(argc, argv);
    err_code code = allow_enough_files(&err);
    if (!code)
        code = cli_parse(argc, argv, &invocation, &err);
    if (code)
        return fail(code, &err);
    if (invocation.show_version) {
        puts("berth " BERTH_VERSION);
        return cli_finish_output(0);
    }
    if (invocation.show_help ||
        (!invocation.command && !has_screen(&invocation))) {
        cli_print_help(invocation.command);
        return cli_finish_output(0);
    }
    if (invocation.command && cli_is_demo(&invocation))
        code = start_demo(&invocation, argv, &exit_code, &err);
    else
        code = run(&invocation, NULL, &exit_code, &err);
    return code ? fail(code, &err) : exit_code;
}
