/*
 * SMART of a Mac's own ATA disks. That of its NVMe disks is not public, that
 * of USB disks not there.
 */
#ifndef BERTH_MACOS_SMART_H
#define BERTH_MACOS_SMART_H

#include "platform/platform.h"

#include <IOKit/IOKitLib.h>

/*
 * Adds what the disk tells of itself: PASSED, FAILING, or UNKNOWN where nobody
 * can be asked; its attributes, where it has them. May wait for the drive:
 * workers only.
 */
void macos_smart_read(io_service_t media, struct platform_health *out);

#endif
