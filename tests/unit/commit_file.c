/*
 * Commit files and replicas: what was written is read, and what was not is
 * refused, whichever byte somebody changed.
 */
#include "core/commit_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VOLUME "0123456789abcdef0123456789abcdef"
#define HOST "fedcba9876543210fedcba9876543210"

static struct commit_header header_of(enum commit_kind kind)
{
    return (struct commit_header){
        .kind = kind,
        .volume = VOLUME,
        .host = HOST,
        .label = "nas/anna",
        .sequence = 17,
        .generation = "00112233445566aa",
        .parent = "",
        .run = 5,
        .committed_ns = 123456789,
    };
}

/* Owners own their strings. */
static char job[] = "docs", directory[] = "backup/docs", identity[] = "ext4";

static struct owner an_owner(void)
{
    return (struct owner){
        .job = job,
        .directory = directory,
        .source_identity = identity,
        .last_full_ns = 1,
        .last_sync_ns = -2,
        .claims = 3,
    };
}

static struct record a_record(void)
{
    return (struct record){
        .type = ENTRY_FILE,
        .raw = "a\xff",
        .drive = "a",
        .source = {.size_bytes = 10, .mtime_ns = 20, .ctime_ns = 30},
        .stamp = {.size_bytes = 10, .mtime_ns = 20},
        .mode = 0644,
        .child = 99,
    };
}

static struct commit_item owner_item(void)
{
    return (struct commit_item){.kind = COMMIT_ITEM_OWNER,
                                .described = an_owner()};
}

static struct commit_item row_item(const char *path)
{
    return (struct commit_item){
        .kind = COMMIT_ITEM_ROW, .path = path, .record = a_record()};
}

static struct commit_item intent_item(const char *path)
{
    return (struct commit_item){
        .kind = COMMIT_ITEM_INTENT,
        .intent = {.kind = INTENT_PLACE,
                   .path = path,
                   .version = ".berth/versions/1/a",
                   .reason = VERSION_REPLACED,
                   .before = {.size_bytes = 4, .mtime_ns = 5},
                   .record = a_record()},
    };
}

/* The bytes of a file with an owner and one item more. */
static struct strbuf write_file(enum commit_kind kind,
                                const struct commit_item *item)
{
    const struct commit_header header = header_of(kind);
    const struct commit_item owner = owner_item();
    struct commit_writer writer;

    commit_writer_init(&writer, -1, &header);
    commit_write_item(&writer, &owner);
    if (item)
        commit_write_item(&writer, item);
    assert_int_equal(commit_writer_finish(&writer, "test", NULL), ERR_OK);
    assert_int_equal(writer.written_bytes, writer.bytes.length);
    struct strbuf bytes = writer.bytes;
    writer.bytes = (struct strbuf)STRBUF_INIT;
    commit_writer_release(&writer);
    return bytes;
}

static struct commit_source from(const struct strbuf *bytes)
{
    return (struct commit_source){
        .fd = -1,
        .bytes = bytes->text,
        .length = bytes->length,
        .limit_bytes = COMMIT_LIMIT_BYTES,
        .name = "test",
    };
}

static err_code check(const struct strbuf *bytes)
{
    const struct commit_source source = from(bytes);

    return commit_check(&source, NULL);
}

static err_code check_item(enum commit_kind kind,
                           const struct commit_item *item)
{
    CLEANUP(strbuf_release) struct strbuf bytes = write_file(kind, item);

    return check(&bytes);
}

static void what_was_written_is_read(void **state)
{
    const struct commit_item row = row_item("x/y");
    CLEANUP(strbuf_release)
    struct strbuf bytes = write_file(COMMIT_REPLICA, &row);
    const struct commit_source source = from(&bytes);
    struct commit_reader reader;
    struct commit_item item;

    assert_int_equal(commit_reader_open(&reader, &source, NULL), ERR_OK);
    assert_string_equal(reader.header.host, HOST);
    assert_string_equal(reader.header.label, "nas/anna");
    assert_int_equal(reader.header.sequence, 17);
    assert_int_equal(commit_read_item(&reader, &item, NULL), ERR_OK);
    assert_int_equal(item.kind, COMMIT_ITEM_OWNER);
    assert_string_equal(item.described.directory, "backup/docs");
    assert_int_equal(item.described.claims, 3);
    assert_int_equal(item.described.last_sync_ns, -2);
    assert_int_equal(commit_read_item(&reader, &item, NULL), ERR_OK);
    assert_int_equal(item.kind, COMMIT_ITEM_ROW);
    assert_string_equal(item.path, "x/y");
    assert_string_equal(item.record.raw, "a\xff");
    assert_int_equal(item.record.mode, 0644);
    assert_int_equal(item.record.child, 0); /* means nothing elsewhere */
    assert_int_equal(commit_read_item(&reader, &item, NULL), ERR_OK);
    assert_int_equal(item.kind, COMMIT_ITEM_END);
    commit_reader_release(&reader);
}

