/*
 * What the requests of platform.h do, each on a worker of its own. They block
 * and must not touch struct platform: it may be gone before they are done.
 */
#ifndef BERTH_LINUX_REQUEST_H
#define BERTH_LINUX_REQUEST_H

#include "platform/linux/linux_bus.h"
#include "platform/platform.h"

err_code linux_mount(struct linux_bus *bus, const char *device,
                     struct error *err) MUST_CHECK;
err_code linux_unmount(struct linux_bus *bus, const char *device,
                       struct error *err) MUST_CHECK;
err_code linux_lock(struct linux_bus *bus, const char *device,
                    struct error *err) MUST_CHECK;
err_code linux_power_off(struct linux_bus *bus, const char *drive,
                         struct platform_power_proof *out_proof,
                         struct error *err) MUST_CHECK;

#endif
