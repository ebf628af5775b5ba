#include "core/replica_read.h"

#include "core/db.h"
#include "core/log_files.h"
#include "core/offload_copies.h"
#include "core/peers.h"
#include "platform/platform_io.h"

#include <string.h>

#define META_READ "replica_read" /* generation of the last file read back */

struct reading {
    const struct volume *volume;
    const char *host;
    bool needs_proof; /* that it is the device which is read */
    bool has_no_proof;
    struct log_files files;
    char generation[GENERATION_LENGTH + 1]; /* of the next file */
    int64_t until_ns;
};

static const struct log_file *find(const struct reading *reading)
{
    for (size_t i = 0; i < reading->files.count; i++) {
        const struct log_file *file = &reading->files.items[i];
        if (!strcmp(file->host, reading->host) &&
            !strcmp(file->generation, reading->generation))
            return file;
    }
    return NULL;
}

/* Only behind the hash of the whole is the header to be believed. */
static err_code read_whole(struct reading *reading, const struct log_file *file,
                           const struct commit_source *source,
                           struct error *err)
{
    struct commit_item item = {.kind = COMMIT_ITEM_OWNER};
    struct commit_reader reader;
    err_code code = commit_reader_open(&reader, source, err);

    while (!code && item.kind != COMMIT_ITEM_END)
        code = commit_read_item(&reader, &item, err);
    if (!code && !log_file_is_as_named(reading->volume, file, &reader.header))
        code = error_set(err, ERR_CORRUPT, "%s: not what its name says",
                         file->name);
    if (!code) {
        if (reader.header.committed_ns > reading->until_ns)
            reading->until_ns = reader.header.committed_ns;
        /* A replica needs nothing before it. */
        const char *before = file->is_replica ? "" : reader.header.parent;
        memcpy(reading->generation, before, strlen(before) + 1);
    }
    commit_reader_release(&reader);
    return code;
}

static err_code read_one(struct reading *reading, const struct log_file *file,
                         struct error *err)
{
    CLEANUP_FD int fd = -1;
    enum platform_proof proof = PLATFORM_PROOF_CACHE;
    struct platform_stat stat = {.size_bytes = 0};
    struct commit_source source;
    err_code code = log_file_open(reading->volume, file, &fd, &source, err);

    if (!code)
        code = platform_stat_fd(fd, &stat, err);
    if (!code)
        code = platform_drop_cache(fd, stat.size_bytes, &proof, err);
    if (code)
        return code;
    reading->has_no_proof =
        reading->needs_proof && proof != PLATFORM_PROOF_DEVICE;
    return reading->has_no_proof ? ERR_OK
                                 : read_whole(reading, file, &source, err);
}

/*
 * Backwards by the parents, from `last` to `known` or to where the log begins.
 * Each step leads to a smaller number, so that it ends whatever the files say.
 */
static err_code follow(struct reading *reading, const struct peer *last,
                       const char *known, bool only_last, struct error *err)
{
    int64_t limit = last->sequence;
    err_code code =
        log_files_list(reading->volume->root_fd, &reading->files, err);

    memcpy(reading->generation, last->generation, sizeof last->generation);
    while (!code && *reading->generation && !reading->has_no_proof) {
        const struct log_file *file = find(reading);
        if (!strcmp(reading->generation, known))
            break;
        if (!file || file->sequence > limit) {
            code = error_set(err, ERR_CORRUPT, "%s-…-%s is missing",
                             reading->host, reading->generation);
            break;
        }
        limit = file->sequence - 1;
        code = read_one(reading, file, err);
        if (only_last)
            break;
    }
    log_files_release(&reading->files);
    return code;
}

err_code replica_reads_back(const struct volume *volume,
                            struct catalogue *catalogue, const char *host,
                            bool all, bool *out, struct error *err)
{
    struct reading reading = {.volume = volume, .host = host};
    struct peer last;
    err_code code = peers_get(catalogue, host, &last, err);

    *out = true;
    if (code || !last.sequence)
        return code;
    *out = !follow(&reading, &last, "", !all, NULL);
    return *out ? ERR_OK : volume_check(volume, err);
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
    return db_end(db, code, err);
}

/* What was noted of it before holds no longer; the next replica says all. */
static err_code give_up(struct catalogue *catalogue, const char *host,
                        struct error *err)
{
    err_code code = peers_mark_due(catalogue, host, err);

    return code ? code : note(catalogue, 0, "", err);
}

err_code replica_note_read_back(struct catalogue *catalogue,
                                const struct volume *volume, const char *host,
                                bool device_is_fresh, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf known = STRBUF_INIT;
    struct reading reading = {
        .volume = volume, .host = host, .needs_proof = !device_is_fresh};
    struct peer last;
    bool found;
    err_code code = peers_get(catalogue, host, &last, err);

    if (!code)
        code = catalogue_get_meta(catalogue, META_READ, &known, &found, err);
    if (!code)
        code = offload_replica_until(catalogue, &reading.until_ns, err);
    if (code || !last.sequence || !strcmp(known.text, last.generation))
        return code;
    code = follow(&reading, &last, known.text, false, err);
    if (code == ERR_CORRUPT || code == ERR_NOT_FOUND || code == ERR_CHANGED) {
        err_code noted = give_up(catalogue, host, NULL);
        return noted ? noted : ERR_CORRUPT;
    }
    if (code || reading.has_no_proof)
        return code;
    return note(catalogue, reading.until_ns, last.generation, err);
}
