/*
 * The Linux backend on real filesystems: the contract on each, what is said
 * about them, and mount points.
 */
#include "contract/platform_io_contract.h"
#include "linux/disks.h"

#include "platform/linux/linux_io.h"
#include "platform/platform.h"

#include <sys/sysmacros.h>

/* --- the contract on each filesystem ------------------------------------ */

struct filesystem {
    const char *type, *maker;
    bool forced_walk;
};

static const struct filesystem filesystems[] = {
    {"ext4", "mkfs.ext4", false},   {"ext4", "mkfs.ext4", true},
    {"btrfs", "mkfs.btrfs", false}, {"btrfs", "mkfs.btrfs", true},
    {"xfs", "mkfs.xfs", false},     {"xfs", "mkfs.xfs", true},
    {"exfat", "mkfs.exfat", false}, {"exfat", "mkfs.exfat", true},
};
static const struct filesystem *current;
static struct disk contract_disk;

static int mount_filesystem(void **state)
{
    (void)state;
    contract_disk = (struct disk)DISK_INIT;
    make_image(&contract_disk, base, disk_bytes);
    assert_int_equal(RUN(current->maker, contract_disk.device), 0);
    mount_disk(&contract_disk, current->type);
    contract_base = contract_disk.mount_point;
    linux_io_force_component_walk(current->forced_walk);
    return 0;
}

static int unmount_filesystem(void **state)
{
    (void)state;
    linux_io_force_component_walk(false);
    disk_release(&contract_disk);
    return 0;
}

/* --- mount points ------------------------------------------------------- */

static void expect_uncrossed(const char *root, const char *path,
                             const char *below, err_code expected)
{
    int root_fd = open_root(root);

    for (int walk = 0; walk < 2; walk++) {
        int fd = -1;
        struct error err = ERROR_INIT;
        struct platform_stat stat, root_stat;
        linux_io_force_component_walk(walk);
        assert_int_equal(platform_open_beneath(
                             root_fd, path, PLATFORM_OPEN_DIRECTORY, &fd, &err),
                         expected);
        if (expected)
            assert_non_null(strstr(err.message, "mount point"));
        else
            close(fd);
        assert_int_equal(platform_open_beneath(root_fd, below,
                                               PLATFORM_OPEN_READ, &fd, &err),
                         expected);
        if (!expected)
            close(fd);
        assert_int_equal(platform_stat_beneath(root_fd, below, &stat, NULL),
                         expected);
        assert_int_equal(platform_stat_beneath(root_fd, path, &stat, NULL),
                         ERR_OK);
        assert_int_equal(platform_stat_fd(root_fd, &root_stat, NULL), ERR_OK);
        assert_int_equal(stat.mount != root_stat.mount, expected != ERR_OK);
    }
    linux_io_force_component_walk(false);
    close(root_fd);
}

static void write_file(const char *directory, const char *name)
{
    CLEANUP_FREE char *path = path_join(directory, name);

    assert_int_equal(file_replace(path, "x", 1, 0644, NULL), ERR_OK);
}

static void a_bind_mount_of_the_same_filesystem_is_not_crossed(void **state)
{
    CLEANUP_FREE char *root = path_join(base, "root");
    CLEANUP_FREE char *other = path_join(base, "other");
    CLEANUP_FREE char *point = path_join(root, "point");

    (void)state;
    assert_int_equal(mkdir(root, 0700), 0);
    assert_int_equal(mkdir(other, 0700), 0);
    assert_int_equal(mkdir(point, 0700), 0);
    write_file(other, "file");
    write_file(point, "file");
    expect_uncrossed(root, "point", "point/file", ERR_OK);
    assert_int_equal(mount(other, point, NULL, MS_BIND, NULL), 0);
    expect_uncrossed(root, "point", "point/file", ERR_CHANGED);
    assert_int_equal(umount2(point, 0), 0);
    remove_tree(root);
    remove_tree(other);
}

