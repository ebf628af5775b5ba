/*
 * What a picture costs, without a terminal: the diff of 1,000,000 rows opened,
 * scrolled, folded and filtered. With FIGURES set the figures are printed.
 */
#include "ui/play.h"

#include <sys/resource.h>
#include <time.h>

#define ROWS 1000000
#define FRAME_NS (16 * NS_PER_MS)

/* The thread sanitizer takes thirty times as long; no user waits for that. */
#ifdef __has_feature /* clang's way to say it */
#define SANITIZED                                                              \
    (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED true
#else
#define SANITIZED false
#endif

static struct plan make_plan(void)
{
    struct plan plan = PLAN_INIT;
    char path[64];

    for (int i = 0; i < ROWS; i++) {
        snprintf(path, sizeof path, "pages/%03d/%03d/page-%06d.html", i / 10000,
                 i / 100 % 100, i);
        play_add(&plan, i % 3 ? ACTION_NEW : ACTION_UPDATE, path,
                 1000 + i % 977);
    }
    return plan;
}

static struct play *open_million(void)
{
    struct play *play = play_new(160, 50, false);
    struct plan plan = make_plan();

    play_drives(play, play_make_drives(true));
    play_job(play, "scrapes", "hdd_homelab", "/raw_scrapes");
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
    play_plan(play, "scrapes", "hdd_homelab", &plan);
    return play;
}

/* Of this process alone: others share the machine. */
static int64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* A key and its picture; what takes longer is done in slices between. */
static int64_t frame_ns(struct play *play, uint32_t key)
{
    const struct input input = {.kind = INPUT_KEY, .key = key};
    int64_t start_ns = cpu_ns();

    screen_input(&play->model, &play->canvas, &input);
    play_requests(play);
    model_work(&play->model);
    play_draw(play);
    return cpu_ns() - start_ns;
}

static int compare_times(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;

    return (a > b) - (a < b);
}

static void judge(const char *what, int64_t *times, size_t count)
{
    qsort(times, count, sizeof *times, compare_times);
    double middle = (double)times[count / 2] / 1e6;
    double late = (double)times[count * 99 / 100] / 1e6;

    if (getenv("FIGURES"))
        printf("frame, %s: %.2f ms, 99 of 100 under %.2f ms\n", what, middle,
               late);
    if (times[count / 2] > FRAME_NS && !SANITIZED)
        fail_msg("%s: a frame takes %.1f ms", what, middle);
}

static void measure(struct play *play, const char *what, const uint32_t *keys,
                    size_t count)
{
    int64_t times[400];

    for (size_t i = 0; i < COUNT_OF(times); i++)
        times[i] = frame_ns(play, keys[i % count]);
    judge(what, times, COUNT_OF(times));
    play_work(play);
}

static void a_million_rows_are_drawn_within_a_frame(void **state)
{
    static const uint32_t scrolling[] = {UI_KEY_PAGE_DOWN, 'j', 'j', 'j',
                                         UI_KEY_PAGE_DOWN};
    static const uint32_t jumping[] = {'G', 'g', UI_KEY_PAGE_UP, 'G', 'k'};
    static const uint32_t typing[] = {
        '9', '9', UI_KEY_BACKSPACE, '7', UI_KEY_BACKSPACE, UI_KEY_BACKSPACE};
    struct play *play = open_million();

    play_draw(play);
    play_key(play, UI_KEY_ENTER);
    play_work(play);
    measure(play, "1,000,000 rows folded", scrolling, COUNT_OF(scrolling));
    play_key(play, 't'); /* flat */
    play_work(play);
    measure(play, "1,000,000 rows flat, scrolling", scrolling,
            COUNT_OF(scrolling));
    measure(play, "1,000,000 rows flat, jumping", jumping, COUNT_OF(jumping));
    play_key(play, '/');
    measure(play, "1,000,000 rows, a filter typed", typing, COUNT_OF(typing));
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (getenv("FIGURES"))
        printf("memory, 1,000,000 rows: %ld MB\n", usage.ru_maxrss / 1024);
    play_free(play);
}

static void every_size_is_drawn_within_a_frame(void **state)
{
    static const uint32_t keys[] = {'j', 'k'};
    struct play *play = play_new(200, 60, false);

    play_drives(play, play_make_drives(true));
    play_done(play, ROLE_JOBS, OUTCOME_DONE);
    play_draw(play);
    measure(play, "the drives at 200x60", keys, COUNT_OF(keys));
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_rows_are_drawn_within_a_frame),
        cmocka_unit_test(every_size_is_drawn_within_a_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
