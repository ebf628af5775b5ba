/*
 * The host's random id and the directories of the state: the same for
 * everybody who asks, whoever asks first.
 */
#include "contract/scenery.h"

#include "core/host.h"

static char *directory;

static int make_directory(void **state)
{
    const char *temporary = getenv("TMPDIR");

    directory = xasprintf("%s/host-XXXXXX", temporary ? temporary : "/tmp");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    remove_tree(directory);
    free(directory);
    return 0;
}

static void a_host_keeps_its_id(void **state)
{
    CLEANUP_FREE char *deep = path_join(directory, "not/there/yet");
    CLEANUP_FREE char *first = NULL;
    CLEANUP_FREE char *second = NULL;

    assert_int_equal(host_id(deep, &first, NULL), ERR_OK);
    assert_int_equal(host_id(deep, &second, NULL), ERR_OK);
    assert_string_equal(first, second);
    assert_int_equal(strlen(first), 32);
    assert_int_equal(strspn(first, "0123456789abcdef"), 32);
}

static void another_state_directory_is_another_host(void **state)
{
    CLEANUP_FREE char *other = path_join(directory, "other");
    CLEANUP_FREE char *first = NULL;
    CLEANUP_FREE char *second = NULL;

    assert_int_equal(host_id(directory, &first, NULL), ERR_OK);
    assert_int_equal(host_id(other, &second, NULL), ERR_OK);
    assert_string_not_equal(first, second);
}

/* Not silently a new host, to whom no job belongs. */
static void a_damaged_id_is_refused_and_kept(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcde\n",
        "0123456789ABCDEF0123456789ABCDEF\n",
        "0123456789abcdef0123456789abcdef\n\n",
        "0123456789abcdef0123456789abcdef\nx",
    };
    CLEANUP_FREE char *file = path_join(directory, "host");

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CLEANUP(strbuf_release) struct strbuf kept = STRBUF_INIT;
        struct error err = ERROR_INIT;
        char *id = NULL;
        assert_int_equal(
            file_replace(file, texts[i], strlen(texts[i]), 0600, NULL), ERR_OK);
        assert_int_equal(host_id(directory, &id, &err), ERR_CORRUPT);
        assert_non_null(strstr(err.message, file));
        assert_int_equal(file_read(file, 1000, &kept, NULL), ERR_OK);
        assert_string_equal(kept.text, texts[i]);
    }
}

#define ASKERS 8

struct asker {
    char *id;
    err_code code;
};

static void *ask(void *argument)
{
    struct asker *asker = argument;

    asker->code = host_id(directory, &asker->id, NULL);
    return NULL;
}

/* A first start runs several commands at once, and so does a timer beside the
 * first screen: each of them must be the same host. */
static void all_who_ask_first_get_one_id(void **state)
{
    for (int round = 0; round < 50; round++) {
        struct asker askers[ASKERS] = {{.id = NULL}};
        pthread_t threads[ASKERS];
        CLEANUP_FREE char *file = path_join(directory, "host");
        CLEANUP_FREE char *kept = NULL;
        for (size_t i = 0; i < ASKERS; i++)
            threads[i] = thread_start(ask, &askers[i]);
        for (size_t i = 0; i < ASKERS; i++)
            thread_join(threads[i]);
        assert_int_equal(host_id(directory, &kept, NULL), ERR_OK);
        for (size_t i = 0; i < ASKERS; i++) {
            assert_int_equal(askers[i].code, ERR_OK);
            assert_string_equal(askers[i].id, kept);
            free(askers[i].id);
        }
        assert_int_equal(unlink(file), 0);
    }
}

static void paths_below_the_state_are_made(void **state)
{
    CLEANUP_FREE char *catalogue = NULL;
    CLEANUP_FREE char *scratch = NULL;
    CLEANUP_FREE char *volumes = path_join(directory, "volumes");
    CLEANUP_FREE char *expected = path_join(directory, "volumes/abc.db");
    struct stat found;

    assert_int_equal(host_catalogue_path(directory, "abc", &catalogue, NULL),
                     ERR_OK);
    assert_string_equal(catalogue, expected);
    assert_int_equal(stat(volumes, &found), 0);
    assert_true(S_ISDIR(found.st_mode));
    assert_int_equal(found.st_mode & 077, 0);
    assert_int_equal(host_scratch_directory(directory, &scratch, NULL), ERR_OK);
    assert_int_equal(stat(scratch, &found), 0);
    assert_int_equal(found.st_mode & 077, 0);
}

#define HOST_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(a_host_keeps_its_id),
        HOST_TEST(another_state_directory_is_another_host),
        HOST_TEST(a_damaged_id_is_refused_and_kept),
        HOST_TEST(all_who_ask_first_get_one_id),
        HOST_TEST(paths_below_the_state_are_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
