/*
 * Screens in states that last for a moment in a real run: progress, pauses,
 * another process's run; and every verdict. Told by events, shown as text.
 */
#include "ui/play.h"

static const struct {
    int width, height;
} sizes[] = {{80, 24}, {100, 30}, {160, 50}};

static char *sized(const char *name, size_t size)
{
    return xasprintf("%s-%dx%d", name, sizes[size].width, sizes[size].height);
}

static void play_homelab_plans(struct play *play)
{
    struct plan plan = PLAN_INIT;

    for (int i = 0; i < 1180; i++) {
        CLEANUP_FREE char *path = xasprintf("2026-11-21/page-%04d.html", i);
        play_add(&plan, ACTION_NEW, path, 36100 * 1000 * 1000LL / 1180);
    }
    play_plan(play, "scrapes", "hdd_homelab", &plan);
    for (int i = 0; i < 24; i++) {
        CLEANUP_FREE char *path = xasprintf("archive-%02d.sqlite", i);
        play_add(&plan, i ? ACTION_UPDATE : ACTION_NEW, path, 87500000);
    }
    play_plan(play, "databases", "hdd_homelab", &plan);
    play_plan(play, "media", "hdd_homelab", &plan);
}

/* Compared at once and sharply: the first screen at rest. */
static struct play *play_homelab(int width, int height)
{
    struct play *play = play_new(width, height, false);

    play_drives(play, play_make_drives(true));
    play_job(play, "scrapes", "hdd_homelab", "/raw_scrapes");
    play_job(play, "databases", "hdd_homelab", "/sqlite");
    play_job(play, "media", "hdd_homelab", "/media");
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
    for (int i = 0; i < 2; i++) { /* quick, then as a sync would */
        play_homelab_plans(play);
        play_done(play, ROLE_SCAN, OUTCOME_DIFFERENCES);
    }
    return play;
}

static struct event *progress(struct play *play, int seconds, int64_t written,
                              int64_t durable)
{
    struct event *event = play_of(play, ROLE_RUN, EVENT_PROGRESS);

    event->progress = (struct progress){
        .phase = PHASE_COPYING,
        .files_done = durable / 30000000,
        .files_total = 1204,
        .bytes_done = durable,
        .bytes_written = written,
        .bytes_total = 38200 * 1000 * 1000LL,
        .elapsed_ns = seconds * NS_PER_SECOND,
    };
    event->path = xstrdup("scrapes/2026-11-21/page-0411.html");
    return event;
}

/* Two minutes into a run, at 90 MB/s with a dip. */
static struct play *play_run(int width, int height, uint32_t key)
{
    struct play *play = play_homelab(width, height);
    int64_t written = 0, durable = 0;

    play_key(play, key);
    for (int second = 1; second <= 120; second++) {
        written += second > 60 && second < 75 ? 20000000 : 90000000;
        durable = written - written % 256000000;
        model_set_time(&play->model, PLAY_NOW + second * NS_PER_SECOND);
        play_event(play, progress(play, second, written, durable));
    }
    return play;
}

static void a_run_shows_what_is_durable_apart_from_what_is_written(void **state)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        CLEANUP_FREE char *name = sized("sync", i);
        struct play *play = play_run(sizes[i].width, sizes[i].height, 's');
        assert_int_equal(play->reviewed, 3);
        assert_looks_like(play, name);
        play_free(play);
    }
}

static void the_time_left_is_in_whole_units(void **state)
{
    struct play *play = play_run(100, 30, 's');

    assert_shows(play, "5 min left");
    play_free(play);
}

static void a_pause_says_so_and_p_goes_on(void **state)
{
    struct play *play = play_run(100, 30, 's');

    play_key(play, 'p');
    assert_int_equal(play->pauses, 1);
    assert_shows(play, "PAUSED");
    assert_shows(play, "p go on");
    play_key(play, 'p');
    assert_int_equal(play->go_ons, 1);
    play_free(play);
}

static void b_limits_the_run_step_by_step_and_frees_it_again(void **state)
{
    static const int64_t steps[] = {50, 20, 10, 5};
    struct play *play = play_run(100, 30, 's');

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT_OF(steps); i++) {
            play_key(play, 'b');
            assert_int_equal(play->limit, steps[i] * 1000 * 1000);
        }
        assert_shows(play, "· at most 5.0 MB/s");
        play_key(play, 'b');
        assert_true(play->limit < 0);
        assert_false(play_shows(play, "at most"));
    }
    play_free(play);
}

static void stopping_happens_once(void **state)
{
    struct play *play = play_run(100, 30, 's');

    play_key(play, 'c');
    play_key(play, 'c');
    assert_int_equal(play->stops, 1);
    assert_shows(play, "stopping at the next clean boundary");
    play_done(play, ROLE_RUN, OUTCOME_INTERRUPTED);
    assert_shows(play, "Stopped at a clean boundary");
    play_free(play);
}

