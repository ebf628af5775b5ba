#include "core/source_mounts.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/db.h"
#include "core/filter.h"
#include "core/guard.h"
#include "core/marker.h"
#include "core/names.h"
#include "core/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct finding {
    const struct source_search *search;
    struct source *source;
    struct filter *filter;
    char *location; /* of the source itself, below its filesystem's root */
    struct platform_stat stat;
};

/* --- the list --- */

static struct source_mount *add_mount(struct source *source, const char *path,
                                      const char *raw)
{
    struct source_mount mount = {
        .path = xstrdup(path),
        .raw = xstrdup(raw),
        .recorded = xstrdup(""),
        .identity = xstrdup(""),
        .state = SOURCE_PLAIN,
        .fd = -1,
    };

    ARRAY_PUSH(source, mount);
    return &source->items[source->count - 1];
}

static void add_mounted(void *context, const char *raw, bool has_files)
{
    struct source *source = context;
    CLEANUP(strbuf_release) struct strbuf key = STRBUF_INIT;

    name_key(raw, &key);
    struct source_mount *mount = add_mount(source, key.text, raw);
    mount->is_mounted = true;
    mount->has_files = has_files;
}

static void add_recorded(void *context, const char *path, const char *identity,
                         bool is_accepted)
{
    struct source *source = context;
    struct source_mount *mount = NULL;

    for (size_t i = 0; i < source->count; i++)
        if (!strcmp(source->items[i].path, path))
            mount = &source->items[i];
    if (!mount)
        mount = add_mount(source, path, path);
    free(mount->recorded);
    mount->recorded = xstrdup(identity);
    mount->is_accepted = is_accepted;
}

static int order_by_path(const void *one, const void *other)
{
    return path_compare(((const struct source_mount *)one)->path,
                        ((const struct source_mount *)other)->path);
}

/* Whoever does not go into other filesystems, and never did, needs no list:
 * the walk meets them. */
static err_code list_mounts(const struct source_search *search,
                            struct source *source, struct error *err)
{
    struct source recorded = SOURCE_INIT;
    err_code code = ERR_OK;

    if (search->owner)
        code = catalogue_list_mounts(search->catalogue, search->owner->id,
                                     add_recorded, &recorded, err);
    if (!code &&
        (search->job->cross_mounts || recorded.count || search->lists_all))
        code =
            platform_visit_mounts_below(source->fd, add_mounted, source, err);
    for (size_t i = 0; !code && i < recorded.count; i++)
        add_recorded(source, recorded.items[i].path, recorded.items[i].recorded,
                     recorded.items[i].is_accepted);
    source_release(&recorded);
    if (source->count)
        qsort(source->items, source->count, sizeof *source->items,
              order_by_path);
    return code;
}

/* --- what is there --- */

static err_code stop_at_first(void *context, const struct platform_entry *entry,
                              struct error *err)
{
    bool *found = context;

    *found = true;
    return ERR_EXISTS;
}

err_code source_look_whether_empty(int fd, bool *out_is_empty,
                                   struct error *err)
{
    bool found = false;
    err_code code = platform_list_directory(fd, stop_at_first, &found, err);

    if (found)
        code = ERR_OK;
    if (!code)
        *out_is_empty = !found;
    return code;
}

/* Only the last name may lead to another filesystem, or have one mounted on it
 * by being opened (automount). */
static err_code enter(const struct source *source, struct source_mount *mount,
                      struct error *err)
{
    CLEANUP_FREE char *parent =
        xstrndup(mount->raw, path_parent_length(mount->raw));
    CLEANUP_FD int parent_fd = -1;
    err_code code =
        source_open(source, parent, PLATFORM_OPEN_DIRECTORY, &parent_fd, err);

