#include "core/base/path.h"

#include "core/base/error.h"

#include <string.h>

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

size_t path_parent_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return 0;
    return slash == path ? 1 : (size_t)(slash - path);
}

void path_append(struct strbuf *path, const char *name)
{
    if (!*name)
        return;
    if (path->length && path->text[path->length - 1] != '/')
        strbuf_addch(path, '/');
    strbuf_adds(path, name);
}

char *path_join(const char *directory, const char *name)
{
    struct strbuf joined = STRBUF_INIT;

    strbuf_adds(&joined, directory);
    path_append(&joined, name);
    return strbuf_detach(&joined);
}

/* Drops the last component of a cleaned path, never the root itself. */
static void drop_component(struct strbuf *path)
{
    size_t parent = path_parent_length(path->text);
    const char *name = path_name(path->text);

    if (!path->length || !strcmp(name, ".."))
        path_append(path, "..");
    else if (!(path->length == 1 && path->text[0] == '/'))
        strbuf_truncate(path, parent);
}

char *path_clean(const char *path)
{
    struct strbuf clean = STRBUF_INIT;

    if (path[0] == '/')
        strbuf_addch(&clean, '/');
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length == 2 && !strncmp(path, "..", 2)) {
            drop_component(&clean);
        } else if (length && !(length == 1 && path[0] == '.')) {
            if (clean.length && clean.text[clean.length - 1] != '/')
                strbuf_addch(&clean, '/');
            strbuf_add(&clean, path, length);
        }
        path += length;
        path += strspn(path, "/");
    }
    return strbuf_detach(&clean);
}

bool path_is_within(const char *inner, const char *outer)
{
    size_t length = strlen(outer);

    if (!length)
        return inner[0] != '/';
    if (!strcmp(outer, "/"))
        return inner[0] == '/';
    return !strncmp(inner, outer, length) &&
           (inner[length] == '\0' || inner[length] == '/');
}

bool path_overlaps(const char *one, const char *other)
{
    return path_is_within(one, other) || path_is_within(other, one);
}

bool path_is_plain_relative(const char *path)
{
    if (!*path)
        return false;
    for (;;) {
        size_t length = strcspn(path, "/");
        if (!length || (length == 1 && path[0] == '.') ||
            (length == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        if (!path[length])
            return true;
        path += length + 1;
    }
}

int path_compare(const char *one, const char *other)
{
    while (*one && *one == *other) {
        one++;
        other++;
    }
    /* '\0' < '/' < everything else */
    int left = *one == '/' ? 1 : *one ? (unsigned char)*one + 1 : 0;
    int right = *other == '/' ? 1 : *other ? (unsigned char)*other + 1 : 0;
    return left - right;
}
