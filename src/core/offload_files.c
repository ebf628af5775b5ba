#include "core/offload_files.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/fsops.h"
#include "core/marker.h"
#include "core/offload_journal.h"

#include <stdlib.h>
#include <string.h>

void offload_item_release(struct offload_item *item)
{
    free(item->path);
    free(item->raw);
    free(item->message);
    free(item->hidden);
    *item = (struct offload_item){.path = NULL};
}

struct removing {
    const struct offload_removal *removal;
    struct fsops ops; /* on the source */
    struct offload_item *items;
    size_t count;
};

static void stays(struct offload_item *item, enum offload_reason why,
                  const char *message)
{
    item->result = why;
    free(item->message);
    item->message = message ? xstrdup(message) : NULL;
}

/* --- private names --- */

static err_code name_hidden(struct removing *removing, struct error *err)
{
    char id[VOLUME_ID_HEX_LENGTH + 1];
    err_code code = marker_new_id(id, err);

    for (size_t i = 0; !code && i < removing->count; i++) {
        struct offload_item *item = &removing->items[i];
        CLEANUP_FREE char *parent =
            xstrndup(item->raw, path_parent_length(item->raw));
        CLEANUP_FREE char *name =
            xasprintf(OFFLOAD_HIDDEN_PREFIX "%.16s-%zu", id, i);
        item->hidden = path_join(parent, name);
    }
    return code;
}

static void put_back(struct removing *removing, struct offload_item *item)
{
    struct error err = ERROR_INIT;
    char *kept = NULL;
    err_code code =
        offload_put_back(&removing->ops, item->hidden, item->raw, &kept, &err);

    if (!code && !kept) {
        item->is_hidden = false;
        return;
    }
    CLEANUP_FREE char *words =
        code ? xasprintf("it is now called %s, and could not be named back: %s",
                         item->hidden, err.message)
             : xasprintf("its name was taken meanwhile: it is now called %s",
                         kept);
    stays(item, OFFLOAD_FAILED, words);
    item->is_hidden = code != ERR_OK;
    free(kept);
}

/* --- comparing --- */

/* Whoever has it open may still write to it, by whatever name. */
static enum offload_reason judge_users(int fd)
{
    bool is_open = true;

    if (platform_is_open_elsewhere(fd, &is_open, NULL))
        return OFFLOAD_OPEN; /* cannot be told */
    return is_open ? OFFLOAD_OPEN : OFFLOAD_READY;
}

static enum offload_reason judge_stat(const struct offload_item *item,
                                      const struct platform_stat *stat,
                                      bool is_renamed)
{
    struct signature now = signature_of(stat);

    if (is_renamed) /* a rename moves it, and nothing else */
        now.ctime_ns = item->source.ctime_ns;
    if (stat->type != PLATFORM_FILE ||
        signature_compare(&item->source, &now) != SIGNATURE_SAME)
        return OFFLOAD_CHANGED;
    return stat->links > 1 ? OFFLOAD_LINKED : OFFLOAD_READY;
}

static bool is_same_file(const struct platform_stat *one,
                         const struct platform_stat *other)
{
    return one->inode == other->inode && one->device == other->device &&
           one->ctime_ns == other->ctime_ns && one->links == other->links &&
           one->size_bytes == other->size_bytes &&
           one->mtime_ns == other->mtime_ns;
}

/* Under its private name: is it still what was copied, and nobody's? */
static err_code compare_hidden(struct removing *removing,
                               const struct offload_item *item, int fd,
                               enum offload_reason *out, struct error *err)
{
    struct platform_stat named, opened, after;
    err_code code = platform_stat_beneath(removing->removal->source_fd,
                                          item->hidden, &named, err);

    if (!code)
        code = platform_stat_fd(fd, &opened, err);
    if (code)
        return code;
    *out = is_same_file(&named, &opened) ? judge_stat(item, &opened, true)
                                         : OFFLOAD_CHANGED;
    if (*out == OFFLOAD_READY)
        *out = judge_users(fd);
    if (*out != OFFLOAD_READY)
        return ERR_OK;
    /* What was written before nobody had it open any more shows here. */
    code = platform_stat_fd(fd, &after, err);
    if (!code && !is_same_file(&opened, &after))
        *out = OFFLOAD_CHANGED;
    return code;
}

/* Looked at before, too: a rename and back leaves another change time. */
static err_code open_to_hide(struct removing *removing,
                             const struct offload_item *item, int *out_fd,
                             enum offload_reason *out, struct error *err)
{
    struct platform_stat stat;
    err_code code =
        platform_open_beneath(removing->removal->source_fd, item->raw,
                              PLATFORM_OPEN_READ, out_fd, err);

