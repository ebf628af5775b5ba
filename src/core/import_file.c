#include "core/import_file.h"

#include "core/base/array.h"
#include "core/commit.h"
#include "core/db.h"
#include "core/peers.h"

#include <stdlib.h>
#include <string.h>

struct importing {
    struct catalogue *catalogue;
    const char *own_host;
    const struct commit_header *header;
    struct owners owners; /* in the file's order, with ids of this catalogue */
    bool is_settled;      /* the owners are complete */
    bool has_moved;       /* directories */
};

static err_code find_or_add_owner(struct importing *importing,
                                  const struct owner *described,
                                  struct owner *out, struct error *err)
{
    const char *host = importing->header->host;
    err_code code =
        catalogue_find_owner(importing->catalogue, host, described->job,
                             described->directory, out, err);

    if (code == ERR_NOT_FOUND)
        code = catalogue_add_owner(importing->catalogue, host, described->job,
                                   described->directory, out, err);
    return code;
}

static err_code take_owner(struct importing *importing,
                           const struct owner *described, struct error *err)
{
    struct owner owner;
    err_code code = find_or_add_owner(importing, described, &owner, err);

    if (code)
        return code;
    free(owner.source_identity);
    owner.source_identity = xstrdup(described->source_identity);
    owner.last_full_ns = described->last_full_ns;
    owner.last_sync_ns = described->last_sync_ns;
    owner.claims = described->claims;
    ARRAY_PUSH(&importing->owners, owner);
    return catalogue_update_owner(importing->catalogue, &owner, err);
}

static bool is_named(const struct importing *importing, int64_t owner)
{
    for (size_t i = 0; i < importing->owners.count; i++)
        if (importing->owners.items[i].id == owner)
            return true;
    return false;
}

static err_code remove_unnamed(struct importing *importing, struct error *err)
{
    CLEANUP(owners_release) struct owners all = {.items = NULL};
    err_code code = catalogue_list_owners(importing->catalogue, &all, err);

    for (size_t i = 0; !code && i < all.count; i++)
        if (!strcmp(all.items[i].host, importing->header->host) &&
            !is_named(importing, all.items[i].id))
            code = catalogue_remove_owner(importing->catalogue, &all.items[i],
                                          err);
    return code;
}

static err_code run_on_owner(struct catalogue *catalogue, const char *sql,
                             int64_t owner, struct error *err)
{
    struct statement *statement;
    err_code code = db_prepare(catalogue_db(catalogue), sql, &statement, err);

    if (code)
        return code;
    bind_int(statement, 1, owner);
    return statement_run(statement, err);
}

/* After the owners, before what they own: what is replaced goes. */
static err_code settle(struct importing *importing, struct error *err)
{
    struct catalogue *catalogue = importing->catalogue;
    err_code code = ERR_OK;

    if (importing->is_settled)
        return ERR_OK;
    importing->is_settled = true;
    code = remove_unnamed(importing, err);
    for (size_t i = 0; !code && i < importing->owners.count; i++) {
        const struct owner *owner = &importing->owners.items[i];
        code = run_on_owner(catalogue, "DELETE FROM poisoned WHERE owner = ?1",
                            owner->id, err);
        if (code || importing->header->kind == COMMIT_BATCH)
            continue;
        code = catalogue_clear_owner(catalogue, owner, err);
        if (!code)
            code =
                run_on_owner(catalogue, "DELETE FROM version WHERE owner = ?1",
                             owner->id, err);
    }
    return code;
}

/*
 * A version is a file on the drive, so one owner has it: ours stays ours; of
 * two other hosts, the one that has taken the job over.
 */
static err_code make_room(struct importing *importing, const char *drive_path,
                          int64_t claims, struct error *err)
{
    struct statement *delete;
    err_code code =
        db_prepare(catalogue_db(importing->catalogue),
                   "DELETE FROM version WHERE drive_path = ?1 AND owner IN "
                   "(SELECT id FROM owner WHERE host <> ?2 AND claims < ?3)",
                   &delete, err);

    if (code)
        return code;
    bind_text(delete, 1, drive_path);
    bind_text(delete, 2, importing->own_host);
    bind_int(delete, 3, claims);
    return statement_run(delete, err);
}

