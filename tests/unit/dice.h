/*
 * Chance for tests: the same numbers from the same seed (xorshift64*).
 * BERTH_SEED replays what a failing test printed.
 */
#ifndef BERTH_TESTS_DICE_H
#define BERTH_TESTS_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct dice {
    uint64_t state;
};

static inline struct dice dice_new(uint64_t seed)
{
    /* Neighbouring seeds are to have nothing in common; 0 would stay 0. */
    uint64_t state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return (struct dice){state ? state : 1};
}

static inline uint64_t dice_next(struct dice *dice)
{
    dice->state ^= dice->state >> 12;
    dice->state ^= dice->state << 25;
    dice->state ^= dice->state >> 27;
    return dice->state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline size_t dice_below(struct dice *dice, size_t limit)
{
    return (size_t)((dice_next(dice) >> 11) % limit);
}

static inline bool dice_one_in(struct dice *dice, size_t count)
{
    return !dice_below(dice, count);
}

/* Near zero, near both ends, near a power of two, or anything. */
static inline int64_t dice_extreme(struct dice *dice)
{
    uint64_t near = dice_below(dice, 5);

    switch (dice_below(dice, 6)) {
    case 0:
        return (int64_t)near - 2;
    case 1:
        return INT64_MAX - (int64_t)near;
    case 2:
        return INT64_MIN + (int64_t)near;
    case 3:
        return (int64_t)((UINT64_C(1) << dice_below(dice, 64)) + near - 2);
    case 4:
        return (int64_t)dice_below(dice, 1000000);
    default:
        return (int64_t)dice_next(dice);
    }
}

static inline uint64_t dice_seed_of_environment(uint64_t otherwise)
{
    const char *chosen = getenv("BERTH_SEED");

    return chosen && *chosen ? strtoull(chosen, NULL, 10) : otherwise;
}

#endif