    if (!code)
        code = platform_stat_fd(*out_fd, &stat, err);
    if (code)
        return code;
    *out = judge_stat(item, &stat, false);
    if (*out == OFFLOAD_READY)
        *out = judge_users(*out_fd);
    return ERR_OK;
}

static void hide(struct removing *removing, struct offload_item *item)
{
    CLEANUP_FD int fd = -1;
    struct error err = ERROR_INIT;
    enum offload_reason reason = OFFLOAD_READY;
    err_code code = open_to_hide(removing, item, &fd, &reason, &err);

    if (!code && reason == OFFLOAD_READY) {
        code = fsops_rename(&removing->ops, item->raw, item->hidden, &err);
        item->is_hidden = !code;
        if (!code)
            code = compare_hidden(removing, item, fd, &reason, &err);
    }
    if (code == ERR_NOT_FOUND || code == ERR_CHANGED)
        stays(item, OFFLOAD_CHANGED, NULL);
    else if (code)
        stays(item, OFFLOAD_FAILED, err.message);
    else
        stays(item, reason, NULL);
    if (item->is_hidden && item->result != OFFLOAD_READY)
        put_back(removing, item);
}

/* --- the steps --- */

static err_code write_journal(struct removing *removing, struct error *err)
{
    const struct offload_removal *removal = removing->removal;
    CLEANUP(offload_journal_release)
    struct offload_journal journal = {.job = xstrdup(removal->job),
                                      .source = xstrdup(removal->source),
                                      .identity = xstrdup(removal->identity)};

    for (size_t i = 0; i < removing->count; i++)
        offload_journal_add(&journal, removing->items[i].path,
                            removing->items[i].raw, removing->items[i].hidden);
    return offload_journal_write(removal->state_directory, &journal, err);
}

static bool is_any_hidden(const struct removing *removing)
{
    for (size_t i = 0; i < removing->count; i++)
        if (removing->items[i].is_hidden)
            return true;
    return false;
}

static void put_all_back(struct removing *removing)
{
    for (size_t i = 0; i < removing->count; i++)
        if (removing->items[i].is_hidden)
            put_back(removing, &removing->items[i]);
}

static void unlink_all(struct removing *removing)
{
    for (size_t i = 0; i < removing->count; i++) {
        struct offload_item *item = &removing->items[i];
        struct error err = ERROR_INIT;
        if (!item->is_hidden)
            continue;
        if (item->result != OFFLOAD_READY) { /* could not be marked */
            put_back(removing, item);
            continue;
        }
        if (fsops_unlink(&removing->ops, item->hidden, &err)) {
            stays(item, OFFLOAD_FAILED, err.message);
            put_back(removing, item);
            continue;
        }
        item->is_hidden = false;
    }
}

/* The journal may only go once the names have really gone. */
static err_code flush_directories(struct removing *removing, struct error *err)
{
    CLEANUP_FREE char *last = NULL;
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < removing->count; i++) {
        const char *raw = removing->items[i].raw;
        char *parent = xstrndup(raw, path_parent_length(raw));
        bool is_done = last && !strcmp(last, parent);
        free(last);
        last = parent;
        if (!is_done)
            code = offload_flush_directory(removing->removal->source_fd, parent,
                                           err);
    }
    return code;
}

static err_code remove_all(struct removing *removing, struct error *err)
{
    const struct offload_removal *removal = removing->removal;
    err_code code = ERR_OK;

    for (size_t i = 0; i < removing->count; i++)
        hide(removing, &removing->items[i]);
    if (is_any_hidden(removing)) {
        code = removal->mark(removal->context, removing->items, removing->count,
                             err);
        if (code)
            put_all_back(removing);
        else
            unlink_all(removing);
    }
    err_code flushed = flush_directories(removing, code ? NULL : err);
    return code ? code : flushed;
}

err_code offload_files_remove(const struct offload_removal *removal,
                              struct offload_item *items, size_t count,
                              struct error *err)
{
    struct removing removing = {
        .removal = removal,
        .ops = fsops_on(removal->source_fd),
        .items = items,
        .count = count,
    };
    err_code code = name_hidden(&removing, err);

    if (!code)
        code = write_journal(&removing, err);
    if (!code)
        code = remove_all(&removing, err);
    if (!code && !is_any_hidden(&removing))
        code =
            offload_journal_remove(removal->state_directory, removal->job, err);
    fsops_release(&removing.ops);
    return code;
}
