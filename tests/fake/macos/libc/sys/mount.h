/* Stand-in for Darwin's sys/mount.h, 64-bit inodes. */
#ifndef FAKE_SYS_MOUNT_H
#define FAKE_SYS_MOUNT_H

#include <stdint.h>
#include <sys/param.h>
#include <sys/types.h>

typedef struct fake_fsid {
    int32_t val[2];
} fake_fsid_t;

struct statfs {
    uint32_t f_bsize;
    int32_t f_iosize;
    uint64_t f_blocks, f_bfree, f_bavail, f_files, f_ffree;
    fake_fsid_t f_fsid;
    uid_t f_owner;
    uint32_t f_type, f_flags, f_fssubtype;
    char f_fstypename[16];
    char f_mntonname[MAXPATHLEN];
    char f_mntfromname[MAXPATHLEN];
    uint32_t f_flags_ext;
    uint32_t f_reserved[7];
};

#define MNT_RDONLY 0x00000001
#define MNT_LOCAL 0x00001000
#define MNT_DONTBROWSE 0x00100000
#define MNT_JOURNALED 0x00800000
#define MNT_NOWAIT 2

int fake_fstatfs(int fd, struct statfs *out);
#define fstatfs fake_fstatfs

#include <DarwinProtos.h>

#endif
