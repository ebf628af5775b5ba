#include "core/task_sync.h"

#include "core/base/fdio.h"
#include "core/base/path.h"
#include "core/scan.h"

#include <stdlib.h>

/* What could not be read: the first ones by name and reason. */
enum { TOLD = 3 };

/* Asked once more, on both sides: a plan keeps no words. */
static err_code ask_why(const struct job_run *run, const struct action *action,
                        struct error *why)
{
    const enum platform_open how = action->type == ENTRY_DIRECTORY
                                       ? PLATFORM_OPEN_DIRECTORY
                                       : PLATFORM_OPEN_READ;
    CLEANUP_FREE char *there =
        path_join(run->pair->target->directory, action_drive(action));
    CLEANUP_FD int fd = -1;
    CLEANUP_FD int drive_fd = -1;
    err_code code = scan_check_depth(there, why); /* the deeper of both */

    if (!code)
        code = source_open(&run->prepared.source, action_raw(action), how, &fd,
                           why);
    if (code || action->type != ENTRY_DIRECTORY)
        return code;
    code = platform_open_beneath(run->syncing->volume.root_fd, there, how,
                                 &drive_fd, why);
    if (code)
        error_prefix(why, "on volume %s", run->syncing->config->name);
    return code;
}

static void tell(struct job_run *run, const struct action *action)
{
    struct error why = ERROR_INIT;
    err_code code = ask_why(run, action, &why);

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
