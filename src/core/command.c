#include "core/command.h"

#include <stdlib.h>

struct command *command_new(enum command_kind kind)
{
    struct command *command = xcalloc(1, sizeof *command);

    command->kind = kind;
    command->sample = 1.0;
    command->compare_first = kind != COMMAND_RESCAN;
    command->volume = config_volume_defaults();
    command->job = config_job_defaults();
    return command;
}

void command_free(struct command *command)
{
    if (!command)
        return;
    for (size_t i = 0; i < command->name_count; i++)
        free(command->names[i]);
    free(command->names);
    free(command->path);
    free(command->run_volume);
    free(command->at);
    free(command->key);
    free(command->value);
    free(command->to);
    free(command->scheduled);
    for (size_t i = 0; i < command->reviewed_count; i++) {
        free(command->reviewed[i].job);
        free(command->reviewed[i].volume);
        plan_release(&command->reviewed[i].plan);
    }
    free(command->reviewed);
    config_volume_release(&command->volume);
    config_job_release(&command->job);
    free(command);
}

void command_add_name(struct command *command, const char *name)
{
    command->names = xrealloc(command->names, (command->name_count + 1) *
                                                  sizeof *command->names);
    command->names[command->name_count++] = xstrdup(name);
}

void command_add_plan(struct command *command, const char *job,
                      const char *volume, struct plan *plan)
{
    size_t count = command->reviewed_count + 1;

    command->reviewed =
        xrealloc(command->reviewed, count * sizeof *command->reviewed);
    command->reviewed[count - 1] =
        (struct reviewed_plan){xstrdup(job), xstrdup(volume), *plan};
    command->reviewed_count = count;
    *plan = (struct plan)PLAN_INIT;
}
