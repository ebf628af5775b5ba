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

struct fsops {
    int root_fd; /* borrowed */
    struct {
        char *path;
        int fd;
        uint64_t used; /* the higher, the later */
    } kept[FSOPS_KEPT];
    uint64_t uses;
};

struct fsops fsops_on(int root_fd);
void fsops_release(struct fsops *ops);
/* After directories were renamed or removed by somebody else's hand. */
void fsops_forget_directories(struct fsops *ops);

/* ERR_EXISTS when the name is taken. */
err_code fsops_create(struct fsops *ops, const char *path, mode_t mode,
                      int *out_fd, struct error *err) MUST_CHECK;
err_code fsops_make_directory(struct fsops *ops, const char *path, mode_t mode,
                              struct error *err) MUST_CHECK;
/* mkdir -p; fine when it is there, ERR_CHANGED when that is no directory. */
err_code fsops_ensure_directory(struct fsops *ops, const char *path,
                                struct error *err) MUST_CHECK;
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
};
err_code fsops_set_metadata(struct fsops *ops, const char *path,
                            const struct record *record, unsigned what,
                            struct error *err) MUST_CHECK;
/* The same for an open file; `path` is for the message. */
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
