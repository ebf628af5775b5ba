#include "core/task_schedule.h"

#include "core/base/clock.h"
#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/contents.h"
#include "core/crons.h"
#include "core/registry.h"
#include "core/source_mounts.h"
#include "core/volume.h"
#include "platform/platform_host.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct examination {
    struct task *task;
    int64_t findings;
};

/* `remedy` NULL: there is nothing to do. */
static void PRINTF_LIKE(5, 6)
    tell(struct examination *exam, enum check_level level, const char *topic,
         const char *remedy, const char *format, ...)
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
        tell(exam, CHECK_NOTE, "configuration",
             "`berth init` looks for drives and for rsync lines to start from",
             "%s has no job yet", config->path);
    else
        tell(exam, CHECK_FINE, "configuration", NULL, "%s: %s, %s",
             config->path,
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
        tell(exam, CHECK_FINDING, "state",
             "give it back to this user, with what is in it (chown -R)",
             "%s cannot be written by this user: no sync can begin", state);
    for (size_t i = 0; i < exam->task->config.volume_count; i++) {
        CLEANUP_FREE char *catalogue =
            xasprintf("%s/%s.db", volumes, exam->task->config.volumes[i].id);
        if (!access(catalogue, F_OK) && access(catalogue, R_OK | W_OK))
            tell(exam, CHECK_FINDING, "state",
                 "give it back to this user (chown)",
                 "%s cannot be written by this user", catalogue);
    }
}

static void examine_clock(struct examination *exam)
{
    if (platform_clock_is_synchronised())
        tell(exam, CHECK_FINE, "clock", NULL, "follows a time server");
    else
        tell(exam, CHECK_FINDING, "clock",
             "switch network time on (`timedatectl set-ntp true`)",
             "the system's clock follows no other one: until it does, `move` "
             "removes no local file; versions go by age when two runs agree");
}

/* --- volumes --- */

struct family {
    const char *name;
    const char *loses, *readers;
};

static const struct family families[] = {
    {"exfat",
     "no journal (eject before unplugging), no permissions, owners, links or "
     "extended attributes (berth's catalogue keeps them), times to 10 ms",
     "Mac, Linux, Windows, most TVs"},
    {"vfat",
     "no file over 4 GB, no journal (eject before unplugging), no "
     "permissions, links or extended attributes (berth's catalogue keeps "
     "them), times to 2 s",
     "Mac, Linux, Windows, TVs"},
    {"ntfs", "owners and permissions of Linux",
     "Linux, Windows; Mac reads only"},
    {"ext4", "nothing that berth copies", "Linux; neither Mac nor TV"},
    {"btrfs", "nothing that berth copies", "Linux; neither Mac nor TV"},
    {"xfs", "nothing that berth copies", "Linux; neither Mac nor TV"},
    {"apfs", "nothing that berth copies", "Mac only"},
    {"hfs", "times to 1 s", "Mac; Linux if its journal is off"},
};

static void describe_family(struct examination *exam, const char *topic,
                            const char *family)
{
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (!strcmp(families[i].name, family))
            tell(exam, CHECK_NOTE, topic, NULL, "%s loses: %s; read by: %s",
                 family, families[i].loses, families[i].readers);
}

static int64_t sync_age_ns(const struct drive_volume *volume)
{
    return clock_now_ns() - volume->last_sync_ns;
}

static void examine_age(struct examination *exam, const char *topic,
                        const struct config_volume *config,
                        const struct drive_volume *volume)
{
    char age[QUANTITY_SIZE];

    if (config->role != VOLUME_BACKUP || !volume->last_sync_ns ||
        sync_age_ns(volume) <= config->stale_after_ns)
        return;
    CLEANUP_FREE char *remedy =
        xasprintf("%srun `berth sync %s`",
                  volume->is_mounted ? "" : "plug it in and ", config->name);
    tell(exam, CHECK_FINDING, topic, remedy,
         "was last in sync %s ago, longer than its stale_after",
         format_duration(sync_age_ns(volume), age));
}

