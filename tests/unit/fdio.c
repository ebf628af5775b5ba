/*
 * Whole reads and writes, and replacing a small file: after a failure the old
 * file is as it was and nothing lies beside it.
 */
#include "contract/scenery.h"

#include "core/base/fdio.h"

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

static char *directory;

static int make_directory(void **state)
{
    const char *temporary = getenv("TMPDIR");

    directory = xasprintf("%s/fdio-XXXXXX", temporary ? temporary : "/tmp");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    remove_tree(directory);
    free(directory);
    return 0;
}

static char *inside(const char *name)
{
    return path_join(directory, name);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *path, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;

    assert_int_equal(file_read(path, 1 << 20, &found, NULL), ERR_OK);
    assert_string_equal(found.text, text);
}

static int count_entries(const char *path)
{
    DIR *entries = opendir(path);
    int count = 0;

    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));)
        count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    closedir(entries);
    return count;
}

static mode_t mode_of(const char *path)
{
    struct stat found;

    assert_int_equal(lstat(path, &found), 0);
    return found.st_mode & 07777;
}

static err_code replace(const char *path, const char *text, mode_t mode)
{
    return file_replace(path, text, strlen(text), mode, NULL);
}

/* --- descriptors ------------------------------------------------------------
 */

static void do_nothing(int number)
{
}

struct slow_writer {
    int fd;
    size_t pieces;
};

static void *write_slowly(void *argument)
{
    const struct slow_writer *writer = argument;

    for (size_t i = 0; i < writer->pieces; i++) {
        struct timespec pause = {.tv_nsec = 200000};
        nanosleep(&pause, NULL);
        if (write(writer->fd, "0123456789", 10) != 10)
            return NULL;
    }
    close(writer->fd);
    return NULL;
}

/* The reads of a pipe are short, and interrupted all the time. */
static void interrupted_and_short_reads_go_on(void **state)
{
    struct sigaction action = {.sa_handler = do_nothing};
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    char bytes[2000];
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    struct slow_writer writer = {ends[1], 150};
    pthread_t thread = thread_start(write_slowly, &writer);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    ssize_t got = fd_read_full(ends[0], bytes, 1000);
    ssize_t rest = fd_read_full(ends[0], bytes + 1000, 1000);
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_IGN); /* one may still be on its way */
    thread_join(thread);
    close(ends[0]);
    assert_int_equal(got, 1000);
    assert_int_equal(rest, 500);
    for (size_t i = 0; i < 1500; i++)
        assert_int_equal(bytes[i], '0' + (int)(i % 10));
}

static void failed_reads_and_writes_say_why(void **state)
{
    int ends[2];
    char byte;

    assert_int_equal(fd_read_full(-1, &byte, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(fd_write_full(-1, "x", 1), EBADF);
    assert_int_equal(fd_write_full(-1, "", 0), 0);

    CLEANUP_FD int full = open("/dev/full", O_WRONLY);
    if (full >= 0)
        assert_int_equal(fd_write_full(full, "x", 1), ENOSPC);

    static char much[1 << 20];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fd_write_full(ends[1], much, sizeof much), EAGAIN);
    close(ends[0]);
    close(ends[1]);
}

static void a_file_of_exactly_the_limit_is_read_and_no_larger_one(void **state)
{
    static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 32768, 50000};
    CLEANUP_FREE char *path = inside("file");
    static char bytes[50001];

    memset(bytes, 'b', sizeof bytes);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(file_replace(path, bytes, sizes[i], 0600, NULL),
                         ERR_OK);
        strbuf_adds(&text, "before:");
        assert_int_equal(file_read(path, sizes[i], &text, &err), ERR_OK);
        assert_int_equal(text.length, sizes[i] + 7);
        assert_memory_equal(text.text, "before:", 7);
        assert_int_equal(file_replace(path, bytes, sizes[i] + 1, 0600, NULL),
                         ERR_OK);
        strbuf_reset(&text);
        assert_int_equal(file_read(path, sizes[i], &text, &err), ERR_INVALID);
        assert_non_null(strstr(err.message, path));
    }
}

static void what_cannot_be_read_is_named(void **state)
{
    CLEANUP_FREE char *path = inside("missing");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct error err = ERROR_INIT;

    assert_int_equal(file_read(path, 100, &text, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, path));
    assert_int_not_equal(file_read(directory, 100, &text, &err), ERR_OK);
    assert_non_null(strstr(err.message, directory));
    assert_int_equal(text.length, 0);
}

/* --- replacing --------------------------------------------------------------
 */

static void a_new_file_gets_the_mode_that_was_asked_for(void **state)
{
    static const mode_t modes[] = {0600, 0644, 0666, 0400};
    CLEANUP_FREE char *path = inside("new");
    mode_t before = umask(077);

    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        assert_int_equal(replace(path, "text", modes[i]), ERR_OK);
        assert_int_equal(mode_of(path), modes[i]);
        assert_int_equal(unlink(path), 0);
    }
    umask(before);
}

