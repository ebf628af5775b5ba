/*
 * The decision about one entry, held against the table of ENGINE.md
 * ("Comparing"): row by row, in each mode, quick and full; then every
 * combination of inputs there is, against rules that must never be broken.
 */
#include "core/diff.h"

#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const verdict_names[] = {
    [DIFF_NOTHING] = "nothing", [DIFF_LOOK] = "look",
    [DIFF_NEW] = "new",         [DIFF_AGAIN] = "again",
    [DIFF_UPDATE] = "update",   [DIFF_REPLACE] = "replace",
    [DIFF_SWAP] = "swap",       [DIFF_TOUCH] = "touch",
    [DIFF_ADOPT] = "adopt",     [DIFF_SIGN] = "sign",
    [DIFF_DELETE] = "delete",   [DIFF_FORGET] = "forget",
    [DIFF_KEEP] = "keep",       [DIFF_SKIP] = "skip",
    [DIFF_FOREIGN] = "foreign", [DIFF_CONFLICT] = "conflict",
    [DIFF_ROT] = "rot",         [DIFF_LOSS] = "loss",
};

static const enum job_mode modes[] = {JOB_MIRROR, JOB_UPDATE, JOB_MOVE};

/* --- the three sides --------------------------------------------------------
 */

/* How the source stands to the row. */
enum source {
    SOURCE_GONE,
    SOURCE_SAME,
    SOURCE_CHANGED, /* another size */
    SOURCE_NEWER,   /* another mtime */
    SOURCE_OLDER,   /* an mtime that went back */
    SOURCE_TOUCHED, /* another ctime: not looked at yet */
    SOURCE_TOUCHED_SAME,
    SOURCE_TOUCHED_DIFFERENT,
    SOURCE_MOVED, /* another inode (restored, copied): not looked at */
    SOURCE_MOVED_SAME,
    SOURCE_ROTTEN, /* another inode, the same ctime, other content */
    SOURCE_EXCLUDED,
};

enum row {
    ROW_NONE,
    ROW_PLAIN,
    ROW_RACY,
    ROW_DATABASE,
    ROW_RACY_DATABASE,
    ROW_UNHASHED,
    ROW_OFFLOADED,
    ROW_CLAIMED, /* another host's, taken over */
    ROW_CLAIMED_DATABASE,
    ROW_POISONED,
};

enum drive {
    DRIVE_AS_RECORDED,
    DRIVE_OTHER_SIZE,
    DRIVE_OTHER_TIME,
    DRIVE_OTHER_TYPE, /* a directory has the name */
    DRIVE_MISSING,
    DRIVE_NOT_READ,
};

static const struct signature recorded = {
    .size_bytes = 1000,
    .mtime_ns = 50 * NS_PER_SECOND,
    .ctime_ns = 51 * NS_PER_SECOND,
    .btime_ns = 49 * NS_PER_SECOND,
    .inode = 7,
};

static struct signature signature_for(enum source source)
{
    struct signature now = recorded;

    switch (source) {
    case SOURCE_CHANGED:
        now.size_bytes++;
        break;
    case SOURCE_NEWER:
        now.mtime_ns++;
        break;
    case SOURCE_OLDER:
        now.mtime_ns--;
        break;
    case SOURCE_TOUCHED:
    case SOURCE_TOUCHED_SAME:
    case SOURCE_TOUCHED_DIFFERENT:
        now.ctime_ns++;
        break;
    case SOURCE_MOVED:
    case SOURCE_MOVED_SAME:
    case SOURCE_ROTTEN:
        now.inode++;
        break;
    default:
        break;
    }
    return now;
}

static unsigned flags_for(enum row row)
{
    switch (row) {
    case ROW_RACY:
        return RECORD_RACY;
    case ROW_DATABASE:
        return RECORD_SQLITE;
    case ROW_RACY_DATABASE:
        return RECORD_SQLITE | RECORD_RACY;
    case ROW_UNHASHED:
        return RECORD_UNHASHED;
    case ROW_OFFLOADED:
        return RECORD_OFFLOADED;
    case ROW_CLAIMED:
        return RECORD_CLAIMED;
    case ROW_CLAIMED_DATABASE:
        return RECORD_CLAIMED | RECORD_SQLITE;
    default:
        return 0;
    }
}

static void put_drive(struct diff_input *input, enum drive drive)
{
    input->drive = drive == DRIVE_NOT_READ  ? DRIVE_UNREAD
                   : drive == DRIVE_MISSING ? DRIVE_ABSENT
                                            : DRIVE_PRESENT;
    input->drive_type =
        drive == DRIVE_OTHER_TYPE ? ENTRY_DIRECTORY : ENTRY_FILE;
    input->stamp = (struct stamp){1000, 50 * NS_PER_SECOND};
    input->stamp.size_bytes += drive == DRIVE_OTHER_SIZE;
    input->stamp.mtime_ns += drive == DRIVE_OTHER_TIME ? NS_PER_SECOND : 0;
}

static enum diff_verdict decide(enum job_mode mode, enum source source,
                                enum row row, enum drive drive)
{
    struct record record = {
        .flags = flags_for(row),
        .source = recorded,
        .stamp = {1000, 50 * NS_PER_SECOND},
    };
    struct diff_input input = {
        .mode = mode,
        .source = source == SOURCE_GONE       ? SOURCE_ABSENT
                  : source == SOURCE_EXCLUDED ? SOURCE_FROZEN
                                              : SOURCE_PRESENT,
        .signature = signature_for(source),
        .row = row == ROW_NONE ? NULL : &record,
        .is_poisoned = row == ROW_POISONED,
        .content =
            source == SOURCE_TOUCHED_SAME || source == SOURCE_MOVED_SAME
                ? CONTENT_SAME
            : source == SOURCE_TOUCHED_DIFFERENT || source == SOURCE_ROTTEN
                ? CONTENT_DIFFERENT
                : CONTENT_UNKNOWN,
    };

    put_drive(&input, drive);
    return diff_decide(&input);
}

/* --- the table --------------------------------------------------------------
 */

struct example {
    enum source source;
    enum row row;
    enum drive drive;
    enum diff_verdict verdicts[3]; /* mirror, update, move */
};

#define IN_EACH_MODE(verdict)                                                  \
    {                                                                          \
        verdict, verdict, verdict                                              \
    }

static void check_examples(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct example *example = &examples[i];
        for (size_t m = 0; m < COUNT_OF(modes); m++) {
            enum diff_verdict verdict =
                decide(modes[m], example->source, example->row, example->drive);
            if (verdict != example->verdicts[m])
                fail_msg("example %zu (source %d, row %d, drive %d) in %s: "
                         "%s, not %s",
                         i, (int)example->source, (int)example->row,
                         (int)example->drive, job_mode_name(modes[m]),
                         verdict_names[verdict],
                         verdict_names[example->verdicts[m]]);
        }
    }
}

