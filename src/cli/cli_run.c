#include "cli/cli_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct running {
    struct engine *engine;
    int signal_fd;
    int signals;
    struct cli_output output;
    bool is_done;
    int exit_code;
};

/* True: there is more to do, and it was posted. */
static bool go_on(struct running *running, const struct event *done)
{
    struct cli_output *output = &running->output;
    const struct cli_command *command = output->invocation->command;
    struct command *next = output->asks && command->next && !running->signals
                               ? command->next(output, done)
                               : NULL;

    if (next)
        engine_post(running->engine, next);
    return next != NULL;
}

static void finish(struct running *running, const struct event *done)
{
    running->exit_code = (int)done->outcome;
    cli_end_progress(&running->output);
    if (running->output.json)
        cli_json_end(&running->output, done);
    else if (done->text)
        cli_complain_error(&running->output, done->text);
    running->is_done = !go_on(running, done);
    if (running->output.was_interrupted)
        running->exit_code = OUTCOME_INTERRUPTED;
}

static void handle_event(struct running *running, struct event *event)
{
    struct cli_output *output = &running->output;

    switch (event->kind) {
    case EVENT_PROGRESS:
        cli_show_progress(output, event);
        break;
    case EVENT_MESSAGE:
        cli_complain(output, "%s", event->text);
        break;
    case EVENT_DONE:
        finish(running, event);
        break;
    default:
        output->invocation->command->print(output, event);
        break;
    }
}

static void drain_events(struct running *running)
{
    struct event *event;

    while ((event = engine_next(running->engine))) {
        handle_event(running, event);
        event_free(event);
    }
}

static void handle_signals(struct running *running)
{
    char bytes[16];
    ssize_t got = read(running->signal_fd, bytes, sizeof bytes);

    if (got <= 0)
        return;
    running->signals += (int)got;
    if (running->signals > 1) {
        /* At once: what is under way is repaired by the next run. */
        cli_end_progress(&running->output);
        _exit(OUTCOME_INTERRUPTED);
    }
    cli_complain(&running->output,
                 "stopping at the next clean boundary; once more to leave at "
                 "once");
    engine_stop(running->engine);
}

/* Whoever reads a pipe may have enough: `berth find x | head`. */
static bool is_pipe(int fd)
{
    struct stat found;

    return !fstat(fd, &found) && S_ISFIFO(found.st_mode);
}

int cli_finish_output(int exit_code)
{
    int failed = fflush(stdout) ? errno : 0;

    if (!failed && !ferror(stdout))
        return exit_code;
    if (!is_pipe(STDOUT_FILENO))
        fprintf(stderr, "berth: cannot write the output%s%s\n",
                failed ? ": " : "", failed ? strerror(failed) : "");
    return (int)outcome_worse((enum outcome)exit_code, OUTCOME_FAILED_FILES);
}

int cli_run(struct cli_invocation *invocation, struct engine *engine,
            int signal_fd)
{
    struct running running = {
        .engine = engine,
        .signal_fd = signal_fd,
        .output = {.invocation = invocation,
                   .json = invocation->json,
                   .log = cli_log_of(invocation),
                   .asks = !invocation->json && invocation->request->dry_run &&
                           isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
                   .signal_fd = signal_fd,
                   .progress_is_shown =
                       !invocation->json && isatty(STDERR_FILENO)},
    };

    if (running.output.json)
        cli_json_begin(&running.output);
    engine_post(engine, TAKE_PTR(invocation->request));
    while (!running.is_done) {
        struct pollfd fds[] = {
            {.fd = engine_wake_fd(engine), .events = POLLIN},
            {.fd = signal_fd, .events = POLLIN},
        };
        if (poll(fds, COUNT_OF(fds), -1) < 0 && errno != EINTR)
            die("cannot wait for events: errno %d", errno);
        if (fds[1].revents)
            handle_signals(&running);
        drain_events(&running);
    }
    running.exit_code = cli_finish_output(running.exit_code);
    for (size_t i = 0; i < running.output.talk.count; i++)
        free(running.output.talk.items[i]);
    free(running.output.talk.items);
    cli_log_end(&running.output, running.exit_code);
    return running.exit_code;
}
