/*
 * CoreFoundation's functions that the backend calls, and nothing else: after
 * Apple's headers in one unit, any drift is a compile error.
 */
#ifndef FAKE_CF_PROTOS_H
#define FAKE_CF_PROTOS_H

extern CFTypeRef CFRetain(CFTypeRef cf);
extern void CFRelease(CFTypeRef cf);
extern CFTypeID CFGetTypeID(CFTypeRef cf);

extern CFTypeID CFStringGetTypeID(void);
extern CFStringRef __CFStringMakeConstantString(const char *cStr);
extern CFStringRef CFStringCreateWithCString(CFAllocatorRef alloc,
                                             const char *cStr,
                                             CFStringEncoding encoding);
extern CFMutableStringRef CFStringCreateMutableCopy(CFAllocatorRef alloc,
                                                    CFIndex maxLength,
                                                    CFStringRef theString);
extern CFIndex CFStringGetLength(CFStringRef theString);
extern CFIndex CFStringGetMaximumSizeForEncoding(CFIndex length,
                                                 CFStringEncoding encoding);
extern Boolean CFStringGetCString(CFStringRef theString, char *buffer,
                                  CFIndex bufferSize,
                                  CFStringEncoding encoding);
extern void CFStringNormalize(CFMutableStringRef theString,
                              CFStringNormalizationForm theForm);

extern CFTypeID CFNumberGetTypeID(void);
extern Boolean CFNumberGetValue(CFNumberRef number, CFNumberType theType,
                                void *valuePtr);
extern CFTypeID CFBooleanGetTypeID(void);
extern Boolean CFBooleanGetValue(CFBooleanRef boolean);

extern CFTypeID CFURLGetTypeID(void);
extern Boolean CFURLGetFileSystemRepresentation(CFURLRef url,
                                                Boolean resolveAgainstBase,
                                                UInt8 *buffer,
                                                CFIndex maxBufLen);
extern CFTypeID CFUUIDGetTypeID(void);
extern CFStringRef CFUUIDCreateString(CFAllocatorRef alloc, CFUUIDRef uuid);
extern CFUUIDBytes CFUUIDGetUUIDBytes(CFUUIDRef uuid);
extern CFUUIDRef CFUUIDGetConstantUUIDWithBytes(
    CFAllocatorRef alloc, UInt8 byte0, UInt8 byte1, UInt8 byte2, UInt8 byte3,
    UInt8 byte4, UInt8 byte5, UInt8 byte6, UInt8 byte7, UInt8 byte8,
    UInt8 byte9, UInt8 byte10, UInt8 byte11, UInt8 byte12, UInt8 byte13,
    UInt8 byte14, UInt8 byte15);

extern CFTypeID CFDictionaryGetTypeID(void);
extern const void *CFDictionaryGetValue(CFDictionaryRef theDict,
                                        const void *key);

_Static_assert(kCFStringEncodingUTF8 == 0x08000100, "CFString.h");
_Static_assert(kCFNumberSInt64Type == 4, "CFNumber.h");
_Static_assert(kCFStringNormalizationFormC == 2, "CFString.h");

#endif