static void a_file_that_is_mounted_over_is_refused(void **state)
{
    CLEANUP_FREE char *root = path_join(base, "root");
    CLEANUP_FREE char *one = path_join(root, "one");
    CLEANUP_FREE char *two = path_join(root, "two");
    int fd = -1;

    (void)state;
    assert_int_equal(mkdir(root, 0700), 0);
    write_file(root, "one");
    write_file(root, "two");
    assert_int_equal(mount(one, two, NULL, MS_BIND, NULL), 0);
    int root_fd = open_root(root);
    for (int walk = 0; walk < 2; walk++) {
        linux_io_force_component_walk(walk);
        assert_int_equal(platform_open_beneath(root_fd, "two",
                                               PLATFORM_OPEN_APPEND, &fd, NULL),
                         ERR_CHANGED);
        assert_int_equal(platform_open_beneath(root_fd, "one",
                                               PLATFORM_OPEN_APPEND, &fd, NULL),
                         ERR_OK);
        close(fd);
    }
    linux_io_force_component_walk(false);
    close(root_fd);
    assert_int_equal(umount2(two, 0), 0);
    remove_tree(root);
}

/* A subvolume has a device number of its own, and is no mount. */
static void a_btrfs_subvolume_is_entered(void **state)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;

    (void)state;
    if (!has_program("mkfs.btrfs") || !has_program("btrfs"))
        SKIP_BECAUSE("no btrfs-progs");
    make_image(&disk, base, disk_bytes);
    assert_int_equal(RUN("mkfs.btrfs", disk.device), 0);
    mount_disk(&disk, "btrfs");
    CLEANUP_FREE char *inner = path_join(disk.mount_point, "inner");
    assert_int_equal(RUN("btrfs", "subvolume", "create", inner), 0);
    write_file(inner, "file");
    expect_uncrossed(disk.mount_point, "inner", "inner/file", ERR_OK);
}

/* --- what is mounted ---------------------------------------------------- */

static struct platform_mount mount_of(const char *path)
{
    struct platform_mount mount;
    struct error err = ERROR_INIT;
    int fd = open_root(path);

    if (platform_mount_of(fd, &mount, &err))
        fail_msg("%s", err.message);
    close(fd);
    return mount;
}

static void expect_described(const char *type, const char *const *maker,
                             const char *driver, const char *family,
                             const char *uuid, bool has_journal)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;

    if (!has_program(maker[0]))
        return;
    const char *arguments[16];
    size_t count = 0;
    make_image(&disk, base, disk_bytes);
    for (; maker[count]; count++)
        arguments[count] = maker[count];
    arguments[count++] = disk.device;
    arguments[count] = NULL;
    assert_int_equal(run(arguments), 0);
    mount_disk(&disk, type);

    struct platform_mount mount = mount_of(disk.mount_point);
    assert_string_equal(mount.mount_point, disk.mount_point);
    assert_string_equal(mount.source, disk.device);
    assert_string_equal(mount.driver, driver);
    assert_string_equal(mount.family, family);
    assert_string_equal(mount.subtree, "/");
    if (uuid)
        assert_string_equal(mount.fs_uuid, uuid);
    else
        assert_int_equal(strlen(mount.fs_uuid), 8);
    assert_string_equal(mount.fs_label, "Test disk");
    assert_true(mount.is_root);
    assert_false(mount.is_read_only);
    assert_false(mount.is_network);
    assert_true(mount.is_local_disk);
    assert_int_equal(mount.has_journal, has_journal);
    platform_mount_release(&mount);
    int fd = open_root(disk.mount_point);
    assert_int_equal(platform_check_attached(fd, NULL), ERR_OK);
    close(fd);
}
#define MAKER(...) ((const char *const[]){__VA_ARGS__, NULL})
#define UUID "0E3F1A44-9A49-4B6C-8C07-5D3D6C6F9A10"
#define CANONICAL "0e3f1a449a494b6c8c075d3d6c6f9a10"

static void each_filesystem_is_described(void **state)
{
    (void)state;
    expect_described("ext4",
                     MAKER("mkfs.ext4", "-q", "-L", "Test disk", "-U", UUID),
                     "ext4", "ext4", CANONICAL, true);
    expect_described("ext4",
                     MAKER("mkfs.ext4", "-q", "-O", "^has_journal", "-L",
                           "Test disk", "-U", UUID),
                     "ext4", "ext4", CANONICAL, false);
    expect_described("ext2",
                     MAKER("mkfs.ext2", "-q", "-L", "Test disk", "-U", UUID),
                     "ext2", "ext4", CANONICAL, false);
    expect_described("btrfs",
                     MAKER("mkfs.btrfs", "-L", "Test disk", "-U", UUID),
                     "btrfs", "btrfs", CANONICAL, true);
    expect_described("xfs",
                     MAKER("mkfs.xfs", "-L", "Test disk", "-m", "uuid=" UUID),
                     "xfs", "xfs", CANONICAL, true);
    expect_described("exfat", MAKER("mkfs.exfat", "-L", "Test disk"), "fuseblk",
                     "exfat", NULL, false);
}

