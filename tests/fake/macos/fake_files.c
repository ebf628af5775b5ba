/*
 * What Darwin's filesystems do with names, and its privacy with places. For
 * the copy of posix_io.c that the doubles have.
 */
#include "fake_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <utf8proc.h>

#undef openat
#undef fstatat
#undef readdir

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char private_place[MAXPATHLEN]; /* under the mutex */

/* --- privacy --- */

void fake_keeps_private(const char *path)
{
    pthread_mutex_lock(&mutex);
    snprintf(private_place, sizeof private_place, "%s", path);
    pthread_mutex_unlock(&mutex);
}

/* Whether the user never said yes: what is there may not be opened. */
static bool is_private(int dir_fd, const char *name)
{
    char path[2 * MAXPATHLEN] = "";

    if (*name != '/' && fake_path_of(dir_fd, path))
        return false;
    size_t used = strlen(path);
    snprintf(path + used, sizeof path - used, "%s%s", *name == '/' ? "" : "/",
             name);
    pthread_mutex_lock(&mutex);
    size_t length = strlen(private_place);
    bool is = length && !strncmp(path, private_place, length) &&
              (!path[length] || path[length] == '/');
    pthread_mutex_unlock(&mutex);
    return is;
}

/* --- names --- */

static bool decomposes(int fd)
{
    static const char *const drivers[] = {"msdos", "exfat", "hfs", "lifs"};
    struct statfs found;

    if (fake_fstatfs(fd, &found))
        return false;
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (!strcmp(found.f_fstypename, drivers[i]))
            return true;
    return false;
}

/* In that form; "" where it does not fit or is no UTF-8. */
static void change(const char *name, utf8proc_option_t form, char out[256])
{
    utf8proc_uint8_t *changed;
    utf8proc_ssize_t length =
        utf8proc_map((const utf8proc_uint8_t *)name, 0, &changed,
                     UTF8PROC_NULLTERM | UTF8PROC_STABLE | form);

    *out = '\0';
    if (length < 0)
        return;
    if (length < 256)
        memcpy(out, changed, (size_t)length + 1);
    free(changed);
}

/* Under which of its forms the name is there; as given if under none. */
static const char *find_form(int dir_fd, const char *name, char other[256])
{
    static const utf8proc_option_t forms[] = {UTF8PROC_COMPOSE,
                                              UTF8PROC_DECOMPOSE};
    struct stat found;

    if (*name == '/' || dir_fd < 0 ||
        !fstatat(dir_fd, name, &found, AT_SYMLINK_NOFOLLOW) ||
        errno != ENOENT || !decomposes(dir_fd))
        return name;
    for (int i = 0; i < 2; i++) {
        change(name, forms[i], other);
        if (*other && !fstatat(dir_fd, other, &found, AT_SYMLINK_NOFOLLOW))
            return other;
    }
    return name;
}

/* --- the calls --- */

int fake_openat(int dir_fd, const char *name, int flags, ...)
{
    char other[256];
    va_list args;

    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (is_private(dir_fd, name)) {
        errno = EPERM;
        return -1;
    }
    return openat(dir_fd, find_form(dir_fd, name, other), flags, mode);
}

/* The place itself may be looked at, what is in it may not. */
int fake_fstatat(int dir_fd, const char *name, struct stat *out, int flags)
{
    char other[256];

    if (is_private(dir_fd, "")) {
        errno = EPERM;
        return -1;
    }
    return fstatat(dir_fd, find_form(dir_fd, name, other), out, flags);
}

struct dirent *fake_readdir(DIR *stream)
{
    static _Thread_local struct dirent changed;
    struct dirent *found = readdir(stream);
    char other[256];

    if (!found || !decomposes(dirfd(stream)))
        return found;
    change(found->d_name, UTF8PROC_DECOMPOSE, other);
    if (!*other)
        return found;
    changed = (struct dirent){.d_ino = found->d_ino, .d_type = found->d_type};
    memcpy(changed.d_name, other, strlen(other) + 1);
    return &changed;
}