static void escape_in_a_run_asks(void **state)
{
    struct play *play = play_run(100, 30, 's');

    play_key(play, UI_KEY_ESCAPE);
    assert_int_equal(play->stops, 0);
    assert_shows(play, "k keep watching   c stop and quit");
    play_key(play, UI_KEY_ESCAPE);
    assert_false(play_shows(play, "keep watching"));
    play_free(play);
}

static void a_question_about_a_run_ends_with_it(void **state)
{
    struct play *play = play_run(100, 30, 'E');

    play_key(play, 'q');
    assert_shows(play, "k keep watching");
    play_done(play, ROLE_RUN, OUTCOME_DONE);
    assert_false(play_shows(play, "keep watching"));
    assert_int_equal(play->posted[ROLE_EJECT], COMMAND_EJECT);
    play_free(play);
}

static void a_second_interrupt_leaves_at_once(void **state)
{
    struct play *play = play_run(100, 30, 's');

    model_interrupt(&play->model);
    play_requests(play);
    assert_int_equal(play->stops, 1);
    assert_int_equal(play->leaves, 0);
    model_interrupt(&play->model);
    play_requests(play);
    assert_int_equal(play->leaves, 1);
    play_free(play);
}

static void suspending_waits_until_nothing_is_written_any_more(void **state)
{
    struct play *play = play_run(100, 30, 's');

    play_key(play, UI_CONTROL('z'));
    assert_int_equal(play->pauses, 1);
    assert_int_equal(play->suspends, 0);
    for (int i = 0; i < 2; i++) /* the file under way is finished first */
        play_event(play, progress(play, 121 + i, (10 + i) * GB, 9 * GB));
    assert_int_equal(play->suspends, 0);
    for (int i = 0; i < 4; i++)
        play_event(play, progress(play, 123 + i, 11 * GB, 9 * GB));
    assert_int_equal(play->suspends, 1);
    model_resumed(&play->model);
    play_requests(play);
    assert_int_equal(play->go_ons, 1);
    play_free(play);
}

static void the_run_of_another_process_looks_like_ours(void **state)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        CLEANUP_FREE char *name = sized("foreign", i);
        struct play *play = play_homelab(sizes[i].width, sizes[i].height);
        for (int second = 0; second < 90; second++) {
            struct drives drives = play_make_drives(true);
            struct drive_run *run = &drives.items[0].volumes.items[0].run;
            free(run->command);
            free(run->user);
            *run = (struct drive_run){
                .pid = 5004242,
                .user = xstrdup("me"),
                .command = xstrdup("berth sync scrapes, databases"),
                .done_bytes = second * 80000000LL,
                .total_bytes = 38 * GB,
            };
            model_set_time(&play->model, PLAY_NOW + second * NS_PER_SECOND);
            play_drives(play, drives);
            if (!second)
                play_key(play, 's');
        }
        assert_looks_like(play, name);
        play_drives(play, play_make_drives(true));
        assert_shows(play, "the other process has ended");
        play_free(play);
    }
}

/* --- verdicts --------------------------------------------------------------
 */

static void play_judgement(struct play *play, const struct eject_proof *proof)
{
    struct event *event = play_of(play, ROLE_EJECT, EVENT_EJECT);

    event->eject.step = EJECT_STEP_DONE;
    event->eject.drive = xstrdup("Seagate Expansion");
    event->eject.detail = xstrdup("");
    event->eject.proof = *proof;
    event->eject.judgement = eject_judge(proof);
    play_event(play, event);
    play_done(play, ROLE_EJECT, OUTCOME_DONE);
}

static void every_verdict_fills_the_width_in_its_colour(void **state)
{
    static const struct {
        const char *words;
        enum style style;
        struct eject_proof proof;
    } verdicts[] = {
        {"SAFE TO UNPLUG",
         STYLE_GREEN,
         {.barrier_ok = true,
          .volumes_mounted = 1,
          .volumes_unmounted = 1,
          .power_off_tried = true,
          .power_off_ok = true,
          .device_gone = true,
          .write_cache = PLATFORM_CACHE_WRITE_BACK,
          .can_be_green = true}},
        {"UNMOUNTED AND FLUSHED",
         STYLE_YELLOW,
         {.barrier_ok = true,
          .volumes_mounted = 1,
          .volumes_unmounted = 1,
          .power_off_tried = true,
          .write_cache = PLATFORM_CACHE_WRITE_BACK,
          .can_be_green = true}},
        {"DO NOT UNPLUG",
         STYLE_RED,
         {.barrier_failed = true, .volumes_mounted = 1, .can_be_green = true}},
    };

    for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
        struct play *play = play_homelab(80, 24);
        play_key(play, 'e');
        play_key(play, 'x');
        play_judgement(play, &verdicts[i].proof);
        assert_shows(play, verdicts[i].words);
        assert_shows(play, "NOT on it: 1,204 pending");
        assert_false(play_shows(play, "PRACTICE"));
        for (int x = 0; x < 80; x++)
            assert_int_equal(canvas_cell(&play->canvas, x, 3)->style,
                             verdicts[i].style);
        play_free(play);
    }
}

