/*
 * What the session says to other programs that want to unmount a volume while
 * berth writes to it. On its queue.
 */
#ifndef BERTH_MACOS_INHIBIT_H
#define BERTH_MACOS_INHIBIT_H

#include "platform/macos/macos_session.h"

/*
 * A session is new: it is asked about unmounting if something is held. Only
 * then, since whoever registers keeps others waiting when it is slow (10 s,
 * DAQueue.c), or stopped with ^Z.
 */
void macos_inhibitors_register(struct macos_session *session);

#endif
