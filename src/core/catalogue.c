#include "core/catalogue.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/db.h"
#include "core/history.h"
#include "core/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1

/* Ids are cheap to remember: a run works through one directory at a time. */
#define CACHED_DIRECTORIES 64

struct cached_directory {
    int64_t owner;
    char *path; /* NULL: free */
    int64_t id;
};

struct catalogue {
    struct db *db;
    struct cached_directory cache[CACHED_DIRECTORIES];
};

static const char schema[] =
    "CREATE TABLE meta ("
    "  name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE owner ("
    "  id INTEGER PRIMARY KEY, host TEXT NOT NULL, job TEXT NOT NULL,"
    "  directory TEXT NOT NULL, root INTEGER NOT NULL,"
    "  source_identity TEXT NOT NULL DEFAULT '',"
    "  last_full_ns INTEGER NOT NULL DEFAULT 0,"
    "  last_sync_ns INTEGER NOT NULL DEFAULT 0,"
    "  UNIQUE (host, job, directory));"
    "CREATE TABLE entry ("
    "  directory INTEGER NOT NULL, key TEXT NOT NULL, record BLOB NOT NULL,"
    "  PRIMARY KEY (directory, key)) WITHOUT ROWID;"
    "CREATE TABLE version ("
    "  id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, path TEXT NOT NULL,"
    "  drive_path TEXT NOT NULL UNIQUE, reason INTEGER NOT NULL,"
    "  run INTEGER NOT NULL, created_ns INTEGER NOT NULL, record BLOB);"
    "CREATE INDEX version_by_path ON version (owner, path);"
    /* ids of directories are never used twice, so a stale id finds nothing */
    "INSERT INTO meta VALUES ('next_directory', '1');";

static err_code create_schema(struct db *db, const char *volume_id,
                              struct error *err)
{
    char version[64];
    struct statement *insert;

    err_code code = db_execute(db, schema, err);
    if (!code)
        code = db_execute(db, journal_schema, err);
    if (!code)
        code = db_execute(db, history_schema, err);
    if (!code)
        code = db_prepare(db, "INSERT INTO meta VALUES ('volume', ?1)", &insert,
                          err);
    if (code)
        return code;
    bind_text(insert, 1, volume_id);
    code = statement_run(insert, err);
    if (code)
        return code;
    snprintf(version, sizeof version, "PRAGMA user_version = %d", FORMAT);
    return db_execute(db, version, err);
}

static err_code read_format(struct db *db, int64_t *out_format,
                            struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(db, "PRAGMA user_version", &select, err);

    if (!code)
        code = statement_step(select, &has_row, err);
    if (code)
        return code;
    *out_format = has_row ? column_int(select, 0) : 0;
    statement_done(select);
    return ERR_OK;
}

static err_code check_format(struct db *db, int64_t format, struct error *err)
{
    if (format <= FORMAT)
        return ERR_OK;
    return error_set(err, ERR_TOO_NEW,
                     "%s was written by a newer berth (format %lld, this one "
                     "knows %d): update berth on this machine",
                     db_path(db), (long long)format, FORMAT);
}

static err_code check_volume(struct catalogue *catalogue, const char *volume_id,
                             struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf recorded = STRBUF_INIT;
    bool found;
    err_code code =
        catalogue_get_meta(catalogue, "volume", &recorded, &found, err);

    if (!code && (!found || strcmp(recorded.text, volume_id) != 0))
        code = error_set(err, ERR_CORRUPT,
                         "%s is the catalogue of another volume (%s, not %s)",
                         db_path(catalogue->db), recorded.text, volume_id);
    return code;
}

static err_code prepare_file(struct catalogue *catalogue, const char *volume_id,
                             struct error *err)
{
    struct db *db = catalogue->db;
    int64_t format = 0;
    err_code code = db_begin(db, err);

