/*
 * Requests of practice: they wait in a line until their time has come, and
 * are carried out by the platform's thread, one after the other. platform.h
 * has what a caller sees of them.
 */
#ifndef BERTH_PRACTICE_REQUESTS_H
#define BERTH_PRACTICE_REQUESTS_H

#include "core/base/thread.h"
#include "platform/platform.h"

#include <stdint.h>

struct requests {
    pthread_mutex_t mutex;
    struct {
        struct due_request *items;
        size_t count, capacity;
    } waiting; /* under mutex; each counts one user */
};
void requests_init(struct requests *requests);
/* What still waits ends with ERR_CANCELLED. */
void requests_release(struct requests *requests);

/* --- the platform's thread --- */

/* Milliseconds until the next one is due, -1: none. */
int requests_next_ms(struct requests *requests);
/* Carries out those that are due; whether there were any. */
bool requests_carry_out(struct requests *requests);

/* In practice_platform.c. Any thread. */
struct requests *practice_requests(struct platform *platform);
void practice_kick(struct platform *platform);

#endif
