/*
 * Rows of the catalogue: what was stored comes back to the last bit, what
 * was damaged is refused or at least harmless, and signatures and stamps are
 * compared without surprises at the ends of their ranges.
 */
#include "core/record.h"

#include "core/base/clock.h"
#include "unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- records of all kinds ---------------------------------------------------
 */

static const char *random_string(struct dice *dice, struct arena *arena)
{
    size_t length = dice_one_in(dice, 20) ? 5000 : dice_below(dice, 20);

    if (dice_one_in(dice, 3))
        return NULL;
    char *text = arena_alloc(arena, length + 1);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)(1 + dice_below(dice, 255));
    text[length] = '\0';
    return text;
}

static struct record random_record(struct dice *dice, struct arena *arena)
{
    struct record record = {
        .type = (enum entry_type)dice_below(dice, 3),
        .flags = (unsigned)dice_next(dice),
        .raw = random_string(dice, arena),
        .drive = random_string(dice, arena),
        .link_target = random_string(dice, arena),
        .source = {.size_bytes = dice_extreme(dice),
                   .mtime_ns = dice_extreme(dice),
                   .ctime_ns = dice_extreme(dice),
                   .btime_ns = dice_extreme(dice),
                   .inode = (uint64_t)dice_extreme(dice),
                   .side = (uint64_t)dice_extreme(dice)},
        .stamp = {dice_extreme(dice), dice_extreme(dice)},
        .mode = (uint32_t)dice_extreme(dice),
        .uid = (uint32_t)dice_extreme(dice),
        .gid = (uint32_t)dice_extreme(dice),
        .committed_ns = dice_extreme(dice),
        .verified_ns = dice_extreme(dice),
        .child = dice_extreme(dice),
    };

    if (dice_one_in(dice, 3)) {
        unsigned most = dice_one_in(dice, 500) ? 65536 : 300;
        record.attributes_length = 1 + dice_below(dice, most);
        char *bytes = arena_alloc(arena, record.attributes_length);
        memset(bytes, (int)dice_below(dice, 256), record.attributes_length);
        record.attributes = bytes;
    }
    if (record.type == ENTRY_FILE && !(record.flags & RECORD_UNHASHED))
        for (size_t i = 0; i < HASH_BYTES; i++)
            record.hash.bytes[i] = (unsigned char)dice_next(dice);
    return record;
}

static bool same_string(const char *one, const char *other)
{
    return one == other || (one && other && !strcmp(one, other));
}

static bool same_signature(const struct signature *one,
                           const struct signature *other)
{
    return one->size_bytes == other->size_bytes &&
           one->mtime_ns == other->mtime_ns &&
           one->ctime_ns == other->ctime_ns &&
           one->btime_ns == other->btime_ns && one->inode == other->inode &&
           one->side == other->side;
}

static bool same_record(const struct record *one, const struct record *other)
{
    return one->type == other->type && one->flags == other->flags &&
           same_string(one->raw, other->raw) &&
           same_string(one->drive, other->drive) &&
           same_string(one->link_target, other->link_target) &&
           one->attributes_length == other->attributes_length &&
           (!one->attributes_length ||
            !memcmp(one->attributes, other->attributes,
                    one->attributes_length)) &&
           same_signature(&one->source, &other->source) &&
           one->stamp.size_bytes == other->stamp.size_bytes &&
           one->stamp.mtime_ns == other->stamp.mtime_ns &&
           hash_equal(&one->hash, &other->hash) && one->mode == other->mode &&
           one->uid == other->uid && one->gid == other->gid &&
           one->committed_ns == other->committed_ns &&
           one->verified_ns == other->verified_ns && one->child == other->child;
}

static void what_was_encoded_is_decoded_to_the_last_bit(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(13));
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;

    for (int i = 0; i < 20000; i++) {
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        struct record record = random_record(&dice, &arena), decoded;
        record_encode(&record, &bytes);
        assert_int_equal(
            record_decode(bytes.text, bytes.length, &arena, &decoded, NULL),
            ERR_OK);
        if (!same_record(&record, &decoded))
            fail_msg("record %d", i);
        assert_null(decoded.key);
        arena_reset(&arena);
    }
}

static void encoding_appends(void **state)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct record record = {.type = ENTRY_DIRECTORY, .child = 5}, decoded;

    strbuf_adds(&bytes, "before");
    record_encode(&record, &bytes);
    assert_memory_equal(bytes.text, "before", 6);
    assert_int_equal(
        record_decode(bytes.text + 6, bytes.length - 6, &arena, &decoded, NULL),
        ERR_OK);
    assert_int_equal(decoded.child, 5);
}

