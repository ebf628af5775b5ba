/* Shared by the compare_*.c files only. */
#ifndef BERTH_COMPARE_INTERNAL_H
#define BERTH_COMPARE_INTERNAL_H

#include "core/compare.h"
#include "core/filter.h"
#include "core/scan.h"

/* A directory to be compared. Strings are allocated with it. */
struct compare_task {
    struct compare_task *next;
    const char *path;   /* key path below the job, "" for its root */
    const char *raw;    /* the source's spelling */
    const char *drive;  /* final spelling on the volume, below the job */
    const char *listed; /* where the volume has it now: differs from `drive`
                           below a directory that is going to be renamed */
    uint64_t mount;     /* of the source's directory: what is in it and has
                           another one is a mount point */
    int64_t row;        /* id of its rows; 0: none */
    bool in_source, on_drive;
    bool early;      /* what is gone here stands in the way of something new */
    bool needs_room; /* what is new here waits for something in its way */
};

/* A file that is gone or new: one half of a rename, perhaps. */
struct rename_candidate {
    const char *path, *drive;
    struct signature signature;
    size_t filesystem; /* of the source: source_filesystem_of */
    bool is_paired;
};
struct rename_candidates {
    struct rename_candidate *items;
    size_t count, capacity;
};

/* Equal sizes, and times that are a clock shift apart: of source and drive
 * without a row, else of row and drive. */
struct shifted_file {
    const char *path;
    enum action_kind kind; /* what it would be otherwise */
    bool is_gone;          /* from the source: then `content` is the row's */
    struct hash content;
    const struct noted *noted; /* in the plan's arena */
    int64_t shift_ns;
};
struct shifted_files {
    struct shifted_file *items;
    size_t count, capacity;
};

struct trio;
struct compare_walk; /* shared by the walkers: compare.c */

/*
 * A directory that only changed its name, within its parent: renamed on the
 * drive in one step, and what is below is compared under the new name.
 */
struct moved_directory {
    const char *key;         /* now */
    const char *old_key;     /* before */
    const char *listed_name; /* what the volume calls it until the rename */
};
struct moved_directories {
    struct moved_directory *items; /* by key */
    size_t count, capacity;
};

/* One walker; everything in it is its own. */
struct walker {
    struct compare_walk *walk;
    const struct compare_options *options;
    const struct filter *filter;
    struct catalogue *catalogue; /* NULL: none yet */
    struct arena scratch;        /* of one directory */
    struct scan source, drive;
    struct records rows;
    struct moved_directories moved; /* in this directory */
    struct {
        unsigned char *items; /* by row: gone, and something new has a name
                                 that the volume does not tell apart */
        size_t count, capacity;
    } twins;
    struct plan plan; /* its part */
    struct rename_candidates gone, fresh;
    struct shifted_files shifted;
};

void compare_push(struct compare_walk *walk, const struct compare_task *task);

/* Compares one directory; pushes the ones below it. */
err_code compare_directory(struct walker *walker,
                           const struct compare_task *task, struct error *err)
    MUST_CHECK;

/*
 * Finds directories that were renamed in place and names that the volume does
 * not tell apart, between the three sides that were just read. Rows and drive
 * entries of a moved directory get its new key. One with a filesystem mounted
 * in it, now or when the drive was given it, stays where it is.
 */
void compare_find_moved(struct walker *walker, const struct compare_task *task);
const struct moved_directory *compare_moved(
    const struct moved_directories *moved, const char *key);

/* Of the sorted plan; NULL when there is none. */
struct action *compare_find_action(struct plan *plan, const char *path,
                                   enum action_kind kind);

/*
 * A drive whose clock was another (ENGINE, "Comparing"): remembers a file that
 * would be replaced, conflict or count as lost, and afterwards takes those that
 * differ by one shift for what they are, if a sample has the same content.
 */
void compare_note_shift(struct walker *walker, const struct action *action,
                        const struct trio *trio);
void compare_adopt_shifted(const struct compare_options *options,
                           struct plan *plan, struct shifted_files *files);

/*
 * Turns new + gone pairs of the sorted plan into renames: the same inode; or,
 * where the drive is read, the same size, time and bytes.
 */
void compare_match_renames(const struct compare_options *options,
                           struct plan *plan, struct rename_candidates *gone,
                           struct rename_candidates *fresh);

#endif
