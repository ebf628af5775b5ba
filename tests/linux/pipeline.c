/*
 * Large files on their way, past the page cache where $TMPDIR's filesystem
 * allows it: every byte arrives and is hashed, and every way to fail ends it.
 */
#include "contract/scenery.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/pipeline.h"
#include "platform/platform_io.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#define MIB ((size_t)1 << 20)

static char *base;

static int make_base(void **state)
{
    const char *temporary = getenv("TMPDIR");

    base = xasprintf("%s/pipeline-XXXXXX", temporary ? temporary : "/tmp");
    return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state)
{
    remove_tree(base);
    free(base);
    return 0;
}

static char *make_bytes(size_t size)
{
    char *bytes = xmalloc(size + 1);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 ^ i >> 12);
    return bytes;
}

static int open_file(const char *name, int flags)
{
    CLEANUP_FREE char *path = path_join(base, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

static int make_source(const char *bytes, size_t size)
{
    int fd = open_file("source", O_RDWR | O_CREAT | O_TRUNC);

    assert_int_equal(fd_write_full(fd, bytes, size), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void assert_holds(int fd, const char *bytes, size_t size)
{
    CLEANUP_FREE char *found = xmalloc(size + 1);

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(fd_read_full(fd, found, size + 1), size);
    assert_memory_equal(found, bytes, size);
}

struct moves {
    int64_t bytes;
    int64_t fails_from; /* 0: never */
};

static err_code note(void *context, int64_t before, int64_t after,
                     struct error *err)
{
    struct moves *moves = context;

    assert_int_equal(before, moves->bytes);
    assert_true(after > before);
    moves->bytes = after;
    return moves->fails_from && after >= moves->fails_from
               ? error_set(err, ERR_CANCELLED, "stopped on request")
               : ERR_OK;
}

static err_code run(int from, int to, size_t limit, struct moves *moves,
                    struct hash *out_hash, int64_t *out_done)
{
    struct pipeline *pipeline = pipeline_new();
    struct hasher *hasher = hasher_new();
    const struct pipeline_job job = {
        .from = from,
        .to = to,
        .limit_bytes = (int64_t)limit,
        .hasher = hasher,
        .context = moves,
        .moved = note,
    };

    hasher_reset(hasher);
    err_code code = pipeline_run(pipeline, &job, out_done, NULL);
    *out_hash = hasher_digest(hasher);
    hasher_free(hasher);
    pipeline_free(pipeline);
    return code;
}

/* Copies `limit` of `size` bytes and looks at what arrived. */
static void copy_and_check(size_t size, size_t limit)
{
    CLEANUP_FREE char *bytes = make_bytes(size);
    CLEANUP_FD int from = make_source(bytes, size);
    CLEANUP_FD int to = open_file("target", O_RDWR | O_CREAT | O_TRUNC);
    size_t expected = limit < size ? limit : size;
    struct moves moves = {0};
    struct hash hash;
    int64_t done;

    assert_int_equal(run(from, to, limit, &moves, &hash, &done), ERR_OK);
    assert_int_equal(done, expected);
    assert_int_equal(moves.bytes, expected);
    struct hash wanted = hash_of(bytes, expected);
    assert_true(hash_equal(&hash, &wanted));
    assert_holds(to, bytes, expected);
}

static void every_byte_arrives_whatever_the_length(void **state)
{
    static const size_t sizes[] = {
        MIB,         MIB + 1,     2 * MIB - 1,    2 * MIB, 2 * MIB + 1,
        2 * MIB + 7, 6 * MIB - 5, 6 * MIB + 4096, 9 * MIB, 9 * MIB + 511,
    };

    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        copy_and_check(sizes[i], sizes[i]);
}

static void a_source_that_ends_early_is_told(void **state)
{
    copy_and_check(3 * MIB + 100, 5 * MIB);
    copy_and_check(2 * MIB, 2 * MIB + 1);
    copy_and_check(0, 2 * MIB);
}

static void a_source_that_grew_is_read_to_the_limit(void **state)
{
    copy_and_check(5 * MIB, 3 * MIB + 100);
    copy_and_check(5 * MIB, 1 * MIB + 4096);
}

static void without_a_target_it_is_only_hashed(void **state)
{
    size_t size = 3 * MIB + 17;
    CLEANUP_FREE char *bytes = make_bytes(size);
    CLEANUP_FD int from = make_source(bytes, size);
    struct moves moves = {0};
    struct hash hash, wanted = hash_of(bytes, size);
    int64_t done;

    assert_int_equal(run(from, -1, size, &moves, &hash, &done), ERR_OK);
    assert_true(hash_equal(&hash, &wanted));
}

static void what_is_appended_goes_behind_what_is_there(void **state)
{
    CLEANUP_FREE char *bytes = make_bytes(5 * MIB);
    CLEANUP_FD int from = make_source(bytes, 5 * MIB);
    CLEANUP_FD int to = open_file("target", O_RDWR | O_CREAT | O_TRUNC);
    size_t before = MIB + 123; /* where no cache can be gone past */
    struct moves moves = {0};
    struct hash hash;
    int64_t done;

    assert_int_equal(fd_write_full(to, bytes, before), 0);
    assert_int_equal(lseek(from, (off_t)before, SEEK_SET), before);
    assert_int_equal(run(from, to, 5 * MIB, &moves, &hash, &done), ERR_OK);
    assert_int_equal(done, 5 * MIB - before);
    assert_holds(to, bytes, 5 * MIB);
}

static void a_stop_ends_it_between_pieces(void **state)
{
    CLEANUP_FREE char *bytes = make_bytes(9 * MIB);
    CLEANUP_FD int from = make_source(bytes, 9 * MIB);
    CLEANUP_FD int to = open_file("target", O_RDWR | O_CREAT | O_TRUNC);
    struct moves moves = {.fails_from = 1};
    struct hash hash;
    int64_t done;

    assert_int_equal(run(from, to, 9 * MIB, &moves, &hash, &done),
                     ERR_CANCELLED);
    assert_true(done < (int64_t)(9 * MIB));
}

static void a_source_that_cannot_be_read_is_a_failure(void **state)
{
    CLEANUP_FD int from = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int to = open_file("target", O_RDWR | O_CREAT | O_TRUNC);
    struct moves moves = {0};
    struct hash hash;
    int64_t done;

    assert_int_not_equal(run(from, to, 2 * MIB, &moves, &hash, &done), ERR_OK);
    assert_int_equal(done, 0);
}

static void a_target_that_takes_no_more_is_a_failure(void **state)
{
    CLEANUP_FREE char *bytes = make_bytes(9 * MIB);
    CLEANUP_FD int from = make_source(bytes, 9 * MIB);
    CLEANUP_FD int to = open_file("target", O_RDWR | O_CREAT | O_TRUNC);
    struct rlimit before, small;
    struct moves moves = {0};
    struct hash hash;
    int64_t done;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 5 * MIB;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    err_code code = run(from, to, 9 * MIB, &moves, &hash, &done);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_not_equal(code, ERR_OK);
    assert_true(moves.bytes <= (int64_t)(5 * MIB));
}

static void the_cache_is_gone_past_where_it_lies_above_a_device(void **state)
{
    CLEANUP_FD int fd = open_file("any", O_RDWR | O_CREAT);
    bool has_device = platform_bypass_cache(fd, true);

    assert_int_equal(!!(fcntl(fd, F_GETFL) & O_DIRECT), has_device);
    assert_false(platform_bypass_cache(fd, false));
    assert_false(fcntl(fd, F_GETFL) & O_DIRECT);
    if (!has_device)
        SKIP_BECAUSE("the filesystem of $TMPDIR has no device below it");
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, make_base, remove_base)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_byte_arrives_whatever_the_length),
        TEST(a_source_that_ends_early_is_told),
        TEST(a_source_that_grew_is_read_to_the_limit),
        TEST(without_a_target_it_is_only_hashed),
        TEST(what_is_appended_goes_behind_what_is_there),
        TEST(a_stop_ends_it_between_pieces),
        TEST(a_source_that_cannot_be_read_is_a_failure),
        TEST(a_target_that_takes_no_more_is_a_failure),
        TEST(the_cache_is_gone_past_where_it_lies_above_a_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
