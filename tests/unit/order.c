/*
 * The order of a plan's steps. Random trees are changed at random, a naive
 * planner writes down what a mirror has to do, and the ordered steps are
 * carried out on a model of the drive that refuses what a drive refuses: a
 * name that is taken, a parent that is not there, a directory that is not
 * empty. What comes out must be the source.
 */
#include "core/order.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- a drive of paper -------------------------------------------------------
 */

#define MOST_NODES 200
#define PATH_BYTES 64

struct node {
    char path[PATH_BYTES];
    bool is_directory;
    int id; /* stays with the thing when it is renamed; new when changed */
};

struct tree {
    struct node nodes[MOST_NODES];
    size_t count;
    bool folds; /* "a" and "A" are one name */
};

static bool same_name(const struct tree *tree, const char *one,
                      const char *other)
{
    while (*one && *other) {
        char left = *one++, right = *other++;
        if (tree->folds && left >= 'A' && left <= 'Z')
            left = (char)(left + 'a' - 'A');
        if (tree->folds && right >= 'A' && right <= 'Z')
            right = (char)(right + 'a' - 'A');
        if (left != right)
            return false;
    }
    return *one == *other;
}

static struct node *find(struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++)
        if (same_name(tree, tree->nodes[i].path, path))
            return &tree->nodes[i];
    return NULL;
}

static struct node *find_exactly(struct tree *tree, const char *path)
{
    struct node *node = find(tree, path);

    return node && !strcmp(node->path, path) ? node : NULL;
}

static bool has_parent(struct tree *tree, const char *path)
{
    CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));
    const struct node *node = *parent ? find(tree, parent) : NULL;

    return !*parent || (node && node->is_directory);
}

static bool has_children(struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++)
        if (path_is_within(tree->nodes[i].path, path) &&
            strcmp(tree->nodes[i].path, path) != 0)
            return true;
    return false;
}

static bool can_add(struct tree *tree, const char *path)
{
    return tree->count < MOST_NODES && strlen(path) + 8 < PATH_BYTES &&
           !find(tree, path) && has_parent(tree, path);
}

static void add_node(struct tree *tree, const char *path, bool is_directory,
                     int id)
{
    struct node *node = &tree->nodes[tree->count++];

    *node = (struct node){.is_directory = is_directory, .id = id};
    strcpy(node->path, path);
}

static void remove_tree(struct tree *tree, const char *path)
{
    size_t kept = 0;
    char root[PATH_BYTES];

    strcpy(root, path); /* `path` may be one of the nodes' */
    for (size_t i = 0; i < tree->count; i++)
        if (!path_is_within(tree->nodes[i].path, root))
            tree->nodes[kept++] = tree->nodes[i];
    tree->count = kept;
}

static void rename_tree(struct tree *tree, const char *from, const char *to)
{
    char old[PATH_BYTES];

    strcpy(old, from);
    for (size_t i = 0; i < tree->count; i++) {
        struct node *node = &tree->nodes[i];
        if (!path_is_within(node->path, old))
            continue;
        char moved[2 * PATH_BYTES];
        snprintf(moved, sizeof moved, "%s%s", to, node->path + strlen(old));
        assert_true(strlen(moved) < PATH_BYTES);
        strcpy(node->path, moved);
    }
}

static int compare_nodes(const void *one, const void *other)
{
    return path_compare(((const struct node *)one)->path,
                        ((const struct node *)other)->path);
}

static void sort_tree(struct tree *tree)
{
    qsort(tree->nodes, tree->count, sizeof *tree->nodes, compare_nodes);
}

/* --- a source that changes --------------------------------------------------
 */

static int last_id;

static void random_path(struct dice *dice, struct tree *tree,
                        char out[PATH_BYTES])
{
    static const char *const names[] = {"a", "b", "c", "A", "B", "d"};
    const char *parent = "";

    if (tree->count && !dice_one_in(dice, 3)) {
        const struct node *node = &tree->nodes[dice_below(dice, tree->count)];
        if (node->is_directory && strlen(node->path) < 16)
            parent = node->path;
    }
    snprintf(out, PATH_BYTES, "%s%s%s", parent, *parent ? "/" : "",
             names[dice_below(dice, COUNT_OF(names))]);
}

