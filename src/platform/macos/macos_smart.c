#include "platform/macos/macos_smart.h"

#include "platform/macos/macos_cf.h"

#include <IOKit/IOCFPlugIn.h>
#include <IOKit/storage/ata/ATASMARTLib.h>

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

static enum platform_smart ask(IOATASMARTInterface **smart)
{
    Boolean is_exceeded = false;

    if ((*smart)->SMARTEnableDisableOperations(smart, true) !=
            kIOReturnSuccess ||
        (*smart)->SMARTReturnStatus(smart, &is_exceeded) != kIOReturnSuccess)
        return PLATFORM_SMART_UNKNOWN;
    return is_exceeded ? PLATFORM_SMART_FAILING : PLATFORM_SMART_PASSED;
}

enum platform_smart macos_smart_read(io_service_t media)
{
    IOCFPlugInInterface **plug_in = NULL;
    IOATASMARTInterface **smart = NULL;
    enum platform_smart state = PLATFORM_SMART_UNKNOWN;
    SInt32 score;
    io_service_t device = find_capable(media);

    if (!device)
        return state;
    kern_return_t failed = IOCreatePlugInInterfaceForService(
        device, kIOATASMARTUserClientTypeID, kIOCFPlugInInterfaceID, &plug_in,
        &score);
    IOObjectRelease(device);
    if (failed || !plug_in)
        return state;
    (*plug_in)->QueryInterface(plug_in,
                               CFUUIDGetUUIDBytes(kIOATASMARTInterfaceID),
                               (LPVOID *)(void *)&smart);
    if (smart) {
        state = ask(smart);
        (*smart)->Release(smart);
    }
    IODestroyPlugInInterface(plug_in);
    return state;
}
