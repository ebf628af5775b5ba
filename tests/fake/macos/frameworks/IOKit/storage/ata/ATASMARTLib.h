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

typedef struct IOATASMARTInterface {
    IUNKNOWN_C_GUTS;
    UInt16 version;
    UInt16 revision;
    IOReturn (*SMARTEnableDisableOperations)(void *interface, Boolean enable);
    IOReturn (*SMARTEnableDisableAutosave)(void *interface, Boolean enable);
    IOReturn (*SMARTReturnStatus)(void *interface, Boolean *exceededCondition);
} IOATASMARTInterface;

#endif
