#include "core/execute_build.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/path.h"

#include <inttypes.h>
#include <string.h>

/*
 * --- paths ---
 */

/* "media" + "a/b" -> "media/a/b"; the job may live at the volume's root. */
static const char *on_volume(const struct execute_options *options,
                             struct arena *arena, const char *path)
{
    CLEANUP_FREE char *joined = path_join(options->directory, path);

    return arena_strdup(arena, joined);
}

static const char *temporary_path(const struct execute_options *options,
                                  struct arena *arena, size_t number)
{
    CLEANUP_FREE char *path =
        xasprintf("%s/renamed-%zu", options->session->staging, number);

    return arena_strdup(arena, path);
}

/* --- what has to be copied --- */

static err_code find_row(const struct execute_options *options,
                         const char *path, struct arena *arena,
                         struct record *out, struct error *err)
{
    return catalogue_find(options->session->catalogue, options->owner, path,
                          arena, out, err);
}

/* A sole copy that a torn rename could lose (ENGINE G3). */
static bool goes_by_copy(const struct execute_options *options,
                         const struct action *action)
{
    return !options->session->traits.has_journal &&
           action->type == ENTRY_FILE &&
           action->size_bytes <= SOLE_COPY_LIMIT_BYTES;
}

err_code build_stage_item(const struct execute_options *options,
                          const struct step *step, struct arena *arena,
                          struct stage_item *out, struct error *err)
{
    const struct action *action = step->action;
    struct record row;

    *out = (struct stage_item){.step = step};
    if (step->kind == STEP_DELETE && goes_by_copy(options, action)) {
        out->from = STAGE_VOLUME;
        out->path = on_volume(options, arena, action_drive(action));
    }
    if (step->kind != STEP_COPY || action->type != ENTRY_FILE)
        return ERR_OK;
    out->from = STAGE_SOURCE;
    out->path = action_raw(action);
    if (action->before.size_bytes != NO_SIZE)
        out->replaces = on_volume(options, arena, action_drive(action));
    if (!(action->flags & ACTION_DATABASE) || action->reason != REASON_NONE)
        return ERR_OK;
    err_code code = find_row(options, action->path, arena, &row, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (!code)
        out->known = arena_memdup(arena, &row, sizeof row);
    return code;
}

/* --- intents --- */

static struct intent new_intent(const struct execute_options *options,
                                const struct action *action,
                                enum intent_kind kind)
{
    return (struct intent){
        .kind = kind,
        .owner = options->owner->id,
        .path = action->path,
        .before = STAMP_NOTHING,
        .record = {.type = (enum entry_type)action->type},
    };
}

static void add_intent(struct batch *batch, const struct intent *intent)
{
    struct intents *intents = &batch->intents;

    ARRAY_PUSH(intents, *intent);
}

/* Spellings that differ from the key are remembered. */
static void name_record(struct record *record, const struct action *action)
{
    const char *key = path_name(action->path);
    const char *raw = path_name(action_raw(action));
    const char *drive = path_name(action_drive(action));

    record->key = key;
    record->raw = strcmp(raw, key) ? raw : NULL;
    record->drive = strcmp(drive, key) ? drive : NULL;
}

static err_code stat_source(const struct execute_options *options,
                            const struct action *action,
                            struct platform_stat *out, struct error *err)
{
    return source_stat(options->source, action_raw(action), out, err);
}

/* Too many, and unreadable ones are told of when the file is copied. */
static err_code read_attributes(const struct execute_options *options,
                                const struct action *action,
                                struct arena *arena, struct record *record,
                                struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    CLEANUP_FD int fd = -1;

    if (action->type != ENTRY_FILE)
        return ERR_OK;
    err_code code = source_open(options->source, action_raw(action),
                                PLATFORM_OPEN_READ, &fd, err);
    if (!code)
        code = platform_read_attributes(fd, &found, err);
    if (error_is_device_failure(code))
        return code;
    record->attributes = arena_memdup(arena, found.text, found.length);
    record->attributes_length = found.length;
    return ERR_OK;
}

static err_code has_same_attributes(const struct execute_options *options,
                                    const struct action *action,
                                    struct arena *arena,
                                    const struct record *row, bool *out,
                                    struct error *err)
{
    struct record now = {.type = ENTRY_FILE};
    err_code code = read_attributes(options, action, arena, &now, err);

