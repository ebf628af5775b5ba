#include "core/guard.h"

#include "core/base/quantity.h"

#include <string.h>

static bool is_file_delete(const struct action *action)
{
    return action->kind == ACTION_DELETE;
}

static bool is_overwrite(const struct action *action)
{
    return action->kind == ACTION_UPDATE && !(action->flags & ACTION_DATABASE);
}

static bool is_over_percent(int64_t part, int64_t whole, int percent)
{
    return whole > 0 && (double)part * 100.0 > (double)whole * percent;
}

static bool too_many_deletes(const struct plan_totals *totals,
                             const struct config_job *job)
{
    int64_t files = totals->delete_files;

    if (files > job->delete_cap_files)
        return true;
    return files >= GUARD_FEW_DELETES &&
           (is_over_percent(files, totals->rows_files,
                            job->delete_cap_percent) ||
            is_over_percent(totals->delete_bytes, totals->rows_bytes,
                            job->delete_cap_percent));
}

static int64_t count_matching(const struct plan *plan,
                              bool (*matches)(const struct action *))
{
    int64_t count = 0;

    for (size_t i = 0; i < plan->count; i++)
        count += matches(&plan->items[i]);
    return count;
}

static void hold_matching(struct plan *plan,
                          bool (*matches)(const struct action *))
{
    for (size_t i = 0; i < plan->count; i++)
        if (matches(&plan->items[i]))
            plan->items[i].flags |= ACTION_HELD;
}

/* With a held delete goes what cannot be until there is room for it. */
static bool is_delete_or_needs_it(const struct action *action)
{
    return action->kind == ACTION_DELETE || action->kind == ACTION_RMDIR ||
           action->flags & ACTION_NEEDS_ROOM;
}

int64_t guard_hold_all_deletes(struct plan *plan)
{
    hold_matching(plan, is_delete_or_needs_it);
    plan->deletes_are_held = count_matching(plan, is_delete_or_needs_it) > 0;
    plan_total(plan);
    return plan->totals.held_files;
}

int64_t guard_hold(struct plan *plan, const struct config_job *job,
                   int64_t approved)
{
    const struct plan_totals *totals = &plan->totals;
    int64_t overwrites = count_matching(plan, is_overwrite);
    bool hold_overwrites = overwrites >= GUARD_MANY_OVERWRITES &&
                           is_over_percent(overwrites, totals->rows_files,
                                           GUARD_OVERWRITE_PERCENT);
    bool hold_deletes = too_many_deletes(totals, job);
    int64_t held = (hold_deletes ? totals->delete_files : 0) +
                   (hold_overwrites ? overwrites : 0);

    if (!held || held == approved)
        return 0;
    if (hold_deletes)
        hold_matching(plan, is_delete_or_needs_it);
    if (hold_overwrites)
        hold_matching(plan, is_overwrite);
    plan->deletes_are_held = hold_deletes;
    plan->overwrites_are_held = hold_overwrites;
    plan_total(plan);
    return held;
}

char *guard_source_identity(const char *family, const char *uuid,
                            const char *subtree, const char *mounted_from)
{
    return xasprintf("%s %s %s on %s", family, *uuid ? uuid : "-", subtree,
                     mounted_from);
}

/* Parts of an identity's text. */
struct identity {
    const char *uuid, *subtree, *from;
    size_t family_length, uuid_length, subtree_length;
};

/* The last " on ": a directory may be called so, a device hardly. */
static const char *find_on(const char *text)
{
    const char *last = NULL;

    for (const char *at = text; (at = strstr(at, " on ")); at++)
        last = at;
    return last;
}

static bool parse_identity(const char *text, struct identity *out)
{
    const char *uuid = strchr(text, ' ');
    const char *subtree = uuid ? strchr(uuid + 1, ' ') : NULL;
    const char *end = subtree ? find_on(subtree) : NULL;

    if (!end)
        return false;
    *out = (struct identity){
        .uuid = uuid + 1,
        .subtree = subtree + 1,
        .from = end + strlen(" on "),
        .family_length = (size_t)(uuid - text),
        .uuid_length = (size_t)(subtree - uuid - 1),
        .subtree_length = end > subtree ? (size_t)(end - subtree - 1) : 0,
    };
    return true;
}

static bool is_same_part(const char *one, size_t length, const char *other,
                         size_t other_length)
{
    return length == other_length && !memcmp(one, other, length);
}

static bool has_uuid(const struct identity *identity)
{
    return !is_same_part(identity->uuid, identity->uuid_length, "-", 1);
}

/*
 * The UUID decides where both are known: it cannot be read by everybody
 * everywhere (an ordinary user without udev), so that its absence is no
 * difference; then what it is mounted from has to be the same.
 */
bool guard_is_same_filesystem(const char *recorded, const char *now)
{
    struct identity one, other;

    if (!parse_identity(recorded, &one) || !parse_identity(now, &other))
        return !strcmp(recorded, now);
    if (!is_same_part(recorded, one.family_length, now, other.family_length) ||
        !is_same_part(one.subtree, one.subtree_length, other.subtree,
                      other.subtree_length))
        return false;
    if (has_uuid(&one) && has_uuid(&other))
        return is_same_part(one.uuid, one.uuid_length, other.uuid,
                            other.uuid_length);
    return !strcmp(one.from, other.from);
}

err_code guard_check_source(const struct guard_source *source,
                            struct error *err)
{
    if (*source->recorded_identity &&
        !guard_is_same_filesystem(source->recorded_identity, source->identity))
        return error_set(
            err, ERR_REFUSED,
            "job %s: the source %s is on another filesystem than before (%s, "
            "was %s): is the right disk mounted? If it moved for good, run "
            "`berth job claim %s`",
            source->job, source->path, source->identity,
            source->recorded_identity, source->job);
    if (source->mode == JOB_MIRROR && source->is_empty && source->has_rows)
        return error_set(
            err, ERR_REFUSED,
            "job %s: the source %s is empty, but the drive holds files of it: "
            "nothing is deleted. Is the right disk mounted? If it is meant to "
            "be empty, remove the job",
            source->job, source->path);
    return ERR_OK;
}

static int64_t in_clusters(int64_t size_bytes, int64_t cluster_bytes)
{
    int64_t past_last = size_bytes % cluster_bytes;

    return past_last ? sum_of_bytes(size_bytes, cluster_bytes - past_last)
                     : size_bytes;
}

int64_t guard_space_needed(const struct plan *plan, int64_t cluster_bytes,
                           bool deletes_by_copy, int64_t sole_copy_limit)
{
    int64_t needed = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        if (action->flags & ACTION_HELD)
            continue;
        if (action->kind == ACTION_NEW || action->kind == ACTION_UPDATE)
            needed = sum_of_bytes(
                needed, in_clusters(action->size_bytes, cluster_bytes));
        else if (action->kind == ACTION_MKDIR)
            needed = sum_of_bytes(needed, cluster_bytes);
        else if (is_file_delete(action) && deletes_by_copy &&
                 action->size_bytes <= sole_copy_limit)
            needed = sum_of_bytes(
                needed, in_clusters(action->size_bytes, cluster_bytes));
    }
    return needed;
}
