/* Stand-in for the function that the backend calls. */
#ifndef FAKE_MACH_O_DYLD_H
#define FAKE_MACH_O_DYLD_H

#include <stdint.h>

int _NSGetExecutablePath(char *buffer, uint32_t *size);

#endif
