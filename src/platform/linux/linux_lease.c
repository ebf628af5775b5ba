#include "platform/platform_io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

/*
 * Whoever opens the file between the two calls would send us SIGIO, which ends
 * a process that does not expect it; SIGURG does not.
 */
err_code platform_check_unused(int fd, struct error *err)
{
    if (fcntl(fd, F_SETSIG, SIGURG) == 0 &&
        fcntl(fd, F_SETLEASE, F_WRLCK) == 0) {
        if (fcntl(fd, F_SETLEASE, F_UNLCK))
            return error_set_errno(err, errno, "cannot give a lease back");
        return ERR_OK;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return error_set(err, ERR_BUSY, "a program has it open");
    return error_set(err, ERR_UNSUPPORTED, "cannot tell who has it open");
}
