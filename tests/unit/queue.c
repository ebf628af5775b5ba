/*
 * The queue between threads: nothing is lost, nothing is doubled, each
 * producer's order is kept, and whoever polls is woken. Run under the thread
 * sanitizer, too.
 */
#include "core/queue.h"

#include "core/base/thread.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct item {
    struct queue_link link;
    unsigned producer, number;
};

static struct item *item_new(unsigned producer, unsigned number)
{
    struct item *item = xcalloc(1, sizeof *item);

    item->producer = producer;
    item->number = number;
    return item;
}

static size_t freed;

static void free_item(struct queue_link *link)
{
    freed++;
    free(link);
}

static int make_queue(void **state)
{
    struct queue *queue = xcalloc(1, sizeof *queue);

    freed = 0;
    *state = queue;
    return queue_init(queue, NULL);
}

static int remove_queue(void **state)
{
    queue_release(*state, free_item);
    free(*state);
    return 0;
}

static bool is_readable(const struct queue *queue)
{
    struct pollfd fd = {.fd = queue_wake_fd(queue), .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

static void items_come_out_in_the_order_they_went_in(void **state)
{
    struct queue *queue = *state;

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 100; i++)
            queue_push(queue, &item_new(0, i)->link);
        for (unsigned i = 0; i < 100; i++) {
            struct item *item = (struct item *)queue_pop(queue);
            assert_non_null(item);
            assert_int_equal(item->number, i);
            free(item);
        }
        assert_null(queue_pop(queue));
    }
}

static void whoever_polls_is_woken_until_nothing_is_queued(void **state)
{
    struct queue *queue = *state;

    assert_false(is_readable(queue));
    assert_null(queue_pop(queue));
    queue_push(queue, &item_new(0, 1)->link);
    queue_push(queue, &item_new(0, 2)->link);
    assert_true(is_readable(queue));
    free(queue_pop(queue));
    assert_true(is_readable(queue));
    free(queue_pop(queue));
    assert_null(queue_pop(queue));
    assert_false(is_readable(queue));
    queue_push(queue, &item_new(0, 3)->link);
    assert_true(is_readable(queue));
}

static void a_wake_up_needs_no_item(void **state)
{
    struct queue *queue = *state;

    queue_wake(queue);
    queue_wake(queue);
    assert_true(is_readable(queue));
    assert_null(queue_pop(queue));
    assert_false(is_readable(queue));
}

/* More wake-ups than a pipe holds: pushing must not wait for the reader. */
static void pushing_never_waits_for_whoever_reads(void **state)
{
    struct queue *queue = *state;
    unsigned count = 200000;

    for (unsigned i = 0; i < count; i++)
        queue_push(queue, &item_new(0, i)->link);
    assert_true(is_readable(queue));
    for (unsigned i = 0; i < count; i++) {
        struct item *item = (struct item *)queue_pop(queue);
        assert_int_equal(item->number, i);
        free(item);
    }
    assert_null(queue_pop(queue));
    assert_false(is_readable(queue));
}

static void what_is_left_is_freed_with_the_queue(void **state)
{
    struct queue queue;

    assert_int_equal(queue_init(&queue, NULL), ERR_OK);
    for (unsigned i = 0; i < 5; i++)
        queue_push(&queue, &item_new(0, i)->link);
    free(queue_pop(&queue));
    queue_release(&queue, free_item);
    assert_int_equal(freed, 4);
}

/* --- threads ----------------------------------------------------------------
 */

#define PRODUCERS 4
#define ITEMS_EACH 5000u

struct producer {
    struct queue *queue;
    unsigned number;
};

static void *produce(void *argument)
{
    const struct producer *producer = argument;

    for (unsigned i = 0; i < ITEMS_EACH; i++)
        queue_push(producer->queue, &item_new(producer->number, i)->link);
    return NULL;
}

/* The consumer waits for the descriptor only, so a lost wake-up hangs it. */
static void no_item_and_no_wake_up_of_several_producers_is_lost(void **state)
{
    struct queue *queue = *state;
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    unsigned next[PRODUCERS] = {0};
    struct pollfd fd = {.fd = queue_wake_fd(queue), .events = POLLIN};
    bool is_in_order = true;
    size_t got = 0;

    for (unsigned i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){queue, i};
        threads[i] = thread_start(produce, &producers[i]);
    }
    while (got < (size_t)PRODUCERS * ITEMS_EACH) {
        struct item *item;
        if (poll(&fd, 1, 20000) != 1)
            break;
        while ((item = (struct item *)queue_pop(queue))) {
            is_in_order &= item->number == next[item->producer]++;
            got++;
            free(item);
        }
    }
    for (unsigned i = 0; i < PRODUCERS; i++)
        thread_join(threads[i]);
    assert_int_equal(got, PRODUCERS * ITEMS_EACH);
    assert_true(is_in_order);
    assert_null(queue_pop(queue));
    assert_false(is_readable(queue));
}

struct consumer {
    struct queue *queue;
    _Atomic size_t *taken;
    _Atomic unsigned char *seen;
};

static void *consume(void *argument)
{
    const struct consumer *consumer = argument;

    while (atomic_load(consumer->taken) < (size_t)PRODUCERS * ITEMS_EACH) {
        struct item *item = (struct item *)queue_pop(consumer->queue);
        if (!item)
            continue;
        atomic_fetch_add(
            &consumer->seen[item->producer * ITEMS_EACH + item->number], 1);
        atomic_fetch_add(consumer->taken, 1);
        free(item);
    }
    return NULL;
}

static void each_item_goes_to_one_of_several_consumers(void **state)
{
    static _Atomic unsigned char seen[PRODUCERS * ITEMS_EACH];
    _Atomic size_t taken = 0;
    struct consumer consumer = {*state, &taken, seen};
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS], takers[2];

    for (unsigned i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){*state, i};
        threads[i] = thread_start(produce, &producers[i]);
    }
    for (size_t i = 0; i < COUNT_OF(takers); i++)
        takers[i] = thread_start(consume, &consumer);
    for (unsigned i = 0; i < PRODUCERS; i++)
        thread_join(threads[i]);
    for (size_t i = 0; i < COUNT_OF(takers); i++)
        thread_join(takers[i]);
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        assert_int_equal(seen[i], 1);
}

#define QUEUE_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, make_queue, remove_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(items_come_out_in_the_order_they_went_in),
        QUEUE_TEST(whoever_polls_is_woken_until_nothing_is_queued),
        QUEUE_TEST(a_wake_up_needs_no_item),
        QUEUE_TEST(pushing_never_waits_for_whoever_reads),
        QUEUE_TEST(what_is_left_is_freed_with_the_queue),
        QUEUE_TEST(no_item_and_no_wake_up_of_several_producers_is_lost),
        QUEUE_TEST(each_item_goes_to_one_of_several_consumers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
