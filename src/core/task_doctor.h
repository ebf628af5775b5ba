/*
 * `berth doctor`, shared by the task_doctor*.c files only:
 *
 *     task_doctor.c         the configuration, the machine, old rsync lines,
 *                           the schedule
 *     task_doctor_drives.c  drives, and the volumes on them
 *     task_doctor_jobs.c    jobs, and what the catalogues know of them
 */
#ifndef BERTH_TASK_DOCTOR_H
#define BERTH_TASK_DOCTOR_H

#include "core/registry.h"
#include "core/task.h"

struct examination {
    struct task *task;
    int64_t findings;
};

/* `remedy` NULL: there is nothing to do. */
void PRINTF_LIKE(5, 6)
    doctor_tell(struct examination *exam, enum check_level level,
                const char *topic, const char *remedy, const char *format, ...);

err_code doctor_examine_drives(struct examination *exam, struct drives *drives,
                               struct error *err) MUST_CHECK;
err_code doctor_examine_job(struct examination *exam,
                            const struct config_job *job, struct error *err)
    MUST_CHECK;
/* What the last diff and verify left, and jobs that are no more. */
void doctor_examine_catalogue(struct examination *exam,
                              const struct config_volume *volume);

#endif
