#include "core/lines.h"

#include "core/base/array.h"
#include "core/base/error.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct text_line {
    const char *text;
    size_t length;
    bool is_different; /* gone, or new */
};

struct text_lines {
    struct text_line *items;
    size_t count, capacity;
};

/* The furthest that paths from both ends have come on each diagonal: the line
 * of `before` that is reached, diagonal = line before - line after. */
struct comparison {
    struct text_lines before, after;
    long *forward, *backward;
};

static void split(const char *text, size_t length, struct text_lines *out)
{
    while (length) {
        const char *end = memchr(text, '\n', length);
        struct text_line line = {.text = text};
        line.length = end ? (size_t)(end - text) : length;
        size_t taken = line.length + (end != NULL);
        ARRAY_PUSH(out, line);
        text += taken;
        length -= taken;
    }
}

static bool is_equal(const struct comparison *both, long before, long after)
{
    const struct text_line *one = &both->before.items[before];
    const struct text_line *other = &both->after.items[after];

    return one->length == other->length &&
           !memcmp(one->text, other->text, one->length);
}

/* Lines [x, x_end) before, [y, y_end) after. */
struct box {
    long x, x_end, y, y_end;
};

/* A range of diagonals that grows by one at both ends, or shrinks where the
 * box ends. */
struct diagonals {
    long low, high;
};

static void widen(struct diagonals *range, const struct box *box, long *reached,
                  long unreached)
{
    if (range->low > box->x - box->y_end) {
        range->low--;
        reached[range->low - 1] = unreached;
    } else {
        range->low++;
    }
    if (range->high < box->x_end - box->y) {
        range->high++;
        reached[range->high + 1] = unreached;
    } else {
        range->high--;
    }
}

static bool is_within(const struct diagonals *range, long diagonal)
{
    return range->low <= diagonal && diagonal <= range->high;
}

/* One more difference from the beginning; true when the other side is met. */
static bool go_forward(struct comparison *both, const struct box *box,
                       struct diagonals *mine, const struct diagonals *other,
                       bool meets, long *out_x, long *out_y)
{
    long *reached = both->forward;

    widen(mine, box, reached, -1);
    for (long d = mine->high; d >= mine->low; d -= 2) {
        long below = reached[d - 1], above = reached[d + 1];
        long x = below < above ? above : below + 1;
        while (x < box->x_end && x - d < box->y_end && is_equal(both, x, x - d))
            x++;
        reached[d] = x;
        if (meets && is_within(other, d) && both->backward[d] <= x) {
            *out_x = x;
            *out_y = x - d;
            return true;
        }
    }
    return false;
}

static bool go_backward(struct comparison *both, const struct box *box,
                        struct diagonals *mine, const struct diagonals *other,
                        bool meets, long *out_x, long *out_y)
{
    long *reached = both->backward;

    widen(mine, box, reached, LONG_MAX);
    for (long d = mine->high; d >= mine->low; d -= 2) {
        long below = reached[d - 1], above = reached[d + 1];
        long x = below < above ? below : above - 1;
        while (x > box->x && x - d > box->y && is_equal(both, x - 1, x - d - 1))
            x--;
        reached[d] = x;
        if (meets && is_within(other, d) && x <= both->forward[d]) {
            *out_x = x;
            *out_y = x - d;
            return true;
        }
    }
    return false;
}

/* A point that a shortest path goes through; false: too far away. */
static bool find_middle(struct comparison *both, const struct box *box,
                        long *out_x, long *out_y)
{
    struct diagonals forward = {box->x - box->y, box->x - box->y};
    struct diagonals backward = {box->x_end - box->y_end,
                                 box->x_end - box->y_end};
    bool is_odd = (forward.low - backward.low) % 2 != 0;

    both->forward[forward.low] = box->x;
    both->backward[backward.low] = box->x_end;
    for (int cost = 0; cost < LINES_DIFFERENT_MOST; cost++)
        if (go_forward(both, box, &forward, &backward, is_odd, out_x, out_y) ||
            go_backward(both, box, &backward, &forward, !is_odd, out_x, out_y))
            return true;
    return false;
}

static void mark(struct text_lines *lines, long from, long end)
{
    for (long i = from; i < end; i++)
        lines->items[i].is_different = true;
}

