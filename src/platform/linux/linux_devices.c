#include "platform/linux/linux_devices.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "platform/linux/linux_drive.h"
#include "platform/linux/linux_platform.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- what is in a block device --- */

enum content {
    CONTENT_NONE,
    CONTENT_FILESYSTEM,
    CONTENT_LOCKED, /* or open: then it has holders */
    CONTENT_MEMBER, /* of LVM, RAID, ZFS: a part of something larger */
    CONTENT_SWAP,
};

/* Names as of blkid (libblkid/src/superblocks); all others are filesystems. */
static const struct {
    const char *type, *family;
    enum content content;
} special_types[] = {
    {"", "", CONTENT_NONE},
    {"crypto_LUKS", "luks", CONTENT_LOCKED},
    {"BitLocker", "bitlocker", CONTENT_LOCKED},
    {"FVE2", "filevault", CONTENT_LOCKED},
    {"LVM2_member", "lvm", CONTENT_MEMBER},
    {"LVM1_member", "lvm", CONTENT_MEMBER},
    {"linux_raid_member", "raid", CONTENT_MEMBER},
    {"zfs_member", "zfs", CONTENT_MEMBER},
    {"bcache", "bcache", CONTENT_MEMBER},
    {"swap", "swap", CONTENT_SWAP},
    {"swsuspend", "swap", CONTENT_SWAP},
};

static enum content content_of(const struct linux_block *block)
{
    for (size_t i = 0; i < COUNT_OF(special_types); i++)
        if (!strcmp(block->fs_type, special_types[i].type))
            return special_types[i].content;
    return strstr(block->fs_type, "_member") ? CONTENT_MEMBER
                                             : CONTENT_FILESYSTEM;
}

static const char *family_of(const struct linux_block *block,
                             const struct linux_mount_entry *mounted)
{
    for (size_t i = 0; i < COUNT_OF(special_types); i++)
        if (!strcmp(block->fs_type, special_types[i].type) &&
            *special_types[i].family)
            return special_types[i].family;
    return linux_family_of(mounted ? mounted->type : "", block->fs_type);
}

/* --- drives --- */

