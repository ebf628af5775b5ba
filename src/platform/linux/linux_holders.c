#include "platform/linux/linux_holders.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/base/strbuf.h"
#include "platform/posix_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Thousands of processes take a second; a machine that is slower than that
 * gets what was found until then. */
#define PATIENCE_NS (5 * NS_PER_SECOND)

struct search {
    const char *device;
    struct linux_snapshot snapshot;
    struct {
        struct linux_view *items; /* ours first */
        size_t count, capacity;
    } views;
    struct {
        int64_t *items;
        size_t count, capacity;
    } ancestors;
    int64_t give_up_ns;
    struct platform_holders found;
};

/* --- mount namespaces --- */

bool linux_view_may_hold(const struct linux_view *view, const char *path)
{
    for (size_t i = 0; i < view->mounts.count; i++)
        if (path_is_within(path, view->mounts.items[i]->mount_point))
            return true;
    return false;
}

bool linux_view_has_mount(const struct linux_view *view, uint64_t mount_id)
{
    for (size_t i = 0; i < view->mounts.count; i++)
        if (view->mounts.items[i]->mount_id == mount_id)
            return true;
    return false;
}

bool linux_view_holds(const struct linux_view *view, const char *path)
{
    const struct linux_mount_entry *nearest = NULL;

    if (*path != '/' || !linux_view_may_hold(view, path))
        return false;
    for (size_t i = 0; i < view->table.count; i++) {
        const struct linux_mount_entry *entry = &view->table.items[i];
        if (path_is_within(path, entry->mount_point) &&
            linux_mount_is_visible(&view->table, entry) &&
            (!nearest ||
             strlen(entry->mount_point) >= strlen(nearest->mount_point)))
            nearest = entry;
    }
    return nearest && linux_view_has_mount(view, nearest->mount_id);
}

static void view_release(struct linux_view *view)
{
    linux_mount_table_release(&view->table);
    free(view->mounts.items);
}

static const struct linux_view *add_view(struct search *search, ino_t space,
                                         const char *process)
{
    CLEANUP_FREE char *path = path_join(process, "mountinfo");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct linux_view view = {.space = space};

    if (!file_read(path, 64 * 1024 * 1024, &text, NULL))
        linux_mount_table_parse(text.text, text.length, &view.table);
    for (size_t i = 0; i < view.table.count; i++)
        if (linux_snapshot_is_mount_at(&search->snapshot, &view.table.items[i],
                                       search->device)) {
            const struct linux_mount_entry *entry = &view.table.items[i];
            ARRAY_PUSH(&view.mounts, entry);
        }
    ARRAY_PUSH(&search->views, view);
    return &search->views.items[search->views.count - 1];
}

/* The number of its mount namespace; 0 when it may not be asked. */
static ino_t space_of(const char *process)
{
    CLEANUP_FREE char *path = path_join(process, "ns/mnt");
    struct stat found;

    return stat(path, &found) ? 0 : found.st_ino;
}

static void add_holder(struct search *search,
                       const struct linux_process *process,
                       enum platform_hold kind, const char *path);

static uint64_t peers_of_parent(const struct linux_view *view,
                                const struct linux_mount_entry *entry,
                                bool is_master)
{
    const struct linux_mount_entry *parent =
        linux_mount_table_find(&view->table, entry->parent_id);

    if (!parent)
        return 0;
    return is_master ? parent->master : parent->peers;
}

/*
 * Whether an unmount of ours reaches a mount in another namespace: when the
 * mounts that the two are on are peers, or ours is the master of the other
 * (fs/pnode.c, propagate_umount). So it is for the services of systemd, and
 * not for the volumes of containers.
 */
static bool goes_with_ours(const struct linux_view *ours,
                           const struct linux_view *theirs,
                           const struct linux_mount_entry *entry)
{
    uint64_t peers = peers_of_parent(theirs, entry, false);
    uint64_t master = peers_of_parent(theirs, entry, true);

    for (size_t i = 0; i < ours->mounts.count; i++) {
        uint64_t group = peers_of_parent(ours, ours->mounts.items[i], false);
        if (group && (group == peers || group == master))
            return true;
    }
    return false;
}

static const struct linux_view *view_of(struct search *search,
                                        const struct linux_process *process)
{
    ino_t space = space_of(process->directory);

    for (size_t i = 0; i < search->views.count; i++)
        if (search->views.items[i].space == space || !space)
            return &search->views.items[i];
    const struct linux_view *view = add_view(search, space, process->directory);
    for (size_t i = 0; i < view->mounts.count; i++)
        if (!goes_with_ours(&search->views.items[0], view,
                            view->mounts.items[i]))
            add_holder(search, process, PLATFORM_HOLD_MOUNT,
                       view->mounts.items[i]->mount_point);
    return view;
}

