/*
 * Stand-in for the types of libdispatch. Never together with Apple's headers;
 * DispatchProtos.h can be.
 */
#ifndef FAKE_DISPATCH_TYPES_H
#define FAKE_DISPATCH_TYPES_H

#include <stdint.h>

#ifndef __clang__
#define _Nullable
#endif

typedef struct dispatch_queue_s *dispatch_queue_t;
typedef struct dispatch_queue_attr_s *dispatch_queue_attr_t;
typedef union {
    struct dispatch_object_s *_do;
    struct dispatch_queue_s *_dq;
} dispatch_object_t __attribute__((__transparent_union__));
typedef void (*dispatch_function_t)(void *_Nullable);
typedef uint64_t dispatch_time_t;

#define DISPATCH_TIME_NOW (0ull)

#endif
