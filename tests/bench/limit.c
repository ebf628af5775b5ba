/*
 * What the kernel allows: the same work without catalogue, journal, hashes,
 * rules or screen. What berth takes is measured in multiples of it.
 *
 *     limit pair SOURCE TARGET THREADS   walks both, counts what differs
 *     limit walk SOURCE THREADS          walks one
 *     limit copy SOURCE TARGET THREADS   walks both, copies what differs,
 * safely: staged, one syncfs a batch, renamed, flushed limit read DIRECTORY
 * THREADS       reads and hashes every file limit rows CATALOGUE reads all rows
 * of a catalogue in order
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    NAMES_BYTES = 256 * 1024,
    BUFFER_BYTES = 4 * 1024 * 1024,
    DIRECT_FROM_BYTES = 1024 * 1024,
    BATCH_FILES = 5000,
    MOST_THREADS = 64,
};
#define BATCH_BYTES ((int64_t)512 << 20)
#define MASK                                                                   \
    (STATX_TYPE | STATX_MODE | STATX_SIZE | STATX_MTIME | STATX_INO |          \
     STATX_UID | STATX_GID)

struct entry {
    char *name;
    uint64_t inode;
    unsigned char type;
    struct statx stat;
};

struct side {
    char *names;
    size_t length, capacity;
    struct entry *items;
    size_t count, allocated;
};

struct directory {
    struct directory *next;
    char path[];
};

static int source_fd, target_fd = -1;
static bool makes_copies, keeps_files, reads_files;
static unsigned thread_count;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct directory *stack;
static unsigned working;
static _Atomic uint64_t file_count, differing, byte_count;

/* What is to be copied or read. */
static char **files;
static size_t files_count, files_allocated;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void *grow(void *items, size_t needed, size_t *allocated, size_t size)
{
    if (needed <= *allocated)
        return items;
    *allocated = needed * 2;
    items = realloc(items, *allocated * size);
    if (!items)
        fail("memory");
    return items;
}

/* --- walking --- */

static int compare_inodes(const void *one, const void *other)
{
    const struct entry *left = one, *right = other;

    return left->inode < right->inode ? -1 : left->inode > right->inode;
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(((const struct entry *)one)->name,
                  ((const struct entry *)other)->name);
}

static void split(struct side *side)
{
    for (size_t at = 0; at < side->length;) {
        struct dirent64 *found = (struct dirent64 *)(void *)(side->names + at);
        at += found->d_reclen;
        if (!strcmp(found->d_name, ".") || !strcmp(found->d_name, "..") ||
            !strcmp(found->d_name, ".berth"))
            continue;
        side->items = grow(side->items, side->count + 1, &side->allocated,
                           sizeof *side->items);
        side->items[side->count++] = (struct entry){
            .name = found->d_name,
            .inode = found->d_ino,
            .type = found->d_type,
        };
    }
}

static void list(struct side *side, int root, const char *path)
{
    side->count = side->length = 0;
    if (root < 0)
        return;
    int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0)
        return;
    for (;;) {
        side->names =
            grow(side->names, side->length + NAMES_BYTES, &side->capacity, 1);
        ssize_t got = getdents64(fd, side->names + side->length,
                                 side->capacity - side->length);
        if (got <= 0)
            break;
        side->length += (size_t)got;
    }
    split(side);
    qsort(side->items, side->count, sizeof *side->items, compare_inodes);
    for (size_t i = 0; i < side->count; i++)
        if (statx(fd, side->items[i].name, AT_SYMLINK_NOFOLLOW, MASK,
                  &side->items[i].stat))
            fail(side->items[i].name);
    qsort(side->items, side->count, sizeof *side->items, compare_names);
    close(fd);
}

