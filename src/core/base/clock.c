#include "core/base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static _Atomic int64_t frozen_ns;

int64_t clock_from_timespec(struct timespec time)
{
    /* A file may be dated in 2300. */
    if ((int64_t)time.tv_sec >= INT64_MAX / NS_PER_SECOND)
        return INT64_MAX;
    if ((int64_t)time.tv_sec <= INT64_MIN / NS_PER_SECOND)
        return INT64_MIN;
    return (int64_t)time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

struct timespec clock_to_timespec(int64_t time_ns)
{
    int64_t seconds = time_ns / NS_PER_SECOND;
    int64_t rest = time_ns % NS_PER_SECOND;

    if (rest < 0) {
        seconds--;
        rest += NS_PER_SECOND;
    }
    return (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)rest};
}

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return clock_from_timespec(now);
}

int64_t clock_now_ns(void)
{
    int64_t frozen = atomic_load(&frozen_ns);

    return frozen ? frozen : read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void clock_freeze(int64_t wall_ns)
{
    atomic_store(&frozen_ns, wall_ns);
}

static struct tm utc_parts(int64_t time_ns)
{
    time_t seconds = clock_to_timespec(time_ns).tv_sec;
    struct tm parts = {0};

    gmtime_r(&seconds, &parts);
    return parts;
}

void clock_format_utc(int64_t time_ns, char *buffer, size_t size)
{
    struct tm parts = utc_parts(time_ns);

    strftime(buffer, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void clock_format_compact(int64_t time_ns, char *buffer, size_t size)
{
    struct tm parts = utc_parts(time_ns);

    strftime(buffer, size, "%Y%m%d-%H%M%S", &parts);
}

void clock_format_local(int64_t time_ns, char *buffer, size_t size)
{
    time_t seconds = clock_to_timespec(time_ns).tv_sec;
    struct tm parts = {0};

    localtime_r(&seconds, &parts);
    strftime(buffer, size, "%d %b %H:%M", &parts);
}

void clock_format_minute(int64_t time_ns, char *buffer, size_t size)
{
    time_t seconds = clock_to_timespec(time_ns).tv_sec;
    struct tm parts = {0};

    localtime_r(&seconds, &parts);
    strftime(buffer, size, "%Y-%m-%d %H:%M", &parts);
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 -
                         year_of_era / 100 + day_of_year - 1;
    return era * 146097 + day_of_era - 719468;
}

bool clock_parse_utc(const char *text, int64_t *out_time_ns)
{
    int year, month, day, hour, minute, second;
    char again[32];

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &year, &month, &day, &hour,
               &minute, &second) != 6 ||
        month < 1 || month > 12)
        return false;
    int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 +
                      minute * 60 + second;
    if (seconds > INT64_MAX / NS_PER_SECOND ||
        seconds < INT64_MIN / NS_PER_SECOND)
        return false;
    /* sscanf also takes signs, blanks and the 30th of February. */
    clock_format_utc(seconds * NS_PER_SECOND, again, sizeof again);
    if (strcmp(text, again) != 0)
        return false;
    *out_time_ns = seconds * NS_PER_SECOND;
    return true;
}
