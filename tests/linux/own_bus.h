/*
 * A system D-Bus of the test's own, on which the test plays a service.
 * Included once by a test program, whose tests run between start_bus and
 * end_bus.
 */
#ifndef BERTH_TESTS_LINUX_OWN_BUS_H
#define BERTH_TESTS_LINUX_OWN_BUS_H

#include "contract/scenery.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

static const char *const dbus_daemon = "/usr/bin/dbus-daemon";
static char *base;
static pid_t daemon_pid;

/* --- the bus --- */

static const char bus_config[] =
    "<busconfig><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>"
    "<policy context=\"default\"><allow user=\"*\"/><allow "
    "send_destination=\"*\" "
    "eavesdrop=\"true\"/>"
    "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>";

static int start_bus(void **state)
{
    const char *temporary = getenv("TMPDIR");

    (void)state;
    base = xasprintf("%s/bus-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(base));
    CLEANUP_FREE char *text = xasprintf(bus_config, base);
    CLEANUP_FREE char *config = path_join(base, "config");
    CLEANUP_FREE char *socket = path_join(base, "bus");
    CLEANUP_FREE char *address = xasprintf("unix:path=%s", socket);
    CLEANUP_FREE char *option = xasprintf("--config-file=%s", config);
    assert_int_equal(file_replace(config, text, strlen(text), 0600, NULL),
                     ERR_OK);
    daemon_pid = fork();
    if (!daemon_pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(dbus_daemon, dbus_daemon, option, "--nofork", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && access(socket, F_OK); i++)
        poll(NULL, 0, 10);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
    return access(socket, F_OK);
}

static int end_bus(void **state)
{
    (void)state;
    kill(daemon_pid, SIGTERM);
    waitpid(daemon_pid, NULL, 0);
    remove_tree(base);
    free(base);
    return 0;
}

/* --- the service --- */

static pthread_t service;
static atomic_bool is_ending;
static atomic_bool is_serving;

/* Plays what `add` puts on the connection, under a well-known name. */
struct own_service {
    const char *name;
    void (*add)(sd_bus *bus);
};

static void *serve(void *argument)
{
    const struct own_service *as = argument;
    sd_bus *bus = NULL;

    if (sd_bus_open_system(&bus) < 0)
        return NULL;
    as->add(bus);
    if (sd_bus_request_name(bus, as->name, 0) >= 0)
        atomic_store(&is_serving, true);
    while (!atomic_load(&is_ending))
        if (!sd_bus_process(bus, NULL))
            sd_bus_wait(bus, 20000);
    sd_bus_flush_close_unref(bus);
    return NULL;
}

static void start_service_of(const struct own_service *as)
{
    atomic_store(&is_serving, false);
    atomic_store(&is_ending, false);
    service = thread_start(serve, (void *)(uintptr_t)as);
    for (int i = 0; i < 500 && !atomic_load(&is_serving); i++)
        poll(NULL, 0, 10);
    assert_true(atomic_load(&is_serving));
}

static void end_service(void)
{
    if (!atomic_load(&is_serving))
        return;
    atomic_store(&is_ending, true);
    thread_join(service);
    atomic_store(&is_serving, false);
}

#endif
