#include "core/task.h"

#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/claim.h"
#include "core/guard.h"
#include "core/marker.h"
#include "core/source_mounts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void prepared_release(struct prepared *prepared)
{
    source_release(&prepared->source);
    free(prepared->source_identity);
    owner_release(&prepared->owner);
    *prepared = (struct prepared){.source = SOURCE_INIT};
}

/* --- the source --- */

static err_code open_source(const struct pair *pair, struct prepared *out,
                            struct error *err)
{
    CLEANUP(platform_mount_release)
    struct platform_mount mount = PLATFORM_MOUNT_INIT;
    err_code code = platform_open_root(pair->job->source, &out->source.fd, err);

    if (!code)
        code = platform_mount_of(out->source.fd, &mount, err);
    if (!code)
        code = source_look_whether_empty(out->source.fd, &out->source_is_empty,
                                         err);
    if (code) {
        error_prefix(err,
                     "job %s: the source cannot be read, so nothing is "
                     "done for it",
                     pair->job->name);
        CLEANUP_FREE char *cause = err ? xstrdup(err->message) : NULL;
        return error_set(err, code == ERR_NOT_FOUND ? ERR_REFUSED : code,
                         "%s: mount its disk, or let this user read it",
                         cause ? cause : "");
    }
    out->source_identity = guard_source_identity(mount.family, mount.fs_uuid,
                                                 mount.subtree, mount.source);
    return ERR_OK;
}

static err_code find_owner(struct task *task, const struct pair *pair,
                           struct catalogue *catalogue, struct prepared *out,
                           struct error *err)
{
    if (!catalogue)
        return ERR_OK;
    err_code code =
        catalogue_find_owner(catalogue, task->host, pair->job->name,
                             pair->target->directory, &out->owner, err);
    out->has_owner = code == ERR_OK;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static err_code guard_source(const struct pair *pair,
                             struct catalogue *catalogue,
                             const struct prepared *prepared, struct error *err)
{
    bool is_empty = true;
    err_code code = ERR_OK;

    if (prepared->has_owner)
        code = catalogue_is_empty(catalogue, &prepared->owner, &is_empty, err);
    if (code)
        return code;
    const struct guard_source source = {
        .job = pair->job->name,
        .path = pair->job->source,
        .recorded_identity =
            prepared->has_owner ? prepared->owner.source_identity : "",
        .identity = prepared->source_identity,
        .is_empty = prepared->source_is_empty,
        .has_rows = !is_empty,
        .mode = pair->job->mode,
    };
    return guard_check_source(&source, err);
}

/* --- source, target and berth's own directories never meet --- */

static char *real_path(const char *path)
{
    char *real = realpath(path, NULL);

    return real ? real : xstrdup(path);
}

static err_code guard_nesting(struct task *task, const struct pair *pair,
                              const struct volume *volume, struct error *err)
{
    const char *root =
        volume->is_folder ? pair->volume->folder : volume->mount.mount_point;
    CLEANUP_FREE char *joined = path_join(root, pair->target->directory);
    CLEANUP_FREE char *target = real_path(joined);
    CLEANUP_FREE char *source = real_path(pair->job->source);
    CLEANUP_FREE char *state = real_path(task->context->state_directory);

    if (path_overlaps(source, target))
        return error_set(err, ERR_REFUSED,
                         "job %s: the source %s and the target %s lie within "
                         "each other: choose another directory for one of them",
                         pair->job->name, source, target);
    if (path_is_within(state, target))
        return error_set(err, ERR_REFUSED,
                         "job %s: berth's own state %s lies in the target %s: "
                         "choose another target",
                         pair->job->name, state, target);
    return ERR_OK;
}

static void leave_out(struct prepared *prepared, const char *path)
{
    CLEANUP_FD int fd = -1;
    struct platform_stat stat;

    if (platform_open_root(path, &fd, NULL) ||
        platform_stat_fd(fd, &stat, NULL))
        return; /* not there: nothing to leave out */
    prepared->left_out[prepared->left_out_count++] =
        (struct directory_id){stat.device, stat.inode};
}

static void leave_out_own_directories(struct task *task,
                                      struct prepared *prepared)
{
    const char *config = task->context->config_path;
    CLEANUP_FREE char *directory = xstrndup(config, path_parent_length(config));

    /* Seen below the source through a bind mount, it would be copied into
     * itself, deeper with each run. */
    if (prepared->pair.volume->folder)
        leave_out(prepared, prepared->pair.volume->folder);
    leave_out(prepared, task->context->state_directory);
    leave_out(prepared, directory);
}

static err_code find_mounts(struct task *task, struct catalogue *catalogue,
                            struct prepared *prepared, struct error *err)
{
    const struct source_search search = {
        .platform = task->context->platform,
        .config = &task->config,
        .job = prepared->pair.job,
        .catalogue = catalogue,
        .owner = prepared->has_owner ? &prepared->owner : NULL,
    };

