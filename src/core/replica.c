#include "core/replica.h"

#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/db.h"
#include "core/log_files.h"
#include "core/marker.h"
#include "core/peers.h"
#include "platform/platform_host.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * A replica is written when the commit files since the last one take more
 * than it does, so that a drive's log is at most some twice its content and
 * each byte is written some three times at most; or when they are many.
 */
#define LOG_BYTES_AT_LEAST ((int64_t)4 * 1024 * 1024)
#define LOG_COUNT_AT_MOST 128
/* Runs told of again at the beginning of a session: their ends are new. */
#define RUNS_TOLD 8

static bool is_ours(const struct session *session, const struct owner *owner)
{
    return !strcmp(owner->host, session->host);
}

static char *make_label(void)
{
    CLEANUP_FREE char *host_name = platform_host_name();
    CLEANUP_FREE char *user = platform_user_name();

    return xasprintf("%.120s/%.120s", host_name, user);
}

/* --- this host's files on the volume --- */

struct own_log {
    int64_t highest;
    int64_t commits;
    bool has_replica, has_last;
};

static err_code read_own_log(struct session *session, const struct peer *peer,
                             struct own_log *out, struct error *err)
{
    CLEANUP(log_files_release) struct log_files files = {.items = NULL};
    err_code code = log_files_list(session->volume->root_fd, &files, err);

    *out = (struct own_log){.highest = peer->sequence};
    for (size_t i = 0; !code && i < files.count; i++) {
        const struct log_file *file = &files.items[i];
        if (strcmp(file->host, session->host) != 0)
            continue;
        if (file->sequence > out->highest)
            out->highest = file->sequence;
        out->commits += !file->is_replica;
        out->has_replica |= file->is_replica;
        out->has_last |= file->sequence == peer->sequence &&
                         !strcmp(file->generation, peer->generation);
    }
    return code;
}

/*
 * Once a session. Whether the volume still has what it was told; a number
 * that no file has, not even one of a batch that was given up.
 */
static err_code look_at_own_log(struct session *session, struct error *err)
{
    struct own_log log;
    struct peer peer;
    err_code code = peers_get(session->catalogue, session->host, &peer, err);

    if (code || session->told_sequence)
        return code;
    code = read_own_log(session, &peer, &log, err);
    bool is_missing =
        peer.sequence && (!log.has_last || log.commits < peer.log_count ||
                          (peer.replica_bytes && !log.has_replica));
    if (!code && is_missing)
        code = peers_mark_due(session->catalogue, session->host, err);
    if (!code)
        code = fsops_ensure_own_directory(&session->ops, COMMITS_PATH,
                                          FSOPS_SHARED, err);
    if (!code)
        session->told_sequence = log.highest;
    return code;
}

static err_code new_generation(char out[GENERATION_LENGTH + 1],
                               struct error *err)
{
    char id[VOLUME_ID_HEX_LENGTH + 1];
    err_code code = marker_new_id(id, err);

    if (code)
        return code;
    memcpy(out, id, GENERATION_LENGTH);
    out[GENERATION_LENGTH] = '\0';
    return ERR_OK;
}

/* --- what both kinds of files say --- */

struct telling {
    struct session *session;
    const struct owners *owners;
    struct commit_writer *writer;
    size_t owner; /* how many-eth of this host */
    int runs_left;
};

static void tell_owners(struct telling *telling)
{
    for (size_t i = 0; i < telling->owners->count; i++) {
        const struct commit_item item = {
            .kind = COMMIT_ITEM_OWNER,
            .described = telling->owners->items[i],
        };
        if (is_ours(telling->session, &telling->owners->items[i]))
            commit_write_item(telling->writer, &item);
    }
}

static err_code tell_run(void *context, const struct run *run,
                         struct error *err)
{
    struct telling *telling = context;
    const struct commit_item item = {.kind = COMMIT_ITEM_RUN, .run = *run};
    bool is_foreign;
    err_code code = peers_is_foreign_run(telling->session->catalogue, run->id,
                                         &is_foreign, err);

    if (code || is_foreign) /* its own host tells of it */
        return code;
    commit_write_item(telling->writer, &item);
    return --telling->runs_left ? ERR_OK : ERR_EXISTS;
}

