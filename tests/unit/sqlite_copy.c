/*
 * Snapshots of databases that are in use, left behind, damaged or strange, and
 * of helpers that are stopped, killed or hostile.
 *
 * This program is the helper as well: sqlite_copy starts it anew with
 * "sqlite-snapshot" as its first argument. TEST_ROLE says which kind of helper.
 *
 * Writers are other processes. Where this process itself holds a lock it must
 * not look into the database's files: closing them drops the lock, which is
 * why there is a helper at all.
 */
#include "core/sqlite_copy.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/hash.h"
#include "core/base/path.h"
#include "core/base/strbuf.h"
#include "platform/platform_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

enum {
    NOBODY = 65534,
    ACCOUNTS = 300,
    MOST_TRIES = 2000, /* a writer's, for a lock */
    /* SQLite's locks: os.h and wal.c. */
    RESERVED_BYTE = 0x40000001,
    SHARED_BYTE = 0x40000002,
    WAL_WRITE_BYTE = 120,
};

static char own_program[PATH_MAX];

static void sleep_ms(int64_t duration_ms)
{
    struct timespec duration = clock_to_timespec(duration_ms * NS_PER_MS);

    nanosleep(&duration, NULL);
}

/* --- a place to work in --------------------------------------------------- */

struct fixture {
    char *root;      /* to be removed */
    char *directory; /* of the databases */
    char *scratch;
    char *pid_file; /* written and locked by a helper that is told to */
    int directory_fd;
    struct stop_flag stop;
    int64_t stopped_ns; /* when it was raised */
    pid_t children[2];  /* to be ended even if the test fails; or 0 */
    struct sqlite_snapshot snapshot;
    struct error err;
};

static int set_up(void **state)
{
    static int count;
    const char *parent = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    struct fixture *fixture = xcalloc(1, sizeof *fixture);

    fixture->root =
        xasprintf("%s/sqlite-%ld-%d", parent, (long)getpid(), ++count);
    if (mkdir(fixture->root, 0755))
        return -1;
    fixture->directory = path_join(fixture->root, "source");
    CLEANUP_FREE char *scratch_directory = path_join(fixture->root, "scratch");
    fixture->scratch = path_join(scratch_directory, "copy.db");
    fixture->pid_file = path_join(fixture->root, "pid");
    mkdir(fixture->directory, 0755);
    mkdir(scratch_directory, 0755);
    chmod(scratch_directory, 01777);
    fixture->directory_fd =
        open(fixture->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    setenv("TEST_ROLE", "", 1);
    setenv("TEST_PATIENCE_MS", "20000", 1);
    setenv("TEST_PID_FILE", "", 1);
    *state = fixture;
    return 0;
}

static void end_children(struct fixture *fixture)
{
    for (size_t i = 0; i < COUNT_OF(fixture->children); i++) {
        if (fixture->children[i]) {
            kill(fixture->children[i], SIGKILL);
            waitpid(fixture->children[i], NULL, 0);
        }
        fixture->children[i] = 0;
    }
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP_FREE char *remove = xasprintf("rm -rf '%s'", fixture->root);

    end_children(fixture);
    close(fixture->directory_fd);
    int failed = system(remove);
    free(fixture->root);
    free(fixture->directory);
    free(fixture->scratch);
    free(fixture->pid_file);
    free(fixture);
    return failed;
}

static err_code take_snapshot(struct fixture *fixture, const char *name)
{
    return sqlite_copy_snapshot(own_program, fixture->directory_fd, name,
                                fixture->scratch, &fixture->stop,
                                &fixture->snapshot, &fixture->err);
}

/* How many names there are beside the scratch file's. */
static int count_names(const char *directory)
{
    DIR *list = opendir(directory);
    int count = -2; /* "." and ".." */

    while (readdir(list))
        count++;
    closedir(list);
    return count;
}

static int count_scratch(const struct fixture *fixture)
{
    CLEANUP_FREE char *directory = path_join(fixture->root, "scratch");

    return count_names(directory);
}

static void assert_snapshot(struct fixture *fixture, const char *name)
{
    unlink(fixture->scratch);
    if (take_snapshot(fixture, name))
        fail_msg("%s: %s", error_code_name(fixture->err.code),
                 fixture->err.message);
    assert_int_equal(count_scratch(fixture), 1);
}

/* Fails as it should, says so in these words, and leaves nothing. */
static void assert_no_snapshot(struct fixture *fixture, const char *name,
                               err_code expected, const char *words)
{
    err_code code = take_snapshot(fixture, name);

    if (code != expected || !strstr(fixture->err.message, words) ||
        strncmp(fixture->err.message, name, strlen(name)))
        fail_msg("%s: \"%s\"", error_code_name(code), fixture->err.message);
    assert_int_equal(fixture->err.code, expected);
    assert_int_equal(count_scratch(fixture), 0);
}

/* --- databases ------------------------------------------------------------ */

static void run_sql(sqlite3 *database, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(database, sql, NULL, NULL, &message))
        die("%s: %s", sql, message);
}

static char *path_of(const struct fixture *fixture, const char *name)
{
    return path_join(fixture->directory, name);
}

static sqlite3 *open_database(const struct fixture *fixture, const char *name)
{
    CLEANUP_FREE char *path = path_of(fixture, name);
    sqlite3 *database;

    if (sqlite3_open(path, &database))
        die("%s: %s", path, sqlite3_errmsg(database));
    run_sql(database, "PRAGMA synchronous = OFF");
    return database;
}

/*
 * A bank: each transfer moves 1 from one account to another and has a line in
 * the log, which lies at the other end of the file. `padding_kib` is between.
 */
static sqlite3 *create_bank(const struct fixture *fixture, const char *name,
                            const char *journal_mode, int padding_kib)
{
    sqlite3 *database = open_database(fixture, name);
    CLEANUP_FREE char *setup = xasprintf(
        "PRAGMA journal_mode = %s; BEGIN;"
        "CREATE TABLE log (n INTEGER PRIMARY KEY, source, target);"
        "CREATE TABLE padding (id INTEGER PRIMARY KEY, bytes);"
        "CREATE TABLE account (id INTEGER PRIMARY KEY, balance, filler);"
        "WITH c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)"
        "INSERT INTO padding SELECT i, zeroblob(1000) FROM c;"
        "WITH c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)"
        "INSERT INTO account SELECT i, 0, zeroblob(700) FROM c;"
        "COMMIT",
        journal_mode, padding_kib, ACCOUNTS);

    run_sql(database, setup);
    return database;
}