static struct node *random_node(struct dice *dice, struct tree *tree,
                                bool is_directory)
{
    for (int i = 0; tree->count && i < 20; i++) {
        struct node *node = &tree->nodes[dice_below(dice, tree->count)];
        if (node->is_directory == is_directory)
            return node;
    }
    return NULL;
}

static void swap_ids(struct node *one, struct node *other)
{
    int id = one->id;

    one->id = other->id;
    other->id = id;
}

/* A directory gets another name beside itself, as people rename them. */
static void rename_directory(struct dice *dice, struct tree *tree)
{
    struct node *node = random_node(dice, tree, true);
    char to[PATH_BYTES];

    if (!node)
        return;
    strcpy(to, node->path);
    to[strlen(to) - 1] = (char)("abcdABCD"[dice_below(dice, 8)]);
    if (!strcmp(to, node->path) || (find(tree, to) && find(tree, to) != node))
        return;
    rename_tree(tree, node->path, to);
}

static void rename_file(struct dice *dice, struct tree *tree, bool case_only)
{
    struct node *node = random_node(dice, tree, false);
    char to[PATH_BYTES];

    random_path(dice, tree, to);
    if (!node)
        return;
    if (case_only) {
        strcpy(to, node->path);
        to[strlen(to) - 1] ^= 'a' ^ 'A';
    }
    if (case_only ? !find(tree, to) || find(tree, to) == node
                  : can_add(tree, to))
        strcpy(node->path, to);
}

/* A file or a tree makes room for the other kind. */
static void swap_kind(struct dice *dice, struct tree *tree)
{
    struct node *node = random_node(dice, tree, dice_one_in(dice, 2));

    if (!node)
        return;
    struct node old = *node;
    remove_tree(tree, old.path);
    add_node(tree, old.path, !old.is_directory, ++last_id);
}

static void change(struct dice *dice, struct tree *tree)
{
    char path[PATH_BYTES];
    struct node *one = random_node(dice, tree, false), *other;

    switch (dice_below(dice, 10)) {
    case 0:
    case 1:
    case 2:
        random_path(dice, tree, path);
        if (can_add(tree, path))
            add_node(tree, path, dice_one_in(dice, 3), ++last_id);
        break;
    case 3:
        if (one)
            one->id = ++last_id;
        break;
    case 4:
        if (tree->count)
            remove_tree(tree, tree->nodes[dice_below(dice, tree->count)].path);
        break;
    case 5:
        rename_file(dice, tree, false);
        break;
    case 6:
        rename_file(dice, tree, true);
        break;
    case 7:
        rename_directory(dice, tree);
        break;
    case 8:
        other = random_node(dice, tree, false);
        if (one && other)
            swap_ids(one, other);
        break;
    default:
        swap_kind(dice, tree);
    }
}

/* --- a naive planner --------------------------------------------------------
 */

struct planner {
    struct tree before; /* the drive; directories get their new names here */
    struct tree after;  /* the source */
    struct plan *plan;
    bool without_twins; /* no renames whose names have twins elsewhere */
};

static struct action *plan_action(struct plan *plan, enum action_kind kind,
                                  const struct node *node)
{
    struct action action = {
        .kind = (unsigned char)kind,
        .type = node->is_directory ? ENTRY_DIRECTORY : ENTRY_FILE,
        .path = arena_strdup(&plan->arena, node->path),
        .size_bytes = node->id,
    };

    ARRAY_PUSH(plan, action);
    return &plan->items[plan->count - 1];
}

static void plan_rename(struct plan *plan, const struct node *from,
                        const struct node *to)
{
    struct rename_from *rename = arena_alloc(&plan->arena, sizeof *rename);

    *rename =
        (struct rename_from){.path = arena_strdup(&plan->arena, from->path)};
    plan_action(plan, ACTION_RENAME, to)->rename = rename;
}

static struct node *find_id(struct tree *tree, int id)
{
    for (size_t i = 0; i < tree->count; i++)
        if (tree->nodes[i].id == id)
            return &tree->nodes[i];
    return NULL;
}

