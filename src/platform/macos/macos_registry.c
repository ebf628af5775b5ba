#include "platform/macos/macos_registry.h"

#include "core/base/error.h"
#include "platform/macos/macos_cf.h"

#include <IOKit/storage/IOMedia.h>
#include <stdlib.h>
#include <string.h>

/* Media on media on media: a registry with a loop must not hold us up. */
enum { DEEPEST = 64 };

uint64_t macos_registry_id(io_registry_entry_t entry)
{
    uint64_t id;

    return IORegistryEntryGetRegistryEntryID(entry, &id) == KERN_SUCCESS ? id
                                                                         : 0;
}

/* --- properties --- */

static CFTypeRef own_property(io_registry_entry_t entry, const char *key)
{
    CFStringRef name =
        CFStringCreateWithCString(NULL, key, kCFStringEncodingUTF8);
    CFTypeRef value = IORegistryEntryCreateCFProperty(entry, name, NULL, 0);

    macos_release(name);
    return value;
}

static CFTypeRef property(io_registry_entry_t entry, const char *key)
{
    CFStringRef name =
        CFStringCreateWithCString(NULL, key, kCFStringEncodingUTF8);
    CFTypeRef value = IORegistryEntrySearchCFProperty(
        entry, kIOServicePlane, name, NULL,
        kIORegistryIterateRecursively | kIORegistryIterateParents);

    macos_release(name);
    return value;
}

char *macos_registry_text(io_registry_entry_t entry, const char *key)
{
    CFTypeRef value = property(entry, key);
    char *text = macos_text(value);

    macos_release(value);
    return text;
}

/* To be released; NULL where there is none. */
static CFTypeRef inner_property(io_registry_entry_t entry,
                                const char *dictionary, const char *key)
{
    CFTypeRef outer = property(entry, dictionary);
    CFStringRef name =
        CFStringCreateWithCString(NULL, key, kCFStringEncodingUTF8);
    CFTypeRef value = NULL;

    if (outer && name && CFGetTypeID(outer) == CFDictionaryGetTypeID())
        value = CFDictionaryGetValue(outer, name);
    if (value)
        CFRetain(value); /* it was the dictionary's */
    macos_release(name);
    macos_release(outer);
    return value;
}

char *macos_registry_inner_text(io_registry_entry_t entry,
                                const char *dictionary, const char *key)
{
    CFTypeRef value = inner_property(entry, dictionary, key);
    char *text = macos_text(value);

    macos_release(value);
    return text;
}

int64_t macos_registry_inner_number(io_registry_entry_t entry,
                                    const char *dictionary, const char *key,
                                    int64_t otherwise)
{
    CFTypeRef value = inner_property(entry, dictionary, key);
    int64_t number = macos_number(value, otherwise);

    macos_release(value);
    return number;
}

int64_t macos_registry_number(io_registry_entry_t entry, const char *key,
                              int64_t otherwise)
{
    CFTypeRef value = property(entry, key);
    int64_t number = macos_number(value, otherwise);

    macos_release(value);
    return number;
}

/* --- the way down to the device --- */

static bool is_whole_medium(io_registry_entry_t entry)
{
    if (!IOObjectConformsTo(entry, kIOMediaClass))
        return false;
    CFTypeRef value = own_property(entry, kIOMediaWholeKey);
    bool is_whole = macos_flag(value, false);
    macos_release(value);
    return is_whole;
}

struct descent {
    io_service_t lowest; /* retained; 0: none yet */
    uint64_t lowest_id;
    bool spans;
};

static void take_lowest(struct descent *descent, io_registry_entry_t entry)
{
    uint64_t id = macos_registry_id(entry);

    if (descent->lowest) {
        descent->spans |= id != descent->lowest_id;
        return;
    }
    IOObjectRetain(entry);
    descent->lowest = entry;
    descent->lowest_id = id;
}

/*
 * `whole` is the lowest whole medium on the way so far, 0 for none. The parents
 * of a RAID's or a Fusion Drive's medium are the media it is made of.
 */
static void descend(struct descent *descent, io_registry_entry_t entry,
                    io_registry_entry_t whole, int depth)
{
    io_iterator_t parents = 0;
    io_registry_entry_t parent;
    bool has_parent = false;

    if (is_whole_medium(entry))
        whole = entry;
    if (depth < DEEPEST &&
        IORegistryEntryGetParentIterator(entry, kIOServicePlane, &parents) ==
            KERN_SUCCESS) {
        while ((parent = IOIteratorNext(parents))) {
            has_parent = true;
            descend(descent, parent, whole, depth + 1);
            IOObjectRelease(parent);
        }
        IOObjectRelease(parents);
    }
    if (!has_parent && whole)
        take_lowest(descent, whole);
}

io_service_t macos_registry_physical(io_service_t media, bool *out_spans)
{
    struct descent descent = {.lowest = 0};

    descend(&descent, media, 0, 0);
    if (!descent.lowest)
        take_lowest(&descent, media);
    *out_spans = descent.spans;
    return descent.lowest;
}

/* --- what there is --- */

io_iterator_t macos_registry_media(void)
{
    io_iterator_t media = 0;

    /* It takes the dictionary over. */
    if (IOServiceGetMatchingServices(kIOMainPortDefault,
                                     IOServiceMatching(kIOMediaClass),
                                     &media) != KERN_SUCCESS)
        return 0;
    return media;
}

io_service_t macos_registry_find(const char *bsd_name)
{
    CFMutableDictionaryRef matching =
        IOBSDNameMatching(kIOMainPortDefault, 0, bsd_name);

    return matching ? IOServiceGetMatchingService(kIOMainPortDefault, matching)
                    : 0;
}
