/*
 * The double of ATASMARTLib: a disk with four attributes, one of which is below
 * its threshold when the disk is failing.
 */
#include "fake_internal.h"

#include <IOKit/IOCFPlugIn.h>
#include <IOKit/storage/ata/ATASMARTLib.h>
#include <stdlib.h>
#include <string.h>

struct smart {
    IOATASMARTInterface *table; /* first: what a caller holds */
    IOATASMARTInterface functions;
    bool fails, is_enabled;
};
struct plug_in {
    IOCFPlugInInterface *table;
    IOCFPlugInInterface functions;
    bool fails;
};

/* --- what the disk says --- */

static IOReturn enable(void *interface, Boolean enable)
{
    ((struct smart *)interface)->is_enabled = enable;
    return kIOReturnSuccess;
}

static IOReturn return_status(void *interface, Boolean *exceededCondition)
{
    const struct smart *smart = interface;

    if (!smart->is_enabled)
        fake_abort("SMART is asked for, and not enabled");
    *exceededCondition = smart->fails;
    return kIOReturnSuccess;
}

static void put(UInt8 *table, int at, const UInt8 entry[12])
{
    memcpy(table + 2 + at * 12, entry, 12);
}

static IOReturn read_data(void *interface, ATASMARTData *data)
{
    bool fails = ((struct smart *)interface)->fails;
    UInt8 sum = 0;

    memset(data, 0, sizeof *data);
    /* id, flags, value, worst, six bytes of raw value */
    put(data->vendorSpecific1, 0,
        (const UInt8[12]){5, 0x33, 0, fails ? 30 : 100, fails ? 30 : 100, 8});
    put(data->vendorSpecific1, 1,
        (const UInt8[12]){9, 0x32, 0, 96, 96, 0x18, 0x10, 0, 0x77, 0x66});
    put(data->vendorSpecific1, 3,
        (const UInt8[12]){194, 0x22, 0, 34, 50, 34, 0, 21, 0, 50});
    put(data->vendorSpecific1, 29,
        (const UInt8[12]){240, 0, 0, 100, 253, 1, 2, 3, 4, 5, 6});
    for (size_t i = 0; i < sizeof *data - 1; i++)
        sum = (UInt8)(sum + ((const UInt8 *)data)[i]);
    data->checksum = (UInt8)-sum;
    return kIOReturnSuccess;
}

static IOReturn validate(void *interface, const ATASMARTData *data)
{
    UInt8 sum = 0;

    for (size_t i = 0; i < sizeof *data; i++)
        sum = (UInt8)(sum + ((const UInt8 *)data)[i]);
    return sum ? (IOReturn)0xe00002bc : kIOReturnSuccess;
}

static IOReturn read_thresholds(void *interface, ATASMARTDataThresholds *data)
{
    memset(data, 0, sizeof *data);
    put(data->vendorSpecific1, 0, (const UInt8[12]){5, 36});
    return kIOReturnSuccess;
}

/* --- the plug-in --- */

static ULONG release_smart(void *self)
{
    free(self);
    atomic_fetch_sub(&fake_alive, 1);
    return 0;
}

static HRESULT query(void *self, REFIID iid, LPVOID *out)
{
    struct smart *smart = calloc(1, sizeof *smart);

    if (!smart)
        fake_abort("out of memory");
    smart->table = &smart->functions;
    smart->functions = (IOATASMARTInterface){
        .Release = release_smart,
        .SMARTEnableDisableOperations = enable,
        .SMARTReturnStatus = return_status,
        .SMARTReadData = read_data,
        .SMARTValidateReadData = validate,
        .SMARTReadDataThresholds = read_thresholds,
    };
    smart->fails = ((struct plug_in *)self)->fails;
    *out = smart;
    atomic_fetch_add(&fake_alive, 1);
    return 0;
}

kern_return_t IOCreatePlugInInterfaceForService(
    io_service_t service, CFUUIDRef pluginType, CFUUIDRef interfaceType,
    IOCFPlugInInterface ***theInterface, SInt32 *theScore)
{
    struct plug_in *plug_in = calloc(1, sizeof *plug_in);

    if (!plug_in)
        fake_abort("out of memory");
    plug_in->fails = fake_smart_fails(service);
    plug_in->table = &plug_in->functions;
    plug_in->functions.QueryInterface = query;
    *theInterface = &plug_in->table;
    *theScore = 0;
    atomic_fetch_add(&fake_alive, 1);
    return KERN_SUCCESS;
}

kern_return_t IODestroyPlugInInterface(IOCFPlugInInterface **interface)
{
    free(interface);
    atomic_fetch_sub(&fake_alive, 1);
    return KERN_SUCCESS;
}
