#include "core/lock.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/marker.h"
#include "platform/platform_host.h"
#include "platform/platform_io.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HINT_LIMIT_BYTES ((size_t)16 * 1024)
#define PUBLISH_EVERY_NS NS_PER_SECOND

/* Shared by all users, like /tmp: everybody may add, nobody may replace. */
#define HINT_DIRECTORY_MODE 01777

static char *hint_path_of(const char *volume_id)
{
    CLEANUP_FREE char *directory = platform_lock_hint_directory();

    return *directory ? path_join(directory, volume_id) : NULL;
}

/* --- whoever has it --- */

void lock_holder_release(struct lock_holder *holder)
{
    free(holder->user);
    free(holder->command);
}

/* Whatever lies there: a pipe that nobody writes to is not waited for. */
static bool read_text(const char *path, struct strbuf *out)
{
    CLEANUP_FD int fd =
        open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    return fd >= 0 && !fd_read_file(fd, HINT_LIMIT_BYTES, path, out, NULL);
}

static struct lock_holder read_hint(const char *hint_path)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *user = "", *command = "";
    json_int_t pid = 0, done = 0, total = 0;

    if (!hint_path || !read_text(hint_path, &text))
        return (struct lock_holder){.user = xstrdup(""),
                                    .command = xstrdup("")};
    json_t *hint = json_loadb(text.text, text.length, 0, NULL);
    if (!hint || json_unpack(hint, "{s:I, s:s, s:s, s:I, s:I}", "pid", &pid,
                             "user", &user, "command", &command, "done_bytes",
                             &done, "total_bytes", &total))
        pid = 0;
    struct lock_holder holder = {.pid = pid,
                                 .user = xstrdup(pid ? user : ""),
                                 .command = xstrdup(pid ? command : ""),
                                 .done_bytes = done,
                                 .total_bytes = total};
    json_decref(hint);
    return holder;
}

bool lock_look(int root_fd, const char *volume_id, struct lock_holder *out)
{
    CLEANUP_FREE char *hint_path = hint_path_of(volume_id);
    CLEANUP_FD int fd = -1;

    if (platform_open_beneath(root_fd, MARKER_PATH, PLATFORM_OPEN_READ, &fd,
                              NULL) ||
        platform_try_lock(fd, NULL) != ERR_BUSY)
        return false; /* the lock goes with the descriptor */
    *out = read_hint(hint_path);
    return true;
}

/* "sync media (pid 4711, user me)", or "another berth" */
static char *describe_holder(const char *hint_path)
{
    struct lock_holder holder = read_hint(hint_path);
    char *words = holder.pid
                      ? xasprintf("%s (pid %lld, user %s)", holder.command,
                                  (long long)holder.pid, holder.user)
                      : xstrdup("another berth");

    lock_holder_release(&holder);
    return words;
}

/*
 * --- we ---
 */

static void make_hint_directory(void)
{
    CLEANUP_FREE char *directory = platform_lock_hint_directory();

    if (!mkdir(directory, HINT_DIRECTORY_MODE))
        chmod(directory, HINT_DIRECTORY_MODE); /* umask */
}

/* In a directory where everybody may put things: what has the name already,
 * a symlink to some file of ours, say, is not written to. */
static bool write_anew(const char *path, const char *text)
{
    unlink(path);
    CLEANUP_FD int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    /* Every user is to read it, whatever the umask. */
    return fd >= 0 && !fchmod(fd, 0644) &&
           !fd_write_full(fd, text, strlen(text));
}

static void write_hint(struct lock *lock, int64_t done, int64_t total)
{
    CLEANUP_FREE char *user = platform_user_name();
    CLEANUP_FREE char *temporary =
        xasprintf("%s.%ld", lock->hint_path, (long)getpid());
    char started[32];

    clock_format_utc(lock->started_ns, started, sizeof started);
    json_t *hint = json_pack(
        "{s:i, s:s, s:s, s:s, s:I, s:I}", "pid", (int)getpid(), "user", user,
        "command", lock->command, "started", started, "done_bytes",
        (json_int_t)done, "total_bytes", (json_int_t)total);
    /* A hint: where it cannot be written, nobody is told and nothing fails. */
    CLEANUP_FREE char *text = hint ? json_dumps(hint, JSON_COMPACT) : NULL;
    if (!text || !write_anew(temporary, text) ||
        rename(temporary, lock->hint_path))
        unlink(temporary);
    json_decref(hint);
}

/* Whoever only looks (lock_look) has the lock for an instant, too. */
static err_code try_for_a_moment(int fd, struct error *err)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    err_code code = platform_try_lock(fd, err);

    for (int i = 0; code == ERR_BUSY && i < 4; i++) {
        nanosleep(&pause, NULL);
        code = platform_try_lock(fd, err);
    }
    return code;
}

err_code lock_take(int root_fd, const char *volume_id, const char *volume_name,
                   const char *command, struct lock *out, struct error *err)
{
    CLEANUP_FREE char *hint_path = hint_path_of(volume_id);
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(root_fd, MARKER_PATH,
                                          PLATFORM_OPEN_READ, &fd, err);

    if (code)
        return code;
    code = try_for_a_moment(fd, err);
    if (code == ERR_BUSY) {
        CLEANUP_FREE char *holder = describe_holder(hint_path);
        error_set(err, code,
                  "volume %s is in use by %s: wait for it or stop it",
                  volume_name, holder);
    }
    if (code)
        return code;
    *out = (struct lock){.fd = TAKE_FD(fd),
                         .hint_path = TAKE_PTR(hint_path),
                         .command = xstrdup(command),
                         .started_ns = clock_now_ns()};
    if (out->hint_path) {
        make_hint_directory();
        write_hint(out, 0, 0);
    }
    return ERR_OK;
}

void lock_publish(struct lock *lock, int64_t done_bytes, int64_t total_bytes)
{
    int64_t now = clock_monotonic_ns();

    if (!lock->hint_path || now - lock->published_ns < PUBLISH_EVERY_NS)
        return;
    lock->published_ns = now;
    write_hint(lock, done_bytes, total_bytes);
}

void lock_release(struct lock *lock)
{
    if (lock->fd >= 0 && lock->hint_path)
        unlink(lock->hint_path);
    cleanup_fd(&lock->fd);
    free(lock->hint_path);
    free(lock->command);
    *lock = (struct lock)LOCK_INIT;
}
