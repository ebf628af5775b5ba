/*
 * The catalogue in its file: rows against a naive model, what a second
 * connection sees, and files that are too new, foreign, damaged or full.
 */
#include "contract/scenery.h"

#include "core/base/array.h"
#include "core/catalogue.h"
#include "core/db.h"
#include "unit/dice.h"

#define VOLUME "0123456789abcdef0123456789abcdef"
#define OTHER_VOLUME "fedcba9876543210fedcba9876543210"
#define HOST "11111111111111111111111111111111"

static char *directory, *path;

/* In `*state`: an open catalogue with one owner in it. */
struct scene {
    struct catalogue *catalogue;
    struct owner owner;
};

static struct db *db_of(const struct scene *scene)
{
    return catalogue_db(scene->catalogue);
}

static int make_scene(void **state)
{
    const char *temporary = getenv("TMPDIR");
    struct scene *scene = xcalloc(1, sizeof *scene);

    directory =
        xasprintf("%s/catalogue-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(directory))
        return -1;
    path = path_join(directory, "volume.db");
    *state = scene;
    return catalogue_open(path, VOLUME, &scene->catalogue, NULL) ||
           catalogue_add_owner(scene->catalogue, HOST, "media", "m",
                               &scene->owner, NULL);
}

static void close_scene(struct scene *scene)
{
    catalogue_close(scene->catalogue);
    scene->catalogue = NULL;
}

static int remove_scene(void **state)
{
    struct scene *scene = *state;

    close_scene(scene);
    owner_release(&scene->owner);
    free(scene);
    remove_tree(directory);
    free(directory);
    free(path);
    return 0;
}

static void reopen(struct scene *scene)
{
    close_scene(scene);
    assert_int_equal(catalogue_open(path, VOLUME, &scene->catalogue, NULL),
                     ERR_OK);
}

static err_code put(struct scene *scene, const char *where,
                    enum entry_type type, uint32_t mode)
{
    struct record record = {.type = type, .mode = mode, .stamp = {mode, 0}};

    return catalogue_put(scene->catalogue, &scene->owner, where, &record, NULL);
}

/* The mode says which one it is; -1: there is none. */
static int64_t look(struct catalogue *catalogue, const struct owner *owner,
                    const char *where)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record record;
    err_code code =
        catalogue_find(catalogue, owner, where, &arena, &record, NULL);

    if (code == ERR_NOT_FOUND)
        return -1;
    assert_int_equal(code, ERR_OK);
    assert_string_equal(record.key, path_name(where));
    return record.mode;
}

static int64_t look_in(const struct scene *scene, const char *where)
{
    return look(scene->catalogue, &scene->owner, where);
}

static int64_t child_of(const struct scene *scene, const char *where)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record record;

    assert_int_equal(catalogue_find(scene->catalogue, &scene->owner, where,
                                    &arena, &record, NULL),
                     ERR_OK);
    return record.child;
}

static int64_t count_stored_rows(struct catalogue *catalogue)
{
    struct statement *select;
    bool has_row;

    assert_int_equal(db_prepare(catalogue_db(catalogue),
                                "SELECT count(*) FROM entry", &select, NULL),
                     ERR_OK);
    assert_int_equal(statement_step(select, &has_row, NULL), ERR_OK);
    int64_t count = column_int(select, 0);
    statement_done(select);
    return count;
}

/* --- rows --- */

static void a_row_is_found_where_it_was_put(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(put(scene, "a", ENTRY_FILE, 1), ERR_OK);
    assert_int_equal(put(scene, "d", ENTRY_DIRECTORY, 2), ERR_OK);
    assert_int_equal(put(scene, "d/a", ENTRY_FILE, 3), ERR_OK);
    assert_int_equal(put(scene, "d/e", ENTRY_DIRECTORY, 4), ERR_OK);
    assert_int_equal(put(scene, "d/e/a", ENTRY_SYMLINK, 5), ERR_OK);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(look_in(scene, "a"), 1);
        assert_int_equal(look_in(scene, "d"), 2);
        assert_int_equal(look_in(scene, "d/a"), 3);
        assert_int_equal(look_in(scene, "d/e"), 4);
        assert_int_equal(look_in(scene, "d/e/a"), 5);
        assert_int_equal(look_in(scene, "b"), -1);
        assert_int_equal(look_in(scene, "d/b"), -1);
        assert_int_equal(look_in(scene, "x/a"), -1);
        assert_int_equal(look_in(scene, "a/a"), -1);
        reopen(scene);
    }
}

static void a_row_needs_its_directory(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(put(scene, "d/a", ENTRY_FILE, 1), ERR_NOT_FOUND);
    assert_int_equal(put(scene, "a", ENTRY_FILE, 1), ERR_OK);
    assert_int_equal(put(scene, "a/b", ENTRY_FILE, 1), ERR_NOT_FOUND);
    assert_int_equal(count_stored_rows(scene->catalogue), 1);
}