/* Two tasks list at once: what left meanwhile was not plugged in again. */
static void an_older_list_that_comes_late_takes_no_verdict_away(void **state)
{
    static const struct eject_proof safe = {
        .barrier_ok = true,
        .volumes_mounted = 1,
        .volumes_unmounted = 1,
        .power_off_tried = true,
        .power_off_ok = true,
        .device_gone = true,
        .write_cache = PLATFORM_CACHE_WRITE_BACK,
        .can_be_green = true,
    };
    struct play *play = play_homelab(80, 24);
    struct drives without = play_make_drives(false);
    struct drives with = play_make_drives(true);

    play_key(play, 'e');
    play_key(play, 'x');
    play_judgement(play, &safe);
    without.number = 3;
    play_drives(play, without);
    with.number = 2;
    play_drives(play, with);
    assert_shows(play, "SAFE TO UNPLUG");
    with = play_make_drives(true);
    with.number = 4;
    play_drives(play, with);
    assert_false(play_shows(play, "SAFE TO UNPLUG"));
    play_free(play);
}

static void an_ejection_that_ended_without_a_verdict_is_red(void **state)
{
    struct play *play = play_homelab(80, 24);

    play_key(play, 'e');
    play_key(play, 'x');
    struct event *event = play_of(play, ROLE_EJECT, EVENT_DONE);
    event->code = ERR_DENIED;
    event->text = xstrdup("no rights to unmount hdd_homelab");
    play_event(play, event);
    assert_shows(play, "DO NOT UNPLUG");
    assert_shows(play, "no rights to unmount hdd_homelab");
    play_free(play);
}

static void what_was_given_up_is_not_said_beside_the_verdict(void **state)
{
    struct play *play = play_homelab(80, 24);

    play_key(play, 'e');
    play_key(play, 'x');
    play_key(play, UI_KEY_ESCAPE);
    assert_shows(play, "giving up at the next step");
    struct event *event = play_of(play, ROLE_EJECT, EVENT_DONE);
    event->code = ERR_IO;
    event->text = xstrdup("the flush failed");
    play_event(play, event);
    assert_shows(play, "DO NOT UNPLUG");
    assert_false(play_shows(play, "giving up"));
    play_free(play);
}

/* Ejecting stops the comparison: that is no error of the job. */
static void a_comparison_that_was_stopped_is_no_error(void **state)
{
    struct play *play = play_homelab(100, 30);

    play_key(play, 'R');
    play_key(play, 'e');
    play_key(play, 'x');
    assert_int_equal(play->stops, 1);
    struct event *event = play_of(play, ROLE_SCAN, EVENT_PLAN);
    event->job = xstrdup("scrapes");
    event->volume = xstrdup("hdd_homelab");
    event->code = ERR_CANCELLED;
    event->text = xstrdup("stopped on request");
    play_event(play, event);
    event = play_of(play, ROLE_SCAN, EVENT_DONE);
    event->code = ERR_CANCELLED;
    event->text = xstrdup("stopped on request");
    play_event(play, event);
    play_done(play, ROLE_EJECT, OUTCOME_DONE);
    assert_shows(play, "NOT on it: 1,204 pending");
    play_key(play, UI_KEY_ENTER);
    assert_false(play_shows(play, "stopped on request"));
    play_free(play);
}

static void the_drive_that_was_worked_on_stays_marked_when_it_is_gone(
    void **state)
{
    struct play *play = play_homelab(100, 30);

    play_key(play, 'e');
    play_key(play, 'x');
    play_done(play, ROLE_EJECT, OUTCOME_DONE);
    play_key(play, UI_KEY_ENTER);
    play_drives(play, play_make_drives(false));
    play_drives(play, play_make_drives(false));
    assert_shows(play, "> ○ hdd_homelab");
    play_free(play);
}

/* Where Enter means "back", too. */
static void a_window_too_small_takes_no_key_but_q(void **state)
{
    struct play *play = play_homelab(80, 24);

    play_key(play, 'e');
    play_key(play, 'x');
    play_done(play, ROLE_EJECT, OUTCOME_DEVICE);
    model_set_size(&play->model, 40, 10);
    play_key(play, UI_KEY_ENTER);
    play_key(play, UI_KEY_ESCAPE);
    play_key(play, 's');
    assert_int_equal(play->quits, 0);
    assert_int_equal(play->model.screen, SCREEN_EJECT);
    play_key(play, 'q');
    assert_int_equal(play->quits, 1);
    play_free(play);
}

