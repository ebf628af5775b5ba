/*
 * What is on a volume, by job: on the internal disk, answering offline.
 *
 * One SQLite file per volume holds the catalogue, the journal (journal.h) and
 * the history (history.h), so that a batch is committed in one transaction.
 * The schema is in catalogue.c; journal and history add their own tables.
 *
 *     owner   a job of a host on this volume, and the id of its root directory
 *     entry   (directory id, key) -> encoded record, in walk order
 *     version a superseded or deleted file under .berth/versions
 *
 *     catalogue.c          the file, its schema and format
 *     catalogue_entries.c  rows by path
 *     catalogue_owners.c   owners
 *     catalogue_mounts.c   filesystems below their sources
 *     catalogue_versions.c versions
 *     peers.c              what other hosts said, and what we told the volume
 *
 * A *path* is the keys from the job's root joined with '/', "" is the root.
 * A connection belongs to one thread at a time; walkers open their own with
 * catalogue_open_reader and see the last commit.
 */
#ifndef BERTH_CATALOGUE_H
#define BERTH_CATALOGUE_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalogue;
struct db;

/*
 * Creates the file when missing. ERR_TOO_NEW when a newer berth wrote it;
 * ERR_CORRUPT when it belongs to another volume.
 */
err_code catalogue_open(const char *path, const char *volume_id,
                        struct catalogue **out, struct error *err) MUST_CHECK;
/* ERR_NOT_FOUND when there is none yet. */
err_code catalogue_open_reader(const char *path, struct catalogue **out,
                               struct error *err) MUST_CHECK;
void catalogue_close(struct catalogue *catalogue);          /* NULL is fine */
void catalogue_close_pointer(struct catalogue **catalogue); /* for CLEANUP */
struct db *catalogue_db(struct catalogue *catalogue);

/* Small facts about the volume by name: traits, free space at rest … */
err_code catalogue_get_meta(struct catalogue *catalogue, const char *name,
                            struct strbuf *out, bool *out_found,
                            struct error *err) MUST_CHECK;
err_code catalogue_set_meta(struct catalogue *catalogue, const char *name,
                            const char *value, struct error *err) MUST_CHECK;

/* --- owners --- */

struct owner {
    int64_t id;
    int64_t root; /* directory id of the job's root */
    char *host;   /* random id of a state directory */
    char *job;
    char *directory;       /* on the volume, clean and relative */
    char *source_identity; /* filesystem of the source; "" before the first
                              successful look (ENGINE G4) */
    int64_t last_full_ns;  /* last full diff; 0: never */
    int64_t last_sync_ns;  /* last run that left nothing behind; 0: never */
    int64_t claims;        /* how often hosts have taken the target over from
                              each other: the highest has it */
};

struct owners {
    struct owner *items;
    size_t count, capacity;
};

err_code catalogue_list_owners(struct catalogue *catalogue, struct owners *out,
                               struct error *err) MUST_CHECK;
void owners_release(struct owners *owners);
void owner_release(struct owner *owner);

/* ERR_NOT_FOUND when this job has never been here. */
err_code catalogue_find_owner(struct catalogue *catalogue, const char *host,
                              const char *job, const char *directory,
                              struct owner *out, struct error *err) MUST_CHECK;
err_code catalogue_add_owner(struct catalogue *catalogue, const char *host,
                             const char *job, const char *directory,
                             struct owner *out, struct error *err) MUST_CHECK;
/* Writes host, job, source_identity, the times and claims back. */
err_code catalogue_update_owner(struct catalogue *catalogue,
                                const struct owner *owner, struct error *err)
    MUST_CHECK;
/* With its rows, versions, mounts and poisoned paths; not what is on the drive.
 */
err_code catalogue_remove_owner(struct catalogue *catalogue,
                                const struct owner *owner, struct error *err)
    MUST_CHECK;
/* The rows only. */
err_code catalogue_clear_owner(struct catalogue *catalogue,
                               const struct owner *owner, struct error *err)
    MUST_CHECK;

/*
 * --- filesystems below a source ---
 *
 * Which filesystem (guard.h) was mounted at which path of the job when the
 * drive was given files from there. A catalogue that knows of one has format
 * 2: a berth that knew nothing of them would take an unmounted one for a lot
 * of deleted files.
 */
typedef void catalogue_visit_mount(void *context, const char *path,
                                   const char *identity, bool is_accepted);
err_code catalogue_list_mounts(struct catalogue *catalogue, int64_t owner,
                               catalogue_visit_mount *visit, void *context,
                               struct error *err) MUST_CHECK;
/* `is_accepted`: it is empty, and somebody said that it is meant to be. */
err_code catalogue_record_mount(struct catalogue *catalogue, int64_t owner,
                                const char *path, const char *identity,
                                bool is_accepted, struct error *err) MUST_CHECK;