static void every_key_that_is_a_name_can_be_stored(void **state)
{
    static const char *const keys[] = {"\x01", " ",    "'",     "\"", "%",
                                       "\xff", "\xc3", "a\xff", "ä",  "-",
                                       "🎞", "...",  "A",     "a"};
    struct scene *scene = *state;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(records_release) struct records rows = {.items = NULL};

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_int_equal(put(scene, keys[i], ENTRY_FILE, (uint32_t)i), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_int_equal(look_in(scene, keys[i]), i);
    assert_int_equal(catalogue_list(scene->catalogue, scene->owner.root, &arena,
                                    &rows, NULL),
                     ERR_OK);
    assert_int_equal(rows.count, COUNT_OF(keys));
    for (size_t i = 1; i < rows.count; i++)
        assert_true(strcmp(rows.items[i - 1].key, rows.items[i].key) < 0);
}

static void a_directory_that_is_put_again_keeps_what_is_below(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(put(scene, "d", ENTRY_DIRECTORY, 1), ERR_OK);
    assert_int_equal(put(scene, "d/a", ENTRY_FILE, 2), ERR_OK);
    int64_t child = child_of(scene, "d");
    assert_int_equal(put(scene, "d", ENTRY_DIRECTORY, 3), ERR_OK);
    assert_int_equal(look_in(scene, "d"), 3);
    assert_int_equal(look_in(scene, "d/a"), 2);
    assert_int_equal(child_of(scene, "d"), child);
}

static void a_file_in_place_of_a_directory_drops_what_was_below(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(put(scene, "d", ENTRY_DIRECTORY, 1), ERR_OK);
    assert_int_equal(put(scene, "d/e", ENTRY_DIRECTORY, 2), ERR_OK);
    assert_int_equal(put(scene, "d/e/a", ENTRY_FILE, 3), ERR_OK);
    assert_int_equal(put(scene, "d", ENTRY_FILE, 4), ERR_OK);
    assert_int_equal(look_in(scene, "d"), 4);
    assert_int_equal(child_of(scene, "d"), 0);
    assert_int_equal(look_in(scene, "d/e/a"), -1);
    assert_int_equal(count_stored_rows(scene->catalogue), 1);
    assert_int_equal(put(scene, "d", ENTRY_DIRECTORY, 5), ERR_OK);
    assert_int_equal(look_in(scene, "d/e"), -1);
}

static void ids_of_directories_are_never_used_twice(void **state)
{
    struct scene *scene = *state;
    int64_t last = scene->owner.root;

    for (int i = 0; i < 50; i++) {
        assert_int_equal(put(scene, "d", ENTRY_DIRECTORY, 1), ERR_OK);
        int64_t child = child_of(scene, "d");
        assert_true(child > last);
        last = child;
        if (i % 3)
            assert_int_equal(
                catalogue_remove(scene->catalogue, &scene->owner, "d", NULL),
                ERR_OK);
        else
            assert_int_equal(put(scene, "d", ENTRY_FILE, 2), ERR_OK);
        if (i % 7 == 0)
            reopen(scene);
    }
}

static void removing_is_fine_where_there_is_nothing(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(
        catalogue_remove(scene->catalogue, &scene->owner, "x", NULL), ERR_OK);
    assert_int_equal(
        catalogue_remove(scene->catalogue, &scene->owner, "x/y/z", NULL),
        ERR_OK);
}

/* What a transaction that was given up has made must not be remembered: the
 * id of its directory belongs to another one soon. */
static void a_rolled_back_directory_is_forgotten(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(db_begin(db_of(scene), NULL), ERR_OK);
    assert_int_equal(put(scene, "a", ENTRY_DIRECTORY, 1), ERR_OK);
    assert_int_equal(put(scene, "a/x", ENTRY_FILE, 2), ERR_OK);
    db_rollback(db_of(scene));
    assert_int_equal(look_in(scene, "a"), -1);
    assert_int_equal(put(scene, "b", ENTRY_DIRECTORY, 3), ERR_OK);
    assert_int_equal(put(scene, "b/x", ENTRY_FILE, 4), ERR_OK);
    assert_int_equal(look_in(scene, "a/x"), -1);
    assert_int_equal(put(scene, "a/y", ENTRY_FILE, 5), ERR_NOT_FOUND);
    assert_int_equal(look_in(scene, "b/y"), -1);
}

/* --- the model --- */

#define MOST_ROWS 300

struct model_row {
    char path[64];
    enum entry_type type;
    uint32_t mode;
};

struct model {
    struct model_row rows[MOST_ROWS];
    size_t count;
};

static struct model_row *model_find(struct model *model, const char *where)
{
    for (size_t i = 0; i < model->count; i++)
        if (!strcmp(model->rows[i].path, where))
            return &model->rows[i];
    return NULL;
}

static bool model_has_parent(struct model *model, const char *where)
{
    CLEANUP_FREE char *parent = xstrndup(where, path_parent_length(where));
    const struct model_row *row = model_find(model, parent);

    return !*parent || (row && row->type == ENTRY_DIRECTORY);
}

static void model_remove(struct model *model, const char *where, bool itself)
{
    size_t kept = 0;
    char root[64];

    strcpy(root, where);
    for (size_t i = 0; i < model->count; i++) {
        const struct model_row *row = &model->rows[i];
        bool goes = path_is_within(row->path, root) &&
                    (itself || strcmp(row->path, root) != 0);
        if (!goes)
            model->rows[kept++] = *row;
    }
    model->count = kept;
}

static void model_put(struct model *model, const char *where,
                      enum entry_type type, uint32_t mode)
{
    struct model_row *row = model_find(model, where);

    if (row && row->type == ENTRY_DIRECTORY && type != ENTRY_DIRECTORY)
        model_remove(model, where, false);
    row = model_find(model, where);
    if (!row) {
        row = &model->rows[model->count++];
        strcpy(row->path, where);
    }
    row->type = type;
    row->mode = mode;
}

static void model_move(struct model *model, const char *from, const char *to)
{
    for (size_t i = 0; i < model->count; i++) {
        struct model_row *row = &model->rows[i];
        char moved[128];
        if (!path_is_within(row->path, from))
            continue;
        snprintf(moved, sizeof moved, "%s%s", to, row->path + strlen(from));
        assert_true(strlen(moved) < sizeof row->path);
        strcpy(row->path, moved);
    }
}

static int compare_rows(const void *one, const void *other)
{
    return path_compare(((const struct model_row *)one)->path,
                        ((const struct model_row *)other)->path);
}

struct walked {
    struct model *model;
    size_t at;
    int64_t files, bytes;
};

static err_code check_walked(void *context, const char *where,
                             const char *drive_path,
                             const struct record *record, struct error *err)
{
    struct walked *walked = context;
    const struct model_row *row = &walked->model->rows[walked->at++];

    assert_true(walked->at <= walked->model->count);
    assert_string_equal(where, row->path);
    assert_string_equal(drive_path, row->path);
    assert_int_equal(record->type, row->type);
    assert_int_equal(record->mode, row->mode);
    walked->files += row->type != ENTRY_DIRECTORY;
    walked->bytes += row->type != ENTRY_DIRECTORY ? row->mode : 0;
    return ERR_OK;
}

static void check_model(struct scene *scene, struct model *model)
{
    struct walked walked = {.model = model};
    int64_t files, bytes;
    bool is_empty;

    qsort(model->rows, model->count, sizeof *model->rows, compare_rows);
    assert_int_equal(catalogue_walk(scene->catalogue, &scene->owner,
                                    check_walked, &walked, NULL),
                     ERR_OK);
    assert_int_equal(walked.at, model->count);
    assert_int_equal(
        catalogue_count(scene->catalogue, &scene->owner, &files, &bytes, NULL),
        ERR_OK);
    assert_int_equal(files, walked.files);
    assert_int_equal(bytes, walked.bytes);
    assert_int_equal(
        catalogue_is_empty(scene->catalogue, &scene->owner, &is_empty, NULL),
        ERR_OK);
    assert_int_equal(is_empty, !model->count);
    assert_int_equal(count_stored_rows(scene->catalogue), model->count);
}

static void random_path(struct dice *dice, char out[64])
{
    size_t depth = 1 + dice_below(dice, 4);

    *out = '\0';
    for (size_t i = 0; i < depth; i++)
        snprintf(out + strlen(out), 64 - strlen(out), "%s%c", i ? "/" : "",
                 (int)('a' + dice_below(dice, 5)));
}

static void move_at_random(struct dice *dice, struct scene *scene,
                           struct model *model)
{
    char from[64], to[64];

    random_path(dice, from);
    random_path(dice, to);
    const struct model_row *row = model_find(model, from);
    if (!row || row->type != ENTRY_DIRECTORY || model_find(model, to) ||
        path_is_within(to, from) || strlen(from) + strlen(to) > 30)
        return;
    struct record record = {.type = ENTRY_DIRECTORY, .mode = row->mode};
    err_code code = catalogue_move_directory(scene->catalogue, &scene->owner,
                                             from, to, &record, NULL);
    if (!model_has_parent(model, to)) {
        assert_int_equal(code, ERR_NOT_FOUND);
        return;
    }
    assert_int_equal(code, ERR_OK);
    model_move(model, from, to);
}

static void change_at_random(struct dice *dice, struct scene *scene,
                             struct model *model, uint32_t number)
{
    char where[64];
    enum entry_type type = (enum entry_type)dice_below(dice, 3);

    random_path(dice, where);
    const struct model_row *before = model_find(model, where);
    bool was_directory = before && before->type == ENTRY_DIRECTORY;
    if (was_directory ? !dice_one_in(dice, 10) : dice_one_in(dice, 2))
        type = ENTRY_DIRECTORY;
    switch (dice_below(dice, 16)) {
    case 0:
        assert_int_equal(
            catalogue_remove(scene->catalogue, &scene->owner, where, NULL),
            ERR_OK);
        model_remove(model, where, true);
        break;
    case 1:
        move_at_random(dice, scene, model);
        break;
    case 2: {
        const struct model_row *row = model_find(model, where);
        assert_int_equal(look_in(scene, where), row ? (int)row->mode : -1);
        break;
    }
    default:
        if (model->count == MOST_ROWS)
            break;
        if (model_has_parent(model, where)) {
            assert_int_equal(put(scene, where, type, number), ERR_OK);
            model_put(model, where, type, number);
        } else {
            assert_int_equal(put(scene, where, type, number), ERR_NOT_FOUND);
        }
    }
}

/* In transactions, some of which are given up: as batches are. */
static void rows_do_what_the_model_does(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(26));
    static struct model model, before;
    struct scene *scene = *state;
    uint32_t number = 0;
    size_t most = 0;

    model.count = 0;
    for (int batch = 0; batch < 60; batch++) {
        bool gives_up = dice_one_in(&dice, 4);
        before = model;
        assert_int_equal(db_begin(db_of(scene), NULL), ERR_OK);
        for (int i = 0; i < 50; i++)
            change_at_random(&dice, scene, &model, ++number);
        if (gives_up) {
            db_rollback(db_of(scene));
            model = before;
            reopen(scene); /* see a_rolled_back_directory_is_forgotten */
        } else {
            assert_int_equal(db_commit(db_of(scene), NULL), ERR_OK);
        }
        check_model(scene, &model);
        if (model.count > most)
            most = model.count;
    }
    assert_true(most > 30);
}

