/*
 * Versions that have served their time go: by the job's rule, or the oldest
 * until there is room. Never the last copy of something that `move` took off
 * the internal disk.
 *
 * Freed space is given to the next file at once, and a power cut can undo the
 * removal of a name but not what was written over its content: so nothing is
 * removed between two barriers in which anything is allocated.
 */
#ifndef BERTH_PRUNE_H
#define BERTH_PRUNE_H

#include "core/base/error.h"
#include "core/catalogue.h"
#include "core/config.h"
#include "core/session.h"

#include <stdbool.h>
#include <stdint.h>

struct prune_item {
    const struct version *version;
    int64_t since_ns; /* its age counts from then: its creation, or later where
                         the clock was behind */
    int64_t size_bytes;
    bool goes;
};
/* Of those that should have gone. */
struct prune_failures {
    int64_t files, bytes;
    char *first; /* path and reason; NULL: none. free() it */
};

struct prune_items {
    struct prune_item *items;
    size_t count, capacity;
};
void prune_items_release(struct prune_items *items);

/*
 * Marks what the rule lets go, of one job's versions, which come by path and
 * then oldest first. Pure.
 */
void prune_by_rule(const struct keep_rule *rule, struct prune_item *items,
                   size_t count, int64_t now_ns);

/*
 * Marks more, oldest first, until `wanted_bytes` go in whole clusters, or
 * until nothing is left. Pure.
 */
void prune_oldest(struct prune_items *items, int64_t wanted_bytes,
                  int64_t cluster_bytes);

/* What goes, in whole clusters. */
int64_t prune_bytes(const struct prune_items *items, int64_t cluster_bytes);

/* False: it stays whatever the rule says. */
bool prune_may(const struct version *version);

/* Removes what is marked. The session has begun. What cannot be removed stays
 * listed, and is counted. */
err_code prune_marked(struct session *session, const struct prune_items *items,
                      struct prune_failures *out, struct error *err) MUST_CHECK;

#endif
