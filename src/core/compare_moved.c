#include "core/compare_internal.h"

#include "core/base/array.h"
#include "core/base/path.h"

#include <stdlib.h>
#include <string.h>

static int compare_by_key(const void *key, const void *moved)
{
    return strcmp(key, ((const struct moved_directory *)moved)->key);
}

const struct moved_directory *compare_moved(
    const struct moved_directories *moved, const char *key)
{
    if (!moved->count)
        return NULL;
    return bsearch(key, moved->items, moved->count, sizeof *moved->items,
                   compare_by_key);
}

/* --- source entries without a row --- */

struct unmatched {
    struct scan_entry *entry;
    const char *fold; /* NULL where the volume tells cases apart */
    bool is_taken;    /* a directory moved to it */
};
struct unmatched_list {
    struct unmatched *items;
    size_t count, capacity;
};

static const char *fold_of(struct walker *walker, const char *key)
{
    CLEANUP(strbuf_release) struct strbuf fold = STRBUF_INIT;

    name_fold(key, &fold);
    return arena_strdup(&walker->scratch, fold.text);
}

static bool is_case_insensitive(const struct walker *walker)
{
    return walker->options->traits->names.is_case_insensitive;
}

static void collect_unmatched(struct walker *walker, struct unmatched_list *out)
{
    for (size_t i = 0; i < walker->source.count; i++) {
        struct scan_entry *entry = &walker->source.items[i];
        if (entry->stat_error || entry->has_twin ||
            records_find(&walker->rows, entry->key) ||
            scan_find(&walker->drive, entry->key))
            continue;
        struct unmatched unmatched = {.entry = entry};
        if (is_case_insensitive(walker))
            unmatched.fold = fold_of(walker, entry->key);
        ARRAY_PUSH(out, unmatched);
    }
}

static int compare_inodes(const void *one, const void *other)
{
    uint64_t left = ((const struct unmatched *)one)->entry->stat.inode;
    uint64_t right = ((const struct unmatched *)other)->entry->stat.inode;

    return left < right ? -1 : left > right;
}

static int compare_folds(const void *one, const void *other)
{
    return strcmp(((const struct unmatched *)one)->fold,
                  ((const struct unmatched *)other)->fold);
}

static struct unmatched *find_inode(const struct unmatched_list *list,
                                    uint64_t inode)
{
    struct scan_entry wanted = {.stat = {.inode = inode}};
    struct unmatched key = {.entry = &wanted};

    return bsearch(&key, list->items, list->count, sizeof *list->items,
                   compare_inodes);
}

static struct unmatched *find_fold(struct walker *walker,
                                   const struct unmatched_list *list,
                                   const char *key)
{
    struct unmatched wanted = {.fold = fold_of(walker, key)};

    return bsearch(&wanted, list->items, list->count, sizeof *list->items,
                   compare_folds);
}

static void sort_unmatched(struct unmatched_list *list,
                           int (*order)(const void *, const void *))
{
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, order);
}

/*
 * --- directories that moved ---
 */

static bool is_directory(const struct unmatched *unmatched)
{
    return unmatched->entry->stat.type == PLATFORM_DIRECTORY;
}

/* As far as it is known: a quick walk takes the row's word for it. */
static bool is_directory_on_drive(const struct walker *walker, const char *key)
{
    if (walker->options->drive_fd < 0)
        return true;
    const struct scan_entry *drive = scan_find(&walker->drive, key);
    return drive && drive->stat.type == PLATFORM_DIRECTORY;
}

static bool holds_mounts(const struct walker *walker,
                         const struct compare_task *task,
                         const struct record *row)
{
    if (!walker->options->source->count)
        return false;
    CLEANUP_FREE char *path = path_join(task->path, row->key);
    return source_has_mount_within(walker->options->source, path);
}

/* Gone from the source, still there to be renamed. */
static bool is_left_behind(const struct walker *walker,
                           const struct compare_task *task,
                           const struct record *row)
{
    return !holds_mounts(walker, task, row) && row->type == ENTRY_DIRECTORY &&
           !scan_find(&walker->source, row->key) &&
           is_directory_on_drive(walker, row->key);
}

