#include "core/task.h"

#include <stdlib.h>
#include <string.h>

struct telling {
    struct task *task;
    const struct config_volume *volume;
    struct catalogue *catalogue;
    int64_t told;
};

static err_code post_item(void *context, const struct run_item *item,
                          struct error *err)
{
    struct telling *telling = context;

    if (stop_flag_is_raised(&telling->task->stop))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    struct event *event = task_event(telling->task, EVENT_RUN_ITEM);

    event->volume = xstrdup(telling->volume->name);
    event->job = xstrdup(item->job);
    event->path = xstrdup(item->path);
    event->text = xstrdup(item->detail);
    event->item =
        (struct run_item){.deed = item->deed, .size_bytes = item->size_bytes};
    task_post(telling->task, event);
    return ERR_OK;
}

static err_code post_run(void *context, const struct run *run,
                         struct error *err)
{
    struct telling *telling = context;
    struct event *event = task_event(telling->task, EVENT_RUN);

    event->volume = xstrdup(telling->volume->name);
    event->text = xstrdup(run->jobs);
    event->run = *run;
    event->run.jobs = NULL;
    telling->told++;
    task_post(telling->task, event);
    return ERR_OK;
}

static bool is_named(const struct command *command, const char *volume)
{
    return !command->run_volume || !strcmp(command->run_volume, volume);
}

static err_code tell_volume(struct telling *telling, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    int64_t only = telling->task->command->run;
    err_code code = task_open_reader(telling->task, telling->volume,
                                     &telling->catalogue, &path, err);

    if (code == ERR_NOT_FOUND) /* known, never synced */
        return ERR_OK;
    if (!code)
        code = history_walk(telling->catalogue, only, post_run, telling, err);
    if (!code && only)
        code = history_walk_items(telling->catalogue, only, post_item, telling,
                                  err);
    catalogue_close(telling->catalogue);
    return code;
}

err_code task_history(struct task *task, enum outcome *outcome,
                      struct error *err)
{
    struct telling telling = {.task = task};
    const struct command *command = task->command;
    const struct config_volume *only;
    err_code code =
        command->run_volume
            ? task_find_volume(task, command->run_volume, &only, err)
            : ERR_OK;

    for (size_t i = 0; !code && i < task->config.volume_count; i++) {
        telling.volume = &task->config.volumes[i];
        telling.catalogue = NULL;
        if (is_named(command, telling.volume->name))
            code = tell_volume(&telling, err);
    }
    if (!code && command->run && !telling.told)
        code = error_set(err, ERR_INVALID,
                         "there is no run %lld: `berth history` lists them",
                         (long long)command->run);
    return code;
}
