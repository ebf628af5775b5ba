#include "core/drive.h"

#include <stdlib.h>

static void volume_release(struct drive_volume *volume)
{
    free(volume->name);
    free(volume->id);
    free(volume->known_as);
    free(volume->label);
    free(volume->family);
    free(volume->device);
    free(volume->mount_point);
    free(volume->problem);
    free(volume->run.user);
    free(volume->run.command);
}

void drive_release(struct drive *drive)
{
    for (size_t i = 0; i < drive->volumes.count; i++)
        volume_release(&drive->volumes.items[i]);
    free(drive->volumes.items);
    free(drive->id);
    free(drive->device);
    free(drive->title);
    free(drive->serial);
    free(drive->no_eject);
    free(drive->unsafe);
    if (drive->has_readings)
        platform_health_release(&drive->readings);
}

void drives_release(struct drives *drives)
{
    for (size_t i = 0; i < drives->count; i++)
        drive_release(&drives->items[i]);
    free(drives->items);
    *drives = (struct drives){.items = NULL};
}

const char *platform_hold_name(enum platform_hold kind)
{
    static const char *const words[] = {
        [PLATFORM_HOLD_FILE] = "open file",
        [PLATFORM_HOLD_DIRECTORY] = "working directory",
        [PLATFORM_HOLD_ROOT] = "root directory",
        [PLATFORM_HOLD_PROGRAM] = "program",
        [PLATFORM_HOLD_MAPPING] = "mapped file",
        [PLATFORM_HOLD_MOUNT] = "mount below it",
        [PLATFORM_HOLD_LOOP] = "loop device",
        [PLATFORM_HOLD_SWAP] = "swap",
    };

    return words[kind];
}

const char *platform_bus_name(enum platform_bus bus)
{
    static const char *const names[] = {
        [PLATFORM_BUS_UNKNOWN] = "",
        [PLATFORM_BUS_USB] = "USB",
        [PLATFORM_BUS_THUNDERBOLT] = "Thunderbolt",
        [PLATFORM_BUS_ATA] = "SATA",
        [PLATFORM_BUS_NVME] = "NVMe",
        [PLATFORM_BUS_MMC] = "SD card",
        [PLATFORM_BUS_SCSI] = "SCSI",
        [PLATFORM_BUS_VIRTUAL] = "virtual",
        [PLATFORM_BUS_PRACTICE] = "practice",
    };

    return names[bus];
}
