#include "core/import.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/commit.h"
#include "core/db.h"
#include "core/marker.h"
#include "core/peers.h"
#include "core/replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * --- one file ---
 */

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

/*
 * --- who is in charge ---
 */

static bool is_superseded(const struct owners *owners,
                          const struct owner *owner)
{
    for (size_t i = 0; i < owners->count; i++)
        if (!strcmp(owners->items[i].directory, owner->directory) &&
            owners->items[i].claims > owner->claims)
            return true;
    return false;
}

/* What a host had said before another took the job over is history. */
static err_code remove_superseded(struct catalogue *catalogue,
                                  const char *own_host, struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    err_code code = catalogue_list_owners(catalogue, &owners, err);

    for (size_t i = 0; !code && i < owners.count; i++)
        if (strcmp(owners.items[i].host, own_host) != 0 &&
            is_superseded(&owners, &owners.items[i]))
            code = catalogue_remove_owner(catalogue, &owners.items[i], err);
    return code;
}

/*
 * --- one host ---
 */

struct host_log {
    struct catalogue *catalogue;
    const struct volume *volume;
    const char *own_host;
    const struct log_name *names;
    size_t count;
    struct told *told; /* one for each name */
};

/* What the header of a file says. */
struct told {
    bool is_bad;
    enum commit_kind kind;
    char parent[GENERATION_LENGTH + 1];
    char label[PEER_LABEL_SIZE];
};

static bool is_passed_over(err_code code)
{
    return code == ERR_CORRUPT || code == ERR_INVALID || code == ERR_CHANGED ||
           code == ERR_NOT_FOUND || code == ERR_REFUSED;
}

static err_code open_file(const struct host_log *log, const struct log_name *at,
                          int *out_fd, struct error *err)
{
    CLEANUP_FREE char *path = path_join(COMMITS_PATH, at->name);

    return platform_open_beneath(log->volume->root_fd, path, PLATFORM_OPEN_READ,
                                 out_fd, err);
}

static struct commit_source source_of(const struct log_name *name, int fd)
{
    return (struct commit_source){
        .fd = fd,
        .limit_bytes =
            name->is_replica ? REPLICA_LIMIT_BYTES : COMMIT_LIMIT_BYTES,
        .name = name->name,
    };
}

static bool is_as_named(const struct host_log *log, const struct log_name *name,
                        const struct commit_header *header)
{
    return !strcmp(header->volume, log->volume->marker.id) &&
           !strcmp(header->host, name->host) &&
           header->sequence == name->sequence &&
           !strcmp(header->generation, name->generation) &&
           (header->kind != COMMIT_BATCH) == name->is_replica;
}

static err_code read_told(const struct host_log *log, size_t at,
                          struct error *err)
{
    const struct log_name *name = &log->names[at];
    struct told *told = &log->told[at];
    CLEANUP_FD int fd = -1;
    err_code code = open_file(log, name, &fd, err);

    told->is_bad = true;
    if (code)
        return is_passed_over(code) ? ERR_OK : code;
    struct commit_reader reader;
    const struct commit_source source = source_of(name, fd);
    code = commit_reader_open(&reader, &source, err);
    if (!code && is_as_named(log, name, &reader.header)) {
        told->is_bad = false;
        told->kind = reader.header.kind;
        memcpy(told->parent, reader.header.parent,
               strlen(reader.header.parent) + 1);
        snprintf(told->label, sizeof told->label, "%s", reader.header.label);
    }
    commit_reader_release(&reader);
    return is_passed_over(code) ? ERR_OK : code;
}

/* Where to begin, and what follows. */
struct route {
    enum { BEGIN_KNOWN, BEGIN_REPLICA, BEGIN_NOTHING } begin;
    struct {
        size_t *items; /* a replica, if that is the beginning; then the rest */
        size_t count, capacity;
    } steps;
    int64_t sequence; /* at its end */
    const char *generation;
};

static void route_release(struct route *route)
{
    free(route->steps.items);
    *route = (struct route){.begin = BEGIN_NOTHING};
}

/* Of two that follow, one belongs to a batch that was given up: the later
 * one is what its host went on with. */
static bool find_next(const struct host_log *log, const struct route *route,
                      size_t *out)
{
    for (size_t i = log->count; i-- > 0;) {
        const struct told *told = &log->told[i];
        if (log->names[i].sequence <= route->sequence)
            return false;
        if (told->is_bad || told->kind == COMMIT_RESTATED ||
            strcmp(told->parent, route->generation) != 0)
            continue;
        *out = i;
        return true;
    }
    return false;
}

static void go_on(const struct host_log *log, struct route *route)
{
    size_t next;

    while (find_next(log, route, &next)) {
        ARRAY_PUSH(&route->steps, next);
        route->sequence = log->names[next].sequence;
        route->generation = log->names[next].generation;
    }
}

static void keep_better(struct route *best, struct route *other)
{
    if (best->generation && best->sequence >= other->sequence) {
        route_release(other);
        return;
    }
    route_release(best);
    *best = *other;
}

