/* Verdicts into actions of the plan, and directories into tasks. Shared by the
 * compare_*.c files. */
#ifndef BERTH_COMPARE_ACTIONS_H
#define BERTH_COMPARE_ACTIONS_H

#include "core/compare_internal.h"
#include "core/diff.h"

/* What has one key in one directory, on the three sides. */
struct trio {
    const char *key;
    const struct scan_entry *source, *drive;
    const struct record *row;
    const char *drive_name;  /* its final name on the volume */
    const char *listed_name; /* and the one it has there now */
    bool needs_room;         /* what stands in its way goes first */
};

/* "directory/name" in the arena; just the name where the directory is "". */
const char *compare_join(struct arena *arena, const char *directory,
                         const char *name);

struct action *compare_add(struct walker *walker,
                           const struct compare_task *task,
                           const struct trio *trio, enum action_kind kind,
                           enum action_reason reason);

/* Gone, and something new has a name that is the same on the volume. */
bool compare_is_twin(const struct walker *walker, const struct trio *trio);

/* What the verdict on a file, a directory, or on what is gone comes to. */
void compare_carry_out_file(struct walker *walker,
                            const struct compare_task *task,
                            const struct trio *trio, enum diff_verdict verdict,
                            bool is_poisoned);
void compare_carry_out_directory(struct walker *walker,
                                 const struct compare_task *task,
                                 const struct trio *trio,
                                 enum diff_verdict verdict);
void compare_carry_out_gone(struct walker *walker,
                            const struct compare_task *task,
                            const struct trio *trio, enum diff_verdict verdict);
void compare_add_directory_rename(struct walker *walker,
                                  const struct compare_task *task,
                                  const struct trio *trio);

#endif