/* The whole format, as bytes: a catalogue of today is read in ten years. */
static void the_stored_form_stays_what_it_is(void **state)
{
    static const unsigned char expected[] = {
        1,                         /* form */
        0,                         /* a file */
        0x22,                      /* flags */
        200,  1,                   /* size 100 */
        20,                        /* mtime 10 */
        2,                         /* ctime mtime + 1 */
        19,                        /* btime mtime - 10 */
        7,    9,                   /* inode, side */
        1,                         /* size on the drive: size - 1 */
        4,                         /* its mtime: mtime + 2 */
        0xa4, 3,                   /* mode 0644 */
        1,    2,                   /* uid, gid */
        6,    0,   0,              /* committed, verified, child */
        2,    'r', 0, 3, 'x', 'y', /* raw, no drive, link target */
        1,    2,   3, 4, 5,   6,   7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
    };
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct record record = {
        .flags = RECORD_RACY | RECORD_OFFLOADED,
        .source = {100, 10, 11, 0, 7, 9},
        .stamp = {99, 12},
        .mode = 0644,
        .uid = 1,
        .gid = 2,
        .committed_ns = 3,
        .raw = "r",
        .link_target = "xy",
    };

    for (size_t i = 0; i < HASH_BYTES; i++)
        record.hash.bytes[i] = (unsigned char)(i + 1);
    record_encode(&record, &bytes);
    assert_int_equal(bytes.length, sizeof expected);
    assert_memory_equal(bytes.text, expected, sizeof expected);
}

/* What has extended attributes has another form, which ends otherwise. */
static void the_form_with_attributes_stays_what_it_is(void **state)
{
    static const char odd[] = "user.a\0\1\0\0\0v";
    static const unsigned char end[] = {
        0,   0,   0, /* no raw, no drive, no link target */
        12,          /* bytes of attributes */
        'u', 's', 'e', 'r', '.', 'a', 0, 1, 0, 0, 0, 'v',
    };
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct record record = {.flags = RECORD_UNHASHED,
                            .attributes = odd,
                            .attributes_length = sizeof odd - 1};

    record_encode(&record, &bytes);
    assert_int_equal(bytes.text[0], 2);
    assert_true(bytes.length > sizeof end);
    assert_memory_equal(bytes.text + bytes.length - sizeof end, end,
                        sizeof end);
}

/* --- damage -----------------------------------------------------------------
 */

static void every_truncated_row_is_refused(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(14));
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;

    for (int i = 0; i < 300; i++) {
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        struct record record = random_record(&dice, &arena);
        record_encode(&record, &bytes);
        for (size_t length = 0; length < bytes.length; length++) {
            struct error err = ERROR_INIT;
            /* Exactly so much memory: a sanitizer sees a step too far. */
            CLEANUP_FREE char *part = xmalloc(length);
            memcpy(part, bytes.text, length);
            struct record decoded = {.mode = 42};
            if (record_decode(part, length, &arena, &decoded, &err) !=
                ERR_CORRUPT)
                fail_msg("%zu of %zu bytes", length, bytes.length);
            assert_true(*err.message);
            assert_int_equal(decoded.mode, 42);
        }
        arena_reset(&arena);
    }
}

static void a_row_with_something_behind_it_is_refused(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(15));
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;

    for (int i = 0; i < 1000; i++) {
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        struct record record = random_record(&dice, &arena), decoded;
        record_encode(&record, &bytes);
        strbuf_addch(&bytes, (char)dice_next(&dice));
        assert_int_equal(
            record_decode(bytes.text, bytes.length, &arena, &decoded, NULL),
            ERR_CORRUPT);
        arena_reset(&arena);
    }
}

/* What a decoded record may be used for without looking at it again. */
static bool is_harmless(const struct record *record)
{
    const char *const strings[] = {record->raw, record->drive,
                                   record->link_target};
    size_t total = 0;

    for (size_t i = 0; i < COUNT_OF(strings); i++)
        total += strings[i] ? strlen(strings[i]) : 0;
    return record->type <= ENTRY_SYMLINK && total < 100000;
}

/*
 * No single damaged byte crashes. It is refused, or it is read as what its
 * bytes say: then encoding it again gives these bytes, or a shorter spelling
 * of the same (LEB128 has several), never another meaning.
 */
