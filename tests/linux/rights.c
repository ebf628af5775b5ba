/*
 * What polkit lets a process do that nobody watches. The bus is a real one of
 * the test's own; polkit on it is played.
 */
#include "linux/own_bus.h"

#include "platform/platform.h"

#define UDISKS "org.freedesktop.udisks2."

static struct {
    const char *allowed; /* the only action that is */
    int questions;
    bool was_about_asker; /* each question */
} polkit;

static int check(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *kind, *keys[3], *action;
    uint32_t pid;
    uint64_t start;
    int32_t uid;
    int result = sd_bus_message_read(message, "(sa{sv})s", &kind, 3, &keys[0],
                                     "u", &pid, &keys[1], "t", &start, &keys[2],
                                     "i", &uid, &action);

    if (result < 0)
        return result;
    polkit.questions++;
    polkit.was_about_asker &= !strcmp(kind, "unix-process") &&
                              pid == (uint32_t)getpid() && start > 0 &&
                              uid == (int32_t)geteuid();
    return sd_bus_reply_method_return(message, "(bba{ss})",
                                      !strcmp(action, polkit.allowed), 0, 0);
}

static const sd_bus_vtable authority[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", check,
                  SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static void add_authority(sd_bus *bus)
{
    sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
                             "org.freedesktop.PolicyKit1.Authority", authority,
                             NULL);
}

/* As an ordinary user: root is asked nothing. */
static err_code rights_of_user(struct platform_rights *out)
{
    struct platform *platform;
    uid_t before = geteuid();

    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    assert_int_equal(chmod(base, 0755), 0); /* the bus is in it */
    if (!before)
        assert_int_equal(seteuid(65534), 0);
    struct error err = ERROR_INIT;
    err_code code = platform_unwatched_rights(platform, out, &err);
    if (code)
        printf("%s\n", err.message);
    assert_int_equal(seteuid(before), 0);
    platform_free(platform);
    return code;
}

static void what_polkit_allows_without_a_seat_is_known_by_day(void **state)
{
    static const struct own_service as = {"org.freedesktop.PolicyKit1",
                                          add_authority};
    struct platform_rights rights = {.may_mount = false};

    polkit.was_about_asker = true;
    polkit.allowed = UDISKS "filesystem-mount-other-seat";
    start_service_of(&as);
    assert_int_equal(rights_of_user(&rights), ERR_OK);
    assert_true(rights.may_mount);
    assert_false(rights.may_power_off);
    polkit.allowed = UDISKS "power-off-drive-other-seat";
    assert_int_equal(rights_of_user(&rights), ERR_OK);
    assert_false(rights.may_mount);
    assert_true(rights.may_power_off);
    assert_int_equal(polkit.questions, 4);
    assert_true(polkit.was_about_asker);
    end_service();
}

static void without_polkit_nobody_knows(void **state)
{
    struct platform_rights rights;

    assert_int_equal(rights_of_user(&rights), ERR_UNSUPPORTED);
}

static void bus_is_missing(void **state)
{
    SKIP_BECAUSE("needs dbus-daemon");
}

int main(void)
{
    const struct CMUnitTest none[] = {cmocka_unit_test(bus_is_missing)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_polkit_allows_without_a_seat_is_known_by_day),
        cmocka_unit_test(without_polkit_nobody_knows),
    };

    if (access(dbus_daemon, X_OK))
        return cmocka_run_group_tests_name("no bus", none, NULL, NULL);
    return cmocka_run_group_tests_name("rights", tests, start_bus, end_bus);
}
