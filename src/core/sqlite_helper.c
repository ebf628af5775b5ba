/*
 * Inside the helper process: from a live database to a checked snapshot.
 *
 *   sqlite_copy_in_helper   tries until it works or cannot work
 *     try_once              looks (sqlite_source.c), reads, compares
 *       copy_pages          SQLite's backup, in one step or in small ones
 *       judge_...           what its result means
 *     finish_scratch        sets the copy to rollback mode
 *     sqlite_check_file     integrity_check (sqlite_check.c)
 */
#include "core/sqlite_copy.h"

#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "core/sqlite_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    HOLD_MS = 50,         /* aim for one lock in rollback mode */
    LONG_HOLD_MS = 120,   /* where writers come in between all the time */
    BREATH_MS = 10,       /* between two locks */
    POLL_MS = 20,         /* between two attempts at a lock */
    AGAIN_MS = 50,        /* before everything is tried again */
    EXCLUSIVE_MS = 1000,  /* of a locked WAL, before going without locks */
    FIRST_PAGES = 64,     /* of the first step */
    STEP_BYTES = 8 << 20, /* at most: 160 ms on a disk that does 50 MB/s */
    LONG_STEP_BYTES = 16 << 20, /* read before, so from memory */
    LEAST_RESTARTS = 3,         /* granted even after the patience is over */
    CHANGES_LIMIT = 4,          /* readings without locks */
    HOT_SIGHTINGS = 3, /* of one and the same journal, before we say so */
};

/* --- one snapshot --- */

struct job {
    struct sqlite_source source;
    const char *scratch_path;
    int64_t patience_ms, started_ns;
    enum sqlite_reading at_least; /* what comes before does not work here */
    int changes;                  /* readings thrown away */
    int hot_sightings;
    struct sqlite_file_state hot_journal;
};

static void sleep_ms(int64_t duration_ms)
{
    struct timespec duration = clock_to_timespec(duration_ms * NS_PER_MS);

    nanosleep(&duration, NULL);
}

static bool is_past_ms(const struct job *job, int64_t duration_ms)
{
    return clock_monotonic_ns() - job->started_ns >= duration_ms * NS_PER_MS;
}

/* --- copying --- */

/* How an attempt ended, in SQLite's terms. */
struct outcome {
    int result; /* extended; SQLITE_DONE: copied */
    int os_errno;
    bool is_scratch; /* it was the scratch file that failed */
    int restarts;    /* by writers, in rollback mode */
};

struct pair {
    sqlite3 *source, *scratch;
};

static void close_pair(struct pair *pair)
{
    sqlite3_close(pair->source);
    sqlite3_close(pair->scratch);
}

static int open_scratch(const struct job *job, sqlite3 **out)
{
    int result;

    if (truncate(job->scratch_path, 0))
        return SQLITE_CANTOPEN;
    result =
        sqlite3_open_v2(job->scratch_path, out, SQLITE_OPEN_READWRITE, NULL);
    if (result)
        return result;
    /* Whatever goes wrong, the file is thrown away: it needs no journal. */
    return sqlite3_exec(*out,
                        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                        "PRAGMA locking_mode = EXCLUSIVE;"
                        "PRAGMA cache_size = -2000",
                        NULL, NULL, NULL);
}

/*
 * How many pages fit into one lock. Grows while it goes well, so that a small
 * database is copied in one step even if it is written all the time; where
 * writers keep coming in between, a longer lock is the lesser evil.
 */
static int next_pages(int pages, int64_t held_ns, int restarts, int page_bytes)
{
    bool is_hopeless = restarts >= LEAST_RESTARTS;
    int64_t hold_ns = (is_hopeless ? LONG_HOLD_MS : HOLD_MS) * NS_PER_MS;
    int most = (is_hopeless ? LONG_STEP_BYTES : STEP_BYTES) / page_bytes;

    if (held_ns > hold_ns)
        pages /= 2;
    else if (held_ns < hold_ns / 3)
        pages *= 2;
    return pages < 1 ? 1 : pages > most ? most : pages;
}