static int64_t ask(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) ||
        sqlite3_step(statement) != SQLITE_ROW)
        die("%s: %s", sql, sqlite3_errmsg(database));
    int64_t answer = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return answer;
}

static int64_t ask_copy(const struct fixture *fixture, const char *sql)
{
    sqlite3 *database;

    if (sqlite3_open_v2(fixture->scratch, &database, SQLITE_OPEN_READONLY,
                        NULL))
        die("%s: %s", fixture->scratch, sqlite3_errmsg(database));
    int64_t answer = ask(database, sql);
    sqlite3_close(database);
    return answer;
}

/* Returns the number of the last transfer in it. */
static int64_t assert_copy_is_a_committed_state(const struct fixture *fixture)
{
    int64_t last = ask_copy(fixture, "SELECT ifnull(max(n), 0) FROM log");

    assert_int_equal(ask_copy(fixture, "SELECT count(*) FROM log"), last);
    assert_int_equal(
        ask_copy(fixture,
                 "SELECT count(*) FROM account WHERE balance <>"
                 "(SELECT count(*) FROM log WHERE target = account.id) -"
                 "(SELECT count(*) FROM log WHERE source = account.id)"),
        0);
    return last;
}

static void transfer(sqlite3 *database, unsigned number)
{
    unsigned source = number * 7919 % ACCOUNTS + 1;
    unsigned target = number * 104729 % ACCOUNTS + 1;
    CLEANUP_FREE char *sql =
        xasprintf("BEGIN IMMEDIATE;"
                  "UPDATE account SET balance = balance - 1 WHERE id = %u;"
                  "UPDATE account SET balance = balance + 1 WHERE id = %u;"
                  "INSERT INTO log (source, target) VALUES (%u, %u);"
                  "COMMIT",
                  source, target, source, target);

    run_sql(database, sql);
}

static void write_file(const struct fixture *fixture, const char *name,
                       const void *bytes, size_t length)
{
    CLEANUP_FREE char *path = path_of(fixture, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_int_equal(fd_write_full(fd, bytes, length), 0);
    close(fd);
}

static void read_file(const struct fixture *fixture, const char *name,
                      struct strbuf *out)
{
    CLEANUP_FREE char *path = path_of(fixture, name);

    assert_int_equal(file_read(path, 1 << 30, out, NULL), ERR_OK);
}

static void copy_file(const struct fixture *fixture, const char *from,
                      const char *to)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;

    read_file(fixture, from, &bytes);
    write_file(fixture, to, bytes.text, bytes.length);
}

/* As if its program had died: "dead.db" with the side files of a bank. */
static void create_dead_bank(const struct fixture *fixture, bool has_shm)
{
    sqlite3 *database = create_bank(fixture, "bank.db", "WAL", 100);

    run_sql(database, "PRAGMA wal_checkpoint(TRUNCATE);"
                      "PRAGMA wal_autocheckpoint = 0");
    for (unsigned i = 0; i < 20; i++)
        transfer(database, i);
    copy_file(fixture, "bank.db", "dead.db");
    copy_file(fixture, "bank.db-wal", "dead.db-wal");
    if (has_shm)
        copy_file(fixture, "bank.db-shm", "dead.db-shm");
    sqlite3_close(database);
}

/*
 * Everything that a backup must not change: names, content, times. Of a -shm
 * all but its ctime: SQLite, as root, chowns it to the database's owner.
 */
static int by_name(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static char *describe_directory(const struct fixture *fixture)
{
    struct strbuf out = STRBUF_INIT;
    struct dirent **entries = NULL;
    int count = scandir(fixture->directory, &entries, NULL, by_name);

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        char hash[HASH_HEX_SIZE] = "";
        struct platform_stat stat;

        if (*name != '.' &&
            !platform_stat_beneath(fixture->directory_fd, name, &stat, NULL)) {
            read_file(fixture, name, &bytes);
            struct hash digest = hash_of(bytes.text, bytes.length);
            hash_to_hex(&digest, hash);
            strbuf_addf(&out, "%s %" PRIu64 " %" PRId64 " %s", name, stat.inode,
                        stat.mtime_ns, hash);
            if (!strstr(name, "-shm"))
                strbuf_addf(&out, " %" PRId64, stat.ctime_ns);
            strbuf_addch(&out, '\n');
        }
        free(entries[i]);
    }
    free(entries);
    return strbuf_detach(&out);
}

/* --- other processes ------------------------------------------------------ */

struct writer {
    int leash; /* a byte: stop */
    int news;  /* its statistics come here */
};

struct statistics {
    int transfers;
    int worst_tries; /* to get one lock, a millisecond between each */
};

static int wait_for_lock(void *context, int tries)
{
    struct statistics *statistics = context;

    if (tries > statistics->worst_tries)
        statistics->worst_tries = tries;
    sleep_ms(1);
    return 1;
}

static void write_until_stopped(const struct fixture *fixture, const char *name,
                                int pause_ms, int leash, int news)
{
    sqlite3 *database = open_database(fixture, name);
    struct pollfd stop = {.fd = leash, .events = POLLIN};
    struct statistics statistics = {0};

    sqlite3_busy_handler(database, wait_for_lock, &statistics);
    run_sql(database, "PRAGMA wal_autocheckpoint = 20");
    while (!poll(&stop, 1, pause_ms))
        transfer(database, (unsigned)(getpid() + statistics.transfers++));
    sqlite3_close(database);
    if (fd_write_full(news, &statistics, sizeof statistics))
        die("no statistics");
}

static void make_pipe(int ends[2])
{
    if (pipe(ends))
        die("pipe");
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
}

static struct writer start_writer(struct fixture *fixture, const char *name,
                                  int pause_ms)
{
    int leash[2], news[2];

    make_pipe(leash);
    make_pipe(news);
    pid_t pid = fork();
    if (!pid) {
        close(leash[1]);
        write_until_stopped(fixture, name, pause_ms, leash[0], news[1]);
        _exit(0);
    }
    close(leash[0]);
    close(news[1]);
    fixture->children[fixture->children[0] ? 1 : 0] = pid;
    return (struct writer){.leash = leash[1], .news = news[0]};
}

static struct statistics stop_writer(const struct writer *writer)
{
    struct statistics statistics = {0};

    assert_int_equal(fd_write_full(writer->leash, "!", 1), 0);
    close(writer->leash);
    assert_int_equal(fd_read_full(writer->news, &statistics, sizeof statistics),
                     (ssize_t)sizeof statistics);
    close(writer->news);
    return statistics;
}

/* Runs `body` in another process; its err_code. */
static err_code run_elsewhere(err_code (*body)(struct fixture *),
                              struct fixture *fixture)
{
    int status;
    pid_t pid = fork();

