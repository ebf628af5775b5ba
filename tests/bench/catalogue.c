/*
 * One row per file, or one row per directory with all its files in it? The
 * same records in both forms, through core/db.h: loading, changing 1 %, reading
 * all, finding one, finding by name, and what it takes on the disk; then how
 * many rows make a transaction. No test: it prints figures, which stand in
 * docs/design.md with what was decided.
 *
 *     make bench-catalogue          (FILES=1000000, below $TMPDIR)
 */
#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/db.h"
#include "core/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH 4096

static int64_t files = 1000000, per_directory = 100;

struct bench {
    const char *name;
    bool is_packed;
    char *path;
    struct db *db;
    struct strbuf bytes;
    struct arena arena;
};

static void must(err_code code, const struct error *err)
{
    if (!code)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

/* --- the records --- */

static uint64_t mix(uint64_t number)
{
    number = (number ^ number >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 27) * UINT64_C(0x2545f4914f6cdd1d);
    return number ^ number >> 33;
}

static void name_file(int64_t file, char *out, size_t size)
{
    snprintf(out, size, "IMG_2024%04d_%06llx.jpeg", (int)(file % 1231),
             (unsigned long long)(mix((uint64_t)file) & 0xffffff));
}

static void encode_file(int64_t file, int64_t edition, struct strbuf *out)
{
    uint64_t random = mix((uint64_t)(file * 7 + edition));
    struct record record = {
        .type = ENTRY_FILE,
        .source = {.size_bytes = (int64_t)(random % 9000000),
                   .mtime_ns = (int64_t)(UINT64_C(1700000000123456789) +
                                         random % 10000000000000000),
                   .inode = (uint64_t)file + 17},
        .mode = 0644,
        .uid = 1000,
        .gid = 1000,
    };

    record.source.ctime_ns = record.source.mtime_ns + 5000000;
    record.source.btime_ns = record.source.mtime_ns - 3000000;
    record.stamp =
        (struct stamp){record.source.size_bytes, record.source.mtime_ns};
    record.committed_ns = record.source.mtime_ns + 700 * NS_PER_SECOND;
    record.hash = hash_of(&random, sizeof random);
    record_encode(&record, out);
}

/* --- a packed directory: key, NUL, length (4 bytes), record … --- */

static void pack_file(int64_t file, int64_t edition, struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf record = STRBUF_INIT;
    char name[64];

    name_file(file, name, sizeof name);
    encode_file(file, edition, &record);
    uint32_t length = (uint32_t)record.length;
    strbuf_add(out, name, strlen(name) + 1);
    strbuf_add(out, &length, sizeof length);
    strbuf_add(out, record.text, record.length);
}

/* The next file of a packed directory; false at its end. */
static bool unpack(const char *bytes, size_t size, size_t *at,
                   const char **out_name, const char **out_record,
                   uint32_t *out_length)
{
    if (*at >= size)
        return false;
    *out_name = bytes + *at;
    *at += strlen(*out_name) + 1;
    memcpy(out_length, bytes + *at, sizeof *out_length);
    *at += sizeof *out_length;
    *out_record = bytes + *at;
    *at += *out_length;
    return true;
}

/* --- writing --- */

static void begin(struct bench *bench)
{
    struct error err = ERROR_INIT;

    must(db_begin(bench->db, &err), &err);
}

static void commit(struct bench *bench)
{
    struct error err = ERROR_INIT;

    must(db_commit(bench->db, &err), &err);
}

static void put_row(struct bench *bench, int64_t file, int64_t edition)
{
    struct error err = ERROR_INIT;
    struct statement *insert;
    char name[64];

    name_file(file, name, sizeof name);
    strbuf_reset(&bench->bytes);
    encode_file(file, edition, &bench->bytes);
    must(db_prepare(bench->db, "INSERT OR REPLACE INTO entry VALUES (?1,?2,?3)",
                    &insert, &err),
         &err);
    bind_int(insert, 1, file / per_directory);
    bind_text(insert, 2, name);
    bind_blob(insert, 3, bench->bytes.text, bench->bytes.length);
    must(statement_run(insert, &err), &err);
}

static void put_packed(struct bench *bench, int64_t directory)
{
    struct error err = ERROR_INIT;
    struct statement *insert;

    must(db_prepare(bench->db, "INSERT OR REPLACE INTO packed VALUES (?1, ?2)",
                    &insert, &err),
         &err);
    bind_int(insert, 1, directory);
    bind_blob(insert, 2, bench->bytes.text, bench->bytes.length);
    must(statement_run(insert, &err), &err);
}

static void load(struct bench *bench, int64_t count, int64_t batch)
{
    for (int64_t file = 0; file < count; file++) {
        if (!(file % batch))
            begin(bench);
        if (!bench->is_packed) {
            put_row(bench, file, 0);
        } else {
            if (!(file % per_directory))
                strbuf_reset(&bench->bytes);
            pack_file(file, 0, &bench->bytes);
            if (file % per_directory == per_directory - 1)
                put_packed(bench, file / per_directory);
        }
        if (file % batch == batch - 1 || file == count - 1)
            commit(bench);
    }
}

/* One file of a packed directory: read, put together anew, written. */
static void change_packed(struct bench *bench, int64_t file)
{
    struct error err = ERROR_INIT;
    struct statement *select;
    const char *name, *record;
    char wanted[64];
    uint32_t length;
    bool has_row;
    size_t size, at = 0;

    name_file(file, wanted, sizeof wanted);
    must(db_prepare(bench->db, "SELECT files FROM packed WHERE directory = ?1",
                    &select, &err),
         &err);
    bind_int(select, 1, file / per_directory);
    must(statement_step(select, &has_row, &err), &err);
    const char *bytes = column_blob(select, 0, &size);
    strbuf_reset(&bench->bytes);
    while (unpack(bytes, size, &at, &name, &record, &length)) {
        if (!strcmp(name, wanted)) {
            pack_file(file, 1, &bench->bytes);
            continue;
        }
        strbuf_add(&bench->bytes, name, strlen(name) + 1);
        strbuf_add(&bench->bytes, &length, sizeof length);
        strbuf_add(&bench->bytes, record, length);
    }
    statement_done(select);
    put_packed(bench, file / per_directory);
}

/* `together`: all files of 1 % of the directories, else anywhere. */
static void change(struct bench *bench, bool together)
{
    int64_t count = files / 100;

    for (int64_t i = 0; i < count; i++) {
        int64_t file = together ? (i / per_directory * 100) * per_directory +
                                      i % per_directory
                                : (int64_t)(mix((uint64_t)i) % (uint64_t)files);
        if (!(i % BATCH))
            begin(bench);
        if (bench->is_packed)
            change_packed(bench, file);
        else
            put_row(bench, file, 1);
        if (i % BATCH == BATCH - 1 || i == count - 1)
            commit(bench);
    }
}

/* --- reading --- */

static int64_t seen;

static void look(struct bench *bench, const char *name, const void *bytes,
                 size_t length, bool decodes)
{
    struct error err = ERROR_INIT;
    struct record record;

    seen += strstr(name, "abcd") != NULL;
    if (!decodes)
        return;
    arena_reset(&bench->arena);
    must(record_decode(bytes, length, &bench->arena, &record, &err), &err);
    seen += record.source.size_bytes & 1;
}

static void look_at_packed(struct bench *bench, struct statement *select,
                           bool decodes)
{
    const char *name, *record;
    size_t size, at = 0;
    uint32_t length;
    const char *bytes = column_blob(select, 0, &size);

    while (unpack(bytes, size, &at, &name, &record, &length))
        look(bench, name, record, length, decodes);
}

static void look_at_directory(struct bench *bench, int64_t directory,
                              bool decodes)
{
    struct error err = ERROR_INIT;
    struct statement *select;
    bool has_row;

    err_code code =
        bench->is_packed
            ? db_prepare(bench->db,
                         "SELECT files FROM packed WHERE directory = ?1",
                         &select, &err)
            : db_prepare(bench->db,
                         "SELECT key, record FROM entry WHERE directory = ?1 "
                         "ORDER BY key",
                         &select, &err);
    must(code, &err);
    bind_int(select, 1, directory);
    while (!(code = statement_step(select, &has_row, &err)) && has_row) {
        size_t length;
        if (bench->is_packed) {
            look_at_packed(bench, select, decodes);
            continue;
        }
        const void *bytes = column_blob(select, 1, &length);
        look(bench, column_text(select, 0), bytes, length, decodes);
    }
    must(code, &err);
    statement_done(select);
}

static void walk(struct bench *bench, bool decodes)
{
    for (int64_t i = 0; i < files / per_directory; i++)
        look_at_directory(bench, i, decodes);
}

static void find_rows(struct bench *bench)
{
    struct error err = ERROR_INIT;
    struct statement *select;
    bool has_row;

    for (int64_t i = 0; i < 10000; i++) {
        int64_t file = (int64_t)(mix((uint64_t)i) % (uint64_t)files);
        char name[64];
        if (bench->is_packed) {
            look_at_directory(bench, file / per_directory, false);
            continue;
        }
        name_file(file, name, sizeof name);
        must(db_prepare(bench->db,
                        "SELECT record FROM entry WHERE directory = ?1 AND "
                        "key = ?2",
                        &select, &err),
             &err);
        bind_int(select, 1, file / per_directory);
        bind_text(select, 2, name);
        must(statement_step(select, &has_row, &err), &err);
        seen += has_row;
        statement_done(select);
    }
}

/* --- the figures --- */

static void open_bench(struct bench *bench)
{
    struct error err = ERROR_INIT;

    must(db_open(bench->path, DB_WRITE, &bench->db, &err), &err);
}

/* Closing writes the -wal back: what remains is the catalogue's size. */
static double megabytes(struct bench *bench)
{
    struct stat stat_of_file = {.st_size = 0};

    db_close(bench->db);
    stat(bench->path, &stat_of_file);
    open_bench(bench);
    return (double)stat_of_file.st_size / 1e6;
}

static void create(struct bench *bench)
{
    struct error err = ERROR_INIT;

    unlink(bench->path);
    open_bench(bench);
    must(db_execute(bench->db,
                    bench->is_packed
                        ? "CREATE TABLE packed (directory INTEGER PRIMARY "
                          "KEY, files BLOB NOT NULL);"
                        : "CREATE TABLE entry (directory INTEGER NOT NULL, "
                          "key TEXT NOT NULL, record BLOB NOT NULL, PRIMARY "
                          "KEY (directory, key)) WITHOUT ROWID;",
                    &err),
         &err);
}

static double since(int64_t started)
{
    return (double)(clock_monotonic_ns() - started) / 1e9;
}

#define TIMED(words, call)                                                     \
    do {                                                                       \
        int64_t started_ = clock_monotonic_ns();                               \
        call;                                                                  \
        printf("  %-34s %8.2f s\n", words, since(started_));                   \
    } while (0)

static void measure(struct bench *bench)
{
    create(bench);
    printf("%s\n", bench->name);
    TIMED("load", load(bench, files, BATCH));
    printf("  %-34s %8.1f MB\n", "size", megabytes(bench));
    TIMED("read all (a quick diff)", walk(bench, true));
    TIMED("names of all (find)", walk(bench, false));
    TIMED("10,000 single rows", find_rows(bench));
    TIMED("1 % changed, anywhere", change(bench, false));
    TIMED("1 % changed, whole directories", change(bench, true));
    printf("  %-34s %8.1f MB\n", "size after both", megabytes(bench));
    db_close(bench->db);
    unlink(bench->path);
}

/* One at a time, as a download directory is synced. */
static void change_each(struct bench *bench, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t file = (int64_t)(mix((uint64_t)i) % (uint64_t)per_directory);
        begin(bench);
        if (bench->is_packed)
            change_packed(bench, file);
        else
            put_row(bench, file, 1);
        commit(bench);
    }
}

