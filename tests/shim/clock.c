/*
 * Says that the machine's clock is synchronised, whatever the machine says
 * (LD_PRELOAD): berth removes nothing by a clock that is not. With
 * BERTH_UNSYNCHRONISED it says that it is not; BERTH_CLOCK_OFFSET=SECONDS sets
 * the clock forward, or back.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>

int adjtimex(struct timex *clock)
{
    clock->status = getenv("BERTH_UNSYNCHRONISED") ? STA_UNSYNC : STA_PLL;
    return getenv("BERTH_UNSYNCHRONISED") ? TIME_ERROR : TIME_OK;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int (*real)(clockid_t, struct timespec *) =
        (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT,
                                                     "clock_gettime");
    const char *offset = getenv("BERTH_CLOCK_OFFSET");
    int failed = real(id, out);

    if (!failed && id == CLOCK_REALTIME && offset)
        out->tv_sec += strtol(offset, NULL, 10);
    return failed;
}
