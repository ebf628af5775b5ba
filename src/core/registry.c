#include "core/registry.h"

#include "core/base/array.h"
#include "core/catalogue.h"
#include "core/host.h"
#include "core/journal.h"
#include "core/lock.h"
#include "core/volume.h"

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

/* What our catalogue remembers: when it was seen, how old its copies are. */
static void add_memory(const struct registry *registry, const char *id,
                       struct drive_volume *volume, bool *out_is_poisoned,
                       bool *out_is_open)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    CLEANUP(journal_session_release)
    struct journal_session session = {.id = 0};

    if (host_catalogue_path(registry->state_directory, id, &path, NULL) ||
        catalogue_open_reader(path, &catalogue, NULL) ||
        catalogue_list_owners(catalogue, &owners, NULL) ||
        journal_last_session(catalogue, &session, NULL))
        return; /* never synced from here: nothing is remembered */
    volume->last_seen_ns = session.opened_ns;
    *out_is_open = session.state == SESSION_OPEN;
    for (size_t i = 0; i < owners.count; i++) {
        const struct owner *owner = &owners.items[i];
        CLEANUP(paths_release) struct paths poisoned = {.items = NULL};
        if (strcmp(owner->host, registry->host) != 0)
            continue;
        if (!i || owner->last_sync_ns < volume->last_sync_ns)
            volume->last_sync_ns = owner->last_sync_ns;
        if (!journal_list_poisoned(catalogue, owner->id, &poisoned, NULL) &&
            poisoned.count)
            *out_is_poisoned = true;
    }
    bool has_failed = false;
    *out_is_poisoned |=
        !journal_has_failed_flush(catalogue, &has_failed, NULL) && has_failed;
}

static void add_config(const struct registry *registry,
                       const struct config_volume *config,
                       struct drive_volume *volume, struct drive *drive)
{
    bool is_poisoned = false, is_open = false;

    set(&volume->name, config->name);
    set(&volume->id, config->id);
    volume->role = config->role;
    volume->is_folder = config->folder != NULL;
    add_memory(registry, config->id, volume, &is_poisoned, &is_open);
    if (is_poisoned)
        set(&drive->unsafe, "a flush failed: `berth sync` flushes again, and "
                            "copies anew what was written then");
    else if (is_open && !volume->run.pid)
        set(&drive->unsafe,
            "a run was interrupted: the next sync repairs what it left");
}

/* Who holds the lock; a hint that nobody holds the lock of is none. */
static void look_for_run(int root_fd, const char *id,
                         struct drive_volume *volume)
{
    struct lock_holder holder;

    if (!lock_look(root_fd, id, &holder))
        return;
    if (holder.pid != getpid()) {
        set(&volume->run.user, holder.user);
        set(&volume->run.command, holder.command);
        volume->run.pid = holder.pid;
        volume->run.done_bytes = holder.done_bytes;
        volume->run.total_bytes = holder.total_bytes;
    }
    lock_holder_release(&holder);
}

/* Opens the mounted volume to see marker, space and lock. */
static void look_inside(const struct registry *registry,
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
    config = config_find_volume_id(registry->config, open.marker.id);
    if (config)
        add_config(registry, config, volume, drive);
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
    };
}

static void add_volume(const struct registry *registry,
                       const struct platform_volume *from, struct drive *drive)
{
    struct drive_volume volume = new_volume();

    set(&volume.label, from->fs_label);
    set(&volume.family, from->family);
    set(&volume.device, from->device);
    volume.size_bytes = from->size_bytes;
    volume.is_read_only = from->is_read_only;
    volume.is_locked = from->is_locked;
    volume.is_system = from->is_system;
    volume.is_mounted = from->mount_point_count > 0;
    if (*from->no_eject)
        set(&drive->no_eject, from->no_eject);
    if (from->is_system)
        set(&drive->no_eject, "the running system is on it");
    if (volume.is_mounted) {
        set(&volume.mount_point, from->mount_points[0]);
        look_inside(registry, &volume, drive);
    }
    ARRAY_PUSH(&drive->volumes, volume);
}

static void add_attached(const struct registry *registry,
                         const struct platform_devices *devices,
                         bool is_external, struct drives *out)
{
    for (size_t i = 0; i < devices->drives.count; i++) {
        const struct platform_drive *from = &devices->drives.items[i];
        if (from->is_external != is_external)
            continue;
        struct drive drive = drive_of(from);
        for (size_t v = 0; v < devices->volumes.count; v++)
            if (!strcmp(devices->volumes.items[v].drive, from->id))
                add_volume(registry, &devices->volumes.items[v], &drive);
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
    };
}

static void add_folder(const struct registry *registry,
                       const struct config_volume *config, struct drives *out)
{
    struct drive drive = paper_drive(config->name);
    struct drive_volume volume = new_volume();

    volume.is_folder = true;
    set(&volume.mount_point, config->folder);
    look_inside(registry, &volume, &drive);
    drive.is_attached = !strcmp(volume.id, config->id);
    volume.is_mounted = drive.is_attached;
    set(&drive.no_eject, "a plain directory");
    if (!drive.is_attached)
        add_config(registry, config, &volume, &drive);
    ARRAY_PUSH(&drive.volumes, volume);
    ARRAY_PUSH(out, drive);
}

static void add_away(const struct registry *registry,
                     const struct config_volume *config, struct drives *out)
{
    struct drive drive = paper_drive(config->name);
    struct drive_volume volume = new_volume();

    add_config(registry, config, &volume, &drive);
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
static void add_bare_mounts(const struct registry *registry, struct drives *out)
{
    CLEANUP(platform_mounts_release)
    struct platform_mounts mounts = {.items = NULL};

    if (platform_list_mounts(registry->platform, &mounts, NULL))
        return;
    for (size_t i = 0; i < mounts.count; i++) {
        struct drive drive = paper_drive(mounts.items[i].source);
        struct drive_volume volume = new_volume();
        set(&volume.mount_point, mounts.items[i].mount_point);
        set(&volume.family, mounts.items[i].family);
        set(&volume.device, mounts.items[i].source);
        look_inside(registry, &volume, &drive);
        volume.is_mounted = drive.is_attached = true;
        ARRAY_PUSH(&drive.volumes, volume);
        if (*volume.name && !is_listed(out, volume.name))
            ARRAY_PUSH(out, drive);
        else
            drive_release(&drive);
    }
}

static void add_configured(const struct registry *registry, struct drives *out)
{
    const struct config *config = registry->config;

    for (size_t i = 0; i < config->volume_count; i++)
        if (config->volumes[i].folder)
            add_folder(registry, &config->volumes[i], out);
    for (size_t i = 0; i < config->volume_count; i++)
        if (!config->volumes[i].folder &&
            !is_listed(out, config->volumes[i].name))
            add_away(registry, &config->volumes[i], out);
}

err_code registry_list(const struct registry *registry, struct drives *out,
                       struct error *err)
{
    CLEANUP(platform_devices_release)
    struct platform_devices devices = {.drives = {.items = NULL}};
    struct drives drives = {.items = NULL};
    err_code code = platform_list_devices(registry->platform, &devices, err);

    if (code)
        return code;
    add_attached(registry, &devices, true, &drives);
    add_bare_mounts(registry, &drives);
    add_attached(registry, &devices, false, &drives);
    add_configured(registry, &drives);
    *out = drives;
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
    return strstr(drive->title, name) != NULL;
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
    return error_set(
        err, ERR_INVALID, "%s is not %s: name a volume, a device or one of: %s",
        name, matches ? "one drive but several" : "a drive", titles);
}
