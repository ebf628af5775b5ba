#include "ui/diff_tree.h"

#include "core/base/array.h"

#include <stdlib.h>
#include <string.h>

/* --- nodes -----------------------------------------------------------------
 */

static struct diff_node *node_new(const struct diff_tree *tree,
                                  const struct review *review, size_t first,
                                  size_t end, size_t prefix, int depth)
{
    struct diff_node *node = xcalloc(1, sizeof *node);
    const struct diff_options *options = &tree->options;

    node->depth = depth;
    node->list = (struct diff_list){
        .review = review,
        .first = first,
        .end = end,
        .prefix = prefix,
        .is_flat = options->is_flat || *options->filter,
        .is_by_path = options->is_by_path,
        .filter = options->filter,
    };
    return node;
}

static void node_free(struct diff_node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->open.count; i++)
        node_free(node->open.items[i].node);
    free(node->open.items);
    diff_list_release(&node->list);
    free(node);
}

static bool is_ready(const struct diff_node *node)
{
    return node->list.phase == DIFF_READY;
}

/* What of the list can be shown: rows that will still move are not. */
static size_t listed(const struct diff_node *node)
{
    if (is_ready(node))
        return node->list.count;
    return node->list.is_by_path ? node->list.count + 1 : 1;
}

static size_t count_rows(struct diff_node *node)
{
    if (!node)
        return 0;
    node->rows = listed(node);
    for (size_t i = 0; i < node->open.count; i++)
        node->rows += count_rows(node->open.items[i].node);
    return node->rows;
}

static void recount(struct diff_tree *tree)
{
    for (size_t i = 0; i < tree->roots.count; i++)
        count_rows(tree->roots.items[i].node);
}

/* --- a tree ----------------------------------------------------------------
 */

static void open_root(struct diff_tree *tree, struct diff_root *root)
{
    root->node =
        node_new(tree, root->review, 0, root->review->plan.count, 0, 1);
}

struct diff_tree *diff_tree_new(struct review *const *reviews, size_t count,
                                const struct diff_options *options)
{
    struct diff_tree *tree = xcalloc(1, sizeof *tree);

    tree->options = *options;
    for (size_t i = 0; i < count; i++) {
        struct diff_root root = {.review = reviews[i]};
        open_root(tree, &root);
        ARRAY_PUSH(&tree->roots, root);
    }
    recount(tree);
    return tree;
}

void diff_tree_free(struct diff_tree *tree)
{
    if (!tree)
        return;
    for (size_t i = 0; i < tree->roots.count; i++)
        node_free(tree->roots.items[i].node);
    for (size_t i = 0; i < tree->wishes.count; i++)
        free(tree->wishes.items[i].path);
    free(tree->roots.items);
    free(tree->wishes.items);
    free(tree->options.filter);
    free(tree);
}

static void wish_below(struct diff_tree *tree, size_t root,
                       const struct diff_node *node)
{
    for (size_t i = 0; i < node->open.count; i++) {
        const struct diff_node *open = node->open.items[i].node;
        const char *path = open->list.review->plan.items[open->list.first].path;
        struct diff_wish wish = {root, xstrndup(path, open->list.prefix - 1)};
        ARRAY_PUSH(&tree->wishes, wish);
        wish_below(tree, root, open);
    }
}

void diff_tree_open_as(struct diff_tree *tree, const struct diff_tree *other)
{
    for (size_t i = 0; i < tree->roots.count && i < other->roots.count; i++) {
        struct diff_root *root = &tree->roots.items[i];
        const struct diff_node *as = other->roots.items[i].node;
        if (as) {
            wish_below(tree, i, as);
        } else {
            node_free(root->node);
            root->node = NULL;
        }
    }
    recount(tree);
}

/* --- finding ---------------------------------------------------------------
 */

/* The position of the entry that a row of the plan is in; count: none. */
static size_t find_position(const struct diff_node *node, size_t row)
{
    const struct diff_list *list = &node->list;

    for (size_t i = 0; i < list->count; i++)
        if (row >= list->items[i].first && row < list->items[i].end)
            return i;
    return list->count;
}

static const struct diff_open *find_open(const struct diff_node *node,
                                         size_t position)
{
    for (size_t i = 0; i < node->open.count; i++)
        if (node->open.items[i].position == position)
            return &node->open.items[i];
    return NULL;
}

/* How many rows below the node come before an entry. */
static size_t rows_before(const struct diff_node *node, size_t position)
{
    size_t rows = position;

    for (size_t i = 0; i < node->open.count; i++)
        if (node->open.items[i].position < position)
            rows += node->open.items[i].node->rows;
    return rows;
}

static void describe_entry(const struct diff_node *node, size_t position,
                           struct diff_row *out)
{
    const struct diff_list *list = &node->list;
    const struct diff_entry *entry = &list->items[position];
    const struct action *actions = list->review->plan.items;
    const char *path = actions[entry->first].path;