static void a_replaced_file_keeps_its_mode(void **state)
{
    CLEANUP_FREE char *path = inside("kept");

    write_text(path, "old");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(replace(path, "new", 0600), ERR_OK);
    assert_int_equal(mode_of(path), 0640);
    assert_content(path, "new");
    assert_int_equal(count_entries(directory), 1);
}

static void a_reader_never_sees_a_part(void **state)
{
    CLEANUP_FREE char *path = inside("whole");

    write_text(path, "old content");
    CLEANUP_FD int fd = open(path, O_RDONLY);
    char bytes[32] = "";
    assert_int_equal(replace(path, "new", 0600), ERR_OK);
    assert_int_equal(fd_read_full(fd, bytes, sizeof bytes), 11);
    assert_string_equal(bytes, "old content");
}

static void a_linked_file_stays_linked(void **state)
{
    CLEANUP_FREE char *real = inside("elsewhere/real");
    CLEANUP_FREE char *elsewhere = inside("elsewhere");
    CLEANUP_FREE char *first = inside("first");
    CLEANUP_FREE char *second = inside("second");
    struct stat found;

    assert_int_equal(mkdir(elsewhere, 0700), 0);
    write_text(real, "old");
    assert_int_equal(symlink("elsewhere/real", first), 0);
    assert_int_equal(symlink(first, second), 0);
    assert_int_equal(replace(second, "new", 0600), ERR_OK);
    assert_int_equal(lstat(second, &found), 0);
    assert_true(S_ISLNK(found.st_mode));
    assert_int_equal(lstat(first, &found), 0);
    assert_true(S_ISLNK(found.st_mode));
    assert_content(real, "new");
    assert_int_equal(count_entries(elsewhere), 1);
    assert_int_equal(count_entries(directory), 3);
}

/* Dotfiles are linked before their target is checked out. */
static void a_link_to_nothing_yet_stays_a_link(void **state)
{
    CLEANUP_FREE char *link = inside("link");
    CLEANUP_FREE char *real = inside("real");
    struct stat found;

    assert_int_equal(symlink("real", link), 0);
    assert_int_equal(replace(link, "new", 0600), ERR_OK);
    assert_int_equal(lstat(link, &found), 0);
    assert_true(S_ISLNK(found.st_mode));
    assert_content(real, "new");
}

static void a_link_that_leads_in_a_circle_is_no_file(void **state)
{
    CLEANUP_FREE char *link = inside("link");
    struct stat found;

    assert_int_equal(symlink("link", link), 0);
    assert_int_not_equal(replace(link, "new", 0600), ERR_OK);
    assert_int_equal(lstat(link, &found), 0);
    assert_true(S_ISLNK(found.st_mode));
    assert_int_equal(count_entries(directory), 1);
}

/* Killed while it writes: by the signal of a limit. */
static pid_t replace_and_die(const char *path)
{
    static char much[10000];
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (!child) {
        struct rlimit little = {4096, 4096}, no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        setrlimit(RLIMIT_FSIZE, &little);
        signal(SIGXFSZ, SIG_DFL);
        _exit((int)file_replace(path, much, sizeof much, 0600, NULL));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return child;
}

/* Gives what the child left the name that it would have of this process. */
static void take_over_leftover(pid_t child)
{
    CLEANUP_FREE char *its = xasprintf("%ld", (long)child);
    DIR *entries = opendir(directory);

    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        char *at = strstr(entry->d_name, its);
        if (!at)
            continue;
        CLEANUP_FREE char *before = inside(entry->d_name);
        CLEANUP_FREE char *name =
            xasprintf("%.*s%ld%s", (int)(at - entry->d_name), entry->d_name,
                      (long)getpid(), at + strlen(its));
        CLEANUP_FREE char *after = inside(name);
        assert_int_equal(rename(before, after), 0);
    }
    closedir(entries);
}

/* Where process ids are given out anew after each start (a container), the
 * next process has the number of the one that was killed. */
static void what_a_killed_process_left_does_not_stand_in_the_way(void **state)
{
    CLEANUP_FREE char *path = inside("file");

    write_text(path, "old");
    take_over_leftover(replace_and_die(path));
    assert_content(path, "old");
    assert_int_equal(count_entries(directory), 2);
    assert_int_equal(replace(path, "new", 0600), ERR_OK);
    assert_content(path, "new");
}

struct replacing {
    const char *path;
    char fill;
    _Atomic int failures;
};

static void *replace_often(void *argument)
{
    struct replacing *replacing = argument;
    static const size_t size = 20000;
    CLEANUP_FREE char *text = xmalloc(size);

    memset(text, replacing->fill, size);
    for (int i = 0; i < 20; i++)
        if (file_replace(replacing->path, text, size, 0600, NULL))
            atomic_fetch_add(&replacing->failures, 1);
    return NULL;
}

