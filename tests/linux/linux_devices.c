/*
 * The Linux backend on devices: what is in memory and what is not, what fails
 * and who hears of it.
 */
#include "linux/disks.h"

#include <sys/mman.h>
#include <sys/syscall.h>

/* --- cache -------------------------------------------------------------- */

enum { FILE_BYTES = 3 * 1024 * 1024 + 123 }; /* its last page is partial */

static int write_large(int root_fd, const char *name)
{
    CLEANUP_FREE char *bytes = xmalloc(FILE_BYTES);
    int fd = -1;

    memset(bytes, 'x', FILE_BYTES);
    assert_int_equal(
        platform_open_beneath(root_fd, name, PLATFORM_OPEN_CREATE, &fd, NULL),
        ERR_OK);
    assert_int_equal(fd_write_full(fd, bytes, FILE_BYTES), 0);
    return fd;
}

static enum platform_proof proof_of(int fd)
{
    enum platform_proof proof = PLATFORM_PROOF_CACHE;

    assert_int_equal(platform_drop_cache(fd, FILE_BYTES, &proof, NULL), ERR_OK);
    return proof;
}

static void a_flushed_file_is_read_from_the_device(void **state)
{
    static const char *const types[] = {"ext4", "btrfs", "xfs", "exfat"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        CLEANUP_DISK struct disk disk = DISK_INIT;
        CLEANUP_FREE char *maker = xasprintf("mkfs.%s", types[i]);
        bool is_fuse = !strcmp(types[i], "exfat");
        if (!has_program(maker))
            continue;
        make_image(&disk, base, disk_bytes);
        assert_int_equal(RUN(maker, disk.device), 0);
        mount_disk(&disk, types[i]);
        int root_fd = open_root(disk.mount_point);
        int fd = write_large(root_fd, "file");
        assert_int_equal(platform_flush_volume(root_fd, fd, NULL), ERR_OK);
        assert_int_equal(proof_of(fd), is_fuse ? PLATFORM_PROOF_CACHE
                                               : PLATFORM_PROOF_DEVICE);
        close(fd);
        close(root_fd);
    }
}

static void a_page_that_stays_in_memory_is_not_verified(void **state)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;

    (void)state;
    make_ext4(&disk);
    int root_fd = open_root(disk.mount_point);
    int fd = write_large(root_fd, "file");
    assert_int_equal(platform_flush_file(fd, NULL), ERR_OK);
    /* a page that somebody else holds, the last and partial one at that */
    void *held =
        mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, FILE_BYTES / 4096 * 4096);
    assert_true(held != MAP_FAILED);
    /* not mlock(): under sanitizers that does nothing */
    assert_int_equal(syscall(SYS_mlock, held, 4096), 0);
    assert_int_equal(proof_of(fd), PLATFORM_PROOF_CACHE);
    munmap(held, 4096);
    assert_int_equal(proof_of(fd), PLATFORM_PROOF_DEVICE);
    close(fd);
    close(root_fd);
}

/* mincore answers "all in memory" for what one may not write. */
static void what_one_may_not_look_at_is_not_verified(void **state)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;
    int fd = -1;

    (void)state;
    make_ext4(&disk);
    int root_fd = open_root(disk.mount_point);
    int own_fd = write_large(root_fd, "file");
    assert_int_equal(fchmod(own_fd, 0644), 0);
    assert_int_equal(platform_flush_file(own_fd, NULL), ERR_OK);
    close(own_fd);
    assert_int_equal(
        platform_open_beneath(root_fd, "file", PLATFORM_OPEN_READ, &fd, NULL),
        ERR_OK);
    assert_int_equal(seteuid(65534), 0);
    enum platform_proof proof = proof_of(fd);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(proof, PLATFORM_PROOF_CACHE);
    assert_int_equal(proof_of(fd), PLATFORM_PROOF_DEVICE);
    close(fd);
    close(root_fd);
}

/* --- a device that fails ------------------------------------------------ */

/*
 * An ext4 on an image that lies in memory, which is full: writing back new
 * data fails as it does on bad sectors, rewriting old metadata succeeds, so
 * that nothing but the data's own error can tell.
 */
