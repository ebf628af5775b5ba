/*
 * What each host has told a volume about its rows (commit_file.h), as far as
 * this catalogue knows: of other hosts what was imported last, of this one
 * what it wrote last. In the catalogue's file, so that it is committed
 * together with the rows. One thread at a time.
 */
#ifndef BERTH_PEERS_H
#define BERTH_PEERS_H

#include "core/base/error.h"
#include "core/catalogue.h"
#include "core/commit_file.h"

#include <stdbool.h>
#include <stdint.h>

extern const char peers_schema[];

#define PEER_LABEL_SIZE 256

struct peer {
    int64_t sequence; /* of the last file; 0: none */
    char generation[GENERATION_LENGTH + 1];
    struct hash listing; /* of the names of its files, when they were read */
    char label[PEER_LABEL_SIZE]; /* "hostname/user", for people */
    /* Of this host only: */
    int64_t replica_bytes; /* of the last replica; 0: none */
    int64_t log_bytes;     /* of the commit files since, in clusters */
    int64_t log_count;
    bool is_due; /* something is in the catalogue and in no commit file: the
                    next replica cannot wait */
};

/* All zero when nothing is known. */
err_code peers_get(struct catalogue *catalogue, const char *host,
                   struct peer *out, struct error *err) MUST_CHECK;
err_code peers_set(struct catalogue *catalogue, const char *host,
                   const struct peer *peer, struct error *err) MUST_CHECK;

/*
 * Whatever changes rows of this host other than by a batch calls this in the
 * same transaction: the replica is written anew at the end of the session.
 */
err_code peers_mark_due(struct catalogue *catalogue, const char *host,
                        struct error *err) MUST_CHECK;

/*
 * The number under which another host's run is kept here: runs of all hosts
 * stand in one history. Made when it is new.
 */
err_code peers_map_run(struct catalogue *catalogue, const char *host,
                       int64_t run, int64_t *out_local, struct error *err)
    MUST_CHECK;
err_code peers_put_run(struct catalogue *catalogue, const char *host,
                       const char *label, const struct run *run,
                       struct error *err) MUST_CHECK;
/* Whether a run of the history was another host's. */
err_code peers_is_foreign_run(struct catalogue *catalogue, int64_t local,
                              bool *out, struct error *err) MUST_CHECK;

#endif
