/*
 * Files below a root: how berth opens, lists, flushes and renames without
 * ever leaving the volume.
 *
 * Everything on a volume or in a source is reached from a descriptor of its
 * root, opened once, by a path relative to it. Resolution never follows a
 * symlink, never leaves the root and never crosses a mount point. When a drive
 * is pulled and something else takes its mount point, the descriptor still
 * belongs to the drive: writes fail, they never land elsewhere (ENGINE G1).
 *
 * `path` is relative with plain components ("a/b"), or "" for the root
 * itself. Any thread. Blocking: never call these from the ui thread.
 *
 * Mechanism only: a backend says ERR_UNSUPPORTED, core decides what then.
 * Implemented in platform_attributes.c, and in linux/linux_io.c,
 * macos/macos_io.c and practice/practice_io.c on top of posix_io.h.
 */
#ifndef BERTH_PLATFORM_IO_H
#define BERTH_PLATFORM_IO_H

#include "core/base/error.h"
#include "core/base/strbuf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum platform_type {
    PLATFORM_FILE,
    PLATFORM_DIRECTORY,
    PLATFORM_SYMLINK,
    PLATFORM_OTHER, /* socket, FIFO, device */
};

struct platform_stat {
    enum platform_type type;
    uint32_t mode; /* 07777 bits */
    uint32_t uid, gid;
    uint32_t links;
    int64_t size_bytes;
    int64_t allocated_bytes;
    int64_t mtime_ns, ctime_ns;
    int64_t btime_ns; /* 0: not recorded by this filesystem */
    uint64_t inode;
    uint64_t device; /* st_dev: renumbered at reboot, compare within a run */
    uint64_t mount;  /* differs from the parent's at a mount point */
};

enum platform_open {
    PLATFORM_OPEN_DIRECTORY,
    PLATFORM_OPEN_READ,   /* an existing regular file; never blocks on a FIFO */
    PLATFORM_OPEN_CREATE, /* for writing; ERR_EXISTS when the name is taken */
    PLATFORM_OPEN_APPEND, /* an existing regular file, for writing */
};

/* The root itself. `path` may contain symlinks: the user wrote it. */
err_code platform_open_root(const char *path, int *out_fd, struct error *err)
    MUST_CHECK;

/*
 * ERR_CHANGED when a component is a symlink, a mount point or of another
 * type than asked for; ERR_NOT_FOUND, ERR_DENIED, … as usual.
 */
err_code platform_open_beneath(int root_fd, const char *path,
                               enum platform_open how, int *out_fd,
                               struct error *err) MUST_CHECK;

/* Does not follow a symlink in the last component. */
err_code platform_stat_beneath(int root_fd, const char *path,
                               struct platform_stat *out, struct error *err)
    MUST_CHECK;
err_code platform_stat_fd(int fd, struct platform_stat *out, struct error *err)
    MUST_CHECK;

/*
 * Calls `visit` for each entry but "." and "..", in no particular order.
 * `stat` is NULL with `stat_error` set where the entry could not be examined
 * (ERR_NOT_FOUND: it vanished meanwhile). A visit that returns an error ends
 * the listing with that error. The directory is read from its start;
 * `dir_fd` stays open and must not be listed by two threads at once.
 */
struct platform_entry {
    const char *name; /* borrowed for the call */
    const struct platform_stat *stat;
    err_code stat_error;
};
typedef err_code platform_visit(void *context,
                                const struct platform_entry *entry,
                                struct error *err);
err_code platform_list_directory(int dir_fd, platform_visit *visit,
                                 void *context, struct error *err) MUST_CHECK;

/* A link's target in fresh memory; free() it. */
err_code platform_read_link(int root_fd, const char *path, char **out_target,
                            struct error *err) MUST_CHECK;

/*
 * Renames between two open directories, ERR_EXISTS rather than replacing.
 * Where the filesystem has no such rename (FUSE before protocol 7.23) the name
 * is looked at just before: berth holds the volume's lock, so only another
 * program could come in between.
 */
err_code platform_rename_noreplace(int from_dir_fd, const char *from,
                                   int to_dir_fd, const char *to,
                                   struct error *err) MUST_CHECK;

/*
 * Takes an exclusive advisory lock on an open file without waiting: flock,
 * which belongs to the open file description, works between users and ends
 * with the process however it ends. ERR_BUSY when somebody has it.
 */
err_code platform_try_lock(int fd, struct error *err) MUST_CHECK;

/*
 * --- durability ---
 *
 * Makes everything written to the volume so far survive a power cut: syncfs,
 * then fsync of `file_fd`, a file on the volume, both checked. syncfs alone is
 * not enough: the kernel's exFAT flushes the device's cache in it only when
 * the volume-dirty flag flips (fs/exfat/super.c, exfat_sync_fs), and before
 * 6.18 it does not reach a FUSE server. `root_fd` must have been opened before
 * the first write: errors are reported once per descriptor.
 * Blocks for as long as the drive needs. ERR_DEVICE_GONE when it was pulled;
 * ERR_UNSUPPORTED where only single files can be flushed.
 */
err_code platform_flush_volume(int root_fd, int file_fd, struct error *err)
    MUST_CHECK;
err_code platform_flush_file(int fd, struct error *err) MUST_CHECK;

/*
 * Starts writing a range to the device without waiting (`wait` false), or
 * waits for what was started. A hint: where it is not supported nothing
 * happens. Errors surface in the next flush.
 */
void platform_write_back(int fd, int64_t offset, int64_t length, bool wait);

