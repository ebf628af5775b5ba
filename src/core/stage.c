#include "core/stage.h"

#include <stdlib.h>

struct pool {
    struct session *session;
    const struct copy_context *context;
    struct stage_items *items;
    _Atomic size_t next;
    _Atomic bool failed; /* the device did: the others need not try */
};

void stage_items_release(struct stage_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        free(items->items[i].staged);
        free(items->items[i].resumable);
        free(items->items[i].message);
    }
    free(items->items);
    *items = (struct stage_items){.items = NULL};
}

static void copy_item(struct pool *pool, struct copier *copier,
                      struct stage_item *item)
{
    struct error err = ERROR_INIT;

    item->staged = session_new_staged(pool->session);
    current_set(pool->context->current, item->step->action->path);
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
    if (item->result.is_resumable) {
        free(item->staged);
        item->staged = TAKE_PTR(item->resumable);
    }
    if (item->code)
        item->message = xstrdup(err.message);
    if (error_is_device_failure(item->code) && item->from == STAGE_VOLUME)
        atomic_store(&pool->failed, true);
}

static void *worker_main(void *argument)
{
    struct pool *pool = argument;
    struct copier *copier = copier_new(pool->context);

    while (!atomic_load(&pool->failed) &&
           !stop_flag_is_raised(pool->context->stop)) {
        stop_flag_wait_while_paused(pool->context->stop);
        size_t at = atomic_fetch_add(&pool->next, 1);
        if (at >= pool->items->count)
            break;
        if (pool->items->items[at].from != STAGE_NOTHING)
            copy_item(pool, copier, &pool->items->items[at]);
    }
    copier_free(copier);
    return NULL;
}

void stage_batch(struct session *session, const struct copy_context *context,
                 unsigned workers, struct stage_items *items)
{
    struct pool pool = {.session = session, .context = context, .items = items};
    CLEANUP_FREE pthread_t *threads = xmalloc(workers * sizeof *threads);

    for (size_t i = 0; i < items->count; i++)
        if (items->items[i].from != STAGE_NOTHING)
            items->items[i].code = ERR_CANCELLED;
    for (unsigned i = 1; i < workers; i++)
        threads[i] = thread_start(worker_main, &pool);
    worker_main(&pool);
    for (unsigned i = 1; i < workers; i++)
        thread_join(threads[i]);
}