    if (!pid)
        _exit((int)body(fixture));
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    return (err_code)WEXITSTATUS(status);
}

/* Who holds a lock on that byte, as a third process sees it; 0: nobody. */
static pid_t lock_owner(const char *path, off_t byte)
{
    int answer[2];
    pid_t owner = 0;

    make_pipe(answer);
    pid_t child = fork();
    if (!child) {
        struct flock lock = {.l_type = F_WRLCK,
                             .l_whence = SEEK_SET,
                             .l_start = byte,
                             .l_len = 1};
        int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0 || fcntl(fd, F_GETLK, &lock))
            _exit(1);
        owner = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
        _exit(fd_write_full(answer[1], &owner, sizeof owner));
    }
    close(answer[1]);
    assert_int_equal(fd_read_full(answer[0], &owner, sizeof owner),
                     (ssize_t)sizeof owner);
    close(answer[0]);
    waitpid(child, NULL, 0);
    return owner;
}

static pid_t lock_owner_of(const struct fixture *fixture, const char *name,
                           off_t byte)
{
    CLEANUP_FREE char *path = path_of(fixture, name);

    return lock_owner(path, byte);
}

/* The helper that has locked its pid file; waits for it if told so. */
static pid_t helper_pid(const struct fixture *fixture, bool waits)
{
    for (int i = 0; i < 500; i++) {
        pid_t pid = access(fixture->pid_file, F_OK)
                        ? 0
                        : lock_owner(fixture->pid_file, 0);
        if (pid || !waits)
            return pid;
        sleep_ms(10);
    }
    return 0;
}

/* --- the helper's roles --------------------------------------------------- */

enum { TEST_REPORT_FD = 4 };

static void lock_pid_file(const char *path)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || fcntl(fd, F_SETLK, &lock))
        die("%s", path); /* and it stays open */
}

static int report_descriptors(void)
{
    CLEANUP(strbuf_release) struct strbuf open_ones = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf report = STRBUF_INIT;

    strbuf_adds(&open_ones, "bank.db: open:");
    for (int fd = TEST_REPORT_FD + 1; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            strbuf_addf(&open_ones, " %d", fd);
    strbuf_addf(&report, "berth-snapshot 1 %d 0 0 %zu\n%s", ERR_REFUSED,
                open_ones.length, open_ones.text);
    return fd_write_full(TEST_REPORT_FD, report.text, report.length);
}

static int flood(void)
{
    char noise[4096];

    memset(noise, 'x', sizeof noise);
    while (!fd_write_full(TEST_REPORT_FD, noise, sizeof noise))
        ;
    return 0;
}

static int ignore_sigterm(void)
{
    signal(SIGTERM, SIG_IGN);
    while (pause())
        ;
    return 0;
}

/*
 * Somebody who changes each database at the moment at which it is opened. The
 * helper looked at it before, and waited until a change shows in its times.
 */
static sqlite3_vfs *untouching;

static int open_touched(sqlite3_vfs *vfs, const char *path, sqlite3_file *file,
                        int flags, int *out_flags)
{
    if ((flags & SQLITE_OPEN_MAIN_DB) && chmod(path, 0644)) /* a new ctime */
        return SQLITE_CANTOPEN;
    return untouching->xOpen(untouching, path, file, flags, out_flags);
}

static void touch_what_is_opened(void)
{
    static sqlite3_vfs touching;

    untouching = sqlite3_vfs_find(NULL);
    touching = *untouching;
    touching.zName = "touching";
    touching.xOpen = open_touched;
    if (sqlite3_vfs_register(&touching, 1))
        die("SQLite does not take a VFS");
}

static int be_helper(int argc, char **argv)
{
    const char *role = getenv("TEST_ROLE");
    const char *report = getenv("TEST_REPORT");

    if (*getenv("TEST_PID_FILE"))
        lock_pid_file(getenv("TEST_PID_FILE"));
    if (!strcmp(role, "deaf"))
        return ignore_sigterm();
    if (!strcmp(role, "descriptors"))
        return report_descriptors();
    if (!strcmp(role, "flood"))
        return flood();
    if (!strcmp(role, "fails"))
        return 7;
    if (!strcmp(role, "report"))
        return fd_write_full(TEST_REPORT_FD, report, strlen(report));
    if (!strcmp(role, "touches"))
        touch_what_is_opened();
    argv[4] = getenv("TEST_PATIENCE_MS");
    return sqlite_copy_helper_main(argc, argv);
}

/* --- names and magic ------------------------------------------------------ */

static void side_files_are_known_by_their_names(void **state)
{
    assert_int_equal(sqlite_side_file_base("data.db-wal"), 7);
    assert_int_equal(sqlite_side_file_base("data.db-shm"), 7);
    assert_int_equal(sqlite_side_file_base("data.db-journal"), 7);
    assert_int_equal(sqlite_side_file_base("a-wal-wal"), 5);
    assert_int_equal(sqlite_side_file_base("data.db"), 0);
    assert_int_equal(sqlite_side_file_base("-wal"), 0);
    assert_int_equal(sqlite_side_file_base("data.db-WAL"), 0);
    assert_int_equal(sqlite_side_file_base(""), 0);
}

static void real_files_are_known_by_their_first_bytes(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    sqlite3 *wal = create_bank(fixture, "wal.db", "WAL", 0);
    sqlite3 *rollback = create_bank(fixture, "rollback.db", "DELETE", 0);

    read_file(fixture, "wal.db", &bytes);
    assert_true(sqlite_is_database((unsigned char *)bytes.text, 16));
    assert_false(sqlite_is_database((unsigned char *)bytes.text, 15));
    assert_false(sqlite_is_wal((unsigned char *)bytes.text, bytes.length));
    strbuf_reset(&bytes);
    read_file(fixture, "wal.db-wal", &bytes);
    assert_true(sqlite_is_wal((unsigned char *)bytes.text, 4));
    assert_false(sqlite_is_wal((unsigned char *)bytes.text, 3));
    assert_false(sqlite_is_database((unsigned char *)bytes.text, bytes.length));
    run_sql(rollback, "PRAGMA cache_size = 1; BEGIN;"
                      "UPDATE account SET filler = zeroblob(600)");
    strbuf_reset(&bytes);
    read_file(fixture, "rollback.db-journal", &bytes);
    assert_true(sqlite_is_journal((unsigned char *)bytes.text, 8));
    assert_false(sqlite_is_journal((unsigned char *)bytes.text, 7));
    sqlite3_close(wal);
    sqlite3_close(rollback);
}

/* --- the copy ------------------------------------------------------------- */

static void assert_header_byte(const struct strbuf *bytes, int offset,
                               int expected)
{
    assert_int_equal((unsigned char)bytes->text[offset], expected);
}

static void copy_is_a_private_file_in_rollback_mode(void **state)
{
    static const int page_sizes[] = {512, 4096, 65536};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(page_sizes); i++) {
        CLEANUP_FREE char *name = xasprintf("%d.db", page_sizes[i]);
        CLEANUP_FREE char *mode = xasprintf(
            "DELETE; PRAGMA page_size = %d; PRAGMA encoding = 'UTF-16le';"
            "PRAGMA user_version = 77; PRAGMA journal_mode = WAL",
            page_sizes[i]);
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        sqlite3 *database = create_bank(fixture, name, mode, 10);
        struct stat stat;

        assert_snapshot(fixture, name);
        assert_true(fixture->snapshot.was_wal);
        assert_int_equal(ask_copy(fixture, "PRAGMA page_size"), page_sizes[i]);
        assert_int_equal(ask_copy(fixture, "PRAGMA user_version"), 77);
        assert_copy_is_a_committed_state(fixture);
        assert_int_equal(lstat(fixture->scratch, &stat), 0);
        assert_int_equal(stat.st_mode, S_IFREG | 0600);
        assert_int_equal(stat.st_size, fixture->snapshot.size_bytes);
        assert_int_equal(file_read(fixture->scratch, 1 << 30, &bytes, NULL), 0);
        assert_header_byte(&bytes, 18, 1);
        assert_header_byte(&bytes, 19, 1);
        sqlite3_close(database);
    }
}

