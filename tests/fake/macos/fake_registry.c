/*
 * IOKit's double. Each medium is an IOMedia on a driver, which is its device
 * or, for what lies on other media, a scheme on each of them.
 */
#include "fake_internal.h"

#include <IOKit/IOBSD.h>
#include <IOKit/storage/IOMedia.h>
#include <IOKit/storage/ata/ATASMARTLib.h>
#include <stdlib.h>
#include <string.h>

const mach_port_t kIOMainPortDefault = 0;

#define NOT_FOUND ((kern_return_t)0xe00002f0) /* kIOReturnNotFound */

enum kind { MEDIA, DEVICE, SCHEME, OTHER_SCHEME };

struct entry {
    uint64_t number; /* of the part; 0: none */
    enum kind kind;
};

/* What a port name stands for. */
struct port {
    int references; /* 0: free */
    bool is_iterator;
    struct entry entry;
    struct entry *items;
    size_t count, next;
};

enum { PORTS = 4096, FIRST_PORT = 0x1003 };
static struct port ports[PORTS]; /* under fake_mutex */

static struct port *port_of(io_object_t object)
{
    struct port *port = object >= FIRST_PORT && object < FIRST_PORT + PORTS
                            ? &ports[object - FIRST_PORT]
                            : NULL;

    if (!port || port->references < 1)
        fake_abort("an I/O object that was released, or none: 0x%x", object);
    return port;
}

static io_object_t new_port(const struct port *as)
{
    for (io_object_t i = 0; i < PORTS; i++) {
        if (ports[i].references)
            continue;
        ports[i] = *as;
        ports[i].references = 1;
        atomic_fetch_add(&fake_alive, 1);
        return FIRST_PORT + i;
    }
    fake_abort("I/O objects are never released");
}

static void lock(void)
{
    pthread_mutex_lock(&fake_mutex);
}

static void unlock(void)
{
    pthread_mutex_unlock(&fake_mutex);
}

kern_return_t IOObjectRetain(io_object_t object)
{
    lock();
    port_of(object)->references++;
    unlock();
    return KERN_SUCCESS;
}

kern_return_t IOObjectRelease(io_object_t object)
{
    lock();
    struct port *port = port_of(object);
    if (!--port->references) {
        free(port->items);
        *port = (struct port){.references = 0};
        atomic_fetch_sub(&fake_alive, 1);
    }
    unlock();
    return KERN_SUCCESS;
}

io_object_t IOIteratorNext(io_iterator_t iterator)
{
    io_object_t object = 0;

    lock();
    struct port *port = port_of(iterator);
    if (!port->is_iterator)
        fake_abort("IOIteratorNext of what is no iterator");
    if (port->next < port->count) {
        struct port item = {.entry = port->items[port->next++]};
        object = new_port(&item);
    }
    unlock();
    return object;
}

/* --- entries, with the mutex held --- */

static struct fake_part *part_of(const struct entry *entry)
{
    return fake_find_number(entry->number);
}

static size_t parents_of(const struct entry *entry, struct entry out[2])
{
    const struct fake_part *part = part_of(entry), *below = NULL;

    if (!part || entry->kind == DEVICE)
        return 0;
    if (entry->kind == MEDIA && !part->is.on) {
        out[0] = (struct entry){part->number, DEVICE};
        return 1;
    }
    if (entry->kind == MEDIA) {
        out[0] = (struct entry){part->number, SCHEME};
        out[1] = (struct entry){part->number, OTHER_SCHEME};
        return part->is.also_on ? 2 : 1;
    }
    below = fake_find(entry->kind == SCHEME ? part->is.on : part->is.also_on);
    if (!below)
        return 0;
    out[0] = (struct entry){below->number, MEDIA};
    return 1;
}

static CFTypeRef media_property(const struct fake_part *part, const char *key)
{
    if (!strcmp(key, kIOBSDNameKey))
        return fake_string(part->is.bsd_name);
    if (!strcmp(key, kIOMediaWholeKey))
        return fake_boolean(part->is.is_whole);
    return NULL;
}

static CFTypeRef statistics(const struct fake_medium *is)
{
    CFMutableDictionaryRef counts = fake_dictionary();

    fake_set(counts, CFSTR("Errors (Read)"), fake_number(is->read_errors));
    fake_set(counts, CFSTR("Errors (Write)"), fake_number(is->write_errors));
    return counts;
}

static CFTypeRef device_property(const struct fake_part *part, const char *key)
{
    const struct fake_medium *is = &part->is;

    if (!strcmp(key, "USB Serial Number") && is->serial)
        return fake_string(is->serial);
    if (!strcmp(key, "Device Speed") && is->speed)
        return fake_number(is->speed);
    if (!strcmp(key, "Statistics"))
        return statistics(is);
    if (!strcmp(key, kIOPropertySMARTCapableKey) && is->has_smart)
        return fake_boolean(true);
    return NULL;
}

static CFTypeRef property(const struct entry *entry, const char *key)
{
    const struct fake_part *part = part_of(entry);

    if (!part || (entry->kind != MEDIA && entry->kind != DEVICE))
        return NULL;
    return entry->kind == MEDIA ? media_property(part, key)
                                : device_property(part, key);
}

