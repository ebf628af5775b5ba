#include "platform/macos/macos_platform.h"

#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void release(struct platform *platform)
{
    for (int i = 0; i < 2; i++)
        if (platform->wake_fds[i] >= 0)
            close(platform->wake_fds[i]);
    free(platform);
}

/* Darwin has no pipe2: a program started by another thread just now may
 * inherit the pipe; it does no harm there. */
static int make_pipe(int fds[2])
{
    if (pipe(fds))
        return -1;
    for (int i = 0; i < 2; i++)
        if (fcntl(fds[i], F_SETFD, FD_CLOEXEC) == -1 ||
            fcntl(fds[i], F_SETFL, O_NONBLOCK) == -1)
            return -1;
    return 0;
}

err_code platform_new(struct platform **out, struct error *err)
{
    struct platform *platform = xmalloc(sizeof *platform);

    *platform = (struct platform){.wake_fds = {-1, -1}};
    err_code code =
        make_pipe(platform->wake_fds)
            ? error_set_errno(err, errno, "cannot watch the drives")
            : macos_session_new(platform->wake_fds[1], &platform->session, err);
    if (code)
        release(platform);
    else
        *out = platform;
    return code;
}

/* Requests may be freed later: they hold the session, which is closed now. */
void platform_free(struct platform *platform)
{
    if (!platform)
        return;
    macos_session_close(platform->session);
    macos_session_drop(platform->session);
    release(platform);
}

int platform_wake_fd(const struct platform *platform)
{
    return platform->wake_fds[0];
}

void platform_acknowledge(struct platform *platform)
{
    char bytes[256];

    while (read(platform->wake_fds[0], bytes, sizeof bytes) > 0)
        continue;
}

bool platform_is_practice(void)
{
    return false;
}