static void same_content_gives_the_same_copy(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(strbuf_release) struct strbuf first = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf second = STRBUF_INIT;
    sqlite3 *database = create_bank(fixture, "bank.db", "WAL", 10);

    assert_snapshot(fixture, "bank.db");
    assert_int_equal(file_read(fixture->scratch, 1 << 30, &first, NULL), 0);
    sqlite3_close(database);
    assert_snapshot(fixture, "bank.db"); /* without a WAL this time */
    assert_int_equal(file_read(fixture->scratch, 1 << 30, &second, NULL), 0);
    assert_int_equal(first.length, second.length);
    assert_memory_equal(first.text, second.text, first.length);
}

static void any_name_is_only_a_name(void **state)
{
    static const char *const names[] = {":memory:", "a b%41?mode=rwc&x=#.db",
                                        "-wal", "file:x.db", "\xff\xfe\n.db"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        sqlite3_close(create_bank(fixture, "bank.db", "DELETE", 0));
        CLEANUP_FREE char *from = path_of(fixture, "bank.db");
        CLEANUP_FREE char *to = path_of(fixture, names[i]);
        assert_int_equal(rename(from, to), 0);
        assert_snapshot(fixture, names[i]);
        assert_copy_is_a_committed_state(fixture);
    }
}

static void what_is_at_the_scratch_path_is_left_alone(void **state)
{
    struct fixture *fixture = *state;

    sqlite3_close(create_bank(fixture, "bank.db", "DELETE", 0));
    assert_int_equal(symlink("/nowhere", fixture->scratch), 0);
    assert_int_equal(take_snapshot(fixture, "bank.db"), ERR_EXISTS);
    assert_int_equal(unlink(fixture->scratch), 0);
    assert_int_equal(take_snapshot(fixture, "../bank.db"), ERR_INVALID);
    assert_int_equal(count_scratch(fixture), 0);
}

/* --- with writers --------------------------------------------------------- */

static void snapshots_during_writes(struct fixture *fixture, const char *mode,
                                    int padding_kib, int pause_ms)
{
    sqlite3_close(create_bank(fixture, "bank.db", mode, padding_kib));
    struct writer one = start_writer(fixture, "bank.db", pause_ms);
    struct writer other = start_writer(fixture, "bank.db", pause_ms);
    int64_t seen = 0;

    /* A busy machine lets the writers in more often than it lets us read. */
    setenv("TEST_PATIENCE_MS", "120000", 1);

    for (int i = 0; i < 8; i++) {
        assert_snapshot(fixture, "bank.db");
        int64_t last = assert_copy_is_a_committed_state(fixture);
        assert_true(last >= seen);
        seen = last;
    }
    struct statistics first = stop_writer(&one);
    struct statistics second = stop_writer(&other);
    assert_true(first.transfers + second.transfers >= seen);
    assert_true(seen > 0);
    /* Also on the busiest machine; integration/sqlite-stress.sh tells the ms.
     */
    assert_true(first.worst_tries < MOST_TRIES);
    assert_true(second.worst_tries < MOST_TRIES);
}

static void wal_snapshot_is_a_committed_state_while_others_write(void **state)
{
    snapshots_during_writes(*state, "WAL", 4000, 1);
}

/* Larger than one step, so that writers come in between. */
static void rollback_snapshot_is_a_committed_state_while_others_write(
    void **state)
{
    snapshots_during_writes(*state, "DELETE", 12000, 60);
}

static void database_that_is_always_written_is_busy(void **state)
{
    struct fixture *fixture = *state;

    sqlite3_close(create_bank(fixture, "bank.db", "DELETE", 30000));
    struct writer writer = start_writer(fixture, "bank.db", 4);
    setenv("TEST_PATIENCE_MS", "300", 1);
    assert_no_snapshot(fixture, "bank.db", ERR_BUSY, "times while it was");
    stop_writer(&writer);
}

/* In this very process: what would drop it is our own opening and closing. */
static void writer_keeps_its_lock_while_a_snapshot_is_taken(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *rollback = create_bank(fixture, "rollback.db", "DELETE", 100);
    sqlite3 *wal = create_bank(fixture, "wal.db", "WAL", 100);

    run_sql(rollback, "BEGIN IMMEDIATE; UPDATE account SET balance = 9");
    assert_snapshot(fixture, "rollback.db");
    assert_copy_is_a_committed_state(fixture);
    assert_int_equal(lock_owner_of(fixture, "rollback.db", RESERVED_BYTE),
                     getpid());
    run_sql(rollback, "ROLLBACK");

    run_sql(wal, "BEGIN IMMEDIATE; UPDATE account SET balance = 9");
    assert_snapshot(fixture, "wal.db");
    assert_copy_is_a_committed_state(fixture);
    assert_int_equal(lock_owner_of(fixture, "wal.db-shm", WAL_WRITE_BYTE),
                     getpid());
    run_sql(wal, "ROLLBACK");

    sqlite3_close(rollback);
    sqlite3_close(wal);
}

