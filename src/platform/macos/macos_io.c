/*
 * Darwin: files below a root. Most of it is plain POSIX; what differs is how
 * names come back and what a refused permission means.
 */
#include "platform/macos/macos_cf.h"
#include "platform/macos/macos_mount.h"
#include "platform/platform_io.h"
#include "platform/posix_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

/*
 * macOS answers EACCES where the mode bits forbid something and EPERM where
 * the user has not consented that this program sees the place (TCC). Without
 * these words the latter looks like a damaged or an empty drive.
 */
static err_code explain_privacy(err_code code, struct error *err)
{
    size_t used;

    if (code != ERR_DENIED || !err || err->os_errno != EPERM)
        return code;
    used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used,
             ". macOS may be keeping it private: allow it for your terminal "
             "in System Settings > Privacy & Security > Files and Folders "
             "(Removable Volumes), or give berth Full Disk Access where it "
             "runs on a schedule");
    return code;
}

/* --- opening --- */

err_code platform_open_root(const char *path, int *out_fd, struct error *err)
{
    return explain_privacy(posix_open_root(path, out_fd, err), err);
}

/* Mount points differ in st_dev here: there are no bind mounts. */
err_code platform_open_beneath(int root_fd, const char *path,
                               enum platform_open how, int *out_fd,
                               struct error *err)
{
    return explain_privacy(posix_open_beneath(&posix_walk_by_device, root_fd,
                                              path, how, out_fd, err),
                           err);
}

/* --- looking --- */

err_code platform_stat_beneath(int root_fd, const char *path,
                               struct platform_stat *out, struct error *err)
{
    return explain_privacy(
        posix_stat_beneath(&posix_walk_by_device, root_fd, path, out, err),
        err);
}

err_code platform_stat_fd(int fd, struct platform_stat *out, struct error *err)
{
    return posix_stat_fd(fd, out, err);
}

struct composing {
    platform_visit *visit;
    void *context;
};

static err_code visit_composed(void *context,
                               const struct platform_entry *entry,
                               struct error *err)
{
    const struct composing *composing = context;
    CLEANUP_FREE char *name = macos_composed(entry->name);
    struct platform_entry composed = *entry;

    if (name)
        composed.name = name;
    return composing->visit(composing->context, &composed, err);
}

/*
 * Apple's drivers of FAT and exFAT keep names composed (NFC) and list them
 * decomposed (NFD), HFS+ keeps them decomposed; all three find a name in
 * either form. So they are given as every other system gives them, else a file
 * that a Linux machine has copied would look like another one. APFS lists the
 * bytes that it was given.
 */
err_code platform_list_directory(int dir_fd, platform_visit *visit,
                                 void *context, struct error *err)
{
    struct composing composing = {.visit = visit, .context = context};

    if (macos_lists_decomposed(dir_fd))
        return explain_privacy(
            posix_list_directory(dir_fd, visit_composed, &composing, err), err);
    return explain_privacy(posix_list_directory(dir_fd, visit, context, err),
                           err);
}

err_code platform_read_link(int root_fd, const char *path, char **out_target,
                            struct error *err)
{
    CLEANUP_FD int parent_fd = -1;
    const char *name;
    err_code code = posix_open_parent(&posix_walk_by_device, root_fd, path,
                                      &parent_fd, &name, err);

    if (!code)
        code = posix_read_link_at(parent_fd < 0 ? root_fd : parent_fd, name,
                                  path, out_target, err);
    return explain_privacy(code, err);
}

err_code platform_space(int fd, struct platform_space *out, struct error *err)
{
    return posix_space(fd, out, err);
}

/* --- changing --- */

err_code platform_rename_noreplace(int from_dir_fd, const char *from,
                                   int to_dir_fd, const char *to,
                                   struct error *err)
{
    if (!RETRY_ON_EINTR(
            renameatx_np(from_dir_fd, from, to_dir_fd, to, RENAME_EXCL)))
        return ERR_OK;
    /* Only filesystems with VOL_CAP_INT_RENAME_EXCL have it (rename(2)). */
    if (errno == ENOTSUP || errno == EINVAL || errno == ENOSYS)
        return posix_rename_look_before(from_dir_fd, from, to_dir_fd, to, err);
    return error_set_errno(err, errno, "cannot rename %s to %s", from, to);
}

/*
 * clonefile(2) only makes a new name, it does not fill an open file, and
 * fcopyfile(3) says of COPYFILE_CLONE that it does not support it.
 */
err_code platform_clone(int from_fd, int to_fd, struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED,
                     "cannot clone into an open file on macOS");
}

/* Darwin has no leases, and libproc does not show other users' files. */
err_code platform_is_open_elsewhere(int fd, bool *out_is_open,
                                    struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED,
                     "cannot tell on macOS whether somebody has it open");
}
