/*
 * Plans as values: what each action is called, whether it is pending, the
 * totals, and directories that would stay empty, against naive models.
 */
#include "core/plan.h"

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

static struct action *add(struct plan *plan, enum action_kind kind,
                          const char *path)
{
    struct action action = {
        .kind = (unsigned char)kind,
        .path = arena_strdup(&plan->arena, path),
    };

    if (kind == ACTION_MKDIR || kind == ACTION_RMDIR)
        action.type = ENTRY_DIRECTORY;
    ARRAY_PUSH(plan, action);
    return &plan->items[plan->count - 1];
}

/* --- words ------------------------------------------------------------------
 */

static void every_action_has_its_mark(void **state)
{
    static const struct {
        enum action_kind kind;
        enum action_reason reason;
        unsigned flags;
        const char *mark;
    } examples[] = {
        {ACTION_NEW, REASON_NONE, 0, "+"},
        {ACTION_NEW, REASON_MISSING_ON_DRIVE, 0, "+"},
        {ACTION_NEW, REASON_DRIFT, 0, "!"},
        {ACTION_MKDIR, REASON_NONE, 0, "+"},
        {ACTION_MKDIR, REASON_DRIFT, 0, "!"},
        {ACTION_UPDATE, REASON_NONE, 0, "~"},
        {ACTION_UPDATE, REASON_POISONED, 0, "~"},
        {ACTION_UPDATE, REASON_DRIFT, 0, "!"},
        {ACTION_TOUCH, REASON_NONE, 0, "~"},
        {ACTION_RENAME, REASON_NONE, 0, "»"},
        {ACTION_DELETE, REASON_NONE, 0, "-"},
        {ACTION_DELETE, REASON_NONE, ACTION_EARLY, "-"},
        {ACTION_DELETE, REASON_NONE, ACTION_HELD, "-?"},
        {ACTION_RMDIR, REASON_NONE, 0, "-"},
        {ACTION_RMDIR, REASON_NONE, ACTION_HELD | ACTION_EARLY, "-?"},
        {ACTION_CONFLICT, REASON_TWIN, 0, "!"},
        {ACTION_CONFLICT, REASON_ROT, 0, "!"},
        {ACTION_SKIP, REASON_EXCLUDED, 0, "."},
        {ACTION_SKIP, REASON_UNREADABLE, 0, "."},
        {ACTION_NOTE, REASON_ADOPTED, 0, "."},
        {ACTION_FOREIGN, REASON_NONE, 0, "."},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        struct action action = {
            .kind = (unsigned char)examples[i].kind,
            .reason = (unsigned char)examples[i].reason,
            .flags = (unsigned char)examples[i].flags,
        };
        assert_string_equal(action_mark(&action), examples[i].mark);
    }
}

static void every_reason_has_words_of_its_own(void **state)
{
    assert_string_equal(action_reason_text(REASON_NONE), "");
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        const char *text = action_reason_text((enum action_reason)i);
        assert_non_null(text);
        assert_true(*text);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(text,
                                    action_reason_text((enum action_reason)j));
    }
}

static void skips_by_design_are_these_and_no_others(void **state)
{
    static const enum action_reason by_design[] = {
        REASON_EXCLUDED, REASON_JUNK,        REASON_PARTIAL,   REASON_SIDE_FILE,
        REASON_SPECIAL,  REASON_MOUNT_POINT, REASON_OWN_FILES, REASON_VANISHED,
    };

    for (int i = 0; i < REASON_COUNT; i++) {
        bool expected = false;
        for (size_t j = 0; j < COUNT_OF(by_design); j++)
            expected |= i == (int)by_design[j];
        assert_int_equal(action_reason_is_by_design((enum action_reason)i),
                         expected);
    }
}

/* "Exit 1 if anything is pending (too young, unreadable included) or in
 * conflict; junk, excluded files … are listed, never counted." */
