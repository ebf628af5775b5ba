/*
 * What one job would do to one volume: the actions, in walk order.
 *
 * A plan owns its strings and is handed around whole: the engine makes it, a
 * screen shows it, a sync executes it. It grows with the differences, not with
 * the tree. Its paths are key paths below the job; `raw` and `drive` are the
 * same path in the source's and the volume's spelling, NULL where equal.
 */
#ifndef BERTH_PLAN_H
#define BERTH_PLAN_H

#include "core/base/arena.h"
#include "core/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum action_kind {
    ACTION_NEW,
    ACTION_UPDATE,
    ACTION_RENAME,
    ACTION_DELETE,
    ACTION_MKDIR,
    ACTION_RMDIR,
    ACTION_TOUCH,    /* permissions and owner only */
    ACTION_NOTE,     /* the catalogue only: adopted, signed anew, forgotten */
    ACTION_CONFLICT, /* nothing is done; somebody has to decide */
    ACTION_SKIP,     /* nothing is done, by rule; the reason says which */
    ACTION_FOREIGN,  /* on the drive, not ours: kept */
};
#define ACTION_KIND_COUNT ((size_t)ACTION_FOREIGN + 1)

enum action_reason {
    REASON_NONE,
    /* why something is done */
    REASON_MISSING_ON_DRIVE,
    REASON_DRIFT,      /* the drive's is not as berth left it */
    REASON_POISONED,   /* written before a barrier that failed */
    REASON_ROTTEN,     /* read back, and not what was written */
    REASON_TYPE_SWAP,  /* stands in the way of what has this name now */
    REASON_STALE_SIDE, /* -wal or -journal beside a snapshot */
    REASON_ADOPTED,
    REASON_SIGNED,
    REASON_FORGOTTEN,
    /* conflicts */
    REASON_DRIFT_KEPT,
    REASON_GONE_BUT_CHANGED,
    REASON_TWIN,
    REASON_NAME_TOO_LONG,
    REASON_FOREIGN_DIRECTORY,
    REASON_TREE_IN_THE_WAY,
    REASON_ROT,
    REASON_LOSS,
    /* skips that are by design: listed, never counted */
    REASON_EXCLUDED,
    REASON_JUNK,
    REASON_PARTIAL,
    REASON_SIDE_FILE,
    REASON_SPECIAL, /* socket, FIFO, device */
    REASON_MOUNT_POINT,
    REASON_OWN_FILES, /* berth's configuration or state */
    REASON_VANISHED,  /* while it was looked at: the next run's business */
    /* skips that count as pending */
    REASON_TOO_YOUNG,
    REASON_UNREADABLE,
    REASON_MOUNT_AWAY, /* what was mounted here is not, or is another: nothing
                          is done below */
    REASON_COUNT,
};
/* A few words for people: "excluded", "not readable". */
const char *action_reason_text(enum action_reason reason);
bool action_reason_is_by_design(enum action_reason reason);

enum {
    ACTION_HELD = 1u << 0,       /* over the cap (ENGINE G5), or needs room that
                                a held delete does not make */
    ACTION_EARLY = 1u << 1,      /* before the copies: it stands in their way */
    ACTION_FORGET = 1u << 2,     /* a note that drops the row */
    ACTION_DATABASE = 1u << 3,   /* the row is a snapshot's */
    ACTION_NEEDS_ROOM = 1u << 4, /* an ACTION_EARLY one has its name, or a
                                    name above it */
    ACTION_BACK = 1u << 5,       /* lost, and another target has it: the row
                                    stays as it is */
};

/* Where a renamed file stands now. */
struct rename_from {
    const char *path;
    const char *drive; /* NULL: same as path */
    /* Of the new name, when its content was found to be the drive's; NULL:
     * it is the very file. */
    const struct signature *proven;
};

/* What a note writes: as seen when the decision was made. */
struct noted {
    struct signature signature;
    struct stamp stamp;
    uint32_t mode, uid, gid;
    enum {
        NOTED_SIGNED,  /* the row's signature is renewed */
        NOTED_ADOPTED, /* no row yet */
        NOTED_SHIFTED, /* only the drive's time is new */
    } how;
};

struct action {
    unsigned char kind;   /* enum action_kind */
    unsigned char type;   /* enum entry_type */
    unsigned char reason; /* enum action_reason */
    unsigned char flags;  /* ACTION_HELD … */
    int32_t detail;       /* err_code of REASON_UNREADABLE */
    const char *path;
    const char *raw, *drive;
    int64_t size_bytes;
    struct stamp before; /* at the final name on the drive; NO_SIZE: nothing */
    union {
        const struct rename_from *rename; /* ACTION_RENAME */
        const struct noted *noted;        /* ACTION_NOTE, not ACTION_FORGET */
    };
};

struct plan_totals {
    int64_t count[ACTION_KIND_COUNT]; /* by action_kind */
    int64_t copy_bytes;               /* of new and updated files */
    int64_t space_bytes; /* what the plan takes in whole clusters */
    int64_t delete_files, delete_bytes;
    int64_t held_files, held_bytes;
    int64_t skipped_pending; /* too young or unreadable */
    int64_t kept_files;      /* gone in the source, kept by mode */
    int64_t files_seen;      /* in the source, taken by the job */
    int64_t bytes_seen;
    int64_t rows_files, rows_bytes; /* in the catalogue before */
};

struct plan {
    struct action *items; /* by path_compare of `path` */
    size_t count, capacity;
    struct arena arena;
    struct plan_totals totals;
    bool is_full;          /* the drive's directories were read, too */
    bool deletes_are_held; /* over the cap */
    bool overwrites_are_held;
    int64_t made_ns;
    /* Taken as they are although their times are off by a clock shift (of the
     * last). */
    int64_t shifted_files, shift_ns;
};

#define PLAN_INIT                                                              \
    {                                                                          \
        .items = NULL                                                          \
    }
void plan_release(struct plan *plan);

const char *action_raw(const struct action *action);
const char *action_drive(const struct action *action);

/* "+", "~", "»", "-", "-?", "!", "." */
const char *action_mark(const struct action *action);
/* Whether a sync would still have to do something about it. */
bool action_is_pending(const struct action *action);
/* Whether something of the source could not be looked at. */
bool action_is_unread(const struct action *action);
/* Whether it makes the difference between exit codes 0 and 1 of a diff. */
bool action_counts(const struct action *action);

void plan_sort(struct plan *plan);
/* Recomputes count, bytes and held; the seen and row figures stay. */
void plan_total(struct plan *plan);
int64_t plan_pending(const struct plan *plan);

/*
 * Directories that nothing of the plan goes into: with include patterns they
 * would be empty on the drive. Sorted plan in, sorted plan out.
 */
void plan_drop_empty_directories(struct plan *plan);

/*
 * Directories that are gone in the source and still hold something that stays
 * on the drive: they are not removed. Where all of it is foreign, so is the
 * directory from now on. What is to have the name of one that stays is in
 * conflict. Sorted plan in, sorted plan out.
 */
void plan_keep_directories(struct plan *plan);

#endif
