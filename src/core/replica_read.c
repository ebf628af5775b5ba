#include "core/replica_read.h"

#include "core/base/path.h"
#include "core/db.h"
#include "core/marker.h"
#include "core/offload_copies.h"
#include "core/peers.h"
#include "core/replica.h"
#include "platform/platform_io.h"

#include <string.h>

#define META_READ "replica_read" /* generation of the last file read back */

struct reading {
    const struct volume *volume;
    const char *host;
    bool device_is_fresh;
    bool has_no_proof;
    struct log_names names;
    char generation[GENERATION_LENGTH + 1]; /* of the next file */
    int64_t until_ns;
};

static const struct log_name *find(const struct reading *reading)
{
    for (size_t i = 0; i < reading->names.count; i++) {
        const struct log_name *name = &reading->names.items[i];
        if (!strcmp(name->host, reading->host) &&
            !strcmp(name->generation, reading->generation))
            return name;
    }
    return NULL;
}

static bool is_as_named(const struct reading *reading,
                        const struct log_name *name,
                        const struct commit_header *header)
{
    return !strcmp(header->volume, reading->volume->marker.id) &&
           !strcmp(header->host, name->host) &&
           header->sequence == name->sequence &&
           !strcmp(header->generation, name->generation) &&
           (header->kind != COMMIT_BATCH) == name->is_replica;
}

/* The header is believed because the whole is read and hashed behind it. */
static err_code read_whole(struct reading *reading, const struct log_name *name,
                           int fd, struct error *err)
{
    const struct commit_source source = {
        .fd = fd,
        .limit_bytes =
            name->is_replica ? REPLICA_LIMIT_BYTES : COMMIT_LIMIT_BYTES,
        .name = name->name,
    };
    struct commit_item item = {.kind = COMMIT_ITEM_OWNER};
    struct commit_reader reader;
    err_code code = commit_reader_open(&reader, &source, err);

    if (!code && !is_as_named(reading, name, &reader.header))
        code = error_set(err, ERR_CORRUPT, "%s: not what its name says",
                         name->name);
    while (!code && item.kind != COMMIT_ITEM_END)
        code = commit_read_item(&reader, &item, err);
    if (!code) {
        if (reader.header.committed_ns > reading->until_ns)
            reading->until_ns = reader.header.committed_ns;
        /* A replica needs nothing before it. */
        memset(reading->generation, 0, sizeof reading->generation);
        if (reader.header.kind == COMMIT_BATCH)
            memcpy(reading->generation, reader.header.parent,
                   strlen(reader.header.parent));
    }
    commit_reader_release(&reader);
    return code;
}

static err_code read_one(struct reading *reading, const struct log_name *name,
                         struct error *err)
{
    CLEANUP_FREE char *path = path_join(COMMITS_PATH, name->name);
    CLEANUP_FD int fd = -1;
    enum platform_proof proof = PLATFORM_PROOF_CACHE;
    struct platform_stat stat = {.size_bytes = 0};
    err_code code = platform_open_beneath(reading->volume->root_fd, path,
                                          PLATFORM_OPEN_READ, &fd, err);

    if (!code)
        code = platform_stat_fd(fd, &stat, err);
    if (!code)
        code = platform_drop_cache(fd, stat.size_bytes, &proof, err);
    if (code)
        return code;
    reading->has_no_proof =
        proof != PLATFORM_PROOF_DEVICE && !reading->device_is_fresh;
    return reading->has_no_proof ? ERR_OK : read_whole(reading, name, fd, err);
}

/* Backwards, by the parents. Each step leads to a smaller number, so that it
 * ends whatever the files say. */
static err_code follow(struct reading *reading, const char *known,
                       struct error *err)
{
    int64_t before = INT64_MAX;
    err_code code = ERR_OK;

    while (!code && *reading->generation && !reading->has_no_proof) {
        const struct log_name *name = find(reading);
        if (!strcmp(reading->generation, known))
            return ERR_OK;
        if (!name || name->sequence >= before)
            return error_set(err, ERR_CORRUPT, "%s-…-%s is missing",
                             reading->host, reading->generation);
        before = name->sequence;
        code = read_one(reading, name, err);
    }
    return code;
}

static err_code note(struct catalogue *catalogue, int64_t until_ns,
                     const char *generation, struct error *err)
{
    struct db *db = catalogue_db(catalogue);
    err_code code = db_begin(db, err);

    if (code)
        return code;
    code = offload_note_replica(catalogue, until_ns, err);
    if (!code)
        code = catalogue_set_meta(catalogue, META_READ, generation, err);
    if (!code)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

/* What was noted of it before holds no longer; the next replica says all. */
static err_code give_up(struct catalogue *catalogue, const char *host,
                        struct error *err)
{
    err_code code = peers_mark_due(catalogue, host, err);

    return code ? code : note(catalogue, 0, "", err);
}

err_code replica_read_back(struct catalogue *catalogue,
                           const struct volume *volume, const char *host,
                           bool device_is_fresh, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf known = STRBUF_INIT;
    struct reading reading = {
        .volume = volume, .host = host, .device_is_fresh = device_is_fresh};
    struct peer peer;
    bool found;
    err_code code = peers_get(catalogue, host, &peer, err);

    if (!code)
        code = catalogue_get_meta(catalogue, META_READ, &known, &found, err);
    if (!code)
        code = offload_replica_until(catalogue, &reading.until_ns, err);
    if (code || !peer.sequence || !strcmp(known.text, peer.generation))
        return code;
    memcpy(reading.generation, peer.generation, sizeof peer.generation);
    code = replica_list(volume->root_fd, &reading.names, err);
    if (!code)
        code = follow(&reading, known.text, err);
    log_names_release(&reading.names);
    if (code == ERR_CORRUPT || code == ERR_NOT_FOUND || code == ERR_CHANGED) {
        err_code noted = give_up(catalogue, host, NULL);
        return noted ? noted : ERR_CORRUPT;
    }
    if (code || reading.has_no_proof)
        return code;
    return note(catalogue, reading.until_ns, peer.generation, err);
}
