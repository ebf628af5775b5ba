/*
 * The parts of a drive's health, for linux_health.c. Workers only; no part
 * wakes a disk.
 */
#ifndef BERTH_LINUX_HEALTH_H
#define BERTH_LINUX_HEALTH_H

#include "platform/linux/linux_bus.h"
#include "platform/platform.h"

/*
 * What the drive says of itself. Fills in `smart`, temperature, hours and
 * attributes, all of which the caller has set to unknown. UDisks2 is asked, in
 * whose memory it is; the disk only while it is awake. `name` is the disk's
 * ("sda"); is_usb: it is behind a bridge.
 */
void linux_smart_read(struct linux_bus *bus, const char *name, bool is_usb,
                      struct platform_health *out);

/* The same by smartctl, for root; `device` is its node. */
void linux_smartctl_read(const char *device, bool is_usb,
                         struct platform_health *out);
/* What it wrote (JSON), for tests; false when it has no verdict. */
bool linux_smartctl_take(const char *text, struct platform_health *out);

/* What the kernel wrote to its log of a disk since it was plugged in, as far
 * back as the log reaches. */
struct linux_log {
    const char *disk; /* "sda" */
    const char *port; /* of its USB device: "2-1"; "": it hangs on none */
    int64_t io_errors, link_resets, under_voltages;
    bool is_suspending;
};
/* False when the log may not be read (kernel.dmesg_restrict). */
bool linux_log_read(struct linux_log *log);
/* One message, for tests: "usb 2-1: reset SuperSpeed USB device …". */
void linux_log_take(struct linux_log *log, const char *message);

#endif
