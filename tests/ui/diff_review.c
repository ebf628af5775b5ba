/*
 * Plans as they are reviewed, against naive models: sums of any range, what is
 * left out, the plan that is executed; and a tree of which every row is found.
 */
#include "ui/play.h"

#include "core/base/path.h"
#include "unit/dice.h"

static struct review *make_review(struct dice *dice, size_t files)
{
    struct plan plan = PLAN_INIT;

    for (size_t i = 0; i < files; i++) {
        CLEANUP_FREE char *path = xasprintf(
            "d%zu/e%zu/f%05zu", dice_below(dice, 5), dice_below(dice, 4), i);
        enum action_kind kind = dice_below(dice, 3)   ? ACTION_NEW
                                : dice_below(dice, 2) ? ACTION_DELETE
                                                      : ACTION_CONFLICT;
        struct action *action =
            play_add(&plan, kind, path, (int64_t)dice_below(dice, 1000));
        if (kind == ACTION_DELETE && !dice_below(dice, 3))
            action->flags |= ACTION_HELD;
    }
    plan_sort(&plan);
    plan_total(&plan);
    struct review *review = review_new(&plan);
    while (review_work(review, 7))
        continue;
    return review;
}

static struct review_sum naive_sum(const struct review *review, size_t first,
                                   size_t end)
{
    struct review_sum sum = {0};

    for (size_t i = first; i < end; i++) {
        const struct action *action = &review->plan.items[i];
        bool pending = action_is_pending(action);
        if (action->kind == ACTION_NEW || action->kind == ACTION_UPDATE)
            sum.copy_bytes += action->size_bytes;
        if (action->kind == ACTION_DELETE)
            sum.delete_bytes += action->size_bytes;
        sum.pending += pending;
        sum.deletes += pending && action->kind == ACTION_DELETE;
        sum.files += pending && action->type != ENTRY_DIRECTORY;
        sum.shown += action->kind != ACTION_NOTE;
        sum.conflicts += action->kind == ACTION_CONFLICT;
    }
    return sum;
}

static void assert_same_sum(const struct review_sum *one,
                            const struct review_sum *other)
{
    assert_int_equal(one->copy_bytes, other->copy_bytes);
    assert_int_equal(one->delete_bytes, other->delete_bytes);
    assert_int_equal(one->pending, other->pending);
    assert_int_equal(one->deletes, other->deletes);
    assert_int_equal(one->files, other->files);
    assert_int_equal(one->shown, other->shown);
    assert_int_equal(one->conflicts, other->conflicts);
}

static void any_range_has_the_sums_of_its_rows(void **state)
{
    struct dice dice = dice_new(7);
    struct review *review = make_review(&dice, 1000);
    size_t count = review->plan.count;

    for (int i = 0; i < 2000; i++) {
        size_t first = dice_below(&dice, count + 1);
        size_t end = first + dice_below(&dice, count - first + 1);
        struct review_sum sum = review_sum_of(review, first, end);
        struct review_sum naive = naive_sum(review, first, end);
        assert_same_sum(&sum, &naive);
    }
    review_free(review);
}

static void no_sum_of_bytes_is_negative(void **state)
{
    struct plan plan = PLAN_INIT;

    for (int i = 0; i < 300; i++) {
        CLEANUP_FREE char *path = xasprintf("d/f%03d", i);
        play_add(&plan, i % 2 ? ACTION_NEW : ACTION_DELETE, path,
                 i % 3 ? INT64_MAX - i : -1);
    }
    plan_sort(&plan);
    struct review *review = review_new(&plan);
    while (review_work(review, 7))
        continue;
    for (size_t first = 0; first < 300; first += 9)
        for (size_t end = first; end <= 300; end++) {
            struct review_sum sum = review_sum_of(review, first, end);
            assert_true(sum.copy_bytes >= 0 && sum.delete_bytes >= 0);
        }
    review_toggle(review, 10, 200);
    assert_true(review_included(review).copy_bytes >= 0);
    review_free(review);
}

static void what_is_left_out_is_not_in_the_plan_that_is_executed(void **state)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct dice dice = dice_new(seed);
        struct review *review = make_review(&dice, 300);
        bool out[300] = {false};
        size_t kept = 0;
        for (int i = 0; i < 20; i++) {
            size_t first = dice_below(&dice, 300);
            size_t end = first + dice_below(&dice, 300 - first) + 1;
            size_t before = review_count_left_out(review, first, end);
            for (size_t row = first; row < end; row++)
                out[row] = before != end - first;
            review_toggle(review, first, end);
        }
        for (size_t row = 0; row < 300; row++) {
            assert_int_equal(review_is_left_out(review, row), out[row]);
            kept += !out[row];
        }
        struct review_sum included = review_included(review);
        struct plan plan = review_take_plan(review);
        assert_int_equal(plan.count, kept);
        assert_int_equal(plan.totals.copy_bytes, included.copy_bytes);
        plan_release(&plan);
        review_free(review);
    }
}