static void what_is_new_is_copied_or_adopted_or_replaces(void **state)
{
    static const struct example examples[] = {
        {SOURCE_SAME, ROW_NONE, DRIVE_MISSING, IN_EACH_MODE(DIFF_NEW)},
        {SOURCE_SAME, ROW_NONE, DRIVE_NOT_READ, IN_EACH_MODE(DIFF_NEW)},
        {SOURCE_SAME, ROW_NONE, DRIVE_AS_RECORDED, IN_EACH_MODE(DIFF_ADOPT)},
        {SOURCE_SAME, ROW_NONE, DRIVE_OTHER_SIZE, IN_EACH_MODE(DIFF_REPLACE)},
        {SOURCE_SAME, ROW_NONE, DRIVE_OTHER_TYPE, IN_EACH_MODE(DIFF_CONFLICT)},
    };

    check_examples(examples, COUNT_OF(examples));
}

static void what_is_the_same_is_kept_and_drift_is_repaired_by_mirrors_only(
    void **state)
{
    static const struct example examples[] = {
        {SOURCE_SAME, ROW_PLAIN, DRIVE_AS_RECORDED, IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_SAME, ROW_PLAIN, DRIVE_NOT_READ, IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_SAME, ROW_PLAIN, DRIVE_MISSING, IN_EACH_MODE(DIFF_AGAIN)},
        {SOURCE_SAME,
         ROW_PLAIN,
         DRIVE_OTHER_SIZE,
         {DIFF_REPLACE, DIFF_CONFLICT, DIFF_CONFLICT}},
        {SOURCE_SAME,
         ROW_PLAIN,
         DRIVE_OTHER_TIME,
         {DIFF_REPLACE, DIFF_CONFLICT, DIFF_CONFLICT}},
        {SOURCE_SAME, ROW_PLAIN, DRIVE_OTHER_TYPE, IN_EACH_MODE(DIFF_CONFLICT)},
        {SOURCE_CHANGED, ROW_PLAIN, DRIVE_OTHER_TYPE,
         IN_EACH_MODE(DIFF_CONFLICT)},
        {SOURCE_SAME, ROW_UNHASHED, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_SAME, ROW_DATABASE, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_SAME,
         ROW_DATABASE,
         DRIVE_OTHER_SIZE,
         {DIFF_REPLACE, DIFF_CONFLICT, DIFF_CONFLICT}},
        /* back again after it was offloaded */
        {SOURCE_SAME, ROW_OFFLOADED, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_NOTHING)},
    };

    check_examples(examples, COUNT_OF(examples));
}

static void what_has_changed_is_updated_and_what_drifted_becomes_a_version(
    void **state)
{
    static const enum source changes[] = {
        SOURCE_CHANGED, SOURCE_NEWER, SOURCE_OLDER, SOURCE_TOUCHED_DIFFERENT};
    static const enum row rows[] = {ROW_PLAIN, ROW_RACY, ROW_UNHASHED,
                                    ROW_DATABASE, ROW_OFFLOADED};

    for (size_t s = 0; s < COUNT_OF(changes); s++)
        for (size_t r = 0; r < COUNT_OF(rows); r++) {
            const struct example examples[] = {
                {changes[s], rows[r], DRIVE_AS_RECORDED,
                 IN_EACH_MODE(DIFF_UPDATE)},
                {changes[s], rows[r], DRIVE_NOT_READ,
                 IN_EACH_MODE(DIFF_UPDATE)},
                {changes[s], rows[r], DRIVE_OTHER_SIZE,
                 IN_EACH_MODE(DIFF_REPLACE)},
                {changes[s], rows[r], DRIVE_OTHER_TIME,
                 IN_EACH_MODE(DIFF_REPLACE)},
                {changes[s], rows[r], DRIVE_MISSING, IN_EACH_MODE(DIFF_AGAIN)},
            };
            check_examples(examples, COUNT_OF(examples));
        }
}

/* Only ctime, inode or btime differs: the content decides, not the clock. */
static void a_touched_or_restored_file_is_looked_at_before_it_is_copied(
    void **state)
{
    static const struct example examples[] = {
        {SOURCE_TOUCHED, ROW_PLAIN, DRIVE_AS_RECORDED, IN_EACH_MODE(DIFF_LOOK)},
        {SOURCE_TOUCHED, ROW_PLAIN, DRIVE_NOT_READ, IN_EACH_MODE(DIFF_LOOK)},
        {SOURCE_MOVED, ROW_PLAIN, DRIVE_AS_RECORDED, IN_EACH_MODE(DIFF_LOOK)},
        {SOURCE_TOUCHED_SAME, ROW_PLAIN, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_SIGN)},
        {SOURCE_MOVED_SAME, ROW_PLAIN, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_SIGN)},
        {SOURCE_MOVED_SAME, ROW_PLAIN, DRIVE_NOT_READ, IN_EACH_MODE(DIFF_SIGN)},
        {SOURCE_MOVED_SAME, ROW_PLAIN, DRIVE_MISSING, IN_EACH_MODE(DIFF_AGAIN)},
        {SOURCE_MOVED_SAME,
         ROW_PLAIN,
         DRIVE_OTHER_SIZE,
         {DIFF_REPLACE, DIFF_CONFLICT, DIFF_CONFLICT}},
    };

    check_examples(examples, COUNT_OF(examples));
}

/* Written within a clock tick of the reading: its times may say nothing. */
static void a_racy_row_is_looked_at_although_nothing_seems_changed(void **state)
{
    struct record row = {.flags = RECORD_RACY, .source = recorded};
    struct diff_input input = {
        .source = SOURCE_PRESENT, .signature = recorded, .row = &row};

    assert_int_equal(diff_decide(&input), DIFF_LOOK);
    input.content = CONTENT_SAME;
    assert_int_equal(diff_decide(&input), DIFF_SIGN);
    input.content = CONTENT_DIFFERENT; /* no rot: it was written then */
    assert_int_equal(diff_decide(&input), DIFF_UPDATE);
}

