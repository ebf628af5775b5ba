#include "core/compare_actions.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/compare_look.h"
#include "core/diff.h"
#include "core/marker.h"

#include <assert.h>
#include <string.h>

/* --- asking for the verdict --- */

static struct diff_input make_input(const struct walker *walker,
                                    const struct trio *trio)
{
    const struct compare_options *options = walker->options;
    struct diff_input input = {
        .mode = options->job->mode,
        .row = trio->row,
        .time_tolerance_ns = options->traits->time_tolerance_ns,
        .holds_modes = options->traits->has_modes,
        .holds_owners = options->traits->has_owners && options->can_chown,
    };

    if (trio->source) {
        const struct platform_stat *stat = &trio->source->stat;
        input.source = SOURCE_PRESENT;
        entry_type_of(stat->type, &input.source_type);
        input.signature = signature_of(stat);
        input.source_mode = stat->mode;
        input.source_uid = stat->uid;
        input.source_gid = stat->gid;
    }
    if (trio->drive) {
        input.drive = entry_type_of(trio->drive->stat.type, &input.drive_type)
                          ? DRIVE_PRESENT
                          : DRIVE_ODD;
        input.stamp = stamp_of(&trio->drive->stat);
    } else if (options->drive_fd >= 0) {
        input.drive = DRIVE_ABSENT;
    }
    return input;
}

static bool is_poisoned(const struct walker *walker,
                        const struct compare_task *task,
                        const struct trio *trio)
{
    if (trio->row && trio->row->flags & RECORD_ROTTEN)
        return true;
    if (!walker->options->poisoned || !walker->options->poisoned->count)
        return false;
    CLEANUP_FREE char *path = path_join(task->path, trio->key);
    return paths_contain(walker->options->poisoned, path);
}

/* One name, in another spelling (NFC, NFD): the drive keeps the one that it
 * has, the row learns the one that a restore is to bring back. */
static bool is_respelt(const struct walker *walker, const struct trio *trio)
{
    return trio->row && !compare_moved(&walker->moved, trio->key) &&
           strcmp(record_raw(trio->row), trio->source->raw) != 0;
}

/* What the drive's cannot become, nor be replaced by in one step. */
static bool comes_after_a_delete(const struct walker *walker,
                                 const struct diff_input *input)
{
    return input->source_type == ENTRY_DIRECTORY ||
           (input->source_type == ENTRY_SYMLINK &&
            !walker->options->traits->has_symlinks);
}

static err_code judge_present(struct walker *walker,
                              const struct compare_task *task,
                              const struct trio *trio, struct error *err)
{
    struct diff_input input = make_input(walker, trio);

    if (input.source_type == ENTRY_FILE) {
        walker->plan.totals.files_seen++;
        walker->plan.totals.bytes_seen = sum_of_bytes(
            walker->plan.totals.bytes_seen, input.signature.size_bytes);
        input.signature.side =
            look_at_wal(walker, task, trio->source, trio->row);
    }
    input.is_poisoned = is_poisoned(walker, task, trio);
    enum diff_verdict verdict = diff_decide(&input);
    if (verdict == DIFF_LOOK) {
        err_code code = look_at_content(walker, task, trio->source, trio->row,
                                        trio->drive, &input.content, err);
        if (code == ERR_CANCELLED)
            return code;
        if (code) {
            struct action *skip =
                compare_add(walker, task, trio, ACTION_SKIP, REASON_UNREADABLE);
            skip->detail = (int32_t)code;
            return ERR_OK;
        }
        verdict = diff_decide(&input);
    }
    /* Only the change time tells of them: they are looked at with the content.
     */
    if (verdict == DIFF_SIGN && input.source_type == ENTRY_FILE &&
        walker->options->traits->has_attributes &&
        look_at_attributes(walker, task, trio->source, trio->row))
        verdict = DIFF_TOUCH;
    if (verdict == DIFF_NOTHING && is_respelt(walker, trio))
        verdict = DIFF_SIGN;
    struct trio judged = *trio;
    judged.needs_room =
        trio->source->needs_room || verdict == DIFF_SWAP ||
        (verdict == DIFF_REPLACE && comes_after_a_delete(walker, &input));
    if (compare_moved(&walker->moved, trio->key))
        compare_add_directory_rename(walker, task, &judged);
    if (input.source_type == ENTRY_DIRECTORY)
        compare_carry_out_directory(walker, task, &judged, verdict);
    else
        compare_carry_out_file(walker, task, &judged, verdict,
                               input.is_poisoned);
    return ERR_OK;
}

static bool is_litter(const struct walker *walker,
                      const struct compare_task *task, const struct trio *trio)
{
    return !*walker->options->directory && !*task->path &&
           (!strcmp(trio->key, BERTH_DIRECTORY) ||
            filter_is_volume_litter(trio->key));
}

