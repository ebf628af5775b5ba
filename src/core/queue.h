/*
 * A queue between threads with a descriptor to poll. It owns what is in it;
 * its lock is a leaf: nothing is called while it is held.
 */
#ifndef BERTH_QUEUE_H
#define BERTH_QUEUE_H

#include "core/base/error.h"

#include <pthread.h>

/* First member of whatever is queued. */
struct queue_link {
    struct queue_link *next;
};

struct queue {
    pthread_mutex_t mutex; /* guards first and last */
    struct queue_link *first, **last;
    int wake[2]; /* readable while something may be queued */
};

err_code queue_init(struct queue *queue, struct error *err) MUST_CHECK;
/* What is still queued is handed to `free_item`. */
void queue_release(struct queue *queue, void (*free_item)(struct queue_link *));
void queue_push(struct queue *queue, struct queue_link *item_taking);
/* Makes the descriptor readable with nothing queued: somebody is to look. */
void queue_wake(struct queue *queue);
/* NULL when it is empty; then the wake descriptor is not readable any more. */
struct queue_link *queue_pop(struct queue *queue);
int queue_wake_fd(const struct queue *queue);

#endif
