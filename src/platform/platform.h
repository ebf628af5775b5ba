/*
 * Drives and volumes as values, and news of them.
 *
 * A backend owns one serial context (a thread on Linux, a dispatch queue on
 * macOS, the script in practice) that owns the session with the system. Its
 * notifications are only a hint to look: whoever cares takes a new snapshot
 * and compares, so that a missed one costs nothing.
 *
 * Functions may be called from any thread unless they say otherwise; they may
 * block on a sick drive and so belong on a worker, never on the ui thread.
 */
#ifndef BERTH_PLATFORM_H
#define BERTH_PLATFORM_H

#include "core/base/error.h"
#include "platform/platform_io.h"

#include <stddef.h>

struct platform;

err_code platform_new(struct platform **out, struct error *err) MUST_CHECK;
/* Ends the serial context; no wake-up comes afterwards. NULL is fine. */
void platform_free(struct platform *platform);

/* Drives of paper: whatever is said of them has to say so. */
bool platform_is_practice(void);

/*
 * Readable (poll POLLIN) when something may have changed since the last
 * platform_acknowledge. Owned by the platform.
 */
int platform_wake_fd(const struct platform *platform);
void platform_acknowledge(struct platform *platform);

/*
 * Every mounted filesystem that could be a volume of a job: on a disk, or a
 * FUSE server of one; no pseudo filesystems, no network, nothing that would
 * have to be waited for. In mount order.
 */
struct platform_mounts {
    struct platform_mount *items;
    size_t count, capacity;
};
err_code platform_list_mounts(struct platform *platform,
                              struct platform_mounts *out, struct error *err)
    MUST_CHECK;
void platform_mounts_release(struct platform_mounts *mounts);

/* --- drives and volumes
 * -------------------------------------------------------
 *
 * Values, all strings owned and never NULL ("" when unknown). A snapshot is
 * taken from what the system has told already (udev, the mount table): nothing
 * is opened and no sick drive is waited for.
 */

enum platform_bus {
    PLATFORM_BUS_UNKNOWN,
    PLATFORM_BUS_USB,
    PLATFORM_BUS_THUNDERBOLT,
    PLATFORM_BUS_ATA,
    PLATFORM_BUS_NVME,
    PLATFORM_BUS_MMC,
    PLATFORM_BUS_SCSI,
    PLATFORM_BUS_VIRTUAL, /* virtio, loop */
    PLATFORM_BUS_PRACTICE,
};

/* Whether the kernel will send the device a cache flush (queue/write_cache).
 * "Write through" on a USB disk means that nobody does. */
enum platform_write_cache {
    PLATFORM_CACHE_UNKNOWN,
    PLATFORM_CACHE_WRITE_BACK,
    PLATFORM_CACHE_WRITE_THROUGH,
};

struct platform_drive {
    char *id;     /* of this plugged device: never given to another while the
                     machine runs, so that a replug is another id */
    char *device; /* "/dev/sda"; "" where there is none */
    char *vendor, *model, *serial;
    enum platform_bus bus;
    int64_t size_bytes;
    int64_t link_mbit; /* speed negotiated on the bus; 0: unknown */
    enum platform_write_cache write_cache;
    bool is_external; /* hangs on USB, Thunderbolt or a card slot */
    bool is_rotational;
    bool is_read_only;
};

/* A filesystem, or what could hold one (a locked LUKS container). */
struct platform_volume {
    char *device;  /* "/dev/sda1": names it in requests */
    char *drive;   /* id of the drive it belongs to; "": of none */
    char *family;  /* as in struct platform_mount; "" when not recognised */
    char *fs_uuid; /* canonical */
    char *fs_label;
    int64_t size_bytes;
    char **mount_points; /* absolute, in mount order */
    size_t mount_point_count;
    bool is_read_only;
    bool was_made_read_only; /* by its driver, after an error: what it had not
                                written by then is lost */
    bool is_locked;          /* encrypted, and not opened */
    bool is_system;          /* holds /, /boot, /home or swap: never ejected */
    char *no_eject; /* why its drive cannot be ejected by us: "part of the LVM
                       group vg0"; "" when it can */
};

