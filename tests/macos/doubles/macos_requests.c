/*
 * Requests to DiskArbitration on a Mac of paper: how they end, and that
 * nothing is left behind whichever way that is.
 */
#include "macos/doubles/machine.h"

#include "core/base/clock.h"

#define UNIX_BUSY                                                              \
    0xC010 /* unix_err(EBUSY): what a failed unmount(2) becomes                \
            */
#define DA_ERROR(number) ((int)(0xF8DA0000u | (number)))

static struct error err;

/* --- doing --- */

static err_code finish(struct platform_request *request)
{
    bool is_done = false;

    err = (struct error)ERROR_INIT;
    err_code code = platform_wait(request, 20000, &is_done, &err);
    platform_request_free(request);
    assert_true(is_done);
    return code;
}

static err_code unmount(const char *device)
{
    return finish(platform_unmount(platform, device));
}

static err_code eject(const char *device)
{
    CLEANUP_FREE char *id = id_of(device);

    return finish(platform_power_off(platform, id));
}

static void answer_unmount(int status, const char *words)
{
    fake_answer(&(struct fake_answer){.deed = FAKE_UNMOUNT,
                                      .bsd_name = "disk4s1",
                                      .status = status,
                                      .words = words});
}

/* --- what goes well --- */

static void a_volume_is_unmounted_and_mounted_again(void **state)
{
    (void)state;
    plug_exfat();
    assert_int_equal(unmount("/dev/disk4s1"), ERR_OK);
    assert_false(fake_is_mounted("disk4s1"));
    assert_int_equal(finish(platform_mount(platform, "/dev/disk4s1")), ERR_OK);
    assert_true(fake_is_mounted("disk4s1"));
    /* once more does no harm, and nobody is asked */
    assert_int_equal(finish(platform_mount(platform, "/dev/disk4s1")), ERR_OK);
    assert_int_equal(fake_asked(FAKE_MOUNT, "disk4s1"), 1);
}

static void unmounting_shows_as_news(void **state)
{
    (void)state;
    plug_exfat();
    assert_true(is_woken(5000));
    assert_int_equal(unmount("/dev/disk4s1"), ERR_OK);
    platform_acknowledge(platform);
    assert_int_equal(finish(platform_mount(platform, "/dev/disk4s1")), ERR_OK);
    assert_true(is_woken(5000));
}

static void what_is_unmounted_already_is_unmounted(void **state)
{
    (void)state;
    plug_whole("disk4");
    plug_part("disk4s1", "disk4", "exfat", "x", NULL);
    assert_int_equal(unmount("/dev/disk4s1"), ERR_OK);
    assert_int_equal(fake_asked(FAKE_UNMOUNT, "disk4s1"), 1);
}

static void a_drive_is_ejected_once_nothing_of_it_is_mounted(void **state)
{
    (void)state;
    plug_whole("disk4");
    plug_part("disk4s1", "disk4", "exfat", "one", "/Volumes/one");
    plug_part("disk4s2", "disk4", "hfs", "two", "/Volumes/two");
    assert_int_equal(unmount("/dev/disk4s1"), ERR_OK);
    assert_int_equal(eject("/dev/disk4"), ERR_BUSY);
    assert_non_null(strstr(err.message, "/Volumes/two"));
    assert_int_equal(fake_asked(FAKE_EJECT, "disk4"), 0);
    assert_int_equal(unmount("/dev/disk4s2"), ERR_OK);
    assert_int_equal(eject("/dev/disk4"), ERR_OK);
    assert_false(fake_is_plugged("disk4"));
}

/* DiskArbitration alone would eject disk4 with disk5's volumes mounted: they
 * have another unit number. */
static void an_apfs_drive_is_ejected_as_one(void **state)
{
    (void)state;
    plug_apfs();
    assert_int_equal(unmount("/dev/disk5s1"), ERR_OK);
    assert_int_equal(eject("/dev/disk4"), ERR_BUSY);
    assert_non_null(strstr(err.message, "/Volumes/Films"));
    assert_int_equal(unmount("/dev/disk5s2"), ERR_OK);
    assert_int_equal(eject("/dev/disk4"), ERR_OK);
    assert_int_equal(fake_asked(FAKE_EJECT, "disk4"), 1);
    assert_int_equal(fake_asked(FAKE_EJECT, "disk5"), 0);
    assert_false(fake_is_plugged("disk5s1"));
}

