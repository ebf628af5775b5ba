/*
 * Sits between berth and libc (LD_PRELOAD) and stops the process (SIGSTOP)
 * after each call that makes something durable, renames or makes a directory,
 * until it is told to continue: tests/vm/guest/prelude, record_cuts. Each stop
 * adds a line "CALL [PATH]" to the file $BERTH_STOPS. One such call at a time:
 * what other threads call waits for the stop to end.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static const char *stops;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void)
{
    stops = getenv("BERTH_STOPS");
    unsetenv("LD_PRELOAD"); /* not in the helper that reads databases */
}

static int stop(int result, const char *call, const char *path)
{
    const int error = errno;
    FILE *file = stops ? fopen(stops, "ae") : NULL;

    if (file) {
        fprintf(file, "%s %s\n", call, path);
        fclose(file);
        raise(SIGSTOP); /* this thread before any other */
    }
    errno = error;
    return result;
}

#define STOPPING(name, parameters, arguments, path)                            \
    int name parameters                                                        \
    {                                                                          \
        int(*real) parameters = dlsym(RTLD_NEXT, #name);                       \
                                                                               \
        pthread_mutex_lock(&one_at_a_time);                                    \
        int result = stop(real arguments, #name, path);                        \
        pthread_mutex_unlock(&one_at_a_time);                                  \
        return result;                                                         \
    }

STOPPING(fsync, (int fd), (fd), "")
STOPPING(fdatasync, (int fd), (fd), "")
STOPPING(syncfs, (int fd), (fd), "")
STOPPING(mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode),
         path)
STOPPING(rename, (const char *from, const char *to), (from, to), to)
STOPPING(renameat, (int a, const char *from, int b, const char *to),
         (a, from, b, to), to)
STOPPING(renameat2,
         (int a, const char *from, int b, const char *to, unsigned flags),
         (a, from, b, to, flags), to)
