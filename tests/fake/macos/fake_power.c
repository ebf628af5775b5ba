/*
 * The double of IOPMLib: assertions are counted as objects are.
 */
#include "fake_internal.h"

#include <IOKit/pwr_mgt/IOPMLib.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool is_held[16]; /* under the mutex, as the next */
static char newest[129];
static bool is_refusing;

void fake_power_refuses(bool refuses)
{
    pthread_mutex_lock(&mutex);
    is_refusing = refuses;
    pthread_mutex_unlock(&mutex);
}

int fake_assertions(char *name, size_t size)
{
    int count = 0;

    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < sizeof is_held / sizeof is_held[0]; i++)
        count += is_held[i];
    if (name)
        snprintf(name, size, "%s", newest);
    pthread_mutex_unlock(&mutex);
    return count;
}

static void check(CFStringRef type, IOPMAssertionLevel level, CFStringRef name)
{
    if (strcmp(fake_text(type), "PreventUserIdleSystemSleep") != 0 ||
        level != kIOPMAssertionLevelOn)
        fake_abort("an assertion that means something else");
    if (strlen(fake_text(name)) >= sizeof newest)
        fake_abort("an assertion's name of more than 128 characters");
}

IOReturn IOPMAssertionCreateWithName(CFStringRef AssertionType,
                                     IOPMAssertionLevel AssertionLevel,
                                     CFStringRef AssertionName,
                                     IOPMAssertionID *AssertionID)
{
    IOReturn status = (IOReturn)0xe00002bd; /* kIOReturnNoMemory */

    check(AssertionType, AssertionLevel, AssertionName);
    pthread_mutex_lock(&mutex);
    for (IOPMAssertionID i = 0; status && !is_refusing && i < 16; i++) {
        if (is_held[i])
            continue;
        is_held[i] = true;
        *AssertionID = 0x8000 + i;
        snprintf(newest, sizeof newest, "%s", fake_text(AssertionName));
        atomic_fetch_add(&fake_alive, 1);
        status = kIOReturnSuccess;
    }
    pthread_mutex_unlock(&mutex);
    return status;
}

IOReturn IOPMAssertionRelease(IOPMAssertionID AssertionID)
{
    IOPMAssertionID i = AssertionID - 0x8000;

    pthread_mutex_lock(&mutex);
    if (i >= 16 || !is_held[i])
        fake_abort("an assertion that was released, or none");
    is_held[i] = false;
    pthread_mutex_unlock(&mutex);
    atomic_fetch_sub(&fake_alive, 1);
    return kIOReturnSuccess;
}
