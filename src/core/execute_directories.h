/*
 * The directory that a job goes into, and times, modes and owners of those that
 * a plan made or changed: set at the end, since each name that comes or goes
 * changes its directory's time.
 * Shared by the execute*.c files only.
 */
#ifndef BERTH_EXECUTE_DIRECTORIES_H
#define BERTH_EXECUTE_DIRECTORIES_H

#include "core/execute_report.h"

/* ERR_REFUSED when the volume cannot hold its name, as exFAT "a?b": what is
 * written in the configuration is not spelt otherwise. */
err_code execute_ensure_job_directory(const struct execute_options *options,
                                      struct error *err) MUST_CHECK;

/*
 * What went away meanwhile is the next run's business; what fails is reported
 * and counted. Fails only where the device does.
 */
err_code execute_finish_directories(const struct execute_options *options,
                                    struct run_counts *counts,
                                    struct execute_report *report,
                                    struct error *err) MUST_CHECK;

#endif
