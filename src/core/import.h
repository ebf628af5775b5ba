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
#include "core/volume.h"

/*
 * Nothing to read costs one listing. ERR_TOO_NEW: a newer berth wrote to the
 * volume. What is damaged or hostile is passed over.
 */
err_code import_logs(struct catalogue *catalogue, const struct volume *volume,
                     const char *own_host, struct error *err) MUST_CHECK;

/*
 * Whether this host told the volume of runs that the catalogue does not know:
 * it was restored from a backup, or made anew. What it would tell the volume
 * next would replace what it has forgotten.
 */
err_code import_is_behind(struct catalogue *catalogue,
                          const struct volume *volume, const char *own_host,
                          bool *out, struct error *err) MUST_CHECK;

/* Sets the error of that: ERR_REFUSED, with what to do. */
err_code import_refuse(const struct volume *volume, struct error *err)
    MUST_CHECK;

/* Learns that, as if it was taken over from another host (claim.h). */
err_code import_own_log(struct catalogue *catalogue,
                        const struct volume *volume, const char *own_host,
                        struct error *err) MUST_CHECK;

#endif
