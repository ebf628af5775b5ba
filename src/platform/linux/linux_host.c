#include "platform/platform_host.h"

#include "core/base/fdio.h"
#include "platform/posix_host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

err_code platform_config_directory(char **out_path, struct error *err)
{
    return posix_xdg_directory("XDG_CONFIG_HOME", ".config", out_path, err);
}

err_code platform_state_directory(char **out_path, struct error *err)
{
    return posix_xdg_directory("XDG_STATE_HOME", ".local/state", out_path, err);
}

/* Its parent comes with the system (file-hierarchy(7)); without it, no hint. */
char *platform_lock_hint_directory(void)
{
    struct stat found;

    if (stat("/run/lock", &found) || !S_ISDIR(found.st_mode))
        return xstrdup("");
    return xstrdup("/run/lock/berth");
}

err_code platform_boot_id(char **out_id, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    err_code code =
        file_read("/proc/sys/kernel/random/boot_id", 256, &text, err);

    if (code)
        return code;
    strbuf_truncate(&text, strcspn(text.text, "\n"));
    if (!text.length)
        return error_set(err, ERR_INTERNAL, "the kernel's boot id is empty");
    *out_id = strbuf_detach(&text);
    return ERR_OK;
}

/* As timedatectl asks it (adjtimex(2)); reading needs no rights. */
bool platform_clock_is_synchronised(void)
{
    struct timex clock = {.modes = 0};

    return adjtimex(&clock) != -1 && !(clock.status & STA_UNSYNC);
}

/*
 * Not where the link points to: an update while we run would start another
 * version, or none. The link itself starts the very program that is running,
 * also when its file has been replaced or removed (proc(5)), since a new
 * process still has its parent's until it executes something.
 */
err_code platform_own_program(char **out_path, struct error *err)
{
    if (access("/proc/self/exe", X_OK))
        return error_set_errno(err, errno, "cannot start berth's own program");
    *out_path = xstrdup("/proc/self/exe");
    return ERR_OK;
}
