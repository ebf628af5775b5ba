#include "core/undo_build.h"
#include "core/base/array.h"
#include "core/base/path.h"
#include "core/execute.h"
#include "core/names.h"

#include <stdlib.h>
#include <string.h>

static void building_release(struct building *building)
{
    owners_release(&building->owners);
    free(building->deeds.items);
    free(building->later.items);
    text_set_release(&building->retired);
    text_set_release(&building->renamed);
}

/*
 * --- what happened ---
 */

static err_code keep_deed(void *context, const struct run_item *item,
                          struct error *err)
{
    struct deeds *deeds = context;
    struct run_item kept = *item;

    if (item->deed == DEED_FAILED || item->deed == DEED_PRUNED)
        return ERR_OK;
    kept.job = arena_strdup(deeds->arena, item->job);
    kept.path = arena_strdup(deeds->arena, item->path);
    kept.detail = arena_strdup(deeds->arena, item->detail);
    ARRAY_PUSH(deeds, kept);
    return ERR_OK;
}

struct runs {
    int64_t after;
    struct {
        int64_t *items;
        size_t count, capacity;
    } ids;
};

static err_code keep_later(void *context, const struct run *run,
                           struct error *err)
{
    struct runs *runs = context;

    if (run->id > runs->after)
        ARRAY_PUSH(&runs->ids, run->id);
    return ERR_OK;
}

static err_code read_deeds(struct building *building, struct error *err)
{
    struct catalogue *catalogue = building->session->catalogue;
    struct runs runs = {.after = building->run};
    err_code code = history_walk_items(catalogue, building->run, keep_deed,
                                       &building->deeds, err);

    if (!code)
        code = history_walk(catalogue, 0, keep_later, &runs, err);
    for (size_t i = 0; !code && i < runs.ids.count; i++)
        code = history_walk_items(catalogue, runs.ids.items[i], keep_deed,
                                  &building->later, err);
    free(runs.ids.items);
    if (!code && !building->deeds.count)
        code = error_set(
            err, ERR_INVALID,
            "run %lld changed nothing on volume %s: `berth history` lists the "
            "runs that did",
            (long long)building->run, building->session->volume->marker.name);
    return code;
}

err_code undo_refuse(const struct building *building, const char *path,
                     const char *reason, struct error *err)
{
    return error_set(err, ERR_REFUSED,
                     "run %lld cannot be taken back: %s %s. `berth versions` "
                     "and `berth restore` give single files back",
                     (long long)building->run, path, reason);
}

static int compare_deeds(const void *one, const void *other)
{
    const struct run_item *a = one, *b = other;
    int order = strcmp(a->job, b->job);

    return order ? order : strcmp(a->path, b->path);
}

static bool is_in(const struct deeds *later, const char *job, const char *path)
{
    struct run_item key = {.job = job, .path = path};

    return later->count &&
           bsearch(&key, later->items, later->count, sizeof key, compare_deeds);
}

static err_code check_later_runs(struct building *building, struct error *err)
{
    struct deeds *later = &building->later;

    if (!later->count)
        return ERR_OK;
    for (size_t i = later->count; i-- > 0;) { /* old names count, too */
        struct run_item old = later->items[i];
        old.path = old.detail;
        if (old.deed == DEED_RENAMED)
            ARRAY_PUSH(later, old);
    }
    qsort(later->items, later->count, sizeof *later->items, compare_deeds);
    for (size_t i = 0; i < building->deeds.count; i++) {
        const struct run_item *deed = &building->deeds.items[i];
        if (is_in(later, deed->job, deed->path) ||
            (deed->deed == DEED_RENAMED &&
             is_in(later, deed->job, deed->detail)))
            return undo_refuse(building, deed->path,
                               "was changed by a later run", err);
    }
    return ERR_OK;
}

/*
 * --- where things are ---
 */

