/*
 * SQLite, wrapped once: errors as err_code, statements prepared once and
 * found again by their text. The only users are catalogue, journal and
 * history; the only other file that includes sqlite3.h is sqlite_copy.
 *
 * The file is on the internal disk, in WAL mode, synchronous=FULL (on macOS
 * with fullfsync): a commit that returned ERR_OK survives a power cut.
 *
 * A connection belongs to one thread at a time.
 *
 *     struct statement *select;
 *     err_code code = db_prepare(db, "SELECT key FROM t WHERE id = ?1",
 *                                &select, err);
 *     bind_int(select, 1, id);
 *     while (!(code = statement_step(select, &has_row, err)) && has_row)
 *         use(column_text(select, 0));
 *     statement_done(select);
 */
#ifndef BERTH_DB_H
#define BERTH_DB_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct statement;

enum db_mode {
    DB_WRITE, /* created when missing */
    DB_READ,  /* must exist */
};

err_code db_open(const char *path, enum db_mode mode, struct db **out,
                 struct error *err) MUST_CHECK;
void db_close(struct db *db); /* NULL is fine */
/*
 * Brings the file into the system's cache, from front to back, unless it is
 * large: pages that are looked up in a tree are read one by one, each a wait
 * of its own. Through SQLite's own descriptor: closing another one would take
 * away the locks of every connection of this process.
 */
void db_read_ahead(struct db *db);
const char *db_path(const struct db *db);

/* Runs statements that return nothing and are run once: schema, pragmas. */
err_code db_execute(struct db *db, const char *sql, struct error *err)
    MUST_CHECK;

/*
 * `sql` must be a string constant: the statement is cached under its address.
 * The statement is reset and unbound; statement_done ends its use. Never in
 * use twice at a time.
 */
err_code db_prepare(struct db *db, const char *sql, struct statement **out,
                    struct error *err) MUST_CHECK;

void bind_int(struct statement *statement, int index, int64_t value);
/* Bytes are borrowed until statement_done. NULL binds NULL. */
void bind_text(struct statement *statement, int index, const char *text);
void bind_blob(struct statement *statement, int index, const void *bytes,
               size_t length);

err_code statement_step(struct statement *statement, bool *out_has_row,
                        struct error *err) MUST_CHECK;
/* Steps once, expecting no row, and ends the use. */
err_code statement_run(struct statement *statement, struct error *err)
    MUST_CHECK;
void statement_done(struct statement *statement);

/* Borrowed until the next step; text is "" for NULL. */
int64_t column_int(struct statement *statement, int column);
const char *column_text(struct statement *statement, int column);
bool column_is_null(struct statement *statement, int column);
const void *column_blob(struct statement *statement, int column,
                        size_t *out_length);

int64_t db_last_rowid(const struct db *db);

/* Transactions don't nest. A failed commit is rolled back. */
err_code db_begin(struct db *db, struct error *err) MUST_CHECK;
err_code db_commit(struct db *db, struct error *err) MUST_CHECK;
/* Commits when `code` is ERR_OK, else rolls back and returns it. */
err_code db_end(struct db *db, err_code code, struct error *err) MUST_CHECK;
void db_rollback(struct db *db); /* fine without a transaction */
/* How many there were, SQLite's own included: what was remembered of a
 * database is stale when the number has changed. */
uint64_t db_rollbacks(const struct db *db);

#endif
