/*
 * SMART through UDisks2. The bus is a real one of the test's own; UDisks2 on
 * it is played, because no disk here has SMART.
 */
#include "linux/own_bus.h"

#include "platform/linux/linux_health.h"
#include "platform/linux/linux_platform.h"
#include "platform/platform.h"

#include <time.h>

#define BLOCK "/org/freedesktop/UDisks2/block_devices/sdb"
#define DRIVE "/org/freedesktop/UDisks2/drives/Expansion"
#define UDISKS "org.freedesktop.UDisks2."

/* --- the drive that is played --- */

struct attribute {
    int id;
    const char *name;
    int flags, value, worst, threshold;
    int64_t pretty;
    int unit;
};

static struct {
    bool has_ata, has_nvme;
    bool is_supported, is_failing;
    uint64_t updated_s, power_on_s;
    double kelvin;
    const char *warning;      /* of the NVMe drive */
    const char *update_error; /* of SmartUpdate; NULL: it goes well */
    const struct attribute *attributes;
    size_t attribute_count;

    atomic_int updates;
    atomic_bool was_quiet, would_wake;
} drive;

static int get_bool(sd_bus *bus, const char *path, const char *interface,
                    const char *property, sd_bus_message *reply, void *data,
                    sd_bus_error *error)
{
    bool value = !strcmp(property, "SmartFailing")     ? drive.is_failing
                 : !strcmp(property, "SmartSupported") ? drive.is_supported
                                                       : true;

    return sd_bus_message_append(reply, "b", value);
}

static int get_time(sd_bus *bus, const char *path, const char *interface,
                    const char *property, sd_bus_message *reply, void *data,
                    sd_bus_error *error)
{
    uint64_t value = !strcmp(property, "SmartUpdated") ? drive.updated_s
                     : !strcmp(property, "SmartPowerOnHours")
                         ? drive.power_on_s / 3600
                         : drive.power_on_s;

    return sd_bus_message_append(reply, "t", value);
}

static int get_kelvin(sd_bus *bus, const char *path, const char *interface,
                      const char *property, sd_bus_message *reply, void *data,
                      sd_bus_error *error)
{
    return strstr(interface, "NVMe")
               ? sd_bus_message_append(reply, "q", (uint16_t)drive.kelvin)
               : sd_bus_message_append(reply, "d", drive.kelvin);
}

static int get_warnings(sd_bus *bus, const char *path, const char *interface,
                        const char *property, sd_bus_message *reply, void *data,
                        sd_bus_error *error)
{
    return drive.warning ? sd_bus_message_append(reply, "as", 2, "temperature",
                                                 drive.warning)
                         : sd_bus_message_append(reply, "as", 1, "temperature");
}

static int get_drive(sd_bus *bus, const char *path, const char *interface,
                     const char *property, sd_bus_message *reply, void *data,
                     sd_bus_error *error)
{
    return sd_bus_message_append(reply, "o", DRIVE);
}

/* Whether the dictionary of options has this one, set. */
static bool has_option(sd_bus_message *message, const char *wanted)
{
    const char *name;
    int is_set = 0, found = 0;

    sd_bus_message_rewind(message, true);
    sd_bus_message_enter_container(message, 'a', "{sv}");
    while (sd_bus_message_read(message, "{sv}", &name, "b", &is_set) > 0)
        found |= is_set && !strcmp(name, wanted);
    return found;
}

static int smart_update(sd_bus_message *message, void *data,
                        sd_bus_error *error)
{
    atomic_fetch_add(&drive.updates, 1);
    atomic_store(&drive.was_quiet,
                 has_option(message, "auth.no_user_interaction"));
    atomic_store(&drive.would_wake, !has_option(message, "nowakeup"));
    if (drive.update_error)
        return sd_bus_error_set(error, drive.update_error, "no");
    drive.updated_s = (uint64_t)time(NULL);
    return sd_bus_reply_method_return(message, NULL);
}

static int ata_attributes(sd_bus_message *message, void *data,
                          sd_bus_error *error)
{
    sd_bus_message *reply = NULL;

    sd_bus_message_new_method_return(message, &reply);
    sd_bus_message_open_container(reply, 'a', "(ysqiiixia{sv})");
    for (size_t i = 0; i < drive.attribute_count; i++) {
        const struct attribute *at = &drive.attributes[i];
        sd_bus_message_append(reply, "(ysqiiixia{sv})", at->id, at->name,
                              at->flags, at->value, at->worst, at->threshold,
                              at->pretty, at->unit, 0);
    }
    sd_bus_message_close_container(reply);
    int result = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return result < 0 ? result : 1;
}

static int nvme_attributes(sd_bus_message *message, void *data,
                           sd_bus_error *error)
{
    return sd_bus_reply_method_return(message, "a{sv}", 3, "avail_spare", "y",
                                      90, "temp_sensors", "aq", 2, 300, 301,
                                      "media_errors", "t", (uint64_t)7);
}

