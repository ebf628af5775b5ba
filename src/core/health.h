/*
 * Health: readings into a verdict with its reason in one line. Pure: no
 * clock, file or global; table-tested.
 *
 * Vendor FAILING_NOW, and *growth* of the critical attributes over a baseline
 * kept per drive: old counts don't alarm, a verdict can recover. Drives that
 * hide SMART are judged by what the kernel and berth itself saw.
 */
#ifndef BERTH_HEALTH_H
#define BERTH_HEALTH_H

#include "platform/platform.h"

#include <stdbool.h>
#include <stdint.h>

enum health_state { HEALTH_UNKNOWN, HEALTH_GOOD, HEALTH_WATCH, HEALTH_FAILING };
const char *health_state_name(enum health_state state); /* "good" */

#define HEALTH_WHY_SIZE 160
struct health_verdict {
    enum health_state state;
    char why[HEALTH_WHY_SIZE]; /* "SMART passed, 34 °C, 4,120 h" */
};

/* Raw values of the critical attributes when they were first seen. */
#define HEALTH_CRITICAL_COUNT 9 /* 5 10 184 187 188 196 197 198 201 */
struct health_baseline {
    bool is_known;
    int64_t raw[HEALTH_CRITICAL_COUNT]; /* -1: the drive has no such one */
    int64_t media_errors;               /* NVMe */
    int64_t since_ns;                   /* 0: not known */
};
int health_critical_id(int index);

/* What berth itself saw of the drive. */
struct health_evidence {
    int64_t read_back_mismatches, read_errors, failed_flushes;
};

struct health_baseline health_baseline_of(const struct platform_health *now);
struct health_verdict health_judge(const struct platform_health *readings,
                                   const struct health_baseline *baseline,
                                   const struct health_evidence *evidence);

#endif
