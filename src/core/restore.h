/*
 * Gives one entry back: from a volume to its place beneath a destination, the
 * root of a source or any directory.
 *
 *     nothing there         NAME
 *     the same content      left as it is
 *     something else        NAME.restored-2026-11-22 beside it; or, replacing,
 *                           NAME, and what was there is
 * NAME.replaced-2026-11-22
 *
 * Nothing is overwritten or removed, whatever appears meanwhile: content goes
 * to a partial file in the same directory, hashed on the way, and gets its
 * name by a rename that does not replace. Everything is reached beneath the
 * destination's descriptor; a symlink on the way is refused. A partial file
 * that a killed restore left is removed by the next restore of the same file.
 *
 *     restore.c           files, symlinks, directories
 *     restore_database.c  databases in use are refused (ENGINE G3)
 *
 * A destination belongs to one thread.
 */
#ifndef BERTH_RESTORE_H
#define BERTH_RESTORE_H

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/thread.h"
#include "core/fsops.h"
#include "core/record.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum restore_how {
    RESTORE_PLACED,
    RESTORE_SAME,
    RESTORE_BESIDE,
    RESTORE_REPLACED,
};

struct destination {
    struct fsops ops; /* on its root */
    char day[16];
    bool replaces;
    const struct stop_flag *stop;
    _Atomic int64_t *bytes_written;
    struct hasher *hasher;
    char *chunk;
};

/* `root` is borrowed: a job's source, or just a directory. */
void destination_init(struct destination *destination,
                      const struct source *root, bool replaces,
                      const struct stop_flag *stop,
                      _Atomic int64_t *bytes_written);
void destination_release(struct destination *destination);

struct restore_item {
    const char *to; /* beneath the destination */
    int volume_fd;
    const char *from;            /* on the volume */
    const struct record *record; /* NULL: as it looks on the volume */
    bool is_hashed;              /* the record's hash is of this content */
    /* Owner, setuid and the like only from rows that this host wrote, unless
     * the user trusts them (ENGINE G10). */
    bool is_trusted;
};

struct restore_answer {
    enum restore_how how;
    char *path; /* where it is now, beneath the destination; free() it */
    char *kept; /* RESTORE_REPLACED: what was there; free() it */
    int64_t size_bytes;
};
void restore_answer_release(struct restore_answer *answer);

/*
 * ERR_CORRUPT      the copy on the volume is rotten, gone or unreadable: try
 *                  another one
 * ERR_REFUSED      a database in use
 * ERR_UNSUPPORTED  restored, but for its mode, times or owner
 * ERR_NO_SPACE, ERR_CANCELLED, ERR_DEVICE_GONE (of the volume): end it all
 * Others: this file only. Nothing is left behind but on ERR_UNSUPPORTED.
 */
err_code restore_file(struct destination *destination,
                      const struct restore_item *item,
                      struct restore_answer *out, struct error *err) MUST_CHECK;
/* Of the record alone: `from` is not used. */
err_code restore_symlink(struct destination *destination,
                         const struct restore_item *item,
                         struct restore_answer *out, struct error *err)
    MUST_CHECK;
/* Made when missing, writable for us as yet. */
err_code restore_directory(struct destination *destination,
                           const struct restore_item *item, bool *out_was_made,
                           struct error *err) MUST_CHECK;
/* Mode, times and owner, when nothing is put into it any more. */
err_code restore_finish_directory(struct destination *destination,
                                  const struct restore_item *item,
                                  struct error *err) MUST_CHECK;

/*
 * ERR_REFUSED when putting something at `path` would meet a database that has
 * a -wal or a -journal, or that somebody has open. `existing_fd` -1: nothing
 * is there.
 */
err_code restore_check_database(struct destination *destination,
                                const char *path, bool is_database,
                                int existing_fd, struct error *err) MUST_CHECK;

#endif
