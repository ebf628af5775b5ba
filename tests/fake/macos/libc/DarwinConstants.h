/*
 * What the constants of Darwin's libc are, and nothing else: after Apple's
 * headers or after their stand-ins in one unit, any drift is a compile error.
 */
#ifndef FAKE_DARWIN_CONSTANTS_H
#define FAKE_DARWIN_CONSTANTS_H

_Static_assert(F_RDAHEAD == 45 && F_NOCACHE == 48, "fcntl.h");
_Static_assert(F_GETPATH == 50, "fcntl.h");
_Static_assert(F_FULLFSYNC == 51 && F_BARRIERFSYNC == 85, "fcntl.h");
_Static_assert(RENAME_EXCL == 4, "stdio.h");
_Static_assert(SYNC_VOLUME_FULLSYNC == 1 && SYNC_VOLUME_WAIT == 2, "unistd.h");
_Static_assert(MNT_RDONLY == 1 && MNT_LOCAL == 0x1000, "sys/mount.h");
_Static_assert(MNT_DONTBROWSE == 0x100000, "sys/mount.h");
_Static_assert(MNT_JOURNALED == 0x800000 && MNT_NOWAIT == 2, "sys/mount.h");
_Static_assert(PROC_ALL_PIDS == 1 && PROC_PIDLISTFDS == 1, "sys/proc_info.h");
_Static_assert(PROC_PIDTBSDINFO == 3, "sys/proc_info.h");
_Static_assert(PROC_PIDVNODEPATHINFO == 9, "sys/proc_info.h");
_Static_assert(PROC_PIDFDVNODEPATHINFO == 2, "sys/proc_info.h");
_Static_assert(PROX_FDTYPE_VNODE == 1, "sys/proc_info.h");
_Static_assert(PROC_LISTPIDSPATH_PATH_IS_VOLUME == 1, "libproc.h");
_Static_assert(PROC_LISTPIDSPATH_EXCLUDE_EVTONLY == 2, "libproc.h");

#endif
