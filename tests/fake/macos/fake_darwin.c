/*
 * The calls of Darwin's libc that this system has not, or has otherwise.
 */
#include "fake_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libproc.h>
#include <mach-o/dyld.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <DarwinConstants.h>

#undef fcntl
#undef fstatfs

/* As this system has them; its headers are hidden by Darwin's. */
extern int renameat2(int from_fd, const char *from, int to_fd, const char *to,
                     unsigned flags);
extern int syncfs(int fd);
extern char *program_invocation_name;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int full_error, barrier_error, file_error, rename_error;
static char filesystem[16] = "apfs";
static int fcntl_counts[128];
static struct {
    struct fake_process items[16];
    size_t count;
} processes;

/* --- what is to be answered --- */

void fake_flush_errors(int full, int barrier, int file)
{
    pthread_mutex_lock(&mutex);
    full_error = full;
    barrier_error = barrier;
    file_error = file;
    memset(fcntl_counts, 0, sizeof fcntl_counts);
    pthread_mutex_unlock(&mutex);
}

void fake_rename_error(int os_errno)
{
    rename_error = os_errno;
}

void fake_filesystem(const char *type)
{
    snprintf(filesystem, sizeof filesystem, "%s", type);
}

int fake_fcntl_count(int command)
{
    pthread_mutex_lock(&mutex);
    int count = fcntl_counts[command];
    pthread_mutex_unlock(&mutex);
    return count;
}

void fake_run(const struct fake_process *process)
{
    if (processes.count < 16)
        processes.items[processes.count++] = *process;
}

void fake_forget_processes(void)
{
    processes.count = 0;
}

/* --- files --- */

static int flush(int fd, int error)
{
    if (fsync(fd))
        return -1;
    errno = error;
    return error ? -1 : 0;
}

int fake_path_of(int fd, char *out)
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, out, MAXPATHLEN - 1);
    if (length < 0)
        return -1;
    out[length] = '\0';
    return 0;
}

int fake_fcntl(int fd, int command, ...)
{
    va_list args;

    va_start(args, command);
    void *pointer = va_arg(args, void *);
    va_end(args);
    pthread_mutex_lock(&mutex);
    if (command >= 0 && command < 128)
        fcntl_counts[command]++;
    int full = full_error, barrier = barrier_error;
    pthread_mutex_unlock(&mutex);
    switch (command) {
    case F_FULLFSYNC:
        return flush(fd, full);
    case F_BARRIERFSYNC:
        return flush(fd, barrier);
    case F_NOCACHE:
    case F_RDAHEAD:
        return 0;
    case F_GETPATH:
        return fake_path_of(fd, pointer);
    default:
        return fcntl(fd, command, pointer);
    }
}

int fsync_volume_np(int fd, int flags)
{
    if (flags != (SYNC_VOLUME_FULLSYNC | SYNC_VOLUME_WAIT))
        fake_abort("fsync_volume_np without waiting for the platter");
    return syncfs(fd);
}

int renameatx_np(int fromfd, const char *from, int tofd, const char *to,
                 unsigned int flags)
{
    if (flags != RENAME_EXCL)
        fake_abort("renameatx_np with other flags");
    errno = rename_error;
    return rename_error ? -1 : renameat2(fromfd, from, tofd, to, 1);
}

/* --- mounts --- */

static void fill(const struct fake_medium *is, uint64_t number,
                 struct statfs *out)
{
    const char *type = is->type ? is->type : is->kind;
    struct stat found;

    /* Darwin numbers mounts as their files' st_dev. */
    if (!stat(is->mount_point, &found))
        number = found.st_dev;
    *out = (struct statfs){.f_flags = MNT_LOCAL | is->mount_flags,
                           .f_fsid = {{(int32_t)number, 1}}};
    snprintf(out->f_fstypename, sizeof out->f_fstypename, "%s",
             type ? type : "");
    snprintf(out->f_mntonname, sizeof out->f_mntonname, "%s", is->mount_point);
    if (is->source)
        snprintf(out->f_mntfromname, sizeof out->f_mntfromname, "%s",
                 is->source);
    else
        snprintf(out->f_mntfromname, sizeof out->f_mntfromname, "/dev/%s",
                 is->bsd_name);
}

int getfsstat(struct statfs *buffer, int bytes, int flags)
{
    int count = 0, room = bytes / (int)sizeof *buffer;

    if (flags != MNT_NOWAIT)
        fake_abort("getfsstat would wait for dead servers");
    pthread_mutex_lock(&fake_mutex);
    for (const struct fake_part *part = fake_parts; part; part = part->next) {
        if (!part->is.mount_point || (buffer && count == room))
            continue;
        if (buffer)
            fill(&part->is, part->number, &buffer[count]);
        count++;
    }
    pthread_mutex_unlock(&fake_mutex);
    return count;
}