    if (code)
        return code;
    mount->fd =
        RETRY_ON_EINTR(openat(parent_fd, path_name(mount->raw),
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (mount->fd < 0 && errno == ENOTDIR)
        return error_set(err, ERR_CHANGED, "a single file is mounted there");
    if (mount->fd < 0)
        return error_set_errno(err, errno, "cannot open %s", mount->raw);
    return ERR_OK;
}

/* Of the same filesystem, whatever the paths: a bind mount shows it again. */
static bool shows_the_same(const struct platform_stat *one,
                           const char *location,
                           const struct platform_stat *other,
                           const char *other_location)
{
    return one->device == other->device &&
           path_overlaps(location, other_location);
}

static bool is_entered_already(const struct finding *finding,
                               const struct source_mount *mount)
{
    if (shows_the_same(&mount->stat, mount->location, &finding->stat,
                       finding->location))
        return true;
    for (size_t i = 0; i < finding->source->count; i++) {
        const struct source_mount *other = &finding->source->items[i];
        if (other != mount && other->state == SOURCE_ENTERED &&
            shows_the_same(&mount->stat, mount->location, &other->stat,
                           other->location))
            return true;
    }
    return false;
}

/* A path of a volume, below the root of its filesystem. */
static char *location_of(const struct platform_mount *mount, const char *path)
{
    CLEANUP_FREE char *real = realpath(path, NULL);
    const char *below = real ? real : path;

    if (path_is_within(below, mount->mount_point))
        below += strlen(mount->mount_point);
    while (*below == '/')
        below++;
    return path_join(mount->subtree, below);
}

static bool is_within_volume(const struct source_mount *mount,
                             const struct volume *volume, const char *root)
{
    CLEANUP_FREE char *location = location_of(&volume->mount, root);
    struct platform_stat stat;

    return !platform_stat_fd(volume->root_fd, &stat, NULL) &&
           stat.device == mount->stat.device &&
           path_is_within(mount->location, location);
}

/* A volume of berth, whoever's, or a part of one that is known: a copy of it
 * would grow by itself with each run. */
static bool is_of_volume(const struct finding *finding,
                         const struct source_mount *mount)
{
    const struct config *config = finding->search->config;
    struct platform_stat stat;
    bool is_part = false;

    if (!platform_stat_beneath(mount->fd, MARKER_PATH, &stat, NULL))
        return true;
    if (!strcmp(mount->location, "/"))
        return false;
    for (size_t i = 0; !is_part && i < config->volume_count; i++) {
        CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
        const struct config_volume *known = &config->volumes[i];
        if (volume_locate(finding->search->platform, known, &volume, NULL))
            continue;
        is_part = is_within_volume(mount, &volume,
                                   known->folder ? known->folder
                                                 : volume.mount.mount_point);
    }
    return is_part;
}

static err_code look_at(struct finding *finding, struct source_mount *mount,
                        bool *out_is_mounted, struct error *err)
{
    CLEANUP(platform_mount_release)
    struct platform_mount found = PLATFORM_MOUNT_INIT;
    err_code code = enter(finding->source, mount, err);

    if (!code)
        code = platform_mount_of(mount->fd, &found, err);
    if (!code)
        code = platform_stat_fd(mount->fd, &mount->stat, err);
    if (!code)
        code = platform_check_attached(mount->fd, err);
    if (!code)
        code = source_look_whether_empty(mount->fd, &mount->is_empty, err);
    if (code)
        return code;
    *out_is_mounted = found.is_root;
    if (!found.is_root)
        return ERR_OK;
    free(mount->identity);
    mount->identity = guard_source_identity(found.family, found.fs_uuid,
                                            found.subtree, found.source);
    mount->location = xstrdup(found.subtree);
    return ERR_OK;
}

/* --- what is to be done --- */

static void decide(struct source_mount *mount, enum source_mount_state state,
                   const char *why)
{
    mount->state = state;
    free(mount->why);
    mount->why = why ? xstrdup(why) : NULL;
}

static err_code has_rows(const struct finding *finding,
                         const struct source_mount *mount, bool *out,
                         struct error *err)
{
    const struct source_search *search = finding->search;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT;
    struct record row = {.child = 0};
    bool is_empty = true;
    err_code code = ERR_NOT_FOUND;

    if (search->owner)
        code = catalogue_find(search->catalogue, search->owner, mount->path,
                              &arena, &row, err);
    if (!code && row.type == ENTRY_DIRECTORY) {
        struct owner below = *search->owner;
        below.root = row.child;
        code = catalogue_is_empty(search->catalogue, &below, &is_empty, err);
    }
    *out = !code && !is_empty;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* The drive's files are from what is not there now. */
static void decide_away(struct source_mount *mount, const char *cause)
{
    CLEANUP_FREE char *words = NULL;

    if (cause)
        words = xasprintf("%s (%s)", cause, mount->recorded);
    else if (!*mount->recorded)
        words = xasprintf("%s is mounted over a directory of which the drive "
                          "holds files",
                          mount->identity);
    else if (!*mount->identity)
        words = xasprintf("%s is not mounted there any more", mount->recorded);
    else
        words = xasprintf("another filesystem is mounted there (%s, was %s)",
                          mount->identity, mount->recorded);
    decide(mount, SOURCE_AWAY, words);
}

static void decide_entered(const struct finding *finding,
                           struct source_mount *mount, bool rows)
{
    bool is_known = *mount->recorded &&
                    guard_is_same_filesystem(mount->recorded, mount->identity);

    if (rows && !is_known)
        decide_away(mount, NULL);
    else if (rows && mount->is_empty && !mount->is_accepted &&
             finding->search->job->mode == JOB_MIRROR)
        decide_away(mount, "the filesystem there is empty, and the drive holds "
                           "files of it");
    else
        decide(mount, SOURCE_ENTERED, NULL);
}

static err_code decide_mounted(struct finding *finding,
                               struct source_mount *mount, bool rows,
                               struct error *err)
{
    struct error why = ERROR_INIT;
    bool is_mounted = true;

    if (!finding->search->job->cross_mounts) {
        decide(mount, SOURCE_LEFT, "cross_mounts is not set");
        return ERR_OK;
    }
    if (!mount->has_files) {
        decide(mount, SOURCE_LEFT, "it holds no files of anybody's");
        return ERR_OK;
    }
    err_code code = look_at(finding, mount, &is_mounted, &why);
    if (code == ERR_CHANGED) /* or below another one that is left alone */
        decide(mount, SOURCE_LEFT, why.message);
    else if (code && rows)
        decide_away(mount, why.message);
    else if (code)
        decide(mount, SOURCE_UNREADABLE, why.message);
    else if (!is_mounted && rows)
        decide_away(mount, NULL);
    else if (!is_mounted)
        decide(mount, SOURCE_PLAIN, NULL);
    else if (is_entered_already(finding, mount))
        decide(mount, SOURCE_LEFT, "it shows files of the source once more");
    else if (is_of_volume(finding, mount))
        decide(mount, SOURCE_LEFT, "it is a volume of berth");
    else
        decide_entered(finding, mount, rows);
    return ERR_OK;
}

static err_code decide_one(struct finding *finding, struct source_mount *mount,
                           struct error *err)
{
    bool rows;
    err_code code = has_rows(finding, mount, &rows, err);

    if (code)
        return code;
    if (filter_judge(finding->filter, mount->path, true) != FILTER_TAKE)
        decide(mount, SOURCE_LEFT, "excluded");
    else if (mount->is_mounted)
        code = decide_mounted(finding, mount, rows, err);
    else if (rows)
        decide_away(mount, NULL);
    if (mount->state != SOURCE_ENTERED) {
        cleanup_fd(&mount->fd);
        mount->fd = -1;
    }
    return code;
}

/* Those that were entered before come first, so that of two mounts of the same
 * the one that the drive has stays the one that is read. */
static err_code decide_all(struct finding *finding, struct error *err)
{
    struct source *source = finding->source;
    err_code code = ERR_OK;

    for (int round = 0; round < 2; round++)
        for (size_t i = 0; !code && i < source->count; i++)
            if ((*source->items[i].recorded == '\0') == (round == 1))
                code = decide_one(finding, &source->items[i], err);
    return code;
}

static err_code describe_source(struct finding *finding, struct error *err)
{
    CLEANUP(platform_mount_release)
    struct platform_mount mount = PLATFORM_MOUNT_INIT;
    err_code code = platform_mount_of(finding->source->fd, &mount, err);

    if (!code)
        code = platform_stat_fd(finding->source->fd, &finding->stat, err);
    if (!code)
        finding->location = location_of(&mount, finding->search->job->source);
    return code;
}

err_code source_find_mounts(const struct source_search *search,
                            struct source *source, struct error *err)
{
    const struct config_job *job = search->job;
    struct finding finding = {.search = search, .source = source};
    err_code code = list_mounts(search, source, err);

    if (code || !source->count)
        return code;
    finding.filter = filter_new(
        (const char *const *)job->include, job->include_count,
        (const char *const *)job->exclude, job->exclude_count, job->keep_junk);
    code = describe_source(&finding, err);
    if (!code)
        code = decide_all(&finding, err);
    filter_free(finding.filter);
    free(finding.location);
    return code;
}

/* --- what the catalogue knows --- */

static err_code record(const struct source_mount *mount,
                       struct catalogue *catalogue, const struct owner *owner,
                       struct error *err)
{
    bool is_accepted = mount->is_accepted && mount->is_empty;

    if (mount->state == SOURCE_PLAIN && *mount->recorded)
        return catalogue_forget_mount(catalogue, owner->id, mount->path, err);
    if (mount->state != SOURCE_ENTERED ||
        (!strcmp(mount->recorded, mount->identity) &&
         is_accepted == mount->is_accepted))
        return ERR_OK;
    return catalogue_record_mount(catalogue, owner->id, mount->path,
                                  mount->identity, is_accepted, err);
}

err_code source_record_mounts(const struct source *source,
                              struct catalogue *catalogue,
                              const struct owner *owner, struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < source->count; i++)
        code = record(&source->items[i], catalogue, owner, err);
    return code;
}

struct forgetting {
    struct catalogue *catalogue;
    const struct owner *owner;
};

/* Numbers of another filesystem: they would make a rename of what only has
 * the same one by chance. */
static err_code forget_inode(void *context, const char *path,
                             const char *drive_path, const struct record *row,
                             struct error *err)
{
    const struct forgetting *forgetting = context;
    struct record forgotten = *row;

    forgotten.source.inode = 0;
    forgotten.source.btime_ns = 0;
    return catalogue_put(forgetting->catalogue, forgetting->owner, path,
                         &forgotten, err);
}

static err_code accept(const struct source_mount *mount,
                       struct catalogue *catalogue, const struct owner *owner,
                       struct error *err)
{
    struct forgetting forgetting = {catalogue, owner};
    err_code code = catalogue_walk_below(catalogue, owner, mount->path,
                                         forget_inode, &forgetting, err);

    if (code)
        return code;
    if (!*mount->identity)
        return catalogue_forget_mount(catalogue, owner->id, mount->path, err);
    return catalogue_record_mount(catalogue, owner->id, mount->path,
                                  mount->identity, mount->is_empty, err);
}

err_code source_accept_mounts(const struct source *source,
                              struct catalogue *catalogue,
                              const struct owner *owner,
                              void (*said)(void *context,
                                           const struct source_mount *mount),
                              void *context, struct error *err)
{
    struct db *db = catalogue_db(catalogue);
    err_code code = db_begin(db, err);

    if (code)
        return code;
    for (size_t i = 0; !code && i < source->count; i++) {
        const struct source_mount *mount = &source->items[i];
        bool is_unknown = mount->is_mounted && !*mount->identity;
        if (mount->state != SOURCE_AWAY || is_unknown)
            continue;
        code = accept(mount, catalogue, owner, err);
        if (!code)
            said(context, mount);
    }
    return db_end(db, code, err);
}

err_code source_check_attached(const struct source *source,
                               const struct config_job *job, struct error *err)
{
    const char *gone =
        platform_check_attached(source->fd, NULL) ? job->source : NULL;

    for (size_t i = 0; !gone && i < source->count; i++)
        if (source->items[i].fd >= 0 &&
            platform_check_attached(source->items[i].fd, NULL))
            gone = source->items[i].path;
    if (!gone)
        return ERR_OK;
    return error_set(err, ERR_REFUSED,
                     "job %s: the disk of %s was pulled while it was read, so "
                     "nothing is done for it: plug it in, mount it and run the "
                     "job again",
                     job->name, gone);
}
