/* Stand-in for the function that the backend calls. */
#ifndef FAKE_SYS_SYSCTL_H
#define FAKE_SYS_SYSCTL_H

#include <stddef.h>

int sysctlbyname(const char *name, void *old, size_t *old_length, void *value,
                 size_t length);

#endif
