#include "platform/macos/macos_disk.h"

#include "core/base/array.h"
#include "platform/macos/macos_cf.h"
#include "platform/macos/macos_registry.h"

#include <IOKit/IOBSD.h>
#include <stdlib.h>
#include <string.h>

/* --- names --- */

static const char *const families[][2] = {
    {"msdos", "vfat"},
    {"hfs", "hfsplus"},
};

const char *macos_family_of(const char *kind)
{
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (!strcmp(kind, families[i][0]))
            return families[i][1];
    return kind;
}

char *macos_bsd_name(const char *source)
{
    const char *authority = strstr(source, "://");
    const char *name = authority ? authority + 3 : source;

    if (!strncmp(name, "/dev/", 5))
        name += 5;
    size_t length = strcspn(name, "/");
    if (strncmp(name, "disk", 4) != 0 || name[4] < '0' || name[4] > '9')
        return NULL;
    return xstrndup(name, length);
}

/*
 * Apple's tools derive a UUID for FAT, exFAT and NTFS from the volume's serial
 * number; it is not the number that others call its UUID, and a drive must not
 * look like another one because it was plugged into a Mac.
 */
static bool has_uuid_of_its_own(const char *kind)
{
    return !strcmp(kind, "apfs") || !strcmp(kind, "hfs");
}

/* --- what the device says --- */

/*
 * Bits per second since USB got that fast, an enumeration before (IOUSBFamily,
 * USB.h: kUSBDeviceSpeedLow …). [Not seen on a Mac.]
 */
static int64_t link_mbit(io_service_t media)
{
    static const int64_t speeds[] = {2, 12, 480, 5000, 10000};
    int64_t bits = macos_registry_number(media, "UsbLinkSpeed", 0);
    int64_t speed = macos_registry_number(media, "Device Speed", -1);

    if (bits > 0)
        return bits / 1000000;
    return speed >= 0 && speed < (int64_t)COUNT_OF(speeds) ? speeds[speed] : 0;
}

static char *serial_of(io_service_t media)
{
    char *serial = macos_registry_text(media, "USB Serial Number");

    if (*serial)
        return serial;
    free(serial);
    return macos_registry_inner_text(media, "Device Characteristics",
                                     "Serial Number");
}

static void ask_device(io_service_t media, struct macos_disk *out)
{
    CLEANUP_FREE char *medium = macos_registry_inner_text(
        media, "Device Characteristics", "Medium Type");

    out->serial = serial_of(media);
    out->link_mbit = link_mbit(media);
    out->is_rotational = !strcmp(medium, "Rotational");
}

/* --- describing --- */

static void take_description(CFDictionaryRef from, struct macos_disk *out)
{
    out->size_bytes = macos_number_of(from, kDADiskDescriptionMediaSizeKey, 0);
    out->is_writable =
        macos_flag_of(from, kDADiskDescriptionMediaWritableKey, true);
    out->is_encrypted =
        macos_flag_of(from, kDADiskDescriptionMediaEncryptedKey, false);
    /* Absent for what hangs on nothing that says so: rather not the user's. */
    out->is_internal =
        macos_flag_of(from, kDADiskDescriptionDeviceInternalKey, true);
    out->is_network =
        macos_flag_of(from, kDADiskDescriptionVolumeNetworkKey, false);
    out->kind = macos_text_of(from, kDADiskDescriptionVolumeKindKey);
    out->label = macos_text_of(from, kDADiskDescriptionVolumeNameKey);
    out->uuid = has_uuid_of_its_own(out->kind)
                    ? macos_uuid_of(from, kDADiskDescriptionVolumeUUIDKey)
                    : xstrdup("");
    out->mount_point = macos_path_of(from, kDADiskDescriptionVolumePathKey);
    out->vendor = macos_text_of(from, kDADiskDescriptionDeviceVendorKey);
    out->model = macos_text_of(from, kDADiskDescriptionDeviceModelKey);
    out->protocol = macos_text_of(from, kDADiskDescriptionDeviceProtocolKey);
}

static char *own_name(io_service_t media)
{
    CFTypeRef value =
        IORegistryEntryCreateCFProperty(media, CFSTR(kIOBSDNameKey), NULL, 0);
    char *name = macos_text(value);

    macos_release(value);
    return name;
}

bool macos_disk_describe(DASessionRef session, io_service_t media,
                         struct macos_disk *out)
{
    DADiskRef disk = DADiskCreateFromIOMedia(NULL, session, media);
    CLEANUP(macos_release_dictionary)
    CFDictionaryRef description = disk ? DADiskCopyDescription(disk) : NULL;
    struct macos_disk found = {.bsd_name = NULL};

    macos_release(disk);
    if (!description)
        return false;
    io_service_t physical = macos_registry_physical(media, &found.spans);
    found.bsd_name = own_name(media);
    found.media_id = macos_registry_id(media);
    found.physical_id = macos_registry_id(physical);
    found.is_physical = found.media_id == found.physical_id;
    take_description(description, &found);
    ask_device(physical, &found);
    IOObjectRelease(physical);
    *out = found;
    return true;
}

bool macos_disk_describe_name(DASessionRef session, const char *bsd_name,
                              struct macos_disk *out)
{
    io_service_t media = macos_registry_find(bsd_name);

    if (!media)
        return false;
    bool is_described = macos_disk_describe(session, media, out);
    IOObjectRelease(media);
    return is_described;
}

void macos_disk_release(struct macos_disk *disk)
{
    free(disk->bsd_name);
    free(disk->kind);
    free(disk->label);
    free(disk->uuid);
    free(disk->mount_point);
    free(disk->vendor);
    free(disk->model);
    free(disk->protocol);
    free(disk->serial);
    *disk = (struct macos_disk){.bsd_name = NULL};
}

/* A medium that vanishes meanwhile is left out; that none of those that are
 * there can be described is another thing. */
err_code macos_disks_read(DASessionRef session, struct macos_disks *out,
                          struct error *err)
{
    struct macos_disks found = {.items = NULL};
    io_iterator_t media = macos_registry_media();
    io_service_t medium;
    bool is_any_there = false;

    while (media && (medium = IOIteratorNext(media))) {
        struct macos_disk disk;
        is_any_there = true;
        if (session && macos_disk_describe(session, medium, &disk))
            ARRAY_PUSH(&found, disk);
        IOObjectRelease(medium);
    }
    if (media)
        IOObjectRelease(media);
    if (is_any_there && !found.count)
        return error_set(err, ERR_IO,
                         "cannot list the drives: macOS's diskarbitrationd "
                         "does not answer; it is started again by itself");
    *out = found;
    return ERR_OK;
}

void macos_disks_release(struct macos_disks *disks)
{
    for (size_t i = 0; i < disks->count; i++)
        macos_disk_release(&disks->items[i]);
    free(disks->items);
    *disks = (struct macos_disks){.items = NULL};
}
