/*
 * berth's side of a snapshot: starting the helper, watching it, ending it and
 * reading its report; and the helper's main, which is the other end of the
 * same pipe. What the helper does with the database is in sqlite_helper.c.
 */
#include "core/sqlite_copy.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    DIRECTORY_FD = 3, /* in the helper */
    REPORT_FD = 4,
    FIRST_FREE_FD = 10,      /* above both, so that dup2 never meets itself */
    PATIENCE_MS = 30000,     /* for writers */
    LOOK_MS = 50,            /* how often `stop` is looked at */
    EXIT_MS = 3000,          /* from the end of the report to the exit */
    TERM_MS = 250,           /* from SIGTERM to SIGKILL */
    KILL_MS = 5000,          /* from SIGKILL to giving up on it */
    ORPHAN_MS = 250,         /* how often the helper looks for its parent */
    SMALLEST_DATABASE = 512, /* bytes: one page of the smallest size */
    REPORT_HEAD_SIZE = 128,
    REPORT_LIMIT = REPORT_HEAD_SIZE + ERROR_MESSAGE_SIZE,
};

/* --- names and magic --- */

static const char *const side_suffixes[] = {"-wal", "-shm", "-journal"};

bool sqlite_is_database(const unsigned char *bytes, size_t length)
{
    return length >= SQLITE_MAGIC_BYTES &&
           !memcmp(bytes, "SQLite format 3", SQLITE_MAGIC_BYTES);
}

/* fileformat.html, 4.1: 0x377f0682 or 0x377f0683, big endian. */
bool sqlite_is_wal(const unsigned char *bytes, size_t length)
{
    return length >= 4 && !memcmp(bytes, "\x37\x7f\x06", 3) &&
           (bytes[3] == 0x82 || bytes[3] == 0x83);
}

/* fileformat.html, 3. */
bool sqlite_is_journal(const unsigned char *bytes, size_t length)
{
    return length >= 8 && !memcmp(bytes, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
}

size_t sqlite_side_file_base(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < COUNT_OF(side_suffixes); i++) {
        size_t suffix = strlen(side_suffixes[i]);
        if (length > suffix &&
            !strcmp(name + length - suffix, side_suffixes[i]))
            return length - suffix;
    }
    return 0;
}

bool sqlite_lacks_side_file(err_code code)
{
    return code == ERR_NOT_FOUND || code == ERR_INVALID;
}

static void discard_scratch(const char *scratch_path)
{
    unlink(scratch_path);
    for (size_t i = 0; i < COUNT_OF(side_suffixes); i++) {
        CLEANUP_FREE char *side =
            xasprintf("%s%s", scratch_path, side_suffixes[i]);
        unlink(side);
    }
}

/*
 * --- the report ---
 *
 * "berth-snapshot 1 CODE WAS_WAL SIZE LENGTH\n", then the message's LENGTH
 * bytes. The parent believes it only where it is exactly what it would have
 * written itself.
 */
#define REPORT_GREETING "berth-snapshot 1 "

struct report {
    err_code code;
    struct sqlite_snapshot snapshot; /* zero on failure */
    const char *message;             /* "" on success */
    size_t message_length;
};

static size_t report_head(const struct report *report,
                          char head[REPORT_HEAD_SIZE])
{
    return (size_t)snprintf(
        head, REPORT_HEAD_SIZE, REPORT_GREETING "%d %d %" PRId64 " %zu\n",
        (int)report->code, report->snapshot.was_wal,
        report->snapshot.size_bytes, report->message_length);
}

static long long next_number(const char **cursor)
{
    char *end;
    long long number = strtoll(*cursor, &end, 10);

    *cursor = end;
    return number;
}

/* `out->message` points into `text`, which ends in a NUL byte. */
static bool parse_report(const struct strbuf *text, struct report *out)
{
    static const char greeting[] = REPORT_GREETING;
    char head[REPORT_HEAD_SIZE];
    const char *cursor = text->text;

    if (strncmp(cursor, greeting, sizeof greeting - 1))
        return false;
    cursor += sizeof greeting - 1;
    long long code = next_number(&cursor);
    long long was_wal = next_number(&cursor);
    long long size_bytes = next_number(&cursor);
    long long message_length = next_number(&cursor);
    if (code < ERR_OK || code > ERR_INTERNAL || was_wal < 0 || was_wal > 1 ||
        message_length < 0 || message_length >= ERROR_MESSAGE_SIZE)
        return false;

    struct report report = {
        .code = (err_code)code,
        .snapshot = {.size_bytes = size_bytes, .was_wal = was_wal == 1},
        .message_length = (size_t)message_length,
    };
    size_t head_length = report_head(&report, head);
    if (text->length != head_length + report.message_length ||
        memcmp(text->text, head, head_length))
        return false;
    report.message = text->text + head_length;
    if (strlen(report.message) != report.message_length)
        return false;
    if (report.code ? size_bytes != 0 : size_bytes < SMALLEST_DATABASE)
        return false;
    *out = report;
    return !report.code == !report.message_length;
}

