/*
 * Random histories through the whole engine: a source is edited as people
 * edit, things happen to the drive, berth syncs, and a naive model says what
 * must be: the drive equals the source (mirror) or holds all of it (update),
 * no content that the drive ever held is lost, and a second look finds nothing
 * left to do.
 *
 * BERTH_SEED is the seed of the first history, the next has the next one;
 * BERTH_HISTORIES how many of each kind (0: until interrupted). What fails
 * says its seed and prints what was done:
 *
 *     BERTH_SEED=17 BERTH_HISTORIES=1 build/release/tests/unit/engine_histories
 */
#include "contract/scenery.h"

#include "core/base/clock.h"
#include "core/names.h"
#include "core/offload_copies.h"
#include "platform/practice/practice.h"
#include "unit/dice.h"
#include "unit/play.h"

#include <spawn.h>
#include <sys/wait.h>

/* What the drive is taken for. */
enum kind {
    KIND_UNIX,      /* as it is: links, permissions, any name */
    KIND_FAT,       /* cases are one, no links, no permissions, DOS names */
    KIND_JOURNALED, /* renames are whole: batches are committed by the next */
};

struct history {
    struct dice dice;
    enum kind kind;
    enum job_mode mode;
    struct play *play;
    struct traits traits;
    long last_number; /* each content has a number of its own */
    bool is_sneaky;   /* this round: content changes and no time tells */
    bool is_respelt;  /* a name was spelt otherwise */
    bool is_touched;  /* somebody else may change the drive, too */
    size_t moved;     /* files that a sync took away from the source */
    bool has_foreign; /* something was put on the drive by somebody else */
    struct {
        long *items;
        size_t count, capacity;
    } seen; /* numbers that the drive held after a sync or somebody's edit */
    struct strbuf log;
};

