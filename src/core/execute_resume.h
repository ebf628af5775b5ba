/*
 * What a run takes up of large files that an earlier one did not finish
 * (resume.h). Shared by the execute*.c files only.
 */
#ifndef BERTH_EXECUTE_RESUME_H
#define BERTH_EXECUTE_RESUME_H

#include "core/commit.h"
#include "core/execute.h"
#include "core/stage.h"

/* Sets copy->resumes, where there is something to be resumed or to be kept. */
err_code execute_open_resumes(const struct execute_options *options,
                              struct copy_context *copy, struct error *err)
    MUST_CHECK;
/* `is_done`: everything that the plan has was tried. */
err_code execute_close_resumes(const struct execute_options *options,
                               struct copy_context *copy, bool is_done,
                               struct error *err) MUST_CHECK;

/* Says where a large file is staged, and how much of it is there. */
void execute_name_resumable(const struct execute_options *options,
                            const struct copy_context *copy,
                            struct stage_item *item);
/* After a batch was committed: these have arrived. */
err_code execute_forget_resumed(const struct copy_context *copy,
                                const struct batch *batch, struct error *err)
    MUST_CHECK;

#endif