static void one_damaged_byte_is_refused_or_read_as_what_it_says(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(16));
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    size_t refused = 0, read = 0;

    for (int i = 0; i < 3000; i++) {
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf again = STRBUF_INIT;
        struct record record = random_record(&dice, &arena), decoded, third;
        record_encode(&record, &bytes);
        size_t at = dice_below(&dice, bytes.length);
        bytes.text[at] ^= (char)(1 + dice_below(&dice, 255));
        if (record_decode(bytes.text, bytes.length, &arena, &decoded, NULL)) {
            refused++;
            continue;
        }
        read++;
        assert_true(is_harmless(&decoded));
        assert_false(same_record(&record, &decoded));
        record_encode(&decoded, &again);
        assert_true(again.length <= bytes.length);
        assert_int_equal(
            record_decode(again.text, again.length, &arena, &third, NULL),
            ERR_OK);
        assert_true(same_record(&decoded, &third));
        arena_reset(&arena);
    }
    assert_true(refused > 100 && read > 100);
}

static void random_bytes_are_refused_or_harmless(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(17));
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;

    for (int i = 0; i < 100000; i++) {
        size_t length = dice_below(&dice, 60);
        CLEANUP_FREE unsigned char *bytes = xmalloc(length);
        struct record decoded;
        for (size_t j = 0; j < length; j++)
            bytes[j] =
                (unsigned char)(dice_one_in(&dice, 2) ? dice_next(&dice)
                                                      : dice_below(&dice, 4));
        if (length)
            bytes[0] = 1;
        if (!record_decode(bytes, length, &arena, &decoded, NULL))
            assert_true(is_harmless(&decoded));
        arena_reset(&arena);
    }
}

struct put {
    unsigned char bytes[64];
    size_t length;
};

/* A row of zeros up to field `field`, which is spelt as given. */
static struct put zeros_but(size_t field, const char *spelling, size_t size)
{
    struct put put = {.length = 0};

    put.bytes[put.length++] = 1;
    for (size_t i = 0; i < 19; i++) {
        if (i == field) {
            memcpy(put.bytes + put.length, spelling, size);
            put.length += size;
        } else {
            put.bytes[put.length++] = i == 0; /* a directory: has no hash */
        }
    }
    return put;
}

static void numbers_out_of_their_range_are_refused(void **state)
{
    static const struct {
        size_t field; /* as encoded, 0 is the type */
        const char *spelling;
        size_t size;
        err_code code;
    } examples[] = {
        {0, "\x02", 1, ERR_OK},
        {0, "\x03", 1, ERR_CORRUPT},
        {0, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, ERR_CORRUPT},
        /* flags, mode, uid, gid: 32 bits */
        {1, "\xff\xff\xff\xff\x0f", 5, ERR_OK},
        {1, "\x80\x80\x80\x80\x10", 5, ERR_CORRUPT},
        {10, "\xff\xff\xff\xff\x0f", 5, ERR_OK},
        {10, "\x80\x80\x80\x80\x10", 5, ERR_CORRUPT},
        {11, "\x80\x80\x80\x80\x10", 5, ERR_CORRUPT},
        {12, "\x80\x80\x80\x80\x10", 5, ERR_CORRUPT},
        /* 64 bits, and not one more */
        {6, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, ERR_OK},
        {6, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, ERR_CORRUPT},
        {6, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11, ERR_CORRUPT},
        {6, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11, ERR_CORRUPT},
        /* strings: longer than what is left, with a NUL inside */
        {16, "\x02x", 2, ERR_OK},
        {16, "\x01", 1, ERR_OK},
        {16, "\x7fx", 2, ERR_CORRUPT},
        {16, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, ERR_CORRUPT},
        {16, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 10, ERR_CORRUPT},
        {16, "\x03x\0", 3, ERR_CORRUPT},
        {18, "\x03\0\0", 3, ERR_CORRUPT},
    };
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        struct put put = zeros_but(examples[i].field, examples[i].spelling,
                                   examples[i].size);
        struct record decoded;
        err_code code =
            record_decode(put.bytes, put.length, &arena, &decoded, NULL);
        if (code != examples[i].code)
            fail_msg("example %zu: %s", i, error_code_name(code));
    }
}

static void other_forms_are_refused(void **state)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct record record = {.type = ENTRY_DIRECTORY}, decoded;
    struct error err = ERROR_INIT;

    record_encode(&record, &bytes);
    bytes.text[0] = 3;
    assert_int_equal(
        record_decode(bytes.text, bytes.length, &arena, &decoded, &err),
        ERR_CORRUPT);
    assert_non_null(strstr(err.message, "form 3"));
    assert_int_equal(record_decode("", 0, &arena, &decoded, &err), ERR_CORRUPT);
    /* SQLite's empty blob */
    assert_int_equal(record_decode(NULL, 0, &arena, &decoded, &err),
                     ERR_CORRUPT);
}

