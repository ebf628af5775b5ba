#include "platform/linux/linux_monitor.h"

#include "core/base/path.h"
#include "core/base/thread.h"
#include "platform/platform_host.h"

#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

struct linux_monitor {
    int nudge_fd;        /* eventfd: look at the next two again */
    atomic_bool ends;    /* by linux_monitor_free */
    atomic_int hints_fd; /* inotify; -1: runs are not watched, or cannot be */
    int wake_fd;         /* the platform's */
    struct linux_probes *probes;
    struct linux_bus *bus;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the next one */
    bool watches_runs;

    /* The thread's; those of hints from when hints_fd is there. */
    int mountinfo_fd;
    struct udev *udev;
    struct udev_monitor *devices; /* NULL: nobody tells of devices */
    int hints_watch;              /* of the directory; -1: it is not there */
    char *hints;                  /* "/run/lock/berth" */
    char own_suffix[24]; /* of what we write there ourselves: ".4711" */
    uint32_t own_rename; /* cookie of inotify; 0: none */
};

static void tell(struct linux_monitor *monitor)
{
    linux_probes_forget(monitor->probes);
    eventfd_write(monitor->wake_fd, 1);
}

/* --- devices --- */

/*
 * With udevd its own notices, which come when its database is filled: a
 * filesystem's type is known later than the node is there. Without it the
 * kernel's; libudev would give none at all then (src/libsystemd/sd-device/
 * device-monitor.c, "the udev service seems not to be active"). In a network
 * namespace that is not the machine's own, containers mostly, the kernel tells
 * nobody (lib/kobject_uevent.c): then mounts are the only news.
 */
static void watch_devices(struct linux_monitor *monitor)
{
    monitor->udev = udev_new();
    if (monitor->udev)
        monitor->devices = udev_monitor_new_from_netlink(
            monitor->udev, linux_has_udev() ? "udev" : "kernel");
    if (!monitor->devices)
        return;
    udev_monitor_filter_add_match_subsystem_devtype(monitor->devices, "block",
                                                    NULL);
    udev_monitor_filter_add_match_subsystem_devtype(monitor->devices, "usb",
                                                    "usb_device");
    if (udev_monitor_enable_receiving(monitor->devices) < 0)
        monitor->devices = udev_monitor_unref(monitor->devices);
}

/* Whatever it was: the list is taken anew. Also when some were lost (ENOBUFS),
 * which counts as one that was received. */
static void take_device_news(struct linux_monitor *monitor)
{
    struct udev_device *device;

    while ((device = udev_monitor_receive_device(monitor->devices)))
        udev_device_unref(device);
    tell(monitor);
}

/* --- runs of other processes --- */

/*
 * Whoever holds a volume's lock publishes it as ID, renamed from "ID.PID" once
 * a second while a run makes progress (core/lock.c). The first one ever makes
 * the directory: until then its parent is watched.
 */
static int watch_hint_directory(const struct linux_monitor *monitor,
                                int hints_fd)
{
    return inotify_add_watch(hints_fd, monitor->hints,
                             IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                 IN_DELETE_SELF | IN_ONLYDIR);
}

static void watch_hints(struct linux_monitor *monitor, int hints_fd)
{
    CLEANUP_FREE char *parent = NULL;

    if (!*monitor->hints)
        return;
    monitor->hints_watch = watch_hint_directory(monitor, hints_fd);
    if (monitor->hints_watch >= 0)
        return;
    parent = xstrndup(monitor->hints, path_parent_length(monitor->hints));
    inotify_add_watch(hints_fd, parent, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    /* It may have come just before that. */
    monitor->hints_watch = watch_hint_directory(monitor, hints_fd);
}

static void start_watching_hints(struct linux_monitor *monitor)
{
    int hints_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    monitor->hints = platform_lock_hint_directory();
    monitor->hints_watch = -1;
    snprintf(monitor->own_suffix, sizeof monitor->own_suffix, ".%ld",
             (long)getpid());
    if (hints_fd < 0)
        return; /* nobody tells of runs */
    watch_hints(monitor, hints_fd);
    atomic_store(&monitor->hints_fd, hints_fd);
    eventfd_write(monitor->nudge_fd, 1);
}

void linux_monitor_watch_runs(struct linux_monitor *monitor)
{
    mutex_lock(&monitor->mutex);
    if (!monitor->watches_runs)
        start_watching_hints(monitor);
    monitor->watches_runs = true;
    mutex_unlock(&monitor->mutex);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && !strcmp(text + length - end_length, end);
}

/* A run of this process is no news to it: it would wake every second. */
static bool is_own_rename(struct linux_monitor *monitor,
                          const struct inotify_event *event)
{
    if (event->mask & IN_MOVED_FROM)
        monitor->own_rename =
            ends_with(event->name, monitor->own_suffix) ? event->cookie : 0;
    return monitor->own_rename && event->cookie == monitor->own_rename;
}

/* The parent has something new: is it the directory? */
static bool has_directory_come(struct linux_monitor *monitor,
                               const struct inotify_event *event)
{
    if (!event->len || strcmp(event->name, path_name(monitor->hints)) != 0)
        return false; /* another program's lock */
    int hints_fd = atomic_load(&monitor->hints_fd);
    inotify_rm_watch(hints_fd, event->wd);
    watch_hints(monitor, hints_fd);
    return true;
}

static bool is_hint_news(struct linux_monitor *monitor,
                         const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW)
        return true;
    if (monitor->hints_watch < 0)
        return has_directory_come(monitor, event);
    if (event->wd != monitor->hints_watch)
        return false; /* what was left of the parent's */
    if (event->mask & IN_IGNORED) {
        monitor->hints_watch = -1;
        watch_hints(monitor, atomic_load(&monitor->hints_fd));
        return true;
    }
    return !is_own_rename(monitor, event);
}

