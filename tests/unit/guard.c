/*
 * May we? The delete cap at its edges, sources that are not what they were,
 * and space in whole clusters.
 */
#include "core/guard.h"

#include "core/base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct config_job job = {.delete_cap_percent = 25,
                                      .delete_cap_files = 1000};

static void add(struct plan *plan, enum action_kind kind, enum entry_type type,
                size_t count, int64_t size_bytes)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP_FREE char *path = xasprintf("%d/%zu", (int)kind, plan->count);
        struct action action = {
            .kind = (unsigned char)kind,
            .type = (unsigned char)type,
            .path = arena_strdup(&plan->arena, path),
            .size_bytes = size_bytes,
        };
        ARRAY_PUSH(plan, action);
    }
}

static size_t count_held(const struct plan *plan, enum action_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++)
        count +=
            plan->items[i].kind == kind && plan->items[i].flags & ACTION_HELD;
    return count;
}

/* --- deletes ----------------------------------------------------------------
 */

static void deletes_are_held_over_the_cap_and_not_at_it(void **state)
{
    static const struct {
        size_t deletes;
        int64_t delete_bytes, rows_files, rows_bytes;
        bool held;
    } examples[] = {
        /* files: at least 5, and over a quarter */
        {1, 0, 1, 0, false},
        {4, 0, 4, 0, false},
        {4, 0, 5, 0, false},
        {5, 0, 5, 0, true},
        {5, 0, 19, 0, true},
        {5, 0, 20, 0, false}, /* exactly 25 % */
        {5, 0, 21, 0, false},
        {6, 0, 20, 0, true},
        {250, 0, 1000, 0, false},
        {251, 0, 1000, 0, true},
        {251, 0, 1003, 0, true},
        {251, 0, 1004, 0, false},
        /* over 1,000 files, however many there are */
        {1000, 0, 1000000, 0, false},
        {1001, 0, 1000000, 0, true},
        /* bytes */
        {5, 10, 1000, 199, true},
        {5, 10, 1000, 200, false}, /* exactly 25 % */
        {5, 10, 1000, 201, false},
        {4, 1000, 1000, 4000, false},
        {5, 1000, 1000, 5001, true},
        {5, INT64_C(1) << 53, 1000, INT64_C(1) << 58, false},
        {5, INT64_C(1) << 56, 1000, INT64_C(1) << 58, true},
        {0, 0, 1000, 1000, false},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        size_t deletes = examples[i].deletes;
        add(&plan, ACTION_DELETE, ENTRY_FILE, deletes,
            examples[i].delete_bytes);
        add(&plan, ACTION_RMDIR, ENTRY_DIRECTORY, 3, 0);
        add(&plan, ACTION_NEW, ENTRY_FILE, 2, 7);
        plan_total(&plan);
        plan.totals.rows_files = examples[i].rows_files;
        plan.totals.rows_bytes = examples[i].rows_bytes;
        int64_t held = guard_hold(&plan, &job, 0);
        size_t expected = examples[i].held ? deletes : 0;
        if ((size_t)held != expected ||
            count_held(&plan, ACTION_DELETE) != expected ||
            count_held(&plan, ACTION_RMDIR) != (expected ? 3 : 0))
            fail_msg("example %zu: %lld held", i, (long long)held);
        assert_int_equal(plan.deletes_are_held, examples[i].held);
        assert_int_equal(plan.totals.held_files, held);
        assert_int_equal(count_held(&plan, ACTION_NEW), 0);
        assert_int_equal(plan.totals.rows_files, examples[i].rows_files);
    }
}

static void directories_do_not_count_as_deleted_files(void **state)
{
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;

    add(&plan, ACTION_RMDIR, ENTRY_DIRECTORY, 5000, 0);
    add(&plan, ACTION_DELETE, ENTRY_FILE, 4, 1);
    plan_total(&plan);
    plan.totals.rows_files = 4;
    plan.totals.rows_bytes = 4;
    assert_int_equal(guard_hold(&plan, &job, 0), 0);
    assert_int_equal(count_held(&plan, ACTION_RMDIR), 0);
}

