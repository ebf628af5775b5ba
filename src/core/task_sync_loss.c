#include "core/task_sync.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/base/text_set.h"
#include "core/db.h"
#include "core/offload.h"

#include <stdlib.h>
#include <string.h>

#define LOST "was offloaded, and is damaged or missing on the drive"

/* Another target of the job. */
struct giver {
    const struct config_volume *config;
    struct catalogue *catalogue;
    struct owner owner;
    struct volume volume; /* root_fd -1: away */
    int directory_fd;     /* the job's on it; -1: away */
    struct text_set made; /* directories that are in the plan */
};

static void giver_release(struct giver *giver)
{
    cleanup_fd(&giver->directory_fd);
    volume_release(&giver->volume);
    owner_release(&giver->owner);
    catalogue_close(giver->catalogue);
    text_set_release(&giver->made);
}

/* One file that is lost. */
struct lost {
    const struct action *action;
    const char *away;    /* a volume that has it and is not attached; NULL */
    const char *came_of; /* the volume that it is copied from; NULL */
};
struct losses {
    struct lost *items;
    size_t count, capacity;
};

static err_code open_giver(struct job_run *run,
                           const struct config_target *target,
                           struct giver *out, struct error *err)
{
    struct task *task = run->syncing->task;
    CLEANUP_FREE char *path = NULL;

    *out = (struct giver){
        .config = config_find_volume(&task->config, target->volume),
        .volume = VOLUME_INIT,
        .directory_fd = -1,
    };
    err_code code =
        task_open_reader(task, out->config, &out->catalogue, &path, err);
    if (!code)
        code = catalogue_find_owner(out->catalogue, task->host,
                                    run->pair->job->name, target->directory,
                                    &out->owner, err);
    /* Away, or something is wrong with it: it cannot give now. */
    if (!code &&
        !volume_locate(task->context->platform, out->config, &out->volume,
                       NULL) &&
        platform_open_beneath(out->volume.root_fd, target->directory,
                              PLATFORM_OPEN_DIRECTORY, &out->directory_fd,
                              NULL))
        volume_release(&out->volume);
    return code;
}

/* The volume's spelling of a key path. */
static err_code spell(const struct giver *giver, const char *path,
                      struct arena *arena, const char **out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf drive = STRBUF_INIT;
    err_code code = ERR_OK;

    for (const char *end = path; !code && *end;) {
        struct record row;
        end += strcspn(end + 1, "/") + 1;
        CLEANUP_FREE char *prefix = xstrndup(path, (size_t)(end - path));
        code = catalogue_find(giver->catalogue, &giver->owner, prefix, arena,
                              &row, err);
        if (!code)
            path_append(&drive, record_drive(&row));
    }
    if (!code)
        *out = arena_strdup(arena, drive.text);
    return code;
}

/* --- the plan of what comes back --- */

static bool stands_on_drive(const struct job_run *run, const char *drive,
                            struct platform_stat *out)
{
    CLEANUP_FREE char *full = path_join(run->pair->target->directory, drive);

    return !platform_stat_beneath(run->syncing->volume.root_fd, full, out,
                                  NULL);
}

static void add_parents(const struct job_run *run, struct giver *giver,
                        const struct action *lost, struct plan *back)
{
    CLEANUP_FREE char *path = xstrdup(lost->path);
    CLEANUP_FREE char *drive = xstrdup(action_drive(lost));
    struct platform_stat stat;
    size_t length;

    while ((length = path_parent_length(path))) {
        path[length] = drive[path_parent_length(drive)] = '\0';
        if (text_set_has(&giver->made, path) ||
            stands_on_drive(run, drive, &stat))
            return;
        text_set_add(&giver->made, path);
        struct action action = {
            .kind = ACTION_MKDIR,
            .type = ENTRY_DIRECTORY,
            .flags = ACTION_BACK,
            .before = STAMP_NOTHING,
            .path = arena_strdup(&back->arena, path),
            .drive = arena_strdup(&back->arena, drive),
        };
        ARRAY_PUSH(back, action);
    }
}

static void add_copy(const struct job_run *run, struct giver *giver,
                     const struct action *lost, const char *raw,
                     int64_t size_bytes, struct plan *back)
{
    struct arena *arena = &back->arena;
    struct platform_stat stat;
    bool is_there = stands_on_drive(run, action_drive(lost), &stat);
    struct action action = {
        .kind = (unsigned char)(is_there ? ACTION_UPDATE : ACTION_NEW),
        .type = ENTRY_FILE,
        .reason =
            (unsigned char)(is_there ? REASON_DRIFT : REASON_MISSING_ON_DRIVE),
        .flags = ACTION_BACK,
        .path = arena_strdup(arena, lost->path),
        .raw = arena_strdup(arena, raw),
        .drive = arena_strdup(arena, action_drive(lost)),
        .size_bytes = size_bytes,
        .before = is_there ? stamp_of(&stat) : STAMP_NOTHING,
    };

    if (is_there && stat.type == PLATFORM_DIRECTORY)
        return; /* that is for somebody to decide */
    add_parents(run, giver, lost, back);
    ARRAY_PUSH(back, action);
}

/* ERR_NOT_FOUND: the giver has no such content. */
static err_code take_from(const struct job_run *run, struct giver *giver,
                          struct lost *lost, struct plan *back,
                          struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record row, theirs;
    const char *raw = NULL;
    err_code code =
        catalogue_find(run->syncing->catalogue, &run->prepared.owner,
                       lost->action->path, &arena, &row, err);

    if (!code)
        code = catalogue_find(giver->catalogue, &giver->owner,
                              lost->action->path, &arena, &theirs, err);
    if (code)
        return code;
    if (theirs.type != ENTRY_FILE || theirs.flags & RECORD_UNHASHED ||
        !hash_equal(&theirs.hash, &row.hash))
        return ERR_NOT_FOUND;
    if (giver->directory_fd < 0) {
        lost->away = giver->config->name;
        return ERR_OK;
    }
    code = spell(giver, lost->action->path, &arena, &raw, err);
    if (code)
        return code;
    lost->came_of = giver->config->name;
    add_copy(run, giver, lost->action, raw, row.stamp.size_bytes, back);
    return ERR_OK;
}

