#include "core/contents.h"

#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/db.h"
#include "core/filter.h"
#include "core/scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Rows are written together: a commit costs a flush of the disk. */
#define ROWS_PER_COMMIT 2000

struct walking {
    const struct contents_options *options;
    struct contents_counts *counts;
    struct filter *junk;
    int rows_waiting;
};

/* --- whose rows --- */

err_code contents_find_owner(struct catalogue *catalogue, const char *host,
                             struct owner *out, struct error *err)
{
    return catalogue_find_owner(catalogue, host, CONTENTS_JOB, "", out, err);
}

err_code contents_ensure_owner(struct catalogue *catalogue, const char *host,
                               struct owner *out, struct error *err)
{
    err_code code = contents_find_owner(catalogue, host, out, err);

    if (code == ERR_NOT_FOUND)
        code = catalogue_add_owner(catalogue, host, CONTENTS_JOB, "", out, err);
    return code;
}

err_code contents_forget(struct catalogue *catalogue, const char *host,
                         struct error *err)
{
    CLEANUP(owner_release) struct owner owner = {.id = 0};
    err_code code = contents_find_owner(catalogue, host, &owner, err);

    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    return code ? code : catalogue_remove_owner(catalogue, &owner, err);
}

/* --- rows --- */

static err_code commit_rows(struct walking *walking, struct error *err)
{
    if (!walking->rows_waiting)
        return ERR_OK;
    walking->rows_waiting = 0;
    return db_commit(catalogue_db(walking->options->catalogue), err);
}

static err_code begin_row(struct walking *walking, struct error *err)
{
    if (walking->rows_waiting >= ROWS_PER_COMMIT) {
        err_code code = commit_rows(walking, err);
        if (code)
            return code;
    }
    if (walking->rows_waiting++)
        return ERR_OK;
    return db_begin(catalogue_db(walking->options->catalogue), err);
}

static err_code put_row(struct walking *walking, const char *path,
                        const char *drive_path, const struct scan_entry *entry,
                        enum entry_type type, struct error *err)
{
    const struct contents_options *options = walking->options;
    const struct platform_stat *stat = &entry->stat;
    struct record record = {
        .type = type,
        .flags = RECORD_ADOPTED,
        .drive = entry->raw,
        .source = signature_of(stat),
        .stamp = stamp_of(stat),
        .mode = stat->mode,
        .uid = stat->uid,
        .gid = stat->gid,
        .committed_ns = clock_now_ns(),
    };
    CLEANUP_FREE char *target = NULL;
    err_code code = begin_row(walking, err);

    if (type == ENTRY_FILE)
        record.flags |= RECORD_UNHASHED;
    if (!code && type == ENTRY_SYMLINK)
        code = platform_read_link(options->volume->root_fd, drive_path, &target,
                                  err);
    record.link_target = target;
    if (!code)
        code = catalogue_put(options->catalogue, options->owner, path, &record,
                             err);
    return code;
}

static err_code count_gone(void *context, const char *path,
                           const char *drive_path, const struct record *row,
                           struct error *err)
{
    struct walking *walking = context;

    walking->counts->gone += row->type != ENTRY_DIRECTORY;
    return ERR_OK;
}

static err_code remove_row(struct walking *walking, const char *path,
                           struct error *err)
{
    const struct contents_options *options = walking->options;
    err_code code = catalogue_walk_below(options->catalogue, options->owner,
                                         path, count_gone, walking, err);

    if (!code && options->accepts) {
        code = begin_row(walking, err);
        if (!code)
            code =
                catalogue_remove(options->catalogue, options->owner, path, err);
    }
    return code;
}

/* --- one entry --- */

static void tell(struct walking *walking, const char *path, const char *failure)
{
    const struct contents_listener *listener = walking->options->listener;

    if (*failure)
        walking->counts->failed++;
    if (listener)
        listener->found(listener->context, path, failure);
}

/* berth's own, and what systems and televisions leave on every drive. */
static bool is_left_out(struct walking *walking, const char *directory,
                        const char *path, const struct scan_entry *entry)
{
    bool is_directory = entry->stat.type == PLATFORM_DIRECTORY;
    enum filter_verdict verdict =
        filter_judge(walking->junk, path, is_directory);

    if (!*directory &&
        (!strcmp(entry->raw, ".berth") || filter_is_volume_litter(path)))
        return true;
    return verdict == FILTER_JUNK || verdict == FILTER_MAYBE_JUNK;
}

static bool has_changed(const struct scan_entry *entry,
                        const struct record *row)
{
    return row->flags & RECORD_ROTTEN ||
           !stamp_equal(stamp_of(&entry->stat), row->stamp,
                        CONTENTS_TOLERANCE_NS);
}

static err_code walk(struct walking *walking, const char *path,
                     const char *drive_path, int64_t rows, struct error *err);

