#include "platform/linux/linux_request.h"

#include "core/base/thread.h"
#include "platform/linux/linux_platform.h"
#include "platform/posix_request.h"

#include <stdlib.h>

struct worker {
    struct platform_request *request;
    struct linux_bus *bus;
};

static err_code perform(struct platform_request *request, struct linux_bus *bus)
{
    switch (request->kind) {
    case REQUEST_MOUNT:
        return linux_mount(bus, request->subject, &request->err);
    case REQUEST_UNMOUNT:
        return linux_unmount(bus, request->subject, &request->err);
    case REQUEST_LOCK:
        return linux_lock(bus, request->subject, &request->err);
    case REQUEST_POWER_OFF:
        break;
    }
    return linux_power_off(bus, request->subject, &request->proof,
                           &request->err);
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    posix_request_finish(worker->request,
                         perform(worker->request, worker->bus));
    linux_bus_drop(worker->bus);
    free(worker);
    return NULL;
}

/*
 * Nobody joins the worker: an unmount may hang in the kernel on a sick drive,
 * and the program must be able to end all the same.
 */
static struct platform_request *start(struct platform *platform,
                                      enum request_kind kind,
                                      const char *subject)
{
    struct worker *worker = xcalloc(1, sizeof *worker);
    struct platform_request *request = posix_request_new(kind, subject);

    worker->request = request;
    worker->bus = linux_bus_hold(platform->bus);
    pthread_detach(thread_start(work, worker));
    return request;
}

struct platform_request *platform_mount(struct platform *platform,
                                        const char *device)
{
    return start(platform, REQUEST_MOUNT, device);
}

struct platform_request *platform_unmount(struct platform *platform,
                                          const char *device)
{
    return start(platform, REQUEST_UNMOUNT, device);
}

struct platform_request *platform_lock(struct platform *platform,
                                       const char *device)
{
    return start(platform, REQUEST_LOCK, device);
}

struct platform_request *platform_power_off(struct platform *platform,
                                            const char *drive)
{
    return start(platform, REQUEST_POWER_OFF, drive);
}
