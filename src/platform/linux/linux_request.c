#include "platform/linux/linux_request.h"

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "platform/linux/linux_platform.h"

#include <errno.h>
#include <stdlib.h>

enum deed { MOUNT, UNMOUNT, LOCK, POWER_OFF };

/* Shared by its worker and by whoever waits; the last one frees it. */
struct platform_request {
    atomic_int holders;
    enum deed deed;
    char *subject; /* a device, or the id of a drive */
    struct linux_bus *bus;

    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t done;
    bool is_done;
    err_code code;
    struct error err;
    struct platform_power_proof proof;
};

static void drop(struct platform_request *request)
{
    if (atomic_fetch_sub(&request->holders, 1) != 1)
        return;
    linux_bus_drop(request->bus);
    mutex_destroy(&request->mutex);
    condition_destroy(&request->done);
    free(request->subject);
    free(request);
}

static err_code perform(const struct platform_request *request,
                        struct platform_power_proof *proof, struct error *err)
{
    switch (request->deed) {
    case MOUNT:
        return linux_mount(request->bus, request->subject, err);
    case UNMOUNT:
        return linux_unmount(request->bus, request->subject, err);
    case LOCK:
        return linux_lock(request->bus, request->subject, err);
    case POWER_OFF:
        break;
    }
    return linux_power_off(request->bus, request->subject, proof, err);
}

static void *work(void *argument)
{
    struct platform_request *request = argument;
    struct platform_power_proof proof = {.flush_seen = false};
    struct error err = ERROR_INIT;
    err_code code = perform(request, &proof, &err);

    mutex_lock(&request->mutex);
    request->code = code;
    request->err = err;
    request->proof = proof;
    request->is_done = true;
    condition_broadcast(&request->done);
    mutex_unlock(&request->mutex);
    drop(request);
    return NULL;
}

/* Waiting is on the monotonic clock: the wall clock may jump. */
static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    if (pthread_condattr_init(&attributes) ||
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) ||
        pthread_cond_init(condition, &attributes))
        die("cannot make a condition");
    pthread_condattr_destroy(&attributes);
}

/*
 * Nobody joins the worker: an unmount may hang in the kernel on a sick drive,
 * and the program must be able to end all the same.
 */
static struct platform_request *start(struct platform *platform, enum deed deed,
                                      const char *subject)
{
    struct platform_request *request = xcalloc(1, sizeof *request);

    atomic_init(&request->holders, 2);
    request->deed = deed;
    request->subject = xstrdup(subject);
    request->bus = linux_bus_hold(platform->bus);
    mutex_init(&request->mutex);
    init_condition(&request->done);
    pthread_detach(thread_start(work, request));
    return request;
}

struct platform_request *platform_mount(struct platform *platform,
                                        const char *device)
{
    return start(platform, MOUNT, device);
}

struct platform_request *platform_unmount(struct platform *platform,
                                          const char *device)
{
    return start(platform, UNMOUNT, device);
}

struct platform_request *platform_lock(struct platform *platform,
                                       const char *device)
{
    return start(platform, LOCK, device);
}

struct platform_request *platform_power_off(struct platform *platform,
                                            const char *drive)
{
    return start(platform, POWER_OFF, drive);
}

err_code platform_wait(struct platform_request *request, int timeout_ms,
                       bool *out_is_done, struct error *err)
{
    struct timespec until =
        clock_to_timespec(clock_monotonic_ns() + timeout_ms * NS_PER_MS);
    err_code code = ERR_OK;
    int failed = 0;

    mutex_lock(&request->mutex);
    while (!request->is_done && failed != ETIMEDOUT)
        failed = timeout_ms < 0
                     ? pthread_cond_wait(&request->done, &request->mutex)
                     : pthread_cond_timedwait(&request->done, &request->mutex,
                                              &until);
    *out_is_done = request->is_done;
    if (request->is_done) {
        code = request->code;
        if (code && err)
            *err = request->err;
    }
    mutex_unlock(&request->mutex);
    return code;
}

void platform_request_free(struct platform_request *request)
{
    if (request)
        drop(request);
}

struct platform_power_proof platform_request_proof(
    const struct platform_request *request)
{
    struct platform_power_proof proof = {.flush_seen = false};
    pthread_mutex_t *mutex = (pthread_mutex_t *)(uintptr_t)&request->mutex;

    mutex_lock(mutex);
    if (request->is_done)
        proof = request->proof;
    mutex_unlock(mutex);
    return proof;
}
