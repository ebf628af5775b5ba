#include "core/task.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/db.h"
#include "core/filter.h"
#include "core/fsops.h"
#include "core/health_store.h"
#include "core/offload_copies.h"
#include "core/offload_files.h"
#include "core/peers.h"
#include "core/registry.h"
#include "platform/platform_host.h"

#include <stdlib.h>
#include <string.h>

/* One job whose local files may go. */
struct tidying {
    struct task *task;
    const struct config_job *job;
    bool is_dry, tells_all;
    struct prepared source;
    struct offload_targets targets;
    struct filter *filter;
    bool clock_is_synchronised;
    struct {
        struct offload_item *items;
        size_t count, capacity;
        const struct source_mount *mount; /* all are on it; NULL: on none */
    } batch;
    struct tidy_info info;
};

static void tidying_release(struct tidying *tidying)
{
    for (size_t i = 0; i < tidying->batch.count; i++)
        offload_item_release(&tidying->batch.items[i]);
    free(tidying->batch.items);
    filter_free(tidying->filter);
    offload_targets_release(&tidying->targets);
    prepared_release(&tidying->source);
}

/* --- telling --- */

static void tell(struct tidying *tidying, const char *path, int64_t bytes,
                 const struct offload_verdict *verdict, const char *message)
{
    enum offload_reason reason = verdict->reason;
    bool is_about_copy =
        reason > OFFLOAD_READY && reason < OFFLOAD_CLOCK_UNSYNCHRONISED;

    if (reason != OFFLOAD_READY)
        tidying->info.waiting[reason]++;
    else
        tidying->info.files++;
    if (reason == OFFLOAD_READY)
        tidying->info.bytes += bytes;
    if (!tidying->tells_all && reason != OFFLOAD_FAILED)
        return;
    struct event *event = task_event(tidying->task, EVENT_TIDY_FILE);
    event->job = xstrdup(tidying->job->name);
    event->path = xstrdup(path);
    event->text = xstrdup(message ? message : offload_reason_text(reason));
    if (is_about_copy)
        event->volume =
            xstrdup(tidying->targets.items[verdict->copy].pair.volume->name);
    event->tidy = (struct tidy_info){
        .is_dry = tidying->is_dry,
        .bytes = bytes,
        .reason = reason,
        .counted = verdict->counted,
        .until_ns = verdict->until_ns,
    };
    task_post(tidying->task, event);
}

/* --- the catalogues say "offloaded" --- */

static err_code mark_parents(struct offload_target *target, const char *path,
                             struct error *err)
{
    CLEANUP_FREE char *parent = xstrdup(path);
    err_code code = ERR_OK;
    size_t length;

    while (!code && (length = path_parent_length(parent))) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT;
        struct record row;
        parent[length] = '\0';
        code = catalogue_find(target->catalogue, &target->owner, parent, &arena,
                              &row, err);
        if (code || row.flags & RECORD_OFFLOADED)
            break;
        row.flags |= RECORD_OFFLOADED;
        code =
            catalogue_put(target->catalogue, &target->owner, parent, &row, err);
    }
    return code;
}

/* Every copy of what goes, also those that did not count. */
static err_code mark_on(struct offload_target *target,
                        const struct offload_item *item, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record row;
    err_code code = catalogue_find(target->catalogue, &target->owner,
                                   item->path, &arena, &row, err);

    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code || signature_compare(&row.source, &item->source) != SIGNATURE_SAME)
        return code;
    row.flags |= RECORD_OFFLOADED;
    code =
        catalogue_put(target->catalogue, &target->owner, item->path, &row, err);
    return code ? code : mark_parents(target, item->path, err);
}

static err_code mark_all_on(struct offload_target *target,
                            const struct offload_item *items, size_t count,
                            struct error *err)
{
    struct db *db = catalogue_db(target->catalogue);
    err_code code = db_begin(db, err);

    if (code)
        return code;
    for (size_t i = 0; !code && i < count; i++)
        if (items[i].is_hidden)
            code = mark_on(target, &items[i], err);
    if (!code)
        code = peers_mark_due(target->catalogue, target->owner.host, err);
    return db_end(db, code, err);
}

