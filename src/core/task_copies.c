#include "core/task.h"

#include "core/base/path.h"
#include "core/copies.h"
#include "core/names.h"
#include "core/source_mounts.h"

#include <stdlib.h>
#include <string.h>

/* One job, its targets' catalogues, and the source if it is there. */
struct counting {
    struct task *task;
    const struct config_job *job;
    struct copies_side *sides;
    struct owner *owners; /* by side */
    struct source source; /* its fd -1: not there */
    bool tells_each;
    int64_t told;
    struct copies_info info;
};

static void counting_release(struct counting *counting)
{
    for (size_t i = 0; i < counting->job->target_count; i++) {
        catalogue_close(counting->sides[i].catalogue);
        owner_release(&counting->owners[i]);
    }
    free(counting->sides);
    free(counting->owners);
    source_release(&counting->source);
}

static err_code open_side(struct counting *counting, size_t at,
                          struct error *err)
{
    struct task *task = counting->task;
    const struct config_target *target = &counting->job->targets[at];
    struct copies_side *side = &counting->sides[at];
    CLEANUP_FREE char *path = NULL;
    err_code code = task_open_reader(
        task, config_find_volume(&task->config, target->volume),
        &side->catalogue, &path, err);

    side->owner = &counting->owners[at];
    if (!code)
        code = catalogue_find_owner(side->catalogue, task->host,
                                    counting->job->name, target->directory,
                                    &counting->owners[at], err);
    if (code != ERR_NOT_FOUND)
        return code;
    catalogue_close(side->catalogue);
    side->catalogue = NULL;
    return ERR_OK;
}

/* --- one file --- */

/* Whether the row speaks of the source as it is. */
static bool is_current(const struct record *row,
                       const struct platform_stat *source)
{
    if (!source)
        return true; /* nothing newer is known */
    struct signature now = signature_of(source);
    now.side = row->source.side;
    return signature_compare(&row->source, &now) == SIGNATURE_SAME;
}

static struct copy_info describe(const struct record *row,
                                 const struct platform_stat *source)
{
    if (!row)
        return (struct copy_info){.is_there = false};
    return (struct copy_info){
        .is_there = true,
        .is_current = is_current(row, source),
        .is_offloaded = !source && row->flags & RECORD_OFFLOADED,
        .is_adopted = row->flags & (RECORD_ADOPTED | RECORD_UNHASHED),
        .is_compared = row->flags & RECORD_COMPARED,
        .size_bytes = row->stamp.size_bytes,
        .committed_ns = row->committed_ns,
        .verified_ns = row->verified_ns,
    };
}

static void post_copy(struct counting *counting, const char *path, size_t side,
                      const struct copy_info *info)
{
    struct event *event = task_event(counting->task, EVENT_COPY);

    event->job = xstrdup(counting->job->name);
    event->volume = xstrdup(counting->job->targets[side].volume);
    event->path = path_join(counting->job->source, path);
    event->copy = *info;
    task_post(counting->task, event);
}

static err_code visit(void *context, const struct copies_entry *entry,
                      struct error *err)
{
    struct counting *counting = context;
    struct platform_stat stat;
    bool has_source = counting->source.fd >= 0 &&
                      !source_stat(&counting->source, entry->raw, &stat, NULL);
    bool is_offloaded = false, is_proved = false;
    size_t copies = 0;

    if (stop_flag_is_raised(&counting->task->stop))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    for (size_t i = 0; i < counting->job->target_count; i++) {
        struct copy_info info =
            describe(entry->rows[i], has_source ? &stat : NULL);
        copies += info.is_there && info.is_current;
        is_offloaded |= info.is_offloaded;
        is_proved |= info.is_current && info.verified_ns;
        if (counting->tells_each)
            post_copy(counting, entry->raw, i, &info);
    }
    counting->told++;
    counting->info.files[copies < COPIES_MOST ? copies : COPIES_MOST]++;
    counting->info.offloaded += is_offloaded;
    counting->info.unproven += !is_proved;
    return ERR_OK;
}

