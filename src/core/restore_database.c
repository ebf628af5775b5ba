#include "core/base/fdio.h"
#include "core/restore.h"
#include "core/sqlite_copy.h"

#include <fcntl.h>
#include <unistd.h>

/* Where SQLite's locks are: sqlite.org/fileformat2.html, "lock-byte page". */
#define LOCK_BYTES_AT 0x40000000
#define LOCK_BYTES 512

static err_code check_side_file(struct destination *destination,
                                const char *path, const char *suffix,
                                struct error *err)
{
    CLEANUP_FREE char *side = xasprintf("%s%s", path, suffix);
    struct platform_stat stat;
    bool exists;
    err_code code = fsops_look(&destination->ops, side, &exists, &stat, err);

    if (!code && exists)
        code = error_set(err, ERR_REFUSED,
                         "a database, and %s stands beside it: it would be "
                         "applied to what is restored. Close the program that "
                         "uses it, or restore elsewhere with --to",
                         side);
    return code;
}

/* Locks tell of a transaction, and in WAL mode of every connection. */
static bool has_locks(int fd)
{
    struct flock lock = {
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = LOCK_BYTES_AT,
        .l_len = LOCK_BYTES,
    };

    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static bool holds_database(int fd)
{
    unsigned char magic[SQLITE_MAGIC_BYTES];
    ssize_t got = fd_read_full(fd, magic, sizeof magic);

    return got > 0 && sqlite_is_database(magic, (size_t)got);
}

err_code restore_check_database(struct destination *destination,
                                const char *path, bool is_database,
                                int existing_fd, struct error *err)
{
    bool was_database = existing_fd >= 0 && holds_database(existing_fd);

    if (!is_database && !was_database)
        return ERR_OK;
    err_code code = check_side_file(destination, path, "-wal", err);
    if (!code)
        code = check_side_file(destination, path, "-journal", err);
    if (code || !was_database)
        return code;
    bool is_open = false;
    code = platform_is_open_elsewhere(existing_fd, &is_open, NULL);
    if (is_open || (code && has_locks(existing_fd)))
        return error_set(err, ERR_REFUSED,
                         "a database that a program has open: close the "
                         "program, or restore without --replace");
    return ERR_OK; /* what cannot tell, has not seen anybody */
}
