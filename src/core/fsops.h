/*
 * The only way in which berth changes a volume or a source: every mutation of
 * core goes through here, below a root descriptor, by paths in the volume's
 * own spelling. Nothing replaces an existing name unless the function says so.
 *
 * A `struct fsops` belongs to one thread; it keeps the directories used last
 * open. Messages name the path below the root.
 */
#ifndef BERTH_FSOPS_H
#define BERTH_FSOPS_H

#include "core/base/error.h"
#include "core/record.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FSOPS_KEPT 4

struct source;

struct fsops {
    int root_fd;                 /* borrowed */
    const struct source *source; /* borrowed; NULL: nothing is mounted below
                                    the root that would be entered */
    struct {
        char *path;
        int fd;
        uint64_t used; /* the higher, the later */
    } kept[FSOPS_KEPT];
    uint64_t uses;
};

struct fsops fsops_on(int root_fd);
/* With the filesystems below it that were entered (source.h). */
struct fsops fsops_on_source(const struct source *source);
void fsops_release(struct fsops *ops);
/* After directories were renamed or removed by somebody else's hand. */
void fsops_forget_directories(struct fsops *ops);

/* As platform_open_beneath, and the target of a symlink; to look only. */
err_code fsops_open(struct fsops *ops, const char *path, enum platform_open how,
                    int *out_fd, struct error *err) MUST_CHECK;
err_code fsops_read_link(struct fsops *ops, const char *path, char **out_target,
                         struct error *err) MUST_CHECK;

/* Exactly this mode, whatever the umask, where the volume keeps modes.
 * ERR_EXISTS when the name is taken. */
err_code fsops_create(struct fsops *ops, const char *path, mode_t mode,
                      int *out_fd, struct error *err) MUST_CHECK;
err_code fsops_make_directory(struct fsops *ops, const char *path, mode_t mode,
                              struct error *err) MUST_CHECK;
/* mkdir -p; fine when it is there, ERR_CHANGED when that is no directory. */
err_code fsops_ensure_directory(struct fsops *ops, const char *path,
                                struct error *err) MUST_CHECK;
/*
 * The same of a directory of berth's own, which gets exactly this mode, new or
 * not, where the volume keeps modes.
 */
enum {
    FSOPS_SHARED = 0755, /* marker, log: any user, any machine may read them */
    FSOPS_PRIVATE = 0700 /* content, away from directories that may be shut */
};
err_code fsops_ensure_own_directory(struct fsops *ops, const char *path,
                                    mode_t mode, struct error *err) MUST_CHECK;
err_code fsops_make_symlink(struct fsops *ops, const char *target,
                            const char *path, struct error *err) MUST_CHECK;

/* ERR_EXISTS rather than replacing. */
err_code fsops_rename(struct fsops *ops, const char *from, const char *to,
                      struct error *err) MUST_CHECK;
/* Replaces `to` in one step: for berth's own files, and where `to` has
 * another name already (fsops_link). */
err_code fsops_replace(struct fsops *ops, const char *from, const char *to,
                       struct error *err) MUST_CHECK;
err_code fsops_link(struct fsops *ops, const char *from, const char *to,
                    struct error *err) MUST_CHECK;

err_code fsops_unlink(struct fsops *ops, const char *path, struct error *err)
    MUST_CHECK;
err_code fsops_unlink_if_there(struct fsops *ops, const char *path,
                               struct error *err) MUST_CHECK;
/* ERR_EXISTS when it is not empty. */
err_code fsops_remove_directory(struct fsops *ops, const char *path,
                                struct error *err) MUST_CHECK;

/*
 * Mode, owner and times of a record, as far as `what` says that the volume
 * can hold them. Owner only as root; a refusal of chown is no error then.
 */
enum {
    FSOPS_SET_TIMES = 1u << 0,
    FSOPS_SET_MODE = 1u << 1,
    FSOPS_SET_OWNER = 1u << 2,
    FSOPS_SET_ATTRIBUTES = 1u << 3, /* extended ones, of a file */
    FSOPS_IF_THEY_FIT = 1u << 4,    /* these: ext4 takes 4 KiB of them */
    /* Of directories: whoever is not root keeps the right to change what is in
     * them. A source may be 0555 (Go's modules), or 0000 for a while. */
    FSOPS_KEEP_ACCESS = 1u << 5,
};
err_code fsops_set_metadata(struct fsops *ops, const char *path,
                            const struct record *record, unsigned what,
                            struct error *err) MUST_CHECK;
/* The same for an open, new file; `path` is for the message. */
err_code fsops_set_metadata_fd(int fd, const char *path,
                               const struct record *record, unsigned what,
                               struct error *err) MUST_CHECK;

/* *out_stat is only set when *out_exists. */
err_code fsops_look(struct fsops *ops, const char *path, bool *out_exists,
                    struct platform_stat *out_stat, struct error *err)
    MUST_CHECK;

/*
 * Whether the directory lists exactly this name: a look at "README" also finds
 * "readme" on a volume that does not tell them apart.
 */
err_code fsops_lists_name(struct fsops *ops, const char *path,
                          bool *out_is_listed, struct error *err) MUST_CHECK;

err_code fsops_is_empty(struct fsops *ops, const char *path, bool *out_is_empty,
                        struct error *err) MUST_CHECK;

/* Removes everything below a directory, not the directory. */
err_code fsops_empty_directory(struct fsops *ops, const char *path,
                               struct error *err) MUST_CHECK;

#endif