    out->first = entry->first;
    out->end = entry->end;
    out->depth = node->depth;
    out->name = path + list->prefix;
    out->name_length =
        list->is_flat ? strlen(out->name) : strcspn(out->name, "/");
    out->is_open = find_open(node, position) != NULL;
    out->kind = DIFF_ROW_ENTRY;
    for (size_t row = entry->first; row < entry->end; row++) {
        if (actions[row].path[list->prefix + out->name_length] == '/') {
            out->kind = DIFF_ROW_DIRECTORY;
            break;
        }
        /* A swap of types deletes and makes the same name. */
        if (!out->action || out->action->kind == ACTION_DELETE ||
            out->action->kind == ACTION_RMDIR)
            out->action = &actions[row];
    }
}

/* Row `at` below the node, counted from 0. */
static void describe_below(const struct diff_node *node, size_t at,
                           struct diff_row *out)
{
    size_t skipped = 0;

    for (size_t i = 0; i < node->open.count; i++) {
        const struct diff_open *open = &node->open.items[i];
        size_t start = open->position + skipped + 1;
        if (at < start)
            break;
        if (at < start + open->node->rows) {
            describe_below(open->node, at - start, out);
            return;
        }
        skipped += open->node->rows;
    }
    at -= skipped;
    if (!is_ready(node) && at + 1 == listed(node)) {
        out->kind = DIFF_ROW_WAITING;
        out->depth = node->depth;
        out->first = node->list.first;
        out->end = node->list.first;
        return;
    }
    describe_entry(node, at, out);
}

size_t diff_tree_row_count(const struct diff_tree *tree)
{
    size_t rows = tree->roots.count;

    for (size_t i = 0; i < tree->roots.count; i++)
        if (tree->roots.items[i].node)
            rows += tree->roots.items[i].node->rows;
    return rows;
}

struct diff_row diff_tree_row(const struct diff_tree *tree, size_t at)
{
    struct diff_row row = {.kind = DIFF_ROW_JOB, .name = ""};

    for (; row.root < tree->roots.count; row.root++) {
        const struct diff_root *root = &tree->roots.items[row.root];
        size_t below = root->node ? root->node->rows : 0;
        if (at == 0) {
            row.end = root->review->plan.count;
            row.is_open = root->node != NULL;
            break;
        }
        if (at <= below) {
            describe_below(root->node, at - 1, &row);
            break;
        }
        at -= below + 1;
    }
    return row;
}

static size_t row_of_root(const struct diff_tree *tree, size_t root)
{
    size_t at = root;

    for (size_t i = 0; i < root; i++)
        if (tree->roots.items[i].node)
            at += tree->roots.items[i].node->rows;
    return at;
}

/* The position of the first row of the plan from `row` on that is listed. */
static size_t find_following(const struct diff_list *list, size_t row)
{
    size_t best = list->count;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].first >= row &&
            (best == list->count ||
             list->items[i].first < list->items[best].first))
            best = i;
    return best;
}

static size_t find_flat(const struct diff_list *list, size_t row,
                        const char *path, bool *out_is_exact)
{
    size_t position = find_following(list, row);

    if (position == list->count)
        return 0;
    size_t found = list->items[position].first;
    *out_is_exact = !strcmp(list->review->plan.items[found].path, path);
    return position + 1;
}

size_t diff_tree_find(const struct diff_tree *tree, size_t root,
                      const char *path, bool *out_is_exact)
{
    *out_is_exact = !*path;
    if (root >= tree->roots.count)
        return 0;
    const struct diff_node *node = tree->roots.items[root].node;
    const struct review *review = tree->roots.items[root].review;
    size_t at = row_of_root(tree, root), length = strlen(path);
    size_t plan_row = review_find(review, path);

    if (node && node->list.is_flat && !*out_is_exact)
        return at + find_flat(&node->list, plan_row, path, out_is_exact);
    while (node && is_ready(node) && !*out_is_exact) {
        size_t position = find_position(node, plan_row);
        if (position == node->list.count)
            break;
        struct diff_row row = {.name = NULL};
        describe_entry(node, position, &row);
        size_t end = node->list.prefix + row.name_length;
        if (end > length ||
            strncmp(row.name - node->list.prefix, path, end) != 0)
            break;
        at += rows_before(node, position) + 1;
        *out_is_exact = end == length;
        const struct diff_open *open = find_open(node, position);
        node = open ? open->node : NULL;
    }
    return at;
}

char *diff_row_path(const struct diff_tree *tree, const struct diff_row *row)
{
    if (row->kind == DIFF_ROW_JOB || !*row->name)
        return xstrdup("");
    const char *path =
        tree->roots.items[row->root].review->plan.items[row->first].path;
    return xstrndup(path, (size_t)(row->name - path) + row->name_length);
}

size_t diff_tree_parent(const struct diff_tree *tree, size_t at)
{
    int depth = diff_tree_row(tree, at).depth;

    if (depth == 0)
        return at;
    /* In a long list it is found by its path, not by walking up. */
    struct diff_row row = diff_tree_row(tree, at);
    if (row.kind != DIFF_ROW_WAITING) {
        CLEANUP_FREE char *path = diff_row_path(tree, &row);
        char *slash = strrchr(path, '/');
        bool is_exact;
        *(slash ? slash : path) = '\0';
        if (tree->options.is_flat || *tree->options.filter)
            *path = '\0';
        return diff_tree_find(tree, row.root, path, &is_exact);
    }
    while (at > 0 && diff_tree_row(tree, at).depth >= depth)
        at--;
    return at;
}