struct platform_devices {
    struct {
        struct platform_drive *items;
        size_t count, capacity;
    } drives;
    struct {
        struct platform_volume *items;
        size_t count, capacity;
    } volumes;
};
err_code platform_list_devices(struct platform *platform,
                               struct platform_devices *out, struct error *err)
    MUST_CHECK;
void platform_devices_release(struct platform_devices *devices);

/*
 * Whether a disk below the mounted volume is known to turn, so that seeks are
 * dear. Virtual disks say so without a reason and are not believed. Looks at
 * the disks of this volume only.
 */
bool platform_volume_spins(struct platform *platform,
                           const struct platform_mount *mount);

/* --- requests
 * -------------------------------------------------------------------
 *
 * Return at once; the outcome is waited for by whoever asked, on a worker:
 *
 *     struct platform_request *request = platform_unmount(platform, device);
 *     err_code code = platform_wait(request, 1000, &err);   // ERR_BUSY …
 *     platform_request_free(request);
 *
 * A request cannot be taken back: freeing it only stops the waiting.
 */
struct platform_request;

/* Mounts where the system would (UDisks2: /media/USER/LABEL). */
struct platform_request *platform_mount(struct platform *platform,
                                        const char *device);
/* Never lazy, never forced. ERR_BUSY when somebody holds it. */
struct platform_request *platform_unmount(struct platform *platform,
                                          const char *device);
/* Locks the encrypted container that an unmounted volume lies in, if any. */
struct platform_request *platform_lock(struct platform *platform,
                                       const char *device);
/* Every volume must be unmounted: it refuses with ERR_BUSY else. Sends
 * SYNCHRONIZE CACHE and STOP where it may, powers the port off or removes the
 * device. ERR_UNSUPPORTED where a drive cannot be powered off. */
struct platform_request *platform_power_off(struct platform *platform,
                                            const char *drive);

/* ERR_UNSUPPORTED: cannot be done on this system; ERR_DENIED: rights are
 * missing; timeout: returns false in *out_is_done and ERR_OK. */
err_code platform_wait(struct platform_request *request, int timeout_ms,
                       bool *out_is_done, struct error *err) MUST_CHECK;
void platform_request_free(struct platform_request *request);

/* What was seen of the commands that make a disk safe; for the verdict. */
struct platform_power_proof {
    bool flush_seen;   /* a SYNCHRONIZE CACHE whose status we read: good */
    bool flush_failed; /* … bad */
    bool stop_seen;    /* START STOP UNIT (stop): good */
    bool stop_failed;
};
/* Of a finished platform_power_off; all false through UDisks2, which ignores
 * both statuses (udiskslinuxdrive.c, handle_power_off). */
struct platform_power_proof platform_request_proof(
    const struct platform_request *request);

/* --- while files are written --- */

/*
 * What a process of this user may do that nobody watches: a timer's, cron's,
 * one of ssh. Asked of whoever decides (Linux: polkit, for the actions by
 * which UDisks2 lets somebody do it who does not sit at the machine), so that
 * the answer at night is known by day. Blocking. ERR_UNSUPPORTED where nobody
 * can be asked, or where the system does not tell users apart in this.
 */
struct platform_rights {
    bool may_mount, may_power_off;
};
err_code platform_unwatched_rights(struct platform *platform,
                                   struct platform_rights *out,
                                   struct error *err) MUST_CHECK;

/*
 * Until it is released, keeps the machine from falling asleep and, where the
 * system asks, other programs from unmounting the volume. `why` is shown to
 * whoever tries: "berth sync photos". ERR_UNSUPPORTED: this system has nobody
 * to ask; *out is NULL after any error.
 */
