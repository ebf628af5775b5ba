/*
 * Lines into what happens: the verbs that practice.h lists.
 */
#ifndef BERTH_PRACTICE_VERBS_H
#define BERTH_PRACTICE_VERBS_H

#include "core/base/error.h"
#include "core/base/strbuf.h"

#include <stddef.h>

/* The words of a line, as the grammar has them. */
struct words {
    char **items;
    size_t count, capacity;
};
void words_release(struct words *words);
err_code words_split(const char *line, struct words *out, struct error *err)
    MUST_CHECK;
/* Those from `first` on, as a line again. */
void words_join(const struct words *words, size_t first, struct strbuf *out);

/* Carries out one line without "at"; an empty one is fine. Any thread. */
err_code practice_play(const char *line, struct error *err) MUST_CHECK;
/* What is wrong with it goes to control.errors. */
void practice_play_or_complain(const char *line);
/*
 * What waits on a volume's card for an event ("on-unmount"), once. `volume`
 * has been asked to be unmounted, or has got another file.
 */
void practice_play_unmount(const char *volume);
void practice_play_file(const char *volume);

#endif
