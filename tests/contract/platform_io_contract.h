/*
 * What platform_io.h promises, asked of whichever backend is linked in.
 *
 * Included once by a test program, which chooses where the tests happen:
 *
 *     contract_base = "/a/directory/of/its/own";
 *     const struct CMUnitTest tests[] = {PLATFORM_IO_CONTRACT};
 *
 * Every test gets a fresh directory below contract_base with an open
 * descriptor. POSIX only. PLATFORM_IO_CONTRACT_PLAIN leaves out what exFAT
 * cannot show.
 */
#ifndef BERTH_PLATFORM_IO_CONTRACT_H
#define BERTH_PLATFORM_IO_CONTRACT_H

#include "contract/scenery.h"

static const char *contract_base;

struct contract {
    char *path;
    int root_fd;
    struct error err;
};

/* --- scenery ------------------------------------------------------------ */

static int contract_setup(void **state)
{
    struct contract *contract = xcalloc(1, sizeof *contract);

    contract->path = xasprintf("%s/contract-XXXXXX", contract_base);
    assert_non_null(mkdtemp(contract->path));
    assert_int_equal(
        platform_open_root(contract->path, &contract->root_fd, &contract->err),
        ERR_OK);
    *state = contract;
    return 0;
}

static int contract_teardown(void **state)
{
    struct contract *contract = *state;

    close(contract->root_fd);
    remove_tree(contract->path);
    free(contract->path);
    free(contract);
    return 0;
}

static void make_directory(struct contract *contract, const char *path)
{
    assert_int_equal(mkdirat(contract->root_fd, path, 0755), 0);
}