static bool same_parent(const char *one, const char *other)
{
    size_t length = path_parent_length(one);

    return length == path_parent_length(other) && !strncmp(one, other, length);
}

static bool is_kept_directory(struct tree *after, const struct node *node)
{
    const struct node *now = find_exactly(after, node->path);

    return now && now->is_directory && node->is_directory;
}

/* From the top: what is below has the new name of what is above already. */
static void plan_directory_renames(struct planner *planner)
{
    for (size_t i = 0; i < planner->after.count; i++) {
        const struct node *now = &planner->after.nodes[i];
        struct node *old = find_id(&planner->before, now->id);
        if (!now->is_directory || !old || !strcmp(old->path, now->path) ||
            !same_parent(old->path, now->path) ||
            find_exactly(&planner->after, old->path) ||
            find_exactly(&planner->before, now->path))
            continue;
        struct node *there = find(&planner->before, now->path);
        if (there && there != old)
            continue;
        plan_rename(planner->plan, old, now);
        rename_tree(&planner->before, old->path, now->path);
    }
}

/* What is new has this name, or one that the volume takes for this. */
static bool stands_in_the_way(struct planner *planner, const struct node *node)
{
    const struct node *now = find(&planner->after, node->path);

    if (!now)
        return false;
    if (strcmp(now->path, node->path) != 0)
        return true;
    return now->is_directory != node->is_directory;
}

/* Below a directory that makes room everything goes early, too. */
static bool goes_early(struct planner *planner, const struct node *node)
{
    for (size_t i = 0; i < planner->before.count; i++) {
        const struct node *above = &planner->before.nodes[i];
        if (path_is_within(node->path, above->path) &&
            (above == node || above->is_directory) &&
            stands_in_the_way(planner, above))
            return true;
    }
    return false;
}

/* Whether a twin of its old or its new name has part in something else. */
static bool has_twins(struct planner *planner, const struct node *old,
                      const struct node *now)
{
    const struct node *before = find(&planner->before, now->path);
    const struct node *after = find(&planner->after, old->path);

    return (before && before != old) || (after && after != now);
}

/* Below a directory that makes room for a file nothing is sought. */
static bool is_below_a_swap(struct planner *planner, const struct node *old)
{
    for (size_t i = 0; i < planner->before.count; i++) {
        const struct node *above = &planner->before.nodes[i];
        const struct node *now = find_exactly(&planner->after, above->path);
        if (path_is_within(old->path, above->path) && now &&
            now->is_directory != above->is_directory)
            return true;
        if (above != old && path_is_within(old->path, above->path) && !now &&
            goes_early(planner, above))
            return true;
    }
    return false;
}

/* A file that is new here and gone there. */
static struct node *find_rename(struct planner *planner, const struct node *now)
{
    struct node *old = find_id(&planner->before, now->id);

    if (!old || old->is_directory || find_exactly(&planner->after, old->path) ||
        find_exactly(&planner->before, now->path) ||
        is_below_a_swap(planner, old))
        return NULL;
    return planner->without_twins && has_twins(planner, old, now) ? NULL : old;
}

static void plan_present(struct planner *planner, const struct node *now)
{
    const struct node *old = find_exactly(&planner->before, now->path);
    const struct node *source;

    if (now->is_directory) {
        if (!old || !old->is_directory)
            plan_action(planner->plan, ACTION_MKDIR, now);
        return;
    }
    if (old && !old->is_directory) {
        if (old->id != now->id)
            plan_action(planner->plan, ACTION_UPDATE, now);
        return;
    }
    source = old ? NULL : find_rename(planner, now);
    if (source)
        plan_rename(planner->plan, source, now);
    else
        plan_action(planner->plan, ACTION_NEW, now);
}

static void plan_gone(struct planner *planner, const struct node *old)
{
    const struct node *now = find_exactly(&planner->after, old->path);

    if (now && now->is_directory == old->is_directory)
        return;
    if (!old->is_directory) {
        const struct node *moved = find_id(&planner->after, old->id);
        if (moved && !moved->is_directory && find_rename(planner, moved) == old)
            return;
    }
    struct action *action = plan_action(
        planner->plan, old->is_directory ? ACTION_RMDIR : ACTION_DELETE, old);
    if (goes_early(planner, old))
        action->flags |= ACTION_EARLY;
}