/*
 * A writer that gets in between two steps makes SQLite start from page 1.
 * Waiting for a lock here, not in SQLite, keeps what is copied so far.
 */
static int copy_in_steps(const struct job *job, int page_bytes,
                         sqlite3_backup *backup, struct outcome *outcome)
{
    int64_t progress_ns = clock_monotonic_ns();
    int pages = FIRST_PAGES, expected = 0;

    for (;;) {
        int64_t start_ns = clock_monotonic_ns();
        int result = sqlite3_backup_step(backup, pages);
        int64_t end_ns = clock_monotonic_ns();

        if (result == SQLITE_BUSY || result == SQLITE_LOCKED) {
            if (end_ns - progress_ns > job->patience_ms * NS_PER_MS)
                return result;
            sleep_ms(POLL_MS);
            continue;
        }
        if (result)
            return result;
        progress_ns = end_ns;
        int done =
            sqlite3_backup_pagecount(backup) - sqlite3_backup_remaining(backup);
        if (expected && done < expected + pages) /* from page 1 once more */
            outcome->restarts++;
        if (outcome->restarts >= LEAST_RESTARTS &&
            is_past_ms(job, job->patience_ms))
            return SQLITE_BUSY;
        expected = done;
        pages =
            next_pages(pages, end_ns - start_ns, outcome->restarts, page_bytes);
        sleep_ms(BREATH_MS);
    }
}

static bool is_writing_error(int result)
{
    switch (result) {
    case SQLITE_FULL:
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_TRUNCATE:
        return true;
    default:
        return false;
    }
}

static int errno_of(sqlite3 *database)
{
    int os_errno = 0;

    sqlite3_file_control(database, "main", SQLITE_FCNTL_LAST_ERRNO, &os_errno);
    return os_errno;
}

static struct outcome copy_pages(const struct job *job,
                                 const struct sqlite_files *files,
                                 enum sqlite_reading reading)
{
    struct outcome outcome = {0};
    CLEANUP(close_pair) struct pair pair = {0};

    outcome.result = open_scratch(job, &pair.scratch);
    if (outcome.result) {
        outcome.is_scratch = true;
        outcome.os_errno =
            pair.scratch ? sqlite3_system_errno(pair.scratch) : errno;
        return outcome;
    }
    outcome.result = sqlite_source_open(&job->source, reading, &pair.source);
    if (outcome.result) {
        outcome.os_errno = sqlite3_system_errno(pair.source);
        return outcome;
    }
    sqlite3_backup *backup =
        sqlite3_backup_init(pair.scratch, "main", pair.source, "main");
    if (!backup)
        die("sqlite3_backup_init: %s", sqlite3_errmsg(pair.scratch));
    outcome.result =
        reading == READING_IN_STEPS
            ? copy_in_steps(job, files->page_bytes, backup, &outcome)
            : sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup); /* says the same once more */
    outcome.is_scratch = is_writing_error(outcome.result);
    outcome.os_errno =
        errno_of(outcome.is_scratch ? pair.scratch : pair.source);
    return outcome;
}

/* --- what to make of it --- */

static err_code judge_scratch(const struct job *job,
                              const struct outcome *outcome, struct error *err)
{
    if (outcome->result == SQLITE_FULL)
        return error_set(err, ERR_NO_SPACE,
                         "%s: cannot build the snapshot %s: the disk is full: "
                         "free some space there",
                         job->source.name, job->scratch_path);
    if (outcome->os_errno)
        return error_set_errno(err, outcome->os_errno,
                               "%s: cannot build the snapshot %s",
                               job->source.name, job->scratch_path);
    return error_set(err, ERR_INTERNAL, "%s: cannot build the snapshot %s: %s",
                     job->source.name, job->scratch_path,
                     sqlite3_errstr(outcome->result));
}

