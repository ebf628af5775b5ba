#include "core/task.h"

#include "core/registry.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* A plugged drive sends a handful of notices: they make one list. */
#define SETTLE_MS 100
/* Health changes without a notice: so often it is looked at again. */
#define HEALTH_EVERY_MS (10 * 60 * 1000)

/* By the catalogues: drives that are away have theirs, too. */
static void add_leftovers(struct task *task, struct drives *drives)
{
    for (size_t d = 0; d < drives->count; d++)
        for (size_t v = 0; v < drives->items[d].volumes.count; v++) {
            struct drive_volume *volume = &drives->items[d].volumes.items[v];
            const struct config_volume *config =
                config_find_volume(&task->config, volume->name);
            if (!config)
                continue;
            volume->left = task_leftovers(task, config);
            volume->has_left = volume->left.jobs > 0;
        }
}

static err_code post_drives(struct task *task, struct health_store *health,
                            struct error *err)
{
    const struct registry registry = {
        .platform = task->context->platform,
        .config = &task->config,
        .state_directory = task->context->state_directory,
        .host = task->host,
        .health = health,
    };
    /* Two tasks may list at once: whoever waits for them takes the later. */
    unsigned number = atomic_fetch_add(task->context->lists_of_drives, 1) + 1;
    struct drives drives;
    err_code code = registry_list(&registry, &drives, err);

    if (code)
        return code;
    drives.number = number;
    if (health)
        health_store_forget_gone(health, &drives);
    if (task->command->kind == COMMAND_RESCAN && task->command->compare_first)
        add_leftovers(task, &drives);
    struct event *event = task_event(task, EVENT_DRIVES);
    event->drives = drives;
    task_post(task, event);
    return ERR_OK;
}

/* A volume or job may have been added meanwhile. What does not load is told
 * by the command that needs it; the list goes on with what was. */
static void reload_config(struct task *task)
{
    struct config fresh;

    if (config_load(task->context->config_path, task->context->home, &fresh,
                    NULL))
        return;
    config_release(&task->config);
    task->config = fresh;
}

static err_code wait_for_news(struct task *task, struct error *err)
{
    struct pollfd fds[] = {
        {.fd = platform_wake_fd(task->context->platform), .events = POLLIN},
        {.fd = task->stop_pipe[0], .events = POLLIN},
    };

    while (poll(fds, COUNT_OF(fds), HEALTH_EVERY_MS) < 0)
        if (errno != EINTR)
            return error_set_errno(err, errno, "cannot wait for drives");
    if (!stop_flag_is_raised(&task->stop))
        poll(&fds[1], 1, SETTLE_MS);
    platform_acknowledge(task->context->platform);
    return ERR_OK;
}

err_code task_watch(struct task *task, enum outcome *outcome, struct error *err)
{
    struct health_store *health =
        health_store_new(task->context->state_directory);
    unsigned seen = 0, wanted;
    /* First what is there at once, then with what takes a while to read. */
    err_code code = post_drives(task, NULL, err);

    while (!code && !stop_flag_is_raised(&task->stop)) {
        wanted = atomic_load(task->context->health_requests);
        if (wanted != seen)
            health_store_forget(health);
        seen = wanted;
        code = post_drives(task, health, err);
        if (!code)
            code = wait_for_news(task, err);
        reload_config(task);
    }
    health_store_free(health);
    return code;
}

err_code task_rescan(struct task *task, enum outcome *outcome,
                     struct error *err)
{
    struct health_store *health =
        health_store_new(task->context->state_directory);
    /* The list that waits has older readings. */
    atomic_fetch_add(task->context->health_requests, 1);
    err_code code = post_drives(task, health, err);

    health_store_free(health);
    return code;
}