static void what_counts_is_what_the_manual_says(void **state)
{
    static const struct {
        enum action_kind kind;
        enum action_reason reason;
        bool pending, counts;
    } examples[] = {
        {ACTION_NEW, REASON_NONE, true, true},
        {ACTION_UPDATE, REASON_NONE, true, true},
        {ACTION_RENAME, REASON_NONE, true, true},
        {ACTION_DELETE, REASON_NONE, true, true},
        {ACTION_MKDIR, REASON_NONE, true, true},
        {ACTION_RMDIR, REASON_NONE, true, true},
        {ACTION_TOUCH, REASON_NONE, true, true},
        {ACTION_NOTE, REASON_ADOPTED, false, false},
        {ACTION_NOTE, REASON_SIGNED, false, false},
        {ACTION_NOTE, REASON_FORGOTTEN, false, false},
        {ACTION_CONFLICT, REASON_TWIN, false, true},
        {ACTION_CONFLICT, REASON_DRIFT_KEPT, false, true},
        {ACTION_CONFLICT, REASON_ROT, false, true},
        {ACTION_FOREIGN, REASON_NONE, false, false},
        {ACTION_SKIP, REASON_TOO_YOUNG, true, true},
        {ACTION_SKIP, REASON_UNREADABLE, true, true},
        {ACTION_SKIP, REASON_EXCLUDED, false, false},
        {ACTION_SKIP, REASON_JUNK, false, false},
        {ACTION_SKIP, REASON_PARTIAL, false, false},
        {ACTION_SKIP, REASON_SIDE_FILE, false, false},
        {ACTION_SKIP, REASON_SPECIAL, false, false},
        {ACTION_SKIP, REASON_OWN_FILES, false, false},
        {ACTION_SKIP, REASON_MOUNT_POINT, false, false},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        for (unsigned flags = 0; flags <= ACTION_HELD; flags++) {
            struct action action = {
                .kind = (unsigned char)examples[i].kind,
                .reason = (unsigned char)examples[i].reason,
                .flags = (unsigned char)flags,
            };
            assert_int_equal(action_is_pending(&action), examples[i].pending);
            assert_int_equal(action_counts(&action), examples[i].counts);
        }
}

static void spellings_default_to_the_path(void **state)
{
    struct action action = {.path = "a/b"};

    assert_string_equal(action_raw(&action), "a/b");
    assert_string_equal(action_drive(&action), "a/b");
    action.raw = "a/raw";
    action.drive = "a/drive";
    assert_string_equal(action_raw(&action), "a/raw");
    assert_string_equal(action_drive(&action), "a/drive");
}

/* --- random plans -----------------------------------------------------------
 */

static void random_path(struct dice *dice, char out[32])
{
    static const char *const names[] = {"a", "b", "c", "a b", "a-", "ab"};
    size_t depth = 1 + dice_below(dice, 4);

    *out = '\0';
    for (size_t i = 0; i < depth; i++) {
        strcat(out, i ? "/" : "");
        strcat(out, names[dice_below(dice, COUNT_OF(names))]);
    }
}

static void add_random(struct dice *dice, struct plan *plan)
{
    char path[32];

    random_path(dice, path);
    struct action *action =
        add(plan, (enum action_kind)dice_below(dice, ACTION_KIND_COUNT), path);
    action->reason = (unsigned char)dice_below(dice, REASON_COUNT);
    action->flags = (unsigned char)dice_below(dice, 16);
    action->size_bytes = (int64_t)dice_below(dice, 1000);
    if (action->kind != ACTION_MKDIR && action->kind != ACTION_RMDIR)
        action->type = (unsigned char)dice_below(dice, 3);
}

static void random_plan(struct dice *dice, struct plan *plan)
{
    for (size_t count = dice_below(dice, 60); count; count--)
        add_random(dice, plan);
}

static void a_sorted_plan_is_a_walk_and_loses_nothing(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(20));

    for (int round = 0; round < 1000; round++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        random_plan(&dice, &plan);
        int64_t sizes = 0, sorted_sizes = 0;
        for (size_t i = 0; i < plan.count; i++)
            sizes += plan.items[i].size_bytes;
        plan_sort(&plan);
        for (size_t i = 0; i < plan.count; i++) {
            const struct action *one = &plan.items[i], *next = one + 1;
            sorted_sizes += one->size_bytes;
            if (i + 1 == plan.count)
                break;
            int order = path_compare(one->path, next->path);
            assert_true(order < 0 || (!order && one->kind <= next->kind));
        }
        assert_true(sizes == sorted_sizes);
    }
}

