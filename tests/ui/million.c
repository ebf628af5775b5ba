/*
 * The diff with 1,000,000 rows: memory stays bounded, and the row under the
 * cursor stays where it is when the plan sharpens. How long the screen is away
 * from keys at a time (a slice of work, a key, a frame) is told, not demanded.
 *
 *     build/release/tests/ui/million     prints the figures
 */
#include "ui/play.h"

#include <sys/resource.h>
#include <time.h>

#define ROWS 1000000
#define FRAME_NS (16 * NS_PER_MS) /* at 60 a second; told, not demanded */

struct figures {
    const char *what;
    int64_t count, missed, sum_ns, worst_ns;
};

/* Of this thread alone: others may have the processor meanwhile. */
static int64_t processor_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

static void note(struct figures *figures, int64_t start_ns)
{
    int64_t took_ns = processor_ns() - start_ns;

    figures->count++;
    figures->missed += took_ns >= FRAME_NS;
    figures->sum_ns += took_ns;
    if (took_ns > figures->worst_ns)
        figures->worst_ns = took_ns;
}

static struct figures slices = {.what = "slice of work"},
                      keys = {.what = "key"}, frames = {.what = "frame"};

static void draw(struct play *play)
{
    int64_t start_ns = processor_ns();

    play_draw(play);
    note(&frames, start_ns);
}

/* As ui.c does: slices, and a picture after each. */
static void work(struct play *play)
{
    bool has_more = true;

    while (has_more) {
        int64_t start_ns = processor_ns();
        has_more = model_work(&play->model);
        note(&slices, start_ns);
        play_requests(play);
        draw(play);
    }
}

static void press(struct play *play, uint32_t key)
{
    const struct input input = {.kind = INPUT_KEY, .key = key};
    int64_t start_ns = processor_ns();

    screen_input(&play->model, &play->canvas, &input);
    note(&keys, start_ns);
    draw(play);
    work(play);
}

static void press_all(struct play *play, const char *letters)
{
    for (; *letters; letters++)
        press(play, (uint32_t)*letters);
}

static void fill(struct plan *plan, int first)
{
    char path[64];

    for (int i = first; i < first + ROWS; i++) {
        snprintf(path, sizeof path, "site-%03d/2026-%02d/page-%07d.html",
                 i / 2500, i / 250 % 10 + 1, i);
        play_add(plan, i % 7 ? ACTION_NEW : ACTION_UPDATE, path,
                 1000 + i % 9973);
    }
    plan_sort(plan);
    plan_total(plan);
}

static int64_t memory_bytes(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

static void give_plan(struct play *play, const struct plan *plan)
{
    struct event *event = play_of(play, ROLE_SCAN, EVENT_PLAN);

    event->job = xstrdup("scrapes");
    event->volume = xstrdup("hdd_homelab");
    event->plan = *plan;
    event->plan.made_ns = PLAY_NOW;
    model_apply(&play->model, event);
    event_free(event);
}

/* The first pages are on the drive by now, as many have come. */
static void rows_stay_when_the_plan_sharpens(struct play *play, int first)
{
    struct diff_view *diff = &play->model.diff;
    struct plan plan = PLAN_INIT;
    struct diff_row row = diff_view_cursor_row(diff);
    CLEANUP_FREE char *before = diff_row_path(diff->tree, &row);
    size_t height = diff->cursor - diff->top;

    assert_non_null(strstr(before, "page-"));
    assert_true(height > 0);
    fill(&plan, first);
    give_plan(play, &plan);
    work(play);
    row = diff_view_cursor_row(diff);
    CLEANUP_FREE char *after = diff_row_path(diff->tree, &row);
    assert_string_equal(before, after);
    assert_int_equal(diff->cursor - diff->top, height);
}

static struct play *play_million(int64_t *plan_bytes)
{
    struct play *play = play_new(160, 50, false);
    struct plan plan = PLAN_INIT;

    play_drives(play, play_make_drives(true));
    play_job(play, "scrapes", "hdd_homelab", "/raw_scrapes");
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
    int64_t before = memory_bytes();
    fill(&plan, 0);
    *plan_bytes = memory_bytes() - before;
    give_plan(play, &plan);
    return play;
}

static void report(const struct figures *figures)
{
    print_message("%-14s %7lld times, mean %6.3f ms, worst %6.2f ms, %lld over "
                  "16 ms\n",
                  figures->what, (long long)figures->count,
                  (double)figures->sum_ns / (double)figures->count / 1e6,
                  (double)figures->worst_ns / 1e6, (long long)figures->missed);
}

static void a_million_rows_stay_bounded_and_where_they_are(void **state)
{
    int64_t plan_bytes;
    struct play *play = play_million(&plan_bytes);

    int64_t start_ns = processor_ns();
    press(play, UI_KEY_ENTER); /* the first frame comes before any slice */
    assert_int_equal(play->model.screen, SCREEN_DIFF);
    print_message("opened, summed and listed in %.0f ms\n",
                  (double)(processor_ns() - start_ns) / 1e6);
    assert_shows(play, "▸ site-");
    press_all(play, "jjj");
    press(play, UI_KEY_ENTER);
    for (int i = 0; i < 500; i++)
        press(play, UI_KEY_PAGE_DOWN);
    press(play, UI_KEY_HOME);
    press_all(play, "t"); /* every path in one list */
    for (int i = 0; i < 500; i++)
        press(play, i % 2 ? UI_KEY_PAGE_DOWN : 'j');
    press_all(play, "o"); /* by path */
    press(play, UI_KEY_END);
    assert_shows(play, "page-0999999.html");
    press_all(play, "/page-0777");
    press(play, UI_KEY_ENTER);
    assert_shows(play, "page-0777");
    int64_t over = memory_bytes() - plan_bytes;
    for (int i = 0; i < 9; i++)
        press(play, 'j');
    rows_stay_when_the_plan_sharpens(play, 1234);
    press(play, UI_KEY_ESCAPE); /* all rows again */
    for (int i = 0; i < 4; i++)
        press(play, 'k');
    rows_stay_when_the_plan_sharpens(play, 4321);
    report(&slices);
    report(&keys);
    report(&frames);
    print_message("memory: the plan %lld MB, all else %lld MB\n",
                  (long long)(plan_bytes / 1000000),
                  (long long)(over / 1000000));
    /* Whatever an allocator, or a sanitizer, adds to both. */
    assert_true(over < plan_bytes);
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_rows_stay_bounded_and_where_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
