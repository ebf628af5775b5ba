/*
 * libdispatch's double: serial queues, one thread each.
 */
#include "fake_internal.h"

#include <stdlib.h>
#include <time.h>

struct job {
    dispatch_function_t work;
    void *context;
    struct job *next;
};

struct dispatch_queue_s {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    struct job *first, **last;
    int references; /* one more while it has jobs */
    bool is_running;
};

static void *serve(void *argument)
{
    dispatch_queue_t queue = argument;

    pthread_mutex_lock(&queue->mutex);
    for (;;) {
        struct job *job = queue->first;
        if (!job && !queue->references)
            break;
        if (!job) {
            pthread_cond_wait(&queue->changed, &queue->mutex);
            continue;
        }
        queue->first = job->next;
        if (!queue->first)
            queue->last = &queue->first;
        pthread_mutex_unlock(&queue->mutex);
        job->work(job->context);
        free(job);
        pthread_mutex_lock(&queue->mutex);
    }
    pthread_mutex_unlock(&queue->mutex);
    pthread_mutex_destroy(&queue->mutex);
    pthread_cond_destroy(&queue->changed);
    free(queue);
    atomic_fetch_sub(&fake_alive, 1);
    return NULL;
}

dispatch_queue_t dispatch_queue_create(const char *label,
                                       dispatch_queue_attr_t attr)
{
    dispatch_queue_t queue = calloc(1, sizeof *queue);

    if (!queue)
        fake_abort("out of memory");
    queue->references = 1;
    queue->last = &queue->first;
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->changed, NULL);
    atomic_fetch_add(&fake_alive, 1);
    if (pthread_create(&queue->thread, NULL, serve, queue))
        fake_abort("no thread for a queue");
    pthread_detach(queue->thread);
    return queue;
}

void dispatch_retain(dispatch_object_t object)
{
    pthread_mutex_lock(&object._dq->mutex);
    object._dq->references++;
    pthread_mutex_unlock(&object._dq->mutex);
}

void dispatch_release(dispatch_object_t object)
{
    dispatch_queue_t queue = object._dq;

    pthread_mutex_lock(&queue->mutex);
    if (queue->references < 1)
        fake_abort("a queue is released once too often");
    queue->references--;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}

void dispatch_async_f(dispatch_queue_t queue, void *context,
                      dispatch_function_t work)
{
    struct job *job = malloc(sizeof *job);

    if (!job)
        fake_abort("out of memory");
    *job = (struct job){.work = work, .context = context};
    pthread_mutex_lock(&queue->mutex);
    *queue->last = job;
    queue->last = &job->next;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    bool is_done;
    dispatch_function_t work;
    void *context;
};

static void run_waited(void *context)
{
    struct waiting *waiting = context;

    waiting->work(waiting->context);
    pthread_mutex_lock(&waiting->mutex);
    waiting->is_done = true;
    pthread_cond_signal(&waiting->done);
    pthread_mutex_unlock(&waiting->mutex);
}

void dispatch_sync_f(dispatch_queue_t queue, void *context,
                     dispatch_function_t work)
{
    struct waiting waiting = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                              .done = PTHREAD_COND_INITIALIZER,
                              .work = work,
                              .context = context};

    if (pthread_equal(pthread_self(), queue->thread))
        fake_abort("dispatch_sync_f on the queue that it is called from");
    dispatch_async_f(queue, &waiting, run_waited);
    pthread_mutex_lock(&waiting.mutex);
    while (!waiting.is_done)
        pthread_cond_wait(&waiting.done, &waiting.mutex);
    pthread_mutex_unlock(&waiting.mutex);
    pthread_mutex_destroy(&waiting.mutex);
    pthread_cond_destroy(&waiting.done);
}

/* --- later --- */

/* dispatch_time counts from now; what is due before the end is due at once. */
struct timer {
    struct timespec due;
    dispatch_queue_t queue;
    dispatch_function_t work;
    void *context;
};

static pthread_mutex_t timers_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t timers_changed = PTHREAD_COND_INITIALIZER;
static int timers;          /* running; under timers_mutex, as the next */
static bool timers_are_due; /* all of them */

static void *run_timer(void *argument)
{
    struct timer *timer = argument;
    bool is_late = false;

    pthread_mutex_lock(&timers_mutex);
    while (!timers_are_due && !is_late)
        is_late = pthread_cond_timedwait(&timers_changed, &timers_mutex,
                                         &timer->due) != 0;
    pthread_mutex_unlock(&timers_mutex);
    dispatch_async_f(timer->queue, timer->context, timer->work);
    dispatch_release(timer->queue);
    free(timer);
    pthread_mutex_lock(&timers_mutex);
    timers--;
    pthread_cond_broadcast(&timers_changed);
    pthread_mutex_unlock(&timers_mutex);
    return NULL;
}

dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta)
{
    if (when != DISPATCH_TIME_NOW || delta < 0)
        fake_abort("only times from now on are known here");
    return (dispatch_time_t)delta;
}

void dispatch_after_f(dispatch_time_t when, dispatch_queue_t queue,
                      void *context, dispatch_function_t work)
{
    struct timer *timer = calloc(1, sizeof *timer);
    pthread_t thread;

    if (!timer)
        fake_abort("out of memory");
    *timer = (struct timer){.queue = queue, .work = work, .context = context};
    clock_gettime(CLOCK_REALTIME, &timer->due);
    int64_t ns = timer->due.tv_nsec + (int64_t)when;
    timer->due.tv_sec += ns / 1000000000;
    timer->due.tv_nsec = ns % 1000000000;
    dispatch_retain(queue);
    pthread_mutex_lock(&timers_mutex);
    timers++;
    pthread_mutex_unlock(&timers_mutex);
    if (pthread_create(&thread, NULL, run_timer, timer))
        fake_abort("no thread for a timer");
    pthread_detach(thread);
}

void fake_timers_expire(void)
{
    pthread_mutex_lock(&timers_mutex);
    timers_are_due = true;
    pthread_cond_broadcast(&timers_changed);
    while (timers)
        pthread_cond_wait(&timers_changed, &timers_mutex);
    timers_are_due = false;
    pthread_mutex_unlock(&timers_mutex);
}
