/*
 * Lists of what was and what is where: bounded, filtered, kept in order; one
 * thing at a time is done about it.
 */
#include "ui/play.h"

static struct play *play_with_jobs(int width, int height)
{
    struct play *play = play_new(width, height, false);
    struct event *event;

    play_drives(play, play_make_drives(true));
    event = play_of(play, ROLE_JOBS, EVENT_JOB);
    event->job = xstrdup("notes");
    event->volume = xstrdup("hdd_homelab");
    event->job_info.target = xstrdup("hdd_homelab:/notes");
    event->job_info.source = xstrdup("/home/me/notes");
    event->job_info.last_sync_ns = PLAY_NOW;
    play_event(play, event);
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
    while (model_is_under_way(&play->model, ROLE_SCAN)) {
        struct plan plan = PLAN_INIT;
        play_plan(play, "notes", "hdd_homelab", &plan);
        play_done(play, ROLE_SCAN, OUTCOME_DONE);
    }
    return play;
}

static void tell_run(struct play *play, int64_t id, int exit_code)
{
    struct event *event = play_of(play, ROLE_RUNS, EVENT_RUN);

    event->volume = xstrdup("hdd_homelab");
    event->text = xstrdup("notes");
    event->run = (struct run){
        .id = id,
        .started_ns = PLAY_NOW - (100 - id) * 3600 * NS_PER_SECOND,
        .ended_ns = PLAY_NOW - (100 - id) * 3600 * NS_PER_SECOND + 1,
        .exit_code = exit_code,
        .counts = {.files_new = id},
    };
    play_event(play, event);
}

static void tell_item(struct play *play, int64_t number)
{
    struct event *event = play_of(play, ROLE_ITEMS, EVENT_RUN_ITEM);

    event->volume = xstrdup("hdd_homelab");
    event->job = xstrdup("notes");
    event->path = xasprintf("2026/page-%07lld.html", (long long)number);
    event->text = xstrdup("");
    event->item.deed = DEED_NEW;
    event->item.size_bytes = number;
    model_apply(&play->model, event);
    event_free(event);
}

static void a_run_of_a_million_files_stays_bounded_and_is_counted(void **state)
{
    struct play *play = play_with_jobs(100, 30);

    play_key(play, 'H');
    tell_run(play, 7, 0);
    play_done(play, ROLE_RUNS, OUTCOME_DONE);
    play_key(play, UI_KEY_ENTER);
    int stops = play->stops;
    for (int64_t i = 0; i < 1000000; i++)
        tell_item(play, i);
    play_work(play);
    assert_int_equal(play->stops, stops + 1); /* asked to stop, once */
    struct event *done = play_of(play, ROLE_ITEMS, EVENT_DONE);
    done->code = ERR_CANCELLED;
    play_event(play, done);
    assert_shows(play, "the first 100,000 of 1,000,000 or more changes");
    assert_true(play->model.lookup.items.count == TABLE_ROWS_MOST);

    int64_t start = clock_monotonic_ns(); /* told, not demanded */
    play_key(play, UI_KEY_END);
    assert_shows(play, "page-0099999.html");
    int64_t took_ns = clock_monotonic_ns() - start;
    print_message("a key and its frame at the end of 100,000 rows: %.1f ms\n",
                  (double)took_ns / 1e6);
    play_free(play);
}

static void history_tells_failures_and_a_run_that_never_ended(void **state)
{
    struct play *play = play_with_jobs(100, 30);

    play_key(play, 'H');
    tell_run(play, 7, 0);
    tell_run(play, 8, OUTCOME_DEVICE);
    struct event *event = play_of(play, ROLE_RUNS, EVENT_RUN);
    event->volume = xstrdup("hdd_homelab");
    event->text = xstrdup("notes");
    event->run = (struct run){.id = 9, .started_ns = PLAY_NOW};
    play_event(play, event);
    play_done(play, ROLE_RUNS, OUTCOME_DONE);
    assert_shows(play, "drive failed");
    assert_shows(play, "did not end");
    assert_shows(play, "the next sync repairs"); /* newest first: the cursor */
    play_free(play);
}