static err_code take_intent(struct importing *importing,
                            const struct owner *owner, struct intent *intent,
                            struct error *err)
{
    const struct commit_header *header = importing->header;
    struct commit_when when = {.now_ns = header->committed_ns};
    err_code code = peers_map_run(importing->catalogue, header->host,
                                  header->run, &when.run, err);

    intent->owner = owner->id;
    importing->has_moved |=
        intent->kind == INTENT_PLACE && intent->record.type == ENTRY_DIRECTORY;
    if (!code && intent->version)
        code = make_room(importing, intent->version, owner->claims, err);
    if (!code)
        code = commit_change(importing->catalogue, when, owner, intent, err);
    return code;
}

static err_code take_version(struct importing *importing,
                             const struct owner *owner, struct version *version,
                             struct error *err)
{
    err_code code = peers_map_run(importing->catalogue, importing->header->host,
                                  version->run, &version->run, err);

    version->owner = owner->id;
    if (!code)
        code = make_room(importing, version->drive_path, owner->claims, err);
    if (!code)
        code = catalogue_add_version(importing->catalogue, version, err);
    return code;
}

static err_code take_content(struct importing *importing,
                             struct commit_item *item, struct error *err)
{
    err_code code = settle(importing, err);

    if (code)
        return code;
    const struct owner *owner = &importing->owners.items[item->owner];
    switch (item->kind) {
    case COMMIT_ITEM_POISONED:
        return journal_poison(importing->catalogue, owner->id, item->path, err);
    case COMMIT_ITEM_INTENT:
        code = take_intent(importing, owner, &item->intent, err);
        break;
    case COMMIT_ITEM_ROW:
        code = catalogue_put(importing->catalogue, owner, item->path,
                             &item->record, err);
        break;
    case COMMIT_ITEM_VERSION:
        return take_version(importing, owner, &item->version, err);
    default:
        break;
    }
    /* Its directory has no row, as in commit_batch: it can be found by a look
     * at the drive. */
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static err_code take_item(struct importing *importing, struct commit_item *item,
                          struct error *err)
{
    const struct commit_header *header = importing->header;

    switch (item->kind) {
    case COMMIT_ITEM_OWNER:
        return take_owner(importing, &item->described, err);
    case COMMIT_ITEM_RUN:
        return peers_put_run(importing->catalogue, header->host, header->label,
                             &item->run, err);
    case COMMIT_ITEM_END:
        return settle(importing, err);
    default:
        return take_content(importing, item, err);
    }
}

static err_code look_only(void *context, const char *path,
                          const char *drive_path, const struct record *record,
                          struct error *err)
{
    return ERR_OK;
}

/* Trees that were moved into each other are no deeper than a walk can go. */
static err_code check_depth(struct importing *importing, struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < importing->owners.count; i++)
        code = catalogue_walk(importing->catalogue, &importing->owners.items[i],
                              look_only, NULL, err);
    return code;
}

static err_code take_all(struct importing *importing,
                         struct commit_reader *reader, struct error *err)
{
    struct commit_item item = {.kind = COMMIT_ITEM_OWNER};
    err_code code = ERR_OK;

    while (!code && item.kind != COMMIT_ITEM_END) {
        code = commit_read_item(reader, &item, err);
        if (!code)
            code = take_item(importing, &item, err);
    }
    if (!code && importing->has_moved)
        code = check_depth(importing, err);
    return code;
}

err_code import_file(struct catalogue *catalogue, const char *own_host,
                     const struct commit_source *source, struct error *err)
{
    struct commit_reader reader;
    struct importing importing = {
        .catalogue = catalogue,
        .own_host = own_host,
        .header = &reader.header,
    };
    err_code code = commit_reader_open(&reader, source, err);

    if (!code && !strcmp(reader.header.host, own_host))
        code = error_set(err, ERR_CORRUPT, "%s: not of another host",
                         source->name);
    if (!code)
        code = take_all(&importing, &reader, err);
    owners_release(&importing.owners);
    commit_reader_release(&reader);
    return code;
}
