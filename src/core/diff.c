#include "core/diff.h"

#include "core/base/clock.h"

/* rsync and every FAT driver agree to within this (ENGINE: adopting). */
#define ADOPT_TOLERANCE_NS (2 * NS_PER_SECOND)

enum drive_view { VIEW_RECORDED, VIEW_DIFFERS, VIEW_MISSING };

static bool is_there(const struct diff_input *in)
{
    return in->drive == DRIVE_PRESENT || in->drive == DRIVE_ODD;
}

/* Another host's row that this one has taken over: no signature of it means
 * anything here, and what it has and this host has not was never deleted. */
static bool is_claimed(const struct diff_input *in)
{
    return in->row->flags & RECORD_CLAIMED;
}

/* The drive's side, seen from the row. */
static enum drive_view view_drive(const struct diff_input *in)
{
    const struct record *row = in->row;

    if (in->drive == DRIVE_UNREAD)
        return VIEW_RECORDED;
    if (row->flags & RECORD_HELD)
        return in->drive == DRIVE_ABSENT ? VIEW_RECORDED : VIEW_DIFFERS;
    if (in->drive == DRIVE_ABSENT)
        return VIEW_MISSING;
    if (in->drive == DRIVE_ODD || in->drive_type != row->type)
        return VIEW_DIFFERS;
    if (row->type == ENTRY_DIRECTORY)
        return VIEW_RECORDED;
    return stamp_equal(row->stamp, in->stamp, in->time_tolerance_ns)
               ? VIEW_RECORDED
               : VIEW_DIFFERS;
}

/* In the source, never seen before. */
static enum diff_verdict decide_unrecorded(const struct diff_input *in)
{
    int64_t tolerance = in->time_tolerance_ns > ADOPT_TOLERANCE_NS
                            ? in->time_tolerance_ns
                            : ADOPT_TOLERANCE_NS;

    if (in->drive != DRIVE_PRESENT)
        return DIFF_NEW;
    if (in->drive_type != in->source_type)
        return in->drive_type == ENTRY_DIRECTORY ? DIFF_CONFLICT : DIFF_REPLACE;
    if (in->is_poisoned && in->source_type != ENTRY_DIRECTORY)
        return DIFF_REPLACE; /* ours, and perhaps never on the medium */
    if (in->signature.side)
        return DIFF_REPLACE; /* a database, and a part of it is in its -wal */
    switch (in->source_type) {
    case ENTRY_DIRECTORY:
        return DIFF_ADOPT;
    case ENTRY_SYMLINK:
        if (in->content == CONTENT_UNKNOWN)
            return DIFF_LOOK;
        return in->content == CONTENT_SAME ? DIFF_ADOPT : DIFF_REPLACE;
    case ENTRY_FILE:
        break;
    }
    struct stamp source = {.size_bytes = in->signature.size_bytes,
                           .mtime_ns = in->signature.mtime_ns};
    return stamp_equal(source, in->stamp, tolerance) ? DIFF_ADOPT
                                                     : DIFF_REPLACE;
}

static bool metadata_differs(const struct diff_input *in)
{
    const struct record *row = in->row;

    if (row->flags & RECORD_HELD)
        return false;
    return (in->holds_modes && in->source_type != ENTRY_SYMLINK &&
            row->mode != in->source_mode) ||
           (in->holds_owners &&
            (row->uid != in->source_uid || row->gid != in->source_gid));
}

static bool metadata_note_differs(const struct diff_input *in)
{
    const struct record *row = in->row;

    return row->mode != in->source_mode || row->uid != in->source_uid ||
           row->gid != in->source_gid;
}

static enum diff_verdict decide_directory(const struct diff_input *in)
{
    switch (view_drive(in)) {
    case VIEW_MISSING:
        return DIFF_AGAIN;
    case VIEW_DIFFERS:
        return in->mode == JOB_MIRROR ? DIFF_REPLACE : DIFF_CONFLICT;
    case VIEW_RECORDED:
        break;
    }
    if (metadata_differs(in))
        return DIFF_TOUCH;
    return metadata_note_differs(in) || is_claimed(in) ? DIFF_SIGN
                                                       : DIFF_NOTHING;
}

/* The file became a directory, or the other way round: a change. */
static enum diff_verdict decide_swap(const struct diff_input *in)
{
    bool loses_a_tree = in->row->type == ENTRY_DIRECTORY;
    enum drive_view view = view_drive(in);

    if (view == VIEW_DIFFERS && in->drive_type != ENTRY_DIRECTORY)
        return DIFF_REPLACE;
    if (view == VIEW_DIFFERS)
        return in->source_type == ENTRY_DIRECTORY ? DIFF_ADOPT : DIFF_CONFLICT;
    if (view == VIEW_MISSING) /* nothing stands in its way */
        return DIFF_AGAIN;
    if (is_claimed(in))
        return DIFF_CONFLICT;
    return loses_a_tree && in->mode != JOB_MIRROR ? DIFF_CONFLICT : DIFF_SWAP;
}

