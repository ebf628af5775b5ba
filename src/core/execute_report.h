/*
 * Files that did not arrive: told to the listener at once, and to the history
 * in one transaction at the end of the job, since a commit for each would cost
 * a flush for each. Shared by the execute*.c files only.
 */
#ifndef BERTH_EXECUTE_REPORT_H
#define BERTH_EXECUTE_REPORT_H

#include "core/execute.h"

struct execute_failure {
    char *path, *message;
};

struct execute_report {
    struct execute_failure *items;
    size_t count, capacity;
    int64_t without_space; /* of these: did not fit */
};

void execute_report_failure(struct execute_report *report,
                            const struct execute_options *options,
                            const char *path, err_code code,
                            const char *message);

/* Writes the history and empties the report. */
err_code execute_report_end(struct execute_report *report,
                            const struct execute_options *options,
                            struct error *err) MUST_CHECK;

#endif
