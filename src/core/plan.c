#include "core/plan.h"

#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/names.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    bool is_by_design;
} reasons[REASON_COUNT] = {
    [REASON_NONE] = {"", false},
    [REASON_MISSING_ON_DRIVE] = {"missing on the drive", false},
    [REASON_DRIFT] = {"changed on the drive: that becomes a version", false},
    [REASON_POISONED] = {"written before a flush that failed", false},
    [REASON_ROTTEN] = {"rotten on the drive: made anew", false},
    [REASON_TYPE_SWAP] = {"makes room for what has its name now", false},
    [REASON_STALE_SIDE] = {"belongs to another state of the database", false},
    [REASON_ADOPTED] = {"equal on both sides", false},
    [REASON_SIGNED] = {"content unchanged", false},
    [REASON_FORGOTTEN] = {"gone on both sides", false},
    [REASON_DRIFT_KEPT] = {"changed on the drive, kept there", false},
    [REASON_GONE_BUT_CHANGED] = {"gone in the source, changed on the drive",
                                 false},
    [REASON_TWIN] = {"another name here is the same on the drive", false},
    [REASON_NAME_TOO_LONG] = {"name too long for the drive", false},
    [REASON_FOREIGN_DIRECTORY] = {"a directory on the drive has this name",
                                  false},
    [REASON_TREE_IN_THE_WAY] = {"a directory of the job has this name, and the "
                                "mode does not delete",
                                false},
    [REASON_ROT] = {"content changed though nothing touched the file: rot?",
                    false},
    [REASON_LOSS] = {"was offloaded to the drive and is damaged or missing",
                     false},
    [REASON_EXCLUDED] = {"excluded", true},
    [REASON_JUNK] = {"litter of an operating system", true},
    [REASON_PARTIAL] = {"unfinished file of another program", true},
    [REASON_SIDE_FILE] = {"part of the database's snapshot", true},
    [REASON_SPECIAL] = {"socket, pipe or device", true},
    [REASON_MOUNT_POINT] = {"another filesystem is mounted here", true},
    [REASON_OWN_FILES] = {"berth's own files", true},
    [REASON_VANISHED] = {"vanished while it was looked at", true},
    [REASON_TOO_YOUNG] = {"changed too recently", false},
    [REASON_UNREADABLE] = {"cannot be read", false},
    [REASON_MOUNT_AWAY] = {"not the filesystem that was mounted here", false},
};

const char *action_reason_text(enum action_reason reason)
{
    return reasons[reason].text;
}

bool action_reason_is_by_design(enum action_reason reason)
{
    return reasons[reason].is_by_design;
}

void plan_release(struct plan *plan)
{
    free(plan->items);
    arena_release(&plan->arena);
    *plan = (struct plan)PLAN_INIT;
}

const char *action_raw(const struct action *action)
{
    return action->raw ? action->raw : action->path;
}

const char *action_drive(const struct action *action)
{
    return action->drive ? action->drive : action->path;
}

const char *action_mark(const struct action *action)
{
    bool is_ours = action->reason != REASON_DRIFT;
    bool is_held = action->flags & ACTION_HELD;

    switch ((enum action_kind)action->kind) {
    case ACTION_NEW:
    case ACTION_MKDIR:
        return is_held ? "+?" : is_ours ? "+" : "!";
    case ACTION_UPDATE:
    case ACTION_TOUCH:
        return is_held ? "~?" : is_ours ? "~" : "!";
    case ACTION_RENAME:
        return "»";
    case ACTION_DELETE:
    case ACTION_RMDIR:
        return is_held ? "-?" : "-";
    case ACTION_CONFLICT:
        return "!";
    case ACTION_NOTE:
    case ACTION_SKIP:
    case ACTION_FOREIGN:
        break;
    }
    return ".";
}

bool action_is_pending(const struct action *action)
{
    switch ((enum action_kind)action->kind) {
    case ACTION_NEW:
    case ACTION_UPDATE:
    case ACTION_RENAME:
    case ACTION_DELETE:
    case ACTION_MKDIR:
    case ACTION_RMDIR:
    case ACTION_TOUCH:
        return true;
    case ACTION_SKIP:
        return !action_reason_is_by_design(action->reason);
    case ACTION_NOTE:
    case ACTION_CONFLICT:
    case ACTION_FOREIGN:
        break;
    }
    return false;
}

bool action_is_unread(const struct action *action)
{
    return action->kind == ACTION_SKIP &&
           (action->reason == REASON_UNREADABLE ||
            action->reason == REASON_MOUNT_AWAY);
}

bool action_counts(const struct action *action)
{
    return action->kind == ACTION_CONFLICT || action_is_pending(action);
}

static int compare_actions(const void *one, const void *other)
{
    const struct action *left = one, *right = other;
    int order = path_compare(left->path, right->path);

    return order ? order : (int)left->kind - (int)right->kind;
}

void plan_sort(struct plan *plan)
{
    if (plan->count)
        qsort(plan->items, plan->count, sizeof *plan->items, compare_actions);
}

