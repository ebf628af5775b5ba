#include "ui/pace.h"

#include "core/base/clock.h"

#include <stdbool.h>

/* Sooner than this nothing can be said. */
#define FIRST_WORD_NS (2 * NS_PER_SECOND)
/* How slowly the present speed and the time left follow what is seen. */
#define SPEED_MEMORY_NS (3 * NS_PER_SECOND)
#define LEFT_MEMORY_NS (5 * NS_PER_SECOND)

void pace_init(struct pace *pace)
{
    *pace = (struct pace){.left_ns = -1};
}

static void take_samples(struct pace *pace, int64_t now_ns, int64_t bytes)
{
    int64_t seconds = (now_ns - pace->second_start_ns) / NS_PER_SECOND;

    if (seconds <= 0)
        return;
    int64_t each = (bytes - pace->second_start_bytes) / seconds;
    for (int64_t i = 0; i < seconds && i < (int64_t)PACE_SAMPLES; i++)
        pace->samples[pace->sample_count++ % PACE_SAMPLES] = each;
    pace->second_start_ns += seconds * NS_PER_SECOND;
    pace->second_start_bytes = bytes;
}

/* From the present speed and the average alike: one alone jumps, the other
 * does not notice that the small files begin. */
static int64_t estimate_left(const struct pace *pace, int64_t done,
                             int64_t total)
{
    double average = (double)done / (double)pace->busy_ns * NS_PER_SECOND;
    double speed = (pace->both_speed + average) / 2;

    if (speed < 1)
        return -1;
    double left = (double)(total - done) / speed * (double)NS_PER_SECOND;
    return left < 9e18 ? (int64_t)left : -1;
}

static void count_down(struct pace *pace, int64_t step_ns, int64_t estimate_ns)
{
    if (estimate_ns < 0)
        return;
    if (pace->left_ns < 0) {
        pace->left_ns = estimate_ns;
        return;
    }
    double left = (double)pace->left_ns, step = (double)step_ns;
    double estimate = (double)estimate_ns;
    if (estimate + step > left)
        left -= step * left / (estimate + step);
    else
        left -= step + (left - step - estimate) *
                           (step / (step + (double)LEFT_MEMORY_NS));
    pace->left_ns = left > 0 ? (int64_t)left : 0;
}

static double follow(double speed, int64_t bytes, int64_t step_ns,
                     bool is_first)
{
    double now = (double)bytes / (double)step_ns * NS_PER_SECOND;
    double weight = (double)step_ns / (double)(step_ns + SPEED_MEMORY_NS);

    if (now < 0)
        now = 0;
    return is_first ? now : speed + (now - speed) * weight;
}

void pace_add(struct pace *pace, int64_t elapsed_ns, int64_t bytes,
              int64_t durable, int64_t total)
{
    int64_t now_ns = elapsed_ns - pace->skipped_ns;
    int64_t step_ns = now_ns - pace->last_ns;
    int64_t both = bytes + durable;

    if (step_ns <= 0)
        return;
    bool is_first = !pace->last_bytes;
    pace->speed =
        follow(pace->speed, bytes - pace->last_bytes, step_ns, is_first);
    pace->both_speed =
        follow(pace->both_speed, both - pace->last_both, step_ns, is_first);
    pace->last_ns = pace->busy_ns = now_ns;
    pace->last_bytes = bytes;
    pace->last_both = both;
    take_samples(pace, now_ns, bytes);
    if (now_ns >= FIRST_WORD_NS && bytes > 0)
        count_down(pace, step_ns, estimate_left(pace, both, 2 * total));
}

void pace_skip(struct pace *pace, int64_t elapsed_ns)
{
    pace->skipped_ns = elapsed_ns - pace->last_ns;
}

int64_t pace_average(const struct pace *pace)
{
    if (pace->busy_ns <= 0)
        return 0;
    return (int64_t)((double)pace->last_bytes / (double)pace->busy_ns *
                     NS_PER_SECOND);
}

int64_t pace_sample(const struct pace *pace, size_t back)
{
    if (back >= pace->sample_count || back >= PACE_SAMPLES)
        return -1;
    return pace->samples[(pace->sample_count - 1 - back) % PACE_SAMPLES];
}
