#include "core/compare_look.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/marker.h"
#include "core/sqlite_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_CHUNK_BYTES ((size_t)256 * 1024)
#define MAGIC_BYTES 32

/* --- does the job take it? --- */

static bool is_left_out(const struct walker *walker,
                        const struct platform_stat *stat)
{
    const struct compare_options *options = walker->options;

    for (size_t i = 0; i < options->left_out_count; i++)
        if (options->left_out[i].device == stat->device &&
            options->left_out[i].inode == stat->inode)
            return true;
    return false;
}

/* The first bytes of a source file; fewer when it is short or unreadable. */
static size_t read_magic(const struct walker *walker,
                         const struct compare_task *task, const char *raw,
                         unsigned char magic[MAGIC_BYTES])
{
    CLEANUP_FREE char *path = path_join(task->raw, raw);
    CLEANUP_FD int fd = -1;

    if (source_open(walker->options->source, path, PLATFORM_OPEN_READ, &fd,
                    NULL))
        return 0;
    ssize_t got = fd_read_full(fd, magic, MAGIC_BYTES);
    return got > 0 ? (size_t)got : 0;
}

static enum action_reason judge_filter(struct walker *walker,
                                       const struct compare_task *task,
                                       const struct scan_entry *entry)
{
    bool is_directory = entry->stat.type == PLATFORM_DIRECTORY;
    unsigned char magic[MAGIC_BYTES];
    CLEANUP_FREE char *path = path_join(task->path, entry->key);

    switch (filter_judge(walker->filter, path, is_directory)) {
    case FILTER_TAKE:
        return REASON_NONE;
    case FILTER_EXCLUDED:
        return REASON_EXCLUDED;
    case FILTER_JUNK:
        return REASON_JUNK;
    case FILTER_PARTIAL:
        return REASON_PARTIAL;
    case FILTER_MAYBE_JUNK: {
        size_t length = read_magic(walker, task, entry->raw, magic);
        return filter_is_apple_double(magic, length) ? REASON_JUNK
                                                     : REASON_NONE;
    }
    }
    return REASON_NONE;
}

bool look_is_excluded(struct walker *walker, const struct compare_task *task,
                      const char *key, bool is_directory)
{
    CLEANUP_FREE char *path = path_join(task->path, key);

    return filter_judge(walker->filter, path, is_directory) == FILTER_EXCLUDED;
}

static bool is_database(struct walker *walker, const struct compare_task *task,
                        const struct scan_entry *entry)
{
    unsigned char magic[MAGIC_BYTES];
    size_t length = read_magic(walker, task, entry->raw, magic);

    return sqlite_is_database(magic, length);
}

/*
 * Whether the drive has or gets a snapshot of this name. One that vanished
 * while its directory was read, or that is gone, is what its row says: its copy
 * may stay on the drive.
 */
static bool is_snapshotted(struct walker *walker,
                           const struct compare_task *task, const char *key)
{
    const struct scan_entry *base = scan_find(&walker->source, key);

    if (base) {
        unsigned char magic[MAGIC_BYTES];
        if (base->stat_error || base->stat.type != PLATFORM_FILE ||
            judge_filter(walker, task, base) != REASON_NONE)
            return false;
        size_t length = read_magic(walker, task, base->raw, magic);
        if (length)
            return sqlite_is_database(magic, length);
    }
    const struct record *row = records_find(&walker->rows, key);
    return row && row->flags & RECORD_SQLITE;
}

/*
 * What SQLite makes, whatever state it is in: PRAGMA journal_mode = PERSIST
 * writes zeros over the header of a journal that is not in use, TRUNCATE
 * empties it, and a moment later it may be hot.
 */
static bool is_of_sqlite(const unsigned char *bytes, size_t length)
{
    static const unsigned char unused[8];

    return !length || sqlite_is_wal(bytes, length) ||
           sqlite_is_journal(bytes, length) ||
           (length >= sizeof unused && !memcmp(bytes, unused, sizeof unused));
}

