/*
 * A job's source: a directory, and the filesystems that are mounted below it.
 *
 * Platform_io never crosses a mount point, so that each filesystem that the
 * job goes into (`cross_mounts`) has a root of its own here, and what is in it
 * is reached from there. What is mounted below a source is found out once,
 * when the job is prepared, and stays open until the job is done: it cannot be
 * unmounted meanwhile.
 *
 *     source.c         reaching what is in it
 *     source_mounts.c  what is mounted below it, and what is to be done there
 *
 * Paths are as platform_io's: relative, "" for the root. Any thread, once the
 * mounts have been found.
 */
#ifndef BERTH_SOURCE_H
#define BERTH_SOURCE_H

#include "platform/platform_io.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum source_mount_state {
    SOURCE_PLAIN,      /* nothing is mounted there, nor on the drive from one */
    SOURCE_ENTERED,    /* its files are the job's */
    SOURCE_LEFT,       /* by rule: neither read, nor changed on the drive */
    SOURCE_AWAY,       /* not what the drive was given files from, or gone:
                          nothing below is changed on the drive (ENGINE G4) */
    SOURCE_UNREADABLE, /* it cannot be opened */
};

struct source_mount {
    char *path;     /* key path of its directory */
    char *raw;      /* in the source's spelling */
    char *recorded; /* the filesystem that the drive was given files from; "" */
    char *identity; /* what is mounted now (guard.h); "": nothing or unknown */
    char *why;      /* of what is not entered, for people */
    enum source_mount_state state;
    bool is_mounted, has_files; /* by the mount table */
    bool is_accepted;           /* by `job claim`: empty, and meant to be */
    bool is_empty;
    int fd;                    /* of its root; -1: not entered */
    struct platform_stat stat; /* of its root */
    char *location;            /* what of its filesystem is mounted: "/" */
};

struct source {
    int fd;                     /* of its root; -1: there is none */
    struct source_mount *items; /* by path_compare of `path` */
    size_t count, capacity;
};
#define SOURCE_INIT                                                            \
    {                                                                          \
        .fd = -1                                                               \
    }
void source_mount_release(struct source_mount *mount);
void source_release(struct source *source);

/* What was entered and holds this path, spelt as the source does; NULL: the
 * source's own filesystem. */
const struct source_mount *source_mount_of(const struct source *source,
                                           const char *path);

/* The root of the filesystem that `*path` is on; `*path` becomes the rest,
 * below it. */
int source_root(const struct source *source, const char **path);

/* As platform_open_beneath and so on. */
err_code source_open(const struct source *source, const char *path,
                     enum platform_open how, int *out_fd, struct error *err)
    MUST_CHECK;
err_code source_stat(const struct source *source, const char *path,
                     struct platform_stat *out, struct error *err) MUST_CHECK;
err_code source_read_link(const struct source *source, const char *path,
                          char **out_target, struct error *err) MUST_CHECK;

/* What is, or was, mounted at exactly this key path; NULL: nothing. */
const struct source_mount *source_mount_at(const struct source *source,
                                           const char *path);
/* Whether anything is, or was, mounted there or below. */
bool source_has_mount_within(const struct source *source, const char *path);

/* A number for the filesystem that a key path is on: inodes of two of them say
 * nothing of each other. */
size_t source_filesystem_of(const struct source *source, const char *path);

#endif