    if (code)
        return code;
    code = read_format(db, &format, err);
    if (!code)
        code = check_format(db, format, err);
    if (!code && !format)
        code = create_schema(db, volume_id, err);
    if (!code)
        code = check_volume(catalogue, volume_id, err);
    if (!code)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

err_code catalogue_open(const char *path, const char *volume_id,
                        struct catalogue **out, struct error *err)
{
    struct db *db;
    err_code code = db_open(path, DB_WRITE, &db, err);

    if (code)
        return code;
    struct catalogue *catalogue = xcalloc(1, sizeof *catalogue);
    catalogue->db = db;
    code = prepare_file(catalogue, volume_id, err);
    if (code) {
        catalogue_close(catalogue);
        return code;
    }
    *out = catalogue;
    return ERR_OK;
}

err_code catalogue_open_reader(const char *path, struct catalogue **out,
                               struct error *err)
{
    struct db *db;
    int64_t format = 0;
    err_code code = db_open(path, DB_READ, &db, err);

    if (code)
        return code;
    code = read_format(db, &format, err);
    if (!code && !format)
        code = error_set(err, ERR_NOT_FOUND, "%s holds no catalogue", path);
    if (!code)
        code = check_format(db, format, err);
    if (code) {
        db_close(db);
        return code;
    }
    struct catalogue *catalogue = xcalloc(1, sizeof *catalogue);
    catalogue->db = db;
    *out = catalogue;
    return ERR_OK;
}

static void forget_directories(struct catalogue *catalogue)
{
    for (size_t i = 0; i < CACHED_DIRECTORIES; i++) {
        free(catalogue->cache[i].path);
        catalogue->cache[i].path = NULL;
    }
}

void catalogue_close(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    forget_directories(catalogue);
    db_close(catalogue->db);
    free(catalogue);
}

void catalogue_close_pointer(struct catalogue **catalogue)
{
    catalogue_close(*catalogue);
}

struct db *catalogue_db(struct catalogue *catalogue)
{
    return catalogue->db;
}

/* --- meta ----------------------------------------------------------------- */

err_code catalogue_get_meta(struct catalogue *catalogue, const char *name,
                            struct strbuf *out, bool *out_found,
                            struct error *err)
{
    struct statement *select;
    err_code code = db_prepare(
        catalogue->db, "SELECT value FROM meta WHERE name = ?1", &select, err);

    if (code)
        return code;
    bind_text(select, 1, name);
    code = statement_step(select, out_found, err);
    if (code)
        return code;
    if (*out_found)
        strbuf_adds(out, column_text(select, 0));
    statement_done(select);
    return ERR_OK;
}

err_code catalogue_set_meta(struct catalogue *catalogue, const char *name,
                            const char *value, struct error *err)
{
    struct statement *upsert;
    err_code code = db_prepare(catalogue->db,
                               "INSERT INTO meta VALUES (?1, ?2) "
                               "ON CONFLICT (name) DO UPDATE SET value = ?2",
                               &upsert, err);

    if (code)
        return code;
    bind_text(upsert, 1, name);
    bind_text(upsert, 2, value);
    return statement_run(upsert, err);
}

static err_code new_directory_id(struct catalogue *catalogue, int64_t *out,
                                 struct error *err)
{
    struct statement *update;
    bool has_row;
    err_code code = db_prepare(
        catalogue->db,
        "UPDATE meta SET value = value + 1 WHERE name = 'next_directory' "
        "RETURNING value - 1",
        &update, err);

