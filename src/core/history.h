/*
 * What happened: runs on a volume, and what each did to which file. In the
 * volume's catalogue file, so that it is committed together with what it
 * tells of. Engine's task thread only.
 */
#ifndef BERTH_HISTORY_H
#define BERTH_HISTORY_H

#include "core/base/error.h"
#include "core/catalogue.h"

#include <stdint.h>

extern const char history_schema[];

struct run_counts {
    int64_t files_new, files_updated, files_renamed, files_deleted;
    int64_t directories_made, directories_removed;
    int64_t bytes_copied;
    int64_t failed, held, skipped;
};

struct run {
    int64_t id; /* unique within a volume, growing */
    int64_t started_ns;
    int64_t ended_ns; /* 0: never ended: killed, cut or pulled */
    const char *jobs; /* names, parted by ", " */
    int exit_code;
    struct run_counts counts;
};

err_code history_begin(struct catalogue *catalogue, const char *jobs,
                       int64_t *out_run, struct error *err) MUST_CHECK;
err_code history_end(struct catalogue *catalogue, const struct run *run,
                     struct error *err) MUST_CHECK;

/* The highest number that a run was ever given; 0: none was. */
err_code history_last_run(struct catalogue *catalogue, int64_t *out,
                          struct error *err) MUST_CHECK;
/* No run will be given a number up to this one. */
err_code history_skip_to(struct catalogue *catalogue, int64_t run,
                         struct error *err) MUST_CHECK;
/* When any run was last seen to begin or end, by the clock of then; 0: never.
 */
err_code history_latest_ns(struct catalogue *catalogue, int64_t *out,
                           struct error *err) MUST_CHECK;
/* When the run before the latest one began or ended; 0: there is none. */
err_code history_before_latest_ns(struct catalogue *catalogue, int64_t *out,
                                  struct error *err) MUST_CHECK;

/*
 * A time that two runs before this one had reached by the clock of then, so
 * that it began no earlier, whatever its own clock said; 0: there were none,
 * or the run is not ours (`seen_ns` is no time of it).
 */
err_code history_reached_before_ns(struct catalogue *catalogue, int64_t run,
                                   int64_t seen_ns, int64_t *out,
                                   struct error *err) MUST_CHECK;

enum history_deed {
    DEED_NEW = 1,
    DEED_UPDATED,
    DEED_RENAMED,
    DEED_DELETED,
    DEED_MADE_DIRECTORY,
    DEED_REMOVED_DIRECTORY,
    DEED_FAILED,
    DEED_PRUNED, /* a version of it went for good */
};
const char *history_deed_name(enum history_deed deed);

struct run_item {
    enum history_deed deed;
    const char *job;
    const char *path;
    const char *detail; /* old path of a rename, reason of a failure; "" */
    int64_t size_bytes;
};
err_code history_add_item(struct catalogue *catalogue, int64_t run,
                          const struct run_item *item, struct error *err)
    MUST_CHECK;

typedef err_code run_visit(void *context, const struct run *run,
                           struct error *err);
/* Newest first. `only`: 0 for all. */
err_code history_walk(struct catalogue *catalogue, int64_t only,
                      run_visit *visit, void *context, struct error *err)
    MUST_CHECK;

typedef err_code run_item_visit(void *context, const struct run_item *item,
                                struct error *err);
err_code history_walk_items(struct catalogue *catalogue, int64_t run,
                            run_item_visit *visit, void *context,
                            struct error *err) MUST_CHECK;

/* A file or a directory of the job had the name `from` before that run. */
typedef err_code rename_visit(void *context, int64_t run, const char *from,
                              const char *to, struct error *err);
/* Newest first. */
err_code history_walk_renames(struct catalogue *catalogue, const char *job,
                              rename_visit *visit, void *context,
                              struct error *err) MUST_CHECK;

#endif
