/*
 * integrity_check on a finished copy, for databases of which we do not know
 * the program: what it says counts where it is about damage, and does not
 * where it is about something that only their program has.
 */
#include "core/sqlite_copy.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum {
    FINDINGS = 100,       /* of one integrity_check: SQLite's own default */
    STAND_INS_LIMIT = 64, /* functions that only the program knows */
    NAME_SIZE = 256,
};

struct check {
    bool is_structure_only; /* what is said about rows does not count */
    int rows;               /* that came */
    char finding[512];      /* the first that counts, or "" */
};

static void close_database(sqlite3 **database)
{
    sqlite3_close(*database);
}

static int open_database(const char *path, sqlite3 **out)
{
    int result = sqlite3_open_v2(path, out, SQLITE_OPEN_READONLY, NULL);

    if (result)
        return result;
    sqlite3_extended_result_codes(*out, 1);
    sqlite3_db_config(*out, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(*out, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    /*
     * Without its module a virtual table is left alone, as before 3.44: its
     * content is in ordinary tables, which are checked, and its index may be
     * behind them (FTS5 with external content) without any damage.
     */
    sqlite3_drop_modules(*out, NULL);
    /* The size last: reading the schema sets one from the header. */
    return sqlite3_exec(*out,
                        "PRAGMA ignore_check_constraints = ON;"
                        "PRAGMA cache_size = -2000",
                        NULL, NULL, NULL);
}

/*
 * What integrity_check says about values that their column should not have.
 * SQLite let them in (a constraint came later, or the program switched it
 * off); they are what the user has, and refusing to copy them helps nobody.
 */
static bool is_about_values(const char *finding)
{
    return !strncmp(finding, "NULL value in ", 14) ||
           !strncmp(finding, "NUMERIC value in ", 17) ||
           !strncmp(finding, "TEXT value in ", 14) ||
           (!strncmp(finding, "non-", 4) &&
            strncmp(finding, "non-unique ", 11) &&
            strstr(finding, " value in "));
}

/* "*** in database main ***\n" stands before what is wrong with the trees. */
static bool is_about_structure(const char *finding)
{
    return !strncmp(finding, "*** ", 4);
}

static void keep_finding(struct check *check, const char *text)
{
    const char *line = strchr(text, '\n');

    if (line && is_about_structure(text))
        text = line + 1;
    snprintf(check->finding, sizeof check->finding, "%.*s",
             (int)strcspn(text, "\n"), text);
}

/* SQLITE_DONE when it ran to its end, or to a finding. */
static int run_check(sqlite3 *database, const char *pragma, struct check *check)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(database, pragma, -1, &statement, NULL);

    check->rows = 0;
    if (!result)
        result = SQLITE_ROW;
    while (result == SQLITE_ROW && !*check->finding) {
        result = sqlite3_step(statement);
        if (result != SQLITE_ROW)
            break;
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        check->rows++;
        if (text && strcmp(text, "ok") && !is_about_values(text) &&
            (!check->is_structure_only || is_about_structure(text)))
            keep_finding(check, text);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_ROW ? SQLITE_DONE : result;
}

/*
 * The trees come first, so that a full list without one of them means that
 * they are sound; only then more is asked for, because SQLite collects what it
 * finds there in memory.
 */
static int run_full_check(sqlite3 *database, struct check *check)
{
    int result = run_check(database, "PRAGMA integrity_check(100)", check);

    if (result == SQLITE_DONE && check->rows >= FINDINGS && !*check->finding)
        result =
            run_check(database, "PRAGMA integrity_check(2000000000)", check);
    return result;
}

/*
 * --- when something is missing ---
 *
 * A collation, function or tokenizer that only its program registers makes
 * the pragma fail before it has looked at anything, with SQLITE_ERROR; damage
 * is SQLITE_CORRUPT or a finding. Then, in two passes:
 *
 *   the trees of the whole database, with stand-ins for what is missing, by
 *   quick_check, which compares no keys. What it says about rows is ignored;
 *
 *   rows against indexes, table by table and without stand-ins, leaving out
 *   the tables for which that fails.
 */
static int compare_bytes(void *unused, int one_length, const void *one,
                         int other_length, const void *other)
{
    int shorter = one_length < other_length ? one_length : other_length;
    int order = shorter ? memcmp(one, other, (size_t)shorter) : 0;

    return order ? order : one_length - other_length;
}

static void stand_in_for_collation(void *unused, sqlite3 *database,
                                   int encoding, const char *name)
{
    sqlite3_create_collation(database, name, encoding, NULL, compare_bytes);
}

static void answer_null(sqlite3_context *context, int count,
                        sqlite3_value **arguments)
{
    sqlite3_result_null(context);
}

/*
 * SQLite names a missing function only in words: "no such function: NAME" or
 * "unknown function: NAME()".
 */
static bool stand_in_for_function(sqlite3 *database)
{
    char name[NAME_SIZE];
    const char *words = sqlite3_errmsg(database);
    const char *start = strstr(words, "function: ");

    if (!start)
        return false;
    start += strlen("function: ");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(start, "("), start);
    return !sqlite3_create_function_v2(database, name, -1,
                                       SQLITE_UTF8 | SQLITE_DETERMINISTIC |
                                           SQLITE_INNOCUOUS,
                                       NULL, answer_null, NULL, NULL, NULL);
}

static int check_structure(sqlite3 *database, struct check *check)
{
    int result = SQLITE_ERROR;

    check->is_structure_only = true;
    sqlite3_collation_needed(database, NULL, stand_in_for_collation);
    for (int tries = 0; tries < STAND_INS_LIMIT; tries++) {
        result = run_check(database, "PRAGMA quick_check(100)", check);
        if ((result & 0xff) != SQLITE_ERROR || !stand_in_for_function(database))
            break;
    }
    return result;
}

static int check_table(sqlite3 *database, const char *table,
                       struct check *check)
{
    char *pragma = sqlite3_mprintf("PRAGMA integrity_check(%Q)", table);

    if (!pragma)
        return SQLITE_NOMEM;
    int result = run_check(database, pragma, check);
    sqlite3_free(pragma);
    return (result & 0xff) == SQLITE_ERROR ? SQLITE_DONE : result;
}

static int check_tables(sqlite3 *database, struct check *check)
{
    sqlite3_stmt *tables = NULL;
    int result = sqlite3_prepare_v2(database,
                                    "SELECT name FROM sqlite_master "
                                    "WHERE type = 'table' AND rootpage > 0",
                                    -1, &tables, NULL);

    while (!result || result == SQLITE_DONE) {
        int step = sqlite3_step(tables);
        if (step != SQLITE_ROW) {
            result = step;
            break;
        }
        result = check_table(
            database, (const char *)sqlite3_column_text(tables, 0), check);
        if (*check->finding)
            break;
    }
    sqlite3_finalize(tables);
    return result;
}

/* --- the verdict --- */

static err_code judge(sqlite3 *database, int result, const struct check *check,
                      const char *name, struct error *err)
{
    int kind = result & 0xff;

    if (*check->finding)
        return error_set(err, ERR_CORRUPT,
                         "%s: damaged: integrity_check says: %s: restore it "
                         "from a copy that is sound",
                         name, check->finding);
    if (result == SQLITE_DONE)
        return ERR_OK;
    if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
        return error_set(err, ERR_CORRUPT,
                         "%s: damaged, or made by an SQLite newer than %s: %s: "
                         "look at it with the program that it belongs to",
                         name, sqlite3_libversion(), sqlite3_errmsg(database));
    if (kind == SQLITE_ERROR)
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: SQLite %s cannot check it: %s: copy it with the "
                         "program that it belongs to",
                         name, sqlite3_libversion(), sqlite3_errmsg(database));
    return error_set(err, kind == SQLITE_NOMEM ? ERR_INTERNAL : ERR_IO,
                     "%s: its copy cannot be checked: %s", name,
                     sqlite3_errmsg(database));
}

/* Each in a connection of its own: stand-ins stay with theirs. */
static err_code check_with(int (*run)(sqlite3 *, struct check *),
                           const char *path, const char *name,
                           bool *out_lacks_something, struct error *err)
{
    CLEANUP(close_database) sqlite3 *database = NULL;
    struct check check = {0};
    int result = open_database(path, &database);

    if (!result)
        result = run(database, &check);
    *out_lacks_something = (result & 0xff) == SQLITE_ERROR;
    return judge(database, result, &check, name, err);
}

err_code sqlite_check_file(const char *path, const char *name,
                           struct error *err)
{
    bool lacks_something = false;
    err_code code =
        check_with(run_full_check, path, name, &lacks_something, err);

    if (!lacks_something)
        return code;
    code = check_with(check_structure, path, name, &lacks_something, err);
    if (!code)
        code = check_with(check_tables, path, name, &lacks_something, err);
    return code;
}