static void many_directories_are_told_apart(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(db_begin(db_of(scene), NULL), ERR_OK);
    for (uint32_t i = 0; i < 500; i++) {
        CLEANUP_FREE char *where = xasprintf("d%u", i);
        CLEANUP_FREE char *inside = xasprintf("d%u/x", i);
        assert_int_equal(put(scene, where, ENTRY_DIRECTORY, i), ERR_OK);
        assert_int_equal(put(scene, inside, ENTRY_FILE, i), ERR_OK);
    }
    assert_int_equal(db_commit(db_of(scene), NULL), ERR_OK);
    for (uint32_t i = 0; i < 500; i++) {
        CLEANUP_FREE char *inside = xasprintf("d%u/x", i);
        assert_int_equal(look_in(scene, inside), i);
    }
}

static void a_moved_directory_takes_everything_along(void **state)
{
    struct scene *scene = *state;
    struct record record = {.type = ENTRY_DIRECTORY, .mode = 9};

    assert_int_equal(put(scene, "a", ENTRY_DIRECTORY, 1), ERR_OK);
    assert_int_equal(put(scene, "a/b", ENTRY_DIRECTORY, 2), ERR_OK);
    assert_int_equal(put(scene, "a/b/x", ENTRY_FILE, 3), ERR_OK);
    assert_int_equal(put(scene, "c", ENTRY_DIRECTORY, 4), ERR_OK);
    int64_t child = child_of(scene, "a/b");
    for (int again = 0; again < 2; again++) { /* committed twice is once */
        assert_int_equal(catalogue_move_directory(scene->catalogue,
                                                  &scene->owner, "a/b", "c/d",
                                                  &record, NULL),
                         ERR_OK);
        assert_int_equal(look_in(scene, "a/b"), -1);
        assert_int_equal(look_in(scene, "a/b/x"), -1);
        assert_int_equal(look_in(scene, "c/d"), 9);
        assert_int_equal(look_in(scene, "c/d/x"), 3);
        assert_int_equal(child_of(scene, "c/d"), child);
    }
    assert_int_equal(put(scene, "a/b", ENTRY_DIRECTORY, 5), ERR_OK);
    assert_int_equal(look_in(scene, "a/b/x"), -1);
    assert_int_equal(look_in(scene, "c/d/x"), 3);
}

