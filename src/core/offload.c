#include "core/offload.h"

#include "core/base/clock.h"

#include <string.h>

#define PROOF_NS (OFFLOAD_PROOF_DAYS * 24 * 3600 * NS_PER_SECOND)

static const struct {
    const char *name, *text, *advice;
} reasons[OFFLOAD_REASON_COUNT] = {
    [OFFLOAD_READY] = {"ready", "enough copies", ""},
    [OFFLOAD_NO_COPY] = {"no-copy", "waiting for another copy",
                         "plug in the drive that has none, and sync"},
    [OFFLOAD_UNKNOWN] = {"unknown-volume",
                         "waiting: two attached volumes carry one marker",
                         "unplug the clone"},
    [OFFLOAD_UNCLEAN] = {"unclean",
                         "waiting: the drive was left in the middle of a run",
                         "plug it in and sync: that repairs it"},
    [OFFLOAD_FAILING] = {"failing", "waiting: the drive with a copy is failing",
                         "replace the drive"},
    [OFFLOAD_NOT_THERE] = {"not-there",
                           "waiting: the copy is not as it was recorded",
                           "`berth diff --full` says what is wrong"},
    [OFFLOAD_CHANGED] = {"changed", "changed since it was copied",
                         "`berth sync` copies it"},
    [OFFLOAD_RACY] = {"racy", "waiting: copied in the moment it changed",
                      "the next sync compares it"},
    [OFFLOAD_ADOPTED] = {"adopted",
                         "waiting: berth did not write the copy that is there",
                         "a copy that something else made is never the reason "
                         "to remove a file: touch it and berth copies it"},
    [OFFLOAD_UNREAD] = {"unread", "waiting: the copy was not read back yet",
                        "plug in the drive and sync, or `berth verify` it"},
    [OFFLOAD_COMPARED] = {"compared",
                          "waiting: read back only as \"compared\" here",
                          "eject the drive, plug it in and sync again: then "
                          "the copies are read from the device"},
    [OFFLOAD_OLD_PROOF] = {"old-proof",
                           "waiting: the copy was read back over 90 days ago",
                           "plug in the drive and `berth verify` it"},
    [OFFLOAD_NO_REPLICA] = {"no-replica",
                            "waiting: the drive has no replica of the "
                            "catalogue with this file yet",
                            "plug in the drive and sync"},
    [OFFLOAD_CLOCK_UNSYNCHRONISED] =
        {"clock-unsynchronised", "waiting: the clock is not synchronised",
         "switch time synchronisation on (`timedatectl set-ntp true`)"},
    [OFFLOAD_CLOCK_BEHIND] = {"clock-behind",
                              "waiting: the clock is behind the last run",
                              "set the clock, or wait until it has passed it"},
    [OFFLOAD_KEEP_LOCAL] = {"keep-local", "waiting for keep_local", ""},
    [OFFLOAD_DATABASE] = {"database", "a database: its copy is a snapshot", ""},
    [OFFLOAD_SYMLINK] = {"symlink", "a symlink: nothing to gain", ""},
    [OFFLOAD_LINKED] = {"hard-linked", "has another name (a hard link)",
                        "remove the other name, or leave it"},
    [OFFLOAD_OPEN] = {"open", "open in another program, or that cannot be told",
                      "close it"},
    [OFFLOAD_LEFT_OUT] = {"left-out", "excluded, or too young", ""},
    [OFFLOAD_FAILED] = {"failed", "could not be removed", ""},
};

const char *offload_reason_text(enum offload_reason reason)
{
    return reasons[reason].text;
}

const char *offload_reason_advice(enum offload_reason reason)
{
    return reasons[reason].advice;
}

const char *offload_reason_name(enum offload_reason reason)
{
    return reasons[reason].name;
}

/* --- one copy --- */

static enum offload_reason judge_content(const struct offload_input *input,
                                         const struct record *row)
{
    enum signature_match match =
        signature_compare(&row->source, &input->source);

    if (row->type != ENTRY_FILE || match != SIGNATURE_SAME ||
        row->flags & RECORD_GREW)
        return OFFLOAD_CHANGED;
    if (row->flags & RECORD_RACY)
        return OFFLOAD_RACY;
    return row->flags & (RECORD_ADOPTED | RECORD_UNHASHED) ? OFFLOAD_ADOPTED
                                                           : OFFLOAD_READY;
}

