#include "core/task_sync.h"
#include "core/task_writing.h"

/* What is suspicious, unclear or was interrupted keeps all its versions. */
static bool may_prune(const struct syncing *syncing, int64_t held)
{
    return !held && !syncing->counts.held && !syncing->session.is_unclean &&
           syncing->outcome != OUTCOME_DEVICE &&
           syncing->outcome != OUTCOME_INTERRUPTED;
}

static err_code prune(struct syncing *syncing, struct pruning *pruning,
                      struct error *err)
{
    err_code code = ERR_OK;

    if (!syncing->is_begun) {
        code = session_begin(&syncing->session, err);
        syncing->is_begun = code == ERR_OK;
    }
    if (!code)
        code = pruning_carry_out(syncing->task, &syncing->session, pruning,
                                 &syncing->outcome, err);
    return code;
}

err_code sync_prune(struct syncing *syncing, int64_t held, struct error *err)
{
    CLEANUP(pruning_release) struct pruning pruning = {.arena = ARENA_INIT};
    struct task *task = syncing->task;
    struct platform_space space;

    if (!may_prune(syncing, held))
        return ERR_OK;
    err_code code =
        pruning_choose(task, syncing->config, syncing->catalogue,
                       &syncing->volume, syncing->jobs, 0, &pruning, err);
    if (code == ERR_REFUSED) /* an earlier run holds something: it said so */
        return ERR_OK;
    if (code || !pruning.info.files)
        return code;
    code = prune(syncing, &pruning, err);
    if (!code)
        code = platform_space(syncing->volume.root_fd, &space, err);
    if (code)
        return code;
    pruning.info.free_bytes = space.free_bytes;
    pruning_tell(task, syncing->config, &pruning);
    return ERR_OK;
}

err_code sync_make_room(struct syncing *syncing, int64_t needed_bytes,
                        int64_t held, struct error *err)
{
    struct platform_space space;
    err_code code = platform_space(syncing->volume.root_fd, &space, err);

    if (!code && needed_bytes > space.free_bytes)
        code = sync_prune(syncing, held, err);
    return code;
}