static err_code mark_visited(void *context, const char *where,
                             const char *drive_path,
                             const struct record *record, struct error *err)
{
    struct scene *scene = context;
    struct record marked = *record;

    marked.mode += 100;
    return catalogue_put(scene->catalogue, &scene->owner, where, &marked, err);
}

static err_code remove_visited(void *context, const char *where,
                               const char *drive_path,
                               const struct record *record, struct error *err)
{
    struct scene *scene = context;

    return catalogue_remove(scene->catalogue, &scene->owner, where, err);
}

static void a_visit_may_write_rows(void **state)
{
    struct scene *scene = *state;
    bool is_empty;

    assert_int_equal(put(scene, "a", ENTRY_DIRECTORY, 1), ERR_OK);
    assert_int_equal(put(scene, "a/b", ENTRY_DIRECTORY, 2), ERR_OK);
    assert_int_equal(put(scene, "a/b/x", ENTRY_FILE, 3), ERR_OK);
    assert_int_equal(put(scene, "c", ENTRY_FILE, 4), ERR_OK);
    assert_int_equal(catalogue_walk(scene->catalogue, &scene->owner,
                                    mark_visited, scene, NULL),
                     ERR_OK);
    assert_int_equal(look_in(scene, "a"), 101);
    assert_int_equal(look_in(scene, "a/b/x"), 103);
    assert_int_equal(look_in(scene, "c"), 104);
    assert_int_equal(catalogue_walk(scene->catalogue, &scene->owner,
                                    remove_visited, scene, NULL),
                     ERR_OK);
    assert_int_equal(
        catalogue_is_empty(scene->catalogue, &scene->owner, &is_empty, NULL),
        ERR_OK);
    assert_true(is_empty);
}

static err_code give_up(void *context, const char *where,
                        const char *drive_path, const struct record *record,
                        struct error *err)
{
    return ++*(int *)context == 2 ? ERR_CANCELLED : ERR_OK;
}

static void a_visit_that_fails_ends_the_walk(void **state)
{
    struct scene *scene = *state;
    int visits = 0;

    for (uint32_t i = 0; i < 5; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        assert_int_equal(put(scene, name, ENTRY_FILE, i), ERR_OK);
    }
    assert_int_equal(
        catalogue_walk(scene->catalogue, &scene->owner, give_up, &visits, NULL),
        ERR_CANCELLED);
    assert_int_equal(visits, 2);
    assert_int_equal(put(scene, "z", ENTRY_FILE, 1), ERR_OK);
}

static err_code check_drive_path(void *context, const char *where,
                                 const char *drive_path,
                                 const struct record *record, struct error *err)
{
    if (!strcmp(where, "a:b/c"))
        assert_string_equal(drive_path, "a_b/C");
    ++*(int *)context;
    return ERR_OK;
}

static void a_walk_knows_the_volumes_spelling(void **state)
{
    struct scene *scene = *state;
    struct record upper = {.type = ENTRY_DIRECTORY, .drive = "a_b"};
    struct record lower = {.type = ENTRY_FILE, .drive = "C"};
    int visits = 0;

    assert_int_equal(
        catalogue_put(scene->catalogue, &scene->owner, "a:b", &upper, NULL),
        ERR_OK);
    assert_int_equal(
        catalogue_put(scene->catalogue, &scene->owner, "a:b/c", &lower, NULL),
        ERR_OK);
    assert_int_equal(catalogue_walk(scene->catalogue, &scene->owner,
                                    check_drive_path, &visits, NULL),
                     ERR_OK);
    assert_int_equal(visits, 2);
}

/* --- owners --- */

