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
    free(mount->plug);
    *mount = (struct platform_mount)PLATFORM_MOUNT_INIT;
}

void platform_mounts_release(struct platform_mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++)
        platform_mount_release(&mounts->items[i]);
    free(mounts->items);
    *mounts = (struct platform_mounts){.items = NULL};
}

static void drive_release(struct platform_drive *drive)
{
    free(drive->id);
    free(drive->device);
    free(drive->vendor);
    free(drive->model);
    free(drive->serial);
}

static void volume_release(struct platform_volume *volume)
{
    for (size_t i = 0; i < volume->mount_point_count; i++)
        free(volume->mount_points[i]);
    free(volume->mount_points);
    free(volume->device);
    free(volume->drive);
    free(volume->family);
    free(volume->fs_uuid);
    free(volume->fs_label);
    free(volume->no_eject);
}

void platform_devices_release(struct platform_devices *devices)
{
    for (size_t i = 0; i < devices->drives.count; i++)
        drive_release(&devices->drives.items[i]);
    for (size_t i = 0; i < devices->volumes.count; i++)
        volume_release(&devices->volumes.items[i]);
    free(devices->drives.items);
    free(devices->volumes.items);
    *devices = (struct platform_devices){.drives = {.items = NULL}};
}

void platform_holders_release(struct platform_holders *holders)
{
    for (size_t i = 0; i < holders->count; i++) {
        free(holders->items[i].user);
        free(holders->items[i].command);
        free(holders->items[i].path);
    }
    free(holders->items);
    *holders = (struct platform_holders){.items = NULL};
}

void platform_health_release(struct platform_health *health)
{
    for (size_t i = 0; i < health->attribute_count; i++)
        free(health->attributes[i].name);
    free(health->attributes);
    *health = (struct platform_health){.attributes = NULL};
}
