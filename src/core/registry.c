#include "core/registry.h"

#include "core/base/array.h"
#include "core/lock.h"
#include "core/lost_writes.h"
#include "core/volume.h"
#include "core/volume_past.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- one volume --- */

static struct drive_volume new_volume(void)
{
    return (struct drive_volume){
        .name = xstrdup(""),
        .id = xstrdup(""),
        .known_as = xstrdup(""),
        .label = xstrdup(""),
        .family = xstrdup(""),
        .device = xstrdup(""),
        .mount_point = xstrdup(""),
        .problem = xstrdup(""),
        .run = {.user = xstrdup(""), .command = xstrdup("")},
        .size_bytes = -1,
        .free_bytes = -1,
        .is_dirty = -1,
    };
}

static void set(char **field, const char *value)
{
    free(*field);
    *field = xstrdup(value);
}

/* --- what is remembered --- */

/* One listing: what is remembered of a configured volume is read once. */
struct listing {
    const struct registry *registry;
    const struct platform_devices *devices;
    struct volume_past *pasts; /* one per configured volume */
};

static struct volume_past *past_of(const struct listing *listing,
                                   const struct config_volume *config)
{
    const struct registry *registry = listing->registry;
    struct volume_past *past =
        &listing->pasts[config - registry->config->volumes];

    if (!past->is_read)
        volume_past_read(past, registry->state_directory, registry->host,
                         config->id);
    return past;
}

/* An open session without a run. It may have been closed since it was read,
 * and before its lock was looked at: so it is read again. */
static bool was_interrupted(const struct listing *listing,
                            const struct config_volume *config,
                            const struct drive_volume *volume)
{
    struct volume_past *past = past_of(listing, config);

    if (!past->has_open_session || volume->run.pid || volume->has_own_run)
        return false;
    volume_past_release(past);
    return past_of(listing, config)->has_open_session;
}

static void add_config(const struct listing *listing,
                       const struct config_volume *config,
                       struct drive_volume *volume, struct drive *drive)
{
    bool interrupted = was_interrupted(listing, config, volume);
    const struct volume_past *past = past_of(listing, config);

    set(&volume->name, config->name);
    set(&volume->id, config->id);
    volume->role = config->role;
    volume->is_folder = config->folder != NULL;
    volume->last_seen_ns = past->last_seen_ns;
    volume->last_sync_ns = past->last_sync_ns;
    volume->verified_ns = past->verified_ns;
    if (past->code)
        drive_note_unknown_past(drive, past->message);
    if (past->has_failed_flush)
        drive_note_failed_flush(drive);
    if (interrupted)
        drive_note_interrupted(drive);
}

/* Who holds the lock; a hint that nobody holds the lock of is none. */
static void look_for_run(int root_fd, const char *id,
                         struct drive_volume *volume)
{
    struct lock_holder holder;

    if (!lock_look(root_fd, id, &holder))
        return;
    volume->has_own_run = holder.pid == getpid();
    if (!volume->has_own_run) {
        set(&volume->run.user, holder.user);
        set(&volume->run.command, holder.command);
        volume->run.pid = holder.pid;
        volume->run.done_bytes = holder.done_bytes;
        volume->run.total_bytes = holder.total_bytes;
    }
    lock_holder_release(&holder);
}

/* Opens the mounted volume to see marker, space and lock. */
static void look_inside(const struct listing *listing,
                        struct drive_volume *volume, struct drive *drive)
{
    CLEANUP(volume_release) struct volume open = VOLUME_INIT;
    struct platform_space space;
    struct error err = ERROR_INIT;
    const struct config_volume *config;

    if (volume_open_path(volume->mount_point, volume->is_folder, &open, &err)) {
        set(&volume->problem, err.message);
        return;
    }
    if (!platform_space(open.root_fd, &space, NULL)) {
        volume->free_bytes = space.free_bytes;
        volume->size_bytes = space.total_bytes;
    }
    volume->has_journal = open.mount.has_journal;
    volume->is_read_only = open.mount.is_read_only;
    if (!*open.marker.id)
        return;
    set(&volume->id, open.marker.id);
    set(&volume->known_as, open.marker.name);
    look_for_run(open.root_fd, open.marker.id, volume);
    config = config_find_volume_id(listing->registry->config, open.marker.id);
    if (config)
        add_config(listing, config, volume, drive);
}

/* --- attached drives --- */

static char *title_of(const struct platform_drive *drive)
{
    struct strbuf title = STRBUF_INIT;

    strbuf_adds(&title, drive->vendor);
    if (title.length && *drive->model)
        strbuf_addch(&title, ' ');
    strbuf_adds(&title, drive->model);
    if (!title.length)
        strbuf_adds(&title, *drive->device ? drive->device : "drive");
    return strbuf_detach(&title);
}

