#include "core/task.h"

#include <stdlib.h>

struct telling {
    struct task *task;
    const char *volume, *job;
};

static void post_setting(void *context, const struct config_setting *setting)
{
    const struct telling *telling = context;
    struct event *event = task_event(telling->task, EVENT_SETTING);

    if (telling->volume)
        event->volume = xstrdup(telling->volume);
    if (telling->job)
        event->job = xstrdup(telling->job);
    event->path = xstrdup(setting->key);
    event->text = xstrdup(setting->value);
    event->setting = (struct setting_info){
        .hint = xstrdup(setting->hint),
        .is_default = setting->is_default,
        .is_fixed = setting->is_fixed,
    };
    task_post(telling->task, event);
}

err_code task_settings(struct task *task, enum outcome *outcome,
                       struct error *err)
{
    const struct config *config = &task->config;

    for (size_t i = 0; i < config->volume_count; i++) {
        struct telling telling = {task, config->volumes[i].name, NULL};
        config_list_volume(&config->volumes[i], post_setting, &telling);
    }
    for (size_t i = 0; i < config->job_count; i++) {
        struct telling telling = {task, NULL, config->jobs[i].name};
        config_list_job(&config->jobs[i], post_setting, &telling);
    }
    return ERR_OK;
}

err_code task_set(struct task *task, enum outcome *outcome, struct error *err)
{
    const struct command *command = task->command;

    return config_set(task->context->config_path, task->context->home,
                      command->names[0], command->key, command->value, err);
}