static void locked_database_is_busy_and_stays_locked(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = create_bank(fixture, "bank.db", "DELETE", 0);

    setenv("TEST_PATIENCE_MS", "200", 1);
    run_sql(database, "BEGIN EXCLUSIVE");
    assert_no_snapshot(fixture, "bank.db", ERR_BUSY, "has it locked");
    assert_int_equal(lock_owner_of(fixture, "bank.db", SHARED_BYTE), getpid());
    run_sql(database, "COMMIT");
    assert_snapshot(fixture, "bank.db");
    sqlite3_close(database);
}

/* As Firefox has its own: the WAL's index is in its memory, there is no -shm.
 */
static void wal_that_a_program_keeps_to_itself_is_read_without_locks(
    void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = create_bank(fixture, "bank.db",
                                    "DELETE; PRAGMA locking_mode = EXCLUSIVE;"
                                    "PRAGMA journal_mode = WAL",
                                    100);

    transfer(database, 1);
    assert_snapshot(fixture, "bank.db");
    assert_int_equal(assert_copy_is_a_committed_state(fixture), 1);
    assert_int_equal(lock_owner_of(fixture, "bank.db", SHARED_BYTE), getpid());

    /* A -shm that somebody left must not mislead us. */
    write_file(fixture, "bank.db-shm", "", 0);
    assert_snapshot(fixture, "bank.db");
    assert_int_equal(assert_copy_is_a_committed_state(fixture), 1);
    sqlite3_close(database);
}

static void database_that_changes_under_a_reading_without_locks_is_refused(
    void **state)
{
    struct fixture *fixture = *state;

    sqlite3_close(create_bank(fixture, "bank.db", "WAL", 100));
    setenv("TEST_ROLE", "touches", 1);
    assert_no_snapshot(fixture, "bank.db", ERR_CHANGED, "without locks");
    setenv("TEST_ROLE", "", 1);
    assert_snapshot(fixture, "bank.db");
}

/* --- what was left behind ------------------------------------------------- */

/* Takes a snapshot that leaves no trace. */
static void assert_untouched(struct fixture *fixture, const char *name)
{
    CLEANUP_FREE char *before = describe_directory(fixture);

    assert_snapshot(fixture, name);
    CLEANUP_FREE char *after = describe_directory(fixture);
    assert_string_equal(before, after);
}

static void wal_of_a_dead_program_is_read_and_left_as_it_is(void **state)
{
    struct fixture *fixture = *state;

    create_dead_bank(fixture, true);
    assert_untouched(fixture, "dead.db");
    assert_true(fixture->snapshot.was_wal);
    assert_int_equal(assert_copy_is_a_committed_state(fixture), 20);
}

static void wal_without_shm_is_read_and_gets_none(void **state)
{
    struct fixture *fixture = *state;

    create_dead_bank(fixture, false);
    assert_untouched(fixture, "dead.db");
    assert_true(fixture->snapshot.was_wal);
    assert_int_equal(assert_copy_is_a_committed_state(fixture), 20);
}

static void wal_with_garbage_beside_it_is_read_from_the_wal_alone(void **state)
{
    static const char garbage[40000] = "no index at all";
    struct fixture *fixture = *state;

    create_dead_bank(fixture, false);
    write_file(fixture, "dead.db-shm", garbage, sizeof garbage);
    assert_untouched(fixture, "dead.db");
    assert_int_equal(assert_copy_is_a_committed_state(fixture), 20);
}

static void wal_database_at_rest_gets_no_side_files(void **state)
{
    struct fixture *fixture = *state;

    sqlite3_close(create_bank(fixture, "bank.db", "WAL", 100));
    assert_int_equal(count_names(fixture->directory), 1);
    assert_untouched(fixture, "bank.db");
    assert_true(fixture->snapshot.was_wal);
    assert_copy_is_a_committed_state(fixture);
}

static void rollback_database_at_rest_is_left_as_it_is(void **state)
{
    struct fixture *fixture = *state;

    sqlite3_close(create_bank(fixture, "bank.db", "PERSIST", 100));
    assert_int_equal(count_names(fixture->directory), 2); /* a cold journal */
    assert_untouched(fixture, "bank.db");
    assert_false(fixture->snapshot.was_wal);
    assert_copy_is_a_committed_state(fixture);
}

static err_code die_in_the_middle(struct fixture *fixture)
{
    sqlite3 *database = open_database(fixture, "bank.db");

    run_sql(database, "PRAGMA cache_size = 1; BEGIN;"
                      "UPDATE account SET balance = 9, filler = zeroblob(600)");
    _exit(0); /* pages are in the file, the journal is beside it */
}

static void hot_journal_is_reported_and_not_rolled_back(void **state)
{
    static const char *const modes[] = {"DELETE", "PERSIST"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        CLEANUP_FREE char *path = path_of(fixture, "bank.db");
        unlink(path);
        sqlite3_close(create_bank(fixture, "bank.db", modes[i], 0));
        run_elsewhere(die_in_the_middle, fixture);
        CLEANUP_FREE char *before = describe_directory(fixture);
        assert_no_snapshot(fixture, "bank.db", ERR_CORRUPT,
                           "open it once with the program");
        CLEANUP_FREE char *after = describe_directory(fixture);
        assert_string_equal(before, after);

        /* The remedy works. */
        sqlite3 *database = open_database(fixture, "bank.db");
        assert_int_equal(ask(database, "SELECT sum(balance) FROM account"), 0);
        sqlite3_close(database);
        assert_snapshot(fixture, "bank.db");
        unlink(fixture->scratch);
    }
}

/* It died while it switched the database to WAL mode, or back. */
static void hot_journal_beside_a_wal_header_is_reported(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;

    sqlite3_close(create_bank(fixture, "bank.db", "DELETE", 0));
    run_elsewhere(die_in_the_middle, fixture);
    read_file(fixture, "bank.db", &bytes);
    memset(bytes.text + 18, 2, 2);
    write_file(fixture, "bank.db", bytes.text, bytes.length);
    assert_no_snapshot(fixture, "bank.db", ERR_CORRUPT, "hot journal");
}

/* --- not ours to write ---------------------------------------------------- */

static err_code snapshot_as_nobody(struct fixture *fixture)
{
    if (!geteuid() && (setgid(NOBODY) || setuid(NOBODY)))
        return ERR_INVALID;
    if (access(own_program, X_OK) || access(fixture->directory, X_OK))
        return ERR_UNSUPPORTED;
    return take_snapshot(fixture, "dead.db");
}

