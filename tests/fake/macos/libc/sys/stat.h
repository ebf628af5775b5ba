/* Names are found as Darwin's drivers find them. */
#ifndef FAKE_SYS_STAT_H
#define FAKE_SYS_STAT_H

#include_next <sys/stat.h>

int fake_fstatat(int dir_fd, const char *name, struct stat *out, int flags);
#define fstatat fake_fstatat

#endif
