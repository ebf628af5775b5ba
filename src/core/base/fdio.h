/*
 * Whole reads and writes on descriptors, and small files in one piece.
 * POSIX only. EINTR is retried; a short write goes on.
 */
#ifndef BERTH_BASE_FDIO_H
#define BERTH_BASE_FDIO_H

#include "core/base/error.h"
#include "core/base/strbuf.h"

#include <stddef.h>
#include <sys/types.h>

/* Reads until `length` bytes or end of file. Returns the count or -1/errno. */
ssize_t fd_read_full(int fd, void *buffer, size_t length);
/* Writes all of it. Returns 0 or an errno value (ENOSPC, EIO …). */
int fd_write_full(int fd, const void *buffer, size_t length);

/*
 * Appends a whole file to `out`. ERR_INVALID when it is larger than
 * `limit_bytes`: files from a drive are not trusted to be small.
 * `what` names the file in the message.
 */
err_code fd_read_file(int fd, size_t limit_bytes, const char *what,
                      struct strbuf *out, struct error *err) MUST_CHECK;
err_code file_read(const char *path, size_t limit_bytes, struct strbuf *out,
                   struct error *err) MUST_CHECK;

/*
 * Replaces a file on the internal disk atomically and durably: temporary
 * name beside it, fsync, rename, fsync of the directory. Keeps the mode of
 * an existing file, else uses `mode`. Follows a symlink to replace what it
 * points to, so that a linked configuration stays linked.
 */
err_code file_replace(const char *path, const char *text, size_t length,
                      mode_t mode, struct error *err) MUST_CHECK;

/*
 * Creates a file, as durable as above and never seen in part. ERR_EXISTS, and
 * nothing touched, when there is one: of two that ask at once, one makes it.
 */
err_code file_create(const char *path, const char *text, size_t length,
                     mode_t mode, struct error *err) MUST_CHECK;

/* mkdir -p with mode 0700. */
err_code directory_ensure(const char *path, struct error *err) MUST_CHECK;

#endif
