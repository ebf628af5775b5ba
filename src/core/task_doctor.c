#include "core/task_doctor.h"

#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/crons.h"
#include "core/task_schedule.h"
#include "platform/platform_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void doctor_tell(struct examination *exam, enum check_level level,
                 const char *topic, const char *remedy, const char *format, ...)
{
    struct event *event = task_event(exam->task, EVENT_CHECK);
    char words[ERROR_MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    event->check.level = level;
    event->check.remedy = remedy ? xstrdup(remedy) : NULL;
    event->path = xstrdup(topic);
    event->text = xstrdup(words);
    task_post(exam->task, event);
    exam->findings += level == CHECK_FINDING;
}

/* --- the configuration, the machine --- */

static void examine_config(struct examination *exam)
{
    const struct config *config = &exam->task->config;
    char volumes[QUANTITY_SIZE], jobs[QUANTITY_SIZE];

    if (!config->job_count)
        doctor_tell(
            exam, CHECK_NOTE, "configuration",
            "`berth init` looks for drives and for rsync lines to start from",
            "%s has no job yet", config->path);
    else
        doctor_tell(
            exam, CHECK_FINE, "configuration", NULL, "%s: %s, %s", config->path,
            format_things((int64_t)config->volume_count, "volume", volumes),
            format_things((int64_t)config->job_count, "job", jobs));
}

/* As after one run with sudo: what is there can be read, and no more. */
static void examine_state(struct examination *exam)
{
    const char *state = exam->task->context->state_directory;
    CLEANUP_FREE char *volumes = path_join(state, "volumes");

    if (access(state, R_OK | W_OK | X_OK) ||
        (!access(volumes, F_OK) && access(volumes, R_OK | W_OK | X_OK)))
        doctor_tell(exam, CHECK_FINDING, "state",
                    "give it back to this user, with what is in it (chown -R)",
                    "%s cannot be written by this user: no sync can begin",
                    state);
    for (size_t i = 0; i < exam->task->config.volume_count; i++) {
        CLEANUP_FREE char *catalogue =
            xasprintf("%s/%s.db", volumes, exam->task->config.volumes[i].id);
        if (!access(catalogue, F_OK) && access(catalogue, R_OK | W_OK))
            doctor_tell(exam, CHECK_FINDING, "state",
                        "give it back to this user (chown)",
                        "%s cannot be written by this user", catalogue);
    }
}

static void examine_clock(struct examination *exam)
{
    if (platform_clock_is_synchronised())
        doctor_tell(exam, CHECK_FINE, "clock", NULL, "follows a time server");
    else
        doctor_tell(
            exam, CHECK_FINDING, "clock",
            "switch network time on (`timedatectl set-ntp true`)",
            "the system's clock follows no other one: until it does, `move` "
            "removes no local file; versions go by age when two runs agree");
}

/* --- rsync, as before --- */

static bool is_below_a_mount(const struct drives *drives, const char *path)
{
    for (size_t i = 0; i < drives->count; i++)
        for (size_t j = 0; j < drives->items[i].volumes.count; j++) {
            const struct drive_volume *volume =
                &drives->items[i].volumes.items[j];
            if (*volume->name && *volume->mount_point &&
                path_overlaps(path, volume->mount_point))
                return true;
        }
    return false;
}

static void examine_crons(struct examination *exam, const struct drives *drives)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(rsync_lines_release) struct rsync_lines lines = {.items = NULL};

    platform_cron_lines(&text);
    crons_find_rsync(text.length ? text.text : "", exam->task->context->home,
                     &lines);
    for (size_t i = 0; i < lines.count; i++) {
        const struct rsync_line *line = &lines.items[i];
        if (!is_below_a_mount(drives, line->target))
            doctor_tell(
                exam, CHECK_NOTE, "old cron line", NULL,
                "%s: rsync copies %s to %s, which is no volume of berth's",
                line->where, line->source, line->target);
        else
            doctor_tell(
                exam, CHECK_FINDING, "old cron line",
                "comment it out once berth has synced",
                "%s: rsync still writes to %s%s", line->where, line->target,
                line->deletes ? ", and its --delete would remove .berth, with "
                                "all versions and the catalogue"
                              : "");
    }
}

/* --- what nobody watches --- */