    *out = record_same_attributes(&now, row);
    return code;
}

static void sign_record(struct record *record, const struct platform_stat *stat)
{
    record->source = signature_of(stat);
    record->mode = stat->mode;
    record->uid = stat->uid;
    record->gid = stat->gid;
}

static enum version_reason replaced_reason(const struct action *action)
{
    return action->reason == REASON_DRIFT ? VERSION_FOREIGN : VERSION_REPLACED;
}

/*
 * What comes back from another target has to be what was lost; and its row
 * goes on speaking of the source, not of that other target.
 */
static err_code keep_row(const struct execute_options *options,
                         const struct action *action, struct arena *arena,
                         struct record *record, struct error *err)
{
    const struct record copied = *record;
    err_code code = find_row(options, action->path, arena, record, err);

    if (code)
        return code;
    if (!hash_equal(&copied.hash, &record->hash))
        return error_set(err, ERR_CORRUPT,
                         "the copy on the other drive is damaged, too");
    record->stamp = copied.stamp;
    record->committed_ns = record->verified_ns = 0;
    record->flags &= ~(unsigned)(RECORD_COMPARED | RECORD_ROTTEN);
    return ERR_OK;
}

/*
 * The source is as it was when it was copied, and its content is not: rot is
 * never copied over the good side (ENGINE G8).
 */
static err_code check_for_rot(const struct execute_options *options,
                              const struct action *action,
                              const struct record *copied, struct error *err)
{
    /* Of what was adopted the hash is the drive's: not the source's word. */
    const unsigned no_hash = RECORD_SQLITE | RECORD_UNHASHED | RECORD_RACY |
                             RECORD_GREW | RECORD_CLAIMED | RECORD_ADOPTED;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record row;

    if (action->kind == ACTION_NEW && action->reason == REASON_NONE)
        return ERR_OK; /* it has no row */
    err_code code = find_row(options, action->path, &arena, &row, err);
    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    if (row.type != ENTRY_FILE || (row.flags | copied->flags) & no_hash ||
        signature_compare(&row.source, &copied->source) != SIGNATURE_SAME ||
        hash_equal(&row.hash, &copied->hash))
        return ERR_OK;
    return error_set(err, ERR_CORRUPT,
                     "rot in the source: its content changed, its size and "
                     "times did not: not copied; `berth versions` lists what "
                     "`berth restore --replace` can bring back");
}

static err_code build_copy(const struct execute_options *options,
                           const struct stage_item *item, struct batch *batch,
                           struct error *err)
{
    const struct action *action = item->step->action;
    struct intent intent = new_intent(options, action, INTENT_PLACE);
    const char *drive = on_volume(options, &batch->arena, action_drive(action));
    err_code code = ERR_OK;

    intent.record = item->result.record;
    record_keep(&intent.record, &batch->arena);
    name_record(&intent.record, action);
    if (action->flags & ACTION_BACK)
        code = keep_row(options, action, &batch->arena, &intent.record, err);
    else
        code = check_for_rot(options, action, &intent.record, err);
    if (code)
        return code;
    if (action->reason == REASON_DRIFT)
        intent.record.flags |= RECORD_DRIFTED;
    if (item->result.is_unchanged) {
        intent.kind = INTENT_NOTE;
        intent.record.stamp = action->before;
    } else {
        intent.from = arena_strdup(&batch->arena, item->staged);
        intent.to = drive;
        intent.before = action->before;
        intent.reason = replaced_reason(action);
        if (action->before.size_bytes != NO_SIZE)
            code = session_new_version(options->session, &batch->arena, drive,
                                       &intent.version, err);
    }
    if (!code)
        add_intent(batch, &intent);
    return code;
}

/* A symlink: made in staging where the volume has them, else only noted. */
static err_code build_link(const struct execute_options *options,
                           struct stage_item *item, struct batch *batch,
                           struct error *err)
{
    struct session *session = options->session;
    const struct action *action = item->step->action;
    struct record *record = &item->result.record;
    CLEANUP_FREE char *target = NULL;
    struct platform_stat stat;
    err_code code = stat_source(options, action, &stat, err);

    if (!code)
        code =
            source_read_link(options->source, action_raw(action), &target, err);
    if (code)
        return code;
    *record = (struct record){.type = ENTRY_SYMLINK};
    sign_record(record, &stat);
    record->stamp = stamp_of(&stat);
    record->link_target = arena_strdup(&batch->arena, target);
    if (!session->traits.has_symlinks) {
        record->flags |= RECORD_HELD;
        struct intent intent = new_intent(options, action, INTENT_NOTE);
        name_record(record, action);
        intent.record = *record;
        add_intent(batch, &intent);
        return ERR_OK;
    }
    item->staged = session_new_staged(session);
    code = fsops_make_symlink(&session->ops, target, item->staged, err);
    if (!code)
        code = fsops_set_metadata(&session->ops, item->staged, record,
                                  traits_metadata(&session->traits), err);
    return code ? code : build_copy(options, item, batch, err);
}

static err_code build_rename(const struct execute_options *options,
                             const struct step *step, struct batch *batch,
                             struct error *err)
{
    const struct action *action = step->action;
    struct arena *arena = &batch->arena;
    struct intent intent = new_intent(options, action, INTENT_PLACE);
    const struct rename_from *from = action->rename;
    const char *old_drive = from->drive ? from->drive : from->path;
    struct platform_stat stat;
    struct record now;
    bool is_same;
    err_code code = find_row(options, from->path, arena, &intent.record, err);

