/*
 * IOKit's functions that the backend calls, and nothing else: after Apple's
 * headers in one unit, any drift is a compile error.
 */
#ifndef FAKE_IOKIT_PROTOS_H
#define FAKE_IOKIT_PROTOS_H

extern const mach_port_t kIOMainPortDefault; /* macOS 12 */

extern kern_return_t IOObjectRetain(io_object_t object);
extern kern_return_t IOObjectRelease(io_object_t object);
extern boolean_t IOObjectConformsTo(io_object_t object,
                                    const io_name_t className);
extern io_object_t IOIteratorNext(io_iterator_t iterator);

extern CFMutableDictionaryRef IOServiceMatching(const char *name);
extern CFMutableDictionaryRef IOBSDNameMatching(mach_port_t mainPort,
                                                uint32_t options,
                                                const char *bsdName);
extern io_service_t IOServiceGetMatchingService(mach_port_t mainPort,
                                                CFDictionaryRef matching);
extern kern_return_t IOServiceGetMatchingServices(mach_port_t mainPort,
                                                  CFDictionaryRef matching,
                                                  io_iterator_t *existing);

extern kern_return_t IORegistryEntryGetRegistryEntryID(
    io_registry_entry_t entry, uint64_t *entryID);
extern kern_return_t IORegistryEntryGetParentIterator(io_registry_entry_t entry,
                                                      const io_name_t plane,
                                                      io_iterator_t *iterator);
extern kern_return_t IORegistryEntryGetParentEntry(io_registry_entry_t entry,
                                                   const io_name_t plane,
                                                   io_registry_entry_t *parent);
extern CFTypeRef IORegistryEntryCreateCFProperty(io_registry_entry_t entry,
                                                 CFStringRef key,
                                                 CFAllocatorRef allocator,
                                                 IOOptionBits options);
extern CFTypeRef IORegistryEntrySearchCFProperty(io_registry_entry_t entry,
                                                 const io_name_t plane,
                                                 CFStringRef key,
                                                 CFAllocatorRef allocator,
                                                 IOOptionBits options);

_Static_assert(kIORegistryIterateRecursively == 1, "IOKitKeys.h");
_Static_assert(kIORegistryIterateParents == 2, "IOKitKeys.h");
_Static_assert(sizeof(io_name_t) == 128, "IOTypes.h");

#endif
