#include "core/db.h"

#include "core/base/array.h"
#include "core/base/strbuf.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

/* How long a second berth of this user may keep the write lock. */
#define BUSY_TIMEOUT_MS 10000
#define READ_AHEAD_BYTES (16 * 1024 * 1024)
#define READ_AHEAD_CHUNK (128 * 1024)

struct statement {
    sqlite3_stmt *prepared;
    const char *sql; /* its address is the cache's key */
    struct db *db;
};

struct db {
    sqlite3 *handle;
    uint64_t rollbacks;
    char *path;
    struct statement **items; /* small: searched from the front */
    size_t count, capacity;
};

static const struct {
    int primary;
    err_code code;
} result_codes[] = {
    {SQLITE_BUSY, ERR_BUSY},          {SQLITE_LOCKED, ERR_BUSY},
    {SQLITE_FULL, ERR_NO_SPACE},      {SQLITE_IOERR, ERR_INTERNAL},
    {SQLITE_CORRUPT, ERR_CORRUPT},    {SQLITE_NOTADB, ERR_CORRUPT},
    {SQLITE_READONLY, ERR_DENIED},    {SQLITE_PERM, ERR_DENIED},
    {SQLITE_CANTOPEN, ERR_NOT_FOUND}, {SQLITE_CONSTRAINT, ERR_INTERNAL},
};

static err_code code_of(int result)
{
    for (size_t i = 0; i < COUNT_OF(result_codes); i++)
        if (result_codes[i].primary == (result & 0xff))
            return result_codes[i].code;
    return ERR_INTERNAL;
}

static bool is_on_read_only_disk(const char *path)
{
    return access(path, W_OK) && errno == EROFS;
}

/* Of a database that is there, "not found" would be untrue. */
static err_code code_of_failure(struct db *db, int result)
{
    int os_errno = sqlite3_system_errno(db->handle);
    bool cannot_open = (result & 0xff) == SQLITE_CANTOPEN;

    if (os_errno == ENOSPC)
        return ERR_NO_SPACE; /* SQLite calls that a disk I/O error, too */
    if (cannot_open && os_errno && os_errno != ENOENT && os_errno != EROFS)
        return error_code_of_errno(os_errno);
    if (cannot_open && !access(db->path, F_OK))
        return ERR_DENIED;
    return code_of(result);
}

static err_code fail(struct db *db, const char *doing, struct error *err)
{
    int result = sqlite3_extended_errcode(db->handle);
    err_code code = code_of_failure(db, result);

    if (code == ERR_NO_SPACE)
        return error_set(err, code,
                         "%s: cannot %s: the disk it is on is full: make room "
                         "there (SQLite %d)",
                         db->path, doing, result);
    if (code == ERR_CORRUPT)
        return error_set(err, code,
                         "%s is damaged (%s, SQLite %d): move it away with its "
                         "-wal and -shm, then `berth job claim JOB` learns "
                         "from the drive what it knew",
                         db->path, sqlite3_errmsg(db->handle), result);
    if ((result & 0xff) == SQLITE_READONLY || is_on_read_only_disk(db->path))
        return error_set(err, code,
                         "%s: cannot %s: it, or the disk it is on, is "
                         "read-only: make it writable (SQLite %d)",
                         db->path, doing, result);
    return error_set(err, code, "%s: cannot %s: %s (SQLite %d)", db->path,
                     doing, sqlite3_errmsg(db->handle), result);
}

err_code db_execute(struct db *db, const char *sql, struct error *err)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, "execute", err);
    return ERR_OK;
}

static err_code configure(struct db *db, enum db_mode mode, struct error *err)
{
    err_code code = ERR_OK;

    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (mode == DB_WRITE)
        code = db_execute(db,
                          "PRAGMA journal_mode = WAL;"
                          "PRAGMA synchronous = FULL;"
                          "PRAGMA fullfsync = ON;"
                          "PRAGMA checkpoint_fullfsync = ON;",
                          err);
    if (!code)
        code = db_execute(db,
                          "PRAGMA trusted_schema = OFF;"
                          "PRAGMA cache_size = -4096;",
                          err);
    return code;
}

static void count_rollback(void *of)
{
    struct db *db = of;

    db->rollbacks++;
}

uint64_t db_rollbacks(const struct db *db)
{
    return db->rollbacks;
}

/*
 * SQLite reads a WAL database by its -shm, which it cannot make on a read-only
 * disk. Nobody writes there: without a WAL the file is all, and frozen.
 */
static char *name_for_reader(const char *path)
{
    CLEANUP_FREE char *wal = xasprintf("%s-wal", path);
    struct strbuf uri = STRBUF_INIT;

    if (!is_on_read_only_disk(path) || !access(wal, F_OK))
        return NULL;
    strbuf_adds(&uri, "file:/");
    for (const char *byte = path; *byte; byte++)
        strbuf_addf(&uri, "%%%02x", (unsigned)(unsigned char)*byte);
    strbuf_adds(&uri, "?immutable=1");
    return strbuf_detach(&uri);
}

