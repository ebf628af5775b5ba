/* What Darwin's stdio.h has and this system's lacks. */
#ifndef FAKE_STDIO_H
#define FAKE_STDIO_H

#include_next <stdio.h>

#define RENAME_EXCL 0x00000004

#include <DarwinProtos.h>

#endif
