#include "core/task_schedule.h"

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "core/catalogue.h"
#include "core/volume.h"
#include "platform/platform.h"
#include "platform/platform_host.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define META_MOUNTED_AT "mounted_at" /* where the volume was when installed */

/* --- the timetable --- */

static void add_string(char ***items, size_t *count, const char *text)
{
    *items = xrealloc(*items, (*count + 1) * sizeof **items);
    (*items)[(*count)++] = xstrdup(text);
}

static void free_strings(char **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i]);
    free(items);
}

void timetable_release(struct timetable *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct planned *planned = &table->items[i];
        free_strings(planned->timer.words, planned->timer.word_count);
        free_strings(planned->timer.mounts, planned->timer.mount_count);
        free(planned->name);
        free(planned->jobs);
    }
    free(table->items);
    free(table->timers);
    *table = (struct timetable){.items = NULL};
}

/* Said in full: a timer does not have this shell's environment. */
static void begin_words(const struct task *task, struct platform_timer *timer,
                        const char *at)
{
    const char *const words[] = {"--config",
                                 task->context->config_path,
                                 "--state-dir",
                                 task->context->state_directory,
                                 "sync",
                                 "--scheduled",
                                 at};

    for (size_t i = 0; i < COUNT_OF(words); i++)
        add_string(&timer->words, &timer->word_count, words[i]);
}

static struct planned *planned_at(const struct task *task,
                                  struct timetable *table, const char *at)
{
    bool on_plug = !strchr(at, ':');

    for (size_t i = 0; i < table->count; i++)
        if (on_plug ? !table->items[i].timer.at
                    : table->items[i].timer.at &&
                          !strcmp(table->items[i].timer.at, at))
            return &table->items[i];
    struct planned planned = {
        .timer = {.at = on_plug ? NULL : at},
        .name = on_plug ? xstrdup("plug") : xasprintf("%.2s%.2s", at, at + 3),
    };
    planned.timer.name = planned.name;
    begin_words(task, &planned.timer, at);
    ARRAY_PUSH(table, planned);
    return &table->items[table->count - 1];
}

/* Where it is mounted, or was when the schedule was installed. "" unknown. */
static char *mount_point_of(struct task *task,
                            const struct config_volume *config)
{
    CLEANUP(volume_release) struct volume volume = VOLUME_INIT;
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP_FREE char *path = NULL;
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    bool is_known;

    if (!volume_locate(task->context->platform, config, &volume, NULL))
        return xstrdup(volume.mount.mount_point);
    if (task_open_reader(task, config, &catalogue, &path, NULL) ||
        catalogue_get_meta(catalogue, META_MOUNTED_AT, &found, &is_known,
                           NULL) ||
        !is_known || !found.length)
        return xstrdup("");
    return strbuf_detach(&found);
}

static err_code remember_mount(struct task *task,
                               const struct config_volume *config,
                               const char *mount, struct error *err)
{
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    err_code code = task_open_catalogue(task, config, &catalogue, err);

    if (!code)
        code = catalogue_set_meta(catalogue, META_MOUNTED_AT, mount, err);
    return code;
}

static bool has_mount(const struct platform_timer *timer, const char *mount)
{
    for (size_t i = 0; i < timer->mount_count; i++)
        if (!strcmp(timer->mounts[i], mount))
            return true;
    return false;
}

static err_code add_mounts(struct task *task, const struct config_job *job,
                           bool is_strict, struct platform_timer *timer,
                           struct error *err)
{
    err_code code = ERR_OK;

    for (size_t i = 0; !code && i < job->target_count; i++) {
        const struct config_volume *volume =
            config_find_volume(&task->config, job->targets[i].volume);
        CLEANUP_FREE char *mount = mount_point_of(task, volume);
        if (!*mount && is_strict)
            return error_set(err, ERR_NOT_FOUND,
                             "job %s is to start when volume %s is plugged in, "
                             "but nobody knows yet where it is mounted then: "
                             "plug it in, and run `berth schedule install` "
                             "once more",
                             job->name, volume->name);
        if (*mount && is_strict)
            code = remember_mount(task, volume, mount, err);
        if (*mount && !has_mount(timer, mount))
            add_string(&timer->mounts, &timer->mount_count, mount);
    }
    return code;
}