static err_code visit_directory(struct walking *walking, const char *path,
                                const char *drive_path,
                                const struct scan_entry *entry,
                                const struct record *row, struct error *err)
{
    const struct contents_options *options = walking->options;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record found;
    err_code code = ERR_OK;

    if (row)
        return walk(walking, path, drive_path, row->child, err);
    if (!options->accepts)
        return walk(walking, path, drive_path, 0, err);
    code = put_row(walking, path, drive_path, entry, ENTRY_DIRECTORY, err);
    if (!code)
        code = catalogue_find(options->catalogue, options->owner, path, &arena,
                              &found, err);
    return code ? code : walk(walking, path, drive_path, found.child, err);
}

static err_code visit_file(struct walking *walking, const char *path,
                           const char *drive_path,
                           const struct scan_entry *entry, enum entry_type type,
                           const struct record *row, struct error *err)
{
    struct contents_counts *counts = walking->counts;

    counts->files++;
    if (row && row->type == type && !has_changed(entry, row) &&
        !(row->flags & RECORD_UNHASHED))
        return ERR_OK;
    if (!row)
        counts->added++;
    else
        counts->changed++;
    if (type == ENTRY_FILE)
        counts->bytes_to_read += entry->stat.size_bytes;
    if (walking->options->accepts)
        return put_row(walking, path, drive_path, entry, type, err);
    if (!row)
        tell(walking, path, "");
    return ERR_OK;
}

static err_code visit(struct walking *walking, const char *path,
                      const char *drive_path, const struct scan_entry *entry,
                      const struct record *row, struct error *err)
{
    enum entry_type type;
    err_code code = ERR_OK;

    if (entry->stat_error) {
        tell(walking, path, error_code_name(entry->stat_error));
        return ERR_OK;
    }
    if (entry->has_twin) {
        tell(walking, path,
             "another name here is spelt alike: rename one of them");
        return ERR_OK;
    }
    if (!entry_type_of(entry->stat.type, &type))
        return ERR_OK; /* sockets, FIFOs, devices are nobody's content */
    if (row && (row->type == ENTRY_DIRECTORY) != (type == ENTRY_DIRECTORY)) {
        code = remove_row(walking, path, err);
        row = NULL;
    }
    if (code)
        return code;
    if (type == ENTRY_DIRECTORY)
        return visit_directory(walking, path, drive_path, entry, row, err);
    return visit_file(walking, path, drive_path, entry, type, row, err);
}

/* --- a directory --- */

/* Both lists are sorted by key. */
static err_code merge(struct walking *walking, const char *path,
                      const char *drive_path, const struct scan *scan,
                      const struct records *rows, struct error *err)
{
    err_code code = ERR_OK;
    size_t s = 0, r = 0;

    while (!code && (s < scan->count || r < rows->count)) {
        const struct scan_entry *entry =
            s < scan->count ? &scan->items[s] : NULL;
        const struct record *row = r < rows->count ? &rows->items[r] : NULL;
        assert(entry || row);
        int order = !entry ? 1 : !row ? -1 : strcmp(entry->key, row->key);
        const char *key = order > 0 ? row->key : entry->key;
        CLEANUP_FREE char *full = path_join(path, key);
        CLEANUP_FREE char *raw =
            path_join(drive_path, order > 0 ? key : entry->raw);
        s += order <= 0;
        r += order >= 0 &&
             !(order == 0 && s < scan->count &&
               !strcmp(scan->items[s].key, key)); /* a twin has the same row */
        if (stop_flag_is_raised(walking->options->stop))
            code = error_set(err, ERR_CANCELLED, "stopped on request");
        else if (order > 0)
            code = remove_row(walking, full, err);
        else if (!is_left_out(walking, path, full, entry))
            code = visit(walking, full, raw, entry, order ? NULL : row, err);
    }
    return code;
}

static err_code walk(struct walking *walking, const char *path,
                     const char *drive_path, int64_t rows_of, struct error *err)
{
    const struct contents_options *options = walking->options;
    const struct name_rules plain = {.is_case_insensitive = false};
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(scan_release) struct scan scan = {.items = NULL};
    CLEANUP(records_release) struct records rows = {.items = NULL};
    err_code code = scan_directory(options->volume->root_fd, drive_path, &plain,
                                   false, &arena, &scan, err);

    if (code && !error_is_device_failure(code) && *path) {
        tell(walking, path, err->message);
        return volume_check(options->volume, err);
    }
    if (!code && rows_of)
        code = catalogue_list(options->catalogue, rows_of, &arena, &rows, err);
    return code ? code : merge(walking, path, drive_path, &scan, &rows, err);
}

err_code contents_walk(const struct contents_options *options,
                       struct contents_counts *counts, struct error *err)
{
    struct error own = ERROR_INIT;
    struct walking walking = {
        .options = options,
        .counts = counts,
        .junk = filter_new(NULL, 0, NULL, 0, false),
    };

    if (!err)
        err = &own;
    err_code code = walk(&walking, "", "", options->owner->root, err);
    err_code committed = commit_rows(&walking, code ? NULL : err);
    filter_free(walking.junk);
    return code ? code : committed;
}
