#include "core/history.h"

#include "core/base/clock.h"
#include "core/db.h"

const char history_schema[] =
    /* AUTOINCREMENT: a run's number is never given to another. */
    "CREATE TABLE run ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, started_ns INTEGER NOT NULL,"
    "  ended_ns INTEGER NOT NULL DEFAULT 0, jobs TEXT NOT NULL,"
    "  exit_code INTEGER NOT NULL DEFAULT 0,"
    "  files_new INTEGER NOT NULL DEFAULT 0,"
    "  files_updated INTEGER NOT NULL DEFAULT 0,"
    "  files_renamed INTEGER NOT NULL DEFAULT 0,"
    "  files_deleted INTEGER NOT NULL DEFAULT 0,"
    "  directories_made INTEGER NOT NULL DEFAULT 0,"
    "  directories_removed INTEGER NOT NULL DEFAULT 0,"
    "  bytes_copied INTEGER NOT NULL DEFAULT 0,"
    "  failed INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,"
    "  skipped INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE run_item ("
    "  run INTEGER NOT NULL, job TEXT NOT NULL, deed INTEGER NOT NULL,"
    "  path TEXT NOT NULL, detail TEXT NOT NULL,"
    "  size_bytes INTEGER NOT NULL);"
    "CREATE INDEX run_item_by_run ON run_item (run);";

const char *history_deed_name(enum history_deed deed)
{
    switch (deed) {
    case DEED_NEW:
        return "new";
    case DEED_UPDATED:
        return "updated";
    case DEED_RENAMED:
        return "renamed";
    case DEED_DELETED:
        return "deleted";
    case DEED_MADE_DIRECTORY:
        return "mkdir";
    case DEED_REMOVED_DIRECTORY:
        return "rmdir";
    case DEED_FAILED:
        return "failed";
    case DEED_PRUNED:
        return "pruned";
    }
    return "?";
}

err_code history_begin(struct catalogue *catalogue, const char *jobs,
                       int64_t *out_run, struct error *err)
{
    struct db *db = catalogue_db(catalogue);
    struct statement *insert;
    err_code code = db_prepare(
        db, "INSERT INTO run (started_ns, jobs) VALUES (?1, ?2)", &insert, err);

    if (code)
        return code;
    bind_int(insert, 1, clock_now_ns());
    bind_text(insert, 2, jobs);
    code = statement_run(insert, err);
    if (!code)
        *out_run = db_last_rowid(db);
    return code;
}

err_code history_end(struct catalogue *catalogue, const struct run *run,
                     struct error *err)
{
    const struct run_counts *counts = &run->counts;
    struct statement *update;
    err_code code = db_prepare(
        catalogue_db(catalogue),
        "UPDATE run SET ended_ns = ?2, exit_code = ?3, files_new = ?4, "
        "files_updated = ?5, files_renamed = ?6, files_deleted = ?7, "
        "directories_made = ?8, directories_removed = ?9, bytes_copied = ?10, "
        "failed = ?11, held = ?12, skipped = ?13 WHERE id = ?1",
        &update, err);

    if (code)
        return code;
    bind_int(update, 1, run->id);
    bind_int(update, 2, run->ended_ns);
    bind_int(update, 3, run->exit_code);
    bind_int(update, 4, counts->files_new);
    bind_int(update, 5, counts->files_updated);
    bind_int(update, 6, counts->files_renamed);
    bind_int(update, 7, counts->files_deleted);
    bind_int(update, 8, counts->directories_made);
    bind_int(update, 9, counts->directories_removed);
    bind_int(update, 10, counts->bytes_copied);
    bind_int(update, 11, counts->failed);
    bind_int(update, 12, counts->held);
    bind_int(update, 13, counts->skipped);
    return statement_run(update, err);
}

static err_code ask_number(struct catalogue *catalogue, const char *sql,
                           int64_t *out, struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(catalogue_db(catalogue), sql, &select, err);

    if (!code)
        code = statement_step(select, &has_row, err);
    if (code)
        return code;
    *out = has_row ? column_int(select, 0) : 0;
    statement_done(select);
    return ERR_OK;
}

err_code history_last_run(struct catalogue *catalogue, int64_t *out,
                          struct error *err)
{
    return ask_number(
        catalogue,
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'run'",
        out, err);
}

/* A row that goes again leaves its number behind (AUTOINCREMENT). */
err_code history_skip_to(struct catalogue *catalogue, int64_t run,
                         struct error *err)
{
    static const char *const sqls[] = {
        "INSERT OR IGNORE INTO run (id, started_ns, jobs) VALUES (?1, 0, '')",
        "DELETE FROM run WHERE id = ?1 AND started_ns = 0",
    };
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < COUNT_OF(sqls); i++) {
        struct statement *statement;
        code = db_prepare(catalogue_db(catalogue), sqls[i], &statement, err);
        if (code)
            break;
        bind_int(statement, 1, run);
        code = statement_run(statement, err);
    }
    return code;
}

