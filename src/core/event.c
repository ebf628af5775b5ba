#include "core/event.h"

#include <stdlib.h>

struct event *event_new(enum event_kind kind, uint64_t command)
{
    struct event *event = xcalloc(1, sizeof *event);

    event->kind = kind;
    event->command = command;
    event->plan = (struct plan)PLAN_INIT;
    return event;
}

void eject_info_release(struct eject_info *info)
{
    free(info->drive);
    free(info->detail);
    platform_holders_release(&info->holders);
    *info = (struct eject_info){.step = EJECT_STEP_JOBS};
}

void event_free(struct event *event)
{
    if (!event)
        return;
    free(event->job);
    free(event->volume);
    free(event->path);
    free(event->text);
    free(event->volume_info.mount_point);
    free(event->volume_info.family);
    free(event->volume_info.problem);
    free(event->job_info.source);
    free(event->job_info.target);
    free(event->check.remedy);
    free(event->setting.hint);
    rsync_line_release(&event->rsync);
    plan_release(&event->plan);
    drives_release(&event->drives);
    eject_info_release(&event->eject);
    free(event);
}