/* Its hash is of the snapshot: only a new snapshot can tell. */
static void a_doubtful_database_is_copied_anew_without_a_look(void **state)
{
    static const struct example examples[] = {
        {SOURCE_TOUCHED, ROW_DATABASE, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_UPDATE)},
        {SOURCE_MOVED, ROW_DATABASE, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_UPDATE)},
        {SOURCE_ROTTEN, ROW_DATABASE, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_UPDATE)},
        {SOURCE_SAME, ROW_RACY_DATABASE, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_UPDATE)},
        {SOURCE_SAME, ROW_RACY_DATABASE, DRIVE_NOT_READ,
         IN_EACH_MODE(DIFF_UPDATE)},
    };

    check_examples(examples, COUNT_OF(examples));
}

static void a_change_only_in_the_wal_is_a_change(void **state)
{
    struct record row = {.flags = RECORD_SQLITE, .source = recorded};
    struct diff_input input = {
        .source = SOURCE_PRESENT, .signature = recorded, .row = &row};

    assert_int_equal(diff_decide(&input), DIFF_NOTHING);
    input.signature.side = 5;
    assert_int_equal(diff_decide(&input), DIFF_UPDATE);
    row.source.side = 5;
    assert_int_equal(diff_decide(&input), DIFF_NOTHING);
    input.signature.side = 0;
    assert_int_equal(diff_decide(&input), DIFF_UPDATE);
}

static void rot_is_never_copied_over_the_good_side(void **state)
{
    static const struct example examples[] = {
        {SOURCE_ROTTEN, ROW_PLAIN, DRIVE_AS_RECORDED, IN_EACH_MODE(DIFF_ROT)},
        {SOURCE_ROTTEN, ROW_PLAIN, DRIVE_NOT_READ, IN_EACH_MODE(DIFF_ROT)},
        {SOURCE_ROTTEN, ROW_PLAIN, DRIVE_OTHER_SIZE, IN_EACH_MODE(DIFF_ROT)},
        {SOURCE_ROTTEN, ROW_PLAIN, DRIVE_MISSING, IN_EACH_MODE(DIFF_ROT)},
    };

    check_examples(examples, COUNT_OF(examples));
}

static void what_is_gone_is_deleted_by_mirrors_and_kept_by_the_others(
    void **state)
{
    static const struct example examples[] = {
        {SOURCE_GONE,
         ROW_PLAIN,
         DRIVE_AS_RECORDED,
         {DIFF_DELETE, DIFF_KEEP, DIFF_KEEP}},
        {SOURCE_GONE,
         ROW_PLAIN,
         DRIVE_NOT_READ,
         {DIFF_DELETE, DIFF_KEEP, DIFF_KEEP}},
        {SOURCE_GONE,
         ROW_DATABASE,
         DRIVE_AS_RECORDED,
         {DIFF_DELETE, DIFF_KEEP, DIFF_KEEP}},
        {SOURCE_GONE,
         ROW_POISONED,
         DRIVE_AS_RECORDED,
         {DIFF_DELETE, DIFF_KEEP, DIFF_KEEP}},
        {SOURCE_GONE, ROW_PLAIN, DRIVE_OTHER_SIZE, IN_EACH_MODE(DIFF_CONFLICT)},
        {SOURCE_GONE, ROW_PLAIN, DRIVE_OTHER_TIME, IN_EACH_MODE(DIFF_CONFLICT)},
        {SOURCE_GONE, ROW_PLAIN, DRIVE_OTHER_TYPE, IN_EACH_MODE(DIFF_CONFLICT)},
        {SOURCE_GONE, ROW_PLAIN, DRIVE_MISSING, IN_EACH_MODE(DIFF_FORGET)},
    };

    check_examples(examples, COUNT_OF(examples));
}

static void what_was_offloaded_is_a_state_until_it_is_a_loss(void **state)
{
    static const struct example examples[] = {
        {SOURCE_GONE, ROW_OFFLOADED, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_GONE, ROW_OFFLOADED, DRIVE_NOT_READ,
         IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_GONE, ROW_OFFLOADED, DRIVE_MISSING, IN_EACH_MODE(DIFF_LOSS)},
        {SOURCE_GONE, ROW_OFFLOADED, DRIVE_OTHER_SIZE, IN_EACH_MODE(DIFF_LOSS)},
        {SOURCE_GONE, ROW_OFFLOADED, DRIVE_OTHER_TIME, IN_EACH_MODE(DIFF_LOSS)},
        {SOURCE_GONE, ROW_OFFLOADED, DRIVE_OTHER_TYPE, IN_EACH_MODE(DIFF_LOSS)},
    };

    check_examples(examples, COUNT_OF(examples));
}

static void what_another_host_had_is_not_deleted(void **state)
{
    static const struct example examples[] = {
        {SOURCE_GONE,
         ROW_CLAIMED,
         DRIVE_AS_RECORDED,
         {DIFF_FOREIGN, DIFF_KEEP, DIFF_KEEP}},
        {SOURCE_GONE,
         ROW_CLAIMED,
         DRIVE_NOT_READ,
         {DIFF_FOREIGN, DIFF_KEEP, DIFF_KEEP}},
        {SOURCE_GONE, ROW_CLAIMED, DRIVE_OTHER_SIZE,
         IN_EACH_MODE(DIFF_CONFLICT)},
        {SOURCE_GONE, ROW_CLAIMED, DRIVE_MISSING, IN_EACH_MODE(DIFF_FORGET)},
    };

    check_examples(examples, COUNT_OF(examples));
}

static void what_another_host_had_is_looked_at_before_it_is_replaced(
    void **state)
{
    static const struct example examples[] = {
        {SOURCE_SAME, ROW_CLAIMED, DRIVE_AS_RECORDED, IN_EACH_MODE(DIFF_LOOK)},
        {SOURCE_OLDER, ROW_CLAIMED, DRIVE_AS_RECORDED, IN_EACH_MODE(DIFF_LOOK)},
        {SOURCE_TOUCHED_SAME, ROW_CLAIMED, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_SIGN)},
        {SOURCE_TOUCHED_DIFFERENT, ROW_CLAIMED, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_UPDATE)},
        {SOURCE_SAME, ROW_CLAIMED, DRIVE_MISSING, IN_EACH_MODE(DIFF_AGAIN)},
        /* no hash of the file: as adopted */
        {SOURCE_SAME, ROW_CLAIMED_DATABASE, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_SIGN)},
        {SOURCE_CHANGED, ROW_CLAIMED_DATABASE, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_UPDATE)},
    };

    check_examples(examples, COUNT_OF(examples));
}

