/*
 * What tests of the platform have in common: the includes that cmocka wants
 * in this order, and cleaning up. Included once by a test program.
 */
#ifndef BERTH_TESTS_SCENERY_H
#define BERTH_TESTS_SCENERY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/base/thread.h"
#include "platform/platform_io.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SKIP_BECAUSE(reason)                                                   \
    do {                                                                       \
        printf("skip: %s\n", (reason));                                        \
        skip();                                                                \
    } while (0)

static int remove_one(const char *path, const struct stat *found, int type,
                      struct FTW *where)
{
    (void)found;
    (void)type;
    (void)where;
    return remove(path);
}

static UNUSED void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
