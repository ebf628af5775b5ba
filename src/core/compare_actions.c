#include "core/compare_actions.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/compare_look.h"

#include <assert.h>
#include <string.h>

/* --- adding to the plan --- */

const char *compare_join(struct arena *arena, const char *directory,
                         const char *name)
{
    size_t length = strlen(directory), name_length = strlen(name);
    char *joined = arena_alloc(arena, length + name_length + 2);

    memcpy(joined, directory, length + 1);
    if (length)
        joined[length++] = '/';
    memcpy(joined + length, name, name_length + 1);
    return joined;
}

static bool needs_room(const struct compare_task *task, const struct trio *trio)
{
    return trio->source && (task->needs_room || trio->needs_room);
}

struct action *compare_add(struct walker *walker,
                           const struct compare_task *task,
                           const struct trio *trio, enum action_kind kind,
                           enum action_reason reason)
{
    struct arena *arena = &walker->plan.arena;
    const char *raw = trio->source ? trio->source->raw : trio->key;
    struct action action = {
        .kind = (unsigned char)kind,
        .reason = (unsigned char)reason,
        .before = STAMP_NOTHING,
        .path = compare_join(arena, task->path, trio->key),
    };

    if (strcmp(task->raw, task->path) != 0 || strcmp(raw, trio->key) != 0)
        action.raw = compare_join(arena, task->raw, raw);
    if (strcmp(task->drive, task->path) != 0 ||
        strcmp(trio->drive_name, trio->key) != 0)
        action.drive = compare_join(arena, task->drive, trio->drive_name);
    if (trio->source && !trio->source->stat_error) {
        enum entry_type type;
        if (entry_type_of(trio->source->stat.type, &type))
            action.type = (unsigned char)type;
        action.size_bytes = trio->source->stat.size_bytes;
    } else if (trio->row) {
        action.type = (unsigned char)trio->row->type;
        action.size_bytes = trio->row->stamp.size_bytes;
    }
    if (action.type == ENTRY_DIRECTORY || action.size_bytes < 0)
        action.size_bytes = 0;
    if (needs_room(task, trio))
        action.flags = ACTION_NEEDS_ROOM;
    ARRAY_PUSH(&walker->plan, action);
    return &walker->plan.items[walker->plan.count - 1];
}

static void add_note(struct walker *walker, const struct compare_task *task,
                     const struct trio *trio, bool is_adopted)
{
    struct noted *noted = arena_alloc(&walker->plan.arena, sizeof *noted);
    const struct platform_stat *stat = &trio->source->stat;

    *noted = (struct noted){
        .signature = signature_of(stat),
        .stamp = trio->drive ? stamp_of(&trio->drive->stat)
                 : trio->row ? trio->row->stamp
                             : STAMP_NOTHING,
        .mode = stat->mode,
        .uid = stat->uid,
        .gid = stat->gid,
        .how = is_adopted ? NOTED_ADOPTED : NOTED_SIGNED,
    };
    struct action *action =
        compare_add(walker, task, trio, ACTION_NOTE,
                    is_adopted ? REASON_ADOPTED : REASON_SIGNED);
    action->noted = noted;
}

static void add_candidate(struct walker *walker,
                          struct rename_candidates *candidates,
                          const struct action *action,
                          const struct signature *signature)
{
    struct rename_candidate candidate = {
        .path = action->path,
        .drive = action->drive,
        .signature = *signature,
        .filesystem =
            source_filesystem_of(walker->options->source, action->path),
    };

    if (action->type == ENTRY_FILE && signature->size_bytes > 0)
        ARRAY_PUSH(candidates, candidate);
}

static void push_child(struct walker *walker, const struct compare_task *task,
                       const struct trio *trio, int64_t row, bool on_drive,
                       bool early)
{
    struct arena *scratch = &walker->scratch;
    const char *raw = trio->source ? trio->source->raw : trio->key;
    const struct compare_task child = {
        .path = compare_join(scratch, task->path, trio->key),
        .raw = compare_join(scratch, task->raw, raw),
        .drive = compare_join(scratch, task->drive, trio->drive_name),
        .listed = compare_join(scratch, task->listed, trio->listed_name),
        .mount = trio->source ? trio->source->stat.mount : task->mount,
        .row = row,
        .in_source = trio->source && !early,
        .on_drive = on_drive,
        .early = early,
        .needs_room = needs_room(task, trio),
    };

    compare_push(walker->walk, &child);
}

/* --- what is gone --- */

static bool is_on_drive(const struct walker *walker, const struct trio *trio)
{
    return walker->options->drive_fd < 0 || trio->drive;
}

static struct stamp drive_stamp(const struct trio *trio)
{
    assert(trio->drive || trio->row);
    return trio->drive ? stamp_of(&trio->drive->stat) : trio->row->stamp;
}

bool compare_is_twin(const struct walker *walker, const struct trio *trio)
{
    return trio->row && walker->twins.count &&
           walker->twins.items[trio->row - walker->rows.items];
}