static err_code find_owner(const struct building *building, const char *job,
                           const struct owner **out, struct error *err)
{
    *out = NULL;
    for (size_t i = 0; i < building->owners.count; i++) {
        const struct owner *owner = &building->owners.items[i];
        if (strcmp(owner->job, job) != 0 ||
            strcmp(owner->host, building->session->host) != 0)
            continue;
        if (*out)
            return undo_refuse(building, job, "has two directories there", err);
        *out = owner;
    }
    return *out ? ERR_OK
                : undo_refuse(building, job, "is not a job of this host", err);
}

static const char *encode(const struct building *building, const char *key)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;

    if (!name_encode(key, &building->session->traits.names, &name))
        return key;
    return arena_strdup(&building->undo->arena, name.text);
}

/* The volume's spelling; of what is gone as it was made then. */
static err_code drive_path(struct building *building, const struct owner *owner,
                           const char *path, const char **out,
                           struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT;
    struct arena *arena = &building->undo->arena;
    size_t length = 0;
    err_code code = ERR_OK;

    strbuf_adds(&whole, owner->directory);
    while (!code && path[length]) {
        length += length > 0;
        length += strcspn(path + length, "/");
        const char *prefix = arena_strndup(arena, path, length);
        struct record record;
        code = catalogue_find(building->session->catalogue, owner, prefix,
                              arena, &record, err);
        path_append(&whole, code ? encode(building, path_name(prefix))
                                 : path_name(record_drive(&record)));
        if (code == ERR_NOT_FOUND)
            code = ERR_OK;
    }
    *out = arena_strdup(arena, whole.text);
    return code;
}

static char *mark_of(int64_t owner, const char *path)
{
    return xasprintf("%lld %s", (long long)owner, path);
}

bool undo_is_marked(const struct text_set *marks, int64_t owner,
                    const char *path)
{
    CLEANUP_FREE char *mark = mark_of(owner, path);

    return text_set_has(marks, mark);
}

static void mark(struct text_set *marks, const struct owner *owner,
                 const char *path)
{
    CLEANUP_FREE char *text = mark_of(owner->id, path);

    text_set_add(marks, text);
}

/* The row of what the run left, unchanged on the drive. */
static err_code find_left(struct building *building, const struct owner *owner,
                          const char *path, struct record *out,
                          const char **out_drive, struct error *err)
{
    struct session *session = building->session;
    struct platform_stat stat;
    bool exists;
    err_code code = catalogue_find(session->catalogue, owner, path,
                                   &building->undo->arena, out, err);

    if (code == ERR_NOT_FOUND)
        return undo_refuse(building, path, "is not known on the drive any more",
                           err);
    if (!code)
        code = drive_path(building, owner, path, out_drive, err);
    if (!code)
        code = fsops_look(&session->ops, *out_drive, &exists, &stat, err);
    if (code)
        return code;
    if (!exists ||
        (out->type == ENTRY_DIRECTORY) != (stat.type == PLATFORM_DIRECTORY) ||
        (out->type == ENTRY_FILE &&
         !stamp_equal(stamp_of(&stat), out->stamp,
                      session->traits.time_tolerance_ns)))
        return undo_refuse(building, path, "has changed on the drive since",
                           err);
    return ERR_OK;
}

/* In the source it is gone: the next sync would not bring it back. */
static err_code check_not_offloaded(const struct building *building,
                                    const char *path, const struct record *row,
                                    struct error *err)
{
    return row->flags & RECORD_OFFLOADED
               ? undo_refuse(building, path,
                             "was removed from this machine since: only the "
                             "drive has it",
                             err)
               : ERR_OK;
}

static bool is_freed(const struct building *building, const struct owner *owner,
                     const char *path)
{
    return undo_is_marked(&building->retired, owner->id, path) ||
           undo_is_marked(&building->renamed, owner->id, path);
}

static err_code check_free(struct building *building, const struct owner *owner,
                           const char *path, const char *drive,
                           struct error *err)
{
    struct platform_stat stat;
    bool exists;