#define PROPERTY(name, type, get) SD_BUS_PROPERTY(name, type, get, 0, 0)
#define METHOD(name, out, call)                                                \
    SD_BUS_METHOD(name, "a{sv}", out, call, SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable block_table[] = {
    SD_BUS_VTABLE_START(0),
    PROPERTY("Drive", "o", get_drive),
    SD_BUS_VTABLE_END,
};
static const sd_bus_vtable ata_table[] = {
    SD_BUS_VTABLE_START(0),
    PROPERTY("SmartSupported", "b", get_bool),
    PROPERTY("SmartEnabled", "b", get_bool),
    PROPERTY("SmartFailing", "b", get_bool),
    PROPERTY("SmartUpdated", "t", get_time),
    PROPERTY("SmartPowerOnSeconds", "t", get_time),
    PROPERTY("SmartTemperature", "d", get_kelvin),
    METHOD("SmartUpdate", "", smart_update),
    METHOD("SmartGetAttributes", "a(ysqiiixia{sv})", ata_attributes),
    SD_BUS_VTABLE_END,
};
static const sd_bus_vtable nvme_table[] = {
    SD_BUS_VTABLE_START(0),
    PROPERTY("SmartUpdated", "t", get_time),
    PROPERTY("SmartPowerOnHours", "t", get_time),
    PROPERTY("SmartTemperature", "q", get_kelvin),
    PROPERTY("SmartCriticalWarning", "as", get_warnings),
    METHOD("SmartUpdate", "", smart_update),
    METHOD("SmartGetAttributes", "a{sv}", nvme_attributes),
    SD_BUS_VTABLE_END,
};

/* --- the service --- */

static struct platform *platform;

static void add_drive(sd_bus *bus)
{
    sd_bus_add_object_vtable(bus, NULL, BLOCK, UDISKS "Block", block_table,
                             NULL);
    if (drive.has_ata)
        sd_bus_add_object_vtable(bus, NULL, DRIVE, UDISKS "Drive.Ata",
                                 ata_table, NULL);
    if (drive.has_nvme)
        sd_bus_add_object_vtable(bus, NULL, DRIVE, UDISKS "NVMe.Controller",
                                 nvme_table, NULL);
}

static void start_service(void)
{
    static const struct own_service udisks = {"org.freedesktop.UDisks2",
                                              add_drive};

    start_service_of(&udisks);
}

/* An ATA disk that was asked a moment ago. */
static int set_up(void **state)
{
    (void)state;
    memset(&drive, 0, sizeof drive);
    drive.has_ata = drive.is_supported = true;
    drive.updated_s = (uint64_t)time(NULL);
    drive.power_on_s = 3600 * 4120 + 1800;
    drive.kelvin = 307.65;
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    end_service();
    platform_free(platform);
    return 0;
}

static void read_smart(bool is_usb, struct platform_health *out)
{
    *out = (struct platform_health){.temperature_c = -1, .power_on_hours = -1};
    linux_smart_read(platform->bus, "sdb", is_usb, out);
}

/* --- tests --- */

static void readings_of_an_ata_disk_are_taken_over(void **state)
{
    static const struct attribute attributes[] = {
        {5, "reallocated-sector-count", 0x33, 100, 100, 36, 8, 3},
        {9, "power-on-hours", 0x32, 96, 96, 0, 4120LL * 3600 * 1000, 2},
        {194, "temperature-celsius-2", 0x22, 34, 50, 0, 307150, 4},
        {240, "head-flying-hours", 0, 100, 253, 0, 12345, 0},
    };
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    drive.attributes = attributes;
    drive.attribute_count = COUNT_OF(attributes);
    start_service();
    read_smart(true, &found);
    assert_int_equal(found.smart, PLATFORM_SMART_PASSED);
    assert_int_equal(found.temperature_c, 34);
    assert_int_equal(found.power_on_hours, 4120);
    assert_int_equal(found.attribute_count, 4);
    assert_int_equal(found.attributes[0].id, 5);
    assert_string_equal(found.attributes[0].name, "reallocated-sector-count");
    assert_int_equal(found.attributes[0].threshold, 36);
    assert_int_equal(found.attributes[0].raw, 8);
    assert_int_equal(found.attributes[1].raw, 4120);
    assert_int_equal(found.attributes[2].raw, 34);
    assert_int_equal(found.attributes[3].raw, -1);
    assert_false(found.attributes[0].is_failing_now);
    /* it was asked a moment ago: not again */
    assert_int_equal(drive.updates, 0);
}

static void only_attributes_that_foretell_are_failing(void **state)
{
    static const struct attribute attributes[] = {
        {5, "reallocated-sector-count", 1, 30, 30, 36, 999, 3},
        {10, "spin-retry-count", 1, 100, 50, 97, 0, 1},
        {190, "airflow-temperature-celsius", 2, 40, 40, 45, 333150, 4},
        {1, "raw-read-error-rate", 1, 100, 100, 0, 0, 1},
    };
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    drive.attributes = attributes;
    drive.attribute_count = COUNT_OF(attributes);
    drive.is_failing = true;
    start_service();
    read_smart(false, &found);
    assert_int_equal(found.smart, PLATFORM_SMART_FAILING);
    assert_true(found.attributes[0].is_failing_now);
    assert_false(found.attributes[1].is_failing_now);
    assert_true(found.attributes[1].failed_before);
    assert_false(found.attributes[2].is_failing_now);
    assert_false(found.attributes[3].is_failing_now);
}

static void old_readings_are_refreshed_without_waking_anybody(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    drive.updated_s = 0;
    start_service();
    read_smart(false, &found);
    assert_int_equal(found.smart, PLATFORM_SMART_PASSED);
    assert_int_equal(drive.updates, 1);
    assert_true(drive.was_quiet);
    assert_false(drive.would_wake);
}

static void sleeping_disk_keeps_what_it_said_before(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    drive.updated_s -= 3600;
    drive.update_error = "org.freedesktop.UDisks2.Error.WouldWakeup";
    start_service();
    read_smart(false, &found);
    assert_int_equal(found.smart, PLATFORM_SMART_ASLEEP);
    assert_int_equal(found.temperature_c, 34);
}

static void disk_that_slept_all_the_time_is_asleep(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    drive.updated_s = 0;
    drive.update_error = "org.freedesktop.UDisks2.Error.WouldWakeup";
    start_service();
    read_smart(false, &found);
    assert_int_equal(found.smart, PLATFORM_SMART_ASLEEP);
    assert_int_equal(found.temperature_c, -1);
}

static void user_who_may_not_ask_sees_what_udisks_knows(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    drive.updated_s -= 3600;
    drive.update_error = "org.freedesktop.UDisks2.Error.NotAuthorized";
    start_service();
    read_smart(false, &found);
    assert_int_equal(found.smart, PLATFORM_SMART_PASSED);
}

static void bridge_without_ata_hides_smart(void **state)
{
    CLEANUP(platform_health_release) struct platform_health usb, internal;

    (void)state;
    drive.has_ata = false;
    start_service();
    read_smart(true, &usb);
    assert_int_equal(usb.smart, PLATFORM_SMART_HIDDEN);
    read_smart(false, &internal);
    assert_int_equal(internal.smart, PLATFORM_SMART_UNKNOWN);
}

static void disk_without_smart_is_unknown(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    drive.is_supported = false;
    start_service();
    read_smart(false, &found);
    assert_int_equal(found.smart, PLATFORM_SMART_UNKNOWN);
}

static void nvme_drive_that_is_warm_passes(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    drive.has_ata = false;
    drive.has_nvme = true;
    start_service();
    read_smart(false, &found);
    assert_int_equal(found.smart, PLATFORM_SMART_PASSED);
    assert_int_equal(found.temperature_c, 34);
    assert_int_equal(found.power_on_hours, 4120);
    assert_int_equal(found.attribute_count, 2);
    assert_string_equal(found.attributes[1].name, "media_errors");
    assert_int_equal(found.attributes[1].raw, 7);
}

static void nvme_drive_that_warns_is_failing(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    drive.has_ata = false;
    drive.has_nvme = true;
    drive.warning = "spare";
    start_service();
    read_smart(false, &found);
    assert_int_equal(found.smart, PLATFORM_SMART_FAILING);
}

static void nobody_to_ask_is_unknown(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    read_smart(true, &found);
    assert_int_equal(found.smart, PLATFORM_SMART_UNKNOWN);
}

/* --- the whole --- */

static void bus_is_missing(void **state)
{
    (void)state;
    SKIP_BECAUSE("needs dbus-daemon");
}

#define SMART_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest none[] = {cmocka_unit_test(bus_is_missing)};
    const struct CMUnitTest tests[] = {
        SMART_TEST(readings_of_an_ata_disk_are_taken_over),
        SMART_TEST(only_attributes_that_foretell_are_failing),
        SMART_TEST(old_readings_are_refreshed_without_waking_anybody),
        SMART_TEST(sleeping_disk_keeps_what_it_said_before),
        SMART_TEST(disk_that_slept_all_the_time_is_asleep),
        SMART_TEST(user_who_may_not_ask_sees_what_udisks_knows),
        SMART_TEST(bridge_without_ata_hides_smart),
        SMART_TEST(disk_without_smart_is_unknown),
        SMART_TEST(nvme_drive_that_is_warm_passes),
        SMART_TEST(nvme_drive_that_warns_is_failing),
        SMART_TEST(nobody_to_ask_is_unknown),
    };

    if (access(dbus_daemon, X_OK))
        return cmocka_run_group_tests_name("no bus", none, NULL, NULL);
    return cmocka_run_group_tests_name("smart", tests, start_bus, end_bus);
}