static struct drive drive_of(const struct platform_drive *from)
{
    return (struct drive){
        .id = xstrdup(from->id),
        .device = xstrdup(from->device),
        .title = title_of(from),
        .serial = xstrdup(from->serial),
        .bus = from->bus,
        .size_bytes = from->size_bytes,
        .link_mbit = from->link_mbit,
        .is_attached = true,
        .is_external = from->is_external,
        .is_rotational = from->is_rotational,
        .is_practice = platform_is_practice(),
        .write_cache = from->write_cache,
        .no_eject = xstrdup(""),
        .unsafe = xstrdup(""),
        .unrepaired = xstrdup(""),
    };
}

static bool is_remembered_as(const struct listing *listing,
                             const struct config_volume *config,
                             const char *uuid)
{
    return !config->folder &&
           !strcmp(past_of(listing, config)->filesystem, uuid);
}

/* By the UUID of its filesystem: a hint. Of two that have the same, neither. */
static const struct config_volume *recognise(const struct listing *listing,
                                             const char *uuid)
{
    const struct platform_devices *devices = listing->devices;
    const struct config *config = listing->registry->config;
    size_t same = 0;

    for (size_t i = 0; i < devices->volumes.count; i++)
        same += !strcmp(devices->volumes.items[i].fs_uuid, uuid);
    for (size_t i = 0; *uuid && same == 1 && i < config->volume_count; i++)
        if (is_remembered_as(listing, &config->volumes[i], uuid))
            return &config->volumes[i];
    return NULL;
}

static void note_lost_marker(const struct config_volume *config,
                             struct drive_volume *volume)
{
    CLEANUP_FREE char *words = xasprintf(
        "it is volume %s by its filesystem, but its marker is missing or "
        "damaged: `berth volume add %s --name %s` writes it anew",
        config->name, volume->mount_point, config->name);

    set(&volume->problem, words);
}

static void add_volume(const struct listing *listing,
                       const struct platform_volume *from, struct drive *drive)
{
    struct drive_volume volume = new_volume();
    const struct config_volume *known;

    set(&volume.label, from->fs_label);
    set(&volume.family, from->family);
    set(&volume.device, from->device);
    volume.size_bytes = from->size_bytes;
    volume.is_read_only = from->is_read_only;
    volume.was_made_read_only = from->was_made_read_only;
    volume.is_locked = from->is_locked;
    volume.is_system = from->is_system;
    volume.is_mounted = from->mount_point_count > 0;
    if (*from->no_eject)
        set(&drive->no_eject, from->no_eject);
    if (from->is_system)
        set(&drive->no_eject, "the running system is on it");
    if (volume.is_mounted) {
        set(&volume.mount_point, from->mount_points[0]);
        look_inside(listing, &volume, drive);
    }
    known = *volume.id ? NULL : recognise(listing, from->fs_uuid);
    if (known && volume.is_mounted)
        note_lost_marker(known, &volume);
    else if (known) /* nobody can read its marker */
        add_config(listing, known, &volume, drive);
    ARRAY_PUSH(&drive->volumes, volume);
}

static void add_attached(const struct listing *listing, bool is_external,
                         struct drives *out)
{
    const struct registry *registry = listing->registry;
    const struct platform_devices *devices = listing->devices;

    for (size_t i = 0; i < devices->drives.count; i++) {
        const struct platform_drive *from = &devices->drives.items[i];
        if (from->is_external != is_external)
            continue;
        struct drive drive = drive_of(from);
        for (size_t v = 0; v < devices->volumes.count; v++)
            if (!strcmp(devices->volumes.items[v].drive, from->id))
                add_volume(listing, &devices->volumes.items[v], &drive);
        lost_writes_find(registry->state_directory, &drive);
        health_store_judge(registry->health, registry->platform, &drive);
        ARRAY_PUSH(out, drive);
    }
}

/* --- what has no device --- */

static struct drive paper_drive(const char *title)
{
    return (struct drive){
        .id = xstrdup(""),
        .device = xstrdup(""),
        .title = xstrdup(title),
        .serial = xstrdup(""),
        .is_practice = platform_is_practice(),
        .no_eject = xstrdup(""),
        .unsafe = xstrdup(""),
        .unrepaired = xstrdup(""),
    };
}

static void add_folder(const struct listing *listing,
                       const struct config_volume *config, struct drives *out)
{
    struct drive drive = paper_drive(config->name);
    struct drive_volume volume = new_volume();

    volume.is_folder = true;
    set(&volume.mount_point, config->folder);
    look_inside(listing, &volume, &drive);
    drive.is_attached = !strcmp(volume.id, config->id);
    volume.is_mounted = drive.is_attached;
    set(&drive.no_eject, "a plain directory");
    if (!drive.is_attached)
        add_config(listing, config, &volume, &drive);
    ARRAY_PUSH(&drive.volumes, volume);
    ARRAY_PUSH(out, drive);
}

static void add_away(const struct listing *listing,
                     const struct config_volume *config, struct drives *out)
{
    struct drive drive = paper_drive(config->name);
    struct drive_volume volume = new_volume();

    add_config(listing, config, &volume, &drive);
    ARRAY_PUSH(&drive.volumes, volume);
    ARRAY_PUSH(out, drive);
}

