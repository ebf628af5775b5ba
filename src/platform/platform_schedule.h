/*
 * What the system starts by itself: berth's own timers, and the lines of
 * others in the crontabs. Blocking: a task's thread only. Implemented in
 * linux/linux_schedule.c (systemd user units, else the crontab),
 * macos/macos_schedule.c (launchd agents) and practice/practice_schedule.c.
 */
#ifndef BERTH_PLATFORM_SCHEDULE_H
#define BERTH_PLATFORM_SCHEDULE_H

#include "core/base/error.h"
#include "core/base/strbuf.h"

#include <stdbool.h>
#include <stddef.h>

/* One command line of berth, started every day or with a mount. */
struct platform_timer {
    const char *name; /* "0200", "plug": part of file names */
    const char *at;   /* "02:00"; NULL: when one of these is mounted */
    char **mounts;    /* mount points */
    size_t mount_count;
    char **words; /* behind the program's own path, which is found here */
    size_t word_count;
};

struct platform_schedule {
    const char *kind;  /* "systemd user timer", "crontab", "launchd agent" */
    bool is_installed; /* something of berth's is there */
    bool is_current;   /* exactly these timers, and switched on */
    /* "cron", where these are installed and nothing runs that starts them. */
    const char *idle;
    int lingers; /* 0: nothing runs while the user is logged out; -1:
                    does not apply, or not known */
};

/*
 * Replaces what is installed; none: like remove. ERR_UNSUPPORTED when the
 * system cannot do it (a crontab knows no plugs), with what can.
 */
err_code platform_schedule_install(const struct platform_timer *timers,
                                   size_t count, struct error *err) MUST_CHECK;
err_code platform_schedule_remove(bool *out_was_there, struct error *err)
    MUST_CHECK;
/* Whether it is there as install would make it now. */
err_code platform_schedule_check(const struct platform_timer *timers,
                                 size_t count, struct platform_schedule *out,
                                 struct error *err) MUST_CHECK;

/*
 * Appends the lines of the user's crontab and of the system's that can be
 * read, comments left out: "WHERE\tLINE\n".
 */
void platform_cron_lines(struct strbuf *out);
/*
 * Makes a comment of such a line of the user's own crontab (WHERE is
 * "crontab"), all of them that read so. ERR_NOT_FOUND when none does.
 */
err_code platform_cron_silence(const char *line, struct error *err) MUST_CHECK;

#endif
