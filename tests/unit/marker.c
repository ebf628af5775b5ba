/*
 * The marker and the record of the last session: small JSON files on a drive
 * that was in anybody's hands. They are understood or refused, never guessed.
 */
#include "contract/scenery.h"

#include "core/base/clock.h"
#include "core/drive_record.h"
#include "core/marker.h"
#include "unit/dice.h"

#define ID "0123456789abcdef0123456789abcdef"

static char *directory;
static int root_fd = -1;

static int make_root(void **state)
{
    const char *temporary = getenv("TMPDIR");

    directory = xasprintf("%s/marker-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(directory))
        return -1;
    CLEANUP_FREE char *own = path_join(directory, BERTH_DIRECTORY);
    root_fd = open(directory, O_RDONLY | O_DIRECTORY);
    return root_fd < 0 || mkdir(own, 0755) ? -1 : 0;
}

static int remove_root(void **state)
{
    close(TAKE_FD(root_fd));
    remove_tree(directory);
    free(directory);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    CLEANUP_FREE char *whole = path_join(directory, path);

    assert_int_equal(file_replace(whole, text, strlen(text), 0644, NULL),
                     ERR_OK);
}

static err_code parse(const char *text, struct marker *out, struct error *err)
{
    return marker_parse(text, strlen(text), out, err);
}

/* --- the marker -------------------------------------------------------------
 */

static char *format(const char *name, const char *family, const char *fs_uuid,
                    int64_t created_ns)
{
    struct marker marker = {
        .id = ID,
        .name = xstrdup(name),
        .family = xstrdup(family),
        .fs_uuid = xstrdup(fs_uuid),
        .created_ns = created_ns,
    };
    char *text = marker_format(&marker);

    marker_release(&marker);
    marker_release(&marker);
    return text;
}

static void a_marker_is_read_as_it_was_written(void **state)
{
    static const struct {
        const char *name, *family, *fs_uuid;
        int64_t created_s;
    } examples[] = {
        {"hdd", "exfat", "1234abcd", 1795356363},
        {"", "", "", 0},
        {"Müllers Platte \"2\" \\ \n\t\x01 \xf0\x9f\x92\xbe", "ext4", "x",
         -1000000000},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        int64_t created_ns = examples[i].created_s * NS_PER_SECOND;
        CLEANUP_FREE char *text = format(examples[i].name, examples[i].family,
                                         examples[i].fs_uuid, created_ns);
        struct marker read;
        assert_int_equal(parse(text, &read, NULL), ERR_OK);
        assert_string_equal(read.id, ID);
        assert_string_equal(read.name, examples[i].name);
        assert_string_equal(read.family, examples[i].family);
        assert_string_equal(read.fs_uuid, examples[i].fs_uuid);
        assert_true(read.created_ns == created_ns);
        assert_int_equal(text[strlen(text) - 1], '\n');
        marker_release(&read);
    }
}

#define HEAD "{\"berth\": \"volume\", \"format\": 1, "
#define BODY "\"id\": \"" ID "\", \"name\": \"hdd\""

static void a_marker_needs_only_id_and_name(void **state)
{
    static const char *const texts[] = {
        HEAD BODY "}",
        "{" BODY ", \"format\": 1, \"berth\": \"volume\"}",
        HEAD BODY ", \"later\": {\"deep\": [1, null]}}",
        HEAD BODY ", \"created\": \"9999-99-99T99:99:99Z\"}",
        HEAD BODY ", \"created\": \"9999-12-31T23:59:59Z\"}",
        HEAD BODY ", \"created\": \"\"}",
        "\n\t " HEAD BODY " } \n\n",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct marker marker;
        struct error err = ERROR_INIT;
        if (parse(texts[i], &marker, &err))
            fail_msg("%s: %s", texts[i], err.message);
        assert_string_equal(marker.id, ID);
        assert_string_equal(marker.name, "hdd");
        assert_string_equal(marker.family, "");
        assert_string_equal(marker.fs_uuid, "");
        assert_true(marker.created_ns == 0);
        marker_release(&marker);
    }
}

static void what_is_no_marker_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "null",
        "[]",
        "42",
        "\"volume\"",
        "{}",
        HEAD BODY,
        HEAD BODY "} x",
        HEAD BODY "}" HEAD BODY "}",
        "\xef\xbb\xbf" HEAD BODY "}",
        "{\"berth\": \"session\", \"format\": 1, " BODY "}",
        "{\"berth\": \"volume\", " BODY "}",
        "{\"format\": 1, " BODY "}",
        "{\"berth\": \"volume\", \"format\": \"1\", " BODY "}",
        "{\"berth\": \"volume\", \"format\": 1.0, " BODY "}",
        "{\"berth\": \"volume\", \"format\": null, " BODY "}",
        "{\"berth\": \"volume\", \"format\": 0, " BODY "}",
        "{\"berth\": \"volume\", \"format\": -1, " BODY "}",
        "{\"berth\": \"volume\", \"format\": -4294967295, " BODY "}",
        "{\"berth\": \"volume\", \"format\": 99999999999999999999, " BODY "}",
        HEAD "\"id\": \"" ID "\"}",
        HEAD "\"name\": \"hdd\"}",
        HEAD "\"id\": 5, \"name\": \"hdd\"}",
        HEAD "\"id\": \"" ID "\", \"name\": null}",
        HEAD "\"id\": \"" ID "0\", \"name\": \"hdd\"}",
        HEAD "\"id\": \"123\", \"name\": \"hdd\"}",
        HEAD "\"id\": \"\", \"name\": \"hdd\"}",
        HEAD "\"id\": \"0123456789ABCDEF0123456789ABCDEF\", \"name\": \"x\"}",
        HEAD "\"id\": \"0123456789abcdef0123456789abcde/\", \"name\": \"x\"}",
        HEAD "\"id\": \"../../../../../../../../etc/pass\", \"name\": \"x\"}",
        HEAD BODY ", \"name\": \"twice\"}",
        HEAD BODY ", \"family\": 7}",
        HEAD BODY ", \"created\": 7}",
        HEAD "\"id\": \"" ID "\", \"name\": \"a\\u0000b\"}",
        HEAD "\"id\": \"" ID "\", \"name\": \"\xff\"}",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct marker marker = {.created_ns = 42};
        struct error err = ERROR_INIT;
        if (parse(texts[i], &marker, &err) != ERR_CORRUPT)
            fail_msg("%s: %s", texts[i], err.message);
        assert_non_null(strstr(err.message, MARKER_PATH));
        assert_true(marker.created_ns == 42);
    }
}

