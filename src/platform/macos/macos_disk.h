/*
 * A medium, whole or part, as DiskArbitration and IOKit describe it.
 */
#ifndef BERTH_MACOS_DISK_H
#define BERTH_MACOS_DISK_H

#include "core/base/error.h"
#include "platform/platform.h"

#include <DiskArbitration/DiskArbitration.h>
#include <stdbool.h>
#include <stdint.h>

/* Strings are owned and never NULL. */
struct macos_disk {
    char *bsd_name; /* "disk4s1" */
    uint64_t media_id;
    uint64_t physical_id; /* of the whole medium that it is on in the end */
    bool is_physical;     /* it is that medium */
    bool spans;           /* it is on several of them */
    int64_t size_bytes;
    bool is_writable, is_encrypted, is_internal, is_network;
    char *kind; /* of its filesystem, as DiskArbitration says: "msdos" */
    char *label, *uuid, *mount_point;
    char *vendor, *model, *protocol;
    char *serial;
    int64_t link_mbit;
    bool is_rotational;
};
struct macos_disks {
    struct macos_disk *items;
    size_t count, capacity;
};

/*
 * Describes a medium of the registry. False when it has gone, or when
 * diskarbitrationd does not answer. Does not need a scheduled session; one
 * session is used by one thread at a time.
 */
bool macos_disk_describe(DASessionRef session, io_service_t media,
                         struct macos_disk *out);
void macos_disk_release(struct macos_disk *disk);

/* The same for "disk4s1". */
bool macos_disk_describe_name(DASessionRef session, const char *bsd_name,
                              struct macos_disk *out);

/* All that there are. ERR_IO when diskarbitrationd does not answer, or
 * `session` is NULL because it gave none. */
err_code macos_disks_read(DASessionRef session, struct macos_disks *out,
                          struct error *err) MUST_CHECK;
void macos_disks_release(struct macos_disks *disks);

/* The family of a filesystem type: "msdos" -> "vfat". Borrowed. */
const char *macos_family_of(const char *kind);

/* "/dev/disk4s1" and "exfat://disk4s1/NAME" -> "disk4s1"; NULL where it names
 * no disk. free() it. */
char *macos_bsd_name(const char *source);

#endif
