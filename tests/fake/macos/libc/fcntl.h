/* What Darwin's fcntl.h has and this system's lacks. */
#ifndef FAKE_FCNTL_H
#define FAKE_FCNTL_H

#include_next <fcntl.h>

#define F_RDAHEAD 45
#define F_NOCACHE 48
#define F_GETPATH 50
#define F_FULLFSYNC 51
#define F_BARRIERFSYNC 85

int fake_fcntl(int fd, int command, ...);
#define fcntl fake_fcntl

int fake_openat(int dir_fd, const char *name, int flags, ...);
#define openat fake_openat

#endif