static void make_file(struct contract *contract, const char *path,
                      const char *text)
{
    int fd =
        openat(contract->root_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
    assert_int_equal(close(fd), 0);
}

/* False, after saying why, where the filesystem has no symlinks. */
static bool make_symlink(struct contract *contract, const char *target,
                         const char *path)
{
    return symlinkat(target, contract->root_fd, path) == 0;
}

static err_code open_it(struct contract *contract, const char *path,
                        enum platform_open how, int *out_fd)
{
    contract->err = (struct error)ERROR_INIT;
    *out_fd = -1;
    return platform_open_beneath(contract->root_fd, path, how, out_fd,
                                 &contract->err);
}

/* Opening must fail so, leave the descriptor alone and name the path. */
static void expect_refused(struct contract *contract, const char *path,
                           enum platform_open how, err_code expected)
{
    int fd;
    err_code code = open_it(contract, path, how, &fd);

    if (code != expected)
        print_message("%s (%d): %s, not %s: %s\n", path, (int)how,
                      error_code_name(code), error_code_name(expected),
                      contract->err.message);
    assert_int_equal(code, expected);
    assert_int_equal(fd, -1);
    assert_int_equal(contract->err.code, expected);
    assert_non_null(strstr(contract->err.message, path));
}

static void expect_text(int fd, const char *text)
{
    char buffer[256] = "";

    assert_int_equal(fd_read_full(fd, buffer, sizeof buffer - 1),
                     (int)strlen(text));
    assert_string_equal(buffer, text);
}

/* --- opening ------------------------------------------------------------ */

static void a_file_is_created_private_and_found_again(void **state)
{
    struct contract *contract = *state;
    struct stat found;
    int fd;

    make_directory(contract, "a");
    assert_int_equal(open_it(contract, "a/new", PLATFORM_OPEN_CREATE, &fd),
                     ERR_OK);
    assert_int_equal(fd_write_full(fd, "hello", 5), 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fstat(fd, &found), 0);
    assert_true(S_ISREG(found.st_mode));
    close(fd);
    assert_int_equal(open_it(contract, "a/new", PLATFORM_OPEN_READ, &fd),
                     ERR_OK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    expect_text(fd, "hello");
    close(fd);
    if (!fchmodat(contract->root_fd, "a", 0700, 0) &&
        !fstatat(contract->root_fd, "a", &found, 0) &&
        (found.st_mode & 0777) == 0700) { /* there are modes here */
        assert_int_equal(fstatat(contract->root_fd, "a/new", &found, 0), 0);
        assert_int_equal(found.st_mode & 077, 0);
    }
}

static void creating_over_anything_is_refused(void **state)
{
    struct contract *contract = *state;

    make_file(contract, "file", "old");
    make_directory(contract, "directory");
    expect_refused(contract, "file", PLATFORM_OPEN_CREATE, ERR_EXISTS);
    expect_refused(contract, "directory", PLATFORM_OPEN_CREATE, ERR_EXISTS);
    if (make_symlink(contract, "nowhere", "dangling")) {
        struct stat found;
        int fd;
        err_code code =
            open_it(contract, "dangling", PLATFORM_OPEN_CREATE, &fd);
        assert_true(code == ERR_EXISTS || code == ERR_CHANGED);
        assert_int_equal(fd, -1);
        assert_int_equal(
            fstatat(contract->root_fd, "nowhere", &found, AT_SYMLINK_NOFOLLOW),
            -1);
    }
}

static void a_symlink_planted_in_the_path_is_refused(void **state)
{
    struct contract *contract = *state;
    static const enum platform_open hows[] = {
        PLATFORM_OPEN_READ, PLATFORM_OPEN_APPEND, PLATFORM_OPEN_DIRECTORY};
    struct platform_stat stat;
    char *target = NULL;

    make_directory(contract, "real");
    make_directory(contract, "real/below");
    make_file(contract, "real/file", "inside");
    if (!make_symlink(contract, "real", "door"))
        SKIP_BECAUSE("this filesystem has no symlinks");
    assert_true(make_symlink(contract, "real/file", "last"));
    for (size_t i = 0; i < COUNT_OF(hows); i++) {
        expect_refused(contract, "door/file", hows[i], ERR_CHANGED);
        assert_non_null(strstr(contract->err.message, "symlink"));
        expect_refused(contract, "door/below", hows[i], ERR_CHANGED);
        expect_refused(contract, "last", hows[i], ERR_CHANGED);
        assert_non_null(strstr(contract->err.message, "symlink"));
        expect_refused(contract, "door", hows[i], ERR_CHANGED);
    }
    expect_refused(contract, "door/new", PLATFORM_OPEN_CREATE, ERR_CHANGED);
    assert_int_equal(platform_stat_beneath(contract->root_fd, "door/file",
                                           &stat, &contract->err),
                     ERR_CHANGED);
    assert_int_equal(platform_read_link(contract->root_fd, "door/file", &target,
                                        &contract->err),
                     ERR_CHANGED);
    assert_null(target);
}

static void a_path_that_leaves_the_root_is_refused(void **state)
{
    struct contract *contract = *state;
    static const char *const paths[] = {"..",   "../x", "a/../b", "/etc",
                                        "a//b", "a/",   "./a",    "."};
    struct platform_stat stat;

    make_directory(contract, "a");
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        expect_refused(contract, paths[i], PLATFORM_OPEN_READ, ERR_INVALID);
        expect_refused(contract, paths[i], PLATFORM_OPEN_CREATE, ERR_INVALID);
        expect_refused(contract, paths[i], PLATFORM_OPEN_DIRECTORY,
                       ERR_INVALID);
        assert_int_equal(
            platform_stat_beneath(contract->root_fd, paths[i], &stat, NULL),
            ERR_INVALID);
    }
}

static void what_is_of_another_type_is_refused(void **state)
{
    struct contract *contract = *state;

    make_directory(contract, "directory");
    make_file(contract, "file", "x");
    expect_refused(contract, "directory", PLATFORM_OPEN_READ, ERR_CHANGED);
    expect_refused(contract, "directory", PLATFORM_OPEN_APPEND, ERR_CHANGED);
    expect_refused(contract, "file", PLATFORM_OPEN_DIRECTORY, ERR_CHANGED);
    expect_refused(contract, "file/below", PLATFORM_OPEN_READ, ERR_CHANGED);
    expect_refused(contract, "file/below", PLATFORM_OPEN_CREATE, ERR_CHANGED);
}

static bool make_fifo(const struct contract *contract, const char *name)
{
    CLEANUP_FREE char *path = path_join(contract->path, name);

    return mkfifo(path, 0600) == 0;
}

static void a_fifo_is_refused_and_never_blocks(void **state)
{
    struct contract *contract = *state;

    if (!make_fifo(contract, "fifo"))
        SKIP_BECAUSE("this filesystem has no FIFOs");
    alarm(20);
    expect_refused(contract, "fifo", PLATFORM_OPEN_READ, ERR_CHANGED);
    expect_refused(contract, "fifo", PLATFORM_OPEN_APPEND, ERR_CHANGED);
    alarm(0);
}

/* By a relative name: absolute ones do not fit into a socket's address. */
static bool make_socket(const struct contract *contract, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int before_fd = open(".", O_RDONLY | O_DIRECTORY);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, name);
    assert_int_equal(fchdir(contract->root_fd), 0);
    int failed = bind(fd, (struct sockaddr *)&address, sizeof address);
    assert_int_equal(fchdir(before_fd), 0);
    close(before_fd);
    close(fd);
    return !failed;
}

static void a_socket_is_refused(void **state)
{
    struct contract *contract = *state;

    if (!make_socket(contract, "socket"))
        SKIP_BECAUSE("this filesystem has no sockets");
    expect_refused(contract, "socket", PLATFORM_OPEN_READ, ERR_CHANGED);
    expect_refused(contract, "socket", PLATFORM_OPEN_APPEND, ERR_CHANGED);
}

