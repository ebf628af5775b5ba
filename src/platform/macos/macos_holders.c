/*
 * Who uses a volume, from libproc. It shows an ordinary user nothing of the
 * processes of others: Spotlight's and the system's are among them.
 */
#include "core/base/array.h"
#include "core/base/path.h"
#include "platform/macos/macos_disk.h"
#include "platform/macos/macos_mount.h"
#include "platform/platform.h"
#include "platform/posix_host.h"

#include <errno.h>
#include <libproc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/proc_info.h>
#include <unistd.h>

enum {
    HOLDS_PER_PROCESS = 4, /* more would only bury the other processes */
    DEEPEST_PARENT = 64,
};

struct search {
    const char *mount_point;
    struct {
        int64_t *items;
        size_t count, capacity;
    } ancestors;
    struct platform_holders found;
};

/* --- one process --- */

static bool read_process(int pid, struct proc_bsdinfo *out)
{
    return proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, out, sizeof *out) ==
           (int)sizeof *out;
}

static char *command_of(int pid, const struct proc_bsdinfo *process)
{
    char name[2 * MAXCOMLEN + 1] = "";

    if (proc_name(pid, name, sizeof name) > 0 && *name)
        return xstrdup(name);
    return xstrndup(process->pbi_comm,
                    strnlen(process->pbi_comm, sizeof process->pbi_comm));
}

static void find_ancestors(struct search *search)
{
    int64_t pid = getppid();
    struct proc_bsdinfo process;

    for (int depth = 0; pid > 1 && depth < DEEPEST_PARENT; depth++) {
        ARRAY_PUSH(&search->ancestors, pid);
        if (!read_process((int)pid, &process))
            return;
        pid = process.pbi_ppid;
    }
}

static bool is_ancestor(const struct search *search, int64_t pid)
{
    for (size_t i = 0; i < search->ancestors.count; i++)
        if (search->ancestors.items[i] == pid)
            return true;
    return false;
}

static void add_holder(struct search *search, int pid, enum platform_hold kind,
                       const char *path)
{
    struct proc_bsdinfo process = {.pbi_uid = (uid_t)-1};
    bool is_readable = read_process(pid, &process);
    struct platform_holder holder = {
        .pid = pid,
        .user = is_readable ? posix_user_of(process.pbi_uid) : xstrdup(""),
        .command = command_of(pid, &process),
        .path = xstrdup(path),
        .kind = kind,
        .is_ancestor = is_ancestor(search, pid),
        .is_same_user = !kill((pid_t)pid, 0),
    };

    ARRAY_PUSH(&search->found, holder);
}

/* Adds it if the path is on the volume; says whether it is. */
static bool take(struct search *search, int pid, enum platform_hold kind,
                 const char *path)
{
    if (!path_is_within(path, search->mount_point))
        return false;
    add_holder(search, pid, kind, path);
    return true;
}

static int take_open_files(struct search *search, int pid)
{
    int bytes = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, NULL, 0);

    if (bytes <= 0)
        return 0;
    CLEANUP_FREE struct proc_fdinfo *files = xcalloc(1, (size_t)bytes);
    bytes = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, files, bytes);
    int count = bytes / (int)sizeof *files, taken = 0;
    for (int i = 0; i < count && taken < HOLDS_PER_PROCESS; i++) {
        struct vnode_fdinfowithpath file;
        if (files[i].proc_fdtype != PROX_FDTYPE_VNODE ||
            proc_pidfdinfo(pid, files[i].proc_fd, PROC_PIDFDVNODEPATHINFO,
                           &file, sizeof file) != (int)sizeof file)
            continue;
        taken +=
            take(search, pid, PLATFORM_HOLD_FILE, file.pvip.vip_path) ? 1 : 0;
    }
    return taken;
}