static void owners_are_told_apart_by_host_job_and_directory(void **state)
{
    struct scene *scene = *state;
    static const char *const others[][3] = {
        {"22222222222222222222222222222222", "media", "m"},
        {HOST, "photos", "m"},
        {HOST, "media", "n"},
    };
    CLEANUP(owners_release) struct owners all = {.items = NULL};

    assert_int_equal(put(scene, "x", ENTRY_FILE, 7), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        CLEANUP(owner_release) struct owner other = {.id = 0};
        assert_int_equal(catalogue_find_owner(scene->catalogue, others[i][0],
                                              others[i][1], others[i][2],
                                              &other, NULL),
                         ERR_NOT_FOUND);
        assert_int_equal(catalogue_add_owner(scene->catalogue, others[i][0],
                                             others[i][1], others[i][2], &other,
                                             NULL),
                         ERR_OK);
        assert_int_not_equal(other.root, scene->owner.root);
        assert_int_equal(look(scene->catalogue, &other, "x"), -1);
    }
    assert_int_equal(catalogue_list_owners(scene->catalogue, &all, NULL),
                     ERR_OK);
    assert_int_equal(all.count, COUNT_OF(others) + 1);
    assert_int_equal(look_in(scene, "x"), 7);
}

static void what_is_remembered_of_an_owner_comes_back(void **state)
{
    struct scene *scene = *state;
    CLEANUP(owner_release) struct owner found = {.id = 0};

    assert_string_equal(scene->owner.source_identity, "");
    assert_int_equal(scene->owner.last_full_ns, 0);
    free(scene->owner.source_identity);
    scene->owner.source_identity = xstrdup("ext4 u1 / on /dev/sda1");
    scene->owner.last_full_ns = INT64_MAX;
    scene->owner.last_sync_ns = -5;
    assert_int_equal(
        catalogue_update_owner(scene->catalogue, &scene->owner, NULL), ERR_OK);
    reopen(scene);
    assert_int_equal(catalogue_find_owner(scene->catalogue, HOST, "media", "m",
                                          &found, NULL),
                     ERR_OK);
    assert_int_equal(found.id, scene->owner.id);
    assert_int_equal(found.root, scene->owner.root);
    assert_string_equal(found.source_identity, "ext4 u1 / on /dev/sda1");
    assert_true(found.last_full_ns == INT64_MAX);
    assert_true(found.last_sync_ns == -5);
}

static void an_owner_is_not_added_twice(void **state)
{
    struct scene *scene = *state;
    struct owner again;

    assert_int_not_equal(
        catalogue_add_owner(scene->catalogue, HOST, "media", "m", &again, NULL),
        ERR_OK);
    assert_int_equal(put(scene, "x", ENTRY_FILE, 7), ERR_OK);
}

/* --- versions --- */

static err_code add_version(struct scene *scene, const char *where,
                            const char *drive_path, int64_t created_ns,
                            bool has_record)
{
    const struct version version = {
        .owner = scene->owner.id,
        .path = where,
        .drive_path = drive_path,
        .reason = VERSION_DELETED,
        .run = 3,
        .created_ns = created_ns,
        .has_record = has_record,
        .record = {.type = ENTRY_FILE, .mode = 42},
    };

    return catalogue_add_version(scene->catalogue, &version, NULL);
}

struct versions {
    int count;
    char order[256];
};

static err_code note_version(void *context, const struct version *version,
                             struct error *err)
{
    struct versions *versions = context;

    versions->count++;
    snprintf(versions->order + strlen(versions->order),
             sizeof versions->order - strlen(versions->order), "%s:%s%s ",
             version->path, version->drive_path,
             version->has_record ? "" : "?");
    assert_int_equal(version->reason, VERSION_DELETED);
    assert_int_equal(version->run, 3);
    if (version->has_record)
        assert_int_equal(version->record.mode, 42);
    return ERR_OK;
}

static void versions_come_by_path_and_time_and_once(void **state)
{
    struct scene *scene = *state;
    struct versions versions = {.count = 0};

    assert_int_equal(add_version(scene, "b", "v/1", 10, true), ERR_OK);
    assert_int_equal(add_version(scene, "a", "v/2", 30, true), ERR_OK);
    assert_int_equal(add_version(scene, "a", "v/3", 20, false), ERR_OK);
    assert_int_equal(add_version(scene, "a", "v/3", 99, true), ERR_OK);
    assert_int_equal(catalogue_walk_versions(scene->catalogue, scene->owner.id,
                                             "", note_version, &versions, NULL),
                     ERR_OK);
    assert_string_equal(versions.order, "a:v/3? a:v/2 b:v/1 ");
    versions.count = 0;
    assert_int_equal(catalogue_walk_versions(scene->catalogue,
                                             scene->owner.id + 1, "",
                                             note_version, &versions, NULL),
                     ERR_OK);
    assert_int_equal(versions.count, 0);
}

static void versions_of_a_path_are_its_own_and_those_below_it(void **state)
{
    static const char *const paths[] = {"a",  "a!",  "a/b", "a/b/c",
                                        "a0", "a.b", "ab",  "A",
                                        "a/", "b",   "a/0", "aa/b"};
    struct scene *scene = *state;
    struct versions versions = {.count = 0};

    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_int_equal(
            add_version(scene, paths[i], paths[i], (int64_t)i, true), ERR_OK);
    assert_int_equal(catalogue_walk_versions(scene->catalogue, scene->owner.id,
                                             "a", note_version, &versions,
                                             NULL),
                     ERR_OK);
    assert_string_equal(versions.order,
                        "a:a a/:a/ a/0:a/0 a/b:a/b a/b/c:a/b/c ");
}

