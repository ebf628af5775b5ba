#include "core/copies.h"

#include "core/base/array.h"
#include "core/base/path.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    const struct copies_side *sides;
    size_t count;
    const char *under;
    copies_visit *visit;
    void *context;
    struct strbuf path, raw;
    struct strbuf *drive; /* by side */
};

/* One directory on all sides. */
struct level {
    struct arena arena;
    struct records *rows; /* by side */
    size_t *at;           /* by side: the next row */
    /* What has one key: */
    const struct record **current; /* by side; NULL: none */
    const char **drive;            /* by side */
    int64_t *children;             /* by side: directory ids; 0: none */
};

static struct level level_new(size_t count)
{
    return (struct level){
        .rows = xcalloc(count, sizeof(struct records)),
        .at = xcalloc(count, sizeof(size_t)),
        .current = xcalloc(count, sizeof(struct record *)),
        .drive = xcalloc(count, sizeof(char *)),
        .children = xcalloc(count, sizeof(int64_t)),
    };
}

static void level_release(struct level *level, size_t count)
{
    for (size_t i = 0; i < count; i++)
        records_release(&level->rows[i]);
    free(level->rows);
    free(level->at);
    free(level->current);
    free(level->drive);
    free(level->children);
    arena_release(&level->arena);
}

/* The rows of the least key that is left; NULL at the end. */
static const char *take_next(const struct walk *walk, struct level *level)
{
    const char *key = NULL;

    for (size_t i = 0; i < walk->count; i++) {
        if (level->at[i] >= level->rows[i].count)
            continue;
        const char *next = level->rows[i].items[level->at[i]].key;
        if (!key || strcmp(next, key) < 0)
            key = next;
    }
    for (size_t i = 0; i < walk->count; i++) {
        level->current[i] = NULL;
        level->children[i] = 0;
        if (level->at[i] >= level->rows[i].count)
            continue;
        const struct record *row = &level->rows[i].items[level->at[i]];
        assert(key && row->key); /* this row's, or one before it */
        if (strcmp(row->key, key) != 0)
            continue;
        level->at[i]++;
        level->current[i] = row;
    }
    return key;
}

static const char *raw_name(const struct walk *walk, const struct level *level)
{
    const char *raw = NULL;

    for (size_t i = 0; !raw && i < walk->count; i++)
        if (level->current[i])
            raw = record_raw(level->current[i]);
    return raw;
}

/* Directories are gone into, not visited: what is left is files. */
static bool take_directories(const struct walk *walk, struct level *level)
{
    bool has_files = false;

    for (size_t i = 0; i < walk->count; i++) {
        const struct record *row = level->current[i];
        if (row && row->type == ENTRY_DIRECTORY) {
            level->children[i] = row->child;
            level->current[i] = NULL;
        }
        has_files |= level->current[i] != NULL;
    }
    return has_files;
}

static err_code walk_directory(struct walk *walk, const int64_t *directories,
                               struct error *err);

static err_code visit_files(struct walk *walk, struct level *level,
                            struct error *err)
{
    for (size_t i = 0; i < walk->count; i++)
        level->drive[i] = walk->drive[i].text;
    const struct copies_entry entry = {
        .path = walk->path.text,
        .raw = walk->raw.text,
        .rows = level->current,
        .drive = level->drive,
    };
    return walk->visit(walk->context, &entry, err);
}

static bool has_children(const struct walk *walk, const struct level *level)
{
    for (size_t i = 0; i < walk->count; i++)
        if (level->children[i])
            return true;
    return false;
}

static err_code walk_entry(struct walk *walk, struct level *level,
                           const char *key, struct error *err)
{
    size_t length = walk->path.length, raw_length = walk->raw.length;
    CLEANUP_FREE size_t *drive_length =
        xcalloc(walk->count, sizeof *drive_length);
    err_code code = ERR_OK;

    path_append(&walk->path, key);
    path_append(&walk->raw, raw_name(walk, level));
    for (size_t i = 0; i < walk->count; i++) {
        drive_length[i] = walk->drive[i].length;
        if (level->current[i])
            path_append(&walk->drive[i], record_drive(level->current[i]));
    }
    bool is_wanted = path_is_within(walk->path.text, walk->under);
    bool leads_there = path_is_within(walk->under, walk->path.text);
    if (take_directories(walk, level) && is_wanted)
        code = visit_files(walk, level, err);
    if (!code && has_children(walk, level) && (is_wanted || leads_there))
        code = walk_directory(walk, level->children, err);
    strbuf_truncate(&walk->path, length);
    strbuf_truncate(&walk->raw, raw_length);
    for (size_t i = 0; i < walk->count; i++)
        strbuf_truncate(&walk->drive[i], drive_length[i]);
    return code;
}

static err_code walk_directory(struct walk *walk, const int64_t *directories,
                               struct error *err)
{
    struct level level = level_new(walk->count);
    const char *key;
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < walk->count; i++)
        if (directories[i])
            code = catalogue_list(walk->sides[i].catalogue, directories[i],
                                  &level.arena, &level.rows[i], err);
    while (!code && (key = take_next(walk, &level)))
        code = walk_entry(walk, &level, key, err);
    level_release(&level, walk->count);
    return code;
}

err_code copies_walk(const struct copies_side *sides, size_t count,
                     const char *under, copies_visit *visit, void *context,
                     struct error *err)
{
    struct walk walk = {sides,       count,
                        under,       visit,
                        context,     STRBUF_INIT,
                        STRBUF_INIT, xcalloc(count, sizeof(struct strbuf))};
    CLEANUP_FREE int64_t *roots = xcalloc(count, sizeof *roots);

    for (size_t i = 0; i < count; i++) {
        walk.drive[i] = (struct strbuf)STRBUF_INIT;
        if (sides[i].catalogue)
            roots[i] = sides[i].owner->root;
    }
    err_code code = walk_directory(&walk, roots, err);
    for (size_t i = 0; i < count; i++)
        strbuf_release(&walk.drive[i]);
    free(walk.drive);
    strbuf_release(&walk.path);
    strbuf_release(&walk.raw);
    return code;
}