/* --- who --- */

static char *user_of(const char *process)
{
    struct stat owner;

    if (stat(process, &owner))
        return xstrdup("");
    return posix_user_of(owner.st_uid);
}

/*
 * comm is cut off after 15 bytes (TASK_COMM_LEN); the program's name has the
 * rest of it. Not cmdline, which lies in the memory of the process.
 */
static char *command_of(const char *process)
{
    CLEANUP_FREE char *path = path_join(process, "comm");
    CLEANUP_FREE char *program = linux_sysfs_link_name(process, "exe");
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;

    if (file_read(path, 4096, &name, NULL))
        return TAKE_PTR(program);
    if (name.length && name.text[name.length - 1] == '\n')
        strbuf_truncate(&name, name.length - 1);
    if (name.length == 15 && !strncmp(program, name.text, name.length))
        return TAKE_PTR(program);
    return strbuf_detach(&name);
}

static bool is_ancestor(const struct search *search, int64_t pid)
{
    for (size_t i = 0; i < search->ancestors.count; i++)
        if (search->ancestors.items[i] == pid)
            return true;
    return false;
}

static void find_ancestors(struct search *search)
{
    int64_t pid = getppid();
    struct linux_process process;

    while (pid > 1 && linux_process_read(pid, &process)) {
        ARRAY_PUSH(&search->ancestors, pid);
        pid = process.parent;
        linux_process_release(&process);
    }
}

static void add_holder(struct search *search,
                       const struct linux_process *process,
                       enum platform_hold kind, const char *path)
{
    struct platform_holder holder = {
        .pid = process->pid,
        .user = user_of(process->directory),
        .command = command_of(process->directory),
        .path = xstrdup(path),
        .kind = kind,
        .is_ancestor = is_ancestor(search, process->pid),
        .is_same_user = !kill((pid_t)process->pid, 0),
    };

    ARRAY_PUSH(&search->found, holder);
}

/* --- all processes --- */

static void look_at_process(struct search *search, int64_t pid)
{
    struct linux_process process;
    struct linux_holds holds = {.items = NULL};

    if (!linux_process_read(pid, &process))
        return;
    const struct linux_view *view = view_of(search, &process);
    if (view->mounts.count &&
        !linux_process_look(&process, view, search->give_up_ns, &holds))
        search->found.is_complete = false;
    for (size_t i = 0; i < holds.count; i++)
        add_holder(search, &process, holds.items[i].kind, holds.items[i].path);
    linux_holds_release(&holds);
    linux_process_release(&process);
}

static err_code look_at_processes(struct search *search, struct error *err)
{
    DIR *stream = opendir("/proc");
    const struct dirent *entry;

    if (!stream)
        return error_set_errno(err, errno, "cannot list processes");
    while ((entry = readdir(stream))) {
        char *end;
        long long pid = strtoll(entry->d_name, &end, 10);
        if (*end || pid <= 0)
            continue;
        if (clock_monotonic_ns() > search->give_up_ns) {
            search->found.is_complete = false;
            break;
        }
        look_at_process(search, pid);
    }
    closedir(stream);
    return ERR_OK;
}

/* With hidepid (proc(5)) the processes of others are not even listed. */
static bool hides_processes(const struct linux_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->mounts.count; i++) {
        const struct linux_mount_entry *entry = &snapshot->mounts.items[i];
        const char *option = strstr(entry->super_options, "hidepid=");
        if (!strcmp(entry->mount_point, "/proc") && option &&
            strncmp(option, "hidepid=off", 11) != 0 &&
            strncmp(option, "hidepid=0", 9) != 0)
            return geteuid() != 0;
    }
    return false;
}

static void search_release(struct search *search)
{
    linux_snapshot_release(&search->snapshot);
    for (size_t i = 0; i < search->views.count; i++)
        view_release(&search->views.items[i]);
    free(search->views.items);
    free(search->ancestors.items);
    platform_holders_release(&search->found);
}

err_code platform_list_holders(struct platform *platform, const char *device,
                               struct platform_holders *out, struct error *err)
{
    CLEANUP(search_release)
    struct search search = {
        .device = device,
        .give_up_ns = clock_monotonic_ns() + PATIENCE_NS,
        .found = {.is_complete = true},
    };
    err_code code = linux_snapshot_read(NULL, &search.snapshot, err);

    if (code)
        return code;
    search.found.is_complete = !hides_processes(&search.snapshot);
    find_ancestors(&search);
    const struct linux_view *own =
        add_view(&search, space_of("/proc/self"), "/proc/self");
    linux_holders_add_kernels(&search.snapshot, own, &search.found);
    code = look_at_processes(&search, err);
    if (code)
        return code;
    *out = search.found;
    search.found = (struct platform_holders){.items = NULL};
    return ERR_OK;
}
