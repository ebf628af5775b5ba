/*
 * The form of what a host tells the volume about its own rows, so that the
 * drive alone is enough (ENGINE G12): commit files, one for each batch, and
 * replicas, which say everything at once. Only the bytes: who writes them is
 * in replica.h, who believes them in import.h.
 *
 *     "berth commit\n", a byte with the format's number
 *     items: length (LEB128), kind, content; the first is the header
 *     an item of length 0
 *     XXH3-128 of everything before it
 *
 * Paths share what they have in common with the one before. A replica is not
 * a database: nothing that a drive holds is ever opened by SQLite, and it is
 * read in one pass, in bounded memory. Everything is checked on the way in:
 * lengths, ranges, that paths stay below where they belong; the hash at the
 * end decides whether any of it was true.
 */
#ifndef BERTH_COMMIT_FILE_H
#define BERTH_COMMIT_FILE_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/strbuf.h"
#include "core/catalogue.h"
#include "core/config.h"
#include "core/history.h"
#include "core/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_ID_HEX_LENGTH 32
#define GENERATION_LENGTH 16

/* What a drive holds is not trusted to be small. */
#define COMMIT_LIMIT_BYTES ((int64_t)256 * 1024 * 1024)
#define REPLICA_LIMIT_BYTES ((int64_t)2 * 1024 * 1024 * 1024)

enum commit_kind {
    COMMIT_BATCH = 1, /* what happened after `parent` */
    COMMIT_REPLICA,   /* everything; says the same as `parent` */
    COMMIT_RESTATED,  /* everything, and it is not what `parent` says */
};

struct commit_header {
    enum commit_kind kind;
    const char *volume; /* its id */
    const char *host;
    const char *label;      /* "hostname/user": a hint for people */
    int64_t sequence;       /* grows with each file of a host */
    const char *generation; /* random, 16 hexadecimal digits */
    const char *parent;     /* the generation before; "" for none */
    int64_t run;            /* COMMIT_BATCH: of the host */
    int64_t committed_ns;
};

enum commit_item_kind {
    COMMIT_ITEM_END,
    COMMIT_ITEM_OWNER,    /* all that the host has, before all else */
    COMMIT_ITEM_RUN,      /* times and counts of a run */
    COMMIT_ITEM_POISONED, /* all there are (ENGINE G8) */
    COMMIT_ITEM_INTENT,   /* batches: as commit_change takes it */
    COMMIT_ITEM_ROW,      /* replicas: a directory before what is in it */
    COMMIT_ITEM_VERSION,  /* replicas */
};

/* Strings are borrowed: from the caller, or from the reader until the next
 * item. */
struct commit_item {
    enum commit_item_kind kind;
    size_t owner;           /* all but OWNER and RUN: how many-eth owner */
    struct owner described; /* OWNER; without ids */
    struct run run;
    const char *path;     /* POISONED, ROW */
    struct record record; /* ROW */
    struct intent intent; /* without staging names */
    struct version version;
};

/* --- writing --- */

struct commit_writer {
    struct strbuf bytes; /* not written yet; all of it without a descriptor */
    int fd;              /* -1: into memory */
    int64_t written_bytes;
    struct hasher *hasher;
    struct strbuf path; /* the one before */
    int failed;         /* errno of the first failure */
};

void commit_writer_init(struct commit_writer *writer, int fd,
                        const struct commit_header *header);
void commit_writer_release(struct commit_writer *writer);
void commit_write_item(struct commit_writer *writer,
                       const struct commit_item *item);
/* Ends the file. `name` is for the message. Size in writer->written_bytes. */
err_code commit_writer_finish(struct commit_writer *writer, const char *name,
                              struct error *err) MUST_CHECK;

/* --- reading --- */

struct commit_source {
    int fd;            /* -1: from memory */
    const void *bytes; /* borrowed */
    size_t length;
    int64_t limit_bytes;
    const char *name; /* for messages */
};

struct commit_reader {
    struct commit_source source;
    struct commit_header header;
    unsigned char *buffer;
    size_t at, end, capacity;
    int64_t taken_bytes; /* from the source */
    bool is_exhausted;
    struct hasher *hasher;
    struct strbuf path;
    struct arena kept, arena; /* of the header; of the current item */
    size_t owner_count;
    int64_t total_bytes; /* sizes of all rows: their sum must not overflow */
    int64_t path_bytes;  /* of all paths, which take less in the file */
    bool has_content;    /* no more owners may come */
};

/*
 * Reads the header. ERR_TOO_NEW: a newer berth wrote it; ERR_CORRUPT: it is
 * not whole, or of something else. Released with commit_reader_release.
 */
err_code commit_reader_open(struct commit_reader *reader,
                            const struct commit_source *source,
                            struct error *err) MUST_CHECK;
void commit_reader_release(struct commit_reader *reader);
/*
 * The next item; COMMIT_ITEM_END once, after the hash of the whole was found
 * right. Until then nothing of it is to be believed.
 */
err_code commit_read_item(struct commit_reader *reader, struct commit_item *out,
                          struct error *err) MUST_CHECK;
/* Reads to the end. */
err_code commit_check(const struct commit_source *source, struct error *err)
    MUST_CHECK;

bool commit_generation_is_valid(const char *text);

#endif