struct failing {
    struct disk disk;
    char *memory;
    int root_fd, large_fd;
};

static void fill(const char *directory)
{
    CLEANUP_FREE char *path = path_join(directory, "filler");
    CLEANUP_FREE char *bytes = xcalloc(1, 1 << 16);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    while (!fd_write_full(fd, bytes, 1 << 16))
        continue;
    close(fd);
}

static void failing_init(struct failing *failing)
{
    *failing = (struct failing){.disk = DISK_INIT, .large_fd = -1};
    failing->memory = path_join(base, "memory");
    assert_int_equal(mkdir(failing->memory, 0700), 0);
    assert_int_equal(mount("none", failing->memory, "tmpfs", 0, "size=24M"), 0);
    make_image(&failing->disk, failing->memory, disk_bytes);
    assert_int_equal(RUN("mkfs.ext4", "-q", "-E", "lazy_itable_init=0", "-O",
                         "^has_journal", failing->disk.device),
                     0);
    mount_disk(&failing->disk, "ext4");
    failing->root_fd = open_root(failing->disk.mount_point);
    assert_int_equal(platform_open_beneath(failing->root_fd, "large",
                                           PLATFORM_OPEN_CREATE,
                                           &failing->large_fd, NULL),
                     ERR_OK);
    assert_int_equal(posix_fallocate(failing->large_fd, 0, FILE_BYTES), 0);
}

static void write_in_vain(struct failing *failing)
{
    CLEANUP_FREE char *bytes = xmalloc(FILE_BYTES);

    assert_int_equal(
        platform_flush_volume(failing->root_fd, failing->large_fd, NULL),
        ERR_OK);
    fill(failing->memory);
    memset(bytes, 'x', FILE_BYTES);
    assert_int_equal(fd_write_full(failing->large_fd, bytes, FILE_BYTES), 0);
}

static void failing_release(struct failing *failing)
{
    close(failing->large_fd);
    close(failing->root_fd);
    disk_release(&failing->disk);
    umount2(failing->memory, MNT_DETACH);
    rmdir(failing->memory);
    free(failing->memory);
}

static void a_failed_write_shows_in_the_volumes_flush(void **state)
{
    struct failing failing;
    struct error err = ERROR_INIT;
    int other_fd = -1;

    (void)state;
    failing_init(&failing);
    assert_int_equal(platform_open_beneath(failing.root_fd, "other",
                                           PLATFORM_OPEN_CREATE, &other_fd,
                                           NULL),
                     ERR_OK);
    write_in_vain(&failing);
    /* the file that is flushed by name is not the one that failed */
    err_code code = platform_flush_volume(failing.root_fd, other_fd, &err);
    assert_true(error_is_device_failure(code) || code == ERR_NO_SPACE);
    assert_non_null(strstr(err.message, "cannot flush the volume"));
    close(other_fd);
    failing_release(&failing);
}

static void waiting_for_write_back_hides_no_error(void **state)
{
    struct failing failing;

    (void)state;
    failing_init(&failing);
    write_in_vain(&failing);
    platform_write_back(failing.large_fd, 0, FILE_BYTES, false);
    platform_write_back(failing.large_fd, 0, FILE_BYTES, true);
    assert_int_not_equal(platform_flush_file(failing.large_fd, NULL), ERR_OK);
    /* told once, gone: what failed must be written anew (ENGINE G8) */
    assert_int_equal(platform_flush_file(failing.large_fd, NULL), ERR_OK);
    failing_release(&failing);
}

static err_code ignore_entry(void *context, const struct platform_entry *entry,
                             struct error *err)
{
    (void)context;
    (void)entry;
    (void)err;
    return ERR_OK;
}

