#include "core/base/fdio.h"

#include "core/base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t fd_read_full(int fd, void *buffer, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t got = read(fd, (char *)buffer + done, length - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (!got)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

int fd_write_full(int fd, const void *buffer, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t put = write(fd, (const char *)buffer + done, length - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        if (!put)
            return ENOSPC; /* a write that takes nothing and says nothing */
        done += (size_t)put;
    }
    return 0;
}

err_code fd_read_file(int fd, size_t limit_bytes, const char *what,
                      struct strbuf *out, struct error *err)
{
    char chunk[16384];
    size_t total = 0;

    for (;;) {
        ssize_t got = fd_read_full(fd, chunk, sizeof chunk);
        if (got < 0)
            return error_set_errno(err, errno, "cannot read %s", what);
        total += (size_t)got;
        if (total > limit_bytes)
            return error_set(err, ERR_INVALID,
                             "%s is larger than %zu bytes: not what berth "
                             "writes there",
                             what, limit_bytes);
        strbuf_add(out, chunk, (size_t)got);
        if ((size_t)got < sizeof chunk)
            return ERR_OK;
    }
}

err_code file_read(const char *path, size_t limit_bytes, struct strbuf *out,
                   struct error *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    return fd_read_file(fd, limit_bytes, path, out, err);
}

/* The file itself: through links, also through one to nothing yet. */
static err_code resolve_links(const char *path, char **out_real,
                              struct error *err)
{
    char target[PATH_MAX];
    char *real = realpath(path, NULL);
    ssize_t length = -1;

    if (!real && errno != ENOENT)
        return error_set_errno(err, errno, "cannot find %s", path);
    if (!real)
        length = readlink(path, target, sizeof target - 1);
    if (length < 0) {
        *out_real = real ? real : xstrdup(path);
        return ERR_OK;
    }
    target[length] = '\0';
    CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));
    CLEANUP_FREE char *next = path_join(*target == '/' ? "" : parent, target);
    return resolve_links(next, out_real, err); /* a circle is ELOOP */
}

/* Of this call only: threads may replace one file at the same time. */
static char *name_temporary(const char *real)
{
    static _Atomic unsigned calls;

    return xasprintf("%s.%ld-%u.new", real, (long)getpid(),
                     atomic_fetch_add(&calls, 1));
}

static err_code write_temporary(const char *temporary, const char *text,
                                size_t length, mode_t mode, struct error *err)
{
    unlink(temporary); /* of a killed process that had this one's number */
    CLEANUP_FD int fd = RETRY_ON_EINTR(
        open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));

    if (fd < 0)
        return error_set_errno(err, errno, "cannot create %s", temporary);
    int failed = fd_write_full(fd, text, length);
    if (!failed && RETRY_ON_EINTR(fchmod(fd, mode & 07777)))
        failed = errno;
    if (!failed && RETRY_ON_EINTR(fsync(fd)))
        failed = errno;
    if (close(TAKE_FD(fd)) && !failed)
        failed = errno;
    if (!failed)
        return ERR_OK;
    unlink(temporary);
    return error_set_errno(err, failed, "cannot write %s", temporary);
}

static err_code flush_directory_of(const char *path, struct error *err)
{
    CLEANUP_FREE char *directory = xstrndup(path, path_parent_length(path));
    const char *where = *directory ? directory : ".";
    CLEANUP_FD int fd =
        RETRY_ON_EINTR(open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

    if (fd < 0 || RETRY_ON_EINTR(fsync(fd)))
        return error_set_errno(err, errno, "cannot flush the directory %s",
                               where);
    return ERR_OK;
}

err_code file_replace(const char *path, const char *text, size_t length,
                      mode_t mode, struct error *err)
{
    CLEANUP_FREE char *real = NULL;
    struct stat before;
    err_code code = resolve_links(path, &real, err);

    if (code)
        return code;
    if (!stat(real, &before))
        mode = before.st_mode;
    CLEANUP_FREE char *temporary = name_temporary(real);
    code = write_temporary(temporary, text, length, mode, err);
    if (code)
        return code;
    if (RETRY_ON_EINTR(rename(temporary, real))) {
        int failed = errno;
        unlink(temporary);
        return error_set_errno(err, failed, "cannot replace %s", real);
    }
    return flush_directory_of(real, err);
}

err_code file_create(const char *path, const char *text, size_t length,
                     mode_t mode, struct error *err)
{
    CLEANUP_FREE char *temporary = name_temporary(path);
    err_code code = write_temporary(temporary, text, length, mode, err);

    if (code)
        return code;
    int failed = RETRY_ON_EINTR(link(temporary, path)) ? errno : 0;
    unlink(temporary);
    if (failed)
        return error_set_errno(err, failed, "cannot create %s", path);
    return flush_directory_of(path, err);
}

/* 0, also when it is there, or an errno value. */
static int make_directory(const char *path)
{
    struct stat found;

    if (!RETRY_ON_EINTR(mkdir(path, 0700)))
        return 0;
    int failed = errno;
    if (!stat(path, &found) && S_ISDIR(found.st_mode))
        return 0;
    return failed == EEXIST ? ENOTDIR : failed;
}

err_code directory_ensure(const char *path, struct error *err)
{
    CLEANUP_FREE char *partial = xstrdup(path);

    for (char *slash = strchr(partial + 1, '/');;
         slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        int failed = make_directory(partial);
        if (failed)
            return error_set_errno(err, failed,
                                   "cannot create the directory %s", partial);
        if (!slash)
            return ERR_OK;
        *slash = '/';
    }
}
