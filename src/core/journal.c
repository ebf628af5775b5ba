#include "core/journal.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/db.h"
#include "core/marker.h"

#include <stdlib.h>
#include <string.h>

const char journal_schema[] =
    "CREATE TABLE session ("
    "  id INTEGER PRIMARY KEY, state INTEGER NOT NULL, run INTEGER NOT NULL,"
    "  opened_ns INTEGER NOT NULL, boot TEXT NOT NULL,"
    "  attachment TEXT NOT NULL);"
    "CREATE TABLE intent ("
    "  batch INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL, owner INTEGER NOT NULL, path TEXT NOT NULL,"
    "  old_path TEXT, from_path TEXT, to_path TEXT, version_path TEXT,"
    "  reason INTEGER NOT NULL, before_size INTEGER NOT NULL,"
    "  before_mtime INTEGER NOT NULL, forget INTEGER NOT NULL,"
    "  record BLOB NOT NULL, PRIMARY KEY (batch, sequence)) WITHOUT ROWID;"
    "CREATE TABLE poisoned ("
    "  owner INTEGER NOT NULL, path TEXT NOT NULL,"
    "  PRIMARY KEY (owner, path)) WITHOUT ROWID;";

bool intent_uses_version(const struct intent *intent)
{
    return intent->from && path_is_within(intent->from, VERSIONS_PATH);
}

/* --- sessions --- */

void journal_session_release(struct journal_session *session)
{
    free(session->boot);
    free(session->attachment);
    *session = (struct journal_session){.id = 0};
}

err_code journal_last_session(struct catalogue *catalogue,
                              struct journal_session *out, struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "SELECT id, state, run, opened_ns, boot, attachment "
                   "FROM session ORDER BY id DESC LIMIT 1",
                   &select, err);

    if (!code)
        code = statement_step(select, &has_row, err);
    if (code)
        return code;
    *out = (struct journal_session){.state = SESSION_NONE};
    if (has_row)
        *out = (struct journal_session){
            .id = column_int(select, 0),
            .state = (enum session_state)column_int(select, 1),
            .run = column_int(select, 2),
            .opened_ns = column_int(select, 3),
            .boot = xstrdup(column_text(select, 4)),
            .attachment = xstrdup(column_text(select, 5)),
        };
    statement_done(select);
    return ERR_OK;
}

err_code journal_open_session(struct catalogue *catalogue, int64_t run,
                              const char *boot, const char *attachment,
                              int64_t *out_id, struct error *err)
{
    struct statement *insert;
    err_code code = db_prepare(
        catalogue_db(catalogue),
        "INSERT INTO session (state, run, opened_ns, boot, attachment) "
        "VALUES (?1, ?2, ?3, ?4, ?5)",
        &insert, err);

    if (code)
        return code;
    bind_int(insert, 1, SESSION_AT_REST);
    bind_int(insert, 2, run);
    bind_int(insert, 3, clock_now_ns());
    bind_text(insert, 4, boot);
    bind_text(insert, 5, attachment);
    code = statement_run(insert, err);
    if (!code)
        *out_id = db_last_rowid(catalogue_db(catalogue));
    return code;
}

err_code journal_set_state(struct catalogue *catalogue, int64_t session,
                           enum session_state state, struct error *err)
{
    struct statement *update;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "UPDATE session SET state = ?2 WHERE id = ?1", &update, err);

    if (code)
        return code;
    bind_int(update, 1, session);
    bind_int(update, 2, state);
    return statement_run(update, err);
}

/* --- batches --- */

static err_code write_intent(struct db *db, int64_t batch, int64_t sequence,
                             const struct intent *intent, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf record = STRBUF_INIT;
    struct statement *insert;
    err_code code = db_prepare(db,
                               "INSERT INTO intent VALUES (?1, ?2, ?3, ?4, ?5, "
                               "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                               &insert, err);

    if (code)
        return code;
    record_encode(&intent->record, &record);
    bind_int(insert, 1, batch);
    bind_int(insert, 2, sequence);
    bind_int(insert, 3, intent->kind);
    bind_int(insert, 4, intent->owner);
    bind_text(insert, 5, intent->path);
    bind_text(insert, 6, intent->old_path);
    bind_text(insert, 7, intent->from);
    bind_text(insert, 8, intent->to);
    bind_text(insert, 9, intent->version);
    bind_int(insert, 10, intent->reason);
    bind_int(insert, 11, intent->before.size_bytes);
    bind_int(insert, 12, intent->before.mtime_ns);
    bind_int(insert, 13, intent->forget);
    bind_blob(insert, 14, record.text, record.length);
    return statement_run(insert, err);
}

static err_code next_batch_id(struct db *db, int64_t *out, struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(
        db, "SELECT coalesce(max(batch), 0) + 1 FROM intent", &select, err);

    if (!code)
        code = statement_step(select, &has_row, err);
    if (code)
        return code;
    *out = column_int(select, 0);
    statement_done(select);
    return ERR_OK;
}

err_code journal_record(struct catalogue *catalogue, int64_t session,
                        const struct intents *batch, int64_t *out_batch,
                        struct error *err)
{
    struct db *db = catalogue_db(catalogue);
    int64_t id = 0;
    err_code code = db_begin(db, err);

    if (code)
        return code;
    code = next_batch_id(db, &id, err);
    for (size_t i = 0; !code && i < batch->count; i++)
        code = write_intent(db, id, (int64_t)i, &batch->items[i], err);
    if (!code)
        code = journal_set_state(catalogue, session, SESSION_OPEN, err);
    code = db_end(db, code, err);
    if (!code)
        *out_batch = id;
    return code;
}

err_code journal_pending_batch(struct catalogue *catalogue, int64_t *out_batch,
                               struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "SELECT coalesce(min(batch), 0) FROM intent", &select, err);

    if (!code)
        code = statement_step(select, &has_row, err);
    if (code)
        return code;
    *out_batch = column_int(select, 0);
    statement_done(select);
    return ERR_OK;
}