/* --- two connections --- */

static void a_reader_sees_only_what_is_committed(void **state)
{
    struct scene *scene = *state;
    CLEANUP(catalogue_close_pointer) struct catalogue *reader = NULL;

    assert_int_equal(catalogue_open_reader(path, &reader, NULL), ERR_OK);
    assert_int_equal(db_begin(db_of(scene), NULL), ERR_OK);
    assert_int_equal(put(scene, "x", ENTRY_FILE, 1), ERR_OK);
    assert_int_equal(look(reader, &scene->owner, "x"), -1);
    assert_int_equal(db_commit(db_of(scene), NULL), ERR_OK);
    assert_int_equal(look(reader, &scene->owner, "x"), 1);

    assert_int_equal(db_begin(db_of(scene), NULL), ERR_OK);
    assert_int_equal(put(scene, "x", ENTRY_FILE, 2), ERR_OK);
    assert_int_equal(
        catalogue_remove(scene->catalogue, &scene->owner, "x", NULL), ERR_OK);
    assert_int_equal(look(reader, &scene->owner, "x"), 1);
    db_rollback(db_of(scene));
    assert_int_equal(look(reader, &scene->owner, "x"), 1);
}

static void a_reader_cannot_write(void **state)
{
    struct scene *scene = *state;
    CLEANUP(catalogue_close_pointer) struct catalogue *reader = NULL;
    struct record record = {.type = ENTRY_FILE};

    assert_int_equal(catalogue_open_reader(path, &reader, NULL), ERR_OK);
    assert_int_equal(catalogue_put(reader, &scene->owner, "x", &record, NULL),
                     ERR_DENIED);
    assert_int_equal(look_in(scene, "x"), -1);
}

static void a_reader_needs_a_catalogue(void **state)
{
    struct catalogue *reader;
    CLEANUP_FREE char *missing = path_join(directory, "missing.db");
    CLEANUP_FREE char *empty = path_join(directory, "empty.db");

    assert_int_equal(catalogue_open_reader(missing, &reader, NULL),
                     ERR_NOT_FOUND);
    assert_int_not_equal(access(missing, F_OK), 0);
    assert_int_equal(file_replace(empty, "", 0, 0600, NULL), ERR_OK);
    assert_int_equal(catalogue_open_reader(empty, &reader, NULL),
                     ERR_NOT_FOUND);
}

/* --- the file --- */

static void small_facts_are_kept_by_name(void **state)
{
    struct scene *scene = *state;
    CLEANUP(strbuf_release) struct strbuf value = STRBUF_INIT;
    bool found = true;

    assert_int_equal(
        catalogue_get_meta(scene->catalogue, "x", &value, &found, NULL),
        ERR_OK);
    assert_false(found);
    assert_int_equal(catalogue_set_meta(scene->catalogue, "x", "1", NULL),
                     ERR_OK);
    assert_int_equal(catalogue_set_meta(scene->catalogue, "x", "two", NULL),
                     ERR_OK);
    reopen(scene);
    assert_int_equal(
        catalogue_get_meta(scene->catalogue, "x", &value, &found, NULL),
        ERR_OK);
    assert_true(found);
    assert_string_equal(value.text, "two");
}

static err_code try_open(const char *volume, struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;

    return catalogue_open(path, volume, &catalogue, err);
}

static err_code try_read(struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;

    return catalogue_open_reader(path, &catalogue, err);
}

static void a_newer_format_is_refused_and_left_as_it_is(void **state)
{
    static const char *const versions[] = {"3", "2147483647"};
    struct scene *scene = *state;

    assert_int_equal(put(scene, "x", ENTRY_FILE, 1), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct error err = ERROR_INIT;
        CLEANUP_FREE char *newer =
            xasprintf("PRAGMA user_version = %s", versions[i]);
        reopen(scene);
        assert_int_equal(db_execute(db_of(scene), newer, NULL), ERR_OK);
        close_scene(scene);
        assert_int_equal(try_open(VOLUME, &err), ERR_TOO_NEW);
        assert_non_null(strstr(err.message, "update berth"));
        assert_int_equal(try_read(&err), ERR_TOO_NEW);
        struct db *db;
        assert_int_equal(db_open(path, DB_WRITE, &db, NULL), ERR_OK);
        assert_int_equal(db_execute(db, "PRAGMA user_version = 1", NULL),
                         ERR_OK);
        db_close(db);
    }
    reopen(scene);
    assert_int_equal(look_in(scene, "x"), 1);
}

static void add_mount(void *context, const char *mount, const char *identity,
                      bool is_accepted)
{
    struct strbuf *text = context;

    strbuf_addf(text, "%s=%s%s;", mount, identity, is_accepted ? "!" : "");
}

static void assert_mounts(const struct scene *scene, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    assert_int_equal(catalogue_list_mounts(scene->catalogue, scene->owner.id,
                                           add_mount, &text, NULL),
                     ERR_OK);
    assert_string_equal(text.length ? text.text : "", expected);
}

static int64_t format_of(const struct scene *scene)
{
    struct statement *select;
    bool has_row;

    assert_int_equal(
        db_prepare(db_of(scene), "PRAGMA user_version", &select, NULL), ERR_OK);
    assert_int_equal(statement_step(select, &has_row, NULL), ERR_OK);
    int64_t format = column_int(select, 0);
    statement_done(select);
    return format;
}

