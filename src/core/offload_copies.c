#include "core/offload_copies.h"

#include "core/base/path.h"
#include "core/history.h"
#include "core/peers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define META_REPLICA "replica_until" /* read back, with rows up to then */
#define META_FAILING "failing"       /* "1": at the last look */

err_code offload_replica_until(struct catalogue *catalogue, int64_t *out_ns,
                               struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    bool found;
    err_code code =
        catalogue_get_meta(catalogue, META_REPLICA, &text, &found, err);

    if (code)
        return code;
    char *end = text.text;
    errno = 0;
    long long until = found ? strtoll(text.text, &end, 10) : 0;
    *out_ns = errno || *end || until < 0 ? 0 : until;
    return ERR_OK;
}

err_code offload_note_replica(struct catalogue *catalogue, int64_t until_ns,
                              struct error *err)
{
    CLEANUP_FREE char *text = xasprintf("%" PRId64, until_ns);

    return catalogue_set_meta(catalogue, META_REPLICA, text, err);
}

err_code offload_unmark(struct catalogue *catalogue, const struct owner *owner,
                        const char *path, const struct platform_stat *now,
                        struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record row;
    err_code code = catalogue_find(catalogue, owner, path, &arena, &row, err);

    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    /* But for the change time, which the renames moved. */
    if (code || !(row.flags & RECORD_OFFLOADED) ||
        row.source.inode != now->inode ||
        row.source.size_bytes != now->size_bytes ||
        row.source.mtime_ns != now->mtime_ns)
        return code;
    row.flags &= ~(unsigned)RECORD_OFFLOADED;
    code = peers_mark_due(catalogue, owner->host, err);
    return code ? code : catalogue_put(catalogue, owner, path, &row, err);
}

err_code offload_doubt(struct catalogue *catalogue, const struct owner *owner,
                       const char *path, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record row;
    err_code code = catalogue_find(catalogue, owner, path, &arena, &row, err);

    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code || (!row.verified_ns && !(row.flags & RECORD_COMPARED)))
        return code;
    row.verified_ns = 0;
    row.flags &= ~(unsigned)RECORD_COMPARED;
    return catalogue_put(catalogue, owner, path, &row, err);
}

/* --- the volumes --- */

static void target_release(struct offload_target *target)
{
    lock_release(&target->lock);
    volume_release(&target->volume);
    catalogue_close(target->catalogue);
    owner_release(&target->owner);
    paths_release(&target->poisoned);
}

void offload_targets_release(struct offload_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        target_release(&targets->items[i]);
    free(targets->items);
    free(targets->sides);
    *targets = (struct offload_targets){.items = NULL};
}

static err_code look_at_volume(struct task *task, struct offload_target *target,
                               struct error *err)
{
    const struct config_volume *config = target->pair.volume;
    err_code code =
        volume_locate(task->context->platform, config, &target->volume, err);

    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code == ERR_REFUSED) {
        target->state = OFFLOAD_UNKNOWN;
        return ERR_OK;
    }
    if (!code)
        code = lock_take(target->volume.root_fd, config->id, config->name,
                         "berth tidy", &target->lock, err);
    return code;
}

/* Left in the middle of a run: until that is repaired nothing is certain. */
static err_code look_at_past(struct offload_target *target, struct error *err)
{
    CLEANUP(journal_session_release)
    struct journal_session last = {.id = 0};
    int64_t pending = 0;
    err_code code = journal_last_session(target->catalogue, &last, err);

    if (!code)
        code = journal_pending_batch(target->catalogue, &pending, err);
    if (!code && (last.state == SESSION_OPEN || pending) &&
        target->state == OFFLOAD_READY)
        target->state = OFFLOAD_UNCLEAN;
    return code;
}

static const struct drive *find_drive(const struct drives *drives,
                                      const char *volume_id)
{
    for (size_t i = 0; i < drives->count; i++)
        for (size_t v = 0; v < drives->items[i].volumes.count; v++)
            if (!strcmp(drives->items[i].volumes.items[v].id, volume_id))
                return &drives->items[i];
    return NULL;
}

