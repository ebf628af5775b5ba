/*
 * The keys that a script may use, and what their values mean. Pure.
 */
#ifndef BERTH_PRACTICE_KEYS_H
#define BERTH_PRACTICE_KEYS_H

#include "platform/practice/practice_card.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Its value as the card keeps it (sizes as plain bytes), free() it; and whose
 * key it is: drives and volumes share some ("size"), there *kind stays what it
 * was. ERR_INVALID: no such key, or not such a value.
 */
err_code practice_read_key(const char *key, const char *value,
                           enum card_kind *kind, char **out_value,
                           struct error *err) MUST_CHECK;

/* "5TB", "4MB", "512"; powers of 1000. */
bool practice_read_amount(const char *text, int64_t *out);
/* "20", "0.5" */
bool practice_read_seconds(const char *text, int64_t *out_ms);

#endif
