/*
 * One moment of the machine: which block device lies on which disk, which
 * mount on which block device.
 */
#include "core/base/array.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/base/strbuf.h"
#include "platform/linux/linux_devices.h"
#include "platform/linux/linux_volume.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { SWAPS_LIMIT_BYTES = 1024 * 1024 };

err_code linux_snapshot_read(struct linux_probes *probes,
                             struct linux_snapshot *out, struct error *err)
{
    struct linux_snapshot snapshot = {.swaps = NULL};
    struct strbuf swaps = STRBUF_INIT;

    /* The mounts last: what is mounted has a block device then. */
    linux_blocks_read(probes, &snapshot.blocks);
    err_code code = linux_mount_table_read(&snapshot.mounts, err);
    /* No /proc/swaps: a kernel without swap. */
    if (file_read("/proc/swaps", SWAPS_LIMIT_BYTES, &swaps, NULL))
        strbuf_truncate(&swaps, 0);
    snapshot.swaps = strbuf_detach(&swaps);
    if (code)
        linux_snapshot_release(&snapshot);
    else
        *out = snapshot;
    return code;
}

void linux_snapshot_release(struct linux_snapshot *snapshot)
{
    linux_blocks_release(&snapshot->blocks);
    linux_mount_table_release(&snapshot->mounts);
    free(snapshot->swaps);
    snapshot->swaps = NULL;
}

/* --- swap --- */

/* "Filename  Type  Size  Used  Priority", names as in the mount table. */
char *linux_swap_next(const char **text)
{
    struct strbuf path = STRBUF_INIT;
    const char *at = *text;

    while (*at && *at != '/') { /* the head, or an empty line */
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    if (!*at) {
        *text = at;
        return NULL;
    }
    for (; *at && !strchr(" \t\n", *at); at++) {
        if (at[0] == '\\' && strspn(at + 1, "01234567") >= 3) {
            strbuf_addch(&path, (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 +
                                       (at[3] - '0')));
            at += 3;
        } else {
            strbuf_addch(&path, *at);
        }
    }
    at += strcspn(at, "\n");
    *text = at + (*at == '\n');
    return strbuf_detach(&path);
}

/* --- what lies on what --- */

static bool has_name(const struct linux_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->items[i], name))
            return true;
    return false;
}

/* Layers do not nest deeper; a circle would be a bug of the kernel's. */
enum { DEEPEST_LAYER = 16 };

static void add_disks(const struct linux_blocks *blocks,
                      const struct linux_block *block, int depth,
                      struct linux_names *out)
{
    const struct linux_block *disk =
        *block->disk ? linux_blocks_find(blocks, block->disk) : block;

    if (!disk || depth > DEEPEST_LAYER)
        return;
    for (size_t i = 0; i < disk->slaves.count; i++) {
        const struct linux_block *below =
            linux_blocks_find(blocks, disk->slaves.items[i]);
        if (below)
            add_disks(blocks, below, depth + 1, out);
    }
    if (!disk->slaves.count && !has_name(out, disk->name))
        ARRAY_PUSH(out, xstrdup(disk->name));
}

void linux_snapshot_disks_of(const struct linux_snapshot *snapshot,
                             const struct linux_block *block,
                             struct linux_names *out)
{
    *out = (struct linux_names){.items = NULL};
    add_disks(&snapshot->blocks, block, 0, out);
}

const struct linux_block *linux_snapshot_find_node(
    const struct linux_snapshot *snapshot, const char *node)
{
    const struct linux_blocks *blocks = &snapshot->blocks;
    struct stat found;

    for (size_t i = 0; i < blocks->count; i++)
        if (!strcmp(blocks->items[i].node, node))
            return &blocks->items[i];
    if (strncmp(node, "/dev/", 5) != 0 || stat(node, &found) ||
        !S_ISBLK(found.st_mode))
        return NULL;
    for (size_t i = 0; i < blocks->count; i++)
        if (blocks->items[i].number == found.st_rdev)
            return &blocks->items[i];
    return NULL;
}

/* The block device in the line itself; btrfs and FUSE tell theirs by name. */
static const struct linux_block *block_of_mount(
    const struct linux_snapshot *snapshot,
    const struct linux_mount_entry *entry)
{
    const struct linux_blocks *blocks = &snapshot->blocks;

    if (!entry->major)
        return *entry->source == '/'
                   ? linux_snapshot_find_node(snapshot, entry->source)
                   : NULL;
    dev_t number = makedev(entry->major, entry->minor);
    for (size_t i = 0; i < blocks->count; i++)
        if (blocks->items[i].number == number)
            return &blocks->items[i];
    return NULL;
}

/* Two devices of one btrfs: the same UUID, each with a number of its own. */
static bool is_same_btrfs(const struct linux_block *one,
                          const struct linux_block *other)
{
    return !strcmp(one->fs_type, "btrfs") && !strcmp(other->fs_type, "btrfs") &&
           *one->fs_uuid && !strcmp(one->fs_uuid, other->fs_uuid) &&
           strcmp(one->fs_member, other->fs_member) != 0;
}

bool linux_snapshot_is_mount_of(const struct linux_snapshot *snapshot,
                                const struct linux_mount_entry *entry,
                                const struct linux_block *block)
{
    const struct linux_block *mounted;

    if (entry->major)
        return block->number == makedev(entry->major, entry->minor);
    mounted = block_of_mount(snapshot, entry);
    return mounted && (mounted == block || (!strcmp(entry->type, "btrfs") &&
                                            is_same_btrfs(mounted, block)));
}

bool linux_snapshot_is_mount_at(const struct linux_snapshot *snapshot,
                                const struct linux_mount_entry *entry,
                                const char *node)
{
    const struct linux_block *block = linux_snapshot_find_node(snapshot, node);

    if (block)
        return linux_snapshot_is_mount_of(snapshot, entry, block);
    return !strcmp(entry->source, node);
}