/* Of a drive that is away the last look counts. */
static err_code look_at_health(struct offload_target *target,
                               const struct drives *drives, struct error *err)
{
    const struct drive *drive = find_drive(drives, target->pair.volume->id);
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    bool found, is_failing;
    err_code code = catalogue_get_meta(target->catalogue, META_FAILING, &before,
                                       &found, err);

    if (code)
        return code;
    is_failing = found && !strcmp(before.text, "1");
    if (drive && drive->is_attached && drive->health.state != HEALTH_UNKNOWN) {
        bool was_failing = is_failing;
        is_failing = drive->health.state == HEALTH_FAILING;
        if (is_failing != was_failing)
            code = catalogue_set_meta(target->catalogue, META_FAILING,
                                      is_failing ? "1" : "0", err);
    }
    if (is_failing && target->state == OFFLOAD_READY)
        target->state = OFFLOAD_FAILING;
    return code;
}

static err_code open_catalogue(struct task *task, struct offload_target *target,
                               struct error *err)
{
    struct catalogue *reader;
    CLEANUP_FREE char *path = NULL;
    err_code code =
        task_open_reader(task, target->pair.volume, &reader, &path, err);

    if (code == ERR_NOT_FOUND) /* it is not made by asking */
        return ERR_OK;
    if (code)
        return code;
    catalogue_close(reader);
    code =
        task_open_catalogue(task, target->pair.volume, &target->catalogue, err);
    if (!code)
        code = catalogue_find_owner(
            target->catalogue, task->host, target->pair.job->name,
            target->pair.target->directory, &target->owner, err);
    if (code == ERR_NOT_FOUND) {
        catalogue_close(target->catalogue);
        target->catalogue = NULL;
        return ERR_OK;
    }
    return code;
}

static err_code open_target(struct task *task, const struct drives *drives,
                            struct offload_target *target, struct error *err)
{
    err_code code = open_catalogue(task, target, err);

    if (code || !target->catalogue)
        return code;
    code = look_at_volume(task, target, err);
    if (!code)
        code = look_at_past(target, err);
    if (!code)
        code = look_at_health(target, drives, err);
    if (!code)
        code = traits_load(target->catalogue, &target->traits, err);
    if (!code)
        code = journal_list_poisoned(target->catalogue, target->owner.id,
                                     &target->poisoned, err);
    if (!code)
        code =
            offload_replica_until(target->catalogue, &target->replica_ns, err);
    if (!code)
        code = history_latest_ns(target->catalogue, &target->last_run_ns, err);
    return code;
}

err_code offload_targets_open(struct task *task, const struct config_job *job,
                              const struct drives *drives,
                              struct offload_targets *out, struct error *err)
{
    struct offload_targets targets = {
        .items = xcalloc(job->target_count, sizeof *targets.items),
        .sides = xcalloc(job->target_count, sizeof *targets.sides),
    };
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < job->target_count; i++) {
        struct offload_target *target = &targets.items[i];
        const struct config_target *where = &job->targets[i];
        *target = (struct offload_target){
            .pair = {job, where,
                     config_find_volume(&task->config, where->volume)},
            .volume = VOLUME_INIT,
            .lock = LOCK_INIT,
        };
        targets.count++;
        code = open_target(task, drives, target, err);
        targets.sides[i] =
            (struct copies_side){target->catalogue, &target->owner};
        if (target->last_run_ns > targets.last_run_ns)
            targets.last_run_ns = target->last_run_ns;
    }
    if (code) {
        offload_targets_release(&targets);
        return code;
    }
    *out = targets;
    return ERR_OK;
}

/* --- one copy --- */

static bool stands(const struct offload_target *target, const char *drive_path,
                   const struct record *row)
{
    CLEANUP_FREE char *full =
        path_join(target->pair.target->directory, drive_path);
    struct platform_stat stat;

    return !platform_stat_beneath(target->volume.root_fd, full, &stat, NULL) &&
           stat.type == PLATFORM_FILE &&
           stamp_equal(stamp_of(&stat), row->stamp,
                       target->traits.time_tolerance_ns);
}

struct offload_copy offload_copy_on(const struct offload_target *target,
                                    const char *path, const char *drive_path,
                                    const struct record *row, bool look)
{
    struct offload_copy copy = {
        .row = row,
        .volume_id = target->pair.volume->id,
        .volume = target->state,
        .is_there = true,
        .replica_ns = target->replica_ns,
    };

    if (!row)
        return copy;
    copy.is_there = !(row->flags & RECORD_ROTTEN) &&
                    !paths_contain(&target->poisoned, path) &&
                    (!look || target->volume.root_fd < 0 ||
                     stands(target, drive_path, row));
    return copy;
}
