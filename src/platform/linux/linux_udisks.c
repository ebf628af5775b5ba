#include "platform/linux/linux_udisks.h"

#include "core/base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char service[] = "org.freedesktop.UDisks2";
static const char objects[] = "/org/freedesktop/UDisks2/block_devices/";

/* Answers that need no disk. Starting the service may take its time. */
enum { READ_TIMEOUT_US = 30 * 1000 * 1000 };

/* A device that was plugged in just now: two seconds. */
enum { ASK_AGAIN_TIMES = 20, ASK_AGAIN_MS = 100 };

static void pause_before_asking_again(void)
{
    static const struct timespec pause = {.tv_nsec = ASK_AGAIN_MS * 1000000L};

    nanosleep(&pause, NULL);
}

/* --- what its errors mean --- */

#define UDISKS_ERROR "org.freedesktop.UDisks2.Error."
#define DBUS_ERROR "org.freedesktop.DBus.Error."

/*
 * udisks/udiskserror.c; D-Bus specification, "Well-known error names". An
 * object or interface that UDisks2 does not have is a device that it does not
 * know, or not yet: it hears of them when we do and works on it for a while.
 */
static const struct {
    const char *name;
    err_code code;
} known_errors[] = {
    {UDISKS_ERROR "DeviceBusy", ERR_BUSY},
    {UDISKS_ERROR "AlreadyUnmounting", ERR_OK}, /* wait for it to go */
    {UDISKS_ERROR "NotAuthorized", ERR_DENIED},
    {UDISKS_ERROR "NotAuthorizedCanObtain", ERR_DENIED},
    {UDISKS_ERROR "NotAuthorizedDismissed", ERR_DENIED},
    {UDISKS_ERROR "MountedByOtherUser", ERR_DENIED},
    {UDISKS_ERROR "OptionNotPermitted", ERR_DENIED},
    {UDISKS_ERROR "NotSupported", ERR_UNSUPPORTED},
    {UDISKS_ERROR "NotMounted", ERR_OK},
    {UDISKS_ERROR "AlreadyMounted", ERR_OK},
    {UDISKS_ERROR "Timedout", ERR_IO},
    {UDISKS_ERROR "WouldWakeup", ERR_BUSY},
    {UDISKS_ERROR "Cancelled", ERR_CANCELLED},
    {DBUS_ERROR "AccessDenied", ERR_DENIED},
    {DBUS_ERROR "ServiceUnknown", ERR_NOT_FOUND},
    {DBUS_ERROR "NameHasNoOwner", ERR_NOT_FOUND},
    {DBUS_ERROR "NoServer", ERR_NOT_FOUND},
    {DBUS_ERROR "FileNotFound", ERR_NOT_FOUND},
    {DBUS_ERROR "Disconnected", ERR_NOT_FOUND},
    {DBUS_ERROR "TimedOut", ERR_NOT_FOUND}, /* it could not be started */
    {DBUS_ERROR "UnknownObject", ERR_CHANGED},
    {DBUS_ERROR "UnknownInterface", ERR_CHANGED},
    {DBUS_ERROR "UnknownMethod", ERR_CHANGED},
    {DBUS_ERROR "NoReply", ERR_CHANGED}, /* it died: D-Bus starts another */
};

