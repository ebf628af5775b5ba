/*
 * Builds the list of drives: devices of the platform, joined with the volumes
 * of the configuration by their markers, and with what the catalogues know of
 * those that are away. May wait for a sick drive: a task's thread only.
 */
#ifndef BERTH_REGISTRY_H
#define BERTH_REGISTRY_H

#include "core/base/error.h"
#include "core/config.h"
#include "core/drive.h"
#include "core/health_store.h"
#include "platform/platform.h"

#include <stdbool.h>

struct registry {
    struct platform *platform;
    const struct config *config;
    const char *state_directory;
    const char *host;
    struct health_store *health; /* NULL: health is not asked for */
};

err_code registry_list(const struct registry *registry, struct drives *out,
                       struct error *err) MUST_CHECK;

/*
 * The drive that a user means: by the name of one of its volumes, by its
 * device or a volume's device, or by its title if only one matches.
 * ERR_NOT_FOUND: unknown; ERR_INVALID: ambiguous; both with what there is.
 */
err_code registry_find(const struct drives *drives, const char *name,
                       const struct drive **out, struct error *err) MUST_CHECK;

#endif