    if (is_freed(building, owner, path))
        return ERR_OK;
    err_code code =
        fsops_look(&building->session->ops, drive, &exists, &stat, err);
    if (!code && exists)
        code = undo_refuse(building, path, "is there again", err);
    return code;
}

/*
 * --- steps ---
 */

static void add_step(struct building *building, const struct intent *intent,
                     bool is_copied, bool begins_batch)
{
    struct undo_step step = {*intent, is_copied, begins_batch};

    ARRAY_PUSH(building->undo, step);
}

static struct intent new_intent(const struct owner *owner, const char *path,
                                enum intent_kind kind)
{
    return (struct intent){
        .kind = kind,
        .owner = owner->id,
        .path = path,
        .before = STAMP_NOTHING,
        .record = {.type = ENTRY_FILE},
    };
}

static bool may_be_torn(const struct building *building)
{
    return !building->session->traits.has_journal;
}

/* A large sole copy is renamed alone between two barriers. */
static void add_sole_copy(struct building *building,
                          const struct intent *intent, int64_t size_bytes,
                          bool begins_batch)
{
    bool is_large = size_bytes > SOLE_COPY_LIMIT_BYTES;
    bool is_copied =
        may_be_torn(building) && !is_large && intent->record.type == ENTRY_FILE;

    if (is_copied)
        building->undo->copied_bytes += size_bytes;
    add_step(building, intent, is_copied,
             begins_batch || (may_be_torn(building) && is_large));
}

static err_code undo_new(struct building *building, const struct owner *owner,
                         const char *path, struct error *err)
{
    struct intent intent = new_intent(owner, path, INTENT_RETIRE);
    struct record row;
    err_code code = find_left(building, owner, path, &row, &intent.from, err);

    if (!code)
        code = check_not_offloaded(building, path, &row, err);
    if (!code)
        code = session_new_version(building->session, &building->undo->arena,
                                   intent.from, &intent.version, err);
    if (code)
        return code;
    intent.before = row.stamp;
    intent.reason = VERSION_DELETED;
    intent.record.type = row.type;
    mark(&building->retired, owner, path);
    add_sole_copy(building, &intent, row.stamp.size_bytes, false);
    return ERR_OK;
}

static err_code find_version(struct building *building,
                             const struct owner *owner, const char *path,
                             const struct version **out, struct error *err)
{
    struct version_list list = {.items = NULL};
    struct platform_stat stat;
    bool exists = false;
    err_code code =
        catalogue_list_versions(building->session->catalogue, owner->id, path,
                                &building->undo->arena, &list, err);

    *out = NULL;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].run == building->run &&
            !strcmp(list.items[i].path, path))
            *out = arena_memdup(&building->undo->arena, &list.items[i],
                                sizeof list.items[i]);
    version_list_release(&list);
    if (!code && *out)
        code = fsops_look(&building->session->ops, (*out)->drive_path, &exists,
                          &stat, err);
    if (!code && !exists)
        code = undo_refuse(building, path, "has no version of before any more",
                           err);
    return code;
}

/* What was replaced or deleted comes back from its version. */
static err_code undo_gone(struct building *building, const struct owner *owner,
                          const char *path, bool was_deleted, struct error *err)
{
    struct intent intent = new_intent(owner, path, INTENT_PLACE);
    bool is_twice = is_freed(building, owner, path);
    const struct version *version;
    struct record row;
    err_code code = find_version(building, owner, path, &version, err);

    if (code)
        return code;
    intent.from = version->drive_path;
    intent.record.flags = RECORD_UNHASHED;
    intent.forget = !version->has_record || version->reason == VERSION_FOREIGN;
    if (!intent.forget)
        intent.record = version->record;
    if (was_deleted) {
        code = drive_path(building, owner, path, &intent.to, err);
        if (!code)
            code = check_free(building, owner, path, intent.to, err);
    } else {
        code = find_left(building, owner, path, &row, &intent.to, err);
        if (!code)
            code = check_not_offloaded(building, path, &row, err);
        if (!code)
            code =
                session_new_version(building->session, &building->undo->arena,
                                    intent.to, &intent.version, err);
        intent.before = row.stamp;
        intent.reason = VERSION_REPLACED;
    }
    if (!code)
        add_sole_copy(building, &intent, version->record.stamp.size_bytes,
                      is_twice);
    return code;
}

