/*
 * Stand-in for ATASMARTLib.h: the functions up to the one that is called last.
 */
#ifndef FAKE_ATASMARTLIB_H
#define FAKE_ATASMARTLIB_H

#include <IOKit/IOCFPlugIn.h>

#define kIOPropertySMARTCapableKey "SMART Capable"

#define kIOATASMARTUserClientTypeID                                            \
    CFUUIDGetConstantUUIDWithBytes(NULL, 0x24, 0x51, 0x4B, 0x7A, 0x28, 0x04,   \
                                   0x11, 0xD6, 0x8A, 0x02, 0x00, 0x30, 0x65,   \
                                   0x70, 0x48, 0x66)
#define kIOATASMARTInterfaceID                                                 \
    CFUUIDGetConstantUUIDWithBytes(NULL, 0x08, 0xAB, 0xE2, 0x1C, 0x20, 0xD4,   \
                                   0x11, 0xD6, 0x8D, 0xF6, 0x00, 0x03, 0x93,   \
                                   0x5A, 0x76, 0xB2)

/* 512 bytes each, as the drive sends them. */
typedef struct ATASMARTData {
    UInt8 vendorSpecific1[362];
    UInt8 others[149];
    UInt8 checksum;
} ATASMARTData;
typedef struct ATASMARTDataThresholds {
    UInt8 vendorSpecific1[362];
    UInt8 vendorSpecific2[149];
    UInt8 checksum;
} ATASMARTDataThresholds;

typedef struct IOATASMARTInterface {
    IUNKNOWN_C_GUTS;
    UInt16 version;
    UInt16 revision;
    IOReturn (*SMARTEnableDisableOperations)(void *interface, Boolean enable);
    IOReturn (*SMARTEnableDisableAutosave)(void *interface, Boolean enable);
    IOReturn (*SMARTReturnStatus)(void *interface, Boolean *exceededCondition);
    IOReturn (*SMARTExecuteOffLineImmediate)(void *interface,
                                             Boolean extendedTest);
    IOReturn (*SMARTReadData)(void *interface, ATASMARTData *data);
    IOReturn (*SMARTValidateReadData)(void *interface,
                                      const ATASMARTData *data);
    IOReturn (*SMARTReadDataThresholds)(void *interface,
                                        ATASMARTDataThresholds *dataThresholds);
} IOATASMARTInterface;

#endif
