/*
 * The system's D-Bus, for many threads: one connection, owned by the
 * platform's thread, and calls that workers wait for.
 *
 * Connects with the first call. Nothing is subscribed to, so that a machine at
 * rest has nothing to say to us.
 */
#ifndef BERTH_LINUX_BUS_H
#define BERTH_LINUX_BUS_H

#include "core/base/error.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* Lives as long as somebody holds it: workers outlive the platform. */
struct linux_bus;
struct linux_bus *linux_bus_new(void);
struct linux_bus *linux_bus_hold(struct linux_bus *bus);
void linux_bus_drop(struct linux_bus *bus);

/* --- for workers --- */

struct linux_call {
    const char *service, *path, *interface, *member;
    /* Appends the arguments, reads the answer; NULL: there are none. On the
     * platform's thread: quick, and a negative errno when it fails. */
    int (*write)(sd_bus_message *message, void *context);
    int (*read)(sd_bus_message *answer, void *context);
    void *context;
    uint64_t timeout_us; /* UINT64_MAX: as long as it takes */
};

/* How a call ended. Empty words unless a D-Bus error came back. */
struct linux_answer {
    bool is_ok;
    bool is_cancelled; /* the platform ended meanwhile */
    char name[128];    /* "org.freedesktop.UDisks2.Error.DeviceBusy" */
    char words[1024];
};

/* Waits. Any thread but the platform's. */
void linux_bus_call(struct linux_bus *bus, const struct linux_call *call,
                    struct linux_answer *out);

/* --- for the platform's thread --- */

enum { LINUX_BUS_FDS = 2 };

/* Fills in what to poll for; returns the timeout, -1 for none. */
int linux_bus_prepare(struct linux_bus *bus, struct pollfd fds[LINUX_BUS_FDS]);
void linux_bus_run(struct linux_bus *bus);
/* Ends the connection; calls under way and later ones are cancelled. */
void linux_bus_close(struct linux_bus *bus);

#endif