static void measure_wide(struct bench *bench)
{
    create(bench);
    printf("%s: a directory of 100,000\n", bench->name);
    per_directory = 100000;
    load(bench, 100000, BATCH);
    TIMED("50 files changed, one by one", change_each(bench, 50));
    per_directory = 100;
    db_close(bench->db);
    unlink(bench->path);
}

static void measure_batches(struct bench *bench)
{
    static const int64_t batches[] = {64, 512, 4096, 32768};

    printf("one row per file, 100,000 rows, by rows in a transaction\n");
    for (size_t i = 0; i < COUNT_OF(batches); i++) {
        char words[32];
        create(bench);
        snprintf(words, sizeof words, "%lld", (long long)batches[i]);
        TIMED(words, load(bench, 100000, batches[i]));
        db_close(bench->db);
        unlink(bench->path);
    }
}

int main(void)
{
    const char *temporary = getenv("TMPDIR"), *chosen = getenv("FILES");
    CLEANUP_FREE char *path =
        path_join(temporary ? temporary : "/tmp", "berth-bench.db");
    struct bench rows = {.name = "one row per file", .path = path};
    struct bench packed = {.name = "one row per directory, packed",
                           .is_packed = true,
                           .path = path};

    if (chosen)
        files = strtoll(chosen, NULL, 10) / 10000 * 10000;
    printf("%lld files, 100 in each directory\n", (long long)files);
    measure(&rows);
    measure(&packed);
    measure_wide(&rows);
    measure_wide(&packed);
    measure_batches(&rows);
    return seen < 0;
}
