#include "core/base/array.h"
#include "core/base/path.h"
#include "core/catalogue_internal.h"
#include "core/db.h"

#include <stdlib.h>
#include <string.h>

void catalogue_forget_directories(struct catalogue *catalogue)
{
    for (size_t i = 0; i < CACHED_DIRECTORIES; i++) {
        free(catalogue->cache[i].path);
        catalogue->cache[i].path = NULL;
    }
    catalogue->cached_after = db_rollbacks(catalogue->db);
}

static int compare_to_key(const void *key, const void *record)
{
    return strcmp(key, ((const struct record *)record)->key);
}

struct record *records_find(const struct records *records, const char *key)
{
    if (!records->count)
        return NULL;
    return bsearch(key, records->items, records->count, sizeof *records->items,
                   compare_to_key);
}

void records_release(struct records *records)
{
    free(records->items);
    *records = (struct records){.items = NULL};
}

err_code catalogue_record_from_row(struct statement *select, int column,
                                   struct arena *arena, struct record *out,
                                   struct error *err)
{
    size_t length;
    const void *bytes = column_blob(select, column, &length);

    return record_decode(bytes, length, arena, out, err);
}

err_code catalogue_list(struct catalogue *catalogue, int64_t directory,
                        struct arena *arena, struct records *out,
                        struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(
        catalogue->db,
        "SELECT key, record FROM entry WHERE directory = ?1 ORDER BY key",
        &select, err);

    if (code)
        return code;
    out->count = 0;
    bind_int(select, 1, directory);
    while (!(code = statement_step(select, &has_row, err)) && has_row) {
        struct record record;
        code = catalogue_record_from_row(select, 1, arena, &record, err);
        if (code)
            break;
        record.key = arena_strdup(arena, column_text(select, 0));
        ARRAY_PUSH(out, record);
    }
    statement_done(select);
    return code;
}

static err_code find_entry(struct catalogue *catalogue, int64_t directory,
                           const char *key, struct arena *arena,
                           struct record *out, bool *out_found,
                           struct error *err)
{
    struct statement *select;
    err_code code =
        db_prepare(catalogue->db,
                   "SELECT record FROM entry WHERE directory = ?1 AND key = ?2",
                   &select, err);

    if (code)
        return code;
    bind_int(select, 1, directory);
    bind_text(select, 2, key);
    code = statement_step(select, out_found, err);
    if (code)
        return code;
    if (*out_found) {
        code = catalogue_record_from_row(select, 0, arena, out, err);
        out->key = key;
    }
    statement_done(select);
    return code;
}

static struct cached_directory *cache_slot(struct catalogue *catalogue,
                                           int64_t owner, const char *path,
                                           size_t length)
{
    struct hash hash = hash_of(path, length);

    if (catalogue->cached_after != db_rollbacks(catalogue->db))
        catalogue_forget_directories(catalogue);
    return &catalogue->cache[(hash.bytes[0] ^ (unsigned char)owner) %
                             CACHED_DIRECTORIES];
}

static void remember_directory(struct catalogue *catalogue, int64_t owner,
                               const char *path, size_t length, int64_t id)
{
    struct cached_directory *slot = cache_slot(catalogue, owner, path, length);

    free(slot->path);
    *slot = (struct cached_directory){owner, xstrndup(path, length), id};
}

/* The id of the directory at the first `length` bytes of `path`. */
static err_code find_directory(struct catalogue *catalogue,
                               const struct owner *owner, const char *path,
                               size_t length, int64_t *out, struct error *err)
{
    if (!length) {
        *out = owner->root;
        return ERR_OK;
    }
    struct cached_directory *slot =
        cache_slot(catalogue, owner->id, path, length);
    if (slot->path && slot->owner == owner->id &&
        !strncmp(slot->path, path, length) && !slot->path[length]) {
        *out = slot->id;
        return ERR_OK;
    }
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP_FREE char *prefix = xstrndup(path, length);
    int64_t parent;
    err_code code = find_directory(catalogue, owner, prefix,
                                   path_parent_length(prefix), &parent, err);
    if (code)
        return code;
    struct record record;
    bool found;
    code = find_entry(catalogue, parent, path_name(prefix), &arena, &record,
                      &found, err);
    if (code)
        return code;
    if (!found || record.type != ENTRY_DIRECTORY)
        return error_set(err, ERR_NOT_FOUND,
                         "the catalogue has no directory %s", prefix);
    remember_directory(catalogue, owner->id, path, length, record.child);
    *out = record.child;
    return ERR_OK;
}

err_code catalogue_find(struct catalogue *catalogue, const struct owner *owner,
                        const char *path, struct arena *arena,
                        struct record *out, struct error *err)
{
    int64_t parent;
    bool found = false;
    err_code code = find_directory(catalogue, owner, path,
                                   path_parent_length(path), &parent, err);

    if (!code)
        code = find_entry(catalogue, parent, path_name(path), arena, out,
                          &found, err);
    if (!code && !found)
        code = error_set(err, ERR_NOT_FOUND, "the catalogue has no %s", path);
    return code;
}

