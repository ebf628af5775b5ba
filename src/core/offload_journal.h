/*
 * The journal of source files that are being taken away, on the internal disk:
 * "STATE/offload/HASH-OF-JOB", one file per job, written as a whole. Shared by
 * the offload_*.c files.
 */
#ifndef BERTH_OFFLOAD_JOURNAL_H
#define BERTH_OFFLOAD_JOURNAL_H

#include "core/base/error.h"
#include "core/fsops.h"

#include <stddef.h>

/* How the private names begin. */
#define OFFLOAD_HIDDEN_PREFIX ".berth-offload-"

struct offload_journal {
    char *job, *source; /* of the source: its path */
    char *identity;     /* and the filesystem it is on (guard.h) */
    struct {
        struct {
            char *path, *raw, *hidden;
        } * items;
        size_t count, capacity;
    } files;
};
void offload_journal_release(struct offload_journal *journal);
/* The strings are copied. */
void offload_journal_add(struct offload_journal *journal, const char *path,
                         const char *raw, const char *hidden);

/* ERR_REFUSED while there is one: what it names is not back yet. */
err_code offload_journal_write(const char *state_directory,
                               const struct offload_journal *journal,
                               struct error *err) MUST_CHECK;
/* Fine when there is none. */
err_code offload_journal_remove(const char *state_directory, const char *job,
                                struct error *err) MUST_CHECK;

/*
 * From the private name to its own. Where that is taken by now the file gets
 * the name *out_kept (free() it), NULL else. ERR_NOT_FOUND: there is nothing
 * under the private name.
 */
err_code offload_put_back(struct fsops *ops, const char *hidden,
                          const char *raw, char **out_kept, struct error *err)
    MUST_CHECK;

err_code offload_flush_directory(int source_fd, const char *raw,
                                 struct error *err) MUST_CHECK;

#endif
