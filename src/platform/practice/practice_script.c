#include "platform/practice/practice_script.h"

#include "core/base/array.h"
#include "core/base/fdio.h"
#include "platform/platform_io.h"
#include "platform/practice/practice.h"
#include "platform/practice/practice_card.h"
#include "platform/practice/practice_keys.h"
#include "platform/practice/practice_verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPT_LIMIT_BYTES ((size_t)1024 * 1024)

/* --- the script --- */

void script_release(struct script *script)
{
    for (size_t i = 0; i < script->count; i++)
        free(script->items[i].text);
    free(script->items);
    cleanup_fd(&script->lock_fd);
    *script = (struct script)SCRIPT_INIT;
}

/* By time; those of one time stay in order. */
static void insert(struct script *script, struct script_line line)
{
    size_t at = script->count;

    ARRAY_PUSH(script, line);
    for (; at && script->items[at - 1].at_ms > line.at_ms; at--)
        script->items[at] = script->items[at - 1];
    script->items[at] = line;
}

/* Timed lines are kept, the others played where the drives are to be set up. */
static err_code take_line(struct script *script, const char *line, bool sets_up,
                          struct error *err)
{
    CLEANUP(words_release) struct words words = {.items = NULL};
    CLEANUP(strbuf_release) struct strbuf rest = STRBUF_INIT;
    err_code code = words_split(line, &words, err);

    if (code || !words.count)
        return code;
    if (strcmp(words.items[0], "at") != 0)
        return sets_up ? practice_play(line, err) : ERR_OK;
    struct script_line timed = {0, NULL};
    if (words.count < 3 || !practice_read_seconds(words.items[1], &timed.at_ms))
        return error_set(err, ERR_INVALID, "at: use \"at SECONDS LINE\"");
    words_join(&words, 2, &rest);
    timed.text = strbuf_detach(&rest);
    insert(script, timed);
    return ERR_OK;
}

static err_code take_lines(struct script *script, const char *path,
                           const char *text, bool sets_up, struct error *err)
{
    int number = 1;

    for (const char *line = text; *line; number++) {
        size_t length = strcspn(line, "\n");
        CLEANUP_FREE char *one = xstrndup(line, length);
        err_code code = take_line(script, one, sets_up, err);
        if (code) {
            error_prefix(err, "%s:%d", path, number);
            return code;
        }
        line += length + (line[length] != '\0');
    }
    return ERR_OK;
}

/* Held until the drives are set up; *out_is_first: by whoever has it now. */
static err_code lock_set_up(int *out_fd, bool *out_is_first, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FD int cards_fd = -1;
    struct stat found;
    err_code code = practice_path("cards/set-up", &path, err);

    if (!code)
        code = card_lock(&cards_fd, err); /* makes the directory */
    if (code)
        return code;
    CLEANUP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cleanup_fd(&cards_fd);
    while (fd >= 0 && flock(fd, LOCK_EX) && errno == EINTR)
        continue;
    if (fd < 0 || fstat(fd, &found))
        return error_set_errno(err, errno, "cannot open %s", path);
    *out_is_first = !found.st_size;
    *out_fd = TAKE_FD(fd);
    return ERR_OK;
}

static err_code load(struct script *script, int fd, const char *path,
                     struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP_FD int set_up_fd = -1;
    bool sets_up = false;
    err_code code = lock_set_up(&set_up_fd, &sets_up, err);

    if (!code)
        code = fd_read_file(fd, SCRIPT_LIMIT_BYTES, path, &text, err);
    if (!code)
        code = take_lines(script, path, text.text, sets_up, err);
    if (!code && sets_up && fd_write_full(set_up_fd, "done\n", 5))
        code = error_set_errno(err, errno, "cannot write cards/set-up");
    return code;
}

err_code script_open(struct script *out, struct error *err)
{
    CLEANUP(script_release) struct script script = SCRIPT_INIT;
    CLEANUP_FREE char *path = NULL;
    err_code code = practice_path("script", &path, err);

    if (code)
        return code;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        code = load(&script, fd, path, err);
    if (code)
        return code;
    /* The process that has the lock plays what has a time. */
    if (fd >= 0 && !platform_try_lock(fd, NULL))
        script.lock_fd = TAKE_FD(fd);
    else
        script.played = script.count;
    *out = script;
    script = (struct script)SCRIPT_INIT;
    return ERR_OK;
}

void script_play_until(struct script *script, int64_t now_ms)
{
    while (script->played < script->count &&
           script->items[script->played].at_ms <= now_ms)
        practice_play_or_complain(script->items[script->played++].text);
}

/* --- the control file --- */

bool practice_has_control(void)
{
    CLEANUP_FREE char *path = NULL;
    struct stat found;

    return !practice_path("control", &path, NULL) && !lstat(path, &found);
}

static int64_t read_done(const char *path)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (file_read(path, 64, &text, NULL))
        return 0;
    return strtoll(text.text, NULL, 10);
}

static void write_done(const char *path, int64_t done)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%" PRId64 "\n", done);
    CLEANUP_FREE char *fresh = xasprintf("%s.new", path);
    CLEANUP_FD int fd =
        open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || fd_write_full(fd, text, (size_t)length) ||
        rename(fresh, path))
        return; /* the lines are carried out again: not to be helped */
}

static void play_from(const char *text, const char *done_path, int64_t done)
{
    const char *end;

    for (; (end = strchr(text, '\n')); text = end + 1) {
        CLEANUP_FREE char *line = xstrndup(text, (size_t)(end - text));
        practice_play_or_complain(line);
        done += end - text + 1;
        write_done(done_path, done);
    }
}

void practice_play_control(void)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP_FREE char *path = NULL;
    struct stat found;

    if (practice_path("control", &path, NULL))
        return;
    CLEANUP_FREE char *done_path = xasprintf("%s.done", path);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    /* Another process may be about it: its lines are carried out, then. */
    if (fd < 0 || fstat(fd, &found) || platform_try_lock(fd, NULL))
        return;
    int64_t done = read_done(done_path);
    if (done == found.st_size)
        return;
    if (done > found.st_size) /* begun anew */
        done = 0;
    if (lseek(fd, (off_t)done, SEEK_SET) < 0 ||
        fd_read_file(fd, SCRIPT_LIMIT_BYTES, path, &text, NULL))
        return;
    play_from(text.text, done_path, done);
}