static bool starts_with(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

err_code linux_udisks_code(const char *name, const char *words)
{
    for (size_t i = 0; i < COUNT_OF(known_errors); i++)
        if (!strcmp(name, known_errors[i].name))
            return known_errors[i].code;
    /* dbus-daemon could not start it: Spawn.ExecFailed, systemd1.UnitMasked. */
    if (starts_with(name, DBUS_ERROR "Spawn.") ||
        starts_with(name, "org.freedesktop.systemd1."))
        return ERR_NOT_FOUND;
    /* Failed, with the errno in the words: power-off opens the device with
     * O_EXCL (src/udiskslinuxdrive.c, handle_power_off). */
    if (strstr(words, "busy") || strstr(words, "in use"))
        return ERR_BUSY;
    return ERR_IO;
}

/* --- calls --- */

/* "dm-0" -> "…/dm_2d0" (src/udisksdaemonutil.c,
 * udisks_safe_append_to_object_path) */
static char *object_of(const char *name)
{
    struct strbuf path = STRBUF_INIT;
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

    strbuf_adds(&path, objects);
    for (; *name; name++) {
        if (strchr(plain, *name))
            strbuf_addch(&path, *name);
        else
            strbuf_addf(&path, "_%02x", (unsigned char)*name);
    }
    return strbuf_detach(&path);
}

/*
 * Without a terminal nobody could answer polkit's question: it is not to be
 * asked, so that a nightly run gets its refusal at once.
 */
static int write_options(sd_bus_message *message, void *context)
{
    return isatty(STDIN_FILENO)
               ? sd_bus_message_append(message, "a{sv}", 0)
               : sd_bus_message_append(message, "a{sv}", 1,
                                       "auth.no_user_interaction", "b", 1);
}

void linux_udisks_call(struct linux_bus *bus, const char *path,
                       const char *interface, const char *member,
                       int (*write)(sd_bus_message *, void *),
                       int (*read)(sd_bus_message *, void *), void *context,
                       struct linux_answer *out)
{
    const struct linux_call call = {
        .service = service,
        .path = path,
        .interface = interface,
        .member = member,
        .write = write,
        .read = read,
        .context = context,
        .timeout_us = READ_TIMEOUT_US,
    };

    linux_bus_call(bus, &call, out);
}

/* What is asked of UDisks2, and what polkit must allow for it. */
struct deed {
    const char *interface, *member, *verb;
    const char *action; /* data/org.freedesktop.UDisks2.policy.in */
};

/*
 * polkit's default is "yes" only for a user who sits at the machine; through
 * ssh, cron or a lingering service nobody does.
 */
static err_code denied(const struct deed *deed, const char *device,
                       struct error *err)
{
    return error_set(err, ERR_DENIED,
                     "cannot %s %s: not authorised; without a session at the "
                     "machine itself a polkit rule must allow "
                     "org.freedesktop.udisks2.%s",
                     deed->verb, device, deed->action);
}

static err_code explain(const struct deed *deed, const char *device,
                        const struct linux_answer *answer, struct error *err)
{
    err_code code = linux_udisks_code(answer->name, answer->words);

    if (answer->is_cancelled)
        return error_set(err, ERR_CANCELLED, "cannot %s %s: berth is ending",
                         deed->verb, device);
    if (!strcmp(answer->name, DBUS_ERROR "NoReply"))
        return error_set(err, code,
                         "cannot %s %s: UDisks2 ended before it answered",
                         deed->verb, device);
    switch (code) {
    case ERR_OK:
        return ERR_OK;
    case ERR_DENIED:
        return denied(deed, device, err);
    case ERR_BUSY:
        return error_set(err, code, "cannot %s %s: it is in use", deed->verb,
                         device);
    case ERR_NOT_FOUND:
    case ERR_CHANGED:
        return error_set(err, code,
                         "cannot %s %s: UDisks2 is not there or does not know "
                         "it",
                         deed->verb, device);
    default:
        return error_set(err, code, "cannot %s %s: %s", deed->verb, device,
                         *answer->words ? answer->words : answer->name);
    }
}

/* Takes as long as it takes: an unmount writes back what is in memory. */
static err_code perform(struct linux_bus *bus, const struct deed *deed,
                        const char *path, const char *device, struct error *err)
{
    const struct linux_call call = {
        .service = service,
        .path = path,
        .interface = deed->interface,
        .member = deed->member,
        .write = write_options,
        .timeout_us = UINT64_MAX,
    };
    struct linux_answer answer;

    linux_bus_call(bus, &call, &answer);
    return answer.is_ok ? ERR_OK : explain(deed, device, &answer, err);
}

static err_code perform_on(struct linux_bus *bus, const struct deed *deed,
                           const char *name, const char *device,
                           struct error *err)
{
    CLEANUP_FREE char *path = object_of(name);
    err_code code = perform(bus, deed, path, device, err);

    for (int i = 0; i < ASK_AGAIN_TIMES && code == ERR_CHANGED; i++) {
        pause_before_asking_again();
        code = perform(bus, deed, path, device, err);
    }
    return code == ERR_CHANGED ? ERR_NOT_FOUND : code;
}

err_code linux_udisks_mount(struct linux_bus *bus, const char *name,
                            const char *device, struct error *err)
{
    static const struct deed mounting = {"org.freedesktop.UDisks2.Filesystem",
                                         "Mount", "mount",
                                         "filesystem-mount-other-seat"};

    return perform_on(bus, &mounting, name, device, err);
}

err_code linux_udisks_unmount(struct linux_bus *bus, const char *name,
                              const char *device, struct error *err)
{
    static const struct deed unmounting = {"org.freedesktop.UDisks2.Filesystem",
                                           "Unmount", "unmount",
                                           "filesystem-unmount-others"};

    return perform_on(bus, &unmounting, name, device, err);
}

err_code linux_udisks_lock(struct linux_bus *bus, const char *name,
                           const char *device, struct error *err)
{
    static const struct deed locking = {"org.freedesktop.UDisks2.Encrypted",
                                        "Lock", "lock",
                                        "encrypted-lock-others"};

    return perform_on(bus, &locking, name, device, err);
}

/* --- the drive of a disk --- */

static int write_drive_property(sd_bus_message *message, void *context)
{
    return sd_bus_message_append(message, "ss", "org.freedesktop.UDisks2.Block",
                                 "Drive");
}

static int read_object_path(sd_bus_message *answer, void *context)
{
    char **path = context;
    const char *found;
    int result = sd_bus_message_read(answer, "v", "o", &found);

    if (result >= 0)
        *path = xstrdup(found);
    return result;
}

static const struct deed powering_off = {"org.freedesktop.UDisks2.Drive",
                                         "PowerOff", "power off",
                                         "power-off-drive-other-seat"};

/* An unknown object's property: InvalidArgs (GDBus, "No such interface"). */
static err_code ask_drive(struct linux_bus *bus, const char *name,
                          char **out_path, struct error *err)
{
    CLEANUP_FREE char *block = object_of(name);
    struct linux_answer answer;

    linux_udisks_call(bus, block, "org.freedesktop.DBus.Properties", "Get",
                      write_drive_property, read_object_path, out_path,
                      &answer);
    if (!answer.is_ok && !strcmp(answer.name, DBUS_ERROR "InvalidArgs"))
        snprintf(answer.name, sizeof answer.name, DBUS_ERROR "UnknownObject");
    return answer.is_ok ? ERR_OK : explain(&powering_off, name, &answer, err);
}

/* Of a loop device it is "/": it has none. */
err_code linux_udisks_drive(struct linux_bus *bus, const char *name,
                            char **out_path, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    err_code code = ask_drive(bus, name, &path, err);

    for (int i = 0; i < ASK_AGAIN_TIMES && code == ERR_CHANGED; i++) {
        pause_before_asking_again();
        code = ask_drive(bus, name, &path, err);
    }
    if (code)
        return code == ERR_CHANGED ? ERR_NOT_FOUND : code;
    if (!path || !strcmp(path, "/"))
        return error_set(err, ERR_UNSUPPORTED, "%s is no drive of its own",
                         name);
    *out_path = TAKE_PTR(path);
    return ERR_OK;
}

err_code linux_udisks_power_off(struct linux_bus *bus, const char *name,
                                const char *device, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    err_code code = linux_udisks_drive(bus, name, &path, err);

    if (!code)
        code = perform(bus, &powering_off, path, device, err);
    /* Not again: the first one may have been half done. */
    return code == ERR_CHANGED ? ERR_IO : code;
}
