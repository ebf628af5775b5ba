#include "platform/linux/linux_bus.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/thread.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* One call of a worker, on its stack while it waits. */
struct pending {
    const struct linux_call *call;
    struct linux_answer *answer;
    struct linux_bus *bus;
    sd_bus_slot *slot; /* the thread's; NULL until it is sent */
    bool is_done;      /* under the mutex */
};

struct linux_bus {
    atomic_int holders;
    int kick_fd; /* eventfd: the queue has grown */

    pthread_mutex_t mutex; /* guards the next block */
    pthread_cond_t done;
    bool is_closed;
    struct {
        struct pending **items;
        size_t count, capacity;
    } queue;

    /* The platform's thread alone. */
    sd_bus *connection; /* NULL: not connected */
    struct {
        struct pending **items;
        size_t count, capacity;
    } sent;
};

struct linux_bus *linux_bus_new(void)
{
    struct linux_bus *bus = xcalloc(1, sizeof *bus);

    atomic_init(&bus->holders, 1);
    bus->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    mutex_init(&bus->mutex);
    condition_init(&bus->done);
    return bus;
}

struct linux_bus *linux_bus_hold(struct linux_bus *bus)
{
    atomic_fetch_add(&bus->holders, 1);
    return bus;
}

void linux_bus_drop(struct linux_bus *bus)
{
    if (!bus || atomic_fetch_sub(&bus->holders, 1) != 1)
        return;
    if (bus->kick_fd >= 0)
        close(bus->kick_fd);
    mutex_destroy(&bus->mutex);
    condition_destroy(&bus->done);
    free(bus->queue.items);
    free(bus->sent.items);
    free(bus);
}

/* --- workers --- */

void linux_bus_call(struct linux_bus *bus, const struct linux_call *call,
                    struct linux_answer *out)
{
    struct pending pending = {.call = call, .answer = out, .bus = bus};
    struct pending *waiting = &pending;

    *out = (struct linux_answer){.is_ok = false};
    mutex_lock(&bus->mutex);
    if (bus->is_closed) {
        out->is_cancelled = true;
        mutex_unlock(&bus->mutex);
        return;
    }
    ARRAY_PUSH(&bus->queue, waiting);
    eventfd_write(bus->kick_fd, 1);
    while (!pending.is_done)
        condition_wait(&bus->done, &bus->mutex);
    mutex_unlock(&bus->mutex);
}

/* --- the thread: how a call ends --- */

static void forget_sent(struct linux_bus *bus, const struct pending *pending)
{
    for (size_t i = 0; i < bus->sent.count; i++)
        if (bus->sent.items[i] == pending) {
            bus->sent.items[i] = bus->sent.items[--bus->sent.count];
            return;
        }
}

/* The worker goes on, and `pending` is gone with it. */
static void finish(struct pending *pending)
{
    struct linux_bus *bus = pending->bus;

    forget_sent(bus, pending);
    pending->slot = sd_bus_slot_unref(pending->slot);
    mutex_lock(&bus->mutex);
    pending->is_done = true;
    condition_broadcast(&bus->done);
    mutex_unlock(&bus->mutex);
}

static void fail(struct pending *pending, const char *name, const char *words)
{
    struct linux_answer *answer = pending->answer;

    snprintf(answer->name, sizeof answer->name, "%s", name);
    snprintf(answer->words, sizeof answer->words, "%s", words);
    finish(pending);
}

static void fail_errno(struct pending *pending, int os_errno)
{
    char words[64];

    snprintf(words, sizeof words, "D-Bus: errno %d", os_errno);
    fail(pending, SD_BUS_ERROR_FAILED, words);
}

static void cancel(struct pending *pending)
{
    pending->answer->is_cancelled = true;
    finish(pending);
}

static int on_answer(sd_bus_message *message, void *context,
                     sd_bus_error *ignored)
{
    struct pending *pending = context;
    const struct linux_call *call = pending->call;
    const sd_bus_error *error = sd_bus_message_get_error(message);

    if (error) {
        fail(pending, error->name, error->message ? error->message : "");
        return 0;
    }
    int result = call->read ? call->read(message, call->context) : 0;
    if (result < 0) {
        fail_errno(pending, -result);
        return 0;
    }
    pending->answer->is_ok = true;
    finish(pending);
    return 0;
}