static void what_is_newer_on_the_drive_of_another_host_stays(void **state)
{
    const struct record row = {.flags = RECORD_CLAIMED,
                               .source = recorded,
                               .stamp = {1000, 50 * NS_PER_SECOND}};
    struct diff_input input = {.mode = JOB_MIRROR,
                               .source = SOURCE_PRESENT,
                               .signature = recorded,
                               .row = &row,
                               .content = CONTENT_DIFFERENT};

    put_drive(&input, DRIVE_AS_RECORDED);
    input.signature.mtime_ns--;
    assert_int_equal(diff_decide(&input), DIFF_CONFLICT);
    input.signature.mtime_ns += 2;
    assert_int_equal(diff_decide(&input), DIFF_UPDATE);
    input.source_type = ENTRY_DIRECTORY; /* nor does a tree replace it */
    assert_int_equal(diff_decide(&input), DIFF_CONFLICT);
}

static void what_is_foreign_is_listed_and_left_alone(void **state)
{
    static const struct example examples[] = {
        {SOURCE_GONE, ROW_NONE, DRIVE_AS_RECORDED, IN_EACH_MODE(DIFF_FOREIGN)},
        {SOURCE_GONE, ROW_NONE, DRIVE_OTHER_TYPE, IN_EACH_MODE(DIFF_FOREIGN)},
        {SOURCE_GONE, ROW_NONE, DRIVE_MISSING, IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_GONE, ROW_NONE, DRIVE_NOT_READ, IN_EACH_MODE(DIFF_NOTHING)},
    };

    check_examples(examples, COUNT_OF(examples));
}

static void what_is_frozen_is_neither_updated_nor_deleted(void **state)
{
    for (int row = ROW_NONE; row <= ROW_POISONED; row++)
        for (int drive = DRIVE_AS_RECORDED; drive <= DRIVE_NOT_READ; drive++)
            for (size_t m = 0; m < COUNT_OF(modes); m++)
                assert_int_equal(decide(modes[m], SOURCE_EXCLUDED,
                                        (enum row)row, (enum drive)drive),
                                 DIFF_SKIP);
}

/* Written before a barrier that failed: staged anew, whatever it looks like. */
static void a_poisoned_file_is_copied_anew(void **state)
{
    static const enum source sources[] = {
        SOURCE_SAME,         SOURCE_CHANGED,    SOURCE_TOUCHED,
        SOURCE_TOUCHED_SAME, SOURCE_MOVED_SAME, SOURCE_ROTTEN};

    for (size_t s = 0; s < COUNT_OF(sources); s++) {
        const struct example examples[] = {
            {sources[s], ROW_POISONED, DRIVE_AS_RECORDED,
             IN_EACH_MODE(DIFF_UPDATE)},
            {sources[s], ROW_POISONED, DRIVE_NOT_READ,
             IN_EACH_MODE(DIFF_UPDATE)},
            {sources[s], ROW_POISONED, DRIVE_OTHER_SIZE,
             IN_EACH_MODE(DIFF_REPLACE)},
            {sources[s], ROW_POISONED, DRIVE_MISSING, IN_EACH_MODE(DIFF_AGAIN)},
        };
        check_examples(examples, COUNT_OF(examples));
    }
}

/* A batch of new files whose barrier failed never got rows; what stands at
 * their names has the right size and time, and may be pages of zeros. */
static void a_poisoned_file_without_a_row_is_not_adopted(void **state)
{
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        struct diff_input input = {
            .mode = modes[m],
            .source = SOURCE_PRESENT,
            .signature = recorded,
            .is_poisoned = true,
        };
        put_drive(&input, DRIVE_AS_RECORDED);
        enum diff_verdict verdict = diff_decide(&input);
        assert_true(verdict == DIFF_REPLACE || verdict == DIFF_UPDATE);
    }
}

/* What rsync copied of a live database lacks what was in its -wal; and another
 * host's row says nothing of this one's. */
static void a_database_with_a_wal_is_not_taken_for_its_file(void **state)
{
    const struct record claimed = {
        .flags = RECORD_CLAIMED | RECORD_SQLITE,
        .source = recorded,
        .stamp = {recorded.size_bytes, recorded.mtime_ns},
    };

    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        struct diff_input input = {
            .mode = modes[m],
            .source = SOURCE_PRESENT,
            .signature = recorded,
        };
        input.signature.side = 1;
        put_drive(&input, DRIVE_AS_RECORDED);
        assert_int_equal(diff_decide(&input), DIFF_REPLACE);
        input.row = &claimed;
        assert_int_equal(diff_decide(&input), DIFF_UPDATE);
    }
}

/* --- adopting ---------------------------------------------------------------
 */

static enum diff_verdict adopt(int64_t apart_ns, int64_t tolerance_ns)
{
    struct diff_input input = {
        .source = SOURCE_PRESENT,
        .signature = recorded,
        .drive = DRIVE_PRESENT,
        .stamp = {recorded.size_bytes, recorded.mtime_ns + apart_ns},
        .time_tolerance_ns = tolerance_ns,
    };

    return diff_decide(&input);
}

static void a_file_is_adopted_within_two_seconds_and_not_beyond(void **state)
{
    static const int64_t limit = 2 * NS_PER_SECOND;

    for (int sign = -1; sign <= 1; sign += 2) {
        assert_int_equal(adopt(0, 0), DIFF_ADOPT);
        assert_int_equal(adopt(sign * (limit - 1), 0), DIFF_ADOPT);
        assert_int_equal(adopt(sign * limit, 0), DIFF_ADOPT);
        assert_int_equal(adopt(sign * (limit + 1), 0), DIFF_REPLACE);
        /* a volume with coarser times than FAT's widens it, a finer one
         * does not narrow it */
        assert_int_equal(adopt(sign * limit, 100), DIFF_ADOPT);
        assert_int_equal(adopt(sign * (limit + 1), limit), DIFF_REPLACE);
        assert_int_equal(adopt(sign * (limit + 5), limit + 5), DIFF_ADOPT);
        assert_int_equal(adopt(sign * (limit + 6), limit + 5), DIFF_REPLACE);
    }
}

static void the_tolerance_of_a_recorded_file_is_the_volumes_own(void **state)
{
    static const struct {
        int64_t apart_ns, tolerance_ns;
        enum diff_verdict verdict;
    } examples[] = {
        {0, 0, DIFF_NOTHING},
        {1, 0, DIFF_REPLACE},
        {-1, 0, DIFF_REPLACE},
        {2 * NS_PER_SECOND, 2 * NS_PER_SECOND, DIFF_NOTHING},
        {-2 * NS_PER_SECOND, 2 * NS_PER_SECOND, DIFF_NOTHING},
        {2 * NS_PER_SECOND + 1, 2 * NS_PER_SECOND, DIFF_REPLACE},
        {2 * NS_PER_SECOND, 100, DIFF_REPLACE},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        struct record row = {.source = recorded, .stamp = {1000, 0}};
        struct diff_input input = {
            .source = SOURCE_PRESENT,
            .signature = recorded,
            .row = &row,
            .drive = DRIVE_PRESENT,
            .stamp = {1000, examples[i].apart_ns},
            .time_tolerance_ns = examples[i].tolerance_ns,
        };
        assert_int_equal(diff_decide(&input), examples[i].verdict);
    }
}