static void make_plan(struct planner *planner)
{
    sort_tree(&planner->before);
    sort_tree(&planner->after);
    plan_directory_renames(planner);
    sort_tree(&planner->before);
    for (size_t i = 0; i < planner->after.count; i++)
        plan_present(planner, &planner->after.nodes[i]);
    for (size_t i = 0; i < planner->before.count; i++)
        if (!is_kept_directory(&planner->after, &planner->before.nodes[i]))
            plan_gone(planner, &planner->before.nodes[i]);
    plan_sort(planner->plan);
}

/* --- carrying it out --------------------------------------------------------
 */

static const char *do_rename(struct tree *tree, const char *from,
                             const char *to)
{
    struct node *node = find_exactly(tree, from);
    struct node *there = find(tree, to);

    if (!node)
        return "the old name is not there";
    if (there == node)
        return "a rename that changes the case only does nothing";
    if (there)
        return "the new name is taken";
    if (!has_parent(tree, to))
        return "the new name has no parent";
    rename_tree(tree, from, to);
    return NULL;
}

static const char *do_step(struct tree *tree, const struct step *step)
{
    const struct action *action = step->action;
    const char *path = action->path;
    char temporary[PATH_BYTES];
    struct node *node = find_exactly(tree, path);
    int id = (int)action->size_bytes;

    snprintf(temporary, sizeof temporary, "~%zu", step->temporary);
    switch (step->kind) {
    case STEP_RENAME_AWAY:
        return do_rename(tree, action->rename->path, temporary);
    case STEP_RENAME_BACK:
        return do_rename(tree, temporary, path);
    case STEP_RENAME:
        return do_rename(tree, action->rename->path, path);
    case STEP_DELETE:
    case STEP_RMDIR:
        if (!node)
            return "what is to be deleted is not there";
        if (has_children(tree, path))
            return "not empty";
        remove_tree(tree, path);
        return NULL;
    case STEP_MKDIR:
    case STEP_COPY:
        if (step->kind == STEP_COPY && action->kind == ACTION_UPDATE) {
            if (!node || node->is_directory)
                return "there is nothing to be updated";
            node->id = id;
            return NULL;
        }
        if (find(tree, path))
            return "the name is taken";
        if (!has_parent(tree, path))
            return "there is no parent";
        add_node(tree, path, step->kind == STEP_MKDIR, id);
        return NULL;
    default:
        return NULL;
    }
}

static bool same_tree(struct tree *one, struct tree *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        const struct node *there = find_exactly(other, one->nodes[i].path);
        if (!there || there->is_directory != one->nodes[i].is_directory ||
            (!there->is_directory && there->id != one->nodes[i].id))
            return false;
    }
    return true;
}

static void print_tree(const char *title, const struct tree *tree)
{
    print_error("%s:", title);
    for (size_t i = 0; i < tree->count; i++)
        print_error(" %s%s=%d", tree->nodes[i].path,
                    tree->nodes[i].is_directory ? "/" : "", tree->nodes[i].id);
    print_error("\n");
}

static void print_steps(const struct steps *steps)
{
    static const char *const names[] = {
        [STEP_RENAME_AWAY] = "away", [STEP_RENAME_BACK] = "back",
        [STEP_RENAME] = "rename",    [STEP_DELETE] = "delete",
        [STEP_RMDIR] = "rmdir",      [STEP_MKDIR] = "mkdir",
        [STEP_COPY] = "copy",        [STEP_TOUCH] = "touch",
        [STEP_NOTE] = "note",
    };

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        const struct action *action = step->action;
        print_error("  %s %s%s%s%s\n", names[step->kind], action->path,
                    action->kind == ACTION_RENAME ? " from " : "",
                    action->kind == ACTION_RENAME ? action->rename->path : "",
                    step->ends_batch ? " |" : "");
    }
}

/* --- what must hold of any order --------------------------------------------
 */

static bool is_left_out(const struct action *action)
{
    return action->kind == ACTION_CONFLICT || action->kind == ACTION_SKIP ||
           action->kind == ACTION_FOREIGN || action->flags & ACTION_HELD;
}

