/*
 * One disk: who it is and how it is connected. Any thread; opens nothing.
 */
#ifndef BERTH_LINUX_DRIVE_H
#define BERTH_LINUX_DRIVE_H

#include "platform/linux/linux_block.h"
#include "platform/platform.h"

/*
 * Names a plugged disk for as long as the machine runs, the same for every
 * process: its name and the kernel's disk sequence number. free() it.
 */
char *linux_drive_id(const char *name, const char *path);

/*
 * The kernel's name ("sda") of a drive that is still plugged in. free() it.
 * ERR_DEVICE_GONE also when another drive has the name now.
 */
err_code linux_drive_find(const char *id, char **out_name, struct error *err)
    MUST_CHECK;

void linux_drive_describe(const struct linux_block *disk,
                          struct platform_drive *out);

/*
 * Whether a disk below the block device with this name of the kernel's, a
 * partition or a layer, turns; virtual ones don't.
 */
bool linux_drive_spins(const char *name);

/*
 * The directory of the USB device that a block device belongs to; NULL where
 * it hangs on none. Its drives are removed together: bays of one case, slots
 * of one reader.
 */
char *linux_drive_usb_device(const char *path);

#endif
