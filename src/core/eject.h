/*
 * Ejecting: the steps, what was seen of each, and the verdict that may be
 * drawn from it. Pure: the task performs, this judges; table-tested.
 *
 * Green rests on what berth saw itself: its own checked barrier, every volume
 * unmounted, power-off done and the device gone. UDisks2 ignores a failing
 * SYNCHRONIZE CACHE and STOP; umount returned 0 after every injected error.
 */
#ifndef BERTH_EJECT_H
#define BERTH_EJECT_H

#include "platform/platform.h"

#include <stdbool.h>

enum eject_verdict {
    EJECT_NONE,   /* not decided yet */
    EJECT_GREEN,  /* SAFE TO UNPLUG */
    EJECT_YELLOW, /* UNMOUNTED AND FLUSHED */
    EJECT_RED,    /* DO NOT UNPLUG */
};
const char *eject_verdict_words(enum eject_verdict verdict);
const char *eject_verdict_name(enum eject_verdict verdict); /* "green" */

/* What was seen. Also the `proof` of `berth eject --json`. */
struct eject_proof {
    bool barrier_ok; /* of every mounted, writable volume: syncfs, fsync */
    bool barrier_failed;
    bool was_poisoned;    /* an earlier flush failed and was not repaired */
    bool has_lost_writes; /* … of a volume that is not berth's to repair */
    bool is_past_unknown; /* the catalogue that would tell cannot be read */
    int volumes_mounted;  /* before */
    int volumes_unmounted;
    bool is_still_in_use; /* found by locking or power-off: it is mounted where
                             our mount table does not show it */
    bool power_off_tried, power_off_ok;
    bool device_gone; /* seen to leave */
    enum platform_write_cache write_cache;
    struct platform_power_proof power;
    bool can_be_green; /* false: loop device, folder */
};

#define EJECT_WHY_SIZE 200
struct eject_judgement {
    enum eject_verdict verdict;
    char why[EJECT_WHY_SIZE];    /* one line: what the verdict rests on */
    char remedy[EJECT_WHY_SIZE]; /* what to do; "" for green */
};
struct eject_judgement eject_judge(const struct eject_proof *proof);

enum eject_step {
    EJECT_STEP_JOBS,  /* jobs on this drive stopped */
    EJECT_STEP_FLUSH, /* barrier */
    EJECT_STEP_UNMOUNT,
    EJECT_STEP_POWER_OFF,
    EJECT_STEP_DONE,
};

#endif
