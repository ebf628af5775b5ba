/*
 * Scheduled runs: when the next one is, when the last one was, and how many
 * never were because the machine was off or asleep. One small file per time
 * of day, STATE/schedule/0200, written by the runs themselves.
 */
#ifndef BERTH_NIGHTS_H
#define BERTH_NIGHTS_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct night_record {
    int64_t installed_ns;         /* 0: not known */
    int64_t started_ns, ended_ns; /* of the last run; 0: none, not ended */
    int exit_code;                /* of the last that ended */
    int64_t missed, missed_at_ns; /* found by the last run, and the first */
};

/* A time that was never written is all zero. `at` is "02:00" or "on-plug". */
err_code night_read(const char *state_directory, const char *at,
                    struct night_record *out, struct error *err) MUST_CHECK;
err_code night_write(const char *state_directory, const char *at,
                     const struct night_record *record, struct error *err)
    MUST_CHECK;

/*
 * How often it is `at` o'clock, local time, after `after_ns` and not later
 * than `until_ns`; *out_first is the first of them. 0 for "on-plug". Pure but
 * for the time zone.
 */
int64_t night_count(const char *at, int64_t after_ns, int64_t until_ns,
                    int64_t *out_first);
/* The first after `now_ns`; 0 for "on-plug". */
int64_t night_next(const char *at, int64_t now_ns);

/* Notes that a run begins now: what it is too late for is in `missed`. */
void night_begin(struct night_record *record, const char *at, int64_t now_ns);

/* Runs that should have begun by now, 15 minutes' grace granted. */
int64_t night_overdue(const struct night_record *record, const char *at,
                      int64_t now_ns, int64_t *out_first);

#endif