static void a_missing_name_is_not_found(void **state)
{
    struct contract *contract = *state;
    struct platform_stat stat;

    expect_refused(contract, "none", PLATFORM_OPEN_READ, ERR_NOT_FOUND);
    expect_refused(contract, "none", PLATFORM_OPEN_APPEND, ERR_NOT_FOUND);
    expect_refused(contract, "none", PLATFORM_OPEN_DIRECTORY, ERR_NOT_FOUND);
    expect_refused(contract, "none/x", PLATFORM_OPEN_CREATE, ERR_NOT_FOUND);
    assert_int_equal(
        platform_stat_beneath(contract->root_fd, "none", &stat, NULL),
        ERR_NOT_FOUND);
    assert_int_equal(
        platform_stat_beneath(contract->root_fd, "no/ne", &stat, NULL),
        ERR_NOT_FOUND);
}

static void the_empty_path_is_the_root(void **state)
{
    struct contract *contract = *state;
    struct platform_stat by_path, by_fd;
    int fd;

    assert_int_equal(open_it(contract, "", PLATFORM_OPEN_DIRECTORY, &fd),
                     ERR_OK);
    assert_int_equal(
        platform_stat_beneath(contract->root_fd, "", &by_path, NULL), ERR_OK);
    assert_int_equal(platform_stat_fd(fd, &by_fd, NULL), ERR_OK);
    assert_int_equal(by_path.type, PLATFORM_DIRECTORY);
    assert_true(by_path.inode == by_fd.inode);
    assert_true(by_path.mount == by_fd.mount);
    close(fd);
    assert_int_equal(open_it(contract, "", PLATFORM_OPEN_READ, &fd),
                     ERR_CHANGED);
}

static void an_existing_file_is_written_at_offsets(void **state)
{
    struct contract *contract = *state;
    int fd;

    make_file(contract, "file", "0123456789");
    assert_int_equal(open_it(contract, "file", PLATFORM_OPEN_APPEND, &fd),
                     ERR_OK);
    assert_int_equal(pwrite(fd, "ab", 2, 4), 2);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    expect_text(fd, "0123ab6789");
    close(fd);
}

static void a_deep_path_is_followed(void **state)
{
    struct contract *contract = *state;
    char path[512] = "";
    int fd;

    for (int depth = 0; depth < 100; depth++) {
        strcat(path, depth ? "/deep" : "deep");
        make_directory(contract, path);
    }
    assert_int_equal(open_it(contract, path, PLATFORM_OPEN_DIRECTORY, &fd),
                     ERR_OK);
    close(fd);
    strcat(path, "/file");
    assert_int_equal(open_it(contract, path, PLATFORM_OPEN_CREATE, &fd),
                     ERR_OK);
    close(fd);
}

/* "/dev" is a mount of its own on every system that we know. */
static void a_mount_point_is_not_crossed(void **state)
{
    struct contract *contract = *state;
    struct platform_stat stat, root;
    int root_fd, fd = -1;

    (void)contract;
    assert_int_equal(platform_open_root("/", &root_fd, NULL), ERR_OK);
    assert_int_equal(platform_stat_fd(root_fd, &root, NULL), ERR_OK);
    assert_int_equal(platform_stat_beneath(root_fd, "dev", &stat, NULL),
                     ERR_OK);
    if (stat.device == root.device) {
        close(root_fd);
        SKIP_BECAUSE("/dev is no mount of its own here");
    }
    assert_true(stat.mount != root.mount);
    struct error err = ERROR_INIT;
    assert_int_equal(platform_open_beneath(root_fd, "dev",
                                           PLATFORM_OPEN_DIRECTORY, &fd, &err),
                     ERR_CHANGED);
    assert_non_null(strstr(err.message, "mount point"));
    assert_int_equal(platform_open_beneath(root_fd, "dev/null",
                                           PLATFORM_OPEN_READ, &fd, &err),
                     ERR_CHANGED);
    assert_int_equal(platform_stat_beneath(root_fd, "dev/null", &stat, &err),
                     ERR_CHANGED);
    assert_int_equal(fd, -1);
    close(root_fd);
}

/* --- a race ------------------------------------------------------------- */

struct swapper {
    int root_fd;
    struct stop_flag stop;
};

static void *swap_door_and_link(void *argument)
{
    struct swapper *swapper = argument;
    int fd = swapper->root_fd;

    while (!stop_flag_is_raised(&swapper->stop)) {
        renameat(fd, "door", fd, "aside");
        renameat(fd, "link", fd, "door");
        renameat(fd, "door", fd, "link");
        renameat(fd, "aside", fd, "door");
    }
    return NULL;
}

