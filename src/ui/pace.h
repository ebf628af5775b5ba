/*
 * How fast a run is, and how long it will still take. Pure: time comes in with
 * the progress that the engine tells.
 *
 * The time left never runs backwards: when things get slower than was thought
 * it counts down more slowly, so that it reaches nothing only when the run
 * does (rsync issue 392 is what happens otherwise).
 */
#ifndef BERTH_UI_PACE_H
#define BERTH_UI_PACE_H

#include <stddef.h>
#include <stdint.h>

#define PACE_SAMPLES ((size_t)512)

struct pace {
    int64_t samples[PACE_SAMPLES]; /* bytes in each second; a ring */
    size_t sample_count;           /* ever */
    int64_t second_start_ns, second_start_bytes;
    int64_t last_ns, last_bytes, last_both;
    double speed;       /* bytes a second, now */
    double both_speed;  /* of written and durable together */
    int64_t left_ns;    /* shown; -1: not known yet */
    int64_t skipped_ns; /* paused */
    int64_t busy_ns;    /* without pauses */
};

void pace_init(struct pace *pace);
/* `elapsed_ns` since the run began; `bytes` written and `durable` of `total`.
 * Speeds are of what is written. What is left has to be written and made
 * durable: a drive whose flush is slow shows it in time. */
void pace_add(struct pace *pace, int64_t elapsed_ns, int64_t bytes,
              int64_t durable, int64_t total);
/* Time passes, and is not to be counted: the run is paused. */
void pace_skip(struct pace *pace, int64_t elapsed_ns);
/* Bytes a second over all of it; 0 while not known. */
int64_t pace_average(const struct pace *pace);
/* The sample `back` seconds ago (0: the last whole second); -1: none. */
int64_t pace_sample(const struct pace *pace, size_t back);

#endif
