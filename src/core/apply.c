#include "core/apply.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/marker.h"
#include "core/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_CHUNK_BYTES ((size_t)256 * 1024)

struct seen {
    bool exists;
    struct platform_stat stat;
};

static err_code look(struct session *session, const char *path,
                     struct seen *out, struct error *err)
{
    return fsops_look(&session->ops, path, &out->exists, &out->stat, err);
}

static bool is_as_before(struct session *session, const struct seen *seen,
                         struct stamp before)
{
    if (seen->stat.type == PLATFORM_DIRECTORY)
        return false;
    return stamp_equal(stamp_of(&seen->stat), before,
                       session->traits.time_tolerance_ns);
}

err_code apply_check_content(struct session *session, const char *path,
                             const struct hash *hash, struct error *err)
{
    CLEANUP_FREE char *chunk = xmalloc(HASH_CHUNK_BYTES);
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(session->volume->root_fd, path,
                                          PLATFORM_OPEN_READ, &fd, err);
    ssize_t got;

    if (code)
        return code;
    struct hasher *hasher = hasher_new();
    while ((got = fd_read_full(fd, chunk, HASH_CHUNK_BYTES)) > 0)
        hasher_add(hasher, chunk, (size_t)got);
    struct hash found = hasher_digest(hasher);
    hasher_free(hasher);
    if (got < 0)
        return error_set_errno(err, errno, "cannot read %s", path);
    if (!hash_equal(&found, hash))
        return error_set(err, ERR_CORRUPT,
                         "%s does not hold what was written to it", path);
    return ERR_OK;
}

/* Of a version: its path always has one. The directories of versions do not
 * have the modes of those that the files were in, so nobody else may enter. */
static err_code ensure_parent(struct session *session, const char *path,
                              struct error *err)
{
    CLEANUP_FREE char *parent = xstrndup(path, path_parent_length(path));

    if (session->ensured && !strcmp(session->ensured, parent))
        return ERR_OK;
    err_code code = session->ensured
                        ? ERR_OK
                        : fsops_ensure_own_directory(
                              &session->ops, VERSIONS_PATH, FSOPS_PRIVATE, err);
    if (!code)
        code = fsops_ensure_directory(&session->ops, parent, err);
    if (!code) {
        free(session->ensured);
        session->ensured = TAKE_PTR(parent);
    }
    return code;
}

static err_code read_stamp(struct session *session, const char *path,
                           struct record *record, struct error *err)
{
    struct seen seen;
    err_code code = look(session, path, &seen, err);

    if (code)
        return code;
    if (!seen.exists)
        return error_set(err, ERR_CHANGED, "%s is not there after its rename",
                         path);
    record->stamp = stamp_of(&seen.stat);
    return ERR_OK;
}

/* Of a version that is gone, up to the versions' own directory. */
static err_code remove_empty_parents(struct session *session, const char *path,
                                     struct error *err)
{
    CLEANUP_FREE char *parent = xstrdup(path);

    free(session->ensured);
    session->ensured = NULL;
    for (;;) {
        parent[path_parent_length(parent)] = '\0';
        if (!*parent || !strcmp(parent, VERSIONS_PATH))
            return ERR_OK;
        err_code code = fsops_remove_directory(&session->ops, parent, err);
        if (code == ERR_EXISTS)
            return ERR_OK;
        if (code && code != ERR_NOT_FOUND)
            return code;
    }
}

/*
 * --- placing ---
 */

/* What stands at `to` gets the version's name as well, then is replaced. */
static err_code replace_linked(struct session *session,
                               const struct intent *intent, struct error *err)
{
    err_code code = fsops_link(&session->ops, intent->to, intent->version, err);

    if (code == ERR_EXISTS) /* done before the interruption */
        code = ERR_OK;
    if (!code)
        code = fsops_replace(&session->ops, intent->from, intent->to, err);
    return code;
}

static err_code replace_by_two_renames(struct session *session,
                                       const struct intent *intent,
                                       struct error *err)
{
    struct fsops *ops = &session->ops;
    err_code code = fsops_rename(ops, intent->to, intent->version, err);

    if (code)
        return code;
    code = fsops_rename(ops, intent->from, intent->to, err);
    if (code && fsops_rename(ops, intent->version, intent->to, NULL))
        error_prefix(err, "and %s could not be put back from %s", intent->to,
                     intent->version);
    return code;
}

