/*
 * A set of texts that is asked while it grows: the balanced tree of POSIX
 * tsearch(). Nothing else of a path is kept with it; for a list that is made
 * first and asked later, a sorted array does.
 */
#ifndef BERTH_BASE_TEXT_SET_H
#define BERTH_BASE_TEXT_SET_H

#include <stdbool.h>

struct text_set {
    void *root;
};

#define TEXT_SET_INIT                                                          \
    {                                                                          \
        .root = NULL                                                           \
    }

/* Keeps a copy, once. */
void text_set_add(struct text_set *set, const char *text);
bool text_set_has(const struct text_set *set, const char *text);
void text_set_release(struct text_set *set);

#endif