static void snapshot_or_skip(struct fixture *fixture, err_code expected)
{
    unlink(fixture->scratch);
    err_code code = run_elsewhere(snapshot_as_nobody, fixture);

    if (code == ERR_UNSUPPORTED) {
        print_message("skip: nobody cannot reach %s\n", fixture->directory);
        skip();
    }
    assert_string_equal(error_code_name(code), error_code_name(expected));
    if (!expected)
        assert_copy_is_a_committed_state(fixture);
}

static void database_that_may_only_be_read_is_copied(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP_FREE char *shm = path_of(fixture, "dead.db-shm");
    CLEANUP_FREE char *wal = path_of(fixture, "dead.db-wal");

    create_dead_bank(fixture, true);
    chmod(fixture->directory, 0555);
    snapshot_or_skip(fixture, ERR_OK);

    sqlite3 *live = open_database(fixture, "dead.db");
    transfer(live, 3);
    snapshot_or_skip(fixture, ERR_OK);
    assert_int_equal(ask_copy(fixture, "SELECT max(n) FROM log"), 21);

    chmod(shm, 0600); /* nor read, even */
    snapshot_or_skip(fixture, ERR_OK);
    assert_int_equal(ask_copy(fixture, "SELECT max(n) FROM log"), 21);

    chmod(wal, 0600);
    snapshot_or_skip(fixture, ERR_DENIED);
    sqlite3_close(live);
    snapshot_or_skip(fixture, ERR_OK); /* without -wal and -shm */
    chmod(fixture->directory, 0755);
}

static err_code snapshot_in_short_files(struct fixture *fixture)
{
    const struct rlimit little = {.rlim_cur = 65536, .rlim_max = 65536};

    setrlimit(RLIMIT_FSIZE, &little);
    return take_snapshot(fixture, "bank.db");
}

static void copy_that_may_not_be_so_long_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;

    sqlite3_close(create_bank(fixture, "bank.db", "DELETE", 500));
    assert_int_equal(run_elsewhere(snapshot_in_short_files, fixture),
                     ERR_INVALID); /* EFBIG */
    assert_int_equal(count_scratch(fixture), 0);
}

/* --- damage, and what is none --------------------------------------------- */

static void what_is_no_database_is_corrupt(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;

    sqlite3_close(create_bank(fixture, "bank.db", "DELETE", 100));
    read_file(fixture, "bank.db", &bytes);
    write_file(fixture, "short.db", bytes.text, 50);
    assert_no_snapshot(fixture, "short.db", ERR_CORRUPT, "first bytes");
    write_file(fixture, "cut.db", bytes.text, bytes.length / 2);
    assert_no_snapshot(fixture, "cut.db", ERR_CORRUPT, "malformed");
    memset(bytes.text + 16, 0xff, bytes.length - 16);
    write_file(fixture, "magic.db", bytes.text, bytes.length);
    assert_no_snapshot(fixture, "magic.db", ERR_CORRUPT, "not a database");
    assert_no_snapshot(fixture, "none.db", ERR_NOT_FOUND, "none.db");

    /* SQLite would delete the -wal of an empty database. */
    write_file(fixture, "empty.db", "", 0);
    write_file(fixture, "empty.db-wal", "precious", 8);
    CLEANUP_FREE char *before = describe_directory(fixture);
    assert_no_snapshot(fixture, "empty.db", ERR_CORRUPT, "it is empty");
    CLEANUP_FREE char *after = describe_directory(fixture);
    assert_string_equal(before, after);
}

static void spoil_page(const struct fixture *fixture, const char *name,
                       size_t page)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;

    read_file(fixture, name, &bytes);
    assert_true(bytes.length >= page * 4096);
    memset(bytes.text + (page - 1) * 4096, 0xaa, 200);
    write_file(fixture, name, bytes.text, bytes.length);
}

static void damaged_page_is_corrupt_and_named(void **state)
{
    struct fixture *fixture = *state;

    sqlite3_close(create_bank(fixture, "bank.db", "DELETE", 100));
    spoil_page(fixture, "bank.db", 10);
    assert_no_snapshot(fixture, "bank.db", ERR_CORRUPT, "age 10: ");
}

/* An index that does not fit its table, by a schema that was forged. */
static void add_wrong_index(sqlite3 *database)
{
    run_sql(database,
            "CREATE TABLE other (x, y);"
            "INSERT INTO other VALUES (1, 2), (3, 4), (5, 6);"
            "CREATE INDEX other_x ON other (x);"
            "PRAGMA writable_schema = ON;"
            "UPDATE sqlite_master SET sql = 'CREATE INDEX other_x ON other (y)'"
            " WHERE name = 'other_x'");
}

static void index_that_does_not_fit_its_table_is_corrupt(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = create_bank(fixture, "bank.db", "DELETE", 0);

    add_wrong_index(database);
    sqlite3_close(database);
    assert_no_snapshot(fixture, "bank.db", ERR_CORRUPT,
                       "missing from index other_x");
}

static int reverse_order(void *unused, int one_length, const void *one,
                         int other_length, const void *other)
{
    int shorter = one_length < other_length ? one_length : other_length;
    int order = memcmp(other, one, (size_t)shorter);

    return order ? order : other_length - one_length;
}

static void double_it(sqlite3_context *context, int count,
                      sqlite3_value **arguments)
{
    sqlite3_result_int64(context, 2 * sqlite3_value_int64(arguments[0]));
}

/* A schema for which this program has what no other has. */
static sqlite3 *create_special(const struct fixture *fixture, const char *name)
{
    sqlite3 *database = create_bank(fixture, name, "DELETE", 0);

    sqlite3_create_collation(database, "ours", SQLITE_UTF8, NULL,
                             reverse_order);
    sqlite3_create_function(database, "twice", 1,
                            SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, double_it,
                            NULL, NULL);
    run_sql(database, "CREATE TABLE words (word TEXT COLLATE ours, n);"
                      "INSERT INTO words SELECT id || 'x', id FROM account;"
                      "CREATE INDEX by_word ON words (word);"
                      "CREATE INDEX by_twice ON words (twice(n));"
                      "CREATE INDEX some ON words (n) WHERE twice(n) > 10;"
                      "CREATE TABLE keyed (k TEXT COLLATE ours PRIMARY KEY, v)"
                      " WITHOUT ROWID;"
                      "INSERT INTO keyed SELECT word, n FROM words;"
                      "CREATE TABLE made (n CHECK (twice(n) > 0),"
                      " m INT NOT NULL AS (twice(n)) VIRTUAL,"
                      " s INT NOT NULL AS (twice(n)) STORED);"
                      "INSERT INTO made (n) VALUES (1), (2);"
                      "CREATE VIEW seen AS SELECT twice(n) FROM made;"
                      "PRAGMA writable_schema = ON;"
                      "INSERT INTO sqlite_master VALUES ('table', 'v', 'v', 0,"
                      " 'CREATE VIRTUAL TABLE v USING no_such_module(x)')");
    return database;
}

