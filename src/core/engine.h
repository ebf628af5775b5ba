/*
 * The engine's facade: the only thing of core that user interfaces call.
 *
 * Commands go in, events come out; both are values (command.h, event.h). The
 * engine has one thread of its own; what a command does runs on a task thread
 * each, so that nothing waits for a slow drive but the task that uses it.
 *
 *     struct engine *engine;
 *     engine_new(&options, &engine, &err);
 *     uint64_t id = engine_post(engine, command_new(COMMAND_VOLUME_LIST));
 *     poll on engine_wake_fd, then
 *     while ((event = engine_next(engine)))
 *         …; event_free(event);
 *     engine_free(engine);
 */
#ifndef BERTH_ENGINE_H
#define BERTH_ENGINE_H

#include "core/command.h"
#include "core/event.h"

struct engine;
struct platform;

struct engine_options {
    struct platform *platform;   /* borrowed; outlives the engine */
    const char *config_path;     /* absolute */
    const char *state_directory; /* absolute; made when missing */
    const char *home;
};

err_code engine_new(const struct engine_options *options, struct engine **out,
                    struct error *err) MUST_CHECK;
/* Stops what runs at the next clean boundary and waits for it. */
void engine_free(struct engine *engine);

/* Takes the command; returns its id. Any thread. */
uint64_t engine_post(struct engine *engine, struct command *command_taking);

/* Asks everything that runs to stop at the next clean boundary. Any thread;
 * not from a signal handler. */
void engine_stop(struct engine *engine);

/* The same for one command, begun already or not. It ends with its EVENT_DONE
 * as always. The next two likewise hold for one that has not begun. */
void engine_stop_command(struct engine *engine, uint64_t id);
/* Holds the copying of a command between two files, or lets it go on. */
void engine_pause_command(struct engine *engine, uint64_t id, bool paused);

/* The most that a command copies, in bytes a second; 0: as the jobs say,
 * negative: no limit. */
void engine_limit_command(struct engine *engine, uint64_t id,
                          int64_t bandwidth);

/* Readable when there are events. */
int engine_wake_fd(const struct engine *engine);
/* NULL when there is none. The ui thread only. */
struct event *engine_next(struct engine *engine);

#endif
