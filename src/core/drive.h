/*
 * Drives as berth sees them: what the platform lists, joined with the volumes
 * that the configuration knows, attached or away. Values, rebuilt as a whole
 * whenever something may have changed; strings are owned and never NULL.
 */
#ifndef BERTH_DRIVE_H
#define BERTH_DRIVE_H

#include "core/config.h"
#include "core/health.h"
#include "core/leftovers.h"
#include "platform/platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Another process that holds the volume's lock, as its hint says. */
struct drive_run {
    int64_t pid; /* 0: nobody */
    char *user, *command;
    int64_t done_bytes, total_bytes;
};

struct drive_volume {
    char *name;     /* in the configuration; "" when berth does not know it */
    char *id;       /* of its marker; "" when it has none or is not mounted */
    char *known_as; /* name in the marker: what another machine called it */
    char *label, *family, *device, *mount_point; /* "" when not mounted */
    int64_t size_bytes, free_bytes;              /* -1: not known */
    enum volume_role role;
    bool is_folder, is_mounted, is_read_only, is_locked, is_system;
    bool was_made_read_only; /* as in struct platform_volume */
    bool has_journal;        /* false: eject before unplugging matters most */
    int is_dirty;            /* exFAT left uncleanly; -1: not known */
    int64_t last_seen_ns;    /* of a volume that is away; 0: never */
    int64_t last_sync_ns;    /* oldest of its jobs' last complete syncs; 0: some
                                job never */
    int64_t verified_ns;     /* all of it read back and right; 0: never */
    char *problem; /* why it cannot be used: a clone, a copied marker; "" */
    struct drive_run run;
    bool has_own_run; /* this very process holds the lock */
    bool has_left;    /* `left` was asked for, and a job writes to it */
    struct leftovers left;
};

struct drive {
    char *id;     /* of the plugged device; "" when away */
    char *device; /* "/dev/sda" */
    char *title;  /* "Seagate Expansion", never empty */
    char *serial;
    enum platform_bus bus;
    int64_t size_bytes, link_mbit;
    bool is_attached, is_external, is_rotational;
    bool is_practice; /* drives of paper: every verdict says so */
    enum platform_write_cache write_cache;
    struct health_verdict health;
    struct platform_health readings; /* for the detail; zeroed when none */
    bool has_readings;
    struct health_baseline baseline; /* what the counts were at first sight */
    char *no_eject; /* why it cannot be ejected; "" when it can */
    /*
     * Why an ejection is red, whatever a flush says now (ENGINE G8), until a
     * later barrier and a read-back. "" when nothing is wrong.
     */
    char *unsafe;
    bool has_failed_flush; /* of one of its volumes, not made good since */
    bool has_lost_writes;  /* a flush of one that is not berth's failed since
                              it was plugged in */
    bool has_unknown_past; /* what berth recorded of one cannot be read */
    /* A run was interrupted, by a kill or a plug, and none was since: not all
     * is on it; ejecting it is as safe as ever. "" when none was. */
    char *unrepaired;
    struct {
        struct drive_volume *items;
        size_t count, capacity;
    } volumes;
};

/* Attached external ones first, then internal ones, then those away. */
struct drives {
    struct drive *items;
    size_t count, capacity;
    unsigned number; /* in the order in which they were begun; 0: alone */
};
void drives_release(struct drives *drives);
void drive_release(struct drive *drive);

/* What the catalogue tells of one of its volumes. The worst of all stays: a
 * failed flush, lost writes, a past that cannot be read. */
void drive_note_failed_flush(struct drive *drive);
void drive_note_lost_writes(struct drive *drive, const char *volume);
void drive_note_unknown_past(struct drive *drive, const char *why);
void drive_note_interrupted(struct drive *drive);

const char *platform_bus_name(enum platform_bus bus);    /* "USB" */
const char *platform_hold_name(enum platform_hold kind); /* "open file" */

#endif
