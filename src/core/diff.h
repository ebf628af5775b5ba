/*
 * The decision: given the source, the catalogue's row and the drive, what is
 * to be done with one entry (ENGINE, "Comparing"). Pure: no file, clock or
 * global; the table is tested row by row.
 */
#ifndef BERTH_DIFF_H
#define BERTH_DIFF_H

#include "core/config.h"
#include "core/record.h"

#include <stdbool.h>
#include <stdint.h>

enum source_state {
    SOURCE_ABSENT,
    SOURCE_PRESENT,
    SOURCE_FROZEN, /* excluded, unreadable, too young …: leave the drive alone
                    */
};

enum drive_state {
    DRIVE_UNREAD, /* quick: taken to be as recorded */
    DRIVE_ABSENT,
    DRIVE_PRESENT,
    DRIVE_ODD, /* a FIFO, a socket, a device: nothing that berth makes */
};

enum content_state {
    CONTENT_UNKNOWN, /* not looked at */
    CONTENT_SAME,    /* the source's content is what the row's hash says */
    CONTENT_DIFFERENT,
};

struct diff_input {
    enum job_mode mode;
    enum source_state source;
    enum entry_type source_type;
    struct signature signature;
    uint32_t source_mode, source_uid, source_gid;
    const struct record *row; /* NULL: none */
    enum drive_state drive;
    enum entry_type drive_type;
    struct stamp stamp;
    int64_t time_tolerance_ns;
    bool holds_modes;  /* the volume keeps permissions */
    bool holds_owners; /* and owners, and we may set them */
    bool is_poisoned;  /* a failed barrier made the drive's copy doubtful, or
                          it was read back and is rotten */
    enum content_state content;
};

enum diff_verdict {
    DIFF_NOTHING, /* in sync, or nothing anywhere */
    DIFF_LOOK,    /* compare the content, then ask again */
    DIFF_NEW,
    DIFF_AGAIN, /* its row is there, the drive's copy is not */
    DIFF_UPDATE,
    DIFF_REPLACE, /* as UPDATE, but the drive's is not ours: marked `!` */
    DIFF_SWAP,    /* file became directory or the other way round */
    DIFF_TOUCH,   /* permissions or owner only */
    DIFF_ADOPT,   /* equal on both sides: write the row */
    DIFF_SIGN,    /* content unchanged: renew the row's signature */
    DIFF_DELETE,
    DIFF_FORGET, /* gone on both sides: drop the row */
    DIFF_KEEP,   /* gone in the source; the mode keeps it */
    DIFF_SKIP,   /* frozen */
    DIFF_FOREIGN,
    DIFF_CONFLICT,
    DIFF_ROT,  /* the source's content changed and nothing else did */
    DIFF_LOSS, /* offloaded, and not as recorded any more */
};

enum diff_verdict diff_decide(const struct diff_input *input);

#endif