static void note(struct history *history, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void note(struct history *history, const char *format, ...)
{
    char line[512];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    strbuf_addf(&history->log, "  %s\n", line);
}

static void history_fail(struct history *history, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void history_fail(struct history *history, const char *format, ...)
{
    char line[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fail_msg("%s\n%s", line, history->log.text);
}

/* Foreign content has odd numbers, our own has even ones. */
static long new_number(struct history *history, bool is_foreign)
{
    history->last_number += 2;
    return history->last_number + is_foreign;
}

static bool is_foreign(const struct leaf *leaf)
{
    return leaf->type == ENTRY_FILE && leaf->first_number % 2;
}

/* --- names --- */

/* One name in its two spellings, and the longest there is: 255 bytes. */
#define COMPOSED "\u00e9.txt"
#define DECOMPOSED "e\u0301.txt"
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define LONG_NAME FIFTY FIFTY FIFTY FIFTY FIFTY "long!"

static const char *random_name(struct history *history)
{
    static const char *const names[] = {
        "a",   "b",   "c",   "d",   "B",      "C",     "a b",     "x.",
        "con", "q:r", "ö",   "Ö",   "Ärger",  "ärger", COMPOSED,  DECOMPOSED,
        "-rf", "*",   "a\n", "...", "日本語", "\xff",  LONG_NAME,
    };

    return names[dice_below(&history->dice, COUNT_OF(names))];
}

/* Name by name: one that is no text is its bytes, whatever is beside it. */
static bool same_key(const char *one, const char *other)
{
    bool are_same = true;

    while (are_same && *one && *other) {
        size_t length = strcspn(one, "/"), other_length = strcspn(other, "/");
        CLEANUP_FREE char *name = xstrndup(one, length);
        CLEANUP_FREE char *other_name = xstrndup(other, other_length);
        CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf other_key = STRBUF_INIT;
        name_key(name, &key);
        name_key(other_name, &other_key);
        are_same = !strcmp(key.text, other_key.text);
        one += length + (one[length] == '/');
        other += other_length + (other[other_length] == '/');
    }
    return are_same && !*one && !*other;
}

static bool same_fold(const char *one, const char *other)
{
    CLEANUP(strbuf_release) struct strbuf fold = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf other_fold = STRBUF_INIT;

    name_fold(one, &fold);
    name_fold(other, &other_fold);
    return !strcmp(fold.text, other_fold.text);
}

/* Twins are conflicts: they have a test of their own. */
static bool is_free(struct history *history, const struct leaves *leaves,
                    const char *path)
{
    if (leaves_find(leaves, path) || strlen(path) > 1000)
        return false;
    for (size_t i = 0; i < leaves->count; i++)
        if (history->kind == KIND_FAT ? same_fold(leaves->items[i].path, path)
                                      : same_key(leaves->items[i].path, path))
            return false;
    return true;
}

static struct leaf *pick(struct history *history, const struct leaves *leaves,
                         enum entry_type type)
{
    for (int i = 0; leaves->count && i < 30; i++) {
        struct leaf *leaf =
            &leaves->items[dice_below(&history->dice, leaves->count)];
        if (leaf->type == type && strcmp(leaf->path, "keep") != 0)
            return leaf;
    }
    return NULL;
}

/* A free path in a random directory; NULL when none was found. free() it. */
static char *pick_free(struct history *history, const struct leaves *leaves)
{
    const struct leaf *parent = pick(history, leaves, ENTRY_DIRECTORY);
    bool at_top = !parent || dice_one_in(&history->dice, 3);
    char *path = path_join(at_top ? "" : parent->path, random_name(history));

    if (is_free(history, leaves, path))
        return path;
    free(path);
    return NULL;
}

/* --- making and changing files --- */

static void write_content(const char *path, long number, size_t size)
{
    FILE *file = fopen(path, "w");

    if (!file && errno == EACCES && !unlink(path)) /* as an editor would */
        file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%ld ", number);
    for (size_t i = 0; i < size; i++)
        putc('.', file);
    assert_int_equal(fclose(file), 0);
}

/* Other bytes, as many as before. */
static void rewrite_content(const char *path, long number, int64_t size)
{
    CLEANUP_FREE char *text = xmalloc((size_t)size + 32);
    CLEANUP_FD int fd = open(path, O_WRONLY);
    int digits = snprintf(text, 32, "%ld ", number);

    assert_true(fd >= 0);
    if (digits > size)
        return;
    memset(text + digits, '.', (size_t)size - (size_t)digits);
    assert_int_equal(fd_write_full(fd, text, (size_t)size), 0);
}

static void set_mtime(const char *path, int64_t mtime_ns)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};

    times[1] = clock_to_timespec(mtime_ns);
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void create_file(struct history *history, const char *path)
{
    size_t size = dice_one_in(&history->dice, 15)
                      ? 300000
                      : dice_below(&history->dice, 40);

    if (dice_one_in(&history->dice, 15)) {
        FILE *empty = fopen(path, "w");
        assert_non_null(empty);
        fclose(empty);
        return;
    }
    write_content(path, new_number(history, false), size);
    if (dice_one_in(&history->dice, 15)) /* most of it a hole */
        assert_int_equal(truncate(path, 1000000), 0);
}

static void edit_file(struct history *history, const char *path,
                      const struct leaf *leaf)
{
    long number = new_number(history, false);
    CLEANUP_FREE char *temporary = path_join(history->play->source, "editing");
    FILE *file;

    size_t way = history->is_sneaky ? 9 : dice_below(&history->dice, 4);
    if (access(path, W_OK))
        way = 2;
    switch (way) {
    case 0:
        note(history, "write %s", leaf->path);
        write_content(path, number, dice_below(&history->dice, 40));
        break;
    case 1:
        note(history, "rewrite %s", leaf->path);
        rewrite_content(path, number, leaf->size_bytes);
        break;
    case 2:
        note(history, "save %s by a rename", leaf->path);
        write_content(temporary, number, dice_below(&history->dice, 40));
        assert_int_equal(rename(temporary, path), 0);
        break;
    case 3:
        note(history, "append to %s", leaf->path);
        file = fopen(path, "a");
        assert_non_null(file);
        fputs("more", file);
        assert_int_equal(fclose(file), 0);
        break;
    default: /* a tagger of music, and its padding */
        note(history, "rewrite %s, time kept", leaf->path);
        rewrite_content(path, number, leaf->size_bytes);
        set_mtime(path, leaf->mtime_ns);
    }
}

/* --- what happens to a source --- */

static void move(struct history *history, const char *from, const char *to)
{
    CLEANUP_FREE char *old = path_join(history->play->source, from);
    CLEANUP_FREE char *new = path_join(history->play->source, to);

    note(history, "mv %s %s", from, to);
    assert_int_equal(rename(old, new), 0);
}

static void move_something(struct history *history, const struct leaves *leaves,
                           enum entry_type type)
{
    const struct leaf *leaf = pick(history, leaves, type);
    CLEANUP_FREE char *to = pick_free(history, leaves);

    if (leaf && to && !path_is_within(to, leaf->path))
        move(history, leaf->path, to);
}

static void change_case(struct history *history, const struct leaves *leaves)
{
    const struct leaf *leaf =
        pick(history, leaves,
             dice_one_in(&history->dice, 3) ? ENTRY_DIRECTORY : ENTRY_FILE);
    if (!leaf)
        return;
    CLEANUP_FREE char *to = xstrdup(leaf->path);
    char *letter = to + strlen(to) - 1;
    bool is_letter = (*letter >= 'a' && *letter <= 'z') ||
                     (*letter >= 'A' && *letter <= 'Z');
    if (!is_letter)
        return;
    *letter ^= 'a' ^ 'A';
    for (size_t i = 0; i < leaves->count; i++)
        if (same_key(leaves->items[i].path, to))
            return;
    move(history, leaf->path, to);
}

/* The same name, spelt otherwise: a file server's Mac client does that. */
static void respell(struct history *history, const struct leaves *leaves)
{
    const struct leaf *leaf = pick(history, leaves, ENTRY_FILE);

    if (!leaf)
        return;
    size_t above = path_parent_length(leaf->path);
    CLEANUP_FREE char *parent = xstrndup(leaf->path, above);
    const char *name = path_name(leaf->path);
    const char *other = !strcmp(name, COMPOSED)     ? DECOMPOSED
                        : !strcmp(name, DECOMPOSED) ? COMPOSED
                                                    : NULL;
    if (!other)
        return;
    CLEANUP_FREE char *to = path_join(parent, other);
    move(history, leaf->path, to);
    history->is_respelt = true;
}

static void swap_names(struct history *history, const struct leaves *leaves)
{
    const struct leaf *one = pick(history, leaves, ENTRY_FILE);
    const struct leaf *other = pick(history, leaves, ENTRY_FILE);

    if (!one || !other || one == other)
        return;
    move(history, one->path, "swapping");
    move(history, other->path, one->path);
    move(history, "swapping", other->path);
}

static void remove_something(struct history *history,
                             const struct leaves *leaves, enum entry_type type)
{
    const struct leaf *leaf = pick(history, leaves, type);

    if (!leaf)
        return;
    CLEANUP_FREE char *path = path_join(history->play->source, leaf->path);
    note(history, "rm -r %s", leaf->path);
    remove_tree(path);
}

static void swap_kind(struct history *history, const struct leaves *leaves)
{
    enum entry_type from = (enum entry_type)dice_below(&history->dice, 3);
    enum entry_type to = (enum entry_type)dice_below(&history->dice, 3);
    const struct leaf *leaf = pick(history, leaves, from);

    /* Not yet where somebody else changes the other side of the swap. */
    if (!leaf || from == to || history->is_touched)
        return;
    CLEANUP_FREE char *path = path_join(history->play->source, leaf->path);
    note(history, "%s becomes of type %d", leaf->path, (int)to);
    remove_tree(path);
    if (to == ENTRY_FILE) {
        create_file(history, path);
    } else if (to == ENTRY_SYMLINK) {
        assert_int_equal(symlink("to/somewhere", path), 0);
    } else {
        CLEANUP_FREE char *below = path_join(path, "b");
        assert_int_equal(mkdir(path, 0755), 0);
        create_file(history, below);
    }
}

static void link_something(struct history *history, const struct leaves *leaves)
{
    const struct leaf *leaf = pick(history, leaves, ENTRY_FILE);
    CLEANUP_FREE char *to = pick_free(history, leaves);

    if (!leaf || !to)
        return;
    CLEANUP_FREE char *old = path_join(history->play->source, leaf->path);
    CLEANUP_FREE char *new = path_join(history->play->source, to);
    note(history, "ln %s %s", leaf->path, to);
    assert_int_equal(link(old, new), 0);
}

static void make_something(struct history *history, const struct leaves *leaves,
                           enum entry_type type)
{
    CLEANUP_FREE char *to = pick_free(history, leaves);

    if (!to)
        return;
    CLEANUP_FREE char *path = path_join(history->play->source, to);
    note(history, "make %s of type %d", to, (int)type);
    if (type == ENTRY_FILE)
        create_file(history, path);
    else if (type == ENTRY_SYMLINK)
        assert_int_equal(symlink(random_name(history), path), 0);
    else
        assert_int_equal(mkdir(path, 0755), 0);
}

/* Of the past, before 1970, or of a camera whose clock is ahead. */
static int64_t random_time(struct history *history)
{
    int64_t seconds = (int64_t)dice_below(&history->dice, 1u << 31);

    switch (dice_below(&history->dice, 6)) {
    case 0:
        return (seconds + (INT64_C(1) << 31)) * NS_PER_SECOND;
    case 1:
        return -seconds / 3 * NS_PER_SECOND;
    default:
        return seconds * NS_PER_SECOND / 3 - NS_PER_SECOND;
    }
}

/* A download's origin, a tag. What holds none keeps none. */
static void tag(struct history *history, const char *path)
{
    CLEANUP_FREE char *value = xasprintf("user.tag%c%c%c%c%cv%d", 0, 2, 0, 0, 0,
                                         (int)dice_below(&history->dice, 10));
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_to_be_bare = dice_one_in(&history->dice, 4);

    if (fd < 0 || access(path, W_OK))
        return;
    err_code code = platform_write_attributes(
        fd, value, is_to_be_bare ? 0 : strlen("user.tag") + 1 + 4 + 2, NULL);
    if (code && code != ERR_UNSUPPORTED)
        history_fail(history, "cannot tag %s", path);
}

static void touch_something(struct history *history,
                            const struct leaves *leaves)
{
    static const mode_t modes[] = {0600, 0644, 0755, 0700, 0444};
    static const mode_t directory_modes[] = {0755, 0700, 0750, 01777, 0711};
    enum entry_type type =
        dice_one_in(&history->dice, 3) ? ENTRY_DIRECTORY : ENTRY_FILE;
    const struct leaf *leaf = pick(history, leaves, type);

    if (!leaf)
        return;
    CLEANUP_FREE char *path = path_join(history->play->source, leaf->path);
    note(history, "touch %s", leaf->path);
    if (type == ENTRY_FILE && history->is_sneaky &&
        dice_one_in(&history->dice, 3)) {
        tag(history, path);
        return;
    }
    /* Not yet together with a rename: see below. */
    if (history->is_sneaky && dice_one_in(&history->dice, 2))
        assert_int_equal(
            chmod(path, (type == ENTRY_DIRECTORY
                             ? directory_modes
                             : modes)[dice_below(&history->dice, 5)]),
            0);
    else if (type == ENTRY_FILE)
        set_mtime(path, random_time(history));
}

/* Renames are known by inode, size and time: where those lie, there are two
 * tests below instead. */
static void edit_source(struct history *history)
{
    CLEANUP(leaves_release)
    struct leaves leaves = leaves_of(history->play->source);
    const struct leaf *leaf = pick(history, &leaves, ENTRY_FILE);
    size_t what = dice_below(&history->dice, history->is_sneaky ? 13 : 20);

    switch (what) {
    case 0:
    case 1:
    case 2:
        make_something(history, &leaves, ENTRY_FILE);
        break;
    case 3:
        make_something(history, &leaves, ENTRY_DIRECTORY);
        break;
    case 4:
        make_something(history, &leaves, ENTRY_SYMLINK);
        break;
    case 5:
        remove_something(history, &leaves, ENTRY_FILE);
        break;
    case 6:
        remove_something(history, &leaves, ENTRY_DIRECTORY);
        break;
    case 7:
        swap_kind(history, &leaves);
        break;
    case 9:
        touch_something(history, &leaves);
        break;
    case 13:
        link_something(history, &leaves);
        break;
    case 14:
    case 15:
        move_something(history, &leaves, ENTRY_FILE);
        break;
    case 16:
        move_something(history, &leaves, ENTRY_DIRECTORY);
        break;
    case 17: /* an update never renames: a conflict */
        if (history->mode == JOB_MIRROR || history->kind != KIND_FAT)
            change_case(history, &leaves);
        break;
    case 18:
        swap_names(history, &leaves);
        break;
    case 19:
        respell(history, &leaves);
        break;
    default:
        if (leaf) {
            CLEANUP_FREE char *path =
                path_join(history->play->source, leaf->path);
            edit_file(history, path, leaf);
        }
    }
}

/* --- what happens to a drive --- */

static void edit_drive(struct history *history)
{
    CLEANUP(leaves_release)
    struct leaves leaves = leaves_of(history->play->target);
    const struct leaf *leaf = pick(history, &leaves, ENTRY_FILE);
    const struct leaf *directory = pick(history, &leaves, ENTRY_DIRECTORY);
    long number = new_number(history, true);

    if (!leaf || !directory)
        return;
    CLEANUP_FREE char *path = path_join(history->play->target, leaf->path);
    CLEANUP_FREE char *above =
        path_join(history->play->target, directory->path);
    CLEANUP_FREE char *foreign = xasprintf("%s/foreign %ld", above, number);
    switch (dice_below(&history->dice, 6)) {
    case 0:
        note(history, "drive: write %s", leaf->path);
        write_content(path, number, (size_t)leaf->size_bytes + 1);
        break;
    case 1:
        note(history, "drive: rewrite %s, older", leaf->path);
        write_content(path, number, 30);
        set_mtime(path, leaf->mtime_ns - 5 * NS_PER_SECOND);
        break;
    case 2:
        note(history, "drive: rm %s", leaf->path);
        assert_int_equal(unlink(path), 0);
        break;
    case 3:
        note(history, "drive: rm -r %s", directory->path);
        remove_tree(above);
        break;
    case 4:
        note(history, "drive: new file in %s", directory->path);
        write_content(foreign, number, 5);
        break;
    default:
        note(history, "drive: %s becomes a file", directory->path);
        remove_tree(above);
        write_content(above, number, 7);
    }
    history->has_foreign = true;
}

/* --- what the drive held --- */

static bool has_seen(const struct history *history, long number)
{
    for (size_t i = 0; i < history->seen.count; i++)
        if (history->seen.items[i] == number)
            return true;
    return false;
}

static void see(struct history *history, const struct leaves *leaves)
{
    for (size_t i = 0; i < leaves->count; i++) {
        const struct leaf *leaf = &leaves->items[i];
        if (leaf->type == ENTRY_FILE && leaf->size_bytes &&
            !has_seen(history, leaf->first_number))
            ARRAY_PUSH(&history->seen, leaf->first_number);
    }
}

static bool holds(const struct leaves *leaves, long number)
{
    for (size_t i = 0; i < leaves->count; i++)
        if (leaves->items[i].type == ENTRY_FILE &&
            leaves->items[i].size_bytes &&
            leaves->items[i].first_number == number)
            return true;
    return false;
}

static struct leaves read_versions(const struct history *history)
{
    CLEANUP_FREE char *versions =
        path_join(history->play->drive, ".berth/versions");

    return leaves_of(versions);
}

/* What somebody else destroys on the drive is not ours to keep. */
static void see_anew(struct history *history)
{
    CLEANUP(leaves_release)
    struct leaves drive = leaves_of(history->play->target);
    CLEANUP(leaves_release) struct leaves versions = read_versions(history);

    history->seen.count = 0;
    see(history, &drive);
    see(history, &versions);
}

static void check_nothing_lost(struct history *history,
                               const struct leaves *drive)
{
    CLEANUP(leaves_release) struct leaves versions = read_versions(history);

    for (size_t i = 0; i < history->seen.count; i++)
        if (!holds(drive, history->seen.items[i]) &&
            !holds(&versions, history->seen.items[i]))
            history_fail(history, "content %ld is lost",
                         history->seen.items[i]);
}

/* --- what must be --- */

/* How the volume spells a path of the source. free() it. */
static char *on_drive(const struct history *history, const char *path)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    if (!history->traits.names.is_utf16)
        return xstrdup(path);
    while (*path) {
        size_t length = strcspn(path, "/");
        CLEANUP_FREE char *raw = xstrndup(path, length);
        CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
        name_key(raw, &key);
        assert_true(name_encode(key.text, &history->traits.names, &name));
        path_append(&out, name.text);
        path += length + (path[length] == '/');
    }
    return strbuf_detach(&out);
}

/* A name that was spelt otherwise meanwhile keeps the spelling that it came
 * with: it is the same name. */
static const struct leaf *find_there(const struct leaves *drive,
                                     const char *path)
{
    const struct leaf *there = leaves_find(drive, path);

    for (size_t i = 0; !there && i < drive->count; i++)
        if (same_key(drive->items[i].path, path))
            there = &drive->items[i];
    return there;
}

static bool is_equal(const struct history *history, const struct leaf *source,
                     const struct leaf *drive)
{
    bool has_mode = history->traits.has_modes && source->type != ENTRY_SYMLINK;

    if (source->type != drive->type ||
        (has_mode && source->mode != drive->mode))
        return false;
    if (source->type == ENTRY_DIRECTORY)
        return true;
    if (source->type == ENTRY_FILE && source->mtime_ns != drive->mtime_ns)
        return false;
    if (source->type == ENTRY_FILE && history->traits.has_attributes &&
        !hash_equal(&source->attributes, &drive->attributes))
        return false;
    return hash_equal(&source->hash, &drive->hash);
}

static bool is_in_conflict(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].kind == ACTION_CONFLICT &&
            path_is_within(path, action_raw(&plan->items[i])))
            return true;
    return false;
}