static void examine_volume(struct examination *exam,
                           const struct drive_volume *volume)
{
    const struct config_volume *config =
        config_find_volume(&exam->task->config, volume->name);
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);

    if (!config) {
        CLEANUP_FREE char *place = xasprintf("mount %s", volume->mount_point);
        if (volume->is_mounted && *volume->problem)
            tell(exam, CHECK_FINDING, place, NULL, "%s", volume->problem);
        return;
    }
    examine_age(exam, topic, config, volume);
    if (*volume->problem)
        tell(exam, CHECK_FINDING, topic, NULL, "%s", volume->problem);
    if (!volume->is_mounted) {
        tell(exam, CHECK_NOTE, topic, NULL, "is away or not mounted");
        return;
    }
    if (volume->is_read_only && config->role == VOLUME_BACKUP)
        tell(exam, CHECK_FINDING, topic,
             "check the filesystem and mount it writable",
             "is mounted read-only at %s, and is to be written",
             volume->mount_point);
    if (volume->is_dirty > 0)
        tell(exam, CHECK_FINDING, topic,
             "unmount it and run fsck.exfat on its device",
             "was unplugged without eject");
    if (!volume->is_folder)
        describe_family(exam, topic, volume->family);
    if (access(volume->mount_point, R_OK | X_OK))
        tell(exam, CHECK_FINDING, topic, "let this user read it",
             "%s cannot be read by this user", volume->mount_point);
}

static void examine_drive(struct examination *exam, const struct drive *drive)
{
    CLEANUP_FREE char *topic = xasprintf("drive %s", drive->title);

    if (drive->is_attached && (drive->health.state == HEALTH_WATCH ||
                               drive->health.state == HEALTH_FAILING))
        tell(exam, CHECK_FINDING, topic,
             drive->has_readings && drive->readings.has_under_voltage > 0
                 ? "use the power supply made for this board, and a powered hub"
                 : "copy what only it has to another drive",
             "%s: %s", health_state_name(drive->health.state),
             drive->health.why);
    if (*drive->unsafe)
        tell(exam, CHECK_FINDING, topic,
             drive->has_failed_flush ? "run `berth sync` and `berth verify`"
                                     : NULL,
             "%s", drive->unsafe);
    if (*drive->unrepaired)
        tell(exam, CHECK_FINDING, topic, "run `berth sync`", "%s",
             drive->unrepaired);
    for (size_t i = 0; i < drive->volumes.count; i++)
        examine_volume(exam, &drive->volumes.items[i]);
}

static err_code examine_drives(struct examination *exam, struct drives *drives,
                               struct error *err)
{
    struct task *task = exam->task;
    struct health_store *health =
        health_store_new(task->context->state_directory);
    const struct registry registry = {
        .platform = task->context->platform,
        .config = &task->config,
        .state_directory = task->context->state_directory,
        .host = task->host,
        .health = health,
    };
    err_code code = registry_list(&registry, drives, err);

    for (size_t i = 0; !code && i < drives->count; i++)
        examine_drive(exam, &drives->items[i]);
    health_store_free(health);
    return code;
}

/* --- jobs: sources and names --- */

static void examine_source(struct examination *exam,
                           const struct config_job *job)
{
    CLEANUP_FREE char *topic = xasprintf("job %s", job->name);
    struct error err = ERROR_INIT;
    CLEANUP_FD int fd = -1;

    if (platform_open_root(job->source, &fd, &err))
        tell(exam, CHECK_FINDING, topic,
             "mount it, or let this user read it: a timer runs as this user",
             "%s", err.message);
    else if (access(job->source, R_OK | X_OK))
        tell(exam, CHECK_FINDING, topic, "let this user read it",
             "%s cannot be listed by this user", job->source);
    else
        tell(exam, CHECK_FINE, topic, NULL, "%s can be read", job->source);
}

/* --- filesystems below a source --- */

static void tell_mount(struct examination *exam, const struct config_job *job,
                       const char *volume, const struct source_mount *mount)
{
    CLEANUP_FREE char *topic = xasprintf("job %s", job->name);
    CLEANUP_FREE char *remedy = xasprintf(
        "mount what was there; if this is how it stays, `berth job claim %s`",
        job->name);

    if (mount->state == SOURCE_AWAY)
        tell(exam, CHECK_FINDING, topic, remedy,
             "%s: %s; its backup on volume %s stays as it is", mount->path,
             mount->why, volume);
    else if (mount->state == SOURCE_UNREADABLE)
        tell(exam, CHECK_FINDING, topic, "let this user read it, or exclude it",
             "%s", mount->why);
    else if (mount->state == SOURCE_LEFT)
        tell(exam, CHECK_NOTE, topic, NULL,
             "%s is another filesystem, and left alone: %s", mount->path,
             mount->why);
    else if (mount->state == SOURCE_ENTERED)
        tell(exam, CHECK_FINE, topic, NULL, "%s is another filesystem: %s",
             mount->path, mount->identity);
}

