#include "platform/linux/linux_platform.h"

#include "core/base/array.h"
#include "platform/linux/linux_bus.h"
#include "platform/linux/linux_drive.h"
#include "platform/linux/linux_monitor.h"
#include "platform/linux/linux_sysfs.h"
#include "platform/linux/linux_volume.h"
#include "platform/platform.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

static void release(struct platform *platform)
{
    if (platform->wake_fd >= 0)
        close(platform->wake_fd);
    linux_probes_free(platform->probes);
    linux_bus_drop(platform->bus);
    free(platform);
}

err_code platform_new(struct platform **out, struct error *err)
{
    struct platform *platform = xmalloc(sizeof *platform);

    *platform = (struct platform){
        .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .probes = linux_probes_new(),
        .bus = linux_bus_new(),
    };
    err_code code =
        platform->wake_fd < 0
            ? error_set_errno(err, errno, "cannot watch the mount table")
            : linux_monitor_new(platform->wake_fd, platform->probes,
                                platform->bus, &platform->monitor, err);
    if (code)
        release(platform);
    else
        *out = platform;
    return code;
}

/* Workers of requests may go on: they hold the bus, which is closed now. */
void platform_free(struct platform *platform)
{
    if (!platform)
        return;
    linux_monitor_free(platform->monitor);
    release(platform);
}

int platform_wake_fd(const struct platform *platform)
{
    linux_monitor_watch_runs(platform->monitor);
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

bool platform_volume_spins(struct platform *platform,
                           const struct platform_mount *mount)
{
    struct stat node;

    if (stat(mount->source, &node) || !S_ISBLK(node.st_mode))
        return false;
    CLEANUP_FREE char *name = linux_sysfs_name_of(node.st_rdev);
    return name && linux_drive_spins(name);
}

bool platform_is_practice(void)
{
    return false;
}
