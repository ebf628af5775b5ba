/*
 * SQLite wrapped: transactions, statements that are found again, errors with
 * the path in them.
 */
#include "contract/scenery.h"

#include "core/db.h"

static char *directory, *path;

static int make_db(void **state)
{
    const char *temporary = getenv("TMPDIR");
    struct db *db;

    directory = xasprintf("%s/db-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(directory))
        return -1;
    path = path_join(directory, "test.db");
    if (db_open(path, DB_WRITE, &db, NULL) ||
        db_execute(db, "CREATE TABLE t (a INTEGER UNIQUE, b TEXT, c BLOB)",
                   NULL))
        return -1;
    *state = db;
    return 0;
}

static int remove_db(void **state)
{
    db_close(*state);
    remove_tree(directory);
    free(directory);
    free(path);
    return 0;
}

static err_code insert(struct db *db, int64_t a, const char *b)
{
    struct statement *statement;
    err_code code =
        db_prepare(db, "INSERT INTO t VALUES (?1, ?2, ?3)", &statement, NULL);

    if (code)
        return code;
    bind_int(statement, 1, a);
    bind_text(statement, 2, b);
    return statement_run(statement, NULL); /* ?3 stays NULL */
}

static int64_t count(struct db *db)
{
    struct statement *statement;
    bool has_row = false;

    assert_int_equal(db_prepare(db, "SELECT count(*) FROM t", &statement, NULL),
                     ERR_OK);
    assert_int_equal(statement_step(statement, &has_row, NULL), ERR_OK);
    assert_true(has_row);
    int64_t found = column_int(statement, 0);
    statement_done(statement);
    return found;
}

static void values_come_back_as_they_were_bound(void **state)
{
    static const int64_t numbers[] = {0, -1, INT64_MAX, INT64_MIN};
    static const char select[] = "SELECT a, b, c FROM t ORDER BY rowid";
    struct statement *statement;
    size_t length;
    bool has_row;

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        assert_int_equal(insert(*state, numbers[i], i % 2 ? NULL : "t\xff"),
                         ERR_OK);
    assert_int_equal(
        db_execute(*state, "UPDATE t SET c = x'0001' WHERE a = 0", NULL),
        ERR_OK);
    assert_int_equal(db_prepare(*state, select, &statement, NULL), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        assert_int_equal(statement_step(statement, &has_row, NULL), ERR_OK);
        assert_true(has_row);
        assert_true(column_int(statement, 0) == numbers[i]);
        assert_string_equal(column_text(statement, 1), i % 2 ? "" : "t\xff");
        assert_int_equal(column_is_null(statement, 1), i % 2);
        const void *bytes = column_blob(statement, 2, &length);
        assert_int_equal(length, i ? 0 : 2);
        if (!i)
            assert_memory_equal(bytes, "\0\1", 2);
    }
    assert_int_equal(statement_step(statement, &has_row, NULL), ERR_OK);
    assert_false(has_row);
    statement_done(statement);
}

/* By the address of its text: bound values never leak into the next use. */
static void a_statement_is_found_again_and_clean(void **state)
{
    static const char text[] = "SELECT ?1, ?2";
    struct statement *first, *second;
    bool has_row;

    assert_int_equal(db_prepare(*state, text, &first, NULL), ERR_OK);
    bind_int(first, 1, 7);
    bind_text(first, 2, "seven");
    assert_int_equal(statement_step(first, &has_row, NULL), ERR_OK);
    assert_int_equal(column_int(first, 0), 7);
    assert_int_equal(db_prepare(*state, text, &second, NULL), ERR_OK);
    assert_ptr_equal(first, second);
    assert_int_equal(statement_step(second, &has_row, NULL), ERR_OK);
    assert_true(column_is_null(second, 0));
    assert_true(column_is_null(second, 1));
    statement_done(second);
}

static void a_transaction_is_whole_or_nothing(void **state)
{
    assert_int_equal(db_begin(*state, NULL), ERR_OK);
    assert_int_equal(insert(*state, 1, "a"), ERR_OK);
    assert_int_equal(insert(*state, 2, "b"), ERR_OK);
    db_rollback(*state);
    db_rollback(*state); /* fine without one */
    assert_int_equal(count(*state), 0);
    assert_int_equal(db_begin(*state, NULL), ERR_OK);
    assert_int_equal(insert(*state, 1, "a"), ERR_OK);
    assert_int_equal(db_commit(*state, NULL), ERR_OK);
    db_rollback(*state);
    assert_int_equal(count(*state), 1);
}

static void a_transaction_does_not_nest_and_survives_the_attempt(void **state)
{
    struct error err = ERROR_INIT;

    assert_int_equal(db_begin(*state, NULL), ERR_OK);
    assert_int_equal(insert(*state, 1, "a"), ERR_OK);
    assert_int_not_equal(db_begin(*state, &err), ERR_OK);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(db_commit(*state, NULL), ERR_OK);
    assert_int_equal(count(*state), 1);
    assert_int_not_equal(db_commit(*state, NULL), ERR_OK);
}

static void a_statement_that_fails_can_be_used_again(void **state)
{
    assert_int_equal(insert(*state, 1, "a"), ERR_OK);
    assert_int_equal(insert(*state, 1, "again"), ERR_INTERNAL);
    assert_int_equal(insert(*state, 2, "b"), ERR_OK);
    assert_int_equal(count(*state), 2);
    assert_int_equal(db_last_rowid(*state), 2);
}

static void wrong_sql_is_an_error_with_the_path(void **state)
{
    struct statement *statement;
    struct error err = ERROR_INIT;

    assert_int_equal(db_execute(*state, "SELEKT", &err), ERR_INTERNAL);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "SELEKT"));
    assert_int_equal(
        db_prepare(*state, "SELECT nothing FROM t", &statement, &err),
        ERR_INTERNAL);
    assert_non_null(strstr(err.message, "nothing"));
    assert_string_equal(db_path(*state), path);
}

