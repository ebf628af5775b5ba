/*
 * logind's inhibitors. The bus is a real one of the test's own; logind on it is
 * played: a lock is held as long as the descriptor that it gave is open.
 */
#include "linux/own_bus.h"

#include "platform/platform.h"

static struct platform *platform;
static struct error err;

/* --- logind --- */

static struct {
    bool only_delays;
    int fds[2]; /* the last lock: ours, and the end that was given away */
    char asked[256];
} logind;

static int inhibit(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *what, *who, *why, *mode;

    if (sd_bus_message_read(message, "ssss", &what, &who, &why, &mode) < 0)
        return -EINVAL;
    if (logind.only_delays && !strcmp(mode, "block"))
        return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED, "no");
    snprintf(logind.asked, sizeof logind.asked, "%s|%s|%s|%s", what, who, why,
             mode);
    if (pipe(logind.fds))
        return -errno;
    int result = sd_bus_reply_method_return(message, "h", logind.fds[1]);
    close(logind.fds[1]);
    return result;
}

static const sd_bus_vtable manager[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Inhibit", "ssss", "h", inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static void add_manager(sd_bus *bus)
{
    sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/login1",
                             "org.freedesktop.login1.Manager", manager, NULL);
}

static void start_logind(bool only_delays)
{
    static const struct own_service as = {"org.freedesktop.login1",
                                          add_manager};

    logind.only_delays = only_delays;
    start_service_of(&as);
}

/* Whether nobody has the other end any more. */
static bool is_released(void)
{
    struct pollfd poller = {.fd = logind.fds[0]};

    return poll(&poller, 1, 2000) == 1 && (poller.revents & POLLHUP);
}

static bool is_held(void)
{
    struct pollfd poller = {.fd = logind.fds[0]};

    return poll(&poller, 1, 50) == 0;
}

/* --- tests --- */

static void the_lock_is_held_until_it_is_released(void **state)
{
    struct platform_inhibitor *inhibitor;

    (void)state;
    start_logind(false);
    assert_int_equal(platform_inhibit(platform, "/dev/sdb1", "berth sync a",
                                      &inhibitor, &err),
                     ERR_OK);
    assert_string_equal(logind.asked,
                        "sleep:shutdown|berth|berth sync a|block");
    assert_true(is_held());
    platform_inhibitor_release(inhibitor);
    assert_true(is_released());
    close(logind.fds[0]);
}

/* A user without a seat: cron, ssh. */
static void who_may_not_block_delays(void **state)
{
    struct platform_inhibitor *inhibitor;

    (void)state;
    start_logind(true);
    assert_int_equal(platform_inhibit(platform, "", "x", &inhibitor, &err),
                     ERR_OK);
    assert_string_equal(logind.asked, "sleep:shutdown|berth|x|delay");
    assert_true(is_held());
    platform_inhibitor_release(inhibitor);
    close(logind.fds[0]);
}

static void without_logind_there_is_nobody_to_ask(void **state)
{
    struct platform_inhibitor *inhibitor;

    (void)state;
    assert_int_equal(platform_inhibit(platform, "", "x", &inhibitor, &err),
                     ERR_UNSUPPORTED);
    assert_null(inhibitor);
    platform_inhibitor_release(inhibitor);
}

/* --- the whole --- */

static int set_up(void **state)
{
    (void)state;
    return platform_new(&platform, NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    end_service();
    platform_free(platform);
    return 0;
}

static void bus_is_missing(void **state)
{
    (void)state;
    SKIP_BECAUSE("needs dbus-daemon");
}

#define INHIBIT_TEST(test)                                                     \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest none[] = {cmocka_unit_test(bus_is_missing)};
    const struct CMUnitTest tests[] = {
        INHIBIT_TEST(the_lock_is_held_until_it_is_released),
        INHIBIT_TEST(who_may_not_block_delays),
        INHIBIT_TEST(without_logind_there_is_nobody_to_ask),
    };

    if (access(dbus_daemon, X_OK))
        return cmocka_run_group_tests_name("no bus", none, NULL, NULL);
    return cmocka_run_group_tests_name("inhibit", tests, start_bus, end_bus);
}