/* A row's thing leaves its name: a file into the versions, a tree bit by bit */
static void add_delete(struct walker *walker, const struct compare_task *task,
                       const struct trio *trio, bool early)
{
    assert(trio->row);
    bool is_directory = trio->row->type == ENTRY_DIRECTORY;
    bool is_twin = compare_is_twin(walker, trio);
    struct trio gone = *trio;

    gone.source = NULL;
    struct action *action = compare_add(
        walker, task, &gone, is_directory ? ACTION_RMDIR : ACTION_DELETE,
        early ? REASON_TYPE_SWAP : REASON_NONE);
    if (early || is_twin)
        action->flags |= ACTION_EARLY;
    if (is_directory) { /* early only when all in it goes early, too */
        push_child(walker, task, &gone, trio->row->child,
                   is_on_drive(walker, trio), early || is_twin);
        return;
    }
    action->before = drive_stamp(trio);
    if (!early)
        add_candidate(walker, &walker->gone, action, &trio->row->source);
}

static void add_forget(struct walker *walker, const struct compare_task *task,
                       const struct trio *trio)
{
    compare_add(walker, task, trio, ACTION_NOTE, REASON_FORGOTTEN)->flags |=
        ACTION_FORGET;
}

/* --- one verdict, one file --- */

static void add_copy(struct walker *walker, const struct compare_task *task,
                     const struct trio *trio, enum diff_verdict verdict,
                     bool is_poisoned)
{
    const struct signature signature = signature_of(&trio->source->stat);
    bool replaces = verdict == DIFF_UPDATE || verdict == DIFF_REPLACE;
    bool is_rotten = trio->row && trio->row->flags & RECORD_ROTTEN;
    enum action_reason reason = verdict == DIFF_AGAIN ? REASON_MISSING_ON_DRIVE
                                : verdict == DIFF_REPLACE ? REASON_DRIFT
                                : is_rotten               ? REASON_ROTTEN
                                : is_poisoned             ? REASON_POISONED
                                                          : REASON_NONE;
    struct action *action = compare_add(
        walker, task, trio, replaces ? ACTION_UPDATE : ACTION_NEW, reason);

    /* What a row holds for the drive never stood there. */
    bool is_held = trio->row && trio->row->flags & RECORD_HELD;
    if (replaces && !(is_held && !trio->drive))
        action->before = drive_stamp(trio);
    if (trio->row && trio->row->flags & RECORD_SQLITE)
        action->flags |= ACTION_DATABASE;
    if (verdict == DIFF_REPLACE && !is_poisoned &&
        !look_at_wal(walker, task, trio->source, trio->row))
        compare_note_shift(walker, action, trio);
    /* Without rows nothing is gone that it could have been. */
    if (verdict == DIFF_NEW && walker->options->owner)
        add_candidate(walker, &walker->fresh, action, &signature);
}

static enum action_reason conflict_reason(const struct trio *trio)
{
    if (!trio->source)
        return REASON_GONE_BUT_CHANGED;
    if (!trio->row)
        return REASON_FOREIGN_DIRECTORY;
    enum entry_type type;
    entry_type_of(trio->source->stat.type, &type);
    if (type == ENTRY_DIRECTORY)
        return REASON_DRIFT_KEPT;
    if (trio->row->type == ENTRY_DIRECTORY)
        return REASON_TREE_IN_THE_WAY;
    return trio->drive && trio->drive->stat.type == PLATFORM_DIRECTORY
               ? REASON_FOREIGN_DIRECTORY
               : REASON_DRIFT_KEPT;
}

static void add_conflict(struct walker *walker, const struct compare_task *task,
                         const struct trio *trio, enum action_reason reason)
{
    const struct action *action =
        compare_add(walker, task, trio, ACTION_CONFLICT, reason);

    if (trio->row)
        compare_note_shift(walker, action, trio);
}

/* What is not ours becomes a version before something of another kind comes. */
static void make_way(struct walker *walker, const struct compare_task *task,
                     const struct trio *trio)
{
    struct action *delete =
        compare_add(walker, task, trio, ACTION_DELETE, REASON_DRIFT);
    enum entry_type type = ENTRY_FILE;

    entry_type_of(trio->drive->stat.type, &type);
    delete->flags |= ACTION_EARLY;
    delete->type = (unsigned char)type;
    delete->before = stamp_of(&trio->drive->stat);
}

/* A symlink that only the catalogue can have takes nobody's place. */
static bool is_only_noted(const struct walker *walker, const struct trio *trio)
{
    return trio->source->stat.type == PLATFORM_SYMLINK &&
           !walker->options->traits->has_symlinks;
}

