/* May a source file go? One rule a test; each breaks one thing of a file that
 * may. */
#include "core/offload.h"

#include "core/base/array.h"
#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY (24 * 3600 * NS_PER_SECOND)
#define NOW (20000 * DAY)
#define COPIES 3

struct scene {
    struct record rows[COPIES];
    struct offload_copy copies[COPIES];
    struct offload_input input;
};

/* Three good copies, of which two are needed; kept for a week, eight days ago
 * committed. */
static struct scene *fresh_scene(void)
{
    static struct scene scene;
    static const char *const ids[COPIES] = {"aa", "bb", "cc"};

    scene = (struct scene){.input = {
                               .type = ENTRY_FILE,
                               .source = {.size_bytes = 7,
                                          .mtime_ns = NOW - 30 * DAY,
                                          .ctime_ns = NOW - 30 * DAY,
                                          .inode = 11},
                               .links = 1,
                               .copy_count = COPIES,
                               .min_copies = 2,
                               .keep_local_ns = 7 * DAY,
                               .now_ns = NOW,
                               .clock_is_synchronised = true,
                               .last_run_ns = NOW - 1,
                           }};
    for (int i = 0; i < COPIES; i++) {
        scene.rows[i] = (struct record){
            .type = ENTRY_FILE,
            .source = scene.input.source,
            .committed_ns = NOW - 8 * DAY,
            .verified_ns = NOW - 8 * DAY + 1,
        };
        scene.copies[i] = (struct offload_copy){
            .row = &scene.rows[i],
            .volume_id = ids[i],
            .is_there = true,
            .replica_ns = NOW - 8 * DAY,
        };
    }
    scene.input.copies = scene.copies;
    return &scene;
}

static void expect(const struct scene *scene, enum offload_reason reason)
{
    struct offload_verdict verdict = offload_judge(&scene->input);

    if (verdict.reason != reason)
        fail_msg("\"%s\" instead of \"%s\"",
                 offload_reason_name(verdict.reason),
                 offload_reason_name(reason));
}

/* The same is wrong with two copies, so that only one counts. */
#define BREAK(scene, what)                                                     \
    do {                                                                       \
        for (int i = 0; i < 2; i++) {                                          \
            struct record *row = &(scene)->rows[i];                            \
            struct offload_copy *copy = &(scene)->copies[i];                   \
            (void)row;                                                         \
            (void)copy;                                                        \
            what;                                                              \
        }                                                                      \
    } while (0)

static void a_file_with_enough_proved_copies_may_go(void **state)
{
    struct scene *scene = fresh_scene();

    expect(scene, OFFLOAD_READY);
    assert_int_equal(offload_judge(&scene->input).counted, 3);
    scene->copies[0].row = NULL;
    expect(scene, OFFLOAD_READY);
}

static void too_few_copies_keep_it(void **state)
{
    struct scene *scene = fresh_scene();

    BREAK(scene, copy->row = NULL);
    expect(scene, OFFLOAD_NO_COPY);
    scene->input.min_copies = 1;
    expect(scene, OFFLOAD_READY);
    scene->input.min_copies = 0; /* never without any */
    expect(scene, OFFLOAD_NO_COPY);
}

static void a_clone_counts_once(void **state)
{
    struct scene *scene = fresh_scene();

    scene->copies[1].volume_id = scene->copies[2].volume_id = "aa";
    expect(scene, OFFLOAD_NO_COPY);
    assert_int_equal(offload_judge(&scene->input).counted, 1);
    /* What is wrong with one of them leaves the other. */
    scene->input.min_copies = 1;
    scene->copies[0].is_there = false;
    expect(scene, OFFLOAD_READY);
}

static void what_a_volume_lacks_keeps_it(void **state)
{
    static const enum offload_reason lacks[] = {
        OFFLOAD_UNKNOWN, OFFLOAD_UNCLEAN, OFFLOAD_FAILING};

    for (size_t l = 0; l < COUNT_OF(lacks); l++) {
        struct scene *scene = fresh_scene();
        BREAK(scene, copy->volume = lacks[l]);
        expect(scene, lacks[l]);
    }
}

static void a_copy_that_is_not_as_recorded_does_not_count(void **state)
{
    struct scene *scene = fresh_scene();

    BREAK(scene, copy->is_there = false);
    expect(scene, OFFLOAD_NOT_THERE);
}

static void a_source_that_is_not_what_was_copied_stays(void **state)
{
    struct signature base = fresh_scene()->input.source;
    struct signature others[] = {base, base, base, base, base, base};

    others[0].size_bytes++;
    others[1].mtime_ns++;
    others[2].ctime_ns++;
    others[3].inode++;
    others[4].btime_ns++;
    others[5].side++;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct scene *scene = fresh_scene();
        scene->input.source = others[i];
        expect(scene, OFFLOAD_CHANGED);
    }
}

static void what_grew_or_changed_while_it_was_copied_stays(void **state)
{
    struct scene *scene = fresh_scene();

    BREAK(scene, row->flags = RECORD_GREW);
    expect(scene, OFFLOAD_CHANGED);
    scene = fresh_scene();
    BREAK(scene, row->flags = RECORD_RACY);
    expect(scene, OFFLOAD_RACY);
}

static void what_somebody_else_wrote_does_not_count(void **state)
{
    struct scene *scene = fresh_scene();

    BREAK(scene, row->flags = RECORD_ADOPTED);
    expect(scene, OFFLOAD_ADOPTED);
    scene = fresh_scene();
    BREAK(scene, row->flags = RECORD_UNHASHED);
    expect(scene, OFFLOAD_ADOPTED);
}

