#include "platform/macos/macos_request.h"

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "platform/macos/macos_cf.h"
#include "platform/macos/macos_disk.h"
#include "platform/macos/macos_dissent.h"
#include "platform/macos/macos_platform.h"
#include "platform/macos/macos_registry.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* How long a silent session is trusted: other programs may take 10 s each to
 * approve (DAQueue.c), which is no reason to think it dead. */
#define PROBE_NS (2 * NS_PER_SECOND)

enum deed { MOUNT, UNMOUNT, LOCK, POWER_OFF };

static const char *const verbs[] = {
    [MOUNT] = "mount",
    [UNMOUNT] = "unmount",
    [LOCK] = "lock",
    [POWER_OFF] = "eject",
};

/* Shared by whoever waits and, until its answer has come, by the session. */
struct platform_request {
    _Atomic int holders;
    enum deed deed;
    char *subject; /* a device, or the id of a drive */
    struct macos_session *session;

    /* On the queue alone. */
    struct platform_request *next; /* in session->pending */
    bool is_pending;
    bool was_repeated; /* on a new session */
    char *bsd_name;    /* of what DiskArbitration was asked; "" before */

    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t done;
    bool is_done;
    err_code code;
    struct error err;
    int64_t probe_ns; /* when to look whether the session is alive */
};

static void drop(struct platform_request *request)
{
    if (atomic_fetch_sub(&request->holders, 1) != 1)
        return;
    macos_session_drop(request->session);
    mutex_destroy(&request->mutex);
    condition_destroy(&request->done);
    free(request->subject);
    free(request->bsd_name);
    free(request);
}

/* --- the end of a request, on the queue --- */

/* Wakes who waits; the first outcome counts. */
static void finish(struct platform_request *request, err_code code,
                   const struct error *err)
{
    mutex_lock(&request->mutex);
    if (!request->is_done) {
        request->is_done = true;
        request->code = code;
        if (code)
            request->err = *err;
        condition_broadcast(&request->done);
    }
    mutex_unlock(&request->mutex);
}

/* DiskArbitration does not know the request any more. */
static void forget(struct platform_request *request)
{
    struct platform_request **at = &request->session->pending;

    while (*at != request)
        at = &(*at)->next;
    *at = request->next;
    request->is_pending = false;
    drop(request);
}

static void conclude(struct platform_request *request, err_code code,
                     const struct error *err)
{
    finish(request, code, err);
    forget(request);
}

void macos_requests_give_up(struct macos_session *session)
{
    struct error err = ERROR_INIT;

    error_set(&err, ERR_CANCELLED,
              "berth ended before macOS answered: the drive may still be in "
              "use");
    while (session->pending)
        conclude(session->pending, ERR_CANCELLED, &err);
}

/* --- answers --- */

static bool is_plugged_in(const char *bsd_name)
{
    io_service_t media = macos_registry_find(bsd_name);

    if (media)
        IOObjectRelease(media);
    return media != 0;
}

static void begin(struct platform_request *request);

void macos_requests_repeat(struct macos_session *session)
{
    struct platform_request *owed = session->pending;

    if (!macos_session_renew(session))
        return; /* closed meanwhile, or later */
    session->pending = NULL;
    while (owed) {
        struct platform_request *request = owed;
        owed = request->next;
        request->next = session->pending;
        session->pending = request;
        request->was_repeated = true;
        begin(request);
    }
}

static void repeat_all(void *context)
{
    macos_requests_repeat(context);
}

/* Out of DiskArbitration's own call, which may be using the session. */
static void repeat_later(struct platform_request *request)
{
    dispatch_async_f(request->session->queue, request->session, repeat_all);
}

static err_code set_vanished(const struct platform_request *request,
                             struct error *err)
{
    return error_set(err, ERR_DEVICE_GONE,
                     "cannot %s %s: it was unplugged before macOS was done "
                     "with it",
                     verbs[request->deed], request->subject);
}

static void vanished(struct platform_request *request)
{
    struct error err = ERROR_INIT;

    conclude(request, set_vanished(request, &err), &err);
}

/*
 * On the queue, and from within DiskArbitration's own call where it refuses at
 * once (DiskArbitration.c): the request may be gone when that call returns.
 */
