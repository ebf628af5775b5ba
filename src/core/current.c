#include "core/current.h"

#include "core/base/error.h"
#include "core/base/thread.h"

#include <stdlib.h>

void current_init(struct current *current)
{
    mutex_init(&current->mutex);
    current->path = NULL;
}

void current_release(struct current *current)
{
    free(current->path);
    mutex_destroy(&current->mutex);
}

void current_set(struct current *current, const char *path)
{
    if (!current)
        return;
    char *copy = xstrdup(path);

    mutex_lock(&current->mutex);
    char *before = current->path;
    current->path = copy;
    mutex_unlock(&current->mutex);
    free(before);
}

char *current_get(struct current *current)
{
    mutex_lock(&current->mutex);
    char *copy = current->path ? xstrdup(current->path) : NULL;
    mutex_unlock(&current->mutex);
    return copy;
}
