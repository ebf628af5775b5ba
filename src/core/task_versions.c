#include "core/task_places.h"

#include "core/base/path.h"
#include "core/history.h"

#include <stdlib.h>
#include <string.h>

struct telling {
    struct task *task;
    const struct place *place;
    const struct holding *opened; /* that `volume` is of */
    struct volume volume;         /* root_fd -1: not attached */
    int64_t told, missing;
    char *name;       /* of the place, before the renames seen so far */
    int64_t name_run; /* it had that name before this run; 0: it has it now */
};

/* A look for each would take an hour on a disk that spins. */
#define LOOKS_MOST 1000

/* An older image of the drive may have come back, or somebody tidied up. */
static bool is_missing(struct telling *telling, const char *path)
{
    struct holding *holding = telling->place->holding;
    struct platform_stat stat;

    if (holding != telling->opened) {
        telling->opened = holding;
        volume_release(&telling->volume);
        telling->volume = (struct volume)VOLUME_INIT;
        if (volume_locate(telling->task->context->platform, holding->config,
                          &telling->volume, NULL))
            telling->volume.root_fd =
                -1; /* away: the catalogue's word is all */
    }
    return telling->volume.root_fd >= 0 && telling->told < LOOKS_MOST &&
           platform_stat_beneath(telling->volume.root_fd, path, &stat, NULL) ==
               ERR_NOT_FOUND;
}

static void post(struct telling *telling, const char *path,
                 const char *drive_path, const struct version_info *info)
{
    struct event *event = task_event(telling->task, EVENT_VERSION);

    event->volume = xstrdup(telling->place->holding->config->name);
    event->job = xstrdup(telling->place->owner->job);
    event->path = xstrdup(path);
    event->text = xstrdup(drive_path);
    event->version = *info;
    telling->told++;
    telling->missing += info->is_missing;
    task_post(telling->task, event);
}

static void describe_record(struct version_info *info,
                            const struct record *record)
{
    info->size_bytes = record->stamp.size_bytes;
    info->mtime_ns = record->source.mtime_ns;
    info->committed_ns = record->committed_ns;
    info->verified_ns = record->verified_ns;
}

static err_code post_version(void *context, const struct version *version,
                             struct error *err)
{
    struct telling *telling = context;
    /* What had the name later is something else. */
    if (telling->name_run && version->run >= telling->name_run)
        return ERR_OK;
    struct version_info info = {
        .reason = version->reason,
        .run = version->run,
        .created_ns = version->created_ns,
        .size_bytes = NO_SIZE,
        .is_missing = is_missing(telling, version->drive_path),
    };

    /* The row of what was not ours told of something else. */
    if (version->has_record && version->reason != VERSION_FOREIGN)
        describe_record(&info, &version->record);
    post(telling, version->path, version->drive_path, &info);
    return ERR_OK;
}

static err_code post_row(void *context, const char *path,
                         const char *drive_path, const struct record *record,
                         struct error *err)
{
    struct telling *telling = context;
    CLEANUP_FREE char *whole =
        path_join(telling->place->owner->directory, drive_path);
    struct version_info info = {.is_present = true};

    if (!(record->flags & RECORD_HELD)) /* else no volume has it */
        info.is_missing = is_missing(telling, whole);
    describe_record(&info, record);
    post(telling, path, "", &info);
    return ERR_OK;
}

/* What stands on the drive now; only of the very thing that was named. */
static err_code post_present(struct telling *telling, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    const struct place *place = telling->place;
    struct record record = {.key = NULL};
    err_code code = ERR_NOT_FOUND;

    if (*place->path)
        code = catalogue_find(place->holding->catalogue, place->owner,
                              place->path, &arena, &record, err);
    if (code || record.type == ENTRY_DIRECTORY)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    return catalogue_walk_below(place->holding->catalogue, place->owner,
                                place->path, post_row, telling, err);
}

/* Backwards through the renames of the place, and of what it lies in. */
static err_code follow(void *context, int64_t run, const char *from,
                       const char *to, struct error *err)
{
    struct telling *telling = context;

    if (!path_is_within(telling->name, to))
        return ERR_OK;
    char *before = xasprintf("%s%s", from, telling->name + strlen(to));
    free(telling->name);
    telling->name = before;
    telling->name_run = run;
    if (!strcmp(before, telling->place->path)) /* it came back: told anyway */
        return ERR_OK;
    return catalogue_walk_versions(telling->place->holding->catalogue,
                                   telling->place->owner->id, before,
                                   post_version, telling, err);
}

static err_code tell_place(struct telling *telling, struct error *err)
{
    const struct place *place = telling->place;

    telling->name = xstrdup(place->path);
    telling->name_run = 0;
    err_code code = ERR_OK;
    if (*place->path) /* a job's root has no other name */
        code = history_walk_renames(place->holding->catalogue,
                                    place->owner->job, follow, telling, err);
    free(telling->name);
    telling->name_run = 0;
    if (!code)
        code =
            catalogue_walk_versions(place->holding->catalogue, place->owner->id,
                                    place->path, post_version, telling, err);
    if (!code)
        code = post_present(telling, err);
    return code;
}

err_code task_versions(struct task *task, enum outcome *outcome,
                       struct error *err)
{
    CLEANUP(holdings_release) struct holdings holdings = {.items = NULL};
    CLEANUP(places_release) struct places places = {.items = NULL};
    const char *word = task->command->names[0];
    struct telling telling = {.task = task, .volume = VOLUME_INIT};
    err_code code = holdings_open(task, &holdings, err);

    if (!code)
        code = places_find(task, &holdings, word, &places, err);
    for (size_t i = 0; !code && i < places.count; i++) {
        telling.place = &places.items[i];
        code = tell_place(&telling, err);
    }
    volume_release(&telling.volume);
    if (!code && telling.missing)
        task_say(task,
                 "what is gone from a drive was taken from it by others, or an "
                 "older image of it came back: `berth diff --full` finds all "
                 "of it, `berth sync` copies what the source still has");
    if (!code && !telling.told)
        task_say(task,
                 "no version is kept of %s or of anything in it: `berth "
                 "find` looks for it on all drives",
                 word);
    return code;
}
