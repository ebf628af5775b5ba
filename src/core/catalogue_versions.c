#include "core/base/array.h"
#include "core/catalogue_internal.h"
#include "core/db.h"

#include <stdlib.h>

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

#define SELECT_VERSIONS                                                        \
    "SELECT id, path, drive_path, reason, run, created_ns, record "            \
    "FROM version WHERE owner = ?1 "
#define VERSION_ORDER "ORDER BY path, created_ns, id"

/* A range, so that the index is used. */
err_code catalogue_walk_versions(struct catalogue *catalogue, int64_t owner,
                                 const char *path, version_visit *visit,
                                 void *context, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(
        catalogue_db(catalogue),
        *path ? SELECT_VERSIONS
            "AND path >= ?2 AND path < ?2 || '0' " /* '0' follows '/' */
            "AND (path = ?2 OR path >= ?2 || '/') " VERSION_ORDER
              : SELECT_VERSIONS VERSION_ORDER,
        &select, err);

    if (code)
        return code;
    bind_int(select, 1, owner);
    if (*path)
        bind_text(select, 2, path);
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

/* --- as a list --- */

struct listing {
    struct arena *arena;
    struct version_list *out;
};

static const char *keep(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static err_code add_to_list(void *context, const struct version *version,
                            struct error *err)
{
    struct listing *listing = context;
    struct arena *arena = listing->arena;
    struct version copy = *version;

    copy.path = keep(arena, version->path);
    copy.drive_path = keep(arena, version->drive_path);
    if (version->has_record)
        record_keep(&copy.record, arena);
    ARRAY_PUSH(listing->out, copy);
    return ERR_OK;
}

err_code catalogue_list_versions(struct catalogue *catalogue, int64_t owner,
                                 const char *path, struct arena *arena,
                                 struct version_list *out, struct error *err)
{
    struct listing listing = {arena, out};

    return catalogue_walk_versions(catalogue, owner, path, add_to_list,
                                   &listing, err);
}

void version_list_release(struct version_list *versions)
{
    free(versions->items);
    *versions = (struct version_list){.items = NULL};
}

err_code catalogue_remove_version(struct catalogue *catalogue, int64_t owner,
                                  const char *drive_path, struct error *err)
{
    struct statement *delete;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "DELETE FROM version WHERE drive_path = ?1 AND owner = ?2",
                   &delete, err);

    if (code)
        return code;
    bind_text(delete, 1, drive_path);
    bind_int(delete, 2, owner);
    return statement_run(delete, err);
}
