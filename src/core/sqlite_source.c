/*
 * Looking at a database and opening it without leaving a trace. The references
 * are to SQLite 3.40.1; 3.53.2 was seen to behave the same.
 */
#include "core/sqlite_source.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/strbuf.h"
#include "core/sqlite_copy.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FINE_GRAIN_MS = 20, /* of time stamps: a kernel tick is 10 ms at most */
    COARSE_GRAIN_MS = 2000,
};

/*
 * --- a VFS that cannot write ---
 *
 * SQLite's own, but what belongs to the database is opened read-only and
 * never created or deleted, and names stay relative to the working directory,
 * which is the one that berth opened. Without it SQLite, although told
 * mode=ro: creates a -wal that has just vanished; deletes the -wal of a
 * database that has just become empty (pagerOpenWalIfPresent); and, for root,
 * chowns -wal and -journal, which changes their ctime, so that every look at
 * the database would make it look changed (unixOpen, robustFchown).
 */
struct source_vfs {
    sqlite3_vfs vfs;
    sqlite3_vfs *system;
};

static int source_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file,
                       int flags, int *out_flags)
{
    const struct source_vfs *source = (const struct source_vfs *)vfs;

    /* As a super-journal, because those are opened without the chown. */
    if (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL))
        flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_SUPER_JOURNAL;
    else if (flags & (SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE))
        return SQLITE_CANTOPEN;
    return source->system->xOpen(source->system, path, file, flags, out_flags);
}

static int source_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
    return SQLITE_IOERR_DELETE;
}

static int source_full_path(sqlite3_vfs *vfs, const char *path, int size,
                            char *out)
{
    int length = snprintf(out, (size_t)size, "%s", path);

    return length < 0 || length >= size ? SQLITE_CANTOPEN : SQLITE_OK;
}

static void register_vfs(struct source_vfs *source, const char *name,
                         const char *system)
{
    source->system = sqlite3_vfs_find(system);
    if (!source->system)
        die("SQLite lacks its VFS %s", system ? system : "by default");
    source->vfs = *source->system;
    source->vfs.zName = name;
    source->vfs.pNext = NULL;
    source->vfs.xOpen = source_open;
    source->vfs.xDelete = source_delete;
    source->vfs.xFullPathname = source_full_path;
    if (sqlite3_vfs_register(&source->vfs, 0))
        die("SQLite does not take a VFS");
}

err_code sqlite_source_prepare(const struct sqlite_source *source,
                               struct error *err)
{
    static struct source_vfs locking, lockless;

    if (fchdir(source->directory_fd))
        return error_set_errno(err, errno, "%s: cannot enter its directory",
                               source->name);

    /* No mapping: a file that somebody truncates would kill the helper. */
    sqlite3_config(SQLITE_CONFIG_MMAP_SIZE, (sqlite3_int64)0, (sqlite3_int64)0);
    if (sqlite3_initialize())
        die("SQLite cannot be initialised");
    register_vfs(&locking, "berth", NULL);
    register_vfs(&lockless, "berth-lockless", "unix-none");
    return ERR_OK;
}

/* --- what lies there --- */

static err_code look_at_file(const struct sqlite_source *source,
                             const char *suffix, struct sqlite_file_state *out,
                             struct error *err)
{
    CLEANUP_FREE char *name = xasprintf("%s%s", source->name, suffix);
    err_code code =
        platform_stat_beneath(source->directory_fd, name, &out->stat, err);

    out->exists = !code;
    return sqlite_lacks_side_file(code) ? ERR_OK : code;
}

/* The first bytes of a file; fewer where it is shorter. */
static err_code read_start(const struct sqlite_source *source,
                           const char *suffix, unsigned char *bytes,
                           size_t size, size_t *out_got, struct error *err)
{
    CLEANUP_FREE char *name = xasprintf("%s%s", source->name, suffix);
    int opened = -1;
    err_code code = platform_open_beneath(source->directory_fd, name,
                                          PLATFORM_OPEN_READ, &opened, err);
    CLEANUP_FD int fd = opened;

    if (code)
        return code;
    ssize_t got = fd_read_full(fd, bytes, size);
    if (got < 0)
        return error_set_errno(err, errno, "cannot read %s", name);
    *out_got = (size_t)got;
    return ERR_OK;
}

static err_code look_at_header(const struct sqlite_source *source,
                               struct sqlite_files *files, struct error *err)
{
    unsigned char header[HEADER_BYTES];
    size_t length = 0;
    err_code code = read_start(source, "", header, sizeof header, &length, err);

    if (code)
        return code;
    if (length < sizeof header || !sqlite_is_database(header, length))
        return error_set(err, ERR_CORRUPT,
                         "not an SQLite database: %s: restore it, or remove it",
                         length ? "its first bytes are not those of one"
                                : "it is empty");
    files->is_wal_format = header[HEADER_READ_VERSION] == FORMAT_WAL;
    /* Big endian, and 1 means 65536. What makes no sense, SQLite refuses. */
    files->page_bytes =
        header[HEADER_PAGE_SIZE] << 8 | header[HEADER_PAGE_SIZE + 1];
    if (files->page_bytes < 512)
        files->page_bytes = 65536;
    return ERR_OK;
}

/* SQLite would only say that it cannot open something. */
static err_code look_at_wal(const struct sqlite_source *source,
                            struct sqlite_files *files, struct error *err)
{
    unsigned char first;
    size_t length;
    err_code code = look_at_file(source, "-wal", &files->wal, err);

