/*
 * What the kernel itself holds of a volume. (Also a server of NFS, which does
 * not tell; an unmount that is busy without a holder is one of those.)
 */
#include "core/base/array.h"
#include "core/base/path.h"
#include "platform/linux/linux_holders.h"

#include <stdlib.h>
#include <string.h>

static void add(struct platform_holders *out, enum platform_hold kind,
                const char *what, const char *path)
{
    struct platform_holder holder = {
        .user = xstrdup(""),
        .command = xstrdup(what),
        .path = xstrdup(path),
        .kind = kind,
    };

    ARRAY_PUSH(out, holder);
}

/* The volume's own mounts are unmounted with it. */
static void add_nested_mounts(const struct linux_view *view,
                              struct platform_holders *out)
{
    for (size_t i = 0; i < view->table.count; i++) {
        const struct linux_mount_entry *entry = &view->table.items[i];
        if (linux_view_has_mount(view, entry->parent_id) &&
            !linux_view_has_mount(view, entry->mount_id))
            add(out, PLATFORM_HOLD_MOUNT, entry->source, entry->mount_point);
    }
}

/*
 * The kernel shows the path as it is for whoever reads it, with " (deleted)"
 * where the file has no name any more (drivers/block/loop.c,
 * loop_attr_backing_file_show).
 */
static void add_loops(const struct linux_snapshot *snapshot,
                      const struct linux_view *view,
                      struct platform_holders *out)
{
    for (size_t i = 0; i < snapshot->blocks.count; i++) {
        const struct linux_block *block = &snapshot->blocks.items[i];
        if (*block->backing_file && linux_view_holds(view, block->backing_file))
            add(out, PLATFORM_HOLD_LOOP, block->node, block->backing_file);
    }
}

static void add_swaps(const struct linux_snapshot *snapshot,
                      const struct linux_view *view,
                      struct platform_holders *out)
{
    const char *lines = snapshot->swaps;
    char *path;

    while ((path = linux_swap_next(&lines))) {
        if (linux_view_holds(view, path))
            add(out, PLATFORM_HOLD_SWAP, "swap", path);
        free(path);
    }
}

void linux_holders_add_kernels(const struct linux_snapshot *snapshot,
                               const struct linux_view *view,
                               struct platform_holders *out)
{
    add_nested_mounts(view, out);
    add_loops(snapshot, view, out);
    add_swaps(snapshot, view, out);
}
