#include "core/task_restore.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/moment.h"
#include "core/source_mounts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_WORDS "berth restore"

bool restoring_trusts(const struct restoring *restoring,
                      const struct record *record)
{
    return restoring->task->command->trust ||
           (!strcmp(restoring->place->owner->host, restoring->task->host) &&
            !(record->flags & RECORD_CLAIMED));
}

/*
 * --- where to ---
 */

/* The source's spelling of a directory in the job. */
static err_code find_raw_directory(struct restoring *restoring,
                                   const char *directory, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(strbuf_release) struct strbuf raw = STRBUF_INIT;
    const struct place *place = restoring->place;
    size_t length = 0;
    err_code code = ERR_OK;

    if (restoring->directory && !strcmp(restoring->directory, directory))
        return ERR_OK;
    while (!code && directory[length]) {
        length += length > 0;
        length += strcspn(directory + length, "/");
        const char *prefix = arena_strndup(&arena, directory, length);
        struct record record;
        code = catalogue_find(place->holding->catalogue, place->owner, prefix,
                              &arena, &record, err);
        path_append(&raw,
                    code ? path_name(prefix) : path_name(record_raw(&record)));
        if (code == ERR_NOT_FOUND) /* gone: its versions are left */
            code = ERR_OK;
    }
    if (code)
        return code;
    free(restoring->directory);
    free(restoring->raw_directory);
    restoring->directory = xstrdup(directory);
    restoring->raw_directory = strbuf_detach(&raw);
    return ERR_OK;
}

/* Without its first `count` components. */
static const char *strip(const char *path, size_t count)
{
    while (count-- && strchr(path, '/'))
        path = strchr(path, '/') + 1;
    return path;
}

err_code restoring_place_of(struct restoring *restoring, const char *path,
                            const struct record *record, char **out,
                            struct error *err)
{
    CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));
    const char *name = record && record->raw ? record->raw : path_name(path);
    err_code code = find_raw_directory(restoring, parent, err);

    if (code)
        return code;
    CLEANUP_FREE char *raw = path_join(restoring->raw_directory, name);
    CLEANUP_FREE char *whole = path_join(restoring->head, raw);
    const char *to = strip(whole, restoring->cut);
    if (!path_is_plain_relative(to))
        return error_set(
            err, ERR_INVALID,
            "the catalogue has no usable name for it: copy it from "
            "the drive by hand");
    *out = xstrdup(to);
    return ERR_OK;
}

static size_t count_components(const char *path)
{
    size_t count = 0;

    while (*path) {
        path += strspn(path, "/");
        count += *path != 0;
        path += strcspn(path, "/");
    }
    return count;
}

static bool is_on_volume(const char *path, int fd,
                         const struct holding *holding)
{
    CLEANUP(platform_mount_release)
    struct platform_mount mount = PLATFORM_MOUNT_INIT;
    char real[PATH_MAX], real_folder[PATH_MAX];

    if (!holding->volume.is_folder)
        return !platform_mount_of(fd, &mount, NULL) &&
               !strcmp(mount.attachment, holding->volume.mount.attachment) &&
               !strcmp(mount.source, holding->volume.mount.source);
    return realpath(path, real) &&
           realpath(holding->config->folder, real_folder) &&
           path_is_within(real, real_folder);
}

/* Before anything is made there: of what there is on the way. */
static err_code check_not_on_volume(struct restoring *restoring,
                                    struct error *err)
{
    const struct holding *holding = restoring->place->holding;
    CLEANUP_FREE char *there = xstrdup(restoring->prefix);
    CLEANUP_FD int fd = -1;

    while (platform_open_root(there, &fd, NULL) && there[1])
        there[path_parent_length(there)] = '\0';
    if (fd < 0 || !is_on_volume(there, fd, holding))
        return ERR_OK;
    return error_set(err, ERR_REFUSED,
                     "%s is on volume %s itself: restore to another disk",
                     restoring->prefix, holding->config->name);
}

