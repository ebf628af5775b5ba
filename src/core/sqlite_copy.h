/*
 * Consistent snapshots of live SQLite databases.
 *
 * The work is done in a helper process, started from berth's own program as
 * `berth sqlite-snapshot`: POSIX locks belong to the process, and closing
 * *any* descriptor of a database drops the locks that SQLite holds on it
 * (sqlite.org/howtocorrupt.html, 2.2). berth itself never opens one.
 *
 * Nothing in the database's directory is written, created or removed; the
 * only trace is SQLite's locks and, where nothing else helps, a read mark in
 * the -shm. How it is read depends on what lies there:
 *
 *   rollback mode         `mode=ro`, the backup in small steps: the lock is
 *                         held for some 50 ms at a time; a writer that comes
 *                         in between makes the copy start anew
 *   WAL mode with -wal    `mode=ro`, the backup in one step, which keeps
 *   and -shm              nobody waiting but a checkpoint that waits for
 *                         all readers
 *   -wal without -shm     the same with the WAL's index in memory, because
 *                         SQLite would create the -shm
 *   WAL mode, no -wal     `immutable=1`, because `mode=ro` would create both
 *
 * No locks protect the last two: the result is thrown away where signature
 * (size, mtime, ctime, inode) or existence of the files differ afterwards,
 * and read again, a few times. Nor is there a checkpoint at closing, which
 * would delete the -wal (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE). A hot journal is
 * reported, never rolled back in place.
 *
 * The snapshot is built at `scratch_path` on an internal disk and set to
 * rollback mode (bytes 18 and 19 of the header := 1, sqlite.org/
 * fileformat.html, 1.3.3); `PRAGMA integrity_check` passes on it before ERR_OK
 * is returned. What that says about values (NOT NULL, CHECK or a type that
 * does not hold) is not damage and does not count. Tables and indexes that
 * need a collation or function that only their own program knows are checked
 * as far as it goes without: their trees.
 *
 * SQLite's copy is not byte for byte the source: it counts the header's
 * change counter and schema cookie anew. The same content gives the same
 * bytes, whatever state the WAL is in.
 */
#ifndef BERTH_SQLITE_COPY_H
#define BERTH_SQLITE_COPY_H

#include "core/base/error.h"
#include "core/base/thread.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "SQLite format 3\0" */
#define SQLITE_MAGIC_BYTES 16
/* Whether these are the first bytes of a database, WAL, rollback journal. */
bool sqlite_is_database(const unsigned char *bytes, size_t length);
bool sqlite_is_wal(const unsigned char *bytes, size_t length);
bool sqlite_is_journal(const unsigned char *bytes, size_t length);

/*
 * "data.db-wal" -> length of "data.db"; 0 when the name is not that of a side
 * file (-wal, -shm, -journal).
 */
size_t sqlite_side_file_base(const char *name);
/*
 * Whether opening or looking at a side file ended so because there is none.
 * ERR_INVALID: the name with its suffix is longer than the filesystem takes.
 */
bool sqlite_lacks_side_file(err_code code);

struct sqlite_snapshot {
    int64_t size_bytes; /* of the scratch file */
    bool was_wal;       /* the database is in WAL mode */
};

/*
 * Snapshots `name` in the directory `directory_fd` to `scratch_path`, an
 * absolute path at which nothing may exist. The file has mode 0600, is not
 * flushed, and has no side files; nothing is left there on failure. Where
 * berth itself is killed, the helper notices, removes it and ends.
 *
 * Messages say it all and begin with `name`: "NAME: what: what to do".
 *
 * ERR_BUSY         writers did not let us through for half a minute
 * ERR_CHANGED      it kept changing while it was read without locks: try again
 * ERR_CORRUPT      not a database, or the copy fails integrity_check; also a
 *                  hot journal, with the words to say so
 * ERR_NOT_FOUND    there is no such database any more
 * ERR_DENIED       the database or its -wal cannot be read by this user
 * ERR_EXISTS       there is something at scratch_path; it is left alone
 * ERR_NO_SPACE     the internal disk is full
 * ERR_CANCELLED    `stop` was raised; the helper was ended, within a second
 * ERR_UNSUPPORTED  this SQLite cannot check it
 * ERR_IO           the disk of the source failed
 * ERR_INTERNAL     the helper was killed, crashed or talked nonsense
 *
 * `program` is platform_own_program(). Blocking; any worker.
 */
err_code sqlite_copy_snapshot(const char *program, int directory_fd,
                              const char *name, const char *scratch_path,
                              const struct stop_flag *stop,
                              struct sqlite_snapshot *out, struct error *err)
    MUST_CHECK;

/* --- in the helper process only --- */

#define SQLITE_COPY_COMMAND "sqlite-snapshot"

/*
 * The helper's main: `berth sqlite-snapshot NAME SCRATCH PATIENCE_MS`, with
 * the database's directory on descriptor 3 and the report going to descriptor
 * 4. Returns the process's exit status. Called by main.c only.
 */
int sqlite_copy_helper_main(int argc, char **argv);

/*
 * Snapshots `name` in the directory `directory_fd`, which becomes the working
 * directory, into the empty file `scratch_path`, waiting `patience_ms` for
 * writers. Never in a process that uses the database in any other way.
 */
err_code sqlite_copy_in_helper(int directory_fd, const char *name,
                               const char *scratch_path, int64_t patience_ms,
                               struct sqlite_snapshot *out, struct error *err)
    MUST_CHECK;

/*
 * Whether a database in rollback mode that nobody uses passes integrity_check,
 * as far as that says anything about damage (above). `name` stands for it in
 * messages. ERR_CORRUPT with the first finding; ERR_UNSUPPORTED where this
 * SQLite cannot tell.
 */
err_code sqlite_check_file(const char *path, const char *name,
                           struct error *err) MUST_CHECK;

#endif
