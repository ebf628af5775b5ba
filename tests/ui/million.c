/*
 * The diff with 1,000,000 rows: how long the screen is away from keys at a
 * time (a slice of work, a key, a frame), and what it keeps in memory.
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

static void fill(struct plan *plan)
{
    char path[64];

    for (int i = 0; i < ROWS; i++) {
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

static struct play *play_million(int64_t *plan_bytes)
{
    struct play *play = play_new(160, 50, false);
    struct plan plan = PLAN_INIT;

    play_drives(play, play_make_drives(true));
    play_job(play, "scrapes", "hdd_homelab", "/raw_scrapes");
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
    int64_t before = memory_bytes();
    fill(&plan);
    *plan_bytes = memory_bytes() - before;
    struct event *event = play_of(play, ROLE_SCAN, EVENT_PLAN);
    event->job = xstrdup("scrapes");
    event->volume = xstrdup("hdd_homelab");
    plan.made_ns = PLAY_NOW;
    event->plan = plan;
    model_apply(&play->model, event);
    event_free(event);
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

static void a_million_rows_open_scroll_and_filter_at_once(void **state)
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
    report(&slices);
    report(&keys);
    report(&frames);
    int64_t over = memory_bytes() - plan_bytes;
    print_message("memory: the plan %lld MB, all else %lld MB\n",
                  (long long)(plan_bytes / 1000000),
                  (long long)(over / 1000000));
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_rows_open_scroll_and_filter_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
