#include "core/catalogue_internal.h"
#include "core/db.h"

err_code catalogue_add_version(struct catalogue *catalogue,
                               const struct version *version, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct statement *insert;
    err_code code = db_prepare(
        catalogue_db(catalogue),
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
        catalogue_db(catalogue),
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
            code = catalogue_record_from_row(select, 6, &arena, &version.record,
                                             err);
        if (!code)
            code = visit(context, &version, err);
        if (code)
            break;
    }
    statement_done(select);
    return code;
}
