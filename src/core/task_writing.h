/*
 * A volume that a command other than sync writes to: found, locked, repaired,
 * with a run of its own in the history. Shared by prune and undo.
 */
#ifndef BERTH_TASK_WRITING_H
#define BERTH_TASK_WRITING_H

#include "core/prune.h"
#include "core/task.h"

struct writing {
    struct task *task;
    const struct config_volume *config;
    struct volume volume;
    struct catalogue *catalogue;
    struct session session;
    struct platform_inhibitor *inhibitor;
    bool is_open;
    struct run_counts counts;
};

/* `command` is what others are told who find the volume busy. ERR_REFUSED on a
 * volume that was left uncleanly: nothing is removed there before a sync has
 * looked at it. */
err_code writing_open(struct writing *writing, const char *command,
                      struct error *err) MUST_CHECK;
/* The first change comes after this. `deed` is the run's name in the history.
 */
err_code writing_begin(struct writing *writing, const char *deed,
                       struct error *err) MUST_CHECK;
/* After a failure of the device the session stays open: the next run repairs.
 */
err_code writing_close(struct writing *writing, err_code code,
                       struct error *err) MUST_CHECK;
void writing_release(struct writing *writing);

/* --- prune, as sync needs it, too --- */

/* The versions on a volume, with what goes by the rules of its jobs. */
struct pruning {
    struct prune_items items;
    struct version_list versions;
    struct arena arena;
    struct prune_info info;
};
/*
 * Reads them; `volume` NULL: away, sizes come from the catalogue alone.
 * `wanted_bytes`: so much must go in all, oldest first. ERR_REFUSED while
 * anything is held; `running` are the names of jobs that a run is about to
 * decide about anew, NULL: none.
 */
err_code pruning_choose(struct task *task, const struct config_volume *config,
                        struct catalogue *catalogue,
                        const struct volume *volume, const char *running,
                        int64_t wanted_bytes, struct pruning *out,
                        struct error *err) MUST_CHECK;
void pruning_release(struct pruning *pruning);
/* Removes what was chosen, says what cannot be removed and counts it as left.
 */
err_code pruning_carry_out(struct task *task, struct session *session,
                           struct pruning *pruning, enum outcome *outcome,
                           struct error *err) MUST_CHECK;
/* Posts EVENT_PRUNED. */
void pruning_tell(struct task *task, const struct config_volume *config,
                  const struct pruning *pruning);

/* The job of this host that the rows belong to; NULL: it is not any more. */
const struct config_job *task_job_of(const struct task *task,
                                     const struct config_volume *volume,
                                     const struct owner *owner);

#endif
