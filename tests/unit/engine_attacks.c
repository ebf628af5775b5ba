/*
 * The engine on a drive of paper that is full, rots or was left in the middle
 * of something.
 */
#include "contract/scenery.h"

#include "core/base/clock.h"
#include "core/import.h"
#include "core/volume.h"
#include "unit/play.h"

#include <inttypes.h>
#include <time.h>

static void write_file(const char *root, const char *name, const char *text)
{
    CLEANUP_FREE char *path = path_join(root, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Plays a line of practice.h, and returns when it has happened. */
static void control(struct play *play, const char *line)
{
    CLEANUP_FREE char *path = path_join(play->sandbox, "control");
    CLEANUP_FREE char *done_path = path_join(play->sandbox, "control.done");
    FILE *file = fopen(path, "a");
    struct stat stat;
    long long done = 0;

    assert_non_null(file);
    fprintf(file, "%s\n", line);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(lstat(path, &stat), 0);
    for (int i = 0; i < 500 && done != stat.st_size; i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        CLEANUP(platform_mounts_release)
        struct platform_mounts mounts = {.items = NULL};
        assert_int_equal(platform_list_mounts(play->platform, &mounts, NULL),
                         ERR_OK);
        if (!file_read(done_path, 100, &text, NULL) && text.length)
            done = strtoll(text.text, NULL, 10);
        if (done != stat.st_size)
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(done, stat.st_size);
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

/* --- progress, and a full volume --- */

static void progress_names_the_file_that_it_is_at(void **state)
{
    struct play *play = *state;
    struct pollfd fd = {.fd = engine_wake_fd(play->engine), .events = POLLIN};
    struct command *command = command_new(COMMAND_SYNC);
    bool is_done = false, was_named = false;

    write_file(play->source, "film.mkv", "a film");
    control(play, "set usb slow=12"); /* its flush takes half a second */
    uint64_t id = engine_post(play->engine, command);
    while (!is_done) {
        struct event *event;
        assert_int_equal(poll(&fd, 1, 60000), 1);
        while ((event = engine_next(play->engine))) {
            if (event->kind == EVENT_PROGRESS && event->path)
                was_named |= !strcmp(event->path, "film.mkv");
            if (event->kind == EVENT_PROGRESS &&
                event->progress.phase == PHASE_SCANNING)
                assert_null(event->path);
            is_done |= event->command == id && event->kind == EVENT_DONE;
            event_free(event);
        }
    }
    assert_true(was_named);
}

static void a_full_volume_is_said_once_and_each_file_told(void **state)
{
    struct play *play = *state;
    struct pollfd fd = {.fd = engine_wake_fd(play->engine), .events = POLLIN};
    int told = 0, repeated = 0;
    bool is_done = false;

    write_file(play->source, "a", "a");
    write_file(play->source, "b", "b");
    write_file(play->source, "c", "c");
    control(play, "full usb");
    uint64_t id = engine_post(play->engine, command_new(COMMAND_SYNC));
    while (!is_done) {
        struct event *event;
        assert_int_equal(poll(&fd, 1, 60000), 1);
        while ((event = engine_next(play->engine))) {
            told += event->kind == EVENT_FILE_FAILED;
            repeated += event->kind == EVENT_FILE_FAILED && event->is_repeated;
            if (event->kind == EVENT_JOB_SYNCED)
                assert_non_null(strstr(event->text, "3 did not fit"));
            is_done |= event->command == id && event->kind == EVENT_DONE;
            if (is_done)
                assert_int_equal(event->outcome, OUTCOME_NO_SPACE);
            event_free(event);
        }
    }
    assert_int_equal(told, 3);
    assert_int_equal(repeated, 2);
}

/* --- a filesystem that says that it has to be checked --- */

/* The plug is pulled in the middle of the renames of three new files and a
 * changed one, and put in again. */
static void pull_between_renames(struct play *play)
{
    write_file(play->source, "old", "old");
    play_must(play_sync(play, DIFF_DEPTH_FULL, 0));
    write_file(play->source, "old", "newer");
    write_file(play->source, "new/a", "a");
    write_file(play->source, "new/b", "b");
    control(play, "on files 2 usb unplug usb");
    struct answer answer = play_sync(play, DIFF_DEPTH_FULL, 0);
    assert_int_equal(answer.outcome, OUTCOME_DEVICE);
    answer_release(&answer);
    control(play, "plug usb");
}

static void assert_same_leaves(const struct leaves *one,
                               const struct leaves *other)
{
    assert_int_equal(one->count, other->count);
    for (size_t i = 0; i < one->count; i++) {
        assert_string_equal(one->items[i].path, other->items[i].path);
        if (one->items[i].type == ENTRY_FILE)
            assert_int_equal(one->items[i].mtime_ns, other->items[i].mtime_ns);
        assert_true(hash_equal(&one->items[i].hash, &other->items[i].hash));
    }
}

/* A sync that must end so, and say these words. */
static void expect_sync(struct play *play, enum outcome outcome,
                        const char *words)
{
    struct answer answer = play_sync(play, DIFF_DEPTH_FULL, 0);

    if (answer.outcome != outcome)
        fail_msg("exit code %d: %s", (int)answer.outcome, answer.words.text);
    if (words && !strstr(answer.words.text, words))
        fail_msg("it does not say \"%s\": %s", words, answer.words.text);
    answer_release(&answer);
}

static void a_torn_bitmap_is_not_written_on_before_fsck(void **state)
{
    struct play *play = *state;
    CLEANUP_FREE char *berth = path_join(play->drive, ".berth");
    CLEANUP_FREE char *directory = path_join(play->source, "new");

    assert_int_equal(mkdir(directory, 0755), 0);
    pull_between_renames(play);
    control(play, "set usb check=needed");
    struct leaves target = leaves_of(play->target), own = leaves_of(berth);
    expect_sync(play, OUTCOME_REFUSED, "run `fsck practice:usb`");
    expect_sync(play, OUTCOME_REFUSED, "nothing written");
    struct leaves target_now = leaves_of(play->target);
    struct leaves own_now = leaves_of(berth);
    assert_same_leaves(&target, &target_now);
    assert_same_leaves(&own, &own_now);
    leaves_release(&target_now);
    leaves_release(&own_now);
    leaves_release(&target);
    leaves_release(&own);

    control(play, "set usb check=none");
    expect_sync(play, OUTCOME_DIFFERENCES, "nothing is deleted this time");
    play_must(play_sync(play, DIFF_DEPTH_AUTO, 0));
    struct leaves source = leaves_of(play->source);
    target = leaves_of(play->target);
    assert_same_leaves(&source, &target);
    leaves_release(&source);
    leaves_release(&target);
}

static void a_dirty_volume_is_copied_to_and_nothing_deleted(void **state)
{
    struct play *play = *state;
    CLEANUP_FREE char *gone = path_join(play->source, "gone");
    CLEANUP_FREE char *kept = path_join(play->target, "gone");
    CLEANUP_FREE char *arrived = path_join(play->target, "new");

    write_file(play->source, "gone", "gone");
    write_file(play->source, "stays", "stays");
    play_must(play_sync(play, DIFF_DEPTH_FULL, 0));
    assert_int_equal(unlink(gone), 0);
    write_file(play->source, "new", "new");
    control(play, "set usb check=needed");
    for (int i = 0; i < 2; i++) {
        expect_sync(play, OUTCOME_DIFFERENCES, "not unmounted cleanly");
        assert_int_equal(access(kept, F_OK), 0);
        assert_int_equal(access(arrived, F_OK), 0);
    }
    struct answer answer = play_run(play, command_new(COMMAND_PRUNE));
    assert_int_equal(answer.outcome, OUTCOME_REFUSED);
    answer_release(&answer);
    control(play, "set usb check=none");
    play_must(play_sync(play, DIFF_DEPTH_AUTO, 0));
    assert_int_equal(access(kept, F_OK), -1);
}

/* --- rot --- */

/* One byte is another; size and mtime are as they were. */
static void rot(const char *root, const char *name)
{
    CLEANUP_FREE char *path = path_join(root, name);
    struct stat before;
    char byte;
    int fd = open(path, O_RDWR);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &before), 0);
    assert_int_equal(pread(fd, &byte, 1, 0), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
    const struct timespec times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(close(fd), 0);
}

/* Longer than a clock tick: what changed within one is not compared. */
static void wait_a_tick(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

/* The same of a source, where the change time has not changed, either: the
 * catalogue is told that it was so. */
static void rot_source(struct play *play, const char *name)
{
    CLEANUP(catalogue_close_pointer)
    struct catalogue *catalogue = play_open_catalogue(play);
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP_FD int root_fd = -1;
    struct platform_stat stat;
    struct record row;

    rot(play->source, name);
    wait_a_tick();
    assert_int_equal(platform_open_root(play->source, &root_fd, NULL), ERR_OK);
    assert_int_equal(platform_stat_beneath(root_fd, name, &stat, NULL), ERR_OK);
    assert_int_equal(catalogue_list_owners(catalogue, &owners, NULL), ERR_OK);
    assert_int_equal(
        catalogue_find(catalogue, owners.items, name, &arena, &row, NULL),
        ERR_OK);
    row.source = signature_of(&stat);
    row.flags &= ~(unsigned)RECORD_RACY;
    assert_int_equal(catalogue_put(catalogue, owners.items, name, &row, NULL),
                     ERR_OK);
}

static void expect_content(const char *root, const char *name, const char *text)
{
    CLEANUP_FREE char *path = path_join(root, name);
    CLEANUP(strbuf_release) struct strbuf content = STRBUF_INIT;

    assert_int_equal(file_read(path, 100, &content, NULL), ERR_OK);
    assert_string_equal(content.text, text);
}

/* A verify that must end so, and say these words unless they are NULL. */
static void expect_verify(struct play *play, bool heals, enum outcome outcome,
                          const char *words)
{
    struct command *command = command_new(COMMAND_VERIFY);

    command->heals = heals;
    struct answer answer = play_run(play, command);
    if (answer.outcome != outcome)
        fail_msg("exit code %d: %s", (int)answer.outcome, answer.words.text);
    if (words && !strstr(answer.words.text, words))
        fail_msg("it does not say \"%s\": %s", words, answer.words.text);
    answer_release(&answer);
}

static void copy_film(struct play *play)
{
    write_file(play->source, "film", "film");
    write_file(play->source, "other", "other");
    wait_a_tick();
    play_must(play_sync(play, DIFF_DEPTH_FULL, 0));
}

static void rot_on_the_drive_is_healed_from_the_source(void **state)
{
    struct play *play = *state;

    copy_film(play);
    rot(play->target, "film");
    play_must(play_sync(play, DIFF_DEPTH_FULL, 0)); /* nobody can see it */
    write_file(play->source, "new", "new");
    expect_verify(play, true, OUTCOME_FAILED_FILES, "film: rot");
    expect_content(play->target, "film", "film");
    expect_content(play->target, "other", "other");
    CLEANUP_FREE char *arrived = path_join(play->target, "new");
    assert_int_equal(access(arrived, F_OK), -1); /* healing is no sync */
    expect_verify(play, true, OUTCOME_DONE, NULL);
}

static void rot_that_was_found_is_healed_by_the_next_sync(void **state)
{
    struct play *play = *state;

    copy_film(play);
    rot(play->target, "film");
    expect_verify(play, false, OUTCOME_FAILED_FILES, "film: rot");
    struct answer answer = play_diff(play, DIFF_DEPTH_QUICK);
    assert_int_equal(answer.plan.count, 1);
    assert_int_equal(answer.plan.items[0].reason, REASON_ROTTEN);
    answer_release(&answer);
    play_must(play_sync(play, DIFF_DEPTH_AUTO, 0));
    expect_content(play->target, "film", "film");
    expect_verify(play, false, OUTCOME_DONE, NULL);
}

static void rot_in_the_source_is_named_and_never_copied(void **state)
{
    struct play *play = *state;
    CLEANUP_FREE char *copy = path_join(play->target, "film");

    copy_film(play);
    rot_source(play, "film");
    expect_verify(play, true, OUTCOME_FAILED_FILES, "rot in the source");
    expect_content(play->target, "film", "film");
    /* Not even where nothing would be lost by it. */
    assert_int_equal(unlink(copy), 0);
    expect_sync(play, OUTCOME_FAILED_FILES, "rot in the source");
    assert_int_equal(access(copy, F_OK), -1);
}

static void rot_on_both_sides_stays_in_quarantine(void **state)
{
    struct play *play = *state;

    copy_film(play);
    rot(play->target, "film");
    rot_source(play, "film");
    expect_verify(play, true, OUTCOME_FAILED_FILES, "is rotten, too");
    expect_content(play->target, "film", "gilm");
    for (int i = 0; i < 2; i++)
        expect_sync(play, OUTCOME_FAILED_FILES, "rot in the source");
    expect_content(play->target, "film", "gilm");
    expect_content(play->source, "film", "gilm");
    /* A source that somebody has written since is no rot. */
    write_file(play->source, "film", "film again");
    play_must(play_sync(play, DIFF_DEPTH_AUTO, 0));
    expect_content(play->target, "film", "film again");
    expect_verify(play, true, OUTCOME_DONE, NULL);
}

static void a_file_that_cannot_be_read_is_healed(void **state)
{
    struct play *play = *state;

    copy_film(play);
    control(play, "fail reads usb film");
    expect_verify(play, false, OUTCOME_FAILED_FILES, "film: cannot be read");
    control(play, "mend usb");
    play_must(play_sync(play, DIFF_DEPTH_AUTO, 0));
    expect_verify(play, false, OUTCOME_DONE, NULL);
    CLEANUP_FREE char *versions = path_join(play->drive, ".berth/versions");
    struct leaves leaves = leaves_of(versions);
    assert_true(leaves.count > 0); /* what was there is kept */
    leaves_release(&leaves);
}

/* --- what the volume is told about its files --- */

/* Flips a bit in the middle of each of them; how many there are. */
static int damage_log(struct play *play)
{
    CLEANUP_FREE char *directory = path_join(play->drive, ".berth/commits");
    struct leaves leaves = leaves_of(directory);
    int count = (int)leaves.count;

    for (size_t i = 0; i < leaves.count; i++) {
        CLEANUP_FREE char *path = path_join(directory, leaves.items[i].path);
        int fd = open(path, O_RDWR);
        char byte;
        off_t at = (off_t)leaves.items[i].size_bytes / 2;
        assert_true(fd >= 0);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 4;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_int_equal(close(fd), 0);
    }
    leaves_release(&leaves);
    return count;
}

/* With an empty state, as on another machine: what the drive alone says. */
static int64_t count_from_the_drive(struct play *play)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    CLEANUP_FREE char *path = path_join(play->sandbox, "other.db");
    CLEANUP_FREE char *wal = path_join(play->sandbox, "other.db-wal");
    int64_t files = 0, bytes;

    unlink(path);
    unlink(wal);
    assert_int_equal(volume_open_path(play->drive, false, &volume, NULL),
                     ERR_OK);
    assert_int_equal(catalogue_open(path, play->volume_id, &catalogue, NULL),
                     ERR_OK);
    assert_int_equal(import_logs(catalogue, &volume,
                                 "00000000000000000000000000000000", NULL),
                     ERR_OK);
    assert_int_equal(catalogue_list_owners(catalogue, &owners, NULL), ERR_OK);
    if (owners.count)
        assert_int_equal(
            catalogue_count(catalogue, owners.items, &files, &bytes, NULL),
            ERR_OK);
    return files;
}

static void a_damaged_log_is_written_anew(void **state)
{
    struct play *play = *state;

    copy_film(play);
    assert_int_equal(count_from_the_drive(play), 2);
    assert_true(damage_log(play) > 0);
    assert_int_equal(count_from_the_drive(play), 0);
    /* There is nothing to copy, and it is noticed all the same. */
    expect_sync(play, OUTCOME_DONE, "does not read back");
    assert_int_equal(count_from_the_drive(play), 2);
    expect_verify(play, false, OUTCOME_DONE, NULL);
}

static void a_lost_log_is_written_anew(void **state)
{
    struct play *play = *state;
    CLEANUP_FREE char *directory = path_join(play->drive, ".berth/commits");

    copy_film(play);
    remove_tree(directory);
    expect_sync(play, OUTCOME_DONE, "does not read back");
    assert_int_equal(count_from_the_drive(play), 2);
}

/* On another plug, without a journal: the last barrier was none. */
static void a_log_that_was_lost_by_a_plug_makes_the_volume_unclean(void **state)
{
    struct play *play = *state;
    CLEANUP_FREE char *gone = path_join(play->source, "film");
    CLEANUP_FREE char *kept = path_join(play->target, "film");

    copy_film(play);
    assert_true(damage_log(play) > 0);
    control(play, "unmount usb");
    control(play, "unplug usb");
    control(play, "plug usb");
    assert_int_equal(unlink(gone), 0);
    expect_sync(play, OUTCOME_DIFFERENCES, "nothing is deleted this time");
    assert_int_equal(access(kept, F_OK), 0);
    play_must(play_sync(play, DIFF_DEPTH_AUTO, 0));
    assert_int_equal(access(kept, F_OK), -1);
    assert_int_equal(count_from_the_drive(play), 1);
}

static void verify_reads_all_of_the_log(void **state)
{
    struct play *play = *state;
    CLEANUP_FREE char *directory = path_join(play->drive, ".berth/commits");

    copy_film(play);
    write_file(play->source, "third", "third");
    play_must(play_sync(play, DIFF_DEPTH_FULL, 0));
    struct leaves leaves = leaves_of(directory);
    assert_int_equal(leaves.count, 2);
    rot(directory, leaves.items[0].path); /* the older one */
    leaves_release(&leaves);
    expect_sync(play, OUTCOME_DONE, NULL);
    expect_verify(play, false, OUTCOME_FAILED_FILES, ".berth/commits: rot");
    expect_sync(play, OUTCOME_DONE, NULL);
    assert_int_equal(count_from_the_drive(play), 3);
    expect_verify(play, false, OUTCOME_DONE, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(progress_names_the_file_that_it_is_at,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_full_volume_is_said_once_and_each_file_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_torn_bitmap_is_not_written_on_before_fsck, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_dirty_volume_is_copied_to_and_nothing_deleted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_log_is_written_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lost_log_is_written_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_log_that_was_lost_by_a_plug_makes_the_volume_unclean, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(verify_reads_all_of_the_log, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            rot_on_the_drive_is_healed_from_the_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            rot_that_was_found_is_healed_by_the_next_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            rot_in_the_source_is_named_and_never_copied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rot_on_both_sides_stays_in_quarantine,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_healed,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