static void diskarbitration_proves_no_flush(void **state)
{
    bool is_done;

    (void)state;
    plug_whole("disk4");
    CLEANUP_FREE char *id = id_of("/dev/disk4");
    struct platform_request *request = platform_power_off(platform, id);
    assert_int_equal(platform_wait(request, -1, &is_done, NULL), ERR_OK);
    struct platform_power_proof proof = platform_request_proof(request);
    assert_false(proof.flush_seen || proof.flush_failed || proof.stop_seen ||
                 proof.stop_failed);
    platform_request_free(request);
}

static void only_an_encrypted_volume_cannot_be_locked(void **state)
{
    (void)state;
    plug_exfat();
    assert_int_equal(finish(platform_lock(platform, "/dev/disk4s1")), ERR_OK);
    fake_plug(&(struct fake_medium){.bsd_name = "disk4s2",
                                    .on = "disk4",
                                    .kind = "apfs",
                                    .is_encrypted = true});
    assert_int_equal(finish(platform_lock(platform, "/dev/disk4s2")),
                     ERR_UNSUPPORTED);
}

/* --- what is refused --- */

static void every_refusal_has_its_code_and_names_the_device(void **state)
{
    static const struct {
        int status;
        err_code code;
    } cases[] = {
        {UNIX_BUSY, ERR_BUSY},
        {DA_ERROR(2), ERR_BUSY},   /* kDAReturnBusy */
        {DA_ERROR(4), ERR_BUSY},   /* ExclusiveAccess */
        {DA_ERROR(8), ERR_DENIED}, /* NotPermitted */
        {DA_ERROR(9), ERR_DENIED}, /* NotPrivileged */
        {DA_ERROR(12), ERR_UNSUPPORTED},
        {DA_ERROR(1), ERR_IO},
        {0xC005, ERR_IO},      /* unix_err(EIO) */
        {0xC001, ERR_DENIED},  /* unix_err(EPERM) */
        {DA_ERROR(7), ERR_OK}, /* NotMounted */
        {0x12345678, ERR_IO},  /* nobody knows it */
    };

    (void)state;
    plug_exfat();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        answer_unmount(cases[i].status, NULL);
        err_code code = unmount("/dev/disk4s1");
        if (code != cases[i].code)
            print_message("0x%x: %s\n", (unsigned)cases[i].status, err.message);
        assert_int_equal(code, cases[i].code);
        if (code)
            assert_non_null(strstr(err.message, "/dev/disk4s1"));
    }
    answer_unmount(0, NULL);
    assert_int_equal(unmount("/dev/disk4s1"), ERR_OK);
}

static void the_words_of_who_dissents_are_passed_on(void **state)
{
    (void)state;
    plug_exfat();
    answer_unmount(DA_ERROR(2), "Time Machine is backing up");
    assert_int_equal(unmount("/dev/disk4s1"), ERR_BUSY);
    assert_non_null(strstr(err.message, "Time Machine is backing up"));
}

/* DiskArbitration.c calls back from within the call where authorisation
 * fails: no lock may be held then, and the request may be gone. */
static void a_refusal_from_within_the_call_is_as_good(void **state)
{
    (void)state;
    plug_exfat();
    fake_answer(&(struct fake_answer){.deed = FAKE_UNMOUNT,
                                      .bsd_name = "disk4s1",
                                      .status = DA_ERROR(9),
                                      .at_once = true});
    assert_int_equal(unmount("/dev/disk4s1"), ERR_DENIED);
    for (int i = 0; i < 50; i++) /* nobody waits for it */
        platform_request_free(platform_unmount(platform, "/dev/disk4s1"));
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    assert_int_equal(unmount("/dev/sda1"), ERR_DEVICE_GONE);
    assert_int_equal(unmount("/dev/disk77"), ERR_DEVICE_GONE);
    assert_int_equal(finish(platform_power_off(platform, "nothing")),
                     ERR_DEVICE_GONE);
}

/* --- what takes its time --- */

static void another_programs_approval_is_waited_for(void **state)
{
    bool is_done = true;

    (void)state;
    plug_exfat();
    fake_answer(&(struct fake_answer){
        .deed = FAKE_UNMOUNT, .bsd_name = "disk4s1", .delay_ms = 2600});
    struct platform_request *request =
        platform_unmount(platform, "/dev/disk4s1");
    int64_t began_ns = clock_monotonic_ns();
    assert_int_equal(platform_wait(request, 50, &is_done, &err), ERR_OK);
    assert_false(is_done);
    assert_true(clock_monotonic_ns() - began_ns < NS_PER_SECOND);
    /* meanwhile the list goes on, and no second request is made */
    CLEANUP_FREE char *id = id_of("/dev/disk4");
    assert_int_equal(finish(request), ERR_OK);
    assert_int_equal(fake_asked(FAKE_UNMOUNT, "disk4s1"), 1);
}

