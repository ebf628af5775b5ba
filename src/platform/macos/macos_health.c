/*
 * What a drive tells of itself, and of what is on its way to it.
 */
#include "platform/platform.h"

#include "platform/macos/macos_cf.h"
#include "platform/macos/macos_disk.h"
#include "platform/macos/macos_registry.h"
#include "platform/macos/macos_smart.h"

#include <stdlib.h>
#include <string.h>

/* Darwin counts no dirty pages, and nothing else that would be an honest
 * figure of what has not arrived. */
err_code platform_read_unwritten(struct platform *platform, const char *drive,
                                 struct platform_unwritten *out,
                                 struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED,
                     "macOS does not tell what has not been written yet");
}

/* As the driver counts them since the drive was plugged in; -1: unknown. */
static int64_t count_io_errors(io_service_t media)
{
    int64_t reads =
        macos_registry_inner_number(media, "Statistics", "Errors (Read)", -1);
    int64_t writes =
        macos_registry_inner_number(media, "Statistics", "Errors (Write)", -1);

    return reads < 0 || writes < 0 ? -1 : reads + writes;
}

/*
 * macOS passes SMART on over no USB bridge: that takes a kernel extension of
 * somebody else (smartmontools#254).
 */
static void read_medium(io_service_t media, const struct macos_disk *disk,
                        struct platform_health *out)
{
    out->io_errors = count_io_errors(media);
    if (disk->is_internal)
        macos_smart_read(media, out);
    else if (!strcmp(disk->protocol, "USB"))
        out->smart = PLATFORM_SMART_HIDDEN;
}

/* Any thread: a session of its own, and nothing waits on the queue. */
static bool find_drive(DASessionRef session, const char *drive,
                       struct platform_health *out)
{
    io_iterator_t media = macos_registry_media();
    uint64_t id = strtoull(drive, NULL, 16);
    bool is_found = false;
    io_service_t medium;

    while (media && (medium = IOIteratorNext(media))) {
        CLEANUP(macos_disk_release) struct macos_disk disk = {.bsd_name = NULL};
        if (!is_found && macos_registry_id(medium) == id &&
            macos_disk_describe(session, medium, &disk)) {
            read_medium(medium, &disk, out);
            is_found = true;
        }
        IOObjectRelease(medium);
    }
    if (media)
        IOObjectRelease(media);
    return is_found;
}

err_code platform_read_health(struct platform *platform, const char *drive,
                              struct platform_health *out, struct error *err)
{
    struct platform_health health = PLATFORM_HEALTH_INIT;
    DASessionRef session = DASessionCreate(NULL);
    bool is_found = session && find_drive(session, drive, &health);

    macos_release(session);
    if (!is_found)
        return error_set(err, ERR_DEVICE_GONE,
                         "the drive is not plugged in any more");
    *out = health;
    return ERR_OK;
}
