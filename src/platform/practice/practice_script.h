/*
 * The script, played from platform_new on, and the control file, looked at
 * while it exists (practice.h has the grammar).
 */
#ifndef BERTH_PRACTICE_SCRIPT_H
#define BERTH_PRACTICE_SCRIPT_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct script {
    struct script_line {
        int64_t at_ms; /* after platform_new */
        char *text;
    } * items;
    size_t count, capacity;
    size_t played;
    int lock_fd; /* of the process that plays it; -1: not this one */
};
#define SCRIPT_INIT                                                            \
    {                                                                          \
        .lock_fd = -1                                                          \
    }
/*
 * Sets the drives up where nobody has, and takes the timed lines unless another
 * process plays them. Without a script there is nothing to play. ERR_INVALID
 * with the line.
 */
err_code script_open(struct script *out, struct error *err) MUST_CHECK;
void script_release(struct script *script);
void script_play_until(struct script *script, int64_t now_ms);

/* Carries out the lines of the control file that nobody has; quick where
 * there is none. */
void practice_play_control(void);
bool practice_has_control(void);

#endif
