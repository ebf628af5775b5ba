/*
 * SMART by smartctl: what it says, and how it is asked. The program itself is
 * played, because no disk here has SMART.
 */
#include "contract/scenery.h"

#include "platform/linux/linux_health.h"

static char *base;

static const char passed_json[] =
    "{\"smart_status\": {\"passed\": true}, \"temperature\": {\"current\": 31},"
    " \"power_on_time\": {\"hours\": 77}, \"ata_smart_attributes\": {\"table\":"
    " [{\"id\": 190, \"name\": \"Airflow_Temperature_Cel\", \"value\": 40,"
    "   \"worst\": 40, \"thresh\": 45, \"when_failed\": \"now\","
    "   \"flags\": {\"prefailure\": false},"
    "   \"raw\": {\"value\": 522125343, \"string\": \"31 (Min/Max 31/31)\"}},"
    "  {\"id\": 5, \"name\": \"Reallocated_Sector_Ct\", \"value\": 20,"
    "   \"worst\": 20, \"thresh\": 36, \"when_failed\": \"now\","
    "   \"flags\": {\"prefailure\": true},"
    "   \"raw\": {\"value\": 12, \"string\": \"12\"}}]}}";

static void words_of_smartctl_are_understood(void **state)
{
    CLEANUP(platform_health_release)
    struct platform_health found = {.smart = PLATFORM_SMART_UNKNOWN};

    (void)state;
    assert_true(linux_smartctl_take(passed_json, &found));
    assert_int_equal(found.smart, PLATFORM_SMART_PASSED);
    assert_int_equal(found.temperature_c, 31);
    assert_int_equal(found.power_on_hours, 77);
    assert_int_equal(found.attribute_count, 2);
    assert_int_equal(found.attributes[0].raw, 31);
    assert_false(found.attributes[0].is_failing_now);
    assert_true(found.attributes[1].is_failing_now);
}

static void nvme_log_of_smartctl_has_names(void **state)
{
    CLEANUP(platform_health_release)
    struct platform_health found = {.smart = PLATFORM_SMART_UNKNOWN};

    (void)state;
    assert_true(linux_smartctl_take(
        "{\"smart_status\": {\"passed\": false},"
        " \"nvme_smart_health_information_log\": {\"media_errors\": 3,"
        " \"temperature_sensors\": [30], \"percentage_used\": 4}}",
        &found));
    assert_int_equal(found.smart, PLATFORM_SMART_FAILING);
    assert_int_equal(found.attribute_count, 2);
    assert_string_equal(found.attributes[0].name, "media_errors");
    assert_int_equal(found.attributes[0].raw, 3);
    assert_int_equal(found.temperature_c, -1);
}

static void nonsense_of_smartctl_changes_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "[1]",
        "{",
        "{\"smart_status\": 1}",
        "{\"smart_status\": {\"passed\": \"yes\"}}",
        "{\"smartctl\": {\"exit_status\": 1}}"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct platform_health found = {.smart = PLATFORM_SMART_HIDDEN};
        assert_false(linux_smartctl_take(texts[i], &found));
        assert_int_equal(found.smart, PLATFORM_SMART_HIDDEN);
    }
}

/* A smartctl of ours, which tells what it was asked. */
static void run_smartctl(const char *script, bool is_usb,
                         struct platform_health *out)
{
    CLEANUP_FREE char *program = path_join(base, "smartctl");
    CLEANUP_FREE char *asked = path_join(base, "asked");
    CLEANUP_FREE char *text =
        xasprintf("#!/bin/sh\necho \"$@\" >>%s\n%s\n", asked, script);
    CLEANUP_FREE char *before = xstrdup(getenv("PATH"));
    CLEANUP_FREE char *path = xasprintf("%s:%s", base, before);

    *out = (struct platform_health){.smart = PLATFORM_SMART_UNKNOWN};
    unlink(asked);
    assert_int_equal(file_replace(program, text, strlen(text), 0700, NULL),
                     ERR_OK);
    setenv("PATH", path, 1);
    linux_smartctl_read("/dev/sdz", is_usb, out);
    setenv("PATH", before, 1);
}

static void expect_asked(const char *expected)
{
    CLEANUP_FREE char *asked = path_join(base, "asked");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    assert_int_equal(file_read(asked, 4096, &text, NULL), ERR_OK);
    assert_string_equal(text.text, expected);
}

static void bridge_is_tried_with_sat_before_it_hides_smart(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found, sat;

    (void)state;
    if (geteuid())
        SKIP_BECAUSE("needs root, as smartctl does");
    run_smartctl("echo 'Device is in SLEEP mode, exit(2)'; exit 2", true,
                 &found);
    assert_int_equal(found.smart, PLATFORM_SMART_HIDDEN);
    expect_asked("-j -n standby -H -A /dev/sdz\n"
                 "-j -n standby -H -A /dev/sdz -d sat\n");
    run_smartctl(
        "case $* in *sat) echo '{\"smart_status\": {\"passed\": true}}'"
        ";; *) exit 1;; esac",
        true, &sat);
    assert_int_equal(sat.smart, PLATFORM_SMART_PASSED);
}

static void smartctl_that_found_it_asleep_is_not_asked_again(void **state)
{
    CLEANUP(platform_health_release) struct platform_health found;

    (void)state;
    if (geteuid())
        SKIP_BECAUSE("needs root, as smartctl does");
    run_smartctl("echo 'Device is in STANDBY mode, exit(2)'; exit 2", true,
                 &found);
    assert_int_equal(found.smart, PLATFORM_SMART_ASLEEP);
    expect_asked("-j -n standby -H -A /dev/sdz\n");
}

static int make_base(void **state)
{
    const char *temporary = getenv("TMPDIR");

    (void)state;
    base = xasprintf("%s/smartctl-XXXXXX", temporary ? temporary : "/tmp");
    return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state)
{
    (void)state;
    remove_tree(base);
    free(base);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_smartctl_are_understood),
        cmocka_unit_test(nvme_log_of_smartctl_has_names),
        cmocka_unit_test(nonsense_of_smartctl_changes_nothing),
        cmocka_unit_test(bridge_is_tried_with_sat_before_it_hides_smart),
        cmocka_unit_test(smartctl_that_found_it_asleep_is_not_asked_again),
    };

    return cmocka_run_group_tests_name("smartctl", tests, make_base,
                                       remove_base);
}
