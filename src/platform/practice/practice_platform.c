/*
 * Practice: the thread that plays, and news of what it played.
 */
#include "platform/platform.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/strbuf.h"
#include "core/base/thread.h"
#include "platform/practice/practice.h"
#include "platform/practice/practice_card.h"
#include "platform/practice/practice_requests.h"
#include "platform/practice/practice_script.h"
#include "platform/practice/practice_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* POSIX cannot wait for a file or a directory to change. */
enum { LOOK_EVERY_MS = 100, LOOK_AT_CONTROL_EVERY_MS = 50 };

struct platform {
    int wake_read_fd, wake_write_fd; /* does not block; any thread */
    int kick_read_fd, kick_write_fd; /* a byte: look; closed: end */
    int64_t started_ns;
    struct script script; /* the thread's, once it runs, as the next */
    struct strbuf seen;   /* what there was when it looked last */
    struct requests requests;
    pthread_t thread;
};

/* --- news --- */

static void add_card(enum card_kind kind, const char *name, struct strbuf *out)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(kind, name, &card);
    for (size_t i = 0; i < card.count; i++)
        strbuf_addf(out, "%s=%s\n", card.items[i].key, card.items[i].value);
}

/* Text that differs when something that could be of interest does. */
static void look(struct strbuf *out)
{
    CLEANUP(names_release) struct names drives = {.items = NULL};
    CLEANUP(names_release) struct names volumes = {.items = NULL};

    practice_list_drives(&drives);
    for (size_t i = 0; i < drives.count; i++) {
        strbuf_addf(out, "drive %s\n", drives.items[i]);
        add_card(CARD_DRIVE, drives.items[i], out);
    }
    if (practice_list_volumes(&volumes, NULL))
        return;
    for (size_t i = 0; i < volumes.count; i++) {
        strbuf_addf(out, "volume %s %d\n", volumes.items[i],
                    practice_is_gone(volumes.items[i]));
        add_card(CARD_VOLUME, volumes.items[i], out);
    }
}

static void write_byte(int fd)
{
    ssize_t done;

    do /* EAGAIN: full, so it is readable */
        done = write(fd, "", 1);
    while (done < 0 && errno == EINTR);
}

static void tell_news(struct platform *platform)
{
    struct strbuf now = STRBUF_INIT;

    look(&now);
    if (strcmp(now.text, platform->seen.text) != 0)
        write_byte(platform->wake_write_fd);
    strbuf_release(&platform->seen);
    platform->seen = now;
}

/* --- the thread --- */

static int next_look_ms(struct platform *platform)
{
    int look_ms =
        practice_has_control() ? LOOK_AT_CONTROL_EVERY_MS : LOOK_EVERY_MS;
    int request_ms = requests_next_ms(&platform->requests);

    return request_ms >= 0 && request_ms < look_ms ? request_ms : look_ms;
}

/* False when it is to end. */
static bool wait_for_next(struct platform *platform)
{
    struct pollfd kick = {.fd = platform->kick_read_fd, .events = POLLIN};
    char drained[64];

    poll(&kick, 1, next_look_ms(platform));
    ssize_t got = read(platform->kick_read_fd, drained, sizeof drained);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static void *play(void *argument)
{
    struct platform *platform = argument;

    while (wait_for_next(platform)) {
        script_play_until(&platform->script,
                          (clock_monotonic_ns() - platform->started_ns) /
                              NS_PER_MS);
        practice_play_control();
        requests_carry_out(&platform->requests);
        tell_news(platform);
    }
    return NULL;
}

static int make_pipe(int *out_read_fd, int *out_write_fd)
{
    int ends[2];

    if (pipe(ends))
        return -1;
    *out_read_fd = ends[0];
    *out_write_fd = ends[1];
    for (int i = 0; i < 2; i++)
        if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) ||
            fcntl(ends[i], F_SETFL, O_NONBLOCK))
            return -1;
    return 0;
}

static void release_all(struct platform *platform)
{
    requests_release(&platform->requests);
    cleanup_fd(&platform->wake_read_fd);
    cleanup_fd(&platform->wake_write_fd);
    cleanup_fd(&platform->kick_read_fd);
    cleanup_fd(&platform->kick_write_fd);
    script_release(&platform->script);
    strbuf_release(&platform->seen);
    free(platform);
}

err_code platform_new(struct platform **out, struct error *err)
{
    struct platform *platform = xmalloc(sizeof *platform);
    err_code code = ERR_OK;

    *platform = (struct platform){-1,
                                  -1,
                                  -1,
                                  -1,
                                  .started_ns = clock_monotonic_ns(),
                                  .script = SCRIPT_INIT,
                                  .seen = STRBUF_INIT};
    requests_init(&platform->requests);
    if (make_pipe(&platform->wake_read_fd, &platform->wake_write_fd) ||
        make_pipe(&platform->kick_read_fd, &platform->kick_write_fd))
        code = error_set_errno(err, errno, "cannot make a pipe");
    if (!code)
        code = script_open(&platform->script, err);
    if (code) {
        release_all(platform);
        return code;
    }
    practice_play_control();
    look(&platform->seen);
    platform->thread = thread_start(play, platform);
    *out = platform;
    return ERR_OK;
}

void platform_free(struct platform *platform)
{
    if (!platform)
        return;
    close(TAKE_FD(platform->kick_write_fd));
    thread_join(platform->thread);
    release_all(platform);
}

bool platform_is_practice(void)
{
    return true;
}

int platform_wake_fd(const struct platform *platform)
{
    return platform->wake_read_fd;
}

void platform_acknowledge(struct platform *platform)
{
    char drained[64];

    while (read(platform->wake_read_fd, drained, sizeof drained) > 0)
        continue;
}

struct requests *practice_requests(struct platform *platform)
{
    return &platform->requests;
}

void practice_kick(struct platform *platform)
{
    write_byte(platform->kick_write_fd);
}

/* --- mounts --- */

err_code platform_list_mounts(struct platform *platform,
                              struct platform_mounts *out, struct error *err)
{
    CLEANUP(names_release) struct names volumes = {.items = NULL};
    struct platform_mounts found = {.items = NULL};
    err_code code = practice_list_volumes(&volumes, err);

    if (code)
        return code;
    for (size_t i = 0; i < volumes.count; i++) {
        struct platform_mount mount;
        if (!practice_is_mounted(volumes.items[i]) ||
            practice_describe(volumes.items[i], &mount, NULL))
            continue; /* pulled, or pulled just now */
        mount.is_root = true;
        ARRAY_PUSH(&found, mount);
    }
    *out = found;
    return ERR_OK;
}
