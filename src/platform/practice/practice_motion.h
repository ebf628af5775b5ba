/*
 * What happens to drives of paper: plugged, pulled, mounted, unmounted. Each
 * is whole when it returns, for every process on the sandbox. The caller holds
 * the cards' lock (card_lock).
 */
#ifndef BERTH_PRACTICE_MOTION_H
#define BERTH_PRACTICE_MOTION_H

#include "core/base/error.h"

/* A drive or volume that is only a directory so far gets its cards. */
err_code practice_adopt(const char *name, struct error *err) MUST_CHECK;

/* Another id each time. Its volumes are mounted, but for automount=no and
 * locked ones. Nothing happens when it is plugged in. */
err_code practice_plug(const char *drive, struct error *err) MUST_CHECK;
/* With a volume mounted, a yank: practice.h. */
err_code practice_unplug(const char *drive, struct error *err) MUST_CHECK;

/* ERR_EXISTS when it is mounted; ERR_DENIED when it is locked;
 * ERR_DEVICE_GONE without its drive. */
err_code practice_mount(const char *volume, struct error *err) MUST_CHECK;
/* Takes a stale mount away, too. ERR_NOT_FOUND when it is not mounted. Whether
 * somebody uses it is asked before. */
err_code practice_unmount(const char *volume, struct error *err) MUST_CHECK;

/* For the script: a described volume's first day. */
err_code practice_begin_volume(const char *volume, struct error *err)
    MUST_CHECK;

/* Everything on it has reached the device: told to the next yank. */
void practice_stamp(const char *volume);

#endif