static void names_default_to_the_key(void **state)
{
    struct record record = {.key = "key"};

    assert_string_equal(record_raw(&record), "key");
    assert_string_equal(record_drive(&record), "key");
    record.raw = "raw";
    record.drive = "drive";
    assert_string_equal(record_raw(&record), "raw");
    assert_string_equal(record_drive(&record), "drive");
}

/* --- signatures -------------------------------------------------------------
 */

static void each_part_of_a_signature_has_its_meaning(void **state)
{
    static const struct signature recorded = {100, 10, 11, 12, 7, 9};
    static const struct {
        struct signature now;
        enum signature_match match;
    } examples[] = {
        {{100, 10, 11, 12, 7, 9}, SIGNATURE_SAME},
        {{101, 10, 11, 12, 7, 9}, SIGNATURE_CHANGED},
        {{100, 9, 11, 12, 7, 9}, SIGNATURE_CHANGED},
        {{100, 10, 10, 12, 7, 9}, SIGNATURE_DOUBTFUL},
        {{100, 10, 11, 0, 7, 9}, SIGNATURE_DOUBTFUL},
        {{100, 10, 11, 12, 8, 9}, SIGNATURE_DOUBTFUL},
        {{100, 10, 11, 12, 7, 0}, SIGNATURE_CHANGED},
        {{100, 10, 0, 0, 0, 9}, SIGNATURE_DOUBTFUL},
        {{101, 10, 0, 0, 0, 9}, SIGNATURE_CHANGED},
        {{INT64_MAX, INT64_MIN, 11, 12, 7, 9}, SIGNATURE_CHANGED},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        assert_int_equal(signature_compare(&recorded, &examples[i].now),
                         examples[i].match);
        assert_int_equal(signature_compare(&examples[i].now, &recorded),
                         examples[i].match);
    }
}

static void a_changed_wal_is_another_signature(void **state)
{
    struct platform_stat wal = {.size_bytes = 4096, .mtime_ns = 5, .inode = 6};
    uint64_t before = side_digest(&wal);

    assert_true(before != 0);
    assert_true(side_digest(&wal) == before);
    wal.mtime_ns++;
    assert_true(side_digest(&wal) != before);
    wal.mtime_ns--;
    wal.size_bytes++;
    assert_true(side_digest(&wal) != before);
    wal.size_bytes--;
    wal.inode++;
    assert_true(side_digest(&wal) != before);
    wal.inode--;
    wal.ctime_ns++; /* SQLite touches it without changing what it says */
    assert_true(side_digest(&wal) == before);
    wal.size_bytes = 0;
    assert_true(side_digest(&wal) == 0);
}

/* --- stamps -----------------------------------------------------------------
 */

static void stamps_are_equal_within_the_tolerance_and_not_beyond(void **state)
{
    static const struct {
        struct stamp one, other;
        int64_t tolerance;
        bool equal;
    } examples[] = {
        {{5, 10}, {5, 10}, 0, true},
        {{5, 10}, {5, 11}, 0, false},
        {{5, 10}, {6, 10}, INT64_MAX, false},
        {{5, 10}, {5, 12}, 2, true},
        {{5, 10}, {5, 13}, 2, false},
        {{5, -1}, {5, 1}, 2, true},
        {{5, -1}, {5, 2}, 2, false},
        {{5, INT64_MIN}, {5, INT64_MAX}, INT64_MAX, false},
        {{5, INT64_MIN}, {5, INT64_MAX}, 0, false},
        {{5, INT64_MIN}, {5, -1}, INT64_MAX, true},
        {{5, 0}, {5, INT64_MAX}, INT64_MAX, true},
        {{5, -1}, {5, INT64_MAX}, INT64_MAX, false},
        {{5, INT64_MAX}, {5, INT64_MAX}, 0, true},
        {{5, INT64_MAX}, {5, INT64_MAX - 1}, 1, true},
        {{5, INT64_MIN}, {5, INT64_MIN + 2}, 1, false},
        {{NO_SIZE, 0}, {0, 0}, 100, false},
        {{NO_SIZE, 0}, {NO_SIZE, 0}, 0, true},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        struct stamp one = examples[i].one, other = examples[i].other;
        bool equal = examples[i].equal;
        if (stamp_equal(one, other, examples[i].tolerance) != equal ||
            stamp_equal(other, one, examples[i].tolerance) != equal)
            fail_msg("example %zu", i);
    }
}