static void what_was_mounted_where_is_remembered(void **state)
{
    struct scene *scene = *state;
    struct catalogue *catalogue = scene->catalogue;
    int64_t owner = scene->owner.id;

    assert_mounts(scene, "");
    assert_int_equal(catalogue_forget_mount(catalogue, owner, "x", NULL),
                     ERR_OK);
    assert_int_equal(
        catalogue_record_mount(catalogue, owner, "b/c", "one", false, NULL),
        ERR_OK);
    assert_int_equal(
        catalogue_record_mount(catalogue, owner, "a", "two", true, NULL),
        ERR_OK);
    assert_int_equal(
        catalogue_record_mount(catalogue, owner + 1, "a", "no", true, NULL),
        ERR_OK);
    assert_mounts(scene, "a=two!;b/c=one;");
    assert_int_equal(
        catalogue_record_mount(catalogue, owner, "a", "three", false, NULL),
        ERR_OK);
    assert_int_equal(catalogue_forget_mount(catalogue, owner, "b/c", NULL),
                     ERR_OK);
    reopen(scene);
    assert_mounts(scene, "a=three;");
    assert_int_equal(
        catalogue_remove_owner(scene->catalogue, &scene->owner, NULL), ERR_OK);
    assert_mounts(scene, "");
}

/* A berth that knows nothing of mounts would take one that is missing for a
 * lot of deleted files; whoever has none may go back to it. */
static void only_a_mount_makes_a_catalogue_too_new_for_older_ones(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(put(scene, "x", ENTRY_FILE, 1), ERR_OK);
    assert_int_equal(format_of(scene), 1);
    assert_int_equal(catalogue_record_mount(scene->catalogue, scene->owner.id,
                                            "a", "one", false, NULL),
                     ERR_OK);
    assert_int_equal(format_of(scene), 2);
    reopen(scene);
    assert_int_equal(look_in(scene, "x"), 1);
    assert_mounts(scene, "a=one;");
}

static void another_volumes_file_is_refused_and_left_as_it_is(void **state)
{
    struct scene *scene = *state;
    struct error err = ERROR_INIT;

    assert_int_equal(put(scene, "x", ENTRY_FILE, 1), ERR_OK);
    close_scene(scene);
    assert_int_equal(try_open(OTHER_VOLUME, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.message, VOLUME));
    assert_non_null(strstr(err.message, OTHER_VOLUME));
    reopen(scene);
    assert_int_equal(look_in(scene, "x"), 1);
}

static void another_programs_database_is_refused(void **state)
{
    struct scene *scene = *state;
    struct error err = ERROR_INIT;
    struct db *db;

    close_scene(scene);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(db_open(path, DB_WRITE, &db, NULL), ERR_OK);
    assert_int_equal(db_execute(db,
                                "CREATE TABLE meta (a);"
                                "INSERT INTO meta VALUES (7);",
                                NULL),
                     ERR_OK);
    db_close(db);
    assert_int_not_equal(try_open(VOLUME, &err), ERR_OK);
    assert_true(*err.message);
    assert_int_equal(try_read(&err), ERR_NOT_FOUND);
}

static void a_file_that_is_no_database_is_named(void **state)
{
    static char noise[8192];
    struct scene *scene = *state;
    struct error err = ERROR_INIT;

    close_scene(scene);
    memset(noise, 'n', sizeof noise);
    assert_int_equal(file_replace(path, noise, sizeof noise, 0600, NULL),
                     ERR_OK);
    assert_int_equal(try_open(VOLUME, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(try_read(&err), ERR_CORRUPT);
    assert_non_null(strstr(err.message, path));
}

static err_code ignore(void *context, const char *where, const char *drive_path,
                       const struct record *record, struct error *err)
{
    return ERR_OK;
}

/* Everything that reads; whichever page is damaged, the worst is an error. */
static void read_everything(const char *volume)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    struct error err = ERROR_INIT;

    if (catalogue_open(path, volume, &catalogue, &err) ||
        catalogue_list_owners(catalogue, &owners, &err)) {
        assert_true(*err.message);
        return;
    }
    for (size_t i = 0; i < owners.count; i++) {
        err = (struct error)ERROR_INIT;
        if (catalogue_walk(catalogue, &owners.items[i], ignore, NULL, &err))
            assert_true(*err.message);
    }
}

static void a_damaged_file_is_at_worst_an_error(void **state)
{
    struct dice dice = dice_new(dice_seed_of_environment(27));
    struct scene *scene = *state;
    CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT;

    assert_int_equal(db_begin(db_of(scene), NULL), ERR_OK);
    for (uint32_t i = 0; i < 400; i++) {
        CLEANUP_FREE char *name = xasprintf("%s%u", i % 20 ? "d/" : "d", i);
        put(scene, "d", ENTRY_DIRECTORY, 1);
        put(scene, name, ENTRY_FILE, i);
    }
    assert_int_equal(db_commit(db_of(scene), NULL), ERR_OK);
    close_scene(scene);
    assert_int_equal(file_read(path, 1 << 24, &whole, NULL), ERR_OK);
    for (int round = 0; round < 120; round++) {
        CLEANUP_FREE char *copy = xmalloc(whole.length);
        size_t length = whole.length;
        memcpy(copy, whole.text, length);
        if (round % 4 == 0)
            length = dice_below(&dice, length);
        for (size_t i = 0; length && i < 1 + dice_below(&dice, 30); i++)
            copy[dice_below(&dice, length)] = (char)dice_next(&dice);
        assert_int_equal(file_replace(path, copy, length, 0600, NULL), ERR_OK);
        read_everything(VOLUME);
        CLEANUP_FREE char *wal = xasprintf("%s-wal", path);
        CLEANUP_FREE char *shared = xasprintf("%s-shm", path);
        unlink(wal);
        unlink(shared);
    }
}

static void a_damaged_row_is_an_error_of_its_directory(void **state)
{
    struct scene *scene = *state;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    CLEANUP(records_release) struct records rows = {.items = NULL};
    struct error err = ERROR_INIT;
    static const char *const damages[] = {
        "UPDATE entry SET record = x'01' WHERE key = 'x'",
        "UPDATE entry SET record = x'' WHERE key = 'x'",
        "UPDATE entry SET record = x'63' WHERE key = 'x'",
        "UPDATE entry SET record = 'text' WHERE key = 'x'",
        "UPDATE entry SET record = 17 WHERE key = 'x'",
    };

    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        assert_int_equal(put(scene, "x", ENTRY_FILE, 1), ERR_OK);
        assert_int_equal(put(scene, "y", ENTRY_FILE, 2), ERR_OK);
        assert_int_equal(db_execute(db_of(scene), damages[i], NULL), ERR_OK);
        assert_int_equal(catalogue_list(scene->catalogue, scene->owner.root,
                                        &arena, &rows, &err),
                         ERR_CORRUPT);
        assert_int_equal(look_in(scene, "y"), 2);
        assert_int_equal(
            db_execute(db_of(scene), "DELETE FROM entry WHERE key = 'x'", NULL),
            ERR_OK);
    }
}

