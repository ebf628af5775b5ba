/*
 * Sits between berth and libc (LD_PRELOAD) and makes its Nth changing call its
 * last, or makes it fail. The tests run berth with N = 1, 2, 3 … until it gets
 * through unharmed.
 *
 *     BERTH_SHIM=kill:N         SIGKILL instead of the Nth call
 *     BERTH_SHIM=fail:N:ERRNO   the Nth call fails with that errno
 *     BERTH_SHIM=short:N        the Nth call, if it writes, writes half
 *     BERTH_SHIM=hook:N         runs the command BERTH_SHIM_HOOK before it
 *     BERTH_SHIM=count          only counts
 *     BERTH_SHIM_SICK=NAME      whatever is called so cannot be examined: EIO
 *     BERTH_SHIM_CALLS=NAMES    counts only these, e.g. "syncfs fsync"
 *     BERTH_SHIM_BELOW=PATH     of flushes and writes counts only those of
 *                               files below it
 *     BERTH_SHIM_LOG=FILE       appends "N NAME" of the call that was hit, or
 *                               the number of calls at the end
 *
 * Counts over all threads of the process; the helper that reads databases has
 * a count of its own, with BERTH_SHIM_HELPER instead of BERTH_SHIM. What is
 * counted: everything that changes a file, a directory or its durability.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum deed { COUNT, KILL, FAIL, SHORT, HOOK, OFF };

static enum deed deed = OFF;
static long target;
static int fail_errno;
static _Atomic long calls;
static const char *log_path;

static ssize_t (*real_write)(int, const void *, size_t);

/* Not through our own write. */
static void log_line(long number, const char *name)
{
    char line[128];
    int fd =
        log_path ? open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;

    if (fd < 0)
        return;
    int length = snprintf(line, sizeof line, "%ld %s\n", number, name);
    if (real_write && real_write(fd, line, (size_t)length) < 0)
        abort();
    close(fd);
}

static bool is_helper(void)
{
    char command[256] = "";
    int fd = open("/proc/self/cmdline", O_RDONLY);
    ssize_t got = fd < 0 ? 0 : read(fd, command, sizeof command - 1);

    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < got; i++)
        if (!strcmp(command + i, "sqlite-snapshot"))
            return true;
    return false;
}