static err_code open_mounts(const struct restoring *restoring,
                            struct source *root, struct error *err)
{
    const struct place *place = restoring->place;
    bool is_own = !strcmp(place->owner->host, restoring->task->host);
    const struct source_search search = {
        .platform = restoring->task->context->platform,
        .config = &restoring->task->config,
        .job = place->job,
        .catalogue = place->holding->catalogue,
        .owner = is_own ? place->owner : NULL,
    };

    err_code code = source_find_mounts(&search, root, err);
    for (size_t i = 0; !code && i < root->count; i++) {
        const struct source_mount *mount = &root->items[i];
        if (mount->state == SOURCE_AWAY &&
            path_is_within(place->path, mount->path))
            code = error_set(err, ERR_REFUSED,
                             "job %s: %s: %s. Mount its disk; or restore "
                             "elsewhere with --to DIR",
                             place->job->name, mount->path, mount->why);
    }
    return code;
}

static err_code open_destination(struct restoring *restoring,
                                 struct source *out, struct error *err)
{
    const struct place *place = restoring->place;
    const struct command *command = restoring->task->command;
    err_code code = ERR_OK;

    if (!command->to && !place->job)
        return error_set(
            err, ERR_INVALID,
            "volume %s: job %s in /%s has no source on this machine: say where "
            "to with --to DIR",
            place->holding->config->name, place->owner->job,
            place->owner->directory);
    restoring->prefix = command->to ? command->to : place->job->source;
    code = check_not_on_volume(restoring, err);
    if (!code && command->to)
        code = directory_ensure(command->to, err);
    if (!code)
        code = platform_open_root(restoring->prefix, &out->fd, err);
    if (code == ERR_NOT_FOUND)
        return error_set(err, ERR_REFUSED,
                         "job %s: its source %s is not there. Mount its disk; "
                         "or make the directory, if it is meant to be new; or "
                         "restore elsewhere with --to DIR",
                         place->job->name, restoring->prefix);
    if (!code && !command->to)
        code = open_mounts(restoring, out, err);
    return code;
}

/* What is repeated of the path below another destination: the last name that
 * was given, and all below it. */
static void cut_paths(struct restoring *restoring)
{
    const struct place *place = restoring->place;
    size_t named = count_components(place->named);

    restoring->head = "";
    restoring->cut = 0;
    if (!restoring->task->command->to)
        return;
    restoring->head =
        place->names_volume ? place->owner->directory : place->job->source + 1;
    restoring->cut = named ? named - 1 : 0;
}

/*
 * --- rows and versions ---
 */

static void keep_for_later(struct restoring *restoring, struct later *later,
                           const char *path, char *to,
                           const struct record *record)
{
    ARRAY_RESERVE(later->items, later->count + 1, later->capacity);
    later->items[later->count].to = to;
    later->items[later->count].path = arena_strdup(&restoring->arena, path);
    later->items[later->count].record = *record;
    record_keep(&later->items[later->count++].record, &restoring->arena);
}

static void give_back_directory(struct restoring *restoring, const char *path,
                                const struct record *record, char *to)
{
    const struct restore_item item = {.to = to,
                                      .record = record,
                                      .is_trusted =
                                          restoring_trusts(restoring, record)};
    struct error err = ERROR_INIT;
    bool was_made = false;
    err_code code =
        restore_directory(&restoring->destination, &item, &was_made, &err);

    if (code)
        restoring_tell_failure(restoring, path, code, err.message);
    if (!code && (was_made || restoring->task->command->to))
        keep_for_later(restoring, &restoring->directories, path, to, record);
    else
        free(to);
}

static err_code give_back(struct restoring *restoring,
                          const struct restore_choice *choice,
                          struct error *err)
{
    const struct record *record = choice->record;
    struct error own = ERROR_INIT;
    char *to = NULL;

    if (stop_flag_is_raised(&restoring->task->stop))
        return error_set(err, ERR_CANCELLED, "stopped on request");
    if (!record || record->type == ENTRY_FILE)
        return restoring_give_back(restoring, choice, err);
    err_code code =
        restoring_place_of(restoring, choice->path, record, &to, &own);
    if (code)
        restoring_tell_failure(restoring, choice->path, code, own.message);
    else if (record->type == ENTRY_DIRECTORY)
        give_back_directory(restoring, choice->path, record, to);
    else
        keep_for_later(restoring, &restoring->symlinks, choice->path, to,
                       record);
    return ERR_OK;
}

