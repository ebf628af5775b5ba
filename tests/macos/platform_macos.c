/*
 * The macOS backend: the contract of every backend, and what an ordinary user
 * can see of the rest. On a Mac as it is; on Linux with the doubles.
 */
#include "contract/platform_io_contract.h"

#include "platform/platform.h"
#include "platform/platform_host.h"

static char *base;

static int make_base(void **state)
{
    const char *temporary = getenv("TMPDIR");
    char *given = xasprintf("%s/macos-test-XXXXXX",
                            temporary && *temporary ? temporary : "/tmp");

    (void)state;
    if (!mkdtemp(given))
        return -1;
    base = realpath(given, NULL); /* /tmp is a symlink on a Mac */
    free(given);
    contract_base = base;
    return base ? 0 : -1;
}

static int remove_base(void **state)
{
    (void)state;
    remove_tree(base);
    free(base);
    return 0;
}

static void the_boots_id_stays(void **state)
{
    CLEANUP_FREE char *one = NULL, *two = NULL;

    (void)state;
    assert_int_equal(platform_boot_id(&one, NULL), ERR_OK);
    assert_int_equal(platform_boot_id(&two, NULL), ERR_OK);
    assert_string_equal(one, two);
    assert_true(strlen(one) >= 8);
}

static void the_program_is_named_by_its_whole_path(void **state)
{
    CLEANUP_FREE char *path = NULL;

    (void)state;
    assert_int_equal(platform_own_program(&path, NULL), ERR_OK);
    assert_int_equal(*path, '/');
    assert_int_equal(access(path, X_OK), 0);
    assert_non_null(strstr(path, "platform_macos"));
}

static void configuration_and_state_are_where_xdg_says(void **state)
{
    CLEANUP_FREE char *config = NULL, *kept = NULL;

    (void)state;
    setenv("HOME", "/Users/me", 1);
    setenv("XDG_STATE_HOME", "/Volumes/x/state", 1);
    assert_int_equal(platform_config_directory(&config, NULL), ERR_OK);
    assert_int_equal(platform_state_directory(&kept, NULL), ERR_OK);
    unsetenv("XDG_STATE_HOME");
    assert_string_equal(config, "/Users/me/.config/berth");
    assert_string_equal(kept, "/Volumes/x/state/berth");
}

static void there_is_a_snapshot_and_news_can_be_waited_for(void **state)
{
    struct platform *platform;
    struct platform_devices devices;
    struct platform_mounts mounts;

    (void)state;
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    assert_false(platform_is_practice());
    assert_true(platform_wake_fd(platform) >= 0);
    platform_acknowledge(platform);
    assert_int_equal(platform_list_devices(platform, &devices, NULL), ERR_OK);
    assert_int_equal(platform_list_mounts(platform, &mounts, NULL), ERR_OK);
    platform_devices_release(&devices);
    platform_mounts_release(&mounts);
    platform_free(platform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLATFORM_IO_CONTRACT,
        cmocka_unit_test(the_boots_id_stays),
        cmocka_unit_test(the_program_is_named_by_its_whole_path),
        cmocka_unit_test(configuration_and_state_are_where_xdg_says),
        cmocka_unit_test(there_is_a_snapshot_and_news_can_be_waited_for),
    };

    return cmocka_run_group_tests_name("platform_macos", tests, make_base,
                                       remove_base);
}
