/*
 * Practice: drives and volumes as values, and their health.
 */
#include "platform/platform.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "platform/posix_io.h"
#include "platform/practice/practice_card.h"
#include "platform/practice/practice_holders.h"
#include "platform/practice/practice_names.h"
#include "platform/practice/practice_pace.h"
#include "platform/practice/practice_volume.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* --- names --- */

#define DEVICE_PREFIX "practice:"

char *practice_device(const char *name)
{
    return xasprintf(DEVICE_PREFIX "%s", name);
}

char *practice_drive_id(const char *drive)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_DRIVE, drive, &card);
    return xasprintf(DEVICE_PREFIX "%s#%" PRId64, drive,
                     card_number(&card, "plugged", 0));
}

static const char *without_prefix(const char *device)
{
    size_t length = strlen(DEVICE_PREFIX);

    return strncmp(device, DEVICE_PREFIX, length) ? NULL : device + length;
}

char *practice_volume_of_device(const char *device)
{
    const char *volume = without_prefix(device);

    if (!volume)
        return NULL;
    CLEANUP_FREE char *drive = practice_drive_of(volume);
    CLEANUP(names_release) struct names volumes = {.items = NULL};
    /* What its drive left behind may be unmounted. */
    if (!practice_is_plugged(drive) && !practice_is_stale(volume))
        return NULL;
    practice_volumes_of(drive, &volumes);
    for (size_t i = 0; i < volumes.count; i++)
        if (!strcmp(volumes.items[i], volume))
            return xstrdup(volume);
    return NULL;
}

char *practice_drive_of_id(const char *id)
{
    const char *name = without_prefix(id);

    if (!name || !strrchr(name, '#'))
        return NULL;
    CLEANUP_FREE char *drive =
        xstrndup(name, (size_t)(strrchr(name, '#') - name));
    CLEANUP_FREE char *now = practice_drive_id(drive);
    if (!practice_is_plugged(drive) || strcmp(now, id) != 0)
        return NULL;
    return TAKE_PTR(drive);
}

static err_code no_such(const char *name, struct error *err)
{
    return error_set(err, ERR_DEVICE_GONE, "%s is not plugged in", name);
}

/* --- drives --- */

static char *text_of(const struct card *card, const char *key,
                     const char *missing)
{
    const char *value = card_get(card, key);

    return xstrdup(value ? value : missing);
}

static size_t choice_of(const struct card *card, const char *key,
                        const char *const *names, size_t count, size_t missing)
{
    const char *value = card_get(card, key);

    for (size_t i = 0; value && i < count; i++)
        if (names[i] && !strcmp(names[i], value))
            return i;
    return missing;
}

static enum platform_bus bus_of(const struct card *card)
{
    static const char *const names[] = {
        [PLATFORM_BUS_USB] = "usb",
        [PLATFORM_BUS_THUNDERBOLT] = "thunderbolt",
        [PLATFORM_BUS_ATA] = "sata",
        [PLATFORM_BUS_NVME] = "nvme",
        [PLATFORM_BUS_MMC] = "sd",
        [PLATFORM_BUS_SCSI] = "scsi",
        [PLATFORM_BUS_VIRTUAL] = "virtual",
        [PLATFORM_BUS_PRACTICE] = "practice",
    };

    return (enum platform_bus)choice_of(card, "bus", names, COUNT_OF(names),
                                        PLATFORM_BUS_PRACTICE);
}

static enum platform_write_cache cache_of(const struct card *card)
{
    static const char *const names[] = {
        [PLATFORM_CACHE_UNKNOWN] = "unknown",
        [PLATFORM_CACHE_WRITE_BACK] = "back",
        [PLATFORM_CACHE_WRITE_THROUGH] = "through",
    };

    return (enum platform_write_cache)choice_of(
        card, "write-cache", names, COUNT_OF(names), PLATFORM_CACHE_WRITE_BACK);
}

static bool is_external(const struct card *card, enum platform_bus bus)
{
    if (card_has(card, "external"))
        return card_says(card, "external");
    return bus == PLATFORM_BUS_USB || bus == PLATFORM_BUS_THUNDERBOLT ||
           bus == PLATFORM_BUS_MMC || bus == PLATFORM_BUS_PRACTICE;
}

static int64_t volume_size(const char *volume)
{
    CLEANUP(card_release) struct card card = CARD_INIT;
    CLEANUP_FREE char *path = practice_mount_point(volume);
    struct statvfs found;

    card_load(CARD_VOLUME, volume, &card);
    if (card_has(&card, "size") || !path || statvfs(path, &found))
        return card_number(&card, "size", 0);
    return (int64_t)found.f_blocks * (int64_t)found.f_frsize;
}

