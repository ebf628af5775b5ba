#include "core/task_sync.h"

#include "core/base/fdio.h"

#include <stdlib.h>

/* What could not be read: the first ones by name and reason. */
enum { TOLD = 3 };

/* Asked once more: a plan keeps no words. */
static void tell(struct job_run *run, const struct action *action)
{
    struct error why = ERROR_INIT;
    CLEANUP_FD int fd = -1;
    err_code code = platform_open_beneath(
        run->prepared.source_fd, action_raw(action),
        action->type == ENTRY_DIRECTORY ? PLATFORM_OPEN_DIRECTORY
                                        : PLATFORM_OPEN_READ,
        &fd, &why);

    task_say(run->syncing->task,
             "job %s: %s could not be read%s%s; its backup "
             "stays as it is",
             run->pair->job->name, action->path, code ? ": " : "",
             code ? why.message : "");
}

void sync_tell_unread(struct job_run *run)
{
    int64_t told = 0;

    for (size_t i = 0; i < run->plan.count && told < TOLD; i++) {
        const struct action *action = &run->plan.items[i];
        if (action->kind != ACTION_SKIP || action->reason != REASON_UNREADABLE)
            continue;
        tell(run, action);
        told++;
    }
}
