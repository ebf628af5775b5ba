#include "platform/macos/macos_request.h"

#include "core/base/clock.h"
#include "platform/macos/macos_cf.h"
#include "platform/macos/macos_disk.h"
#include "platform/macos/macos_dissent.h"
#include "platform/macos/macos_platform.h"
#include "platform/macos/macos_registry.h"
#include "platform/posix_request.h"

#include <stdlib.h>
#include <string.h>

/* How long a silent session is trusted: other programs may take 10 s each to
 * approve (DAQueue.c), which is no reason to think it dead. */
#define PROBE_NS (2 * NS_PER_SECOND)

static const char *const verbs[] = {
    [REQUEST_MOUNT] = "mount",
    [REQUEST_UNMOUNT] = "unmount",
    [REQUEST_LOCK] = "lock",
    [REQUEST_POWER_OFF] = "eject",
};

/* What DiskArbitration was asked for, until its answer has come. On the
 * queue. */
struct macos_deed {
    struct platform_request *request; /* NULL: whoever asked knows how it ended,
                                         or went away */
    struct macos_session *session;
    struct macos_deed *next; /* in session->pending */
    enum request_kind kind;
    char *subject;     /* a device, or the id of a drive */
    char *bsd_name;    /* "" while it is not known */
    bool was_repeated; /* on a new session */
};

/* --- the end of a deed --- */

/* The first outcome counts. */
static void tell(struct macos_deed *deed, err_code code,
                 const struct error *err)
{
    struct platform_request *request = deed->request;

    if (!request)
        return;
    deed->request = NULL;
    if (code)
        request->err = *err;
    posix_request_finish(request, code);
}