static void what_is_read_back_holds_up_a_sync_and_can_be_stopped(void **state)
{
    struct play *play = play_with_jobs(100, 30);

    play_key(play, 'v');
    assert_shows(play, "Read Seagate Expansion back?");
    play_key(play, 'v'); /* another key than the one that asked */
    assert_false(model_is_under_way(&play->model, ROLE_VERIFY));
    play_key(play, 'y');
    assert_int_equal(play->posted[ROLE_VERIFY], COMMAND_VERIFY);
    struct event *event = play_of(play, ROLE_VERIFY, EVENT_PROGRESS);
    event->progress = (struct progress){
        .phase = PHASE_VERIFYING, .bytes_done = GB, .bytes_total = 4 * GB};
    play_event(play, event);
    assert_shows(play, "reading back · 25 %");
    play_key(play, 'q');
    assert_shows(play, "reading it back: 25 %");
    play_key(play, 'E');
    assert_shows(play, "one thing at a time: reading back is still at work");
    play_key(play, 'd');
    play_key(play, 'c');
    assert_int_equal(play->stops, 1);
    event = play_of(play, ROLE_VERIFY, EVENT_DONE);
    event->code = ERR_CANCELLED;
    event->outcome = OUTCOME_INTERRUPTED;
    play_event(play, event);
    assert_shows(play, "stopped: not everything was read");
    play_key(play, 'q');
    play_key(play, 'd'); /* said until something else is done */
    assert_shows(play, "stopped: not everything was read");
    play_free(play);
}

static void quitting_waits_for_an_undo_and_stops_it(void **state)
{
    struct play *play = play_with_jobs(100, 30);

    play_key(play, 'H');
    tell_run(play, 7, 0);
    play_done(play, ROLE_RUNS, OUTCOME_DONE);
    play_key(play, 'u');
    play_key(play, 'y');
    assert_int_equal(play->posted[ROLE_UNDO], COMMAND_UNDO);
    play_key(play, UI_CONTROL('c'));
    assert_int_equal(play->quits, 0);
    assert_int_equal(play->stops, 1);
    play_done(play, ROLE_UNDO, OUTCOME_INTERRUPTED);
    assert_int_equal(play->quits, 1);
    play_free(play);
}

static void what_is_found_follows_what_is_typed(void **state)
{
    struct play *play = play_with_jobs(100, 30);

    play_key(play, '/');
    play_key(play, 'a');
    assert_false(model_is_under_way(&play->model, ROLE_FIND));
    play_key(play, 'b');
    assert_true(model_is_under_way(&play->model, ROLE_FIND));
    uint64_t first = play->model.ids[ROLE_FIND];
    play_key(play, 'c'); /* the first is stopped, then asked anew */
    assert_int_equal(play->stops, 1);
    struct event *event = play_of(play, ROLE_FIND, EVENT_FOUND);
    event->volume = xstrdup("hdd_homelab");
    event->job = xstrdup("notes");
    event->path = xstrdup("notes/ab.md");
    play_event(play, event);
    play_done(play, ROLE_FIND, OUTCOME_INTERRUPTED);
    assert_true(model_is_under_way(&play->model, ROLE_FIND));
    assert_true(play->model.ids[ROLE_FIND] != first);
    assert_int_equal(play->model.lookup.found.count, 0);
    play_done(play, ROLE_FIND, OUTCOME_DONE);
    assert_shows(play, "No drive has a file of that name");
    play_key(play, UI_KEY_ESCAPE);
    assert_int_equal(play->model.screen, SCREEN_DRIVES);
    play_free(play);
}

static void the_row_under_the_cursor_stays_when_the_filter_changes(void **state)
{
    struct table table = {.items = NULL};
    char path[32];

    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "file-%02d", i);
        table_add(&table, &(struct table_row){.path = path});
    }
    table_set_height(&table, 10);
    table_go_to(&table, 57);
    table_set_filter(&table, "7");
    assert_string_equal(table_cursor(&table)->path, "file-57");
    assert_int_equal(table_count(&table), 19);
    table_set_filter(&table, NULL);
    assert_string_equal(table_cursor(&table)->path, "file-57");
    table_set_height(&table, 10);
    assert_true(table.top <= 57 && 57 < table.top + 10);
    table_release(&table);
}

