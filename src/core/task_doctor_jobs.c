#include "core/task_doctor.h"

#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/contents.h"
#include "core/source_mounts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- jobs: sources and names --- */

static void examine_source(struct examination *exam,
                           const struct config_job *job)
{
    CLEANUP_FREE char *topic = xasprintf("job %s", job->name);
    struct error err = ERROR_INIT;
    CLEANUP_FD int fd = -1;

    if (platform_open_root(job->source, &fd, &err))
        doctor_tell(
            exam, CHECK_FINDING, topic,
            "mount it, or let this user read it: a timer runs as this user",
            "%s", err.message);
    else if (access(job->source, R_OK | X_OK))
        doctor_tell(exam, CHECK_FINDING, topic, "let this user read it",
                    "%s cannot be listed by this user", job->source);
    else
        doctor_tell(exam, CHECK_FINE, topic, NULL, "%s can be read",
                    job->source);
}

/* --- filesystems below a source --- */

static void tell_mount(struct examination *exam, const struct config_job *job,
                       const char *volume, const struct source_mount *mount)
{
    CLEANUP_FREE char *topic = xasprintf("job %s", job->name);
    CLEANUP_FREE char *remedy = xasprintf(
        "mount what was there; if this is how it stays, `berth job claim %s`",
        job->name);

    if (mount->state == SOURCE_AWAY)
        doctor_tell(exam, CHECK_FINDING, topic, remedy,
                    "%s: %s; its backup on volume %s stays as it is",
                    mount->path, mount->why, volume);
    else if (mount->state == SOURCE_UNREADABLE)
        doctor_tell(exam, CHECK_FINDING, topic,
                    "let this user read it, or exclude it", "%s", mount->why);
    else if (mount->state == SOURCE_LEFT)
        doctor_tell(exam, CHECK_NOTE, topic, NULL,
                    "%s is another filesystem, and left alone: %s", mount->path,
                    mount->why);
    else if (mount->state == SOURCE_ENTERED)
        doctor_tell(exam, CHECK_FINE, topic, NULL,
                    "%s is another filesystem: %s", mount->path,
                    mount->identity);
}

/* Seen from one target; what is the same for all of them, once. */
static err_code examine_mounts(struct examination *exam,
                               const struct config_job *job, size_t at,
                               struct error *err)
{
    struct task *task = exam->task;
    const struct config_target *target = &job->targets[at];
    CLEANUP(source_release) struct source source = SOURCE_INIT;
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(owner_release) struct owner owner = {.id = 0};
    CLEANUP_FREE char *path = NULL;
    struct source_search search = {
        .platform = task->context->platform,
        .config = &task->config,
        .job = job,
        .lists_all = true,
    };

    if (platform_open_root(job->source, &source.fd, NULL))
        return ERR_OK; /* told already */
    /* Of one that cannot be read examine_readings tells. */
    if (!task_open_reader(task,
                          config_find_volume(&task->config, target->volume),
                          &catalogue, &path, NULL) &&
        !catalogue_find_owner(catalogue, task->host, job->name,
                              target->directory, &owner, NULL)) {
        search.catalogue = catalogue;
        search.owner = &owner;
    }
    err_code code = source_find_mounts(&search, &source, err);
    for (size_t i = 0; !code && i < source.count; i++)
        if (!at || source.items[i].state == SOURCE_AWAY)
            tell_mount(exam, job, target->volume, &source.items[i]);
    return code;
}