static err_code judge_busy(const struct job *job, const struct outcome *outcome,
                           struct error *err)
{
    char times[QUANTITY_SIZE];

    if (outcome->restarts)
        return error_set(err, ERR_BUSY,
                         "%s: changed %s while it was copied: try again when "
                         "its program has less to do",
                         job->source.name,
                         format_things(outcome->restarts, "time", times));
    return error_set(err, ERR_BUSY,
                     "%s: another program has it locked: try again when that "
                     "is done",
                     job->source.name);
}

/*
 * A journal that SQLite takes for hot may have been deleted at that moment by
 * its living owner (hasHotJournal, ticket 3883). One that is still there and
 * the same, again and again, is hot.
 */
static err_code judge_hot_journal(struct job *job,
                                  const struct sqlite_files *files,
                                  struct error *err)
{
    bool is_seen_before =
        sqlite_is_same_file(&files->journal, &job->hot_journal);

    job->hot_journal = files->journal;
    job->hot_sightings =
        is_seen_before && files->is_journal_live ? job->hot_sightings + 1 : 1;
    if (job->hot_sightings < HOT_SIGHTINGS)
        return error_set(err, ERR_BUSY,
                         "%s: another program is in the middle of a change: "
                         "try again when it is done",
                         job->source.name);
    return error_set(err, ERR_CORRUPT,
                     "%s: has a hot journal: a program died in the middle of a "
                     "change, and half of it may be in the database: open it "
                     "once with the program that it belongs to",
                     job->source.name);
}

static err_code judge_changed(struct job *job, struct error *err)
{
    job->changes++;
    job->at_least = READING_WAL;
    return error_set(err, ERR_CHANGED,
                     "%s: kept changing while it was read without locks: try "
                     "again when its program has less to do",
                     job->source.name);
}

/*
 * The -shm cannot be written, or lacks what only a writer could put there:
 * do with less of it.
 */
static err_code judge_index(struct job *job, enum sqlite_reading reading,
                            const struct outcome *outcome, struct error *err)
{
    job->at_least = reading + 1;
    return error_set(err, ERR_BUSY, "%s: cannot read its WAL: %s",
                     job->source.name, sqlite3_errstr(outcome->result));
}

static err_code judge_source(struct job *job, enum sqlite_reading reading,
                             const struct sqlite_files *files,
                             const struct outcome *outcome, struct error *err)
{
    bool has_index = reading == READING_WAL || reading == READING_WAL_WITH_MARK;

    switch (outcome->result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        /* A program that keeps the WAL's index to itself never lets go. */
        if (has_index && is_past_ms(job, EXCLUSIVE_MS))
            job->at_least = READING_WAL_ALONE;
        return judge_busy(job, outcome, err);
    case SQLITE_READONLY:
        if (outcome->result == SQLITE_READONLY_ROLLBACK)
            return judge_hot_journal(job, files, err);
        if (has_index)
            return judge_index(job, reading, outcome, err);
        break;
    case SQLITE_CANTOPEN:
        return has_index ? judge_index(job, reading, outcome, err)
                         : judge_changed(job, err);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(err, ERR_CORRUPT,
                         "%s: cannot be copied: %s: restore it from a copy "
                         "that is sound",
                         job->source.name, sqlite3_errstr(outcome->result));
    default:
        break;
    }
    if (outcome->os_errno)
        return error_set_errno(err, outcome->os_errno, "%s: cannot be read",
                               job->source.name);
    return error_set(err, ERR_IO, "%s: cannot be read: %s", job->source.name,
                     sqlite3_errstr(outcome->result));
}

/* ERR_BUSY and ERR_CHANGED: worth another try. */
static err_code try_with_locks(struct job *job, enum sqlite_reading reading,
                               const struct sqlite_files *files,
                               struct error *err)
{
    struct outcome outcome = copy_pages(job, files, reading);