/* Each action once; a pair of halves has one number of its own. */
static const char *check_complete(const struct plan *plan,
                                  const struct steps *steps)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        size_t whole = 0, away = 0, back = 0, number = 0, other = 1;
        for (size_t j = 0; j < steps->count; j++) {
            const struct step *step = &steps->items[j];
            if (step->action != action)
                continue;
            if (step->kind == STEP_RENAME_AWAY) {
                away++;
                number = step->temporary;
            } else if (step->kind == STEP_RENAME_BACK) {
                back++;
                other = step->temporary;
            } else {
                whole++;
            }
        }
        if (is_left_out(action) && whole + away + back)
            return "something is done that must not be";
        if (is_left_out(action))
            continue;
        if (away != back || whole + away != 1)
            return "an action is lost or doubled";
        if (away && number != other)
            return "the halves have two temporary names";
    }
    return NULL;
}

static const char *check_numbers(const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        for (size_t j = 0; j < i; j++)
            if (steps->items[i].kind == STEP_RENAME_AWAY &&
                steps->items[j].kind == STEP_RENAME_AWAY &&
                steps->items[i].temporary == steps->items[j].temporary)
                return "two things get one temporary name";
    return NULL;
}

/*
 * recover.c: within a batch all first halves come before all second halves,
 * in the same order, and both halves are in one batch.
 */
static const char *check_halves(const struct steps *steps)
{
    size_t away[MOST_NODES], away_count = 0, back_count = 0;

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        if (step->kind == STEP_RENAME_AWAY) {
            if (back_count)
                return "a first half behind a second half";
            away[away_count++] = step->temporary;
        }
        if (step->kind == STEP_RENAME_BACK) {
            if (back_count == away_count ||
                away[back_count++] != step->temporary)
                return "the second halves are in another order";
        }
        if (!step->ends_batch)
            continue;
        if (away_count != back_count)
            return "a batch ends between two halves";
        away_count = back_count = 0;
    }
    return NULL;
}

/* Renames, copies and deletes never share a batch; deletes come last. */
static int phase_of(const struct step *step)
{
    const struct action *action = step->action;
    bool of_directory = action->type == ENTRY_DIRECTORY;

    switch (step->kind) {
    case STEP_RENAME:
    case STEP_RENAME_AWAY:
    case STEP_RENAME_BACK:
        return of_directory ? 0 : 2;
    case STEP_DELETE:
        return action->flags & ACTION_EARLY ? 1 : 4;
    case STEP_RMDIR:
        return action->flags & ACTION_EARLY ? 2 : 5;
    case STEP_MKDIR:
    case STEP_NOTE:
        return -1; /* with the renames or with the copies */
    case STEP_TOUCH:
        return of_directory ? 5 : 3;
    default:
        return 3;
    }
}

static const char *check_phases(const struct steps *steps)
{
    int last = 0, of_batch = -1;

    for (size_t i = 0; i < steps->count; i++) {
        int phase = phase_of(&steps->items[i]);
        if (phase >= 0 && phase < last)
            return "a step of an earlier phase comes later";
        if (phase >= 0 && of_batch >= 0 && phase != of_batch)
            return "two phases share a batch";
        if (phase >= 0)
            last = of_batch = phase;
        if (steps->items[i].ends_batch)
            of_batch = -1;
    }
    return NULL;
}

static const char *check_order(const struct plan *plan,
                               const struct steps *steps)
{
    const char *wrong = check_complete(plan, steps);

    if (!wrong)
        wrong = check_numbers(steps);
    if (!wrong)
        wrong = check_halves(steps);
    return wrong ? wrong : check_phases(steps);
}

/* --- random trees -----------------------------------------------------------
 */

static void fail_with(struct planner *planner, const struct steps *steps,
                      struct tree *drive, int round, const char *wrong)
{
    print_error("round %d: %s\n", round, wrong);
    print_tree("drive now", drive);
    print_tree("source", &planner->after);
    print_steps(steps);
    fail();
}

