/*
 * The copies of a job's files on all its targets, side by side: the rows of
 * several catalogues, walked in lockstep, a directory at a time, so that
 * memory grows with the widest directory. Drives need not be attached.
 */
#ifndef BERTH_COPIES_H
#define BERTH_COPIES_H

#include "core/base/error.h"
#include "core/catalogue.h"

#include <stddef.h>

/* One target of the job. catalogue NULL: nothing is known of it. */
struct copies_side {
    struct catalogue *catalogue;
    const struct owner *owner;
};

/* A file or symlink that at least one side has a row of. Borrowed. */
struct copies_entry {
    const char *path;                 /* key path in the job */
    const char *raw;                  /* in the source's spelling */
    const struct record *const *rows; /* by side; NULL: none */
    const char *const *drive;         /* by side: in the volume's spelling */
};
typedef err_code copies_visit(void *context, const struct copies_entry *entry,
                              struct error *err);

/* `under`: only this key path and what lies below it; "" for everything. The
 * visit may write rows. */
err_code copies_walk(const struct copies_side *sides, size_t count,
                     const char *under, copies_visit *visit, void *context,
                     struct error *err) MUST_CHECK;

#endif
