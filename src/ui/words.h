/*
 * Times and counts in the words of the screens. Pure but for the time zone.
 */
#ifndef BERTH_UI_WORDS_H
#define BERTH_UI_WORDS_H

#include <stdint.h>

#define WORDS_SIZE 64 /* QUANTITY_SIZE fits */

/* "14:06" today, "21 Nov 14:06" else. */
const char *words_time(int64_t now_ns, int64_t time_ns,
                       char buffer[WORDS_SIZE]);
/* "14 Nov"; "14:06" today. */
const char *words_since(int64_t now_ns, int64_t time_ns,
                        char buffer[WORDS_SIZE]);
/* "just now", "12 min ago", "2 h ago", "9 days ago" */
const char *words_ago(int64_t now_ns, int64_t time_ns, char buffer[WORDS_SIZE]);
/* The same in three letters at most: "now", "5m", "2h", "12d", "14w", "2y". */
const char *words_age(int64_t now_ns, int64_t time_ns, char buffer[WORDS_SIZE]);
/* "1 file", "1,204 files": the plural takes an s. */
const char *words_count(int64_t count, const char *thing,
                        char buffer[WORDS_SIZE]);
/* Rounded as one says it: "about 7 min", "about 40 s". */
const char *words_about(int64_t duration_ns, char buffer[WORDS_SIZE]);
/* "41 s", "7 min", "1 h 12 min": what is left of a run; never "0 s". */
const char *words_left(int64_t left_ns, char buffer[WORDS_SIZE]);
/* How a run ended, by its exit code: "done", "some files failed". */
const char *words_ended(int exit_code);
/* 0 to 100, never 100 before it is all. */
int words_percent(int64_t part, int64_t whole);

#endif
