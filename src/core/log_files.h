/*
 * The files in which hosts tell a volume what its rows say (replica.h), of all
 * hosts: their names, and opening one. What a drive holds is a hint: names of
 * another form are left alone, and a file counts only if its header says the
 * same as its name.
 *
 * Engine's task thread only.
 */
#ifndef BERTH_LOG_FILES_H
#define BERTH_LOG_FILES_H

#include "core/base/error.h"
#include "core/commit_file.h"
#include "core/volume.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_file {
    char *name; /* in COMMITS_PATH */
    char host[HOST_ID_HEX_LENGTH + 1];
    int64_t sequence;
    char generation[GENERATION_LENGTH + 1];
    bool is_replica;
};
struct log_files {
    struct log_file *items; /* by host and sequence */
    size_t count, capacity;
};

/* None at all is fine. */
err_code log_files_list(int root_fd, struct log_files *out, struct error *err)
    MUST_CHECK;
void log_files_release(struct log_files *files);

/* The source borrows the name and the descriptor, which the caller closes. */
err_code log_file_open(const struct volume *volume, const struct log_file *file,
                       int *out_fd, struct commit_source *out,
                       struct error *err) MUST_CHECK;
bool log_file_is_as_named(const struct volume *volume,
                          const struct log_file *file,
                          const struct commit_header *header);

#endif