/* How sure it is that what is read next comes from the device. */
enum platform_proof {
    PLATFORM_PROOF_CACHE,  /* may come from memory: "compared" */
    PLATFORM_PROOF_DEVICE, /* the cache was empty: "verified" */
};

/*
 * Drops the file's clean pages from memory and looks whether they are gone.
 * FUSE and network filesystems always say CACHE: fadvise and O_DIRECT
 * returned stale data there.
 */
err_code platform_drop_cache(int fd, int64_t size_bytes,
                             enum platform_proof *out_proof, struct error *err)
    MUST_CHECK;

/* The file will be read once, from its start to its end. */
void platform_advise_sequential(int fd);

/*
 * From here on, reading and writing go past the page cache, or through it
 * again. True where that is worth anything and reads what is there; memory,
 * offsets and lengths are then multiples of 4096, except at a file's end, and
 * EINVAL means that it is not to be had after all.
 */
bool platform_bypass_cache(int fd, bool bypass);

/*
 * Whether anybody but `fd` has the file open or mapped at this moment: any
 * process of any user, this one included. ERR_UNSUPPORTED where that cannot be
 * told: another user's file, or a filesystem that does not know.
 */
err_code platform_is_open_elsewhere(int fd, bool *out_is_open,
                                    struct error *err) MUST_CHECK;

/* Makes `to_fd` (empty) a copy-on-write clone; ERR_UNSUPPORTED mostly. */
err_code platform_clone(int from_fd, int to_fd, struct error *err) MUST_CHECK;

/*
 * Whether the device behind a descriptor is still plugged in. After a yank
 * the mount stays listed and an empty directory is read without an error, so
 * this asks for the block device itself (Linux: /sys/dev/block/MAJ:MIN).
 * ERR_DEVICE_GONE when it is gone; ERR_OK also where no device is behind it.
 */
err_code platform_check_attached(int fd, struct error *err) MUST_CHECK;

/*
 * --- extended attributes ---
 *
 * All that a file has of them, as one value: on Linux those of users ("user.")
 * and a program's capabilities, on macOS each, called "user." here. By name:
 * NAME 0, four bytes of length (least first), VALUE. None, or a filesystem
 * without: an empty value. ERR_UNSUPPORTED: more than can be kept.
 */
#define PLATFORM_ATTRIBUTES_MOST (64 * 1024)
err_code platform_read_attributes(int fd, struct strbuf *out, struct error *err)
    MUST_CHECK;

/*
 * Makes the file's equal to such a value, removing others. What is damaged in
 * it, and what this system or an ordinary user cannot set, is left out.
 */
err_code platform_write_attributes(int fd, const char *bytes, size_t length,
                                   struct error *err) MUST_CHECK;

/* --- the filesystem under a descriptor --- */

struct platform_space {
    int64_t total_bytes;
    int64_t free_bytes;    /* for this user */
    int64_t cluster_bytes; /* unit in which a file takes space */
};
err_code platform_space(int fd, struct platform_space *out, struct error *err)
    MUST_CHECK;

/*
 * What a path is mounted from. Strings are owned and never NULL.
 * `mount_id` is good for this boot only.
 */
struct platform_mount {
    uint64_t mount_id;
    char *attachment; /* names this mount of this plugged device for as long
                         as the machine runs: never given to another, unlike
                         mount ids and device numbers */
    char *plug; /* names the device as it was plugged in: another one after a
                   replug, the same over mounts; "" where that is not known */
    char *mount_point;
    char *source;   /* "/dev/sda1" */
    char *driver;   /* as the kernel calls it: "exfat", "fuseblk", "ext4" */
    char *family;   /* the same format under any driver: "exfat" */
    char *subtree;  /* what of it is mounted: "/", a btrfs subvolume, a bind */
    char *fs_uuid;  /* canonical: lower case, no dashes; "" when unknown */
    char *fs_label; /* "" when unknown */
    bool is_root;   /* the descriptor is the root of the mount */
    bool is_read_only;
    bool is_network;    /* NFS, SMB, sshfs … */
    bool is_local_disk; /* backed by a block device */
    bool has_journal;   /* renames survive a power cut whole or not at all */
};
#define PLATFORM_MOUNT_INIT                                                    \
    {                                                                          \
        .mount_id = 0                                                          \
    }
err_code platform_mount_of(int fd, struct platform_mount *out,
                           struct error *err) MUST_CHECK;
void platform_mount_release(struct platform_mount *mount);

/*
 * Calls `visit` for each directory below an open one on which something is
 * mounted, nested ones included, in no order; what another mount hides is left
 * out. `path` is relative and borrowed for the call. `has_files` is false for
 * what only looks like files: /proc and its kin. Nothing is opened and no
 * filesystem asked: what is there when it is opened may be another.
 */
typedef void platform_visit_mount(void *context, const char *path,
                                  bool has_files);
err_code platform_visit_mounts_below(int root_fd, platform_visit_mount *visit,
                                     void *context, struct error *err)
    MUST_CHECK;

/*
 * Whether the filesystem says of itself that it was not unmounted cleanly, or
 * has found itself damaged, and nobody has checked it since. May flush the
 * volume: exFAT's mark is also set while somebody writes, and only what a
 * flush does not take away was there when it was mounted. May write the times
 * of the file, which are left as they are.
 */
enum platform_check {
    PLATFORM_CHECK_UNKNOWN, /* no such mark, or it cannot be found out */
    PLATFORM_CHECK_NONE,
    PLATFORM_CHECK_NEEDED,
};
enum platform_check platform_mount_check(int root_fd, int file_fd,
                                         const struct platform_mount *mount);

#endif
