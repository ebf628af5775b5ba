#include "platform/macos/macos_flush.h"

#include "core/base/array.h"
#include "core/base/thread.h"
#include "platform/macos/macos_mount.h"
#include "platform/platform_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what worked where --- */

struct seen {
    dev_t device;
    enum macos_flush flush;
};

/* Grows with the devices that are ever written to; lives as the process. */
static pthread_mutex_t seen_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct seen items[64];
    size_t count;
} all_seen; /* under seen_mutex */

static struct seen *find_seen(dev_t device)
{
    for (size_t i = 0; i < all_seen.count; i++)
        if (all_seen.items[i].device == device)
            return &all_seen.items[i];
    return NULL;
}

enum macos_flush macos_flush_seen(dev_t device)
{
    mutex_lock(&seen_mutex);
    const struct seen *found = find_seen(device);
    enum macos_flush flush = found ? found->flush : MACOS_FLUSH_UNKNOWN;
    mutex_unlock(&seen_mutex);
    return flush;
}

static void remember(int fd, enum macos_flush flush)
{
    struct stat found;

    if (fstat(fd, &found))
        return;
    mutex_lock(&seen_mutex);
    struct seen *entry = find_seen(found.st_dev);
    if (!entry && all_seen.count < COUNT_OF(all_seen.items))
        entry = &all_seen.items[all_seen.count++];
    if (entry)
        *entry = (struct seen){found.st_dev, flush};
    mutex_unlock(&seen_mutex);
}

/* --- flushing --- */

/* How filesystems say that they do not know the call (libuv#1579, #2317). */
static bool is_unknown(int os_errno)
{
    return os_errno == ENOTSUP || os_errno == EOPNOTSUPP ||
           os_errno == EINVAL || os_errno == ENOTTY;
}

static int fcntl_retried(int fd, int command)
{
    return RETRY_ON_EINTR(fcntl(fd, command));
}

/*
 * fsync alone leaves the data in the drive's cache (fsync(2)). A failure that
 * is not "unknown here" is told, and never covered up by a lesser call that
 * succeeds: errors are reported once. 0, or -1 with errno.
 */
static int flush_down(int fd)
{
    if (!fcntl_retried(fd, F_FULLFSYNC)) {
        remember(fd, MACOS_FLUSH_FULL);
        return 0;
    }
    if (!is_unknown(errno))
        return -1;
    if (!fcntl_retried(fd, F_BARRIERFSYNC)) {
        remember(fd, MACOS_FLUSH_BARRIER);
        return 0;
    }
    if (!is_unknown(errno))
        return -1;
    if (RETRY_ON_EINTR(fsync(fd)))
        return -1;
    remember(fd, MACOS_FLUSH_FILE);
    return 0;
}

static err_code flush_error(int os_errno, const char *what, struct error *err)
{
    /* fsync(2): "fd refers to a socket, not to a file" */
    if (is_unknown(os_errno))
        os_errno = EOPNOTSUPP;
    return error_set_errno(err, os_errno, "cannot flush %s", what);
}

/*
 * Both always run. fsync_volume_np reaches the files that nobody has open any
 * more; F_FULLFSYNC is the call of which it is documented that it empties the
 * drive's cache.
 */
err_code platform_flush_volume(int root_fd, int file_fd, struct error *err)
{
    int volume_failed = RETRY_ON_EINTR(fsync_volume_np(
                            root_fd, SYNC_VOLUME_FULLSYNC | SYNC_VOLUME_WAIT))
                            ? errno
                            : 0;
    int file_failed = flush_down(file_fd) ? errno : 0;

    if (volume_failed)
        return flush_error(volume_failed, "the volume", err);
    if (file_failed)
        return flush_error(file_failed, "the volume's device", err);
    return ERR_OK;
}

err_code platform_flush_file(int fd, struct error *err)
{
    return flush_down(fd) ? flush_error(errno, "a file", err) : ERR_OK;
}

/* Darwin has nothing between "some time" and a flush of the whole file. */
void platform_write_back(int fd, int64_t offset, int64_t length, bool wait)
{
}

/* --- reading back --- */

enum { LOOK_WINDOW_PAGES = 64 * 1024 };

/*
 * Drops one window's clean pages and looks whether they are gone. The mapping
 * is never touched, so that a file cut short meanwhile raises no SIGBUS.
 */
static bool window_is_absent(int fd, int64_t offset, size_t length, char *pages,
                             size_t page_bytes)
{
    void *window = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, offset);

    if (window == MAP_FAILED)
        return false;
    bool absent = !msync(window, length, MS_INVALIDATE) &&
                  !mincore(window, length, (void *)pages);
    munmap(window, length);
    size_t count = (length + page_bytes - 1) / page_bytes;
    for (size_t i = 0; i < count && absent; i++)
        absent = !(pages[i] & 1); /* MINCORE_INCORE */
    return absent;
}

static bool file_is_absent(int fd, int64_t size_bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    int64_t window_bytes = (int64_t)(page_bytes * LOOK_WINDOW_PAGES);
    CLEANUP_FREE char *pages = xmalloc(LOOK_WINDOW_PAGES);

    for (int64_t offset = 0; offset < size_bytes; offset += window_bytes) {
        int64_t length = size_bytes - offset;
        if (length > window_bytes)
            length = window_bytes;
        if (!window_is_absent(fd, offset, (size_t)length, pages, page_bytes))
            return false;
    }
    return true;
}

/*
 * F_NOCACHE keeps what is read from now on out of memory; what is there
 * already would still be used, so it is dropped first. exFAT, FAT and NTFS are
 * served by programs since macOS 14, which have caches of their own.
 */
err_code platform_drop_cache(int fd, int64_t size_bytes,
                             enum platform_proof *out_proof, struct error *err)
{
    bool is_uncached = fcntl(fd, F_NOCACHE, 1) != -1;

    *out_proof = is_uncached && macos_reads_from_device(fd) &&
                         file_is_absent(fd, size_bytes)
                     ? PLATFORM_PROOF_DEVICE
                     : PLATFORM_PROOF_CACHE;
    return ERR_OK;
}

void platform_advise_sequential(int fd)
{
    (void)fcntl(fd, F_RDAHEAD, 1);
}

bool platform_bypass_cache(int fd, bool bypass)
{
    return macos_reads_from_device(fd) &&
           fcntl(fd, F_NOCACHE, bypass ? 1 : 0) != -1 && bypass;
}