static void a_commit_that_returned_is_in_the_file(void **state)
{
    struct db *other;

    assert_int_equal(insert(*state, 1, "a"), ERR_OK);
    assert_int_equal(db_open(path, DB_READ, &other, NULL), ERR_OK);
    assert_int_equal(count(other), 1);
    assert_int_equal(insert(other, 2, "b"), ERR_DENIED);
    assert_int_equal(insert(*state, 3, "c"), ERR_OK);
    assert_int_equal(count(other), 2);
    db_close(other);
    db_close(NULL);
}

static void what_is_durable_is_asked_for(void **state)
{
    static const struct {
        const char *pragma, *value;
    } examples[] = {
        {"PRAGMA journal_mode", "wal"}, {"PRAGMA synchronous", "2"},
        {"PRAGMA fullfsync", "1"},      {"PRAGMA checkpoint_fullfsync", "1"},
        {"PRAGMA trusted_schema", "0"},
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        struct statement *statement;
        bool has_row;
        assert_int_equal(
            db_prepare(*state, examples[i].pragma, &statement, NULL), ERR_OK);
        assert_int_equal(statement_step(statement, &has_row, NULL), ERR_OK);
        assert_string_equal(column_text(statement, 0), examples[i].value);
        statement_done(statement);
    }
}

static void what_cannot_be_opened_is_named(void **state)
{
    CLEANUP_FREE char *missing = path_join(directory, "missing.db");
    CLEANUP_FREE char *nowhere = path_join(directory, "no/where.db");
    struct error err = ERROR_INIT;
    struct db *db;

    assert_int_equal(db_open(missing, DB_READ, &db, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, missing));
    assert_int_equal(access(missing, F_OK), -1);
    assert_int_equal(db_open(nowhere, DB_WRITE, &db, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, nowhere));
    assert_int_not_equal(db_open(directory, DB_WRITE, &db, &err), ERR_OK);
    assert_non_null(strstr(err.message, directory));
}

#define DB_TEST(test) cmocka_unit_test_setup_teardown(test, make_db, remove_db)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(values_come_back_as_they_were_bound),
        DB_TEST(a_statement_is_found_again_and_clean),
        DB_TEST(a_transaction_is_whole_or_nothing),
        DB_TEST(a_transaction_does_not_nest_and_survives_the_attempt),
        DB_TEST(a_statement_that_fails_can_be_used_again),
        DB_TEST(wrong_sql_is_an_error_with_the_path),
        DB_TEST(a_commit_that_returned_is_in_the_file),
        DB_TEST(what_is_durable_is_asked_for),
        DB_TEST(what_cannot_be_opened_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
