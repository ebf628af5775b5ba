/*
 * Stops that come before the engine has begun with a command: Ctrl-C right
 * after Enter, a key pressed twice.
 */
#include "contract/scenery.h"

#include "core/base/fdio.h"
#include "unit/play.h"

/* Until the command's EVENT_DONE; a minute is forever. */
static enum outcome wait_for(struct engine *engine, uint64_t id)
{
    struct pollfd fd = {.fd = engine_wake_fd(engine), .events = POLLIN};

    for (;;) {
        struct event *event;
        if (poll(&fd, 1, 60000) != 1)
            fail_msg("the command was not stopped");
        while ((event = engine_next(engine))) {
            bool is_done = event->command == id && event->kind == EVENT_DONE;
            enum outcome outcome = event->outcome;
            event_free(event);
            if (is_done)
                return outcome;
        }
    }
}

/* Watching drives ends only when it is stopped: a stop that is lost shows. */
static void a_stop_before_the_command_begins_is_not_lost(void **state)
{
    struct play *play = play_new(JOB_MIRROR);

    for (int i = 0; i < 200; i++) {
        uint64_t id = engine_post(play->engine, command_new(COMMAND_WATCH));
        engine_stop_command(play->engine, id);
        (void)wait_for(play->engine, id);
    }
    play_free(play);
}

static void a_stop_of_everything_reaches_what_was_just_posted(void **state)
{
    struct play *play = play_new(JOB_MIRROR);

    for (int i = 0; i < 200; i++) {
        uint64_t id = engine_post(play->engine, command_new(COMMAND_WATCH));
        engine_stop(play->engine);
        (void)wait_for(play->engine, id);
    }
    play_free(play);
}

static void a_stop_before_its_beginning_leaves_the_drive_as_it_is(void **state)
{
    struct play *play = play_new(JOB_MIRROR);
    CLEANUP_FREE char *file = path_join(play->source, "file");
    CLEANUP_FREE char *copy = path_join(play->target, "file");

    assert_int_equal(file_replace(file, "content", 7, 0600, NULL), ERR_OK);
    struct command *command = command_new(COMMAND_SYNC);
    command_add_name(command, PLAY_JOB);
    uint64_t id = engine_post(play->engine, command);
    engine_stop_command(play->engine, id);
    enum outcome outcome = wait_for(play->engine, id);
    if (outcome == OUTCOME_INTERRUPTED) /* else the machine was very slow */
        assert_int_equal(access(copy, F_OK), -1);
    play_must(play_sync(play, DIFF_DEPTH_AUTO, 0));
    assert_int_equal(access(copy, F_OK), 0);
    play_free(play);
}

static void a_stop_that_comes_too_late_stops_nothing_else(void **state)
{
    struct play *play = play_new(JOB_MIRROR);

    for (int i = 0; i < 20; i++) {
        uint64_t id =
            engine_post(play->engine, command_new(COMMAND_VOLUME_LIST));
        assert_int_equal(wait_for(play->engine, id), OUTCOME_DONE);
        engine_stop_command(play->engine, id);
        engine_stop_command(play->engine, id + 1); /* not posted yet */
        play_must(play_sync(play, DIFF_DEPTH_AUTO, 0));
    }
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_before_the_command_begins_is_not_lost),
        cmocka_unit_test(a_stop_of_everything_reaches_what_was_just_posted),
        cmocka_unit_test(a_stop_before_its_beginning_leaves_the_drive_as_it_is),
        cmocka_unit_test(a_stop_that_comes_too_late_stops_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
