#include "ui/model.h"

#include <stdlib.h>
#include <string.h>

static bool writes_to(const struct model *model, const char *job,
                      const char *volume)
{
    return model_find_target(model, job, volume) != NULL;
}

void setup_look_for_job(struct model *model)
{
    struct setup *setup = &model->setup;

    setup->joins = false;
    for (size_t i = 0; !setup->joins && i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (strcmp(target->source, setup->source) != 0 ||
            writes_to(model, target->job, setup->volume_name))
            continue;
        free(setup->job_name);
        setup->job_name = xstrdup(target->job);
        setup->mode = target->mode;
        setup->joins = true;
    }
}

/* Its targets and the new one, as the setting has them. free() it. */
static char *all_targets(const struct model *model)
{
    const struct setup *setup = &model->setup;
    struct strbuf targets = STRBUF_INIT;

    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (!strcmp(target->job, setup->job_name))
            strbuf_addf(&targets, "%s:%s, ", target->volume, target->directory);
    }
    strbuf_addf(&targets, "%s:/%s", setup->volume_name, setup->directory);
    return strbuf_detach(&targets);
}

void setup_join_job(struct model *model)
{
    struct command *command = command_new(COMMAND_SET);

    command_add_name(command, model->setup.job_name);
    command->key = xstrdup("targets");
    command->value = all_targets(model);
    model->setup.writing = SETUP_JOB;
    model_post(model, ROLE_SETUP, command);
}
