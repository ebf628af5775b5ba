#include "core/base/path.h"
#include "platform/linux/linux_mountinfo.h"
#include "platform/platform_io.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As the mount table writes it; false where there is no /proc. */
static bool path_of(int fd, char path[PATH_MAX])
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return false;
    path[length] = '\0';
    return true;
}

err_code platform_visit_mounts_below(int root_fd, platform_visit_mount *visit,
                                     void *context, struct error *err)
{
    CLEANUP(linux_mount_table_release)
    struct linux_mount_table table = {.items = NULL};
    char root[PATH_MAX];

    if (!path_of(root_fd, root))
        return error_set_errno(err, errno, "cannot tell a directory's path");
    err_code code = linux_mount_table_read(&table, err);
    for (size_t i = 0; !code && i < table.count; i++) {
        const struct linux_mount_entry *entry = &table.items[i];
        if (!path_is_within(entry->mount_point, root) ||
            !linux_mount_is_visible(&table, entry))
            continue;
        const char *path = entry->mount_point + strlen(root);
        path += *path == '/';
        if (*path)
            visit(context, path, linux_mount_has_files(entry));
    }
    return code;
}
