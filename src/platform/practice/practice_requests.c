#include "platform/practice/practice_requests.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "platform/practice/practice_card.h"
#include "platform/practice/practice_holders.h"
#include "platform/practice/practice_motion.h"
#include "platform/practice/practice_names.h"
#include "platform/practice/practice_verbs.h"
#include "platform/practice/practice_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum request_kind { MOUNT, UNMOUNT, LOCK, POWER_OFF };

/* Used by who asked and by the line; the last one frees it. */
struct platform_request {
    _Atomic int users;
    enum request_kind kind;
    char *name;      /* device of a volume, id of a drive */
    int64_t due_ns;  /* monotonic */
    int done_fds[2]; /* the first is readable when it is done */
    _Atomic bool is_done;
    /* Written before is_done, read after it. */
    err_code code;
    struct error error;
    struct platform_power_proof proof;
};

/* --- one request --- */

void platform_request_free(struct platform_request *request)
{
    if (!request || atomic_fetch_sub(&request->users, 1) > 1)
        return;
    cleanup_fd(&request->done_fds[0]);
    cleanup_fd(&request->done_fds[1]);
    free(request->name);
    free(request);
}

static void finish(struct platform_request *request, err_code code)
{
    request->code = code;
    atomic_store(&request->is_done, true);
    /* A byte, not a close: a child may have inherited the other end. */
    while (write(request->done_fds[1], "", 1) < 0 && errno == EINTR)
        continue;
    platform_request_free(request);
}

/* As long as a person would believe, unless a test has no time. */
static int64_t delay_ns(enum request_kind kind)
{
    static const int64_t ms[] = {
        [MOUNT] = 400, [UNMOUNT] = 300, [LOCK] = 200, [POWER_OFF] = 800};
    const char *chosen = getenv("BERTH_PRACTICE_DELAY_MS");

    return (chosen && *chosen ? strtoll(chosen, NULL, 10) : ms[kind]) *
           NS_PER_MS;
}

static struct platform_request *ask(struct platform *platform,
                                    enum request_kind kind, const char *name)
{
    struct requests *requests = practice_requests(platform);
    struct platform_request *request = xcalloc(1, sizeof *request);

    atomic_init(&request->users, 2);
    request->kind = kind;
    request->name = xstrdup(name);
    request->due_ns = clock_monotonic_ns() + delay_ns(kind);
    if (pipe(request->done_fds) ||
        fcntl(request->done_fds[0], F_SETFD, FD_CLOEXEC) ||
        fcntl(request->done_fds[1], F_SETFD, FD_CLOEXEC))
        die("cannot make a pipe: errno %d", errno);
    mutex_lock(&requests->mutex);
    ARRAY_PUSH(&requests->waiting, request);
    mutex_unlock(&requests->mutex);
    practice_kick(platform);
    return request;
}

struct platform_request *platform_mount(struct platform *platform,
                                        const char *device)
{
    return ask(platform, MOUNT, device);
}

struct platform_request *platform_unmount(struct platform *platform,
                                          const char *device)
{
    return ask(platform, UNMOUNT, device);
}

struct platform_request *platform_lock(struct platform *platform,
                                       const char *device)
{
    return ask(platform, LOCK, device);
}

struct platform_request *platform_power_off(struct platform *platform,
                                            const char *drive)
{
    return ask(platform, POWER_OFF, drive);
}

err_code platform_wait(struct platform_request *request, int timeout_ms,
                       bool *out_is_done, struct error *err)
{
    struct pollfd done = {.fd = request->done_fds[0], .events = POLLIN};

    if (!atomic_load(&request->is_done))
        poll(&done, 1, timeout_ms);
    if (!atomic_load(&request->is_done)) {
        *out_is_done = false;
        return ERR_OK;
    }
    *out_is_done = true;
    if (request->code && err)
        *err = request->error;
    return request->code;
}

struct platform_power_proof platform_request_proof(
    const struct platform_request *request)
{
    if (!atomic_load(&request->is_done))
        return (struct platform_power_proof){.flush_seen = false};
    return request->proof;
}

/* --- what it does, on the platform's thread --- */

static err_code check_unused(const char *volume, struct error *err)
{
    CLEANUP(platform_holders_release)
    struct platform_holders holders = {.items = NULL};

    practice_list_holders(volume, &holders);
    if (!holders.count)
        return ERR_OK;
    return error_set(err, ERR_BUSY, "%s is in use: %s holds %s", volume,
                     holders.items[0].command, holders.items[0].path);
}

static err_code unmount(const char *volume, struct error *err)
{
    CLEANUP_FD int lock_fd = -1;

    practice_play_unmount(volume);
    /* A mount whose drive is gone keeps nobody waiting. */
    err_code code =
        practice_is_stale(volume) ? ERR_OK : check_unused(volume, err);
    if (!code)
        code = card_lock(&lock_fd, err);
    return code ? code : practice_unmount(volume, err);
}