static err_code tell_poisoned(struct telling *telling,
                              const struct owner *owner, struct error *err)
{
    CLEANUP(paths_release) struct paths paths = {.items = NULL};
    err_code code = journal_list_poisoned(telling->session->catalogue,
                                          owner->id, &paths, err);

    for (size_t i = 0; !code && i < paths.count; i++) {
        const struct commit_item item = {
            .kind = COMMIT_ITEM_POISONED,
            .owner = telling->owner,
            .path = paths.items[i],
        };
        commit_write_item(telling->writer, &item);
    }
    return code;
}

typedef err_code tell_of_owner(struct telling *telling,
                               const struct owner *owner, struct error *err);

static err_code for_each_own(struct telling *telling, tell_of_owner *tell,
                             struct error *err)
{
    const struct owners *owners = telling->owners;
    err_code code = ERR_OK;

    telling->owner = 0;
    for (size_t i = 0; !code && i < owners->count; i++) {
        if (!is_ours(telling->session, &owners->items[i]))
            continue;
        code = tell(telling, &owners->items[i], err);
        telling->owner++;
    }
    return code;
}

static err_code tell_runs(struct telling *telling, int64_t only, int limit,
                          struct error *err)
{
    telling->runs_left = limit;
    err_code code =
        history_walk(telling->session->catalogue, only, tell_run, telling, err);
    return code == ERR_EXISTS ? ERR_OK : code;
}

/* --- a batch --- */

static void tell_intents(struct telling *telling, const struct batch *batch)
{
    const struct owners *owners = telling->owners;

    for (size_t i = 0; i < batch->intents.count; i++) {
        struct commit_item item = {.kind = COMMIT_ITEM_INTENT,
                                   .intent = batch->intents.items[i]};
        bool is_own = false;
        if (batch->codes[i] || !*item.intent.path)
            continue;
        for (size_t j = 0; !is_own && j < owners->count; j++) {
            bool is_it = owners->items[j].id == item.intent.owner;
            if (is_ours(telling->session, &owners->items[j])) {
                is_own = is_it;
                item.owner += !is_it;
            }
        }
        if (is_own)
            commit_write_item(telling->writer, &item);
    }
}

static err_code write_batch(struct telling *telling, const struct batch *batch,
                            bool is_first, const char *path, struct error *err)
{
    const struct session *session = telling->session;
    err_code code = tell_runs(telling, is_first ? 0 : session->run,
                              is_first ? RUNS_TOLD : 1, err);

    if (!code)
        code = for_each_own(telling, tell_poisoned, err);
    if (code)
        return code;
    tell_intents(telling, batch);
    return commit_writer_finish(telling->writer, path, err);
}

static err_code create_staged(struct session *session, char **out_path,
                              int *out_fd, struct error *err)
{
    /* Recovery comes before the session's own staging. */
    char *path = session->staging ? session_new_staged(session)
                                  : xstrdup(STAGING_PATH "/commit");
    err_code code = fsops_ensure_directory(&session->ops, STAGING_PATH, err);

    if (!code)
        code = fsops_unlink_if_there(&session->ops, path, err);
    if (!code)
        code = fsops_create(&session->ops, path, 0644, out_fd, err);
    if (code)
        free(path);
    else
        *out_path = path;
    return code;
}

static char *name_of(const struct session *session, int64_t sequence,
                     const char *generation, const char *kind)
{
    return xasprintf(COMMITS_PATH "/%s-%016" PRIx64 "-%s.%s", session->host,
                     (uint64_t)sequence, generation, kind);
}

/* Writes the file in staging and gives it its name. */
static err_code place_batch(struct session *session,
                            const struct owners *owners,
                            const struct commit_header *header,
                            const struct batch *batch, bool is_first,
                            int64_t *out_bytes, struct error *err)
{
    CLEANUP_FREE char *staged = NULL;
    CLEANUP_FREE char *path =
        name_of(session, header->sequence, header->generation, "commit");
    CLEANUP_FD int fd = -1;
    struct commit_writer writer;
    struct telling telling = {session, owners, &writer, 0, 0};
    err_code code = create_staged(session, &staged, &fd, err);

    if (code)
        return code;
    commit_writer_init(&writer, fd, header);
    tell_owners(&telling);
    code = write_batch(&telling, batch, is_first, path, err);
    *out_bytes = writer.written_bytes;
    commit_writer_release(&writer);
    if (!code)
        code = fsops_rename(&session->ops, staged, path, err);
    return code;
}