static err_code replace(struct session *session, const struct intent *intent,
                        const struct seen *old, struct error *err)
{
    if (!intent->version || intent->before.size_bytes == NO_SIZE)
        return error_set(
            err, ERR_CHANGED,
            "%s has appeared on the drive meanwhile: the next sync "
            "looks at it",
            intent->to);
    if (!is_as_before(session, old, intent->before))
        return error_set(err, ERR_CHANGED,
                         "%s has changed on the drive meanwhile: the next sync "
                         "looks at it",
                         intent->to);
    err_code code = ensure_parent(session, intent->version, err);
    if (code)
        return code;
    if (session->traits.has_hard_links && old->stat.type == PLATFORM_FILE)
        return replace_linked(session, intent, err);
    return replace_by_two_renames(session, intent, err);
}

/* `from` is gone: either this was done before, or the thing is lost. */
static err_code confirm_placed(struct session *session, struct intent *intent,
                               const struct seen *there, struct error *err)
{
    const struct record *record = &intent->record;

    if (!there->exists)
        return error_set(err, ERR_CHANGED,
                         "neither %s nor %s is on the drive any more",
                         intent->from, intent->to);
    if (record->type == ENTRY_FILE && !(record->flags & RECORD_UNHASHED))
        return apply_check_content(session, intent->to, &record->hash, err);
    return ERR_OK;
}

static bool is_same_name(const struct session *session, const char *one,
                         const char *other)
{
    CLEANUP(strbuf_release) struct strbuf fold = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf other_fold = STRBUF_INIT;

    if (!session->traits.names.is_case_insensitive)
        return false;
    name_fold(one, &fold);
    name_fold(other, &other_fold);
    return !strcmp(fold.text, other_fold.text);
}

/*
 * A rename that changes only the case is a silent no-op on exFAT: readdir
 * proves that it happened. Only there: each would read the whole directory
 * (4,000 files into one: 46 s on exfat-fuse, with the square of them [seen]).
 */
static err_code prove_renamed(struct session *session,
                              const struct intent *intent, struct error *err)
{
    bool is_listed = true;
    err_code code = ERR_OK;

    if (intent->old_path && is_same_name(session, intent->from, intent->to))
        code = fsops_lists_name(&session->ops, intent->to, &is_listed, err);
    if (!code && !is_listed)
        code = error_set(err, ERR_CHANGED, "%s did not take its new name",
                         intent->to);
    return code;
}

static bool is_rename(const struct intent *intent)
{
    return intent->old_path || !*intent->path; /* or half of one */
}

/* A file that is renamed has to be the row's: what somebody made of it would
 * have the row's hash, and the stamp that it is given next. */
static err_code check_moved(struct session *session,
                            const struct intent *intent,
                            const struct seen *from, struct error *err)
{
    const struct record *record = &intent->record;

    if (!is_rename(intent) || record->type == ENTRY_DIRECTORY ||
        is_as_before(session, from, record->stamp))
        return ERR_OK;
    return error_set(err, ERR_CHANGED,
                     "%s has changed on the drive meanwhile: the next sync "
                     "looks at it",
                     intent->from);
}

/* Something stands in the way, or the rename was done before. */
static err_code place_looking(struct session *session, struct intent *intent,
                              struct error *err)
{
    struct seen from, to;
    err_code code = look(session, intent->from, &from, err);

    if (!code)
        code = look(session, intent->to, &to, err);
    if (code)
        return code;
    if (!from.exists)
        return confirm_placed(session, intent, &to, err);
    code = check_moved(session, intent, &from, err);
    if (code)
        return code;
    if (to.exists)
        return replace(session, intent, &to, err);
    return fsops_rename(&session->ops, intent->from, intent->to, err);
}

static err_code place(struct session *session, struct intent *intent,
                      struct error *err)
{
    /* What is new needs no look: a rename that replaces nothing is one. */
    bool is_new = !intent->version && !is_rename(intent);
    err_code code =
        is_new ? fsops_rename(&session->ops, intent->from, intent->to, err)
               : ERR_EXISTS;

    if (code && !error_is_device_failure(code))
        code = place_looking(session, intent, err);
    if (!code)
        code = prove_renamed(session, intent, err);
    /* Elsewhere nothing is freed in a batch in which something is allocated. */
    if (!code && session->traits.has_journal &&
        path_is_within(intent->from, VERSIONS_PATH))
        code = remove_empty_parents(session, intent->from, err);
    if (!code)
        code = read_stamp(session, intent->to, &intent->record, err);
    return code;
}

/*
 * --- removing ---
 */

