/* One setting of the configuration file, set, changed and taken out. */
#include "core/base/fdio.h"
#include "core/base/strbuf.h"
#include "core/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ID "7da751ca3a8b6a3890e5d47e30f3e61a"
#define START                                                                  \
    "# my drives\n"                                                            \
    "volumes = ( { name = \"hdd\"; id = \"" ID "\"; } ); # the big one\n"      \
    "jobs = (\n"                                                               \
    "  {\n"                                                                    \
    "    name = \"media\"; # films\n"                                          \
    "    source = \"/media\";\n"                                               \
    "    targets = [ \"hdd:/media\" ];\n"                                      \
    "    versions = \"30d\"; # long enough?\n"                                 \
    "  }\n"                                                                    \
    ");\n"

static char path[] = "/tmp/berth-config-set-XXXXXX";

static int make_file(void **state)
{
    snprintf(path, sizeof path, "/tmp/berth-config-set-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, START, strlen(START)), strlen(START));
    close(fd);
    return 0;
}

static int remove_file(void **state)
{
    return unlink(path);
}

static char *content(void)
{
    struct strbuf text = STRBUF_INIT;

    assert_int_equal(file_read(path, 65536, &text, NULL), ERR_OK);
    return strbuf_detach(&text);
}

static void assert_holds(const char *words)
{
    char *text = content();

    if (!strstr(text, words))
        fail_msg("not there: %s\n%s", words, text);
    free(text);
}

static err_code set(const char *name, const char *key, const char *value)
{
    struct error err = ERROR_INIT;

    return config_set(path, "/home/me", name, key, value, &err);
}

static void a_value_changes_where_it_stands_and_comments_stay(void **state)
{
    assert_int_equal(set("media", "versions", "90d"), ERR_OK);
    assert_holds("    versions = \"90d\"; # long enough?\n  }\n");
    assert_int_equal(set("media", "versions", "5"), ERR_OK);
    assert_holds("    versions = 5; # long enough?\n");
    assert_int_equal(set("media", "targets", "hdd:/films,hdd:/x"), ERR_INVALID);
    assert_int_equal(set("media", "targets", "hdd:/films"), ERR_OK);
    assert_holds("targets = [ \"hdd:/films\" ];");
    assert_holds("# my drives\n");
    assert_holds("# the big one\n");
}

static void a_setting_is_added_and_taken_out_again(void **state)
{
    assert_int_equal(set("media", "exclude", "*.tmp, /cache"), ERR_OK);
    assert_holds("    exclude = [ \"*.tmp\", \"/cache\" ];\n");
    assert_int_equal(set("media", "exclude", ""), ERR_OK);
    assert_int_equal(set("media", "cross_mounts", "true"), ERR_OK);
    assert_int_equal(set("media", "cross_mounts", ""), ERR_OK);
    assert_int_equal(set("hdd", "bandwidth", "20MB/s"), ERR_OK);
    assert_holds("bandwidth = \"20MB/s\";");
    assert_int_equal(set("hdd", "bandwidth", ""), ERR_OK);
    assert_int_equal(set("hdd", "bandwidth", ""), ERR_OK);
    char *text = content();
    assert_string_equal(text, START);
    free(text);
}

static void what_would_not_load_leaves_the_file_as_it_was(void **state)
{
    static const struct {
        const char *name, *key, *value;
        err_code code;
    } wrong[] = {
        {"media", "mode", "miror", ERR_INVALID},
        {"media", "min_copies", "1; mode = \"move\"", ERR_INVALID},
        {"media", "cross_mounts", "yes please", ERR_INVALID},
        {"media", "mode", "move\"; versions = \"1d", ERR_INVALID},
        {"media", "targets", "", ERR_INVALID},
        {"media", "name", "films", ERR_INVALID},
        {"media", "colour", "red", ERR_INVALID},
        {"hdd", "id", "00", ERR_INVALID},
        {"films", "mode", "move", ERR_NOT_FOUND},
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(set(wrong[i].name, wrong[i].key, wrong[i].value),
                         wrong[i].code);
        char *text = content();
        assert_string_equal(text, START);
        free(text);
    }
}

struct seen {
    size_t count, defaults, fixed;
    char *versions;
};

static void see(void *context, const struct config_setting *setting)
{
    struct seen *seen = context;

    seen->count++;
    seen->defaults += setting->is_default;
    seen->fixed += setting->is_fixed;
    if (!strcmp(setting->key, "versions"))
        seen->versions = strdup(setting->value);
    assert_true(strlen(setting->hint) > 0);
}

static void settings_are_listed_in_the_words_of_the_file(void **state)
{
    struct config config;
    struct seen job = {0}, volume = {0};

    assert_int_equal(set("media", "versions", "50GB"), ERR_OK);
    assert_int_equal(config_load(path, "/home/me", &config, NULL), ERR_OK);
    config_list_job(&config.jobs[0], see, &job);
    config_list_volume(&config.volumes[0], see, &volume);
    assert_string_equal(job.versions, "50GB");
    assert_int_equal(job.count - job.defaults, 4); /* name source targets */
    assert_int_equal(job.fixed, 1);
    assert_int_equal(volume.fixed, 2);
    free(job.versions);
    config_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_value_changes_where_it_stands_and_comments_stay, make_file,
            remove_file),
        cmocka_unit_test_setup_teardown(a_setting_is_added_and_taken_out_again,
                                        make_file, remove_file),
        cmocka_unit_test_setup_teardown(
            what_would_not_load_leaves_the_file_as_it_was, make_file,
            remove_file),
        cmocka_unit_test_setup_teardown(
            settings_are_listed_in_the_words_of_the_file, make_file,
            remove_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
