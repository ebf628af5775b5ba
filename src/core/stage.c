#include "core/stage.h"

#include <stdlib.h>

struct staging {
    struct session *session;
    const struct copy_context *context;
    struct stage_items *items;
    _Atomic size_t next;
    _Atomic bool failed; /* the device did: the others need not try */
    unsigned running;
    pthread_t workers[];
};

void stage_items_release(struct stage_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        free(items->items[i].staged);
        free(items->items[i].resumable);
        free(items->items[i].message);
        free(items->items[i].result.attributes);
    }
    free(items->items);
    *items = (struct stage_items){.items = NULL};
}

/* Brings what the rename will look at into memory: the renames come one after
 * the other, and each would wait for the device. What it says is not used. */
static void look_ahead(const struct staging *staging,
                       const struct stage_item *item)
{
    struct platform_stat stat;

    if (item->replaces)
        (void)!platform_stat_beneath(staging->context->volume_fd,
                                     item->replaces, &stat, NULL);
}

static void copy_item(struct staging *staging, struct copier *copier,
                      struct stage_item *item)
{
    struct error err = ERROR_INIT;

    item->staged = session_new_staged(staging->session);
    current_set(staging->context->current, item->step->action->path);
    const struct copy_request request = {
        .path = item->step->action->path,
        .raw = item->path,
        .staged = item->staged,
        .resumable = item->resumable,
        .known = item->known,
    };
    if (item->from == STAGE_SOURCE)
        item->code = copy_file(copier, &request, &item->result, &err);
    else
        item->code = copy_within_volume(copier, item->path, item->staged,
                                        &item->result, &err);
    look_ahead(staging, item);
    if (item->result.is_resumable) {
        free(item->staged);
        item->staged = TAKE_PTR(item->resumable);
    }
    if (item->code)
        item->message = xstrdup(err.message);
    if (error_is_device_failure(item->code) && item->from == STAGE_VOLUME)
        atomic_store(&staging->failed, true);
}

static void *worker_main(void *argument)
{
    struct staging *staging = argument;
    struct copier *copier = copier_new(staging->context);

    while (!atomic_load(&staging->failed) &&
           !stop_flag_is_raised(staging->context->stop)) {
        stop_flag_wait_while_paused(staging->context->stop);
        size_t at = atomic_fetch_add(&staging->next, 1);
        if (at >= staging->items->count)
            break;
        if (staging->items->items[at].from != STAGE_NOTHING)
            copy_item(staging, copier, &staging->items->items[at]);
    }
    copier_free(copier);
    return NULL;
}

struct staging *stage_begin(struct session *session,
                            const struct copy_context *context,
                            unsigned workers, struct stage_items *items)
{
    struct staging *staging =
        xcalloc(1, sizeof *staging + workers * sizeof *staging->workers);

    staging->session = session;
    staging->context = context;
    staging->items = items;
    size_t copies = 0;
    for (size_t i = 0; i < items->count; i++) {
        if (items->items[i].from == STAGE_NOTHING)
            continue;
        items->items[i].code = ERR_CANCELLED;
        copies++;
    }
    while (staging->running < workers && staging->running < copies)
        staging->workers[staging->running++] =
            thread_start(worker_main, staging);
    return staging;
}

void stage_wait(struct staging *staging)
{
    while (staging->running)
        thread_join(staging->workers[--staging->running]);
}

void stage_end(struct staging *staging)
{
    if (!staging)
        return;
    atomic_store(&staging->failed, true);
    stage_wait(staging);
    free(staging);
}
