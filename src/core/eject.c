#include "core/eject.h"

#include <stdio.h>

const char *eject_verdict_words(enum eject_verdict verdict)
{
    switch (verdict) {
    case EJECT_GREEN:
        return "SAFE TO UNPLUG";
    case EJECT_YELLOW:
        return "UNMOUNTED AND FLUSHED";
    case EJECT_RED:
        return "DO NOT UNPLUG";
    case EJECT_NONE:
        break;
    }
    return "";
}

const char *eject_verdict_name(enum eject_verdict verdict)
{
    switch (verdict) {
    case EJECT_GREEN:
        return "green";
    case EJECT_YELLOW:
        return "yellow";
    case EJECT_RED:
        return "red";
    case EJECT_NONE:
        break;
    }
    return "none";
}

static struct eject_judgement judgement(enum eject_verdict verdict,
                                        const char *why, const char *remedy)
{
    struct eject_judgement result = {.verdict = verdict};

    snprintf(result.why, sizeof result.why, "%s", why);
    snprintf(result.remedy, sizeof result.remedy, "%s", remedy);
    return result;
}

/* What makes it red, worst first; EJECT_NONE when nothing does. */
static struct eject_judgement judge_red(const struct eject_proof *proof)
{
    if (proof->barrier_failed && !proof->has_lost_writes)
        return judgement(EJECT_RED,
                         "the drive reported an error while its "
                         "data was flushed",
                         "leave it plugged in and sync again: what was written "
                         "is copied anew and read back");
    if (proof->was_poisoned)
        return judgement(EJECT_RED,
                         "an earlier flush failed and has not been "
                         "made good",
                         "sync again: what was written then is copied anew and "
                         "read back");
    if (proof->has_lost_writes)
        return judgement(EJECT_RED,
                         "a flush failed of a volume that berth does not write",
                         "copy again what was written to it since it was "
                         "plugged in, and look at it from elsewhere");
    if (proof->is_past_unknown)
        return judgement(EJECT_RED,
                         "whether an earlier flush failed is not known: "
                         "berth's catalogue of it cannot be read",
                         "make it readable (`berth drives` says what is wrong "
                         "with it), then eject again");
    if (!proof->barrier_ok)
        return judgement(EJECT_RED, "the data was not flushed", "eject again");
    if (proof->volumes_unmounted < proof->volumes_mounted)
        return judgement(EJECT_RED, "not every volume could be unmounted",
                         "close what uses it, then eject again");
    if (proof->is_still_in_use)
        return judgement(
            EJECT_RED,
            "it is still in use: by another program, or mounted in "
            "a container",
            "end what uses it, then eject again");
    if (proof->power.flush_failed)
        return judgement(EJECT_RED, "the drive refused to empty its cache",
                         "wait until its light is still, plug it in again and "
                         "verify");
    return judgement(EJECT_NONE, "", "");
}

/* A disk that the kernel takes for uncached gets no flush from it; only one
 * whose status we read ourselves counts. */
static bool is_cache_empty(const struct eject_proof *proof)
{
    return proof->write_cache == PLATFORM_CACHE_WRITE_BACK ||
           proof->power.flush_seen;
}

static const char wait_words[] = "wait until its light is still, then unplug";

struct eject_judgement eject_judge(const struct eject_proof *proof)
{
    struct eject_judgement red = judge_red(proof);

    if (red.verdict == EJECT_RED)
        return red;
    if (!proof->can_be_green)
        return judgement(EJECT_YELLOW,
                         "flushed and unmounted; there is no device here that "
                         "could be powered off",
                         "");
    if (!is_cache_empty(proof))
        return judgement(EJECT_YELLOW,
                         "flushed and unmounted; whether the drive emptied its "
                         "own cache was not seen",
                         wait_words);
    if (!proof->power_off_ok)
        return judgement(EJECT_YELLOW,
                         proof->power_off_tried
                             ? "flushed and unmounted; power-off was refused"
                             : "flushed and unmounted; not powered off",
                         wait_words);
    if (proof->power.stop_failed)
        return judgement(EJECT_YELLOW,
                         "flushed and unmounted; the drive refused to stop",
                         wait_words);
    if (!proof->device_gone)
        return judgement(EJECT_YELLOW,
                         "flushed and unmounted; the drive has not left the "
                         "system",
                         wait_words);
    return judgement(EJECT_GREEN,
                     "flushed, unmounted, powered off, gone from the system",
                     "");
}
