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
    free(drive->unrepaired);
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

static void set_taking(char **field, char *text_taking)
{
    free(*field);
    *field = text_taking;
}

void drive_note_failed_flush(struct drive *drive)
{
    drive->has_failed_flush = true;
    set_taking(&drive->unsafe,
               xstrdup("a flush failed: `berth sync` flushes again, and copies "
                       "anew what was written then"));
}

void drive_note_lost_writes(struct drive *drive, const char *volume)
{
    drive->has_lost_writes = true;
    if (drive->has_failed_flush)
        return;
    set_taking(&drive->unsafe,
               xasprintf("a flush of %s failed: what was written to it since "
                         "it was plugged in may be missing, copy it again",
                         volume));
}

void drive_note_unknown_past(struct drive *drive, const char *why)
{
    drive->has_unknown_past = true;
    if (drive->has_failed_flush || drive->has_lost_writes)
        return;
    set_taking(
        &drive->unsafe,
        xasprintf("whether an earlier flush failed cannot be read: %s", why));
}

void drive_note_interrupted(struct drive *drive)
{
    set_taking(&drive->unrepaired, xstrdup("a run was interrupted: the next "
                                           "sync repairs what it left"));
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
