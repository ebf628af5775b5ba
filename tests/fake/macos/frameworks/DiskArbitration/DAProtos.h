/*
 * DiskArbitration's functions and constants that the backend uses, and nothing
 * else: after Apple's headers in one unit, any drift is a compile error.
 */
#ifndef FAKE_DA_PROTOS_H
#define FAKE_DA_PROTOS_H

#ifdef __clang__
#pragma clang assume_nonnull begin
#endif

extern const CFStringRef kDADiskDescriptionVolumeKindKey;
extern const CFStringRef kDADiskDescriptionVolumeNameKey;
extern const CFStringRef kDADiskDescriptionVolumeNetworkKey;
extern const CFStringRef kDADiskDescriptionVolumePathKey;
extern const CFStringRef kDADiskDescriptionVolumeUUIDKey;
extern const CFStringRef kDADiskDescriptionMediaEncryptedKey;
extern const CFStringRef kDADiskDescriptionMediaSizeKey;
extern const CFStringRef kDADiskDescriptionMediaWritableKey;
extern const CFStringRef kDADiskDescriptionDeviceInternalKey;
extern const CFStringRef kDADiskDescriptionDeviceModelKey;
extern const CFStringRef kDADiskDescriptionDeviceProtocolKey;
extern const CFStringRef kDADiskDescriptionDeviceVendorKey;

extern DASessionRef _Nullable DASessionCreate(
    CFAllocatorRef _Nullable allocator);
extern void DASessionSetDispatchQueue(DASessionRef session,
                                      dispatch_queue_t _Nullable queue);

extern void DARegisterDiskAppearedCallback(DASessionRef session,
                                           CFDictionaryRef _Nullable match,
                                           DADiskAppearedCallback callback,
                                           void *_Nullable context);
extern void DARegisterDiskDisappearedCallback(
    DASessionRef session, CFDictionaryRef _Nullable match,
    DADiskDisappearedCallback callback, void *_Nullable context);
extern void DARegisterDiskDescriptionChangedCallback(
    DASessionRef session, CFDictionaryRef _Nullable match,
    CFArrayRef _Nullable watch, DADiskDescriptionChangedCallback callback,
    void *_Nullable context);

extern void DARegisterDiskUnmountApprovalCallback(
    DASessionRef session, CFDictionaryRef _Nullable match,
    DADiskUnmountApprovalCallback callback, void *_Nullable context);
extern void DAUnregisterCallback(DASessionRef session, void *callback,
                                 void *_Nullable context);

extern DADiskRef _Nullable DADiskCreateFromBSDName(
    CFAllocatorRef _Nullable allocator, DASessionRef session, const char *name);
extern DADiskRef _Nullable DADiskCreateFromIOMedia(
    CFAllocatorRef _Nullable allocator, DASessionRef session,
    io_service_t media);
extern const char *_Nullable DADiskGetBSDName(DADiskRef disk);
extern CFDictionaryRef _Nullable DADiskCopyDescription(DADiskRef disk);

extern void DADiskMount(DADiskRef disk, CFURLRef _Nullable path,
                        DADiskMountOptions options,
                        DADiskMountCallback _Nullable callback,
                        void *_Nullable context);
extern void DADiskUnmount(DADiskRef disk, DADiskUnmountOptions options,
                          DADiskUnmountCallback _Nullable callback,
                          void *_Nullable context);
extern void DADiskEject(DADiskRef disk, DADiskEjectOptions options,
                        DADiskEjectCallback _Nullable callback,
                        void *_Nullable context);

extern DADissenterRef DADissenterCreate(CFAllocatorRef _Nullable allocator,
                                        DAReturn status,
                                        CFStringRef _Nullable string);
extern DAReturn DADissenterGetStatus(DADissenterRef dissenter);
extern CFStringRef _Nullable DADissenterGetStatusString(
    DADissenterRef dissenter);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

_Static_assert((unsigned)kDAReturnBusy == 0xF8DA0002u, "DADissenter.h");
_Static_assert((unsigned)kDAReturnBadArgument == 0xF8DA0003u, "DADissenter.h");
_Static_assert((unsigned)kDAReturnNotMounted == 0xF8DA0007u, "DADissenter.h");
_Static_assert((unsigned)kDAReturnNotPrivileged == 0xF8DA0009u,
               "DADissenter.h");
_Static_assert((unsigned)kDAReturnUnsupported == 0xF8DA000Cu, "DADissenter.h");
_Static_assert(kDADiskUnmountOptionDefault == 0, "DADisk.h");
_Static_assert(kDADiskMountOptionDefault == 0, "DADisk.h");
_Static_assert(kDADiskEjectOptionDefault == 0, "DADisk.h");

#endif
