/*
 * Retention and getting back through the whole engine, by simulated time: what
 * the rule keeps stays until it is too old, nothing goes while deletes are
 * held, and what was there at a moment comes back.
 */
#include "contract/scenery.h"

#include "core/base/clock.h"
#include "core/session.h"
#include "unit/play.h"

#define DAY (INT64_C(86400) * NS_PER_SECOND)
#define START (INT64_C(1795356363) * NS_PER_SECOND)

static void write_source(struct play *play, const char *name, const char *text)
{
    CLEANUP_FREE char *path = path_join(play->source, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void remove_source(struct play *play, const char *name)
{
    CLEANUP_FREE char *path = path_join(play->source, name);

    assert_int_equal(unlink(path), 0);
}

static void sync_on_day(struct play *play, int day)
{
    clock_freeze(START + day * DAY);
    play_must(play_sync(play, DIFF_DEPTH_FULL, 0));
}

static err_code count_one(void *context, const struct version *version,
                          struct error *err)
{
    ++*(int *)context;
    return ERR_OK;
}

/* In the catalogue; on the drive there must be as many. */
static int count_versions(struct play *play)
{
    CLEANUP(catalogue_close_pointer)
    struct catalogue *catalogue = play_open_catalogue(play);
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    CLEANUP_FREE char *directory = path_join(play->drive, ".berth/versions");
    struct leaves leaves = leaves_of(directory);
    int count = 0, files = 0;

    assert_int_equal(catalogue_list_owners(catalogue, &owners, NULL), ERR_OK);
    assert_int_equal(catalogue_walk_versions(catalogue, owners.items[0].id, "",
                                             count_one, &count, NULL),
                     ERR_OK);
    for (size_t i = 0; i < leaves.count; i++)
        files += leaves.items[i].type == ENTRY_FILE;
    leaves_release(&leaves);
    assert_int_equal(files, count);
    return count;
}

static int set_up(void **state)
{
    *state = play_new(JOB_MIRROR);
    return 0;
}

static int tear_down(void **state)
{
    clock_freeze(0);
    play_free(*state);
    return 0;
}

static void versions_are_kept_for_thirty_days(void **state)
{
    struct play *play = *state;

    write_source(play, "a", "one");
    sync_on_day(play, 0);
    write_source(play, "a", "two!");
    sync_on_day(play, 1);
    write_source(play, "a", "three");
    sync_on_day(play, 20);
    assert_int_equal(count_versions(play), 2);
    sync_on_day(play, 31);
    assert_int_equal(count_versions(play), 2);
    sync_on_day(play, 32);
    sync_on_day(play, 33); /* the second run that says so */
    assert_int_equal(count_versions(play), 1);
    sync_on_day(play, 60);
    sync_on_day(play, 61);
    assert_int_equal(count_versions(play), 0);
}

static void a_clock_far_ahead_for_one_run_prunes_nothing(void **state)
{
    struct play *play = *state;

    write_source(play, "a", "one");
    sync_on_day(play, 0);
    write_source(play, "a", "two!");
    sync_on_day(play, 1);
    sync_on_day(play, 400);
    assert_int_equal(count_versions(play), 1);
    sync_on_day(play, 2);
    assert_int_equal(count_versions(play), 1);
    sync_on_day(play, 3);
    assert_int_equal(count_versions(play), 1);
}

static void nothing_is_pruned_while_deletes_are_held(void **state)
{
    struct play *play = *state;
    char name[16];

    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "file%d", i);
        write_source(play, name, name);
    }
    sync_on_day(play, 0);
    write_source(play, "file9", "changed");
    sync_on_day(play, 1);
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "file%d", i);
        remove_source(play, name);
    }
    clock_freeze(START + 90 * DAY);
    struct answer answer = play_sync(play, DIFF_DEPTH_FULL, 0);
    assert_int_equal(answer.outcome, OUTCOME_DIFFERENCES);
    answer_release(&answer);
    assert_int_equal(count_versions(play), 1);
    answer = play_run(play, command_new(COMMAND_PRUNE));
    assert_int_equal(answer.outcome, OUTCOME_REFUSED);
    answer_release(&answer);
    assert_int_equal(count_versions(play), 1);
    play_must(play_sync(play, DIFF_DEPTH_FULL, 8));
    assert_int_equal(count_versions(play), 8); /* those of today */
}