static void a_disk_that_vanishes_meanwhile_is_gone(void **state)
{
    (void)state;
    plug_exfat();
    fake_answer(&(struct fake_answer){.deed = FAKE_UNMOUNT,
                                      .bsd_name = "disk4s1",
                                      .delay_ms = 100,
                                      .vanishes = true});
    assert_int_equal(unmount("/dev/disk4s1"), ERR_DEVICE_GONE);
    assert_non_null(strstr(err.message, "unplugged"));
}

static void a_drive_that_vanishes_while_it_is_ejected_is_not_safe(void **state)
{
    (void)state;
    plug_whole("disk4");
    fake_answer(&(struct fake_answer){.deed = FAKE_EJECT,
                                      .bsd_name = "disk4",
                                      .delay_ms = 100,
                                      .vanishes = true});
    assert_int_equal(eject("/dev/disk4"), ERR_DEVICE_GONE);
}

/* Nobody will ever answer: only the drive's absence is seen. */
static void a_lost_drive_and_a_dead_daemon_are_not_safe(void **state)
{
    (void)state;
    plug_whole("disk4");
    fake_answer(&(struct fake_answer){.deed = FAKE_EJECT,
                                      .bsd_name = "disk4",
                                      .delay_ms = 100,
                                      .vanishes = true,
                                      .daemon_dies = true});
    assert_int_equal(eject("/dev/disk4"), ERR_DEVICE_GONE);
}

/* --- a daemon that dies --- */

static void a_request_after_the_daemons_death_gets_a_new_session(void **state)
{
    (void)state;
    plug_exfat();
    fake_daemon_restart();
    assert_int_equal(unmount("/dev/disk4s1"), ERR_OK);
    assert_false(fake_is_mounted("disk4s1"));
    assert_int_equal(fake_asked(FAKE_UNMOUNT, "disk4s1"), 2);
}

static void a_request_that_the_daemon_took_with_it_is_made_again(void **state)
{
    (void)state;
    plug_exfat();
    fake_answer(&(struct fake_answer){.deed = FAKE_UNMOUNT,
                                      .bsd_name = "disk4s1",
                                      .delay_ms = 50,
                                      .daemon_dies = true});
    struct platform_request *request =
        platform_unmount(platform, "/dev/disk4s1");
    bool is_done;
    assert_int_equal(platform_wait(request, 500, &is_done, NULL), ERR_OK);
    assert_false(is_done);
    fake_answer(
        &(struct fake_answer){.deed = FAKE_UNMOUNT, .bsd_name = "disk4s1"});
    assert_int_equal(finish(request), ERR_OK);
    assert_false(fake_is_mounted("disk4s1"));
}

/* The list finds the session dead before the request does. */
static void a_list_that_renews_the_session_forgets_no_request(void **state)
{
    bool is_done;

    (void)state;
    plug_exfat();
    fake_answer(&(struct fake_answer){.deed = FAKE_UNMOUNT,
                                      .bsd_name = "disk4s1",
                                      .delay_ms = 50,
                                      .daemon_dies = true});
    struct platform_request *request =
        platform_unmount(platform, "/dev/disk4s1");
    assert_int_equal(platform_wait(request, 500, &is_done, NULL), ERR_OK);
    fake_answer(
        &(struct fake_answer){.deed = FAKE_UNMOUNT, .bsd_name = "disk4s1"});
    CLEANUP_FREE char *id = id_of("/dev/disk4");
    assert_int_equal(platform_wait(request, 1000, &is_done, NULL), ERR_OK);
    assert_true(is_done);
    platform_request_free(request);
}

/* It is being started: no session yet. */
static void a_daemon_that_takes_its_time_is_waited_for(void **state)
{
    struct platform_devices devices;
    struct platform *second;
    bool is_done;

    (void)state;
    plug_exfat();
    plug_whole("disk6");
    CLEANUP_FREE char *id = id_of("/dev/disk6");
    fake_daemon_restart();
    fake_daemon_refuses(true);
    assert_int_equal(platform_new(&second, &err), ERR_IO);
    assert_int_equal(platform_list_devices(platform, &devices, &err), ERR_IO);
    struct platform_request *request =
        platform_unmount(platform, "/dev/disk4s1");
    struct platform_request *other = platform_power_off(platform, id);
    assert_int_equal(platform_wait(request, 100, &is_done, NULL), ERR_OK);
    assert_false(is_done);
    fake_daemon_refuses(false);
    assert_int_equal(finish(other), ERR_OK);
    assert_int_equal(finish(request), ERR_OK);
    assert_false(fake_is_mounted("disk4s1"));
}

