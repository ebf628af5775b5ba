#include "platform/practice/practice_pace.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/thread.h"
#include "platform/posix_io.h"
#include "platform/practice/practice_card.h"
#include "platform/practice/practice_motion.h"
#include "platform/practice/practice_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A slow drive takes so much in advance: its cache and the system's. */
#define AHEAD_NS (NS_PER_SECOND / 2)
/* How soon a pulled drive is noticed by who waits for it. */
#define SLICE_MS 20

/* One per volume that was ever slow; they live as long as the process. */
struct pace {
    char *volume;
    int64_t settled_bytes; /* lay on it at the last flush */
    int64_t sent_bytes;    /* since then, by practice_pace_write */
    int64_t busy_until_ns; /* monotonic */
    int64_t speed;         /* bytes a second, when it was last used */
    int64_t written_bytes; /* in all */
};
static pthread_mutex_t paces_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct pace *items;
    size_t count, capacity;
} paces; /* under paces_mutex */

/* With the mutex held. NULL: was never slow. */
static struct pace *find_pace(const char *volume)
{
    for (size_t i = 0; i < paces.count; i++)
        if (!strcmp(paces.items[i].volume, volume))
            return &paces.items[i];
    return NULL;
}

/* 0: as fast as the directory below. */
static int64_t speed_of(const char *volume)
{
    CLEANUP_FREE char *drive = practice_drive_of(volume);
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_DRIVE, drive, &card);
    return card_number(&card, "slow", 0);
}

/* --- what lies on it --- */

static err_code add_size(void *context, const struct platform_entry *entry,
                         struct error *err);

struct counting {
    int dir_fd;
    int64_t unit, bytes;
};

static void count_below(struct counting *counting, const char *name)
{
    struct counting below = {.unit = counting->unit};
    CLEANUP_FD int fd =
        posix_open_at(counting->dir_fd, name,
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);

    below.dir_fd = fd;
    if (fd < 0 || posix_list_directory(fd, add_size, &below, NULL))
        return; /* changed meanwhile: it is an estimate anyway */
    counting->bytes += below.bytes;
}

static err_code add_size(void *context, const struct platform_entry *entry,
                         struct error *err)
{
    struct counting *counting = context;

    if (!entry->stat)
        return ERR_OK;
    if (entry->stat->type == PLATFORM_DIRECTORY)
        count_below(counting, entry->name);
    else
        counting->bytes += (entry->stat->size_bytes + counting->unit - 1) /
                           counting->unit * counting->unit;
    return ERR_OK;
}

/* In units of `unit`; 0 when it cannot be read. */
static int64_t bytes_on(const char *volume, int64_t unit)
{
    CLEANUP_FREE char *path = practice_mount_point(volume);
    CLEANUP_FD int fd = -1;
    struct counting counting = {.unit = unit > 0 ? unit : 1};

    if (!path || posix_open_root(path, &fd, NULL))
        return 0;
    counting.dir_fd = fd;
    if (posix_list_directory(fd, add_size, &counting, NULL))
        return 0;
    return counting.bytes;
}

/* --- how fast --- */

void practice_pace_open(const char *volume)
{
    if (!speed_of(volume))
        return;
    int64_t bytes = bytes_on(volume, 1);
    mutex_lock(&paces_mutex);
    if (!find_pace(volume)) {
        struct pace pace = {.volume = xstrdup(volume), .settled_bytes = bytes};
        ARRAY_PUSH(&paces, pace);
    }
    mutex_unlock(&paces_mutex);
}

/* With the mutex held. */
static void hand_over(struct pace *pace, int64_t bytes, int64_t speed)
{
    int64_t now_ns = clock_monotonic_ns();

    if (pace->busy_until_ns < now_ns)
        pace->busy_until_ns = now_ns;
    pace->busy_until_ns +=
        (int64_t)((double)bytes / (double)speed * (double)NS_PER_SECOND);
    pace->speed = speed;
    pace->written_bytes += bytes;
}

/* Until the drive is done but for `ahead_ns`, or gone. */
static void wait_for_drive(const char *volume, int64_t until_ns)
{
    while (clock_monotonic_ns() < until_ns && !practice_is_gone(volume))
        poll(NULL, 0, SLICE_MS);
}

