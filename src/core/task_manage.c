#include "core/task.h"

#include "core/base/path.h"
#include "core/claim.h"
#include "core/host.h"
#include "core/import.h"
#include "core/session.h"
#include "core/volume.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- volume add --- */

/* Finds out what the volume can hold, so that a diff can be made before the
 * first sync, and what other hosts say is on it. */
static err_code probe(struct task *task, struct volume *volume,
                      const struct config_volume *config, struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    err_code code = task_open_catalogue(task, config, &catalogue, err);

    if (code)
        return code;
    if (volume->mount.is_read_only || config->role != VOLUME_BACKUP)
        return import_logs(catalogue, volume, task->host, err);
    struct session session;
    const struct session_options options = {
        .volume = volume,
        .catalogue = catalogue,
        .host = task->host,
        .command = "berth volume add",
        .learns = true,
    };
    code = session_open(&options, &session, err);
    if (!code)
        session_release(&session);
    return code;
}

static err_code check_name_is_free(const struct task *task, const char *name,
                                   struct error *err)
{
    if (!config_find_volume(&task->config, name) &&
        !config_find_job(&task->config, name))
        return ERR_OK;
    return error_set(err, ERR_EXISTS,
                     "there is a volume or job %s already: choose another name",
                     name);
}

/* A volume with a marker is joined: other machines know it by its id. */
static err_code mark(struct task *task, struct volume *volume,
                     struct config_volume *config, struct error *err)
{
    const struct config_volume *known;
    err_code code = ERR_OK;

    if (!*volume->marker.id) {
        code = volume_introduce(volume, config->name, err);
    } else if ((known =
                    config_find_volume_id(&task->config, volume->marker.id))) {
        code = error_set(err, ERR_EXISTS,
                         "%s is known already, as volume %s: use that name",
                         task->command->path, known->name);
    } else {
        task_say(task, "%s is known to another machine as %s: joined",
                 task->command->path, volume->marker.name);
    }
    if (!code) {
        free(config->id);
        config->id = xstrdup(volume->marker.id);
    }
    return code;
}

/* What the drive is believed to hold was known of one with its marker. */
static err_code read_it_anew(struct task *task,
                             const struct config_volume *config,
                             struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    err_code code = task_open_catalogue(task, config, &catalogue, err);

    if (!code)
        code = catalogue_list_owners(catalogue, &owners, err);
    for (size_t i = 0; !code && i < owners.count; i++) {
        owners.items[i].last_full_ns = 0;
        if (!strcmp(owners.items[i].host, task->host))
            code = catalogue_update_owner(catalogue, &owners.items[i], err);
    }
    return code;
}

/* Its name is taken: by itself, when it has lost its marker. */
static err_code mark_again(struct task *task, const char *path,
                           struct error *err)
{
    const char *name = task->command->volume.name;
    const struct config_volume *config =
        config_find_volume(&task->config, name);
    CLEANUP(strbuf_release) struct strbuf uuid = STRBUF_INIT;
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;

    if (!config ||
        !volume_locate(task->context->platform, config, &volume, NULL))
        return check_name_is_free(task, name, err);
    task_known_uuid(task, config, &uuid);
    err_code code = volume_mark_again(path, config, uuid.text, err);
    if (code == ERR_EXISTS)
        return check_name_is_free(task, name, err);
    if (!code)
        code = read_it_anew(task, config, err);
    if (!code)
        task_say(task,
                 "%s is volume %s again: its marker was missing or damaged, "
                 "and is written anew. The next sync reads all that is there",
                 path, name);
    return code;
}

err_code task_volume_add(struct task *task, enum outcome *outcome,
                         struct error *err)
{
    struct command *command = task->command;
    struct config_volume *config = &command->volume;
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    CLEANUP_FREE char *real = realpath(command->path, NULL);
    const char *path = real ? real : command->path;

    if (check_name_is_free(task, config->name, NULL))
        return mark_again(task, path, err);
    if (command->is_folder)
        config->folder = xstrdup(path);
    err_code code = volume_open_path(path, command->is_folder, &volume, err);
    if (!code && volume.mount.is_read_only && !*volume.marker.id)
        code = error_set(err, ERR_READ_ONLY, "%s is mounted read-only: %s",
                         path, volume_writable_remedy(&volume.mount));
    if (!code)
        code = mark(task, &volume, config, err);
    if (!code)
        code = probe(task, &volume, config, err);
    if (!code)
        code = config_add_volume(task->context->config_path,
                                 task->context->home, config, err);
    if (!code && config->role == VOLUME_READ_ONLY)
        code = task_record_contents(task, config, &volume, outcome, err);
    return code;
}

/* --- volume list, forget --- */

static void describe_attached(struct task *task,
                              const struct config_volume *config,
                              struct volume_info *info)
{
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    struct platform_space space;
    struct error err = ERROR_INIT;
    err_code code =
        volume_locate(task->context->platform, config, &volume, &err);

