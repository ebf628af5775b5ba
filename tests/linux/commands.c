/*
 * The commands of berth itself, mount and eject, on real filesystems, with the
 * real udevd, D-Bus and UDisks2. No image can be powered off: what is seen
 * here ends in yellow; tests/vm has a USB disk.
 */
#include "linux/daemons.h"

static char *berth; /* the program */

/*
 * build/release/tests/linux/commands -> build/release/berth. Asked for before
 * there is a mount namespace of our own: in there the kernel names our file by
 * its place in the old one, from the root of all when we are in a chroot.
 */
static void find_berth(void)
{
    char program[PATH_MAX] = "";

    if (readlink("/proc/self/exe", program, sizeof program - 1) <= 0)
        return;
    for (int i = 0; i < 3; i++)
        *strrchr(program, '/') = '\0';
    berth = path_join(program, "berth");
}

/* Also what it writes, to the end of *out. Returns its exit code. */
static int run_berth(struct strbuf *out, const char *const *arguments)
{
    CLEANUP_FREE char *log = path_join(base, "berth.log");
    int status = -1;

    assert_non_null(berth);
    pid_t child = fork();
    if (!child) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        dup2(fd, 1);
        dup2(fd, 2);
        execv(berth, (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    waitpid(child, &status, 0);
    assert_int_equal(file_read(log, 1024 * 1024, out, NULL), ERR_OK);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#define BERTH(out, ...)                                                        \
    run_berth(out, (const char *const[]){"berth", __VA_ARGS__, NULL})

static bool is_mounted(const char *device)
{
    CLEANUP_FREE char *words = xasprintf(" %s ", device);
    CLEANUP(strbuf_release) struct strbuf mounts = STRBUF_INIT;

    assert_int_equal(
        file_read("/proc/self/mountinfo", 1024 * 1024, &mounts, NULL), ERR_OK);
    return strstr(mounts.text, words) != NULL;
}

static void expect_words(const struct strbuf *text, const char *words)
{
    if (!strstr(text->text, words))
        fail_msg("no \"%s\" in: %s", words, text->text);
}

static void expect_ejected(const char *device)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;

    int code = BERTH(&said, "eject", device, "--json");
    if (code)
        fail_msg("exit code %d: %s", code, said.text);
    expect_words(&said, "\"verdict\":\"yellow\"");
    expect_words(&said, "\"barrier_ok\":true");
    expect_words(&said, "\"volumes_mounted\":1,\"volumes_unmounted\":1");
    expect_words(&said, "\"power_off_ok\":false");
    assert_false(is_mounted(device));
}

static void write_something(const char *directory)
{
    CLEANUP_FREE char *path = path_join(directory, "file");

    assert_int_equal(file_replace(path, "content", 7, 0644, NULL), ERR_OK);
}

/* Of a disk that udev and UDisks2 know by now, and no longer by the last one's
 * filesystem. */
static void make_filesystem(const char *maker, const char *type)
{
    assert_int_equal(RUN("wipefs", "-q", "-a", blank.device), 0);
    announce(&blank);
    WAIT_FOR(is_known_as(&blank, ""));
    assert_int_equal(RUN(maker, "-L", "New", blank.device), 0);
    announce(&blank);
    WAIT_FOR(is_known_as(&blank, type));
}

static void mount_and_eject(const char *maker, const char *type)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;

    if (!has_program(maker))
        SKIP_BECAUSE("needs the programs of this filesystem");
    make_filesystem(maker, type);
    int code = BERTH(&said, "mount", "New");
    if (code)
        fail_msg("exit code %d: %s", code, said.text);
    assert_true(is_mounted(blank.device));
    write_something("/media/root/New");
    expect_ejected(blank.device);
    assert_false(is_there("/media/root/New"));
}

static void ext4_is_mounted_and_ejected(void **state)
{
    (void)state;
    mount_and_eject("mkfs.ext4", "ext4");
}

static void btrfs_is_mounted_and_ejected(void **state)
{
    (void)state;
    mount_and_eject("mkfs.btrfs", "btrfs");
}

static void xfs_is_mounted_and_ejected(void **state)
{
    (void)state;
    mount_and_eject("mkfs.xfs", "xfs");
}

/* Its server is a program: UDisks2 has not mounted it, and unmounts it. */
static void exfat_of_fuse_is_ejected(void **state)
{
    CLEANUP_FREE char *point = path_join(base, "fuse");

    (void)state;
    if (!has_program("mkfs.exfat") || !has_program("mount.exfat-fuse"))
        SKIP_BECAUSE("needs exfatprogs and exfat-fuse");
    make_filesystem("mkfs.exfat", "exfat");
    assert_int_equal(mkdir(point, 0700), 0);
    assert_int_equal(RUN("mount.exfat-fuse", blank.device, point), 0);
    write_something(point);
    expect_ejected(blank.device);
    assert_int_equal(RUN("fsck.exfat", "-n", blank.device), 0);
    assert_int_equal(rmdir(point), 0);
}

static void holder_of_a_volume_is_named_and_waited_for(void **state)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    CLEANUP_FREE char *words =
        xasprintf("is held by commands (pid %ld, user root)", (long)getpid());

    (void)state;
    assert_int_equal(BERTH(&said, "mount", "Stick"), 0);
    int fd = open("/media/root/Stick/lost+found", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_not_equal(BERTH(&said, "eject", stick.device), 0);
    close(fd);
    expect_words(&said, words);
    expect_words(&said, "/media/root/Stick/lost+found");
    assert_true(is_mounted(stick.device));
    expect_ejected(stick.device);
}

/* --- a volume of the configuration --- */

/* With a job, and not mounted. */
struct known {
    char *directory, *config, *state, *source;
};
#define OWN(known) "--config", (known).config, "--state-dir", (known).state

static struct known know_as_archive(void)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    struct known known = {.directory = path_join(base, "known-XXXXXX")};

    assert_non_null(mkdtemp(known.directory));
    known.config = path_join(known.directory, "berth.conf");
    known.state = path_join(known.directory, "state");
    known.source = path_join(known.directory, "source");
    assert_int_equal(mkdir(known.source, 0700), 0);
    write_something(known.source);
    make_filesystem("mkfs.ext4", "ext4");
    if (BERTH(&said, "mount", "New") ||
        BERTH(&said, "volume", "add", "/media/root/New", "--name", "archive",
              OWN(known)) ||
        BERTH(&said, "job", "add", "docs", "--source", known.source, "--target",
              "archive:/docs", OWN(known)))
        fail_msg("%s", said.text);
    assert_int_equal(RUN("umount", blank.device), 0);
    return known;
}

