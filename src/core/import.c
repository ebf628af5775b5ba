#include "core/import.h"

#include "core/base/array.h"
#include "core/claim.h"
#include "core/commit_file.h"
#include "core/db.h"
#include "core/history.h"
#include "core/import_file.h"
#include "core/log_files.h"
#include "core/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    const struct log_file *files;
    size_t count;
    struct told *told; /* one for each name */
};

/* What the header of a file says. */
struct told {
    bool is_bad;
    enum commit_kind kind;
    int64_t run;
    char parent[GENERATION_LENGTH + 1];
    char label[PEER_LABEL_SIZE];
};

static bool is_passed_over(err_code code)
{
    return code == ERR_CORRUPT || code == ERR_INVALID || code == ERR_CHANGED ||
           code == ERR_NOT_FOUND || code == ERR_REFUSED;
}

static err_code read_told(const struct host_log *log, size_t at,
                          struct error *err)
{
    const struct log_file *file = &log->files[at];
    struct told *told = &log->told[at];
    CLEANUP_FD int fd = -1;
    struct commit_source source;
    err_code code = log_file_open(log->volume, file, &fd, &source, err);

    told->is_bad = true;
    if (code)
        return is_passed_over(code) ? ERR_OK : code;
    struct commit_reader reader;
    code = commit_reader_open(&reader, &source, err);
    if (!code && log_file_is_as_named(log->volume, file, &reader.header)) {
        told->is_bad = false;
        told->kind = reader.header.kind;
        told->run = reader.header.run;
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
        if (log->files[i].sequence <= route->sequence)
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
        route->sequence = log->files[next].sequence;
        route->generation = log->files[next].generation;
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
                              .sequence = log->files[i].sequence,
                              .generation = log->files[i].generation};
        if (log->told[i].is_bad || !log->files[i].is_replica)
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
        if (!strcmp(owners.items[i].host, log->files->host))
            code =
                catalogue_remove_owner(log->catalogue, &owners.items[i], err);
    return code;
}

static bool is_own(const struct host_log *log)
{
    return !strcmp(log->files->host, log->own_host);
}

/* A file that turns out to be damaged is left out of the next try. */
static err_code take_step(const struct host_log *log, size_t at,
                          struct error *err)
{
    CLEANUP_FD int fd = -1;
    struct commit_source source;
    err_code code =
        log_file_open(log->volume, &log->files[at], &fd, &source, err);

    if (!code)
        code = import_file(log->catalogue, is_own(log) ? "" : log->own_host,
                           &source, err);
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
        if (log->files[at].is_replica && !is_first_replica)
            continue;
        code = take_step(log, at, err);
    }
    if (code)
        return code;
    peer->sequence = route->sequence;
    memmove(peer->generation, route->generation, strlen(route->generation) + 1);
    return peers_set(log->catalogue, log->files->host, peer, err);
}

static struct hash hash_names(const struct host_log *log)
{
    struct hasher *hasher = hasher_new();

    for (size_t i = 0; i < log->count; i++)
        hasher_add(hasher, log->files[i].name, strlen(log->files[i].name) + 1);
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

static int64_t last_run_told(const struct host_log *log)
{
    int64_t run = 0;

    for (size_t i = 0; i < log->count; i++)
        if (!log->told[i].is_bad && log->told[i].run > run)
            run = log->told[i].run;
    return run;
}

/* Numbers that the volume knows already are not given again. */
static err_code take_own(const struct host_log *log, struct error *err)
{
    err_code code = history_skip_to(log->catalogue, last_run_told(log), err);

    return code ? code : claim_own(log->catalogue, log->own_host, err);
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
        if (!code && is_own(log))
            code = take_own(log, err);
        if (!code)
            code = remove_superseded(log->catalogue, log->own_host, err);
        code = db_end(db, code, err);
        *out_again = code && count_bad(log) > bad;
    }
    route_release(&route);
    return code;
}

static err_code import_told(struct host_log *log, struct peer *peer,
                            struct error *err)
{
    CLEANUP_FREE struct told *told = xcalloc(log->count, sizeof *told);
    err_code code = ERR_OK;
    bool again = true;

