#include "core/restore.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/sqlite_copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)1024 * 1024)
/* So many names are tried beside something; then somebody makes fun of us. */
#define MOST_NAMES 1000

void destination_init(struct destination *destination,
                      const struct source *root, bool replaces,
                      const struct stop_flag *stop,
                      _Atomic int64_t *bytes_written)
{
    char minute[32];

    *destination = (struct destination){
        .ops = fsops_on_source(root),
        .replaces = replaces,
        .stop = stop,
        .bytes_written = bytes_written,
        .hasher = hasher_new(),
        .chunk = xmalloc(CHUNK_BYTES),
    };
    clock_format_minute(clock_now_ns(), minute, sizeof minute);
    snprintf(destination->day, sizeof destination->day, "%.10s", minute);
}

void destination_release(struct destination *destination)
{
    fsops_release(&destination->ops);
    hasher_free(destination->hasher);
    free(destination->chunk);
    destination->hasher = NULL;
    destination->chunk = NULL;
}

void restore_answer_release(struct restore_answer *answer)
{
    free(answer->path);
    free(answer->kept);
    *answer = (struct restore_answer){.path = NULL};
}

/*
 * --- content ---
 */

/* The copy that is read, and what it must turn out to be. */
struct copy {
    int fd;
    struct record record; /* metadata */
    struct hash hash;
    int64_t size_bytes;
    bool is_database;
};

/* `to` -1: only hashes. What cannot be read is as bad as rot. */
static err_code stream(struct destination *destination, int from, int to,
                       struct hash *out, struct error *err)
{
    ssize_t got;

    hasher_reset(destination->hasher);
    while ((got = fd_read_full(from, destination->chunk, CHUNK_BYTES)) > 0) {
        hasher_add(destination->hasher, destination->chunk, (size_t)got);
        if (to >= 0) {
            int failed = fd_write_full(to, destination->chunk, (size_t)got);
            if (failed)
                return error_set_errno(err, failed, "cannot write");
            atomic_fetch_add(destination->bytes_written, got);
        }
        if (stop_flag_is_raised(destination->stop))
            return error_set(err, ERR_CANCELLED, "stopped on request");
    }
    *out = hasher_digest(destination->hasher);
    if (!got)
        return ERR_OK;
    err_code code = error_set_errno(err, errno, "cannot read");
    return code == ERR_DEVICE_GONE
               ? code
               : error_set(err, ERR_CORRUPT,
                           "the drive cannot read it: `berth versions` names "
                           "other copies");
}

static err_code open_copy(struct destination *destination,
                          const struct restore_item *item, struct copy *out,
                          struct error *err)
{
    unsigned char magic[SQLITE_MAGIC_BYTES];
    struct platform_stat stat;
    err_code code = platform_open_beneath(item->volume_fd, item->from,
                                          PLATFORM_OPEN_READ, &out->fd, err);

    if (!code)
        code = platform_stat_fd(out->fd, &stat, err);
    if (code == ERR_DEVICE_GONE)
        return code;
    if (code)
        return error_set(err, ERR_CORRUPT,
                         "the copy %s is gone from the drive, or cannot be "
                         "opened: `berth versions` names others",
                         item->from);
    ssize_t got = fd_read_full(out->fd, magic, sizeof magic);
    out->is_database = got > 0 && sqlite_is_database(magic, (size_t)got);
    out->size_bytes = stat.size_bytes;
    out->record = (struct record){
        .type = ENTRY_FILE,
        .source = signature_of(&stat),
        .mode = stat.mode,
        .uid = stat.uid,
        .gid = stat.gid,
    };
    if (item->record)
        out->record = *item->record;
    if (item->is_hashed && item->record) {
        out->hash = item->record->hash;
        out->size_bytes = item->record->stamp.size_bytes;
    } else if (got >= 0 && lseek(out->fd, 0, SEEK_SET) == 0) {
        code = stream(destination, out->fd, -1, &out->hash, err);
    }
    return code;
}

static err_code holds_the_same(struct destination *destination, int fd,
                               const struct copy *copy, bool *out,
                               struct error *err)
{
    struct platform_stat stat;
    struct hash hash;
    err_code code = platform_stat_fd(fd, &stat, err);

    *out = false;
    if (code || stat.size_bytes != copy->size_bytes)
        return code;
    code = stream(destination, fd, -1, &hash, err);
    *out = !code && hash_equal(&hash, &copy->hash);
    /* What cannot be read there is not the same. */
    return code == ERR_CORRUPT ? ERR_OK : code;
}

/*
 * --- metadata ---
 */