static void threads_that_replace_one_file_leave_a_whole_one(void **state)
{
    CLEANUP_FREE char *path = inside("file");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct replacing one = {path, 'a', 0}, other = {path, 'b', 0};

    pthread_t thread = thread_start(replace_often, &one);
    replace_often(&other);
    thread_join(thread);
    assert_int_equal(one.failures + other.failures, 0);
    assert_int_equal(file_read(path, 1 << 20, &text, NULL), ERR_OK);
    assert_int_equal(text.length, 20000);
    for (size_t i = 1; i < text.length; i++)
        assert_int_equal(text.text[i], *text.text);
    assert_int_equal(count_entries(directory), 1);
}

static void a_directory_is_not_replaced_and_nothing_is_left(void **state)
{
    CLEANUP_FREE char *path = inside("directory");
    struct error err = ERROR_INIT;

    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(file_replace(path, "x", 1, 0600, &err), ERR_OK);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(count_entries(directory), 1);
}

static void a_missing_directory_is_named(void **state)
{
    CLEANUP_FREE char *path = inside("missing/file");
    struct error err = ERROR_INIT;

    assert_int_equal(file_replace(path, "x", 1, 0600, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(count_entries(directory), 0);
}

static void a_file_that_may_not_be_so_long_leaves_the_old_one_and_nothing_else(
    void **state)
{
    static char much[10000];
    CLEANUP_FREE char *path = inside("file");
    struct rlimit before, little;
    struct error err = ERROR_INIT;

    write_text(path, "old");
    memset(much, 'm', sizeof much);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = (struct rlimit){4096, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    err_code code = file_replace(path, much, sizeof much, 0600, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(code, ERR_INVALID); /* EFBIG */
    assert_content(path, "old");
    assert_int_equal(count_entries(directory), 1);
}

/* --- directories ------------------------------------------------------------
 */

static void directories_are_made_down_to_the_last(void **state)
{
    CLEANUP_FREE char *deep = inside("a/b//c/d/");
    CLEANUP_FREE char *middle = inside("a/b");
    mode_t before = umask(0);

    assert_int_equal(directory_ensure(deep, NULL), ERR_OK);
    assert_int_equal(directory_ensure(deep, NULL), ERR_OK);
    umask(before);
    assert_int_equal(mode_of(deep), 0700);
    assert_int_equal(mode_of(middle), 0700);
    assert_int_equal(directory_ensure("/", NULL), ERR_OK);
    assert_int_equal(directory_ensure(".", NULL), ERR_OK);
}

static void a_linked_directory_is_one(void **state)
{
    CLEANUP_FREE char *real = inside("real");
    CLEANUP_FREE char *link = inside("link");
    CLEANUP_FREE char *below = inside("link/below");
    CLEANUP_FREE char *found = inside("real/below");

    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(symlink("real", link), 0);
    assert_int_equal(directory_ensure(link, NULL), ERR_OK);
    assert_int_equal(directory_ensure(below, NULL), ERR_OK);
    assert_int_equal(mode_of(found), 0700);
}

static void a_file_in_the_way_of_a_directory_is_named(void **state)
{
    CLEANUP_FREE char *file = inside("file");
    CLEANUP_FREE char *below = inside("file/below");
    struct error err = ERROR_INIT;

    write_text(file, "text");
    assert_int_not_equal(directory_ensure(below, &err), ERR_OK);
    assert_non_null(strstr(err.message, file));
    err = (struct error)ERROR_INIT;
    assert_int_not_equal(directory_ensure(file, &err), ERR_OK);
    assert_non_null(strstr(err.message, file));
    assert_content(file, "text");
}

#define FILE_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_and_short_reads_go_on),
        cmocka_unit_test(failed_reads_and_writes_say_why),
        FILE_TEST(a_file_of_exactly_the_limit_is_read_and_no_larger_one),
        FILE_TEST(what_cannot_be_read_is_named),
        FILE_TEST(a_new_file_gets_the_mode_that_was_asked_for),
        FILE_TEST(a_replaced_file_keeps_its_mode),
        FILE_TEST(a_reader_never_sees_a_part),
        FILE_TEST(a_linked_file_stays_linked),
        FILE_TEST(a_link_to_nothing_yet_stays_a_link),
        FILE_TEST(a_link_that_leads_in_a_circle_is_no_file),
        FILE_TEST(what_a_killed_process_left_does_not_stand_in_the_way),
        FILE_TEST(threads_that_replace_one_file_leave_a_whole_one),
        FILE_TEST(a_directory_is_not_replaced_and_nothing_is_left),
        FILE_TEST(a_missing_directory_is_named),
        FILE_TEST(
            a_file_that_may_not_be_so_long_leaves_the_old_one_and_nothing_else),
        FILE_TEST(directories_are_made_down_to_the_last),
        FILE_TEST(a_linked_directory_is_one),
        FILE_TEST(a_file_in_the_way_of_a_directory_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