static err_code retire(struct session *session, const struct intent *intent,
                       struct error *err)
{
    struct seen from;
    err_code code = look(session, intent->from, &from, err);

    if (code || !from.exists) /* done before, or gone by itself */
        return code;
    if (!is_as_before(session, &from, intent->before))
        return error_set(err, ERR_CHANGED,
                         "%s has changed on the drive meanwhile: kept",
                         intent->from);
    code = ensure_parent(session, intent->version, err);
    if (!code)
        code = fsops_rename(&session->ops, intent->from, intent->version, err);
    return code;
}

/* First half of an unlink: the copy, staged at `to`, becomes the version. */
static err_code keep_copy(struct session *session, const struct intent *intent,
                          struct error *err)
{
    struct seen staged;
    err_code code = look(session, intent->to, &staged, err);

    if (code || !staged.exists) /* done before the interruption */
        return code;
    code = ensure_parent(session, intent->version, err);
    if (!code)
        code = fsops_rename(&session->ops, intent->to, intent->version, err);
    return code;
}

err_code apply_unlink(struct session *session, const struct intent *intent,
                      struct error *err)
{
    struct seen from;
    err_code code = look(session, intent->from, &from, err);

    if (code || !from.exists)
        return code;
    if (!is_as_before(session, &from, intent->before))
        return error_set(err, ERR_CHANGED,
                         "%s has changed on the drive meanwhile: kept",
                         intent->from);
    code = apply_check_content(session, intent->version, &intent->record.hash,
                               err);
    if (!code)
        code = fsops_unlink(&session->ops, intent->from, err);
    return code;
}

static err_code prune(struct session *session, const struct intent *intent,
                      struct error *err)
{
    if (!path_is_plain_relative(intent->from) ||
        !path_is_within(intent->from, VERSIONS_PATH))
        return error_set(err, ERR_REFUSED, "%s is no version", intent->from);
    err_code code = fsops_unlink_if_there(&session->ops, intent->from, err);
    return code ? code : remove_empty_parents(session, intent->from, err);
}

/*
 * --- directories ---
 */

static err_code make_directory(struct session *session,
                               const struct intent *intent, struct error *err)
{
    struct record usable = intent->record;
    err_code code = fsops_make_directory(&session->ops, intent->to, 0777, err);

    if (code == ERR_EXISTS)
        code = fsops_ensure_directory(&session->ops, intent->to, err);
    /* We still have to write into it; the run's last step sets the rest. */
    usable.mode |= 0700;
    unsigned what =
        traits_metadata(&session->traits) & ~(unsigned)FSOPS_SET_TIMES;
    if (code || !what)
        return code;
    code = fsops_set_metadata(&session->ops, intent->to, &usable, what, err);
    /* The directory is there; the last step tries again, and tells. */
    return error_is_device_failure(code) ? code : ERR_OK;
}

static err_code remove_directory(struct session *session,
                                 const struct intent *intent, struct error *err)
{
    err_code code = fsops_remove_directory(&session->ops, intent->from, err);

    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* Of a file that is not the row's the times would become so. */
static err_code check_touched(struct session *session,
                              const struct intent *intent, struct error *err)
{
    struct seen there;
    err_code code = ERR_OK;

    if (intent->record.type == ENTRY_DIRECTORY)
        return ERR_OK;
    code = look(session, intent->to, &there, err);
    if (!code && there.exists &&
        !is_as_before(session, &there, intent->record.stamp))
        code = error_set(err, ERR_CHANGED,
                         "%s has changed on the drive meanwhile: the next "
                         "sync looks at it",
                         intent->to);
    return code;
}

static err_code touch(struct session *session, const struct intent *intent,
                      struct error *err)
{
    err_code code = check_touched(session, intent, err);

    if (code)
        return code;
    code = fsops_set_metadata(&session->ops, intent->to, &intent->record,
                              traits_metadata(&session->traits), err);

    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

err_code apply_intent(struct session *session, struct intent *intent,
                      struct error *err)
{
    switch (intent->kind) {
    case INTENT_PLACE:
        return place(session, intent, err);
    case INTENT_RETIRE:
        return retire(session, intent, err);
    case INTENT_MKDIR:
        return make_directory(session, intent, err);
    case INTENT_RMDIR:
        return remove_directory(session, intent, err);
    case INTENT_UNLINK:
        return keep_copy(session, intent, err);
    case INTENT_TOUCH:
        return touch(session, intent, err);
    case INTENT_PRUNE:
        return prune(session, intent, err);
    case INTENT_NOTE:
        break;
    }
    return ERR_OK;
}
