/*
 * How far down a flush reaches on each filesystem, as it was seen to.
 */
#ifndef BERTH_MACOS_FLUSH_H
#define BERTH_MACOS_FLUSH_H

#include <sys/types.h>

enum macos_flush {
    MACOS_FLUSH_UNKNOWN, /* nothing was flushed there yet */
    MACOS_FLUSH_FILE,    /* fsync: to the device, which may cache */
    MACOS_FLUSH_BARRIER, /* F_BARRIERFSYNC: the device keeps the order */
    MACOS_FLUSH_FULL,    /* F_FULLFSYNC: the device emptied its cache */
};

/* The best that worked at the last flush on this device. Any thread. */
enum macos_flush macos_flush_seen(dev_t device);

#endif
