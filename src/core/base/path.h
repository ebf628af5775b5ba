/*
 * Relative and absolute paths as byte strings with '/' between components.
 * Pure functions: nothing here looks at a filesystem.
 */
#ifndef BERTH_BASE_PATH_H
#define BERTH_BASE_PATH_H

#include "core/base/strbuf.h"

#include <stdbool.h>
#include <stddef.h>

/* The last component: points into `path`. "a/b" -> "b", "a" -> "a". */
const char *path_name(const char *path);

/* Bytes of the parent: "a/b" -> 1, "a" -> 0, "/a" -> 1 (the root). */
size_t path_parent_length(const char *path);

/* Appends "/name", or just "name" to an empty buffer; nothing for "". */
void path_append(struct strbuf *path, const char *name);

/* "dir/name" in fresh memory; "name" where dir is "" (free() it). */
char *path_join(const char *directory, const char *name);

/*
 * Removes ".", empty components and a trailing slash, resolves "..", without
 * looking at links. "" stays "". free() it.
 */
char *path_clean(const char *path);

/*
 * Whether `inner` is `outer` or lies below it. Both clean. "" and "/" contain
 * everything of their kind. "ab" is not below "a".
 */
bool path_is_within(const char *inner, const char *outer);

/* Whether one of them contains the other. */
bool path_overlaps(const char *one, const char *other);

/* Not empty, not absolute, no "", "." or ".." component: safe below a root. */
bool path_is_plain_relative(const char *path);

/*
 * The order of a walk that lists a directory before what is in it and goes
 * by bytes otherwise: '/' sorts before every other byte. As strcmp.
 */
int path_compare(const char *one, const char *other);

#endif
