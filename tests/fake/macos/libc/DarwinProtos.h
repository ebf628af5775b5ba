/*
 * The functions of Darwin's libc that the backend calls and this system has
 * not, and nothing else: after Apple's headers in one unit, any drift is a
 * compile error.
 */
#ifndef FAKE_DARWIN_PROTOS_H
#define FAKE_DARWIN_PROTOS_H

#include <stddef.h>
#include <stdint.h>

struct statfs;

/* libproc.h */
extern int proc_listpidspath(uint32_t type, uint32_t typeinfo, const char *path,
                             uint32_t pathflags, void *buffer, int buffersize);
extern int proc_pidinfo(int pid, int flavor, uint64_t arg, void *buffer,
                        int buffersize);
extern int proc_pidfdinfo(int pid, int fd, int flavor, void *buffer,
                          int buffersize);
extern int proc_name(int pid, void *buffer, uint32_t buffersize);
extern int proc_pidpath(int pid, void *buffer, uint32_t buffersize);

/* stdio.h, unistd.h */
extern int renameatx_np(int fromfd, const char *from, int tofd, const char *to,
                        unsigned int flags);
extern int fsync_volume_np(int fd, int flags);

/* sys/mount.h, sys/sysctl.h, mach-o/dyld.h */
extern int getfsstat(struct statfs *buffer, int bytes, int flags);
extern int sysctlbyname(const char *name, void *old, size_t *old_length,
                        void *value, size_t length);
extern int _NSGetExecutablePath(char *buffer, uint32_t *size);

#endif