/* The drive's entries are searched by their keys meanwhile: they get theirs at
 * the end, from `drive_keys`. */
static void move_directory(struct walker *walker, struct record *row,
                           struct unmatched *now, const char **drive_keys)
{
    const struct scan_entry *drive = scan_find(&walker->drive, row->key);
    struct moved_directory moved = {
        .key = now->entry->key,
        .old_key = row->key,
        .listed_name = drive ? drive->raw : record_drive(row),
    };

    if (now->is_taken)
        return; /* two rows want one new name */
    now->is_taken = true;
    ARRAY_PUSH(&walker->moved, moved);
    row->drive = moved.listed_name;
    row->key = moved.key;
    if (drive)
        drive_keys[drive - walker->drive.items] = moved.key;
}

static int order_moved(const void *one, const void *other)
{
    return compare_by_key(((const struct moved_directory *)one)->key, other);
}

static int order_rows(const void *one, const void *other)
{
    return strcmp(((const struct record *)one)->key,
                  ((const struct record *)other)->key);
}

static int order_entries(const void *one, const void *other)
{
    return strcmp(((const struct scan_entry *)one)->key,
                  ((const struct scan_entry *)other)->key);
}

/* `keys` has one for each entry on the drive, NULL: it keeps its own. */
static void give_drive_keys(struct walker *walker, const char *const *keys)
{
    bool has_changed = false;

    for (size_t i = 0; i < walker->drive.count; i++) {
        if (!keys[i])
            continue;
        walker->drive.items[i].key = keys[i];
        has_changed = true;
    }
    if (has_changed)
        qsort(walker->drive.items, walker->drive.count,
              sizeof *walker->drive.items, order_entries);
}

static void sort_after_moving(struct walker *walker)
{
    qsort(walker->moved.items, walker->moved.count, sizeof *walker->moved.items,
          order_moved);
    qsort(walker->rows.items, walker->rows.count, sizeof *walker->rows.items,
          order_rows);
}

/*
 * An inode number is given away again at once: only with the same birth is it
 * the same directory. Where births are not recorded nothing is found.
 */
static bool is_same_directory(const struct record *row,
                              const struct unmatched *now)
{
    return row->source.btime_ns &&
           row->source.btime_ns == now->entry->stat.btime_ns;
}

static struct unmatched *new_name_of(struct walker *walker,
                                     struct unmatched_list *list,
                                     const struct record *row, bool by_fold)
{
    struct unmatched *now = by_fold ? find_fold(walker, list, row->key)
                                    : find_inode(list, row->source.inode);

    if (!now || !is_directory(now))
        return NULL;
    return by_fold || is_same_directory(row, now) ? now : NULL;
}

static void find_moved(struct walker *walker, const struct compare_task *task,
                       struct unmatched_list *list, bool by_fold)
{
    CLEANUP_FREE const char **drive_keys =
        xcalloc(walker->drive.count + 1, sizeof *drive_keys);

    sort_unmatched(list, by_fold ? compare_folds : compare_inodes);
    for (size_t i = 0; i < walker->rows.count; i++) {
        struct record *row = &walker->rows.items[i];
        if (!is_left_behind(walker, task, row))
            continue;
        struct unmatched *now = new_name_of(walker, list, row, by_fold);
        if (now && now->entry->stat.mount == task->mount)
            move_directory(walker, row, now, drive_keys);
    }
    give_drive_keys(walker, drive_keys);
    if (walker->moved.count)
        sort_after_moving(walker);
}

/*
 * --- names that the volume does not tell apart ---
 */

/* Not what is offloaded, nor a directory that somebody made of a file. */
static bool can_go(const struct walker *walker, const struct record *row)
{
    const struct scan_entry *drive = scan_find(&walker->drive, row->key);
    enum entry_type type;

    if (walker->options->job->mode != JOB_MIRROR ||
        row->flags & RECORD_OFFLOADED)
        return false;
    return !drive ||
           (entry_type_of(drive->stat.type, &type) &&
            (type != ENTRY_DIRECTORY || row->type == ENTRY_DIRECTORY));
}

