#include "core/peers.h"

#include "core/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char peers_schema[] =
    "CREATE TABLE peer ("
    "  host TEXT PRIMARY KEY, sequence INTEGER NOT NULL,"
    "  generation TEXT NOT NULL, listing BLOB NOT NULL,"
    "  replica_bytes INTEGER NOT NULL, log_bytes INTEGER NOT NULL,"
    "  log_count INTEGER NOT NULL, is_due INTEGER NOT NULL,"
    "  label TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE peer_run ("
    "  host TEXT NOT NULL, run INTEGER NOT NULL, local INTEGER NOT NULL UNIQUE,"
    "  PRIMARY KEY (host, run)) WITHOUT ROWID;";

err_code peers_get(struct catalogue *catalogue, const char *host,
                   struct peer *out, struct error *err)
{
    struct peer peer = {.sequence = 0};
    struct statement *select;
    bool has_row;
    err_code code = db_prepare(
        catalogue_db(catalogue),
        "SELECT sequence, generation, listing, replica_bytes, log_bytes, "
        "log_count, is_due, label FROM peer WHERE host = ?1",
        &select, err);

    if (code)
        return code;
    bind_text(select, 1, host);
    code = statement_step(select, &has_row, err);
    if (code)
        return code;
    if (has_row) {
        size_t length;
        const void *listing = column_blob(select, 2, &length);
        const char *generation = column_text(select, 1);
        peer.sequence = column_int(select, 0);
        if (commit_generation_is_valid(generation))
            memcpy(peer.generation, generation, sizeof peer.generation);
        if (length == HASH_BYTES)
            memcpy(peer.listing.bytes, listing, HASH_BYTES);
        peer.replica_bytes = column_int(select, 3);
        peer.log_bytes = column_int(select, 4);
        peer.log_count = column_int(select, 5);
        peer.is_due = column_int(select, 6) != 0;
        snprintf(peer.label, sizeof peer.label, "%s", column_text(select, 7));
    }
    statement_done(select);
    *out = peer;
    return ERR_OK;
}

err_code peers_set(struct catalogue *catalogue, const char *host,
                   const struct peer *peer, struct error *err)
{
    struct statement *upsert;
    err_code code = db_prepare(catalogue_db(catalogue),
                               "INSERT OR REPLACE INTO peer "
                               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                               &upsert, err);

    if (code)
        return code;
    bind_text(upsert, 1, host);
    bind_int(upsert, 2, peer->sequence);
    bind_text(upsert, 3, peer->generation);
    bind_blob(upsert, 4, peer->listing.bytes, HASH_BYTES);
    bind_int(upsert, 5, peer->replica_bytes);
    bind_int(upsert, 6, peer->log_bytes);
    bind_int(upsert, 7, peer->log_count);
    bind_int(upsert, 8, peer->is_due);
    bind_text(upsert, 9, peer->label);
    return statement_run(upsert, err);
}

err_code peers_mark_due(struct catalogue *catalogue, const char *host,
                        struct error *err)
{
    struct peer peer;
    err_code code = peers_get(catalogue, host, &peer, err);

    if (code || peer.is_due)
        return code;
    peer.is_due = true;
    return peers_set(catalogue, host, &peer, err);
}

/* --- runs --- */

static err_code find_run(struct catalogue *catalogue, const char *host,
                         int64_t run, int64_t *out, struct error *err)
{
    struct statement *select;
    bool has_row;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "SELECT local FROM peer_run WHERE host = ?1 AND run = ?2",
                   &select, err);

    if (code)
        return code;
    bind_text(select, 1, host);
    bind_int(select, 2, run);
    code = statement_step(select, &has_row, err);
    if (code)
        return code;
    *out = has_row ? column_int(select, 0) : 0;
    statement_done(select);
    return ERR_OK;
}

static err_code make_run(struct catalogue *catalogue, const char *host,
                         int64_t run, int64_t *out, struct error *err)
{
    struct statement *insert;
    err_code code = history_begin(catalogue, "", out, err);

    if (!code)
        code = db_prepare(catalogue_db(catalogue),
                          "INSERT INTO peer_run VALUES (?1, ?2, ?3)", &insert,
                          err);
    if (code)
        return code;
    bind_text(insert, 1, host);
    bind_int(insert, 2, run);
    bind_int(insert, 3, *out);
    return statement_run(insert, err);
}

err_code peers_map_run(struct catalogue *catalogue, const char *host,
                       int64_t run, int64_t *out_local, struct error *err)
{
    err_code code = find_run(catalogue, host, run, out_local, err);

    if (!code && !*out_local)
        code = make_run(catalogue, host, run, out_local, err);
    return code;
}

err_code peers_put_run(struct catalogue *catalogue, const char *host,
                       const char *label, const struct run *run,
                       struct error *err)
{
    CLEANUP_FREE char *jobs = xasprintf("%s (%s)", run->jobs, label);
    struct run local = *run;
    struct statement *update;
    err_code code = peers_map_run(catalogue, host, run->id, &local.id, err);

    if (!code)
        code = db_prepare(
            catalogue_db(catalogue),
            "UPDATE run SET started_ns = ?2, jobs = ?3 WHERE id = ?1", &update,
            err);
    if (code)
        return code;
    bind_int(update, 1, local.id);
    bind_int(update, 2, run->started_ns);
    bind_text(update, 3, jobs);
    code = statement_run(update, err);
    return code ? code : history_end(catalogue, &local, err);
}

err_code peers_is_foreign_run(struct catalogue *catalogue, int64_t local,
                              bool *out, struct error *err)
{
    struct statement *select;
    err_code code =
        db_prepare(catalogue_db(catalogue),
                   "SELECT 1 FROM peer_run WHERE local = ?1", &select, err);

    if (code)
        return code;
    bind_int(select, 1, local);
    code = statement_step(select, out, err);
    if (!code)
        statement_done(select);
    return code;
}