static err_code mark(void *context, struct offload_item *items, size_t count,
                     struct error *err)
{
    struct tidying *tidying = context;
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < tidying->targets.count; i++)
        if (tidying->targets.items[i].catalogue)
            code = mark_all_on(&tidying->targets.items[i], items, count, err);
    return code;
}

/* --- removing --- */

/* Upwards, as far as they are empty now: what was just removed was the last. */
static void remove_emptied(struct tidying *tidying, struct fsops *ops,
                           const char *raw)
{
    CLEANUP_FREE char *parent = xstrdup(raw);
    size_t length;

    while ((length = path_parent_length(parent))) {
        parent[length] = '\0';
        if (fsops_remove_directory(ops, parent, NULL))
            return;
        tidying->info.directories++;
    }
}

static int root_of_batch(const struct tidying *tidying)
{
    const struct source_mount *mount = tidying->batch.mount;

    return mount ? mount->fd : tidying->source.source.fd;
}

static void tell_batch(struct tidying *tidying)
{
    struct fsops ops = fsops_on(root_of_batch(tidying));

    for (size_t i = 0; i < tidying->batch.count; i++) {
        struct offload_item *item = &tidying->batch.items[i];
        const struct offload_verdict verdict = {.reason = item->result,
                                                .counted = item->counted};
        tell(tidying, item->path, item->source.size_bytes, &verdict,
             item->message);
        if (item->result == OFFLOAD_READY && !tidying->is_dry)
            remove_emptied(tidying, &ops, item->raw);
        offload_item_release(item);
    }
    tidying->batch.count = 0;
    fsops_release(&ops);
}

static err_code remove_batch(struct tidying *tidying, struct error *err)
{
    const struct source_mount *mount = tidying->batch.mount;
    CLEANUP_FREE char *source =
        path_join(tidying->job->source, mount ? mount->raw : "");
    const struct offload_removal removal = {
        .source_fd = root_of_batch(tidying),
        .source = source,
        .identity = mount ? mount->identity : tidying->source.source_identity,
        .job = tidying->job->name,
        .state_directory = tidying->task->context->state_directory,
        .context = tidying,
        .mark = mark,
    };
    err_code code = ERR_OK;

    if (tidying->batch.count && !tidying->is_dry)
        code = offload_files_remove(&removal, tidying->batch.items,
                                    tidying->batch.count, err);
    if (!code)
        tell_batch(tidying);
    return code;
}

/* --- one file --- */

/* What the job does not take now is none of its business. */
static bool is_left_out(const struct tidying *tidying, const char *path,
                        const struct platform_stat *stat)
{
    int64_t settle_ns = tidying->job->settle_ns;

    return filter_judge(tidying->filter, path, false) != FILTER_TAKE ||
           (settle_ns && stat->mtime_ns > clock_now_ns() - settle_ns);
}

static struct offload_verdict judge(struct tidying *tidying,
                                    const struct copies_entry *entry,
                                    const struct platform_stat *stat)
{
    const struct offload_targets *targets = &tidying->targets;
    CLEANUP_FREE struct offload_copy *copies =
        xcalloc(targets->count, sizeof *copies);
    const struct offload_input input = {
        .type = stat->type == PLATFORM_SYMLINK ? ENTRY_SYMLINK : ENTRY_FILE,
        .source = signature_of(stat),
        .links = stat->links,
        .copies = copies,
        .copy_count = targets->count,
        .min_copies = tidying->job->min_copies,
        .keep_local_ns = tidying->job->keep_local_ns,
        .now_ns = clock_now_ns(),
        .clock_is_synchronised = tidying->clock_is_synchronised,
        .last_run_ns = targets->last_run_ns,
    };
    struct offload_verdict verdict = {.reason = OFFLOAD_READY};

    /* The drive is only asked about what else may go: it may be a slow one. */
    for (int look = 0; look < 2 && verdict.reason == OFFLOAD_READY; look++) {
        for (size_t i = 0; i < targets->count; i++)
            copies[i] = offload_copy_on(&targets->items[i], entry->path,
                                        entry->drive[i], entry->rows[i], look);
        verdict = offload_judge(&input);
    }
    return verdict;
}