void practice_pace_write(const char *volume, int64_t bytes)
{
    int64_t speed = speed_of(volume), until_ns = 0;

    if (!speed)
        return;
    mutex_lock(&paces_mutex);
    struct pace *pace = find_pace(volume);
    if (pace) {
        hand_over(pace, bytes, speed);
        pace->sent_bytes += bytes;
        until_ns = pace->busy_until_ns - AHEAD_NS;
    }
    mutex_unlock(&paces_mutex);
    wait_for_drive(volume, until_ns);
}

/* Small files are never announced: what more lies there now was written. */
static void drain(const char *volume)
{
    int64_t speed = speed_of(volume), until_ns = 0;

    if (!speed)
        return;
    int64_t bytes = bytes_on(volume, 1);
    mutex_lock(&paces_mutex);
    struct pace *pace = find_pace(volume);
    if (pace) {
        int64_t fresh = bytes - pace->settled_bytes - pace->sent_bytes;
        hand_over(pace, fresh > 0 ? fresh : 0, speed);
        pace->settled_bytes = bytes;
        pace->sent_bytes = 0;
        until_ns = pace->busy_until_ns;
    }
    mutex_unlock(&paces_mutex);
    wait_for_drive(volume, until_ns);
}

int64_t practice_pace_left(const char *volume)
{
    int64_t left = 0;

    mutex_lock(&paces_mutex);
    const struct pace *pace = find_pace(volume);
    int64_t left_ns = pace ? pace->busy_until_ns - clock_monotonic_ns() : 0;
    if (left_ns > 0)
        left = (int64_t)((double)left_ns / (double)NS_PER_SECOND *
                         (double)pace->speed);
    mutex_unlock(&paces_mutex);
    return left;
}

int64_t practice_pace_written(const char *volume)
{
    int64_t left = practice_pace_left(volume);

    mutex_lock(&paces_mutex);
    const struct pace *pace = find_pace(volume);
    int64_t written = pace ? pace->written_bytes - left : 0;
    mutex_unlock(&paces_mutex);
    return written > 0 ? written : 0;
}

/* --- flushing --- */

bool practice_fails_writes(const char *volume)
{
    CLEANUP_FREE char *drive = practice_drive_of(volume);
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_DRIVE, drive, &card);
    return card_says(&card, "fail-writes");
}

/* Whether this flush is the one that is to fail. */
static bool take_failure(const char *volume)
{
    CLEANUP_FREE char *drive = practice_drive_of(volume);
    CLEANUP(card_release) struct card card = CARD_INIT;
    CLEANUP_FD int lock_fd = -1;

    card_load(CARD_DRIVE, drive, &card);
    const char *failure = card_get(&card, "fail-flush");
    if (!failure || strcmp(failure, "once") != 0 || card_lock(&lock_fd, NULL))
        return false;
    card_release(&card);
    card_load(CARD_DRIVE, drive, &card);
    bool is_ours = card_has(&card, "fail-flush");
    card_set(&card, "fail-flush", NULL);
    return !card_save(CARD_DRIVE, drive, &card, NULL) && is_ours;
}

err_code practice_pace_flush(const char *volume, struct error *err)
{
    drain(volume);
    if (practice_is_gone(volume))
        return error_set_errno(err, ENODEV, "cannot flush %s", volume);
    if (practice_fails_writes(volume) || take_failure(volume))
        return error_set_errno(err, EIO, "cannot flush %s", volume);
    practice_stamp(volume);
    return ERR_OK;
}

/* --- how much --- */

void practice_pace_space(const char *volume, struct platform_space *space)
{
    CLEANUP(card_release) struct card card = CARD_INIT;

    card_load(CARD_VOLUME, volume, &card);
    int64_t size = card_number(&card, "size", -1);
    if (size >= 0) {
        int64_t used = card_number(&card, "used", 0) +
                       bytes_on(volume, space->cluster_bytes);
        space->total_bytes = size;
        space->free_bytes = used < size ? size - used : 0;
    }
    if (card_says(&card, "full"))
        space->free_bytes = 0;
}