static void tell_pruned(struct play *play, enum role role, bool is_dry_run)
{
    struct event *event = play_of(play, role, EVENT_PRUNED);

    event->volume = xstrdup("hdd_homelab");
    event->prune = (struct prune_info){.files = 1204,
                                       .bytes = 61 * GB,
                                       .free_bytes = 2500 * GB,
                                       .is_dry_run = is_dry_run};
    play_event(play, event);
    play_done(play, role, OUTCOME_DONE);
}

static void a_drive_that_is_too_full_offers_what_may_go_and_asks_twice(void **s)
{
    struct play *play = play_with_jobs(80, 24);
    struct plan plan = PLAN_INIT;

    play_key(play, 'R');
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
    play_add(&plan, ACTION_NEW, "a/large", 2 * TB);
    play_plan(play, "notes", "hdd_homelab", &plan);
    play_done(play, ROLE_SCAN, OUTCOME_DIFFERENCES);
    play_key(play, 'E');
    assert_int_equal(play->posted[ROLE_SPACE], COMMAND_PRUNE);
    tell_pruned(play, ROLE_SPACE, true);
    assert_shows(play, "Needs 2.0 TB, free 1.9 TB");
    assert_looks_like(play, "full-prunes-80x24");
    play_key(play, 'X');
    assert_shows(play, "Prune 1,204 versions of hdd_homelab?");
    play_key(play, 'X'); /* another key than the one that asked */
    assert_false(model_is_under_way(&play->model, ROLE_PRUNE));
    play_key(play, 'y');
    assert_true(model_is_under_way(&play->model, ROLE_PRUNE));
    tell_pruned(play, ROLE_PRUNE, false);
    assert_true(model_is_under_way(&play->model, ROLE_RUN));
    assert_true(play->model.run.wants_eject);
    play_free(play);
}

static void tell_job(struct play *play, int64_t age_days, int64_t stale_days)
{
    struct event *event;

    model_list_jobs(&play->model);
    event = play_of(play, ROLE_JOBS, EVENT_JOB);
    event->job = xstrdup("notes");
    event->volume = xstrdup("hdd_homelab");
    event->job_info.target = xstrdup("hdd_homelab:/notes");
    event->job_info.last_sync_ns =
        PLAY_NOW - age_days * 86400 * NS_PER_SECOND - NS_PER_SECOND;
    event->job_info.stale_after_ns = stale_days * 86400 * NS_PER_SECOND;
    play_event(play, event);
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
}

static void a_target_is_stale_when_its_volume_says_so(void **state)
{
    struct play *play = play_with_jobs(100, 30);
    struct plan plan = PLAN_INIT;

    play_add(&plan, ACTION_NEW, "a", 1000);
    model_wish_all(&play->model);
    model_scan_next(&play->model);
    play_plan(play, "notes", "hdd_homelab", &plan);
    play_done(play, ROLE_SCAN, OUTCOME_DIFFERENCES);
    tell_job(play, 12, 30);
    assert_false(play_shows(play, "not copied for"));
    tell_job(play, 12, 10);
    assert_shows(play, "hdd_homelab: notes not copied for 12 days");
    tell_job(play, 1, 0);
    assert_shows(play, "not copied for 1 day ");
    play_key(play, 'w');
    assert_shows(play, "It is here");
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_stale_when_its_volume_says_so),
        cmocka_unit_test(a_run_of_a_million_files_stays_bounded_and_is_counted),
        cmocka_unit_test(history_tells_failures_and_a_run_that_never_ended),
        cmocka_unit_test(what_is_read_back_holds_up_a_sync_and_can_be_stopped),
        cmocka_unit_test(quitting_waits_for_an_undo_and_stops_it),
        cmocka_unit_test(
            a_drive_that_is_too_full_offers_what_may_go_and_asks_twice),
        cmocka_unit_test(what_is_found_follows_what_is_typed),
        cmocka_unit_test(
            the_row_under_the_cursor_stays_when_the_filter_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