static bool holds_foreign(const struct leaves *drive, const char *directory)
{
    for (size_t i = 0; i < drive->count; i++)
        if (path_is_within(drive->items[i].path, directory) &&
            is_foreign(&drive->items[i]))
            return true;
    return false;
}

/* A directory that was kept for what is foreign in it is that somebody's, also
 * when he has taken it out again. */
static bool held_foreign(const struct history *history, const char *directory)
{
    CLEANUP_FREE char *words = xasprintf("drive: new file in %s", directory);
    const char *at = strstr(history->log.text, words);
    char next = at ? at[strlen(words)] : ' ';

    return next == '\n' || next == '/';
}

/* A directory that the source has no more, kept for what is, or was, foreign
 * in it; in any case of letters where these are one. */
static bool stands_in_the_way(const struct history *history,
                              const struct leaves *drive, const char *path)
{
    for (size_t i = 0; i < drive->count; i++) {
        const struct leaf *leaf = &drive->items[i];
        bool is_twin = history->kind == KIND_FAT ? same_fold(leaf->path, path)
                                                 : same_key(leaf->path, path);
        if (is_twin && leaf->type == ENTRY_DIRECTORY &&
            (holds_foreign(drive, leaf->path) ||
             held_foreign(history, leaf->path)))
            return true;
    }
    return false;
}