static bool is_within(const char *path, const char *top)
{
    size_t length = strlen(top);

    return !strncmp(path, top, length) &&
           (!path[length] || path[length] == '/' || length == 1);
}

/* The medium that a path is on, else something without a disk. */
int fake_fstatfs(int fd, struct statfs *out)
{
    char path[MAXPATHLEN];
    struct stat found;
    bool is_found = false;

    if (fstat(fd, &found) || fake_path_of(fd, path))
        return -1;
    pthread_mutex_lock(&fake_mutex);
    for (const struct fake_part *part = fake_parts; part && !is_found;
         part = part->next) {
        is_found =
            part->is.mount_point && is_within(path, part->is.mount_point);
        if (is_found)
            fill(&part->is, part->number, out);
    }
    pthread_mutex_unlock(&fake_mutex);
    if (is_found)
        return 0;
    *out = (struct statfs){.f_flags = MNT_LOCAL,
                           .f_fsid = {{(int32_t)found.st_dev, 1}},
                           .f_mntonname = "/",
                           .f_mntfromname = "somewhere"};
    snprintf(out->f_fstypename, sizeof out->f_fstypename, "%s", filesystem);
    return 0;
}

/* --- the machine --- */

int sysctlbyname(const char *name, void *old, size_t *old_length, void *value,
                 size_t length)
{
    static const char id[] = "0B0071D0-0000-4000-8000-00000B007000";

    if (strcmp(name, "kern.bootsessionuuid") != 0 || *old_length < sizeof id) {
        errno = ENOENT;
        return -1;
    }
    memcpy(old, id, sizeof id);
    *old_length = sizeof id;
    return 0;
}

int _NSGetExecutablePath(char *buffer, uint32_t *size)
{
    char path[MAXPATHLEN] = "";
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);

    if (length < 0 || *size < (uint32_t)length + 1) {
        *size = (uint32_t)length + 1;
        return -1;
    }
    memcpy(buffer, path, (size_t)length + 1);
    return 0;
}

/* --- processes --- */

static const struct fake_process *find_process(int pid)
{
    for (size_t i = 0; i < processes.count; i++)
        if (processes.items[i].pid == pid && !processes.items[i].is_unreadable)
            return &processes.items[i];
    return NULL;
}

int proc_listpidspath(uint32_t type, uint32_t typeinfo, const char *path,
                      uint32_t pathflags, void *buffer, int buffersize)
{
    int count = (int)processes.count;

    if (!buffer)
        return (count + 20) * (int)sizeof(int);
    for (int i = 0; i < count; i++)
        ((int *)buffer)[i] = processes.items[i].pid;
    return count * (int)sizeof(int);
}

static void set_path(struct vnode_info_path *out, const char *path)
{
    snprintf(out->vip_path, sizeof out->vip_path, "%s", path ? path : "");
}

int proc_pidinfo(int pid, int flavor, uint64_t arg, void *buffer,
                 int buffersize)
{
    const struct fake_process *process = find_process(pid);
    struct proc_bsdinfo *about = buffer;
    struct proc_vnodepathinfo *places = buffer;
    struct proc_fdinfo *file = buffer;

    errno = EPERM;
    if (!process)
        return 0;
    switch (flavor) {
    case PROC_PIDTBSDINFO:
        *about = (struct proc_bsdinfo){.pbi_pid = (uint32_t)pid,
                                       .pbi_ppid = (uint32_t)process->parent,
                                       .pbi_uid = process->uid};
        return (int)sizeof *about;
    case PROC_PIDVNODEPATHINFO:
        set_path(&places->pvi_cdir, process->directory);
        set_path(&places->pvi_rdir, NULL);
        return (int)sizeof *places;
    default:
        break;
    }
    if (buffer)
        *file = (struct proc_fdinfo){5, PROX_FDTYPE_VNODE};
    return process->file ? (int)sizeof *file : 0;
}

int proc_pidfdinfo(int pid, int fd, int flavor, void *buffer, int buffersize)
{
    const struct fake_process *process = find_process(pid);
    struct vnode_fdinfowithpath *file = buffer;

    if (!process || !process->file)
        return 0;
    set_path(&file->pvip, process->file);
    return (int)sizeof *file;
}

int proc_name(int pid, void *buffer, uint32_t buffersize)
{
    const struct fake_process *process = find_process(pid);

    return process ? snprintf(buffer, buffersize, "%s", process->command) : 0;
}

int proc_pidpath(int pid, void *buffer, uint32_t buffersize)
{
    const struct fake_process *process = find_process(pid);

    if (!process || !process->program)
        return 0;
    return snprintf(buffer, buffersize, "%s", process->program);
}