struct giving {
    struct restoring *restoring;
    int64_t rows;
    bool only_counts;
};

static void add_to_totals(struct task *task, const struct record *record)
{
    struct run_progress *progress = &task->progress.run;

    if (record->type == ENTRY_DIRECTORY)
        return;
    atomic_fetch_add(&progress->files_total, 1);
    if (record->stamp.size_bytes > 0)
        atomic_fetch_add(&progress->bytes_total, record->stamp.size_bytes);
}

static err_code visit_row(void *context, const char *path,
                          const char *drive_path, const struct record *record,
                          struct error *err)
{
    struct giving *giving = context;
    struct restoring *restoring = giving->restoring;
    const struct owner *owner = restoring->place->owner;
    CLEANUP_FREE char *whole = path_join(owner->directory, drive_path);
    const struct restore_choice choice = {
        .path = path,
        .holding = restoring->place->holding,
        .drive_path = whole,
        .record = record,
        .is_hashed = !(record->flags & RECORD_UNHASHED),
    };

    giving->rows++;
    if (!moment_has_row(restoring->at_ns, record))
        return ERR_OK;
    if (giving->only_counts) {
        add_to_totals(restoring->task, record);
        return ERR_OK;
    }
    return give_back(restoring, &choice, err);
}

static err_code give_back_version(struct restoring *restoring,
                                  const struct version *version,
                                  struct error *err)
{
    bool is_ours = version->has_record && version->reason != VERSION_FOREIGN;
    const struct restore_choice choice = {
        .path = version->path,
        .holding = restoring->place->holding,
        .drive_path = version->drive_path,
        .record = is_ours ? &version->record : NULL,
        .is_hashed = is_ours && !(version->record.flags & RECORD_UNHASHED),
    };

    return give_back(restoring, &choice, err);
}

/* Of each path the version that had the name then. */
static err_code give_back_versions(struct restoring *restoring,
                                   struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(version_list_release)
    struct version_list list = {.items = NULL};
    const struct place *place = restoring->place;
    size_t end;
    err_code code =
        catalogue_list_versions(place->holding->catalogue, place->owner->id,
                                place->path, &arena, &list, err);

    for (size_t i = 0; !code && i < list.count; i = end) {
        for (end = i + 1; end < list.count; end++)
            if (strcmp(list.items[end].path, list.items[i].path) != 0)
                break;
        const struct version *version =
            moment_version(&list.items[i], end - i, restoring->at_ns);
        if (version)
            code = give_back_version(restoring, version, err);
    }
    return code;
}

/* What is not in the catalogue any more is meant as it was last. */
static err_code give_back_all(struct restoring *restoring, struct error *err)
{
    const struct place *place = restoring->place;
    struct giving giving = {.restoring = restoring, .only_counts = true};
    err_code code =
        catalogue_walk_below(place->holding->catalogue, place->owner,
                             place->path, visit_row, &giving, err);

    giving.only_counts = false;
    restoring->tells_each =
        giving.rows <= 1 && restoring->task->command->name_count == 1;
    if (!code && (restoring->at_ns != INT64_MAX || !giving.rows))
        code = give_back_versions(restoring, err);
    if (!code && giving.rows)
        code = catalogue_walk_below(place->holding->catalogue, place->owner,
                                    place->path, visit_row, &giving, err);
    return code;
}

/*
 * --- what comes last ---
 */