static void check_source_is_there(struct history *history,
                                  const struct leaves *source,
                                  const struct leaves *drive,
                                  const struct plan *plan)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct leaf *leaf = &source->items[i];
        CLEANUP_FREE char *path = on_drive(history, leaf->path);
        const struct leaf *there = find_there(drive, path);
        bool is_held =
            leaf->type == ENTRY_SYMLINK && !history->traits.has_symlinks;
        if (is_held && !there)
            continue;
        if (!is_held && there && is_equal(history, leaf, there))
            continue;
        if (history->mode != JOB_MIRROR && is_in_conflict(plan, leaf->path))
            continue;
        if (stands_in_the_way(history, drive, path))
            continue;
        history_fail(history, "%s is %s the drive as \"%s\"", leaf->path,
                     there ? "not the same on" : "missing on", path);
    }
}

static void check_nothing_else_is_there(struct history *history,
                                        const struct leaves *source,
                                        const struct leaves *drive)
{
    for (size_t i = 0; i < drive->count; i++) {
        const struct leaf *leaf = &drive->items[i];
        bool is_expected = false;
        for (size_t j = 0; !is_expected && j < source->count; j++) {
            CLEANUP_FREE char *path = on_drive(history, source->items[j].path);
            is_expected = same_key(path, leaf->path);
        }
        if (!is_expected && !holds_foreign(drive, leaf->path) &&
            !(leaf->type == ENTRY_DIRECTORY &&
              held_foreign(history, leaf->path)))
            history_fail(history, "%s is on the drive only", leaf->path);
    }
}

