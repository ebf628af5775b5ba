#include "cli/cli_internal.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

struct running {
    struct engine *engine;
    int signal_fd;
    int signals;
    struct cli_output output;
    bool is_done;
    int exit_code;
};

static void finish(struct running *running, const struct event *done)
{
    running->is_done = true;
    running->exit_code = (int)done->outcome;
    cli_end_progress(&running->output);
    if (running->output.json)
        cli_json_end(&running->output, done);
    else if (done->text)
        cli_complain_error(&running->output, done->text);
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

int cli_run(struct cli_invocation *invocation, struct engine *engine,
            int signal_fd)
{
    struct running running = {
        .engine = engine,
        .signal_fd = signal_fd,
        .output = {.invocation = invocation,
                   .json = invocation->json,
                   .log = cli_log_of(invocation),
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
    if (fflush(stdout) && !running.exit_code)
        running.exit_code = OUTCOME_FAILED_FILES; /* nobody got the answer */
    cli_log_end(&running.output, running.exit_code);
    return running.exit_code;
}