static bool may_give_away(const struct record *record)
{
    return geteuid() == 0 || geteuid() == record->uid;
}

/* What of the record may be believed, and held here. */
static struct record trusted_part(const struct record *record, bool is_trusted)
{
    struct record part = *record;

    if (!is_trusted || !may_give_away(record))
        part.mode &= 0777;
    return part;
}

static unsigned trusted_what(bool is_trusted)
{
    return FSOPS_SET_TIMES | FSOPS_SET_MODE |
           (is_trusted ? (unsigned)(FSOPS_SET_OWNER | FSOPS_SET_ATTRIBUTES)
                       : 0);
}

/*
 * --- placing ---
 */

/* Of this destination file: the same for each try, so that a leftover is met
 * again. Other tools' partial files stay off a sync, and so does this. */
static char *partial_path(const char *to)
{
    struct hash hash = hash_of(to, strlen(to));
    char hex[HASH_HEX_SIZE];
    CLEANUP_FREE char *parent = xstrndup(to, path_parent_length(to));

    hash_to_hex(&hash, hex);
    CLEANUP_FREE char *name = xasprintf(".berth-%.16s.partial", hex);
    return path_join(parent, name);
}

/* A killed restore left it, unless somebody holds its lock. */
static err_code remove_leftover(struct destination *destination,
                                const char *partial, struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code =
        fsops_open(&destination->ops, partial, PLATFORM_OPEN_READ, &fd, err);

    if (!code)
        code = platform_try_lock(fd, err);
    if (!code)
        code = fsops_unlink(&destination->ops, partial, err);
    if (code)
        error_prefix(err, "another restore seems to write it");
    return code;
}

static err_code create_partial(struct destination *destination,
                               const char *partial, int *out_fd,
                               struct error *err)
{
    struct fsops *ops = &destination->ops;
    err_code code = fsops_create(ops, partial, 0600, out_fd, err);

    if (code == ERR_EXISTS) {
        code = remove_leftover(destination, partial, err);
        if (!code)
            code = fsops_create(ops, partial, 0600, out_fd, err);
    }
    if (!code)
        code = platform_try_lock(*out_fd, err);
    return code;
}

/* "NAME.restored-2026-11-22", "…-2" and so on. */
static char *name_beside(const struct destination *destination, const char *to,
                         const char *word, int number)
{
    if (number == 1)
        return xasprintf("%s.%s-%s", to, word, destination->day);
    return xasprintf("%s.%s-%s-%d", to, word, destination->day, number);
}

/* Where it goes, as things are now. */
struct target {
    enum restore_how how;
    char *path;
};

static void target_release(struct target *target)
{
    free(target->path);
}

/* Whether a name is free, or holds the very thing; `copy` NULL: a symlink,
 * of which the target decides. */
static err_code look_at_name(struct destination *destination, const char *path,
                             const struct copy *copy, const char *link_target,
                             bool *out_free, bool *out_same, struct error *err)
{
    CLEANUP_FD int fd = -1;
    CLEANUP_FREE char *target = NULL;
    struct fsops *ops = &destination->ops;
    struct platform_stat stat;
    bool exists;
    err_code code = fsops_look(ops, path, &exists, &stat, err);

    *out_free = !code && !exists;
    *out_same = false;
    if (code || !exists)
        return code;
    if (copy && stat.type == PLATFORM_FILE) {
        code = fsops_open(ops, path, PLATFORM_OPEN_READ, &fd, err);
        if (!code)
            code = holds_the_same(destination, fd, copy, out_same, err);
        return code == ERR_DENIED ? ERR_OK : code;
    }
    if (copy || stat.type != PLATFORM_SYMLINK)
        return ERR_OK;
    code = fsops_read_link(ops, path, &target, err);
    *out_same = !code && !strcmp(target, link_target);
    return code;
}

static err_code choose_target(struct destination *destination, const char *to,
                              const struct copy *copy, const char *link_target,
                              struct target *out, struct error *err)
{
    bool is_free = false, is_same = false;

    for (int number = 0; number <= MOST_NAMES; number++) {
        CLEANUP_FREE char *path =
            number ? name_beside(destination, to, "restored", number)
                   : xstrdup(to);
        err_code code = look_at_name(destination, path, copy, link_target,
                                     &is_free, &is_same, err);
        if (code)
            return code;
        if (!is_free && !is_same && !(destination->replaces && !number))
            continue;
        free(out->path);
        out->path = TAKE_PTR(path);
        out->how = is_same   ? RESTORE_SAME
                   : number  ? RESTORE_BESIDE
                   : is_free ? RESTORE_PLACED
                             : RESTORE_REPLACED;
        return ERR_OK;
    }
    return error_set(err, ERR_EXISTS, "%s: no free name beside it", to);
}

