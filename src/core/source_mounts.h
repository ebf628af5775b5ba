/*
 * What is mounted below a source, and whether the job goes into it (ENGINE G4;
 * docs/design.md, "Filesystems below a source"). The engine's task thread.
 */
#ifndef BERTH_SOURCE_MOUNTS_H
#define BERTH_SOURCE_MOUNTS_H

#include "core/catalogue.h"
#include "core/config.h"
#include "core/source.h"
#include "platform/platform.h"

struct source_search {
    struct platform *platform;
    const struct config *config;
    const struct config_job *job;
    struct catalogue *catalogue; /* NULL: nothing is known yet */
    const struct owner *owner;   /* NULL: this job has no rows yet */
    bool lists_all; /* also where the job goes into none, and never did */
};

/* Fills in what is mounted below an open source. What cannot be opened is in
 * there with the reason. */
err_code source_find_mounts(const struct source_search *search,
                            struct source *source, struct error *err)
    MUST_CHECK;

/* Before the first row from there is written: the catalogue learns which
 * filesystems were entered, and forgets those of which nothing is left. */
err_code source_record_mounts(const struct source *source,
                              struct catalogue *catalogue,
                              const struct owner *owner, struct error *err)
    MUST_CHECK;

/*
 * What is mounted, or not, is what the user means: where a filesystem is gone
 * for good or another one stands, deletes may follow. `said` is called for each
 * such place.
 */
err_code source_accept_mounts(const struct source *source,
                              struct catalogue *catalogue,
                              const struct owner *owner,
                              void (*said)(void *context,
                                           const struct source_mount *mount),
                              void *context, struct error *err) MUST_CHECK;

/* ERR_OK with *out_is_empty: it lists nothing at all. */
err_code source_look_whether_empty(int fd, bool *out_is_empty,
                                   struct error *err) MUST_CHECK;

/* ERR_REFUSED when the disk of the source, or of what was entered, is gone
 * meanwhile: a pulled disk reads as empty. */
err_code source_check_attached(const struct source *source,
                               const struct config_job *job, struct error *err)
    MUST_CHECK;

#endif
