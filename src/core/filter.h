/*
 * Which files of a source a job takes. Pure: no file, clock or global.
 *
 * Patterns are matched against the path below the source ("a/b/c.txt"):
 *
 *     *.tmp        a pattern without '/' is tried on the name, at any depth
 *     /cache       a leading '/' anchors it at the source
 *     a/b          so does a '/' inside
 *     build/       a trailing '/' matches directories only
 *     **           any number of directories ("/logs/" "**" "/x.log"), at
 *                  the end everything below ("/logs/" "**")
 *     * ? [a-z]    never match '/'; [!a] and [^a] negate; '\' quotes the
 *                  next one; a leading dot is nothing special
 *
 * Excluding a directory excludes everything below it. With `include`
 * patterns, only files that one of them matches (or whose directory does) are
 * taken; directories are walked all the same. Exclusion wins. Matching is
 * case-sensitive, by characters of UTF-8 ('?' is one "ä"; a byte that is not
 * UTF-8 counts as one) and of names as the catalogue knows them: patterns are
 * made NFC, as keys are. Malformed patterns are found by filter_check.
 */
#ifndef BERTH_FILTER_H
#define BERTH_FILTER_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define FILTER_PATTERN_MAX 4096 /* bytes; no path is longer */

struct filter;

enum filter_verdict {
    FILTER_TAKE,
    FILTER_EXCLUDED,   /* by the job's patterns */
    FILTER_JUNK,       /* litter of operating systems: .DS_Store … */
    FILTER_PARTIAL,    /* unfinished file of another tool: *.crdownload … */
    FILTER_MAYBE_JUNK, /* "._name": junk if it has the AppleDouble magic */
};

/*
 * `keep_junk`: built-in rules off. The patterns are copied. One that
 * filter_check refuses matches nothing.
 */
struct filter *filter_new(const char *const *include, size_t include_count,
                          const char *const *exclude, size_t exclude_count,
                          bool keep_junk);
void filter_free(struct filter *filter);

/*
 * `path` is made of keys (names.h), relative to the source, plain; "" is the
 * source itself and always taken. What lies in a directory that is excluded
 * or junk is so, too, whether or not the caller pruned there. Any thread.
 * Time is at most the product of the lengths of pattern and path.
 */
enum filter_verdict filter_judge(const struct filter *filter, const char *path,
                                 bool is_directory);

/*
 * ERR_INVALID with what is wrong: empty, unclosed '[', a range that runs
 * backwards, a lone trailing '\', a "." or ".." component, too long.
 */
err_code filter_check(const char *pattern, struct error *err) MUST_CHECK;

/* Names that operating systems leave at the root of a volume, never in jobs:
 * "LOST.DIR", "FOUND.000", "Android", "System Volume Information" … */
bool filter_is_volume_litter(const char *name);

/* The first 4 bytes of an AppleDouble file: 00 05 16 07. */
bool filter_is_apple_double(const unsigned char *bytes, size_t length);

#endif