/*
 * In a mirror the gone file makes room first; elsewhere, and where what has
 * the name is not ours, somebody has to decide.
 */
static void mark_twins(struct walker *walker, const struct compare_task *task,
                       struct unmatched_list *list)
{
    sort_unmatched(list, compare_folds);
    ARRAY_RESERVE(walker->twins.items, walker->rows.count,
                  walker->twins.capacity);
    walker->twins.count = walker->rows.count;
    if (walker->rows.count)
        memset(walker->twins.items, 0, walker->rows.count);
    for (size_t i = 0; i < walker->rows.count; i++) {
        const struct record *row = &walker->rows.items[i];
        struct unmatched *now = NULL;
        if (!scan_find(&walker->source, row->key))
            now = find_fold(walker, list, row->key);
        if (now && can_go(walker, row) && !holds_mounts(walker, task, row))
            walker->twins.items[i] = now->entry->needs_room = true;
        else if (now)
            now->entry->has_twin = true;
    }
    for (size_t i = 0; i < walker->drive.count; i++) {
        const char *key = walker->drive.items[i].key;
        if (scan_find(&walker->source, key) || records_find(&walker->rows, key))
            continue;
        struct unmatched *now = find_fold(walker, list, key);
        if (now)
            now->entry->has_twin = true;
    }
}

/*
 * --- names that somebody wrote in other cases on the drive ---
 */

/* On the drive, and neither a row nor the source knows it by this name. */
static void collect_respelt(struct walker *walker, struct unmatched_list *out)
{
    for (size_t i = 0; i < walker->drive.count; i++) {
        struct scan_entry *entry = &walker->drive.items[i];
        if (records_find(&walker->rows, entry->key) ||
            scan_find(&walker->source, entry->key))
            continue;
        const struct unmatched unmatched = {
            .entry = entry, .fold = fold_of(walker, entry->key)};
        ARRAY_PUSH(out, unmatched);
    }
    sort_unmatched(out, compare_folds);
}

static void take_row_names(struct walker *walker, struct unmatched_list *list)
{
    CLEANUP_FREE const char **keys =
        xcalloc(walker->drive.count + 1, sizeof *keys);

    for (size_t i = 0; i < walker->rows.count; i++) {
        const struct record *row = &walker->rows.items[i];
        if (row->flags & RECORD_HELD || scan_find(&walker->drive, row->key))
            continue;
        struct unmatched *now = find_fold(walker, list, row->key);
        if (now)
            keys[now->entry - walker->drive.items] = row->key;
    }
    give_drive_keys(walker, keys);
}

/* To the volume it is still the row's name: a television or a file manager
 * wrote it so, and the drive keeps the spelling that it has. */
static void take_drive_spellings(struct walker *walker)
{
    CLEANUP_FREE struct unmatched *owned = NULL;
    struct unmatched_list list = {.items = NULL};

    collect_respelt(walker, &list);
    owned = list.items;
    if (list.count)
        take_row_names(walker, &list);
}

void compare_find_moved(struct walker *walker, const struct compare_task *task)
{
    CLEANUP_FREE struct unmatched *owned = NULL;
    struct unmatched_list list = {.items = NULL};

    walker->moved.count = walker->twins.count = 0;
    if (!walker->rows.count && !walker->drive.count)
        return;
    if (is_case_insensitive(walker) && walker->rows.count)
        take_drive_spellings(walker);
    collect_unmatched(walker, &list);
    owned = list.items;
    if (!list.count)
        return;
    if (walker->options->job->mode == JOB_MIRROR) {
        find_moved(walker, task, &list, false);
        if (is_case_insensitive(walker))
            find_moved(walker, task, &list, true);
    }
    if (is_case_insensitive(walker))
        mark_twins(walker, task, &list);
}