static enum offload_reason judge_proof(const struct offload_input *input,
                                       const struct record *row)
{
    if (!row->verified_ns)
        return row->flags & RECORD_COMPARED ? OFFLOAD_COMPARED : OFFLOAD_UNREAD;
    /* One of the future was taken by a clock that nobody can believe. */
    if (row->verified_ns > input->now_ns ||
        input->now_ns - row->verified_ns > PROOF_NS)
        return OFFLOAD_OLD_PROOF;
    return OFFLOAD_READY;
}

enum offload_reason offload_judge_copy(const struct offload_input *input,
                                       const struct offload_copy *copy)
{
    const struct record *row = copy->row;
    enum offload_reason reason;

    if (!row)
        return OFFLOAD_NO_COPY;
    if (copy->volume != OFFLOAD_READY)
        return copy->volume;
    if (!copy->is_there || row->flags & RECORD_HELD)
        return OFFLOAD_NOT_THERE;
    reason = judge_content(input, row);
    if (reason == OFFLOAD_READY)
        reason = judge_proof(input, row);
    if (reason == OFFLOAD_READY && row->committed_ns > copy->replica_ns)
        reason = OFFLOAD_NO_REPLICA;
    return reason;
}

/* --- the file --- */

/* Its volume has been counted already: a clone, or named twice. */
static bool is_counted(const struct offload_input *input, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (!strcmp(input->copies[i].volume_id, input->copies[at].volume_id) &&
            offload_judge_copy(input, &input->copies[i]) == OFFLOAD_READY)
            return true;
    return false;
}

/* `verdict` says how many copies count, and what the nearest other lacks. */
static void count_copies(const struct offload_input *input,
                         struct offload_verdict *verdict)
{
    enum offload_reason nearest = OFFLOAD_NO_COPY;

    for (size_t i = 0; i < input->copy_count; i++) {
        enum offload_reason reason =
            offload_judge_copy(input, &input->copies[i]);
        if (reason == OFFLOAD_READY && !is_counted(input, i))
            verdict->counted++;
        if (reason != OFFLOAD_READY && reason >= nearest) {
            nearest = reason;
            verdict->copy = i;
        }
    }
    verdict->reason =
        verdict->counted < input->min_copies ? nearest : OFFLOAD_READY;
}

/*
 * When the last of the copies that are needed was committed: as many as
 * min_copies, the earliest ones. A file that was put back since begins anew.
 */
static int64_t waits_from(const struct offload_input *input)
{
    int64_t from = input->source.ctime_ns, earlier = INT64_MIN;

    for (int needed = 0; needed < input->min_copies; needed++) {
        int64_t next = INT64_MAX;
        for (size_t i = 0; i < input->copy_count; i++) {
            const struct offload_copy *copy = &input->copies[i];
            if (offload_judge_copy(input, copy) == OFFLOAD_READY &&
                copy->row->committed_ns > earlier &&
                copy->row->committed_ns < next)
                next = copy->row->committed_ns;
        }
        if (next == INT64_MAX) /* two in the same moment */
            break;
        earlier = next;
    }
    return earlier > from ? earlier : from;
}

static enum offload_reason judge_kind(const struct offload_input *input)
{
    if (input->type == ENTRY_SYMLINK)
        return OFFLOAD_SYMLINK;
    for (size_t i = 0; i < input->copy_count; i++)
        if (input->copies[i].row && input->copies[i].row->flags & RECORD_SQLITE)
            return OFFLOAD_DATABASE;
    return input->links > 1 ? OFFLOAD_LINKED : OFFLOAD_READY;
}

struct offload_verdict offload_judge(const struct offload_input *input)
{
    struct offload_verdict verdict = {.reason = judge_kind(input)};

    if (verdict.reason == OFFLOAD_READY && input->min_copies < 1)
        verdict.reason = OFFLOAD_NO_COPY; /* never without any */

    if (verdict.reason != OFFLOAD_READY)
        return verdict;
    count_copies(input, &verdict);
    if (verdict.reason != OFFLOAD_READY)
        return verdict;
    if (!input->clock_is_synchronised) {
        verdict.reason = OFFLOAD_CLOCK_UNSYNCHRONISED;
        return verdict;
    }
    if (input->now_ns < input->last_run_ns) {
        verdict.reason = OFFLOAD_CLOCK_BEHIND;
        return verdict;
    }
    int64_t from_ns = waits_from(input);
    verdict.until_ns = from_ns > INT64_MAX - input->keep_local_ns
                           ? INT64_MAX
                           : from_ns + input->keep_local_ns;
    if (verdict.until_ns > input->now_ns)
        verdict.reason = OFFLOAD_KEEP_LOCAL;
    return verdict;
}