static const char *optional_text(struct statement *select, int column,
                                 struct arena *arena)
{
    if (column_is_null(select, column))
        return NULL;
    return arena_strdup(arena, column_text(select, column));
}

static err_code intent_from_row(struct statement *select, struct arena *arena,
                                struct intent *out, struct error *err)
{
    size_t length;
    const void *bytes = column_blob(select, 11, &length);

    *out = (struct intent){
        .kind = (enum intent_kind)column_int(select, 0),
        .owner = column_int(select, 1),
        .path = arena_strdup(arena, column_text(select, 2)),
        .old_path = optional_text(select, 3, arena),
        .from = optional_text(select, 4, arena),
        .to = optional_text(select, 5, arena),
        .version = optional_text(select, 6, arena),
        .reason = (enum version_reason)column_int(select, 7),
        .before = {.size_bytes = column_int(select, 8),
                   .mtime_ns = column_int(select, 9)},
        .forget = column_int(select, 10) != 0,
    };
    return record_decode(bytes, length, arena, &out->record, err);
}

err_code journal_read_batch(struct catalogue *catalogue, int64_t batch,
                            struct arena *arena, struct intents *out,
                            struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(
        catalogue_db(catalogue),
        "SELECT kind, owner, path, old_path, from_path, to_path, version_path, "
        "reason, before_size, before_mtime, forget, record "
        "FROM intent WHERE batch = ?1 ORDER BY sequence",
        &select, err);

    if (code)
        return code;
    bind_int(select, 1, batch);
    while (!(code = statement_step(select, &has_row, err)) && has_row) {
        struct intent intent;
        code = intent_from_row(select, arena, &intent, err);
        if (code)
            break;
        ARRAY_PUSH(out, intent);
    }
    statement_done(select);
    return code;
}

void intents_release(struct intents *intents)
{
    free(intents->items);
    *intents = (struct intents){.items = NULL};
}

err_code journal_forget_batch(struct catalogue *catalogue, int64_t batch,
                              struct error *err)
{
    struct statement *delete;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "DELETE FROM intent WHERE batch = ?1", &delete, err);

    if (code)
        return code;
    bind_int(delete, 1, batch);
    return statement_run(delete, err);
}

/* --- poison --- */

err_code journal_poison(struct catalogue *catalogue, int64_t owner,
                        const char *path, struct error *err)
{
    struct statement *insert;
    err_code code = db_prepare(catalogue_db(catalogue),
                               "INSERT INTO poisoned VALUES (?1, ?2) "
                               "ON CONFLICT DO NOTHING",
                               &insert, err);

    if (code)
        return code;
    bind_int(insert, 1, owner);
    bind_text(insert, 2, path);
    return statement_run(insert, err);
}

err_code journal_unpoison(struct catalogue *catalogue, int64_t owner,
                          const char *path, struct error *err)
{
    struct statement *delete;
    err_code code = db_prepare(
        catalogue_db(catalogue),
        "DELETE FROM poisoned WHERE owner = ?1 AND path = ?2", &delete, err);

    if (code)
        return code;
    bind_int(delete, 1, owner);
    bind_text(delete, 2, path);
    return statement_run(delete, err);
}

err_code journal_list_poisoned(struct catalogue *catalogue, int64_t owner,
                               struct paths *out, struct error *err)
{
    struct paths paths = {.items = NULL};
    struct statement *select;
    bool has_row;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "SELECT path FROM poisoned WHERE owner = ?1 ORDER BY path",
                   &select, err);

    if (code)
        return code;
    bind_int(select, 1, owner);
    while (!(code = statement_step(select, &has_row, err)) && has_row)
        ARRAY_PUSH(&paths, xstrdup(column_text(select, 0)));
    if (code) {
        paths_release(&paths);
        return code;
    }
    statement_done(select);
    *out = paths;
    return ERR_OK;
}

#define META_FLUSH "flush_failed"

err_code journal_note_failed_flush(struct catalogue *catalogue,
                                   struct error *err)
{
    return catalogue_set_meta(catalogue, META_FLUSH, "yes", err);
}

err_code journal_has_failed_flush(struct catalogue *catalogue, bool *out,
                                  struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code = catalogue_get_meta(catalogue, META_FLUSH, &text, out, err);

    *out = !code && *out && text.length;
    return code;
}

err_code journal_forgive_flush(struct catalogue *catalogue, const char *host,
                               struct error *err)
{
    struct statement *select;
    bool has_failed, is_doubtful;
    err_code code = journal_has_failed_flush(catalogue, &has_failed, err);

    if (code || !has_failed)
        return code;
    code = db_prepare(catalogue_db(catalogue),
                      "SELECT 1 FROM poisoned JOIN owner ON owner.id = owner "
                      "WHERE host = ?1 LIMIT 1",
                      &select, err);
    if (code)
        return code;
    bind_text(select, 1, host);
    code = statement_step(select, &is_doubtful, err);
    statement_done(select);
    if (code || is_doubtful)
        return code;
    return catalogue_set_meta(catalogue, META_FLUSH, "", err);
}

void paths_release(struct paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->items[i]);
    free(paths->items);
    *paths = (struct paths){.items = NULL};
}

static int compare_strings(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

bool paths_contain(const struct paths *paths, const char *path)
{
    return paths->count && bsearch(&path, paths->items, paths->count,
                                   sizeof *paths->items, compare_strings);
}