static void a_full_disk_loses_the_batch_and_nothing_else(void **state)
{
    struct scene *scene = *state;
    err_code code = ERR_OK;
    struct error err = ERROR_INIT;
    uint32_t last = 0;

    assert_int_equal(put(scene, "before", ENTRY_FILE, 1), ERR_OK);
    assert_int_equal(
        db_execute(db_of(scene), "PRAGMA max_page_count = 30", NULL), ERR_OK);
    assert_int_equal(db_begin(db_of(scene), NULL), ERR_OK);
    for (uint32_t i = 0; !code && i < 100000; i++) {
        CLEANUP_FREE char *name = xasprintf("file %u", i);
        struct record record = {.type = ENTRY_FILE, .mode = i};
        code =
            catalogue_put(scene->catalogue, &scene->owner, name, &record, &err);
        last = i;
    }
    assert_int_equal(code, ERR_NO_SPACE);
    assert_non_null(strstr(err.message, path));
    assert_true(last > 10);
    db_rollback(db_of(scene));
    assert_int_equal(look_in(scene, "before"), 1);
    assert_int_equal(look_in(scene, "file 0"), -1);
    assert_int_equal(
        db_execute(db_of(scene), "PRAGMA max_page_count = 100000", NULL),
        ERR_OK);
    assert_int_equal(put(scene, "after", ENTRY_FILE, 2), ERR_OK);
    reopen(scene);
    assert_int_equal(look_in(scene, "after"), 2);
}

static void a_catalogue_in_a_missing_directory_is_named(void **state)
{
    struct catalogue *catalogue;
    struct error err = ERROR_INIT;
    CLEANUP_FREE char *missing = path_join(directory, "missing/volume.db");

    assert_int_not_equal(catalogue_open(missing, VOLUME, &catalogue, &err),
                         ERR_OK);
    assert_non_null(strstr(err.message, missing));
    catalogue_close(NULL);
}

#define SCENE_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(a_row_is_found_where_it_was_put),
        SCENE_TEST(a_row_needs_its_directory),
        SCENE_TEST(every_key_that_is_a_name_can_be_stored),
        SCENE_TEST(a_directory_that_is_put_again_keeps_what_is_below),
        SCENE_TEST(a_file_in_place_of_a_directory_drops_what_was_below),
        SCENE_TEST(ids_of_directories_are_never_used_twice),
        SCENE_TEST(removing_is_fine_where_there_is_nothing),
        SCENE_TEST(a_rolled_back_directory_is_forgotten),
        SCENE_TEST(rows_do_what_the_model_does),
        SCENE_TEST(many_directories_are_told_apart),
        SCENE_TEST(a_moved_directory_takes_everything_along),
        SCENE_TEST(a_visit_may_write_rows),
        SCENE_TEST(a_visit_that_fails_ends_the_walk),
        SCENE_TEST(a_walk_knows_the_volumes_spelling),
        SCENE_TEST(owners_are_told_apart_by_host_job_and_directory),
        SCENE_TEST(what_is_remembered_of_an_owner_comes_back),
        SCENE_TEST(an_owner_is_not_added_twice),
        SCENE_TEST(versions_come_by_path_and_time_and_once),
        SCENE_TEST(versions_of_a_path_are_its_own_and_those_below_it),
        SCENE_TEST(a_reader_sees_only_what_is_committed),
        SCENE_TEST(a_reader_cannot_write),
        SCENE_TEST(a_reader_needs_a_catalogue),
        SCENE_TEST(small_facts_are_kept_by_name),
        SCENE_TEST(a_newer_format_is_refused_and_left_as_it_is),
        SCENE_TEST(what_was_mounted_where_is_remembered),
        SCENE_TEST(only_a_mount_makes_a_catalogue_too_new_for_older_ones),
        SCENE_TEST(another_volumes_file_is_refused_and_left_as_it_is),
        SCENE_TEST(another_programs_database_is_refused),
        SCENE_TEST(a_file_that_is_no_database_is_named),
        SCENE_TEST(a_damaged_file_is_at_worst_an_error),
        SCENE_TEST(a_damaged_row_is_an_error_of_its_directory),
        SCENE_TEST(a_full_disk_loses_the_batch_and_nothing_else),
        SCENE_TEST(a_catalogue_in_a_missing_directory_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
