#include "core/base/array.h"
#include "core/names.h"
#include "core/undo_build.h"

#include <stdlib.h>
#include <string.h>

static bool is_rename(const struct undo_step *step)
{
    return step->intent.kind == INTENT_PLACE && step->intent.old_path;
}

/* Files together; a directory alone, since others may lie below it. */
static size_t group_end(const struct undo *undo, size_t first)
{
    size_t end = first + 1;

    if (!is_rename(&undo->items[first]) ||
        undo->items[first].intent.record.type == ENTRY_DIRECTORY)
        return end;
    while (end < undo->count && is_rename(&undo->items[end]) &&
           undo->items[end].intent.record.type != ENTRY_DIRECTORY &&
           !undo->items[end].begins_batch)
        end++;
    return end;
}

/* What two names that the volume takes for one have in common. */
static void add_common(const struct building *building, const char *name,
                       struct strbuf *out)
{
    if (building->session->traits.names.is_case_insensitive)
        name_fold(name, out);
    else
        strbuf_adds(out, name);
}

static void collect_names(const struct building *building,
                          const struct undo_step *steps, size_t count,
                          struct text_set *out)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
        add_common(building, steps[i].intent.from, &name);
        text_set_add(out, name.text);
    }
}

static bool is_one_of(const struct building *building,
                      const struct text_set *names, const char *to)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;

    add_common(building, to, &name);
    return text_set_has(names, name.text);
}

/*
 * Whether a name of the group is the old name of another of it, or the same in
 * another case. That is not looked up: FUSE would remember for a second that
 * it is there, and say so when the file has been moved away [seen]. Anything
 * else in the way is somebody else's.
 */
static err_code look_at_group(struct building *building,
                              const struct undo_step *steps, size_t count,
                              bool *out_is_tangled, struct error *err)
{
    CLEANUP(text_set_release) struct text_set names = TEXT_SET_INIT;
    struct platform_stat stat;
    err_code code = ERR_OK;

    *out_is_tangled = false;
    collect_names(building, steps, count, &names);
    for (size_t i = 0; !code && i < count; i++) {
        const struct intent *intent = &steps[i].intent;
        bool exists;
        if (is_one_of(building, &names, intent->to)) {
            *out_is_tangled = true;
            continue;
        }
        if (undo_is_marked(&building->retired, intent->owner, intent->path))
            continue;
        code = fsops_look(&building->session->ops, intent->to, &exists, &stat,
                          err);
        if (!code && exists)
            code = undo_refuse(building, intent->path, "is there again", err);
    }
    return code;
}

static const char *temporary(struct building *building, size_t number)
{
    CLEANUP_FREE char *path =
        xasprintf("%s/renamed-%zu", building->session->staging, number);

    return arena_strdup(&building->undo->arena, path);
}

/* All first halves before all second ones: recovery relies on that. */
static void add_by_temporaries(struct building *building, struct undo *out,
                               const struct undo_step *steps, size_t count,
                               size_t number)
{
    for (int half = 0; half < 2; half++) {
        for (size_t i = 0; i < count; i++) {
            struct undo_step step = steps[i];
            const char *between = temporary(building, number + i);
            step.begins_batch = !half && !i;
            if (half) {
                step.intent.from = between;
            } else {
                step.intent.to = between;
                step.intent.path = "";
                step.intent.old_path = NULL;
            }
            ARRAY_PUSH(out, step);
        }
    }
}

err_code undo_untangle_renames(struct building *building, struct error *err)
{
    struct undo *undo = building->undo;
    struct undo out = {.items = NULL};
    bool after_group = false;
    size_t end;
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < undo->count; i = end) {
        bool is_tangled = false;
        end = group_end(undo, i);
        if (is_rename(&undo->items[i]))
            code = look_at_group(building, &undo->items[i], end - i,
                                 &is_tangled, err);
        if (is_tangled) {
            add_by_temporaries(building, &out, &undo->items[i], end - i, i);
            after_group = true;
            continue;
        }
        for (size_t j = i; j < end; j++) {
            undo->items[j].begins_batch |= after_group;
            after_group = false;
            ARRAY_PUSH(&out, undo->items[j]);
        }
    }
    free(undo->items);
    undo->items = out.items;
    undo->count = out.count;
    undo->capacity = out.capacity;
    return code;
}