    if (!code)
        code = statement_step(update, &has_row, err);
    if (code)
        return code;
    *out = column_int(update, 0);
    statement_done(update);
    return ERR_OK;
}

/* --- owners --------------------------------------------------------------- */

void owner_release(struct owner *owner)
{
    free(owner->host);
    free(owner->job);
    free(owner->directory);
    free(owner->source_identity);
    *owner = (struct owner){.id = 0};
}

void owners_release(struct owners *owners)
{
    for (size_t i = 0; i < owners->count; i++)
        owner_release(&owners->items[i]);
    free(owners->items);
    *owners = (struct owners){.items = NULL};
}

#define OWNER_COLUMNS                                                          \
    "id, host, job, directory, root, source_identity, last_full_ns, "          \
    "last_sync_ns"

static struct owner owner_from_row(struct statement *select)
{
    return (struct owner){
        .id = column_int(select, 0),
        .host = xstrdup(column_text(select, 1)),
        .job = xstrdup(column_text(select, 2)),
        .directory = xstrdup(column_text(select, 3)),
        .root = column_int(select, 4),
        .source_identity = xstrdup(column_text(select, 5)),
        .last_full_ns = column_int(select, 6),
        .last_sync_ns = column_int(select, 7),
    };
}

err_code catalogue_list_owners(struct catalogue *catalogue, struct owners *out,
                               struct error *err)
{
    struct owners owners = {.items = NULL};
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(
        catalogue->db, "SELECT " OWNER_COLUMNS " FROM owner", &select, err);

    while (!code && !(code = statement_step(select, &has_row, err)) && has_row)
        ARRAY_PUSH(&owners, owner_from_row(select));
    if (code) {
        owners_release(&owners);
        return code;
    }
    statement_done(select);
    *out = owners;
    return ERR_OK;
}

err_code catalogue_find_owner(struct catalogue *catalogue, const char *host,
                              const char *job, const char *directory,
                              struct owner *out, struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code =
        db_prepare(catalogue->db,
                   "SELECT " OWNER_COLUMNS " FROM owner "
                   "WHERE host = ?1 AND job = ?2 AND directory = ?3",
                   &select, err);

    if (code)
        return code;
    bind_text(select, 1, host);
    bind_text(select, 2, job);
    bind_text(select, 3, directory);
    code = statement_step(select, &has_row, err);
    if (code)
        return code;
    if (has_row)
        *out = owner_from_row(select);
    else
        code = error_set(err, ERR_NOT_FOUND,
                         "job %s has not been synced to this volume", job);
    statement_done(select);
    return code;
}

err_code catalogue_add_owner(struct catalogue *catalogue, const char *host,
                             const char *job, const char *directory,
                             struct owner *out, struct error *err)
{
    struct statement *insert;
    int64_t root;
    err_code code = new_directory_id(catalogue, &root, err);

