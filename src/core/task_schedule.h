/* Shared by the files of schedule, doctor and sync only. */
#ifndef BERTH_TASK_SCHEDULE_H
#define BERTH_TASK_SCHEDULE_H

#include "core/nights.h"
#include "core/task.h"
#include "platform/platform_schedule.h"

/* What the jobs' `schedule` keys ask for, one a time of day. */
struct planned {
    struct platform_timer timer;
    char *name;
    char *jobs; /* "docs, media" */
};
struct timetable {
    struct planned *items;
    struct platform_timer *timers; /* the same, as the platform takes them */
    size_t count, capacity;
};

/* `is_strict`: ERR_NOT_FOUND when the mount point of a volume that starts a
 * job is not known; else it is left out. */
err_code timetable_make(struct task *task, bool is_strict,
                        struct timetable *out, struct error *err) MUST_CHECK;
void timetable_release(struct timetable *table);

/* Sync with --scheduled: notes that the run begins and, at the end, how it
 * went; says what was missed. */
void task_begin_night(struct task *task);
void task_end_night(struct task *task, enum outcome outcome);

#endif