static void a_newer_marker_says_so_whatever_else_it_holds(void **state)
{
    static const char *const texts[] = {
        "{\"berth\": \"volume\", \"format\": 2, " BODY "}",
        "{\"berth\": \"volume\", \"format\": 2147483648, " BODY "}",
        "{\"berth\": \"volume\", \"format\": 4294967297, " BODY "}",
        "{\"berth\": \"volume\", \"format\": 9223372036854775807, " BODY "}",
        "{\"berth\": \"volume\", \"format\": 3}",
        "{\"berth\": \"volume\", \"format\": 3, \"id\": [1, 2]}",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct marker marker;
        struct error err = ERROR_INIT;
        if (parse(texts[i], &marker, &err) != ERR_TOO_NEW)
            fail_msg("%s: %s", texts[i], err.message);
        assert_non_null(strstr(err.message, "update berth"));
    }
}

static void deep_nesting_ends_without_a_crash(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct marker marker;

    strbuf_adds(&text, HEAD "\"x\": ");
    while (text.length < MARKER_LIMIT_BYTES)
        strbuf_adds(&text, "[[[[[[[[");
    assert_int_equal(marker_parse(text.text, text.length, &marker, NULL),
                     ERR_CORRUPT);
}

static void damaged_markers_are_refused_or_read_as_what_they_say(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(19));
    CLEANUP_FREE char *text = format("hdd", "exfat", "1234abcd", 0);
    size_t length = strlen(text);

    for (size_t cut = 0; cut < length - 2; cut++) { /* without its "}\n" */
        struct marker marker;
        assert_int_equal(marker_parse(text, cut, &marker, NULL), ERR_CORRUPT);
    }
    for (int i = 0; i < 20000; i++) {
        CLEANUP_FREE char *copy = xstrdup(text);
        struct marker marker;
        copy[dice_below(&dice, length)] = (char)dice_next(&dice);
        if (marker_parse(copy, length, &marker, NULL))
            continue;
        assert_int_equal(strlen(marker.id), VOLUME_ID_HEX_LENGTH);
        assert_int_equal(strspn(marker.id, "0123456789abcdef"),
                         VOLUME_ID_HEX_LENGTH);
        assert_non_null(marker.name);
        marker_release(&marker);
    }
}

static void ids_are_random(void **state)
{
    char ids[200][VOLUME_ID_HEX_LENGTH + 1];

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_int_equal(marker_new_id(ids[i], NULL), ERR_OK);
        assert_int_equal(strspn(ids[i], "0123456789abcdef"),
                         VOLUME_ID_HEX_LENGTH);
        assert_int_equal(ids[i][VOLUME_ID_HEX_LENGTH], '\0');
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ids[i], ids[j]);
    }
}

static void a_volume_without_a_marker_is_told_from_a_damaged_one(void **state)
{
    struct marker marker;

    assert_int_equal(marker_read(root_fd, &marker, NULL), ERR_NOT_FOUND);
    write_file(MARKER_PATH, "");
    assert_int_equal(marker_read(root_fd, &marker, NULL), ERR_CORRUPT);
    write_file(MARKER_PATH, HEAD BODY "}");
    assert_int_equal(marker_read(root_fd, &marker, NULL), ERR_OK);
    assert_string_equal(marker.name, "hdd");
    marker_release(&marker);
}

