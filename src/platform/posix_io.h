/*
 * What POSIX alone can do of platform_io.h, shared by the backends.
 *
 * Strictly POSIX.1-2008 with XSI: no O_PATH, no renameat2, no statx. practice
 * is little more than these functions; linux and macos use those for which
 * their system has nothing better. Blocking, any thread.
 */
#ifndef BERTH_POSIX_IO_H
#define BERTH_POSIX_IO_H

#include "platform/platform_io.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* --- paths and words --- */

/* ERR_INVALID unless `path` is "" or plain components below a root. */
err_code posix_check_path(const char *path, struct error *err) MUST_CHECK;

/*
 * "cannot VERB PATH: reason" for a failed call below a root. As
 * error_set_errno, but ELOOP, EXDEV and ENOTDIR are ERR_CHANGED with words:
 * a symlink, a mount point or another type stands where a directory was.
 */
err_code posix_path_error(int os_errno, const char *verb, const char *path,
                          struct error *err);

/* --- opening --- */

/*
 * How a walk opens one component after the other, each with O_NOFOLLOW. The
 * functions return 0 or more, or -1 with errno.
 */
struct posix_walk {
    /* For directories on the way: O_PATH asks for less than O_RDONLY. */
    int search_flags;
    int (*open_at)(int dir_fd, const char *name, int flags, mode_t mode);
    /* Which mount a descriptor is on: only equality means something. */
    int (*mount_key)(int fd, uint64_t *out_key);
};

/*
 * The walk of plain POSIX: two mounts differ when st_dev does, so a bind mount
 * of the same filesystem goes unnoticed, and a btrfs subvolume is refused.
 */
extern const struct posix_walk posix_walk_by_device;

/* openat that goes on after a signal. */
int posix_open_at(int dir_fd, const char *name, int flags, mode_t mode);

/* O_CLOEXEC and all that `how` needs, without O_NOFOLLOW. */
int posix_open_flags(enum platform_open how);

/*
 * Whether what was opened is of the type that `how` asks for; ERR_CHANGED
 * otherwise.
 */
err_code posix_check_opened(int fd, enum platform_open how, const char *path,
                            struct error *err) MUST_CHECK;

err_code posix_open_root(const char *path, int *out_fd, struct error *err)
    MUST_CHECK;
err_code posix_open_beneath(const struct posix_walk *walk, int root_fd,
                            const char *path, enum platform_open how,
                            int *out_fd, struct error *err) MUST_CHECK;

/*
 * The directory that holds the last component of `path`, which is not "".
 * *out_name points into `path`. *out_fd is the caller's to close, or -1 where
 * it would be root_fd itself.
 */
err_code posix_open_parent(const struct posix_walk *walk, int root_fd,
                           const char *path, int *out_fd, const char **out_name,
                           struct error *err) MUST_CHECK;

/* --- looking --- */

/*
 * Nanoseconds since 1970. Times that do not fit (a filesystem can say year
 * 2446 or, when it is damaged, anything) become the nearest that does.
 */
int64_t posix_time_ns(int64_t seconds, int64_t nanoseconds);

/* btime_ns is 0 but on Darwin, and `mount` is st_dev: POSIX knows no better. */
void posix_stat_from(const struct stat *from, struct platform_stat *out);

err_code posix_stat_beneath(const struct posix_walk *walk, int root_fd,
                            const char *path, struct platform_stat *out,
                            struct error *err) MUST_CHECK;
err_code posix_stat_fd(int fd, struct platform_stat *out, struct error *err)
    MUST_CHECK;
err_code posix_list_directory(int dir_fd, platform_visit *visit, void *context,
                              struct error *err) MUST_CHECK;

/* The target of the link `name` in a directory; `path` is for the words. */
err_code posix_read_link_at(int dir_fd, const char *name, const char *path,
                            char **out_target, struct error *err) MUST_CHECK;
err_code posix_space(int fd, struct platform_space *out, struct error *err)
    MUST_CHECK;

/* --- changing --- */

/*
 * Looks whether `to` is free, then renames. Not link() and unlink(): exFAT
 * has no hard links, and a power cut between the two would leave both names.
 */
err_code posix_rename_look_before(int from_dir_fd, const char *from,
                                  int to_dir_fd, const char *to,
                                  struct error *err) MUST_CHECK;

#endif
