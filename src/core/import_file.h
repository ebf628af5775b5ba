/*
 * What one file of another host's log says, taken into the catalogue.
 * Engine's task thread only.
 */
#ifndef BERTH_IMPORT_FILE_H
#define BERTH_IMPORT_FILE_H

#include "core/base/error.h"
#include "core/catalogue.h"
#include "core/commit_file.h"

/*
 * One file, in a transaction that the caller rolls back on failure. Owners
 * that a host does not name any more are removed.
 */
err_code import_file(struct catalogue *catalogue, const char *own_host,
                     const struct commit_source *source, struct error *err)
    MUST_CHECK;

#endif
