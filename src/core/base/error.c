#include "core/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void (*die_hook)(void);

static const struct {
    int os_errno;
    err_code code;
} errno_codes[] = {
    {ENOENT, ERR_NOT_FOUND},     {ENOTDIR, ERR_NOT_FOUND},
    {EEXIST, ERR_EXISTS},        {ENOTEMPTY, ERR_EXISTS},
    {EACCES, ERR_DENIED},        {EPERM, ERR_DENIED},
    {EBUSY, ERR_BUSY},           {ETXTBSY, ERR_BUSY},
    {EAGAIN, ERR_BUSY},          {ENOSPC, ERR_NO_SPACE},
    {EDQUOT, ERR_NO_SPACE},      {EFBIG, ERR_INVALID},
    {EROFS, ERR_READ_ONLY},      {EIO, ERR_IO},
    {ENODEV, ERR_DEVICE_GONE},   {ENXIO, ERR_DEVICE_GONE},
    {ENOTCONN, ERR_DEVICE_GONE}, {ESTALE, ERR_DEVICE_GONE},
    {EINVAL, ERR_INVALID},       {ENAMETOOLONG, ERR_INVALID},
    {EILSEQ, ERR_INVALID},       {EISDIR, ERR_CHANGED},
    {ELOOP, ERR_CHANGED},        {EXDEV, ERR_CHANGED},
    {ENOSYS, ERR_UNSUPPORTED},   {EOPNOTSUPP, ERR_UNSUPPORTED},
    {ENOTTY, ERR_UNSUPPORTED},   {ENOTSUP, ERR_UNSUPPORTED}, /* Darwin: 45 */
};

static const char *const code_names[] = {
    [ERR_OK] = "ok",
    [ERR_INVALID] = "invalid",
    [ERR_NOT_FOUND] = "not-found",
    [ERR_EXISTS] = "exists",
    [ERR_DENIED] = "denied",
    [ERR_BUSY] = "busy",
    [ERR_NO_SPACE] = "no-space",
    [ERR_READ_ONLY] = "read-only",
    [ERR_IO] = "io",
    [ERR_DEVICE_GONE] = "device-gone",
    [ERR_CHANGED] = "changed",
    [ERR_CORRUPT] = "corrupt",
    [ERR_UNSUPPORTED] = "unsupported",
    [ERR_REFUSED] = "refused",
    [ERR_CANCELLED] = "cancelled",
    [ERR_TOO_NEW] = "too-new",
    [ERR_INTERNAL] = "internal",
};

err_code error_code_of_errno(int os_errno)
{
    for (size_t i = 0; i < COUNT_OF(errno_codes); i++)
        if (errno_codes[i].os_errno == os_errno)
            return errno_codes[i].code;
    return ERR_INTERNAL;
}

const char *error_code_name(err_code code)
{
    return (size_t)code < COUNT_OF(code_names) ? code_names[code] : "unknown";
}

bool error_is_device_failure(err_code code)
{
    return code == ERR_IO || code == ERR_DEVICE_GONE || code == ERR_READ_ONLY;
}

err_code error_setv(struct error *err, err_code code, const char *format,
                    va_list args)
{
    if (err) {
        err->code = code;
        err->os_errno = 0;
        vsnprintf(err->message, sizeof err->message, format, args);
    }
    return code;
}

err_code(error_set)(struct error *err, err_code code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    error_setv(err, code, format, args);
    va_end(args);
    return code;
}

err_code(error_set_errno)(struct error *err, int os_errno, const char *format,
                          ...)
{
    err_code code = error_code_of_errno(os_errno);
    va_list args;

    if (!err)
        return code;
    va_start(args, format);
    error_setv(err, code, format, args);
    va_end(args);
    err->os_errno = os_errno;

    char reason[128];
    if (strerror_r(os_errno, reason, sizeof reason))
        snprintf(reason, sizeof reason, "error %d", os_errno);
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", reason);
    return code;
}

void error_prefix(struct error *err, const char *format, ...)
{
    char prefix[1024];
    va_list args;

    if (!err)
        return;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix - 2, format, args);
    va_end(args);
    memcpy(prefix + strlen(prefix), ": ", sizeof ": ");

    /* What does not fit is cut at the end: the front names the thing. */
    size_t prefix_length = strlen(prefix);
    size_t kept = strlen(err->message);
    if (kept > sizeof err->message - 1 - prefix_length)
        kept = sizeof err->message - 1 - prefix_length;
    memmove(err->message + prefix_length, err->message, kept);
    memcpy(err->message, prefix, prefix_length);
    err->message[prefix_length + kept] = '\0';
}

void die_set_hook(void (*hook)(void))
{
    die_hook = hook;
}

void die(const char *format, ...)
{
    va_list args;

    if (die_hook)
        die_hook();
    fputs("berth: internal error: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

void *xmalloc(size_t size)
{
    void *memory = malloc(size ? size : 1);

    if (!memory)
        die("out of memory (%zu bytes)", size);
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);

    if (!memory)
        die("out of memory (%zu times %zu bytes)", count, size);
    return memory;
}

void *xrealloc(void *memory, size_t size)
{
    void *moved = realloc(memory, size ? size : 1);

    if (!moved)
        die("out of memory (%zu bytes)", size);
    return moved;
}

char *xstrdup(const char *text)
{
    return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t length)
{
    char *copy = xmalloc(length + 1);

    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *xasprintf(const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        die("cannot format \"%s\"", format);
    char *text = xmalloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