/* --- opening and closing ---------------------------------------------------
 */

static void open_entry(struct diff_tree *tree, struct diff_node *node,
                       size_t position)
{
    const struct diff_entry *entry = &node->list.items[position];
    struct diff_row row = {.name = NULL};
    size_t at = 0;

    describe_entry(node, position, &row);
    if (row.kind != DIFF_ROW_DIRECTORY || find_open(node, position))
        return;
    /* The directory's own action is not below it. */
    size_t first = entry->first, end = entry->end;
    size_t prefix = node->list.prefix + row.name_length + 1;
    const struct action *actions = node->list.review->plan.items;
    while (first < end && actions[first].path[prefix - 1] != '/')
        first++;
    while (at < node->open.count && node->open.items[at].position < position)
        at++;
    ARRAY_RESERVE(node->open.items, node->open.count + 1, node->open.capacity);
    memmove(node->open.items + at + 1, node->open.items + at,
            (node->open.count - at) * sizeof *node->open.items);
    node->open.items[at] =
        (struct diff_open){position, node_new(tree, node->list.review, first,
                                              end, prefix, node->depth + 1)};
    node->open.count++;
}

static void close_entry(struct diff_node *node, size_t position)
{
    for (size_t i = 0; i < node->open.count; i++) {
        if (node->open.items[i].position != position)
            continue;
        node_free(node->open.items[i].node);
        node->open.count--;
        memmove(node->open.items + i, node->open.items + i + 1,
                (node->open.count - i) * sizeof *node->open.items);
        return;
    }
}

/* The open directory that holds row `at` below `node`, and its position. */
static struct diff_node *locate(struct diff_node *node, size_t at,
                                size_t *out_position)
{
    size_t skipped = 0;

    for (size_t i = 0; i < node->open.count; i++) {
        struct diff_open *open = &node->open.items[i];
        size_t start = open->position + skipped + 1;
        if (at < start)
            break;
        if (at < start + open->node->rows)
            return locate(open->node, at - start, out_position);
        skipped += open->node->rows;
    }
    *out_position = at - skipped;
    return node;
}

static void toggle_below(struct diff_tree *tree, struct diff_node *root,
                         size_t at)
{
    size_t position;
    struct diff_node *node = locate(root, at, &position);

    if (!is_ready(node))
        return;
    if (find_open(node, position))
        close_entry(node, position);
    else
        open_entry(tree, node, position);
}

void diff_tree_toggle(struct diff_tree *tree, size_t at)
{
    for (size_t i = 0; i < tree->roots.count; i++) {
        struct diff_root *root = &tree->roots.items[i];
        size_t below = root->node ? root->node->rows : 0;
        if (at == 0 && root->node) {
            node_free(root->node);
            root->node = NULL;
            break;
        }
        if (at == 0) {
            open_root(tree, root);
            break;
        }
        if (at <= below) {
            toggle_below(tree, root->node, at - 1);
            break;
        }
        at -= below + 1;
    }
    recount(tree);
}

/* --- work ------------------------------------------------------------------
 */

static struct diff_node *find_unready(struct diff_node *node)
{
    if (!node || !is_ready(node))
        return node;
    for (size_t i = 0; i < node->open.count; i++) {
        struct diff_node *unready = find_unready(node->open.items[i].node);
        if (unready)
            return unready;
    }
    return NULL;
}

/* Opens the next directory that was wished for, if it is still there. */
static void grant_wish(struct diff_tree *tree)
{
    const struct diff_wish *wish = &tree->wishes.items[tree->wishes.next++];
    struct diff_node *node = tree->roots.items[wish->root].node;
    const struct review *review = tree->roots.items[wish->root].review;
    size_t row = review_find(review, wish->path), length = strlen(wish->path);

    if (!node || node->list.is_flat || row >= review->plan.count)
        return;
    for (;;) {
        struct diff_row entry = {.name = NULL};
        size_t position = find_position(node, row);
        if (position == node->list.count)
            return;
        describe_entry(node, position, &entry);
        size_t end = node->list.prefix + entry.name_length;
        if (end > length ||
            strncmp(entry.name - node->list.prefix, wish->path, end) != 0)
            return;
        const struct diff_open *open = find_open(node, position);
        if (!open) {
            if (end == length)
                open_entry(tree, node, position);
            return;
        }
        node = open->node;
    }
}

bool diff_tree_work(struct diff_tree *tree, size_t budget)
{
    for (size_t i = 0; i < tree->roots.count; i++) {
        struct diff_node *node = find_unready(tree->roots.items[i].node);
        if (!node)
            continue;
        diff_list_work(&node->list, budget);
        recount(tree);
        return true;
    }
    if (tree->wishes.next >= tree->wishes.count)
        return false;
    grant_wish(tree);
    recount(tree);
    return true;
}
