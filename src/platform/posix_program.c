#include "platform/posix_program.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { OUTPUT_LIMIT_BYTES = 1024 * 1024 };

static int spawn(char *const *arguments, int output_fd, bool with_errors,
                 pid_t *out_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;

    sigemptyset(&none); /* threads of berth may have blocked some */
    if (posix_spawn_file_actions_init(&actions) ||
        posix_spawnattr_init(&attributes))
        die("cannot start a program");
    int failed =
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, output_fd, 1);
    if (!failed)
        failed = with_errors
                     ? posix_spawn_file_actions_adddup2(&actions, output_fd, 2)
                     : posix_spawn_file_actions_addopen(
                           &actions, 2, "/dev/null", O_WRONLY, 0);
    if (!failed)
        failed = posix_spawnattr_setsigmask(&attributes, &none);
    if (!failed)
        failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (!failed)
        failed = posix_spawnp(out_pid, arguments[0], &actions, &attributes,
                              arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

/* Another thread's program may inherit it meanwhile: then it is waited for,
 * too. POSIX had no pipe2. */
static int make_pipe(int ends[2])
{
    if (pipe(ends))
        return -1;
    if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) != -1 &&
        fcntl(ends[1], F_SETFD, FD_CLOEXEC) != -1)
        return 0;
    close(ends[0]);
    close(ends[1]);
    return -1;
}

int posix_program_run(char *const *arguments, bool with_errors,
                      struct strbuf *out)
{
    int ends[2], status = -1;
    pid_t pid;

    if (make_pipe(ends))
        return -1;
    int failed = spawn(arguments, ends[1], with_errors, &pid);
    close(ends[1]);
    bool is_cut = !failed && fd_read_file(ends[0], OUTPUT_LIMIT_BYTES,
                                          arguments[0], out, NULL);
    if (is_cut)
        strbuf_truncate(out, 0);
    close(ends[0]);
    if (failed || RETRY_ON_EINTR(waitpid(pid, &status, 0)) < 0 || is_cut)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