/* --- the parent --- */

struct helper {
    pid_t pid;
    int report_fd; /* non-blocking */
    bool is_reaped;
    int status; /* of waitpid, once reaped */
    struct strbuf report;
};

/* Moves a descriptor out of the way of the numbers that the helper uses. */
static int move_up(int *fd)
{
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);

    if (moved < 0)
        return errno;
    close(*fd);
    *fd = moved;
    return 0;
}

/*
 * A pipe whose ends no other child inherits. POSIX.1-2008 has no pipe2, so
 * that a fork elsewhere in the program can come in between: the helper's end
 * is noticed by waitpid, too, and ours by getppid.
 */
static int open_pipe(int *out_read, int *out_write)
{
    int ends[2];

    if (pipe(ends))
        return errno;
    CLEANUP_FD int read_end = ends[0];
    CLEANUP_FD int write_end = ends[1];
    if (fcntl(read_end, F_SETFD, FD_CLOEXEC) ||
        fcntl(write_end, F_SETFD, FD_CLOEXEC) ||
        fcntl(read_end, F_SETFL, O_NONBLOCK))
        return errno;
    int failed = move_up(&write_end);
    if (failed)
        return failed;
    *out_read = TAKE_FD(read_end);
    *out_write = TAKE_FD(write_end);
    return 0;
}

static int set_actions(posix_spawn_file_actions_t *actions, int directory_fd,
                       int report_fd)
{
    int failed = 0;

    /* Nothing that a library prints may reach the screen. */
    for (int fd = 0; fd <= 2 && !failed; fd++)
        failed = posix_spawn_file_actions_addopen(actions, fd, "/dev/null",
                                                  O_RDWR, 0);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(actions, directory_fd,
                                                  DIRECTORY_FD);
    if (!failed)
        failed =
            posix_spawn_file_actions_adddup2(actions, report_fd, REPORT_FD);
    return failed;
}

/*
 * Workers have all signals blocked, and a blocked SIGTERM would stay blocked
 * in the helper. Its own process group keeps the terminal's Ctrl-C, which is
 * berth's to understand, away from it.
 */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGTERM);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGHUP);
    sigaddset(&defaults, SIGCHLD);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    if (!failed)
        failed = posix_spawnattr_setsigdefault(attributes, &defaults);
    if (!failed)
        failed = posix_spawnattr_setpgroup(attributes, 0);
    if (!failed)
        failed = posix_spawnattr_setflags(
            attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                POSIX_SPAWN_SETPGROUP));
    return failed;
}