/* A -wal, -shm or -journal that the snapshot of its database contains. */
static bool is_side_file(struct walker *walker, const struct compare_task *task,
                         const struct scan_entry *entry)
{
    size_t base_length = sqlite_side_file_base(entry->key);
    unsigned char magic[MAGIC_BYTES];

    if (!base_length || entry->stat.type != PLATFORM_FILE)
        return false;
    CLEANUP_FREE char *base = xstrndup(entry->key, base_length);
    if (!is_snapshotted(walker, task, base))
        return false;
    if (!strcmp(entry->key + base_length, "-shm") || !entry->stat.size_bytes)
        return true;
    return is_of_sqlite(magic, read_magic(walker, task, entry->raw, magic));
}

/* A time that has not come yet (another clock, an archive) says nothing: then
 * the change time does, which is this machine's, or the file's server's. */
static bool is_young(const struct platform_stat *stat, int64_t now_ns,
                     int64_t settle_ns)
{
    int64_t changed_ns =
        stat->mtime_ns <= now_ns ? stat->mtime_ns : stat->ctime_ns;

    return changed_ns <= now_ns && changed_ns > now_ns - settle_ns;
}

static bool is_too_young(struct walker *walker, const struct compare_task *task,
                         const struct scan_entry *entry)
{
    const struct compare_options *options = walker->options;
    int64_t settle_ns = options->job->settle_ns;

    return settle_ns && entry->stat.type == PLATFORM_FILE &&
           is_young(&entry->stat, options->now_ns, settle_ns) &&
           !is_database(walker, task, entry);
}

static const struct source_mount *mount_at(const struct walker *walker,
                                           const struct compare_task *task,
                                           const char *key)
{
    const struct source *source = walker->options->source;

    if (!source->count)
        return NULL;
    CLEANUP_FREE char *path = path_join(task->path, key);
    return source_mount_at(source, path);
}

static bool is_entered(const struct walker *walker,
                       const struct compare_task *task,
                       const struct scan_entry *entry)
{
    const struct source_mount *mount = mount_at(walker, task, entry->key);

    return mount && mount->state == SOURCE_ENTERED;
}

/* As it was found before the walk, whatever is seen there now: it may have been
 * mounted or unmounted in between. */
static struct look look_at_known_mount(const struct source_mount *mount,
                                       const struct scan_entry *entry)
{
    bool is_the_same = entry && !entry->stat_error &&
                       entry->stat.type == PLATFORM_DIRECTORY &&
                       entry->stat.mount == mount->stat.mount;

    switch (mount->state) {
    case SOURCE_ENTERED:
        return (struct look){is_the_same ? REASON_NONE : REASON_MOUNT_AWAY,
                             ERR_OK};
    case SOURCE_LEFT:
        return (struct look){REASON_MOUNT_POINT, ERR_OK};
    case SOURCE_UNREADABLE:
        return (struct look){REASON_UNREADABLE, ERR_OK};
    case SOURCE_AWAY:
    case SOURCE_PLAIN:
        break;
    }
    return (struct look){REASON_MOUNT_AWAY, ERR_OK};
}

struct look look_at_mounts(struct walker *walker,
                           const struct compare_task *task, const char *key,
                           const struct scan_entry *entry)
{
    const struct source *source = walker->options->source;
    const struct source_mount *mount = mount_at(walker, task, key);

    if (mount)
        return look_at_known_mount(mount, entry);
    if (!source->count)
        return (struct look){REASON_NONE, ERR_OK};
    CLEANUP_FREE char *path = path_join(task->path, key);
    bool stays_whole = task->early || (entry && !entry->stat_error &&
                                       entry->stat.type != PLATFORM_DIRECTORY);
    if (stays_whole && source_has_mount_within(source, path))
        return (struct look){REASON_MOUNT_AWAY, ERR_OK};
    return (struct look){REASON_NONE, ERR_OK};
}

