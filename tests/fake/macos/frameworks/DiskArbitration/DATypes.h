/*
 * Stand-in for the types of DiskArbitration. Never together with Apple's
 * headers; DAProtos.h can be.
 */
#ifndef FAKE_DA_TYPES_H
#define FAKE_DA_TYPES_H

#include <CoreFoundation/CoreFoundation.h>
#include <IOKit/IOKitLib.h>
#include <dispatch/dispatch.h>

typedef struct __DASession *DASessionRef;
typedef struct __DADisk *DADiskRef;
typedef const struct __DADissenter *DADissenterRef;
typedef int DAReturn; /* mach_error_t */
typedef UInt32 DADiskMountOptions;
typedef UInt32 DADiskUnmountOptions;
typedef UInt32 DADiskEjectOptions;

typedef void (*DADiskAppearedCallback)(DADiskRef disk, void *_Nullable context);
typedef void (*DADiskDisappearedCallback)(DADiskRef disk,
                                          void *_Nullable context);
typedef void (*DADiskDescriptionChangedCallback)(DADiskRef disk,
                                                 CFArrayRef keys,
                                                 void *_Nullable context);
typedef DADissenterRef _Nullable (*DADiskUnmountApprovalCallback)(
    DADiskRef disk, void *_Nullable context);
typedef void (*DADiskMountCallback)(DADiskRef disk,
                                    DADissenterRef _Nullable dissenter,
                                    void *_Nullable context);
typedef void (*DADiskUnmountCallback)(DADiskRef disk,
                                      DADissenterRef _Nullable dissenter,
                                      void *_Nullable context);
typedef void (*DADiskEjectCallback)(DADiskRef disk,
                                    DADissenterRef _Nullable dissenter,
                                    void *_Nullable context);

enum { kDADiskMountOptionDefault = 0, kDADiskMountOptionWhole = 1 };
enum {
    kDADiskUnmountOptionDefault = 0,
    kDADiskUnmountOptionForce = 0x00080000,
    kDADiskUnmountOptionWhole = 1,
};
enum { kDADiskEjectOptionDefault = 0 };

#define FAKE_DA_ERROR(number)                                                  \
    ((DAReturn)((0x3eu << 26) | (0x368u << 14) | (number)))
#define kDAReturnError FAKE_DA_ERROR(1u)
#define kDAReturnBusy FAKE_DA_ERROR(2u)
#define kDAReturnBadArgument FAKE_DA_ERROR(3u)
#define kDAReturnExclusiveAccess FAKE_DA_ERROR(4u)
#define kDAReturnNoResources FAKE_DA_ERROR(5u)
#define kDAReturnNotFound FAKE_DA_ERROR(6u)
#define kDAReturnNotMounted FAKE_DA_ERROR(7u)
#define kDAReturnNotPermitted FAKE_DA_ERROR(8u)
#define kDAReturnNotPrivileged FAKE_DA_ERROR(9u)
#define kDAReturnNotReady FAKE_DA_ERROR(10u)
#define kDAReturnNotWritable FAKE_DA_ERROR(11u)
#define kDAReturnUnsupported FAKE_DA_ERROR(12u)

#endif
