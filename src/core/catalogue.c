#include "core/catalogue.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/catalogue_internal.h"
#include "core/db.h"
#include "core/history.h"
#include "core/journal.h"
#include "core/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a new file has, and the highest that is known: catalogue_mounts.c makes
 * it 2 once there is something that a reader of 1 must not miss. */
#define FIRST_FORMAT 1
#define FORMAT 2

static const char schema[] =
    "CREATE TABLE meta ("
    "  name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE owner ("
    "  id INTEGER PRIMARY KEY, host TEXT NOT NULL, job TEXT NOT NULL,"
    "  directory TEXT NOT NULL, root INTEGER NOT NULL,"
    "  source_identity TEXT NOT NULL DEFAULT '',"
    "  last_full_ns INTEGER NOT NULL DEFAULT 0,"
    "  last_sync_ns INTEGER NOT NULL DEFAULT 0,"
    "  claims INTEGER NOT NULL DEFAULT 0,"
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
        code = db_execute(db, peers_schema, err);
    if (!code)
        code = db_prepare(db, "INSERT INTO meta VALUES ('volume', ?1)", &insert,
                          err);
    if (code)
        return code;
    bind_text(insert, 1, volume_id);
    code = statement_run(insert, err);
    if (code)
        return code;
    snprintf(version, sizeof version, "PRAGMA user_version = %d", FIRST_FORMAT);
    return db_execute(db, version, err);
}

err_code catalogue_format(struct db *db, int64_t *out_format, struct error *err)
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
        code = error_set(
            err, ERR_CORRUPT,
            "%s is the catalogue of another volume (%s, not %s): move "
            "it away, the drive itself tells the next run all",
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
    code = catalogue_format(db, &format, err);
    if (!code)
        code = check_format(db, format, err);
    if (!code && !format)
        code = create_schema(db, volume_id, err);
    if (!code)
        code = check_volume(catalogue, volume_id, err);
    return db_end(db, code, err);
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
    code = catalogue_format(db, &format, err);
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

void catalogue_close(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    catalogue_forget_directories(catalogue);
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

/* --- meta --- */

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

err_code catalogue_new_directory_id(struct catalogue *catalogue, int64_t *out,
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
