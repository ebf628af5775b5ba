/*
 * SMART of a Mac's own ATA disks. That of its NVMe disks is not public, that
 * of USB disks not there.
 */
#ifndef BERTH_MACOS_SMART_H
#define BERTH_MACOS_SMART_H

#include "platform/platform.h"

#include <IOKit/IOKitLib.h>

/* PASSED, FAILING, or UNKNOWN where nobody can be asked. May wait for the
 * drive: workers only. */
enum platform_smart macos_smart_read(io_service_t media);

#endif