/* A second look finds nothing to do, nor does a quick one. */
static void check_settled(struct history *history, const struct plan *plan,
                          const struct leaves *drive)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->items[i];
        bool is_foreigners = action->kind == ACTION_RMDIR &&
                             holds_foreign(drive, action_drive(action));
        if (action_is_pending(action) && !is_foreigners &&
            !stands_in_the_way(history, drive, action_drive(action)))
            history_fail(
                history, "still pending: %s %s (%s)", action_mark(action),
                action->path,
                action_reason_text((enum action_reason)action->reason));
        if (action->kind == ACTION_CONFLICT && !history->has_foreign &&
            history->mode == JOB_MIRROR)
            history_fail(
                history, "a conflict out of nothing: %s (%s)", action->path,
                action_reason_text((enum action_reason)action->reason));
    }
}

static void check_quick_look(struct history *history)
{
    struct answer quick = play_diff(history->play, DIFF_DEPTH_QUICK);

    for (size_t i = 0; i < quick.plan.count; i++) {
        const struct action *action = &quick.plan.items[i];
        if (action_is_pending(action) && action->kind != ACTION_RMDIR)
            history_fail(history, "a quick look finds %s %s",
                         action_mark(action), action->path);
    }
    answer_release(&quick);
}

/* What a restore would bring back. */
static err_code check_spelling(void *context, const char *path,
                               const char *drive_path,
                               const struct record *record, struct error *err)
{
    struct history *history = context;
    CLEANUP(leaves_release)
    struct leaves source = leaves_of(history->play->source);
    const struct leaf *leaf = find_there(&source, path);

    if (leaf && strcmp(path_name(leaf->path), record_raw(record)) != 0)
        history_fail(history, "%s is recorded as %s", leaf->path,
                     record_raw(record));
    return ERR_OK;
}

static void check_spellings(struct history *history)
{
    CLEANUP(catalogue_close_pointer)
    struct catalogue *catalogue = play_open_catalogue(history->play);
    CLEANUP(owners_release) struct owners owners = {.items = NULL};

    assert_int_equal(catalogue_list_owners(catalogue, &owners, NULL), ERR_OK);
    for (size_t i = 0; i < owners.count; i++)
        assert_int_equal(catalogue_walk(catalogue, &owners.items[i],
                                        check_spelling, history, NULL),
                         ERR_OK);
}

static void check_everything(struct history *history)
{
    CLEANUP(leaves_release)
    struct leaves source = leaves_of(history->play->source);
    CLEANUP(leaves_release)
    struct leaves drive = leaves_of(history->play->target);
    struct answer full = play_diff(history->play, DIFF_DEPTH_FULL);

    check_nothing_lost(history, &drive);
    check_source_is_there(history, &source, &drive, &full.plan);
    if (history->mode == JOB_MIRROR)
        check_nothing_else_is_there(history, &source, &drive);
    check_settled(history, &full.plan, &drive);
    if (!history->has_foreign) /* of which a quick look cannot know */
        check_quick_look(history);
    if (history->is_respelt && history->mode == JOB_MIRROR)
        check_spellings(history);
    see(history, &drive);
    answer_release(&full);
}

