#include "core/base/compiler.h"

#include <stdlib.h>
#include <unistd.h>

void cleanup_free(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

void cleanup_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

int take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}