__attribute__((constructor)) static void begin(void)
{
    const char *what = getenv(is_helper() ? "BERTH_SHIM_HELPER" : "BERTH_SHIM");

    real_write =
        (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    log_path = getenv("BERTH_SHIM_LOG");
    if (!what)
        return;
    if (sscanf(what, "kill:%ld", &target) == 1)
        deed = KILL;
    else if (sscanf(what, "fail:%ld:%d", &target, &fail_errno) == 2)
        deed = FAIL;
    else if (sscanf(what, "short:%ld", &target) == 1)
        deed = SHORT;
    else if (sscanf(what, "hook:%ld", &target) == 1)
        deed = HOOK;
    else
        deed = COUNT;
}

__attribute__((destructor)) static void end(void)
{
    if (deed == COUNT)
        log_line(calls, "calls");
}

/* Without us in it. */
static void run_hook(void)
{
    const char *command = getenv("BERTH_SHIM_HOOK");

    unsetenv("LD_PRELOAD");
    unsetenv("BERTH_SHIM");
    if (!command || system(command))
        log_line(-1, "the hook failed");
}

static bool is_counted(const char *name)
{
    const char *names = getenv("BERTH_SHIM_CALLS");
    size_t length = strlen(name);

    for (const char *at = names; at && *at;) {
        size_t word = strcspn(at, " ");
        if (word == length && !strncmp(at, name, length))
            return true;
        at += word + (at[word] == ' ');
    }
    return !names;
}

static bool is_below(int fd)
{
    const char *below = getenv("BERTH_SHIM_BELOW");
    char link[64], path[PATH_MAX];

    if (!below)
        return true;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    size_t below_length = strlen(below);
    return length >= (ssize_t)below_length &&
           !strncmp(path, below, below_length);
}

/* True when this call is to fail: errno is set. */
static bool hit(const char *name, bool *out_short)
{
    if (deed == OFF || !is_counted(name))
        return false;
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (deed == COUNT || number != target)
        return false;
    log_line(number, name);
    if (deed == KILL) {
        kill(getpid(), SIGKILL);
        pause();
    }
    if (deed == SHORT) {
        *out_short = true;
        return false;
    }
    if (deed == HOOK) {
        run_hook();
        return false;
    }
    errno = fail_errno;
    return true;
}

/* Terminals, pipes and sockets are not what is attacked. */
static bool is_file(int fd)
{
    struct stat stat;

    return !fstat(fd, &stat) &&
           (S_ISREG(stat.st_mode) || S_ISDIR(stat.st_mode));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define SIMPLE(type, name, parameters, arguments)                              \
    type name parameters                                                       \
    {                                                                          \
        bool unused;                                                           \
        if (hit(#name, &unused))                                               \
            return -1;                                                         \
        return REAL(name) arguments;                                           \
    }

SIMPLE(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
SIMPLE(int, mkdir, (const char *path, mode_t mode), (path, mode))
SIMPLE(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
SIMPLE(int, unlink, (const char *path), (path))
SIMPLE(int, rename, (const char *from, const char *to), (from, to))
SIMPLE(int, renameat, (int a, const char *from, int b, const char *to),
       (a, from, b, to))
SIMPLE(int, renameat2,
       (int a, const char *from, int b, const char *to, unsigned flags),
       (a, from, b, to, flags))
SIMPLE(int, linkat, (int a, const char *from, int b, const char *to, int flags),
       (a, from, b, to, flags))
SIMPLE(int, symlinkat, (const char *target_path, int fd, const char *path),
       (target_path, fd, path))
SIMPLE(int, fchmod, (int fd, mode_t mode), (fd, mode))
SIMPLE(int, fchmodat, (int fd, const char *path, mode_t mode, int flags),
       (fd, path, mode, flags))
SIMPLE(int, fchown, (int fd, uid_t user, gid_t group), (fd, user, group))
SIMPLE(int, fchownat,
       (int fd, const char *path, uid_t user, gid_t group, int flags),
       (fd, path, user, group, flags))
SIMPLE(int, futimens, (int fd, const struct timespec times[2]), (fd, times))
SIMPLE(int, utimensat,
       (int fd, const char *path, const struct timespec times[2], int flags),
       (fd, path, times, flags))

#define FLUSH(name)                                                            \
    int name(int fd)                                                           \
    {                                                                          \
        bool unused;                                                           \
        if (is_below(fd) && hit(#name, &unused))                               \
            return -1;                                                         \
        return REAL(name)(fd);                                                 \
    }

FLUSH(fsync)
FLUSH(fdatasync)
FLUSH(syncfs)
SIMPLE(int, fsetxattr,
       (int fd, const char *name, const void *value, size_t size, int flags),
       (fd, name, value, size, flags))
SIMPLE(int, fremovexattr, (int fd, const char *name), (fd, name))
SIMPLE(int, ftruncate, (int fd, off_t length), (fd, length))
SIMPLE(int, ftruncate64, (int fd, off64_t length), (fd, length))

ssize_t write(int fd, const void *bytes, size_t length)
{
    bool is_short = false;

    if (is_file(fd) && is_below(fd) && hit("write", &is_short))
        return -1;
    return real_write(fd, bytes, is_short && length > 1 ? length / 2 : length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    bool is_short = false;

    if (is_below(fd) && hit("pwrite", &is_short))
        return -1;
    return REAL(pwrite)(fd, bytes, is_short ? length / 2 : length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    bool is_short = false;

    if (is_below(fd) && hit("pwrite64", &is_short))
        return -1;
    return REAL(pwrite64)(fd, bytes, is_short ? length / 2 : length, offset);
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int openat(int directory, const char *path, int flags, ...)
{
    bool unused;
    va_list args;

    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    if (flags & O_CREAT && hit("openat", &unused))
        return -1;
    return REAL(openat)(directory, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    bool unused;
    va_list args;

    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    if (flags & O_CREAT && (!log_path || strcmp(path, log_path)) &&
        hit("open", &unused))
        return -1;
    return REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    bool unused;
    va_list args;

    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    if (flags & O_CREAT && hit("open64", &unused))
        return -1;
    return REAL(open64)(path, flags, mode);
}

int statx(int directory, const char *restrict path, int flags, unsigned mask,
          struct statx *restrict out)
{
    const char *sick = getenv("BERTH_SHIM_SICK");

    if (sick && !strcmp(path, sick)) {
        errno = EIO;
        return -1;
    }
    return REAL(statx)(directory, path, flags, mask, out);
}
