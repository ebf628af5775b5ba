/*
 * What a drive of paper is given: how fast it takes it, how much it holds,
 * and whether flushing succeeds. Any thread; blocks as long as the drive that
 * is played would.
 */
#ifndef BERTH_PRACTICE_PACE_H
#define BERTH_PRACTICE_PACE_H

#include "platform/platform_io.h"

#include <stdbool.h>
#include <stdint.h>

/* A volume is opened: what lies on it now has been written long ago. */
void practice_pace_open(const char *volume);
/* So many bytes are on their way; waits while too many are. */
void practice_pace_write(const char *volume, int64_t bytes);
/* Waits until everything written is on the drive. ERR_IO for a flush that is
 * to fail, ERR_DEVICE_GONE when the drive is pulled meanwhile. */
err_code practice_pace_flush(const char *volume, struct error *err) MUST_CHECK;

/* Whether the drive refuses what is written to it. */
bool practice_fails_writes(const char *volume);

/* Bytes that a flush under way still waits for, and those that the volume has
 * taken. */
int64_t practice_pace_left(const char *volume);
int64_t practice_pace_written(const char *volume);

/* Changes what the filesystem below says into what the script says. */
void practice_pace_space(const char *volume, struct platform_space *space);

#endif
