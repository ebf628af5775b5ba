/*
 * Exit codes: what a command ended with, and which of several applies.
 * Documented for users in berth(1).
 */
#ifndef BERTH_OUTCOME_H
#define BERTH_OUTCOME_H

#include "core/base/error.h"

enum outcome {
    OUTCOME_DONE = 0,
    OUTCOME_DIFFERENCES = 1,  /* also held deletes and conflicts left */
    OUTCOME_USAGE = 2,        /* wrong usage or configuration */
    OUTCOME_FAILED_FILES = 3, /* some files failed, rot, findings */
    OUTCOME_REFUSED = 4,      /* for safety */
    OUTCOME_ABSENT = 5,       /* drive absent, unknown or not mounted */
    OUTCOME_BUSY = 6,
    OUTCOME_DEVICE = 7, /* drive failed or vanished: unsafe */
    OUTCOME_INTERRUPTED = 8,
    OUTCOME_NO_SPACE = 9,
};

/* The one that counts: 4, 7, 9, 5, 6, 8, 3, 1 in this order; 2 before all. */
enum outcome outcome_worse(enum outcome one, enum outcome other);

/* Of an error that ended a job or command. */
enum outcome outcome_of(err_code code);

#endif
