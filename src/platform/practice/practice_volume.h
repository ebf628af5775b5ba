/*
 * Which volumes of paper there are, where their files lie, and which of them
 * an open descriptor belongs to. Any thread; looks, changes nothing.
 */
#ifndef BERTH_PRACTICE_VOLUME_H
#define BERTH_PRACTICE_VOLUME_H

#include "platform/platform_io.h"
#include "platform/practice/practice_card.h"

#include <stdbool.h>

/* Directories of the sandbox; NULL where there is none. free() them. */

/* "SANDBOX/drives/NAME": its mount point. */
char *practice_mount_point(const char *volume);
/* "SANDBOX/shelf/NAME": its files while it is not mounted. */
char *practice_shelf(const char *volume);
/* "SANDBOX/pulled/NAME": what is left of the old directories in a yank. */
char *practice_pulled(const char *volume);

/* --- which --- */

/* Of all volumes, mounted or not, in the order of their names. */
err_code practice_list_volumes(struct names *out, struct error *err) MUST_CHECK;
void practice_list_drives(struct names *out);
void practice_volumes_of(const char *drive, struct names *out);
/* The drive that a volume belongs to; free() it. */
char *practice_drive_of(const char *volume);
bool practice_is_plugged(const char *drive);
/* What a name in the script stands for: itself, or the drive of a volume. */
char *practice_find_drive(const char *name);
void practice_find_volumes(const char *name, struct names *out);

/* --- mounts --- */

/* Whether nothing can be reached below the mount point. */
bool practice_is_gone(const char *volume);
/* Its drive was pulled while it was mounted: the mount is listed still. */
bool practice_is_stale(const char *volume);
bool practice_is_mounted(const char *volume); /* listed; also when stale */

/* Of its filesystem, mounted or not, as udev tells it; free() it. */
char *practice_uuid(const char *volume);

/* Describes a volume as if it were mounted; is_root is left false. */
err_code practice_describe(const char *volume, struct platform_mount *out,
                           struct error *err) MUST_CHECK;

/* --- descriptors --- */

struct practice_place {
    char *volume;
    bool is_root; /* the descriptor is the mount point itself */
    bool is_gone; /* it leads nowhere any more */
};
void practice_place_release(struct practice_place *place);

/*
 * False: on no drive of paper. Which path a descriptor has only Linux' /proc
 * can tell; elsewhere directories are found by walking up, and files belong
 * to no drive.
 */
bool practice_find_place(int fd, struct practice_place *out);

#endif
