/*
 * While berth writes: a Mac of paper stays awake, and whoever wants to unmount
 * the volume is told why not.
 */
#include "macos/doubles/machine.h"

#define DA_BUSY ((int)0xF8DA0002)

static struct error err;
static char words[128];

static struct platform_inhibitor *hold(const char *device, const char *why)
{
    struct platform_inhibitor *inhibitor = NULL;

    err = (struct error)ERROR_INIT;
    if (platform_inhibit(platform, device, why, &inhibitor, &err))
        fail_msg("%s", err.message);
    assert_non_null(inhibitor);
    return inhibitor;
}

static void the_mac_stays_awake_as_long_as_it_is_held(void **state)
{
    char name[129];

    (void)state;
    assert_int_equal(fake_assertions(NULL, 0), 0);
    struct platform_inhibitor *one = hold("/dev/disk4s1", "berth sync photos");
    assert_int_equal(fake_assertions(name, sizeof name), 1);
    assert_string_equal(name, "berth sync photos");
    struct platform_inhibitor *two = hold("", "berth verify");
    platform_inhibitor_release(one);
    assert_int_equal(fake_assertions(NULL, 0), 1);
    platform_inhibitor_release(two);
    assert_int_equal(fake_assertions(NULL, 0), 0);
    platform_inhibitor_release(NULL);
}

static void another_program_cannot_unmount_what_is_written_to(void **state)
{
    (void)state;
    plug_exfat();
    struct platform_inhibitor *inhibitor =
        hold("/dev/disk4s1", "berth is syncing photos");
    assert_int_equal(fake_unmount("disk4s1", words, sizeof words), DA_BUSY);
    assert_string_equal(words, "berth is syncing photos");
    assert_true(fake_is_mounted("disk4s1"));
    platform_inhibitor_release(inhibitor);
    assert_int_equal(fake_unmount("disk4s1", words, sizeof words), 0);
    assert_false(fake_is_mounted("disk4s1"));
}

static void other_volumes_are_left_to_others(void **state)
{
    (void)state;
    plug_apfs();
    struct platform_inhibitor *inhibitor = hold("/dev/disk5s1", "berth");
    assert_int_equal(fake_unmount("disk5s2", words, sizeof words), 0);
    assert_int_equal(fake_unmount("disk5s1", words, sizeof words), DA_BUSY);
    platform_inhibitor_release(inhibitor);
}

/* "berth eject" in another terminal: it is told why not. */
static void a_second_berth_is_refused_with_the_reason(void **state)
{
    struct platform *second;
    bool is_done = false;

    (void)state;
    plug_exfat();
    struct platform_inhibitor *inhibitor =
        hold("/dev/disk4s1", "berth is syncing photos");
    assert_int_equal(platform_new(&second, &err), ERR_OK);
    struct platform_request *request = platform_unmount(second, "/dev/disk4s1");
    assert_int_equal(platform_wait(request, 20000, &is_done, &err), ERR_BUSY);
    assert_non_null(strstr(err.message, "berth is syncing photos"));
    platform_request_free(request);
    platform_free(second);
    platform_inhibitor_release(inhibitor);
}

/* Whoever registers is waited for, up to ten seconds. */
static void nobody_is_kept_waiting_by_an_idle_berth(void **state)
{
    (void)state;
    plug_exfat();
    assert_int_equal(fake_approvers(), 0);
    struct platform_inhibitor *one = hold("/dev/disk4s1", "one");
    struct platform_inhibitor *two = hold("/dev/disk4s1", "two");
    assert_int_equal(fake_approvers(), 1);
    platform_inhibitor_release(one);
    assert_int_equal(fake_unmount("disk4s1", words, sizeof words), DA_BUSY);
    platform_inhibitor_release(two);
    assert_int_equal(fake_approvers(), 0);
}

static void a_new_session_is_asked_as_the_old_one_was(void **state)
{
    CLEANUP(platform_devices_release) struct platform_devices devices;

    (void)state;
    plug_exfat();
    struct platform_inhibitor *inhibitor = hold("/dev/disk4s1", "berth");
    fake_daemon_restart();
    assert_int_equal(fake_approvers(), 0);
    look(&devices); /* which renews the session */
    assert_int_equal(fake_unmount("disk4s1", words, sizeof words), DA_BUSY);
    platform_inhibitor_release(inhibitor);
    assert_int_equal(fake_unmount("disk4s1", words, sizeof words), 0);
}

/* A name may have 128 characters, and none is cut in two. */
static void long_reasons_and_a_refusing_system_are_stood(void **state)
{
    struct platform_inhibitor *inhibitor = NULL;
    char why[400] = "berth sync ";

    (void)state;
    for (int i = 0; i < 90; i++)
        strcat(why, "\303\244");
    platform_inhibitor_release(hold("", why));
    fake_power_refuses(true);
    assert_int_equal(platform_inhibit(platform, "", "x", &inhibitor, &err),
                     ERR_IO);
    assert_non_null(strstr(err.message, "asleep"));
    assert_null(inhibitor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE_TEST(the_mac_stays_awake_as_long_as_it_is_held),
        MACHINE_TEST(another_program_cannot_unmount_what_is_written_to),
        MACHINE_TEST(other_volumes_are_left_to_others),
        MACHINE_TEST(a_second_berth_is_refused_with_the_reason),
        MACHINE_TEST(nobody_is_kept_waiting_by_an_idle_berth),
        MACHINE_TEST(a_new_session_is_asked_as_the_old_one_was),
        MACHINE_TEST(long_reasons_and_a_refusing_system_are_stood),
    };

    return cmocka_run_group_tests_name("macos_inhibit", tests, NULL, NULL);
}
