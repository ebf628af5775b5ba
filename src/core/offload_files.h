/*
 * Takes source files away whose copies are enough, so that a kill at any
 * moment leaves each of them under its own name, or under a private one that
 * the next run finds in a journal on the internal disk:
 *
 *     1. the journal names each file and its private name
 *     2. each is renamed to that, in its directory, and compared again
 *     3. the catalogues say "offloaded", durably
 *     4. each is unlinked, their directories are flushed
 *     5. the journal goes
 *
 * The engine's task thread only.
 */
#ifndef BERTH_OFFLOAD_FILES_H
#define BERTH_OFFLOAD_FILES_H

#include "core/base/error.h"
#include "core/offload.h"

#include <stdbool.h>
#include <stddef.h>

/* So many at a time: as long as that, no name is missing without a journal. */
#define OFFLOAD_BATCH 64

struct offload_item {
    char *path, *raw; /* key path, and as the source spells it */
    struct signature source;
    int counted; /* copies, for whoever is told */
    /* What became of it; OFFLOAD_READY: it is gone. */
    enum offload_reason result;
    char *message; /* of OFFLOAD_FAILED, or NULL */
    /* In between: */
    char *hidden; /* its private name */
    bool is_hidden;
};
void offload_item_release(struct offload_item *item);

struct offload_removal {
    int source_fd;
    const char *source;   /* its path */
    const char *identity; /* and the filesystem it is on */
    const char *job;
    const char *state_directory;
    void *context;
    /* Step 3, for every item that is hidden. What cannot be marked gets
     * another result and is put back. */
    err_code (*mark)(void *context, struct offload_item *items, size_t count,
                     struct error *err);
};

/* ERR_OK also when single files stayed: their results say why. After an error
 * all that is not gone is back, or in the journal. */
err_code offload_files_remove(const struct offload_removal *removal,
                              struct offload_item *items, size_t count,
                              struct error *err) MUST_CHECK;

/*
 * Only one process of a state directory takes files away or puts them back.
 * ERR_BUSY; close the descriptor to let others.
 */
err_code offload_files_lock(const char *state_directory, int *out_fd,
                            struct error *err) MUST_CHECK;

/* Whether anything was ever taken away: else nothing can be left. */
bool offload_files_any(const char *state_directory);

/*
 * Puts back what an interrupted removal left under private names. Needs the
 * lock. `unmark`: the source has this file again: it is not offloaded.
 */
struct offload_recovery {
    const char *state_directory;
    void *context;
    err_code (*unmark)(void *context, const char *job, const char *path,
                       const struct platform_stat *now, struct error *err);
    /* For people: "put back", or what could not be. */
    void (*say)(void *context, const char *job, const char *message);
};
err_code offload_files_recover(const struct offload_recovery *recovery,
                               struct error *err) MUST_CHECK;

/* ERR_REFUSED when a removal of that job waits to be put back. */
err_code offload_files_check(const char *state_directory, const char *job,
                             struct error *err) MUST_CHECK;

#endif