/* The one that leads furthest; of equal ones the one with least to read. */
static struct route find_route(const struct host_log *log,
                               const struct peer *peer)
{
    struct route best = {.begin = BEGIN_KNOWN,
                         .sequence = peer->sequence,
                         .generation = peer->generation};

    go_on(log, &best);
    for (size_t i = log->count; i-- > 0;) {
        struct route route = {.begin = BEGIN_REPLICA,
                              .sequence = log->names[i].sequence,
                              .generation = log->names[i].generation};
        if (log->told[i].is_bad || !log->names[i].is_replica)
            continue;
        ARRAY_PUSH(&route.steps, i);
        go_on(log, &route);
        keep_better(&best, &route);
    }
    struct route route = {.begin = BEGIN_NOTHING, .generation = ""};
    go_on(log, &route);
    keep_better(&best, &route);
    return best;
}

static err_code forget_host(const struct host_log *log, struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    err_code code = catalogue_list_owners(log->catalogue, &owners, err);

    for (size_t i = 0; !code && i < owners.count; i++)
        if (!strcmp(owners.items[i].host, log->names->host))
            code =
                catalogue_remove_owner(log->catalogue, &owners.items[i], err);
    return code;
}

/* A file that turns out to be damaged is left out of the next try. */
static err_code take_step(const struct host_log *log, size_t at,
                          struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = open_file(log, &log->names[at], &fd, err);

    if (!code) {
        const struct commit_source source = source_of(&log->names[at], fd);
        code = import_file(log->catalogue, log->own_host, &source, err);
    }
    if (is_passed_over(code))
        log->told[at].is_bad = true;
    return code;
}

static err_code go_route(const struct host_log *log, const struct route *route,
                         struct peer *peer, struct error *err)
{
    err_code code =
        route->begin == BEGIN_NOTHING ? forget_host(log, err) : ERR_OK;

    for (size_t i = 0; !code && i < route->steps.count; i++) {
        size_t at = route->steps.items[i];
        memcpy(peer->label, log->told[at].label, sizeof peer->label);
        bool is_first_replica = !i && route->begin == BEGIN_REPLICA;
        /* A replica on the way says what is known by then. */
        if (log->names[at].is_replica && !is_first_replica)
            continue;
        code = take_step(log, at, err);
    }
    if (code)
        return code;
    peer->sequence = route->sequence;
    memmove(peer->generation, route->generation, strlen(route->generation) + 1);
    return peers_set(log->catalogue, log->names->host, peer, err);
}

static struct hash hash_names(const struct host_log *log)
{
    struct hasher *hasher = hasher_new();

    for (size_t i = 0; i < log->count; i++)
        hasher_add(hasher, log->names[i].name, strlen(log->names[i].name) + 1);
    struct hash hash = hasher_digest(hasher);
    hasher_free(hasher);
    return hash;
}

static size_t count_bad(const struct host_log *log)
{
    size_t count = 0;

    for (size_t i = 0; i < log->count; i++)
        count += log->told[i].is_bad;
    return count;
}

static err_code try_route(const struct host_log *log, struct peer *peer,
                          bool *out_again, struct error *err)
{
    struct db *db = catalogue_db(log->catalogue);
    struct peer reached = *peer;
    struct route route = find_route(log, peer);
    err_code code = db_begin(db, err);

    size_t bad = count_bad(log);

    *out_again = false;
    if (!code) {
        code = go_route(log, &route, &reached, err);
        if (!code)
            code = remove_superseded(log->catalogue, log->own_host, err);
        if (!code)
            code = db_commit(db, err);
        else
            db_rollback(db);
        *out_again = code && count_bad(log) > bad;
    }
    route_release(&route);
    return code;
}

static err_code import_host(struct host_log *log, struct error *err)
{
    struct hash listing = hash_names(log);
    struct peer peer;
    err_code code = peers_get(log->catalogue, log->names->host, &peer, err);
    bool again = true;

    if (code || hash_equal(&peer.listing, &listing))
        return code;
    CLEANUP_FREE struct told *told = xcalloc(log->count, sizeof *told);
    log->told = told;
    for (size_t i = 0; !code && i < log->count; i++)
        code = read_told(log, i, err);
    if (code)
        return code;
    peer.listing = listing;
    /* Each failure takes a file out: it ends. */
    while (again)
        code = try_route(log, &peer, &again, err);
    return code;
}

/* --- all hosts --- */

static size_t length_of_host(const struct log_names *names, size_t first)
{
    size_t i = first;

    while (i < names->count &&
           !strcmp(names->items[i].host, names->items[first].host))
        i++;
    return i - first;
}

err_code import_logs(struct catalogue *catalogue, const struct volume *volume,
                     const char *own_host, struct error *err)
{
    CLEANUP(log_names_release) struct log_names names = {.items = NULL};
    err_code code = replica_list(volume->root_fd, &names, err);

    for (size_t i = 0; !code && i < names.count;) {
        struct host_log log = {
            .catalogue = catalogue,
            .volume = volume,
            .own_host = own_host,
            .names = &names.items[i],
            .count = length_of_host(&names, i),
        };
        if (strcmp(log.names->host, own_host) != 0)
            code = import_host(&log, err);
        i += log.count;
    }
    return code;
}
