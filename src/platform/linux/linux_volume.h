/*
 * What is known about the filesystem behind a line of the mount table.
 */
#ifndef BERTH_LINUX_VOLUME_H
#define BERTH_LINUX_VOLUME_H

#include "platform/linux/linux_mountinfo.h"
#include "platform/platform_io.h"

#include <stdbool.h>
#include <sys/types.h>

/* What is known of a device's content. NULL: nobody says. */
struct linux_facts {
    char *type, *uuid, *label;
    char *member; /* differs between the devices of one btrfs; only from the
                     device itself */
};

/*
 * Asks udev and the links below /dev/disk; with `may_open` the device itself
 * where these know nothing (containers): that needs rights and waits for it.
 * `driver` is the kernel's that has mounted it; "" where it is not mounted.
 */
void linux_facts_ask(dev_t device, const char *driver, bool may_open,
                     struct linux_facts *out);
void linux_facts_release(struct linux_facts *facts);

/*
 * The block device of a mount: its number, or, for btrfs and FUSE, which have
 * none, that of the node in the source field. False where there is none.
 */
bool linux_volume_device(const struct linux_mount_entry *entry, dev_t *out);

/*
 * Whether a block device, or a FUSE server of one, is behind the mount. Looks
 * at device nodes, opens nothing and touches no mount.
 */
bool linux_volume_is_on_disk(const struct linux_mount_entry *entry);

/* False when the block device behind the mount is no longer plugged in. */
bool linux_volume_is_present(const struct linux_mount_entry *entry);

/*
 * Fills in *out from the entry and what udev knows about its device. With
 * `may_open` the device itself is asked where udev knows nothing (containers):
 * that needs root and waits for the drive. is_root is left false.
 */
void linux_volume_describe(const struct linux_mount_entry *entry, bool may_open,
                           struct platform_mount *out);

/* exFAT's VolumeDirty on a device; -1 when it is no exFAT, or may not be read.
 */
int linux_exfat_is_dirty(const char *node);

/*
 * udev's "\x20" for a space, decoded; free() it. Anything else stays.
 */
char *linux_volume_decode_label(const char *encoded);

/* "1234-ABCD" -> "1234abcd": letters and digits, lower case. free() it. */
char *linux_volume_canonical_uuid(const char *uuid);

#endif
