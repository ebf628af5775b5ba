#include "core/base/fdio.h"
#include "core/base/strbuf.h"
#include "platform/linux/linux_bus.h"
#include "platform/linux/linux_platform.h"
#include "platform/platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASK_TIMEOUT_US (UINT64_C(5) * 1000 * 1000)

struct question {
    const char *action;
    bool is_allowed;
};

/* Field 22 of proc(5)'s stat; what is before it may hold any bytes. 0: polkit
 * looks itself. */
static uint64_t own_start_time(void)
{
    CLEANUP(strbuf_release) struct strbuf stat = STRBUF_INIT;
    const char *at;

    if (file_read("/proc/self/stat", 4096, &stat, NULL) ||
        !(at = strrchr(stat.text, ')')))
        return 0;
    for (int field = 2; field < 22 && at; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

/*
 * CheckAuthorization(subject, action, details, flags, cancellation) of
 * polkit's D-Bus interface: of ourselves, which everybody may ask, and without
 * a dialogue (flags 0).
 */
static int write_question(sd_bus_message *message, void *context)
{
    const struct question *question = context;

    return sd_bus_message_append(
        message, "(sa{sv})sa{ss}us", "unix-process", 3, "pid", "u",
        (uint32_t)getpid(), "start-time", "t", own_start_time(), "uid", "i",
        (int32_t)geteuid(), question->action, 0, 0, "");
}

static int read_answer(sd_bus_message *answer, void *context)
{
    struct question *question = context;
    int is_authorised, is_challenge;
    int result = sd_bus_message_enter_container(answer, 'r', "bba{ss}");

    if (result > 0)
        result =
            sd_bus_message_read(answer, "bb", &is_authorised, &is_challenge);
    if (result > 0)
        question->is_allowed = is_authorised;
    return result > 0 ? 0 : -EBADMSG;
}

static err_code ask(struct linux_bus *bus, const char *action, bool *out,
                    struct error *err)
{
    struct question question = {.action = action};
    const struct linux_call call = {
        .service = "org.freedesktop.PolicyKit1",
        .path = "/org/freedesktop/PolicyKit1/Authority",
        .interface = "org.freedesktop.PolicyKit1.Authority",
        .member = "CheckAuthorization",
        .write = write_question,
        .read = read_answer,
        .context = &question,
        .timeout_us = ASK_TIMEOUT_US,
    };
    struct linux_answer answer;

    linux_bus_call(bus, &call, &answer);
    if (!answer.is_ok)
        return error_set(err, ERR_UNSUPPORTED,
                         "polkit does not answer for %s: %s", action,
                         *answer.words ? answer.words : "it is not there");
    *out = question.is_allowed;
    return ERR_OK;
}

/* UDisks2 asks for these where the caller has no session at the drive's seat
 * (src/udisksdaemonutil.c, udisks_daemon_util_on_user_seat). */
err_code platform_unwatched_rights(struct platform *platform,
                                   struct platform_rights *out,
                                   struct error *err)
{
    struct platform_rights rights = {.may_mount = true, .may_power_off = true};
    err_code code = ERR_OK;

    if (geteuid()) {
        code = ask(platform->bus,
                   "org.freedesktop.udisks2.filesystem-mount-other-seat",
                   &rights.may_mount, err);
        if (!code)
            code = ask(platform->bus,
                       "org.freedesktop.udisks2.power-off-drive-other-seat",
                       &rights.may_power_off, err);
    }
    if (!code)
        *out = rights;
    return code;
}
