/*
 * libdispatch's functions that the backend calls, and nothing else: after
 * Apple's headers in one unit, any drift is a compile error.
 */
#ifndef FAKE_DISPATCH_PROTOS_H
#define FAKE_DISPATCH_PROTOS_H

#ifdef __clang__
#pragma clang assume_nonnull begin
#endif

extern dispatch_queue_t dispatch_queue_create(
    const char *_Nullable label, dispatch_queue_attr_t _Nullable attr);
extern void dispatch_release(dispatch_object_t object);
extern void dispatch_retain(dispatch_object_t object);
extern void dispatch_async_f(dispatch_queue_t queue, void *_Nullable context,
                             dispatch_function_t work);
extern void dispatch_sync_f(dispatch_queue_t queue, void *_Nullable context,
                            dispatch_function_t work);
extern void dispatch_after_f(dispatch_time_t when, dispatch_queue_t queue,
                             void *_Nullable context, dispatch_function_t work);
extern dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

_Static_assert(DISPATCH_TIME_NOW == 0, "dispatch/time.h");

#endif
