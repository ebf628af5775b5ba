/*
 * Drives of paper: mounting, unmounting, power, who holds them, and what
 * happens at which moment.
 */
#include "unit/practice_stage.h"

/* --- requests --- */

static void a_volume_is_unmounted_and_mounted_again(void **state)
{
    struct stage *stage = *state;
    struct platform_mount before, after;

    start_with(stage, "");
    make_directory(stage, "drives/films/kept");
    int fd = open_root(stage, "films");
    assert_int_equal(platform_mount_of(fd, &before, NULL), ERR_OK);
    close(fd);
    assert_int_equal(unmount(stage, "practice:films"), ERR_OK);
    expect_devices(stage, "hdd[films]");
    expect_mounts(stage, "");
    assert_int_equal(unmount(stage, "practice:films"), ERR_NOT_FOUND);
    assert_int_equal(
        wait_for(stage, platform_mount(stage->platform, "practice:films")),
        ERR_OK);
    expect_devices(stage, "hdd[films*]");
    assert_true(is_there(stage, "drives/films/kept"));
    assert_int_equal(
        wait_for(stage, platform_mount(stage->platform, "practice:films")),
        ERR_EXISTS);
    fd = open_root(stage, "films");
    assert_int_equal(platform_mount_of(fd, &after, NULL), ERR_OK);
    close(fd);
    assert_string_not_equal(before.attachment, after.attachment);
    platform_mount_release(&before);
    platform_mount_release(&after);
}

static void power_off_is_refused_while_something_is_mounted(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "volume second drive=hdd\n");
    assert_int_equal(power_off(stage), ERR_BUSY);
    assert_int_equal(unmount(stage, "practice:films"), ERR_OK);
    assert_int_equal(power_off(stage), ERR_BUSY);
    assert_int_equal(unmount(stage, "practice:second"), ERR_OK);
    assert_int_equal(power_off(stage), ERR_OK);
    expect_devices(stage, "");
}

static err_code power_off_as(struct stage *stage, const char *setting,
                             struct platform_power_proof *out_proof)
{
    CLEANUP_FREE char *id = only_id(stage);
    bool is_done = false;

    if (setting)
        control(stage, setting);
    struct platform_request *request = platform_power_off(stage->platform, id);
    err_code code = ERR_OK;
    while (!code && !is_done)
        code = platform_wait(request, 100, &is_done, &stage->err);
    *out_proof = platform_request_proof(request);
    platform_request_free(request);
    return code;
}

static void power_off_can_be_refused_impossible_or_without_effect(void **state)
{
    struct stage *stage = *state;
    struct platform_power_proof proof;

    start_with(stage, "");
    assert_int_equal(unmount(stage, "practice:films"), ERR_OK);
    assert_int_equal(power_off_as(stage, "set hdd power-off=refused", &proof),
                     ERR_IO);
    assert_int_equal(
        power_off_as(stage, "set hdd power-off=unsupported", &proof),
        ERR_UNSUPPORTED);
    assert_false(proof.flush_seen || proof.stop_seen);
    assert_int_equal(power_off_as(stage, "set hdd power-off=stays", &proof),
                     ERR_OK);
    expect_devices(stage, "hdd[films]");
    assert_int_equal(power_off_as(stage, "set hdd power-off=yes", &proof),
                     ERR_OK);
    expect_devices(stage, "");
}

static void the_proof_is_what_the_script_lets_be_seen(void **state)
{
    struct stage *stage = *state;
    struct platform_power_proof proof;

    start_with(stage, "set hdd power-off=stays\n");
    assert_int_equal(unmount(stage, "practice:films"), ERR_OK);
    assert_int_equal(power_off_as(stage, NULL, &proof), ERR_OK);
    assert_true(proof.flush_seen && proof.stop_seen);
    assert_false(proof.flush_failed || proof.stop_failed);
    assert_int_equal(power_off_as(stage, "set hdd proof=hidden", &proof),
                     ERR_OK);
    assert_false(proof.flush_seen || proof.stop_seen);
    assert_int_equal(power_off_as(stage, "set hdd proof=flush-failed", &proof),
                     ERR_OK);
    assert_true(proof.flush_failed && !proof.flush_seen && proof.stop_seen);
    assert_int_equal(power_off_as(stage, "set hdd proof=stop-failed", &proof),
                     ERR_OK);
    assert_true(proof.stop_failed && !proof.stop_seen && proof.flush_seen);
}

