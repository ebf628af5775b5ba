#include "core/task_restore.h"

#include "core/base/array.h"
#include "core/base/path.h"

#include <stdlib.h>
#include <string.h>

#define LOCK_WORDS "berth restore"

/*
 * --- telling ---
 */

/* One line for each file would be a long list; what is not where it was
 * expected is always told. */
void restoring_tell(struct restoring *restoring, const char *path,
                    const struct restore_answer *answer, bool is_older)
{
    struct restore_info *counts = &restoring->counts;

    counts->files++;
    counts->bytes += answer->how == RESTORE_SAME ? 0 : answer->size_bytes;
    counts->same += answer->how == RESTORE_SAME;
    counts->beside += answer->how == RESTORE_BESIDE;
    counts->kept += answer->how == RESTORE_REPLACED;
    atomic_fetch_add(&restoring->task->progress.run.files_durable, 1);
    atomic_fetch_add(&restoring->task->progress.run.bytes_durable,
                     answer->size_bytes);
    bool is_plain =
        answer->how == RESTORE_PLACED || answer->how == RESTORE_SAME;
    if (is_plain && !is_older && !restoring->tells_each)
        return;
    struct event *event = task_event(restoring->task, EVENT_RESTORED);
    event->volume = xstrdup(restoring->place->holding->config->name);
    event->job = xstrdup(restoring->place->owner->job);
    event->path = xstrdup(path);
    event->text = path_join(restoring->prefix, answer->path);
    event->restore.how = answer->how;
    event->restore.is_older = is_older;
    task_post(restoring->task, event);
}

void restoring_tell_failure(struct restoring *restoring, const char *path,
                            err_code code, const char *message)
{
    struct event *event = task_event(restoring->task, EVENT_FILE_FAILED);
    bool is_refused = code == ERR_REFUSED;

    restoring->counts.failed += !is_refused;
    restoring->counts.refused += is_refused;
    restoring->outcome =
        outcome_worse(restoring->outcome,
                      is_refused ? OUTCOME_REFUSED : OUTCOME_FAILED_FILES);
    event->volume = xstrdup(restoring->place->holding->config->name);
    event->job = xstrdup(restoring->place->owner->job);
    event->path = xstrdup(path);
    event->text = xstrdup(message);
    event->code = code;
    task_post(restoring->task, event);
}

bool restoring_ends(err_code code)
{
    return code == ERR_NO_SPACE || code == ERR_CANCELLED ||
           code == ERR_DEVICE_GONE || code == ERR_READ_ONLY;
}

/*
 * --- other copies ---
 */

/* What has the same path in the same job, on any attached volume. */
struct candidate {
    struct holding *holding;
    const char *drive_path;
    struct record record;
    bool is_same;
};

struct candidates {
    struct candidate *items;
    size_t count, capacity;
    struct arena arena;
};

static void candidates_release(struct candidates *candidates)
{
    free(candidates->items);
    arena_release(&candidates->arena);
}

static void add_candidate(struct candidates *out, struct holding *holding,
                          const char *drive_path, const struct record *record,
                          const struct restore_choice *wanted)
{
    struct candidate candidate = {
        .holding = holding,
        .drive_path = arena_strdup(&out->arena, drive_path),
        .record = *record,
    };
    const struct record *asked = wanted->record;

    if (holding == wanted->holding && !strcmp(drive_path, wanted->drive_path))
        return; /* the one that was no good */
    if (record->type != ENTRY_FILE || record->flags & RECORD_UNHASHED)
        return;
    candidate.is_same =
        asked && wanted->is_hashed && hash_equal(&record->hash, &asked->hash);
    if (!candidate.is_same && asked &&
        record->committed_ns >= asked->committed_ns)
        return; /* newer than what was asked for */
    ARRAY_PUSH(out, candidate);
}

struct finding_rows {
    struct candidates *out;
    struct holding *holding;
    const struct owner *owner;
    const struct restore_choice *wanted;
};

static err_code add_row(void *context, const char *path, const char *drive_path,
                        const struct record *record, struct error *err)
{
    struct finding_rows *finding = context;
    CLEANUP_FREE char *whole = path_join(finding->owner->directory, drive_path);
    struct record kept = *record;
    struct arena *arena = &finding->out->arena;

    kept.key = kept.drive = NULL;
    kept.raw = record->raw ? arena_strdup(arena, record->raw) : NULL;
    if (strcmp(path, finding->wanted->path) != 0)
        return ERR_OK;
    add_candidate(finding->out, finding->holding, whole, &kept,
                  finding->wanted);
    return ERR_OK;
}

