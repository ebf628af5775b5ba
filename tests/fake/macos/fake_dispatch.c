/*
 * libdispatch's double: serial queues, one thread each.
 */
#include "fake_internal.h"

#include <stdlib.h>

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