static void an_unrecorded_symlink_is_adopted_by_its_target(void **state)
{
    struct diff_input input = {
        .source = SOURCE_PRESENT,
        .source_type = ENTRY_SYMLINK,
        .drive = DRIVE_PRESENT,
        .drive_type = ENTRY_SYMLINK,
        .stamp = {999, 999},
    };

    assert_int_equal(diff_decide(&input), DIFF_LOOK);
    input.content = CONTENT_SAME;
    assert_int_equal(diff_decide(&input), DIFF_ADOPT);
    input.content = CONTENT_DIFFERENT;
    assert_int_equal(diff_decide(&input), DIFF_REPLACE);
}

/* --- what has another type --------------------------------------------------
 */

static enum diff_verdict swap(enum job_mode mode, enum entry_type from,
                              enum entry_type to, enum drive drive)
{
    struct record row = {
        .type = from, .source = recorded, .stamp = {1000, 50 * NS_PER_SECOND}};
    struct diff_input input = {
        .mode = mode,
        .source = SOURCE_PRESENT,
        .source_type = to,
        .signature = recorded,
        .row = &row,
    };

    put_drive(&input, drive);
    input.drive_type = from;
    return diff_decide(&input);
}

static void a_file_and_a_directory_swap_without_losing_a_tree(void **state)
{
    static const struct {
        enum entry_type from, to;
        enum drive drive;
        enum diff_verdict verdicts[3];
    } examples[] = {
        {ENTRY_FILE, ENTRY_DIRECTORY, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_SWAP)},
        {ENTRY_FILE, ENTRY_SYMLINK, DRIVE_AS_RECORDED, IN_EACH_MODE(DIFF_SWAP)},
        {ENTRY_SYMLINK, ENTRY_FILE, DRIVE_AS_RECORDED, IN_EACH_MODE(DIFF_SWAP)},
        {ENTRY_SYMLINK, ENTRY_DIRECTORY, DRIVE_AS_RECORDED,
         IN_EACH_MODE(DIFF_SWAP)},
        {ENTRY_FILE, ENTRY_DIRECTORY, DRIVE_NOT_READ, IN_EACH_MODE(DIFF_SWAP)},
        {ENTRY_DIRECTORY,
         ENTRY_FILE,
         DRIVE_AS_RECORDED,
         {DIFF_SWAP, DIFF_CONFLICT, DIFF_CONFLICT}},
        {ENTRY_DIRECTORY,
         ENTRY_SYMLINK,
         DRIVE_NOT_READ,
         {DIFF_SWAP, DIFF_CONFLICT, DIFF_CONFLICT}},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        for (size_t m = 0; m < COUNT_OF(modes); m++)
            assert_int_equal(swap(modes[m], examples[i].from, examples[i].to,
                                  examples[i].drive),
                             examples[i].verdicts[m]);
}

/* "changed | any | something else: the drive's file becomes a version, ours
 * goes in" has no exception for a type that changed. */
static void a_swap_onto_a_drifted_file_replaces_it(void **state)
{
    for (size_t m = 0; m < COUNT_OF(modes); m++)
        assert_int_equal(
            swap(modes[m], ENTRY_SYMLINK, ENTRY_FILE, DRIVE_OTHER_SIZE),
            DIFF_REPLACE);
}

/* Adopting is for what an earlier rsync brought, not for what took a name. */
static void what_took_the_name_of_a_tree_is_not_adopted(void **state)
{
    static const struct record row = {.type = ENTRY_DIRECTORY};
    struct diff_input input = {
        .source = SOURCE_PRESENT,
        .source_type = ENTRY_FILE,
        .signature = recorded,
        .row = &row,
        .drive = DRIVE_PRESENT,
        .drive_type = ENTRY_FILE,
        .stamp = {recorded.size_bytes, recorded.mtime_ns},
    };

    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        input.mode = modes[m];
        assert_int_equal(diff_decide(&input), DIFF_REPLACE);
    }
}

static void what_berth_never_makes_is_left_where_it_is(void **state)
{
    static const struct record row = {.type = ENTRY_FILE, .source = recorded};
    struct diff_input input = {.drive = DRIVE_ODD};

    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        input.mode = modes[m];
        input.source = SOURCE_ABSENT;
        input.row = NULL;
        assert_int_equal(diff_decide(&input), DIFF_FOREIGN);
        input.row = &row;
        assert_int_equal(diff_decide(&input), DIFF_CONFLICT);
        input.source = SOURCE_PRESENT;
        assert_int_equal(diff_decide(&input), DIFF_CONFLICT);
        input.source_type = ENTRY_DIRECTORY;
        assert_int_equal(diff_decide(&input), DIFF_CONFLICT);
        input.source_type = ENTRY_FILE;
    }
}

/* Nothing of the tree is left on the drive that the mode could lose. */
static void what_is_missing_does_not_stop_what_has_its_name(void **state)
{
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        assert_int_equal(
            swap(modes[m], ENTRY_DIRECTORY, ENTRY_FILE, DRIVE_MISSING),
            DIFF_AGAIN);
        assert_int_equal(
            swap(modes[m], ENTRY_FILE, ENTRY_DIRECTORY, DRIVE_MISSING),
            DIFF_AGAIN);
    }
}

/* --- symlinks that only the catalogue holds ---------------------------------
 */

static enum diff_verdict decide_held(enum job_mode mode, enum source source,
                                     enum drive drive)
{
    struct record row = {
        .type = ENTRY_SYMLINK, .flags = RECORD_HELD, .source = recorded};
    struct diff_input input = {
        .mode = mode,
        .source = source == SOURCE_GONE ? SOURCE_ABSENT : SOURCE_PRESENT,
        .source_type = ENTRY_SYMLINK,
        .signature = signature_for(source),
        .row = &row,
        .holds_modes = true,
        .source_mode = 0777,
    };

    put_drive(&input, drive);
    return diff_decide(&input);
}

