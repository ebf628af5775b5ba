#include "core/base/array.h"
#include "core/catalogue_internal.h"
#include "core/db.h"

#include <stdlib.h>

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
    "last_sync_ns, claims"

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
        .claims = column_int(select, 8),
    };
}

err_code catalogue_list_owners(struct catalogue *catalogue, struct owners *out,
                               struct error *err)
{
    struct owners owners = {.items = NULL};
    struct statement *select;
    bool has_row;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "SELECT " OWNER_COLUMNS " FROM owner", &select, err);

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
        db_prepare(catalogue_db(catalogue),
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
    err_code code = catalogue_new_directory_id(catalogue, &root, err);

    if (!code)
        code = db_prepare(catalogue_db(catalogue),
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
    err_code code = db_prepare(catalogue_db(catalogue),
                               "UPDATE owner SET source_identity = ?2, "
                               "last_full_ns = ?3, last_sync_ns = ?4, "
                               "host = ?5, job = ?6, claims = ?7 "
                               "WHERE id = ?1",
                               &update, err);

    if (code)
        return code;
    bind_int(update, 1, owner->id);
    bind_text(update, 2, owner->source_identity);
    bind_int(update, 3, owner->last_full_ns);
    bind_int(update, 4, owner->last_sync_ns);
    bind_text(update, 5, owner->host);
    bind_text(update, 6, owner->job);
    bind_int(update, 7, owner->claims);
    return statement_run(update, err);
}

static err_code delete_of_owner(struct catalogue *catalogue, const char *sql,
                                int64_t owner, struct error *err)
{
    struct statement *delete;
    err_code code = db_prepare(catalogue_db(catalogue), sql, &delete, err);

    if (code)
        return code;
    bind_int(delete, 1, owner);
    return statement_run(delete, err);
}

err_code catalogue_remove_owner(struct catalogue *catalogue,
                                const struct owner *owner, struct error *err)
{
    err_code code = catalogue_clear_owner(catalogue, owner, err);

    if (!code)
        code = catalogue_forget_mounts(catalogue, owner->id, err);
    if (!code)
        code = delete_of_owner(
            catalogue, "DELETE FROM version WHERE owner = ?1", owner->id, err);
    if (!code)
        code = delete_of_owner(
            catalogue, "DELETE FROM poisoned WHERE owner = ?1", owner->id, err);
    if (!code)
        code = delete_of_owner(catalogue, "DELETE FROM owner WHERE id = ?1",
                               owner->id, err);
    return code;
}