    if (code)
        return code;
    /* The row's signature holds for the new name only if it is the same file.
     */
    code = stat_source(options, action, &stat, err);
    if (code)
        return code;
    now = intent.record;
    sign_record(&now, &stat);
    now.source.side = intent.record.source.side;
    /* Then the next diff looks at it: a rename changes nothing but names. */
    code = has_same_attributes(options, action, arena, &intent.record, &is_same,
                               err);
    if (code || !is_same)
        now.source = intent.record.source;
    if (code)
        return code;
    if (intent.record.type == ENTRY_DIRECTORY ||
        (now.source.size_bytes == intent.record.source.size_bytes &&
         now.source.mtime_ns == intent.record.source.mtime_ns &&
         now.source.inode == intent.record.source.inode) ||
        (from->proven &&
         signature_compare(from->proven, &now.source) == SIGNATURE_SAME))
        intent.record.source = now.source;
    name_record(&intent.record, action);
    intent.old_path = from->path;
    intent.from = on_volume(options, arena, old_drive);
    intent.to = on_volume(options, arena, action_drive(action));
    if (step->kind == STEP_RENAME_AWAY) {
        intent.to = temporary_path(options, arena, step->temporary);
        intent.path = "";
        intent.old_path = NULL;
    } else if (step->kind == STEP_RENAME_BACK) {
        intent.from = temporary_path(options, arena, step->temporary);
    }
    add_intent(batch, &intent);
    return ERR_OK;
}

/* A symlink that only the catalogue has: whatever the volume has by its name
 * is something else, and an undo has nothing to bring back. */
static err_code is_only_noted(const struct execute_options *options,
                              const struct action *action, struct arena *arena,
                              bool *out, struct error *err)
{
    struct record row = {.flags = 0};
    err_code code = action->type == ENTRY_SYMLINK
                        ? find_row(options, action->path, arena, &row, err)
                        : ERR_OK;

    *out = !code && row.flags & RECORD_HELD;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static err_code build_delete(const struct execute_options *options,
                             const struct stage_item *item, struct batch *batch,
                             struct error *err)
{
    const struct action *action = item->step->action;
    struct arena *arena = &batch->arena;
    bool by_copy = item->from == STAGE_VOLUME;
    struct intent intent =
        new_intent(options, action, by_copy ? INTENT_UNLINK : INTENT_RETIRE);
    bool is_noted;
    err_code code = is_only_noted(options, action, arena, &is_noted, err);

    if (code || is_noted) {
        intent.kind = INTENT_NOTE;
        intent.forget = true;
        if (!code)
            add_intent(batch, &intent);
        return code;
    }
    intent.from = on_volume(options, arena, action_drive(action));
    intent.before = action->before;
    intent.reason =
        action->reason == REASON_DRIFT ? VERSION_FOREIGN : VERSION_DELETED;
    code = session_new_version(options->session, arena, intent.from,
                               &intent.version, err);
    if (code)
        return code;
    if (by_copy) {
        intent.to = arena_strdup(arena, item->staged);
        intent.record = item->result.record;
        record_keep(&intent.record, arena);
    }
    add_intent(batch, &intent);
    return ERR_OK;
}

static err_code build_directory(const struct execute_options *options,
                                const struct step *step, struct batch *batch,
                                struct error *err)
{
    const struct action *action = step->action;
    struct intent intent =
        new_intent(options, action,
                   step->kind == STEP_RMDIR   ? INTENT_RMDIR
                   : step->kind == STEP_MKDIR ? INTENT_MKDIR
                                              : INTENT_TOUCH);
    const char *path = on_volume(options, &batch->arena, action_drive(action));
    struct platform_stat stat;
    struct record before;

    intent.from = intent.to = path;
    if (step->kind == STEP_RMDIR) {
        add_intent(batch, &intent);
        return ERR_OK;
    }
    bool has_row =
        !find_row(options, action->path, &batch->arena, &before, NULL) &&
        before.type == ENTRY_DIRECTORY;
    if (action->flags & ACTION_BACK && has_row) {
        intent.record = before;
        add_intent(batch, &intent);
        return ERR_OK;
    }
    err_code code = stat_source(options, action, &stat, err);
    if (code)
        return code;
    sign_record(&intent.record, &stat);
    name_record(&intent.record, action);
    if (has_row)
        intent.record.flags = before.flags & RECORD_OFFLOADED;
    add_intent(batch, &intent);
    return ERR_OK;
}

/* Permissions of a file: the row stays, but for them. */
static err_code build_touch(const struct execute_options *options,
                            const struct step *step, struct batch *batch,
                            struct error *err)
{
    const struct action *action = step->action;
    struct intent intent = new_intent(options, action, INTENT_TOUCH);
    struct platform_stat stat;
    uint64_t side;
    err_code code =
        find_row(options, action->path, &batch->arena, &intent.record, err);

    if (!code)
        code = stat_source(options, action, &stat, err);
    if (code)
        return code;
    if (stat.size_bytes != intent.record.source.size_bytes ||
        stat.mtime_ns != intent.record.source.mtime_ns)
        return error_set(err, ERR_CHANGED, "it has changed meanwhile");
    code = read_attributes(options, action, &batch->arena, &intent.record, err);
    if (code)
        return code;
    side = intent.record.source.side;
    sign_record(&intent.record, &stat);
    intent.record.source.side = side;
    intent.record.flags &= ~(unsigned)RECORD_CLAIMED;
    name_record(&intent.record, action);
    intent.to = on_volume(options, &batch->arena, action_drive(action));
    add_intent(batch, &intent);
    return ERR_OK;
}

static err_code build_note(const struct execute_options *options,
                           const struct step *step, struct batch *batch,
                           struct error *err)
{
    const struct action *action = step->action;
    struct intent intent = new_intent(options, action, INTENT_NOTE);
    err_code code = ERR_OK;

    if (action->flags & ACTION_FORGET) {
        intent.forget = true;
        add_intent(batch, &intent);
        return ERR_OK;
    }
    const struct noted *noted = action->noted;
    if (noted->how == NOTED_ADOPTED)
        intent.record.flags = RECORD_UNHASHED | RECORD_ADOPTED;
    else
        code =
            find_row(options, action->path, &batch->arena, &intent.record, err);
    if (code)
        return code;
    if (noted->how == NOTED_SHIFTED) {
        intent.record.stamp = noted->stamp;
        add_intent(batch, &intent);
        return ERR_OK;
    }
    if (action->type == ENTRY_SYMLINK) {
        CLEANUP_FREE char *target = NULL;
        code =
            source_read_link(options->source, action_raw(action), &target, err);
        if (code)
            return code;
        intent.record.link_target = arena_strdup(&batch->arena, target);
    }
    code = read_attributes(options, action, &batch->arena, &intent.record, err);
    if (code)
        return code;
    uint64_t side = intent.record.source.side;
    intent.record.flags &=
        ~(unsigned)(RECORD_RACY | RECORD_OFFLOADED | RECORD_CLAIMED);
    /* It was read again too soon after its last change. */
    if (noted->how == NOTED_SIGNED && action->type == ENTRY_FILE &&
        signature_is_racy(&noted->signature, options->plan->made_ns))
        intent.record.flags |= RECORD_RACY;
    intent.record.source = noted->signature;
    intent.record.source.side = side;
    intent.record.stamp = noted->stamp;
    intent.record.mode = noted->mode;
    intent.record.uid = noted->uid;
    intent.record.gid = noted->gid;
    name_record(&intent.record, action);
    add_intent(batch, &intent);
    return ERR_OK;
}

err_code build_intent(const struct execute_options *options,
                      struct stage_item *item, struct batch *batch,
                      struct error *err)
{
    const struct step *step = item->step;

    switch (step->kind) {
    case STEP_RENAME_AWAY:
    case STEP_RENAME_BACK:
    case STEP_RENAME:
        return build_rename(options, step, batch, err);
    case STEP_DELETE:
        return build_delete(options, item, batch, err);
    case STEP_RMDIR:
    case STEP_MKDIR:
        return build_directory(options, step, batch, err);
    case STEP_COPY:
        return step->action->type == ENTRY_SYMLINK
                   ? build_link(options, item, batch, err)
                   : build_copy(options, item, batch, err);
    case STEP_TOUCH:
        return step->action->type == ENTRY_DIRECTORY
                   ? build_directory(options, step, batch, err)
                   : build_touch(options, step, batch, err);
    case STEP_NOTE:
        return build_note(options, step, batch, err);
    }
    return ERR_OK;
}