struct platform_inhibitor;
err_code platform_inhibit(struct platform *platform, const char *device,
                          const char *why, struct platform_inhibitor **out,
                          struct error *err) MUST_CHECK;
/* At once, and before platform_free. NULL is fine. */
void platform_inhibitor_release(struct platform_inhibitor *inhibitor);

/* --- who holds a volume --- */

enum platform_hold {
    PLATFORM_HOLD_FILE,      /* an open file */
    PLATFORM_HOLD_DIRECTORY, /* its working directory is there */
    PLATFORM_HOLD_ROOT,
    PLATFORM_HOLD_PROGRAM, /* it was started from there */
    PLATFORM_HOLD_MAPPING,
    PLATFORM_HOLD_MOUNT, /* something is mounted below it */
    PLATFORM_HOLD_LOOP,  /* a loop device on a file of it */
    PLATFORM_HOLD_SWAP,
};
struct platform_holder {
    int64_t pid; /* 0: the kernel */
    char *user;
    char *command;
    char *path; /* of what it holds, below the mount point where possible */
    enum platform_hold kind;
    bool
        is_ancestor; /* the shell that berth was started from, or its parents */
    bool is_same_user; /* may be asked to quit */
};
struct platform_holders {
    struct platform_holder *items;
    size_t count, capacity;
    bool is_complete; /* false: other users' processes could not be seen */
};
err_code platform_list_holders(struct platform *platform, const char *device,
                               struct platform_holders *out, struct error *err)
    MUST_CHECK;
void platform_holders_release(struct platform_holders *holders);

/* --- what has not reached the device --- */

struct platform_unwritten {
    int64_t system_bytes;  /* Dirty + Writeback of the whole machine */
    int64_t in_flight;     /* requests on this device */
    int64_t written_bytes; /* by the device so far: its rate is the progress */
};
err_code platform_read_unwritten(struct platform *platform, const char *drive,
                                 struct platform_unwritten *out,
                                 struct error *err) MUST_CHECK;

/* --- health
 * ---------------------------------------------------------------------------
 *
 * Readings, not a verdict: core/health.c judges. -1 where there is no reading.
 * May wait for the drive, never wakes a sleeping one: workers only.
 */
enum platform_smart {
    PLATFORM_SMART_UNKNOWN, /* nobody could be asked: no UDisks2, no rights */
    PLATFORM_SMART_HIDDEN,  /* the USB bridge does not pass it on */
    PLATFORM_SMART_ASLEEP,  /* the drive sleeps: not woken */
    PLATFORM_SMART_PASSED,
    PLATFORM_SMART_FAILING,
};
struct platform_attribute {
    int id; /* SMART attribute; 0 for NVMe readings, which have names */
    char *name;
    int64_t value, worst, threshold, raw; /* normalised ones -1 if none */
    bool is_failing_now, failed_before;
};
struct platform_health {
    enum platform_smart smart;
    int64_t temperature_c, power_on_hours;
    struct platform_attribute *attributes;
    size_t attribute_count;
    int64_t io_errors;     /* failed or unanswered since it was plugged in */
    int64_t fs_errors;     /* ext4 errors_count, btrfs device stats */
    int64_t link_resets;   /* USB resets seen since it was plugged */
    int is_dirty;          /* exFAT's VolumeDirty; -1: could not be read */
    int has_under_voltage; /* Raspberry Pi; -1: not known */
};
/* No reading. */
#define PLATFORM_HEALTH_INIT                                                   \
    {                                                                          \
        .temperature_c = -1, .power_on_hours = -1, .io_errors = -1,            \
        .fs_errors = -1, .link_resets = -1, .is_dirty = -1,                    \
        .has_under_voltage = -1                                                \
    }
err_code platform_read_health(struct platform *platform, const char *drive,
                              struct platform_health *out, struct error *err)
    MUST_CHECK;
void platform_health_release(struct platform_health *health);

#endif