static void a_container_is_locked_when_it_is_unmounted(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "volume secret drive=hdd family=ext4 locked=no\n");
    assert_int_equal(
        wait_for(stage, platform_lock(stage->platform, "practice:secret")),
        ERR_BUSY);
    assert_int_equal(unmount(stage, "practice:secret"), ERR_OK);
    assert_int_equal(
        wait_for(stage, platform_lock(stage->platform, "practice:secret")),
        ERR_OK);
    CLEANUP(platform_devices_release)
    struct platform_devices devices = list(stage);
    assert_true(devices.volumes.items[1].is_locked);
    /* Nothing to lock: fine. */
    assert_int_equal(
        wait_for(stage, platform_lock(stage->platform, "practice:films")),
        ERR_OK);
    devices.volumes.items[1].is_locked = false;
}

static void a_request_for_what_is_gone_says_so(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    CLEANUP_FREE char *id = only_id(stage);
    assert_int_equal(unmount(stage, "practice:nothing"), ERR_DEVICE_GONE);
    assert_int_equal(unmount(stage, "/dev/sda1"), ERR_DEVICE_GONE);
    control(stage, "unplug hdd");
    control(stage, "plug hdd");
    assert_int_equal(wait_for(stage, platform_power_off(stage->platform, id)),
                     ERR_DEVICE_GONE);
}

static void a_request_returns_at_once_and_takes_a_while(void **state)
{
    struct stage *stage = *state;
    bool is_done = true;

    start_with(stage, "");
    unsetenv("BERTH_PRACTICE_DELAY_MS");
    int64_t asked_ns = clock_monotonic_ns();
    struct platform_request *request =
        platform_unmount(stage->platform, "practice:films");
    assert_int_equal(platform_wait(request, 0, &is_done, &stage->err), ERR_OK);
    assert_false(is_done);
    assert_int_equal(platform_wait(request, 10000, &is_done, &stage->err),
                     ERR_OK);
    assert_true(is_done);
    int64_t took_ns = clock_monotonic_ns() - asked_ns;
    assert_true(took_ns >= 200 * NS_PER_MS);
    platform_request_free(request);
}

/* Whoever asked may lose interest before it is done: it is done anyway. */
static void a_request_that_nobody_waits_for_is_carried_out(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    setenv("BERTH_PRACTICE_DELAY_MS", "100", 1);
    platform_request_free(platform_unmount(stage->platform, "practice:films"));
    platform_request_free(NULL);
    for (int i = 0; i < 500 && is_there(stage, "drives/films"); i++)
        poll(NULL, 0, 10);
    expect_devices(stage, "hdd[films]");
}

static void the_end_of_the_platform_ends_its_requests(void **state)
{
    struct stage *stage = *state;
    bool is_done = false;

    start_with(stage, "");
    setenv("BERTH_PRACTICE_DELAY_MS", "60000", 1);
    struct platform_request *request =
        platform_unmount(stage->platform, "practice:films");
    platform_request_free(platform_mount(stage->platform, "practice:films"));
    platform_free(stage->platform);
    stage->platform = NULL;
    assert_int_equal(platform_wait(request, 1000, &is_done, &stage->err),
                     ERR_CANCELLED);
    assert_true(is_done);
    platform_request_free(request);
    assert_true(is_there(stage, "drives/films"));
}

enum { ASKING_THREADS = 4, ASKED_EACH = 20 };

static void *ask_often(void *argument)
{
    struct stage *stage = argument;

    for (int i = 0; i < ASKED_EACH; i++) {
        bool is_done = false;
        struct platform_request *request =
            i % 2 ? platform_mount(stage->platform, "practice:films")
                  : platform_unmount(stage->platform, "practice:films");
        while (!is_done)
            if (platform_wait(request, 1000, &is_done, NULL))
                break;
        platform_request_free(request);
        CLEANUP(platform_devices_release)
        struct platform_devices devices = list(stage);
        (void)devices;
    }
    return NULL;
}

static void many_may_ask_at_the_same_time(void **state)
{
    struct stage *stage = *state;
    pthread_t threads[ASKING_THREADS];

    start_with(stage, "");
    make_directory(stage, "drives/films/kept");
    for (int i = 0; i < ASKING_THREADS; i++)
        threads[i] = thread_start(ask_often, stage);
    control(stage, "unplug hdd");
    control(stage, "plug hdd");
    for (int i = 0; i < ASKING_THREADS; i++)
        thread_join(threads[i]);
    assert_true(is_there(stage, "drives/films/kept") ||
                is_there(stage, "shelf/films/kept"));
}

/* --- who holds it --- */

static struct platform_holders holders_of(struct stage *stage)
{
    struct platform_holders holders;

    assert_int_equal(platform_list_holders(stage->platform, "practice:films",
                                           &holders, &stage->err),
                     ERR_OK);
    assert_true(holders.is_complete);
    return holders;
}