static void play(struct dice *dice, int round, bool folds, bool without_twins)
{
    static struct tree drive;
    static struct planner planner;
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;
    CLEANUP(steps_release) struct steps steps = {.items = NULL};
    const struct name_rules rules = {.is_case_insensitive = folds};

    drive = (struct tree){.folds = folds};
    for (size_t i = dice_below(dice, 30); i; i--)
        change(dice, &drive);
    planner = (struct planner){.before = drive,
                               .after = drive,
                               .plan = &plan,
                               .without_twins = without_twins};
    for (size_t i = dice_below(dice, 8); i; i--)
        change(dice, &planner.after);
    make_plan(&planner);
    order_plan(&plan, &rules, &steps);
    const char *wrong = check_order(&plan, &steps);
    for (size_t i = 0; !wrong && i < steps.count; i++) {
        wrong = do_step(&drive, &steps.items[i]);
        if (wrong)
            print_error("step %zu: ", i);
    }
    if (!wrong && !same_tree(&drive, &planner.after))
        wrong = "the drive is not the source";
    if (wrong)
        fail_with(&planner, &steps, &drive, round, wrong);
}

static void ordered_steps_turn_the_drive_into_the_source(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(23));

    for (int round = 0; round < 20000; round++)
        play(&dice, round, false, false);
}

static void ordered_steps_work_where_cases_are_not_told_apart(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(24));

    for (int round = 0; round < 20000; round++)
        play(&dice, round, true, true);
}

/* photo.JPG became x.jpg, y.jpg became photo.jpg. */
static void renames_to_a_twin_of_a_renamed_name_work_where_cases_are_one(
    void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(24));

    for (int round = 0; round < 20000; round++)
        play(&dice, round, true, false);
}

/* --- plans that no mirror makes ---------------------------------------------
 */

static void any_plan_is_ordered_completely(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(25));

    for (int round = 0; round < 3000; round++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        CLEANUP(steps_release) struct steps steps = {.items = NULL};
        const struct name_rules rules = {.is_case_insensitive =
                                             dice_one_in(&dice, 2)};
        static struct tree names;
        names = (struct tree){.folds = false};
        for (size_t i = 0; i < 30; i++)
            change(&dice, &names);
        for (size_t i = 0; i < names.count; i++) {
            struct node node = names.nodes[i];
            enum action_kind kind =
                (enum action_kind)dice_below(&dice, ACTION_KIND_COUNT);
            node.is_directory |= kind == ACTION_MKDIR || kind == ACTION_RMDIR;
            if (kind == ACTION_RENAME) {
                plan_rename(&plan, &names.nodes[dice_below(&dice, names.count)],
                            &node);
                continue;
            }
            bool can_be_held = kind == ACTION_DELETE || kind == ACTION_RMDIR ||
                               kind == ACTION_UPDATE;
            unsigned flags = dice_one_in(&dice, 4) ? ACTION_EARLY : 0;
            if (can_be_held && dice_one_in(&dice, 3))
                flags |= ACTION_HELD;
            plan_action(&plan, kind, &node)->flags = (unsigned char)flags;
        }
        plan_sort(&plan);
        order_plan(&plan, &rules, &steps);
        const char *wrong = check_order(&plan, &steps);
        if (wrong) {
            print_steps(&steps);
            fail_msg("round %d: %s", round, wrong);
        }
    }
}

/* Names handed around in circles: each through a temporary name. */
static void circles_of_renames_are_broken_by_temporary_names(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    const struct name_rules rules = {.longest_bytes = 255};

    for (size_t length = 2; length <= COUNT_OF(names); length++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        CLEANUP(steps_release) struct steps steps = {.items = NULL};
        static struct tree drive;
        drive = (struct tree){.folds = false};
        for (size_t i = 0; i < length; i++) {
            struct node from = {.id = (int)i}, to = {.id = (int)i};
            strcpy(from.path, names[i]);
            strcpy(to.path, names[(i + 1) % length]);
            add_node(&drive, names[i], false, (int)i);
            plan_rename(&plan, &from, &to);
        }
        plan_sort(&plan);
        order_plan(&plan, &rules, &steps);
        assert_null(check_order(&plan, &steps));
        assert_int_equal(steps.count, 2 * length);
        for (size_t i = 0; i < steps.count; i++)
            assert_null(do_step(&drive, &steps.items[i]));
        for (size_t i = 0; i < length; i++)
            assert_int_equal(find_exactly(&drive, names[(i + 1) % length])->id,
                             i);
    }
}