/* What the list, which opens no device, says about a mount point. */
static void expect_listed_as(const struct disk *disk, const char *family,
                             const char *uuid, const char *label)
{
    struct platform *platform;
    struct platform_mounts mounts;
    size_t found = 0;

    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    assert_int_equal(platform_list_mounts(platform, &mounts, NULL), ERR_OK);
    for (size_t i = 0; i < mounts.count; i++) {
        if (strcmp(mounts.items[i].mount_point, disk->mount_point) != 0)
            continue;
        assert_string_equal(mounts.items[i].family, family);
        assert_string_equal(mounts.items[i].fs_uuid, uuid);
        assert_string_equal(mounts.items[i].fs_label, label);
        found++;
    }
    assert_int_equal(found, 1);
    platform_mounts_release(&mounts);
    platform_free(platform);
}

static dev_t number_of(const struct disk *disk)
{
    struct stat found;

    assert_int_equal(stat(disk->device, &found), 0);
    return found.st_rdev;
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(file_replace(path, text, strlen(text), 0644, NULL),
                     ERR_OK);
}

/* The udev database is files, so it can be written without a daemon. */
static void udev_is_believed_before_the_device(void **state)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;

    (void)state;
    if (!has_program("mkfs.exfat") || !has_program("mount.exfat-fuse"))
        SKIP_BECAUSE("no exfat-fuse");
    make_image(&disk, base, disk_bytes);
    assert_int_equal(RUN("mkfs.exfat", disk.device), 0);
    mount_disk(&disk, "exfat");
    expect_listed_as(&disk, "fuseblk", "", "");
    assert_int_equal(mount("none", "/run", "tmpfs", 0, NULL), 0);
    assert_int_equal(directory_ensure("/run/udev/data", NULL), ERR_OK);
    CLEANUP_FREE char *entry =
        xasprintf("/run/udev/data/b%u:%u", major(number_of(&disk)),
                  minor(number_of(&disk)));
    write_text(entry, "I:1\nE:ID_FS_TYPE=exfat\nE:ID_FS_UUID=1234-ABCD\n"
                      "E:ID_FS_LABEL=My_TV\nE:ID_FS_LABEL_ENC=My\\x20TV\n");
    expect_listed_as(&disk, "exfat", "1234abcd", "My TV");
    struct platform_mount mount = mount_of(disk.mount_point);
    assert_string_equal(mount.fs_uuid, "1234abcd");
    assert_string_equal(mount.fs_label, "My TV");
    platform_mount_release(&mount);
    assert_int_equal(umount2("/run", 0), 0);
}

/* A /dev of our own with the device and a link to it. */
static void links_are_believed_where_udev_is_silent(void **state)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;

    (void)state;
    make_ext4(&disk);
    dev_t number = number_of(&disk);
    CLEANUP_FREE char *target = xasprintf("../..%s", disk.device + 4);
    assert_int_equal(mount("none", "/dev", "tmpfs", 0, NULL), 0);
    assert_int_equal(mknod(disk.device, S_IFBLK | 0600, number), 0);
    assert_int_equal(directory_ensure("/dev/disk/by-uuid", NULL), ERR_OK);
    assert_int_equal(directory_ensure("/dev/disk/by-label", NULL), ERR_OK);
    assert_int_equal(symlink(target, "/dev/disk/by-uuid/ABCD-0001"), 0);
    assert_int_equal(symlink(target, "/dev/disk/by-label/a\\x20b"), 0);
    expect_listed_as(&disk, "ext4", "abcd0001", "a b");
    assert_int_equal(umount2("/dev", 0), 0);
    expect_listed_as(&disk, "ext4", "", "");
}

static void a_bind_mount_names_its_subtree(void **state)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;

    (void)state;
    make_ext4(&disk);
    CLEANUP_FREE char *inner = path_join(disk.mount_point, "inner");
    CLEANUP_FREE char *point = path_join(base, "point");
    assert_int_equal(mkdir(inner, 0700), 0);
    assert_int_equal(mkdir(point, 0700), 0);
    assert_int_equal(mount(inner, point, NULL, MS_BIND, NULL), 0);
    struct platform_mount direct = mount_of(inner), bound = mount_of(point);
    assert_string_equal(direct.subtree, "/");
    assert_false(direct.is_root);
    assert_string_equal(bound.subtree, "/inner");
    assert_true(bound.is_root);
    assert_string_equal(bound.fs_uuid, direct.fs_uuid);
    assert_true(bound.mount_id != direct.mount_id);
    platform_mount_release(&direct);
    platform_mount_release(&bound);
    assert_int_equal(umount2(point, 0), 0);
    rmdir(point);
}