static void take_hint_news(struct linux_monitor *monitor)
{
    union {
        struct inotify_event event; /* for its alignment */
        char bytes[sizeof(struct inotify_event) + NAME_MAX + 1];
    } buffer;
    int hints_fd = atomic_load(&monitor->hints_fd);
    bool is_news = false;
    ssize_t length;

    while ((length = read(hints_fd, buffer.bytes, sizeof buffer.bytes)) > 0) {
        const char *at = buffer.bytes;
        while (at < buffer.bytes + length) {
            const struct inotify_event *event = (const void *)at;
            is_news |= is_hint_news(monitor, event);
            at += sizeof *event + event->len;
        }
    }
    if (is_news)
        tell(monitor);
}

/* --- the thread --- */

enum { NUDGE, MOUNTS, DEVICES, HINTS, BUS, SOURCES = BUS + LINUX_BUS_FDS };

/*
 * /proc/self/mountinfo is readable at all times; a change shows as POLLPRI
 * and POLLERR, once for each poll (fs/proc_namespace.c, mounts_poll).
 */
static int prepare(struct linux_monitor *monitor, struct pollfd fds[SOURCES])
{
    fds[NUDGE] = (struct pollfd){.fd = monitor->nudge_fd, .events = POLLIN};
    fds[MOUNTS] =
        (struct pollfd){.fd = monitor->mountinfo_fd, .events = POLLPRI};
    fds[DEVICES] = (struct pollfd){
        .fd = monitor->devices ? udev_monitor_get_fd(monitor->devices) : -1,
        .events = POLLIN};
    fds[HINTS] = (struct pollfd){.fd = atomic_load(&monitor->hints_fd),
                                 .events = POLLIN};
    return linux_bus_prepare(monitor->bus, &fds[BUS]);
}

static void *run(void *argument)
{
    struct linux_monitor *monitor = argument;
    struct pollfd fds[SOURCES];
    eventfd_t nudges;

    while (!atomic_load(&monitor->ends)) {
        int timeout_ms = prepare(monitor, fds);
        int ready = poll(fds, COUNT_OF(fds), timeout_ms);
        if (ready < 0 && errno != EINTR)
            die("poll for news of drives: errno %d", errno);
        if (ready < 0)
            continue;
        if (fds[NUDGE].revents)
            eventfd_read(monitor->nudge_fd, &nudges);
        if (fds[MOUNTS].revents)
            tell(monitor);
        if (fds[DEVICES].revents)
            take_device_news(monitor);
        if (fds[HINTS].revents)
            take_hint_news(monitor);
        if (!ready || fds[BUS].revents || fds[BUS + 1].revents)
            linux_bus_run(monitor->bus);
    }
    linux_bus_close(monitor->bus);
    return NULL;
}

static void release(struct linux_monitor *monitor)
{
    int hints_fd = atomic_load(&monitor->hints_fd);

    cleanup_fd(&monitor->nudge_fd);
    cleanup_fd(&monitor->mountinfo_fd);
    cleanup_fd(&hints_fd);
    udev_monitor_unref(monitor->devices);
    udev_unref(monitor->udev);
    free(monitor->hints);
    mutex_destroy(&monitor->mutex);
    free(monitor);
}

err_code linux_monitor_new(int wake_fd, struct linux_probes *probes,
                           struct linux_bus *bus, struct linux_monitor **out,
                           struct error *err)
{
    struct linux_monitor *monitor = xmalloc(sizeof *monitor);

    *monitor = (struct linux_monitor){
        .nudge_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .wake_fd = wake_fd,
        .probes = probes,
        .bus = bus,
        .mountinfo_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC),
        .hints_fd = -1,
    };
    mutex_init(&monitor->mutex);
    if (monitor->nudge_fd < 0 || monitor->mountinfo_fd < 0) {
        err_code code =
            error_set_errno(err, errno, "cannot watch the mount table");
        release(monitor);
        return code;
    }
    watch_devices(monitor);
    monitor->thread = thread_start(run, monitor);
    *out = monitor;
    return ERR_OK;
}

void linux_monitor_free(struct linux_monitor *monitor)
{
    if (!monitor)
        return;
    atomic_store(&monitor->ends, true);
    eventfd_write(monitor->nudge_fd, 1);
    thread_join(monitor->thread);
    release(monitor);
}
