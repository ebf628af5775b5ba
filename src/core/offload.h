/*
 * May a source file go, now that copies of it stand on drives? The rules of
 * the mode `move` (ENGINE, "move"). Pure: no file, clock or global.
 *
 *     offload.c          this: the decision
 *     offload_files.c    taking the files away, and the journal of it
 *     offload_copies.c   what is known of the copies and their volumes
 *     task_tidy.c        at the end of a sync, and `tidy`
 */
#ifndef BERTH_OFFLOAD_H
#define BERTH_OFFLOAD_H

#include "core/base/error.h"
#include "core/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A proof is believed for so long. */
#define OFFLOAD_PROOF_DAYS 90

enum offload_reason {
    OFFLOAD_READY,
    /* what a copy lacks; the further down, the nearer it is to counting */
    OFFLOAD_NO_COPY,    /* none at all on that target */
    OFFLOAD_UNKNOWN,    /* the volume cannot be told apart from another */
    OFFLOAD_UNCLEAN,    /* the volume was left in the middle of a run */
    OFFLOAD_FAILING,    /* the drive's health */
    OFFLOAD_NOT_THERE,  /* looked at: not as recorded, or a flush failed */
    OFFLOAD_CHANGED,    /* the source is not what was copied */
    OFFLOAD_RACY,       /* copied in the moment in which it changed */
    OFFLOAD_ADOPTED,    /* somebody else wrote it */
    OFFLOAD_UNREAD,     /* never read back */
    OFFLOAD_COMPARED,   /* read back, perhaps from memory */
    OFFLOAD_OLD_PROOF,  /* read back too long ago */
    OFFLOAD_NO_REPLICA, /* its metadata is on this machine only */
    /* what the file itself lacks */
    OFFLOAD_CLOCK_UNSYNCHRONISED,
    OFFLOAD_CLOCK_BEHIND,
    OFFLOAD_KEEP_LOCAL,
    OFFLOAD_DATABASE, /* its copy is a snapshot */
    OFFLOAD_SYMLINK,
    OFFLOAD_LINKED,   /* has another name (hard link) */
    OFFLOAD_OPEN,     /* somebody has it open */
    OFFLOAD_LEFT_OUT, /* the job's filter does not take it, or it is young */
    OFFLOAD_FAILED,   /* it could not be removed: see the message */
};
#define OFFLOAD_REASON_COUNT ((size_t)OFFLOAD_FAILED + 1)

/* "waiting for another copy", and what can be done about it ("": nothing). */
const char *offload_reason_text(enum offload_reason reason);
const char *offload_reason_advice(enum offload_reason reason);
/* In JSON: "no-replica". */
const char *offload_reason_name(enum offload_reason reason);

/* One copy, on one target of the job. */
struct offload_copy {
    const struct record *row;   /* NULL: none */
    const char *volume_id;      /* copies on one volume and its clones count
                                   once */
    enum offload_reason volume; /* OFFLOAD_READY, or what the volume lacks */
    bool is_there;              /* as far as is known: the drive's side is as
                                   recorded, and no flush failed over it */
    int64_t replica_ns; /* rows committed until then are in a replica on the
                           volume that was flushed and read back; 0: none */
};

struct offload_input {
    enum entry_type type;
    struct signature source; /* as it is now; with a database's -wal */
    uint32_t links;
    const struct offload_copy *copies;
    size_t copy_count;
    int min_copies;
    int64_t keep_local_ns;
    int64_t now_ns;
    bool clock_is_synchronised;
    int64_t last_run_ns; /* of the job, on any of its volumes; 0: none */
};

struct offload_verdict {
    enum offload_reason reason;
    size_t copy;      /* which one lacks something; meaningless for others */
    int counted;      /* copies that count */
    int64_t until_ns; /* OFFLOAD_KEEP_LOCAL: it waits until then */
};

struct offload_verdict offload_judge(const struct offload_input *input);

/* Whether this copy counts, and if not, why. */
enum offload_reason offload_judge_copy(const struct offload_input *input,
                                       const struct offload_copy *copy);

#endif