static int spawn(const char *program, char *const *argv, int directory_fd,
                 int report_fd, pid_t *out_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);

    if (failed)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        failed = set_actions(&actions, directory_fd, report_fd);
        if (!failed)
            failed = set_attributes(&attributes);
        if (!failed)
            failed = posix_spawn(out_pid, program, &actions, &attributes, argv,
                                 environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int start_helper(const char *program, int directory_fd, const char *name,
                        const char *scratch_path, struct helper *helper)
{
    /* So that two snapshots at once do not inherit each other's pipe. */
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    CLEANUP_FREE char *program_copy = xstrdup(program);
    CLEANUP_FREE char *name_copy = xstrdup(name);
    CLEANUP_FREE char *scratch_copy = xstrdup(scratch_path);
    CLEANUP_FREE char *patience = xasprintf("%d", PATIENCE_MS);
    char command[] = SQLITE_COPY_COMMAND;
    char *argv[] = {program_copy, command,  name_copy,
                    scratch_copy, patience, NULL};
    CLEANUP_FD int directory =
        fcntl(directory_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    CLEANUP_FD int write_end = -1;

    if (directory < 0)
        return errno;
    pid_t pid = 0;
    mutex_lock(&one_at_a_time);
    int failed = open_pipe(&helper->report_fd, &write_end);
    if (!failed)
        failed = spawn(program, argv, directory, write_end, &pid);
    mutex_unlock(&one_at_a_time);
    if (!failed)
        helper->pid = pid;
    return failed;
}

/* Waits until the helper has ended, for so long. */
static bool reap(struct helper *helper, int64_t wait_ms)
{
    const struct timespec moment = {.tv_nsec = 2 * NS_PER_MS};
    int64_t give_up_ns = clock_monotonic_ns() + wait_ms * NS_PER_MS;

    while (!helper->is_reaped) {
        pid_t pid = waitpid(helper->pid, &helper->status, WNOHANG);
        /* ECHILD, where SIGCHLD is ignored: ended; its report says how. */
        helper->is_reaped = pid == helper->pid || (pid < 0 && errno == ECHILD);
        if (helper->is_reaped || clock_monotonic_ns() >= give_up_ns)
            break;
        nanosleep(&moment, NULL);
    }
    return helper->is_reaped;
}

/*
 * However it stands. A helper that survives SIGKILL sits in a system call on
 * a disk that does not answer; waiting for it would hang berth as well.
 */
static void end_helper(struct helper *helper)
{
    if (helper->pid > 0 && !helper->is_reaped) {
        kill(helper->pid, SIGTERM);
        if (!reap(helper, TERM_MS)) {
            kill(helper->pid, SIGKILL);
            reap(helper, KILL_MS);
        }
    }
    cleanup_fd(&helper->report_fd);
    strbuf_release(&helper->report);
}

/* Takes what is there. True when no more will come, or too much came. */
static bool read_report(struct helper *helper)
{
    char chunk[1024];

    while (helper->report.length <= REPORT_LIMIT) {
        ssize_t got = read(helper->report_fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno != EAGAIN && errno != EWOULDBLOCK;
        if (!got)
            return true;
        strbuf_add(&helper->report, chunk, (size_t)got);
    }
    return true;
}

static err_code watch_helper(struct helper *helper,
                             const struct stop_flag *stop, const char *name,
                             struct error *err)
{
    struct pollfd report = {.fd = helper->report_fd, .events = POLLIN};
    bool has_ended = false;

    while (!read_report(helper) && !has_ended) {
        if (stop_flag_is_raised(stop))
            return error_set(err, ERR_CANCELLED, "%s: stopped", name);
        if (poll(&report, 1, LOOK_MS) == 0)
            has_ended = reap(helper, 0); /* and read once more */
    }
    if (stop_flag_is_raised(stop))
        return error_set(err, ERR_CANCELLED, "%s: stopped", name);
    /* One that talks without end is not waited for. */
    if (helper->report.length <= REPORT_LIMIT && !reap(helper, EXIT_MS))
        return error_set(err, ERR_INTERNAL,
                         "%s: the snapshot's helper does not end: a bug, "
                         "please report it",
                         name);
    return ERR_OK;
}

/* What came out of a helper that has ended. */
static err_code judge_helper(const struct helper *helper, const char *name,
                             const char *scratch_path,
                             struct sqlite_snapshot *out, struct error *err)
{
    struct report report;
    struct stat scratch;
    int status = helper->status; /* Darwin's macros cast const away */

    if (WIFSIGNALED(status))
        return error_set(err, ERR_INTERNAL,
                         "%s: the snapshot's helper was ended by signal %d: "
                         "try again",
                         name, WTERMSIG(status));
    if (status)
        return error_set(err, ERR_INTERNAL,
                         "%s: the snapshot's helper failed (status %d): try "
                         "again",
                         name, WEXITSTATUS(status));
    if (!parse_report(&helper->report, &report))
        return error_set(err, ERR_INTERNAL,
                         "%s: the snapshot's helper sent a report that makes "
                         "no sense: a bug, please report it",
                         name);
    if (report.code)
        return error_set(err, report.code, "%s", report.message);
    if (lstat(scratch_path, &scratch) || !S_ISREG(scratch.st_mode) ||
        scratch.st_size != report.snapshot.size_bytes)
        return error_set(err, ERR_INTERNAL,
                         "%s: the snapshot is not what its helper reported: "
                         "is something else writing to %s?",
                         name, scratch_path);
    *out = report.snapshot;
    return ERR_OK;
}

static err_code run_helper(const char *program, int directory_fd,
                           const char *name, const char *scratch_path,
                           const struct stop_flag *stop,
                           struct sqlite_snapshot *out, struct error *err)
{
    CLEANUP(end_helper)
    struct helper helper = {.report_fd = -1, .report = STRBUF_INIT};

    if (stop_flag_is_raised(stop))
        return error_set(err, ERR_CANCELLED, "%s: stopped", name);
    int failed =
        start_helper(program, directory_fd, name, scratch_path, &helper);
    if (failed) {
        error_set_errno(err, failed,
                        "%s: cannot start the snapshot's helper %s", name,
                        program);
        if (err)
            err->code = ERR_INTERNAL;
        return ERR_INTERNAL;
    }
    err_code code = watch_helper(&helper, stop, name, err);
    if (code)
        return code;
    return judge_helper(&helper, name, scratch_path, out, err);
}

/* Created here, not by the helper, so that it is ours to remove. */
static err_code create_scratch(const char *name, const char *scratch_path,
                               struct error *err)
{
    if (scratch_path[0] != '/' || !*name || strchr(name, '/'))
        return error_set(err, ERR_INVALID,
                         "%s: cannot be copied to %s: not a name and an "
                         "absolute path",
                         name, scratch_path);
    CLEANUP_FD int fd = RETRY_ON_EINTR(
        open(scratch_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd < 0)
        return error_set_errno(err, errno, "%s: cannot create the snapshot %s",
                               name, scratch_path);
    return ERR_OK;
}

err_code sqlite_copy_snapshot(const char *program, int directory_fd,
                              const char *name, const char *scratch_path,
                              const struct stop_flag *stop,
                              struct sqlite_snapshot *out, struct error *err)
{
    err_code code = create_scratch(name, scratch_path, err);

    if (code)
        return code;
    code =
        run_helper(program, directory_fd, name, scratch_path, stop, out, err);
    if (code)
        discard_scratch(scratch_path);
    return code;
}

/* --- the helper --- */

struct orphan_watch {
    pid_t parent;
    const char *scratch_path;
};

/*
 * Ends this process when berth is gone: nobody reads the pipe any more (poll
 * says POLLERR on Linux, POLLHUP on macOS), or, where another process has
 * inherited its other end, we have a new parent. A thread, because one
 * backup step or integrity_check may take minutes.
 */
static void *watch_parent(void *argument)
{
    const struct orphan_watch *watch = argument;
    struct pollfd report = {.fd = REPORT_FD};

    for (;;) {
        int ready = poll(&report, 1, ORPHAN_MS);
        if (ready > 0 || getppid() != watch->parent) {
            discard_scratch(watch->scratch_path);
            _exit(1);
        }
    }
}

static void start_orphan_watch(const char *scratch_path)
{
    static struct orphan_watch watch; /* outlives main: the thread does */

    watch = (struct orphan_watch){.parent = getppid(),
                                  .scratch_path = scratch_path};
    pthread_detach(thread_start(watch_parent, &watch));
}

static bool send_report(err_code code, const struct sqlite_snapshot *snapshot,
                        const struct error *err)
{
    char head[REPORT_HEAD_SIZE];
    struct report report = {.code = code, .message = ""};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (code)
        report.message = err->message;
    else
        report.snapshot = *snapshot;
    report.message_length = strlen(report.message);
    strbuf_add(&text, head, report_head(&report, head));
    strbuf_adds(&text, report.message);
    return !fd_write_full(REPORT_FD, text.text, text.length);
}

static bool read_patience(const char *text, int64_t *out_patience_ms)
{
    char *end;
    long long patience_ms = strtoll(text, &end, 10);

    if (end == text || *end || patience_ms < 0 || patience_ms > INT_MAX)
        return false;
    *out_patience_ms = patience_ms;
    return true;
}

int sqlite_copy_helper_main(int argc, char **argv)
{
    struct sqlite_snapshot snapshot = {0};
    struct error err = ERROR_INIT;
    int64_t patience_ms;

    if (argc != 5 || !read_patience(argv[4], &patience_ms) ||
        fcntl(DIRECTORY_FD, F_SETFD, FD_CLOEXEC) ||
        fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC))
        return 2; /* not started by berth */
    /* A closed pipe and a file size limit are errors here, not deaths. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    /* A core would land beside the database. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    start_orphan_watch(argv[3]);
    err_code code = sqlite_copy_in_helper(DIRECTORY_FD, argv[2], argv[3],
                                          patience_ms, &snapshot, &err);
    if (!send_report(code, &snapshot, &err)) {
        discard_scratch(argv[3]);
        return 1;
    }
    return 0;
}