static void allow_to_mount(const struct known *known)
{
    assert_int_equal(RUN("sed", "-i", "s/name = \"archive\";/& mount = true;/",
                         known->config),
                     0);
}

static void known_release(struct known *known)
{
    free(known->directory);
    free(known->config);
    free(known->state);
    free(known->source);
}

static void volume_is_mounted_by_its_name(void **state)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    CLEANUP(known_release) struct known known = know_as_archive();

    (void)state;
    assert_int_equal(BERTH(&said, "mount", "archive", OWN(known)), 0);
    assert_true(is_mounted(blank.device));
    assert_int_equal(BERTH(&said, "mount", "archive", OWN(known)), 0);
}

static size_t count_words(const char *text, const char *words)
{
    size_t count = 0;

    for (; (text = strstr(text, words)); text += strlen(words))
        count++;
    return count;
}

/* The kernel calls an image's drive internal: it came again as a bare mount,
 * which no power-off, health or "the running system is on it" belongs to. */
static void known_volume_of_an_internal_drive_is_listed_once(void **state)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    CLEANUP(known_release) struct known known = know_as_archive();

    (void)state;
    assert_int_equal(BERTH(&said, "mount", "archive", OWN(known)), 0);
    strbuf_truncate(&said, 0);
    assert_int_equal(BERTH(&said, "drives", "--json", OWN(known)), 0);
    assert_int_equal(count_words(said.text, "\"name\":\"archive\""), 1);
    expect_words(&said, "\"bus\":\"virtual\"");
    strbuf_truncate(&said, 0);
    assert_int_equal(BERTH(&said, "eject", "archive", "--json", OWN(known)), 0);
    assert_int_equal(count_words(said.text, "\"write_cache\":\"unknown\""), 0);
}

