/*
 * A moment as people name it on the command line, and which of a file's copies
 * stood on the drive then. Pure.
 *
 *     "2026-11-20"            the end of that day, local time
 *     "2026-11-20 14:00"      the end of that minute
 *     "2026-11-20T14:00:00Z"  as JSON output has it
 *     "3d"                    so long ago (s m h d w)
 *     "17"                    after run 17; run numbers are a volume's own
 */
#ifndef BERTH_MOMENT_H
#define BERTH_MOMENT_H

#include "core/base/error.h"
#include "core/catalogue.h"

#include <stdbool.h>
#include <stdint.h>

struct moment {
    enum { MOMENT_NOW, MOMENT_TIME, MOMENT_RUN } kind;
    int64_t time_ns; /* MOMENT_TIME */
    int64_t run;     /* MOMENT_RUN */
};

/* NULL is now. ERR_INVALID with what can be written. */
err_code moment_parse(const char *text, int64_t now_ns, struct moment *out,
                      struct error *err) MUST_CHECK;

/* A row that was copied later than that was not there yet. */
bool moment_has_row(int64_t at_ns, const struct record *record);

/*
 * Of the versions of one path, oldest first: the one that had the name at
 * `at_ns`; NULL when none of them did. INT64_MAX asks for the newest.
 */
const struct version *moment_version(const struct version *versions,
                                     size_t count, int64_t at_ns);

#endif
