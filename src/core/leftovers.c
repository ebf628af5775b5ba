#include "core/leftovers.h"

#include "core/base/quantity.h"
#include "core/base/strbuf.h"

void leftovers_add(struct leftovers *to, const struct leftovers *from)
{
    to->jobs += from->jobs;
    to->unknown += from->unknown;
    to->undone += from->undone;
    to->pending += from->pending;
    to->failed += from->failed;
    to->too_young += from->too_young;
    to->unreadable += from->unreadable;
    to->held += from->held;
    to->conflicts += from->conflicts;
    to->left_out += from->left_out;
}

static int64_t *count_for(struct leftovers *left, const struct action *action)
{
    bool is_removal =
        action->kind == ACTION_DELETE || action->kind == ACTION_UPDATE;

    if (action->kind == ACTION_CONFLICT)
        return &left->conflicts;
    if (action->kind == ACTION_SKIP)
        return action->reason == REASON_TOO_YOUNG ? &left->too_young
                                                  : &left->unreadable;
    return action->flags & ACTION_HELD && is_removal ? &left->held
                                                     : &left->pending;
}

void leftovers_add_plan(struct leftovers *to, const struct plan *plan)
{
    to->jobs++;
    for (size_t i = 0; i < plan->count; i++)
        if (action_counts(&plan->items[i]))
            ++*count_for(to, &plan->items[i]);
}

bool leftovers_are_none(const struct leftovers *left)
{
    return left->jobs && !left->unknown && !left->undone && !left->pending &&
           !left->failed && !left->too_young && !left->unreadable &&
           !left->held && !left->conflicts && !left->left_out;
}

static void add_words(struct strbuf *out, int64_t count, const char *words)
{
    char number[QUANTITY_SIZE];

    if (count > 0)
        strbuf_addf(out, "%s%s %s", out->length ? ", " : "NOT on it: ",
                    format_count(count, number), words);
}

char *leftovers_words(const struct leftovers *left)
{
    struct strbuf words = STRBUF_INIT;

    if (left->undone)
        strbuf_addf(&words, "NOT on it: what %s",
                    left->undone == 1 ? "a job that was not done has"
                                      : "jobs that were not done have");
    add_words(&words, left->pending, "pending");
    add_words(&words, left->failed, "failed");
    add_words(&words, left->too_young, "too young");
    add_words(&words, left->unreadable, "not readable");
    add_words(&words, left->held,
              plural(left->held, "delete held", "deletes held"));
    add_words(&words, left->conflicts, "in conflict");
    add_words(&words, left->left_out, "left out");
    if (!words.length)
        strbuf_adds(&words, left->unknown ? "whether everything is on it was "
                                            "not compared"
                            : left->jobs  ? "everything is on it"
                                          : "no job of berth writes to it");
    return strbuf_detach(&words);
}