/* What stands in the way keeps its content under another name. */
static err_code move_aside(struct destination *destination, const char *path,
                           char **out_kept, struct error *err)
{
    struct platform_stat stat;
    bool exists;
    err_code code = fsops_look(&destination->ops, path, &exists, &stat, err);

    if (!code && exists && stat.type == PLATFORM_DIRECTORY)
        code = error_set(err, ERR_EXISTS,
                         "a directory stands there: move it away, or restore "
                         "without --replace");
    if (code)
        return code;
    for (int number = 1; number <= MOST_NAMES; number++) {
        CLEANUP_FREE char *kept =
            name_beside(destination, path, "replaced", number);
        code = fsops_rename(&destination->ops, path, kept, err);
        if (code == ERR_EXISTS)
            continue;
        if (!code)
            *out_kept = TAKE_PTR(kept);
        return code;
    }
    return code;
}

static err_code check_database(struct destination *destination,
                               const struct copy *copy,
                               const struct target *target, struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code = ERR_OK;

    if (target->how == RESTORE_BESIDE)
        return ERR_OK;
    if (target->how == RESTORE_REPLACED)
        code = fsops_open(&destination->ops, target->path, PLATFORM_OPEN_READ,
                          &fd, err);
    if (code) /* no regular file: no database */
        return ERR_OK;
    return restore_check_database(destination, target->path, copy->is_database,
                                  fd, err);
}

/*
 * Two renames, and never one over the other: whatever stood there has its
 * content kept, also what was written a moment ago.
 */
static err_code put(struct destination *destination, const char *partial,
                    const struct target *target, struct restore_answer *out,
                    struct error *err)
{
    struct fsops *ops = &destination->ops;
    err_code code = ERR_OK;

    if (target->how == RESTORE_REPLACED)
        code = move_aside(destination, target->path, &out->kept, err);
    if (!code)
        code = fsops_rename(ops, partial, target->path, err);
    if (!code || !out->kept)
        return code;
    if (fsops_rename(ops, out->kept, target->path, NULL))
        error_prefix(err, "what was there is %s now, and", out->kept);
    free(out->kept);
    out->kept = NULL;
    return code;
}

/* Chooses again when the name was taken meanwhile. */
static err_code give_name(struct destination *destination,
                          const struct restore_item *item,
                          const struct copy *copy, const char *partial,
                          struct target *target, struct restore_answer *out,
                          struct error *err)
{
    err_code code = ERR_EXISTS;

    for (int i = 0; code == ERR_EXISTS && i < MOST_NAMES; i++) {
        if (i)
            code = choose_target(
                destination, item->to, copy,
                item->record ? item->record->link_target : NULL, target, err);
        else
            code = ERR_OK;
        if (!code && target->how == RESTORE_SAME)
            code = fsops_unlink(&destination->ops, partial, err);
        else if (!code)
            code = put(destination, partial, target, out, err);
        if (code == ERR_EXISTS && target->how == RESTORE_REPLACED)
            break;
    }
    if (code)
        return code;
    out->how = target->how;
    out->path = TAKE_PTR(target->path);
    return ERR_OK;
}

/* *out_metadata: what could not be set, though the content is there. */
static err_code fill_partial(struct destination *destination,
                             const struct restore_item *item,
                             const struct copy *copy, int fd,
                             err_code *out_metadata, struct error *err)
{
    const struct record part = trusted_part(&copy->record, item->is_trusted);
    struct hash hash;

    if (lseek(copy->fd, 0, SEEK_SET))
        return error_set_errno(err, errno, "cannot read %s", item->from);
    err_code code = stream(destination, copy->fd, fd, &hash, err);
    if (!code && !hash_equal(&hash, &copy->hash))
        code = error_set(err, ERR_CORRUPT,
                         "rot: the copy on the drive is not what was written "
                         "there");
    if (code)
        return code;
    *out_metadata = fsops_set_metadata_fd(fd, item->to, &part,
                                          trusted_what(item->is_trusted), err);
    /* Something else gives way for this: it has to be on the disk first. */
    return destination->replaces ? platform_flush_file(fd, err) : ERR_OK;
}

static err_code copy_and_place(struct destination *destination,
                               const struct restore_item *item,
                               const struct copy *copy, struct target *target,
                               struct restore_answer *out, struct error *err)
{
    CLEANUP_FREE char *partial = partial_path(item->to);
    CLEANUP_FD int fd = -1;
    err_code metadata = ERR_OK;
    err_code code = create_partial(destination, partial, &fd, err);