static err_code add_from_owner(struct candidates *out, struct holding *holding,
                               const struct owner *owner,
                               const struct restore_choice *wanted,
                               struct error *err)
{
    CLEANUP(version_list_release)
    struct version_list versions = {.items = NULL};
    struct finding_rows finding = {out, holding, owner, wanted};
    err_code code = catalogue_walk_below(holding->catalogue, owner,
                                         wanted->path, add_row, &finding, err);

    if (!code)
        code =
            catalogue_list_versions(holding->catalogue, owner->id, wanted->path,
                                    &out->arena, &versions, err);
    for (size_t i = 0; !code && i < versions.count; i++) {
        const struct version *version = &versions.items[i];
        if (version->has_record && version->reason != VERSION_FOREIGN &&
            !strcmp(version->path, wanted->path))
            add_candidate(out, holding, version->drive_path, &version->record,
                          wanted);
    }
    return code;
}

static int compare_candidates(const void *one, const void *other)
{
    const struct candidate *a = one, *b = other;

    if (a->is_same != b->is_same)
        return a->is_same ? -1 : 1;
    return (a->record.committed_ns < b->record.committed_ns) -
           (a->record.committed_ns > b->record.committed_ns);
}

static err_code find_candidates(struct restoring *restoring,
                                const struct restore_choice *wanted,
                                struct candidates *out, struct error *err)
{
    const struct owner *asked = restoring->place->owner;
    err_code code = ERR_OK;

    for (size_t h = 0; h < restoring->holdings.count; h++) {
        struct holding *holding = &restoring->holdings.items[h];
        if (holding_attach(restoring->task, holding, LOCK_WORDS, NULL))
            continue;
        for (size_t i = 0; !code && i < holding->owners.count; i++) {
            const struct owner *owner = &holding->owners.items[i];
            if (!strcmp(owner->host, asked->host) &&
                !strcmp(owner->job, asked->job))
                code = add_from_owner(out, holding, owner, wanted, err);
        }
    }
    if (!code && out->count)
        qsort(out->items, out->count, sizeof *out->items, compare_candidates);
    return code;
}

/*
 * --- one file ---
 */

static err_code try_copy(struct restoring *restoring,
                         const struct restore_choice *choice, const char *to,
                         struct restore_answer *out, struct error *err)
{
    const struct restore_item item = {
        .to = to,
        .volume_fd = choice->holding->volume.root_fd,
        .from = choice->drive_path,
        .record = choice->record,
        .is_hashed = choice->is_hashed,
        .is_trusted = restoring_trusts(restoring, choice->record),
    };

    err_code code = restore_file(&restoring->destination, &item, out, err);
    /* Of a pulled drive nothing can be read: that is no rot. */
    if (code == ERR_CORRUPT &&
        platform_check_attached(choice->holding->volume.root_fd, NULL))
        code = error_set(err, ERR_DEVICE_GONE, "volume %s is gone",
                         choice->holding->config->name);
    return code;
}

/* The bad copy is named, whether another one helps or not. */
static err_code give_back_another(struct restoring *restoring,
                                  const struct restore_choice *wanted,
                                  const char *to, struct error *err)
{
    CLEANUP(candidates_release) struct candidates candidates = {.items = NULL};
    err_code code = find_candidates(restoring, wanted, &candidates, err);

    if (!code)
        code = ERR_CORRUPT;
    for (size_t i = 0; code == ERR_CORRUPT && i < candidates.count; i++) {
        const struct candidate *candidate = &candidates.items[i];
        const struct restore_choice choice = {
            .path = wanted->path,
            .holding = candidate->holding,
            .drive_path = candidate->drive_path,
            .record = &candidate->record,
            .is_hashed = true,
        };
        struct restore_answer answer;
        struct error own = ERROR_INIT;
        code = try_copy(restoring, &choice, to, &answer, &own);
        if (!code)
            restoring_tell(restoring, wanted->path, &answer,
                           !candidate->is_same);
        else if (code != ERR_CORRUPT)
            error_set(err, code, "%s", own.message);
        restore_answer_release(&answer);
    }
    return code;
}

err_code restoring_give_back(struct restoring *restoring,
                             const struct restore_choice *choice,
                             struct error *err)
{
    CLEANUP(restore_answer_release)
    struct restore_answer answer = {.path = NULL};
    CLEANUP_FREE char *to = NULL;
    struct error own = ERROR_INIT;
    err_code code =
        restoring_place_of(restoring, choice->path, choice->record, &to, &own);

    if (!code)
        code = try_copy(restoring, choice, to, &answer, &own);
    if (!code || code == ERR_UNSUPPORTED)
        restoring_tell(restoring, choice->path, &answer, false);
    if (code)
        restoring_tell_failure(restoring, choice->path, code, own.message);
    if (code == ERR_CORRUPT && to)
        code = give_back_another(restoring, choice, to, &own);
    if (restoring_ends(code))
        return error_set(err, code, "%s", own.message);
    return ERR_OK;
}
