#include "ui/ui.h"

#include "core/base/clock.h"
#include "ui/model.h"
#include "ui/screen.h"
#include "ui/term.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Events alone draw no more often than this. A key draws at once. */
#define FRAME_MS 40
/* So long may lists be worked on before keys are looked at again. */
#define WORK_MS 6
/* A terminal that is readable and gives nothing so often is none any more. */
#define EMPTY_READS 50

struct ui {
    struct engine *engine;
    struct term *term;
    struct model model;
    struct canvas canvas;
    int signal_fd;
    int64_t drawn_ns; /* monotonic */
    bool must_draw, must_draw_now, is_over, terminal_is_gone;
    int empty_reads;
};

enum { POLL_KEYS, POLL_RESIZE, POLL_ENGINE, POLL_SIGNALS, POLL_COUNT };

/* --- requests of the model -------------------------------------------------
 */

/* SIGTSTP as the system means it: the shell sees the job stop. */
static void stop_process(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL}, ours;

    sigaction(SIGTSTP, &standard, &ours);
    kill(getpid(), SIGTSTP);
    sigaction(SIGTSTP, &ours, NULL);
}

static void suspend(struct ui *ui)
{
    term_suspend(ui->term);
    stop_process();
    term_resume(ui->term);
    model_resumed(&ui->model);
}

NORETURN static void leave_at_once(struct ui *ui)
{
    /* What is under way is repaired by the next run. */
    term_free(ui->term);
    _exit(OUTCOME_INTERRUPTED);
}

static void perform(struct ui *ui, const struct request *request)
{
    uint64_t id = request->id == ID_REQUESTED ? ui->model.ids[request->role]
                                              : request->id;

    switch (request->kind) {
    case REQUEST_POST:
        model_posted(&ui->model, request->role,
                     engine_post(ui->engine, request->command));
        break;
    case REQUEST_STOP:
        engine_stop_command(ui->engine, id);
        break;
    case REQUEST_PAUSE:
    case REQUEST_GO_ON:
        engine_pause_command(ui->engine, id, request->kind == REQUEST_PAUSE);
        break;
    case REQUEST_LIMIT:
        engine_limit_command(ui->engine, id, request->amount);
        break;
    case REQUEST_SUSPEND:
        suspend(ui);
        break;
    case REQUEST_REDRAW:
        term_redraw(ui->term);
        break;
    case REQUEST_MOUSE:
        term_set_mouse(ui->term, request->on);
        break;
    case REQUEST_QUIT:
        ui->is_over = true;
        break;
    case REQUEST_LEAVE:
        leave_at_once(ui);
    }
}

static void perform_all(struct ui *ui)
{
    struct request request;

    while (model_next_request(&ui->model, &request))
        perform(ui, &request);
}

/* --- what comes in ---------------------------------------------------------
 */

/* What is left when keys have waited for long comes with the next wake-up. */
static void take_events(struct ui *ui)
{
    int64_t end_ns = clock_monotonic_ns() + WORK_MS * NS_PER_MS;
    struct event *event;

    while (clock_monotonic_ns() < end_ns && (event = engine_next(ui->engine))) {
        model_apply(&ui->model, event);
        event_free(event);
        perform_all(ui);
        ui->must_draw = true;
    }
}

static void terminal_gone(struct ui *ui)
{
    if (ui->terminal_is_gone)
        return;
    ui->terminal_is_gone = true;
    model_interrupt(&ui->model);
    perform_all(ui);
}

static void take_input(struct ui *ui, bool is_readable)
{
    struct input input;
    bool is_empty = true;

    while ((input = term_read(ui->term)).kind != INPUT_NONE) {
        is_empty = false;
        if (input.kind == INPUT_GONE)
            terminal_gone(ui);
        else
            screen_input(&ui->model, &ui->canvas, &input);
        perform_all(ui);
        ui->must_draw = ui->must_draw_now = true;
    }
    ui->empty_reads = is_readable && is_empty ? ui->empty_reads + 1 : 0;
    if (ui->empty_reads >= EMPTY_READS)
        terminal_gone(ui);
}

static void take_signals(struct ui *ui)
{
    char numbers[16];
    ssize_t got = read(ui->signal_fd, numbers, sizeof numbers);

    for (ssize_t i = 0; i < got; i++) {
        if (numbers[i] == SIGTSTP) {
            model_suspend(&ui->model);
        } else if (numbers[i] == SIGCONT) {
            term_redraw(ui->term);
        } else {
            ui->terminal_is_gone |= numbers[i] == SIGHUP;
            model_interrupt(&ui->model);
        }
        perform_all(ui);
        ui->must_draw = ui->must_draw_now = true;
    }
}

