/*
 * Shared by the files of the schedule only: systemd user units, and the
 * crontab where there is no systemd.
 */
#ifndef BERTH_LINUX_SCHEDULE_H
#define BERTH_LINUX_SCHEDULE_H

#include "platform/platform_schedule.h"

/* Below $HOME/.config/systemd/user: berth-NAME.service and .timer. */
err_code linux_units_install(const struct platform_timer *timers, size_t count,
                             const char *program, struct error *err) MUST_CHECK;
err_code linux_units_remove(bool *out_was_there, struct error *err) MUST_CHECK;
err_code linux_units_check(const struct platform_timer *timers, size_t count,
                           const char *program, struct platform_schedule *out,
                           struct error *err) MUST_CHECK;

/* Between two marks in the user's crontab; other lines stay as they are. */
err_code linux_crontab_install(const struct platform_timer *timers,
                               size_t count, const char *program,
                               struct error *err) MUST_CHECK;
err_code linux_crontab_remove(bool *out_was_there, struct error *err)
    MUST_CHECK;
err_code linux_crontab_check(const struct platform_timer *timers, size_t count,
                             const char *program, struct platform_schedule *out,
                             struct error *err) MUST_CHECK;

/* The user's crontab, without berth's lines; "" when there is none. */
void linux_crontab_read(struct strbuf *out);

#endif
