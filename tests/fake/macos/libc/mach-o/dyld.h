/* Stand-in for the function that the backend calls. */
#ifndef FAKE_MACH_O_DYLD_H
#define FAKE_MACH_O_DYLD_H

#include <stdint.h>

#include <DarwinProtos.h>

#endif