static void the_cap_of_the_job_counts(void **state)
{
    static const struct {
        int percent;
        int64_t files;
        size_t deletes;
        bool held;
    } examples[] = {
        {0, 1000, 4, false},  {0, 1000, 5, true},     {100, 1000, 100, false},
        {100, 99, 100, true}, {100, 100, 100, false}, {50, 1000, 50, false},
        {50, 1000, 51, true}, {25, 0, 1, true},       {25, 0, 0, false},
        {100, 3, 4, true},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        const struct config_job own = {.delete_cap_percent =
                                           examples[i].percent,
                                       .delete_cap_files = examples[i].files};
        add(&plan, ACTION_DELETE, ENTRY_FILE, examples[i].deletes, 1);
        plan_total(&plan);
        plan.totals.rows_files = plan.totals.rows_bytes = 100;
        int64_t held = guard_hold(&plan, &own, 0);
        if (held != (examples[i].held ? (int64_t)examples[i].deletes : 0))
            fail_msg("example %zu: %lld held", i, (long long)held);
    }
}

static void only_the_exact_number_releases_what_is_held(void **state)
{
    static const struct {
        int64_t approved, held;
    } examples[] = {
        {0, 10},  {1, 10},       {9, 10},   {10, 0},
        {11, 10}, {1000000, 10}, {-10, 10}, {INT64_MAX, 10},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        add(&plan, ACTION_DELETE, ENTRY_FILE, 10, 1);
        add(&plan, ACTION_RMDIR, ENTRY_DIRECTORY, 2, 0);
        plan_total(&plan);
        plan.totals.rows_files = 20;
        assert_int_equal(guard_hold(&plan, &job, examples[i].approved),
                         examples[i].held);
        assert_int_equal(count_held(&plan, ACTION_DELETE), examples[i].held);
        assert_int_equal(plan.deletes_are_held, examples[i].held != 0);
    }
}

static void an_unclean_volume_holds_each_delete(void **state)
{
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;

    add(&plan, ACTION_DELETE, ENTRY_FILE, 1, 5);
    add(&plan, ACTION_RMDIR, ENTRY_DIRECTORY, 1, 0);
    add(&plan, ACTION_UPDATE, ENTRY_FILE, 1, 5);
    assert_int_equal(guard_hold_all_deletes(&plan), 1);
    assert_int_equal(count_held(&plan, ACTION_DELETE), 1);
    assert_int_equal(count_held(&plan, ACTION_RMDIR), 1);
    assert_int_equal(count_held(&plan, ACTION_UPDATE), 0);
    assert_true(plan.deletes_are_held);
    assert_int_equal(plan.totals.held_bytes, 5);

    CLEANUP(plan_release) struct plan none = PLAN_INIT;
    add(&none, ACTION_NEW, ENTRY_FILE, 1, 5);
    assert_int_equal(guard_hold_all_deletes(&none), 0);
    assert_false(none.deletes_are_held);
}

/* --- overwrites -------------------------------------------------------------
 */

static void overwrites_are_held_from_100_and_over_half(void **state)
{
    static const struct {
        size_t overwrites, databases;
        int64_t rows_files;
        size_t held;
    } examples[] = {
        {99, 0, 99, 0},
        {100, 0, 100, 100},
        {100, 0, 199, 100},
        {100, 0, 200, 0}, /* exactly half */
        {100, 0, 201, 0},
        {101, 0, 200, 101},
        {5000, 0, 10000, 0},
        {5001, 0, 10000, 5001},
        /* databases change each night */
        {99, 500, 600, 0},
        {0, 1000, 1000, 0},
        {100, 50, 199, 100},
        {100, 100, 300, 0},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        add(&plan, ACTION_UPDATE, ENTRY_FILE, examples[i].databases, 9);
        for (size_t j = 0; j < plan.count; j++)
            plan.items[j].flags |= ACTION_DATABASE;
        add(&plan, ACTION_UPDATE, ENTRY_FILE, examples[i].overwrites, 9);
        plan_total(&plan);
        plan.totals.rows_files = examples[i].rows_files;
        int64_t held = guard_hold(&plan, &job, 0);
        if ((size_t)held != examples[i].held ||
            count_held(&plan, ACTION_UPDATE) != examples[i].held)
            fail_msg("example %zu: %lld held", i, (long long)held);
        for (size_t j = 0; j < plan.count; j++)
            assert_false(plan.items[j].flags & ACTION_DATABASE &&
                         plan.items[j].flags & ACTION_HELD);
        assert_int_equal(plan.overwrites_are_held, held != 0);
        assert_false(plan.deletes_are_held);
        assert_int_equal(plan.totals.held_bytes, 9 * held);
    }
}