static void answered(DADiskRef disk, DADissenterRef dissenter, void *context)
{
    struct platform_request *request = context;
    struct error err = ERROR_INIT;

    if (!dissenter) {
        conclude(request, ERR_OK, NULL);
        return;
    }
    DAReturn status = DADissenterGetStatus(dissenter);
    if (!is_plugged_in(request->bsd_name)) {
        vanished(request);
    } else if (status == kDAReturnBadArgument && !request->was_repeated) {
        repeat_later(request);
    } else if (status == kDAReturnNotMounted && request->deed == UNMOUNT) {
        conclude(request, ERR_OK, NULL);
    } else {
        err_code code =
            macos_dissent(status, DADissenterGetStatusString(dissenter),
                          verbs[request->deed], request->subject, &err);
        conclude(request, code, &err);
    }
}

/* --- asking --- */

static void ask(struct platform_request *request)
{
    DASessionRef arbitration = request->session->arbitration;
    DADiskRef disk =
        DADiskCreateFromBSDName(NULL, arbitration, request->bsd_name);
    struct error err = ERROR_INIT;

    if (!disk) {
        error_set(&err, ERR_INTERNAL, "macOS is out of resources");
        conclude(request, ERR_INTERNAL, &err);
        return;
    }
    switch (request->deed) {
    case MOUNT:
        DADiskMount(disk, NULL, kDADiskMountOptionDefault, answered, request);
        break;
    case UNMOUNT:
        DADiskUnmount(disk, kDADiskUnmountOptionDefault, answered, request);
        break;
    case LOCK:
    case POWER_OFF:
        DADiskEject(disk, kDADiskEjectOptionDefault, answered, request);
        break;
    }
    CFRelease(disk);
}

/* Of a volume: what it is, if it says so. */
static bool describe(struct platform_request *request, struct macos_disk *out)
{
    return macos_disk_describe_name(request->session->arbitration,
                                    request->bsd_name, out);
}

static void begin_mount(struct platform_request *request)
{
    CLEANUP(macos_disk_release) struct macos_disk disk = {.bsd_name = NULL};

    if (describe(request, &disk) && *disk.mount_point)
        conclude(request, ERR_OK, NULL);
    else
        ask(request);
}

/* An encrypted APFS volume forgets its key when its drive is ejected; there
 * is no public call that locks one alone. */
static void begin_lock(struct platform_request *request)
{
    CLEANUP(macos_disk_release) struct macos_disk disk = {.bsd_name = NULL};
    struct error err = ERROR_INIT;

    if (!describe(request, &disk) || !disk.is_encrypted) {
        conclude(request, ERR_OK, NULL);
        return;
    }
    error_set(&err, ERR_UNSUPPORTED,
              "macOS locks %s when its drive is ejected, not before",
              request->subject);
    conclude(request, ERR_UNSUPPORTED, &err);
}

/*
 * The drive's own medium among all, once nothing of it is mounted: not only
 * what has its BSD number, for APFS' volumes are on a disk of another.
 */
static err_code find_drive(const struct macos_disks *disks, const char *id,
                           const char **out_name, struct error *err)
{
    uint64_t physical_id = strtoull(id, NULL, 16);

    *out_name = NULL;
    for (size_t i = 0; i < disks->count; i++) {
        const struct macos_disk *disk = &disks->items[i];
        if (disk->physical_id != physical_id)
            continue;
        if (*disk->mount_point)
            return error_set(err, ERR_BUSY,
                             "cannot eject the drive: /dev/%s is mounted at %s",
                             disk->bsd_name, disk->mount_point);
        if (disk->spans)
            return error_set(err, ERR_UNSUPPORTED,
                             "cannot eject the drive: /dev/%s spans several",
                             disk->bsd_name);
        if (disk->is_physical)
            *out_name = disk->bsd_name;
    }
    if (*out_name)
        return ERR_OK;
    return error_set(err, ERR_DEVICE_GONE,
                     "cannot eject the drive: it is not plugged in any more");
}

static void begin_power_off(struct platform_request *request)
{
    CLEANUP(macos_disks_release) struct macos_disks disks = {.items = NULL};
    const char *name;
    struct error err = ERROR_INIT;
    err_code code =
        macos_disks_read(request->session->arbitration, &disks, &err);

    if (code == ERR_IO && !request->was_repeated) {
        repeat_later(request);
        return;
    }
    if (!code)
        code = find_drive(&disks, request->subject, &name, &err);
    if (code) {
        conclude(request, code, &err);
        return;
    }
    free(request->bsd_name);
    request->bsd_name = xstrdup(name);
    ask(request);
}

