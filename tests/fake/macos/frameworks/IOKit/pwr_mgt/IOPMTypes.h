/*
 * Stand-in for the types of IOPMLib.h. Never together with Apple's headers;
 * IOPMProtos.h can be.
 */
#ifndef FAKE_IOPM_TYPES_H
#define FAKE_IOPM_TYPES_H

#include <IOKit/IOKitLib.h>

typedef uint32_t IOPMAssertionID;
typedef uint32_t IOPMAssertionLevel;

#define kIOPMAssertPreventUserIdleSystemSleep                                  \
    CFSTR("PreventUserIdleSystemSleep")
enum { kIOPMAssertionLevelOff = 0, kIOPMAssertionLevelOn = 255 };

#endif