static err_code write_entry(struct catalogue *catalogue, int64_t directory,
                            const char *key, const struct record *record,
                            struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct statement *upsert;
    err_code code =
        db_prepare(catalogue->db,
                   "INSERT INTO entry VALUES (?1, ?2, ?3) "
                   "ON CONFLICT (directory, key) DO UPDATE SET record = ?3",
                   &upsert, err);

    if (code)
        return code;
    record_encode(record, &bytes);
    bind_int(upsert, 1, directory);
    bind_text(upsert, 2, key);
    bind_blob(upsert, 3, bytes.text, bytes.length);
    return statement_run(upsert, err);
}

static err_code remove_children(struct catalogue *catalogue, int64_t directory,
                                struct error *err);

/* A directory's row holds the id under which its children are. */
static err_code settle_child_id(struct catalogue *catalogue, int64_t parent,
                                const char *key, struct record *record,
                                struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record before;
    bool found;
    err_code code =
        find_entry(catalogue, parent, key, &arena, &before, &found, err);

    if (code)
        return code;
    if (found && before.type == ENTRY_DIRECTORY) {
        if (record->type == ENTRY_DIRECTORY) {
            record->child = before.child;
            return ERR_OK;
        }
        catalogue_forget_directories(catalogue);
        code = remove_children(catalogue, before.child, err);
    }
    record->child = 0;
    if (!code && record->type == ENTRY_DIRECTORY)
        code = catalogue_new_directory_id(catalogue, &record->child, err);
    return code;
}

err_code catalogue_put(struct catalogue *catalogue, const struct owner *owner,
                       const char *path, const struct record *record,
                       struct error *err)
{
    struct record settled = *record;
    int64_t parent;
    err_code code = find_directory(catalogue, owner, path,
                                   path_parent_length(path), &parent, err);

    if (!code)
        code =
            settle_child_id(catalogue, parent, path_name(path), &settled, err);
    if (!code)
        code = write_entry(catalogue, parent, path_name(path), &settled, err);
    return code;
}

static err_code delete_entry(struct catalogue *catalogue, int64_t directory,
                             const char *key, struct error *err)
{
    struct statement *delete;
    err_code code = db_prepare(
        catalogue->db, "DELETE FROM entry WHERE directory = ?1 AND key = ?2",
        &delete, err);

    if (code)
        return code;
    bind_int(delete, 1, directory);
    bind_text(delete, 2, key);
    return statement_run(delete, err);
}

static err_code remove_children(struct catalogue *catalogue, int64_t directory,
                                struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(records_release) struct records children = {.items = NULL};
    struct statement *delete;
    err_code code =
        catalogue_list(catalogue, directory, &arena, &children, err);

    for (size_t i = 0; !code && i < children.count; i++)
        if (children.items[i].type == ENTRY_DIRECTORY)
            code = remove_children(catalogue, children.items[i].child, err);
    if (!code)
        code =
            db_prepare(catalogue->db, "DELETE FROM entry WHERE directory = ?1",
                       &delete, err);
    if (code)
        return code;
    bind_int(delete, 1, directory);
    return statement_run(delete, err);
}

err_code catalogue_clear_owner(struct catalogue *catalogue,
                               const struct owner *owner, struct error *err)
{
    catalogue_forget_directories(catalogue);
    return remove_children(catalogue, owner->root, err);
}

static err_code remove_row(struct catalogue *catalogue,
                           const struct owner *owner, const char *path,
                           bool also_directory, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record record = {.key = NULL};
    bool found = false;
    int64_t parent;
    err_code code = find_directory(catalogue, owner, path,
                                   path_parent_length(path), &parent, err);

    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (!code)
        code = find_entry(catalogue, parent, path_name(path), &arena, &record,
                          &found, err);
    if (code || !found || (record.type == ENTRY_DIRECTORY && !also_directory))
        return code;
    if (record.type == ENTRY_DIRECTORY) {
        catalogue_forget_directories(catalogue);
        code = remove_children(catalogue, record.child, err);
    }
    if (!code)
        code = delete_entry(catalogue, parent, path_name(path), err);
    return code;
}

err_code catalogue_remove(struct catalogue *catalogue,
                          const struct owner *owner, const char *path,
                          struct error *err)
{
    return remove_row(catalogue, owner, path, true, err);
}

err_code catalogue_remove_file(struct catalogue *catalogue,
                               const struct owner *owner, const char *path,
                               struct error *err)
{
    return remove_row(catalogue, owner, path, false, err);
}

err_code catalogue_move_directory(struct catalogue *catalogue,
                                  const struct owner *owner, const char *from,
                                  const char *to, const struct record *record,
                                  struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record moved = *record, before = {.key = NULL};
    int64_t from_parent, to_parent;
    bool found = false;
    err_code code = find_directory(catalogue, owner, from,
                                   path_parent_length(from), &from_parent, err);

    if (!code)
        code = find_directory(catalogue, owner, to, path_parent_length(to),
                              &to_parent, err);
    if (!code)
        code = find_entry(catalogue, from_parent, path_name(from), &arena,
                          &before, &found, err);
    /* Committed before the interruption; or a log of nonsense. */
    if (code || !found || before.type != ENTRY_DIRECTORY)
        return code;
    catalogue_forget_directories(catalogue);
    moved.child = before.child;
    code = delete_entry(catalogue, from_parent, path_name(from), err);
    if (!code)
        code = write_entry(catalogue, to_parent, path_name(to), &moved, err);
    return code;
}

