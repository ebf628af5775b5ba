#include "core/resume.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/base/thread.h"
#include "core/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS resumable ("
    "  name TEXT PRIMARY KEY, owner INTEGER NOT NULL, path TEXT NOT NULL,"
    "  offset INTEGER NOT NULL, prefix BLOB NOT NULL, size INTEGER NOT NULL,"
    "  mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, btime INTEGER NOT NULL,"
    "  inode INTEGER NOT NULL) WITHOUT ROWID";

#define HOST_DIGITS 8

struct resumes {
    pthread_mutex_t mutex; /* guards `db`; a leaf */
    struct db *db;
    char host[HOST_DIGITS + 1];
};

err_code resumes_open(const char *path, const char *host, struct resumes **out,
                      struct error *err)
{
    struct db *db;
    err_code code = db_open(path, DB_WRITE, &db, err);

    if (code)
        return code;
    code = db_execute(db, schema, err);
    if (code) {
        db_close(db);
        return code;
    }
    struct resumes *resumes = xcalloc(1, sizeof *resumes);
    mutex_init(&resumes->mutex);
    resumes->db = db;
    snprintf(resumes->host, sizeof resumes->host, "%s", host);
    *out = resumes;
    return ERR_OK;
}

void resumes_close(struct resumes *resumes)
{
    if (!resumes)
        return;
    db_close(resumes->db);
    mutex_destroy(&resumes->mutex);
    free(resumes);
}

char *resumes_name(const struct resumes *resumes, int64_t owner,
                   const char *path)
{
    CLEANUP_FREE char *key = xasprintf("%lld %s", (long long)owner, path);
    struct hash hash = hash_of(key, strlen(key));
    char hex[HASH_HEX_SIZE];

    hash_to_hex(&hash, hex);
    return xasprintf(RESUMABLE_PATH "/%s-%s", resumes->host, hex);
}

bool resumes_is_name(const char *staged)
{
    return path_is_within(staged, RESUMABLE_PATH);
}

/* --- rows --- */

static err_code find(struct db *db, const char *name, struct resumable *out,
                     struct error *err)
{
    struct statement *select;
    bool has_row = false;
    size_t length = 0;
    err_code code = db_prepare(db,
                               "SELECT offset, prefix, size, mtime, ctime, "
                               "btime, inode FROM resumable WHERE name = ?1",
                               &select, err);

    if (code)
        return code;
    bind_text(select, 1, name);
    code = statement_step(select, &has_row, err);
    const void *prefix = has_row ? column_blob(select, 1, &length) : NULL;
    if (!code && length == HASH_BYTES) {
        *out = (struct resumable){
            .offset = column_int(select, 0),
            .source = {.size_bytes = column_int(select, 2),
                       .mtime_ns = column_int(select, 3),
                       .ctime_ns = column_int(select, 4),
                       .btime_ns = column_int(select, 5),
                       .inode = (uint64_t)column_int(select, 6)},
        };
        memcpy(out->prefix.bytes, prefix, HASH_BYTES);
    } else if (!code) {
        code = error_set(err, ERR_NOT_FOUND, "%s is not begun", name);
    }
    statement_done(select);
    return code;
}

err_code resumes_find(struct resumes *resumes, const char *name,
                      struct resumable *out, struct error *err)
{
    mutex_lock(&resumes->mutex);
    err_code code = find(resumes->db, name, out, err);
    mutex_unlock(&resumes->mutex);
    return code;
}

static err_code keep(struct db *db, const char *name, int64_t owner,
                     const char *path, const struct resumable *resumable,
                     struct error *err)
{
    struct statement *insert;
    err_code code = db_prepare(db,
                               "INSERT OR REPLACE INTO resumable VALUES "
                               "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                               &insert, err);

    if (code)
        return code;
    bind_text(insert, 1, name);
    bind_int(insert, 2, owner);
    bind_text(insert, 3, path);
    bind_int(insert, 4, resumable->offset);
    bind_blob(insert, 5, resumable->prefix.bytes, HASH_BYTES);
    bind_int(insert, 6, resumable->source.size_bytes);
    bind_int(insert, 7, resumable->source.mtime_ns);
    bind_int(insert, 8, resumable->source.ctime_ns);
    bind_int(insert, 9, resumable->source.btime_ns);
    bind_int(insert, 10, (int64_t)resumable->source.inode);
    return statement_run(insert, err);
}

err_code resumes_keep(struct resumes *resumes, const char *name, int64_t owner,
                      const char *path, const struct resumable *resumable,
                      struct error *err)
{
    mutex_lock(&resumes->mutex);
    err_code code = keep(resumes->db, name, owner, path, resumable, err);
    mutex_unlock(&resumes->mutex);
    return code;
}

static err_code forget(struct db *db, const char *name, struct error *err)
{
    struct statement *delete;
    err_code code =
        db_prepare(db, "DELETE FROM resumable WHERE name = ?1", &delete, err);

    if (code)
        return code;
    bind_text(delete, 1, name);
    return statement_run(delete, err);
}

err_code resumes_forget(struct resumes *resumes, const char *name,
                        struct error *err)
{
    mutex_lock(&resumes->mutex);
    err_code code = forget(resumes->db, name, err);
    mutex_unlock(&resumes->mutex);
    return code;
}

err_code resumes_forget_all(struct resumes *resumes, struct error *err)
{
    return db_execute(resumes->db, "DELETE FROM resumable", err);
}

/* --- tidying up: the task's thread, while no worker runs --- */

struct rows {
    struct {
        int64_t owner;
        char *name, *path;
    } * items;
    size_t count, capacity;
};

static void rows_release(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->items[i].name);
        free(rows->items[i].path);
    }
    free(rows->items);
}

