/*
 * What the values of platform.h and platform_io.h own, for every backend.
 */
#include "platform/platform.h"

#include <stdlib.h>

void platform_mount_release(struct platform_mount *mount)
{
    free(mount->mount_point);
    free(mount->source);
    free(mount->driver);
    free(mount->family);
    free(mount->subtree);
    free(mount->fs_uuid);
    free(mount->fs_label);
    free(mount->attachment);
    *mount = (struct platform_mount)PLATFORM_MOUNT_INIT;
}

void platform_mounts_release(struct platform_mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++)
        platform_mount_release(&mounts->items[i]);
    free(mounts->items);
    *mounts = (struct platform_mounts){.items = NULL};
}
