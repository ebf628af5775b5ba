/*
 * The engine on a drive of paper that is full, rots or was left in the middle
 * of something.
 */
#include "contract/scenery.h"

#include "core/base/clock.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(progress_names_the_file_that_it_is_at,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_full_volume_is_said_once_and_each_file_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