static void a_held_symlink_is_in_sync_while_the_drive_has_nothing_there(
    void **state)
{
    static const struct {
        enum source source;
        enum drive drive;
        enum diff_verdict verdicts[3];
    } examples[] = {
        {SOURCE_SAME, DRIVE_MISSING, IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_SAME, DRIVE_NOT_READ, IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_NEWER, DRIVE_MISSING, IN_EACH_MODE(DIFF_UPDATE)},
        {SOURCE_TOUCHED, DRIVE_MISSING, IN_EACH_MODE(DIFF_LOOK)},
        {SOURCE_SAME,
         DRIVE_OTHER_SIZE,
         {DIFF_REPLACE, DIFF_CONFLICT, DIFF_CONFLICT}},
        {SOURCE_GONE, DRIVE_MISSING, {DIFF_DELETE, DIFF_KEEP, DIFF_KEEP}},
        {SOURCE_GONE, DRIVE_OTHER_SIZE, IN_EACH_MODE(DIFF_CONFLICT)},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        for (size_t m = 0; m < COUNT_OF(modes); m++)
            assert_int_equal(
                decide_held(modes[m], examples[i].source, examples[i].drive),
                examples[i].verdicts[m]);
}

/* --- directories and metadata -----------------------------------------------
 */

static enum diff_verdict decide_directory(enum job_mode mode,
                                          enum source_state source,
                                          enum drive_state drive,
                                          enum entry_type drive_type)
{
    struct record row = {.type = ENTRY_DIRECTORY, .source = recorded};
    struct diff_input input = {
        .mode = mode,
        .source = source,
        .source_type = ENTRY_DIRECTORY,
        .signature = {.mtime_ns =
                          1}, /* changes with each entry: says nothing */
        .row = &row,
        .drive = drive,
        .drive_type = drive_type,
        .stamp = {5, 5},
    };

    return diff_decide(&input);
}

static void a_directory_is_there_or_not_and_its_times_say_nothing(void **state)
{
    static const struct {
        enum source_state source;
        enum drive_state drive;
        enum entry_type drive_type;
        enum diff_verdict verdicts[3];
    } examples[] = {
        {SOURCE_PRESENT, DRIVE_PRESENT, ENTRY_DIRECTORY,
         IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_PRESENT, DRIVE_UNREAD, ENTRY_FILE, IN_EACH_MODE(DIFF_NOTHING)},
        {SOURCE_PRESENT, DRIVE_ABSENT, ENTRY_FILE, IN_EACH_MODE(DIFF_AGAIN)},
        {SOURCE_PRESENT,
         DRIVE_PRESENT,
         ENTRY_FILE,
         {DIFF_REPLACE, DIFF_CONFLICT, DIFF_CONFLICT}},
        {SOURCE_ABSENT,
         DRIVE_PRESENT,
         ENTRY_DIRECTORY,
         {DIFF_DELETE, DIFF_KEEP, DIFF_KEEP}},
        {SOURCE_ABSENT, DRIVE_PRESENT, ENTRY_FILE, IN_EACH_MODE(DIFF_CONFLICT)},
        {SOURCE_ABSENT, DRIVE_ABSENT, ENTRY_FILE, IN_EACH_MODE(DIFF_FORGET)},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++)
        for (size_t m = 0; m < COUNT_OF(modes); m++)
            assert_int_equal(decide_directory(modes[m], examples[i].source,
                                              examples[i].drive,
                                              examples[i].drive_type),
                             examples[i].verdicts[m]);
}

static void changed_permissions_are_touched_where_the_volume_keeps_them(
    void **state)
{
    static const struct {
        enum entry_type type;
        bool holds_modes, holds_owners, mode_differs, owner_differs;
        enum diff_verdict verdict;
    } examples[] = {
        {ENTRY_FILE, true, true, false, false, DIFF_NOTHING},
        {ENTRY_FILE, true, false, true, false, DIFF_TOUCH},
        {ENTRY_FILE, false, false, true, true, DIFF_NOTHING},
        {ENTRY_FILE, false, true, true, false, DIFF_NOTHING},
        {ENTRY_FILE, false, true, false, true, DIFF_TOUCH},
        {ENTRY_FILE, true, false, false, true, DIFF_NOTHING},
        {ENTRY_SYMLINK, true, false, true, false, DIFF_NOTHING},
        {ENTRY_SYMLINK, true, true, false, true, DIFF_TOUCH},
        {ENTRY_DIRECTORY, true, false, true, false, DIFF_TOUCH},
        {ENTRY_DIRECTORY, false, true, false, true, DIFF_TOUCH},
        /* a directory has no signature that a chmod would move */
        {ENTRY_DIRECTORY, false, false, true, false, DIFF_SIGN},
        {ENTRY_DIRECTORY, false, false, false, true, DIFF_SIGN},
        {ENTRY_DIRECTORY, true, true, false, false, DIFF_NOTHING},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        struct record row = {.type = examples[i].type,
                             .source = recorded,
                             .mode = 0644,
                             .uid = 1,
                             .gid = 1};
        struct diff_input input = {
            .source = SOURCE_PRESENT,
            .source_type = examples[i].type,
            .signature = recorded,
            .row = &row,
            .source_mode = examples[i].mode_differs ? 0600 : 0644,
            .source_uid = 1,
            .source_gid = examples[i].owner_differs ? 2 : 1,
            .holds_modes = examples[i].holds_modes,
            .holds_owners = examples[i].holds_owners,
        };
        if (diff_decide(&input) != examples[i].verdict)
            fail_msg("example %zu: %s", i, verdict_names[diff_decide(&input)]);
    }
}

/* chmod moves the ctime, so that a file is looked at; unless its content is
 * other, only its permissions are set. */
static void a_chmod_is_a_touch_and_not_a_copy(void **state)
{
    struct record row = {.source = recorded, .mode = 0644};
    struct diff_input input = {
        .source = SOURCE_PRESENT,
        .signature = signature_for(SOURCE_TOUCHED),
        .row = &row,
        .source_mode = 0600,
        .holds_modes = true,
    };

    assert_int_equal(diff_decide(&input), DIFF_LOOK);
    input.content = CONTENT_SAME;
    assert_int_equal(diff_decide(&input), DIFF_TOUCH);
    input.holds_modes = false;
    assert_int_equal(diff_decide(&input), DIFF_SIGN);
    input.content = CONTENT_DIFFERENT;
    assert_int_equal(diff_decide(&input), DIFF_UPDATE);
}

/* --- every combination ------------------------------------------------------
 */

enum signed_as { SIGNED_SAME, SIGNED_CTIME, SIGNED_INODE, SIGNED_OTHER };

/* One combination, and what it means. */
struct combination {
    struct diff_input input;
    struct record row;
    enum signed_as signed_as;
    bool stamp_differs;
};

static bool drive_differs(const struct combination *all)
{
    const struct diff_input *in = &all->input;

    if (in->drive != DRIVE_PRESENT)
        return false;
    if (all->row.flags & RECORD_HELD || in->drive_type != all->row.type)
        return true;
    return all->row.type != ENTRY_DIRECTORY && all->stamp_differs;
}

static bool drive_is_missing(const struct combination *all)
{
    return all->input.drive == DRIVE_ABSENT && !(all->row.flags & RECORD_HELD);
}

/* There is reason to believe that the source holds something else. */
static bool source_may_have_changed(const struct combination *all)
{
    const struct diff_input *in = &all->input;

    return in->is_poisoned || all->signed_as != SIGNED_SAME ||
           all->row.flags & RECORD_RACY || all->row.type != in->source_type;
}

static const char *check_gone(const struct combination *all,
                              enum diff_verdict verdict)
{
    const struct diff_input *in = &all->input;

    if (!in->row)
        return verdict == (in->drive == DRIVE_PRESENT ? DIFF_FOREIGN
                                                      : DIFF_NOTHING)
                   ? NULL
                   : "nothing is done about what nobody has recorded";
    bool differs = drive_differs(all), missing = drive_is_missing(all);
    if (all->row.flags & RECORD_OFFLOADED)
        return verdict == (differs || missing ? DIFF_LOSS : DIFF_NOTHING)
                   ? NULL
                   : "offloaded is a state, or a loss";
    if (verdict == DIFF_DELETE && (in->mode != JOB_MIRROR || differs))
        return "deleted by mirrors only, and only what is ours";
    if ((verdict == DIFF_FORGET) != missing)
        return "forgotten when gone on both sides";
    if ((verdict == DIFF_CONFLICT) != differs)
        return "a conflict when the drive's was changed";
    if (verdict != DIFF_DELETE && verdict != DIFF_FORGET &&
        verdict != DIFF_CONFLICT && verdict != DIFF_KEEP)
        return "no other way to go";
    return NULL;
}

static const char *check_fresh(const struct combination *all,
                               enum diff_verdict verdict)
{
    const struct diff_input *in = &all->input;
    bool same_type = in->drive_type == in->source_type;

    if ((verdict == DIFF_NEW) != (in->drive != DRIVE_PRESENT))
        return "new where the drive has nothing";
    if (verdict == DIFF_NEW)
        return NULL;
    if (verdict == DIFF_ADOPT && in->is_poisoned &&
        in->source_type != ENTRY_DIRECTORY)
        return "adopted what a failed barrier left";
    if (verdict == DIFF_ADOPT && !same_type)
        return "adopted what is of another type";
    if (verdict == DIFF_ADOPT && in->source_type == ENTRY_FILE &&
        all->stamp_differs)
        return "adopted what looks different";
    if (verdict == DIFF_REPLACE && in->drive_type == ENTRY_DIRECTORY)
        return "replaced a foreign tree";
    if (verdict != DIFF_ADOPT && verdict != DIFF_REPLACE &&
        verdict != DIFF_CONFLICT && verdict != DIFF_LOOK)
        return "no other way to go";
    return NULL;
}

static const char *check_known(const struct combination *all,
                               enum diff_verdict verdict)
{
    const struct diff_input *in = &all->input;
    bool is_tree = in->source_type == ENTRY_DIRECTORY;
    bool swapped = all->row.type != in->source_type;
    bool differs = drive_differs(all), missing = drive_is_missing(all);

    if (verdict == DIFF_REPLACE && !differs)
        return "replaced what is as recorded";
    if (verdict == DIFF_REPLACE && in->mode != JOB_MIRROR &&
        !source_may_have_changed(all))
        return "drift is kept outside of mirrors";
    if (verdict == DIFF_AGAIN && !missing)
        return "copied again though it is there";
    if (verdict == DIFF_UPDATE &&
        (differs || missing || !source_may_have_changed(all)))
        return "updated without a reason";
    if (verdict == DIFF_SWAP && (!swapped || differs || missing))
        return "swapped though not the type is what differs";
    if (verdict == DIFF_SWAP && all->row.type == ENTRY_DIRECTORY &&
        in->mode != JOB_MIRROR)
        return "lost a tree that the mode keeps";
    if (verdict == DIFF_NOTHING &&
        (differs || missing || swapped || (in->is_poisoned && !is_tree)))
        return "nothing is done though something is wrong";
    if (verdict == DIFF_NOTHING && all->signed_as == SIGNED_OTHER && !is_tree)
        return "a change was overlooked";
    if (verdict == DIFF_SIGN && (differs || missing || swapped))
        return "signed though something is wrong";
    if (verdict == DIFF_TOUCH && !in->holds_modes && !in->holds_owners)
        return "touched what the volume does not keep";
    if (verdict == DIFF_ADOPT &&
        (in->row->type == in->source_type || in->drive_type != in->source_type))
        return "adopted what the row knows, or what is of another type";
    if (verdict == DIFF_NEW || verdict == DIFF_DELETE ||
        verdict == DIFF_FORGET || verdict == DIFF_KEEP ||
        verdict == DIFF_FOREIGN || verdict == DIFF_LOSS || verdict == DIFF_SKIP)
        return "this is for others";
    return NULL;
}

static const char *check_rot(const struct combination *all,
                             enum diff_verdict verdict)
{
    const struct diff_input *in = &all->input;
    bool looks_untouched = all->signed_as == SIGNED_INODE &&
                           !(all->row.flags & (RECORD_RACY | RECORD_SQLITE));
    bool is_rot = in->row && in->source == SOURCE_PRESENT && looks_untouched &&
                  !in->is_poisoned && all->row.type == in->source_type &&
                  in->source_type != ENTRY_DIRECTORY &&
                  in->content == CONTENT_DIFFERENT;

    return is_rot == (verdict == DIFF_ROT) ? NULL : "rot, exactly then";
}

static const char *check(const struct combination *all,
                         enum diff_verdict verdict)
{
    const struct diff_input *in = &all->input;
    const char *wrong = NULL;

    if (in->source == SOURCE_FROZEN)
        return verdict == DIFF_SKIP ? NULL : "frozen is left alone";
    if (verdict == DIFF_LOOK && in->content != CONTENT_UNKNOWN)
        return "asked again for what it was told";
    if (in->drive == DRIVE_UNREAD &&
        (verdict == DIFF_AGAIN || verdict == DIFF_FORGET ||
         verdict == DIFF_LOSS || verdict == DIFF_REPLACE ||
         verdict == DIFF_FOREIGN || verdict == DIFF_ADOPT))
        return "a quick diff speaks about the drive";
    if (in->source == SOURCE_ABSENT)
        wrong = check_gone(all, verdict);
    else if (!in->row)
        wrong = check_fresh(all, verdict);
    else
        wrong = check_known(all, verdict);
    return wrong ? wrong : check_rot(all, verdict);
}

/* Takes a number apart, digit by digit of changing base. */
static unsigned digit(unsigned *rest, unsigned base)
{
    unsigned value = *rest % base;

    *rest /= base;
    return value;
}

static void combine(unsigned number, struct combination *out)
{
    static const unsigned flags[] = {RECORD_SQLITE, RECORD_RACY, RECORD_HELD,
                                     RECORD_UNHASHED, RECORD_OFFLOADED};
    struct diff_input *in = &out->input;
    unsigned rest = number;

    *out = (struct combination){.row = {.source = recorded,
                                        .stamp = {1000, 5 * NS_PER_SECOND},
                                        .mode = 0644}};
    *in = (struct diff_input){.signature = recorded, .source_mode = 0644};
    in->mode = (enum job_mode)digit(&rest, 3);
    in->source = (enum source_state)digit(&rest, 3);
    in->source_type = (enum entry_type)digit(&rest, 3);
    in->drive = (enum drive_state)digit(&rest, 3);
    in->drive_type = (enum entry_type)digit(&rest, 3);
    in->content = (enum content_state)digit(&rest, 3);
    out->row.type = (enum entry_type)digit(&rest, 3);
    out->signed_as = (enum signed_as)digit(&rest, 4);
    out->stamp_differs = digit(&rest, 2);
    in->is_poisoned = digit(&rest, 2);
    in->holds_modes = digit(&rest, 2);
    in->holds_owners = digit(&rest, 2);
    in->source_mode = digit(&rest, 2) ? 0600 : 0644;
    in->row = digit(&rest, 2) ? &out->row : NULL;
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        out->row.flags |= digit(&rest, 2) ? flags[i] : 0;
    in->signature.size_bytes += out->signed_as == SIGNED_OTHER;
    in->signature.ctime_ns += out->signed_as == SIGNED_CTIME;
    in->signature.inode += out->signed_as == SIGNED_INODE;
    in->stamp = (struct stamp){in->signature.size_bytes, recorded.mtime_ns};
    if (in->row)
        in->stamp = out->row.stamp;
    in->stamp.size_bytes += out->stamp_differs;
}

#define COMBINATIONS (3u * 3 * 3 * 3 * 3 * 3 * 3 * 4 * 2048)

static void no_combination_of_inputs_breaks_a_rule(void **state)
{
    size_t met[COUNT_OF(verdict_names)] = {0};

    for (unsigned number = 0; number < COMBINATIONS; number++) {
        struct combination all;
        combine(number, &all);
        enum diff_verdict verdict = diff_decide(&all.input);
        const char *wrong = check(&all, verdict);
        if (wrong)
            fail_msg("combination %u: %s: %s", number, verdict_names[verdict],
                     wrong);
        met[verdict]++;
    }
    for (size_t i = 0; i < COUNT_OF(met); i++)
        if (!met[i])
            fail_msg("nothing leads to %s", verdict_names[i]);
}

/* What is not known must not matter. */
static void an_absent_sides_looks_do_not_matter(void **state)
{
    for (unsigned number = 0; number < COMBINATIONS; number += 7) {
        struct combination all, other;
        combine(number, &all);
        combine(number, &other);
        if (all.input.drive != DRIVE_PRESENT) {
            other.input.drive_type = (enum entry_type)((number / 7) % 3);
            other.input.stamp = (struct stamp){7, 7};
        }
        if (all.input.source != SOURCE_PRESENT) {
            other.input.signature = (struct signature){.inode = 99};
            other.input.source_type = (enum entry_type)((number / 5) % 3);
            other.input.content = (enum content_state)((number / 3) % 3);
            other.input.source_mode = 0777;
        }
        assert_int_equal(diff_decide(&all.input), diff_decide(&other.input));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_new_is_copied_or_adopted_or_replaces),
        cmocka_unit_test(
            what_is_the_same_is_kept_and_drift_is_repaired_by_mirrors_only),
        cmocka_unit_test(
            what_has_changed_is_updated_and_what_drifted_becomes_a_version),
        cmocka_unit_test(
            a_touched_or_restored_file_is_looked_at_before_it_is_copied),
        cmocka_unit_test(
            a_racy_row_is_looked_at_although_nothing_seems_changed),
        cmocka_unit_test(a_doubtful_database_is_copied_anew_without_a_look),
        cmocka_unit_test(a_change_only_in_the_wal_is_a_change),
        cmocka_unit_test(rot_is_never_copied_over_the_good_side),
        cmocka_unit_test(
            what_is_gone_is_deleted_by_mirrors_and_kept_by_the_others),
        cmocka_unit_test(what_was_offloaded_is_a_state_until_it_is_a_loss),
        cmocka_unit_test(what_another_host_had_is_not_deleted),
        cmocka_unit_test(
            what_another_host_had_is_looked_at_before_it_is_replaced),
        cmocka_unit_test(what_is_newer_on_the_drive_of_another_host_stays),
        cmocka_unit_test(what_is_foreign_is_listed_and_left_alone),
        cmocka_unit_test(what_is_frozen_is_neither_updated_nor_deleted),
        cmocka_unit_test(a_poisoned_file_is_copied_anew),
        cmocka_unit_test(a_poisoned_file_without_a_row_is_not_adopted),
        cmocka_unit_test(a_database_with_a_wal_is_not_taken_for_its_file),
        cmocka_unit_test(a_file_is_adopted_within_two_seconds_and_not_beyond),
        cmocka_unit_test(the_tolerance_of_a_recorded_file_is_the_volumes_own),
        cmocka_unit_test(an_unrecorded_symlink_is_adopted_by_its_target),
        cmocka_unit_test(a_file_and_a_directory_swap_without_losing_a_tree),
        cmocka_unit_test(a_swap_onto_a_drifted_file_replaces_it),
        cmocka_unit_test(what_took_the_name_of_a_tree_is_not_adopted),
        cmocka_unit_test(what_berth_never_makes_is_left_where_it_is),
        cmocka_unit_test(what_is_missing_does_not_stop_what_has_its_name),
        cmocka_unit_test(
            a_held_symlink_is_in_sync_while_the_drive_has_nothing_there),
        cmocka_unit_test(a_directory_is_there_or_not_and_its_times_say_nothing),
        cmocka_unit_test(
            changed_permissions_are_touched_where_the_volume_keeps_them),
        cmocka_unit_test(a_chmod_is_a_touch_and_not_a_copy),
        cmocka_unit_test(no_combination_of_inputs_breaks_a_rule),
        cmocka_unit_test(an_absent_sides_looks_do_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