/* --- a history --- */

static enum diff_depth random_depth(struct history *history)
{
    if (history->has_foreign)
        return DIFF_DEPTH_FULL;
    return (enum diff_depth)dice_below(&history->dice, 3);
}

static void check_failures(struct history *history, const struct answer *answer)
{
    CLEANUP(leaves_release)
    struct leaves drive = leaves_of(history->play->target);
    bool is_fine = !answer->sync.held;

    for (size_t i = 0; i < answer->failed.count; i++) {
        CLEANUP_FREE char *path = on_drive(history, answer->failed.items[i]);
        is_fine &= stands_in_the_way(history, &drive, path);
    }
    if (!answer->failed.count)
        is_fine &= answer->outcome <= OUTCOME_DIFFERENCES;
    if (!is_fine)
        history_fail(history, "the sync failed");
}

static void sync_all(struct history *history)
{
    struct answer answer = play_sync(history->play, random_depth(history), 0);

    if (answer.sync.held) { /* the screen asks, and somebody says yes */
        int64_t held = answer.sync.held;
        answer_release(&answer);
        answer = play_sync(history->play, DIFF_DEPTH_FULL, held);
    }
    note(history, "sync: exit code %d, %s%s", (int)answer.outcome,
         answer.sync.was_full ? "full" : "quick",
         answer.words.length ? ":" : "");
    if (answer.words.length)
        note(history, "%s", answer.words.text);
    check_failures(history, &answer);
    answer_release(&answer);
}

/* What a sync takes away from the source stands on the drive, whole. */
static void check_moved(struct history *history, const struct leaves *before)
{
    CLEANUP(leaves_release)
    struct leaves source = leaves_of(history->play->source);
    CLEANUP(leaves_release)
    struct leaves drive = leaves_of(history->play->target);

    for (size_t i = 0; i < before->count; i++) {
        const struct leaf *leaf = &before->items[i];
        if (leaf->type == ENTRY_DIRECTORY || leaves_find(&source, leaf->path))
            continue;
        CLEANUP_FREE char *path = on_drive(history, leaf->path);
        const struct leaf *there = find_there(&drive, path);
        if (!there || !is_equal(history, leaf, there))
            history_fail(history, "%s was moved and is not on the drive",
                         leaf->path);
        history->moved++;
    }
    for (size_t i = 0; i < source.count; i++)
        if (!leaves_find(before, source.items[i].path))
            history_fail(history, "the sync left %s in the source",
                         source.items[i].path);
}

static size_t jumps;

/* The machine's clock was wrong, is set, or will be wrong: by an hour, or by
 * days, but never so many that versions are old enough to go. */
static void jump_in_time(struct history *history)
{
    static const int64_t hours[] = {-24 * 9, -1, 1, 24 * 9};

    if (!dice_one_in(&history->dice, 4))
        return;
    size_t which = dice_below(&history->dice, COUNT_OF(hours) + 1);
    if (which == COUNT_OF(hours)) {
        note(history, "the clock is right");
        clock_freeze(0);
        return;
    }
    note(history, "the clock is %lld hours off", (long long)hours[which]);
    clock_freeze(0);
    clock_freeze(clock_now_ns() + hours[which] * 3600 * NS_PER_SECOND);
    jumps++;
}

/* --- special nights --- */

static size_t locked;

/* What it prints goes to the file `out`. */
static bool run_program(char *const *arguments, const char *out)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (!posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ))
        assert_int_equal(waitpid(pid, &status, 0), pid);
    posix_spawn_file_actions_destroy(&actions);
    return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void rename_restored(struct history *history)
{
    CLEANUP(leaves_release)
    struct leaves leaves = leaves_of(history->play->source);
    const struct leaf *leaf = pick(history, &leaves, ENTRY_FILE);

    if (leaf && leaf->size_bytes && is_free(history, &leaves, "restored"))
        move(history, leaf->path, "restored");
}

/* Other inodes, births and change times; nothing is copied for that. */
static void restore_home(struct history *history)
{
    const char *source = history->play->source;
    CLEANUP_FREE char *old = xasprintf("%s.old", source);
    char program[] = "cp", options[] = "-a";
    char *const copy[] = {program, options, old, history->play->source, NULL};

    note(history, "the home is restored");
    assert_int_equal(rename(source, old), 0);
    assert_true(run_program(copy, "/dev/null"));
    remove_tree(old);
    if (history->mode == JOB_MIRROR) /* and its content tells what it was */
        rename_restored(history);
    struct answer answer = play_sync(history->play, DIFF_DEPTH_FULL, 0);
    if (answer.sync.counts.bytes_copied || answer.sync.counts.files_deleted)
        history_fail(history, "%lld bytes were copied, %lld files deleted",
                     (long long)answer.sync.counts.bytes_copied,
                     (long long)answer.sync.counts.files_deleted);
    check_failures(history, &answer);
    answer_release(&answer);
}

static size_t count_below(const struct leaves *leaves, const char *directory)
{
    size_t count = 0;

    for (size_t i = 0; i < leaves->count; i++)
        count += path_is_within(leaves->items[i].path, directory);
    return count;
}

