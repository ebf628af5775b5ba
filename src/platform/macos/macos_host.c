#include "platform/platform.h"
#include "platform/platform_host.h"

#include "core/base/path.h"
#include "platform/posix_host.h"

#include <errno.h>
#include <limits.h>
#include <mach-o/dyld.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/sysctl.h>
#include <sys/timex.h>
#include <unistd.h>

/* The XDG places, as on Linux: one manual, and what other programs for the
 * terminal do on macOS, too. */
err_code platform_config_directory(char **out_path, struct error *err)
{
    return posix_xdg_directory("XDG_CONFIG_HOME", ".config", out_path, err);
}

err_code platform_state_directory(char **out_path, struct error *err)
{
    return posix_xdg_directory("XDG_STATE_HOME", ".local/state", out_path, err);
}

/* No directory that all users may write is emptied at a boot, and not before
 * (/tmp loses what is three days old). */
char *platform_lock_hint_directory(void)
{
    return xstrdup("");
}

/* The kernel's view, which timed keeps (ntp_adjtime, since 10.13). */
bool platform_clock_is_synchronised(void)
{
    struct timex clock = {.modes = 0};

    return ntp_adjtime(&clock) != -1 && !(clock.status & STA_UNSYNC);
}

/* DiskArbitration lets whoever is logged in mount and eject. */
err_code platform_unwatched_rights(struct platform *platform,
                                   struct platform_rights *out,
                                   struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED,
                     "macOS has no such rights to ask for");
}

/* Not kern.boottime: that moves when the clock is set. */
err_code platform_boot_id(char **out_id, struct error *err)
{
    char id[64];
    size_t length = sizeof id - 1;

    if (sysctlbyname("kern.bootsessionuuid", id, &length, NULL, 0))
        return error_set_errno(err, errno, "cannot ask for the boot's id");
    id[length] = '\0';
    if (!*id)
        return error_set(err, ERR_INTERNAL, "the kernel's boot id is empty");
    *out_id = xstrdup(id);
    return ERR_OK;
}

/* Resolved: the path may have been relative to where we no longer are. */
err_code platform_own_program(char **out_path, struct error *err)
{
    uint32_t size = 0;

    _NSGetExecutablePath(NULL, &size); /* says how much it needs */
    CLEANUP_FREE char *path = xcalloc(1, (size_t)size + 1);
    if (_NSGetExecutablePath(path, &size))
        return error_set(err, ERR_INTERNAL,
                         "cannot find berth's own program: its path changes");
    char *real = realpath(path, NULL);
    if (!real)
        return error_set_errno(err, errno, "cannot find berth's own program %s",
                               path);
    *out_path = real;
    return ERR_OK;
}
