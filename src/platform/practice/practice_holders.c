#include "platform/practice/practice_holders.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/path.h"
#include "platform/posix_host.h"
#include "platform/posix_io.h"
#include "platform/practice/practice.h"
#include "platform/practice/practice_keys.h"
#include "platform/practice/practice_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOLDER_KEY "busy-"
/* How long one stays without "for": the process must end some day. */
#define LONGEST_MS (INT64_C(3600) * 1000)

extern char **environ;

/* --- taking hold --- */

/*
 * "busy-PID" = "UNTIL PID COMMAND PATH …", UNTIL in milliseconds of the
 * monotonic clock, which all processes share.
 */
struct hold {
    int64_t pid, until_ms;
    const char *command, *path, *user, *kind; /* borrowed from the words */
    bool is_ancestor;
};

static int64_t now_ms(void)
{
    return clock_monotonic_ns() / NS_PER_MS;
}

static err_code read_option(const char *word, struct hold *hold,
                            struct error *err)
{
    const char *equals = strchr(word, '=');
    int64_t ms;

    if (!strncmp(word, "for=", 4) && practice_read_seconds(word + 4, &ms))
        hold->until_ms = now_ms() + ms;
    else if (!strncmp(word, "user=", 5))
        hold->user = equals + 1;
    else if (!strncmp(word, "kind=", 5))
        hold->kind = equals + 1;
    else if (!strcmp(word, "ancestor=yes"))
        hold->is_ancestor = true;
    else
        return error_set(err, ERR_INVALID,
                         "busy: %s is none of for=SECONDS user=NAME kind=KIND "
                         "ancestor=yes",
                         word);
    return ERR_OK;
}

/* `first`: the pid. */
static err_code read_hold(const struct words *words, size_t first,
                          struct hold *out, struct error *err)
{
    err_code code = ERR_OK;

    if (words->count < first + 3)
        return error_set(err, ERR_INVALID,
                         "busy: use busy NAME PID COMMAND PATH");
    *out = (struct hold){
        .pid = strtoll(words->items[first], NULL, 10),
        .command = words->items[first + 1],
        .path = words->items[first + 2],
        .user = "",
        .kind = "file",
        .until_ms = INT64_MAX,
    };
    for (size_t i = first + 3; !code && i < words->count; i++)
        code = read_option(words->items[i], out, err);
    return code;
}

static void release_attributes(posix_spawnattr_t *attributes)
{
    posix_spawnattr_destroy(attributes);
}

static void release_actions(posix_spawn_file_actions_t *actions)
{
    posix_spawn_file_actions_destroy(actions);
}

/*
 * A process that does nothing until it is asked to quit. Our threads have
 * their signals blocked; it must not inherit that, nor a pipe that somebody
 * reads until we end.
 */
static err_code start_idler(const struct hold *hold, int64_t *out_pid,
                            struct error *err)
{
    int64_t left_ms =
        hold->until_ms == INT64_MAX ? LONGEST_MS : hold->until_ms - now_ms();
    CLEANUP_FREE char *seconds = xasprintf("%" PRId64, left_ms / 1000 + 1);
    char program[] = "sleep";
    char *const arguments[] = {program, seconds, NULL};
    CLEANUP(release_attributes) posix_spawnattr_t attributes;
    CLEANUP(release_actions) posix_spawn_file_actions_t actions;
    sigset_t none;
    pid_t pid;

    if (posix_spawnattr_init(&attributes) ||
        posix_spawn_file_actions_init(&actions))
        die("no memory for the attributes of a process");
    int failed = 0;
    for (int fd = STDIN_FILENO; !failed && fd <= STDERR_FILENO; fd++)
        failed = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null",
                                                  O_RDWR, 0);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (!failed)
        failed = posix_spawnp(&pid, program, &actions, &attributes, arguments,
                              environ);
    if (failed)
        return error_set_errno(err, failed, "cannot start sleep");
    *out_pid = pid;
    return ERR_OK;
}

static void quote(struct strbuf *line, const char *word)
{
    strbuf_addf(line, " \"%s\"", word);
}

err_code practice_hold(struct card *card, const struct words *words,
                       struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    struct hold hold;
    err_code code = read_hold(words, 2, &hold, err);

    if (!code && !strcmp(words->items[2], "-"))
        code = start_idler(&hold, &hold.pid, err);
    else if (!code && hold.pid <= 0)
        code = error_set(err, ERR_INVALID, "busy: %s is no process id",
                         words->items[2]);
    else if (!code)
        hold.pid += PRACTICE_PID_BASE;
    if (code)
        return code;
    CLEANUP_FREE char *key = xasprintf(HOLDER_KEY "%" PRId64, hold.pid);
    strbuf_addf(&line, "%" PRId64 " %" PRId64, hold.until_ms, hold.pid);
    quote(&line, hold.command);
    quote(&line, hold.path);
    strbuf_addf(&line, " \"user=%s\" kind=%s%s", hold.user, hold.kind,
                hold.is_ancestor ? " ancestor=yes" : "");
    card_set(card, key, line.text);
    return ERR_OK;
}

