/*
 * The session with DiskArbitration on its serial dispatch queue. Everything
 * that DiskArbitration tells or is told happens on that queue.
 *
 * diskarbitrationd may die; launchd starts it again, but sessions with the
 * dead one stay silent. So a session here is replaced when a call shows that
 * it is dead, and the requests that it owed an answer are made once more.
 */
#ifndef BERTH_MACOS_SESSION_H
#define BERTH_MACOS_SESSION_H

#include "core/base/error.h"

#include <DiskArbitration/DiskArbitration.h>
#include <dispatch/dispatch.h>
#include <stdbool.h>

struct macos_deed;
struct platform_inhibitor;

/* Shared by the platform and its requests; the last one frees it. */
struct macos_session {
    _Atomic int holders;
    dispatch_queue_t queue;
    int wake_fd; /* written to when something may have changed */

    /* The rest on the queue alone. */
    DASessionRef arbitration; /* NULL: none can be had just now */
    bool is_closed;
    struct macos_deed *pending; /* a list: those without their answer */
    bool is_probing;            /* whether anybody is there to give it */
    struct platform_inhibitor *inhibitors; /* a list */
};

err_code macos_session_new(int wake_fd, struct macos_session **out,
                           struct error *err) MUST_CHECK;
struct macos_session *macos_session_hold(struct macos_session *session);
void macos_session_drop(struct macos_session *session);

/*
 * No news comes afterwards, wake_fd is not touched any more, and requests
 * without an answer end with ERR_CANCELLED. From any thread but the queue's.
 */
void macos_session_close(struct macos_session *session);

/* On the queue: a new session in place of a dead one. For
 * macos_requests_repeat, which also sees to what the dead one owed. False when
 * none can be had. */
bool macos_session_renew(struct macos_session *session);

/*
 * On the queue: whether diskarbitrationd answers about a disk which the
 * kernel knows.
 */
bool macos_session_is_alive(const struct macos_session *session,
                            const char *bsd_name);

/* From any thread but the queue's: runs `work` on it and waits. */
void macos_session_run(struct macos_session *session, void (*work)(void *),
                       void *context);

#endif
