/*
 * A host: the random id made with the state directory. A rebuilt state
 * directory is a new host; two users of one machine are two.
 */
#ifndef BERTH_HOST_H
#define BERTH_HOST_H

#include "core/base/error.h"

/* Reads it, or makes it with the directory. free() it. */
err_code host_id(const char *state_directory, char **out_id, struct error *err)
    MUST_CHECK;

/* "STATE/volumes/ID.db"; free() it. The directory is made. */
err_code host_catalogue_path(const char *state_directory, const char *volume_id,
                             char **out_path, struct error *err) MUST_CHECK;

/* "STATE/scratch", made; for database snapshots. free() it. */
err_code host_scratch_directory(const char *state_directory, char **out_path,
                                struct error *err) MUST_CHECK;

#endif