struct look look_at_source(struct walker *walker,
                           const struct compare_task *task,
                           const struct scan_entry *entry)
{
    const struct platform_stat *stat = &entry->stat;

    if (entry->has_twin)
        return (struct look){REASON_TWIN, ERR_OK};
    if (entry->stat_error)
        return (struct look){REASON_UNREADABLE, entry->stat_error};
    if ((!*task->path && !strcmp(entry->raw, BERTH_DIRECTORY)) ||
        (stat->type == PLATFORM_DIRECTORY && is_left_out(walker, stat)))
        return (struct look){REASON_OWN_FILES, ERR_OK};
    enum action_reason reason = judge_filter(walker, task, entry);
    if (reason != REASON_NONE)
        return (struct look){reason, ERR_OK};
    if (stat->mount != task->mount && !is_entered(walker, task, entry))
        return (struct look){REASON_MOUNT_POINT, ERR_OK};
    if (stat->type == PLATFORM_OTHER)
        return (struct look){REASON_SPECIAL, ERR_OK};
    if (is_side_file(walker, task, entry))
        return (struct look){REASON_SIDE_FILE, ERR_OK};
    if (is_too_young(walker, task, entry))
        return (struct look){REASON_TOO_YOUNG, ERR_OK};
    return (struct look){REASON_NONE, ERR_OK};
}

bool look_at_attributes(struct walker *walker, const struct compare_task *task,
                        const struct scan_entry *source,
                        const struct record *row)
{
    CLEANUP_FREE char *path = path_join(task->raw, source->raw);
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    CLEANUP_FD int fd = -1;

    if (source_open(walker->options->source, path, PLATFORM_OPEN_READ, &fd,
                    NULL) ||
        platform_read_attributes(fd, &found, NULL))
        return false;
    return found.length != row->attributes_length ||
           (found.length &&
            memcmp(found.text, row->attributes, found.length) != 0);
}

uint64_t look_at_wal(struct walker *walker, const struct compare_task *task,
                     const struct scan_entry *entry, const struct record *row)
{
    bool is_snapshot = row && row->flags & RECORD_SQLITE;

    if (!walker->source.has_wal)
        return 0;
    CLEANUP_FREE char *key = xasprintf("%s-wal", entry->key);
    const struct scan_entry *wal = scan_find(&walker->source, key);
    if (!wal || wal->stat_error)
        return 0;
    if (!is_snapshot &&
        (!wal->stat.size_bytes || !is_database(walker, task, entry)))
        return 0;
    return side_digest(&wal->stat);
}

static size_t read_drive_magic(const struct walker *walker,
                               const struct compare_task *task, const char *raw,
                               unsigned char magic[MAGIC_BYTES])
{
    CLEANUP_FREE char *directory =
        path_join(walker->options->directory, task->listed);
    CLEANUP_FREE char *path = path_join(directory, raw);
    CLEANUP_FD int fd = -1;

    if (platform_open_beneath(walker->options->drive_fd, path,
                              PLATFORM_OPEN_READ, &fd, NULL))
        return 0;
    ssize_t got = fd_read_full(fd, magic, MAGIC_BYTES);
    return got > 0 ? (size_t)got : 0;
}

/* What somebody wrote into the drive's copy, and the mode keeps, is that
 * -wal's. */
static bool keeps_drift(const struct walker *walker, const char *key)
{
    const struct record *row = records_find(&walker->rows, key);
    const struct scan_entry *drive = scan_find(&walker->drive, key);

    return walker->options->job->mode != JOB_MIRROR && row && drive &&
           !stamp_equal(row->stamp, stamp_of(&drive->stat),
                        walker->options->traits->time_tolerance_ns);
}