static void a_holder_is_shown_until_it_is_freed(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    control(stage, "busy hdd 4711 vlc /Films/a.mkv");
    {
        CLEANUP(platform_holders_release)
        struct platform_holders holders = holders_of(stage);
        CLEANUP_FREE char *path = in_sandbox(stage, "drives/films/Films/a.mkv");
        assert_int_equal(holders.count, 1);
        /* A signal to it must not reach anybody. */
        assert_int_equal(holders.items[0].pid, 5004711);
        assert_int_equal(kill(5004711, 0), -1);
        assert_string_equal(holders.items[0].command, "vlc");
        assert_string_equal(holders.items[0].path, path);
        assert_int_equal(holders.items[0].kind, PLATFORM_HOLD_FILE);
        assert_true(holders.items[0].is_same_user);
        assert_false(holders.items[0].is_ancestor);
        assert_true(*holders.items[0].user);
    }
    assert_int_equal(unmount(stage, "practice:films"), ERR_BUSY);
    assert_non_null(strstr(stage->err.message, "vlc"));
    control(stage, "free films");
    assert_int_equal(unmount(stage, "practice:films"), ERR_OK);
}

static void a_holder_has_its_user_kind_and_time(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    control(stage, "busy films 1 \"my shell\" / user=root kind=directory "
                   "ancestor=yes for=1.5");
    {
        CLEANUP(platform_holders_release)
        struct platform_holders holders = holders_of(stage);
        assert_int_equal(holders.count, 1);
        assert_string_equal(holders.items[0].command, "my shell");
        assert_string_equal(holders.items[0].user, "root");
        assert_int_equal(holders.items[0].kind, PLATFORM_HOLD_DIRECTORY);
        assert_true(holders.items[0].is_ancestor);
        assert_false(holders.items[0].is_same_user);
    }
    err_code code = ERR_BUSY;
    for (int i = 0; code == ERR_BUSY && i < 100; i++) {
        poll(NULL, 0, 100);
        code = unmount(stage, "practice:films");
    }
    assert_int_equal(code, ERR_OK);
}

static void a_real_holder_lets_go_when_it_is_asked_to_quit(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    control(stage, "busy films - vlc /a.mkv for=60");
    int64_t pid;
    {
        CLEANUP(platform_holders_release)
        struct platform_holders holders = holders_of(stage);
        assert_int_equal(holders.count, 1);
        pid = holders.items[0].pid;
    }
    assert_true(pid > 1 && pid < 5000000);
    assert_int_equal(unmount(stage, "practice:films"), ERR_BUSY);
    assert_int_equal(kill((pid_t)pid, SIGTERM), 0);
    err_code code = ERR_BUSY;
    for (int i = 0; code == ERR_BUSY && i < 100; i++) {
        code = unmount(stage, "practice:films");
        poll(NULL, 0, 10);
    }
    assert_int_equal(code, ERR_OK);
}

static void a_real_holder_ends_when_it_is_freed(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    control(stage, "busy films - vlc /a.mkv");
    CLEANUP(platform_holders_release)
    struct platform_holders holders = holders_of(stage);
    assert_int_equal(holders.count, 1);
    assert_int_equal(kill((pid_t)holders.items[0].pid, 0), 0);
    control(stage, "free films");
    assert_int_equal(kill((pid_t)holders.items[0].pid, 0), -1);
}

/* An engine that forgets a descriptor has to be told. */
static void what_we_have_open_ourselves_is_a_holder(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    if (!access("/proc/self/fd", F_OK)) {
        int fd = open_root(stage, "films");
        assert_int_equal(unmount(stage, "practice:films"), ERR_BUSY);
        CLEANUP(platform_holders_release)
        struct platform_holders holders = holders_of(stage);
        assert_int_equal(holders.count, 1);
        assert_int_equal(holders.items[0].pid, getpid());
        close(fd);
        assert_int_equal(unmount(stage, "practice:films"), ERR_OK);
    } else {
        SKIP_BECAUSE("needs /proc");
    }
}

/* --- what waits for an event --- */

static void what_waits_for_an_unmount_happens_once(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "on unmount hdd busy hdd 7 vlc /a.mkv\n");
    {
        CLEANUP(platform_holders_release)
        struct platform_holders holders = holders_of(stage);
        assert_int_equal(holders.count, 0);
    }
    assert_int_equal(unmount(stage, "practice:films"), ERR_BUSY);
    control(stage, "free hdd");
    assert_int_equal(unmount(stage, "practice:films"), ERR_OK);
}

static void a_yank_comes_with_the_nth_file(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "on files 3 films unplug hdd\n");
    int fd = open_root(stage, "films");
    for (int i = 0; i < 5; i++) {
        char from[16], to[16];
        snprintf(from, sizeof from, "from%d", i);
        snprintf(to, sizeof to, "to%d", i);
        if (i < 3)
            make_file_at(fd, from, "text");
        assert_int_equal(
            platform_rename_noreplace(fd, from, fd, to, &stage->err),
            i < 3 ? ERR_OK : ERR_IO);
    }
    close(fd);
    expect_devices(stage, "");
    control(stage, "plug hdd");
    assert_true(is_there(stage, "drives/films/to2"));
    assert_false(is_there(stage, "drives/films/to3"));
}