enum source_view {
    SEEN_SAME,
    SEEN_UNSIGNED,
    SEEN_CHANGED,
    SEEN_ROTTEN,
    SEEN_DOUBTFUL
};

/* The source's side, seen from the row. */
static enum source_view view_source(const struct diff_input *in)
{
    const struct record *row = in->row;
    enum signature_match match =
        signature_compare(&row->source, &in->signature);

    if (in->is_poisoned || match == SIGNATURE_CHANGED)
        return SEEN_CHANGED;
    if (match == SIGNATURE_SAME && !(row->flags & RECORD_RACY))
        return SEEN_SAME;
    if (row->flags & RECORD_SQLITE)
        return SEEN_CHANGED; /* its hash is of the snapshot, not of the file */
    if (in->content == CONTENT_UNKNOWN)
        return SEEN_DOUBTFUL;
    if (in->content == CONTENT_SAME)
        return SEEN_UNSIGNED;
    bool ctime_moved = row->source.ctime_ns != in->signature.ctime_ns;
    return ctime_moved || row->flags & RECORD_RACY ? SEEN_CHANGED : SEEN_ROTTEN;
}

static bool is_same_stamp(const struct diff_input *in)
{
    const struct signature *row = &in->row->source;
    struct stamp recorded = {row->size_bytes, row->mtime_ns};
    struct stamp now = {in->signature.size_bytes, in->signature.mtime_ns};

    return stamp_equal(recorded, now, ADOPT_TOLERANCE_NS);
}

/* Ours is what this host's source says, but what is newer on the drive is not
 * replaced by what is older. */
static enum diff_verdict decide_claimed(const struct diff_input *in)
{
    const struct record *row = in->row;
    bool is_same = in->content == CONTENT_SAME;

    switch (view_drive(in)) {
    case VIEW_MISSING:
        return DIFF_AGAIN;
    case VIEW_DIFFERS:
        return decide_unrecorded(in);
    case VIEW_RECORDED:
        break;
    }
    if (in->is_poisoned)
        return DIFF_UPDATE;
    /* Without a hash of the file there is nothing but what adopting goes by. */
    if (row->flags & (RECORD_SQLITE | RECORD_UNHASHED))
        is_same = is_same_stamp(in) && !in->signature.side;
    else if (in->content == CONTENT_UNKNOWN)
        return DIFF_LOOK;
    if (!is_same)
        return row->source.mtime_ns > in->signature.mtime_ns ? DIFF_CONFLICT
                                                             : DIFF_UPDATE;
    if (!metadata_differs(in))
        return DIFF_SIGN;
    return row->source.mtime_ns == in->signature.mtime_ns ? DIFF_TOUCH
                                                          : DIFF_UPDATE;
}

static enum diff_verdict decide_recorded(const struct diff_input *in)
{
    if (is_claimed(in))
        return decide_claimed(in);
    enum source_view seen = view_source(in);
    enum drive_view view = view_drive(in);

    if (seen == SEEN_DOUBTFUL)
        return DIFF_LOOK;
    if (seen == SEEN_ROTTEN)
        return DIFF_ROT;
    if (view == VIEW_MISSING)
        return DIFF_AGAIN;
    if (view == VIEW_DIFFERS) {
        bool is_a_tree = is_there(in) && in->drive_type == ENTRY_DIRECTORY;
        if (!is_a_tree && (seen == SEEN_CHANGED || in->mode == JOB_MIRROR))
            return DIFF_REPLACE;
        return DIFF_CONFLICT;
    }
    if (seen == SEEN_CHANGED)
        return DIFF_UPDATE;
    if (metadata_differs(in))
        return DIFF_TOUCH;
    return seen == SEEN_UNSIGNED ? DIFF_SIGN : DIFF_NOTHING;
}

static enum diff_verdict decide_gone(const struct diff_input *in)
{
    enum drive_view view = view_drive(in);

    if (in->row->flags & RECORD_OFFLOADED)
        return view == VIEW_RECORDED && !(in->row->flags & RECORD_ROTTEN)
                   ? DIFF_NOTHING
                   : DIFF_LOSS;
    switch (view) {
    case VIEW_MISSING:
        return DIFF_FORGET;
    case VIEW_DIFFERS:
        return DIFF_CONFLICT;
    case VIEW_RECORDED:
        break;
    }
    if (in->mode != JOB_MIRROR)
        return DIFF_KEEP;
    return is_claimed(in) ? DIFF_FOREIGN : DIFF_DELETE;
}

enum diff_verdict diff_decide(const struct diff_input *in)
{
    if (in->source == SOURCE_FROZEN)
        return DIFF_SKIP;

    if (in->source == SOURCE_ABSENT) {
        if (in->row)
            return decide_gone(in);
        return is_there(in) ? DIFF_FOREIGN : DIFF_NOTHING;
    }
    if (in->drive == DRIVE_ODD)
        return DIFF_CONFLICT;
    if (!in->row)
        return decide_unrecorded(in);
    if (in->row->type != in->source_type)
        return decide_swap(in);
    if (in->source_type == ENTRY_DIRECTORY)
        return decide_directory(in);
    return decide_recorded(in);
}