/* How often the mount point is in the list; the last of them in *out. */
static size_t find_listed(struct platform *platform, const char *mount_point,
                          uint64_t *out_mount_id)
{
    struct platform_mounts mounts;
    size_t found = 0;

    assert_int_equal(platform_list_mounts(platform, &mounts, NULL), ERR_OK);
    for (size_t i = 0; i < mounts.count; i++)
        if (!strcmp(mounts.items[i].mount_point, mount_point)) {
            found++;
            *out_mount_id = mounts.items[i].mount_id;
        }
    platform_mounts_release(&mounts);
    return found;
}

/* Whether news came; afterwards it is quiet again. */
static bool is_woken(struct platform *platform)
{
    struct pollfd wake = {.fd = platform_wake_fd(platform), .events = POLLIN};
    bool woken = poll(&wake, 1, 5000) == 1;

    for (int i = 0; i < 50 && poll(&wake, 1, 20) == 1; i++)
        platform_acknowledge(platform);
    assert_int_equal(poll(&wake, 1, 0), 0);
    return woken;
}

static void of_stacked_mounts_the_topmost_is_listed(void **state)
{
    CLEANUP_DISK struct disk below = DISK_INIT, above = DISK_INIT;
    struct platform *platform;
    uint64_t mount_id = 0;

    (void)state;
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    make_ext4(&below);
    assert_true(is_woken(platform));
    assert_int_equal(find_listed(platform, below.mount_point, &mount_id), 1);
    int below_fd = open_root(below.mount_point);
    make_image(&above, base, disk_bytes);
    assert_int_equal(RUN("mkfs.ext4", "-q", above.device), 0);
    assert_int_equal(mount(above.device, below.mount_point, "ext4", 0, NULL),
                     0);
    assert_true(is_woken(platform));
    struct platform_mount top = mount_of(below.mount_point), bottom;
    assert_int_equal(find_listed(platform, below.mount_point, &mount_id), 1);
    assert_true(mount_id == top.mount_id);
    assert_string_equal(top.source, above.device);
    /* The descriptor opened before belongs to the mount that is covered. */
    assert_int_equal(platform_mount_of(below_fd, &bottom, NULL), ERR_OK);
    assert_string_equal(bottom.source, below.device);
    platform_mount_release(&top);
    platform_mount_release(&bottom);
    close(below_fd);
    assert_int_equal(umount2(below.mount_point, 0), 0);
    assert_true(is_woken(platform));
    platform_free(platform);
}

static void memory_and_images_are_not_listed(void **state)
{
    CLEANUP_FREE char *point = path_join(base, "memory");
    struct platform *platform;
    uint64_t mount_id;

    (void)state;
    assert_int_equal(mkdir(point, 0700), 0);
    assert_int_equal(mount("/dev/vda", point, "tmpfs", 0, "size=1M"), 0);
    assert_int_equal(platform_new(&platform, NULL), ERR_OK);
    assert_int_equal(find_listed(platform, point, &mount_id), 0);
    platform_free(platform);
    assert_int_equal(umount2(point, 0), 0);
    rmdir(point);
}

static void add_mount(void *context, const char *path, bool has_files)
{
    strbuf_addf(context, "%s%s;", path, has_files ? "" : " (no files)");
}

static void assert_mounts_below(const char *path, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    int fd = open_root(path);

    assert_int_equal(platform_visit_mounts_below(fd, add_mount, &text, NULL),
                     ERR_OK);
    assert_string_equal(text.length ? text.text : "", expected);
    close(fd);
}

