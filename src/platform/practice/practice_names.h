/*
 * What drives and volumes of paper are called outside: ids and devices. The
 * device of a volume, and of a drive, is "practice:NAME"; the id of a drive
 * has the number of the time that it was plugged in, too.
 */
#ifndef BERTH_PRACTICE_NAMES_H
#define BERTH_PRACTICE_NAMES_H

/* free() them. */
char *practice_device(const char *name);
char *practice_drive_id(const char *drive);

/* The volume of a device; NULL: no such thing now. free() it. */
char *practice_volume_of_device(const char *device);
/* The drive that has this id now; NULL: it was pulled. free() it. */
char *practice_drive_of_id(const char *id);

#endif