static void compare(struct comparison *both, struct box box)
{
    long x, y;

    while (box.x < box.x_end && box.y < box.y_end &&
           is_equal(both, box.x, box.y)) {
        box.x++;
        box.y++;
    }
    while (box.x < box.x_end && box.y < box.y_end &&
           is_equal(both, box.x_end - 1, box.y_end - 1)) {
        box.x_end--;
        box.y_end--;
    }
    if (box.x == box.x_end || box.y == box.y_end ||
        !find_middle(both, &box, &x, &y)) {
        mark(&both->before, box.x, box.x_end);
        mark(&both->after, box.y, box.y_end);
        return;
    }
    compare(both, (struct box){box.x, x, box.y, y});
    compare(both, (struct box){x, box.x_end, y, box.y_end});
}

/* --- telling --- */

struct telling {
    const struct comparison *both;
    size_t before, after; /* lines told so far */
    line_visit *visit;
    void *context;
};

static bool tell(struct telling *telling, enum line_kind kind)
{
    struct line line = {.kind = kind};
    const struct text_line *text =
        kind == LINE_NEW ? &telling->both->after.items[telling->after]
                         : &telling->both->before.items[telling->before];

    line.before = kind == LINE_NEW ? 0 : ++telling->before;
    line.after = kind == LINE_GONE ? 0 : ++telling->after;
    line.text = text->text;
    line.length = text->length;
    return telling->visit(telling->context, &line);
}

static bool tell_same(struct telling *telling, size_t count)
{
    while (count--)
        if (!tell(telling, LINE_SAME))
            return false;
    return true;
}

static bool tell_left_out(struct telling *telling, size_t count)
{
    const struct line line = {
        .kind = LINE_LEFT_OUT, .count = count, .text = ""};

    telling->before += count;
    telling->after += count;
    return !count || telling->visit(telling->context, &line);
}

static size_t count_same(const struct telling *telling)
{
    const struct text_lines *before = &telling->both->before;
    const struct text_lines *after = &telling->both->after;
    size_t count = 0;

    while (telling->before + count < before->count &&
           telling->after + count < after->count &&
           !before->items[telling->before + count].is_different &&
           !after->items[telling->after + count].is_different)
        count++;
    return count;
}

/* Equal lines: behind what differed, left out, before what differs. */
static bool tell_equal(struct telling *telling, size_t around)
{
    size_t count = count_same(telling);
    bool is_last = telling->before + count == telling->both->before.count &&
                   telling->after + count == telling->both->after.count;
    size_t first = telling->before || telling->after ? around : 0;
    size_t last = is_last ? 0 : around;

    if (first + last >= count)
        return tell_same(telling, count);
    return tell_same(telling, first) &&
           tell_left_out(telling, count - first - last) &&
           tell_same(telling, last);
}

static bool tell_different(struct telling *telling)
{
    const struct text_lines *before = &telling->both->before;
    const struct text_lines *after = &telling->both->after;

    while (telling->before < before->count &&
           before->items[telling->before].is_different)
        if (!tell(telling, LINE_GONE))
            return false;
    while (telling->after < after->count &&
           after->items[telling->after].is_different)
        if (!tell(telling, LINE_NEW))
            return false;
    return true;
}

static bool is_any_different(const struct text_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        if (lines->items[i].is_different)
            return true;
    return false;
}

void lines_compare(const char *before, size_t before_length, const char *after,
                   size_t after_length, size_t around, line_visit *visit,
                   void *context)
{
    struct comparison both = {.before = {.items = NULL}};
    struct telling telling = {
        .both = &both, .visit = visit, .context = context};

    if (before_length == after_length &&
        (!before_length || !memcmp(before, after, before_length)))
        return;
    split(before, before_length, &both.before);
    split(after, after_length, &both.after);
    size_t diagonals = both.before.count + both.after.count + 3;
    long *room = xcalloc(2 * diagonals, sizeof *room);
    both.forward = room + both.after.count + 1;
    both.backward = both.forward + diagonals;
    compare(&both, (struct box){0, (long)both.before.count, 0,
                                (long)both.after.count});
    bool has_more = is_any_different(&both.before) ||
                    is_any_different(&both.after); /* not only the last \n */
    while (has_more && (telling.before < both.before.count ||
                        telling.after < both.after.count))
        if (!tell_equal(&telling, around) || !tell_different(&telling))
            break;
    free(room);
    free(both.before.items);
    free(both.after.items);
}