static void what_only_its_program_knows_does_not_prevent_a_copy(void **state)
{
    struct fixture *fixture = *state;

    sqlite3_close(create_special(fixture, "special.db"));
    assert_snapshot(fixture, "special.db");
    assert_int_equal(ask_copy(fixture, "SELECT n FROM words WHERE rowid = 7"),
                     7);
}

static void damage_is_found_beside_what_only_its_program_knows(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = create_special(fixture, "page.db");

    /* In a table that cannot be checked row by row. */
    int64_t page = ask(database, "SELECT rootpage FROM sqlite_master "
                                 "WHERE name = 'by_word'");
    sqlite3_close(database);
    spoil_page(fixture, "page.db", (size_t)page);
    assert_no_snapshot(fixture, "page.db", ERR_CORRUPT, "damaged");

    /* In one that can. */
    database = create_special(fixture, "index.db");
    add_wrong_index(database);
    sqlite3_close(database);
    assert_no_snapshot(fixture, "index.db", ERR_CORRUPT,
                       "missing from index other_x");
}

static void forge_constraint(sqlite3 *database)
{
    run_sql(database,
            "CREATE TABLE loose (a INT, b TEXT);"
            "INSERT INTO loose SELECT NULL, id FROM account;"
            "PRAGMA writable_schema = ON;"
            "UPDATE sqlite_master SET sql = 'CREATE TABLE loose (a INT NOT "
            "NULL CHECK (a > 0), b TEXT CHECK (b < 0))' WHERE name = 'loose'");
}

static void values_that_a_constraint_forbids_are_copied(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = create_bank(fixture, "bank.db", "DELETE", 0);

    forge_constraint(database);
    sqlite3_close(database);
    assert_snapshot(fixture, "bank.db");
    assert_int_equal(ask_copy(fixture, "SELECT count(*) FROM loose"), ACCOUNTS);
}

/* In whichever order SQLite looks at the two tables. */
static void hundreds_of_such_values_do_not_hide_damage(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *one = create_bank(fixture, "one.db", "DELETE", 0);
    sqlite3 *other = create_bank(fixture, "other.db", "DELETE", 0);

    forge_constraint(one);
    add_wrong_index(one);
    add_wrong_index(other);
    forge_constraint(other);
    sqlite3_close(one);
    sqlite3_close(other);
    assert_no_snapshot(fixture, "one.db", ERR_CORRUPT, "from index other_x");
    assert_no_snapshot(fixture, "other.db", ERR_CORRUPT, "from index other_x");
}

/* --- ends ----------------------------------------------------------------- */

/* A helper that waits for a lock which is never given back. */
static sqlite3 *create_stuck(struct fixture *fixture)
{
    sqlite3 *database = create_bank(fixture, "bank.db", "DELETE", 0);

    run_sql(database, "BEGIN EXCLUSIVE");
    setenv("TEST_PATIENCE_MS", "60000", 1);
    setenv("TEST_PID_FILE", fixture->pid_file, 1);
    return database;
}

static void *raise_stop(void *context)
{
    struct fixture *fixture = context;

    helper_pid(fixture, true);
    fixture->stopped_ns = clock_monotonic_ns();
    stop_flag_raise(&fixture->stop);
    return NULL;
}

/* Long before the lock is given up, on the busiest machine. */
#define STOPS_WITHIN_NS (20 * NS_PER_SECOND)

static void assert_stops(struct fixture *fixture)
{
    pthread_t thread = thread_start(raise_stop, fixture);
    err_code code = take_snapshot(fixture, "bank.db");
    int64_t end_ns = clock_monotonic_ns();

    thread_join(thread);
    assert_int_equal(code, ERR_CANCELLED);
    assert_true(end_ns - fixture->stopped_ns < STOPS_WITHIN_NS);
    assert_int_equal(helper_pid(fixture, false), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(count_scratch(fixture), 0);
}

static void stopped_snapshot_ends_its_helper(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = create_stuck(fixture);

    assert_stops(fixture);
    /* Raised before: nothing is even started. */
    assert_no_snapshot(fixture, "bank.db", ERR_CANCELLED, "stopped");
    sqlite3_close(database);
}

static void helper_that_ignores_sigterm_is_killed(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = create_stuck(fixture);

    setenv("TEST_ROLE", "deaf", 1);
    assert_stops(fixture);
    sqlite3_close(database);
}

static void helper_ends_and_cleans_up_when_its_parent_is_killed(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = create_stuck(fixture);

    fixture->children[0] = fork();
    if (!fixture->children[0])
        _exit((int)take_snapshot(fixture, "bank.db"));
    assert_int_not_equal(helper_pid(fixture, true), 0);
    assert_int_equal(count_scratch(fixture), 1);
    end_children(fixture);
    for (int i = 0; i < 2000 && helper_pid(fixture, false); i++)
        sleep_ms(10);
    assert_int_equal(helper_pid(fixture, false), 0);
    assert_int_equal(count_scratch(fixture), 0);
    sqlite3_close(database);
}

static void *kill_helper(void *context)
{
    kill(helper_pid(context, true), SIGKILL);
    return NULL;
}

static void killed_helper_is_reported_and_cleaned_up_after(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = create_stuck(fixture);
    pthread_t thread = thread_start(kill_helper, fixture);

    assert_no_snapshot(fixture, "bank.db", ERR_INTERNAL, "by signal 9");
    thread_join(thread);
    sqlite3_close(database);
}

static void report_that_makes_no_sense_is_not_believed(void **state)
{
    static const char *const reports[] = {
        "",
        "hello",
        "berth-snapshot 1 ",
        "berth-snapshot 1 0 0 0 0\n",      /* no database is so small */
        "berth-snapshot 1 0 0 4096 0\n",   /* and this one is not there */
        "berth-snapshot 1 0 0 4096 2\nhm", /* success needs no words */
        "berth-snapshot 1 5 0 0 0\n",      /* failure does */
        "berth-snapshot 1 5 0 4096 2\nhm", /* and has no result */
        "berth-snapshot 1 99 0 0 2\nhm",   /* unknown code */
        "berth-snapshot 1 -5 0 0 2\nhm",   /* likewise */
        "berth-snapshot 1 5 2 0 2\nhm",    /* neither true nor false */
        "berth-snapshot 1 5 0 0 3\nhm",    /* cut */
        "berth-snapshot 1 5 0 0 1\nhm",    /* too long */
        "berth-snapshot 1 05 0 0 2\nhm",   /* not as we write it */
        "berth-snapshot 1 5  0 0 2\nhm",   /* likewise */
        "berth-snapshot 1 5 0 0 2 hm",     /* likewise */
        "berth-snapshot 2 5 0 0 2\nhm",    /* another version */
        "berth-snapshot 1 5 0 0 99999999999999999999\nhm",
        "berth-snapshot 1 4294967301 0 0 2\nhm",
    };
    struct fixture *fixture = *state;

    setenv("TEST_ROLE", "report", 1);
    for (size_t i = 0; i < COUNT_OF(reports); i++) {
        setenv("TEST_REPORT", reports[i], 1);
        assert_no_snapshot(fixture, "bank.db", ERR_INTERNAL,
                           i == 4 ? "is not what" : "no sense");
    }
    setenv("TEST_REPORT", "berth-snapshot 1 5 0 0 11\nbank.db: hm", 1);
    assert_no_snapshot(fixture, "bank.db", ERR_BUSY, "hm");
}

static void helper_that_misbehaves_is_an_internal_error(void **state)
{
    struct fixture *fixture = *state;

    setenv("TEST_ROLE", "flood", 1);
    assert_no_snapshot(fixture, "bank.db", ERR_INTERNAL, "no sense");
    setenv("TEST_ROLE", "fails", 1);
    assert_no_snapshot(fixture, "bank.db", ERR_INTERNAL, "status 7");
    assert_int_equal(sqlite_copy_snapshot("/no/such/program",
                                          fixture->directory_fd, "bank.db",
                                          fixture->scratch, &fixture->stop,
                                          &fixture->snapshot, &fixture->err),
                     ERR_INTERNAL);
    assert_int_equal(count_scratch(fixture), 0);
}

static void helper_inherits_two_descriptors_only(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];

    make_pipe(ends);
    setenv("TEST_ROLE", "descriptors", 1);
    take_snapshot(fixture, "bank.db");
    assert_string_equal(fixture->err.message, "bank.db: open:");
    close(ends[0]);
    close(ends[1]);
}

