/*
 * One directory of a source or a drive, listed and sorted by key: what the
 * lockstep walk puts side by side.
 */
#ifndef BERTH_SCAN_H
#define BERTH_SCAN_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/names.h"
#include "platform/platform_io.h"

#include <stdbool.h>
#include <stddef.h>

struct scan_entry {
    const char *key; /* NFC; of a drive's name: decoded first */
    const char *raw; /* as readdir gave it; the same pointer where equal */
    struct platform_stat stat;
    err_code stat_error; /* ERR_OK, or why `stat` is not there */
    bool has_twin;       /* another entry here has the same key or, with
                                                        `rules->is_case_insensitive`,
                            the same fold */
    bool needs_room;     /* something gone has that fold: the walkers' note */
};

struct scan {
    struct scan_entry *items; /* sorted by key, bytes */
    size_t count, capacity;
    bool has_wal; /* some name ends in "-wal" */
};

void scan_release(struct scan *scan);

/* What lies deeper is not listed: paths may be longer than PATH_MAX, and walks
 * of the catalogue end somewhere (CATALOGUE_DEPTH_LIMIT). */
#define SCAN_DEPTH_LIMIT 2000
/* ERR_INVALID beyond. */
err_code scan_check_depth(const char *path, struct error *err) MUST_CHECK;

/*
 * Lists `path` below `root_fd`. Strings go to `arena`; `out` is emptied first,
 * its memory reused. Entries that vanish meanwhile are left out.
 * `rules` are the drive's. `is_drive`: names are decoded with them; else twins
 * are sought by them. Errors name the path below the root.
 */
err_code scan_directory(int root_fd, const char *path,
                        const struct name_rules *rules, bool is_drive,
                        struct arena *arena, struct scan *out,
                        struct error *err) MUST_CHECK;

/* NULL when there is none of that key. */
const struct scan_entry *scan_find(const struct scan *scan, const char *key);

#endif