static void a_copy_counts_once_it_was_read_back_from_the_device(void **state)
{
    struct scene *scene = fresh_scene();

    BREAK(scene, row->verified_ns = 0);
    expect(scene, OFFLOAD_UNREAD);
    BREAK(scene, row->flags = RECORD_COMPARED);
    expect(scene, OFFLOAD_COMPARED);
}

static void a_proof_is_believed_for_90_days(void **state)
{
    struct scene *scene = fresh_scene();

    BREAK(scene, row->verified_ns = NOW - OFFLOAD_PROOF_DAYS * DAY);
    expect(scene, OFFLOAD_READY);
    BREAK(scene, row->verified_ns--);
    expect(scene, OFFLOAD_OLD_PROOF);
    BREAK(scene, row->verified_ns = NOW + 1);
    expect(scene, OFFLOAD_OLD_PROOF);
}

static void a_copy_counts_once_its_metadata_is_on_the_drive_too(void **state)
{
    struct scene *scene = fresh_scene();

    BREAK(scene, copy->replica_ns = 0);
    expect(scene, OFFLOAD_NO_REPLICA);
    BREAK(scene, copy->replica_ns = row->committed_ns - 1);
    expect(scene, OFFLOAD_NO_REPLICA);
}

static void a_clock_that_cannot_be_believed_keeps_it(void **state)
{
    struct scene *scene = fresh_scene();

    scene->input.clock_is_synchronised = false;
    expect(scene, OFFLOAD_CLOCK_UNSYNCHRONISED);
    scene = fresh_scene();
    scene->input.last_run_ns = NOW + 1;
    expect(scene, OFFLOAD_CLOCK_BEHIND);
    scene->input.last_run_ns = NOW;
    expect(scene, OFFLOAD_READY);
}

static void keep_local_counts_from_the_commit_that_made_enough_copies(
    void **state)
{
    struct scene *scene = fresh_scene();

    scene->rows[0].committed_ns = NOW - 40 * DAY;
    scene->rows[1].committed_ns = NOW - 7 * DAY;
    scene->rows[2].committed_ns = NOW - 1 * DAY;
    for (int i = 0; i < COPIES; i++)
        scene->copies[i].replica_ns = NOW;
    expect(scene, OFFLOAD_READY); /* the second of two: a week ago */
    scene->rows[1].committed_ns++;
    expect(scene, OFFLOAD_KEEP_LOCAL);
    assert_int_equal(offload_judge(&scene->input).until_ns, NOW + 1);
    scene->input.min_copies = 3;
    expect(scene, OFFLOAD_KEEP_LOCAL);
    assert_int_equal(offload_judge(&scene->input).until_ns, NOW + 6 * DAY);
}

static void a_file_that_was_put_back_is_kept_as_long_again(void **state)
{
    struct scene *scene = fresh_scene();

    for (int i = 0; i < COPIES; i++)
        scene->rows[i].source.ctime_ns = NOW - 1;
    scene->input.source.ctime_ns = NOW - 1;
    expect(scene, OFFLOAD_KEEP_LOCAL);
}

static void an_endless_keep_local_does_not_wrap_around(void **state)
{
    struct scene *scene = fresh_scene();

    scene->input.keep_local_ns = INT64_MAX;
    expect(scene, OFFLOAD_KEEP_LOCAL);
}

static void what_is_no_plain_file_stays(void **state)
{
    struct scene *scene = fresh_scene();

    scene->input.type = ENTRY_SYMLINK;
    expect(scene, OFFLOAD_SYMLINK);
    scene = fresh_scene();
    scene->rows[2].flags = RECORD_SQLITE;
    expect(scene, OFFLOAD_DATABASE);
    scene = fresh_scene();
    scene->input.links = 2;
    expect(scene, OFFLOAD_LINKED);
}

static void the_copy_that_is_nearest_to_counting_is_named(void **state)
{
    struct scene *scene = fresh_scene();

    scene->copies[0].row = NULL;
    scene->rows[1].verified_ns = 0;
    expect(scene, OFFLOAD_UNREAD);
    assert_int_equal(offload_judge(&scene->input).copy, 1);
}

static void every_reason_has_words_and_a_name_of_its_own(void **state)
{
    for (size_t i = 0; i < OFFLOAD_REASON_COUNT; i++) {
        assert_true(*offload_reason_text((enum offload_reason)i));
        assert_non_null(offload_reason_advice((enum offload_reason)i));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(
                offload_reason_name((enum offload_reason)i),
                offload_reason_name((enum offload_reason)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_with_enough_proved_copies_may_go),
        cmocka_unit_test(too_few_copies_keep_it),
        cmocka_unit_test(a_clone_counts_once),
        cmocka_unit_test(what_a_volume_lacks_keeps_it),
        cmocka_unit_test(a_copy_that_is_not_as_recorded_does_not_count),
        cmocka_unit_test(a_source_that_is_not_what_was_copied_stays),
        cmocka_unit_test(what_grew_or_changed_while_it_was_copied_stays),
        cmocka_unit_test(what_somebody_else_wrote_does_not_count),
        cmocka_unit_test(a_copy_counts_once_it_was_read_back_from_the_device),
        cmocka_unit_test(a_proof_is_believed_for_90_days),
        cmocka_unit_test(a_copy_counts_once_its_metadata_is_on_the_drive_too),
        cmocka_unit_test(a_clock_that_cannot_be_believed_keeps_it),
        cmocka_unit_test(
            keep_local_counts_from_the_commit_that_made_enough_copies),
        cmocka_unit_test(a_file_that_was_put_back_is_kept_as_long_again),
        cmocka_unit_test(an_endless_keep_local_does_not_wrap_around),
        cmocka_unit_test(what_is_no_plain_file_stays),
        cmocka_unit_test(the_copy_that_is_nearest_to_counting_is_named),
        cmocka_unit_test(every_reason_has_words_and_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