static void add_to_batch(struct tidying *tidying,
                         const struct copies_entry *entry,
                         const struct platform_stat *stat, int counted)
{
    const char *raw = entry->raw;

    source_root(&tidying->source.source, &raw);
    struct offload_item item = {
        .path = xstrdup(entry->path),
        .raw = xstrdup(raw),
        .source = signature_of(stat),
        .counted = counted,
    };

    ARRAY_PUSH(&tidying->batch, item);
}

static err_code consider(void *context, const struct copies_entry *entry,
                         struct error *err)
{
    struct tidying *tidying = context;
    struct platform_stat stat;

    if (stop_flag_is_raised(&tidying->task->stop))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    if (source_stat(&tidying->source.source, entry->raw, &stat, NULL))
        return ERR_OK; /* gone already, or not to be reached */
    if (stat.type != PLATFORM_FILE && stat.type != PLATFORM_SYMLINK)
        return ERR_OK;
    struct offload_verdict verdict = judge(tidying, entry, &stat);
    if (verdict.reason == OFFLOAD_READY &&
        is_left_out(tidying, entry->path, &stat))
        verdict.reason = OFFLOAD_LEFT_OUT;
    if (verdict.reason != OFFLOAD_READY) {
        tell(tidying, entry->path, stat.size_bytes, &verdict, NULL);
        return ERR_OK;
    }
    const struct source_mount *mount =
        source_mount_of(&tidying->source.source, entry->raw);
    err_code code = ERR_OK;
    if (tidying->batch.count == OFFLOAD_BATCH || tidying->batch.mount != mount)
        code = remove_batch(tidying, err);
    tidying->batch.mount = mount;
    add_to_batch(tidying, entry, &stat, verdict.counted);
    return code;
}

/* --- one job --- */

/* The guards of a sync: the source has to be the one that was copied. */
static err_code open_source(struct tidying *tidying, struct error *err)
{
    err_code code = ERR_OK;
    bool is_open = false;

    for (size_t i = 0; !code && i < tidying->targets.count; i++) {
        const struct offload_target *target = &tidying->targets.items[i];
        if (!target->catalogue)
            continue;
        prepared_release(&tidying->source);
        code = task_prepare(tidying->task, &target->pair, NULL,
                            target->catalogue, &tidying->source, err);
        is_open = true;
    }
    return code || is_open
               ? code
               : error_set(err, ERR_NOT_FOUND, "nothing was copied yet");
}

static err_code tidy_job(struct tidying *tidying, const struct drives *drives,
                         struct error *err)
{
    const struct config_job *job = tidying->job;
    err_code code = offload_files_check(tidying->task->context->state_directory,
                                        job->name, err);

    if (!code)
        code = offload_targets_open(tidying->task, job, drives,
                                    &tidying->targets, err);
    if (!code)
        code = open_source(tidying, err);
    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    tidying->clock_is_synchronised = platform_clock_is_synchronised();
    tidying->filter = filter_new(
        (const char *const *)job->include, job->include_count,
        (const char *const *)job->exclude, job->exclude_count, job->keep_junk);
    code = copies_walk(tidying->targets.sides, tidying->targets.count, "",
                       consider, tidying, err);
    return code ? code : remove_batch(tidying, err);
}

static enum outcome tidy_and_tell(struct task *task,
                                  const struct config_job *job,
                                  const struct drives *drives, bool is_dry,
                                  bool tells_all)
{
    CLEANUP(tidying_release)
    struct tidying tidying = {
        .task = task,
        .job = job,
        .is_dry = is_dry,
        .tells_all = tells_all,
        .source = {.source = SOURCE_INIT},
        .info = {.is_dry = is_dry},
    };
    struct error err = ERROR_INIT;
    err_code code = tidy_job(&tidying, drives, &err);
    struct event *event = task_event(task, EVENT_TIDIED);

    event->job = xstrdup(job->name);
    event->tidy = tidying.info;
    event->code = code;
    event->outcome = outcome_of(code);
    if (code)
        event->text = xstrdup(err.message);
    if (tidying.info.waiting[OFFLOAD_FAILED])
        event->outcome = outcome_worse(event->outcome, OUTCOME_FAILED_FILES);
    enum outcome outcome = event->outcome;
    task_post(task, event);
    return outcome;
}

/* --- the jobs --- */

