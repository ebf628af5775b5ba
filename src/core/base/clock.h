/*
 * Time. Wall-clock times are nanoseconds since 1970 in UTC (int64_t, good
 * until 2262); durations and deadlines are on the monotonic clock.
 * Tests can freeze the wall clock. Thread-safe.
 */
#ifndef BERTH_BASE_CLOCK_H
#define BERTH_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

int64_t clock_now_ns(void);       /* wall clock */
int64_t clock_monotonic_ns(void); /* never frozen */

/* 0 unfreezes. */
void clock_freeze(int64_t wall_ns);

int64_t clock_from_timespec(struct timespec time);
struct timespec clock_to_timespec(int64_t time_ns);

/* "2026-11-22T14:06:03Z" */
void clock_format_utc(int64_t time_ns, char *buffer, size_t size);
/* The same moment for people, in local time: "22 Nov 14:06". */
void clock_format_local(int64_t time_ns, char *buffer, size_t size);
/* "20261122-140603", UTC: for names of files and runs. */
void clock_format_compact(int64_t time_ns, char *buffer, size_t size);
void clock_format_minute(int64_t time_ns, char *buffer, size_t size);
/* Reads what clock_format_utc wrote; false for anything else. */
bool clock_parse_utc(const char *text, int64_t *out_time_ns);

#endif