static void an_intent_is_read_as_it_was_written(void **state)
{
    const struct commit_item written = intent_item("x/y");
    CLEANUP(strbuf_release)
    struct strbuf bytes = write_file(COMMIT_BATCH, &written);
    const struct commit_source source = from(&bytes);
    struct commit_reader reader;
    struct commit_item item;

    assert_int_equal(commit_reader_open(&reader, &source, NULL), ERR_OK);
    assert_int_equal(commit_read_item(&reader, &item, NULL), ERR_OK);
    assert_int_equal(commit_read_item(&reader, &item, NULL), ERR_OK);
    assert_int_equal(item.intent.kind, INTENT_PLACE);
    assert_string_equal(item.intent.version, ".berth/versions/1/a");
    assert_null(item.intent.old_path);
    assert_int_equal(item.intent.before.mtime_ns, 5);
    commit_reader_release(&reader);
}

static void paths_share_what_they_have_in_common(void **state)
{
    static const char *const paths[] = {"a", "a/b", "a/bc", "", "a/b/c", "z"};
    const struct commit_header header = header_of(COMMIT_REPLICA);
    const struct commit_item owner = owner_item();
    struct commit_writer writer;
    struct commit_reader reader;
    struct commit_item item;

    commit_writer_init(&writer, -1, &header);
    commit_write_item(&writer, &owner);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        item = row_item(paths[i]);
        if (*paths[i])
            commit_write_item(&writer, &item);
    }
    assert_int_equal(commit_writer_finish(&writer, "test", NULL), ERR_OK);
    const struct commit_source source = from(&writer.bytes);
    assert_int_equal(commit_reader_open(&reader, &source, NULL), ERR_OK);
    assert_int_equal(commit_read_item(&reader, &item, NULL), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        if (!*paths[i])
            continue;
        assert_int_equal(commit_read_item(&reader, &item, NULL), ERR_OK);
        assert_string_equal(item.path, paths[i]);
    }
    commit_reader_release(&reader);
    commit_writer_release(&writer);
}

static void each_changed_byte_is_seen(void **state)
{
    const struct commit_item row = row_item("x/y");
    CLEANUP(strbuf_release)
    struct strbuf bytes = write_file(COMMIT_REPLICA, &row);

    for (size_t i = 0; i < bytes.length; i++) {
        bytes.text[i] = (char)(bytes.text[i] ^ 0x10);
        assert_int_not_equal(check(&bytes), ERR_OK);
        bytes.text[i] = (char)(bytes.text[i] ^ 0x10);
    }
    assert_int_equal(check(&bytes), ERR_OK);
}

static void each_missing_end_is_seen(void **state)
{
    const struct commit_item row = row_item("x/y");
    CLEANUP(strbuf_release)
    struct strbuf bytes = write_file(COMMIT_REPLICA, &row);

    strbuf_addch(&bytes, 'x');
    assert_int_equal(check(&bytes), ERR_CORRUPT);
    for (size_t length = bytes.length - 1; length-- > 0;) {
        strbuf_truncate(&bytes, length);
        assert_int_equal(check(&bytes), ERR_CORRUPT);
    }
}

static void a_newer_format_asks_for_an_update(void **state)
{
    CLEANUP(strbuf_release)
    struct strbuf bytes = write_file(COMMIT_BATCH, NULL);
    struct error err = ERROR_INIT;

    bytes.text[13] = 2;
    const struct commit_source source = from(&bytes);
    assert_int_equal(commit_check(&source, &err), ERR_TOO_NEW);
    assert_non_null(strstr(err.message, "update berth on this machine"));
}

static void what_is_larger_than_allowed_is_refused(void **state)
{
    CLEANUP(strbuf_release)
    struct strbuf bytes = write_file(COMMIT_BATCH, NULL);
    struct commit_source source = from(&bytes);

    source.limit_bytes = (int64_t)bytes.length;
    assert_int_equal(commit_check(&source, NULL), ERR_OK);
    source.limit_bytes--;
    assert_int_equal(commit_check(&source, NULL), ERR_CORRUPT);
}