/* Everything may fail now, nothing may crash or hang. */
static void use_everything(int root_fd, int large_fd)
{
    struct platform_mount mount;
    struct platform_space space;
    struct platform_stat stat;
    enum platform_proof proof;
    char *target = NULL;
    int fd = -1;

    alarm(60);
    (void)!platform_list_directory(root_fd, ignore_entry, NULL, NULL);
    (void)!platform_stat_beneath(root_fd, "file", &stat, NULL);
    (void)!platform_read_link(root_fd, "file", &target, NULL);
    (void)!platform_space(root_fd, &space, NULL);
    (void)!platform_drop_cache(large_fd, FILE_BYTES, &proof, NULL);
    (void)!platform_check_attached(root_fd, NULL);
    platform_write_back(large_fd, 0, FILE_BYTES, false);
    platform_write_back(large_fd, 0, FILE_BYTES, true);
    if (!platform_open_beneath(root_fd, "new", PLATFORM_OPEN_CREATE, &fd, NULL))
        close(fd);
    if (!platform_mount_of(root_fd, &mount, NULL))
        platform_mount_release(&mount);
    assert_null(target);
    alarm(0);
}

/*
 * A FUSE server whose connection is cut answers as one whose drive was pulled.
 * umount -f cuts it; that the mount is busy keeps it mounted.
 */
static void cut_fuse(const struct disk *disk)
{
    assert_int_equal(umount2(disk->mount_point, MNT_FORCE), -1);
    assert_int_equal(errno, EBUSY);
}

static void a_fuse_volume_that_is_yanked_is_gone(void **state)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;
    struct platform_stat stat;
    int fd = -1;

    (void)state;
    if (!has_program("mkfs.exfat") || !has_program("mount.exfat-fuse"))
        SKIP_BECAUSE("no exfat-fuse");
    make_image(&disk, base, disk_bytes);
    assert_int_equal(RUN("mkfs.exfat", disk.device), 0);
    mount_disk(&disk, "exfat");
    int root_fd = open_root(disk.mount_point);
    int large_fd = write_large(root_fd, "file");
    cut_fuse(&disk);
    use_everything(root_fd, large_fd);
    assert_int_equal(platform_stat_beneath(root_fd, "none", &stat, NULL),
                     ERR_DEVICE_GONE);
    assert_int_equal(
        platform_open_beneath(root_fd, "new", PLATFORM_OPEN_CREATE, &fd, NULL),
        ERR_DEVICE_GONE);
    assert_int_equal(platform_list_directory(root_fd, ignore_entry, NULL, NULL),
                     ERR_DEVICE_GONE);
    assert_int_equal(platform_flush_volume(root_fd, large_fd, NULL),
                     ERR_DEVICE_GONE);
    close(large_fd);
    close(root_fd);
}

/* A loop device follows its image: of 0 bytes, it answers nothing any more. */
static void a_disk_that_is_yanked_gives_errors_only(void **state)
{
    CLEANUP_DISK struct disk disk = DISK_INIT;
    char byte;
    int fd = -1;

    (void)state;
    make_ext4(&disk);
    int root_fd = open_root(disk.mount_point);
    int large_fd = write_large(root_fd, "file");
    assert_int_equal(platform_flush_volume(root_fd, large_fd, NULL), ERR_OK);
    assert_int_equal(proof_of(large_fd), PLATFORM_PROOF_DEVICE);
    assert_int_equal(truncate(disk.image, 0), 0);
    assert_int_equal(ioctl(disk.loop_fd, LOOP_SET_CAPACITY), 0);
    assert_int_equal(pread(large_fd, &byte, 1, 0), -1);
    use_everything(root_fd, large_fd);
    err_code code = platform_open_beneath(root_fd, "second",
                                          PLATFORM_OPEN_CREATE, &fd, NULL);
    close(fd);
    if (!code)
        code = platform_flush_volume(root_fd, large_fd, NULL);
    assert_true(error_is_device_failure(code));
    close(large_fd);
    close(root_fd);
}

static int run_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flushed_file_is_read_from_the_device),
        cmocka_unit_test(a_page_that_stays_in_memory_is_not_verified),
        cmocka_unit_test(what_one_may_not_look_at_is_not_verified),
        cmocka_unit_test(a_failed_write_shows_in_the_volumes_flush),
        cmocka_unit_test(waiting_for_write_back_hides_no_error),
        cmocka_unit_test(a_fuse_volume_that_is_yanked_is_gone),
        cmocka_unit_test(a_disk_that_is_yanked_gives_errors_only),
    };

    return cmocka_run_group_tests_name("linux_devices", tests, NULL, NULL);
}

int main(void)
{
    return run_with_disks(run_group);
}