static bool starts_with(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

/* Made of other block devices, or of nothing: not what can be plugged. */
static bool is_layer(const struct linux_block *block)
{
    static const char *const names[] = {"dm-", "md", "bcache", "zd"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (starts_with(block->name, names[i]))
            return true;
    return block->slaves.count > 0;
}

static bool is_on_disk(const struct linux_block *block,
                       const struct linux_block *disk)
{
    return block == disk || !strcmp(block->disk, disk->name);
}

static bool is_mounted(const struct linux_snapshot *snapshot,
                       const struct linux_block *block)
{
    for (size_t i = 0; i < snapshot->mounts.count; i++)
        if (linux_snapshot_is_mount_of(snapshot, &snapshot->mounts.items[i],
                                       block))
            return true;
    return false;
}

/*
 * A file as a disk: shown when somebody could mean it. Images of packages
 * (snap, AppImage, live systems) are never meant; neither is what UDisks2
 * hides, or what holds nothing yet.
 */
static bool is_shown_loop(const struct linux_snapshot *snapshot,
                          const struct linux_block *disk)
{
    bool is_shown = false;

    for (size_t i = 0; i < snapshot->blocks.count; i++) {
        const struct linux_block *block = &snapshot->blocks.items[i];
        if (!is_on_disk(block, disk))
            continue;
        if (!strcmp(block->fs_type, "squashfs") ||
            !strcmp(block->fs_type, "erofs") ||
            strstr(disk->backing_file, "/snapd/"))
            return false;
        is_shown = is_shown || is_mounted(snapshot, block) ||
                   (!block->is_ignored && content_of(block) != CONTENT_NONE);
    }
    return is_shown;
}

/*
 * udev may not be done with a disk that was plugged in just now: its names
 * come with the next notice, and so does the drive, unless somebody has
 * mounted it already. A CD drive's size without a disc is made up
 * (drivers/scsi/sr.c, get_capabilities: 0x1fffff).
 */
static bool is_drive(const struct linux_snapshot *snapshot,
                     const struct linux_block *block)
{
    if (*block->disk || is_layer(block))
        return false;
    if (starts_with(block->name, "sr") && !block->has_disc)
        return false;
    if (starts_with(block->name, "loop"))
        return *block->backing_file && is_shown_loop(snapshot, block);
    return block->is_known || is_mounted(snapshot, block);
}

/* --- why it cannot be ejected --- */

/* "vg0-my--data" -> "vg0": a dash in a name is doubled (lvm2,
 * lib/device_mapper: dm_build_dm_name). */
static char *lvm_group_of(const char *dm_name)
{
    struct strbuf group = STRBUF_INIT;

    for (; *dm_name; dm_name++) {
        if (*dm_name == '-' && *++dm_name != '-')
            break;
        strbuf_addch(&group, *dm_name);
    }
    return strbuf_detach(&group);
}

/* Of this layer alone; "" when it does not hinder. */
static char *layer_reason(const struct linux_block *block)
{
    if (starts_with(block->dm_uuid, "LVM-")) {
        CLEANUP_FREE char *group = lvm_group_of(block->dm_name);
        return xasprintf("part of the LVM group %s", group);
    }
    if (starts_with(block->dm_uuid, "CRYPT-"))
        return xstrdup("");
    if (starts_with(block->name, "dm-"))
        return xasprintf("held by the device mapper as %s", block->dm_name);
    if (starts_with(block->name, "md"))
        return xasprintf("part of the RAID %s", block->name);
    if (is_layer(block))
        return xasprintf("part of %s", block->name);
    if (!strcmp(block->fs_type, "zfs_member"))
        return xstrdup("part of a ZFS pool");
    return xstrdup("");
}

/* Of the block device and of all below it. */
static char *reason_below(const struct linux_snapshot *snapshot,
                          const struct linux_block *block, int depth)
{
    char *reason = layer_reason(block);

    for (size_t i = 0; i < block->slaves.count && !*reason && depth < 16; i++) {
        const struct linux_block *below =
            linux_blocks_find(&snapshot->blocks, block->slaves.items[i]);
        if (!below)
            continue;
        free(reason);
        reason = reason_below(snapshot, below, depth + 1);
    }
    return reason;
}

static bool has_btrfs_sibling(const struct linux_snapshot *snapshot,
                              const struct linux_block *block)
{
    if (strcmp(block->fs_type, "btrfs") != 0 || !*block->fs_uuid)
        return false;
    for (size_t i = 0; i < snapshot->blocks.count; i++) {
        const struct linux_block *other = &snapshot->blocks.items[i];
        if (!strcmp(other->fs_type, "btrfs") &&
            !strcmp(other->fs_uuid, block->fs_uuid) &&
            strcmp(other->fs_member, block->fs_member) != 0)
            return true;
    }
    return false;
}

static char *no_eject_reason(const struct linux_snapshot *snapshot,
                             const struct linux_block *block)
{
    if (has_btrfs_sibling(snapshot, block))
        return xstrdup("part of a btrfs that spans several devices");
    return reason_below(snapshot, block, 0);
}

/* --- what the system runs from --- */

static bool is_system_place(const char *path)
{
    static const char *const places[] = {
        "/",    "/efi", "/home",    "/nix",     "/nix/store",
        "/usr", "/var", "/var/lib", "/var/log",
    };

    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (!strcmp(path, places[i]))
            return true;
    /* "/etc/hosts" is a mount of the host's disk in many containers. */
    return path_is_within(path, "/boot") || path_is_within(path, "/etc");
}

/* The mount that one meets on the way to a path. */
static const struct linux_mount_entry *mount_holding(
    const struct linux_mount_table *table, const char *path)
{
    const struct linux_mount_entry *found = NULL;

    for (size_t i = 0; i < table->count; i++) {
        const struct linux_mount_entry *entry = &table->items[i];
        if (path_is_within(path, entry->mount_point) &&
            linux_mount_is_visible(table, entry) &&
            (!found ||
             strlen(entry->mount_point) >= strlen(found->mount_point)))
            found = entry;
    }
    return found;
}

static bool holds_swap(const struct linux_snapshot *snapshot,
                       const struct linux_block *block)
{
    const char *lines = snapshot->swaps;
    char *path;
    bool holds = false;

    while (!holds && (path = linux_swap_next(&lines))) {
        const struct linux_mount_entry *entry =
            mount_holding(&snapshot->mounts, path);
        if (starts_with(path, "/dev/"))
            holds = linux_snapshot_find_node(snapshot, path) == block;
        else
            holds = entry && linux_snapshot_is_mount_of(snapshot, entry, block);
        free(path);
    }
    return holds;
}

/* --- volumes --- */

/*
 * Only mount points at which one really meets the volume. The whole of it
 * first: a bind mount or a subvolume is but a part.
 */
static void add_mount_points(const struct linux_snapshot *snapshot,
                             const struct linux_block *block, bool whole,
                             struct platform_volume *volume)
{
    size_t capacity = volume->mount_point_count;

    for (size_t i = 0; i < snapshot->mounts.count; i++) {
        const struct linux_mount_entry *entry = &snapshot->mounts.items[i];
        assert(entry);
        if (!linux_snapshot_is_mount_of(snapshot, entry, block))
            continue;
        if (is_system_place(entry->mount_point))
            volume->is_system = true;
        if (linux_mount_is_read_only(entry))
            volume->is_read_only = true;
        if (linux_mount_was_made_read_only(entry) && !block->is_read_only)
            volume->was_made_read_only = true;
        if (!strcmp(entry->subtree, "/") != whole ||
            !linux_mount_is_visible(&snapshot->mounts, entry))
            continue;
        ARRAY_RESERVE(volume->mount_points, volume->mount_point_count + 1,
                      capacity);
        volume->mount_points[volume->mount_point_count++] =
            xstrdup(entry->mount_point);
    }
}

static const struct linux_mount_entry *first_mount_of(
    const struct linux_snapshot *snapshot, const struct linux_block *block)
{
    for (size_t i = 0; i < snapshot->mounts.count; i++)
        if (linux_snapshot_is_mount_of(snapshot, &snapshot->mounts.items[i],
                                       block))
            return &snapshot->mounts.items[i];
    return NULL;
}

/* Whether a block device is a volume, and not a part or the shell of one. */
static bool is_volume(const struct linux_block *block, bool is_mounted_now,
                      bool is_swap)
{
    if (is_mounted_now || is_swap)
        return true;
    if (block->holders.count || !block->is_known)
        return false;
    switch (content_of(block)) {
    case CONTENT_FILESYSTEM:
        return !block->is_ignored;
    case CONTENT_LOCKED:
    case CONTENT_MEMBER:
        return true;
    case CONTENT_NONE:
    case CONTENT_SWAP:
        break;
    }
    return false;
}

static void add_volume(const struct linux_snapshot *snapshot,
                       const struct linux_block *block, const char *drive_id,
                       size_t disk_count, struct platform_devices *out)
{
    const struct linux_mount_entry *mounted = first_mount_of(snapshot, block);
    bool is_swap = holds_swap(snapshot, block);

    if (!is_volume(block, mounted != NULL, is_swap))
        return;
    struct platform_volume volume = {
        .device = xstrdup(block->node),
        .drive = xstrdup(drive_id),
        .family = xstrdup(family_of(block, mounted)),
        .fs_uuid = xstrdup(block->fs_uuid),
        .fs_label = xstrdup(block->fs_label),
        .size_bytes = block->size_bytes,
        .is_read_only = block->is_read_only,
        .is_locked = content_of(block) == CONTENT_LOCKED,
        .is_system = is_swap,
        .no_eject = no_eject_reason(snapshot, block),
    };
    if (disk_count > 1 && !*volume.no_eject) {
        free(volume.no_eject);
        volume.no_eject = xstrdup("part of a volume that spans several drives");
    }
    add_mount_points(snapshot, block, true, &volume);
    add_mount_points(snapshot, block, false, &volume);
    ARRAY_PUSH(&out->volumes, volume);
}

static void add_volumes_of(const struct linux_snapshot *snapshot,
                           const struct linux_block *disk, const char *drive_id,
                           struct platform_devices *out)
{
    for (size_t i = 0; i < snapshot->blocks.count; i++) {
        const struct linux_block *block = &snapshot->blocks.items[i];
        CLEANUP(linux_names_release) struct linux_names disks = {.items = NULL};
        linux_snapshot_disks_of(snapshot, block, &disks);
        for (size_t d = 0; d < disks.count; d++)
            if (!strcmp(disks.items[d], disk->name))
                add_volume(snapshot, block, drive_id, disks.count, out);
    }
}

/* The drive of a CD or card is listed while there is something in it. */
void linux_snapshot_devices(const struct linux_snapshot *snapshot,
                            struct platform_devices *out)
{
    *out = (struct platform_devices){.drives = {.items = NULL}};
    for (size_t i = 0; i < snapshot->blocks.count; i++) {
        const struct linux_block *block = &snapshot->blocks.items[i];
        struct platform_drive drive;
        if (!is_drive(snapshot, block))
            continue;
        linux_drive_describe(block, &drive);
        add_volumes_of(snapshot, block, drive.id, out);
        ARRAY_PUSH(&out->drives, drive);
    }
}

err_code platform_list_devices(struct platform *platform,
                               struct platform_devices *out, struct error *err)
{
    struct linux_snapshot snapshot = {.swaps = NULL};
    err_code code = linux_snapshot_read(
        linux_has_udev() ? NULL : platform->probes, &snapshot, err);

    if (code)
        return code;
    linux_snapshot_devices(&snapshot, out);
    linux_snapshot_release(&snapshot);
    return ERR_OK;
}