static void push(const char *parent, const char *name)
{
    size_t size = strlen(parent) + strlen(name) + 2;
    struct directory *added = malloc(sizeof *added + size);

    if (!added)
        fail("memory");
    snprintf(added->path, size, "%s/%s", parent, name);
    pthread_mutex_lock(&mutex);
    added->next = stack;
    stack = added;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static void keep_file(const char *parent, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", parent, name);
    pthread_mutex_lock(&mutex);
    files = grow(files, files_count + 1, &files_allocated, sizeof *files);
    files[files_count++] = strdup(path);
    pthread_mutex_unlock(&mutex);
}

static bool is_same(const struct statx *one, const struct statx *other)
{
    /* Within two seconds, as exFAT keeps them. */
    int64_t apart = (int64_t)one->stx_mtime.tv_sec - other->stx_mtime.tv_sec;

    return one->stx_size == other->stx_size && apart >= -2 && apart <= 2;
}

static void meet(const char *path, const struct entry *here,
                 const struct entry *there)
{
    if (S_ISDIR(here->stat.stx_mode)) {
        char below[PATH_MAX];
        snprintf(below, sizeof below, "%s/%s", path, here->name);
        if (makes_copies && !there && mkdirat(target_fd, below, 0700))
            fail(below);
        push(path, here->name);
        return;
    }
    atomic_fetch_add(&file_count, 1);
    bool differs =
        target_fd >= 0 && (!there || !is_same(&here->stat, &there->stat));
    if (differs)
        atomic_fetch_add(&differing, 1);
    if ((differs && keeps_files) || reads_files)
        keep_file(path, here->name);
}

static void walk_directory(const char *path, struct side *here,
                           struct side *there)
{
    size_t t = 0;

    list(here, source_fd, path);
    list(there, target_fd, path);
    for (size_t i = 0; i < here->count; i++) {
        while (t < there->count &&
               strcmp(there->items[t].name, here->items[i].name) < 0)
            t++;
        bool has_both = t < there->count &&
                        !strcmp(there->items[t].name, here->items[i].name);
        meet(path, &here->items[i], has_both ? &there->items[t] : NULL);
    }
}

static void *walk(void *unused)
{
    struct side here = {.names = NULL}, there = {.names = NULL};

    pthread_mutex_lock(&mutex);
    for (;;) {
        while (!stack && working)
            pthread_cond_wait(&changed, &mutex);
        if (!stack)
            break;
        struct directory *taken = stack;
        stack = taken->next;
        working++;
        pthread_mutex_unlock(&mutex);
        walk_directory(taken->path, &here, &there);
        free(taken);
        pthread_mutex_lock(&mutex);
        working--;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void on_threads(void *(*body)(void *))
{
    pthread_t threads[MOST_THREADS];

    for (unsigned i = 1; i < thread_count; i++)
        if (pthread_create(&threads[i], NULL, body, NULL))
            fail("thread");
    body(NULL);
    for (unsigned i = 1; i < thread_count; i++)
        pthread_join(threads[i], NULL);
}

/* --- copying --- */

static size_t batch_end;
static _Atomic size_t next_file;

static void name_staged(char *out, size_t size, size_t number)
{
    snprintf(out, size, ".limit/%zx", number);
}

static void stream(int from, int to, bool direct, char *buffer)
{
    ssize_t got;

    if (direct) {
        fcntl(from, F_SETFL, O_DIRECT);
        fcntl(to, F_SETFL, O_DIRECT);
    }
    while ((got = read(from, buffer, BUFFER_BYTES)) > 0) {
        if (direct && got % 4096)
            fcntl(to, F_SETFL, 0);
        for (ssize_t done = 0; done < got;) {
            ssize_t wrote = write(to, buffer + done, (size_t)(got - done));
            if (wrote < 0)
                fail("write");
            done += wrote;
        }
        atomic_fetch_add(&byte_count, (uint64_t)got);
    }
    if (got < 0)
        fail("read");
}

static void stage(size_t number, char *buffer)
{
    char staged[64];
    struct stat stat;

    name_staged(staged, sizeof staged, number);
    int from = openat(source_fd, files[number], O_RDONLY);
    int to = openat(target_fd, staged, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (from < 0 || to < 0 || fstat(from, &stat))
        fail(files[number]);
    stream(from, to, stat.st_size >= DIRECT_FROM_BYTES, buffer);
    struct timespec times[2] = {stat.st_mtim, stat.st_mtim};
    if ((fchown(to, stat.st_uid, stat.st_gid) ||
         fchmod(to, stat.st_mode & 07777)) &&
        errno != EPERM)
        fail(staged);
    if (futimens(to, times))
        fail(staged);
    close(from);
    close(to);
}

static void *stage_files(void *unused)
{
    char *buffer = aligned_alloc(4096, BUFFER_BYTES);
    size_t number;

    while ((number = atomic_fetch_add(&next_file, 1)) < batch_end)
        stage(number, buffer);
    free(buffer);
    return unused;
}

static void rename_batch(size_t first, size_t end)
{
    char staged[64];

    if (syncfs(target_fd))
        fail("syncfs");
    for (size_t i = first; i < end; i++) {
        name_staged(staged, sizeof staged, i);
        if (renameat(target_fd, staged, target_fd, files[i]))
            fail(files[i]);
    }
}

static void copy_files(void)
{
    if (mkdirat(target_fd, ".limit", 0700) && errno != EEXIST)
        fail(".limit");
    for (size_t first = 0; first < files_count; first = batch_end) {
        int64_t bytes = 0;
        for (batch_end = first;
             batch_end < files_count && batch_end - first < BATCH_FILES &&
             bytes < BATCH_BYTES;
             batch_end++) {
            struct stat stat;
            if (fstatat(source_fd, files[batch_end], &stat, 0))
                fail(files[batch_end]);
            bytes += stat.st_size;
        }
        atomic_store(&next_file, first);
        on_threads(stage_files);
        rename_batch(first, batch_end);
    }
    unlinkat(target_fd, ".limit", AT_REMOVEDIR);
    if (syncfs(target_fd))
        fail("syncfs");
}

/* --- reading --- */

static void *read_files(void *unused)
{
    char *buffer = aligned_alloc(4096, BUFFER_BYTES);
    XXH3_state_t *hash = XXH3_createState();
    size_t number;

    while ((number = atomic_fetch_add(&next_file, 1)) < files_count) {
        int fd = openat(source_fd, files[number], O_RDONLY);
        ssize_t got;
        if (fd < 0)
            fail(files[number]);
        XXH3_128bits_reset(hash);
        while ((got = read(fd, buffer, BUFFER_BYTES)) > 0) {
            XXH3_128bits_update(hash, buffer, (size_t)got);
            atomic_fetch_add(&byte_count, (uint64_t)got);
        }
        close(fd);
    }
    XXH3_freeState(hash);
    free(buffer);
    return unused;
}

static int read_rows(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *select;
    uint64_t rows = 0, bytes = 0;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) ||
        sqlite3_prepare_v2(db,
                           "SELECT directory, key, record FROM entry "
                           "ORDER BY directory, key",
                           -1, &select, NULL)) {
        fprintf(stderr, "%s: %s\n", path, sqlite3_errmsg(db));
        return 1;
    }
    while (sqlite3_step(select) == SQLITE_ROW) {
        rows++;
        bytes += (uint64_t)sqlite3_column_bytes(select, 1) +
                 (uint64_t)sqlite3_column_bytes(select, 2);
    }
    sqlite3_finalize(select);
    sqlite3_close(db);
    printf("%llu rows, %llu bytes\n", (unsigned long long)rows,
           (unsigned long long)bytes);
    return 0;
}

static int open_root(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        fail(path);
    return fd;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[1] : "";
    bool has_target = !strcmp(mode, "pair") || !strcmp(mode, "copy");

    if (!strcmp(mode, "rows"))
        return read_rows(argv[2]);
    if (argc != (has_target ? 5 : 4)) {
        fprintf(stderr, "usage: limit pair|walk|copy|read|rows …\n");
        return 2;
    }
    thread_count = (unsigned)strtoul(argv[argc - 1], NULL, 10);
    if (thread_count < 1 || thread_count > MOST_THREADS)
        return 2;
    makes_copies = keeps_files = !strcmp(mode, "copy");
    reads_files = !strcmp(mode, "read");
    source_fd = open_root(argv[2]);
    if (makes_copies && mkdir(argv[3], 0755) && errno != EEXIST)
        fail(argv[3]);
    if (has_target)
        target_fd = open_root(argv[3]);
    push(".", ".");
    on_threads(walk);
    if (makes_copies)
        copy_files();
    if (reads_files)
        on_threads(read_files);
    printf("%llu files, %llu differ, %llu bytes\n",
           (unsigned long long)file_count, (unsigned long long)differing,
           (unsigned long long)byte_count);
    return 0;
}