/* --- pictures --------------------------------------------------------------
 */

static void draw(struct ui *ui)
{
    int width, height;

    ui->must_draw = ui->must_draw_now = false;
    if (ui->terminal_is_gone)
        return;
    term_size(ui->term, &width, &height);
    model_set_size(&ui->model, width, height);
    canvas_reset(&ui->canvas, width, height);
    screen_draw(&ui->model, &ui->canvas);
    term_show(ui->term, &ui->canvas);
    ui->drawn_ns = clock_monotonic_ns();
}

/* Milliseconds until the next picture may be drawn. */
static int frame_wait_ms(const struct ui *ui)
{
    int64_t since_ms = (clock_monotonic_ns() - ui->drawn_ns) / NS_PER_MS;

    if (ui->must_draw_now || since_ms < 0 || since_ms >= FRAME_MS)
        return 0;
    return FRAME_MS - (int)since_ms;
}

/* --- the loop --------------------------------------------------------------
 */

static void wait_for_something(struct ui *ui, int timeout_ms)
{
    int term[TERM_FDS];

    term_fds(ui->term, term);
    struct pollfd fds[POLL_COUNT] = {
        [POLL_KEYS] = {.fd = ui->terminal_is_gone ? -1 : term[0],
                       .events = POLLIN},
        [POLL_RESIZE] = {.fd = term[1], .events = POLLIN},
        [POLL_ENGINE] = {.fd = engine_wake_fd(ui->engine), .events = POLLIN},
        [POLL_SIGNALS] = {.fd = ui->signal_fd, .events = POLLIN},
    };
    if (poll(fds, POLL_COUNT, timeout_ms) < 0 && errno != EINTR)
        die("cannot wait for events: errno %d", errno);
    model_set_time(&ui->model, clock_now_ns());
    if (fds[POLL_SIGNALS].revents)
        take_signals(ui);
    if (fds[POLL_KEYS].revents & (POLLHUP | POLLERR | POLLNVAL))
        terminal_gone(ui);
    if (!ui->terminal_is_gone &&
        (fds[POLL_KEYS].revents || fds[POLL_RESIZE].revents))
        take_input(ui, fds[POLL_KEYS].revents != 0);
    take_events(ui);
}

/* Long lists are made in slices; true when more is to be done. */
static bool work_a_little(struct ui *ui)
{
    int64_t end_ns = clock_monotonic_ns() + WORK_MS * NS_PER_MS;

    while (model_work(&ui->model)) {
        perform_all(ui);
        ui->must_draw = true;
        if (clock_monotonic_ns() >= end_ns)
            return true;
    }
    perform_all(ui);
    return false;
}

static int64_t minute_of(const struct ui *ui)
{
    return ui->model.now_ns / (60 * NS_PER_SECOND);
}

/* One wake-up, at most one picture. */
static void run_loop(struct ui *ui)
{
    while (!ui->is_over) {
        bool has_work = work_a_little(ui);
        int64_t minute = minute_of(ui);
        int wait_ms = has_work ? 0 : model_next_tick_ms(&ui->model);
        if (ui->must_draw && frame_wait_ms(ui) == 0)
            draw(ui);
        if (ui->must_draw && frame_wait_ms(ui) < wait_ms)
            wait_ms = frame_wait_ms(ui);
        if (ui->is_over)
            break;
        wait_for_something(ui, wait_ms);
        model_tick(&ui->model);
        perform_all(ui);
        ui->must_draw |= minute_of(ui) != minute;
    }
}

int ui_run(const struct ui_options *options)
{
    struct ui ui = {
        .engine = options->engine,
        .signal_fd = options->signal_fd,
        .must_draw = true,
    };
    struct error err = ERROR_INIT;

    if (term_new(&ui.term, &err)) {
        fprintf(stderr, "berth: %s\n", err.message);
        return OUTCOME_USAGE;
    }
    canvas_init(&ui.canvas, term_is_ascii(ui.term));
    model_init(&ui.model);
    model_set_time(&ui.model, clock_now_ns());
    ui.model.mouse_is_on = options->has_mouse;
    term_set_mouse(ui.term, options->has_mouse);
    model_start(&ui.model);
    perform_all(&ui);
    run_loop(&ui);
    int exit_code =
        ui.model.is_interrupted ? OUTCOME_INTERRUPTED : OUTCOME_DONE;
    model_release(&ui.model);
    canvas_release(&ui.canvas);
    term_free(ui.term);
    return exit_code;
}