/* --- the first screen ------------------------------------------------------
 */

static void the_first_screen_is_the_one_of_the_product(void **state)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        CLEANUP_FREE char *name = sized("product", i);
        struct play *play = play_homelab(sizes[i].width, sizes[i].height);
        assert_shows(play, "2 drives · 1,204 pending as of 14:02");
        assert_looks_like(play, name);
        play_free(play);
    }
}

static void a_count_says_how_far_the_scan_is(void **state)
{
    struct play *play = play_homelab(100, 30);

    play_key(play, 'R');
    struct event *event = play_of(play, ROLE_SCAN, EVENT_PROGRESS);
    event->progress.files_done = 6000;
    play_event(play, event);
    assert_shows(play, "scanning 40 %");
    play_free(play);
}

static void syncing_before_it_was_read_asks_and_the_question_goes_when_it_was(
    void **state)
{
    struct play *play = play_new(100, 30, false);

    play_drives(play, play_make_drives(true));
    play_job(play, "scrapes", "hdd_homelab", "/raw_scrapes");
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
    play_homelab_plans(play);
    play_done(play, ROLE_SCAN, OUTCOME_DIFFERENCES);
    play_key(play, 's');
    assert_shows(play, "w wait, then sync   g go with what is shown");
    struct event *event = play_of(play, ROLE_SCAN, EVENT_PROGRESS);
    event->progress.files_done = 9150;
    play_event(play, event);
    assert_shows(play, "Still reading, 61 %");
    play_homelab_plans(play);
    play_done(play, ROLE_SCAN, OUTCOME_DIFFERENCES);
    assert_false(play_shows(play, "Still reading"));
    assert_false(model_is_under_way(&play->model, ROLE_RUN));
    play_free(play);
}

static void a_pulled_drive_is_the_worst_news_until_it_is_back(void **state)
{
    struct play *play = play_run(100, 30, 's');
    struct event *event = play_of(play, ROLE_RUN, EVENT_PULLED);

    event->volume = xstrdup("hdd_homelab");
    event->in_flight = 12;
    play_event(play, event);
    play_drives(play, play_make_drives(false));
    play_done(play, ROLE_RUN, OUTCOME_DEVICE);
    assert_shows(play, "PULLED 14:04: 12 files in flight, plug in to repair");
    play_key(play, 'q');
    assert_shows(play, "! hdd_homelab: PULLED 14:04: 12 files in flight");
    play_drives(play, play_make_drives(true));
    assert_false(play_shows(play, "PULLED"));
    play_free(play);
}

static void an_E_is_one_key_for_the_first_drive_that_has_jobs(void **state)
{
    struct play *play = play_homelab(100, 30);

    play_key(play, 'E');
    assert_int_equal(play->posted[ROLE_RUN], COMMAND_SYNC);
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_run_shows_what_is_durable_apart_from_what_is_written),
        cmocka_unit_test(the_time_left_is_in_whole_units),
        cmocka_unit_test(a_pause_says_so_and_p_goes_on),
        cmocka_unit_test(b_limits_the_run_step_by_step_and_frees_it_again),
        cmocka_unit_test(stopping_happens_once),
        cmocka_unit_test(escape_in_a_run_asks),
        cmocka_unit_test(a_question_about_a_run_ends_with_it),
        cmocka_unit_test(a_second_interrupt_leaves_at_once),
        cmocka_unit_test(suspending_waits_until_nothing_is_written_any_more),
        cmocka_unit_test(the_run_of_another_process_looks_like_ours),
        cmocka_unit_test(every_verdict_fills_the_width_in_its_colour),
        cmocka_unit_test(an_older_list_that_comes_late_takes_no_verdict_away),
        cmocka_unit_test(an_ejection_that_ended_without_a_verdict_is_red),
        cmocka_unit_test(what_was_given_up_is_not_said_beside_the_verdict),
        cmocka_unit_test(a_comparison_that_was_stopped_is_no_error),
        cmocka_unit_test(
            the_drive_that_was_worked_on_stays_marked_when_it_is_gone),
        cmocka_unit_test(a_window_too_small_takes_no_key_but_q),
        cmocka_unit_test(the_first_screen_is_the_one_of_the_product),
        cmocka_unit_test(a_count_says_how_far_the_scan_is),
        cmocka_unit_test(
            syncing_before_it_was_read_asks_and_the_question_goes_when_it_was),
        cmocka_unit_test(a_pulled_drive_is_the_worst_news_until_it_is_back),
        cmocka_unit_test(an_E_is_one_key_for_the_first_drive_that_has_jobs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