static void an_eject_after_the_daemons_death_succeeds(void **state)
{
    (void)state;
    plug_whole("disk4");
    CLEANUP_FREE char *id = id_of("/dev/disk4");
    fake_daemon_restart();
    assert_int_equal(finish(platform_power_off(platform, id)), ERR_OK);
    assert_false(fake_is_plugged("disk4"));
}

/* --- the end --- */

static void the_end_does_not_wait_for_a_request(void **state)
{
    bool is_done = false;

    (void)state;
    plug_exfat();
    fake_answer(&(struct fake_answer){
        .deed = FAKE_UNMOUNT, .bsd_name = "disk4s1", .delay_ms = 300});
    struct platform_request *request =
        platform_unmount(platform, "/dev/disk4s1");
    struct platform_request *other = platform_unmount(platform, "/dev/disk4s1");
    assert_int_equal(platform_wait(request, 20, &is_done, NULL), ERR_OK);
    platform_free(platform);
    platform = NULL;
    assert_int_equal(finish(request), ERR_CANCELLED);
    platform_request_free(other);
}

struct storm {
    _Atomic bool is_over;
};

static void *plug_and_unplug(void *argument)
{
    struct storm *storm = argument;

    while (!atomic_load(&storm->is_over)) {
        plug_exfat();
        poll(NULL, 0, 1);
        fake_unplug("disk4");
    }
    return NULL;
}

/* For the sanitizers: everything at once. */
static void lists_and_requests_stand_a_storm_of_plugs(void **state)
{
    struct storm storm = {.is_over = false};

    (void)state;
    pthread_t thread = thread_start(plug_and_unplug, &storm);
    for (int i = 0; i < 200; i++) {
        struct platform_devices devices;
        struct platform_request *request =
            platform_unmount(platform, "/dev/disk4s1");
        look(&devices);
        platform_devices_release(&devices);
        err_code code = finish(request);
        if (code != ERR_OK && code != ERR_DEVICE_GONE)
            print_message("%s\n", err.message);
        if (i % 40 == 39)
            fake_daemon_restart();
    }
    atomic_store(&storm.is_over, true);
    thread_join(thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE_TEST(a_volume_is_unmounted_and_mounted_again),
        MACHINE_TEST(unmounting_shows_as_news),
        MACHINE_TEST(what_is_unmounted_already_is_unmounted),
        MACHINE_TEST(a_drive_is_ejected_once_nothing_of_it_is_mounted),
        MACHINE_TEST(an_apfs_drive_is_ejected_as_one),
        MACHINE_TEST(diskarbitration_proves_no_flush),
        MACHINE_TEST(only_an_encrypted_volume_cannot_be_locked),
        MACHINE_TEST(every_refusal_has_its_code_and_names_the_device),
        MACHINE_TEST(the_words_of_who_dissents_are_passed_on),
        MACHINE_TEST(a_refusal_from_within_the_call_is_as_good),
        MACHINE_TEST(nonsense_is_refused),
        MACHINE_TEST(another_programs_approval_is_waited_for),
        MACHINE_TEST(a_disk_that_vanishes_meanwhile_is_gone),
        MACHINE_TEST(a_drive_that_vanishes_while_it_is_ejected_is_not_safe),
        MACHINE_TEST(a_lost_drive_and_a_dead_daemon_are_not_safe),
        MACHINE_TEST(a_request_after_the_daemons_death_gets_a_new_session),
        MACHINE_TEST(a_request_that_the_daemon_took_with_it_is_made_again),
        MACHINE_TEST(a_list_that_renews_the_session_forgets_no_request),
        MACHINE_TEST(a_daemon_that_takes_its_time_is_waited_for),
        MACHINE_TEST(an_eject_after_the_daemons_death_succeeds),
        MACHINE_TEST(the_end_does_not_wait_for_a_request),
        MACHINE_TEST(lists_and_requests_stand_a_storm_of_plugs),
    };

    return cmocka_run_group_tests_name("macos_requests", tests, NULL, NULL);
}