/* Each figure on its own, by what the header says that it is. */
static void check_totals(const struct plan *plan)
{
    struct plan_totals sum = {.copy_bytes = 0};
    int64_t pending = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        bool held = action->flags & ACTION_HELD;
        bool copies =
            action->kind == ACTION_NEW || action->kind == ACTION_UPDATE;
        bool deletes =
            action->kind == ACTION_DELETE && action->type != ENTRY_DIRECTORY;
        int64_t size = action->size_bytes;
        sum.count[action->kind]++;
        sum.copy_bytes += copies ? size : 0;
        sum.delete_files += deletes;
        sum.delete_bytes += deletes ? size : 0;
        bool counts_as_held =
            held && (deletes || action->kind == ACTION_UPDATE);
        sum.held_files += counts_as_held;
        sum.held_bytes += counts_as_held ? size : 0;
        sum.skipped_pending +=
            action->kind == ACTION_SKIP && action_is_pending(action);
        pending += action_is_pending(action);
    }
    assert_memory_equal(plan->totals.count, sum.count, sizeof sum.count);
    assert_true(plan->totals.copy_bytes == sum.copy_bytes);
    assert_true(plan->totals.delete_files == sum.delete_files);
    assert_true(plan->totals.delete_bytes == sum.delete_bytes);
    assert_true(plan->totals.held_files == sum.held_files);
    assert_true(plan->totals.held_bytes == sum.held_bytes);
    assert_true(plan->totals.skipped_pending == sum.skipped_pending);
    assert_true(plan_pending(plan) == pending);
}

static void totals_are_what_adding_up_gives(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(21));

    for (int round = 0; round < 1000; round++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        random_plan(&dice, &plan);
        plan.totals = (struct plan_totals){.copy_bytes = 99,
                                           .kept_files = 1,
                                           .files_seen = 2,
                                           .bytes_seen = 3,
                                           .rows_files = 4,
                                           .rows_bytes = 5};
        for (int again = 0; again < 2; again++) {
            plan_total(&plan);
            check_totals(&plan);
        }
        assert_int_equal(plan.totals.kept_files, 1);
        assert_int_equal(plan.totals.files_seen, 2);
        assert_int_equal(plan.totals.bytes_seen, 3);
        assert_int_equal(plan.totals.rows_files, 4);
        assert_int_equal(plan.totals.rows_bytes, 5);
    }
}

/* --- directories that would stay empty --------------------------------------
 */

static bool is_new_directory(const struct action *action)
{
    return action->kind == ACTION_MKDIR ||
           (action->kind == ACTION_NOTE && action->type == ENTRY_DIRECTORY &&
            action->reason == REASON_ADOPTED);
}

static bool puts_something(const struct action *action)
{
    bool takes_a_file = action->kind == ACTION_NOTE &&
                        action->type != ENTRY_DIRECTORY &&
                        !(action->flags & ACTION_FORGET);

    return action->kind == ACTION_NEW || action->kind == ACTION_UPDATE ||
           action->kind == ACTION_RENAME || takes_a_file;
}

static bool stays_empty(const struct plan *plan, const struct action *directory)
{
    if (!is_new_directory(directory))
        return false;
    for (size_t i = 0; i < plan->count; i++)
        if (puts_something(&plan->items[i]) &&
            path_is_within(plan->items[i].path, directory->path))
            return false;
    return true;
}

/* Of one path there is one action, but for what makes room for another. */
static void drop_doubles(struct plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->count; i++)
        if (!kept || strcmp(plan->items[kept - 1].path, plan->items[i].path))
            plan->items[kept++] = plan->items[i];
    plan->count = kept;
}

static void only_directories_that_would_stay_empty_are_dropped(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(22));
    size_t dropped = 0, kept = 0;

    for (int round = 0; round < 3000; round++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        CLEANUP(plan_release) struct plan whole = PLAN_INIT;
        random_plan(&dice, &plan);
        plan_sort(&plan);
        drop_doubles(&plan);
        for (size_t i = 0; i < plan.count; i++)
            ARRAY_PUSH(&whole, plan.items[i]);
        plan_drop_empty_directories(&plan);
        size_t at = 0;
        for (size_t i = 0; i < whole.count; i++) {
            if (stays_empty(&whole, &whole.items[i])) {
                dropped++;
                continue;
            }
            assert_true(at < plan.count);
            assert_string_equal(plan.items[at].path, whole.items[i].path);
            assert_int_equal(plan.items[at].kind, whole.items[i].kind);
            kept += is_new_directory(&plan.items[at]);
            at++;
        }
        assert_int_equal(at, plan.count);
    }
    assert_true(dropped > 1000 && kept > 1000);
}

