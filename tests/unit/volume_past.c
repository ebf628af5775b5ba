/*
 * What a volume's catalogue tells the list of drives: times of this machine's
 * own jobs, a damaged catalogue, and one that was never there.
 */
#include "contract/scenery.h"

#include "core/catalogue.h"
#include "core/host.h"
#include "core/journal.h"
#include "core/volume_past.h"

#define VOLUME "0123456789abcdef0123456789abcdef"
#define HOST "11111111111111111111111111111111"
#define OTHER_HOST "22222222222222222222222222222222"

struct scene {
    char *directory, *path;
    struct catalogue *catalogue;
};

static int make_scene(void **state)
{
    const char *temporary = getenv("TMPDIR");
    struct scene *scene = xcalloc(1, sizeof *scene);

    scene->directory =
        xasprintf("%s/past-XXXXXX", temporary ? temporary : "/tmp");
    *state = scene;
    return !mkdtemp(scene->directory) ||
           host_catalogue_path(scene->directory, VOLUME, &scene->path, NULL) ||
           catalogue_open(scene->path, VOLUME, &scene->catalogue, NULL);
}

static int remove_scene(void **state)
{
    struct scene *scene = *state;

    catalogue_close(scene->catalogue);
    remove_tree(scene->directory);
    free(scene->directory);
    free(scene->path);
    free(scene);
    return 0;
}

static void sync_job(struct scene *scene, const char *host, const char *job,
                     int64_t last_sync_ns)
{
    CLEANUP(owner_release) struct owner owner = {.id = 0};

    assert_int_equal(
        catalogue_add_owner(scene->catalogue, host, job, job, &owner, NULL),
        ERR_OK);
    owner.last_sync_ns = last_sync_ns;
    assert_int_equal(catalogue_update_owner(scene->catalogue, &owner, NULL),
                     ERR_OK);
}

static struct volume_past read_past(const struct scene *scene)
{
    struct volume_past past;

    volume_past_read(&past, scene->directory, HOST, VOLUME);
    assert_true(past.is_read);
    return past;
}

static void the_job_that_waits_longest_counts_and_only_this_machines(
    void **state)
{
    sync_job(*state, OTHER_HOST, "first", 1);
    sync_job(*state, HOST, "later", 9);
    sync_job(*state, HOST, "sooner", 7);
    sync_job(*state, OTHER_HOST, "last", 2);
    struct volume_past past = read_past(*state);
    assert_int_equal(past.code, ERR_OK);
    assert_int_equal(past.last_sync_ns, 7);
    assert_false(past.has_failed_flush);
    assert_false(past.has_open_session);
    assert_string_equal(past.filesystem, "");
    volume_past_release(&past);
    assert_false(past.is_read);
}

static void one_that_was_never_synced_from_here_remembers_nothing(void **state)
{
    struct scene *scene = *state;
    struct volume_past past;

    volume_past_read(&past, scene->directory, HOST,
                     "fedcba9876543210fedcba9876543210");
    assert_int_equal(past.code, ERR_OK);
    assert_null(past.message);
    assert_int_equal(past.last_seen_ns, 0);
    volume_past_release(&past);
}

static void a_catalogue_that_cannot_be_read_is_told_with_its_reason(
    void **state)
{
    struct scene *scene = *state;

    catalogue_close(scene->catalogue);
    scene->catalogue = NULL;
    FILE *file = fopen(scene->path, "w");
    assert_non_null(file);
    assert_true(fputs("not a database, but long enough to be looked at", file) >
                0);
    assert_int_equal(fclose(file), 0);
    struct volume_past past = read_past(scene);
    assert_int_not_equal(past.code, ERR_OK);
    assert_non_null(strstr(past.message, scene->path));
    assert_string_equal(past.filesystem, "");
    volume_past_release(&past);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_job_that_waits_longest_counts_and_only_this_machines,
            make_scene, remove_scene),
        cmocka_unit_test_setup_teardown(
            one_that_was_never_synced_from_here_remembers_nothing, make_scene,
            remove_scene),
        cmocka_unit_test_setup_teardown(
            a_catalogue_that_cannot_be_read_is_told_with_its_reason, make_scene,
            remove_scene),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