bool look_is_stale_side(struct walker *walker, const struct compare_task *task,
                        const char *key, const struct scan_entry *drive)
{
    size_t base_length = sqlite_side_file_base(key);
    unsigned char magic[MAGIC_BYTES];

    if (!base_length || !drive || drive->stat.type != PLATFORM_FILE)
        return false;
    CLEANUP_FREE char *base = xstrndup(key, base_length);
    if (!scan_find(&walker->source, base) || keeps_drift(walker, base) ||
        !is_snapshotted(walker, task, base))
        return false;
    size_t length = read_drive_magic(walker, task, drive->raw, magic);
    return sqlite_is_wal(magic, length) || sqlite_is_journal(magic, length);
}

/*
 * --- content ---
 */

static err_code hash_file(struct walker *walker, int fd, const char *path,
                          struct hash *out, struct error *err)
{
    const struct compare_options *options = walker->options;
    CLEANUP_FREE char *chunk = xmalloc(HASH_CHUNK_BYTES);
    struct hasher *hasher = hasher_new();
    err_code code = ERR_OK;
    ssize_t got;

    platform_advise_sequential(fd);
    while ((got = fd_read_full(fd, chunk, HASH_CHUNK_BYTES)) > 0) {
        hasher_add(hasher, chunk, (size_t)got);
        atomic_fetch_add(&options->progress->hashed_bytes, got);
        if (stop_flag_is_raised(options->stop)) {
            code = error_set(err, ERR_CANCELLED, "stopped on request");
            break;
        }
    }
    if (got < 0)
        code = error_set_errno(err, errno, "cannot read %s", path);
    *out = hasher_digest(hasher);
    hasher_free(hasher);
    return code;
}

static err_code look_at_file(struct walker *walker, const char *path,
                             const struct record *row, enum content_state *out,
                             struct error *err)
{
    CLEANUP_FD int fd = -1;
    struct hash hash;

    if (row->flags & RECORD_UNHASHED) {
        *out = CONTENT_DIFFERENT; /* nothing to compare with: copy it */
        return ERR_OK;
    }
    err_code code = source_open(walker->options->source, path,
                                PLATFORM_OPEN_READ, &fd, err);
    if (!code)
        code = hash_file(walker, fd, path, &hash, err);
    if (!code)
        *out = hash_equal(&hash, &row->hash) ? CONTENT_SAME : CONTENT_DIFFERENT;
    return code;
}

static err_code drive_target(struct walker *walker,
                             const struct compare_task *task,
                             const struct scan_entry *drive, char **out,
                             struct error *err)
{
    CLEANUP_FREE char *directory =
        path_join(walker->options->directory, task->listed);
    CLEANUP_FREE char *path = path_join(directory, drive->raw);

    return platform_read_link(walker->options->drive_fd, path, out, err);
}

static err_code look_at_link(struct walker *walker,
                             const struct compare_task *task, const char *path,
                             const struct record *row,
                             const struct scan_entry *drive,
                             enum content_state *out, struct error *err)
{
    CLEANUP_FREE char *target = NULL;
    CLEANUP_FREE char *other = NULL;
    err_code code =
        source_read_link(walker->options->source, path, &target, err);

    if (code)
        return code;
    if (row)
        other = xstrdup(row->link_target ? row->link_target : "");
    else
        code = drive_target(walker, task, drive, &other, err);
    if (!code)
        *out = strcmp(target, other) ? CONTENT_DIFFERENT : CONTENT_SAME;
    return code;
}

err_code look_at_content(struct walker *walker, const struct compare_task *task,
                         const struct scan_entry *source,
                         const struct record *row,
                         const struct scan_entry *drive,
                         enum content_state *out, struct error *err)
{
    CLEANUP_FREE char *path = path_join(task->raw, source->raw);

    if (source->stat.type == PLATFORM_SYMLINK)
        return look_at_link(walker, task, path, row, drive, out, err);
    return look_at_file(walker, path, row, out, err);
}