/*
 * What the job excludes stays on the drive as it is, also when its source is
 * gone (ENGINE, Comparing): whoever moves a directory elsewhere and excludes
 * it has not deleted its backup. Unless something new needs its name; and what
 * was offloaded is looked after in any case.
 */
static bool is_frozen(struct walker *walker, const struct compare_task *task,
                      const struct trio *trio)
{
    if (!trio->row || task->early || trio->row->flags & RECORD_OFFLOADED ||
        compare_is_twin(walker, trio))
        return false;
    return look_is_excluded(walker, task, trio->key,
                            trio->row->type == ENTRY_DIRECTORY);
}

/* A -wal or -journal on the drive beside a snapshot belongs to another state
 * of the database: SQLite would apply it and damage the copy. */
static void retire_stale_side(struct walker *walker,
                              const struct compare_task *task,
                              const struct trio *trio)
{
    struct trio gone = *trio;

    if (!trio->row && !trio->drive)
        return;
    gone.source = NULL;
    struct action *delete =
        compare_add(walker, task, &gone, ACTION_DELETE, REASON_STALE_SIDE);
    delete->before =
        trio->drive ? stamp_of(&trio->drive->stat) : trio->row->stamp;
    delete->size_bytes = delete->before.size_bytes;
}

/* Also where the source's has gone meanwhile: rsync brought the one here. */
static bool is_stale_side(struct walker *walker,
                          const struct compare_task *task,
                          const struct trio *trio)
{
    bool is_offloaded = trio->row && trio->row->flags & RECORD_OFFLOADED;

    return !is_offloaded &&
           look_is_stale_side(walker, task, trio->key, trio->drive) &&
           !look_is_excluded(walker, task, trio->key, false);
}

static void judge_gone(struct walker *walker, const struct compare_task *task,
                       const struct trio *trio)
{
    if (!trio->row && is_litter(walker, task, trio))
        return;
    if (is_frozen(walker, task, trio)) {
        compare_add(walker, task, trio, ACTION_SKIP, REASON_EXCLUDED);
        return;
    }
    if (is_stale_side(walker, task, trio)) {
        retire_stale_side(walker, task, trio);
        return;
    }
    struct diff_input input = make_input(walker, trio);
    compare_carry_out_gone(walker, task, trio, diff_decide(&input));
}

static err_code judge(struct walker *walker, const struct compare_task *task,
                      const struct trio *trio, struct error *err)
{
    struct look look = look_at_mounts(walker, task, trio->key, trio->source);
    bool is_mount = look.reason != REASON_NONE;

    if (!is_mount && !trio->source) {
        judge_gone(walker, task, trio);
        return ERR_OK;
    }
    if (!is_mount)
        look = look_at_source(walker, task, trio->source);
    if (look.reason == REASON_NONE && !trio->drive_name)
        look.reason = REASON_NAME_TOO_LONG;
    if (look.reason == REASON_NONE)
        return judge_present(walker, task, trio, err);

    struct trio named = *trio;
    if (!named.drive_name)
        named.drive_name = trio->key;
    bool conflicts =
        look.reason == REASON_TWIN || look.reason == REASON_NAME_TOO_LONG;
    struct action *action =
        compare_add(walker, task, &named,
                    conflicts ? ACTION_CONFLICT : ACTION_SKIP, look.reason);
    action->detail = (int32_t)look.detail;
    if (look.reason == REASON_SIDE_FILE)
        retire_stale_side(walker, task, &named);
    return ERR_OK;
}

/*
 * --- merging ---
 */

/*
 * What the volume would call it; NULL when it is too long for it. A volume
 * that takes any bytes gets the source's own.
 */
static const char *encode(struct walker *walker, const struct trio *trio)
{
    const struct name_rules *rules = &walker->options->traits->names;
    CLEANUP(strbuf_release) struct strbuf encoded = STRBUF_INIT;
    const char *key = trio->key;

    if (trio->source && !rules->is_utf16)
        return trio->source->raw;
    if (!name_encode(key, rules, &encoded))
        return NULL;
    if (!strcmp(encoded.text, key))
        return key;
    return arena_strdup(&walker->scratch, encoded.text);
}

/* The name on the volume: as it is there, as recorded, or as it can be. */
static void name_trio(struct walker *walker, struct trio *trio)
{
    const struct moved_directory *moved =
        compare_moved(&walker->moved, trio->key);

    if (moved)
        trio->drive_name = encode(walker, trio);
    else if (trio->drive)
        trio->drive_name = trio->drive->raw;
    else if (trio->row)
        trio->drive_name = record_drive(trio->row);
    else
        trio->drive_name = encode(walker, trio);
    trio->listed_name = moved ? moved->listed_name : trio->drive_name;
}

static const char *least(const char *one, const char *other)
{
    if (!one || !other)
        return one ? one : other;
    return strcmp(one, other) <= 0 ? one : other;
}

