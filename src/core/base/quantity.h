/*
 * Quantities as people read them. Powers of 1000, as drives are sold.
 * Pure; results are short: a buffer of QUANTITY_SIZE holds each.
 */
#ifndef BERTH_BASE_QUANTITY_H
#define BERTH_BASE_QUANTITY_H

#include "core/base/compiler.h"
#include "core/base/strbuf.h"

#include <stddef.h>
#include <stdint.h>

#define QUANTITY_SIZE 48

/* At most INT64_MAX: two sparse files of 8 EiB exist anywhere. */
int64_t sum_of_bytes(int64_t one, int64_t other) MUST_CHECK;

/* "0 B", "999 B", "1.2 kB", "38.2 GB", "412 GB" */
const char *format_bytes(int64_t bytes, char buffer[QUANTITY_SIZE]);
/* "1,204" */
const char *format_count(int64_t count, char buffer[QUANTITY_SIZE]);
/* "1 file", "1,204 files": the plural takes an s. */
const char *format_things(int64_t count, const char *thing,
                          char buffer[QUANTITY_SIZE]);
/* The one or the many, where more than an s changes: "copy", "files are". */
const char *plural(int64_t count, const char *one, const char *many);
/* ", 1,204 files are back" behind what is there; nothing for none. */
void strbuf_add_part(struct strbuf *out, int64_t count, const char *one,
                     const char *many);
/* "0.4 s", "12 s", "3 m 12 s", "2 h 05 m", "9 d" */
const char *format_duration(int64_t duration_ns, char buffer[QUANTITY_SIZE]);
/* "78.3 MB/s"; "–" where no time has passed. */
const char *format_speed(int64_t bytes, int64_t duration_ns,
                         char buffer[QUANTITY_SIZE]);

#endif
