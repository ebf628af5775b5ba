#include "platform/macos/macos_session.h"

#include "platform/macos/macos_cf.h"
#include "platform/macos/macos_inhibit.h"
#include "platform/macos/macos_request.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* --- news --- */

/* A full pipe is as good as a byte in it. */
static void wake(struct macos_session *session)
{
    ssize_t written = write(session->wake_fd, "", 1);

    (void)written;
}

static void disk_came(DADiskRef disk, void *context)
{
    wake(context);
}

static void disk_left(DADiskRef disk, void *context)
{
    wake(context);
}

static void disk_changed(DADiskRef disk, CFArrayRef keys, void *context)
{
    wake(context);
}

/* --- the session with diskarbitrationd, on the queue --- */

/* Mounting shows as a change of the volume's path, not as an arrival; so all
 * keys are watched. */
static void connect(struct macos_session *session)
{
    session->arbitration = DASessionCreate(NULL);
    if (!session->arbitration)
        return;
    DARegisterDiskAppearedCallback(session->arbitration, NULL, disk_came,
                                   session);
    DARegisterDiskDisappearedCallback(session->arbitration, NULL, disk_left,
                                      session);
    DARegisterDiskDescriptionChangedCallback(session->arbitration, NULL, NULL,
                                             disk_changed, session);
    macos_inhibitors_register(session);
    DASessionSetDispatchQueue(session->arbitration, session->queue);
}

static void disconnect(struct macos_session *session)
{
    if (!session->arbitration)
        return;
    DASessionSetDispatchQueue(session->arbitration, NULL);
    CFRelease(session->arbitration);
    session->arbitration = NULL;
}

bool macos_session_renew(struct macos_session *session)
{
    if (session->is_closed)
        return false;
    disconnect(session);
    connect(session);
    wake(session);
    return session->arbitration != NULL;
}

bool macos_session_is_alive(const struct macos_session *session,
                            const char *bsd_name)
{
    DADiskRef disk =
        session->arbitration
            ? DADiskCreateFromBSDName(NULL, session->arbitration, bsd_name)
            : NULL;
    CLEANUP(macos_release_dictionary)
    CFDictionaryRef description = disk ? DADiskCopyDescription(disk) : NULL;

    macos_release(disk);
    return description != NULL;
}

/* --- as a whole --- */

static void connect_first(void *context)
{
    connect(context);
}

err_code macos_session_new(int wake_fd, struct macos_session **out,
                           struct error *err)
{
    struct macos_session *session = xcalloc(1, sizeof *session);

    atomic_init(&session->holders, 1);
    session->wake_fd = wake_fd;
    session->queue = dispatch_queue_create("berth.disks", NULL);
    if (session->queue)
        macos_session_run(session, connect_first, session);
    if (session->queue && session->arbitration) {
        *out = session;
        return ERR_OK;
    }
    macos_session_drop(session);
    return error_set(err, ERR_IO,
                     "cannot watch the drives: macOS's diskarbitrationd gives "
                     "no session; try again");
}

struct macos_session *macos_session_hold(struct macos_session *session)
{
    atomic_fetch_add(&session->holders, 1);
    return session;
}

void macos_session_drop(struct macos_session *session)
{
    if (atomic_fetch_sub(&session->holders, 1) != 1)
        return;
    if (session->queue)
        dispatch_release(session->queue);
    free(session);
}

static void disconnect_last(void *context)
{
    struct macos_session *session = context;

    disconnect(session);
    session->is_closed = true;
}

static void give_up_requests(void *context)
{
    macos_requests_give_up(context);
}

/*
 * The session leaves the queue some time after it was told so (DASession.c):
 * a callback that is under way is over once a later job has run.
 */
void macos_session_close(struct macos_session *session)
{
    macos_session_run(session, disconnect_last, session);
    macos_session_run(session, give_up_requests, session);
}

void macos_session_run(struct macos_session *session, void (*work)(void *),
                       void *context)
{
    dispatch_sync_f(session->queue, context, work);
}
