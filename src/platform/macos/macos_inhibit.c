#include "platform/macos/macos_inhibit.h"

#include "platform/macos/macos_cf.h"
#include "platform/macos/macos_disk.h"
#include "platform/macos/macos_platform.h"

#include <IOKit/pwr_mgt/IOPMLib.h>
#include <stdlib.h>
#include <string.h>

struct platform_inhibitor {
    struct macos_session *session;
    struct platform_inhibitor *next; /* in session->inhibitors */
    char *bsd_name;                  /* "" for none */
    char *why;
    IOPMAssertionID assertion;
};

static CFStringRef cf_string(const char *text)
{
    return CFStringCreateWithCString(NULL, text, kCFStringEncodingUTF8);
}

/* --- unmounting --- */

static const struct platform_inhibitor *find(
    const struct macos_session *session, const char *bsd_name)
{
    const struct platform_inhibitor *at = session->inhibitors;

    while (at && strcmp(at->bsd_name, bsd_name) != 0)
        at = at->next;
    return at;
}

/* Is asked of every unmounting but a forced one, ours included; answers at
 * once. DiskArbitration releases the dissenter. */
static DADissenterRef judge_unmount(DADiskRef disk, void *context)
{
    const char *bsd_name = DADiskGetBSDName(disk);
    const struct platform_inhibitor *held =
        bsd_name ? find(context, bsd_name) : NULL;

    if (!held)
        return NULL;
    CFStringRef why = cf_string(held->why);
    DADissenterRef dissenter = DADissenterCreate(NULL, kDAReturnBusy, why);
    macos_release(why);
    return dissenter;
}

void macos_inhibitors_register(struct macos_session *session)
{
    if (session->inhibitors)
        DARegisterDiskUnmountApprovalCallback(session->arbitration, NULL,
                                              judge_unmount, session);
}

static void add(void *context)
{
    struct platform_inhibitor *inhibitor = context;
    struct macos_session *session = inhibitor->session;
    bool is_first = !session->inhibitors;

    inhibitor->next = session->inhibitors;
    session->inhibitors = inhibitor;
    if (is_first && session->arbitration)
        macos_inhibitors_register(session);
}

static void take_out(void *context)
{
    struct platform_inhibitor *inhibitor = context;
    struct macos_session *session = inhibitor->session;
    struct platform_inhibitor **at = &session->inhibitors;

    while (*at != inhibitor)
        at = &(*at)->next;
    *at = inhibitor->next;
    if (!session->inhibitors && session->arbitration)
        DAUnregisterCallback(session->arbitration,
                             (void *)(uintptr_t)judge_unmount, session);
}

/* --- sleeping --- */

/* Not against a closed lid, and not against somebody who chooses "Sleep":
 * nothing that is public is. A name is 128 characters at most (IOPMLib.h). */
static bool stay_awake(struct platform_inhibitor *inhibitor)
{
    CLEANUP_FREE char *text = xasprintf("%.100s", inhibitor->why);
    CFStringRef name = cf_string(text);

    if (!name) /* cut within a character */
        name = cf_string("berth");
    bool is_held = name && IOPMAssertionCreateWithName(
                               kIOPMAssertPreventUserIdleSystemSleep,
                               kIOPMAssertionLevelOn, name,
                               &inhibitor->assertion) == kIOReturnSuccess;
    macos_release(name);
    return is_held;
}

/* --- the interface --- */

static void inhibitor_free(struct platform_inhibitor *inhibitor)
{
    free(inhibitor->bsd_name);
    free(inhibitor->why);
    free(inhibitor);
}

err_code platform_inhibit(struct platform *platform, const char *device,
                          const char *why, struct platform_inhibitor **out,
                          struct error *err)
{
    struct platform_inhibitor *inhibitor = xcalloc(1, sizeof *inhibitor);
    char *bsd_name = macos_bsd_name(device);

    *out = NULL;
    inhibitor->session = platform->session;
    inhibitor->bsd_name = bsd_name ? bsd_name : xstrdup("");
    inhibitor->why = xstrdup(why);
    if (!stay_awake(inhibitor)) {
        inhibitor_free(inhibitor);
        return error_set(err, ERR_IO,
                         "cannot keep this Mac awake: it may fall asleep "
                         "before berth is done");
    }
    macos_session_run(platform->session, add, inhibitor);
    *out = inhibitor;
    return ERR_OK;
}

void platform_inhibitor_release(struct platform_inhibitor *inhibitor)
{
    if (!inhibitor)
        return;
    macos_session_run(inhibitor->session, take_out, inhibitor);
    IOPMAssertionRelease(inhibitor->assertion);
    inhibitor_free(inhibitor);
}