/* Fine when there is none. */
err_code catalogue_forget_mount(struct catalogue *catalogue, int64_t owner,
                                const char *path, struct error *err) MUST_CHECK;

/* --- entries --- */

struct records {
    struct record *items;
    size_t count, capacity;
};

/*
 * The rows of one directory, sorted by key (bytes). Strings go to `arena`;
 * `out` is emptied first, its memory reused.
 */
err_code catalogue_list(struct catalogue *catalogue, int64_t directory,
                        struct arena *arena, struct records *out,
                        struct error *err) MUST_CHECK;
/* Of what is sorted so; NULL: none has that key. */
struct record *records_find(const struct records *records, const char *key);
void records_release(struct records *records);

err_code catalogue_count(struct catalogue *catalogue, const struct owner *owner,
                         int64_t *out_files, int64_t *out_bytes,
                         struct error *err) MUST_CHECK;
/* Cheaper than counting: does the job have any row? */
err_code catalogue_is_empty(struct catalogue *catalogue,
                            const struct owner *owner, bool *out_is_empty,
                            struct error *err) MUST_CHECK;

err_code catalogue_find(struct catalogue *catalogue, const struct owner *owner,
                        const char *path, struct arena *arena,
                        struct record *out, struct error *err) MUST_CHECK;

/*
 * Inserts or replaces the row of `path`; record->key is ignored. A directory
 * keeps the rows below it. ERR_NOT_FOUND when its parent has no row.
 */
err_code catalogue_put(struct catalogue *catalogue, const struct owner *owner,
                       const char *path, const struct record *record,
                       struct error *err) MUST_CHECK;

/* Fine when there is none. A directory's rows go with it. */
err_code catalogue_remove(struct catalogue *catalogue,
                          const struct owner *owner, const char *path,
                          struct error *err) MUST_CHECK;
/* As that, but a directory stays: it was a file in its place that went. */
err_code catalogue_remove_file(struct catalogue *catalogue,
                               const struct owner *owner, const char *path,
                               struct error *err) MUST_CHECK;

/* A directory gets another path; the rows below it come along. */
err_code catalogue_move_directory(struct catalogue *catalogue,
                                  const struct owner *owner, const char *from,
                                  const char *to, const struct record *record,
                                  struct error *err) MUST_CHECK;

/* No path has more components than this: SCAN_DEPTH_LIMIT below a target. */
#define CATALOGUE_DEPTH_LIMIT 2100

/*
 * Every row of a job, a directory before what is in it. `drive_path` is the
 * volume's spelling of `path`. The visit may write rows.
 */
typedef err_code catalogue_visit(void *context, const char *path,
                                 const char *drive_path,
                                 const struct record *record,
                                 struct error *err);
err_code catalogue_walk(struct catalogue *catalogue, const struct owner *owner,
                        catalogue_visit *visit, void *context,
                        struct error *err) MUST_CHECK;
/* Only `path` and what is below it. Fine when there is no such row. */
err_code catalogue_walk_below(struct catalogue *catalogue,
                              const struct owner *owner, const char *path,
                              catalogue_visit *visit, void *context,
                              struct error *err) MUST_CHECK;

/*
 * --- versions ---
 */

enum version_reason { VERSION_REPLACED, VERSION_DELETED, VERSION_FOREIGN };

struct version {
    int64_t id;
    int64_t owner;
    const char *path;       /* in the job, at the time */
    const char *drive_path; /* on the volume */
    enum version_reason reason;
    int64_t run;
    int64_t created_ns;
    bool has_record; /* false for what berth had not written */
    struct record record;
};

err_code catalogue_add_version(struct catalogue *catalogue,
                               const struct version *version, struct error *err)
    MUST_CHECK;
typedef err_code version_visit(void *context, const struct version *version,
                               struct error *err);
/*
 * By path, then oldest first; of `path` and what is below it, "" for all. The
 * visit must not walk versions itself.
 */
err_code catalogue_walk_versions(struct catalogue *catalogue, int64_t owner,
                                 const char *path, version_visit *visit,
                                 void *context, struct error *err) MUST_CHECK;

struct version_list {
    struct version *items; /* strings in an arena */
    size_t count, capacity;
};
/* The same as a list. */
err_code catalogue_list_versions(struct catalogue *catalogue, int64_t owner,
                                 const char *path, struct arena *arena,
                                 struct version_list *out, struct error *err)
    MUST_CHECK;
void version_list_release(struct version_list *versions);

/* Of what left the versions: pruned, or back in its place. Fine when there is
 * none. */
err_code catalogue_remove_version(struct catalogue *catalogue, int64_t owner,
                                  const char *drive_path, struct error *err)
    MUST_CHECK;

#endif
