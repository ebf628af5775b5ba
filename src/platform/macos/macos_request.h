/*
 * The side of the requests that the session sees. On its queue.
 */
#ifndef BERTH_MACOS_REQUEST_H
#define BERTH_MACOS_REQUEST_H

#include "platform/macos/macos_session.h"

/* None of them will be answered any more. */
void macos_requests_give_up(struct macos_session *session);

#endif
