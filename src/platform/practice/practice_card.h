/*
 * Cards: what is known of a drive or a volume of paper, a text file of
 * "key=value" lines each. They are the only state of the practice backend, so
 * that two processes on one sandbox see the same drives.
 *
 * Reading needs no lock: a card is replaced as a whole. Whoever changes one
 * holds the sandbox's lock from before it is loaded until it is saved:
 *
 *     CLEANUP_FD int lock_fd = -1;
 *     CLEANUP(card_release) struct card card = CARD_INIT;
 *     code = card_lock(&lock_fd, err);
 *     card_load(CARD_DRIVE, "hdd", &card);
 *     card_set(&card, "full", "yes");
 *     code = card_save(CARD_DRIVE, "hdd", &card, err);
 *
 * Any thread.
 */
#ifndef BERTH_PRACTICE_CARD_H
#define BERTH_PRACTICE_CARD_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum card_kind { CARD_DRIVE, CARD_VOLUME };

struct card {
    struct card_line {
        char *key, *value;
    } * items;
    size_t count, capacity;
};
#define CARD_INIT                                                              \
    {                                                                          \
        .items = NULL                                                          \
    }
void card_release(struct card *card);

/* Not reentrant: a thread that holds the lock must not take it again. */
err_code card_lock(int *out_lock_fd, struct error *err) MUST_CHECK;

bool card_exists(enum card_kind kind, const char *name);
/* Empty where there is none. */
void card_load(enum card_kind kind, const char *name, struct card *out);
err_code card_save(enum card_kind kind, const char *name,
                   const struct card *card, struct error *err) MUST_CHECK;
/* A file beside a volume's card whose time is what it tells. */
char *card_stamp_path(const char *volume);

/* Borrowed until the card changes; NULL: it has no such line. */
const char *card_get(const struct card *card, const char *key);
bool card_has(const struct card *card, const char *key);
/* Whether it says "yes". */
bool card_says(const struct card *card, const char *key);
int64_t card_number(const struct card *card, const char *key, int64_t missing);
/* NULL takes the line away. */
void card_set(struct card *card, const char *key, const char *value);
void card_set_number(struct card *card, const char *key, int64_t value);

/* --- lists of names --- */

struct names {
    char **items;
    size_t count, capacity;
};
void names_release(struct names *names);
/* Once each. */
void names_add(struct names *names, const char *name);
void names_sort(struct names *names);

/* Adds those that have a card; none where there is no sandbox. */
void card_list(enum card_kind kind, struct names *out);

#endif
