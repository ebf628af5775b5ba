/* Stand-in for the functions that the backend calls. */
#ifndef FAKE_LIBPROC_H
#define FAKE_LIBPROC_H

#include <stdint.h>
#include <sys/proc_info.h>

#define PROC_LISTPIDSPATH_PATH_IS_VOLUME 1
#define PROC_LISTPIDSPATH_EXCLUDE_EVTONLY 2

int proc_listpidspath(uint32_t type, uint32_t typeinfo, const char *path,
                      uint32_t pathflags, void *buffer, int buffersize);
int proc_pidinfo(int pid, int flavor, uint64_t arg, void *buffer,
                 int buffersize);
int proc_pidfdinfo(int pid, int fd, int flavor, void *buffer, int buffersize);
int proc_name(int pid, void *buffer, uint32_t buffersize);
int proc_pidpath(int pid, void *buffer, uint32_t buffersize);

#endif