static void sync_mounts_what_it_may(void **state)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    CLEANUP(known_release) struct known known = know_as_archive();

    (void)state;
    assert_int_equal(BERTH(&said, "sync", OWN(known)), 5);
    assert_false(is_mounted(blank.device));
    allow_to_mount(&known);
    int code = BERTH(&said, "sync", "--eject", OWN(known));
    if (code)
        fail_msg("exit code %d: %s", code, said.text);
    assert_false(is_mounted(blank.device));
    assert_int_equal(BERTH(&said, "mount", "archive", OWN(known)), 0);
    assert_true(is_there("/media/root/New/docs/file"));
}

static void what_is_not_the_volume_is_unmounted_again(void **state)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;
    CLEANUP(known_release) struct known known = know_as_archive();

    (void)state;
    allow_to_mount(&known);
    assert_int_equal(BERTH(&said, "mount", "archive", OWN(known)), 0);
    assert_int_equal(RUN("rm", "-r", "/media/root/New/.berth"), 0);
    assert_int_equal(RUN("umount", blank.device), 0);
    assert_int_equal(BERTH(&said, "sync", OWN(known)), 5);
    expect_words(&said, "does not carry the marker of volume archive");
    assert_false(is_mounted(blank.device));
}

static void drives_lists_where_the_stick_is(void **state)
{
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;

    (void)state;
    assert_int_equal(BERTH(&said, "mount", stick.device), 0);
    assert_int_equal(BERTH(&said, "drives"), 0);
    expect_words(&said, "Stick");
    expect_words(&said, "/media/root/Stick");
    expect_ejected(stick.device);
}

static int leave_both_unmounted(void **state)
{
    if (is_mounted(blank.device))
        RUN("umount", "--quiet", "--all-targets", blank.device);
    return leave_unmounted(state);
}

#define COMMAND_TEST(test) cmocka_unit_test_teardown(test, leave_both_unmounted)

/* berth has no suppressions of its own; see disks.h. */
static int set_up_commands(void **state)
{
    CLEANUP_FREE char *path = path_join(base, "suppressions");
    CLEANUP_FREE char *option = xasprintf("suppressions=%s", path);
    const char *text = __tsan_default_suppressions();

    assert_int_equal(file_replace(path, text, strlen(text), 0600, NULL),
                     ERR_OK);
    setenv("TSAN_OPTIONS", option, 1);
    return set_up_system(state);
}

static int run_group(void)
{
    const struct CMUnitTest none[] = {cmocka_unit_test(daemons_are_missing)};
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(drives_lists_where_the_stick_is),
        COMMAND_TEST(ext4_is_mounted_and_ejected),
        COMMAND_TEST(btrfs_is_mounted_and_ejected),
        COMMAND_TEST(xfs_is_mounted_and_ejected),
        COMMAND_TEST(exfat_of_fuse_is_ejected),
        COMMAND_TEST(holder_of_a_volume_is_named_and_waited_for),
        COMMAND_TEST(volume_is_mounted_by_its_name),
        COMMAND_TEST(known_volume_of_an_internal_drive_is_listed_once),
        COMMAND_TEST(sync_mounts_what_it_may),
        COMMAND_TEST(what_is_not_the_volume_is_unmounted_again),
    };

    if (!has_daemons())
        return cmocka_run_group_tests_name("no daemons", none, NULL, NULL);
    return cmocka_run_group_tests_name("commands", tests, set_up_commands,
                                       NULL);
}

int main(void)
{
    find_berth();
    int failed = run_with_disks(run_group);
    free(berth);
    return failed;
}
