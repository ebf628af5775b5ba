/*
 * Linux: the mount table, and a thread that waits for it to change.
 */
#include "platform/platform.h"

#include "core/base/array.h"
#include "core/base/thread.h"
#include "platform/linux/linux_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct platform {
    int wake_fd;      /* eventfd, any thread */
    int stop_fd;      /* eventfd, written once, by platform_free */
    int mountinfo_fd; /* the thread's */
    pthread_t thread;
};

/*
 * /proc/self/mountinfo is readable at all times; a change shows as POLLPRI
 * and POLLERR, once for each poll (fs/proc_namespace.c, mounts_poll).
 */
static void *watch_mounts(void *argument)
{
    struct platform *platform = argument;
    struct pollfd waiting[] = {
        {.fd = platform->mountinfo_fd, .events = POLLPRI},
        {.fd = platform->stop_fd, .events = POLLIN},
    };

    for (;;) {
        if (poll(waiting, COUNT_OF(waiting), -1) < 0) {
            if (errno != EINTR)
                die("poll of the mount table: errno %d", errno);
            continue;
        }
        if (waiting[1].revents)
            return NULL;
        if (waiting[0].revents)
            eventfd_write(platform->wake_fd, 1);
    }
}

static void close_all(struct platform *platform)
{
    if (platform->wake_fd >= 0)
        close(platform->wake_fd);
    if (platform->stop_fd >= 0)
        close(platform->stop_fd);
    if (platform->mountinfo_fd >= 0)
        close(platform->mountinfo_fd);
    free(platform);
}

err_code platform_new(struct platform **out, struct error *err)
{
    struct platform *platform = xmalloc(sizeof *platform);

    *platform = (struct platform){
        .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .mountinfo_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC),
    };
    if (platform->wake_fd < 0 || platform->stop_fd < 0 ||
        platform->mountinfo_fd < 0) {
        err_code code =
            error_set_errno(err, errno, "cannot watch the mount table");
        close_all(platform);
        return code;
    }
    platform->thread = thread_start(watch_mounts, platform);
    *out = platform;
    return ERR_OK;
}

void platform_free(struct platform *platform)
{
    if (!platform)
        return;
    eventfd_write(platform->stop_fd, 1);
    thread_join(platform->thread);
    close_all(platform);
}

int platform_wake_fd(const struct platform *platform)
{
    return platform->wake_fd;
}

void platform_acknowledge(struct platform *platform)
{
    eventfd_t count;

    eventfd_read(platform->wake_fd, &count); /* EAGAIN: nothing was there */
}

/*
 * Everything that is mounted is judged by its line and by the device nodes:
 * a statfs of one dead NFS server would hold up the list of all drives.
 */
static bool could_be_a_volume(const struct linux_mount_table *table,
                              const struct linux_mount_entry *entry)
{
    return !linux_mount_is_network(entry) && !linux_mount_is_image(entry) &&
           linux_volume_is_on_disk(entry) && linux_volume_is_present(entry) &&
           linux_mount_is_visible(table, entry);
}

err_code platform_list_mounts(struct platform *platform,
                              struct platform_mounts *out, struct error *err)
{
    CLEANUP(linux_mount_table_release)
    struct linux_mount_table table = {.items = NULL};
    struct platform_mounts found = {.items = NULL};
    err_code code = linux_mount_table_read(&table, err);

    if (code)
        return code;
    for (size_t i = 0; i < table.count; i++) {
        struct platform_mount mount;
        if (!could_be_a_volume(&table, &table.items[i]))
            continue;
        linux_volume_describe(&table.items[i], false, &mount);
        mount.is_root = true;
        ARRAY_PUSH(&found, mount);
    }
    *out = found;
    return ERR_OK;
}

bool platform_is_practice(void)
{
    return false;
}