static void total_delete(struct plan_totals *totals,
                         const struct action *action)
{
    if (action->type == ENTRY_DIRECTORY)
        return;
    totals->delete_files++;
    totals->delete_bytes =
        sum_of_bytes(totals->delete_bytes, action->size_bytes);
    if (action->flags & ACTION_HELD) {
        totals->held_files++;
        totals->held_bytes =
            sum_of_bytes(totals->held_bytes, action->size_bytes);
    }
}

void plan_total(struct plan *plan)
{
    struct plan_totals *totals = &plan->totals;

    memset(totals->count, 0, sizeof totals->count);
    totals->copy_bytes = totals->skipped_pending = 0;
    totals->delete_files = totals->delete_bytes = 0;
    totals->held_files = totals->held_bytes = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        totals->count[action->kind]++;
        if (action->kind == ACTION_NEW || action->kind == ACTION_UPDATE)
            totals->copy_bytes =
                sum_of_bytes(totals->copy_bytes, action->size_bytes);
        if (action->kind == ACTION_DELETE)
            total_delete(totals, action);
        if (action->kind == ACTION_UPDATE && action->flags & ACTION_HELD) {
            totals->held_files++;
            totals->held_bytes =
                sum_of_bytes(totals->held_bytes, action->size_bytes);
        }
        if (action->kind == ACTION_SKIP && action_is_pending(action))
            totals->skipped_pending++;
    }
}

int64_t plan_pending(const struct plan *plan)
{
    int64_t pending = 0;

    for (size_t i = 0; i < plan->count; i++)
        pending += action_is_pending(&plan->items[i]);
    return pending;
}

/* Whether a copy of the plan lands below the directory at index `at`. The
 * plan is sorted, so what is below follows directly. */
static bool receives_something(const struct plan *plan, size_t at)
{
    const char *directory = plan->items[at].path;

    for (size_t i = at + 1; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        if (!path_is_within(action->path, directory))
            return false;
        if (action->kind == ACTION_NEW || action->kind == ACTION_UPDATE ||
            action->kind == ACTION_RENAME ||
            (action->kind == ACTION_NOTE && !(action->flags & ACTION_FORGET) &&
             action->type != ENTRY_DIRECTORY))
            return true;
    }
    return false;
}

static bool is_new_directory(const struct action *action)
{
    return action->kind == ACTION_MKDIR ||
           (action->kind == ACTION_NOTE && action->type == ENTRY_DIRECTORY &&
            action->reason == REASON_ADOPTED);
}

void plan_drop_empty_directories(struct plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->count; i++) {
        if (is_new_directory(&plan->items[i]) && !receives_something(plan, i))
            continue;
        plan->items[kept++] = plan->items[i];
    }
    plan->count = kept;
}

/* What becomes of a directory that is gone, by what the plan says of it. */
enum fate { FATE_GOES, FATE_STAYS, FATE_FOREIGN };

static enum fate fate_of(const struct plan *plan, size_t at, bool is_early)
{
    enum fate fate = FATE_GOES;
    bool changes = false;

    for (size_t i = at + 1; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        if (!path_is_within(action->path, plan->items[at].path))
            break;
        if (action->kind == ACTION_SKIP || action->kind == ACTION_CONFLICT ||
            (action->kind == ACTION_FOREIGN && is_early))
            return FATE_STAYS;
        if (action->kind == ACTION_FOREIGN)
            fate = FATE_FOREIGN;
        else if (!(action->flags & ACTION_FORGET))
            changes = true; /* the run after this one looks again */
    }
    return changes ? FATE_GOES : fate;
}

/* Something has its name now, or one that is the same on the volume, and
 * cannot have it. */
static void block_new(struct plan *plan, size_t at)
{
    const char *path = plan->items[at].path;

    for (size_t i = 0; i < plan->count; i++) {
        struct action *action = &plan->items[i];
        bool waits =
            !strcmp(action->path, path) || (action->flags & ACTION_NEEDS_ROOM &&
                                            name_is_twin(action->path, path));
        if ((action->kind != ACTION_NEW && action->kind != ACTION_RENAME) ||
            !waits)
            continue;
        action->kind = ACTION_CONFLICT;
        action->reason = REASON_FOREIGN_DIRECTORY;
        action->flags = 0;
    }
}

void plan_keep_directories(struct plan *plan)
{
    size_t kept = 0;

    /* From the deepest on: a parent sees what was decided for them. */
    for (size_t i = plan->count; i-- > 0;) {
        struct action *action = &plan->items[i];
        if (action->kind != ACTION_RMDIR)
            continue;
        bool is_early = action->flags & ACTION_EARLY;
        enum fate fate = fate_of(plan, i, is_early);
        if (fate == FATE_GOES)
            continue;
        if (is_early)
            block_new(plan, i);
        action->kind = fate == FATE_STAYS ? ACTION_SKIP : ACTION_NOTE;
        action->reason = REASON_FORGOTTEN;
        action->flags = fate == FATE_STAYS ? 0 : ACTION_FORGET;
    }
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].kind != ACTION_SKIP ||
            plan->items[i].reason != REASON_FORGOTTEN)
            plan->items[kept++] = plan->items[i];
    plan->count = kept;
}
