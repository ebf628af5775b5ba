/*
 * A Mac of paper: CoreFoundation, dispatch, DiskArbitration, IOKit and the
 * parts of Darwin's libc that the backend calls, so that it runs unchanged on
 * Linux. What is said here about disks is what the backend will see.
 *
 * Over-release, use after release and CFRelease(NULL) abort. Any thread.
 */
#ifndef FAKE_MACOS_H
#define FAKE_MACOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- media --- */

enum fake_unsaid { FAKE_SAID, FAKE_NO_KEYS, FAKE_WRONG_TYPES, FAKE_NULL };

/* NULL strings and 0 are what a medium does not have. Everything is copied. */
struct fake_medium {
    const char *bsd_name;
    const char *on, *also_on; /* media that it lies on; NULL: a device */
    bool is_whole;
    int64_t size_bytes;
    bool is_read_only, is_encrypted;
    bool is_internal, says_not_internal;
    const char *protocol, *vendor, *model, *serial;
    int64_t speed; /* "Device Speed"; 0: not said */
    int64_t read_errors, write_errors;
    const char *kind, *label, *mount_point;
    const char *source;   /* f_mntfromname; NULL: /dev/BSD_NAME */
    const char *type;     /* f_fstypename; NULL: kind */
    uint32_t mount_flags; /* besides MNT_LOCAL */
    bool has_uuid;
    bool has_smart, smart_fails;
    enum fake_unsaid description;
};

void fake_plug(const struct fake_medium *medium);
/* It and all that lies on it. */
void fake_unplug(const char *bsd_name);
/* Once the daemon has done what it is at. */
bool fake_is_plugged(const char *bsd_name);
bool fake_is_mounted(const char *bsd_name);

/* --- what happens to requests --- */

enum fake_deed { FAKE_MOUNT, FAKE_UNMOUNT, FAKE_EJECT, FAKE_DEEDS };

struct fake_answer {
    enum fake_deed deed;
    const char *bsd_name;
    int status;        /* DAReturn; 0: it is done */
    const char *words; /* of the dissenter */
    int delay_ms;      /* another program's approval */
    bool at_once;      /* from within the call, on the caller's thread */
    bool vanishes;     /* the medium's device is pulled while it waits */
    bool daemon_dies;  /* before it answers */
};
/* Replaces what was said of this deed and medium. */
void fake_answer(const struct fake_answer *answer);

/* How often it was asked for, since fake_reset. */
int fake_asked(enum fake_deed deed, const char *bsd_name);

/* diskarbitrationd is started again: sessions from before stay silent. */
void fake_daemon_restart(void);
/* No new sessions, as while it is starting. */
void fake_daemon_refuses(bool refuses);

/* Another program unmounts, as the Finder does: asks who wants to be asked, and
 * returns a DAReturn; what a dissenter says is in `words`. */
int fake_unmount(const char *bsd_name, char *words, size_t size);
/* How many sessions want to be asked. */
int fake_approvers(void);

/* --- power --- */

/* How many assertions are held, and the name of the newest. */
int fake_assertions(char *name, size_t size);
void fake_power_refuses(bool refuses);

/* --- processes --- */

struct fake_process {
    int pid, parent;
    uint32_t uid;
    const char *command, *directory, *program, *file;
    bool is_unreadable; /* somebody else's */
};
void fake_run(const struct fake_process *process);

/* --- Darwin's libc --- */

/* The errno that F_FULLFSYNC and F_BARRIERFSYNC answer with; 0: they work. */
void fake_flush_errors(int full, int barrier, int file);
/* RENAME_EXCL as of a filesystem that does not know it. */
void fake_rename_error(int os_errno);
/* The type that fstatfs names for a place that no medium is mounted at. */
void fake_filesystem(const char *type);
int fake_fcntl_count(int command);
/* What is in there answers EPERM: the user has not consented. "": nothing. */
void fake_keeps_private(const char *path);

/* --- the end --- */

/* Waits for what is under way, then says how many objects are alive. */
long fake_live_objects(void);
/* No media, no answers, no processes. */
void fake_reset(void);

#endif
