/*
 * What a volume can hold: probed by trying, not assumed from its type, since
 * one format behaves differently under each driver (ENGINE, "exFAT, and every
 * target that is less than its source").
 *
 * Probing writes to `.berth/staging`, so it needs the volume's lock. What was
 * found is kept in the catalogue, for a diff while the drive is away.
 */
#ifndef BERTH_TRAITS_H
#define BERTH_TRAITS_H

#include "core/base/error.h"
#include "core/catalogue.h"
#include "core/fsops.h"
#include "core/names.h"
#include "core/volume.h"

#include <stdbool.h>
#include <stdint.h>

struct traits {
    struct name_rules names;
    bool has_symlinks;
    bool has_hard_links;
    bool has_modes;
    bool has_owners;
    bool has_attributes;       /* extended ones */
    bool has_journal;          /* renames survive a power cut whole or not */
    int64_t time_tolerance_ns; /* times closer than this are the same */
    int64_t cluster_bytes;
};

/* `ops` is on the volume's root, staging exists. */
err_code traits_probe(struct fsops *ops, const struct volume *volume,
                      struct traits *out, struct error *err) MUST_CHECK;

/* FSOPS_SET_… of what the volume keeps. */
unsigned traits_metadata(const struct traits *traits);

/* The largest file that such a filesystem can hold. */
int64_t traits_longest_file(const char *family);

/* ERR_NOT_FOUND when the volume has never been probed. */
err_code traits_load(struct catalogue *catalogue, struct traits *out,
                     struct error *err) MUST_CHECK;
err_code traits_store(struct catalogue *catalogue, const struct traits *traits,
                      struct error *err) MUST_CHECK;

#endif
