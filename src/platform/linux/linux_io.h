/*
 * Between the files of the Linux backend, and for its tests.
 */
#ifndef BERTH_LINUX_IO_H
#define BERTH_LINUX_IO_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The id under which /proc/self/mountinfo lists the mount that a descriptor
 * is on. 0, or -1 with errno.
 */
int linux_mount_id(int fd, uint64_t *out_mount_id);

/* Whether the descriptor is the root of its mount: 1, 0, or -1 with errno. */
int linux_is_mount_root(int fd);

/*
 * For tests: walk component by component, as on kernels before 5.6 and where
 * seccomp forbids openat2. Any thread; false selects by the probe again.
 */
void linux_io_force_component_walk(bool forced);

/* Whether openat2 resolves the paths of this process. */
bool linux_io_uses_openat2(void);

#endif
