/* The rows of several catalogues, side by side. */
#include "contract/scenery.h"

#include "core/base/path.h"
#include "core/copies.h"

static char *sandbox;
static struct catalogue *catalogues[2];
static struct owner owners[2];
static struct copies_side sides[3]; /* the third has never been synced */

static int make_scene(void **state)
{
    static const char id[] = "0123456789abcdef0123456789abcdef";
    const char *temporary = getenv("TMPDIR");

    sandbox = xasprintf("%s/copies-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(sandbox));
    for (int i = 0; i < 2; i++) {
        CLEANUP_FREE char *path = xasprintf("%s/%d.db", sandbox, i);
        assert_int_equal(catalogue_open(path, id, &catalogues[i], NULL),
                         ERR_OK);
        assert_int_equal(catalogue_add_owner(catalogues[i], "host", "job", "",
                                             &owners[i], NULL),
                         ERR_OK);
        sides[i] = (struct copies_side){catalogues[i], &owners[i]};
    }
    return 0;
}

static int remove_scene(void **state)
{
    for (int i = 0; i < 2; i++) {
        catalogue_close(catalogues[i]);
        owner_release(&owners[i]);
    }
    remove_tree(sandbox);
    free(sandbox);
    return 0;
}

static void put(int side, const char *path, enum entry_type type,
                const char *drive)
{
    const struct record record = {.type = type, .drive = drive};

    assert_int_equal(
        catalogue_put(catalogues[side], &owners[side], path, &record, NULL),
        ERR_OK);
}

/* "path:drive name on each side " of every visit; "-" for none. */
static err_code note(void *context, const struct copies_entry *entry,
                     struct error *err)
{
    struct strbuf *seen = context;

    strbuf_addf(seen, "%s:", entry->path);
    for (int i = 0; i < 3; i++)
        strbuf_addf(seen, "%s%s", i ? "," : "",
                    entry->rows[i] ? entry->drive[i] : "-");
    strbuf_adds(seen, " ");
    return strstr(entry->path, "stop") ? ERR_CANCELLED : ERR_OK;
}

static void expect(const char *under, const char *visits)
{
    CLEANUP(strbuf_release) struct strbuf seen = STRBUF_INIT;

    assert_int_equal(copies_walk(sides, 3, under, note, &seen, NULL), ERR_OK);
    assert_string_equal(seen.text ? seen.text : "", visits);
}

static void fill(void)
{
    put(0, "a", ENTRY_FILE, NULL);
    put(0, "d", ENTRY_DIRECTORY, "D");
    put(0, "d/x", ENTRY_FILE, NULL);
    put(0, "d/z", ENTRY_SYMLINK, NULL);
    put(1, "b", ENTRY_FILE, "B");
    put(1, "d", ENTRY_DIRECTORY, NULL);
    put(1, "d/x", ENTRY_FILE, "X");
    put(1, "d/y", ENTRY_FILE, NULL);
}

static void every_file_is_visited_once_with_the_rows_of_all_sides(void **state)
{
    fill();
    expect("", "a:a,-,- b:-,B,- d/x:D/x,d/X,- d/y:-,d/y,- d/z:D/z,-,- ");
}

static void only_what_is_asked_for_is_visited(void **state)
{
    fill();
    expect("d", "d/x:D/x,d/X,- d/y:-,d/y,- d/z:D/z,-,- ");
    expect("d/y", "d/y:-,d/y,- ");
    expect("a", "a:a,-,- ");
    expect("d/none", "");
}

static void a_file_here_and_a_directory_there_are_both_visited(void **state)
{
    put(0, "n", ENTRY_FILE, NULL);
    put(1, "n", ENTRY_DIRECTORY, NULL);
    put(1, "n/below", ENTRY_FILE, NULL);
    expect("", "n:n,-,- n/below:-,n/below,- ");
}

static void a_visit_that_fails_ends_the_walk(void **state)
{
    CLEANUP(strbuf_release) struct strbuf seen = STRBUF_INIT;

    put(0, "a stop", ENTRY_FILE, NULL);
    put(0, "b", ENTRY_FILE, NULL);
    assert_int_equal(copies_walk(sides, 3, "", note, &seen, NULL),
                     ERR_CANCELLED);
    assert_string_equal(seen.text, "a stop:a stop,-,- ");
}

#define SCENE_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(every_file_is_visited_once_with_the_rows_of_all_sides),
        SCENE_TEST(only_what_is_asked_for_is_visited),
        SCENE_TEST(a_file_here_and_a_directory_there_are_both_visited),
        SCENE_TEST(a_visit_that_fails_ends_the_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