struct tally {
    long opened, refused, escaped, surprised;
};

/* Nothing is asserted here: the other thread has to be stopped first. */
static void open_through_the_door(struct contract *contract,
                                  struct tally *tally)
{
    char text[16] = "";
    int fd;
    err_code code = open_it(contract, "door/file", PLATFORM_OPEN_READ, &fd);

    if (code) {
        tally->refused++;
        tally->surprised += code != ERR_NOT_FOUND && code != ERR_CHANGED;
        return;
    }
    tally->opened++;
    fd_read_full(fd, text, sizeof text - 1);
    tally->escaped += strcmp(text, "inside") != 0;
    close(fd);
}

static void a_symlink_swapped_in_meanwhile_never_leads_out(void **state)
{
    struct contract *contract = *state;
    struct swapper swapper = {.root_fd = contract->root_fd};
    struct tally tally = {.opened = 0};

    make_directory(contract, "door");
    make_directory(contract, "outside");
    make_file(contract, "door/file", "inside");
    make_file(contract, "outside/file", "outside");
    if (!make_symlink(contract, "outside", "link"))
        SKIP_BECAUSE("this filesystem has no symlinks");
    pthread_t thread = thread_start(swap_door_and_link, &swapper);
    int64_t until_ns = clock_monotonic_ns() + 20 * NS_PER_SECOND;
    for (long i = 0; i < 20000 || !tally.opened || !tally.refused; i++) {
        if (clock_monotonic_ns() > until_ns)
            break;
        /* Neither thread may fall into step with the other. */
        nanosleep(&(struct timespec){.tv_nsec = i % 8 * 1000}, NULL);
        open_through_the_door(contract, &tally);
    }
    stop_flag_raise(&swapper.stop);
    thread_join(thread);
    assert_int_equal(tally.escaped, 0);
    assert_int_equal(tally.surprised, 0);
    if (tally.opened == 0 || tally.refused == 0)
        SKIP_BECAUSE("the two threads never met within 20 s");
}

/* --- looking ------------------------------------------------------------ */

static void stat_says_what_the_system_says(void **state)
{
    struct contract *contract = *state;
    struct platform_stat stat;
    struct stat expected;

    make_directory(contract, "a");
    make_file(contract, "a/file", "twelve bytes");
    assert_int_equal(fstatat(contract->root_fd, "a/file", &expected, 0), 0);
    assert_int_equal(
        platform_stat_beneath(contract->root_fd, "a/file", &stat, NULL),
        ERR_OK);
    assert_int_equal(stat.type, PLATFORM_FILE);
    assert_int_equal(stat.size_bytes, 12);
    assert_int_equal(stat.mode, expected.st_mode & 07777);
    assert_int_equal(stat.uid, expected.st_uid);
    assert_int_equal(stat.gid, expected.st_gid);
    assert_int_equal(stat.links, expected.st_nlink);
    assert_true(stat.inode == expected.st_ino);
    assert_true(stat.device == (uint64_t)expected.st_dev);
    assert_int_equal(stat.allocated_bytes, expected.st_blocks * 512);
    assert_int_equal(stat.mtime_ns / 1000000000, expected.st_mtime);
    assert_int_equal(stat.ctime_ns / 1000000000, expected.st_ctime);
    assert_true(stat.btime_ns >= 0);
}

static void stat_does_not_follow_a_symlink(void **state)
{
    struct contract *contract = *state;
    struct platform_stat stat;

    make_directory(contract, "directory");
    if (!make_symlink(contract, "directory", "link"))
        SKIP_BECAUSE("this filesystem has no symlinks");
    assert_int_equal(
        platform_stat_beneath(contract->root_fd, "link", &stat, NULL), ERR_OK);
    assert_int_equal(stat.type, PLATFORM_SYMLINK);
}

/* 2300 is beyond what nanoseconds since 1970 hold in 63 bits. */
static void a_time_that_does_not_fit_is_the_nearest(void **state)
{
    struct contract *contract = *state;
    const struct timespec times[2] = {{.tv_sec = 10413792000},
                                      {.tv_sec = 10413792000}};
    struct platform_stat stat;
    struct stat kept;

    make_file(contract, "file", "");
    if (utimensat(contract->root_fd, "file", times, 0) ||
        fstatat(contract->root_fd, "file", &kept, 0) ||
        kept.st_mtime != times[1].tv_sec)
        SKIP_BECAUSE("this filesystem has no such time");
    assert_int_equal(
        platform_stat_beneath(contract->root_fd, "file", &stat, NULL), ERR_OK);
    assert_true(stat.mtime_ns == INT64_MAX);
}

