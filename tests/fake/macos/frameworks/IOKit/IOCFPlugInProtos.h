/*
 * The functions of IOCFPlugIn.h that the backend calls, and nothing else: after
 * Apple's headers in one unit, any drift is a compile error.
 */
#ifndef FAKE_IOCFPLUGIN_PROTOS_H
#define FAKE_IOCFPLUGIN_PROTOS_H

extern kern_return_t IOCreatePlugInInterfaceForService(
    io_service_t service, CFUUIDRef pluginType, CFUUIDRef interfaceType,
    IOCFPlugInInterface ***theInterface, SInt32 *theScore);
extern kern_return_t IODestroyPlugInInterface(IOCFPlugInInterface **interface);

_Static_assert(sizeof(CFUUIDBytes) == 16, "CFUUID.h");

#endif