static void give_back_symlinks(struct restoring *restoring)
{
    struct later *links = &restoring->symlinks;

    for (size_t i = 0; i < links->count; i++) {
        const struct restore_item item = {
            .to = links->items[i].to,
            .record = &links->items[i].record,
            .is_trusted = restoring_trusts(restoring, &links->items[i].record),
        };
        CLEANUP(restore_answer_release)
        struct restore_answer answer = {.path = NULL};
        struct error err = ERROR_INIT;
        err_code code =
            restore_symlink(&restoring->destination, &item, &answer, &err);
        if (!code || code == ERR_UNSUPPORTED)
            restoring_tell(restoring, links->items[i].path, &answer, false);
        if (code)
            restoring_tell_failure(restoring, links->items[i].path, code,
                                   err.message);
    }
}

/* Deepest first: each changes the one above. */
static void finish_directories(struct restoring *restoring)
{
    struct later *later = &restoring->directories;

    for (size_t i = later->count; i-- > 0;) {
        const struct restore_item item = {
            .to = later->items[i].to,
            .record = &later->items[i].record,
            .is_trusted = restoring_trusts(restoring, &later->items[i].record),
        };
        struct error err = ERROR_INIT;
        err_code code =
            restore_finish_directory(&restoring->destination, &item, &err);
        if (code)
            restoring_tell_failure(restoring, later->items[i].path, code,
                                   err.message);
    }
}

static void forget_later(struct later *later)
{
    for (size_t i = 0; i < later->count; i++)
        free(later->items[i].to);
    free(later->items);
    *later = (struct later){.items = NULL};
}

static err_code flush(struct restoring *restoring, const struct source *root,
                      struct error *err)
{
    err_code code = platform_flush_volume(root->fd, root->fd, err);

    for (size_t i = 0; i < root->count; i++) {
        int fd = root->items[i].fd;
        if (fd >= 0 && (!code || code == ERR_UNSUPPORTED))
            code = platform_flush_volume(fd, fd, err);
    }
    if (code == ERR_UNSUPPORTED)
        return ERR_OK;
    if (code)
        error_prefix(err, "cannot flush %s", restoring->prefix);
    return code;
}

/*
 * --- places ---
 */

static err_code note_end(void *context, const struct run *run,
                         struct error *err)
{
    int64_t *end_ns = context;

    *end_ns = run->ended_ns ? run->ended_ns : run->started_ns;
    return ERR_OK;
}

static err_code find_moment(struct restoring *restoring, struct error *err)
{
    const struct holding *holding = restoring->place->holding;
    const struct command *command = restoring->task->command;
    struct moment moment = {.kind = MOMENT_NOW};
    err_code code = moment_parse(command->at, clock_now_ns(), &moment, err);

    if (command->at_ns)
        moment =
            (struct moment){.kind = MOMENT_TIME, .time_ns = command->at_ns};
    restoring->at_ns = moment.kind == MOMENT_TIME ? moment.time_ns : INT64_MAX;
    if (code || moment.kind != MOMENT_RUN)
        return code;
    restoring->at_ns = 0;
    code = history_walk(holding->catalogue, moment.run, note_end,
                        &restoring->at_ns, err);
    if (!code && !restoring->at_ns)
        code = error_set(err, ERR_INVALID,
                         "volume %s has no run %lld: `berth history` lists "
                         "them",
                         holding->config->name, (long long)moment.run);
    return code;
}

static err_code restore_place(struct restoring *restoring,
                              const struct place *place, struct error *err)
{
    struct task *task = restoring->task;
    CLEANUP(source_release) struct source root = SOURCE_INIT;

    restoring->place = place;
    err_code code = find_moment(restoring, err);
    if (!code)
        code = open_destination(restoring, &root, err);
    if (code)
        return code;
    cut_paths(restoring);
    destination_init(&restoring->destination, &root, task->command->replace,
                     &task->stop, &task->progress.run.bytes_written);
    code = give_back_all(restoring, err);
    if (!restoring_ends(code))
        give_back_symlinks(restoring);
    finish_directories(restoring);
    if (!code && restoring->counts.files > restoring->counts.same)
        code = flush(restoring, &root, err);
    destination_release(&restoring->destination);
    forget_later(&restoring->symlinks);
    forget_later(&restoring->directories);
    arena_reset(&restoring->arena);
    free(restoring->directory);
    free(restoring->raw_directory);
    restoring->directory = restoring->raw_directory = NULL;
    return code;
}