static void what_is_mounted_below_a_directory_is_told(void **state)
{
    CLEANUP_FREE char *root = path_join(base, "below a space");
    CLEANUP_FREE char *beside = path_join(base, "below a spaceship");
    CLEANUP_FREE char *one = path_join(root, "one");
    CLEANUP_FREE char *two = path_join(one, "two");
    CLEANUP_FREE char *kernel = path_join(root, "kernel");

    (void)state;
    assert_int_equal(mkdir(root, 0700), 0);
    assert_int_equal(mkdir(beside, 0700), 0);
    assert_int_equal(mkdir(one, 0700), 0);
    assert_int_equal(mkdir(kernel, 0700), 0);
    assert_mounts_below(root, "");
    assert_int_equal(mount("none", beside, "tmpfs", 0, NULL), 0);
    assert_int_equal(mount("none", one, "tmpfs", 0, NULL), 0);
    assert_int_equal(mkdir(two, 0700), 0);
    assert_int_equal(mount(base, two, NULL, MS_BIND, NULL), 0);
    assert_int_equal(mount("proc", kernel, "proc", 0, NULL), 0);
    assert_mounts_below(root, "one;one/two;kernel (no files);");
    assert_mounts_below(one, "two;");
    /* Over both: what is hidden is nobody's. */
    assert_int_equal(mount("none", one, "tmpfs", 0, NULL), 0);
    assert_mounts_below(root, "kernel (no files);one;");
    assert_int_equal(umount2(one, 0), 0);
    assert_int_equal(umount2(two, 0), 0);
    assert_int_equal(umount2(one, 0), 0);
    assert_int_equal(umount2(kernel, 0), 0);
    assert_int_equal(umount2(beside, 0), 0);
    remove_tree(root);
    remove_tree(beside);
}

static void a_read_only_mount_says_so(void **state)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;
    int fd = -1;

    (void)state;
    make_ext4(&disk);
    assert_int_equal(
        mount(NULL, disk.mount_point, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    struct platform_mount mount = mount_of(disk.mount_point);
    assert_true(mount.is_read_only);
    platform_mount_release(&mount);
    int root_fd = open_root(disk.mount_point);
    assert_int_equal(
        platform_open_beneath(root_fd, "new", PLATFORM_OPEN_CREATE, &fd, NULL),
        ERR_READ_ONLY);
    close(root_fd);
}

static void a_mount_that_was_taken_away_has_changed(void **state)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;
    struct platform_mount mount;
    int fd = -1;

    (void)state;
    make_ext4(&disk);
    int root_fd = open_root(disk.mount_point);
    assert_int_equal(umount2(disk.mount_point, MNT_DETACH), 0);
    assert_int_equal(platform_mount_of(root_fd, &mount, NULL), ERR_CHANGED);
    /* What is still open works, and does not land below the mount point. */
    assert_int_equal(
        platform_open_beneath(root_fd, "new", PLATFORM_OPEN_CREATE, &fd, NULL),
        ERR_OK);
    CLEANUP_FREE char *outside = path_join(disk.mount_point, "new");
    assert_int_equal(access(outside, F_OK), -1);
    close(fd);
    close(root_fd);
}

static int run_groups(void)
{
    const struct CMUnitTest contract[] = {PLATFORM_IO_CONTRACT};
    const struct CMUnitTest plain[] = {PLATFORM_IO_CONTRACT_PLAIN};
    const struct CMUnitTest own[] = {
        cmocka_unit_test(a_bind_mount_of_the_same_filesystem_is_not_crossed),
        cmocka_unit_test(a_file_that_is_mounted_over_is_refused),
        cmocka_unit_test(a_btrfs_subvolume_is_entered),
        cmocka_unit_test(each_filesystem_is_described),
        cmocka_unit_test(udev_is_believed_before_the_device),
        cmocka_unit_test(links_are_believed_where_udev_is_silent),
        cmocka_unit_test(a_bind_mount_names_its_subtree),
        cmocka_unit_test(of_stacked_mounts_the_topmost_is_listed),
        cmocka_unit_test(memory_and_images_are_not_listed),
        cmocka_unit_test(what_is_mounted_below_a_directory_is_told),
        cmocka_unit_test(a_read_only_mount_says_so),
        cmocka_unit_test(a_mount_that_was_taken_away_has_changed),
    };
    int failed = 0;

    failed += cmocka_run_group_tests_name("volumes", own, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(filesystems); i++) {
        current = &filesystems[i];
        if (!has_program(current->maker))
            continue;
        failed += strcmp(current->type, "exfat")
                      ? cmocka_run_group_tests_name(current->type, contract,
                                                    mount_filesystem,
                                                    unmount_filesystem)
                      : cmocka_run_group_tests_name(current->type, plain,
                                                    mount_filesystem,
                                                    unmount_filesystem);
    }
    return failed;
}

int main(void)
{
    return run_with_disks(run_groups);
}
