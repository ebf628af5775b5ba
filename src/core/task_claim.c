#include "core/task.h"

#include "core/base/clock.h"
#include "core/claim.h"
#include "core/session.h"
#include "core/source_mounts.h"
#include "core/volume.h"

#include <stdlib.h>
#include <string.h>

/* One job on one volume while it is claimed. */
struct claiming {
    struct task *task;
    const struct pair *pair;
    struct catalogue *catalogue;
};

/* The job's source has moved to another filesystem for good: what it was is
 * forgotten, the next run records what it is. */
static err_code forget_source(struct claiming *claiming, struct error *err)
{
    const struct pair *pair = claiming->pair;
    CLEANUP(owner_release) struct owner owner = {.id = 0};
    err_code code = catalogue_find_owner(claiming->catalogue,
                                         claiming->task->host, pair->job->name,
                                         pair->target->directory, &owner, err);

    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    free(owner.source_identity);
    owner.source_identity = xstrdup("");
    return catalogue_update_owner(claiming->catalogue, &owner, err);
}

static void say_accepted(void *context, const struct source_mount *mount)
{
    const struct claiming *claiming = context;

    task_say(claiming->task, "job %s on volume %s: accepted for %s: %s",
             claiming->pair->job->name, claiming->pair->volume->name,
             mount->path, mount->why);
}

static err_code take_old_name(struct claiming *claiming, struct error *err)
{
    const struct pair *pair = claiming->pair;
    CLEANUP_FREE char *old = NULL;
    err_code code;

    do {
        free(old);
        old = NULL;
        code = claim_renamed(claiming->catalogue, &claiming->task->config,
                             claiming->task->host, pair->job->name,
                             pair->target->directory, &old, err);
        if (!code && old)
            task_say(claiming->task,
                     "job %s: what job %s had in %s:/%s is this job's now; "
                     "what it does not have itself stays on the drive",
                     pair->job->name, old, pair->volume->name,
                     pair->target->directory);
    } while (!code && old);
    return code;
}

/* So is what is mounted below it, as it is now. A source that is not there
 * tells nothing: its mounts stay as they were. */
static err_code accept_mounts(struct claiming *claiming, struct error *err)
{
    const struct pair *pair = claiming->pair;
    CLEANUP(owner_release) struct owner owner = {.id = 0};
    CLEANUP(source_release) struct source source = SOURCE_INIT;
    const struct source_search search = {
        .platform = claiming->task->context->platform,
        .config = &claiming->task->config,
        .job = pair->job,
        .catalogue = claiming->catalogue,
        .owner = &owner,
    };
    err_code code = catalogue_find_owner(claiming->catalogue,
                                         claiming->task->host, pair->job->name,
                                         pair->target->directory, &owner, err);

    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    if (platform_open_root(pair->job->source, &source.fd, NULL))
        return ERR_OK;
    code = source_find_mounts(&search, &source, err);
    if (!code)
        code = source_accept_mounts(&source, claiming->catalogue, &owner,
                                    say_accepted, claiming, err);
    return code;
}

/* The volume is told at once: whoever comes next has to see it. */
static err_code tell_volume(struct claiming *claiming, struct session *session,
                            struct error *err)
{
    CLEANUP_FREE char *words =
        xasprintf("%s (claimed)", claiming->pair->job->name);
    struct run run = {.id = 0};
    err_code code =
        history_begin(claiming->catalogue, words, &session->run, err);

    if (!code)
        code = session_begin(session, err);
    if (!code)
        code = session_close(session, err);
    run.id = session->run;
    run.ended_ns = clock_now_ns();
    return code ? code : history_end(claiming->catalogue, &run, err);
}

static err_code take_over(struct claiming *claiming, struct volume *volume,
                          struct error *err)
{
    const struct pair *pair = claiming->pair;
    const struct session_options options = {
        .volume = volume,
        .catalogue = claiming->catalogue,
        .host = claiming->task->host,
        .command = "berth job claim",
        .learns = !volume->mount.is_read_only,
    };
    struct session session;
    bool is_taken = false;
    err_code code = session_open(&options, &session, err);

    if (code)
        return code;
    if (volume->mount.is_read_only)
        code = claim_check(claiming->catalogue, claiming->task->host,
                           pair->job->name, pair->target->directory, err);
    else
        code = claim_take(claiming->catalogue, claiming->task->host,
                          pair->job->name, pair->target->directory, &is_taken,
                          err);
    if (!code && is_taken)
        code = tell_volume(claiming, &session, err);
    if (!code && is_taken)
        task_say(claiming->task,
                 "job %s: %s:/%s is this machine's now; what it does not have "
                 "itself stays on the drive",
                 pair->job->name, pair->volume->name, pair->target->directory);
    if (!code && session.has_learnt)
        task_say(claiming->task,
                 "volume %s: what this machine had forgotten of it is learnt; "
                 "what is not in a job's source stays on the drive",
                 pair->volume->name);
    session_release(&session);
    return code;
}

static err_code claim_pair(struct task *task, const struct pair *pair,
                           struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    err_code code = task_open_catalogue(task, pair->volume, &catalogue, err);

    if (code)
        return code;
    struct claiming claiming = {task, pair, catalogue};
    code = volume_locate(task->context->platform, pair->volume, &volume, err);
    if (code == ERR_NOT_FOUND) /* another host's is taken over on the drive */
        code = claim_check(catalogue, task->host, pair->job->name,
                           pair->target->directory, err);
    else if (!code)
        code = take_over(&claiming, &volume, err);
    if (!code)
        code = take_old_name(&claiming, err);
    if (!code)
        code = forget_source(&claiming, err);
    return code ? code : accept_mounts(&claiming, err);
}

/* All of the job's targets, as the configuration has them now. */
static err_code claim_added(struct task *task, struct error *err)
{
    const struct config_job *job;
    struct config fresh;
    err_code code = config_load(task->context->config_path, task->context->home,
                                &fresh, err);

    if (code)
        return code;
    config_release(&task->config);
    task->config = fresh;
    job = config_find_job(&task->config, task->command->job.name);
    for (size_t i = 0; !code && i < job->target_count; i++) {
        const struct config_target *target = &job->targets[i];
        const struct pair pair = {
            job, target, config_find_volume(&task->config, target->volume)};
        code = claim_pair(task, &pair, err);
    }
    return code;
}

err_code task_claim_added(struct task *task, struct error *err)
{
    err_code code = claim_added(task, err);

    /* As if it had not been asked for. */
    if (code &&
        config_remove_job(task->context->config_path, task->context->home,
                          task->command->job.name, NULL))
        error_prefix(err, "the job is added, but not claimed");
    return code;
}

err_code task_job_claim(struct task *task, enum outcome *outcome,
                        struct error *err)
{
    CLEANUP(pairs_release) struct pairs pairs = {.items = NULL};
    const char *name = task->command->names[0];
    err_code code = task_select_pairs(task, &pairs, err);

    if (!code && !config_find_job(&task->config, name))
        code = error_set(
            err, ERR_INVALID,
            "%s is a volume, not a job: `berth job list` lists the jobs", name);
    for (size_t i = 0; !code && i < pairs.count; i++)
        code = claim_pair(task, &pairs.items[i], err);
    return code;
}