static void begin(struct platform_request *request)
{
    if (request->session->is_closed)
        macos_requests_give_up(request->session);
    else if (!request->session->arbitration)
        repeat_later(request);
    else if (request->deed == POWER_OFF)
        begin_power_off(request);
    else if (!is_plugged_in(request->bsd_name))
        vanished(request);
    else if (request->deed == MOUNT)
        begin_mount(request);
    else if (request->deed == LOCK)
        begin_lock(request);
    else
        ask(request);
}

static void begin_first(void *context)
{
    struct platform_request *request = context;

    request->next = request->session->pending;
    request->session->pending = request;
    request->is_pending = true;
    begin(request);
}

/* --- the interface --- */

static struct platform_request *start(struct platform *platform, enum deed deed,
                                      const char *subject)
{
    struct platform_request *request = xcalloc(1, sizeof *request);
    char *name = deed == POWER_OFF ? NULL : macos_bsd_name(subject);

    atomic_init(&request->holders, 2);
    request->deed = deed;
    request->subject = xstrdup(subject);
    request->bsd_name = name ? name : xstrdup("");
    request->session = macos_session_hold(platform->session);
    request->probe_ns = clock_monotonic_ns() + PROBE_NS;
    mutex_init(&request->mutex);
    condition_init(&request->done);
    dispatch_async_f(request->session->queue, request, begin_first);
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

/* --- waiting --- */

/* Whether somebody is there to answer it. */
static bool is_answered(const struct platform_request *request)
{
    if (!request->session->arbitration)
        return false;
    return !*request->bsd_name ||
           macos_session_is_alive(request->session, request->bsd_name);
}

/*
 * On the queue: a request that stays without an answer waits for another
 * program's approval, or for a daemon that has died. One that has seen its
 * disk go does not count as done: only an answer does.
 */
static void probe(void *context)
{
    struct platform_request *request = context;
    struct error err = ERROR_INIT;

    if (request->is_pending) {
        if (*request->bsd_name && !is_plugged_in(request->bsd_name))
            finish(request, set_vanished(request, &err), &err);
        else if (!is_answered(request))
            macos_requests_repeat(request->session);
    }
    drop(request);
}

/* clock_monotonic_ns as what pthread_cond_timedwait understands: Darwin has
 * no pthread_condattr_setclock, so waits are cut into pieces. */
static struct timespec wall_time_in(int64_t ns)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return clock_to_timespec(clock_from_timespec(now) + ns);
}

/* Until it is done or the time is over. With the mutex held. */
static void wait_until(struct platform_request *request, int64_t until_ns)
{
    while (!request->is_done) {
        int64_t left_ns = until_ns - clock_monotonic_ns();
        if (left_ns <= 0)
            return;
        if (left_ns > NS_PER_SECOND)
            left_ns = NS_PER_SECOND; /* the wall clock may be set meanwhile */
        struct timespec until = wall_time_in(left_ns);
        pthread_cond_timedwait(&request->done, &request->mutex, &until);
    }
}

static bool is_time_to_probe(struct platform_request *request)
{
    int64_t now_ns = clock_monotonic_ns();

    if (request->is_done || now_ns < request->probe_ns)
        return false;
    request->probe_ns = now_ns + PROBE_NS;
    return true;
}

err_code platform_wait(struct platform_request *request, int timeout_ms,
                       bool *out_is_done, struct error *err)
{
    int64_t end_ns = timeout_ms < 0
                         ? INT64_MAX
                         : clock_monotonic_ns() + timeout_ms * NS_PER_MS;
    err_code code = ERR_OK;

    mutex_lock(&request->mutex);
    for (;;) {
        wait_until(request,
                   request->probe_ns < end_ns ? request->probe_ns : end_ns);
        if (is_time_to_probe(request)) {
            atomic_fetch_add(&request->holders, 1);
            dispatch_async_f(request->session->queue, request, probe);
        }
        if (request->is_done || clock_monotonic_ns() >= end_ns)
            break;
    }
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

/* DiskArbitration sends the commands and tells nobody how they went. */
struct platform_power_proof platform_request_proof(
    const struct platform_request *request)
{
    return (struct platform_power_proof){.flush_seen = false};
}
