#include "core/compare_internal.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/hash.h"
#include "core/base/path.h"
#include "core/compare_actions.h"

#include <stdlib.h>

/*
 * A drive that is read with another idea of its time zone than when it was
 * filled, by rsync or by us: every file is off by the same multiple of a
 * quarter of an hour. FAT and some exFAT drivers store local time, so that
 * there may be two such shifts, of winter and of summer.
 */
#define QUARTER_NS (15 * 60 * NS_PER_SECOND)
#define WIDEST_NS (26 * 3600 * NS_PER_SECOND)
#define OFF_BY_NS (2 * NS_PER_SECOND)
#define FEWEST 5 /* fewer may be chance */
#define SAMPLE 8
#define SAMPLE_BYTES ((int64_t)16 * 1024 * 1024) /* of each, from its start */
#define CHUNK_BYTES ((int64_t)1024 * 1024)

/* 0: not off by a shift. */
static int64_t shift_of(struct stamp source, struct stamp drive)
{
    if (source.size_bytes != drive.size_bytes || source.size_bytes <= 0 ||
        source.mtime_ns < 0 || drive.mtime_ns < 0)
        return 0;
    int64_t off = drive.mtime_ns - source.mtime_ns;
    int64_t half = off < 0 ? -QUARTER_NS / 2 : QUARTER_NS / 2;
    if (off > WIDEST_NS || off < -WIDEST_NS)
        return 0;
    int64_t shift = (off + half) / QUARTER_NS * QUARTER_NS;
    return off - shift <= OFF_BY_NS && shift - off <= OFF_BY_NS ? shift : 0;
}

static int64_t shift_of_trio(const struct trio *trio)
{
    const struct record *row = trio->row;
    struct stamp drive = stamp_of(&trio->drive->stat);

    if (!row)
        return shift_of(stamp_of(&trio->source->stat), drive);
    if (row->type != ENTRY_FILE || row->flags & (RECORD_HELD | RECORD_ROTTEN))
        return 0;
    if (!trio->source)
        return row->flags & RECORD_UNHASHED ? 0 : shift_of(row->stamp, drive);
    struct signature now = signature_of(&trio->source->stat);
    return signature_compare(&row->source, &now) == SIGNATURE_SAME
               ? shift_of(row->stamp, drive)
               : 0;
}

static struct noted *new_noted(struct arena *arena, const struct trio *trio)
{
    struct noted *noted = arena_alloc(arena, sizeof *noted);

    *noted = (struct noted){
        .stamp = stamp_of(&trio->drive->stat),
        .how = NOTED_SHIFTED,
    };
    if (trio->row)
        return noted;
    noted->how = NOTED_ADOPTED;
    noted->signature = signature_of(&trio->source->stat);
    noted->mode = trio->source->stat.mode;
    noted->uid = trio->source->stat.uid;
    noted->gid = trio->source->stat.gid;
    return noted;
}

void compare_note_shift(struct walker *walker, const struct action *action,
                        const struct trio *trio)
{
    if (!trio->drive || trio->drive->stat.type != PLATFORM_FILE ||
        (trio->source && trio->source->stat.type != PLATFORM_FILE))
        return;
    struct shifted_file file = {
        .path = action->path,
        .kind = action->kind,
        .is_gone = !trio->source,
        .shift_ns = shift_of_trio(trio),
    };
    if (!file.shift_ns)
        return;
    if (file.is_gone)
        file.content = trio->row->hash;
    file.noted = new_noted(&walker->plan.arena, trio);
    ARRAY_PUSH(&walker->shifted, file);
}

/* --- is it the same content? --- */

/* Of at most so much from its start. */
static bool hash_file(int root_fd, const char *path, int64_t limit_bytes,
                      struct hash *out)
{
    CLEANUP_FREE char *bytes = xmalloc(CHUNK_BYTES);
    CLEANUP_FD int fd = -1;
    int64_t left = limit_bytes;
    ssize_t got = 1;

    if (platform_open_beneath(root_fd, path, PLATFORM_OPEN_READ, &fd, NULL))
        return false;
    struct hasher *hasher = hasher_new();
    while (got > 0 && left > 0) {
        got = fd_read_full(fd, bytes,
                           left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES);
        if (got > 0)
            hasher_add(hasher, bytes, (size_t)got);
        left -= got;
    }
    *out = hasher_digest(hasher);
    hasher_free(hasher);
    return got >= 0;
}

static bool is_same_content(const struct compare_options *options,
                            const struct shifted_file *file,
                            const struct action *action)
{
    CLEANUP_FREE char *there =
        path_join(options->directory, action_drive(action));
    const char *here = action_raw(action);
    int source_fd = source_root(options->source, &here);
    int64_t limit = file->is_gone ? INT64_MAX : SAMPLE_BYTES;
    struct hash expected = file->content, drive;

    return !stop_flag_is_raised(options->stop) &&
           (file->is_gone || hash_file(source_fd, here, limit, &expected)) &&
           hash_file(options->drive_fd, there, limit, &drive) &&
           hash_equal(&expected, &drive);
}

static bool is_confirmed(const struct compare_options *options,
                         struct plan *plan, const struct shifted_file *files,
                         size_t count)
{
    size_t sample = count < SAMPLE ? count : SAMPLE;

    for (size_t i = 0; i < sample; i++) {
        const struct shifted_file *file = &files[i * count / sample];
        const struct action *action =
            compare_find_action(plan, file->path, file->kind);
        if (!action || !is_same_content(options, file, action))
            return false;
    }
    return true;
}

/* --- all files --- */

static int order_by_shift(const void *one, const void *other)
{
    const struct shifted_file *left = one, *right = other;

    if (left->shift_ns != right->shift_ns)
        return left->shift_ns < right->shift_ns ? -1 : 1;
    return path_compare(left->path, right->path);
}

static void adopt(struct plan *plan, const struct shifted_file *file)
{
    struct action *action = compare_find_action(plan, file->path, file->kind);

    if (!action)
        return;
    action->kind = ACTION_NOTE;
    action->reason =
        file->noted->how == NOTED_ADOPTED ? REASON_ADOPTED : REASON_SIGNED;
    action->before = STAMP_NOTHING;
    action->noted = file->noted;
    plan->shifted_files++;
    plan->shift_ns = file->shift_ns;
}

void compare_adopt_shifted(const struct compare_options *options,
                           struct plan *plan, struct shifted_files *files)
{
    size_t first = 0, next;

    if (!files->count)
        return;
    qsort(files->items, files->count, sizeof *files->items, order_by_shift);
    for (; first < files->count; first = next) {
        const struct shifted_file *file = &files->items[first];
        for (next = first; next < files->count; next++)
            if (files->items[next].shift_ns != file->shift_ns)
                break;
        if (next - first < FEWEST ||
            !is_confirmed(options, plan, file, next - first))
            continue;
        for (size_t i = first; i < next; i++)
            adopt(plan, &files->items[i]);
    }
}