err_code replica_tell_batch(struct session *session,
                            const struct owners *owners, struct batch *batch,
                            struct error *err)
{
    CLEANUP_FREE char *label = make_label();
    bool is_first = !session->told_sequence;
    char generation[GENERATION_LENGTH + 1];
    struct peer peer;
    int64_t bytes = 0;
    err_code code = commit_prepare(session, batch, err);

    if (!code)
        code = look_at_own_log(session, err);
    if (!code)
        code = peers_get(session->catalogue, session->host, &peer, err);
    if (!code)
        code = new_generation(generation, err);
    if (code)
        return code;
    const struct commit_header header = {
        .kind = COMMIT_BATCH,
        .volume = session->volume->marker.id,
        .host = session->host,
        .label = label,
        .sequence = session->told_sequence + 1,
        .generation = generation,
        .parent = peer.generation,
        .run = session->run,
        .committed_ns = batch->committed_ns,
    };
    code = place_batch(session, owners, &header, batch, is_first, &bytes, err);
    if (code == ERR_NO_SPACE) /* untold: replica_note_batch makes it due */
        return ERR_OK;
    if (code)
        return code;
    session->told_sequence = header.sequence;
    batch->told.sequence = header.sequence;
    batch->told.bytes = bytes;
    memcpy(batch->told.generation, generation, sizeof generation);
    return ERR_OK;
}

static int64_t in_clusters(const struct session *session, int64_t bytes)
{
    int64_t cluster = session->traits.cluster_bytes;

    return cluster > 0 ? (bytes + cluster - 1) / cluster * cluster : bytes;
}

err_code replica_note_batch(struct session *session, const struct batch *batch,
                            struct error *err)
{
    struct peer peer;

    if (!batch->told.sequence)
        return peers_mark_due(session->catalogue, session->host, err);
    err_code code = peers_get(session->catalogue, session->host, &peer, err);
    if (code)
        return code;
    peer.sequence = batch->told.sequence;
    memcpy(peer.generation, batch->told.generation, sizeof peer.generation);
    peer.log_bytes += in_clusters(session, batch->told.bytes);
    peer.log_count++;
    return peers_set(session->catalogue, session->host, &peer, err);
}

/* --- a replica --- */

static err_code tell_row(void *context, const char *path,
                         const char *drive_path, const struct record *record,
                         struct error *err)
{
    struct telling *telling = context;
    const struct commit_item item = {
        .kind = COMMIT_ITEM_ROW,
        .owner = telling->owner,
        .path = path,
        .record = *record,
    };

    commit_write_item(telling->writer, &item);
    return ERR_OK;
}

static err_code tell_rows(struct telling *telling, const struct owner *owner,
                          struct error *err)
{
    return catalogue_walk(telling->session->catalogue, owner, tell_row, telling,
                          err);
}

static err_code tell_version(void *context, const struct version *version,
                             struct error *err)
{
    struct telling *telling = context;
    const struct commit_item item = {
        .kind = COMMIT_ITEM_VERSION,
        .owner = telling->owner,
        .version = *version,
    };

    commit_write_item(telling->writer, &item);
    return ERR_OK;
}

static err_code tell_versions(struct telling *telling,
                              const struct owner *owner, struct error *err)
{
    return catalogue_walk_versions(telling->session->catalogue, owner->id, "",
                                   tell_version, telling, err);
}

static err_code write_replica(struct telling *telling, const char *path,
                              struct error *err)
{
    tell_owners(telling);
    err_code code = tell_runs(telling, 0, -1, err);
    if (!code)
        code = for_each_own(telling, tell_poisoned, err);
    if (!code)
        code = for_each_own(telling, tell_rows, err);
    if (!code)
        code = for_each_own(telling, tell_versions, err);
    if (!code)
        code = commit_writer_finish(telling->writer, path, err);
    return code;
}