static int take_places(struct search *search, int pid)
{
    struct proc_vnodepathinfo places;
    int taken = 0;

    if (proc_pidinfo(pid, PROC_PIDVNODEPATHINFO, 0, &places, sizeof places) !=
        (int)sizeof places)
        return 0;
    taken +=
        take(search, pid, PLATFORM_HOLD_DIRECTORY, places.pvi_cdir.vip_path)
            ? 1
            : 0;
    taken +=
        take(search, pid, PLATFORM_HOLD_ROOT, places.pvi_rdir.vip_path) ? 1 : 0;
    return taken;
}

static void look_at(struct search *search, int pid)
{
    char program[PROC_PIDPATHINFO_MAXSIZE];
    int taken = take_places(search, pid);

    if (proc_pidpath(pid, program, sizeof program) > 0)
        taken += take(search, pid, PLATFORM_HOLD_PROGRAM, program) ? 1 : 0;
    taken += take_open_files(search, pid);
    /* It holds something, or it would not be in the list. */
    if (!taken)
        add_holder(search, pid, PLATFORM_HOLD_FILE, search->mount_point);
}

/* --- all of them --- */

static int list_pids(const char *mount_point, int *pids, int bytes)
{
    return proc_listpidspath(PROC_ALL_PIDS, 0, mount_point,
                             PROC_LISTPIDSPATH_PATH_IS_VOLUME |
                                 PROC_LISTPIDSPATH_EXCLUDE_EVTONLY,
                             pids, bytes);
}

static err_code look_at_all(struct search *search, struct error *err)
{
    int bytes = list_pids(search->mount_point, NULL, 0);

    if (bytes < 0)
        return error_set_errno(err, errno, "cannot list what uses %s",
                               search->mount_point);
    bytes += 64 * (int)sizeof(int); /* more may come meanwhile */
    CLEANUP_FREE int *pids = xcalloc(1, (size_t)bytes);
    bytes = list_pids(search->mount_point, pids, bytes);
    if (bytes < 0)
        return error_set_errno(err, errno, "cannot list what uses %s",
                               search->mount_point);
    for (int i = 0; i < bytes / (int)sizeof *pids; i++)
        if (pids[i] > 0)
            look_at(search, pids[i]);
    return ERR_OK;
}

static void add_mounts_below(struct search *search,
                             const struct macos_mount_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const char *mount_point = table->items[i].f_mntonname;
        if (!path_is_within(mount_point, search->mount_point) ||
            !strcmp(mount_point, search->mount_point))
            continue;
        struct platform_holder holder = {
            .user = xstrdup(""),
            .command = xstrdup(""),
            .path = xstrdup(mount_point),
            .kind = PLATFORM_HOLD_MOUNT,
        };
        ARRAY_PUSH(&search->found, holder);
    }
}

static const struct statfs *find_mount(const struct macos_mount_table *table,
                                       const char *device)
{
    CLEANUP_FREE char *wanted = macos_bsd_name(device);

    for (size_t i = 0; wanted && i < table->count; i++) {
        CLEANUP_FREE char *name = macos_bsd_name(table->items[i].f_mntfromname);
        if (name && !strcmp(name, wanted))
            return &table->items[i];
    }
    return NULL;
}

err_code platform_list_holders(struct platform *platform, const char *device,
                               struct platform_holders *out, struct error *err)
{
    CLEANUP(macos_mount_table_release)
    struct macos_mount_table table = {.items = NULL};
    struct search search = {.found = {.is_complete = geteuid() == 0}};
    err_code code = ERR_OK;

    if (!macos_mount_table_read(&table))
        return error_set_errno(err, errno, "cannot read the mount table");
    const struct statfs *mounted = find_mount(&table, device);
    if (mounted) {
        search.mount_point = mounted->f_mntonname;
        find_ancestors(&search);
        add_mounts_below(&search, &table);
        code = look_at_all(&search, err);
    }
    free(search.ancestors.items);
    if (code)
        platform_holders_release(&search.found);
    else
        *out = search.found;
    return code;
}
