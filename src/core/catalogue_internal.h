/* Shared by the catalogue*.c files only. */
#ifndef BERTH_CATALOGUE_INTERNAL_H
#define BERTH_CATALOGUE_INTERNAL_H

#include "core/catalogue.h"

struct statement;

/* Ids are cheap to remember: a run works through one directory at a time. */
#define CACHED_DIRECTORIES 64

struct cached_directory {
    int64_t owner;
    char *path; /* NULL: free */
    int64_t id;
};

struct catalogue {
    struct db *db;
    struct cached_directory cache[CACHED_DIRECTORIES];
    uint64_t cached_after; /* as many rollbacks */
};

void catalogue_forget_directories(struct catalogue *catalogue);

err_code catalogue_new_directory_id(struct catalogue *catalogue, int64_t *out,
                                    struct error *err) MUST_CHECK;
/* Decodes a column; strings go to `arena`. */
err_code catalogue_record_from_row(struct statement *select, int column,
                                   struct arena *arena, struct record *out,
                                   struct error *err) MUST_CHECK;

/* Of the file: 0 when it is new. */
err_code catalogue_format(struct db *db, int64_t *out_format, struct error *err)
    MUST_CHECK;

/* Of one owner, all. */
err_code catalogue_forget_mounts(struct catalogue *catalogue, int64_t owner,
                                 struct error *err) MUST_CHECK;

#endif