static err_code stage_replica(struct session *session,
                              const struct commit_header *header,
                              char **out_staged, int64_t *out_bytes,
                              struct error *err)
{
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    CLEANUP_FREE char *staged = NULL;
    CLEANUP_FD int fd = -1;
    struct commit_writer writer;
    struct telling telling = {session, &owners, &writer, 0, 0};
    err_code code = catalogue_list_owners(session->catalogue, &owners, err);

    if (!code)
        code = create_staged(session, &staged, &fd, err);
    if (code)
        return code;
    commit_writer_init(&writer, fd, header);
    code = write_replica(&telling, staged, err);
    *out_bytes = writer.written_bytes;
    commit_writer_release(&writer);
    if (!code)
        *out_staged = TAKE_PTR(staged);
    return code;
}

/*
 * What the replica says as well. On a volume that was left uncleanly a file's
 * clusters may be another's, too: nothing is removed there.
 */
static err_code remove_superseded(struct session *session, int64_t sequence,
                                  struct error *err)
{
    CLEANUP(log_files_release) struct log_files files = {.items = NULL};
    err_code code = ERR_OK;

    if (session->is_unclean)
        return ERR_OK;
    code = log_files_list(session->volume->root_fd, &files, err);
    for (size_t i = 0; !code && i < files.count; i++) {
        const struct log_file *file = &files.items[i];
        CLEANUP_FREE char *path = path_join(COMMITS_PATH, file->name);
        if (!strcmp(file->host, session->host) && file->sequence < sequence)
            code = fsops_unlink_if_there(&session->ops, path, err);
    }
    return code ? code : session_barrier(session, err);
}

static err_code place_replica(struct session *session,
                              const struct commit_header *header,
                              const char *staged, int64_t bytes,
                              struct error *err)
{
    CLEANUP_FREE char *path =
        name_of(session, header->sequence, header->generation, "replica");
    struct peer peer = {
        .sequence = header->sequence,
        .replica_bytes = in_clusters(session, bytes),
    };

    memcpy(peer.generation, header->generation, sizeof peer.generation);
    err_code code = session_barrier(session, err);
    if (!code)
        code = fsops_rename(&session->ops, staged, path, err);
    if (!code)
        code = session_barrier(session, err);
    if (!code)
        code = peers_set(session->catalogue, session->host, &peer, err);
    if (!code)
        code = remove_superseded(session, header->sequence, err);
    return code;
}

static err_code make_replica(struct session *session, const struct peer *peer,
                             struct error *err)
{
    CLEANUP_FREE char *label = make_label();
    CLEANUP_FREE char *staged = NULL;
    char generation[GENERATION_LENGTH + 1];
    int64_t bytes = 0;
    err_code code = new_generation(generation, err);

    if (code)
        return code;
    const struct commit_header header = {
        .kind = peer->is_due ? COMMIT_RESTATED : COMMIT_REPLICA,
        .volume = session->volume->marker.id,
        .host = session->host,
        .label = label,
        .sequence = ++session->told_sequence,
        .generation = generation,
        .parent = peer->generation,
        .run = session->run,
        .committed_ns = clock_now_ns(),
    };
    code = stage_replica(session, &header, &staged, &bytes, err);
    if (!code)
        code = place_replica(session, &header, staged, bytes, err);
    if (code == ERR_NO_SPACE && !peer->is_due) /* the commit files say it */
        return ERR_OK;
    if (code == ERR_NOT_FOUND) /* not the volume itself: it is there */
        code = error_set(err, ERR_IO,
                         "what was made a moment ago is gone: do "
                         "not trust the drive");
    if (code)
        error_prefix(err, "the volume's replica of the catalogue");
    return code;
}

static bool is_worth_it(const struct peer *peer)
{
    int64_t limit = peer->replica_bytes > LOG_BYTES_AT_LEAST
                        ? peer->replica_bytes
                        : LOG_BYTES_AT_LEAST;

    return peer->is_due || peer->log_bytes > limit ||
           peer->log_count >= LOG_COUNT_AT_MOST;
}

err_code replica_write_if_due(struct session *session, struct error *err)
{
    struct peer peer;
    err_code code = look_at_own_log(session, err);

    if (!code)
        code = peers_get(session->catalogue, session->host, &peer, err);
    if (code || !is_worth_it(&peer))
        return code;
    return make_replica(session, &peer, err);
}
