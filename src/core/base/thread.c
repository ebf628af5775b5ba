#include "core/base/thread.h"

#include "core/base/error.h"

#include <signal.h>
#include <string.h>
#include <time.h>

static void check(int failed, const char *what)
{
    if (failed)
        die("%s: %s", what, strerror(failed));
}

void mutex_init(pthread_mutex_t *mutex)
{
    check(pthread_mutex_init(mutex, NULL), "pthread_mutex_init");
}

void mutex_lock(pthread_mutex_t *mutex)
{
    check(pthread_mutex_lock(mutex), "pthread_mutex_lock");
}

void mutex_unlock(pthread_mutex_t *mutex)
{
    check(pthread_mutex_unlock(mutex), "pthread_mutex_unlock");
}

void mutex_destroy(pthread_mutex_t *mutex)
{
    check(pthread_mutex_destroy(mutex), "pthread_mutex_destroy");
}

void condition_init(pthread_cond_t *condition)
{
    check(pthread_cond_init(condition, NULL), "pthread_cond_init");
}

void condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    check(pthread_cond_wait(condition, mutex), "pthread_cond_wait");
}

void condition_signal(pthread_cond_t *condition)
{
    check(pthread_cond_signal(condition), "pthread_cond_signal");
}

void condition_broadcast(pthread_cond_t *condition)
{
    check(pthread_cond_broadcast(condition), "pthread_cond_broadcast");
}

void condition_destroy(pthread_cond_t *condition)
{
    check(pthread_cond_destroy(condition), "pthread_cond_destroy");
}

pthread_t thread_start(void *(*body)(void *), void *argument)
{
    sigset_t all, before;
    pthread_t thread;

    sigfillset(&all);
    check(pthread_sigmask(SIG_SETMASK, &all, &before), "pthread_sigmask");
    check(pthread_create(&thread, NULL, body, argument), "pthread_create");
    check(pthread_sigmask(SIG_SETMASK, &before, NULL), "pthread_sigmask");
    return thread;
}

void thread_join(pthread_t thread)
{
    check(pthread_join(thread, NULL), "pthread_join");
}

void stop_flag_wait_while_paused(const struct stop_flag *flag)
{
    /* A person pauses and lets go: a tenth of a second is soon enough. */
    const struct timespec moment = {.tv_nsec = 100000000};

    while (atomic_load(&flag->paused) && !stop_flag_is_raised(flag))
        nanosleep(&moment, NULL);
}