err_code db_open(const char *path, enum db_mode mode, struct db **out,
                 struct error *err)
{
    CLEANUP_FREE char *uri = mode == DB_READ ? name_for_reader(path) : NULL;
    int flags = SQLITE_OPEN_NOMUTEX | (uri ? SQLITE_OPEN_URI : 0);
    struct db *db = xcalloc(1, sizeof *db);

    flags |= mode == DB_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                              : SQLITE_OPEN_READONLY;
    db->path = xstrdup(path);
    err_code code;
    if (sqlite3_open_v2(uri ? uri : path, &db->handle, flags, NULL) !=
        SQLITE_OK)
        code = db->handle
                   ? fail(db, "open", err)
                   : error_set(err, ERR_INTERNAL, "%s: out of memory", path);
    else
        code = configure(db, mode, err);
    if (code) {
        db_close(db);
        return code;
    }
    sqlite3_rollback_hook(db->handle, count_rollback, db);
    *out = db;
    return ERR_OK;
}

void db_read_ahead(struct db *db)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;

    if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER,
                             &file) != SQLITE_OK ||
        !file || !file->pMethods || file->pMethods->xFileSize(file, &size) ||
        size > READ_AHEAD_BYTES)
        return;
    CLEANUP_FREE char *chunk = xmalloc(READ_AHEAD_CHUNK);
    for (sqlite3_int64 at = 0; at < size; at += READ_AHEAD_CHUNK) {
        sqlite3_int64 length =
            size - at < READ_AHEAD_CHUNK ? size - at : READ_AHEAD_CHUNK;
        if (file->pMethods->xRead(file, chunk, (int)length, at))
            return; /* whoever needs that page is told */
    }
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->count; i++) {
        sqlite3_finalize(db->items[i]->prepared);
        free(db->items[i]);
    }
    free(db->items);
    sqlite3_close(db->handle);
    free(db->path);
    free(db);
}

const char *db_path(const struct db *db)
{
    return db->path;
}

err_code db_prepare(struct db *db, const char *sql, struct statement **out,
                    struct error *err)
{
    for (size_t i = 0; i < db->count; i++) {
        if (db->items[i]->sql == sql) {
            statement_done(db->items[i]);
            *out = db->items[i];
            return ERR_OK;
        }
    }
    sqlite3_stmt *prepared;
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &prepared, NULL) != SQLITE_OK)
        return fail(db, "prepare a statement", err);
    struct statement *statement = xcalloc(1, sizeof *statement);
    *statement = (struct statement){prepared, sql, db};
    ARRAY_PUSH(db, statement);
    *out = statement;
    return ERR_OK;
}

static void check_bind(struct statement *statement, int result)
{
    if (result != SQLITE_OK)
        die("%s: cannot bind: %s", statement->sql, sqlite3_errstr(result));
}

void bind_int(struct statement *statement, int index, int64_t value)
{
    check_bind(statement,
               sqlite3_bind_int64(statement->prepared, index, value));
}

void bind_text(struct statement *statement, int index, const char *text)
{
    check_bind(statement, sqlite3_bind_text(statement->prepared, index, text,
                                            -1, SQLITE_STATIC));
}

void bind_blob(struct statement *statement, int index, const void *bytes,
               size_t length)
{
    check_bind(statement, sqlite3_bind_blob64(statement->prepared, index, bytes,
                                              length, SQLITE_STATIC));
}

err_code statement_step(struct statement *statement, bool *out_has_row,
                        struct error *err)
{
    int result = sqlite3_step(statement->prepared);

    if (result == SQLITE_ROW || result == SQLITE_DONE) {
        *out_has_row = result == SQLITE_ROW;
        return ERR_OK;
    }
    err_code code = fail(statement->db, "read or write", err);
    statement_done(statement);
    return code;
}

err_code statement_run(struct statement *statement, struct error *err)
{
    bool has_row;
    err_code code = statement_step(statement, &has_row, err);

    statement_done(statement);
    return code;
}

void statement_done(struct statement *statement)
{
    sqlite3_reset(statement->prepared);
    sqlite3_clear_bindings(statement->prepared);
}

int64_t column_int(struct statement *statement, int column)
{
    return sqlite3_column_int64(statement->prepared, column);
}

const char *column_text(struct statement *statement, int column)
{
    const unsigned char *text =
        sqlite3_column_text(statement->prepared, column);

    return text ? (const char *)text : "";
}

bool column_is_null(struct statement *statement, int column)
{
    return sqlite3_column_type(statement->prepared, column) == SQLITE_NULL;
}

const void *column_blob(struct statement *statement, int column,
                        size_t *out_length)
{
    const void *bytes = sqlite3_column_blob(statement->prepared, column);

    *out_length = (size_t)sqlite3_column_bytes(statement->prepared, column);
    return bytes;
}

int64_t db_last_rowid(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

err_code db_begin(struct db *db, struct error *err)
{
    return db_execute(db, "BEGIN IMMEDIATE", err);
}

err_code db_commit(struct db *db, struct error *err)
{
    err_code code = db_execute(db, "COMMIT", err);

    if (code)
        db_rollback(db);
    return code;
}

err_code db_end(struct db *db, err_code code, struct error *err)
{
    if (!code)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}