static bool is_holder(const char *key)
{
    return !strncmp(key, HOLDER_KEY, strlen(HOLDER_KEY));
}

/* A real one is ended; if it was another process's child, that reaps it. */
static void end_idler(int64_t pid)
{
    if (pid <= 0 || pid >= PRACTICE_PID_BASE)
        return;
    if (!waitpid((pid_t)pid, NULL, WNOHANG)) {
        kill((pid_t)pid, SIGTERM);
        waitpid((pid_t)pid, NULL, 0);
    }
}

void practice_let_go(struct card *card)
{
    for (size_t i = card->count; i-- > 0;) {
        if (!is_holder(card->items[i].key))
            continue;
        end_idler(strtoll(card->items[i].key + strlen(HOLDER_KEY), NULL, 10));
        card_set(card, card->items[i].key, NULL);
    }
}

/* --- who is there --- */

static bool is_alive(int64_t pid)
{
    if (pid >= PRACTICE_PID_BASE)
        return true;
    /* Ours is a zombie until it was waited for. */
    pid_t waited = waitpid((pid_t)pid, NULL, WNOHANG);
    return waited != (pid_t)pid && (!kill((pid_t)pid, 0) || errno == EPERM);
}

static enum platform_hold kind_named(const char *name)
{
    static const char *const names[] = {
        [PLATFORM_HOLD_FILE] = "file",
        [PLATFORM_HOLD_DIRECTORY] = "directory",
        [PLATFORM_HOLD_ROOT] = "root",
        [PLATFORM_HOLD_PROGRAM] = "program",
        [PLATFORM_HOLD_MAPPING] = "mapping",
        [PLATFORM_HOLD_MOUNT] = "mount",
        [PLATFORM_HOLD_LOOP] = "loop",
        [PLATFORM_HOLD_SWAP] = "swap",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (!strcmp(names[i], name))
            return (enum platform_hold)i;
    return PLATFORM_HOLD_FILE;
}

static void add_played(const char *mount_point, const char *line,
                       struct platform_holders *out)
{
    CLEANUP(words_release) struct words words = {.items = NULL};
    struct hold hold;

    if (words_split(line, &words, NULL) || read_hold(&words, 1, &hold, NULL))
        return;
    if (strtoll(words.items[0], NULL, 10) <= now_ms() || !is_alive(hold.pid))
        return;
    bool is_ours = !*hold.user;
    struct platform_holder holder = {
        .pid = hold.pid,
        .user = is_ours ? posix_user_name() : xstrdup(hold.user),
        .command = xstrdup(hold.command),
        .path = xasprintf("%s%s%s", mount_point, *hold.path == '/' ? "" : "/",
                          hold.path),
        .kind = kind_named(hold.kind),
        .is_ancestor = hold.is_ancestor,
        .is_same_user = is_ours,
    };
    ARRAY_PUSH(out, holder);
}

/* --- ourselves --- */

struct own {
    const char *mount_point;
    struct platform_holders *out;
};

static err_code add_own(void *context, const struct platform_entry *entry,
                        struct error *err)
{
    const struct own *own = context;
    CLEANUP_FREE char *link = path_join("/proc/self/fd", entry->name);
    CLEANUP_FREE char *path = NULL;

    if (posix_read_link_at(AT_FDCWD, link, link, &path, NULL) ||
        !path_is_within(path, own->mount_point))
        return ERR_OK;
    struct platform_holder holder = {
        .pid = getpid(),
        .user = posix_user_name(),
        .command = xstrdup("berth"),
        .path = TAKE_PTR(path),
        .is_same_user = true,
    };
    ARRAY_PUSH(own->out, holder);
    return ERR_OK;
}

void practice_list_holders(const char *volume, struct platform_holders *out)
{
    CLEANUP(card_release) struct card card = CARD_INIT;
    CLEANUP_FREE char *mount_point = practice_mount_point(volume);
    struct own own = {mount_point, out};
    CLEANUP_FD int fd = -1;

    if (!mount_point)
        return;
    card_load(CARD_VOLUME, volume, &card);
    for (size_t i = 0; i < card.count; i++)
        if (is_holder(card.items[i].key))
            add_played(mount_point, card.items[i].value, out);
    /* Where there is no /proc nothing is known of ourselves. */
    if (posix_open_root("/proc/self/fd", &fd, NULL) ||
        posix_list_directory(fd, add_own, &own, NULL))
        return;
}
