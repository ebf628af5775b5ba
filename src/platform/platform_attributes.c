/* The same on every system but for the calls' arguments. */
#include "platform/platform_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#define USER "user."
#define CAPABILITY "security.capability"

/* Darwin's calls take a position and options, and its names have no prefix. */
#ifdef _DARWIN_C_SOURCE
#define LIST(fd, names, size) flistxattr(fd, names, size, 0)
#define GET(fd, name, value, size) fgetxattr(fd, name, value, size, 0, 0)
#define SET(fd, name, value, size) fsetxattr(fd, name, value, size, 0, 0)
#define REMOVE(fd, name) fremovexattr(fd, name, 0)
#define PREFIX USER
#define GONE ENOATTR
#else
#define LIST(fd, names, size) flistxattr(fd, names, size)
#define GET(fd, name, value, size) fgetxattr(fd, name, value, size)
#define SET(fd, name, value, size) fsetxattr(fd, name, value, size, 0)
#define REMOVE(fd, name) fremovexattr(fd, name)
#define PREFIX ""
#define GONE ENODATA
#endif

struct names {
    char *bytes; /* as the system lists them, each with its 0 */
    size_t length;
    const char **items; /* sorted; those that are kept */
    size_t count;
};

static void names_release(struct names *names)
{
    free(names->bytes);
    free(names->items);
}

static bool is_kept(const char *name)
{
    return *PREFIX || !strncmp(name, USER, strlen(USER)) ||
           !strcmp(name, CAPABILITY);
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static err_code fail(int os_errno, const char *what, struct error *err)
{
    return error_set_errno(err, os_errno, "cannot %s extended attributes",
                           what);
}

/* A filesystem without them has none. */
static err_code list_names(int fd, struct names *out, struct error *err)
{
    ssize_t length = LIST(fd, NULL, 0);

    if (length == 0 || (length < 0 && errno == ENOTSUP))
        return ERR_OK;
    if (length > 0) {
        out->bytes = xmalloc((size_t)length + 1);
        length = LIST(fd, out->bytes, (size_t)length);
    }
    if (length < 0)
        return fail(errno, "list", err);
    out->length = (size_t)length;
    out->bytes[length] = '\0';
    out->items = xcalloc(out->length + 1, sizeof *out->items);
    for (size_t at = 0; at < out->length; at += strlen(out->bytes + at) + 1)
        if (is_kept(out->bytes + at))
            out->items[out->count++] = out->bytes + at;
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, compare_names);
    return ERR_OK;
}

static void put_length(struct strbuf *out, size_t length)
{
    for (int shift = 0; shift < 32; shift += 8)
        strbuf_addch(out, (char)(length >> shift & 0xff));
}

static err_code add_value(int fd, const char *name, struct strbuf *out,
                          struct error *err)
{
    ssize_t length = GET(fd, name, NULL, 0);

    if (length < 0 && errno == GONE)
        return ERR_OK; /* meanwhile */
    if (length < 0)
        return fail(errno, "read", err);
    if (out->length + (size_t)length > PLATFORM_ATTRIBUTES_MOST)
        return error_set(err, ERR_UNSUPPORTED,
                         "more than %d KiB of extended attributes",
                         PLATFORM_ATTRIBUTES_MOST / 1024);
    CLEANUP_FREE char *value = xmalloc((size_t)length + 1);
    length = GET(fd, name, value, (size_t)length);
    if (length < 0)
        return fail(errno, "read", err);
    strbuf_adds(out, PREFIX);
    strbuf_add(out, name, strlen(name) + 1);
    put_length(out, (size_t)length);
    strbuf_add(out, value, (size_t)length);
    return ERR_OK;
}

err_code platform_read_attributes(int fd, struct strbuf *out, struct error *err)
{
    CLEANUP(names_release) struct names names = {.bytes = NULL};
    err_code code = list_names(fd, &names, err);

    strbuf_reset(out);
    for (size_t i = 0; !code && i < names.count; i++)
        code = add_value(fd, names.items[i], out, err);
    if (!code && out->length > PLATFORM_ATTRIBUTES_MOST)
        code = error_set(err, ERR_UNSUPPORTED,
                         "more than %d KiB of extended attributes",
                         PLATFORM_ATTRIBUTES_MOST / 1024);
    if (code)
        strbuf_reset(out);
    return code;
}

/* --- writing --- */

/* One of the value's parts. They come back from drives: each length is
 * checked. False at the end, or where it is damaged. */
struct part {
    const char *name;
    const unsigned char *value;
    size_t length;
};

static bool next_part(const char *bytes, size_t length, size_t *at,
                      struct part *out)
{
    const char *name = bytes + *at;
    const char *end = *at < length ? memchr(name, '\0', length - *at) : NULL;

    if (!end || length - (size_t)(end + 1 - bytes) < 4)
        return false;
    const unsigned char *size = (const unsigned char *)end + 1;
    size_t left = length - (size_t)(end + 1 - bytes) - 4;
    size_t value = (size_t)size[0] | (size_t)size[1] << 8 |
                   (size_t)size[2] << 16 | (size_t)size[3] << 24;
    if (value > left)
        return false;
    *out = (struct part){name, size + 4, value};
    *at = length - left + value;
    return true;
}

/* What this system calls it; NULL: nothing that it can have. */
static const char *own_name(const char *name)
{
    if (!strncmp(name, USER, strlen(USER)) && name[strlen(USER)])
        return name + strlen(PREFIX);
    /* Only root may give a program rights, as only root gives files away. */
    return !*PREFIX && !strcmp(name, CAPABILITY) && !geteuid() ? name : NULL;
}

static bool is_wanted(const char *bytes, size_t length, const char *own)
{
    struct part part;

    for (size_t at = 0; next_part(bytes, length, &at, &part);) {
        const char *name = own_name(part.name);
        if (name && !strcmp(name, own))
            return true;
    }
    return false;
}

static err_code remove_others(int fd, const char *bytes, size_t length,
                              struct error *err)
{
    CLEANUP(names_release) struct names names = {.bytes = NULL};
    err_code code = list_names(fd, &names, err);

    for (size_t i = 0; !code && i < names.count; i++)
        if (!is_wanted(bytes, length, names.items[i]) &&
            REMOVE(fd, names.items[i]) && geteuid() == 0)
            code = fail(errno, "remove", err);
    return code;
}

err_code platform_write_attributes(int fd, const char *bytes, size_t length,
                                   struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf there = STRBUF_INIT;
    struct part part;

    if (!platform_read_attributes(fd, &there, NULL) && there.length == length &&
        (!length || !memcmp(there.text, bytes, length)))
        return ERR_OK;
    err_code code = remove_others(fd, bytes, length, err);
    for (size_t at = 0; !code && next_part(bytes, length, &at, &part);) {
        const char *name = own_name(part.name);
        if (name && SET(fd, name, part.value, part.length))
            code = fail(errno, "write", err);
    }
    return code;
}
