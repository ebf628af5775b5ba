/*
 * The state of the backend, shared by its files.
 */
#ifndef BERTH_LINUX_PLATFORM_H
#define BERTH_LINUX_PLATFORM_H

#include "platform/linux/linux_block.h"

struct linux_bus;
struct linux_monitor;

struct platform {
    int wake_fd;                   /* eventfd, any thread */
    struct linux_probes *probes;   /* any thread */
    struct linux_bus *bus;         /* any thread */
    struct linux_monitor *monitor; /* the thread */
};

#endif
