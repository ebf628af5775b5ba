/*
 * Threads and locks that cannot fail quietly: what POSIX reports as an error
 * here is a bug of ours, so it ends in die().
 */
#ifndef BERTH_BASE_THREAD_H
#define BERTH_BASE_THREAD_H

#include "core/base/compiler.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

void mutex_init(pthread_mutex_t *mutex);
void mutex_lock(pthread_mutex_t *mutex);
void mutex_unlock(pthread_mutex_t *mutex);
void mutex_destroy(pthread_mutex_t *mutex);
void condition_init(pthread_cond_t *condition);
void condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
void condition_signal(pthread_cond_t *condition);
void condition_broadcast(pthread_cond_t *condition);
void condition_destroy(pthread_cond_t *condition);

/* The new thread has all signals blocked: the main thread takes them. */
pthread_t thread_start(void *(*body)(void *), void *argument);
void thread_join(pthread_t thread);

/*
 * Asks work to stop. Raised from any thread, polled by workers between
 * pieces of work. Never lowered during a run. While it is paused, workers
 * wait at the next clean place; stopping ends a pause.
 */
struct stop_flag {
    _Atomic bool raised;
    _Atomic bool paused;
    /* Bytes a second of all workers together that somebody asked for
     * meanwhile; 0: nobody did, negative: no limit. */
    _Atomic int64_t bandwidth;
};

static inline void stop_flag_raise(struct stop_flag *flag)
{
    atomic_store(&flag->raised, true);
}

static inline bool stop_flag_is_raised(const struct stop_flag *flag)
{
    return atomic_load(&flag->raised);
}

/* Returns when the flag is not paused any more, or raised. */
void stop_flag_wait_while_paused(const struct stop_flag *flag);

#endif