err_code timetable_make(struct task *task, bool is_strict,
                        struct timetable *out, struct error *err)
{
    struct timetable table = {.items = NULL};
    err_code code = ERR_OK;

    for (size_t j = 0; !code && j < task->config.job_count; j++) {
        const struct config_job *job = &task->config.jobs[j];
        if (!job->schedule)
            continue;
        struct planned *planned = planned_at(task, &table, job->schedule);
        add_string(&planned->timer.words, &planned->timer.word_count,
                   job->name);
        char *jobs = xasprintf("%s%s%s", planned->jobs ? planned->jobs : "",
                               planned->jobs ? ", " : "", job->name);
        free(planned->jobs);
        planned->jobs = jobs;
        if (!planned->timer.at)
            code = add_mounts(task, job, is_strict, &planned->timer, err);
    }
    table.timers = xcalloc(table.count + 1, sizeof *table.timers);
    for (size_t i = 0; i < table.count; i++)
        table.timers[i] = table.items[i].timer;
    if (code) {
        timetable_release(&table);
        return code;
    }
    *out = table;
    return ERR_OK;
}

/* --- show --- */

static const char *at_of(const struct planned *planned)
{
    return planned->timer.at ? planned->timer.at : "on-plug";
}

static err_code post_planned(struct task *task, const struct planned *planned,
                             const struct platform_schedule *found,
                             struct error *err)
{
    struct event *event = task_event(task, EVENT_SCHEDULE);
    struct schedule_info *info = &event->schedule;
    err_code code = night_read(task->context->state_directory, at_of(planned),
                               &info->record, err);

    if (code) {
        event_free(event);
        return code;
    }
    event->job = xstrdup(planned->jobs);
    event->text = xstrdup(at_of(planned));
    event->path = xstrdup(found->kind);
    info->is_installed = found->is_installed;
    info->is_current = found->is_current;
    info->is_idle = found->idle != NULL;
    info->lingers = found->lingers;
    info->next_ns =
        found->is_current ? night_next(at_of(planned), clock_now_ns()) : 0;
    if (found->is_installed)
        info->overdue = night_overdue(&info->record, at_of(planned),
                                      clock_now_ns(), &info->overdue_ns);
    task_post(task, event);
    return ERR_OK;
}

static void say_what_is_wrong(struct task *task, size_t count,
                              const struct platform_schedule *found)
{
    CLEANUP_FREE char *user = platform_user_name();

    if (!count && !found->is_installed)
        task_say(task, "no job has a schedule: add schedule = \"02:00\" (or "
                       "\"on-plug\") to one in the configuration, then run "
                       "`berth schedule install`");
    else if (!count)
        task_say(task,
                 "a %s is installed, but no job has a schedule any "
                 "more: `berth schedule remove` removes it",
                 found->kind);
    else if (!found->is_installed)
        task_say(task, "nothing is installed: nothing starts by itself until "
                       "`berth schedule install`");
    else if (found->idle)
        task_say(task,
                 "nothing starts by itself: %s is not running, start it (as "
                 "root: `service %s start`)",
                 found->idle, found->idle);
    else if (!found->is_current)
        task_say(task,
                 "what is installed (%s) is not what the configuration "
                 "says now, or is switched off: run `berth schedule "
                 "install` once more",
                 found->kind);
    if (count && found->is_installed && !found->lingers)
        task_say(task,
                 "nothing is started while %s is logged out: `sudo "
                 "loginctl enable-linger %s` changes that",
                 user, user);
}

err_code task_schedule_show(struct task *task, enum outcome *outcome,
                            struct error *err)
{
    CLEANUP(timetable_release) struct timetable table = {.items = NULL};
    struct platform_schedule found;
    err_code code = timetable_make(task, false, &table, err);

