/*
 * The backend's one thread. It waits for news (devices, mounts, runs of other
 * processes) and answers for D-Bus; it never waits for a drive.
 */
#ifndef BERTH_LINUX_MONITOR_H
#define BERTH_LINUX_MONITOR_H

#include "core/base/error.h"
#include "platform/linux/linux_block.h"
#include "platform/linux/linux_bus.h"

struct linux_monitor;

/*
 * From now on `wake_fd` (an eventfd, the caller's) becomes readable with every
 * piece of news, and `probes` forget what they knew.
 */
err_code linux_monitor_new(int wake_fd, struct linux_probes *probes,
                           struct linux_bus *bus, struct linux_monitor **out,
                           struct error *err) MUST_CHECK;
/*
 * From now on runs of other processes are news, too. Any thread, any number of
 * times. Not from the start: what watches directories takes some 10 ms to
 * close (the kernel waits for its readers), which each command would pay.
 */
void linux_monitor_watch_runs(struct linux_monitor *monitor);
/* Ends the thread, and closes the bus. NULL is fine. */
void linux_monitor_free(struct linux_monitor *monitor);

#endif