/* --- one giver after the other --- */

static void add_counts(struct sync_info *info, const struct run_counts *back)
{
    info->given_back += back->files_new + back->files_updated;
    info->counts.files_new += back->files_new;
    info->counts.files_updated += back->files_updated;
    info->counts.directories_made += back->directories_made;
    info->counts.bytes_copied += back->bytes_copied;
    info->counts.failed += back->failed;
}

static err_code copy_back(struct job_run *run, const struct giver *giver,
                          struct plan *back, struct error *err)
{
    const struct source from = {.fd = giver->directory_fd};
    struct run_counts counts = {0};

    plan_sort(back);
    plan_total(back);
    err_code code = sync_begin(run, err);
    if (!code)
        code = sync_execute(run, back, &from, &counts, err);
    add_counts(&run->info, &counts);
    return code ? code : sync_read_back(run, back, err);
}

static err_code ask_giver(struct job_run *run,
                          const struct config_target *target,
                          struct losses *losses, struct error *err)
{
    CLEANUP(giver_release)
    struct giver giver = {.directory_fd = -1, .volume = VOLUME_INIT};
    CLEANUP(plan_release) struct plan back = PLAN_INIT;
    err_code code = open_giver(run, target, &giver, err);

    for (size_t i = 0; !code && i < losses->count; i++)
        if (!losses->items[i].came_of) {
            code = take_from(run, &giver, &losses->items[i], &back, err);
            if (code == ERR_NOT_FOUND)
                code = ERR_OK;
        }
    if (!code && back.count)
        code = copy_back(run, &giver, &back, err);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static void name_loss(struct job_run *run, const struct lost *lost)
{
    struct task *task = run->syncing->task;
    struct event *event = task_event(task, EVENT_FILE_FAILED);

    event->job = xstrdup(run->pair->job->name);
    event->volume = xstrdup(run->syncing->config->name);
    event->path = xstrdup(lost->action->path);
    event->code = ERR_CORRUPT;
    if (lost->came_of)
        event->text = xasprintf(LOST " %s: it is copied back from %s",
                                run->syncing->config->name, lost->came_of);
    else if (lost->away)
        event->text =
            xasprintf(LOST " %s: plug in %s as well and sync, which has it",
                      run->syncing->config->name, lost->away);
    else
        event->text = xasprintf(LOST " %s: no other target has it",
                                run->syncing->config->name);
    task_post(task, event);
}

/* It was in quarantine, and this run has read it back as it was written. */
static bool is_back(const struct job_run *run, const struct action *lost,
                    const struct record *row)
{
    struct platform_stat stat;

    return !(row->flags & RECORD_ROTTEN) &&
           stands_on_drive(run, action_drive(lost), &stat) &&
           stamp_equal(row->stamp, stamp_of(&stat),
                       run->syncing->session.traits.time_tolerance_ns);
}

/* Until it is read back, each diff knows of it, also one that does not read
 * the drive. */
static err_code keep_in_mind(struct job_run *run, const struct action *lost,
                             bool *out_is_back, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record row;
    err_code code =
        catalogue_find(run->syncing->catalogue, &run->prepared.owner,
                       lost->path, &arena, &row, err);

    *out_is_back = !code && is_back(run, lost, &row);
    if (code || *out_is_back || row.flags & RECORD_ROTTEN)
        return code;
    row.flags |= RECORD_ROTTEN;
    row.verified_ns = 0;
    return catalogue_put(run->syncing->catalogue, &run->prepared.owner,
                         lost->path, &row, err);
}

static void collect_losses(struct job_run *run, struct losses *out)
{
    for (size_t i = 0; i < run->plan.count; i++) {
        struct lost lost = {.action = &run->plan.items[i]};
        if (lost.action->kind == ACTION_CONFLICT &&
            lost.action->reason == REASON_LOSS)
            ARRAY_PUSH(out, lost);
    }
    run->info.conflicts -= (int64_t)out->count;
}

/* In one transaction: each would be a flush of this machine's disk. */
static err_code keep_all_in_mind(struct job_run *run, struct losses *losses,
                                 struct error *err)
{
    struct db *db = catalogue_db(run->syncing->catalogue);
    size_t kept = 0;
    err_code code = db_begin(db, err);

    for (size_t i = 0; !code && i < losses->count; i++) {
        bool is_back = false;
        code = keep_in_mind(run, losses->items[i].action, &is_back, err);
        if (!is_back)
            losses->items[kept++] = losses->items[i];
    }
    if (!code)
        losses->count = kept;
    return db_end(db, code, err);
}

err_code sync_handle_losses(struct job_run *run, struct error *err)
{
    const struct config_job *job = run->pair->job;
    struct losses losses = {.items = NULL};
    err_code code = ERR_OK;

    collect_losses(run, &losses);
    if (losses.count)
        code = keep_all_in_mind(run, &losses, err);
    run->info.lost = (int64_t)losses.count;
    for (size_t t = 0; !code && losses.count && t < job->target_count; t++)
        if (&job->targets[t] != run->pair->target &&
            !run->syncing->session.is_unclean)
            code = ask_giver(run, &job->targets[t], &losses, err);
    for (size_t i = 0; i < losses.count; i++)
        name_loss(run, &losses.items[i]);
    free(losses.items);
    return code;
}