void compare_carry_out_file(struct walker *walker,
                            const struct compare_task *task,
                            const struct trio *trio, enum diff_verdict verdict,
                            bool is_poisoned)
{
    switch (verdict) {
    case DIFF_REPLACE:
        if (trio->drive && is_only_noted(walker, trio)) {
            make_way(walker, task, trio);
            compare_add(walker, task, trio, ACTION_NEW, REASON_NONE);
            break;
        }
        add_copy(walker, task, trio, verdict, is_poisoned);
        break;
    case DIFF_NEW:
    case DIFF_AGAIN:
    case DIFF_UPDATE:
        add_copy(walker, task, trio, verdict, is_poisoned);
        break;
    case DIFF_SWAP:
        add_delete(walker, task, trio, true);
        compare_add(walker, task, trio, ACTION_NEW, REASON_NONE);
        break;
    case DIFF_TOUCH:
        compare_add(walker, task, trio, ACTION_TOUCH, REASON_NONE);
        break;
    case DIFF_ADOPT:
    case DIFF_SIGN:
        add_note(walker, task, trio, verdict == DIFF_ADOPT);
        break;
    case DIFF_CONFLICT:
        add_conflict(walker, task, trio, conflict_reason(trio));
        break;
    case DIFF_ROT:
        compare_add(walker, task, trio, ACTION_CONFLICT, REASON_ROT);
        break;
    default:
        break;
    }
}

void compare_carry_out_directory(struct walker *walker,
                                 const struct compare_task *task,
                                 const struct trio *trio,
                                 enum diff_verdict verdict)
{
    int64_t row =
        trio->row && trio->row->type == ENTRY_DIRECTORY ? trio->row->child : 0;
    bool on_drive = false;

    switch (verdict) {
    case DIFF_NEW:
        compare_add(walker, task, trio, ACTION_MKDIR, REASON_NONE);
        break;
    case DIFF_AGAIN:
        compare_add(walker, task, trio, ACTION_MKDIR, REASON_MISSING_ON_DRIVE);
        break;
    case DIFF_REPLACE:
        make_way(walker, task, trio);
        compare_add(walker, task, trio, ACTION_MKDIR, REASON_DRIFT);
        break;
    case DIFF_SWAP:
        add_delete(walker, task, trio, true);
        compare_add(walker, task, trio, ACTION_MKDIR, REASON_NONE);
        break;
    case DIFF_TOUCH:
        compare_add(walker, task, trio, ACTION_TOUCH, REASON_NONE);
        on_drive = true;
        break;
    case DIFF_ADOPT:
    case DIFF_SIGN:
        add_note(walker, task, trio, verdict == DIFF_ADOPT);
        on_drive = true;
        break;
    case DIFF_NOTHING:
        on_drive = true;
        break;
    default:
        compare_add(walker, task, trio, ACTION_CONFLICT, conflict_reason(trio));
        return;
    }
    push_child(walker, task, trio, row, on_drive, false);
}

void compare_carry_out_gone(struct walker *walker,
                            const struct compare_task *task,
                            const struct trio *trio, enum diff_verdict verdict)
{
    bool holds_offloaded = trio->row && trio->row->type == ENTRY_DIRECTORY &&
                           trio->row->flags & RECORD_OFFLOADED;

    if (holds_offloaded) { /* it is looked at itself, whatever became of it */
        bool is_there = trio->drive
                            ? trio->drive->stat.type == PLATFORM_DIRECTORY
                            : walker->options->drive_fd < 0;
        push_child(walker, task, trio, trio->row->child, is_there, task->early);
        return;
    }
    switch (verdict) {
    case DIFF_DELETE:
        add_delete(walker, task, trio, task->early);
        break;
    case DIFF_FORGET:
        add_forget(walker, task, trio);
        break;
    case DIFF_KEEP:
        walker->plan.totals.kept_files++;
        break;
    case DIFF_FOREIGN:
        compare_add(walker, task, trio, ACTION_FOREIGN, REASON_NONE);
        break;
    case DIFF_CONFLICT:
        /* To the volume it is something else that has the new one's name. */
        if (compare_is_twin(walker, trio) &&
            trio->drive->stat.type != PLATFORM_DIRECTORY)
            make_way(walker, task, trio);
        else
            add_conflict(walker, task, trio, REASON_GONE_BUT_CHANGED);
        break;
    case DIFF_LOSS:
        add_conflict(walker, task, trio, REASON_LOSS);
        break;
    default:
        break;
    }
}

void compare_add_directory_rename(struct walker *walker,
                                  const struct compare_task *task,
                                  const struct trio *trio)
{
    struct arena *arena = &walker->plan.arena;
    const struct moved_directory *moved =
        compare_moved(&walker->moved, trio->key);
    struct rename_from *from = arena_alloc(arena, sizeof *from);

    *from = (struct rename_from){
        .path = compare_join(arena, task->path, moved->old_key),
        .drive = compare_join(arena, task->drive, moved->listed_name),
    };
    compare_add(walker, task, trio, ACTION_RENAME, REASON_NONE)->rename = from;
}
