#include "core/scan.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/base/strbuf.h"

#include <stdlib.h>
#include <string.h>

struct scanning {
    const char *path; /* of the directory, below the root */
    const struct name_rules *rules;
    bool is_drive;
    struct arena *arena;
    struct scan *scan;
    struct strbuf decoded, key;
};

void scan_release(struct scan *scan)
{
    free(scan->items);
    *scan = (struct scan){.items = NULL};
}

/* The key of a name; the name itself in the usual case. */
static const char *key_of(struct scanning *scanning, const char *raw)
{
    const char *name = raw;

    if (scanning->is_drive) {
        strbuf_reset(&scanning->decoded);
        name_decode(raw, scanning->rules, &scanning->decoded);
        name = scanning->decoded.text;
    }
    if (!name_is_ascii(name)) {
        strbuf_reset(&scanning->key);
        name_key(name, &scanning->key);
        name = scanning->key.text;
    }
    return strcmp(name, raw) ? arena_strdup(scanning->arena, name) : raw;
}

static bool is_wal(const char *name)
{
    size_t length = strlen(name);

    return length > 4 && !strcmp(name + length - 4, "-wal");
}

static err_code add_entry(void *context, const struct platform_entry *entry,
                          struct error *err)
{
    struct scanning *scanning = context;
    struct scan_entry added = {.stat_error = entry->stat_error};

    if (entry->stat_error == ERR_NOT_FOUND)
        return ERR_OK;
    if (error_is_device_failure(entry->stat_error)) {
        CLEANUP_FREE char *path = path_join(scanning->path, entry->name);
        return error_set(err, entry->stat_error, "cannot examine %s: %s", path,
                         entry->stat_error == ERR_DEVICE_GONE
                             ? "the drive is gone"
                             : "input/output error");
    }
    added.raw = arena_strdup(scanning->arena, entry->name);
    added.key = key_of(scanning, added.raw);
    if (entry->stat)
        added.stat = *entry->stat;
    scanning->scan->has_wal |= is_wal(added.raw);
    ARRAY_PUSH(scanning->scan, added);
    return ERR_OK;
}

static int compare_keys(const void *one, const void *other)
{
    const struct scan_entry *left = one, *right = other;
    int order = strcmp(left->key, right->key);

    return order ? order : strcmp(left->raw, right->raw);
}

static void mark_equal_keys(struct scan *scan)
{
    for (size_t i = 1; i < scan->count; i++) {
        struct scan_entry *one = &scan->items[i - 1], *two = &scan->items[i];
        if (!strcmp(one->key, two->key))
            one->has_twin = two->has_twin = true;
    }
}

struct folded {
    const char *fold;
    struct scan_entry *entry;
};

static int compare_folds(const void *one, const void *other)
{
    return strcmp(((const struct folded *)one)->fold,
                  ((const struct folded *)other)->fold);
}

/* Names that are one name on a volume that does not tell cases apart. */
static void mark_equal_folds(struct scan *scan, struct arena *arena)
{
    CLEANUP(strbuf_release) struct strbuf fold = STRBUF_INIT;
    CLEANUP_FREE struct folded *folded = xmalloc(scan->count * sizeof *folded);

    for (size_t i = 0; i < scan->count; i++) {
        strbuf_reset(&fold);
        name_fold(scan->items[i].key, &fold);
        folded[i] =
            (struct folded){arena_strdup(arena, fold.text), &scan->items[i]};
    }
    qsort(folded, scan->count, sizeof *folded, compare_folds);
    for (size_t i = 1; i < scan->count; i++)
        if (!strcmp(folded[i - 1].fold, folded[i].fold))
            folded[i - 1].entry->has_twin = folded[i].entry->has_twin = true;
}

static err_code list(int root_fd, const char *path, struct scanning *scanning,
                     struct error *err)
{
    CLEANUP_FD int fd = -1;
    err_code code =
        platform_open_beneath(root_fd, path, PLATFORM_OPEN_DIRECTORY, &fd, err);

    if (!code)
        code = platform_list_directory(fd, add_entry, scanning, err);
    return code;
}

err_code scan_check_depth(const char *path, struct error *err)
{
    size_t depth = 0;

    for (const char *at = path; (at = strchr(at, '/')); at++)
        depth++;
    return depth < SCAN_DEPTH_LIMIT
               ? ERR_OK
               : error_set(err, ERR_INVALID,
                           "it lies more than %d directories deep",
                           SCAN_DEPTH_LIMIT);
}

err_code scan_directory(int root_fd, const char *path,
                        const struct name_rules *rules, bool is_drive,
                        struct arena *arena, struct scan *out,
                        struct error *err)
{
    struct scanning scanning = {path, rules,       is_drive,   arena,
                                out,  STRBUF_INIT, STRBUF_INIT};

    out->count = 0;
    out->has_wal = false;
    err_code code = scan_check_depth(path, err);
    if (!code)
        code = list(root_fd, path, &scanning, err);
    strbuf_release(&scanning.decoded);
    strbuf_release(&scanning.key);
    if (code)
        return code;
    if (out->count > 1)
        qsort(out->items, out->count, sizeof *out->items, compare_keys);
    mark_equal_keys(out);
    if (!is_drive && rules->is_case_insensitive && out->count > 1)
        mark_equal_folds(out, arena);
    return ERR_OK;
}

static int compare_key(const void *key, const void *entry)
{
    return strcmp(key, ((const struct scan_entry *)entry)->key);
}

const struct scan_entry *scan_find(const struct scan *scan, const char *key)
{
    if (!scan->count)
        return NULL;
    return bsearch(key, scan->items, scan->count, sizeof *scan->items,
                   compare_key);
}