static void the_number_to_approve_includes_overwrites(void **state)
{
    static const int64_t approvals[] = {0, 10, 150, 160};

    for (size_t i = 0; i < COUNT_OF(approvals); i++) {
        CLEANUP(plan_release) struct plan plan = PLAN_INIT;
        add(&plan, ACTION_UPDATE, ENTRY_FILE, 150, 1);
        add(&plan, ACTION_DELETE, ENTRY_FILE, 10, 1);
        plan_total(&plan);
        plan.totals.rows_files = plan.totals.rows_bytes = 30;
        int64_t held = guard_hold(&plan, &job, approvals[i]);
        assert_int_equal(held, approvals[i] == 160 ? 0 : 160);
        assert_int_equal(plan.totals.held_files, held);
    }
}

/* Only one of both is over its cap: then only that is held and counted. */
static void deletes_and_overwrites_are_held_apart(void **state)
{
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;

    add(&plan, ACTION_UPDATE, ENTRY_FILE, 150, 1);
    add(&plan, ACTION_DELETE, ENTRY_FILE, 4, 1);
    plan_total(&plan);
    plan.totals.rows_files = 200;
    assert_int_equal(guard_hold(&plan, &job, 0), 150);
    assert_int_equal(count_held(&plan, ACTION_DELETE), 0);
    assert_true(plan.overwrites_are_held);
    assert_false(plan.deletes_are_held);
}

/* Else the catalogue would hold the new one, and the drive still the old. */
static void what_needs_the_room_of_a_held_delete_is_held_with_it(void **state)
{
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;

    add(&plan, ACTION_DELETE, ENTRY_FILE, 5, 1);
    add(&plan, ACTION_NEW, ENTRY_FILE, 1, 1);
    plan.items[5].flags = ACTION_NEEDS_ROOM;
    add(&plan, ACTION_RENAME, ENTRY_FILE, 1, 1);
    plan.items[6].flags = ACTION_NEEDS_ROOM;
    add(&plan, ACTION_NEW, ENTRY_FILE, 1, 1);
    plan_total(&plan);
    plan.totals.rows_files = 10;
    assert_int_equal(guard_hold(&plan, &job, 0), 5);
    assert_int_equal(count_held(&plan, ACTION_NEW), 1);
    assert_int_equal(count_held(&plan, ACTION_RENAME), 1);
    assert_true(plan.items[5].flags & ACTION_HELD);
    assert_int_equal(plan.totals.held_files, 5);
}

/* --- the source -------------------------------------------------------------
 */

static err_code check(const char *recorded, const char *now, struct error *err)
{
    const struct guard_source source = {
        .job = "media",
        .path = "/home/me/media",
        .recorded_identity = recorded,
        .identity = now,
    };

    return guard_check_source(&source, err);
}

struct place {
    const char *family, *uuid, *subtree, *from;
};

static bool is_same_place(const struct place *one, const struct place *other)
{
    CLEANUP_FREE char *before =
        guard_source_identity(one->family, one->uuid, one->subtree, one->from);
    CLEANUP_FREE char *now = guard_source_identity(other->family, other->uuid,
                                                   other->subtree, other->from);
    struct error err = ERROR_INIT;
    err_code code = check(before, now, &err);

    assert_true(code == ERR_OK || code == ERR_REFUSED);
    if (code) {
        assert_non_null(strstr(err.message, before));
        assert_non_null(strstr(err.message, now));
        assert_non_null(strstr(err.message, "berth job claim media"));
    }
    return !code;
}

