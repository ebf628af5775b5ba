#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "core/task_doctor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct family {
    const char *name;
    const char *loses, *readers;
};

static const struct family families[] = {
    {"exfat",
     "no journal (eject before unplugging), no permissions, owners, links or "
     "extended attributes (berth's catalogue keeps them), times to 10 ms",
     "Mac, Linux, Windows, most TVs"},
    {"vfat",
     "no file over 4 GB, no journal (eject before unplugging), no "
     "permissions, links or extended attributes (berth's catalogue keeps "
     "them), times to 2 s",
     "Mac, Linux, Windows, TVs"},
    {"ntfs", "owners and permissions of Linux",
     "Linux, Windows; Mac reads only"},
    {"ext4", "nothing that berth copies", "Linux; neither Mac nor TV"},
    {"btrfs", "nothing that berth copies", "Linux; neither Mac nor TV"},
    {"xfs", "nothing that berth copies", "Linux; neither Mac nor TV"},
    {"apfs", "nothing that berth copies", "Mac only"},
    {"hfs", "times to 1 s", "Mac; Linux if its journal is off"},
};

static void describe_family(struct examination *exam, const char *topic,
                            const char *family)
{
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (!strcmp(families[i].name, family))
            doctor_tell(exam, CHECK_NOTE, topic, NULL,
                        "%s loses: %s; read by: %s", family, families[i].loses,
                        families[i].readers);
}

static int64_t sync_age_ns(const struct drive_volume *volume)
{
    return clock_now_ns() - volume->last_sync_ns;
}

static void examine_age(struct examination *exam, const char *topic,
                        const struct config_volume *config,
                        const struct drive_volume *volume)
{
    char age[QUANTITY_SIZE];

    if (config->role != VOLUME_BACKUP || !volume->last_sync_ns ||
        sync_age_ns(volume) <= config->stale_after_ns)
        return;
    CLEANUP_FREE char *remedy =
        xasprintf("%srun `berth sync %s`",
                  volume->is_mounted ? "" : "plug it in and ", config->name);
    doctor_tell(exam, CHECK_FINDING, topic, remedy,
                "was last in sync %s ago, longer than its stale_after",
                format_duration(sync_age_ns(volume), age));
}

static void examine_volume(struct examination *exam,
                           const struct drive_volume *volume)
{
    const struct config_volume *config =
        config_find_volume(&exam->task->config, volume->name);
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);

    if (!config) {
        CLEANUP_FREE char *place = xasprintf("mount %s", volume->mount_point);
        if (volume->is_mounted && *volume->problem)
            doctor_tell(exam, CHECK_FINDING, place, NULL, "%s",
                        volume->problem);
        return;
    }
    examine_age(exam, topic, config, volume);
    if (*volume->problem)
        doctor_tell(exam, CHECK_FINDING, topic, NULL, "%s", volume->problem);
    if (!volume->is_mounted) {
        doctor_tell(exam, CHECK_NOTE, topic, NULL, "is away or not mounted");
        return;
    }
    if (volume->is_read_only && config->role == VOLUME_BACKUP)
        doctor_tell(exam, CHECK_FINDING, topic,
                    "check the filesystem and mount it writable",
                    "is mounted read-only at %s, and is to be written",
                    volume->mount_point);
    if (volume->is_dirty > 0)
        doctor_tell(exam, CHECK_FINDING, topic,
                    "unmount it and run fsck.exfat on its device",
                    "was unplugged without eject");
    if (!volume->is_folder)
        describe_family(exam, topic, volume->family);
    if (access(volume->mount_point, R_OK | X_OK))
        doctor_tell(exam, CHECK_FINDING, topic, "let this user read it",
                    "%s cannot be read by this user", volume->mount_point);
}

static void examine_drive(struct examination *exam, const struct drive *drive)
{
    CLEANUP_FREE char *topic = xasprintf("drive %s", drive->title);

    if (drive->is_attached && (drive->health.state == HEALTH_WATCH ||
                               drive->health.state == HEALTH_FAILING))
        doctor_tell(
            exam, CHECK_FINDING, topic,
            drive->has_readings && drive->readings.has_under_voltage > 0
                ? "use the power supply made for this board, and a powered hub"
                : "copy what only it has to another drive",
            "%s: %s", health_state_name(drive->health.state),
            drive->health.why);
    if (*drive->unsafe)
        doctor_tell(exam, CHECK_FINDING, topic,
                    drive->has_failed_flush
                        ? "run `berth sync` and `berth verify`"
                        : NULL,
                    "%s", drive->unsafe);
    if (*drive->unrepaired)
        doctor_tell(exam, CHECK_FINDING, topic, "run `berth sync`", "%s",
                    drive->unrepaired);
    for (size_t i = 0; i < drive->volumes.count; i++)
        examine_volume(exam, &drive->volumes.items[i]);
}

err_code doctor_examine_drives(struct examination *exam, struct drives *drives,
                               struct error *err)
{
    struct task *task = exam->task;
    struct health_store *health =
        health_store_new(task->context->state_directory);
    const struct registry registry = {
        .platform = task->context->platform,
        .config = &task->config,
        .state_directory = task->context->state_directory,
        .host = task->host,
        .health = health,
    };
    err_code code = registry_list(&registry, drives, err);

    for (size_t i = 0; !code && i < drives->count; i++)
        examine_drive(exam, &drives->items[i]);
    health_store_free(health);
    return code;
}