static struct platform_drive describe_drive(const char *drive,
                                            const struct names *volumes)
{
    CLEANUP(card_release) struct card card = CARD_INIT;
    int64_t size = 0;

    card_load(CARD_DRIVE, drive, &card);
    for (size_t i = 0; i < volumes->count; i++)
        size += volume_size(volumes->items[i]);
    enum platform_bus bus = bus_of(&card);
    return (struct platform_drive){
        .id = practice_drive_id(drive),
        .device = practice_device(drive),
        .vendor = text_of(&card, "vendor", "Practice"),
        .model = text_of(&card, "model", drive),
        .serial = text_of(&card, "serial", drive),
        .bus = bus,
        .size_bytes = card_number(&card, "size", size),
        .link_mbit = card_number(&card, "link", 0),
        .write_cache = cache_of(&card),
        .is_external = is_external(&card, bus),
        .is_rotational = card_says(&card, "rotational"),
    };
}

/* --- volumes --- */

static struct platform_volume describe_volume(const char *volume,
                                              const char *drive)
{
    CLEANUP(card_release) struct card card = CARD_INIT;
    CLEANUP(card_release) struct card drive_card = CARD_INIT;
    CLEANUP(platform_mount_release)
    struct platform_mount mount = PLATFORM_MOUNT_INIT;

    card_load(CARD_VOLUME, volume, &card);
    card_load(CARD_DRIVE, drive, &drive_card);
    bool is_mounted =
        !practice_is_gone(volume) && !practice_describe(volume, &mount, NULL);
    bool is_locked = card_says(&card, "locked");
    struct platform_volume described = {
        .device = practice_device(volume),
        .drive = practice_drive_id(drive),
        .family = text_of(&card, "family", "practice"),
        .fs_uuid = is_locked ? xstrdup("") : practice_uuid(volume),
        .fs_label = text_of(&card, "label", volume),
        .size_bytes = volume_size(volume),
        .is_read_only =
            is_mounted ? mount.is_read_only : card_says(&card, "read-only"),
        .is_locked = is_locked,
        .is_system = card_says(&card, "system"),
        .no_eject = text_of(&drive_card, "no-eject", ""),
    };
    if (is_locked) /* nobody can see what is in it */
        *described.family = *described.fs_label = '\0';
    if (is_mounted) {
        described.mount_points = xmalloc(sizeof *described.mount_points);
        described.mount_points[0] = xstrdup(mount.mount_point);
        described.mount_point_count = 1;
    }
    return described;
}

err_code platform_list_devices(struct platform *platform,
                               struct platform_devices *out, struct error *err)
{
    CLEANUP(names_release) struct names drives = {.items = NULL};
    struct platform_devices found = {.drives = {.items = NULL}};

    practice_list_drives(&drives);
    for (size_t i = 0; i < drives.count; i++) {
        CLEANUP(names_release) struct names volumes = {.items = NULL};
        if (!practice_is_plugged(drives.items[i]))
            continue;
        practice_volumes_of(drives.items[i], &volumes);
        struct platform_drive drive = describe_drive(drives.items[i], &volumes);
        ARRAY_PUSH(&found.drives, drive);
        for (size_t v = 0; v < volumes.count; v++) {
            struct platform_volume volume =
                describe_volume(volumes.items[v], drives.items[i]);
            ARRAY_PUSH(&found.volumes, volume);
        }
    }
    *out = found;
    return ERR_OK;
}

bool platform_volume_spins(struct platform *platform,
                           const struct platform_mount *mount)
{
    CLEANUP_FREE char *volume = practice_volume_of_device(mount->source);
    CLEANUP_FREE char *drive = volume ? practice_drive_of(volume) : NULL;
    CLEANUP(card_release) struct card card = CARD_INIT;

    if (!drive)
        return false;
    card_load(CARD_DRIVE, drive, &card);
    return card_says(&card, "rotational");
}

/* --- who holds it, what is left --- */

err_code platform_list_holders(struct platform *platform, const char *device,
                               struct platform_holders *out, struct error *err)
{
    CLEANUP_FREE char *volume = practice_volume_of_device(device);

    if (!volume)
        return no_such(device, err);
    *out = (struct platform_holders){.is_complete = true};
    practice_list_holders(volume, out);
    return ERR_OK;
}