static void paths_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const paths[] = {"/etc/passwd", "../x", "a/../../x", "",
                                        ".",           "a//b", "a/"};

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct commit_item item = row_item(paths[i]);
        assert_int_equal(check_item(COMMIT_REPLICA, &item), ERR_CORRUPT);
        item = intent_item(paths[i]);
        assert_int_equal(check_item(COMMIT_BATCH, &item), ERR_CORRUPT);
        item = intent_item("a");
        item.intent.old_path = paths[i];
        assert_int_equal(check_item(COMMIT_BATCH, &item), ERR_CORRUPT);
    }
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const names[] = {"../x", "..", ".", "a/b", "", "/"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct commit_item item = row_item("a");
        item.record.raw = names[i];
        assert_int_equal(check_item(COMMIT_REPLICA, &item), ERR_CORRUPT);
        item = row_item("a");
        item.record.drive = names[i];
        assert_int_equal(check_item(COMMIT_REPLICA, &item), ERR_CORRUPT);
    }
}

static void versions_lie_among_the_versions(void **state)
{
    static const char *const paths[] = {"docs/a", ".berth/versions",
                                        ".berth/versions/../volume",
                                        "/.berth/versions/a", ""};

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct commit_item item = intent_item("a");
        item.intent.version = paths[i];
        assert_int_equal(check_item(COMMIT_BATCH, &item), ERR_CORRUPT);
        item = (struct commit_item){
            .kind = COMMIT_ITEM_VERSION,
            .version = {.path = "a", .drive_path = paths[i]}};
        assert_int_equal(check_item(COMMIT_REPLICA, &item), ERR_CORRUPT);
    }
}

static void an_owner_nobody_named_is_refused(void **state)
{
    struct commit_item item = row_item("a");

    item.owner = 1;
    assert_int_equal(check_item(COMMIT_REPLICA, &item), ERR_CORRUPT);
}

static void a_targets_directory_is_not_berths_own(void **state)
{
    static const char *const paths[] = {".berth", ".berth/x", "../x", "/x"};

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        CLEANUP_FREE char *path = xstrdup(paths[i]);
        struct commit_item item = owner_item();
        item.described.directory = path;
        assert_int_equal(check_item(COMMIT_BATCH, &item), ERR_CORRUPT);
    }
}

static void words_that_a_terminal_obeys_are_refused(void **state)
{
    char words[] = "docs\x1b[2J";
    struct commit_item item = owner_item();

    item.described.job = words;
    assert_int_equal(check_item(COMMIT_BATCH, &item), ERR_CORRUPT);
}

/* What paths share is written once. */
static void a_small_file_does_not_fill_the_disk(void **state)
{
    const struct commit_header header = header_of(COMMIT_REPLICA);
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    struct commit_item item = owner_item();
    struct commit_writer writer;

    commit_writer_init(&writer, -1, &header);
    commit_write_item(&writer, &item);
    for (int i = 0; i < 1000; i++)
        strbuf_adds(&path, "a long name that all of them share ");
    for (int i = 0; i < 1000; i++) {
        strbuf_truncate(&path, 34000);
        strbuf_addf(&path, "%d", i);
        item = (struct commit_item){.kind = COMMIT_ITEM_POISONED,
                                    .path = path.text};
        commit_write_item(&writer, &item);
    }
    assert_int_equal(commit_writer_finish(&writer, "test", NULL), ERR_OK);
    assert_true(writer.bytes.length < 100000);
    assert_int_equal(check(&writer.bytes), ERR_CORRUPT);
    commit_writer_release(&writer);
}

static void a_directory_is_not_moved_into_itself(void **state)
{
    struct commit_item item = intent_item("a/b");

    item.intent.record.type = ENTRY_DIRECTORY;
    item.intent.old_path = "a";
    assert_int_equal(check_item(COMMIT_BATCH, &item), ERR_CORRUPT);
    item.intent.old_path = "c";
    assert_int_equal(check_item(COMMIT_BATCH, &item), ERR_OK);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    static const int64_t sizes[] = {-2, INT64_MIN, INT64_MAX};

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct commit_item item = row_item("a");
        item.record.stamp.size_bytes = sizes[i];
        assert_int_equal(check_item(COMMIT_REPLICA, &item), ERR_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(an_intent_is_read_as_it_was_written),
        cmocka_unit_test(paths_share_what_they_have_in_common),
        cmocka_unit_test(each_changed_byte_is_seen),
        cmocka_unit_test(each_missing_end_is_seen),
        cmocka_unit_test(a_newer_format_asks_for_an_update),
        cmocka_unit_test(what_is_larger_than_allowed_is_refused),
        cmocka_unit_test(paths_that_lead_elsewhere_are_refused),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(versions_lie_among_the_versions),
        cmocka_unit_test(an_owner_nobody_named_is_refused),
        cmocka_unit_test(a_targets_directory_is_not_berths_own),
        cmocka_unit_test(words_that_a_terminal_obeys_are_refused),
        cmocka_unit_test(a_small_file_does_not_fill_the_disk),
        cmocka_unit_test(a_directory_is_not_moved_into_itself),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
