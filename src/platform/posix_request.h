/*
 * What a backend's requests are made of: a future that one worker ends, and
 * that whoever asked waits for. Shared by the backends; platform.h has what a
 * caller sees (platform_wait, platform_request_free, platform_request_proof
 * are implemented here).
 */
#ifndef BERTH_POSIX_REQUEST_H
#define BERTH_POSIX_REQUEST_H

#include "platform/platform.h"

#include <stdatomic.h>
#include <stdbool.h>

enum request_kind {
    REQUEST_MOUNT,
    REQUEST_UNMOUNT,
    REQUEST_LOCK,
    REQUEST_POWER_OFF,
};

struct platform_request {
    atomic_int users; /* who asked, and the worker; the last one frees it */
    enum request_kind kind;
    char *subject;   /* device of a volume, id of a drive */
    int done_fds[2]; /* the first is readable when it is done */
    atomic_bool is_done;
    /* The worker's until is_done, then anybody's to read. */
    err_code code;
    struct error err;
    struct platform_power_proof proof;
};

/* For two: each of them has to let go. */
struct platform_request *posix_request_new(enum request_kind kind,
                                           const char *subject);

/* The worker's last word, and its letting go. Any thread, once. */
void posix_request_finish(struct platform_request *request_taking,
                          err_code code);

#endif