static void read_link_gives_the_target(void **state)
{
    struct contract *contract = *state;
    char target[1001], *found = NULL;

    memset(target, 'x', sizeof target - 1);
    target[sizeof target - 1] = '\0';
    make_file(contract, "file", "");
    assert_int_equal(
        platform_read_link(contract->root_fd, "file", &found, &contract->err),
        ERR_CHANGED);
    assert_null(found);
    if (!make_symlink(contract, "../a b", "short"))
        SKIP_BECAUSE("this filesystem has no symlinks");
    make_directory(contract, "a");
    assert_true(make_symlink(contract, target, "a/long"));
    assert_int_equal(
        platform_read_link(contract->root_fd, "short", &found, NULL), ERR_OK);
    assert_string_equal(found, "../a b");
    free(found);
    assert_int_equal(
        platform_read_link(contract->root_fd, "a/long", &found, NULL), ERR_OK);
    assert_string_equal(found, target);
    free(found);
}

/* --- listing ------------------------------------------------------------ */

struct listing {
    struct contract *contract;
    size_t count, files, directories, others, without_stat;
    int64_t size_bytes;
    uint64_t mount;
    err_code answer; /* of the visit */
};

static err_code count_entry(void *context, const struct platform_entry *entry,
                            struct error *err)
{
    struct listing *listing = context;

    assert_string_not_equal(entry->name, ".");
    assert_string_not_equal(entry->name, "..");
    listing->count++;
    if (!entry->stat) {
        assert_int_not_equal(entry->stat_error, ERR_OK);
        listing->without_stat++;
    } else {
        assert_int_equal(entry->stat_error, ERR_OK);
        assert_true(entry->stat->mount == listing->mount);
        listing->size_bytes += entry->stat->size_bytes;
        listing->files += entry->stat->type == PLATFORM_FILE;
        listing->directories += entry->stat->type == PLATFORM_DIRECTORY;
        listing->others += entry->stat->type > PLATFORM_DIRECTORY;
    }
    if (listing->answer)
        return error_set(err, listing->answer, "enough");
    return ERR_OK;
}

static err_code list_it(struct contract *contract, struct listing *listing)
{
    struct platform_stat stat;

    *listing =
        (struct listing){.contract = contract, .answer = listing->answer};
    assert_int_equal(platform_stat_fd(contract->root_fd, &stat, NULL), ERR_OK);
    listing->mount = stat.mount;
    return platform_list_directory(contract->root_fd, count_entry, listing,
                                   &contract->err);
}

static void listing_names_entries_of_every_type(void **state)
{
    struct contract *contract = *state;
    struct listing listing = {.count = 0};
    size_t links = make_symlink(contract, "x", "link") ? 1 : 0;
    int fd = openat(contract->root_fd, "a\tb\nc", O_WRONLY | O_CREAT, 0600);

    close(fd);
    make_directory(contract, "directory");
    make_file(contract, "file", "four");
    make_file(contract, ".hidden", "");
    assert_int_equal(list_it(contract, &listing), ERR_OK);
    assert_int_equal(listing.directories, 1);
    assert_int_equal(listing.files, fd < 0 ? 2 : 3);
    assert_int_equal(listing.others, links);
    assert_int_equal(listing.without_stat, 0);
}

enum { MANY = 1500 };

