#include "core/engine.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/task.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* While something runs, its progress is told this often. */
#define PROGRESS_EVERY_MS 100

/* What was asked of a command before it began. */
struct wish {
    uint64_t id;
    bool stops, is_paused;
    int64_t bandwidth;
};

struct engine {
    struct task_context context;
    char *config_path, *state_directory, *home;
    struct queue commands, events;
    _Atomic unsigned health_requests;
    _Atomic unsigned lists_of_drives;
    pthread_t thread;
    struct stop_flag quit; /* the engine goes away */
    _Atomic bool stop;     /* what runs is to stop */
    pthread_mutex_t mutex; /* guards what follows; only a queue's is below */
    uint64_t last_id;      /* posted; begun in this order */
    uint64_t begun_id;     /* the last that has a task, or had one */
    struct {
        struct wish *items;
        size_t count, capacity;
    } wishes;
    struct {
        struct task **items; /* changed by the engine thread only */
        size_t count, capacity;
    } tasks;
};

/* --- progress --- */

static struct progress read_progress(struct task *task)
{
    struct task_progress *from = &task->progress;
    struct progress progress = {
        .phase = (enum progress_phase)atomic_load(&from->phase),
        .elapsed_ns = clock_monotonic_ns() - from->started_ns,
    };

    switch (progress.phase) {
    case PHASE_SCANNING:
        progress.files_done = atomic_load(&from->compare.files);
        progress.bytes_done = atomic_load(&from->compare.bytes);
        break;
    case PHASE_COPYING:
        progress.files_done = atomic_load(&from->run.files_durable);
        progress.files_total = atomic_load(&from->run.files_total);
        progress.bytes_done = atomic_load(&from->run.bytes_durable);
        progress.bytes_total = atomic_load(&from->run.bytes_total);
        progress.bytes_written = atomic_load(&from->run.bytes_written);
        progress.files_failed = atomic_load(&from->run.files_failed);
        break;
    case PHASE_VERIFYING:
        progress.files_done = atomic_load(&from->verify.files_done);
        progress.files_total = atomic_load(&from->verify.files_total);
        progress.bytes_done = atomic_load(&from->verify.bytes_done);
        progress.bytes_total = atomic_load(&from->verify.bytes_total);
        break;
    }
    return progress;
}

static bool has_progress(const struct task *task)
{
    const struct command *command = task->command;

    switch (command->kind) {
    case COMMAND_DIFF:
    case COMMAND_SYNC:
    case COMMAND_VERIFY:
    case COMMAND_VOLUME_REFRESH:
        return true;
    case COMMAND_VOLUME_ADD: /* hashes what is there */
        return command->volume.role == VOLUME_READ_ONLY;
    default:
        return false;
    }
}

static void tell_progress(struct engine *engine)
{
    for (size_t i = 0; i < engine->tasks.count; i++) {
        struct task *task = engine->tasks.items[i];
        if (!has_progress(task) || atomic_load(&task->is_over))
            continue;
        struct event *event = task_event(task, EVENT_PROGRESS);
        event->progress = read_progress(task);
        if (event->progress.phase != PHASE_SCANNING)
            event->path = current_get(&task->progress.current);
        task_post(task, event);
    }
}

/* A list of drives that waits for news wakes nobody. */
static int wait_ms(const struct engine *engine)
{
    for (size_t i = 0; i < engine->tasks.count; i++)
        if (has_progress(engine->tasks.items[i]))
            return PROGRESS_EVERY_MS;
    return -1;
}

/* --- tasks --- */

/* The engine sleeps while nothing has progress to tell: it is woken to join. */
static void *task_main(void *argument)
{
    struct task *task = argument;

    task_run(task);
    queue_wake(task->context->commands);
    return NULL;
}

static void grant_wish(struct engine *engine, struct task *task)
{
    for (size_t i = 0; i < engine->wishes.count; i++) {
        const struct wish wish = engine->wishes.items[i];
        if (wish.id != task->command->id)
            continue;
        engine->wishes.items[i] = engine->wishes.items[--engine->wishes.count];
        atomic_store(&task->stop.paused, wish.is_paused);
        atomic_store(&task->stop.bandwidth, wish.bandwidth);
        if (wish.stops)
            task_stop(task);
        return;
    }
}

static void start_tasks(struct engine *engine)
{
    struct queue_link *link;

    while ((link = queue_pop(&engine->commands))) {
        struct task *task = task_new(&engine->context, (struct command *)link);
        mutex_lock(&engine->mutex);
        ARRAY_PUSH(&engine->tasks, task);
        engine->begun_id = task->command->id;
        grant_wish(engine, task);
        mutex_unlock(&engine->mutex);
        task->thread = thread_start(task_main, task);
    }
}

static void join_task(struct engine *engine, size_t at)
{
    struct task *task = engine->tasks.items[at];

    mutex_lock(&engine->mutex);
    engine->tasks.items[at] = engine->tasks.items[--engine->tasks.count];
    mutex_unlock(&engine->mutex);
    thread_join(task->thread);
    task_free(task);
}

static void join_finished(struct engine *engine)
{
    for (size_t i = engine->tasks.count; i-- > 0;)
        if (atomic_load(&engine->tasks.items[i]->is_over))
            join_task(engine, i);
}

