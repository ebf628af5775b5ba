/* Stand-in for the parts of sys/proc_info.h that the backend reads; the real
 * structures have more members. */
#ifndef FAKE_SYS_PROC_INFO_H
#define FAKE_SYS_PROC_INFO_H

#include <stdint.h>
#include <sys/param.h>
#include <sys/types.h>

#define MAXCOMLEN 16
#define PROC_ALL_PIDS 1
#define PROC_PIDLISTFDS 1
#define PROC_PIDTBSDINFO 3
#define PROC_PIDVNODEPATHINFO 9
#define PROC_PIDFDVNODEPATHINFO 2
#define PROX_FDTYPE_VNODE 1
#define PROC_PIDPATHINFO_MAXSIZE (4 * MAXPATHLEN)

struct proc_bsdinfo {
    uint32_t pbi_pid, pbi_ppid;
    uid_t pbi_uid;
    char pbi_comm[MAXCOMLEN];
    char pbi_name[2 * MAXCOMLEN];
};
struct vnode_info_path {
    char vip_path[MAXPATHLEN];
};
struct proc_vnodepathinfo {
    struct vnode_info_path pvi_cdir, pvi_rdir;
};
struct vnode_fdinfowithpath {
    struct vnode_info_path pvip;
};
struct proc_fdinfo {
    int32_t proc_fd;
    uint32_t proc_fdtype;
};

#endif