static void a_source_on_another_filesystem_is_refused(void **state)
{
    static const struct {
        struct place one, other;
        bool same;
    } examples[] = {
        {{"ext4", "u1", "/", "/dev/sda1"},
         {"ext4", "u1", "/", "/dev/sda1"},
         true},
        /* the UUID decides: device names move */
        {{"ext4", "u1", "/", "/dev/sda1"},
         {"ext4", "u1", "/", "/dev/sdb1"},
         true},
        {{"ext4", "u1", "/", "/dev/sda1"},
         {"ext4", "u2", "/", "/dev/sda1"},
         false},
        {{"ext4", "u1", "/", "/dev/sda1"},
         {"xfs", "u1", "/", "/dev/sda1"},
         false},
        /* another subvolume of the same filesystem */
        {{"btrfs", "u1", "/@home", "/dev/sda1"},
         {"btrfs", "u1", "/@", "/dev/sda1"},
         false},
        {{"btrfs", "u1", "/@", "/dev/sda1"},
         {"btrfs", "u1", "/@home", "/dev/sda1"},
         false},
        {{"btrfs", "u1", "/@home", "/dev/sda1"},
         {"btrfs", "u1", "/@home", "/dev/mapper/x"},
         true},
        /* not to be read by everybody: then the mount source decides */
        {{"ext4", "u1", "/", "/dev/sda1"},
         {"ext4", "", "/", "/dev/sda1"},
         true},
        {{"ext4", "", "/", "/dev/sda1"},
         {"ext4", "u1", "/", "/dev/sda1"},
         true},
        {{"ext4", "u1", "/", "/dev/sda1"},
         {"ext4", "", "/", "/dev/sdb1"},
         false},
        {{"ext4", "", "/", "/dev/sda1"}, {"ext4", "", "/", "/dev/sda1"}, true},
        {{"nfs", "", "/", "nas:/a"}, {"nfs", "", "/", "nas:/b"}, false},
        {{"btrfs", "", "/@", "/dev/sda1"},
         {"btrfs", "u1", "/@home", "/dev/sda1"},
         false},
        /* blanks in paths */
        {{"nfs", "", "/", "nas:/my files"},
         {"nfs", "", "/", "nas:/my files"},
         true},
        {{"nfs", "", "/", "nas:/my files"}, {"nfs", "", "/", "nas:/my"}, false},
        {{"ext4", "u1", "/my home", "/dev/sda1"},
         {"ext4", "u1", "/my home", "/dev/sdb1"},
         true},
        {{"ext4", "u1", "/my home", "/dev/sda1"},
         {"ext4", "u1", "/my", "/dev/sda1"},
         false},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        if (is_same_place(&examples[i].one, &examples[i].other) !=
                examples[i].same ||
            is_same_place(&examples[i].other, &examples[i].one) !=
                examples[i].same)
            fail_msg("example %zu", i);
}

/* " on " is what parts the subtree from the mount source in the string. */
static void a_subtree_with_on_in_its_name_is_told_from_its_sister(void **state)
{
    static const struct place one = {"btrfs", "u1", "/notes on cats", "/dev/x"};
    static const struct place other = {"btrfs", "u1", "/notes on dogs",
                                       "/dev/x"};

    assert_false(is_same_place(&one, &other));
}

static void an_identity_that_cannot_be_parsed_is_compared_as_it_is(void **state)
{
    assert_int_equal(check("", "anything", NULL), ERR_OK);
    assert_int_equal(check("old style", "old style", NULL), ERR_OK);
    assert_int_equal(check("old style", "ext4 - / on x", NULL), ERR_REFUSED);
    assert_int_equal(check("x", "y", NULL), ERR_REFUSED);
    assert_int_equal(check("ext4 - / on x", "", NULL), ERR_REFUSED);
}

/* Longer than what it is parsed into: still no two places become one. */
static void long_mount_sources_are_told_apart(void **state)
{
    static char one_from[2000], other_from[2000];
    struct place one = {"fuse.sshfs", "", "/", one_from};
    struct place other = {"fuse.sshfs", "", "/", other_from};

    memset(one_from, 'x', sizeof one_from - 1);
    memset(other_from, 'x', sizeof other_from - 1);
    assert_true(is_same_place(&one, &other));
    other_from[sizeof other_from - 2] = 'y';
    assert_false(is_same_place(&one, &other));
}

static void an_empty_source_deletes_nothing(void **state)
{
    static const struct {
        enum job_mode mode;
        bool is_empty, has_rows;
        err_code code;
    } examples[] = {
        {JOB_MIRROR, true, true, ERR_REFUSED},
        {JOB_MIRROR, true, false, ERR_OK},
        {JOB_MIRROR, false, true, ERR_OK},
        /* a normal morning */
        {JOB_UPDATE, true, true, ERR_OK},
        {JOB_MOVE, true, true, ERR_OK},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        const struct guard_source source = {
            .job = "media",
            .path = "/home/me/media",
            .recorded_identity = "ext4 u1 / on /dev/sda1",
            .identity = "ext4 u1 / on /dev/sda1",
            .is_empty = examples[i].is_empty,
            .has_rows = examples[i].has_rows,
            .mode = examples[i].mode,
        };
        struct error err = ERROR_INIT;
        assert_int_equal(guard_check_source(&source, &err), examples[i].code);
        if (examples[i].code)
            assert_non_null(strstr(err.message, "/home/me/media is empty"));
    }
}

/* --- space ------------------------------------------------------------------
 */

static int64_t space_for(enum action_kind kind, int64_t size, unsigned flags,
                         bool deletes_by_copy)
{
    CLEANUP(plan_release) struct plan plan = PLAN_INIT;

    add(&plan, kind, kind == ACTION_MKDIR ? ENTRY_DIRECTORY : ENTRY_FILE, 1,
        size);
    plan.items[0].flags = (unsigned char)flags;
    return guard_space_needed(&plan, 4096, deletes_by_copy, 10000);
}

static void space_is_counted_in_whole_clusters(void **state)
{
    static const struct {
        enum action_kind kind;
        int64_t size;
        unsigned flags;
        bool deletes_by_copy;
        int64_t needed;
    } examples[] = {
        {ACTION_NEW, 0, 0, true, 0},
        {ACTION_NEW, 1, 0, true, 4096},
        {ACTION_NEW, 4096, 0, true, 4096},
        {ACTION_NEW, 4097, 0, true, 8192},
        /* the old one stays, as a version */
        {ACTION_UPDATE, 4096, 0, true, 4096},
        {ACTION_UPDATE, 4096, ACTION_HELD, true, 0},
        {ACTION_MKDIR, 0, 0, true, 4096},
        {ACTION_DELETE, 5000, 0, false, 0},
        {ACTION_DELETE, 5000, 0, true, 8192},
        {ACTION_DELETE, 10000, 0, true, 12288},
        {ACTION_DELETE, 10001, 0, true, 0},
        {ACTION_DELETE, 5000, ACTION_HELD, true, 0},
        {ACTION_RENAME, 5000, 0, true, 0},
        {ACTION_SKIP, 5000, 0, true, 0},
        {ACTION_CONFLICT, 5000, 0, true, 0},
        {ACTION_FOREIGN, 5000, 0, true, 0},
        {ACTION_NOTE, 5000, 0, true, 0},
        {ACTION_TOUCH, 5000, 0, true, 0},
        {ACTION_RMDIR, 0, 0, true, 0},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        if (space_for(examples[i].kind, examples[i].size, examples[i].flags,
                      examples[i].deletes_by_copy) != examples[i].needed)
            fail_msg("example %zu", i);
}

/* `truncate -s 8E` makes such a file in a second. */
static void a_file_larger_than_any_drive_needs_more_than_there_is(void **state)
{
    assert_true(space_for(ACTION_NEW, INT64_MAX, 0, true) > INT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deletes_are_held_over_the_cap_and_not_at_it),
        cmocka_unit_test(directories_do_not_count_as_deleted_files),
        cmocka_unit_test(the_cap_of_the_job_counts),
        cmocka_unit_test(only_the_exact_number_releases_what_is_held),
        cmocka_unit_test(an_unclean_volume_holds_each_delete),
        cmocka_unit_test(overwrites_are_held_from_100_and_over_half),
        cmocka_unit_test(the_number_to_approve_includes_overwrites),
        cmocka_unit_test(deletes_and_overwrites_are_held_apart),
        cmocka_unit_test(what_needs_the_room_of_a_held_delete_is_held_with_it),
        cmocka_unit_test(a_source_on_another_filesystem_is_refused),
        cmocka_unit_test(a_subtree_with_on_in_its_name_is_told_from_its_sister),
        cmocka_unit_test(
            an_identity_that_cannot_be_parsed_is_compared_as_it_is),
        cmocka_unit_test(long_mount_sources_are_told_apart),
        cmocka_unit_test(an_empty_source_deletes_nothing),
        cmocka_unit_test(space_is_counted_in_whole_clusters),
        cmocka_unit_test(a_file_larger_than_any_drive_needs_more_than_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