    if (code)
        return code;
    code = fill_partial(destination, item, copy, fd, &metadata, err);
    if (!code)
        code = check_database(destination, copy, target, err);
    if (!code)
        code = give_name(destination, item, copy, partial, target, out, err);
    if (code) {
        /* Else the next restore of this file removes it. */
        err_code removed =
            fsops_unlink_if_there(&destination->ops, partial, NULL);
        (void)removed;
        return code;
    }
    out->size_bytes = copy->size_bytes;
    if (!metadata)
        return ERR_OK;
    error_prefix(err, "restored, but");
    return ERR_UNSUPPORTED;
}

static err_code ensure_parent(struct destination *destination, const char *path,
                              struct error *err)
{
    CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));

    return *parent ? fsops_ensure_directory(&destination->ops, parent, err)
                   : ERR_OK;
}

err_code restore_file(struct destination *destination,
                      const struct restore_item *item,
                      struct restore_answer *out, struct error *err)
{
    struct copy copy = {.fd = -1};
    CLEANUP(target_release) struct target target = {.path = NULL};
    struct error own = ERROR_INIT;

    if (!err)
        err = &own;
    *out = (struct restore_answer){.path = NULL};
    err_code code = open_copy(destination, item, &copy, err);
    if (!code)
        code = ensure_parent(destination, item->to, err);
    if (!code)
        code = choose_target(destination, item->to, &copy, NULL, &target, err);
    if (!code && target.how != RESTORE_SAME)
        code = check_database(destination, &copy, &target, err);
    if (!code && target.how != RESTORE_SAME) {
        code = copy_and_place(destination, item, &copy, &target, out, err);
    } else if (!code) {
        out->how = RESTORE_SAME;
        out->path = TAKE_PTR(target.path);
        out->size_bytes = copy.size_bytes;
    }
    cleanup_fd(&copy.fd);
    return code;
}

/*
 * --- what has no content ---
 */

/* Made under a name of its own first, as a file is: symlinkat has no way to
 * say where it was made when a name is taken meanwhile. */
err_code restore_symlink(struct destination *destination,
                         const struct restore_item *item,
                         struct restore_answer *out, struct error *err)
{
    struct fsops *ops = &destination->ops;
    const char *link_target = item->record->link_target;
    const struct record part = trusted_part(item->record, item->is_trusted);
    CLEANUP(target_release) struct target target = {.path = NULL};
    CLEANUP_FREE char *partial = partial_path(item->to);
    struct error own = ERROR_INIT;

    if (!err)
        err = &own;
    *out = (struct restore_answer){.path = NULL};
    err_code code = ensure_parent(destination, item->to, err);
    if (!code)
        code = choose_target(destination, item->to, NULL, link_target, &target,
                             err);
    if (!code && target.how == RESTORE_SAME) {
        out->how = RESTORE_SAME;
        out->path = TAKE_PTR(target.path);
        return ERR_OK;
    }
    if (!code)
        code = fsops_unlink_if_there(ops, partial, err);
    if (!code)
        code = fsops_make_symlink(ops, link_target, partial, err);
    if (code)
        return code;
    err_code metadata = fsops_set_metadata(
        ops, partial, &part,
        trusted_what(item->is_trusted) & ~(unsigned)FSOPS_SET_MODE, err);
    code = give_name(destination, item, NULL, partial, &target, out, err);
    if (!code)
        return metadata ? ERR_UNSUPPORTED : ERR_OK;
    err_code removed = fsops_unlink_if_there(ops, partial, NULL);
    (void)removed;
    return code;
}

err_code restore_directory(struct destination *destination,
                           const struct restore_item *item, bool *out_was_made,
                           struct error *err)
{
    struct fsops *ops = &destination->ops;
    struct record usable = trusted_part(item->record, item->is_trusted);
    struct platform_stat stat;
    err_code code = fsops_look(ops, item->to, out_was_made, &stat, err);

    *out_was_made = !*out_was_made;
    if (!code)
        code = fsops_ensure_directory(ops, item->to, err);
    if (code || !*out_was_made)
        return code;
    usable.mode |= 0700;
    return fsops_set_metadata(
        ops, item->to, &usable,
        trusted_what(item->is_trusted) & ~(unsigned)FSOPS_SET_TIMES, err);
}

err_code restore_finish_directory(struct destination *destination,
                                  const struct restore_item *item,
                                  struct error *err)
{
    const struct record part = trusted_part(item->record, item->is_trusted);

    return fsops_set_metadata(&destination->ops, item->to, &part,
                              trusted_what(item->is_trusted), err);
}