    if (outcome.is_scratch)
        return judge_scratch(job, &outcome, err);
    if (outcome.result != SQLITE_DONE)
        return judge_source(job, reading, files, &outcome, err);
    return ERR_OK;
}

static err_code try_without_locks(struct job *job, enum sqlite_reading reading,
                                  const struct sqlite_files *before,
                                  struct error *err)
{
    struct sqlite_files after;

    if (!sqlite_have_files_settled(before))
        return error_set(err, ERR_BUSY,
                         "%s: is being written at this moment: try again",
                         job->source.name);
    struct outcome outcome = copy_pages(job, before, reading);
    if (outcome.is_scratch)
        return judge_scratch(job, &outcome, err);
    /* Before anything else: a torn reading may look corrupt. */
    err_code code = sqlite_source_look(&job->source, &after, err);
    if (code)
        return code;
    if (!sqlite_are_same_files(before, &after))
        return judge_changed(job, err);
    if (outcome.result != SQLITE_DONE)
        return judge_source(job, reading, before, &outcome, err);
    return ERR_OK;
}

static err_code try_once(struct job *job, bool *out_was_wal, struct error *err)
{
    struct sqlite_files files;
    err_code code = sqlite_source_look(&job->source, &files, err);

    if (code)
        return code;
    enum sqlite_reading reading = sqlite_source_choose(&files, job->at_least);
    if (sqlite_reading_has_locks(reading))
        code = try_with_locks(job, reading, &files, err);
    else
        code = try_without_locks(job, reading, &files, err);
    if (!code)
        *out_was_wal = reading != READING_IN_STEPS;
    return code;
}

static bool can_try_again(const struct job *job, err_code code)
{
    if (code == ERR_CHANGED)
        return job->changes < CHANGES_LIMIT;
    return code == ERR_BUSY && !is_past_ms(job, job->patience_ms);
}

/* Whoever restores it gets one file, which needs no -wal to be opened. */
static err_code finish_scratch(const struct job *job, int64_t *out_size_bytes,
                               struct error *err)
{
    unsigned char versions[2];
    struct stat scratch;
    CLEANUP_FD int fd =
        RETRY_ON_EINTR(open(job->scratch_path, O_RDWR | O_CLOEXEC));

    if (fd < 0 || fstat(fd, &scratch) ||
        pread(fd, versions, sizeof versions, HEADER_WRITE_VERSION) !=
            (ssize_t)sizeof versions)
        return error_set_errno(err, errno, "%s: cannot finish the snapshot %s",
                               job->source.name, job->scratch_path);
    for (size_t i = 0; i < sizeof versions; i++)
        if (versions[i] == FORMAT_WAL)
            versions[i] = FORMAT_ROLLBACK;
    if (pwrite(fd, versions, sizeof versions, HEADER_WRITE_VERSION) !=
        (ssize_t)sizeof versions)
        return error_set_errno(err, errno, "%s: cannot finish the snapshot %s",
                               job->source.name, job->scratch_path);
    *out_size_bytes = (int64_t)scratch.st_size;
    return ERR_OK;
}

err_code sqlite_copy_in_helper(int directory_fd, const char *name,
                               const char *scratch_path, int64_t patience_ms,
                               struct sqlite_snapshot *out, struct error *err)
{
    struct sqlite_snapshot snapshot = {0};
    struct job job = {
        .source = {.directory_fd = directory_fd, .name = name},
        .scratch_path = scratch_path,
        .patience_ms = patience_ms,
        .started_ns = clock_monotonic_ns(),
    };
    err_code code = sqlite_source_prepare(&job.source, err);

    if (code)
        return code;
    for (;;) {
        code = try_once(&job, &snapshot.was_wal, err);
        if (!code || !can_try_again(&job, code))
            break;
        sleep_ms(AGAIN_MS);
    }
    if (!code)
        code = finish_scratch(&job, &snapshot.size_bytes, err);
    if (!code)
        code = sqlite_check_file(scratch_path, name, err);
    if (!code)
        *out = snapshot;
    return code;
}