static err_code list_rows(struct db *db, struct rows *out, struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code =
        db_prepare(db, "SELECT owner, name, path FROM resumable", &select, err);

    if (code)
        return code;
    while (!(code = statement_step(select, &has_row, err)) && has_row) {
        ARRAY_RESERVE(out->items, out->count + 1, out->capacity);
        out->items[out->count].owner = column_int(select, 0);
        out->items[out->count].name = xstrdup(column_text(select, 1));
        out->items[out->count++].path = xstrdup(column_text(select, 2));
    }
    statement_done(select);
    return code;
}

struct leftovers_here {
    struct resumes *resumes;
    struct paths_here {
        char **items;
        size_t count, capacity;
    } paths;
};

static err_code collect(void *context, const struct platform_entry *entry,
                        struct error *err)
{
    struct leftovers_here *here = context;
    struct resumable row;
    CLEANUP_FREE char *path = path_join(RESUMABLE_PATH, entry->name);
    size_t digits = strlen(here->resumes->host);

    if (strncmp(entry->name, here->resumes->host, digits) != 0 ||
        entry->name[digits] != '-')
        return ERR_OK; /* another host's */
    err_code code = resumes_find(here->resumes, path, &row, NULL);
    if (code != ERR_NOT_FOUND)
        return code;
    ARRAY_PUSH(&here->paths, TAKE_PTR(path));
    return ERR_OK;
}

static err_code remove_unknown(struct resumes *resumes, struct fsops *ops,
                               struct error *err)
{
    struct leftovers_here here = {.resumes = resumes};
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(ops->root_fd, RESUMABLE_PATH,
                                          PLATFORM_OPEN_DIRECTORY, &fd, err);

    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    code = platform_list_directory(fd, collect, &here, err);
    for (size_t i = 0; i < here.paths.count; i++) {
        if (!code)
            code = fsops_unlink_if_there(ops, here.paths.items[i], err);
        free(here.paths.items[i]);
    }
    free(here.paths.items);
    return code;
}

err_code resumes_tidy(struct resumes *resumes, struct fsops *ops,
                      struct error *err)
{
    CLEANUP(rows_release) struct rows rows = {.items = NULL};
    err_code code = list_rows(resumes->db, &rows, err);

    for (size_t i = 0; !code && i < rows.count; i++) {
        struct platform_stat stat;
        bool is_there;
        code = fsops_look(ops, rows.items[i].name, &is_there, &stat, err);
        if (!code && !is_there)
            code = resumes_forget(resumes, rows.items[i].name, err);
    }
    return code ? code : remove_unknown(resumes, ops, err);
}

static bool is_copied_by(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->count; i++)
        if ((plan->items[i].kind == ACTION_NEW ||
             plan->items[i].kind == ACTION_UPDATE) &&
            !strcmp(plan->items[i].path, path))
            return true;
    return false;
}

err_code resumes_drop_stale(struct resumes *resumes, struct fsops *ops,
                            int64_t owner, const struct plan *plan,
                            struct error *err)
{
    CLEANUP(rows_release) struct rows rows = {.items = NULL};
    err_code code = list_rows(resumes->db, &rows, err);

    for (size_t i = 0; !code && i < rows.count; i++) {
        if (rows.items[i].owner != owner ||
            is_copied_by(plan, rows.items[i].path))
            continue;
        code = fsops_unlink_if_there(ops, rows.items[i].name, err);
        if (!code)
            code = resumes_forget(resumes, rows.items[i].name, err);
    }
    return code;
}