/* --- the thread: connection --- */

static void cancel_sent(struct linux_bus *bus)
{
    while (bus->sent.count)
        cancel(bus->sent.items[0]);
}

static void disconnect(struct linux_bus *bus)
{
    while (bus->sent.count)
        fail(bus->sent.items[0], SD_BUS_ERROR_DISCONNECTED,
             "the connection to D-Bus ended");
    bus->connection = sd_bus_close_unref(bus->connection);
}

/*
 * connect(2) to a local socket does not wait, and sd-bus does the rest of the
 * handshake in sd_bus_process.
 */
static bool connect_to_system(struct linux_bus *bus, struct pending *pending)
{
    if (bus->connection)
        return true;
    int result = sd_bus_open_system(&bus->connection);
    if (result >= 0)
        return true;
    bus->connection = NULL;
    fail(pending, SD_BUS_ERROR_NO_SERVER, "there is no system D-Bus");
    return false;
}

static void send_call(struct linux_bus *bus, struct pending *pending)
{
    const struct linux_call *call = pending->call;
    sd_bus_message *message = NULL;

    if (!connect_to_system(bus, pending))
        return;
    int result = sd_bus_message_new_method_call(bus->connection, &message,
                                                call->service, call->path,
                                                call->interface, call->member);
    if (result >= 0 && call->write)
        result = call->write(message, call->context);
    ARRAY_PUSH(&bus->sent, pending);
    if (result >= 0)
        result = sd_bus_call_async(bus->connection, &pending->slot, message,
                                   on_answer, pending, call->timeout_us);
    sd_bus_message_unref(message);
    if (result < 0)
        fail_errno(pending, -result);
}

static struct pending *take_queued(struct linux_bus *bus)
{
    struct pending *first = NULL;

    mutex_lock(&bus->mutex);
    if (bus->queue.count) {
        first = bus->queue.items[0];
        bus->queue.count--;
        memmove(bus->queue.items, bus->queue.items + 1,
                bus->queue.count * sizeof(struct pending *));
    }
    mutex_unlock(&bus->mutex);
    return first;
}

/* Milliseconds until a moment of CLOCK_MONOTONIC, as poll wants them. */
static int timeout_until(uint64_t moment_us)
{
    int64_t now_us = clock_monotonic_ns() / 1000;

    if (moment_us == UINT64_MAX)
        return -1;
    if (moment_us <= (uint64_t)now_us)
        return 0;
    uint64_t rest_ms = (moment_us - (uint64_t)now_us) / 1000 + 1;
    return rest_ms > INT_MAX ? INT_MAX : (int)rest_ms;
}

int linux_bus_prepare(struct linux_bus *bus, struct pollfd fds[LINUX_BUS_FDS])
{
    uint64_t moment_us;

    fds[0] = (struct pollfd){.fd = bus->kick_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = -1};
    if (!bus->connection)
        return -1;
    int events = sd_bus_get_events(bus->connection);
    if (events < 0 || sd_bus_get_timeout(bus->connection, &moment_us) < 0)
        return 0; /* broken: linux_bus_run finds out */
    fds[1] = (struct pollfd){.fd = sd_bus_get_fd(bus->connection),
                             .events = (short)events};
    return timeout_until(moment_us);
}

void linux_bus_run(struct linux_bus *bus)
{
    struct pending *pending;
    eventfd_t count;
    int result = 0;

    eventfd_read(bus->kick_fd, &count);
    while ((pending = take_queued(bus)))
        send_call(bus, pending);
    while (bus->connection &&
           (result = sd_bus_process(bus->connection, NULL)) > 0)
        continue;
    if (bus->connection && result < 0)
        disconnect(bus);
}

void linux_bus_close(struct linux_bus *bus)
{
    struct pending *pending;

    mutex_lock(&bus->mutex);
    bus->is_closed = true;
    mutex_unlock(&bus->mutex);
    cancel_sent(bus);
    while ((pending = take_queued(bus)))
        cancel(pending);
    /* Not flushed: that would wait for a daemon that hangs. */
    bus->connection = sd_bus_close_unref(bus->connection);
}
