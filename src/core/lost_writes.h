/*
 * Flushes that failed on volumes that have no catalogue here, so that a drive
 * which was called red once is not green when asked again: the next flush
 * returns 0 and proves nothing (ENGINE G8). What was lost is not known, and
 * cannot be copied anew by berth; so it holds for as long as the drive stays
 * plugged in. Kept in "STATE/lost-writes.json", which goes with the boot.
 *
 * Engine thread or a task. Blocking: the internal disk.
 */
#ifndef BERTH_LOST_WRITES_H
#define BERTH_LOST_WRITES_H

#include "core/drive.h"

/* `volume`: as the user knows it. */
err_code lost_writes_note(const char *state_directory,
                          const struct drive *drive, const char *volume,
                          struct error *err) MUST_CHECK;

/* Tells the drive of them. A file that cannot be read may know of some. */
void lost_writes_find(const char *state_directory, struct drive *drive);

#endif