/* What cannot be read is not gone. */
static void lock_directory(struct history *history)
{
    CLEANUP(leaves_release)
    struct leaves leaves = leaves_of(history->play->source);
    CLEANUP(leaves_release)
    struct leaves before = leaves_of(history->play->target);
    const struct leaf *leaf = pick(history, &leaves, ENTRY_DIRECTORY);

    if (!leaf || !geteuid()) /* root reads everything */
        return;
    CLEANUP_FREE char *path = path_join(history->play->source, leaf->path);
    CLEANUP_FREE char *there = on_drive(history, leaf->path);
    CLEANUP_FREE char *other_side = path_join(history->play->target, there);
    note(history, "%s cannot be read", leaf->path);
    assert_int_equal(chmod(path, 0), 0);
    struct answer answer = play_sync(history->play, DIFF_DEPTH_FULL, 0);
    assert_int_equal(chmod(path, leaf->mode), 0);
    if (chmod(other_side, 0755)) /* it was given the same mode */
        note(history, "%s is not on the drive", there);
    CLEANUP(leaves_release)
    struct leaves after = leaves_of(history->play->target);
    if (count_below(&before, there) != count_below(&after, there))
        history_fail(history, "of %zu things in %s there are %zu",
                     count_below(&before, there), there,
                     count_below(&after, there));
    if (answer.outcome == OUTCOME_DONE)
        history_fail(history, "nothing is said of it");
    answer_release(&answer);
    locked++;
}

struct scribbler {
    char *path;
    long number;
    _Atomic bool is_over;
};