    if (code == ERR_NOT_FOUND)
        return;
    if (code) {
        info->problem = xstrdup(err.message);
        return;
    }
    info->is_attached = true;
    info->mount_point =
        xstrdup(config->folder ? config->folder : volume.mount.mount_point);
    info->family = xstrdup(volume.mount.family);
    if (platform_space(volume.root_fd, &space, &err)) {
        info->problem = xstrdup(err.message);
        return;
    }
    info->total_bytes = space.total_bytes;
    info->free_bytes = space.free_bytes;
}

err_code task_volume_list(struct task *task, enum outcome *outcome,
                          struct error *err)
{
    for (size_t i = 0; i < task->config.volume_count; i++) {
        const struct config_volume *config = &task->config.volumes[i];
        struct event *event = task_event(task, EVENT_VOLUME);
        struct volume_info *info = &event->volume_info;
        event->volume = xstrdup(config->name);
        memcpy(info->id, config->id, sizeof info->id);
        info->role = config->role;
        info->is_folder = config->folder != NULL;
        describe_attached(task, config, info);
        task_post(task, event);
    }
    return ERR_OK;
}

err_code task_volume_forget(struct task *task, enum outcome *outcome,
                            struct error *err)
{
    const char *name = task->command->names[0];

    for (size_t j = 0; j < task->config.job_count; j++) {
        const struct config_job *job = &task->config.jobs[j];
        for (size_t t = 0; t < job->target_count; t++)
            if (!strcmp(job->targets[t].volume, name))
                return error_set(err, ERR_INVALID,
                                 "job %s has volume %s as a target: remove the "
                                 "job or that target first",
                                 job->name, name);
    }
    return config_remove_volume(task->context->config_path, task->context->home,
                                name, err);
}

/* --- jobs
 * ------------------------------------------------------------------------------
 */

/* As far as is known: a run asks the volume (ENGINE G13). */
static err_code check_targets(struct task *task, const struct config_job *job,
                              struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < job->target_count; i++) {
        const struct config_target *target = &job->targets[i];
        const struct config_volume *volume =
            config_find_volume(&task->config, target->volume);
        CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
        CLEANUP_FREE char *path = NULL;
        if (!volume || task_open_reader(task, volume, &catalogue, &path, NULL))
            continue; /* of which the configuration knows more to say */
        code = claim_check(catalogue, task->host, job->name, target->directory,
                           err);
    }
    return code == ERR_REFUSED ? ERR_INVALID : code;
}

static err_code check_source(const struct config_job *job, struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_root(job->source, &fd, err);

    if (code)
        error_prefix(err, "job %s", job->name);
    return code ? ERR_INVALID : ERR_OK;
}

err_code task_job_add(struct task *task, enum outcome *outcome,
                      struct error *err)
{
    const struct config_job *job = &task->command->job;
    err_code code = check_name_is_free(task, job->name, err);

    if (!code)
        code = check_source(job, err);
    if (!code && !task->command->claim)
        code = check_targets(task, job, err);
    if (!code)
        code = config_add_job(task->context->config_path, task->context->home,
                              job, err);
    if (!code && task->command->claim)
        code = task_claim_added(task, err);
    return code;
}

err_code task_job_remove(struct task *task, enum outcome *outcome,
                         struct error *err)
{
    return config_remove_job(task->context->config_path, task->context->home,
                             task->command->names[0], err);
}

err_code task_exclude(struct task *task, enum outcome *outcome,
                      struct error *err)
{
    const struct command *command = task->command;
    const struct task_context *context = task->context;

    if (command->take_back)
        return config_remove_exclude(context->config_path, context->home,
                                     command->names[0], command->path, err);
    return config_add_exclude(context->config_path, context->home,
                              command->names[0], command->path, err);
}

static void find_last_sync(struct task *task, const struct pair *pair,
                           struct job_info *info)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP_FREE char *path = NULL;
    CLEANUP(owner_release) struct owner owner = {.id = 0};
    struct error err = ERROR_INIT;
    err_code code =
        task_open_reader(task, pair->volume, &catalogue, &path, &err);

    if (!code)
        code = catalogue_find_owner(catalogue, task->host, pair->job->name,
                                    pair->target->directory, &owner, &err);
    if (!code)
        info->last_sync_ns = owner.last_sync_ns;
    info->is_unknown = code && code != ERR_NOT_FOUND;
    if (info->is_unknown)
        task_say(task, "%s", err.message);
}

err_code task_job_list(struct task *task, enum outcome *outcome,
                       struct error *err)
{
    for (size_t j = 0; j < task->config.job_count; j++) {
        const struct config_job *job = &task->config.jobs[j];
        for (size_t t = 0; t < job->target_count; t++) {
            const struct config_target *target = &job->targets[t];
            const struct pair pair = {
                job, target, config_find_volume(&task->config, target->volume)};
            struct event *event = task_event(task, EVENT_JOB);
            event->job = xstrdup(job->name);
            event->volume = xstrdup(target->volume);
            event->job_info = (struct job_info){
                .source = xstrdup(job->source),
                .mode = job->mode,
                .target =
                    xasprintf("%s:/%s", target->volume, target->directory),
                .stale_after_ns = pair.volume->stale_after_ns,
            };
            find_last_sync(task, &pair, &event->job_info);
            task_post(task, event);
        }
    }
    return ERR_OK;
}
