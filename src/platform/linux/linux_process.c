/*
 * What one process holds of a volume. Paths are read, never opened or
 * examined: a stat of somebody's file on a dead network server would not
 * return (fuser of psmisc hung on that, too).
 */
#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/base/strbuf.h"
#include "platform/linux/linux_holders.h"
#include "platform/posix_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_OF_A_KIND = 8, /* enough to know whom to ask */
    FDS_BETWEEN_LOOKS_AT_THE_CLOCK = 256,
    PROC_LIMIT_BYTES = 64 * 1024 * 1024,
};

/* --- who it is --- */

/* "4711 (name (with) anything) S 1 …" (proc(5), /proc/pid/stat) */
bool linux_process_read(int64_t pid, struct linux_process *out)
{
    CLEANUP_FREE char *directory = xasprintf("/proc/%" PRId64, pid);
    CLEANUP_FREE char *path = path_join(directory, "stat");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    long long parent;
    char state;

    if (file_read(path, 4096, &text, NULL))
        return false;
    const char *rest = strrchr(text.text, ')');
    if (!rest || sscanf(rest, ") %c %lld", &state, &parent) != 2)
        return false;
    *out = (struct linux_process){.pid = pid,
                                  .directory = TAKE_PTR(directory),
                                  .state = state,
                                  .parent = parent};
    return true;
}

void linux_process_release(struct linux_process *process)
{
    free(process->directory);
    process->directory = NULL;
}

/* --- what it holds --- */

void linux_holds_release(struct linux_holds *holds)
{
    for (size_t i = 0; i < holds->count; i++)
        free(holds->items[i].path);
    free(holds->items);
    *holds = (struct linux_holds){.items = NULL};
}

static size_t count_kind(const struct linux_holds *holds,
                         enum platform_hold kind)
{
    size_t count = 0;

    for (size_t i = 0; i < holds->count; i++)
        count += holds->items[i].kind == kind;
    return count;
}

static bool has_path(const struct linux_holds *holds, const char *path)
{
    for (size_t i = 0; i < holds->count; i++)
        if (!strcmp(holds->items[i].path, path))
            return true;
    return false;
}

static void add_hold(struct linux_holds *holds, enum platform_hold kind,
                     const char *path)
{
    struct linux_hold hold = {.kind = kind};

    if (count_kind(holds, kind) >= MOST_OF_A_KIND)
        return;
    hold.path = xstrdup(path);
    ARRAY_PUSH(holds, hold);
}

/* Where a link of /proc points to; NULL with errno. */
static char *link_target(const char *directory, const char *name)
{
    CLEANUP_FREE char *path = path_join(directory, name);
    char *target = NULL;
    struct error err = ERROR_INIT;

    if (posix_read_link_at(AT_FDCWD, path, path, &target, &err)) {
        errno = err.os_errno;
        return NULL;
    }
    return target;
}

/* False when it may not be read. */
static bool look_at_link(const struct linux_process *process,
                         const struct linux_view *view, const char *name,
                         enum platform_hold kind, struct linux_holds *out)
{
    CLEANUP_FREE char *path = link_target(process->directory, name);

    if (!path)
        return errno != EACCES && errno != EPERM;
    if (linux_view_holds(view, path))
        add_hold(out, kind, path);
    return true;
}

/*
 * The number of the mount that a descriptor is on, which is exact where the
 * path is not: what was mounted over it later, files that were deleted.
 */
static bool is_on_volume(const struct linux_process *process,
                         const struct linux_view *view, const char *fd,
                         const char *path)
{
    CLEANUP_FREE char *info = xasprintf("%s/fdinfo/%s", process->directory, fd);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    unsigned long long mount_id;

    if (file_read(info, 64 * 1024, &text, NULL))
        return linux_view_holds(view, path);
    const char *found = strstr(text.text, "mnt_id:");
    if (!found || sscanf(found, "mnt_id: %llu", &mount_id) != 1)
        return linux_view_holds(view, path);
    return linux_view_has_mount(view, mount_id);
}

static bool look_at_fds(const struct linux_process *process,
                        const struct linux_view *view, int64_t give_up_ns,
                        struct linux_holds *out)
{
    CLEANUP_FREE char *directory = path_join(process->directory, "fd");
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    bool is_complete = true;

    if (!stream)
        return errno != EACCES && errno != EPERM;
    for (unsigned i = 1; is_complete && (entry = readdir(stream)); i++) {
        if (entry->d_name[0] == '.')
            continue;
        CLEANUP_FREE char *path = link_target(directory, entry->d_name);
        if (path && *path == '/' && linux_view_may_hold(view, path) &&
            is_on_volume(process, view, entry->d_name, path))
            add_hold(out, PLATFORM_HOLD_FILE, path);
        is_complete = i % FDS_BETWEEN_LOOKS_AT_THE_CLOCK ||
                      clock_monotonic_ns() < give_up_ns;
    }
    closedir(stream);
    return is_complete;
}

/* The path at the end of "7f…-7f… r--p 00000000 08:01 4711   /a path". */
static const char *path_of_mapping(char *line)
{
    return strchr(line, '/');
}

static void look_at_lines(char *lines, const struct linux_view *view,
                          struct linux_holds *out)
{
    char *rest = lines;

    while (*rest) {
        char *line = rest;
        char *end = line + strcspn(line, "\n");
        rest = *end ? end + 1 : end;
        *end = '\0';
        const char *path = path_of_mapping(line);
        if (path && !has_path(out, path) && linux_view_holds(view, path))
            add_hold(out, PLATFORM_HOLD_MAPPING, path);
    }
}

/*
 * Reading another's maps waits for a lock of its memory, which a process that
 * waits for a sick drive may hold (mm/memory.c: faults keep mmap_lock while
 * they read): such a one ('D') is left out.
 */
static bool look_at_maps(const struct linux_process *process,
                         const struct linux_view *view, struct linux_holds *out)
{
    CLEANUP_FREE char *path = path_join(process->directory, "maps");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (process->state == 'D')
        return false;
    err_code code = file_read(path, PROC_LIMIT_BYTES, &text, NULL);
    if (!code)
        look_at_lines(text.text, view, out);
    return code != ERR_DENIED;
}

bool linux_process_look(const struct linux_process *process,
                        const struct linux_view *view, int64_t give_up_ns,
                        struct linux_holds *out)
{
    bool is_complete =
        look_at_link(process, view, "cwd", PLATFORM_HOLD_DIRECTORY, out);

    is_complete &= look_at_link(process, view, "root", PLATFORM_HOLD_ROOT, out);
    is_complete &=
        look_at_link(process, view, "exe", PLATFORM_HOLD_PROGRAM, out);
    is_complete &= look_at_fds(process, view, give_up_ns, out);
    return look_at_maps(process, view, out) && is_complete;
}
