#include "platform/posix_request.h"

#include "core/base/compiler.h"
#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct platform_request *posix_request_new(enum request_kind kind,
                                           const char *subject)
{
    struct platform_request *request = xcalloc(1, sizeof *request);

    atomic_init(&request->users, 2);
    request->kind = kind;
    request->subject = xstrdup(subject);
    if (pipe(request->done_fds) ||
        fcntl(request->done_fds[0], F_SETFD, FD_CLOEXEC) ||
        fcntl(request->done_fds[1], F_SETFD, FD_CLOEXEC))
        die("cannot make a pipe: errno %d", errno);
    return request;
}

void platform_request_free(struct platform_request *request)
{
    if (!request || atomic_fetch_sub(&request->users, 1) > 1)
        return;
    cleanup_fd(&request->done_fds[0]);
    cleanup_fd(&request->done_fds[1]);
    free(request->subject);
    free(request);
}

void posix_request_finish(struct platform_request *request, err_code code)
{
    request->code = code;
    atomic_store(&request->is_done, true);
    /* A byte, not a close: a child may have inherited the other end. */
    while (write(request->done_fds[1], "", 1) < 0 && errno == EINTR)
        continue;
    platform_request_free(request);
}

err_code platform_wait(struct platform_request *request, int timeout_ms,
                       bool *out_is_done, struct error *err)
{
    struct pollfd done = {.fd = request->done_fds[0], .events = POLLIN};

    if (!atomic_load(&request->is_done))
        poll(&done, 1, timeout_ms);
    *out_is_done = atomic_load(&request->is_done);
    if (!*out_is_done)
        return ERR_OK;
    if (request->code && err)
        *err = request->err;
    return request->code;
}

struct platform_power_proof platform_request_proof(
    const struct platform_request *request)
{
    if (!atomic_load(&request->is_done))
        return (struct platform_power_proof){.flush_seen = false};
    return request->proof;
}
