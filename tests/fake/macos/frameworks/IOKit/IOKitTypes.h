/*
 * Stand-in for the types of IOKit. Never together with Apple's headers;
 * IOKitProtos.h can be.
 */
#ifndef FAKE_IOKIT_TYPES_H
#define FAKE_IOKIT_TYPES_H

#include <CoreFoundation/CoreFoundation.h>

#ifdef __APPLE__
#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/port.h>
#else
typedef int kern_return_t;
typedef unsigned int mach_port_t;
typedef int boolean_t;
#define KERN_SUCCESS 0
#endif

typedef kern_return_t IOReturn;
typedef UInt32 IOOptionBits;
typedef mach_port_t io_object_t;
typedef io_object_t io_registry_entry_t;
typedef io_object_t io_service_t;
typedef io_object_t io_iterator_t;
typedef char io_name_t[128];

#define kIOReturnSuccess KERN_SUCCESS
#define kIOServicePlane "IOService"
enum {
    kIORegistryIterateRecursively = 0x00000001,
    kIORegistryIterateParents = 0x00000002,
};

#endif
