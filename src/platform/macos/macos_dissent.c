#include "platform/macos/macos_dissent.h"

#include "platform/macos/macos_cf.h"

#include <errno.h>
#include <stdlib.h>

/*
 * A failed unmount(2) comes as unix_err(EBUSY), 0xC010, whatever its reason
 * was (DARequest.c), not as kDAReturnBusy: that is another program's no, or
 * the system's for its own volumes.
 */
#define UNIX_ERRORS 0xC000u
#define UNIX_ERRORS_MASK 0xFFFFC000u

static const struct {
    DAReturn status;
    err_code code;
    const char *reason;
} reasons[] = {
    {kDAReturnBusy, ERR_BUSY, "another program or macOS keeps it"},
    {kDAReturnExclusiveAccess, ERR_BUSY, "another program has it to itself"},
    {kDAReturnNotReady, ERR_BUSY, "it is not ready yet"},
    {kDAReturnNotPermitted, ERR_DENIED, "macOS does not permit it"},
    {kDAReturnNotPrivileged, ERR_DENIED,
     "it needs an administrator: somebody else mounted it"},
    {kDAReturnNotFound, ERR_DEVICE_GONE, "it is not there any more"},
    {kDAReturnNotWritable, ERR_READ_ONLY, "it cannot be written"},
    {kDAReturnUnsupported, ERR_UNSUPPORTED, "macOS cannot do that with it"},
    {kDAReturnNoResources, ERR_INTERNAL, "macOS is out of resources"},
    {kDAReturnNotMounted, ERR_NOT_FOUND, "it is not mounted"},
    {kDAReturnBadArgument, ERR_IO, "diskarbitrationd does not answer"},
};

static err_code of_status(DAReturn status, const char *verb, const char *device,
                          struct error *err)
{
    int os_errno = (int)((unsigned)status & ~UNIX_ERRORS_MASK);

    if (((unsigned)status & UNIX_ERRORS_MASK) == UNIX_ERRORS)
        return error_set_errno(err, os_errno, "cannot %s %s", verb, device);
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return error_set(err, reasons[i].code, "cannot %s %s: %s", verb,
                             device, reasons[i].reason);
    return error_set(err, ERR_IO,
                     "cannot %s %s: DiskArbitration's error 0x%08x", verb,
                     device, (unsigned)status);
}

err_code macos_dissent(DAReturn status, CFStringRef words, const char *verb,
                       const char *device, struct error *err)
{
    CLEANUP_FREE char *said = macos_text(words);
    struct error own = ERROR_INIT;
    err_code code = of_status(status, verb, device, &own);

    if (!err)
        return code;
    if (*said)
        error_set(err, code, "%s (%s)", own.message, said);
    else
        error_set(err, code, "%s", own.message);
    err->os_errno = own.os_errno;
    return code;
}
