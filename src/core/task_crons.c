#include "core/crons.h"
#include "core/task.h"
#include "platform/platform_schedule.h"

#include <stdlib.h>

err_code task_rsync_lines(struct task *task, enum outcome *outcome,
                          struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(rsync_lines_release) struct rsync_lines lines = {.items = NULL};

    platform_cron_lines(&text);
    crons_find_rsync(text.length ? text.text : "", task->context->home, &lines);
    for (size_t i = 0; i < lines.count; i++) {
        struct event *event = task_event(task, EVENT_RSYNC_LINE);
        event->rsync = lines.items[i];
        lines.items[i] = (struct rsync_line){.where = NULL};
        task_post(task, event);
    }
    return ERR_OK;
}

err_code task_silence(struct task *task, enum outcome *outcome,
                      struct error *err)
{
    return platform_cron_silence(task->command->value, err);
}