static err_code undo_renamed(struct building *building,
                             const struct owner *owner,
                             const struct run_item *deed, struct error *err)
{
    struct intent intent = new_intent(owner, deed->detail, INTENT_PLACE);
    const char *key = path_name(deed->detail), *drive;
    err_code code = find_left(building, owner, deed->path, &intent.record,
                              &intent.from, err);

    if (!code)
        code = drive_path(building, owner, deed->detail, &intent.to, err);
    if (code)
        return code;
    drive = path_name(intent.to);
    intent.old_path = deed->path;
    intent.record.key = key;
    intent.record.raw = NULL;
    intent.record.drive = strcmp(drive, key) ? drive : NULL;
    mark(&building->renamed, owner, deed->path);
    add_step(building, &intent, false,
             intent.record.type == ENTRY_DIRECTORY ||
                 undo_is_marked(&building->retired, owner->id, deed->detail));
    return ERR_OK;
}

static err_code undo_directory(struct building *building,
                               const struct owner *owner, const char *path,
                               bool was_made, struct error *err)
{
    struct intent intent =
        new_intent(owner, path, was_made ? INTENT_RMDIR : INTENT_MKDIR);
    const char *drive;
    err_code code = drive_path(building, owner, path, &drive, err);

    if (code)
        return code;
    intent.from = intent.to = drive;
    intent.record.type = ENTRY_DIRECTORY;
    intent.record.mode = 0700; /* how it was is not recorded */
    if (strcmp(path_name(drive), path_name(path)) != 0)
        intent.record.drive = path_name(drive);
    /* What is in it leaves with the batch before. */
    const struct undo *undo = building->undo;
    bool begins = was_made && undo->count &&
                  undo->items[undo->count - 1].intent.kind != INTENT_RMDIR;
    add_step(building, &intent, false, begins);
    return ERR_OK;
}

static err_code undo_deed(struct building *building,
                          const struct run_item *deed, struct error *err)
{
    const struct owner *owner;
    err_code code = find_owner(building, deed->job, &owner, err);

    if (code)
        return code;
    switch (deed->deed) {
    case DEED_NEW:
        return undo_new(building, owner, deed->path, err);
    case DEED_UPDATED:
        return undo_gone(building, owner, deed->path, false, err);
    case DEED_DELETED:
        return undo_gone(building, owner, deed->path, true, err);
    case DEED_RENAMED:
        return undo_renamed(building, owner, deed, err);
    case DEED_MADE_DIRECTORY:
        return undo_directory(building, owner, deed->path, true, err);
    case DEED_REMOVED_DIRECTORY:
        return undo_directory(building, owner, deed->path, false, err);
    case DEED_FAILED:
    case DEED_PRUNED:
        break;
    }
    return ERR_OK;
}

err_code undo_build(struct session *session, int64_t run, struct undo *out,
                    struct error *err)
{
    struct building building = {
        .session = session,
        .run = run,
        .undo = out,
        .deeds = {.arena = &out->arena},
        .later = {.arena = &out->arena},
    };
    err_code code =
        catalogue_list_owners(session->catalogue, &building.owners, err);

    if (!code)
        code = read_deeds(&building, err);
    if (!code)
        code = check_later_runs(&building, err);
    for (size_t i = building.deeds.count; !code && i-- > 0;)
        code = undo_deed(&building, &building.deeds.items[i], err);
    if (!code)
        code = undo_untangle_renames(&building, err);
    building_release(&building);
    return code;
}
