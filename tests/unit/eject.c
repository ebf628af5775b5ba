/*
 * The verdict of an eject: which of what was seen allows which word. Green
 * needs all of it; each single thing that is missing takes it away.
 */
#include "core/eject.h"
#include "core/drive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A USB disk with one volume, and nothing went wrong. */
static const struct eject_proof good = {
    .barrier_ok = true,
    .volumes_mounted = 1,
    .volumes_unmounted = 1,
    .power_off_tried = true,
    .power_off_ok = true,
    .device_gone = true,
    .write_cache = PLATFORM_CACHE_WRITE_BACK,
    .can_be_green = true,
};

static enum eject_verdict verdict_of(struct eject_proof proof)
{
    return eject_judge(&proof).verdict;
}

static void all_that_is_needed_makes_green(void **state)
{
    (void)state;
    assert_int_equal(verdict_of(good), EJECT_GREEN);
}

static void nothing_seen_is_red(void **state)
{
    (void)state;
    assert_int_equal(verdict_of((struct eject_proof){.barrier_ok = false}),
                     EJECT_RED);
}

/* The volume's lock could not be had: it ended before the first step. */
static void no_flush_is_red_before_anything_was_counted(void **state)
{
    struct eject_proof proof = {.can_be_green = true};

    (void)state;
    assert_int_equal(verdict_of(proof), EJECT_RED);
    proof.can_be_green = false; /* a folder */
    assert_int_equal(verdict_of(proof), EJECT_RED);
}

static void each_failure_alone_is_red(void **state)
{
    struct eject_proof proof[8] = {good, good, good, good,
                                   good, good, good, good};

    (void)state;
    proof[5].is_past_unknown = true;
    proof[6].is_still_in_use = true;
    proof[7].has_lost_writes = true;
    proof[0].barrier_ok = false;
    proof[1].barrier_failed = true;
    proof[2].was_poisoned = true;
    proof[3].volumes_unmounted = 0;
    proof[4].power.flush_failed = true;
    for (size_t i = 0; i < COUNT_OF(proof); i++)
        assert_int_equal(verdict_of(proof[i]), EJECT_RED);
}

static void each_thing_not_seen_is_yellow(void **state)
{
    struct eject_proof proof[5] = {good, good, good, good, good};

    (void)state;
    proof[0].can_be_green = false;
    proof[1].write_cache = PLATFORM_CACHE_WRITE_THROUGH;
    proof[2].power_off_ok = false;
    proof[3].power.stop_failed = true;
    proof[4].device_gone = false;
    for (size_t i = 0; i < COUNT_OF(proof); i++)
        assert_int_equal(verdict_of(proof[i]), EJECT_YELLOW);
}

static void a_flush_that_berth_saw_itself_makes_write_through_green(
    void **state)
{
    struct eject_proof proof = good;

    (void)state;
    proof.write_cache = PLATFORM_CACHE_WRITE_THROUGH;
    proof.power.flush_seen = true;
    assert_int_equal(verdict_of(proof), EJECT_GREEN);
}

static struct drive new_drive(void)
{
    return (struct drive){.unsafe = xstrdup(""), .unrepaired = xstrdup("")};
}

static void drive_free(struct drive *drive)
{
    free(drive->unsafe);
    free(drive->unrepaired);
}

/* Its volumes are looked at one after the other. */
static void failed_flush_of_one_volume_outlives_what_the_next_one_tells(
    void **state)
{
    struct drive drive = new_drive();

    (void)state;
    drive_note_interrupted(&drive);
    drive_note_failed_flush(&drive);
    drive_note_interrupted(&drive);
    drive_note_lost_writes(&drive, "BACKUP");
    drive_note_unknown_past(&drive, "disk full");
    assert_true(drive.has_failed_flush);
    assert_non_null(strstr(drive.unsafe, "a flush failed"));
    assert_non_null(strstr(drive.unrepaired, "interrupted"));
    drive_free(&drive);
}

/* Eject is green then: the banner must not say the opposite. */
static void an_interrupted_run_is_told_and_not_red(void **state)
{
    struct drive drive = new_drive();

    (void)state;
    drive_note_interrupted(&drive);
    assert_string_equal(drive.unsafe, "");
    assert_non_null(strstr(drive.unrepaired, "interrupted"));
    drive_free(&drive);
}

/* A full internal disk, a damaged catalogue: it may know of a failed flush. */
static void what_cannot_be_read_is_told_and_gives_way_to_a_failed_flush(
    void **state)
{
    struct drive drive = new_drive();

    (void)state;
    drive_note_unknown_past(&drive, "disk full");
    drive_note_interrupted(&drive);
    assert_true(drive.has_unknown_past);
    assert_false(drive.has_failed_flush);
    assert_non_null(strstr(drive.unsafe, "disk full"));
    drive_note_lost_writes(&drive, "BACKUP");
    assert_non_null(strstr(drive.unsafe, "a flush of BACKUP failed"));
    drive_note_failed_flush(&drive);
    assert_true(drive.has_failed_flush);
    assert_non_null(strstr(drive.unsafe, "a flush failed"));
    drive_free(&drive);
}

/* berth can't copy anew what others wrote: "sync again" would be no help. */
static void a_foreign_volume_that_was_not_flushed_is_not_to_be_synced(
    void **state)
{
    struct eject_proof proof = good;

    (void)state;
    proof.barrier_failed = true;
    assert_non_null(strstr(eject_judge(&proof).remedy, "sync again"));
    proof.has_lost_writes = true;
    assert_null(strstr(eject_judge(&proof).remedy, "sync"));
    proof.barrier_failed = false;
    assert_int_equal(verdict_of(proof), EJECT_RED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_needed_makes_green),
        cmocka_unit_test(nothing_seen_is_red),
        cmocka_unit_test(no_flush_is_red_before_anything_was_counted),
        cmocka_unit_test(each_failure_alone_is_red),
        cmocka_unit_test(each_thing_not_seen_is_yellow),
        cmocka_unit_test(
            a_flush_that_berth_saw_itself_makes_write_through_green),
        cmocka_unit_test(
            failed_flush_of_one_volume_outlives_what_the_next_one_tells),
        cmocka_unit_test(
            what_cannot_be_read_is_told_and_gives_way_to_a_failed_flush),
        cmocka_unit_test(an_interrupted_run_is_told_and_not_red),
        cmocka_unit_test(
            a_foreign_volume_that_was_not_flushed_is_not_to_be_synced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
