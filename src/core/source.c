#include "core/source.h"

#include "core/base/path.h"

#include <stdlib.h>
#include <string.h>

void source_mount_release(struct source_mount *mount)
{
    free(mount->path);
    free(mount->raw);
    free(mount->recorded);
    free(mount->identity);
    free(mount->why);
    free(mount->location);
    cleanup_fd(&mount->fd);
}

void source_release(struct source *source)
{
    for (size_t i = 0; i < source->count; i++)
        source_mount_release(&source->items[i]);
    free(source->items);
    cleanup_fd(&source->fd);
    *source = (struct source)SOURCE_INIT;
}

const struct source_mount *source_mount_of(const struct source *source,
                                           const char *path)
{
    const struct source_mount *deepest = NULL;

    for (size_t i = 0; i < source->count; i++)
        if (source->items[i].fd >= 0 &&
            path_is_within(path, source->items[i].raw))
            deepest = &source->items[i];
    return deepest;
}

int source_root(const struct source *source, const char **path)
{
    const struct source_mount *deepest = source_mount_of(source, *path);

    if (!deepest)
        return source->fd;
    *path += strlen(deepest->raw);
    *path += **path == '/';
    return deepest->fd;
}

/* What was not entered is not reached: nothing is taken for the filesystem
 * that was mounted there, and nothing is written below it. */
static err_code reach(const struct source *source, const char **path,
                      int *out_root, struct error *err)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct source_mount *mount = &source->items[i];
        if (mount->why && path_is_within(*path, mount->raw))
            return error_set(err, ERR_CHANGED, "%s: %s", mount->raw,
                             mount->why);
    }
    *out_root = source_root(source, path);
    return ERR_OK;
}

err_code source_open(const struct source *source, const char *path,
                     enum platform_open how, int *out_fd, struct error *err)
{
    int root_fd;
    err_code code = reach(source, &path, &root_fd, err);

    return code ? code : platform_open_beneath(root_fd, path, how, out_fd, err);
}

err_code source_stat(const struct source *source, const char *path,
                     struct platform_stat *out, struct error *err)
{
    int root_fd;
    err_code code = reach(source, &path, &root_fd, err);

    return code ? code : platform_stat_beneath(root_fd, path, out, err);
}

err_code source_read_link(const struct source *source, const char *path,
                          char **out_target, struct error *err)
{
    int root_fd;
    err_code code = reach(source, &path, &root_fd, err);

    return code ? code : platform_read_link(root_fd, path, out_target, err);
}

const struct source_mount *source_mount_at(const struct source *source,
                                           const char *path)
{
    for (size_t i = 0; i < source->count; i++)
        if (!strcmp(source->items[i].path, path))
            return source->items[i].state == SOURCE_PLAIN ? NULL
                                                          : &source->items[i];
    return NULL;
}

bool source_has_mount_within(const struct source *source, const char *path)
{
    for (size_t i = 0; i < source->count; i++)
        if (source->items[i].state != SOURCE_PLAIN &&
            path_is_within(source->items[i].path, path))
            return true;
    return false;
}

size_t source_filesystem_of(const struct source *source, const char *path)
{
    size_t deepest = 0;

    for (size_t i = 0; i < source->count; i++)
        if (path_is_within(path, source->items[i].path))
            deepest = i + 1;
    return deepest;
}
