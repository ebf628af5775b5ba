/*
 * Who uses a volume, from /proc. Between linux_holders.c, which goes through
 * the processes, linux_process.c, which looks at one, and
 * linux_holders_kernel.c, which looks at what has no process.
 */
#ifndef BERTH_LINUX_HOLDERS_H
#define BERTH_LINUX_HOLDERS_H

#include "platform/linux/linux_devices.h"
#include "platform/platform.h"

/* The volume's mounts as one mount namespace sees them. */
struct linux_view {
    ino_t space; /* number of the namespace */
    struct linux_mount_table table;
    struct {
        const struct linux_mount_entry **items; /* the volume's, in `table` */
        size_t count, capacity;
    } mounts;
};

/* Whether a path lies at or below one of the volume's mount points. */
bool linux_view_may_hold(const struct linux_view *view, const char *path);
/* … and is not on something that is mounted below it. */
bool linux_view_holds(const struct linux_view *view, const char *path);
bool linux_view_has_mount(const struct linux_view *view, uint64_t mount_id);

/* Fills in everything but path and kind, once, for a process. */
struct linux_process {
    int64_t pid;
    char *directory; /* "/proc/4711" */
    char state;      /* of proc(5): 'R', 'S', 'D' … */
    int64_t parent;
};
/* False when there is no such process any more. */
bool linux_process_read(int64_t pid, struct linux_process *out);
void linux_process_release(struct linux_process *process);

/*
 * Appends what the process holds of the volume, as paths and kinds, a few of
 * each; false when it may not be looked at.
 */
struct linux_hold {
    enum platform_hold kind;
    char *path;
};
struct linux_holds {
    struct linux_hold *items;
    size_t count, capacity;
};
bool linux_process_look(const struct linux_process *process,
                        const struct linux_view *view, int64_t give_up_ns,
                        struct linux_holds *out);
void linux_holds_release(struct linux_holds *holds);

/* Nested mounts, loop devices on files of the volume, swap files. */
void linux_holders_add_kernels(const struct linux_snapshot *snapshot,
                               const struct linux_view *view,
                               struct platform_holders *out);

#endif
