#include "core/compare_internal.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/hash.h"
#include "core/base/path.h"

#include <stdlib.h>

/*
 * A drive that rsync filled, read with another idea of its time zone: every
 * file is off by the same multiple of a quarter of an hour. FAT and some exFAT
 * drivers store local time, so that there may be two such shifts, of winter and
 * of summer.
 */
#define QUARTER_NS (15 * 60 * NS_PER_SECOND)
#define WIDEST_NS (26 * 3600 * NS_PER_SECOND)
#define OFF_BY_NS (2 * NS_PER_SECOND)
#define FEWEST 5 /* fewer may be chance */
#define SAMPLE 8
#define SAMPLE_BYTES ((size_t)16 * 1024 * 1024) /* of each, from its start */

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

void compare_note_shift(struct walker *walker, const char *path,
                        const struct platform_stat *source,
                        const struct platform_stat *drive)
{
    struct shifted_file file = {
        .path = path,
        .shift_ns = shift_of(stamp_of(source), stamp_of(drive)),
    };

    if (!file.shift_ns || source->type != PLATFORM_FILE ||
        drive->type != PLATFORM_FILE)
        return;
    struct noted *noted = arena_alloc(&walker->plan.arena, sizeof *noted);
    *noted = (struct noted){
        .signature = signature_of(source),
        .stamp = stamp_of(drive),
        .mode = source->mode,
        .uid = source->uid,
        .gid = source->gid,
        .is_adopted = true,
    };
    file.noted = noted;
    ARRAY_PUSH(&walker->shifted, file);
}

/* --- is it the same content? --- */

static bool hash_start(int root_fd, const char *path, struct hash *out)
{
    CLEANUP_FREE char *bytes = xmalloc(SAMPLE_BYTES);
    CLEANUP_FD int fd = -1;

    if (platform_open_beneath(root_fd, path, PLATFORM_OPEN_READ, &fd, NULL))
        return false;
    ssize_t got = fd_read_full(fd, bytes, SAMPLE_BYTES);
    if (got < 0)
        return false;
    *out = hash_of(bytes, (size_t)got);
    return true;
}

static bool is_same_content(const struct compare_options *options,
                            const struct action *action)
{
    CLEANUP_FREE char *there =
        path_join(options->directory, action_drive(action));
    struct hash source, drive;

    return !stop_flag_is_raised(options->stop) &&
           hash_start(options->source_fd, action_raw(action), &source) &&
           hash_start(options->drive_fd, there, &drive) &&
           hash_equal(&source, &drive);
}

static bool is_confirmed(const struct compare_options *options,
                         struct plan *plan, const struct shifted_file *files,
                         size_t count)
{
    size_t sample = count < SAMPLE ? count : SAMPLE;

    for (size_t i = 0; i < sample; i++) {
        const struct action *action = compare_find_action(
            plan, files[i * count / sample].path, ACTION_UPDATE);
        if (!action || !is_same_content(options, action))
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
    struct action *action =
        compare_find_action(plan, file->path, ACTION_UPDATE);

    if (!action)
        return;
    action->kind = ACTION_NOTE;
    action->reason = REASON_ADOPTED;
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
