/*
 * Somebody else's SQLite database, as the snapshot's helper finds and opens
 * it: read, never written, nothing created beside it.
 *
 * In the helper process only, on its one thread, from `sqlite_source_prepare`
 * on, which makes the database's directory the working directory. Part of
 * sqlite_copy, not for others.
 */
#ifndef BERTH_SQLITE_SOURCE_H
#define BERTH_SQLITE_SOURCE_H

#include "core/base/error.h"
#include "platform/platform_io.h"

#include <stdbool.h>

struct sqlite3;

/* File format bytes: sqlite.org/fileformat.html, 1.3. */
enum {
    HEADER_PAGE_SIZE = 16,
    HEADER_WRITE_VERSION = 18,
    HEADER_READ_VERSION = 19,
    HEADER_BYTES = 100,
    FORMAT_ROLLBACK = 1,
    FORMAT_WAL = 2,
};

struct sqlite_source {
    int directory_fd; /* borrowed; also the working directory */
    const char *name; /* borrowed */
};

struct sqlite_file_state {
    bool exists;
    struct platform_stat stat;
};

struct sqlite_files {
    struct sqlite_file_state database, wal, shm, journal;
    bool is_wal_format;   /* by the database's header */
    int page_bytes;       /* likewise */
    bool is_journal_live; /* it has a header: in use, or hot */
};

/* Ways to read it; between the WAL's, from the best to the last resort. */
enum sqlite_reading {
    READING_IN_STEPS,      /* rollback mode */
    READING_WAL,           /* without writing to the -shm */
    READING_WAL_WITH_MARK, /* with a read mark in it, as any reader */
    READING_WAL_ALONE,     /* the WAL's index in memory; no locks */
    READING_FROZEN,        /* as if on a CD-ROM; no locks */
};

/* Sets SQLite up and enters the directory. Once in the life of a process. */
err_code sqlite_source_prepare(const struct sqlite_source *source,
                               struct error *err) MUST_CHECK;

/*
 * What lies there now. No connection may be open meanwhile: files are opened
 * and closed, which would drop its locks. ERR_CORRUPT when it is no database;
 * ERR_NOT_FOUND; ERR_DENIED when it or its -wal cannot be read.
 */
err_code sqlite_source_look(const struct sqlite_source *source,
                            struct sqlite_files *out, struct error *err)
    MUST_CHECK;

bool sqlite_is_same_file(const struct sqlite_file_state *one,
                         const struct sqlite_file_state *other);

/* Whether nobody wrote, opened or closed it in between, as far as one sees. */
bool sqlite_are_same_files(const struct sqlite_files *before,
                           const struct sqlite_files *after);

/*
 * Whether that comparison will prove anything. A time stamp does only once
 * the clock that makes it has ticked since: what is written within the tick
 * of the first look leaves no trace.
 */
bool sqlite_have_files_settled(const struct sqlite_files *files);

/* `at_least`: what comes before it does not work for this WAL. */
enum sqlite_reading sqlite_source_choose(const struct sqlite_files *files,
                                         enum sqlite_reading at_least);

/* Whether locks protect the reading, so that files need not be compared. */
bool sqlite_reading_has_locks(enum sqlite_reading reading);

/* Returns SQLite's code. *out is to be closed even on failure. */
int sqlite_source_open(const struct sqlite_source *source,
                       enum sqlite_reading reading, struct sqlite3 **out);

#endif
