/*
 * Keeping the machine awake and running: logind's inhibitors. Nobody asks
 * before unmounting on Linux; a volume that is written to is busy.
 */
#include "platform/linux/linux_bus.h"
#include "platform/linux/linux_platform.h"
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_US = 5 * 1000 * 1000 };

/* Holds as long as the descriptor is open. */
struct platform_inhibitor {
    int fd;
};

struct asking {
    const char *why, *mode;
    int fd;
};

static int write_arguments(sd_bus_message *message, void *context)
{
    const struct asking *asking = context;

    return sd_bus_message_append(message, "ssss", "sleep:shutdown", "berth",
                                 asking->why, asking->mode);
}

/* The message closes its own. */
static int read_answer(sd_bus_message *answer, void *context)
{
    struct asking *asking = context;
    int fd, result = sd_bus_message_read(answer, "h", &fd);

    if (result < 0)
        return result;
    asking->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return asking->fd < 0 ? -errno : 0;
}

static bool ask(struct linux_bus *bus, struct asking *asking,
                struct linux_answer *answer)
{
    const struct linux_call call = {
        .service = "org.freedesktop.login1",
        .path = "/org/freedesktop/login1",
        .interface = "org.freedesktop.login1.Manager",
        .member = "Inhibit",
        .write = write_arguments,
        .read = read_answer,
        .context = asking,
        .timeout_us = TIMEOUT_US,
    };

    linux_bus_call(bus, &call, answer);
    return answer->is_ok;
}

/* Nobody there is another thing: that is not asked twice, it may be slow. */
static bool is_refused(const struct linux_answer *answer)
{
    return !strcmp(answer->name, SD_BUS_ERROR_ACCESS_DENIED) ||
           !strcmp(answer->name,
                   SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

/* Without a session on a seat a user may only delay (logind's policy for
 * polkit): five seconds, InhibitDelayMaxSec, are better than none. */
err_code platform_inhibit(struct platform *platform, const char *device,
                          const char *why, struct platform_inhibitor **out,
                          struct error *err)
{
    struct asking asking = {.why = why, .mode = "block", .fd = -1};
    struct linux_answer answer;

    *out = NULL;
    bool is_held = ask(platform->bus, &asking, &answer);
    if (!is_held && is_refused(&answer)) {
        asking.mode = "delay";
        is_held = ask(platform->bus, &asking, &answer);
    }
    if (!is_held)
        return error_set(err, ERR_UNSUPPORTED,
                         "cannot keep this machine awake: no logind answers "
                         "(%s)",
                         *answer.name ? answer.name : "no D-Bus");
    *out = xmalloc(sizeof **out);
    (*out)->fd = asking.fd;
    return ERR_OK;
}

void platform_inhibitor_release(struct platform_inhibitor *inhibitor)
{
    if (inhibitor)
        close(inhibitor->fd);
    free(inhibitor);
}