static void stop_tasks(struct engine *engine)
{
    for (size_t i = 0; i < engine->tasks.count; i++)
        task_stop(engine->tasks.items[i]);
}

static void *engine_main(void *argument)
{
    struct engine *engine = argument;
    struct pollfd poll_fd = {.fd = queue_wake_fd(&engine->commands),
                             .events = POLLIN};

    while (!stop_flag_is_raised(&engine->quit)) {
        if (poll(&poll_fd, 1, wait_ms(engine)) < 0 && errno != EINTR)
            die("the engine cannot wait: errno %d", errno);
        start_tasks(engine);
        /* What was posted before the stop is started first; and starting may
         * have taken the wake of another stop. */
        while (atomic_exchange(&engine->stop, false)) {
            start_tasks(engine);
            stop_tasks(engine);
        }
        join_finished(engine);
        tell_progress(engine);
    }
    stop_tasks(engine);
    while (engine->tasks.count)
        join_task(engine, engine->tasks.count - 1);
    return NULL;
}

/* --- the facade --- */

static void free_command(struct queue_link *link)
{
    command_free((struct command *)link);
}

static void free_event(struct queue_link *link)
{
    event_free((struct event *)link);
}

static void release(struct engine *engine)
{
    free(engine->tasks.items);
    free(engine->wishes.items);
    free(engine->config_path);
    free(engine->state_directory);
    free(engine->home);
    free(engine);
}

err_code engine_new(const struct engine_options *options, struct engine **out,
                    struct error *err)
{
    struct engine *engine = xcalloc(1, sizeof *engine);
    err_code code = queue_init(&engine->commands, err);

    if (!code)
        code = queue_init(&engine->events, err);
    if (code) {
        release(engine);
        return code;
    }
    mutex_init(&engine->mutex);
    engine->config_path = xstrdup(options->config_path);
    engine->state_directory = xstrdup(options->state_directory);
    engine->home = xstrdup(options->home);
    engine->context = (struct task_context){
        .platform = options->platform,
        .config_path = engine->config_path,
        .state_directory = engine->state_directory,
        .home = engine->home,
        .events = &engine->events,
        .commands = &engine->commands,
        .health_requests = &engine->health_requests,
        .lists_of_drives = &engine->lists_of_drives,
    };
    engine->thread = thread_start(engine_main, engine);
    *out = engine;
    return ERR_OK;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    stop_flag_raise(&engine->quit);
    queue_wake(&engine->commands);
    thread_join(engine->thread);
    queue_release(&engine->commands, free_command);
    queue_release(&engine->events, free_event);
    mutex_destroy(&engine->mutex);
    release(engine);
}

uint64_t engine_post(struct engine *engine, struct command *command)
{
    mutex_lock(&engine->mutex);
    uint64_t id = ++engine->last_id;
    command->id = id;
    queue_push(&engine->commands, &command->link);
    mutex_unlock(&engine->mutex);
    return id;
}

void engine_stop(struct engine *engine)
{
    atomic_store(&engine->stop, true);
    queue_wake(&engine->commands);
}

static struct task *find_task(struct engine *engine, uint64_t id)
{
    for (size_t i = 0; i < engine->tasks.count; i++)
        if (engine->tasks.items[i]->command->id == id)
            return engine->tasks.items[i];
    return NULL;
}

/* NULL when it has begun: its task has ended, or never was. */
static struct wish *find_wish(struct engine *engine, uint64_t id)
{
    if (id <= engine->begun_id || id > engine->last_id)
        return NULL;
    for (size_t i = 0; i < engine->wishes.count; i++)
        if (engine->wishes.items[i].id == id)
            return &engine->wishes.items[i];
    const struct wish wish = {.id = id};
    ARRAY_PUSH(&engine->wishes, wish);
    return &engine->wishes.items[engine->wishes.count - 1];
}

void engine_stop_command(struct engine *engine, uint64_t id)
{
    mutex_lock(&engine->mutex);
    struct task *task = find_task(engine, id);
    struct wish *wish = task ? NULL : find_wish(engine, id);
    if (task)
        task_stop(task);
    if (wish)
        wish->stops = true;
    mutex_unlock(&engine->mutex);
}

void engine_pause_command(struct engine *engine, uint64_t id, bool paused)
{
    mutex_lock(&engine->mutex);
    struct task *task = find_task(engine, id);
    struct wish *wish = task ? NULL : find_wish(engine, id);
    if (task)
        atomic_store(&task->stop.paused, paused);
    if (wish)
        wish->is_paused = paused;
    mutex_unlock(&engine->mutex);
}

void engine_limit_command(struct engine *engine, uint64_t id, int64_t bandwidth)
{
    mutex_lock(&engine->mutex);
    struct task *task = find_task(engine, id);
    struct wish *wish = task ? NULL : find_wish(engine, id);
    if (task)
        atomic_store(&task->stop.bandwidth, bandwidth);
    if (wish)
        wish->bandwidth = bandwidth;
    mutex_unlock(&engine->mutex);
}

int engine_wake_fd(const struct engine *engine)
{
    return queue_wake_fd(&engine->events);
}

struct event *engine_next(struct engine *engine)
{
    return (struct event *)queue_pop(&engine->events);
}