struct thread_job {
    struct fixture *fixture;
    char *scratch;
    err_code code;
};

static void *snapshot_in_thread(void *context)
{
    struct thread_job *job = context;
    struct sqlite_snapshot snapshot;

    job->code = sqlite_copy_snapshot(own_program, job->fixture->directory_fd,
                                     "bank.db", job->scratch,
                                     &job->fixture->stop, &snapshot, NULL);
    return NULL;
}

static void several_snapshots_at_once_do_not_disturb_each_other(void **state)
{
    struct fixture *fixture = *state;
    struct thread_job jobs[4] = {0};
    pthread_t threads[COUNT_OF(jobs)];
    sqlite3 *database = create_bank(fixture, "bank.db", "WAL", 2000);

    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        jobs[i].fixture = fixture;
        jobs[i].scratch = xasprintf("%s.%zu", fixture->scratch, i);
        threads[i] = thread_start(snapshot_in_thread, &jobs[i]);
    }
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        thread_join(threads[i]);
        assert_int_equal(jobs[i].code, ERR_OK);
        free(jobs[i].scratch);
    }
    assert_int_equal(count_scratch(fixture), COUNT_OF(jobs));
    sqlite3_close(database);
}

/* What the program that started us has left open is not ours to leak. */
static void keep_descriptors_to_ourselves(void)
{
    for (int fd = 3; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            fcntl(fd, F_SETFD, FD_CLOEXEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(side_files_are_known_by_their_names),
        TEST(real_files_are_known_by_their_first_bytes),
        TEST(copy_is_a_private_file_in_rollback_mode),
        TEST(same_content_gives_the_same_copy),
        TEST(any_name_is_only_a_name),
        TEST(what_is_at_the_scratch_path_is_left_alone),
        TEST(wal_snapshot_is_a_committed_state_while_others_write),
        TEST(rollback_snapshot_is_a_committed_state_while_others_write),
        TEST(database_that_is_always_written_is_busy),
        TEST(writer_keeps_its_lock_while_a_snapshot_is_taken),
        TEST(locked_database_is_busy_and_stays_locked),
        TEST(wal_that_a_program_keeps_to_itself_is_read_without_locks),
        TEST(database_that_changes_under_a_reading_without_locks_is_refused),
        TEST(wal_of_a_dead_program_is_read_and_left_as_it_is),
        TEST(wal_without_shm_is_read_and_gets_none),
        TEST(wal_with_garbage_beside_it_is_read_from_the_wal_alone),
        TEST(wal_database_at_rest_gets_no_side_files),
        TEST(rollback_database_at_rest_is_left_as_it_is),
        TEST(hot_journal_is_reported_and_not_rolled_back),
        TEST(hot_journal_beside_a_wal_header_is_reported),
        TEST(database_that_may_only_be_read_is_copied),
        TEST(copy_that_may_not_be_so_long_leaves_nothing),
        TEST(what_is_no_database_is_corrupt),
        TEST(damaged_page_is_corrupt_and_named),
        TEST(index_that_does_not_fit_its_table_is_corrupt),
        TEST(what_only_its_program_knows_does_not_prevent_a_copy),
        TEST(damage_is_found_beside_what_only_its_program_knows),
        TEST(values_that_a_constraint_forbids_are_copied),
        TEST(hundreds_of_such_values_do_not_hide_damage),
        TEST(stopped_snapshot_ends_its_helper),
        TEST(helper_that_ignores_sigterm_is_killed),
        TEST(helper_ends_and_cleans_up_when_its_parent_is_killed),
        TEST(killed_helper_is_reported_and_cleaned_up_after),
        TEST(report_that_makes_no_sense_is_not_believed),
        TEST(helper_that_misbehaves_is_an_internal_error),
        TEST(helper_inherits_two_descriptors_only),
        TEST(several_snapshots_at_once_do_not_disturb_each_other),
    };

    if (argc > 1 && !strcmp(argv[1], SQLITE_COPY_COMMAND))
        return be_helper(argc, argv);
    if (!realpath(argv[0], own_program))
        die("cannot find %s", argv[0]);
    keep_descriptors_to_ourselves();
    /* Else each helper with a thread sleeps for a second before it ends. */
    setenv("TSAN_OPTIONS", "atexit_sleep_ms=0", 1);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