/* A drive that took another's place knows nothing of what was offloaded. */
static void examine_copies(struct examination *exam,
                           const struct config_job *job)
{
    CLEANUP_FREE char *topic = xasprintf("job %s", job->name);
    CLEANUP_FREE char *remedy =
        xasprintf("with its drives plugged in, `berth restore %s` and `berth "
                  "sync %s` bring them to all of them, and move removes them "
                  "again; `berth copies PATH` tells of one",
                  job->source, job->name);
    struct error err = ERROR_INIT;
    char files[QUANTITY_SIZE];
    int64_t scarce = 0;

    if (job->mode != JOB_MOVE)
        return;
    if (task_count_scarce(exam->task, job, &scarce, &err))
        doctor_tell(exam, CHECK_FINDING, topic, NULL, "%s", err.message);
    else if (scarce)
        doctor_tell(
            exam, CHECK_FINDING, topic, remedy,
            "%s that it has removed from this machine %s on fewer drives than "
            "min_copies = %d",
            format_things(scarce, "file", files), plural(scarce, "is", "are"),
            job->min_copies);
}

err_code doctor_examine_job(struct examination *exam,
                            const struct config_job *job, struct error *err)
{
    err_code code = ERR_OK;

    examine_source(exam, job);
    examine_copies(exam, job);
    for (size_t i = 0; !code && i < job->target_count; i++)
        code = examine_mounts(exam, job, i, err);
    return code;
}

/* Names that cannot be on the volume, sources that cannot be read. */
static void examine_leftovers(struct examination *exam,
                              const struct config_volume *volume)
{
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);
    CLEANUP_FREE char *remedy = xasprintf(
        "`berth diff %s` names them, each with its reason", volume->name);
    struct leftovers left = task_leftovers(exam->task, volume);
    char files[QUANTITY_SIZE];

    if (left.conflicts)
        doctor_tell(
            exam, CHECK_FINDING, topic, remedy,
            "%s in conflict: names that it cannot hold or tell apart, or "
            "changes that berth did not make",
            format_things(left.conflicts, "file", files));
    if (left.unreadable)
        doctor_tell(exam, CHECK_FINDING, topic, remedy,
                    "%s of its jobs cannot be read",
                    format_things(left.unreadable, "file", files));
}

/* --- what verify found --- */

static err_code count_rotten(void *context, const char *path,
                             const char *drive_path, const struct record *row,
                             struct error *err)
{
    int64_t *count = context;

    *count += (row->flags & RECORD_ROTTEN) != 0;
    return ERR_OK;
}

static void tell_rotten(struct examination *exam,
                        const struct config_volume *volume, int64_t rotten,
                        int64_t findings)
{
    char files[QUANTITY_SIZE];
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);
    CLEANUP_FREE char *heal =
        xasprintf("`berth verify %s --heal` makes them anew from what is good",
                  volume->name);
    CLEANUP_FREE char *look =
        xasprintf("`berth verify %s` names them, `berth volume refresh %s` "
                  "accepts them",
                  volume->name, volume->name);

    if (volume->role == VOLUME_READ_ONLY && findings)
        doctor_tell(exam, CHECK_FINDING, topic, look,
                    "its last verify found %s not as recorded",
                    format_things(findings, "file", files));
    else if (volume->role == VOLUME_BACKUP && rotten)
        doctor_tell(exam, CHECK_FINDING, topic, heal,
                    "%s rotten or missing: looked at, and not what was written",
                    format_things(rotten, "file", files));
}

/* --- jobs that the configuration does not know any more --- */

static const struct config_job *find_job_in(const struct config *config,
                                            const char *volume,
                                            const char *directory)
{
    for (size_t i = 0; i < config->job_count; i++)
        for (size_t t = 0; t < config->jobs[i].target_count; t++) {
            const struct config_target *target = &config->jobs[i].targets[t];
            if (!strcmp(target->volume, volume) &&
                !strcmp(target->directory, directory))
                return &config->jobs[i];
        }
    return NULL;
}

static err_code count_offloaded(void *context, const char *path,
                                const char *drive_path,
                                const struct record *row, struct error *err)
{
    int64_t *count = context;

    *count += row->type == ENTRY_FILE && row->flags & RECORD_OFFLOADED;
    return ERR_OK;
}

