/* What Darwin's unistd.h has and this system's lacks. */
#ifndef FAKE_UNISTD_H
#define FAKE_UNISTD_H

#include_next <unistd.h>

#define SYNC_VOLUME_FULLSYNC 0x01
#define SYNC_VOLUME_WAIT 0x02

#include <DarwinProtos.h>

#endif