    if (!code)
        code = platform_schedule_check(table.timers, table.count, &found, err);
    for (size_t i = 0; !code && i < table.count; i++)
        code = post_planned(task, &table.items[i], &found, err);
    if (!code)
        say_what_is_wrong(task, table.count, &found);
    return code;
}

/* --- install, remove --- */

/* UDisks2 asks polkit, which refuses whoever has no seat, unless a rule says
 * otherwise. */
static void say_who_may_mount(struct task *task)
{
    struct platform_rights rights;
    struct error err = ERROR_INIT;
    bool is_known =
        !platform_unwatched_rights(task->context->platform, &rights, &err);

    if (is_known && rights.may_mount)
        return;
    for (size_t v = 0; v < task->config.volume_count; v++) {
        const struct config_volume *volume = &task->config.volumes[v];
        if (volume->mount && is_known)
            task_say(task,
                     "volume %s is to be mounted by a run that has no seat, "
                     "which UDisks2 refuses: berth-polkit.rules, among berth's "
                     "examples, allows it",
                     volume->name);
        else if (volume->mount)
            task_say(task,
                     "volume %s is to be mounted by a run that nobody watches; "
                     "whether that is allowed is not known: %s: `berth doctor` "
                     "asks again",
                     volume->name, err.message);
    }
}

/* From now on a night without a run is a missed one. */
static err_code note_installed(struct task *task, const struct planned *planned,
                               struct error *err)
{
    const char *state = task->context->state_directory;
    struct night_record record;
    err_code code = night_read(state, at_of(planned), &record, err);

    if (!code) {
        record.installed_ns = clock_now_ns();
        code = night_write(state, at_of(planned), &record, err);
    }
    return code;
}

err_code task_schedule_install(struct task *task, enum outcome *outcome,
                               struct error *err)
{
    CLEANUP(timetable_release) struct timetable table = {.items = NULL};
    err_code code = timetable_make(task, true, &table, err);

    if (!code && !table.count)
        code = error_set(err, ERR_INVALID,
                         "no job in %s has a schedule: add schedule = "
                         "\"02:00\" or \"on-plug\" to one; `berth schedule "
                         "remove` removes what is installed",
                         task->config.path);
    if (!code)
        code = platform_schedule_install(table.timers, table.count, err);
    for (size_t i = 0; !code && i < table.count; i++)
        code = note_installed(task, &table.items[i], err);
    if (code)
        return code;
    say_who_may_mount(task);
    return task_schedule_show(task, outcome, err);
}

err_code task_schedule_remove(struct task *task, enum outcome *outcome,
                              struct error *err)
{
    bool was_there = false;
    err_code code = platform_schedule_remove(&was_there, err);

    if (!code && !was_there)
        task_say(task, "nothing was installed");
    return code;
}

/* --- the runs themselves --- */

void task_begin_night(struct task *task)
{
    const char *state = task->context->state_directory;
    const char *at = task->command->scheduled;
    struct night_record record;
    struct error err = ERROR_INIT;
    char when[32], runs[QUANTITY_SIZE];
    err_code code = night_read(state, at, &record, &err);

    if (!code) {
        night_begin(&record, at, clock_now_ns());
        code = night_write(state, at, &record, &err);
    }
    if (code) {
        task_say(task, "cannot note that the run of %s begins: %s", at,
                 err.message);
        return;
    }
    if (!record.missed)
        return;
    clock_format_local(record.missed_at_ns, when, sizeof when);
    task_say(task,
             "%s missed since %s: the machine was off or asleep, or nobody was "
             "logged in",
             format_things(record.missed, "scheduled run", runs), when);
}

void task_end_night(struct task *task, enum outcome outcome)
{
    const char *state = task->context->state_directory;
    const char *at = task->command->scheduled;
    struct night_record record;
    struct error err = ERROR_INIT;
    err_code code = night_read(state, at, &record, &err);

    record.ended_ns = clock_now_ns();
    record.exit_code = (int)outcome;
    if (!code)
        code = night_write(state, at, &record, &err);
    if (code)
        task_say(task, "cannot note that the run of %s has ended: %s", at,
                 err.message);
}