static const struct steps *order_one_rename(const char *from, const char *to,
                                            bool of_directory, bool folds)
{
    static struct steps steps;
    static struct plan plan;
    const struct name_rules rules = {.is_case_insensitive = folds};
    struct node old = {.is_directory = of_directory}, new = old;

    steps_release(&steps);
    plan_release(&plan);
    if (!from)
        return NULL;
    strcpy(old.path, from);
    strcpy(new.path, to);
    plan_rename(&plan, &old, &new);
    order_plan(&plan, &rules, &steps);
    return &steps;
}

/* On exFAT such a rename is silently no rename at all. */
static void a_name_that_differs_in_case_only_goes_through_a_temporary_one(
    void **state)
{
    static const struct {
        const char *from, *to;
        bool folds;
        size_t steps;
    } examples[] = {
        {"readme", "README", true, 2},  {"readme", "README", false, 1},
        {"readme", "readme2", true, 1}, {"a/x", "A/x", true, 2},
        {"ärger", "ÄRGER", true, 2},    {"x/Y", "x/y", true, 2},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        for (int of_directory = 0; of_directory <= 1; of_directory++) {
            const struct steps *steps =
                order_one_rename(examples[i].from, examples[i].to, of_directory,
                                 examples[i].folds);
            assert_int_equal(steps->count, examples[i].steps);
            if (steps->count == 1) {
                assert_int_equal(steps->items[0].kind, STEP_RENAME);
                continue;
            }
            assert_int_equal(steps->items[0].kind, STEP_RENAME_AWAY);
            assert_int_equal(steps->items[1].kind, STEP_RENAME_BACK);
            assert_false(steps->items[0].ends_batch);
            assert_true(steps->items[1].ends_batch);
        }
    order_one_rename(NULL, NULL, false, false);
}

/* A batch ends where no half is left: with one for all of them what it holds
 * grows, and what a kill makes recovery compare with its square. */
static void many_names_that_differ_in_case_only_are_many_batches(void **state)
{
    enum { RENAMES = 10000, MOST_STEPS = 4096 };
    const struct name_rules rules = {.is_case_insensitive = true};
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;
    CLEANUP(steps_release) struct steps steps = {.items = NULL};
    size_t of_batch = 0;

    for (int i = 0; i < RENAMES; i++) {
        struct node from = {.id = i}, to = {.id = i};
        snprintf(from.path, sizeof from.path, "img%d", i);
        snprintf(to.path, sizeof to.path, "IMG%d", i);
        plan_rename(&plan, &from, &to);
    }
    plan_sort(&plan);
    order_plan(&plan, &rules, &steps);
    assert_int_equal(steps.count, 2 * RENAMES);
    for (size_t i = 0; i < steps.count; i++) {
        of_batch = steps.items[i].ends_batch ? 0 : of_batch + 1;
        assert_true(of_batch < MOST_STEPS);
    }
    assert_int_equal(of_batch, 0);
}

static void an_empty_plan_has_no_steps(void **state)
{
    struct plan plan = PLAN_INIT;
    struct steps steps;
    const struct name_rules rules = {.longest_bytes = 255};

    order_plan(&plan, &rules, &steps);
    assert_int_equal(steps.count, 0);
    steps_release(&steps);
    steps_release(&steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordered_steps_turn_the_drive_into_the_source),
        cmocka_unit_test(ordered_steps_work_where_cases_are_not_told_apart),
        cmocka_unit_test(
            renames_to_a_twin_of_a_renamed_name_work_where_cases_are_one),
        cmocka_unit_test(any_plan_is_ordered_completely),
        cmocka_unit_test(circles_of_renames_are_broken_by_temporary_names),
        cmocka_unit_test(
            a_name_that_differs_in_case_only_goes_through_a_temporary_one),
        cmocka_unit_test(many_names_that_differ_in_case_only_are_many_batches),
        cmocka_unit_test(an_empty_plan_has_no_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