    log->told = told;
    for (size_t i = 0; !code && i < log->count; i++)
        code = read_told(log, i, err);
    if (code)
        return code;
    /* Each failure takes a file out: it ends. */
    while (again)
        code = try_route(log, peer, &again, err);
    return code;
}

static err_code import_host(struct host_log *log, struct error *err)
{
    struct hash listing = hash_names(log);
    struct peer peer;
    err_code code = peers_get(log->catalogue, log->files->host, &peer, err);

    if (code || hash_equal(&peer.listing, &listing))
        return code;
    peer.listing = listing;
    return import_told(log, &peer, err);
}

/* --- all hosts --- */

static size_t length_of_host(const struct log_files *files, size_t first)
{
    size_t i = first;

    while (i < files->count &&
           !strcmp(files->items[i].host, files->items[first].host))
        i++;
    return i - first;
}

err_code import_logs(struct catalogue *catalogue, const struct volume *volume,
                     const char *own_host, struct error *err)
{
    CLEANUP(log_files_release) struct log_files files = {.items = NULL};
    err_code code = log_files_list(volume->root_fd, &files, err);

    for (size_t i = 0; !code && i < files.count;) {
        struct host_log log = {
            .catalogue = catalogue,
            .volume = volume,
            .own_host = own_host,
            .files = &files.items[i],
            .count = length_of_host(&files, i),
        };
        if (strcmp(log.files->host, own_host) != 0)
            code = import_host(&log, err);
        i += log.count;
    }
    return code;
}

/*
 * --- this host ---
 */

static struct host_log own_log(struct catalogue *catalogue,
                               const struct volume *volume,
                               const char *own_host,
                               const struct log_files *files)
{
    struct host_log log = {catalogue, volume, own_host, NULL, 0, NULL};

    for (size_t i = 0; i < files->count && !log.files; i++) {
        if (strcmp(files->items[i].host, own_host) != 0)
            continue;
        log.files = &files->items[i];
        log.count = length_of_host(files, i);
    }
    return log;
}

/* Only what was told after what is known; mostly there is nothing. */
static err_code last_run_after(struct host_log *log, const struct peer *peer,
                               int64_t *out, struct error *err)
{
    CLEANUP_FREE struct told *told = xcalloc(log->count + 1, sizeof *told);
    err_code code = ERR_OK;

    log->told = told;
    for (size_t i = 0; !code && i < log->count; i++)
        if (log->files[i].sequence > peer->sequence)
            code = read_told(log, i, err);
    *out = last_run_told(log);
    log->told = NULL;
    return code;
}

/* A batch that was told and given up has a run that is known. */
err_code import_is_behind(struct catalogue *catalogue,
                          const struct volume *volume, const char *own_host,
                          bool *out, struct error *err)
{
    CLEANUP(log_files_release) struct log_files files = {.items = NULL};
    struct peer peer;
    int64_t known = 0, told = 0;
    err_code code = log_files_list(volume->root_fd, &files, err);

    if (!code)
        code = peers_get(catalogue, own_host, &peer, err);
    if (!code)
        code = history_last_run(catalogue, &known, err);
    if (code)
        return code;
    struct host_log log = own_log(catalogue, volume, own_host, &files);
    code = last_run_after(&log, &peer, &told, err);
    *out = !code && told > known;
    return code;
}

err_code import_refuse(const struct volume *volume, struct error *err)
{
    return error_set(err, ERR_REFUSED,
                     "volume %s knows of later runs of this machine than its "
                     "state directory does (was it restored from a backup?): "
                     "`berth job claim JOB`, with a job of the volume, learns "
                     "them from it",
                     volume->marker.name);
}

err_code import_own_log(struct catalogue *catalogue,
                        const struct volume *volume, const char *own_host,
                        struct error *err)
{
    CLEANUP(log_files_release) struct log_files files = {.items = NULL};
    struct peer peer;
    err_code code = log_files_list(volume->root_fd, &files, err);

    if (!code)
        code = peers_get(catalogue, own_host, &peer, err);
    if (code)
        return code;
    struct host_log log = own_log(catalogue, volume, own_host, &files);
    return log.count ? import_told(&log, &peer, err) : ERR_OK;
}
