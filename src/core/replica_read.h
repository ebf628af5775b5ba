/*
 * Reading this host's log on the volume (replica.h) back from the device: only
 * then may what it describes be missed on the internal disk (ENGINE, "move").
 * Engine's task thread only, with the session's lock and nothing pending.
 */
#ifndef BERTH_REPLICA_READ_H
#define BERTH_REPLICA_READ_H

#include "core/base/error.h"
#include "core/catalogue.h"
#include "core/volume.h"

#include <stdbool.h>

/*
 * Follows the log from its last file to the replica or first file that it
 * begins with, reads what was not read back before, and notes how far it
 * holds (offload_note_replica). `device_is_fresh`: nothing of it is in memory,
 * whatever the filesystem says. Without proof nothing is noted, which is fine.
 * ERR_CORRUPT: a file is missing or damaged; noted, and a replica is due.
 */
err_code replica_read_back(struct catalogue *catalogue,
                           const struct volume *volume, const char *host,
                           bool device_is_fresh, struct error *err) MUST_CHECK;

#endif
