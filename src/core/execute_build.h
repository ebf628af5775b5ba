/* Steps into intents. Shared by the execute*.c files only. */
#ifndef BERTH_EXECUTE_BUILD_H
#define BERTH_EXECUTE_BUILD_H

#include "core/commit.h"
#include "core/execute.h"
#include "core/stage.h"

/*
 * What is staged for a step: nothing, a file of the source, or a sole copy on
 * the volume. `arena` keeps paths until the batch is done.
 */
err_code build_stage_item(const struct execute_options *options,
                          const struct step *step, struct arena *arena,
                          struct stage_item *out, struct error *err) MUST_CHECK;

/*
 * Adds the step's intent to the batch. ERR_NOT_FOUND when the catalogue has
 * no row that should be there; symlinks are made in staging here.
 */
err_code build_intent(const struct execute_options *options,
                      struct stage_item *item, struct batch *batch,
                      struct error *err) MUST_CHECK;

#endif
