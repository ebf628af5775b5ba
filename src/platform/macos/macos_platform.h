/*
 * The state of the backend, shared by its files.
 */
#ifndef BERTH_MACOS_PLATFORM_H
#define BERTH_MACOS_PLATFORM_H

#include "platform/macos/macos_session.h"

struct platform {
    int wake_fds[2]; /* a pipe: read end, write end; any thread */
    struct macos_session *session;
};

#endif
