/*
 * What the catalogue knows about one entry of a job on a volume, as a value.
 *
 * A record belongs to a directory of the catalogue and is known there by its
 * key (names.h). Strings are borrowed: from an arena, a row or a plan.
 * Pure: no file, clock or global.
 */
#ifndef BERTH_RECORD_H
#define BERTH_RECORD_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/strbuf.h"
#include "platform/platform_io.h"

#include <stdbool.h>
#include <stdint.h>

enum entry_type { ENTRY_FILE, ENTRY_DIRECTORY, ENTRY_SYMLINK };

/*
 * How the source looked when it was read. Compared with itself on this host
 * only: inodes and change times mean nothing elsewhere.
 */
struct signature {
    int64_t size_bytes;
    int64_t mtime_ns;
    int64_t ctime_ns;
    int64_t btime_ns; /* 0: unknown */
    uint64_t inode;
    uint64_t side; /* digest of a database's -wal, 0 where there is none */
};

/* How an entry looks on the drive. No inode: exFAT's are not identities. */
struct stamp {
    int64_t size_bytes; /* NO_SIZE: there is nothing */
    int64_t mtime_ns;
};
#define NO_SIZE INT64_C(-1)
#define STAMP_NOTHING ((struct stamp){.size_bytes = NO_SIZE})

enum {
    RECORD_SQLITE = 1u << 0,    /* a snapshot of a live database */
    RECORD_RACY = 1u << 1,      /* mtime within a clock tick of the reading */
    RECORD_GREW = 1u << 2,      /* it grew while read: the size first seen */
    RECORD_HELD = 1u << 3,      /* only in the catalogue: the volume has no such
                                   thing (a symlink on exFAT) */
    RECORD_UNHASHED = 1u << 4,  /* adopted, not read yet */
    RECORD_OFFLOADED = 1u << 5, /* `move` removed the source; of a directory:
                                   of something below */
    RECORD_DRIFTED = 1u << 6,   /* replaced something that was not ours */
    RECORD_ADOPTED = 1u << 7,   /* found there: somebody else wrote it */
    RECORD_COMPARED = 1u << 8,  /* read back, but perhaps from memory */
    RECORD_CLAIMED = 1u << 9,   /* another host wrote it, before `job claim`:
                                   this one has not had it in its source yet */
    RECORD_ROTTEN = 1u << 10,   /* in quarantine: read back, and not what was
                                   written (ENGINE G8) */
};

struct record {
    enum entry_type type;
    unsigned flags;
    const char *key;
    const char *raw;   /* the source's spelling; NULL: same as key */
    const char *drive; /* the volume's spelling; NULL: same as key */
    struct signature source;
    struct stamp stamp;
    struct hash hash; /* of a file's content as it is on the drive */
    uint32_t mode, uid, gid;
    const char *link_target; /* symlinks; NULL otherwise */
    /* Of a file: as platform_read_attributes gives them; length 0: none. */
    const char *attributes;
    size_t attributes_length;
    int64_t committed_ns;
    int64_t verified_ns; /* last read back with proof DEVICE; 0: never */
    int64_t child;       /* directories: id of their rows; 0 otherwise */
};

const char *record_raw(const struct record *record);
const char *record_drive(const struct record *record);

/*
 * The stored form: compact, versioned by its first byte, without the key.
 * Decoding checks every length and range, since bytes come back from drives;
 * strings land in `arena`. ERR_CORRUPT; *out is untouched then.
 */
void record_encode(const struct record *record, struct strbuf *out);
err_code record_decode(const void *bytes, size_t length, struct arena *arena,
                       struct record *out, struct error *err) MUST_CHECK;

bool record_same_attributes(const struct record *one,
                            const struct record *other);

/* All that the record points to is `arena`'s from now on. */
void record_keep(struct record *record, struct arena *arena);

struct signature signature_of(const struct platform_stat *stat);
/* signature.side for a -wal; an empty one is as good as none: 0. */
uint64_t side_digest(const struct platform_stat *wal);

enum signature_match {
    SIGNATURE_SAME,
    SIGNATURE_DOUBTFUL, /* same size and mtime, but ctime, inode or btime are
                           not: the content has to be looked at */
    SIGNATURE_CHANGED,
};
enum signature_match signature_compare(const struct signature *recorded,
                                       const struct signature *now);

/*
 * Whether a change after the reading could leave the same signature: its times
 * lie within a tick of their filesystem's clock of when the reading began.
 */
bool signature_is_racy(const struct signature *signature, int64_t read_ns);

/* Same size, and mtimes less than `tolerance_ns` + 1 apart. */
bool stamp_equal(struct stamp one, struct stamp other, int64_t tolerance_ns);
struct stamp stamp_of(const struct platform_stat *stat);

/* False for what is neither file, directory nor symlink. */
bool entry_type_of(enum platform_type type, enum entry_type *out);

#endif