err_code catalogue_is_empty(struct catalogue *catalogue,
                            const struct owner *owner, bool *out_is_empty,
                            struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(
        catalogue->db, "SELECT 1 FROM entry WHERE directory = ?1 LIMIT 1",
        &select, err);

    if (code)
        return code;
    bind_int(select, 1, owner->root);
    code = statement_step(select, &has_row, err);
    if (code)
        return code;
    statement_done(select);
    *out_is_empty = !has_row;
    return ERR_OK;
}

/* --- walking --- */

struct walk {
    struct catalogue *catalogue;
    catalogue_visit *visit;
    void *context;
    struct strbuf path, drive_path;
    int depth;
};

static err_code walk_directory(struct walk *walk, int64_t directory,
                               struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(records_release) struct records rows = {.items = NULL};
    size_t length = walk->path.length;
    size_t drive_length = walk->drive_path.length;
    if (++walk->depth > CATALOGUE_DEPTH_LIMIT)
        return error_set(err, ERR_CORRUPT,
                         "the catalogue has directories more than %d deep",
                         CATALOGUE_DEPTH_LIMIT);
    err_code code =
        catalogue_list(walk->catalogue, directory, &arena, &rows, err);

    for (size_t i = 0; !code && i < rows.count; i++) {
        path_append(&walk->path, rows.items[i].key);
        path_append(&walk->drive_path, record_drive(&rows.items[i]));
        code = walk->visit(walk->context, walk->path.text,
                           walk->drive_path.text, &rows.items[i], err);
        if (!code && rows.items[i].type == ENTRY_DIRECTORY)
            code = walk_directory(walk, rows.items[i].child, err);
        strbuf_truncate(&walk->path, length);
        strbuf_truncate(&walk->drive_path, drive_length);
    }
    walk->depth--;
    return code;
}

err_code catalogue_walk(struct catalogue *catalogue, const struct owner *owner,
                        catalogue_visit *visit, void *context,
                        struct error *err)
{
    return catalogue_walk_below(catalogue, owner, "", visit, context, err);
}

/* Follows `path` down to its row; *out_directory is where to go on below. */
static err_code walk_down(struct walk *walk, const char *path,
                          struct arena *arena, int64_t *directory,
                          struct record *out, bool *out_found,
                          struct error *err)
{
    const char *rest = path;
    err_code code = ERR_OK;

    *out_found = true;
    while (!code && *out_found && *rest) {
        size_t length = strcspn(rest, "/");
        const char *key = arena_strndup(arena, rest, length);
        code = find_entry(walk->catalogue, *directory, key, arena, out,
                          out_found, err);
        rest += rest[length] ? length + 1 : length;
        if (code || !*out_found)
            break;
        path_append(&walk->path, key);
        path_append(&walk->drive_path, record_drive(out));
        *directory = out->child;
        *out_found = !*rest || out->type == ENTRY_DIRECTORY;
    }
    return code;
}

err_code catalogue_walk_below(struct catalogue *catalogue,
                              const struct owner *owner, const char *path,
                              catalogue_visit *visit, void *context,
                              struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct walk walk = {catalogue, visit, context, STRBUF_INIT, STRBUF_INIT, 0};
    struct record record = {.type = ENTRY_DIRECTORY};
    int64_t directory = owner->root;
    bool found;
    err_code code =
        walk_down(&walk, path, &arena, &directory, &record, &found, err);

    if (!code && found && *path)
        code =
            visit(context, walk.path.text, walk.drive_path.text, &record, err);
    if (!code && found && record.type == ENTRY_DIRECTORY)
        code = walk_directory(&walk, directory, err);
    strbuf_release(&walk.path);
    strbuf_release(&walk.drive_path);
    return code;
}

struct tally {
    int64_t files, bytes;
};

static err_code add_to_tally(void *context, const char *path,
                             const char *drive_path,
                             const struct record *record, struct error *err)
{
    struct tally *tally = context;

    if (record->type != ENTRY_DIRECTORY) {
        tally->files++;
        if (record->stamp.size_bytes > 0)
            tally->bytes += record->stamp.size_bytes;
    }
    return ERR_OK;
}

err_code catalogue_count(struct catalogue *catalogue, const struct owner *owner,
                         int64_t *out_files, int64_t *out_bytes,
                         struct error *err)
{
    struct tally tally = {0, 0};
    err_code code = catalogue_walk(catalogue, owner, add_to_tally, &tally, err);

    if (code)
        return code;
    *out_files = tally.files;
    *out_bytes = tally.bytes;
    return ERR_OK;
}