static void *scribble(void *argument)
{
    struct scribbler *scribbler = argument;
    const struct timespec pause = {.tv_nsec = 200000};

    for (int i = 0; !atomic_load(&scribbler->is_over); i++) {
        FILE *file = fopen(scribbler->path, i % 3 ? "a" : "w");
        fprintf(file, "%ld ", scribbler->number);
        for (int j = 0; j < 3000; j++)
            putc('a' + i % 26, file);
        fclose(file);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* Whatever became of it tonight: it is one number's, and the next run has it.
 */
static void scribble_meanwhile(struct history *history)
{
    CLEANUP(leaves_release)
    struct leaves leaves = leaves_of(history->play->source);
    const struct leaf *leaf = pick(history, &leaves, ENTRY_FILE);

    if (!leaf || access(history->play->source, W_OK))
        return;
    struct scribbler scribbler = {
        .path = path_join(history->play->source, leaf->path),
        .number = new_number(history, false),
    };
    if (!access(scribbler.path, W_OK)) {
        note(history, "%s changes while it is read", leaf->path);
        pthread_t thread = thread_start(scribble, &scribbler);
        struct answer answer = play_sync(history->play, DIFF_DEPTH_FULL, 0);
        answer_release(&answer);
        atomic_store(&scribbler.is_over, true);
        thread_join(thread);
    }
    free(scribbler.path);
}

static void special_night(struct history *history)
{
    if (history->mode == JOB_MOVE || history->has_foreign ||
        !history->seen.count)
        return;
    switch (dice_below(&history->dice, 12)) {
    case 0:
        restore_home(history);
        break;
    case 1:
        lock_directory(history);
        break;
    case 2:
        scribble_meanwhile(history);
        break;
    default:
        break;
    }
}

/* --- what rsync says --- */

static size_t asked;

static bool has_rsync(void)
{
    static int known = -1;
    char program[] = "rsync", option[] = "--version";
    char *const arguments[] = {program, option, NULL};

    if (known < 0)
        known = run_program(arguments, "/dev/null");
    return known;
}

/* Or made anew, in the other spelling. */
static bool is_respelt(const struct history *history)
{
    CLEANUP(leaves_release)
    struct leaves source = leaves_of(history->play->source);
    CLEANUP(leaves_release)
    struct leaves drive = leaves_of(history->play->target);

    for (size_t i = 0; i < source.count; i++)
        if (!leaves_find(&drive, source.items[i].path))
            return true;
    return false;
}

/* Only of what the drive can hold, and of trees that are ours alone. */
static void ask_rsync(struct history *history)
{
    CLEANUP_FREE char *from = xasprintf("%s/", history->play->source);
    CLEANUP_FREE char *to = xasprintf("%s/", history->play->target);
    CLEANUP_FREE char *out = path_join(history->play->sandbox, "rsync");
    char program[] = "rsync", options[] = "-ainOJc", deletes[] = "--delete";
    char *const arguments[] = {program, options, deletes, from, to, NULL};
    CLEANUP(strbuf_release) struct strbuf said = STRBUF_INIT;

    if (history->kind == KIND_FAT || history->mode != JOB_MIRROR ||
        history->has_foreign || is_respelt(history) || !has_rsync())
        return;
    if (!run_program(arguments, out))
        history_fail(history, "rsync fails");
    assert_int_equal(file_read(out, 1 << 20, &said, NULL), ERR_OK);
    if (said.length)
        history_fail(history, "rsync would do: %s", said.text);
    asked++;
}

/* Every copy is read back from the device, every row is in a replica. */
static void believe_the_drive(struct history *history)
{
    CLEANUP(catalogue_close_pointer)
    struct catalogue *catalogue = play_open_catalogue(history->play);

    practice_set_proof(PLATFORM_PROOF_DEVICE);
    assert_int_equal(offload_note_replica(catalogue, INT64_MAX, NULL), ERR_OK);
}

static void pretend(struct history *history)
{
    struct traits *traits = &history->traits;

    if (history->mode == JOB_MOVE)
        believe_the_drive(history);

    *traits = play_get_traits(history->play);
    if (history->kind == KIND_FAT) {
        traits->names = (struct name_rules){
            .is_case_insensitive = true,
            .is_utf16 = true,
            .refuses_dos_characters = true,
            .strips_trailing_dots = true,
            .refuses_dos_names = true,
            .longest_utf16_units = 255,
        };
        traits->has_symlinks = traits->has_hard_links = false;
        traits->has_modes = traits->has_owners = false;
        traits->has_attributes = false;
        traits->time_tolerance_ns = 2 * NS_PER_SECOND;
    }
    if (history->kind == KIND_JOURNALED)
        traits->has_journal = true;
    play_set_traits(history->play, traits);
}

static size_t moved; /* files, in all histories */

static void play_history(uint64_t seed, enum kind kind, enum job_mode mode)
{
    struct history history = {
        .dice = dice_new(seed),
        .kind = kind,
        .mode = mode,
        .play = play_new(mode),
        .log = STRBUF_INIT,
    };
    CLEANUP_FREE char *keep = path_join(history.play->source, "keep");

    note(&history, "BERTH_SEED=%llu kind %d, %s", (unsigned long long)seed,
         (int)kind, job_mode_name(mode));
    write_content(keep, new_number(&history, false), 5);
    pretend(&history);
    /* An update to FAT has its conflicts with kept names already. */
    history.is_touched = dice_one_in(&history.dice, 2) && mode != JOB_MOVE &&
                         (mode == JOB_MIRROR || kind != KIND_FAT);
    for (size_t rounds = 2 + dice_below(&history.dice, 4); rounds; rounds--) {
        history.is_sneaky = dice_one_in(&history.dice, 4);
        jump_in_time(&history);
        special_night(&history);
        for (size_t i = dice_below(&history.dice, 14); i; i--)
            edit_source(&history);
        if (history.is_touched && dice_one_in(&history.dice, 2)) {
            for (size_t i = 1 + dice_below(&history.dice, 3); i; i--)
                edit_drive(&history);
            see_anew(&history);
        }
        if (dice_one_in(&history.dice, 4))
            play_restart(history.play);
        CLEANUP(leaves_release)
        struct leaves before = leaves_of(history.play->source);
        /* What changes in the moment it is copied stays for another night. */
        const struct timespec tick = {.tv_nsec = 30 * NS_PER_MS};
        if (mode == JOB_MOVE)
            nanosleep(&tick, NULL);
        sync_all(&history);
        if (mode == JOB_MOVE)
            check_moved(&history, &before);
        check_everything(&history);
    }
    clock_freeze(0);
    ask_rsync(&history);
    moved += history.moved;
    play_free(history.play);
    free(history.seen.items);
    strbuf_release(&history.log);
}

static void play_histories(enum kind kind, enum job_mode mode, uint64_t count)
{
    const char *chosen = getenv("BERTH_HISTORIES");
    uint64_t seed = dice_seed_of_environment(1);

    if (chosen && *chosen)
        count = strtoull(chosen, NULL, 10);
    for (uint64_t i = 0; !count || i < count; i++)
        play_history(seed + i, kind, mode);
}

static void a_mirror_becomes_the_source_and_loses_nothing(void **state)
{
    play_histories(KIND_UNIX, JOB_MIRROR, 12);
}

static void a_mirror_does_so_on_a_drive_that_can_hold_less(void **state)
{
    play_histories(KIND_FAT, JOB_MIRROR, 12);
}

static void a_mirror_does_so_on_a_drive_with_a_journal(void **state)
{
    play_histories(KIND_JOURNALED, JOB_MIRROR, 10);
}

static void an_update_holds_all_of_the_source_and_loses_nothing(void **state)
{
    play_histories(KIND_UNIX, JOB_UPDATE, 10);
}

static void an_update_does_so_on_a_drive_that_can_hold_less(void **state)
{
    play_histories(KIND_FAT, JOB_UPDATE, 10);
}

static void a_move_takes_away_only_what_the_drive_holds(void **state)
{
    moved = 0;
    play_histories(KIND_UNIX, JOB_MOVE, 10);
    if (!getenv("BERTH_HISTORIES"))
        assert_true(moved > 20);
}

static void a_move_does_so_on_a_drive_that_can_hold_less(void **state)
{
    play_histories(KIND_FAT, JOB_MOVE, 10);
}

static void rsync_was_asked(void **state)
{
    if (!has_rsync())
        SKIP_BECAUSE("no rsync");
    printf("rsync was asked %zu times, directories were locked %zu times, the "
           "clock jumped %zu times\n",
           asked, locked, jumps);
    if (!getenv("BERTH_HISTORIES"))
        assert_true(asked > 0 && jumps > 0);
}

/* Root reads what cannot be read. */
static void become_nobody(void)
{
    const char *temporary = getenv("TMPDIR");
    CLEANUP_FREE char *own =
        xasprintf("%s/XXXXXX", temporary ? temporary : "/tmp");

    if (geteuid())
        return;
    assert_non_null(mkdtemp(own));
    assert_int_equal(chown(own, 65534, 65534), 0);
    assert_int_equal(setgid(65534), 0);
    assert_int_equal(setuid(65534), 0);
    assert_int_equal(setenv("TMPDIR", own, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mirror_becomes_the_source_and_loses_nothing),
        cmocka_unit_test(a_mirror_does_so_on_a_drive_that_can_hold_less),
        cmocka_unit_test(a_mirror_does_so_on_a_drive_with_a_journal),
        cmocka_unit_test(an_update_holds_all_of_the_source_and_loses_nothing),
        cmocka_unit_test(an_update_does_so_on_a_drive_that_can_hold_less),
        cmocka_unit_test(a_move_takes_away_only_what_the_drive_holds),
        cmocka_unit_test(a_move_does_so_on_a_drive_that_can_hold_less),
        cmocka_unit_test(rsync_was_asked),
    };

    become_nobody();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
