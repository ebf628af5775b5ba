/*
 * The side of the requests that the session sees. On its queue.
 */
#ifndef BERTH_MACOS_REQUEST_H
#define BERTH_MACOS_REQUEST_H

#include "platform/macos/macos_session.h"

/*
 * A new session in place of a dead one, on which everything that the dead one
 * owed an answer is asked for again: unmounting what is unmounted and mounting
 * what is mounted do no harm.
 */
void macos_requests_repeat(struct macos_session *session);

/* None of them will be answered any more. */
void macos_requests_give_up(struct macos_session *session);

#endif