static void a_file_deep_below_keeps_all_directories_above_it(void **state)
{
    static const char *const directories[] = {"a", "a/b", "a/b/c", "a/x", "a-"};
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;

    for (size_t i = 0; i < COUNT_OF(directories); i++)
        add(&plan, ACTION_MKDIR, directories[i]);
    add(&plan, ACTION_NEW, "a/b/c/file");
    plan_sort(&plan);
    plan_drop_empty_directories(&plan);
    assert_int_equal(plan.count, 4);
    assert_string_equal(plan.items[2].path, "a/b/c");
    plan_drop_empty_directories(&plan);
    assert_int_equal(plan.count, 4);
}

/* --- directories that are gone, with something in them that stays --- */

static void must_become(const struct plan *plan, const char *path,
                        enum action_kind kind)
{
    for (size_t i = 0; i < plan->count; i++)
        if (!strcmp(plan->items[i].path, path)) {
            assert_int_equal(plan->items[i].kind, kind);
            return;
        }
    fail_msg("%s is not in the plan", path);
}

static void a_directory_that_holds_what_stays_is_not_removed(void **state)
{
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;

    add(&plan, ACTION_RMDIR, "empty");
    add(&plan, ACTION_RMDIR, "foreign");
    add(&plan, ACTION_RMDIR, "foreign/below");
    add(&plan, ACTION_FOREIGN, "foreign/below/theirs");
    add(&plan, ACTION_RMDIR, "kept");
    add(&plan, ACTION_RMDIR, "kept/below");
    add(&plan, ACTION_SKIP, "kept/below/x")->reason = REASON_EXCLUDED;
    add(&plan, ACTION_DELETE, "kept/gone");
    add(&plan, ACTION_RMDIR, "kept/too");
    add(&plan, ACTION_DELETE, "mixed/gone");
    add(&plan, ACTION_FOREIGN, "mixed/theirs");
    add(&plan, ACTION_RMDIR, "mixed");
    add(&plan, ACTION_NEW, "swapped");
    add(&plan, ACTION_RMDIR, "swapped")->flags = ACTION_EARLY;
    add(&plan, ACTION_DELETE, "swapped/gone")->flags = ACTION_EARLY;
    add(&plan, ACTION_FOREIGN, "swapped/theirs");
    add(&plan, ACTION_NEW, "SWAPPED")->flags = ACTION_NEEDS_ROOM;
    add(&plan, ACTION_NEW, "swaps");
    add(&plan, ACTION_RMDIR, "swaps")->flags = ACTION_EARLY;
    add(&plan, ACTION_DELETE, "swaps/gone")->flags = ACTION_EARLY;
    plan_sort(&plan);
    plan_keep_directories(&plan);
    /* Three are not removed: "kept", "kept/below" and "swapped". */
    assert_int_equal(plan.count, 17);
    must_become(&plan, "empty", ACTION_RMDIR);
    must_become(&plan, "foreign", ACTION_NOTE);
    must_become(&plan, "foreign/below", ACTION_NOTE);
    must_become(&plan, "kept/too", ACTION_RMDIR);
    must_become(&plan, "mixed", ACTION_RMDIR); /* after the delete, once more */
    must_become(&plan, "swapped", ACTION_CONFLICT); /* has no room */
    must_become(&plan, "SWAPPED", ACTION_CONFLICT); /* nor a twin of it */
    must_become(&plan, "swaps", ACTION_NEW);
}

static void an_empty_plan_is_fine(void **state)
{
    struct plan plan = PLAN_INIT;

    plan_sort(&plan);
    plan_drop_empty_directories(&plan);
    plan_total(&plan);
    assert_int_equal(plan_pending(&plan), 0);
    plan_release(&plan);
    plan_release(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_action_has_its_mark),
        cmocka_unit_test(every_reason_has_words_of_its_own),
        cmocka_unit_test(skips_by_design_are_these_and_no_others),
        cmocka_unit_test(what_counts_is_what_the_manual_says),
        cmocka_unit_test(spellings_default_to_the_path),
        cmocka_unit_test(a_sorted_plan_is_a_walk_and_loses_nothing),
        cmocka_unit_test(totals_are_what_adding_up_gives),
        cmocka_unit_test(only_directories_that_would_stay_empty_are_dropped),
        cmocka_unit_test(a_file_deep_below_keeps_all_directories_above_it),
        cmocka_unit_test(a_directory_that_holds_what_stays_is_not_removed),
        cmocka_unit_test(an_empty_plan_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