/* Names of 200 bytes: several of the backend's buffers. */
static void a_large_directory_is_listed_whole(void **state)
{
    struct contract *contract = *state;
    struct listing listing = {.count = 0};
    char name[201];

    for (int i = 0; i < MANY; i++) {
        memset(name, 'n', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        int length = snprintf(name, sizeof name, "%d", i);
        name[length] = 'n';
        make_file(contract, name, "1");
    }
    assert_int_equal(list_it(contract, &listing), ERR_OK);
    assert_int_equal(listing.count, MANY);
    assert_int_equal(listing.files, MANY);
    assert_int_equal(listing.size_bytes, MANY);
    /* from its start again, with the same descriptor */
    assert_int_equal(list_it(contract, &listing), ERR_OK);
    assert_int_equal(listing.count, MANY);
}

static void an_empty_directory_has_no_entries(void **state)
{
    struct contract *contract = *state;
    struct listing listing = {.count = 0};

    assert_int_equal(list_it(contract, &listing), ERR_OK);
    assert_int_equal(listing.count, 0);
}

static void listing_ends_with_the_visits_error_and_can_start_again(void **state)
{
    struct contract *contract = *state;
    struct listing listing = {.answer = ERR_CANCELLED};

    make_file(contract, "one", "");
    make_file(contract, "two", "");
    assert_int_equal(list_it(contract, &listing), ERR_CANCELLED);
    assert_string_equal(contract->err.message, "enough");
    assert_int_equal(listing.count, 1);
    listing.answer = ERR_OK;
    assert_int_equal(list_it(contract, &listing), ERR_OK);
    assert_int_equal(listing.count, 2);
}

static err_code remove_the_others(void *context,
                                  const struct platform_entry *entry,
                                  struct error *err)
{
    static const char *const names[] = {"one", "two", "three"};
    struct listing *listing = context;

    (void)err;
    if (!entry->stat) {
        assert_int_equal(entry->stat_error, ERR_NOT_FOUND);
        listing->without_stat++;
    }
    for (size_t i = 0; !listing->count && i < COUNT_OF(names); i++)
        if (strcmp(names[i], entry->name) != 0)
            unlinkat(listing->contract->root_fd, names[i], 0);
    listing->count++;
    return ERR_OK;
}

static void an_entry_that_vanishes_meanwhile_is_not_found(void **state)
{
    struct contract *contract = *state;
    struct listing listing = {.contract = contract};

    make_file(contract, "one", "");
    make_file(contract, "two", "");
    make_file(contract, "three", "");
    assert_int_equal(platform_list_directory(contract->root_fd,
                                             remove_the_others, &listing, NULL),
                     ERR_OK);
    assert_int_equal(listing.without_stat, listing.count - 1);
}

static void what_may_be_listed_but_not_examined_is_denied(void **state)
{
    struct contract *contract = *state;
    struct listing listing = {.count = 0};
    struct stat found;
    int fd;

    make_directory(contract, "closed");
    make_file(contract, "closed/file", "");
    assert_int_equal(fchmodat(contract->root_fd, "closed", 0444, 0), 0);
    if (fstatat(contract->root_fd, "closed", &found, 0) ||
        (found.st_mode & 0777) != 0444)
        SKIP_BECAUSE("this filesystem has no modes");
    assert_int_equal(fchmodat(contract->root_fd, ".", 0755, 0), 0);
    if (!geteuid())
        assert_int_equal(seteuid(65534), 0); /* root may do everything */
    err_code opened = open_it(contract, "closed", PLATFORM_OPEN_DIRECTORY, &fd);
    err_code listed =
        opened ? opened
               : platform_list_directory(fd, count_entry, &listing, NULL);
    if (!getuid())
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(fchmodat(contract->root_fd, "closed", 0755, 0), 0);
    assert_int_equal(listed, ERR_OK);
    assert_int_equal(listing.count, 1);
    assert_int_equal(listing.without_stat, 1);
    close(fd);
}

/* --- renaming ----------------------------------------------------------- */

static void rename_moves_between_directories(void **state)
{
    struct contract *contract = *state;
    int from_fd, to_fd, fd;

    make_directory(contract, "from");
    make_directory(contract, "to");
    make_file(contract, "from/old", "content");
    assert_int_equal(
        open_it(contract, "from", PLATFORM_OPEN_DIRECTORY, &from_fd), ERR_OK);
    assert_int_equal(open_it(contract, "to", PLATFORM_OPEN_DIRECTORY, &to_fd),
                     ERR_OK);
    assert_int_equal(
        platform_rename_noreplace(from_fd, "old", to_fd, "new", &contract->err),
        ERR_OK);
    expect_refused(contract, "from/old", PLATFORM_OPEN_READ, ERR_NOT_FOUND);
    assert_int_equal(open_it(contract, "to/new", PLATFORM_OPEN_READ, &fd),
                     ERR_OK);
    expect_text(fd, "content");
    close(fd);
    close(from_fd);
    close(to_fd);
}

static err_code rename_it(struct contract *contract, const char *from,
                          const char *to)
{
    return platform_rename_noreplace(contract->root_fd, from, contract->root_fd,
                                     to, &contract->err);
}

static void rename_never_replaces(void **state)
{
    struct contract *contract = *state;
    int fd;

    make_file(contract, "mine", "mine");
    make_file(contract, "taken", "taken");
    make_directory(contract, "directory");
    assert_int_equal(rename_it(contract, "mine", "taken"), ERR_EXISTS);
    assert_int_equal(rename_it(contract, "mine", "directory"), ERR_EXISTS);
    if (make_symlink(contract, "nowhere", "link"))
        assert_int_equal(rename_it(contract, "mine", "link"), ERR_EXISTS);
    assert_int_equal(rename_it(contract, "none", "new"), ERR_NOT_FOUND);
    assert_int_equal(open_it(contract, "taken", PLATFORM_OPEN_READ, &fd),
                     ERR_OK);
    expect_text(fd, "taken");
    close(fd);
    assert_int_equal(open_it(contract, "mine", PLATFORM_OPEN_READ, &fd),
                     ERR_OK);
    expect_text(fd, "mine");
    close(fd);
}

/* --- durability --------------------------------------------------------- */

static void what_was_written_can_be_flushed(void **state)
{
    struct contract *contract = *state;
    int fd;

    assert_int_equal(open_it(contract, "file", PLATFORM_OPEN_CREATE, &fd),
                     ERR_OK);
    assert_int_equal(fd_write_full(fd, "x", 1), 0);
    platform_advise_sequential(fd);
    platform_write_back(fd, 0, 1, false);
    platform_write_back(fd, 0, 1, true);
    assert_int_equal(platform_flush_file(fd, &contract->err), ERR_OK);
    assert_int_equal(
        platform_flush_volume(contract->root_fd, fd, &contract->err), ERR_OK);
    close(fd);
}

static void a_flush_that_fails_says_so(void **state)
{
    struct contract *contract = *state;

    assert_int_not_equal(
        platform_flush_volume(contract->root_fd, -1, &contract->err), ERR_OK);
    assert_int_not_equal(platform_flush_volume(-1, contract->root_fd, NULL),
                         ERR_OK);
    assert_int_not_equal(platform_flush_file(-1, NULL), ERR_OK);
}

static void content_is_the_same_after_the_cache_was_dropped(void **state)
{
    struct contract *contract = *state;
    enum platform_proof proof;
    int fd;

    assert_int_equal(open_it(contract, "file", PLATFORM_OPEN_CREATE, &fd),
                     ERR_OK);
    assert_int_equal(platform_drop_cache(fd, 0, &proof, NULL), ERR_OK);
    assert_int_equal(fd_write_full(fd, "content", 7), 0);
    assert_int_equal(platform_flush_file(fd, NULL), ERR_OK);
    assert_int_equal(platform_drop_cache(fd, 7, &proof, &contract->err),
                     ERR_OK);
    assert_true(proof == PLATFORM_PROOF_CACHE ||
                proof == PLATFORM_PROOF_DEVICE);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    expect_text(fd, "content");
    close(fd);
}

static void a_clone_is_equal_or_unsupported(void **state)
{
    struct contract *contract = *state;
    int from_fd, to_fd;

    make_file(contract, "from", "cloned content");
    assert_int_equal(open_it(contract, "from", PLATFORM_OPEN_READ, &from_fd),
                     ERR_OK);
    assert_int_equal(open_it(contract, "to", PLATFORM_OPEN_CREATE, &to_fd),
                     ERR_OK);
    err_code code = platform_clone(from_fd, to_fd, &contract->err);
    if (code)
        assert_int_equal(code, ERR_UNSUPPORTED);
    else
        expect_text(to_fd, "cloned content");
    close(from_fd);
    close(to_fd);
}

static void a_file_that_nobody_else_has_open_is_not_open_elsewhere(void **state)
{
    struct contract *contract = *state;
    bool is_open = true;
    int fd;

    make_file(contract, "alone", "content");
    assert_int_equal(open_it(contract, "alone", PLATFORM_OPEN_READ, &fd),
                     ERR_OK);
    err_code code = platform_is_open_elsewhere(fd, &is_open, &contract->err);
    if (code)
        assert_int_equal(code, ERR_UNSUPPORTED);
    else
        assert_false(is_open);
    close(fd);
}

/* --- the filesystem ----------------------------------------------------- */

static void space_adds_up(void **state)
{
    struct contract *contract = *state;
    struct platform_space space;

    assert_int_equal(platform_space(contract->root_fd, &space, NULL), ERR_OK);
    assert_true(space.total_bytes > 0);
    assert_true(space.free_bytes >= 0);
    assert_true(space.free_bytes <= space.total_bytes);
    assert_true(space.cluster_bytes >= 512);
}

static void everything_below_a_root_is_on_its_mount(void **state)
{
    struct contract *contract = *state;
    struct platform_mount root, below;
    int fd;

    make_directory(contract, "below");
    assert_int_equal(open_it(contract, "below", PLATFORM_OPEN_DIRECTORY, &fd),
                     ERR_OK);
    assert_int_equal(
        platform_mount_of(contract->root_fd, &root, &contract->err), ERR_OK);
    assert_int_equal(platform_mount_of(fd, &below, &contract->err), ERR_OK);
    assert_true(root.mount_id == below.mount_id);
    assert_string_equal(root.mount_point, below.mount_point);
    assert_string_equal(root.family, below.family);
    assert_string_equal(root.fs_uuid, below.fs_uuid);
    assert_non_null(root.source);
    assert_non_null(root.driver);
    assert_non_null(root.subtree);
    assert_non_null(root.fs_label);
    assert_false(below.is_root);
    assert_false(root.is_read_only);
    assert_int_equal(platform_check_attached(fd, &contract->err), ERR_OK);
    platform_mount_release(&root);
    platform_mount_release(&root);
    platform_mount_release(&below);
    close(fd);
}

/* By name, whatever the order in which they were set; others go; what is
 * damaged or none of ours is left out. */
static void extended_attributes_are_as_told_or_not_there(void **state)
{
    static const char wanted[] = "user.a\0\3\0\0\0one"
                                 "user.b\0\0\0\0\0";
    static const char unsorted[] = "user.b\0\0\0\0\0"
                                   "trusted.x\0\1\0\0\0x"
                                   "user.a\0\3\0\0\0one"
                                   "user.c\0\377\0\0\0short";
    struct contract *contract = *state;
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    CLEANUP_FD int fd = -1;

    assert_int_equal(platform_open_beneath(contract->root_fd, "tagged",
                                           PLATFORM_OPEN_CREATE, &fd,
                                           &contract->err),
                     ERR_OK);
    assert_int_equal(platform_read_attributes(fd, &found, &contract->err),
                     ERR_OK);
    assert_int_equal(found.length, 0);
    if (platform_write_attributes(fd, unsorted, sizeof unsorted - 1,
                                  &contract->err) == ERR_UNSUPPORTED)
        SKIP_BECAUSE("no extended attributes here");
    assert_int_equal(platform_read_attributes(fd, &found, &contract->err),
                     ERR_OK);
    assert_int_equal(found.length, sizeof wanted - 1);
    assert_memory_equal(found.text, wanted, sizeof wanted - 1);
    assert_int_equal(platform_write_attributes(fd, NULL, 0, &contract->err),
                     ERR_OK);
    assert_int_equal(platform_read_attributes(fd, &found, &contract->err),
                     ERR_OK);
    assert_int_equal(found.length, 0);
}

#define CONTRACT_TEST(name)                                                    \
    cmocka_unit_test_setup_teardown(name, contract_setup, contract_teardown)

#define PLATFORM_IO_CONTRACT_PLAIN                                             \
    CONTRACT_TEST(a_file_is_created_private_and_found_again),                  \
        CONTRACT_TEST(creating_over_anything_is_refused),                      \
        CONTRACT_TEST(a_path_that_leaves_the_root_is_refused),                 \
        CONTRACT_TEST(what_is_of_another_type_is_refused),                     \
        CONTRACT_TEST(a_missing_name_is_not_found),                            \
        CONTRACT_TEST(the_empty_path_is_the_root),                             \
        CONTRACT_TEST(an_existing_file_is_written_at_offsets),                 \
        CONTRACT_TEST(a_deep_path_is_followed),                                \
        CONTRACT_TEST(a_mount_point_is_not_crossed),                           \
        CONTRACT_TEST(stat_says_what_the_system_says),                         \
        CONTRACT_TEST(a_time_that_does_not_fit_is_the_nearest),                \
        CONTRACT_TEST(listing_names_entries_of_every_type),                    \
        CONTRACT_TEST(a_large_directory_is_listed_whole),                      \
        CONTRACT_TEST(an_empty_directory_has_no_entries),                      \
        CONTRACT_TEST(listing_ends_with_the_visits_error_and_can_start_again), \
        CONTRACT_TEST(an_entry_that_vanishes_meanwhile_is_not_found),          \
        CONTRACT_TEST(rename_moves_between_directories),                       \
        CONTRACT_TEST(rename_never_replaces),                                  \
        CONTRACT_TEST(what_was_written_can_be_flushed),                        \
        CONTRACT_TEST(a_flush_that_fails_says_so),                             \
        CONTRACT_TEST(content_is_the_same_after_the_cache_was_dropped),        \
        CONTRACT_TEST(a_clone_is_equal_or_unsupported),                        \
        CONTRACT_TEST(a_file_that_nobody_else_has_open_is_not_open_elsewhere), \
        CONTRACT_TEST(extended_attributes_are_as_told_or_not_there),           \
        CONTRACT_TEST(space_adds_up),                                          \
        CONTRACT_TEST(everything_below_a_root_is_on_its_mount)

/* Where there are symlinks, FIFOs, sockets and modes. */
#define PLATFORM_IO_CONTRACT_UNIX                                              \
    CONTRACT_TEST(a_symlink_planted_in_the_path_is_refused),                   \
        CONTRACT_TEST(a_fifo_is_refused_and_never_blocks),                     \
        CONTRACT_TEST(a_socket_is_refused),                                    \
        CONTRACT_TEST(a_symlink_swapped_in_meanwhile_never_leads_out),         \
        CONTRACT_TEST(stat_does_not_follow_a_symlink),                         \
        CONTRACT_TEST(read_link_gives_the_target),                             \
        CONTRACT_TEST(what_may_be_listed_but_not_examined_is_denied)

#define PLATFORM_IO_CONTRACT                                                   \
    PLATFORM_IO_CONTRACT_PLAIN, PLATFORM_IO_CONTRACT_UNIX

#endif
