/*
 * Large files that are half-way to a volume (ENGINE G6). A row says up to where
 * a staged file was good and what that part's hash is; the next run reads that
 * part again from the volume and goes on behind it, if the source is as it was.
 *
 * Such files lie in RESUMABLE_PATH under a name that follows from job and path.
 * What lies there without a row, or the other way round, is tidied up.
 *
 * In the volume's database, over a connection of its own: rows are written by
 * workers, while the task's connection is between transactions. Any thread.
 */
#ifndef BERTH_RESUME_H
#define BERTH_RESUME_H

#include "core/base/error.h"
#include "core/fsops.h"
#include "core/plan.h"
#include "core/record.h"

#define RESUMABLE_PATH ".berth/resumable"
/* Smaller files are not worth it. */
#define RESUMABLE_BYTES ((int64_t)32 * 1024 * 1024)
/* So often a row is written; the staged file is flushed before it. */
#define RESUMABLE_EVERY ((int64_t)128 * 1024 * 1024)

struct resumes;

struct resumable {
    int64_t offset;
    struct hash prefix; /* of the first `offset` bytes */
    struct signature source;
};

/* `path`: the database. `host`: whose files these are. */
err_code resumes_open(const char *path, const char *host, struct resumes **out,
                      struct error *err) MUST_CHECK;
void resumes_close(struct resumes *resumes); /* NULL is fine */

/* Where a file of a job is staged; free() it. */
char *resumes_name(const struct resumes *resumes, int64_t owner,
                   const char *path);
/* Whether a staged file has that name. */
bool resumes_is_name(const char *staged);

/* ERR_NOT_FOUND: there is no row. */
err_code resumes_find(struct resumes *resumes, const char *name,
                      struct resumable *out, struct error *err) MUST_CHECK;
err_code resumes_keep(struct resumes *resumes, const char *name, int64_t owner,
                      const char *path, const struct resumable *resumable,
                      struct error *err) MUST_CHECK;
/* Fine when there is no row. */
err_code resumes_forget(struct resumes *resumes, const char *name,
                        struct error *err) MUST_CHECK;

err_code resumes_forget_all(struct resumes *resumes, struct error *err)
    MUST_CHECK;

/*
 * Removes this host's files on the volume that have no row, and the rows of
 * files that are not there.
 */
err_code resumes_tidy(struct resumes *resumes, struct fsops *ops,
                      struct error *err) MUST_CHECK;
/* After a plan was carried out: what it had no copy of will not come. */
err_code resumes_drop_stale(struct resumes *resumes, struct fsops *ops,
                            int64_t owner, const struct plan *plan,
                            struct error *err) MUST_CHECK;

#endif