/* Seen from one target; what is the same for all of them, once. */
static err_code examine_mounts(struct examination *exam,
                               const struct config_job *job, size_t at,
                               struct error *err)
{
    struct task *task = exam->task;
    const struct config_target *target = &job->targets[at];
    CLEANUP(source_release) struct source source = SOURCE_INIT;
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(owner_release) struct owner owner = {.id = 0};
    CLEANUP_FREE char *path = NULL;
    struct source_search search = {
        .platform = task->context->platform,
        .config = &task->config,
        .job = job,
        .lists_all = true,
    };

    if (platform_open_root(job->source, &source.fd, NULL))
        return ERR_OK; /* told already */
    /* Of one that cannot be read examine_readings tells. */
    if (!task_open_reader(task,
                          config_find_volume(&task->config, target->volume),
                          &catalogue, &path, NULL) &&
        !catalogue_find_owner(catalogue, task->host, job->name,
                              target->directory, &owner, NULL)) {
        search.catalogue = catalogue;
        search.owner = &owner;
    }
    err_code code = source_find_mounts(&search, &source, err);
    for (size_t i = 0; !code && i < source.count; i++)
        if (!at || source.items[i].state == SOURCE_AWAY)
            tell_mount(exam, job, target->volume, &source.items[i]);
    return code;
}

/* A drive that took another's place knows nothing of what was offloaded. */
static void examine_copies(struct examination *exam,
                           const struct config_job *job)
{
    CLEANUP_FREE char *topic = xasprintf("job %s", job->name);
    CLEANUP_FREE char *remedy =
        xasprintf("with its drives plugged in, `berth restore %s` and `berth "
                  "sync %s` bring them to all of them, and move removes them "
                  "again; `berth copies PATH` tells of one",
                  job->source, job->name);
    struct error err = ERROR_INIT;
    char files[QUANTITY_SIZE];
    int64_t scarce = 0;

    if (job->mode != JOB_MOVE)
        return;
    if (task_count_scarce(exam->task, job, &scarce, &err))
        tell(exam, CHECK_FINDING, topic, NULL, "%s", err.message);
    else if (scarce)
        tell(exam, CHECK_FINDING, topic, remedy,
             "%s that it has removed from this machine %s on fewer drives than "
             "min_copies = %d",
             format_things(scarce, "file", files), plural(scarce, "is", "are"),
             job->min_copies);
}

static err_code examine_job(struct examination *exam,
                            const struct config_job *job, struct error *err)
{
    err_code code = ERR_OK;

    examine_source(exam, job);
    examine_copies(exam, job);
    for (size_t i = 0; !code && i < job->target_count; i++)
        code = examine_mounts(exam, job, i, err);
    return code;
}

/* Names that cannot be on the volume, sources that cannot be read. */
static void examine_leftovers(struct examination *exam,
                              const struct config_volume *volume)
{
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);
    CLEANUP_FREE char *remedy = xasprintf(
        "`berth diff %s` names them, each with its reason", volume->name);
    struct leftovers left = task_leftovers(exam->task, volume);
    char files[QUANTITY_SIZE];

    if (left.conflicts)
        tell(exam, CHECK_FINDING, topic, remedy,
             "%s in conflict: names that it cannot hold or tell apart, or "
             "changes that berth did not make",
             format_things(left.conflicts, "file", files));
    if (left.unreadable)
        tell(exam, CHECK_FINDING, topic, remedy,
             "%s of its jobs cannot be read",
             format_things(left.unreadable, "file", files));
}

/* --- what verify found --- */

static err_code count_rotten(void *context, const char *path,
                             const char *drive_path, const struct record *row,
                             struct error *err)
{
    int64_t *count = context;

    *count += (row->flags & RECORD_ROTTEN) != 0;
    return ERR_OK;
}

