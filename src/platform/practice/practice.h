/*
 * Drives of paper: each directory $BERTH_PRACTICE/drives/NAME is a mounted
 * volume of the family "practice". One that holds a file named ".detached"
 * counts as not plugged in. Without BERTH_PRACTICE the sandbox is a fresh
 * private directory below $TMPDIR, the same until the process ends; nobody
 * removes it.
 *
 *     drives/NAME/   the volumes
 *     config/ state/ what platform_config_directory and …_state_… say
 *     boot-id        if it is there: the boot id, to play a reboot with
 *
 * Between the files of the practice backend, and for tests.
 */
#ifndef BERTH_PRACTICE_H
#define BERTH_PRACTICE_H

#include "platform/platform_io.h"

#include <stdbool.h>

#define PRACTICE_DETACHED_NAME ".detached"

/*
 * The sandbox, absolute and without symlinks; it need not exist. free() it.
 */
err_code practice_directory(char **out_path, struct error *err) MUST_CHECK;

/* "SANDBOX/NAME" in fresh memory; free() it. */
err_code practice_path(const char *name, char **out_path, struct error *err)
    MUST_CHECK;

/*
 * The drive that an open directory belongs to: its name in fresh memory, or
 * NULL. *out_is_root says whether the descriptor is the drive's directory
 * itself. POSIX cannot tell where a *file* is: files belong to no drive.
 */
char *practice_drive_of(int fd, bool *out_is_root);

bool practice_is_detached(const char *drive);

/* Describes a drive as if it were mounted; is_root is left false. */
err_code practice_describe(const char *drive, struct platform_mount *out,
                           struct error *err) MUST_CHECK;

/*
 * For tests: what platform_drop_cache says from now on. It says CACHE until
 * somebody plays a drive that can be read past the cache. Any thread.
 */
void practice_set_proof(enum platform_proof proof);

#endif
