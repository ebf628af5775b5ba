/*
 * Copies one batch's files into staging with a few workers. Nothing under a
 * final name is touched; the caller records, renames and commits.
 */
#ifndef BERTH_STAGE_H
#define BERTH_STAGE_H

#include "core/copy.h"
#include "core/order.h"
#include "core/session.h"

enum stage_from {
    STAGE_NOTHING, /* the step needs no copy */
    STAGE_SOURCE,  /* a file of the source */
    STAGE_VOLUME,  /* a sole copy on the volume, on its way to a version */
};

struct stage_item {
    const struct step *step;
    enum stage_from from;
    const char *path;           /* in the source, or on the volume; borrowed */
    const struct record *known; /* a database's row, or NULL; borrowed */
    const char *replaces;       /* stands under the final name; NULL: nothing */
    char *staged;               /* on the volume; owned */
    char *resumable;    /* where it is staged if it is resumed; owned, NULL: is
                           not */
    int64_t kept_bytes; /* so much of it is on the volume already */
    struct copy_result result;
    err_code code; /* ERR_CANCELLED: not begun, or stopped */
    char *message; /* of a failure; owned, NULL otherwise */
};

struct stage_items {
    struct stage_item *items;
    size_t count, capacity;
};
void stage_items_release(struct stage_items *items);

/*
 * Workers that go through all items that need a copy; the caller has other
 * things to do meanwhile, and keeps what it handed over until they are done.
 * Each item carries its own outcome. After a device failure or a stop, the
 * items not begun stay ERR_CANCELLED.
 */
struct staging;
struct staging *stage_begin(struct session *session,
                            const struct copy_context *context,
                            unsigned workers, struct stage_items *items);
/* Returns when every worker is done. */
void stage_wait(struct staging *staging);
/* The same, beginning nothing more; then frees it. */
void stage_end(struct staging *staging);

#endif
