#include "core/task.h"

#include "core/base/array.h"
#include "core/host.h"
#include "core/import.h"
#include "core/log_files.h"

#include <stdlib.h>
#include <string.h>

void pairs_release(struct pairs *pairs)
{
    free(pairs->items);
    *pairs = (struct pairs){.items = NULL};
}

static bool is_named(const struct command *command, const struct pair *pair)
{
    if (!command->name_count)
        return true;
    for (size_t i = 0; i < command->name_count; i++)
        if (!strcmp(command->names[i], pair->job->name) ||
            !strcmp(command->names[i], pair->volume->name))
            return true;
    return false;
}

static err_code check_names(const struct task *task, struct error *err)
{
    const struct command *command = task->command;

    for (size_t i = 0; i < command->name_count; i++) {
        const char *name = command->names[i];
        if (!config_find_job(&task->config, name) &&
            !config_find_volume(&task->config, name))
            return error_set(err, ERR_INVALID,
                             "there is no job or volume %s in %s: see `berth "
                             "job list` and `berth volume list`",
                             name, task->config.path);
    }
    return ERR_OK;
}

static void add_pairs(const struct task *task,
                      const struct config_volume *volume, bool only_named,
                      struct pairs *out)
{
    for (size_t j = 0; j < task->config.job_count; j++) {
        const struct config_job *job = &task->config.jobs[j];
        for (size_t t = 0; t < job->target_count; t++) {
            struct pair pair = {job, &job->targets[t], volume};
            if (!strcmp(job->targets[t].volume, volume->name) &&
                (!only_named || is_named(task->command, &pair)))
                ARRAY_PUSH(out, pair);
        }
    }
}

void task_pairs_of_volume(struct task *task, const struct config_volume *volume,
                          struct pairs *out)
{
    *out = (struct pairs){.items = NULL};
    add_pairs(task, volume, false, out);
}

err_code task_select_any_pairs(struct task *task, struct pairs *out,
                               struct error *err)
{
    err_code code = check_names(task, err);

    if (code)
        return code;
    *out = (struct pairs){.items = NULL};
    for (size_t v = 0; v < task->config.volume_count; v++)
        add_pairs(task, &task->config.volumes[v], true, out);
    return ERR_OK;
}

err_code task_select_pairs(struct task *task, struct pairs *out,
                           struct error *err)
{
    err_code code = task_select_any_pairs(task, out, err);

    if (code || out->count)
        return code;
    return error_set(
        err, ERR_INVALID,
        task->config.job_count
            ? "no job has that volume as its target: `berth job list` shows "
              "the targets"
            : "there is no job yet: `berth job add NAME --source "
              "DIR --target VOLUME:/DIR` makes one");
}

err_code task_find_volume(const struct task *task, const char *name,
                          const struct config_volume **out, struct error *err)
{
    const struct config_volume *found = config_find_volume(&task->config, name);

    if (!found)
        return error_set(err, ERR_INVALID,
                         "there is no volume %s in %s: see `berth volume list`",
                         name, task->config.path);
    *out = found;
    return ERR_OK;
}

err_code task_open_catalogue(struct task *task,
                             const struct config_volume *volume,
                             struct catalogue **out, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    err_code code = host_catalogue_path(task->context->state_directory,
                                        volume->id, &path, err);

    if (!code)
        code = catalogue_open(path, volume->id, out, err);
    if (code == ERR_CORRUPT)
        error_prefix(err, "volume %s", volume->name);
    return code;
}

/* Nothing is known here, but the drive is: it says what other hosts, or this
 * one before its state was lost, have put on it. Only reads from the drive. */
static err_code learn_from_drive(struct task *task,
                                 const struct config_volume *config,
                                 struct error *err)
{
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    CLEANUP(log_files_release) struct log_files files = {.items = NULL};
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    err_code code =
        volume_locate(task->context->platform, config, &volume, err);

    if (!code)
        code = log_files_list(volume.root_fd, &files, err);
    if (!code && !files.count)
        code = error_set(err, ERR_NOT_FOUND, "volume %s says nothing of itself",
                         config->name);
    if (!code)
        code = task_open_catalogue(task, config, &catalogue, err);
    if (!code)
        code = import_logs(catalogue, &volume, task->host, err);
    return code;
}

err_code task_open_reader(struct task *task, const struct config_volume *volume,
                          struct catalogue **out, char **out_path,
                          struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    err_code code = host_catalogue_path(task->context->state_directory,
                                        volume->id, &path, err);

    if (!code)
        code = catalogue_open_reader(path, out, err);
    if (code == ERR_NOT_FOUND && !learn_from_drive(task, volume, NULL))
        code = catalogue_open_reader(path, out, err);
    if (code == ERR_CORRUPT)
        error_prefix(err, "volume %s", volume->name);
    if (!code)
        *out_path = TAKE_PTR(path);
    return code;
}