static bool is_listed(const struct drives *drives, const char *name)
{
    for (size_t d = 0; d < drives->count; d++)
        for (size_t v = 0; v < drives->items[d].volumes.count; v++)
            if (!strcmp(drives->items[d].volumes.items[v].name, name))
                return true;
    return false;
}

/* Filesystems that are mounted without the platform knowing their device, as
 * in a container without udev: known by their mount only. */
static void add_bare_mounts(const struct listing *listing,
                            const struct drives *internal, struct drives *out)
{
    CLEANUP(platform_mounts_release)
    struct platform_mounts mounts = {.items = NULL};

    if (platform_list_mounts(listing->registry->platform, &mounts, NULL))
        return;
    for (size_t i = 0; i < mounts.count; i++) {
        struct drive drive = paper_drive(mounts.items[i].source);
        struct drive_volume volume = new_volume();
        set(&volume.mount_point, mounts.items[i].mount_point);
        set(&volume.family, mounts.items[i].family);
        set(&volume.device, mounts.items[i].source);
        look_inside(listing, &volume, &drive);
        volume.is_mounted = drive.is_attached = true;
        ARRAY_PUSH(&drive.volumes, volume);
        if (*volume.name && !is_listed(internal, volume.name) &&
            !is_listed(out, volume.name))
            ARRAY_PUSH(out, drive);
        else
            drive_release(&drive);
    }
}

static void add_configured(const struct listing *listing, struct drives *out)
{
    const struct config *config = listing->registry->config;

    for (size_t i = 0; i < config->volume_count; i++)
        if (config->volumes[i].folder)
            add_folder(listing, &config->volumes[i], out);
    for (size_t i = 0; i < config->volume_count; i++)
        if (!config->volumes[i].folder &&
            !is_listed(out, config->volumes[i].name))
            add_away(listing, &config->volumes[i], out);
}

static void list_all(const struct listing *listing, struct drives *out)
{
    struct drives internal = {.items = NULL};

    add_attached(listing, true, out);
    add_attached(listing, false, &internal);
    add_bare_mounts(listing, &internal, out);
    for (size_t i = 0; i < internal.count; i++)
        ARRAY_PUSH(out, internal.items[i]);
    free(internal.items); /* the drives themselves have moved */
    add_configured(listing, out);
}

err_code registry_list(const struct registry *registry, struct drives *out,
                       struct error *err)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = {.drives = {.items = NULL}};
    const size_t count = registry->config->volume_count;
    CLEANUP_FREE struct volume_past *pasts = xcalloc(count, sizeof *pasts);
    const struct listing listing = {registry, &devices, pasts};
    err_code code = platform_list_devices(registry->platform, &devices, err);

    if (code)
        return code;
    *out = (struct drives){.items = NULL};
    list_all(&listing, out);
    for (size_t i = 0; i < count; i++)
        volume_past_release(&pasts[i]);
    return ERR_OK;
}

/* --- which one is meant --- */

static bool is_volume_named(const struct drive *drive, const char *name)
{
    for (size_t v = 0; v < drive->volumes.count; v++) {
        const struct drive_volume *volume = &drive->volumes.items[v];
        if ((*volume->name && !strcmp(volume->name, name)) ||
            (*volume->device && !strcmp(volume->device, name)))
            return true;
    }
    return *drive->device && !strcmp(drive->device, name);
}

/* By words that several may share. */
static bool is_called(const struct drive *drive, const char *name)
{
    for (size_t v = 0; v < drive->volumes.count; v++)
        if (*name && !strcmp(drive->volumes.items[v].label, name))
            return true;
    return *name && strstr(drive->title, name) != NULL;
}

static char *list_titles(const struct drives *drives)
{
    struct strbuf titles = STRBUF_INIT;

    for (size_t i = 0; i < drives->count; i++)
        if (drives->items[i].is_attached)
            strbuf_addf(&titles, "%s%s", titles.length ? ", " : "",
                        drives->items[i].title);
    return strbuf_detach(&titles);
}

err_code registry_find(const struct drives *drives, const char *name,
                       const struct drive **out, struct error *err)
{
    const struct drive *found = NULL;
    int matches = 0;

    for (size_t i = 0; i < drives->count; i++) {
        const struct drive *drive = &drives->items[i];
        if (is_volume_named(drive, name)) {
            *out = drive;
            return ERR_OK;
        }
        if (is_called(drive, name)) {
            found = drive;
            matches++;
        }
    }
    if (matches == 1) {
        *out = found;
        return ERR_OK;
    }
    CLEANUP_FREE char *titles = list_titles(drives);
    return error_set(err, matches ? ERR_INVALID : ERR_NOT_FOUND,
                     "%s is not %s: name a volume, a device or one of: %s",
                     name, matches ? "one drive but several" : "a drive",
                     titles);
}