static void tell_rotten(struct examination *exam,
                        const struct config_volume *volume, int64_t rotten,
                        int64_t findings)
{
    char files[QUANTITY_SIZE];
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);
    CLEANUP_FREE char *heal =
        xasprintf("`berth verify %s --heal` makes them anew from what is good",
                  volume->name);
    CLEANUP_FREE char *look =
        xasprintf("`berth verify %s` names them, `berth volume refresh %s` "
                  "accepts them",
                  volume->name, volume->name);

    if (volume->role == VOLUME_READ_ONLY && findings)
        tell(exam, CHECK_FINDING, topic, look,
             "its last verify found %s not as recorded",
             format_things(findings, "file", files));
    else if (volume->role == VOLUME_BACKUP && rotten)
        tell(exam, CHECK_FINDING, topic, heal,
             "%s rotten or missing: looked at, and not what was written",
             format_things(rotten, "file", files));
}

/* --- jobs that the configuration does not know any more --- */

static const struct config_job *find_job_in(const struct config *config,
                                            const char *volume,
                                            const char *directory)
{
    for (size_t i = 0; i < config->job_count; i++)
        for (size_t t = 0; t < config->jobs[i].target_count; t++) {
            const struct config_target *target = &config->jobs[i].targets[t];
            if (!strcmp(target->volume, volume) &&
                !strcmp(target->directory, directory))
                return &config->jobs[i];
        }
    return NULL;
}

static err_code count_offloaded(void *context, const char *path,
                                const char *drive_path,
                                const struct record *row, struct error *err)
{
    int64_t *count = context;

    *count += row->type == ENTRY_FILE && row->flags & RECORD_OFFLOADED;
    return ERR_OK;
}

/* Its target was changed: what it had copied before is nobody's work now. */
static err_code tell_left_behind(struct examination *exam,
                                 const struct config_volume *volume,
                                 struct catalogue *catalogue,
                                 const struct owner *owner, struct error *err)
{
    const struct config *config = &exam->task->config;
    const struct config_job *job = config_find_job(config, owner->job);
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);
    char files[QUANTITY_SIZE];
    int64_t offloaded = 0;

    if (strcmp(owner->host, exam->task->host) != 0 || !job ||
        find_job_in(config, volume->name, owner->directory) == job)
        return ERR_OK;
    err_code code =
        catalogue_walk(catalogue, owner, count_offloaded, &offloaded, err);
    if (code)
        return code;
    tell(exam, CHECK_NOTE, topic, NULL,
         "job %s has no target %s:/%s any more: what it copied there stays, is "
         "not compared, and no rule removes its versions. `berth restore "
         "%s:/%s` gets it back",
         owner->job, volume->name, owner->directory, volume->name,
         owner->directory);
    if (offloaded)
        tell(exam, CHECK_NOTE, topic, NULL,
             "%s:/%s holds %s that job %s has removed from this machine",
             volume->name, owner->directory,
             format_things(offloaded, "file", files), owner->job);
    return ERR_OK;
}

/* Renamed, it has its directory still; removed, that is how it was meant. */
static void tell_forgotten(struct examination *exam,
                           const struct config_volume *volume,
                           const struct owner *owner)
{
    const struct config *config = &exam->task->config;
    const struct config_job *heir =
        find_job_in(config, volume->name, owner->directory);
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);

    if (strcmp(owner->host, exam->task->host) != 0 ||
        !strcmp(owner->job, CONTENTS_JOB) ||
        config_find_job(config, owner->job))
        return;
    if (!heir) {
        tell(exam, CHECK_NOTE, topic, NULL,
             "job %s is not in the configuration any more: what it copied to "
             "/%s stays, and no rule removes its versions",
             owner->job, owner->directory);
        return;
    }
    CLEANUP_FREE char *remedy = xasprintf("`berth job claim %s`", heir->name);
    tell(exam, CHECK_FINDING, topic, remedy,
         "job %s is not in the configuration any more, and job %s has its "
         "directory /%s now: its files and versions are listed under the old "
         "name, and no rule removes those",
         owner->job, heir->name, owner->directory);
}

