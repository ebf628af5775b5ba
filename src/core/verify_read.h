/*
 * Files of a volume, read back and hashed by a few readers ahead of whoever
 * judges them: on small files one alone waits for the device most of the time.
 * Results come in the order in which files were added. Shared by the verify*.c
 * files only; everything but reading is on the caller's thread.
 */
#ifndef BERTH_VERIFY_READ_H
#define BERTH_VERIFY_READ_H

#include "core/base/arena.h"
#include "core/verify.h"

struct reading {
    struct arena arena; /* keeps what follows */
    const char *path, *drive_path;
    const char *full; /* on the volume */
    struct record record;
    /* What came of it, once it is done. */
    bool is_done;
    bool was_opened;
    bool has_drifted; /* another size or time: not read */
    bool has_hash;    /* else there was no proof to be had */
    enum platform_proof proof;
    struct hash hash;
    int64_t bytes;
    err_code code; /* ERR_NOT_FOUND, ERR_CHANGED: the opening's */
    struct error err;
};

/* With `needs_proof` nothing is hashed that may come from memory. */
struct verify_reader;
struct verify_reader *verify_reader_new(const struct verify_options *options,
                                        bool needs_proof);
/* Ends what is being read. NULL is fine. */
void verify_reader_free(struct verify_reader *reader);

bool verify_reader_is_full(const struct verify_reader *reader);
/* Not when it is full. Strings are copied. */
void verify_reader_add(struct verify_reader *reader, const char *path,
                       const char *drive_path, const char *full,
                       const struct record *record);
/* Waits for it; NULL when there is none. Borrowed until it is dropped. */
struct reading *verify_reader_oldest(struct verify_reader *reader);
void verify_reader_drop_oldest(struct verify_reader *reader);

#endif