static void what_has_a_time_happens_then(void **state)
{
    struct stage *stage = *state;

    append(stage, "script", "at 0.9 plug hdd\nat 0.4 unplug hdd\n");
    start_with(stage, "");
    expect_devices(stage, "hdd[films*]");
    assert_true(is_woken(stage, 5000));
    expect_devices(stage, "");
    platform_acknowledge(stage->platform);
    assert_true(is_woken(stage, 5000));
    expect_devices(stage, "hdd[films*]");
}

/* --- more than one --- */

static void what_happened_is_remembered_by_the_next_process(void **state)
{
    struct stage *stage = *state;

    start_with(stage, "");
    control(stage, "busy hdd 1 vlc /a");
    assert_int_equal(unmount(stage, "practice:films"), ERR_BUSY);
    restart(stage);
    assert_int_equal(unmount(stage, "practice:films"), ERR_BUSY);
    control(stage, "free hdd");
    assert_int_equal(unmount(stage, "practice:films"), ERR_OK);
    assert_int_equal(power_off(stage), ERR_OK);
    restart(stage);
    expect_devices(stage, "");
}

static void a_control_line_waits_for_the_next_process(void **state)
{
    struct stage *stage = *state;

    append(stage, "control", "unplug hdd\n");
    start_with(stage, "");
    expect_devices(stage, "");
    append(stage, "control", "plug hdd\n");
    restart(stage);
    expect_devices(stage, "hdd[films*]");
    restart(stage); /* once is enough */
    CLEANUP_FREE char *id = only_id(stage);
    assert_string_equal(id, "practice:hdd#2");
    append(stage, "control", "unplug h"); /* a line has an end */
    restart(stage);
    expect_devices(stage, "hdd[films*]");
    control(stage, "dd");
    expect_devices(stage, "");
}

static bool has_drive(struct stage *stage, const char *id)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = list(stage);

    return devices.drives.count == 1 && !strcmp(devices.drives.items[0].id, id);
}

static void two_at_once_see_the_same_and_play_once(void **state)
{
    struct stage *stage = *state;
    struct stage other = {.sandbox = stage->sandbox};

    append(stage, "script", "at 0.2 unplug hdd\nat 0.4 plug hdd\n");
    start_with(stage, "");
    start(&other);
    assert_true(is_woken(&other, 5000));
    for (int i = 0; i < 500 && !has_drive(&other, "practice:hdd#2"); i++)
        poll(NULL, 0, 20);
    assert_true(has_drive(&other, "practice:hdd#2"));
    for (int i = 0; i < 10; i++) {
        control(stage, "unplug hdd");
        expect_devices(&other, "");
        control(stage, "plug hdd");
        expect_devices(&other, "hdd[films*]");
    }
    platform_free(other.platform);
    CLEANUP_FREE char *last = only_id(stage);
    assert_string_equal(last, "practice:hdd#12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_volume_is_unmounted_and_mounted_again),
        STAGE_TEST(power_off_is_refused_while_something_is_mounted),
        STAGE_TEST(power_off_can_be_refused_impossible_or_without_effect),
        STAGE_TEST(the_proof_is_what_the_script_lets_be_seen),
        STAGE_TEST(a_container_is_locked_when_it_is_unmounted),
        STAGE_TEST(a_request_for_what_is_gone_says_so),
        STAGE_TEST(a_request_returns_at_once_and_takes_a_while),
        STAGE_TEST(a_request_that_nobody_waits_for_is_carried_out),
        STAGE_TEST(the_end_of_the_platform_ends_its_requests),
        STAGE_TEST(many_may_ask_at_the_same_time),
        STAGE_TEST(a_holder_is_shown_until_it_is_freed),
        STAGE_TEST(a_holder_has_its_user_kind_and_time),
        STAGE_TEST(a_real_holder_lets_go_when_it_is_asked_to_quit),
        STAGE_TEST(a_real_holder_ends_when_it_is_freed),
        STAGE_TEST(what_we_have_open_ourselves_is_a_holder),
        STAGE_TEST(what_waits_for_an_unmount_happens_once),
        STAGE_TEST(a_yank_comes_with_the_nth_file),
        STAGE_TEST(what_has_a_time_happens_then),
        STAGE_TEST(what_happened_is_remembered_by_the_next_process),
        STAGE_TEST(a_control_line_waits_for_the_next_process),
        STAGE_TEST(two_at_once_see_the_same_and_play_once),
    };

    return cmocka_run_group_tests_name("practice_requests", tests, NULL, NULL);
}