static err_code lock(const char *volume, struct error *err)
{
    CLEANUP(card_release) struct card card = CARD_INIT;
    CLEANUP_FD int lock_fd = -1;
    err_code code = card_lock(&lock_fd, err);

    if (code)
        return code;
    card_load(CARD_VOLUME, volume, &card);
    /* No container: nothing to lock. "no" is one that somebody opened. */
    if (!card_has(&card, "locked"))
        return ERR_OK;
    if (practice_is_mounted(volume))
        return error_set(err, ERR_BUSY, "%s is mounted", volume);
    card_set(&card, "locked", "yes");
    return card_save(CARD_VOLUME, volume, &card, err);
}

static err_code mount(const char *volume, struct error *err)
{
    CLEANUP_FD int lock_fd = -1;
    err_code code = card_lock(&lock_fd, err);

    return code ? code : practice_mount(volume, err);
}

static struct platform_power_proof proof_of(const struct card *card)
{
    const char *proof = card_get(card, "proof");
    bool fails_flush = proof && !strcmp(proof, "flush-failed");
    bool fails_stop = proof && !strcmp(proof, "stop-failed");
    bool is_hidden = proof && !strcmp(proof, "hidden");

    return (struct platform_power_proof){
        .flush_seen = !is_hidden && !fails_flush,
        .flush_failed = fails_flush,
        .stop_seen = !is_hidden && !fails_stop,
        .stop_failed = fails_stop,
    };
}

static err_code check_unmounted(const char *drive, struct error *err)
{
    CLEANUP(names_release) struct names volumes = {.items = NULL};

    practice_volumes_of(drive, &volumes);
    for (size_t i = 0; i < volumes.count; i++)
        if (practice_is_mounted(volumes.items[i]))
            return error_set(err, ERR_BUSY, "%s is mounted still",
                             volumes.items[i]);
    return ERR_OK;
}

static err_code power_off(const char *drive, struct platform_request *request,
                          struct error *err)
{
    CLEANUP(card_release) struct card card = CARD_INIT;
    CLEANUP_FD int lock_fd = -1;
    err_code code = check_unmounted(drive, err);

    if (!code)
        code = card_lock(&lock_fd, err);
    if (code)
        return code;
    card_load(CARD_DRIVE, drive, &card);
    const char *how = card_get(&card, "power-off");
    if (how && !strcmp(how, "unsupported"))
        return error_set(err, ERR_UNSUPPORTED, "%s cannot be powered off",
                         drive);
    request->proof = proof_of(&card);
    if (how && !strcmp(how, "refused"))
        return error_set(err, ERR_IO, "%s refused to be powered off", drive);
    if (how && !strcmp(how, "stays"))
        return ERR_OK;
    return practice_unplug(drive, err);
}

static err_code carry_out(struct platform_request *request, struct error *err)
{
    CLEANUP_FREE char *name = request->kind == POWER_OFF
                                  ? practice_drive_of_id(request->name)
                                  : practice_volume_of_device(request->name);

    if (!name)
        return error_set(err, ERR_DEVICE_GONE, "%s is not plugged in",
                         request->name);
    switch (request->kind) {
    case MOUNT:
        return mount(name, err);
    case UNMOUNT:
        return unmount(name, err);
    case LOCK:
        return lock(name, err);
    case POWER_OFF:
        return power_off(name, request, err);
    }
    die("no such request: %d", (int)request->kind);
}

/* --- the line --- */

void requests_init(struct requests *requests)
{
    mutex_init(&requests->mutex);
    requests->waiting.items = NULL;
    requests->waiting.count = requests->waiting.capacity = 0;
}

void requests_release(struct requests *requests)
{
    for (size_t i = 0; i < requests->waiting.count; i++) {
        struct platform_request *request = requests->waiting.items[i];
        finish(request, error_set(&request->error, ERR_CANCELLED,
                                  "nobody is left who could do it"));
    }
    free(requests->waiting.items);
    mutex_destroy(&requests->mutex);
}

int requests_next_ms(struct requests *requests)
{
    int64_t next_ns = -1, now_ns = clock_monotonic_ns();

    mutex_lock(&requests->mutex);
    for (size_t i = 0; i < requests->waiting.count; i++) {
        int64_t due_ns = requests->waiting.items[i]->due_ns;
        if (next_ns < 0 || due_ns < next_ns)
            next_ns = due_ns;
    }
    mutex_unlock(&requests->mutex);
    if (next_ns < 0)
        return -1;
    int64_t left_ms = (next_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

static struct platform_request *take_due(struct requests *requests)
{
    struct platform_request *taken = NULL;
    int64_t now_ns = clock_monotonic_ns();

    mutex_lock(&requests->mutex);
    for (size_t i = 0; !taken && i < requests->waiting.count; i++) {
        if (requests->waiting.items[i]->due_ns > now_ns)
            continue;
        taken = requests->waiting.items[i];
        requests->waiting.count--;
        memmove(&requests->waiting.items[i], &requests->waiting.items[i + 1],
                (requests->waiting.count - i) *
                    sizeof *requests->waiting.items);
    }
    mutex_unlock(&requests->mutex);
    return taken;
}

bool requests_carry_out(struct requests *requests)
{
    struct platform_request *request;
    bool was_any = false;

    while ((request = take_due(requests))) {
        finish(request, carry_out(request, &request->error));
        was_any = true;
    }
    return was_any;
}