err_code platform_read_unwritten(struct platform *platform, const char *id,
                                 struct platform_unwritten *out,
                                 struct error *err)
{
    CLEANUP_FREE char *drive = practice_drive_of_id(id);
    CLEANUP(names_release) struct names volumes = {.items = NULL};
    struct platform_unwritten unwritten = {.system_bytes = 0};

    if (!drive)
        return no_such(id, err);
    practice_volumes_of(drive, &volumes);
    for (size_t i = 0; i < volumes.count; i++) {
        int64_t left = practice_pace_left(volumes.items[i]);
        unwritten.system_bytes += left;
        unwritten.in_flight += left > 0;
        unwritten.written_bytes += practice_pace_written(volumes.items[i]);
    }
    *out = unwritten;
    return ERR_OK;
}

/* --- health --- */

#define ATTRIBUTE_KEY "attribute-"

/* "NAME,VALUE,WORST,THRESHOLD,RAW", then ",failing" or ",failed"; numbers that
 * are left out are -1. */
static struct platform_attribute read_attribute(const struct card_line *line)
{
    int64_t numbers[] = {-1, -1, -1, -1};
    const char *at = line->value + strcspn(line->value, ",");
    struct platform_attribute attribute = {
        .id = (int)strtol(line->key + strlen(ATTRIBUTE_KEY), NULL, 10),
        .name = xstrndup(line->value, (size_t)(at - line->value)),
    };

    for (size_t i = 0; i < COUNT_OF(numbers) && *at; i++) {
        char *end;
        int64_t number = strtoll(at + 1, &end, 10);
        if (end > at + 1)
            numbers[i] = number;
        at = end + strcspn(end, ",");
    }
    attribute.value = numbers[0];
    attribute.worst = numbers[1];
    attribute.threshold = numbers[2];
    attribute.raw = numbers[3];
    attribute.is_failing_now = !strcmp(at, ",failing");
    attribute.failed_before = !strcmp(at, ",failed");
    return attribute;
}

static void read_attributes(const struct card *card,
                            struct platform_health *health)
{
    size_t capacity = 0;

    for (size_t i = 0; i < card->count; i++) {
        if (strncmp(card->items[i].key, ATTRIBUTE_KEY, strlen(ATTRIBUTE_KEY)))
            continue;
        ARRAY_RESERVE(health->attributes, health->attribute_count + 1,
                      capacity);
        health->attributes[health->attribute_count++] =
            read_attribute(&card->items[i]);
    }
}

static enum platform_smart smart_of(const struct card *card)
{
    static const char *const names[] = {
        [PLATFORM_SMART_UNKNOWN] = "unknown",
        [PLATFORM_SMART_HIDDEN] = "hidden",
        [PLATFORM_SMART_ASLEEP] = "asleep",
        [PLATFORM_SMART_PASSED] = "passed",
        [PLATFORM_SMART_FAILING] = "failing",
    };

    return (enum platform_smart)choice_of(card, "smart", names, COUNT_OF(names),
                                          PLATFORM_SMART_UNKNOWN);
}

static int is_dirty(const char *drive)
{
    CLEANUP(names_release) struct names volumes = {.items = NULL};
    int dirty = -1;

    practice_volumes_of(drive, &volumes);
    for (size_t i = 0; i < volumes.count; i++) {
        CLEANUP(card_release) struct card card = CARD_INIT;
        card_load(CARD_VOLUME, volumes.items[i], &card);
        const char *family = card_get(&card, "family");
        if (card_says(&card, "dirty"))
            return 1;
        if (family && !strcmp(family, "exfat"))
            dirty = 0;
    }
    return dirty;
}

err_code platform_read_health(struct platform *platform, const char *id,
                              struct platform_health *out, struct error *err)
{
    CLEANUP_FREE char *drive = practice_drive_of_id(id);
    CLEANUP(card_release) struct card card = CARD_INIT;

    if (!drive)
        return no_such(id, err);
    card_load(CARD_DRIVE, drive, &card);
    *out = (struct platform_health){
        .smart = smart_of(&card),
        .temperature_c = card_number(&card, "temperature", -1),
        .power_on_hours = card_number(&card, "hours", -1),
        .io_errors = card_number(&card, "io-errors", -1),
        .fs_errors = card_number(&card, "fs-errors", -1),
        .link_resets = card_number(&card, "link-resets", -1),
        .is_dirty = is_dirty(drive),
        .has_under_voltage = card_has(&card, "under-voltage")
                                 ? card_says(&card, "under-voltage")
                                 : -1,
    };
    read_attributes(&card, out);
    return ERR_OK;
}
