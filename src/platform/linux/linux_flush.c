/*
 * Linux: what is in memory, what is on the device.
 */
#include "platform/platform_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

static err_code flush_error(int os_errno, const char *what, struct error *err)
{
    /* fsync(2): "fd is bound to a special file that cannot be flushed" */
    if (os_errno == EINVAL)
        os_errno = EOPNOTSUPP;
    return error_set_errno(err, os_errno, "cannot flush %s", what);
}

/*
 * Both always run: each makes the other's remainder durable, and each has
 * errors of its own to tell. syncfs tells of failed writes since 5.8 only
 * (sync(2)); before, those of the other files are lost to us.
 */
err_code platform_flush_volume(int root_fd, int file_fd, struct error *err)
{
    int volume_failed = RETRY_ON_EINTR(syncfs(root_fd)) ? errno : 0;
    int file_failed = RETRY_ON_EINTR(fsync(file_fd)) ? errno : 0;

    if (volume_failed)
        return flush_error(volume_failed, "the volume", err);
    if (file_failed)
        return flush_error(file_failed, "the volume's device", err);
    return ERR_OK;
}

err_code platform_flush_file(int fd, struct error *err)
{
    return RETRY_ON_EINTR(fsync(fd)) ? flush_error(errno, "a file", err)
                                     : ERR_OK;
}

/*
 * Waiting consumes the error that it meets: the descriptor's next fsync would
 * say 0 (mm/filemap.c: file_fdatawait_range "advances" f_wb_err). So wait on
 * a description of the file of its own, which has a cursor of its own. Where
 * there is no such thing (no /proc, mode 0) nobody waits: it is a hint.
 */
static void wait_for_write_back(int fd, int64_t offset, int64_t length)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CLEANUP_FD int own_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (own_fd >= 0)
        sync_file_range(own_fd, offset, length,
                        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                            SYNC_FILE_RANGE_WAIT_AFTER);
}

void platform_write_back(int fd, int64_t offset, int64_t length, bool wait)
{
    if (wait)
        wait_for_write_back(fd, offset, length);
    else
        sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE);
}

/*
 * The filesystems whose reads come from the page cache, or else from the
 * device: what mincore does not show there is not in memory. FUSE and network
 * filesystems have a server with a cache of its own, ZFS has the ARC, tmpfs
 * is memory, overlayfs answers for another filesystem.
 */
static bool reads_from_device(int fd)
{
    static const unsigned trusted[] = {
        EXT4_SUPER_MAGIC, /* ext2 and ext3, too */
        XFS_SUPER_MAGIC,
        BTRFS_SUPER_MAGIC,
        F2FS_SUPER_MAGIC,
        EXFAT_SUPER_MAGIC,
        MSDOS_SUPER_MAGIC,
        0x7366746e, /* ntfs3: "ntfs", fs/ntfs3/super.c */
        0x482b,     /* HFS+: fs/hfsplus/hfsplus_raw.h */
    };
    struct statfs found;

    if (fstatfs(fd, &found))
        return false;
    for (size_t i = 0; i < COUNT_OF(trusted); i++)
        if ((unsigned)found.f_type == trusted[i])
            return true;
    return false;
}

enum { LOOK_WINDOW_PAGES = 64 * 1024 };

/*
 * Whether no page of the window is in memory. False also where nobody may
 * know: since 5.2 mincore says "all" for files that one neither owns nor may
 * write (mm/mincore.c, can_do_mincore), and mmap wants a readable descriptor.
 * The mapping is never touched, so that a file cut short meanwhile raises no
 * SIGBUS.
 */
static bool window_is_absent(int fd, int64_t offset, size_t length,
                             unsigned char *pages, size_t page_bytes)
{
    void *window = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, offset);

    if (window == MAP_FAILED)
        return false;
    bool absent = !mincore(window, length, pages);
    munmap(window, length);
    size_t count = (length + page_bytes - 1) / page_bytes;
    for (size_t i = 0; i < count && absent; i++)
        absent = !(pages[i] & 1);
    return absent;
}

/* The same for the whole file. */
static bool file_is_absent(int fd, int64_t size_bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    int64_t window_bytes = (int64_t)(page_bytes * LOOK_WINDOW_PAGES);
    CLEANUP_FREE unsigned char *pages = xmalloc(LOOK_WINDOW_PAGES);

    for (int64_t offset = 0; offset < size_bytes; offset += window_bytes) {
        int64_t length = size_bytes - offset;
        if (length > window_bytes)
            length = window_bytes;
        if (!window_is_absent(fd, offset, (size_t)length, pages, page_bytes))
            return false;
    }
    return true;
}

err_code platform_drop_cache(int fd, int64_t size_bytes,
                             enum platform_proof *out_proof, struct error *err)
{
    if (!reads_from_device(fd)) {
        *out_proof = PLATFORM_PROOF_CACHE;
        return ERR_OK;
    }
    /* A page that another CPU has just let go of may take a second call. */
    for (int attempt = 0; attempt < 2; attempt++) {
        /* To the end of the file, so that its last, partial page goes, too. */
        int failed = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        if (failed)
            return error_set_errno(err, failed, "cannot drop a file's cache");
        if (file_is_absent(fd, size_bytes)) {
            *out_proof = PLATFORM_PROOF_DEVICE;
            return ERR_OK;
        }
    }
    *out_proof = PLATFORM_PROOF_CACHE;
    return ERR_OK;
}

void platform_advise_sequential(int fd)
{
    /* It returns its error; a hint has none. */
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

/*
 * Only where the page cache lies above a device: what O_DIRECT reads elsewhere
 * may be stale, and FUSE passes each of its pages on singly or not at all.
 */
bool platform_bypass_cache(int fd, bool bypass)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || (bypass && !reads_from_device(fd)))
        return false;
    flags = bypass ? flags | O_DIRECT : flags & ~O_DIRECT;
    return !fcntl(fd, F_SETFL, flags) && bypass;
}

err_code platform_clone(int from_fd, int to_fd, struct error *err)
{
    if (!ioctl(to_fd, FICLONE, from_fd))
        return ERR_OK;
    /* ioctl_ficlonerange(2): other filesystem, or files it cannot share. */
    if (errno == EXDEV || errno == EINVAL || errno == ETXTBSY)
        errno = EOPNOTSUPP;
    return error_set_errno(err, errno, "cannot clone a file");
}
