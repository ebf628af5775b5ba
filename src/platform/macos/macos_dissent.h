/*
 * Why DiskArbitration, or a program that it asks, said no.
 */
#ifndef BERTH_MACOS_DISSENT_H
#define BERTH_MACOS_DISSENT_H

#include "core/base/error.h"

#include <DiskArbitration/DiskArbitration.h>

/* "cannot VERB /dev/disk4s1: reason". `words` are the dissenting program's
 * own, NULL where it gave none. */
err_code macos_dissent(DAReturn status, CFStringRef words, const char *verb,
                       const char *device, struct error *err);

#endif
