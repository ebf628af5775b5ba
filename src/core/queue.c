#include "core/queue.h"

#include "core/base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static err_code set_flags(int fd, struct error *err)
{
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, O_NONBLOCK))
        return error_set_errno(err, errno, "cannot prepare a pipe");
    return ERR_OK;
}

err_code queue_init(struct queue *queue, struct error *err)
{
    *queue = (struct queue){.wake = {-1, -1}};
    if (pipe(queue->wake))
        return error_set_errno(err, errno, "cannot create a pipe");
    err_code code = set_flags(queue->wake[0], err);
    if (!code)
        code = set_flags(queue->wake[1], err);
    mutex_init(&queue->mutex);
    queue->last = &queue->first;
    return code;
}

void queue_release(struct queue *queue, void (*free_item)(struct queue_link *))
{
    struct queue_link *item;

    while ((item = queue_pop(queue)))
        free_item(item);
    mutex_destroy(&queue->mutex);
    cleanup_fd(&queue->wake[0]);
    cleanup_fd(&queue->wake[1]);
}

void queue_push(struct queue *queue, struct queue_link *item)
{
    item->next = NULL;
    mutex_lock(&queue->mutex);
    *queue->last = item;
    queue->last = &item->next;
    mutex_unlock(&queue->mutex);
    queue_wake(queue);
}

void queue_wake(struct queue *queue)
{
    /* A full pipe is readable, too: that is all a wake-up has to be. */
    while (write(queue->wake[1], "", 1) < 0 && errno == EINTR)
        continue;
}

static void drain(int fd)
{
    char bytes[64];

    while (read(fd, bytes, sizeof bytes) > 0 || errno == EINTR)
        continue;
}

struct queue_link *queue_pop(struct queue *queue)
{
    mutex_lock(&queue->mutex);
    if (!queue->first)
        drain(queue->wake[0]); /* under the lock: no push is lost */
    struct queue_link *item = queue->first;
    if (item) {
        queue->first = item->next;
        if (!queue->first)
            queue->last = &queue->first;
    }
    mutex_unlock(&queue->mutex);
    return item;
}

int queue_wake_fd(const struct queue *queue)
{
    return queue->wake[0];
}