/* --- one job --- */

/* What cannot be reached counts as not there. */
static void open_source(struct counting *counting)
{
    const struct source_search search = {
        .platform = counting->task->context->platform,
        .config = &counting->task->config,
        .job = counting->job,
    };
    struct source *source = &counting->source;

    if (!platform_open_root(counting->job->source, &source->fd, NULL) &&
        source_find_mounts(&search, source, NULL))
        source_release(source);
}

static err_code count_job(struct task *task, const struct config_job *job,
                          const char *under, int64_t *told, struct error *err)
{
    CLEANUP(counting_release)
    struct counting counting = {
        .task = task,
        .job = job,
        .sides = xcalloc(job->target_count, sizeof *counting.sides),
        .owners = xcalloc(job->target_count, sizeof *counting.owners),
        .source = SOURCE_INIT,
        .tells_each = under != NULL,
    };
    err_code code = ERR_OK;

    open_source(&counting);
    for (size_t i = 0; !code && i < job->target_count; i++)
        code = open_side(&counting, i, err);
    if (!code)
        code = copies_walk(counting.sides, job->target_count,
                           under ? under : "", visit, &counting, err);
    *told += counting.told;
    if (code || under)
        return code;
    struct event *event = task_event(task, EVENT_COPIES);
    event->job = xstrdup(job->name);
    event->copies = counting.info;
    task_post(task, event);
    return ERR_OK;
}

/* --- what move has removed, and a target was replaced since --- */

static err_code visit_offloaded(void *context, const struct copies_entry *entry,
                                struct error *err)
{
    struct counting *counting = context;
    bool is_offloaded = false;
    int copies = 0;

    for (size_t i = 0; i < counting->job->target_count; i++) {
        const struct record *row = entry->rows[i];
        if (!row || row->type != ENTRY_FILE)
            continue;
        is_offloaded |= (row->flags & RECORD_OFFLOADED) != 0;
        copies += !(row->flags & RECORD_ROTTEN);
    }
    counting->told += is_offloaded && copies < counting->job->min_copies;
    return ERR_OK;
}

err_code task_count_scarce(struct task *task, const struct config_job *job,
                           int64_t *out, struct error *err)
{
    CLEANUP(counting_release)
    struct counting counting = {
        .task = task,
        .job = job,
        .sides = xcalloc(job->target_count, sizeof *counting.sides),
        .owners = xcalloc(job->target_count, sizeof *counting.owners),
        .source = SOURCE_INIT,
    };
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < job->target_count; i++)
        code = open_side(&counting, i, err);
    if (!code)
        code = copies_walk(counting.sides, job->target_count, "",
                           visit_offloaded, &counting, err);
    *out = counting.told;
    return code;
}

/* "/home/me/data/x" in the job of /home/me/data: "x", as keys are. */
static char *key_path(const char *source, const char *path)
{
    struct strbuf key = STRBUF_INIT;
    const char *below = path + strlen(source);

    while (*below == '/')
        below++;
    name_key(below, &key);
    return strbuf_detach(&key);
}

err_code task_copies(struct task *task, enum outcome *outcome,
                     struct error *err)
{
    const char *path = task->command->path;
    err_code code = ERR_OK;
    int64_t told = 0;

    for (size_t i = 0; !code && i < task->config.job_count; i++) {
        const struct config_job *job = &task->config.jobs[i];
        if (!path) {
            code = count_job(task, job, NULL, &told, err);
        } else if (path_is_within(path, job->source)) {
            CLEANUP_FREE char *under = key_path(job->source, path);
            code = count_job(task, job, under, &told, err);
        }
    }
    if (!code && path && !told)
        code = error_set(err, ERR_INVALID,
                         "no copy of %s is known: is it in the source of a "
                         "job, and was that synced? `berth job list`; `berth "
                         "find` looks for it on all drives",
                         path);
    return code;
}