err_code history_latest_ns(struct catalogue *catalogue, int64_t *out,
                           struct error *err)
{
    return ask_number(
        catalogue,
        "SELECT coalesce(max(max(started_ns, ended_ns)), 0) FROM run", out,
        err);
}

err_code history_before_latest_ns(struct catalogue *catalogue, int64_t *out,
                                  struct error *err)
{
    return ask_number(catalogue,
                      "SELECT max(started_ns, ended_ns) FROM run "
                      "ORDER BY id DESC LIMIT 1 OFFSET 1",
                      out, err);
}

err_code history_reached_before_ns(struct catalogue *catalogue, int64_t run,
                                   int64_t seen_ns, int64_t *out,
                                   struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(
        catalogue_db(catalogue),
        "SELECT max(started_ns, ended_ns) AS reached FROM run WHERE id < ?1 "
        "AND EXISTS (SELECT 1 FROM run WHERE id = ?1 AND ?2 BETWEEN "
        "started_ns - ?3 AND max(started_ns, ended_ns) + ?3) "
        "ORDER BY reached DESC LIMIT 1 OFFSET 1",
        &select, err);

    if (code)
        return code;
    bind_int(select, 1, run);
    bind_int(select, 2, seen_ns);
    bind_int(select, 3, NS_PER_SECOND * 86400);
    code = statement_step(select, &has_row, err);
    if (code)
        return code;
    *out = has_row ? column_int(select, 0) : 0;
    statement_done(select);
    return ERR_OK;
}

err_code history_add_item(struct catalogue *catalogue, int64_t run,
                          const struct run_item *item, struct error *err)
{
    struct statement *insert;
    err_code code = db_prepare(
        catalogue_db(catalogue),
        "INSERT INTO run_item VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &insert, err);

    if (code)
        return code;
    bind_int(insert, 1, run);
    bind_text(insert, 2, item->job);
    bind_int(insert, 3, item->deed);
    bind_text(insert, 4, item->path);
    bind_text(insert, 5, item->detail ? item->detail : "");
    bind_int(insert, 6, item->size_bytes);
    return statement_run(insert, err);
}

static struct run run_from_row(struct statement *select)
{
    return (struct run){
        .id = column_int(select, 0),
        .started_ns = column_int(select, 1),
        .ended_ns = column_int(select, 2),
        .jobs = column_text(select, 3),
        .exit_code = (int)column_int(select, 4),
        .counts =
            {
                .files_new = column_int(select, 5),
                .files_updated = column_int(select, 6),
                .files_renamed = column_int(select, 7),
                .files_deleted = column_int(select, 8),
                .directories_made = column_int(select, 9),
                .directories_removed = column_int(select, 10),
                .bytes_copied = column_int(select, 11),
                .failed = column_int(select, 12),
                .held = column_int(select, 13),
                .skipped = column_int(select, 14),
            },
    };
}

err_code history_walk(struct catalogue *catalogue, int64_t only,
                      run_visit *visit, void *context, struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(
        catalogue_db(catalogue),
        "SELECT * FROM run WHERE ?1 IN (0, id) ORDER BY id DESC", &select, err);

    if (code)
        return code;
    bind_int(select, 1, only);
    while (!(code = statement_step(select, &has_row, err)) && has_row) {
        struct run run = run_from_row(select);
        code = visit(context, &run, err);
        if (code)
            break;
    }
    statement_done(select);
    return code;
}

err_code history_walk_items(struct catalogue *catalogue, int64_t run,
                            run_item_visit *visit, void *context,
                            struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "SELECT job, deed, path, detail, size_bytes FROM run_item "
                   "WHERE run = ?1 ORDER BY rowid",
                   &select, err);

    if (code)
        return code;
    bind_int(select, 1, run);
    while (!(code = statement_step(select, &has_row, err)) && has_row) {
        struct run_item item = {
            .job = column_text(select, 0),
            .deed = (enum history_deed)column_int(select, 1),
            .path = column_text(select, 2),
            .detail = column_text(select, 3),
            .size_bytes = column_int(select, 4),
        };
        code = visit(context, &item, err);
        if (code)
            break;
    }
    statement_done(select);
    return code;
}

err_code history_walk_renames(struct catalogue *catalogue, const char *job,
                              rename_visit *visit, void *context,
                              struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "SELECT run, detail, path FROM run_item "
                   "WHERE job = ?1 AND deed = ?2 ORDER BY rowid DESC",
                   &select, err);

    if (code)
        return code;
    bind_text(select, 1, job);
    bind_int(select, 2, DEED_RENAMED);
    while (!(code = statement_step(select, &has_row, err)) && has_row) {
        code = visit(context, column_int(select, 0), column_text(select, 1),
                     column_text(select, 2), err);
        if (code)
            break;
    }
    statement_done(select);
    return code;
}
