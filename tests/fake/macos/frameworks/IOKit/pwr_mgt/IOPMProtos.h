/*
 * The power assertions that the backend makes, and nothing else: after Apple's
 * headers in one unit, any drift is a compile error.
 */
#ifndef FAKE_IOPM_PROTOS_H
#define FAKE_IOPM_PROTOS_H

extern IOReturn IOPMAssertionCreateWithName(CFStringRef AssertionType,
                                            IOPMAssertionLevel AssertionLevel,
                                            CFStringRef AssertionName,
                                            IOPMAssertionID *AssertionID);
extern IOReturn IOPMAssertionRelease(IOPMAssertionID AssertionID);

_Static_assert(kIOPMAssertionLevelOn == 255, "IOPMLib.h");

#endif
