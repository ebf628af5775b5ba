/* Shared by the demo_*.c files only. */
#ifndef BERTH_DEMO_INTERNAL_H
#define BERTH_DEMO_INTERNAL_H

#include "core/base/strbuf.h"
#include "core/demo.h"
#include "core/fsops.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct demo {
    char *directory;
    int root_fd; /* of it */
    struct fsops ops;
    uint64_t chance; /* the same files every time */
    int64_t now_ns;  /* when it was made: what "yesterday" is counted from */
    struct demo_database *database;
    bool is_kept;
    bool is_furnished; /* it was kept, with sources and a past */
};

/* In a sandbox that is furnished. */
#define DEMO_MARK "demo"

/* --- files; paths are below the sandbox --- */

/* Writes a file, in place of one that is there, as of `days` ago. Makes its
 * directories. */
err_code demo_write(struct demo *demo, const char *path, const char *text,
                    size_t length, double days, struct error *err) MUST_CHECK;
err_code demo_write_text(struct demo *demo, const char *path, const char *text,
                         double days, struct error *err) MUST_CHECK;
/* A film: `bytes` that do not compress. */
err_code demo_write_film(struct demo *demo, const char *path, size_t bytes,
                         double days, struct error *err) MUST_CHECK;
/* 0 … below-1 */
size_t demo_chance(struct demo *demo, size_t below);

/* --- demo_sources.c --- */

/* As they were when the drives were synced first. */
err_code demo_make_sources(struct demo *demo, struct error *err) MUST_CHECK;
/* Between that and the last night. */
err_code demo_add_week(struct demo *demo, struct error *err) MUST_CHECK;
/* Today: new, changed, renamed, deleted; on the drive as well. */
err_code demo_add_today(struct demo *demo, struct error *err) MUST_CHECK;

/* --- demo_database.c --- */

/* Makes a database and keeps changing it through a connection of its own. */
err_code demo_database_start(struct demo *demo, struct error *err) MUST_CHECK;
void demo_database_stop(struct demo_database *database);

#endif
