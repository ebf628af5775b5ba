/* Stand-in for the function that the backend calls. */
#ifndef FAKE_SYS_SYSCTL_H
#define FAKE_SYS_SYSCTL_H

#include <stddef.h>

#include <DarwinProtos.h>

#endif