static err_code merge(struct walker *walker, const struct compare_task *task,
                      struct error *err)
{
    const struct scan *source = &walker->source, *drive = &walker->drive;
    const struct records *rows = &walker->rows;
    size_t s = 0, r = 0, d = 0;
    err_code code = ERR_OK;

    while (!code &&
           (s < source->count || r < rows->count || d < drive->count)) {
        const char *source_key =
            s < source->count ? source->items[s].key : NULL;
        const char *row_key = r < rows->count ? rows->items[r].key : NULL;
        const char *drive_key = d < drive->count ? drive->items[d].key : NULL;
        struct trio trio = {.key =
                                least(least(source_key, row_key), drive_key)};
        assert(trio.key); /* one of them is not at its end */
        if (source_key && !strcmp(source_key, trio.key))
            trio.source = &source->items[s++];
        if (row_key && !strcmp(row_key, trio.key))
            trio.row = &rows->items[r++];
        if (drive_key && !strcmp(drive_key, trio.key))
            trio.drive = &drive->items[d++];
        name_trio(walker, &trio);
        code = judge(walker, task, &trio, err);
    }
    return code;
}

static void count_rows(struct walker *walker)
{
    struct plan_totals *totals = &walker->plan.totals;

    for (size_t i = 0; i < walker->rows.count; i++) {
        const struct record *row = &walker->rows.items[i];
        if (row->type == ENTRY_DIRECTORY)
            continue;
        totals->rows_files++;
        if (row->stamp.size_bytes > 0)
            totals->rows_bytes =
                sum_of_bytes(totals->rows_bytes, row->stamp.size_bytes);
    }
}

/* --- reading the three sides --- */

static err_code read_source(struct walker *walker,
                            const struct compare_task *task, struct error *err)
{
    const struct compare_options *options = walker->options;

    walker->source.count = 0;
    if (!task->in_source)
        return ERR_OK;
    const char *path = task->raw;
    int root_fd = source_root(options->source, &path);
    return scan_directory(root_fd, path, &options->traits->names, false,
                          &walker->scratch, &walker->source, err);
}

static err_code read_drive(struct walker *walker,
                           const struct compare_task *task, struct error *err)
{
    const struct compare_options *options = walker->options;

    walker->drive.count = 0;
    if (options->drive_fd < 0 || !task->on_drive)
        return ERR_OK;
    const char *path =
        *task->listed
            ? compare_join(&walker->scratch, options->directory, task->listed)
            : options->directory;
    return scan_directory(options->drive_fd, path, &options->traits->names,
                          true, &walker->scratch, &walker->drive, err);
}

static void freeze_directory(struct walker *walker,
                             const struct compare_task *task, err_code why)
{
    struct arena *arena = &walker->plan.arena;
    struct action action = {
        .kind = ACTION_SKIP,
        .type = ENTRY_DIRECTORY,
        .reason = (unsigned char)(why == ERR_NOT_FOUND ? REASON_VANISHED
                                                       : REASON_UNREADABLE),
        .detail = (int32_t)why,
        .before = STAMP_NOTHING,
        .path = arena_strdup(arena, task->path),
        .raw = arena_strdup(arena, task->raw),
        .drive = arena_strdup(arena, task->listed),
    };

    ARRAY_PUSH(&walker->plan, action);
}

static void count_progress(struct walker *walker)
{
    struct compare_progress *progress = walker->options->progress;
    int64_t files = 0, bytes = 0;

    for (size_t i = 0; i < walker->source.count; i++) {
        files++;
        bytes += walker->source.items[i].stat.size_bytes;
    }
    atomic_fetch_add(&progress->directories, 1);
    atomic_fetch_add(&progress->files, files);
    atomic_fetch_add(&progress->bytes, bytes);
}

/* One directory of the drive (somebody else's, a path too long for it) is no
 * reason to leave the others alone; a device that fails is. */
static bool is_only_here(const struct compare_task *task, err_code code)
{
    return *task->path && !error_is_device_failure(code);
}

err_code compare_directory(struct walker *walker,
                           const struct compare_task *task, struct error *err)
{
    arena_reset(&walker->scratch);
    walker->rows.count = 0;
    err_code code = read_source(walker, task, err);
    if (code && *task->path) {
        /* Unreadable is not empty: nothing below it is deleted (G4). */
        freeze_directory(walker, task, code);
        return ERR_OK;
    }
    if (!code && task->row)
        code = catalogue_list(walker->catalogue, task->row, &walker->scratch,
                              &walker->rows, err);
    if (code)
        return code;
    code = read_drive(walker, task, err);
    if (code && is_only_here(task, code)) {
        freeze_directory(walker, task, code);
        return ERR_OK;
    }
    if (code)
        return code;
    count_rows(walker);
    count_progress(walker);
    compare_find_moved(walker, task);
    return merge(walker, task, err);
}