    if (code || !files->wal.exists)
        return code;
    code = read_start(source, "-wal", &first, 1, &length, err);
    files->wal.exists = code != ERR_NOT_FOUND; /* by now */
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/*
 * A journal that begins with a zero, or is empty, is not in use
 * (hasHotJournal); one that we cannot read has to be taken for live.
 */
static bool has_live_journal(const struct sqlite_source *source,
                             const struct sqlite_files *files)
{
    unsigned char first;
    size_t length = 0;

    if (!files->journal.exists)
        return false;
    if (read_start(source, "-journal", &first, 1, &length, NULL))
        return true;
    return length && first;
}

err_code sqlite_source_look(const struct sqlite_source *source,
                            struct sqlite_files *out, struct error *err)
{
    struct sqlite_files files = {0};
    err_code code = look_at_file(source, "", &files.database, err);

    if (!code)
        code = look_at_header(source, &files, err);
    if (!code)
        code = look_at_wal(source, &files, err);
    if (!code)
        code = look_at_file(source, "-shm", &files.shm, err);
    if (!code)
        code = look_at_file(source, "-journal", &files.journal, err);
    if (code) {
        error_prefix(err, "%s", source->name);
        return code;
    }
    files.is_journal_live = has_live_journal(source, &files);
    *out = files;
    return ERR_OK;
}

bool sqlite_is_same_file(const struct sqlite_file_state *one,
                         const struct sqlite_file_state *other)
{
    if (!one->exists || !other->exists)
        return one->exists == other->exists;
    return one->stat.inode == other->stat.inode &&
           one->stat.size_bytes == other->stat.size_bytes &&
           one->stat.mtime_ns == other->stat.mtime_ns &&
           one->stat.ctime_ns == other->stat.ctime_ns;
}

bool sqlite_are_same_files(const struct sqlite_files *one,
                           const struct sqlite_files *other)
{
    return sqlite_is_same_file(&one->database, &other->database) &&
           sqlite_is_same_file(&one->wal, &other->wal) &&
           one->shm.exists == other->shm.exists &&
           one->is_journal_live == other->is_journal_live;
}

enum sqlite_reading sqlite_source_choose(const struct sqlite_files *files,
                                         enum sqlite_reading at_least)
{
    enum sqlite_reading first = READING_WAL;

    if (!files->wal.exists && (!files->is_wal_format || files->is_journal_live))
        return READING_IN_STEPS; /* where SQLite finds out about the journal */
    if (!files->wal.exists)
        return READING_FROZEN;
    if (!files->shm.exists)
        return READING_WAL_ALONE;
    return at_least > first ? at_least : first;
}

bool sqlite_reading_has_locks(enum sqlite_reading reading)
{
    return reading != READING_WAL_ALONE && reading != READING_FROZEN;
}

/* A stamp in the future is of no such clock; there is nothing to wait for. */
static bool has_settled(const struct sqlite_file_state *file)
{
    if (!file->exists)
        return true;
    int64_t newest = file->stat.ctime_ns > file->stat.mtime_ns
                         ? file->stat.ctime_ns
                         : file->stat.mtime_ns;
    int64_t grain_ms = newest % NS_PER_SECOND ? FINE_GRAIN_MS : COARSE_GRAIN_MS;
    int64_t age_ns = clock_now_ns() - newest;
    return age_ns < 0 || age_ns >= grain_ms * NS_PER_MS;
}

bool sqlite_have_files_settled(const struct sqlite_files *files)
{
    return has_settled(&files->database) && has_settled(&files->wal);
}

/* --- opening --- */

/* "file:./NAME?PARAMETERS"; "./" so that ":memory:" is a file as well. */
static void source_uri(const struct sqlite_source *source,
                       const char *parameters, struct strbuf *out)
{
    strbuf_adds(out, "file:./");
    for (const char *byte = source->name; *byte; byte++)
        strbuf_addf(out, "%%%02x", (unsigned)(unsigned char)*byte);
    strbuf_addf(out, "?%s", parameters);
}

/*
 * readonly_shm: the -shm is neither created nor written; where nobody else
 * has the database open its content does not count and the WAL is read anew
 * (walBeginShmUnreliable), under a lock that keeps checkpoints away.
 *
 * No pragma that would make SQLite read the schema may run here: a schema
 * that this SQLite does not understand can still be copied. That is why the
 * cache stays at its default, 2 MB.
 */
int sqlite_source_open(const struct sqlite_source *source,
                       enum sqlite_reading reading, sqlite3 **out)
{
    static const char *const parameters[] = {
        [READING_IN_STEPS] = "mode=ro&readonly_shm=1",
        [READING_WAL] = "mode=ro&readonly_shm=1",
        [READING_WAL_WITH_MARK] = "mode=ro",
        [READING_WAL_ALONE] = "mode=ro",
        [READING_FROZEN] = "mode=ro&immutable=1",
    };
    bool is_alone = reading == READING_WAL_ALONE;
    CLEANUP(strbuf_release) struct strbuf uri = STRBUF_INIT;

    source_uri(source, parameters[reading], &uri);
    int result =
        sqlite3_open_v2(uri.text, out, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                        is_alone ? "berth-lockless" : "berth");
    if (!result)
        result =
            sqlite3_db_config(*out, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    /* With an exclusive "lock" the WAL's index lies in memory. */
    if (!result && is_alone)
        result = sqlite3_exec(*out, "PRAGMA locking_mode = EXCLUSIVE", NULL,
                              NULL, NULL);
    return result;
}
