#include "core/catalogue_internal.h"
#include "core/db.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS source_mount ("
    "  owner INTEGER NOT NULL, path TEXT NOT NULL, identity TEXT NOT NULL,"
    "  accepted INTEGER NOT NULL,"
    "  PRIMARY KEY (owner, path)) WITHOUT ROWID;"
    "PRAGMA user_version = 2;";

static err_code has_table(struct catalogue *catalogue, bool *out,
                          struct error *err)
{
    int64_t format;
    err_code code = catalogue_format(catalogue->db, &format, err);

    *out = !code && format >= 2;
    return code;
}

err_code catalogue_list_mounts(struct catalogue *catalogue, int64_t owner,
                               catalogue_visit_mount *visit, void *context,
                               struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code = has_table(catalogue, &has_row, err);

    if (code || !has_row)
        return code;
    code = db_prepare(catalogue->db,
                      "SELECT path, identity, accepted FROM source_mount "
                      "WHERE owner = ?1 ORDER BY path",
                      &select, err);
    if (code)
        return code;
    bind_int(select, 1, owner);
    while (!(code = statement_step(select, &has_row, err)) && has_row)
        visit(context, column_text(select, 0), column_text(select, 1),
              column_int(select, 2) != 0);
    if (!code)
        statement_done(select);
    return code;
}

err_code catalogue_record_mount(struct catalogue *catalogue, int64_t owner,
                                const char *path, const char *identity,
                                bool is_accepted, struct error *err)
{
    struct statement *upsert;
    bool exists;
    err_code code = has_table(catalogue, &exists, err);

    if (!code && !exists)
        code = db_execute(catalogue->db, schema, err);
    if (!code)
        code = db_prepare(catalogue->db,
                          "INSERT INTO source_mount VALUES (?1, ?2, ?3, ?4) "
                          "ON CONFLICT (owner, path) DO UPDATE SET "
                          "identity = ?3, accepted = ?4",
                          &upsert, err);
    if (code)
        return code;
    bind_int(upsert, 1, owner);
    bind_text(upsert, 2, path);
    bind_text(upsert, 3, identity);
    bind_int(upsert, 4, is_accepted);
    return statement_run(upsert, err);
}

err_code catalogue_forget_mount(struct catalogue *catalogue, int64_t owner,
                                const char *path, struct error *err)
{
    struct statement *delete;
    bool exists;
    err_code code = has_table(catalogue, &exists, err);

    if (code || !exists)
        return code;
    code = db_prepare(catalogue->db,
                      "DELETE FROM source_mount WHERE owner = ?1 AND path = ?2",
                      &delete, err);
    if (code)
        return code;
    bind_int(delete, 1, owner);
    bind_text(delete, 2, path);
    return statement_run(delete, err);
}

err_code catalogue_forget_mounts(struct catalogue *catalogue, int64_t owner,
                                 struct error *err)
{
    struct statement *delete;
    bool exists;
    err_code code = has_table(catalogue, &exists, err);

    if (code || !exists)
        return code;
    code =
        db_prepare(catalogue->db, "DELETE FROM source_mount WHERE owner = ?1",
                   &delete, err);
    if (code)
        return code;
    bind_int(delete, 1, owner);
    return statement_run(delete, err);
}
