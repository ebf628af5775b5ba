/* Shared by the undo_*.c files only. */
#ifndef BERTH_UNDO_BUILD_H
#define BERTH_UNDO_BUILD_H

#include "core/base/text_set.h"
#include "core/undo.h"

/* Deeds of a run, and what later runs did to which paths. */
struct deeds {
    struct run_item *items;
    size_t count, capacity;
    struct arena *arena;
};

struct building {
    struct session *session;
    int64_t run;
    struct undo *undo;
    struct owners owners;
    struct deeds deeds, later;
    /* "owner path": names that a step before this one has freed. */
    struct text_set retired, renamed;
};

err_code undo_refuse(const struct building *building, const char *path,
                     const char *reason, struct error *err) MUST_CHECK;
bool undo_is_marked(const struct text_set *marks, int64_t owner,
                    const char *path);

/* Renames whose names meet, or differ in case only, go through temporary
 * names; ERR_REFUSED when somebody else has an old name. */
err_code undo_untangle_renames(struct building *building, struct error *err)
    MUST_CHECK;

#endif
