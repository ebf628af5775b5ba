/*
 * One writer per volume (ENGINE G9): flock on the volume's marker, which works
 * between users with different state directories, and a hint for people about
 * who holds it in /run/lock/berth/VOLUME-ID.
 *
 * The hint is checked against the lock: where the lock can be had, nobody
 * holds it, whatever a file says. Any thread.
 */
#ifndef BERTH_LOCK_H
#define BERTH_LOCK_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct lock {
    int fd;          /* its own open file description; -1: not held */
    char *hint_path; /* NULL where hints have no place */
    char *command;
    int64_t started_ns;
    int64_t published_ns; /* monotonic: at most one publication a second */
};

#define LOCK_INIT                                                              \
    {                                                                          \
        .fd = -1                                                               \
    }

/*
 * Does not wait. ERR_BUSY names the holder as far as the hint knows it.
 * `command` is what the hint will say that we do: "sync media".
 */
err_code lock_take(int root_fd, const char *volume_id, const char *volume_name,
                   const char *command, struct lock *out, struct error *err)
    MUST_CHECK;
/* Tells others how far we are, once a second at most. */
void lock_publish(struct lock *lock, int64_t done_bytes, int64_t total_bytes);
void lock_release(struct lock *lock);

/* Who holds the lock now, as far as the hint knows it. */
struct lock_holder {
    int64_t pid; /* 0: not known */
    char *user, *command;
    int64_t done_bytes, total_bytes;
};
/* False when nobody holds it. */
bool lock_look(int root_fd, const char *volume_id, struct lock_holder *out);
void lock_holder_release(struct lock_holder *holder);

#endif