static void a_huge_marker_is_not_read(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct marker marker;

    strbuf_adds(&text, HEAD BODY "}");
    while (text.length <= MARKER_LIMIT_BYTES)
        strbuf_addch(&text, ' ');
    write_file(MARKER_PATH, text.text);
    assert_int_equal(marker_read(root_fd, &marker, NULL), ERR_INVALID);
    strbuf_truncate(&text, MARKER_LIMIT_BYTES);
    write_file(MARKER_PATH, text.text);
    assert_int_equal(marker_read(root_fd, &marker, NULL), ERR_OK);
    marker_release(&marker);
}

static void a_linked_marker_is_none(void **state)
{
    CLEANUP_FREE char *link = path_join(directory, MARKER_PATH);
    struct marker marker;

    write_file("elsewhere", HEAD BODY "}");
    assert_int_equal(symlink("../elsewhere", link), 0);
    assert_int_not_equal(marker_read(root_fd, &marker, NULL), ERR_OK);
}

static void a_marker_that_is_no_file_is_refused_without_waiting(void **state)
{
    CLEANUP_FREE char *path = path_join(directory, MARKER_PATH);
    struct marker marker;

    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_not_equal(marker_read(root_fd, &marker, NULL), ERR_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(marker_read(root_fd, &marker, NULL), ERR_OK);
}

/* --- the record of the last session -----------------------------------------
 */

static void a_session_is_read_as_it_was_written(void **state)
{
    CLEANUP(fsops_release) struct fsops ops = fsops_on(root_fd);

    for (int is_open = 0; is_open <= 1; is_open++) {
        struct drive_record record;
        assert_int_equal(drive_record_write(&ops, ID, 17, is_open, NULL),
                         ERR_OK);
        assert_int_equal(drive_record_read(root_fd, &record, NULL), ERR_OK);
        assert_string_equal(record.host, ID);
        assert_int_equal(record.is_open, is_open);
        drive_record_release(&record);
        drive_record_release(&record);
    }
}

/* A leftover of a write that was killed does not stand in the way. */
static void a_session_is_written_over_its_own_leftover(void **state)
{
    CLEANUP(fsops_release) struct fsops ops = fsops_on(root_fd);
    struct drive_record record;

    write_file(SESSION_PATH ".new", "half");
    assert_int_equal(drive_record_write(&ops, ID, 1, true, NULL), ERR_OK);
    assert_int_equal(drive_record_read(root_fd, &record, NULL), ERR_OK);
    assert_true(record.is_open);
    drive_record_release(&record);
    CLEANUP_FREE char *left = path_join(directory, SESSION_PATH ".new");
    assert_int_equal(access(left, F_OK), -1);
}

static void what_cannot_be_understood_counts_as_no_record(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"host\": \"x\"}",
        "{\"host\": 5, \"state\": \"open\"}",
        "{\"format\": \"new\", \"host\": 5, \"state\": 7}",
        "{\"format\": -7}",
        "\xff\xfe",
    };
    struct drive_record record;

    assert_int_equal(drive_record_read(root_fd, &record, NULL), ERR_OK);
    assert_null(record.host);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        write_file(SESSION_PATH, texts[i]);
        record = (struct drive_record){.host = directory};
        if (drive_record_read(root_fd, &record, NULL) || record.host)
            fail_msg("%s", texts[i]);
        assert_false(record.is_open);
    }
}

static void a_newer_session_says_so(void **state)
{
    static const char *const texts[] = {
        "{\"format\": 2, \"host\": \"x\", \"state\": \"open\"}",
        "{\"format\": 4294967297, \"host\": \"x\", \"state\": \"open\"}",
        "{\"format\": 9223372036854775807}",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct drive_record record;
        struct error err = ERROR_INIT;
        write_file(SESSION_PATH, texts[i]);
        assert_int_equal(drive_record_read(root_fd, &record, &err),
                         ERR_TOO_NEW);
        assert_non_null(strstr(err.message, "update berth"));
    }
}

#define ROOT_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_marker_is_read_as_it_was_written),
        cmocka_unit_test(a_marker_needs_only_id_and_name),
        cmocka_unit_test(what_is_no_marker_is_refused),
        cmocka_unit_test(a_newer_marker_says_so_whatever_else_it_holds),
        cmocka_unit_test(deep_nesting_ends_without_a_crash),
        cmocka_unit_test(damaged_markers_are_refused_or_read_as_what_they_say),
        cmocka_unit_test(ids_are_random),
        ROOT_TEST(a_volume_without_a_marker_is_told_from_a_damaged_one),
        ROOT_TEST(a_huge_marker_is_not_read),
        ROOT_TEST(a_linked_marker_is_none),
        ROOT_TEST(a_marker_that_is_no_file_is_refused_without_waiting),
        ROOT_TEST(a_session_is_read_as_it_was_written),
        ROOT_TEST(a_session_is_written_over_its_own_leftover),
        ROOT_TEST(what_cannot_be_understood_counts_as_no_record),
        ROOT_TEST(a_newer_session_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