/* Without 128 bits of luck: the distance as two steps from the middle. */
static bool equal_naively(int64_t one, int64_t other, int64_t tolerance)
{
    int64_t low = one < other ? one : other, high = one < other ? other : one;

    if (low >= 0 || high < 0)
        return high - low <= tolerance;
    /* low < 0 <= high: the distance is high + -(low + 1) + 1 */
    int64_t below = -(low + 1);
    return tolerance > 0 && high <= tolerance - 1 &&
           below <= tolerance - 1 - high;
}

static void stamps_at_the_ends_of_time_compare_as_the_model_does(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(18));

    for (int i = 0; i < 300000; i++) {
        int64_t one = dice_extreme(&dice), other = dice_extreme(&dice);
        int64_t tolerance = dice_extreme(&dice);
        if (tolerance < 0)
            continue;
        if (stamp_equal((struct stamp){0, one}, (struct stamp){0, other},
                        tolerance) != equal_naively(one, other, tolerance))
            fail_msg("%lld %lld %lld", (long long)one, (long long)other,
                     (long long)tolerance);
    }
}

static void what_stat_says_is_taken_over(void **state)
{
    struct platform_stat stat = {.size_bytes = 1,
                                 .mtime_ns = 2,
                                 .ctime_ns = 3,
                                 .btime_ns = 4,
                                 .inode = 5,
                                 .device = 6};
    struct signature signature = signature_of(&stat);
    struct signature expected = {1, 2, 3, 4, 5, 0};
    struct stamp stamp = stamp_of(&stat);
    enum entry_type type = ENTRY_FILE;

    assert_true(same_signature(&signature, &expected));
    assert_int_equal(stamp.size_bytes, 1);
    assert_int_equal(stamp.mtime_ns, 2);
    assert_true(entry_type_of(PLATFORM_SYMLINK, &type));
    assert_int_equal(type, ENTRY_SYMLINK);
    assert_false(entry_type_of(PLATFORM_OTHER, &type));
    assert_int_equal(type, ENTRY_SYMLINK);
    assert_true(entry_type_of(PLATFORM_DIRECTORY, &type));
    assert_int_equal(type, ENTRY_DIRECTORY);
    assert_true(entry_type_of(PLATFORM_FILE, &type));
    assert_int_equal(type, ENTRY_FILE);
}

static bool is_racy(int64_t mtime_ns, int64_t ctime_ns)
{
    const struct signature signature = {.mtime_ns = mtime_ns,
                                        .ctime_ns = ctime_ns};

    return signature_is_racy(&signature, 1000 * NS_PER_SECOND);
}

static void a_signature_is_racy_within_its_clocks_tick(void **state)
{
    const int64_t now = 1000 * NS_PER_SECOND, old = 1 + 5 * NS_PER_SECOND;

    assert_false(is_racy(old, old));
    assert_true(is_racy(old, now - 19 * NS_PER_MS));
    assert_false(is_racy(old, now - 21 * NS_PER_MS));
    /* Whole seconds: nobody counts finer there. */
    assert_true(is_racy(old, now - NS_PER_SECOND));
    assert_false(is_racy(old, now - 2 * NS_PER_SECOND));
    /* FAT, whose change time is the creation's or none. */
    assert_true(is_racy(now - NS_PER_SECOND, 0));
    assert_false(is_racy(now - 3 * NS_PER_SECOND, 0));
    /* A time that was set. */
    assert_false(is_racy(now + 1000 * NS_PER_SECOND, old));
    assert_true(is_racy(old, now + NS_PER_SECOND));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_encoded_is_decoded_to_the_last_bit),
        cmocka_unit_test(encoding_appends),
        cmocka_unit_test(the_stored_form_stays_what_it_is),
        cmocka_unit_test(the_form_with_attributes_stays_what_it_is),
        cmocka_unit_test(every_truncated_row_is_refused),
        cmocka_unit_test(a_row_with_something_behind_it_is_refused),
        cmocka_unit_test(one_damaged_byte_is_refused_or_read_as_what_it_says),
        cmocka_unit_test(random_bytes_are_refused_or_harmless),
        cmocka_unit_test(numbers_out_of_their_range_are_refused),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(names_default_to_the_key),
        cmocka_unit_test(each_part_of_a_signature_has_its_meaning),
        cmocka_unit_test(a_changed_wal_is_another_signature),
        cmocka_unit_test(stamps_are_equal_within_the_tolerance_and_not_beyond),
        cmocka_unit_test(stamps_at_the_ends_of_time_compare_as_the_model_does),
        cmocka_unit_test(what_stat_says_is_taken_over),
        cmocka_unit_test(a_signature_is_racy_within_its_clocks_tick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