static void a_rehearsal_prunes_nothing(void **state)
{
    struct play *play = *state;

    write_source(play, "a", "one");
    sync_on_day(play, 0);
    write_source(play, "a", "two!");
    sync_on_day(play, 1);
    clock_freeze(START + 90 * DAY);
    struct command *command = command_new(COMMAND_PRUNE);
    command->dry_run = true;
    play_must(play_run(play, command));
    assert_int_equal(count_versions(play), 1);
    play_must(play_run(play, command_new(COMMAND_PRUNE)));
    assert_int_equal(count_versions(play), 0);
}

static void restore_at(struct play *play, const char *at, const char *text)
{
    struct command *command = command_new(COMMAND_RESTORE);
    CLEANUP_FREE char *to = path_join(play->sandbox, "out");
    CLEANUP_FREE char *path = path_join(to, "a");
    CLEANUP_FREE char *named = path_join(play->source, "a");
    CLEANUP(strbuf_release) struct strbuf content = STRBUF_INIT;

    command->to = xstrdup(to);
    command->at = at ? xstrdup(at) : NULL;
    command_add_name(command, named);
    struct answer answer = play_run(play, command);
    if (!text) {
        assert_int_equal(answer.outcome, OUTCOME_USAGE);
    } else {
        if (answer.outcome)
            fail_msg("exit code %d: %s", answer.outcome, answer.words.text);
        assert_int_equal(file_read(path, 100, &content, NULL), ERR_OK);
        assert_string_equal(content.text, text);
    }
    answer_release(&answer);
    remove_tree(to);
}

static void what_was_there_at_a_moment_comes_back(void **state)
{
    struct play *play = *state;

    write_source(play, "keep", "keep");
    write_source(play, "a", "one");
    sync_on_day(play, 0);
    write_source(play, "a", "two!");
    sync_on_day(play, 5);
    remove_source(play, "a");
    sync_on_day(play, 10);
    write_source(play, "a", "again");
    sync_on_day(play, 15);
    clock_freeze(START + 20 * DAY);
    restore_at(play, NULL, "again");
    restore_at(play, "1d", "again");
    restore_at(play, "7d", NULL); /* it was deleted then */
    restore_at(play, "12d", "two!");
    restore_at(play, "18d", "one");
    restore_at(play, "21d", NULL);
    restore_at(play, "1", "one");
    restore_at(play, "2", "two!");
    restore_at(play, "3", NULL);
    restore_at(play, "4", "again");
}

static void what_is_gone_comes_back_as_it_was_last(void **state)
{
    struct play *play = *state;

    write_source(play, "keep", "keep");
    write_source(play, "a", "one");
    sync_on_day(play, 0);
    write_source(play, "a", "two!");
    sync_on_day(play, 5);
    remove_source(play, "a");
    sync_on_day(play, 10);
    restore_at(play, NULL, "two!");
}

/* As on exFAT: sole copies go by copy, and back by copy. */
static void an_undo_takes_back_what_a_volume_with_less_holds(void **state)
{
    struct play *play = *state;

    write_source(play, "keep", "keep");
    write_source(play, "a", "one");
    write_source(play, "b", "deleted");
    sync_on_day(play, 0);
    struct traits traits = play_get_traits(play);
    traits.has_journal = traits.has_hard_links = false;
    play_set_traits(play, &traits);
    struct leaves before = leaves_of(play->target);
    write_source(play, "a", "two!");
    write_source(play, "c", "new");
    remove_source(play, "b");
    sync_on_day(play, 1);
    play_must(play_run(play, command_new(COMMAND_UNDO)));
    struct leaves after = leaves_of(play->target);
    assert_int_equal(after.count, before.count);
    for (size_t i = 0; i < after.count; i++) {
        assert_string_equal(after.items[i].path, before.items[i].path);
        assert_true(hash_equal(&after.items[i].hash, &before.items[i].hash));
        assert_true(after.items[i].mtime_ns == before.items[i].mtime_ns);
    }
    leaves_release(&before);
    leaves_release(&after);
    play_must(play_run(play, command_new(COMMAND_VERIFY)));
}

#define VERSIONS_TEST(test)                                                    \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VERSIONS_TEST(versions_are_kept_for_thirty_days),
        VERSIONS_TEST(a_clock_far_ahead_for_one_run_prunes_nothing),
        VERSIONS_TEST(nothing_is_pruned_while_deletes_are_held),
        VERSIONS_TEST(a_rehearsal_prunes_nothing),
        VERSIONS_TEST(what_was_there_at_a_moment_comes_back),
        VERSIONS_TEST(what_is_gone_comes_back_as_it_was_last),
        VERSIONS_TEST(an_undo_takes_back_what_a_volume_with_less_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
