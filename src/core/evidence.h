/*
 * Whether the catalogue may still be believed about a volume, or its
 * directories have to be read (a full diff): the rule for a nightly sync
 * (ENGINE, "Comparing").
 */
#ifndef BERTH_EVIDENCE_H
#define BERTH_EVIDENCE_H

#include "core/base/error.h"
#include "core/catalogue.h"
#include "core/volume.h"

#include <stdbool.h>
#include <stdint.h>

/* Believed for so long after the last full diff. */
#define EVIDENCE_FULL_EVERY_DAYS 7

/* Notes root time and free space of a volume at rest. */
err_code evidence_record(struct catalogue *catalogue,
                         const struct volume *volume, struct error *err)
    MUST_CHECK;

/* Something is being written: until it is at rest again, nothing is evident. */
err_code evidence_forget(struct catalogue *catalogue, struct error *err)
    MUST_CHECK;

/*
 * Whether the device has left and come back since a run of ours wrote to it,
 * so that whatever is read of that comes from the device, through FUSE, too. A
 * new mount is not enough: as long as anybody has the block device open, its
 * pages outlive the mount, and exfat-fuse serves them [seen: a byte changed
 * behind a loop device shows after a remount, but not while a third process
 * had the device open].
 */
err_code evidence_device_is_fresh(struct catalogue *catalogue,
                                  const struct volume *volume, bool *out,
                                  struct error *err) MUST_CHECK;
/* A run is going to write. */
err_code evidence_note_device(struct catalogue *catalogue,
                              const struct volume *volume, struct error *err)
    MUST_CHECK;

struct evidence {
    const struct owner *owner; /* NULL: never synced */
    const char *host;
    int64_t now_ns;
};
/* Whether the volume's directories have to be read. */
err_code evidence_needs_full(struct catalogue *catalogue,
                             const struct volume *volume,
                             const struct evidence *evidence, bool *out,
                             struct error *err) MUST_CHECK;

#endif