static CFTypeRef search(const struct entry *entry, const char *key, int depth)
{
    struct entry parents[2];
    CFTypeRef value = property(entry, key);
    size_t count = value || depth > 32 ? 0 : parents_of(entry, parents);

    for (size_t i = 0; i < count && !value; i++)
        value = search(&parents[i], key, depth + 1);
    return value;
}

/* --- the interface --- */

uint64_t fake_media_number(io_service_t media)
{
    lock();
    struct entry entry = port_of(media)->entry;
    unlock();
    return entry.kind == MEDIA ? entry.number : 0;
}

boolean_t IOObjectConformsTo(io_object_t object, const io_name_t className)
{
    lock();
    struct entry entry = port_of(object)->entry;
    unlock();
    return entry.kind == MEDIA && !strcmp(className, kIOMediaClass);
}

kern_return_t IORegistryEntryGetRegistryEntryID(io_registry_entry_t entry,
                                                uint64_t *entryID)
{
    lock();
    const struct port *port = port_of(entry);
    *entryID = 0x100000000 + 4 * port->entry.number + port->entry.kind;
    unlock();
    return KERN_SUCCESS;
}

kern_return_t IORegistryEntryGetParentIterator(io_registry_entry_t entry,
                                               const io_name_t plane,
                                               io_iterator_t *iterator)
{
    struct entry parents[2];

    if (strcmp(plane, kIOServicePlane) != 0)
        fake_abort("a plane that nobody asked for");
    lock();
    struct port port = {.is_iterator = true};
    port.count = parents_of(&port_of(entry)->entry, parents);
    port.items = calloc(2, sizeof *port.items);
    if (port.items)
        memcpy(port.items, parents, port.count * sizeof *parents);
    *iterator = new_port(&port);
    unlock();
    return KERN_SUCCESS;
}

kern_return_t IORegistryEntryGetParentEntry(io_registry_entry_t entry,
                                            const io_name_t plane,
                                            io_registry_entry_t *parent)
{
    struct entry parents[2];
    kern_return_t result = NOT_FOUND;

    lock();
    if (parents_of(&port_of(entry)->entry, parents)) {
        struct port port = {.entry = parents[0]};
        *parent = new_port(&port);
        result = KERN_SUCCESS;
    }
    unlock();
    return result;
}

CFTypeRef IORegistryEntryCreateCFProperty(io_registry_entry_t entry,
                                          CFStringRef key,
                                          CFAllocatorRef allocator,
                                          IOOptionBits options)
{
    lock();
    CFTypeRef value = property(&port_of(entry)->entry, fake_text(key));
    unlock();
    return value;
}

CFTypeRef IORegistryEntrySearchCFProperty(io_registry_entry_t entry,
                                          const io_name_t plane,
                                          CFStringRef key,
                                          CFAllocatorRef allocator,
                                          IOOptionBits options)
{
    if (options != (kIORegistryIterateRecursively | kIORegistryIterateParents))
        fake_abort("a search in another direction");
    lock();
    CFTypeRef value = search(&port_of(entry)->entry, fake_text(key), 0);
    unlock();
    return value;
}

CFMutableDictionaryRef IOServiceMatching(const char *name)
{
    CFMutableDictionaryRef matching = fake_dictionary();

    fake_set(matching, CFSTR("IOProviderClass"), fake_string(name));
    return matching;
}

CFMutableDictionaryRef IOBSDNameMatching(mach_port_t mainPort, uint32_t options,
                                         const char *bsdName)
{
    CFMutableDictionaryRef matching = fake_dictionary();

    fake_set(matching, CFSTR(kIOBSDNameKey), fake_string(bsdName));
    return matching;
}

/* Both of these take their dictionary over. */
kern_return_t IOServiceGetMatchingServices(mach_port_t mainPort,
                                           CFDictionaryRef matching,
                                           io_iterator_t *existing)
{
    struct port port = {.is_iterator = true};
    size_t count = 0;

    if (!CFDictionaryGetValue(matching, CFSTR("IOProviderClass")))
        fake_abort("services are matched by something else than a class");
    CFRelease(matching);
    lock();
    for (const struct fake_part *part = fake_parts; part; part = part->next)
        count++;
    port.items = calloc(count + 1, sizeof *port.items);
    for (const struct fake_part *part = fake_parts; part; part = part->next)
        port.items[port.count++] = (struct entry){part->number, MEDIA};
    *existing = new_port(&port);
    unlock();
    return KERN_SUCCESS;
}

io_service_t IOServiceGetMatchingService(mach_port_t mainPort,
                                         CFDictionaryRef matching)
{
    CFStringRef name = CFDictionaryGetValue(matching, CFSTR(kIOBSDNameKey));
    io_service_t service = 0;

    lock();
    const struct fake_part *part = fake_find(fake_text(name));
    if (part) {
        struct port port = {.entry = {part->number, MEDIA}};
        service = new_port(&port);
    }
    unlock();
    CFRelease(matching);
    return service;
}

bool fake_smart_fails(io_service_t service)
{
    lock();
    const struct fake_part *part = part_of(&port_of(service)->entry);
    bool fails = part && part->is.smart_fails;
    unlock();
    return fails;
}
