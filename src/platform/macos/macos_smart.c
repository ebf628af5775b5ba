#include "platform/macos/macos_smart.h"

#include "core/base/error.h"
#include "platform/macos/macos_cf.h"

#include <IOKit/IOCFPlugIn.h>
#include <IOKit/storage/ata/ATASMARTLib.h>
#include <stdlib.h>
#include <string.h>

/* The nearest thing below the medium that has the user client: to be
 * released; 0: none has. */
static io_service_t find_capable(io_service_t media)
{
    io_registry_entry_t at = media, parent;

    IOObjectRetain(media);
    for (int depth = 0; at && depth < 64; depth++) {
        CFTypeRef capable = IORegistryEntryCreateCFProperty(
            at, CFSTR(kIOPropertySMARTCapableKey), NULL, 0);
        bool is_capable = macos_flag(capable, false);
        macos_release(capable);
        if (is_capable)
            return at;
        if (IORegistryEntryGetParentEntry(at, kIOServicePlane, &parent) !=
            KERN_SUCCESS)
            parent = 0;
        IOObjectRelease(at);
        at = parent;
    }
    if (at)
        IOObjectRelease(at);
    return 0;
}

/* --- attributes --- */

/*
 * What drives mostly put into the 362 vendor-specific bytes (ATA/ATAPI-5 had
 * it last): a revision, then 30 entries of 12 bytes. Of the thresholds the
 * same, with the threshold behind the id.
 */
enum { FIRST_ENTRY = 2, ENTRY_BYTES = 12, ENTRIES = 30 };

/* As UDisks2 (libatasmart) calls them: those that anybody looks at. */
static const struct {
    int id;
    const char *name;
} names[] = {
    {5, "reallocated-sector-count"},
    {9, "power-on-hours"},
    {10, "spin-retry-count"},
    {184, "end-to-end-error"},
    {187, "reported-uncorrect"},
    {188, "command-timeout"},
    {190, "airflow-temperature-celsius"},
    {194, "temperature-celsius-2"},
    {196, "reallocated-event-count"},
    {197, "current-pending-sector"},
    {198, "offline-uncorrectable"},
    {199, "udma-crc-error-count"},
};

static char *name_of(int id)
{
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (names[i].id == id)
            return xstrdup(names[i].name);
    return xasprintf("attribute-%d", id);
}

/* 48 bits; of temperatures and hours the upper ones are something else. */
static int64_t raw_of(const UInt8 *entry)
{
    int bytes = entry[0] == 190 || entry[0] == 194 ? 1 : entry[0] == 9 ? 3 : 6;
    int64_t raw = 0;

    for (int i = bytes; i-- > 0;)
        raw = raw << 8 | entry[5 + i];
    return raw;
}

/* 0: it has none. */
static int threshold_of(const ATASMARTDataThresholds *thresholds, int id)
{
    const UInt8 *entry = thresholds->vendorSpecific1 + FIRST_ENTRY;

    for (int i = 0; i < ENTRIES; i++, entry += ENTRY_BYTES)
        if (entry[0] == id)
            return entry[1];
    return 0;
}

/* Only "prefailure" attributes (bit 0 of the flags) foretell a failure. */
static void add_attribute(const UInt8 *entry, int threshold,
                          struct platform_health *out)
{
    bool foretells = (entry[1] & 1) && threshold > 0;
    struct platform_attribute attribute = {
        .id = entry[0],
        .name = name_of(entry[0]),
        .value = entry[3],
        .worst = entry[4],
        .threshold = threshold,
        .raw = raw_of(entry),
        .is_failing_now = foretells && entry[3] && entry[3] <= threshold,
        .failed_before = foretells && entry[4] && entry[4] <= threshold,
    };

    if (attribute.id == 9)
        out->power_on_hours = attribute.raw;
    if (attribute.id == 194 || (attribute.id == 190 && out->temperature_c < 0))
        out->temperature_c = attribute.raw;
    out->attributes = xrealloc(out->attributes, (out->attribute_count + 1) *
                                                    sizeof *out->attributes);
    out->attributes[out->attribute_count++] = attribute;
}

static void read_attributes(IOATASMARTInterface **smart,
                            struct platform_health *out)
{
    ATASMARTData data;
    ATASMARTDataThresholds thresholds;

    if ((*smart)->SMARTReadData(smart, &data) != kIOReturnSuccess ||
        (*smart)->SMARTValidateReadData(smart, &data) != kIOReturnSuccess)
        return;
    if ((*smart)->SMARTReadDataThresholds(smart, &thresholds) !=
        kIOReturnSuccess)
        memset(&thresholds, 0, sizeof thresholds);
    const UInt8 *entry = data.vendorSpecific1 + FIRST_ENTRY;
    for (int i = 0; i < ENTRIES; i++, entry += ENTRY_BYTES)
        if (entry[0])
            add_attribute(entry, threshold_of(&thresholds, entry[0]), out);
}

/* --- asking --- */

static void ask(IOATASMARTInterface **smart, struct platform_health *out)
{
    Boolean is_exceeded = false;

    if ((*smart)->SMARTEnableDisableOperations(smart, true) !=
            kIOReturnSuccess ||
        (*smart)->SMARTReturnStatus(smart, &is_exceeded) != kIOReturnSuccess)
        return;
    out->smart = is_exceeded ? PLATFORM_SMART_FAILING : PLATFORM_SMART_PASSED;
    read_attributes(smart, out);
}

void macos_smart_read(io_service_t media, struct platform_health *out)
{
    IOCFPlugInInterface **plug_in = NULL;
    IOATASMARTInterface **smart = NULL;
    SInt32 score;
    io_service_t device = find_capable(media);

    if (!device)
        return;
    kern_return_t failed = IOCreatePlugInInterfaceForService(
        device, kIOATASMARTUserClientTypeID, kIOCFPlugInInterfaceID, &plug_in,
        &score);
    IOObjectRelease(device);
    if (failed || !plug_in)
        return;
    (*plug_in)->QueryInterface(plug_in,
                               CFUUIDGetUUIDBytes(kIOATASMARTInterfaceID),
                               (LPVOID *)(void *)&smart);
    if (smart) {
        ask(smart, out);
        (*smart)->Release(smart);
    }
    IODestroyPlugInInterface(plug_in);
}
