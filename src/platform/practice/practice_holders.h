/*
 * Who holds a volume of paper: those that the script plays, and what this
 * process itself has open on it, so that an engine which forgets a descriptor
 * is told so. Any thread.
 */
#ifndef BERTH_PRACTICE_HOLDERS_H
#define BERTH_PRACTICE_HOLDERS_H

#include "platform/platform.h"
#include "platform/practice/practice_card.h"
#include "platform/practice/practice_verbs.h"

#include <stdbool.h>

/* The pids of played holders: above every system's, so that a signal to one
 * of them reaches nobody (Linux gives out 4,194,304 at most). */
#define PRACTICE_PID_BASE 5000000

/* "busy NAME PID COMMAND PATH …" on the volume's card. */
err_code practice_hold(struct card *card, const struct words *words,
                       struct error *err) MUST_CHECK;
void practice_let_go(struct card *card);

/* Adds to `out`. */
void practice_list_holders(const char *volume, struct platform_holders *out);

#endif
