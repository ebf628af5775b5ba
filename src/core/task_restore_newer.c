#include "core/task_restore.h"

#include "core/base/quantity.h"
#include "core/copies.h"
#include "core/history.h"

#include <string.h>

static bool is_same(const struct record *one, const struct record *other)
{
    if (one->type != other->type)
        return false;
    if (one->type == ENTRY_SYMLINK)
        return one->link_target && other->link_target &&
               !strcmp(one->link_target, other->link_target);
    if ((one->flags | other->flags) & RECORD_UNHASHED)
        return one->source.size_bytes == other->source.size_bytes &&
               one->source.mtime_ns == other->source.mtime_ns;
    return hash_equal(&one->hash, &other->hash);
}

static err_code count_other(void *context, const struct copies_entry *entry,
                            struct error *err)
{
    const struct record *away = entry->rows[0], *given = entry->rows[1];
    int64_t *count = context;

    *count += !away || !given || !is_same(away, given);
    return ERR_OK;
}

static err_code count_others(const struct place *away,
                             const struct place *given, int64_t *out,
                             struct error *err)
{
    const struct copies_side sides[] = {
        {away->holding->catalogue, away->owner},
        {given->holding->catalogue, given->owner},
    };

    *out = 0;
    return copies_walk(sides, COUNT_OF(sides), given->path, count_other, out,
                       err);
}

err_code restoring_tell_newer(struct restoring *restoring,
                              const struct place *places, size_t given,
                              struct error *err)
{
    int64_t seen_ns = places[given].owner->last_sync_ns, run_ns = 0;
    err_code code =
        history_latest_ns(places[given].holding->catalogue, &run_ns, err);

    for (size_t i = 0; !code && i < given; i++) {
        const struct holding *away = places[i].holding;
        char files[QUANTITY_SIZE];
        int64_t count;
        if (!away->attach_code || places[i].owner->last_sync_ns <= seen_ns ||
            restoring->at_ns <= run_ns)
            continue;
        code = count_others(&places[i], &places[given], &count, err);
        if (code || !count)
            continue;
        task_say(
            restoring->task,
            "restored from volume %s, but volume %s was synced later: %s "
            "of this %s newer there, only there, or deleted since. Restore "
            "again when it is there (%s)",
            places[given].holding->config->name, away->config->name,
            format_things(count, "file", files), plural(count, "is", "are"),
            away->attach_message);
        restoring->outcome =
            outcome_worse(restoring->outcome, outcome_of(away->attach_code));
    }
    return code;
}

void restoring_is_away(const struct place *place, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(version_list_release)
    struct version_list versions = {.items = NULL};
    struct record row;
    const struct holding *holding = place->holding;

    if (!holding->attach_code)
        return;
    bool has_row =
        *place->path && !catalogue_find(holding->catalogue, place->owner,
                                        place->path, &arena, &row, NULL);
    bool has_version =
        !has_row &&
        !catalogue_list_versions(holding->catalogue, place->owner->id,
                                 place->path, &arena, &versions, NULL) &&
        versions.count;
    if (has_row || has_version)
        error_set(err, holding->attach_code, "%s", holding->attach_message);
}