/* UDisks2 refuses whoever has no seat, unless polkit is told (PLATFORM). */
static void examine_rights(struct examination *exam)
{
    static const char remedy[] =
        "copy berth-polkit.rules, among berth's examples, to "
        "/etc/polkit-1/rules.d, and join the group it names";
    const struct config *config = &exam->task->config;
    struct platform_rights rights;
    struct error err = ERROR_INIT;
    bool is_needed = false;

    for (size_t i = 0; i < config->volume_count; i++)
        is_needed |= config->volumes[i].mount;
    if (platform_unwatched_rights(exam->task->context->platform, &rights,
                                  &err)) {
        if (is_needed)
            doctor_tell(exam, CHECK_NOTE, "rights", NULL,
                        "whether a timer may mount a drive is not known: %s",
                        err.message);
        return;
    }
    if (!rights.may_mount)
        doctor_tell(
            exam, is_needed ? CHECK_FINDING : CHECK_NOTE, "rights", remedy,
            "a timer of this user may not mount drives: only who sits at the "
            "machine may");
    if (!rights.may_power_off)
        doctor_tell(
            exam, CHECK_NOTE, "rights", remedy,
            "a timer of this user may not power drives off: `sync --eject` "
            "there ends with UNMOUNTED AND FLUSHED");
    if (rights.may_mount && rights.may_power_off)
        doctor_tell(exam, CHECK_FINE, "rights", NULL,
                    "a timer may mount drives and power them off");
}

/* --- the schedule --- */

static void examine_night(struct examination *exam,
                          const struct planned *planned)
{
    const char *at = planned->timer.at ? planned->timer.at : "on-plug";
    CLEANUP_FREE char *topic = xasprintf("schedule %s", at);
    struct night_record record;
    struct error err = ERROR_INIT;
    int64_t first = 0;
    char when[32], runs[QUANTITY_SIZE];

    if (night_read(exam->task->context->state_directory, at, &record, &err)) {
        doctor_tell(exam, CHECK_FINDING, topic, NULL, "%s", err.message);
        return;
    }
    int64_t overdue = night_overdue(&record, at, clock_now_ns(), &first);
    clock_format_local(first, when, sizeof when);
    if (overdue)
        doctor_tell(exam, CHECK_FINDING, topic,
                    "is the machine on then? `berth sync` does it now",
                    "%s of %s did not happen, the first %s",
                    format_things(overdue, "run", runs), planned->jobs, when);
    if (record.ended_ns && record.exit_code)
        doctor_tell(
            exam, CHECK_FINDING, topic,
            "`berth history` has the runs, the journal or cron's mail their "
            "words",
            "its last run ended with %d", record.exit_code);
}

static err_code examine_schedule(struct examination *exam, struct error *err)
{
    CLEANUP(timetable_release) struct timetable table = {.items = NULL};
    struct platform_schedule found;
    err_code code = timetable_make(exam->task, false, &table, err);

    if (!code)
        code = platform_schedule_check(table.timers, table.count, &found, err);
    if (code)
        return code;
    if (!table.count)
        doctor_tell(
            exam, CHECK_NOTE, "schedule",
            "schedule = \"02:00\" in a job, then `berth schedule install`",
            "no job has one");
    else if (found.idle)
        doctor_tell(exam, CHECK_FINDING, "schedule", "start it",
                    "installed as a %s, but %s is not running", found.kind,
                    found.idle);
    else if (!found.is_current)
        doctor_tell(
            exam, CHECK_FINDING, "schedule", "run `berth schedule install`",
            found.is_installed
                ? "what is installed is not what the configuration says"
                : "the configuration has one, but nothing is installed");
    else
        doctor_tell(exam, CHECK_FINE, "schedule", NULL, "installed as a %s",
                    found.kind);
    if (table.count && found.is_installed && !found.lingers) {
        CLEANUP_FREE char *user = platform_user_name();
        CLEANUP_FREE char *remedy =
            xasprintf("`sudo loginctl enable-linger %s`", user);
        doctor_tell(exam, CHECK_FINDING, "schedule", remedy,
                    "nothing is started while %s is logged out", user);
    }
    for (size_t i = 0; found.is_installed && i < table.count; i++)
        examine_night(exam, &table.items[i]);
    return ERR_OK;
}

err_code task_doctor(struct task *task, enum outcome *outcome,
                     struct error *err)
{
    struct examination exam = {.task = task};
    const struct config *config = &task->config;
    CLEANUP(drives_release) struct drives drives = {.items = NULL};

    examine_config(&exam);
    examine_state(&exam);
    examine_clock(&exam);
    examine_rights(&exam);
    err_code code = doctor_examine_drives(&exam, &drives, err);
    for (size_t i = 0; !code && i < config->job_count; i++)
        code = doctor_examine_job(&exam, &config->jobs[i], err);
    for (size_t i = 0; !code && i < config->volume_count; i++)
        doctor_examine_catalogue(&exam, &config->volumes[i]);
    if (!code)
        examine_crons(&exam, &drives);
    if (!code)
        code = examine_schedule(&exam, err);
    if (!code && exam.findings)
        *outcome = OUTCOME_FAILED_FILES;
    return code;
}
