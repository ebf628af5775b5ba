#include "platform/practice/practice_requests.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "platform/posix_request.h"
#include "platform/practice/practice_card.h"
#include "platform/practice/practice_holders.h"
#include "platform/practice/practice_motion.h"
#include "platform/practice/practice_names.h"
#include "platform/practice/practice_verbs.h"
#include "platform/practice/practice_volume.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A request and when a person would believe that it is done. */
struct due_request {
    struct platform_request *request;
    int64_t due_ns; /* monotonic */
};

/* As long as a person would believe, unless a test has no time. */
static int64_t delay_ns(enum request_kind kind)
{
    static const int64_t ms[] = {[REQUEST_MOUNT] = 400,
                                 [REQUEST_UNMOUNT] = 300,
                                 [REQUEST_LOCK] = 200,
                                 [REQUEST_POWER_OFF] = 800};
    const char *chosen = getenv("BERTH_PRACTICE_DELAY_MS");

    return (chosen && *chosen ? strtoll(chosen, NULL, 10) : ms[kind]) *
           NS_PER_MS;
}

static struct platform_request *ask(struct platform *platform,
                                    enum request_kind kind, const char *name)
{
    struct requests *requests = practice_requests(platform);
    struct platform_request *request = posix_request_new(kind, name);
    struct due_request due = {request, clock_monotonic_ns() + delay_ns(kind)};

    mutex_lock(&requests->mutex);
    ARRAY_PUSH(&requests->waiting, due);
    mutex_unlock(&requests->mutex);
    practice_kick(platform);
    return request;
}

struct platform_request *platform_mount(struct platform *platform,
                                        const char *device)
{
    return ask(platform, REQUEST_MOUNT, device);
}

struct platform_request *platform_unmount(struct platform *platform,
                                          const char *device)
{
    return ask(platform, REQUEST_UNMOUNT, device);
}

struct platform_request *platform_lock(struct platform *platform,
                                       const char *device)
{
    return ask(platform, REQUEST_LOCK, device);
}

struct platform_request *platform_power_off(struct platform *platform,
                                            const char *drive)
{
    return ask(platform, REQUEST_POWER_OFF, drive);
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
    CLEANUP_FREE char *name = request->kind == REQUEST_POWER_OFF
                                  ? practice_drive_of_id(request->subject)
                                  : practice_volume_of_device(request->subject);

    if (!name)
        return error_set(err, ERR_DEVICE_GONE, "%s is not plugged in",
                         request->subject);
    switch (request->kind) {
    case REQUEST_MOUNT:
        return mount(name, err);
    case REQUEST_UNMOUNT:
        return unmount(name, err);
    case REQUEST_LOCK:
        return lock(name, err);
    case REQUEST_POWER_OFF:
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
        struct platform_request *request = requests->waiting.items[i].request;
        posix_request_finish(request,
                             error_set(&request->err, ERR_CANCELLED,
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
        int64_t due_ns = requests->waiting.items[i].due_ns;
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
        if (requests->waiting.items[i].due_ns > now_ns)
            continue;
        taken = requests->waiting.items[i].request;
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
        posix_request_finish(request, carry_out(request, &request->err));
        was_any = true;
    }
    return was_any;
}