static int64_t count_told(const struct restoring *restoring)
{
    const struct restore_info *counts = &restoring->counts;

    return counts->files + counts->failed + counts->refused;
}

static bool is_same_job(const struct place *one, const struct place *other)
{
    return !strcmp(one->owner->host, other->owner->host) &&
           !strcmp(one->owner->job, other->owner->job);
}

/* Of the same job on several volumes: the one that was synced last. */
static int compare_places(const void *one, const void *other)
{
    const struct place *a = one, *b = other;
    int order = strcmp(a->owner->host, b->owner->host);

    if (!order)
        order = strcmp(a->owner->job, b->owner->job);
    if (!order)
        order = (a->owner->last_sync_ns < b->owner->last_sync_ns) -
                (a->owner->last_sync_ns > b->owner->last_sync_ns);
    return order ? order : strcmp(a->owner->directory, b->owner->directory);
}

/*
 * Places of one job: from the first volume that is there and has something.
 * A path on a volume means just that.
 */
static err_code restore_job(struct restoring *restoring,
                            const struct place *places, size_t count,
                            struct error *err)
{
    struct error first = ERROR_INIT;
    err_code code = ERR_OK;
    bool was_any_there = false;

    for (size_t i = 0; i < count; i++) {
        int64_t before = count_told(restoring);
        struct error own = ERROR_INIT;
        code = holding_attach(restoring->task, places[i].holding, LOCK_WORDS,
                              &own);
        if (!code) {
            was_any_there = true;
            code = restore_place(restoring, &places[i], err);
            if (code)
                return code;
        } else if (!first.code) {
            first = own;
        }
        if (!places[i].names_volume && count_told(restoring) > before)
            return restoring_tell_newer(restoring, places, i, err);
        if (!restoring->away.code)
            restoring_is_away(&places[i], &restoring->away);
    }
    if (!was_any_there)
        return error_set(err, first.code, "%s", first.message);
    return ERR_OK;
}

static err_code restore_word(struct restoring *restoring, const char *word,
                             struct error *err)
{
    CLEANUP(places_release) struct places places = {.items = NULL};
    int64_t before = count_told(restoring);
    size_t end;

    restoring->away = (struct error)ERROR_INIT;
    err_code code =
        places_find(restoring->task, &restoring->holdings, word, &places, err);

    if (!code)
        qsort(places.items, places.count, sizeof *places.items, compare_places);
    for (size_t i = 0; !code && i < places.count; i = end) {
        for (end = i + 1; end < places.count; end++)
            if (!is_same_job(&places.items[i], &places.items[end]))
                break;
        code = restore_job(restoring, &places.items[i], end - i, err);
    }
    if (!code && before == count_told(restoring) && restoring->away.code)
        return error_set(err, restoring->away.code, "%s: %s", word,
                         restoring->away.message);
    if (!code && before == count_told(restoring))
        code = error_set(
            err, ERR_INVALID,
            "no copy of %s is known%s in what its job copies to now: `berth "
            "find` looks for it on all drives",
            word, restoring->task->command->at ? " as of then" : "");
    return code;
}

err_code task_restore(struct task *task, enum outcome *outcome,
                      struct error *err)
{
    struct restoring restoring = {.task = task};
    const struct command *command = task->command;
    struct moment moment;
    err_code code = moment_parse(command->at, clock_now_ns(), &moment, err);

    if (!code)
        code = holdings_open(task, &restoring.holdings, err);
    atomic_store(&task->progress.phase, PHASE_COPYING);
    for (size_t i = 0; !code && i < command->name_count; i++)
        code = restore_word(&restoring, command->names[i], err);
    if (!code || count_told(&restoring)) {
        struct event *event = task_event(task, EVENT_RESTORE_DONE);
        event->restore = restoring.counts;
        task_post(task, event);
    }
    *outcome = outcome_worse(*outcome, restoring.outcome);
    arena_release(&restoring.arena);
    holdings_release(&restoring.holdings);
    return code;
}