/* Its target was changed: what it had copied before is nobody's work now. */
static err_code tell_left_behind(struct examination *exam,
                                 const struct config_volume *volume,
                                 struct catalogue *catalogue,
                                 const struct owner *owner, struct error *err)
{
    const struct config *config = &exam->task->config;
    const struct config_job *job = config_find_job(config, owner->job);
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);
    char files[QUANTITY_SIZE];
    int64_t offloaded = 0;

    if (strcmp(owner->host, exam->task->host) != 0 || !job ||
        find_job_in(config, volume->name, owner->directory) == job)
        return ERR_OK;
    err_code code =
        catalogue_walk(catalogue, owner, count_offloaded, &offloaded, err);
    if (code)
        return code;
    doctor_tell(
        exam, CHECK_NOTE, topic, NULL,
        "job %s has no target %s:/%s any more: what it copied there stays, is "
        "not compared, and no rule removes its versions. `berth restore "
        "%s:/%s` gets it back",
        owner->job, volume->name, owner->directory, volume->name,
        owner->directory);
    if (offloaded)
        doctor_tell(exam, CHECK_NOTE, topic, NULL,
                    "%s:/%s holds %s that job %s has removed from this machine",
                    volume->name, owner->directory,
                    format_things(offloaded, "file", files), owner->job);
    return ERR_OK;
}

/* Renamed, it has its directory still; removed, that is how it was meant. */
static void tell_forgotten(struct examination *exam,
                           const struct config_volume *volume,
                           const struct owner *owner)
{
    const struct config *config = &exam->task->config;
    const struct config_job *heir =
        find_job_in(config, volume->name, owner->directory);
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);

    if (strcmp(owner->host, exam->task->host) != 0 ||
        !strcmp(owner->job, CONTENTS_JOB) ||
        config_find_job(config, owner->job))
        return;
    if (!heir) {
        doctor_tell(
            exam, CHECK_NOTE, topic, NULL,
            "job %s is not in the configuration any more: what it copied to "
            "/%s stays, and no rule removes its versions",
            owner->job, owner->directory);
        return;
    }
    CLEANUP_FREE char *remedy = xasprintf("`berth job claim %s`", heir->name);
    doctor_tell(
        exam, CHECK_FINDING, topic, remedy,
        "job %s is not in the configuration any more, and job %s has its "
        "directory /%s now: its files and versions are listed under the old "
        "name, and no rule removes those",
        owner->job, heir->name, owner->directory);
}

/* Rows in quarantine stay there until they are made anew (ENGINE G8). */
static void examine_readings(struct examination *exam,
                             const struct config_volume *volume)
{
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);
    struct error err = ERROR_INIT;
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    CLEANUP_FREE char *path = NULL;
    bool was_verified = false;
    int64_t rotten = 0;
    err_code code =
        task_open_reader(exam->task, volume, &catalogue, &path, &err);

    if (code == ERR_NOT_FOUND)
        return; /* nothing was ever read */
    if (!code)
        code = catalogue_list_owners(catalogue, &owners, &err);
    for (size_t i = 0; !code && i < owners.count; i++)
        tell_forgotten(exam, volume, &owners.items[i]);
    for (size_t i = 0; !code && i < owners.count; i++)
        code =
            tell_left_behind(exam, volume, catalogue, &owners.items[i], &err);
    for (size_t i = 0; !code && i < owners.count; i++)
        if (!strcmp(owners.items[i].host, exam->task->host))
            code = catalogue_walk(catalogue, &owners.items[i], count_rotten,
                                  &rotten, &err);
    if (!code)
        code = catalogue_get_meta(catalogue, CONTENTS_FINDINGS, &found,
                                  &was_verified, &err);
    if (!code)
        tell_rotten(exam, volume, rotten,
                    was_verified ? strtoll(found.text, NULL, 10) : 0);
    else
        doctor_tell(exam, CHECK_FINDING, topic, NULL, "%s", err.message);
}

void doctor_examine_catalogue(struct examination *exam,
                              const struct config_volume *volume)
{
    examine_leftovers(exam, volume);
    examine_readings(exam, volume);
}