    return source_find_mounts(&search, &prepared->source, err);
}

void task_tell_mounts(struct task *task, const struct prepared *prepared)
{
    const struct config_job *job = prepared->pair.job;

    for (size_t i = 0; i < prepared->source.count; i++) {
        const struct source_mount *mount = &prepared->source.items[i];
        if (mount->state == SOURCE_AWAY)
            task_say(task,
                     "job %s: %s/%s: %s; its backup stays as it is. Mount what "
                     "was there; if this is how it stays, run "
                     "`berth job claim %s`",
                     job->name, job->source, mount->raw, mount->why, job->name);
    }
}

err_code task_prepare(struct task *task, const struct pair *pair,
                      const struct volume *volume, struct catalogue *catalogue,
                      struct prepared *out, struct error *err)
{
    struct prepared prepared = {.pair = *pair, .source = SOURCE_INIT};
    err_code code = open_source(pair, &prepared, err);

    if (!code && volume)
        code = guard_nesting(task, pair, volume, err);
    if (!code)
        code = find_owner(task, pair, catalogue, &prepared, err);
    if (!code && catalogue)
        code = claim_check(catalogue, task->host, pair->job->name,
                           pair->target->directory, err);
    if (!code)
        code = guard_source(pair, catalogue, &prepared, err);
    if (!code)
        code = find_mounts(task, catalogue, &prepared, err);
    if (code) {
        prepared_release(&prepared);
        return code;
    }
    leave_out_own_directories(task, &prepared);
    *out = prepared;
    return ERR_OK;
}

/* --- comparing --- */

static err_code has_directory(const struct volume *volume,
                              const char *directory, bool *out,
                              struct error *err)
{
    struct platform_stat stat;

    *out = true;
    if (!*directory)
        return ERR_OK;
    err_code code =
        platform_stat_beneath(volume->root_fd, directory, &stat, err);
    *out = code == ERR_OK;
    if (!code && stat.type != PLATFORM_DIRECTORY)
        code = error_set(err, ERR_REFUSED,
                         "/%s on volume %s is not a directory: choose another "
                         "target or move it away",
                         directory, volume->marker.name);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* Once: from then on the volume's own times are recorded. */
static void tell_about_shift(struct task *task, const struct prepared *prepared,
                             const struct plan *plan)
{
    int64_t minutes = plan->shift_ns / (60 * NS_PER_SECOND);
    char files[QUANTITY_SIZE];

    if (plan->shifted_files)
        task_say(task,
                 "job %s: the times of %s on volume %s are off by %+" PRId64
                 " minutes, a clock shift; a sample has the same content: "
                 "nothing of them is copied",
                 prepared->pair.job->name,
                 format_things(plan->shifted_files, "file", files),
                 prepared->pair.volume->name, minutes);
}

err_code task_compare(struct task *task, const struct compare_inputs *inputs,
                      struct plan *out, struct error *err)
{
    const struct prepared *prepared = inputs->prepared;
    CLEANUP(paths_release) struct paths poisoned = {.items = NULL};
    struct compare_options options = {
        .job = prepared->pair.job,
        .source = &prepared->source,
        .drive_fd = inputs->volume ? inputs->volume->root_fd : -1,
        .directory = prepared->pair.target->directory,
        .catalogue_path = inputs->catalogue_path,
        .owner = prepared->has_owner ? &prepared->owner : NULL,
        .traits = inputs->traits,
        .poisoned = &poisoned,
        .left_out = prepared->left_out,
        .left_out_count = prepared->left_out_count,
        .can_chown = geteuid() == 0,
        .now_ns = clock_now_ns(),
        .walkers =
            inputs->volume && platform_volume_spins(task->context->platform,
                                                    &inputs->volume->mount)
                ? 1
                : 2,
        .stop = &task->stop,
        .progress = &task->progress.compare,
    };
    err_code code = ERR_OK;

    atomic_store(&task->progress.phase, PHASE_SCANNING);
    if (inputs->volume)
        code = has_directory(inputs->volume, options.directory,
                             &options.drive_has_directory, err);
    if (!code && prepared->has_owner)
        code = journal_list_poisoned(inputs->catalogue, prepared->owner.id,
                                     &poisoned, err);
    if (!code)
        code = compare(&options, out, err);
    if (code)
        return code;
    code = source_check_attached(&prepared->source, options.job, err);
    if (code) {
        plan_release(out);
        return code;
    }
    out->totals.space_bytes =
        guard_space_needed(out, options.traits->cluster_bytes,
                           !options.traits->has_journal, SOLE_COPY_LIMIT_BYTES);
    tell_about_shift(task, prepared, out);
    return ERR_OK;
}
