/*
 * Reading this host's log on the volume (replica.h) back from the device.
 * Engine's task thread only, with the session's lock or none that writes.
 */
#ifndef BERTH_REPLICA_READ_H
#define BERTH_REPLICA_READ_H

#include "core/base/error.h"
#include "core/catalogue.h"
#include "core/volume.h"

#include <stdbool.h>

/*
 * Whether what this host told the volume last is there and reads back whole;
 * `all`: everything that its rows could be had from. True where nothing was
 * told yet. Fails only where the volume itself is gone (volume_check).
 */
err_code replica_reads_back(const struct volume *volume,
                            struct catalogue *catalogue, const char *host,
                            bool all, bool *out, struct error *err) MUST_CHECK;

/*
 * The same, as far as it was not read back before, and notes how far it holds
 * (offload_note_replica): only then may what it describes be missed on the
 * internal disk (ENGINE, "move"). With nothing pending. `device_is_fresh`:
 * nothing of it is in memory, whatever the filesystem says. Without proof
 * nothing is noted, which is fine. ERR_CORRUPT: a file is missing or damaged;
 * noted, and a replica is due.
 */
err_code replica_note_read_back(struct catalogue *catalogue,
                                const struct volume *volume, const char *host,
                                bool device_is_fresh, struct error *err)
    MUST_CHECK;

#endif
