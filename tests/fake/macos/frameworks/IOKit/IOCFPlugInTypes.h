/*
 * Stand-in for the types of IOCFPlugIn.h and the part of CFPlugInCOM.h behind
 * it. Never together with Apple's headers; IOCFPlugInProtos.h can be.
 */
#ifndef FAKE_IOCFPLUGIN_TYPES_H
#define FAKE_IOCFPLUGIN_TYPES_H

#include <IOKit/IOKitLib.h>

typedef SInt32 HRESULT;
typedef UInt32 ULONG;
typedef void *LPVOID;
typedef CFUUIDBytes REFIID;

#define IUNKNOWN_C_GUTS                                                        \
    void *_reserved;                                                           \
    HRESULT (*QueryInterface)(void *thisPointer, REFIID iid, LPVOID *ppv);     \
    ULONG (*AddRef)(void *thisPointer);                                        \
    ULONG (*Release)(void *thisPointer)

typedef struct IOCFPlugInInterfaceStruct {
    IUNKNOWN_C_GUTS;
    UInt16 version;
    UInt16 revision;
    IOReturn (*Probe)(void *thisPointer, CFDictionaryRef propertyTable,
                      io_service_t service, SInt32 *order);
    IOReturn (*Start)(void *thisPointer, CFDictionaryRef propertyTable,
                      io_service_t service);
    IOReturn (*Stop)(void *thisPointer);
} IOCFPlugInInterface;

#define kIOCFPlugInInterfaceID                                                 \
    CFUUIDGetConstantUUIDWithBytes(NULL, 0xC2, 0x44, 0xE8, 0x58, 0x10, 0x9C,   \
                                   0x11, 0xD4, 0x91, 0xD4, 0x00, 0x50, 0xE4,   \
                                   0xC6, 0x42, 0x6F)

#endif