static void approval_releases_what_is_held_and_nothing_else(void **state)
{
    struct dice dice = dice_new(3);
    struct review *review = make_review(&dice, 200);

    assert_true(review->held > 0);
    review->held_are_approved = true;
    struct plan plan = review_take_plan(review);
    assert_int_equal(plan.totals.held_files, 0);
    assert_int_equal(plan.count, 200);
    plan_release(&plan);
    review_free(review);
}

static void what_was_left_out_stays_out_in_the_next_plan(void **state)
{
    struct dice dice = dice_new(5), same = dice_new(5);
    struct review *before = make_review(&dice, 100);
    struct review *after = make_review(&same, 100);

    review_toggle(before, 10, 30);
    before->held_are_approved = true;
    review_carry_over(after, before);
    assert_int_equal(review_count_left_out(after, 0, 100), 20);
    assert_true(after->held_are_approved);
    after->held++; /* another delete was held since: asked again */
    review_carry_over(after, before);
    assert_false(after->held_are_approved);
    review_free(before);
    review_free(after);
}

/* --- the tree --------------------------------------------------------------
 */

static void work_off(struct diff_tree *tree)
{
    while (diff_tree_work(tree, 50))
        continue;
}

static struct diff_tree *make_tree(struct review *review, bool is_flat,
                                   bool is_by_path, const char *filter)
{
    const struct diff_options options = {.is_flat = is_flat,
                                         .is_by_path = is_by_path,
                                         .filter = xstrdup(filter)};
    struct diff_tree *tree = diff_tree_new(&review, 1, &options);

    work_off(tree);
    return tree;
}

static void every_visible_row_is_found_by_its_path(void **state)
{
    struct dice dice = dice_new(11);
    struct review *review = make_review(&dice, 400);
    struct diff_tree *tree = make_tree(review, false, false, "");

    for (int i = 0; i < 60; i++) {
        diff_tree_toggle(tree, dice_below(&dice, diff_tree_row_count(tree)));
        work_off(tree);
        for (size_t at = 0; at < diff_tree_row_count(tree); at++) {
            struct diff_row row = diff_tree_row(tree, at);
            CLEANUP_FREE char *path = diff_row_path(tree, &row);
            bool is_exact;
            assert_int_equal(diff_tree_find(tree, 0, path, &is_exact), at);
            assert_true(is_exact);
            assert_true(diff_tree_parent(tree, at) <= at);
        }
    }
    diff_tree_free(tree);
    review_free(review);
}

static void a_flat_list_has_every_row_in_its_order(void **state)
{
    struct dice dice = dice_new(13);
    struct review *review = make_review(&dice, 500);

    for (int by_path = 0; by_path < 2; by_path++) {
        struct diff_tree *tree = make_tree(review, true, by_path, "");
        assert_int_equal(diff_tree_row_count(tree), 501); /* and the job */
        for (size_t at = 2; at < 501; at++) {
            struct diff_row one = diff_tree_row(tree, at - 1);
            struct diff_row other = diff_tree_row(tree, at);
            if (by_path)
                assert_true(path_compare(one.action->path, other.action->path) <
                            0);
            else if (one.action->kind == ACTION_NEW &&
                     other.action->kind == ACTION_NEW)
                assert_true(one.action->size_bytes >= other.action->size_bytes);
        }
        diff_tree_free(tree);
    }
    review_free(review);
}

static void a_filter_shows_what_contains_it_and_nothing_else(void **state)
{
    struct dice dice = dice_new(17);
    struct review *review = make_review(&dice, 500);
    struct diff_tree *tree = make_tree(review, false, true, "D3/E1");
    size_t expected = 0;

    for (size_t i = 0; i < review->plan.count; i++)
        expected += strstr(review->plan.items[i].path, "d3/e1") != NULL;
    assert_int_equal(diff_tree_row_count(tree), expected + 1);
    diff_tree_free(tree);
    review_free(review);
}

/* A directory's row has the bytes of all below it. */
static void a_closed_directory_has_the_sums_of_what_is_below(void **state)
{
    struct dice dice = dice_new(19);
    struct review *review = make_review(&dice, 500);
    struct diff_tree *tree = make_tree(review, false, true, "");
    size_t rows = 0;

    for (size_t at = 1; at < diff_tree_row_count(tree); at++) {
        struct diff_row row = diff_tree_row(tree, at);
        rows += row.end - row.first;
    }
    assert_int_equal(rows, 500);
    diff_tree_free(tree);
    review_free(review);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_range_has_the_sums_of_its_rows),
        cmocka_unit_test(no_sum_of_bytes_is_negative),
        cmocka_unit_test(what_is_left_out_is_not_in_the_plan_that_is_executed),
        cmocka_unit_test(approval_releases_what_is_held_and_nothing_else),
        cmocka_unit_test(what_was_left_out_stays_out_in_the_next_plan),
        cmocka_unit_test(every_visible_row_is_found_by_its_path),
        cmocka_unit_test(a_flat_list_has_every_row_in_its_order),
        cmocka_unit_test(a_filter_shows_what_contains_it_and_nothing_else),
        cmocka_unit_test(a_closed_directory_has_the_sums_of_what_is_below),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