static void conclude(struct macos_deed *deed, err_code code,
                     const struct error *err)
{
    struct macos_deed **at = &deed->session->pending;

    tell(deed, code, err);
    while (*at != deed)
        at = &(*at)->next;
    *at = deed->next;
    free(deed->subject);
    free(deed->bsd_name);
    free(deed);
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

static void begin(struct macos_deed *deed);

void macos_requests_repeat(struct macos_session *session)
{
    struct macos_deed *owed = session->pending;

    if (!macos_session_renew(session))
        return; /* closed meanwhile, or later */
    session->pending = NULL;
    while (owed) {
        struct macos_deed *deed = owed;
        owed = deed->next;
        deed->next = session->pending;
        session->pending = deed;
        deed->was_repeated = true;
        begin(deed);
    }
}

static void repeat_all(void *context)
{
    macos_requests_repeat(context);
}

/* Out of DiskArbitration's own call, which may be using the session. */
static void repeat_later(struct macos_deed *deed)
{
    dispatch_async_f(deed->session->queue, deed->session, repeat_all);
}

static err_code set_vanished(const struct macos_deed *deed, struct error *err)
{
    return error_set(err, ERR_DEVICE_GONE,
                     "cannot %s %s: it was unplugged before macOS was done "
                     "with it",
                     verbs[deed->kind], deed->subject);
}

static void vanished(struct macos_deed *deed)
{
    struct error err = ERROR_INIT;

    conclude(deed, set_vanished(deed, &err), &err);
}

/*
 * On the queue, and from within DiskArbitration's own call where it refuses at
 * once (DiskArbitration.c): it may be gone when that call returns.
 */
static void answered(DADiskRef disk, DADissenterRef dissenter, void *context)
{
    struct macos_deed *deed = context;
    struct error err = ERROR_INIT;

    if (!dissenter) {
        conclude(deed, ERR_OK, NULL);
        return;
    }
    DAReturn status = DADissenterGetStatus(dissenter);
    if (!is_plugged_in(deed->bsd_name)) {
        vanished(deed);
    } else if (status == kDAReturnBadArgument && !deed->was_repeated) {
        repeat_later(deed);
    } else if (status == kDAReturnNotMounted && deed->kind == REQUEST_UNMOUNT) {
        conclude(deed, ERR_OK, NULL);
    } else {
        err_code code =
            macos_dissent(status, DADissenterGetStatusString(dissenter),
                          verbs[deed->kind], deed->subject, &err);
        conclude(deed, code, &err);
    }
}

/* --- asking --- */

static void ask(struct macos_deed *deed)
{
    DASessionRef arbitration = deed->session->arbitration;
    DADiskRef disk = DADiskCreateFromBSDName(NULL, arbitration, deed->bsd_name);
    struct error err = ERROR_INIT;

    if (!disk) {
        error_set(&err, ERR_INTERNAL, "macOS is out of resources");
        conclude(deed, ERR_INTERNAL, &err);
        return;
    }
    switch (deed->kind) {
    case REQUEST_MOUNT:
        DADiskMount(disk, NULL, kDADiskMountOptionDefault, answered, deed);
        break;
    case REQUEST_UNMOUNT:
        DADiskUnmount(disk, kDADiskUnmountOptionDefault, answered, deed);
        break;
    case REQUEST_LOCK:
    case REQUEST_POWER_OFF:
        DADiskEject(disk, kDADiskEjectOptionDefault, answered, deed);
        break;
    }
    CFRelease(disk);
}

/* Of a volume: what it is, if it says so. */
static bool describe(struct macos_deed *deed, struct macos_disk *out)
{
    return macos_disk_describe_name(deed->session->arbitration, deed->bsd_name,
                                    out);
}

static void begin_mount(struct macos_deed *deed)
{
    CLEANUP(macos_disk_release) struct macos_disk disk = {.bsd_name = NULL};

    if (describe(deed, &disk) && *disk.mount_point)
        conclude(deed, ERR_OK, NULL);
    else
        ask(deed);
}

/* An encrypted APFS volume forgets its key when its drive is ejected; there
 * is no public call that locks one alone. */
static void begin_lock(struct macos_deed *deed)
{
    CLEANUP(macos_disk_release) struct macos_disk disk = {.bsd_name = NULL};
    struct error err = ERROR_INIT;

    if (!describe(deed, &disk) || !disk.is_encrypted) {
        conclude(deed, ERR_OK, NULL);
        return;
    }
    error_set(&err, ERR_UNSUPPORTED,
              "macOS locks %s when its drive is ejected, not before",
              deed->subject);
    conclude(deed, ERR_UNSUPPORTED, &err);
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

static void begin_power_off(struct macos_deed *deed)
{
    CLEANUP(macos_disks_release) struct macos_disks disks = {.items = NULL};
    const char *name;
    struct error err = ERROR_INIT;
    err_code code = macos_disks_read(deed->session->arbitration, &disks, &err);

    if (code == ERR_IO && !deed->was_repeated) {
        repeat_later(deed);
        return;
    }
    if (!code)
        code = find_drive(&disks, deed->subject, &name, &err);
    if (code) {
        conclude(deed, code, &err);
        return;
    }
    free(deed->bsd_name);
    deed->bsd_name = xstrdup(name);
    ask(deed);
}

static void begin(struct macos_deed *deed)
{
    if (deed->session->is_closed)
        macos_requests_give_up(deed->session);
    else if (!deed->session->arbitration)
        repeat_later(deed);
    else if (deed->kind == REQUEST_POWER_OFF)
        begin_power_off(deed);
    else if (!is_plugged_in(deed->bsd_name))
        vanished(deed);
    else if (deed->kind == REQUEST_MOUNT)
        begin_mount(deed);
    else if (deed->kind == REQUEST_LOCK)
        begin_lock(deed);
    else
        ask(deed);
}

/* --- silence --- */

/* Whether somebody is there to answer it. */
static bool is_answered(const struct macos_deed *deed)
{
    if (!deed->session->arbitration)
        return false;
    return !*deed->bsd_name ||
           macos_session_is_alive(deed->session, deed->bsd_name);
}

static void probe(void *context);

/* As long as there is something to wait for. */
static void probe_later(struct macos_session *session)
{
    if (session->is_probing || !session->pending)
        return;
    session->is_probing = true;
    dispatch_after_f(dispatch_time(DISPATCH_TIME_NOW, PROBE_NS), session->queue,
                     macos_session_hold(session), probe);
}

/*
 * A deed that stays without an answer waits for another program's approval,
 * or for a daemon that has died. One that has seen its disk go does not count
 * as done: only an answer does.
 */
static void probe(void *context)
{
    struct macos_session *session = context;
    struct error err = ERROR_INIT;
    bool is_silent = false;

    session->is_probing = false;
    for (struct macos_deed *deed = session->pending; deed; deed = deed->next) {
        if (*deed->bsd_name && !is_plugged_in(deed->bsd_name))
            tell(deed, set_vanished(deed, &err), &err);
        else
            is_silent |= !is_answered(deed);
    }
    if (is_silent)
        macos_requests_repeat(session);
    probe_later(session);
    macos_session_drop(session);
}

/* --- the interface --- */

static void begin_first(void *context)
{
    struct macos_deed *deed = context;
    struct macos_session *session = deed->session;

    deed->next = session->pending;
    session->pending = deed;
    begin(deed);
    probe_later(session);
}

static struct platform_request *start(struct platform *platform,
                                      enum request_kind kind,
                                      const char *subject)
{
    struct platform_request *request = posix_request_new(kind, subject);
    struct macos_deed *deed = xcalloc(1, sizeof *deed);
    char *name = kind == REQUEST_POWER_OFF ? NULL : macos_bsd_name(subject);

    *deed = (struct macos_deed){
        .request = request,
        .session = platform->session,
        .kind = kind,
        .subject = xstrdup(subject),
        .bsd_name = name ? name : xstrdup(""),
    };
    dispatch_async_f(platform->session->queue, deed, begin_first);
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

/* DiskArbitration sends the commands and tells nobody how they went: the
 * request's proof stays empty. */
struct platform_request *platform_power_off(struct platform *platform,
                                            const char *drive)
{
    return start(platform, REQUEST_POWER_OFF, drive);
}
