/*
 * Believing what other hosts told a volume (replica.h), as far as it can be
 * believed: their rows, versions and runs as they left them. What this host
 * knows of itself is never replaced: a drive's files are hints (ENGINE G10).
 *
 * Of each host what is new is applied to what is known; where that does not
 * fit together, all of it is read anew from the last replica that is whole.
 * One transaction for each host.
 */
#ifndef BERTH_IMPORT_H
#define BERTH_IMPORT_H

#include "core/base/error.h"
#include "core/catalogue.h"
#include "core/commit_file.h"
#include "core/volume.h"

/*
 * Nothing to read costs one listing. ERR_TOO_NEW: a newer berth wrote to the
 * volume. What is damaged or hostile is passed over.
 */
err_code import_logs(struct catalogue *catalogue, const struct volume *volume,
                     const char *own_host, struct error *err) MUST_CHECK;

/*
 * One file, in a transaction that the caller rolls back on failure. Owners
 * that a host does not name any more are removed.
 */
err_code import_file(struct catalogue *catalogue, const char *own_host,
                     const struct commit_source *source, struct error *err)
    MUST_CHECK;

#endif