static bool is_first_of_job(const struct pairs *pairs, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (pairs->items[i].job == pairs->items[at].job)
            return false;
    return true;
}

static bool has_work(const struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (pairs->items[i].job->mode == JOB_MOVE)
            return true;
    return false;
}

static err_code list_drives(struct task *task, struct drives *out,
                            struct error *err)
{
    struct health_store *health =
        health_store_new(task->context->state_directory);
    const struct registry registry = {
        .platform = task->context->platform,
        .config = &task->config,
        .state_directory = task->context->state_directory,
        .host = task->host,
        .health = health,
    };
    err_code code = registry_list(&registry, out, err);

    health_store_free(health);
    return code;
}

enum outcome task_tidy_jobs(struct task *task, const struct pairs *pairs,
                            bool is_dry, bool tells_all)
{
    CLEANUP(drives_release) struct drives drives = {.items = NULL};
    struct error err = ERROR_INIT;
    CLEANUP_FD int lock = -1;
    enum outcome worst = OUTCOME_DONE;
    err_code code = ERR_OK;

    if (!has_work(pairs))
        return OUTCOME_DONE;
    code = offload_files_lock(task->context->state_directory, &lock, &err);
    if (!code)
        code = list_drives(task, &drives, &err);
    if (code) {
        task_say(task, "no local file is removed: %s", err.message);
        return outcome_of(code);
    }
    for (size_t i = 0; i < pairs->count; i++) {
        const struct config_job *job = pairs->items[i].job;
        if (job->mode == JOB_MOVE && is_first_of_job(pairs, i))
            worst = outcome_worse(
                worst, tidy_and_tell(task, job, &drives, is_dry, tells_all));
    }
    return worst;
}

/* --- what an earlier run left --- */

/* The file is in the source again, so it is not offloaded. */
static err_code unmark(void *context, const char *job, const char *path,
                       const struct platform_stat *now, struct error *err)
{
    struct task *task = context;
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < task->config.volume_count; i++) {
        CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
        CLEANUP(owners_release) struct owners owners = {.items = NULL};
        CLEANUP_FREE char *reader = NULL;
        code = task_open_reader(task, &task->config.volumes[i], &catalogue,
                                &reader, err);
        if (code == ERR_NOT_FOUND) {
            code = ERR_OK;
            continue;
        }
        catalogue_close(catalogue);
        catalogue = NULL;
        if (!code)
            code = task_open_catalogue(task, &task->config.volumes[i],
                                       &catalogue, err);
        if (!code)
            code = catalogue_list_owners(catalogue, &owners, err);
        for (size_t o = 0; !code && o < owners.count; o++)
            if (!strcmp(owners.items[o].host, task->host) &&
                !strcmp(owners.items[o].job, job))
                code =
                    offload_unmark(catalogue, &owners.items[o], path, now, err);
    }
    return code;
}

static void say(void *context, const char *job, const char *message)
{
    if (*job)
        task_say(context, "job %s: %s", job, message);
    else
        task_say(context, "%s", message);
}

err_code task_recover_offloads(struct task *task, struct error *err)
{
    const struct offload_recovery recovery = {
        .state_directory = task->context->state_directory,
        .context = task,
        .unmark = unmark,
        .say = say,
    };
    CLEANUP_FD int lock = -1;

    if (!offload_files_any(task->context->state_directory))
        return ERR_OK;
    err_code code =
        offload_files_lock(task->context->state_directory, &lock, err);
    if (code == ERR_BUSY) /* whoever has it does that */
        return ERR_OK;
    if (!code && offload_files_recover(&recovery, NULL))
        return ERR_OK; /* said; those jobs are refused one by one */
    return code;
}

err_code task_tidy(struct task *task, enum outcome *outcome, struct error *err)
{
    CLEANUP(pairs_release) struct pairs pairs = {.items = NULL};
    err_code code = task_select_pairs(task, &pairs, err);

    if (!code && !has_work(&pairs))
        code = error_set(err, ERR_INVALID,
                         "no such job has the mode \"move\": there is nothing "
                         "to tidy");
    if (!code && !task->command->dry_run)
        code = task_recover_offloads(task, err);
    if (!code)
        *outcome = task_tidy_jobs(task, &pairs, task->command->dry_run, true);
    return code;
}
