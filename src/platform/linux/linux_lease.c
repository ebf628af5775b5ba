/*
 * Who else has a file open: asked of the kernel with a lease.
 *
 * A write lease is only given to the one who has the file open alone: opens by
 * other users, in containers and by mappings count, which /proc does not show
 * to everybody (fs/locks.c, check_conflicting_open; seen on 6.18, ext4 and
 * tmpfs, with a descriptor and with a mapping whose descriptor was closed). It
 * is given back at once: opening is never held up.
 */
#include "platform/platform_io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

err_code platform_is_open_elsewhere(int fd, bool *out_is_open,
                                    struct error *err)
{
    /* Whoever opens it while we have the lease makes the kernel send us a
     * signal: one that nobody needs, since SIGIO would end the program. */
    if (fcntl(fd, F_SETSIG, SIGURG))
        return error_set_errno(err, errno, "cannot prepare a lease");
    if (!fcntl(fd, F_SETLEASE, F_WRLCK)) {
        if (fcntl(fd, F_SETLEASE, F_UNLCK))
            return error_set_errno(err, errno, "cannot give a lease back");
        *out_is_open = false;
        return ERR_OK;
    }
    if (errno == EAGAIN) {
        *out_is_open = true;
        return ERR_OK;
    }
    /* fcntl(2): not the owner; and filesystems without leases (NFS, FUSE). */
    if (errno == EACCES || errno == EINVAL || errno == ENOSYS)
        errno = EOPNOTSUPP;
    return error_set_errno(err, errno,
                           "cannot tell whether somebody has it open");
}
