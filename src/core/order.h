/*
 * In which order a plan's actions are done, and where a batch must end. Pure.
 *
 *     1. directories that only changed their name
 *     2. what stands in the way of something new (early deletes)
 *     3. renames and the directories they go into; names that are taken go
 *        through a temporary name; then those of files in case only, likewise
 *     4. directories, copies, notes, in walk order
 *     5. deletes
 *     6. emptied directories, deepest first; metadata of directories
 *
 * Held, conflicting and skipped actions are left out.
 */
#ifndef BERTH_ORDER_H
#define BERTH_ORDER_H

#include "core/names.h"
#include "core/plan.h"

#include <stdbool.h>
#include <stddef.h>

enum step_kind {
    STEP_RENAME_AWAY, /* first half: to a temporary name */
    STEP_RENAME_BACK, /* second half: from there to the final one */
    STEP_RENAME,
    STEP_DELETE,
    STEP_RMDIR,
    STEP_MKDIR,
    STEP_COPY, /* a file or symlink */
    STEP_TOUCH,
    STEP_NOTE,
};

struct step {
    enum step_kind kind;
    bool ends_batch;  /* nothing after it may share its batch */
    size_t temporary; /* of the RENAME_ halves: the same number in both */
    const struct action *action; /* borrowed from the plan */
};

struct steps {
    struct step *items;
    size_t count, capacity;
};

void order_plan(const struct plan *plan, const struct name_rules *rules,
                struct steps *out);
void steps_release(struct steps *steps);

#endif