/* Rows in quarantine stay there until they are made anew (ENGINE G8). */
static void examine_readings(struct examination *exam,
                             const struct config_volume *volume)
{
    CLEANUP_FREE char *topic = xasprintf("volume %s", volume->name);
    struct error err = ERROR_INIT;
    CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
    CLEANUP(owners_release) struct owners owners = {.items = NULL};
    CLEANUP(strbuf_release) struct strbuf found = STRBUF_INIT;
    CLEANUP_FREE char *path = NULL;
    bool was_verified = false;
    int64_t rotten = 0;
    err_code code =
        task_open_reader(exam->task, volume, &catalogue, &path, &err);

    if (code == ERR_NOT_FOUND)
        return; /* nothing was ever read */
    if (!code)
        code = catalogue_list_owners(catalogue, &owners, &err);
    for (size_t i = 0; !code && i < owners.count; i++)
        tell_forgotten(exam, volume, &owners.items[i]);
    for (size_t i = 0; !code && i < owners.count; i++)
        code =
            tell_left_behind(exam, volume, catalogue, &owners.items[i], &err);
    for (size_t i = 0; !code && i < owners.count; i++)
        if (!strcmp(owners.items[i].host, exam->task->host))
            code = catalogue_walk(catalogue, &owners.items[i], count_rotten,
                                  &rotten, &err);
    if (!code)
        code = catalogue_get_meta(catalogue, CONTENTS_FINDINGS, &found,
                                  &was_verified, &err);
    if (!code)
        tell_rotten(exam, volume, rotten,
                    was_verified ? strtoll(found.text, NULL, 10) : 0);
    else
        tell(exam, CHECK_FINDING, topic, NULL, "%s", err.message);
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
            tell(exam, CHECK_NOTE, "old cron line", NULL,
                 "%s: rsync copies %s to %s, which is no volume of berth's",
                 line->where, line->source, line->target);
        else
            tell(exam, CHECK_FINDING, "old cron line",
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
            tell(exam, CHECK_NOTE, "rights", NULL,
                 "whether a timer may mount a drive is not known: %s",
                 err.message);
        return;
    }
    if (!rights.may_mount)
        tell(exam, is_needed ? CHECK_FINDING : CHECK_NOTE, "rights", remedy,
             "a timer of this user may not mount drives: only who sits at the "
             "machine may");
    if (!rights.may_power_off)
        tell(exam, CHECK_NOTE, "rights", remedy,
             "a timer of this user may not power drives off: `sync --eject` "
             "there ends with UNMOUNTED AND FLUSHED");
    if (rights.may_mount && rights.may_power_off)
        tell(exam, CHECK_FINE, "rights", NULL,
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
        tell(exam, CHECK_FINDING, topic, NULL, "%s", err.message);
        return;
    }
    int64_t overdue = night_overdue(&record, at, clock_now_ns(), &first);
    clock_format_local(first, when, sizeof when);
    if (overdue)
        tell(exam, CHECK_FINDING, topic,
             "is the machine on then? `berth sync` does it now",
             "%s of %s did not happen, the first %s",
             format_things(overdue, "run", runs), planned->jobs, when);
    if (record.ended_ns && record.exit_code)
        tell(exam, CHECK_FINDING, topic,
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
        tell(exam, CHECK_NOTE, "schedule",
             "schedule = \"02:00\" in a job, then `berth schedule install`",
             "no job has one");
    else if (found.idle)
        tell(exam, CHECK_FINDING, "schedule", "start it",
             "installed as a %s, but %s is not running", found.kind,
             found.idle);
    else if (!found.is_current)
        tell(exam, CHECK_FINDING, "schedule", "run `berth schedule install`",
             found.is_installed
                 ? "what is installed is not what the configuration says"
                 : "the configuration has one, but nothing is installed");
    else
        tell(exam, CHECK_FINE, "schedule", NULL, "installed as a %s",
             found.kind);
    if (table.count && found.is_installed && !found.lingers) {
        CLEANUP_FREE char *user = platform_user_name();
        CLEANUP_FREE char *remedy =
            xasprintf("`sudo loginctl enable-linger %s`", user);
        tell(exam, CHECK_FINDING, "schedule", remedy,
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
    err_code code = examine_drives(&exam, &drives, err);
    for (size_t i = 0; !code && i < config->job_count; i++)
        code = examine_job(&exam, &config->jobs[i], err);
    for (size_t i = 0; !code && i < config->volume_count; i++) {
        examine_leftovers(&exam, &config->volumes[i]);
        examine_readings(&exam, &config->volumes[i]);
    }
    if (!code)
        examine_crons(&exam, &drives);
    if (!code)
        code = examine_schedule(&exam, err);
    if (!code && exam.findings)
        *outcome = OUTCOME_FAILED_FILES;
    return code;
}
