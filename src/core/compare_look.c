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

    if (platform_open_beneath(walker->options->source_fd, path,
                              PLATFORM_OPEN_READ, &fd, NULL))
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

static bool is_database(struct walker *walker, const struct compare_task *task,
                        const struct scan_entry *entry)
{
    unsigned char magic[MAGIC_BYTES];
    size_t length = read_magic(walker, task, entry->raw, magic);

    return sqlite_is_database(magic, length);
}

/* A -wal, -shm or -journal that the snapshot of its database contains. */
static bool is_side_file(struct walker *walker, const struct compare_task *task,
                         const struct scan_entry *entry)
{
    size_t base_length = sqlite_side_file_base(entry->raw);
    unsigned char magic[MAGIC_BYTES];

    if (!base_length || entry->stat.type != PLATFORM_FILE)
        return false;
    CLEANUP_FREE char *base_name = xstrndup(entry->raw, base_length);
    const struct scan_entry *base = scan_find_raw(&walker->source, base_name);
    if (!base || base->stat_error || base->stat.type != PLATFORM_FILE ||
        judge_filter(walker, task, base) != REASON_NONE ||
        !is_database(walker, task, base))
        return false;
    if (!strcmp(entry->raw + base_length, "-shm") || !entry->stat.size_bytes)
        return true;
    size_t length = read_magic(walker, task, entry->raw, magic);
    return sqlite_is_wal(magic, length) || sqlite_is_journal(magic, length);
}

static bool is_too_young(struct walker *walker, const struct compare_task *task,
                         const struct scan_entry *entry)
{
    const struct compare_options *options = walker->options;
    int64_t settle_ns = options->job->settle_ns;

    return settle_ns && entry->stat.type == PLATFORM_FILE &&
           entry->stat.mtime_ns > options->now_ns - settle_ns &&
           !is_database(walker, task, entry);
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
    if (stat->mount != walker->source_mount)
        return (struct look){REASON_MOUNT_POINT, ERR_OK};
    if (stat->type == PLATFORM_OTHER)
        return (struct look){REASON_SPECIAL, ERR_OK};
    if (is_side_file(walker, task, entry))
        return (struct look){REASON_SIDE_FILE, ERR_OK};
    if (is_too_young(walker, task, entry))
        return (struct look){REASON_TOO_YOUNG, ERR_OK};
    return (struct look){REASON_NONE, ERR_OK};
}

uint64_t look_at_wal(const struct scan *source, const char *raw)
{
    CLEANUP_FREE char *name = xasprintf("%s-wal", raw);
    const struct scan_entry *wal = scan_find_raw(source, name);

    return wal && !wal->stat_error ? side_digest(&wal->stat) : 0;
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
    err_code code = platform_open_beneath(walker->options->source_fd, path,
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
        platform_read_link(walker->options->source_fd, path, &target, err);

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
