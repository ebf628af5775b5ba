#include "core/base/text_set.h"
#include "core/base/error.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(const void *one, const void *other)
{
    return strcmp(one, other);
}

void text_set_add(struct text_set *set, const char *text)
{
    char *copy = xstrdup(text);
    char *const *node = tsearch(copy, &set->root, compare_texts);

    if (!node)
        die("out of memory (a node of a set)");
    if (*node != copy)
        free(copy);
}

bool text_set_has(const struct text_set *set, const char *text)
{
    return tfind(text, &set->root, compare_texts);
}

void text_set_release(struct text_set *set)
{
    while (set->root) {
        char *text = *(char **)set->root;
        tdelete(text, &set->root, compare_texts);
        free(text);
    }
}