    if (!code)
        code = db_prepare(catalogue->db,
                          "INSERT INTO owner (host, job, directory, root) "
                          "VALUES (?1, ?2, ?3, ?4)",
                          &insert, err);
    if (code)
        return code;
    bind_text(insert, 1, host);
    bind_text(insert, 2, job);
    bind_text(insert, 3, directory);
    bind_int(insert, 4, root);
    code = statement_run(insert, err);
    if (code)
        return code;
    return catalogue_find_owner(catalogue, host, job, directory, out, err);
}

err_code catalogue_update_owner(struct catalogue *catalogue,
                                const struct owner *owner, struct error *err)
{
    struct statement *update;
    err_code code = db_prepare(catalogue->db,
                               "UPDATE owner SET source_identity = ?2, "
                               "last_full_ns = ?3, last_sync_ns = ?4 "
                               "WHERE id = ?1",
                               &update, err);

    if (code)
        return code;
    bind_int(update, 1, owner->id);
    bind_text(update, 2, owner->source_identity);
    bind_int(update, 3, owner->last_full_ns);
    bind_int(update, 4, owner->last_sync_ns);
    return statement_run(update, err);
}

/* --- entries -------------------------------------------------------------- */

void records_release(struct records *records)
{
    free(records->items);
    *records = (struct records){.items = NULL};
}

static err_code record_from_row(struct statement *select, int column,
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
        code = record_from_row(select, 1, arena, &record, err);
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
        code = record_from_row(select, 0, arena, out, err);
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
        forget_directories(catalogue);
        code = remove_children(catalogue, before.child, err);
    }
    record->child = 0;
    if (!code && record->type == ENTRY_DIRECTORY)
        code = new_directory_id(catalogue, &record->child, err);
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

err_code catalogue_remove(struct catalogue *catalogue,
                          const struct owner *owner, const char *path,
                          struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record record;
    bool found = false;
    int64_t parent;
    err_code code = find_directory(catalogue, owner, path,
                                   path_parent_length(path), &parent, err);

    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (!code)
        code = find_entry(catalogue, parent, path_name(path), &arena, &record,
                          &found, err);
    if (code || !found)
        return code;
    if (record.type == ENTRY_DIRECTORY) {
        forget_directories(catalogue);
        code = remove_children(catalogue, record.child, err);
    }
    if (!code)
        code = delete_entry(catalogue, parent, path_name(path), err);
    return code;
}

err_code catalogue_move_directory(struct catalogue *catalogue,
                                  const struct owner *owner, const char *from,
                                  const char *to, const struct record *record,
                                  struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record moved = *record, before;
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
    if (code || !found) /* committed before the interruption */
        return code;
    forget_directories(catalogue);
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

/* --- walking -------------------------------------------------------------- */

struct walk {
    struct catalogue *catalogue;
    catalogue_visit *visit;
    void *context;
    struct strbuf path, drive_path;
};

static err_code walk_directory(struct walk *walk, int64_t directory,
                               struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(records_release) struct records rows = {.items = NULL};
    size_t length = walk->path.length;
    size_t drive_length = walk->drive_path.length;
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
    return code;
}

err_code catalogue_walk(struct catalogue *catalogue, const struct owner *owner,
                        catalogue_visit *visit, void *context,
                        struct error *err)
{
    struct walk walk = {catalogue, visit, context, STRBUF_INIT, STRBUF_INIT};
    err_code code = walk_directory(&walk, owner->root, err);

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

/* --- versions ------------------------------------------------------------- */

err_code catalogue_add_version(struct catalogue *catalogue,
                               const struct version *version, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct statement *insert;
    err_code code = db_prepare(
        catalogue->db,
        "INSERT INTO version (owner, path, drive_path, reason, run, "
        "created_ns, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
        "ON CONFLICT (drive_path) DO NOTHING", /* committed twice is once */
        &insert, err);

    if (code)
        return code;
    bind_int(insert, 1, version->owner);
    bind_text(insert, 2, version->path);
    bind_text(insert, 3, version->drive_path);
    bind_int(insert, 4, version->reason);
    bind_int(insert, 5, version->run);
    bind_int(insert, 6, version->created_ns);
    if (version->has_record) {
        record_encode(&version->record, &bytes);
        bind_blob(insert, 7, bytes.text, bytes.length);
    }
    return statement_run(insert, err);
}

err_code catalogue_walk_versions(struct catalogue *catalogue, int64_t owner,
                                 version_visit *visit, void *context,
                                 struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(
        catalogue->db,
        "SELECT id, path, drive_path, reason, run, created_ns, record "
        "FROM version WHERE owner = ?1 ORDER BY path, created_ns",
        &select, err);

    if (code)
        return code;
    bind_int(select, 1, owner);
    while (!(code = statement_step(select, &has_row, err)) && has_row) {
        struct version version = {
            .id = column_int(select, 0),
            .owner = owner,
            .path = column_text(select, 1),
            .drive_path = column_text(select, 2),
            .reason = (enum version_reason)column_int(select, 3),
            .run = column_int(select, 4),
            .created_ns = column_int(select, 5),
            .has_record = !column_is_null(select, 6),
        };
        arena_reset(&arena);
        if (version.has_record)
            code = record_from_row(select, 6, &arena, &version.record, err);
        if (!code)
            code = visit(context, &version, err);
        if (code)
            break;
    }
    statement_done(select);
    return code;
}
