#include "core/task.h"

#include "core/base/array.h"
#include "core/base/path.h"
#include "core/crons.h"
#include "core/registry.h"
#include "platform/platform_schedule.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/*
 * The first run without the screen: which drives there are, and what rsync
 * copied to them until now. Says what it would add; does it when told to.
 */
struct beginning {
    struct task *task;
    struct drives drives;
    bool does_it;
    bool has_jobs; /* there were some to suggest */
    struct {
        char **items; /* owned: names that were suggested */
        size_t count, capacity;
    } names;
};

/* --- names --- */

/* Of a label or directory: what a name may contain (config.h). */
static char *plain_name(const char *text, const char *fallback)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    for (; *text && out.length < 64; text++) {
        unsigned char byte = (unsigned char)*text;
        if (isalnum(byte) || byte == '.' || byte == '_' ||
            (byte == '-' && out.length))
            strbuf_addch(&out, (char)byte);
        else if (byte == ' ' && out.length)
            strbuf_addch(&out, '_');
    }
    if (!out.length || !strcmp(out.text, ".") || !strcmp(out.text, ".."))
        return xstrdup(fallback);
    return strbuf_detach(&out);
}

/* In the configuration, or suggested for something else before. */
static bool is_taken(const struct beginning *begin, const char *name)
{
    const struct config *config = &begin->task->config;

    for (size_t i = 0; i < begin->names.count; i++)
        if (!strcmp(begin->names.items[i], name))
            return true;
    return config_find_volume(config, name) || config_find_job(config, name);
}

/* Borrowed from `begin`. */
static const char *free_name(struct beginning *begin, const char *wanted)
{
    char *name = xstrdup(wanted);

    for (int i = 2; is_taken(begin, name); i++) {
        free(name);
        name = xasprintf("%s%d", wanted, i);
    }
    ARRAY_PUSH(&begin->names, name);
    return name;
}

static void beginning_release(struct beginning *begin)
{
    drives_release(&begin->drives);
    for (size_t i = 0; i < begin->names.count; i++)
        free(begin->names.items[i]);
    free(begin->names.items);
}

/* --- saying and doing --- */

static void suggest(struct task *task, const char *why, const char *line)
{
    struct event *event = task_event(task, EVENT_SUGGESTION);

    event->path = xstrdup(why);
    event->text = xstrdup(line);
    task_post(task, event);
}

/* Says it, and whether it is to be done. */
static bool is_wanted(struct beginning *begin, const char *why,
                      const char *line)
{
    const struct command *command = begin->task->command;

    suggest(begin->task, why, line);
    for (size_t i = 0; i < command->name_count; i++)
        if (!strcmp(command->names[i], line))
            return false;
    return begin->does_it;
}

/* Runs another command of this task, with the configuration as it is now. */
static err_code carry_out(struct task *task, task_body *body,
                          struct command *command, struct error *err)
{
    struct command *own = task->command;
    enum outcome outcome = OUTCOME_DONE;
    struct config fresh = CONFIG_INIT;

    command->id = own->id;
    task->command = command;
    err_code code = body(task, &outcome, err);
    task->command = own;
    command_free(command);
    if (!code)
        code = config_load(task->context->config_path, task->context->home,
                           &fresh, err);
    if (!code) {
        config_release(&task->config);
        task->config = fresh;
    }
    return code;
}

static err_code begin_volume(struct beginning *begin, const char *title,
                             struct drive_volume *volume, struct error *err)
{
    CLEANUP_FREE char *wanted = plain_name(volume->label, "drive");
    const char *name = free_name(begin, wanted);
    CLEANUP_FREE char *line =
        xasprintf("berth volume add '%s' --name %s", volume->mount_point, name);
    CLEANUP_FREE char *why =
        *volume->known_as
            ? xasprintf("%s is known to another machine, as %s: join it", title,
                        volume->known_as)
            : xasprintf("%s is a drive that berth does not know yet", title);
    bool does_it = is_wanted(begin, why, line);

    if (does_it || !begin->does_it) { /* jobs may go there */
        free(volume->name);
        volume->name = xstrdup(name);
    }
    if (!does_it)
        return ERR_OK;
    struct command *command = command_new(COMMAND_VOLUME_ADD);
    command->path = xstrdup(volume->mount_point);
    command->volume.name = xstrdup(name);
    return carry_out(begin->task, task_volume_add, command, err);
}

/* --- drives --- */

static err_code begin_drive(struct beginning *begin, struct drive *drive,
                            struct error *err)
{
    err_code code = ERR_OK;

    if (!drive->is_attached || !drive->is_external)
        return ERR_OK;
    for (size_t i = 0; !code && i < drive->volumes.count; i++) {
        struct drive_volume *volume = &drive->volumes.items[i];
        if (*volume->name || !volume->is_mounted || volume->is_read_only ||
            volume->is_system)
            continue;
        code = begin_volume(begin, drive->title, volume, err);
    }
    return code;
}

/* --- jobs, from rsync's lines --- */

static const struct drive_volume *volume_at(const struct beginning *begin,
                                            const char *path)
{
    const struct drive_volume *best = NULL;

    for (size_t i = 0; i < begin->drives.count; i++)
        for (size_t j = 0; j < begin->drives.items[i].volumes.count; j++) {
            const struct drive_volume *volume =
                &begin->drives.items[i].volumes.items[j];
            if (*volume->name && *volume->mount_point &&
                path_is_within(path, volume->mount_point) &&
                (!best ||
                 strlen(volume->mount_point) > strlen(best->mount_point)))
                best = volume;
        }
    return best;
}

static bool has_source(const struct config *config, const char *source)
{
    for (size_t i = 0; i < config->job_count; i++)
        if (!strcmp(config->jobs[i].source, source))
            return true;
    return false;
}

static char *job_line(const struct rsync_line *line, const char *name,
                      const char *target)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    strbuf_addf(&out, "berth job add %s --source '%s' --target '%s' --mode %s",
                name, line->source, target,
                line->deletes ? "mirror" : "update");
    for (size_t i = 0; i < line->exclude_count; i++)
        strbuf_addf(&out, " --exclude '%s'", line->exclude[i]);
    return strbuf_detach(&out);
}

static struct command *job_command(const struct rsync_line *line,
                                   const char *name, const char *place)
{
    struct command *command = command_new(COMMAND_JOB_ADD);
    struct config_job *job = &command->job;

    job->name = xstrdup(name);
    job->source = xstrdup(line->source);
    job->mode = line->deletes ? JOB_MIRROR : JOB_UPDATE;
    job->targets = xcalloc(1, sizeof *job->targets);
    if (config_parse_target(place, &job->targets[0], NULL))
        die("%s is no target", place); /* berth made it */
    job->target_count = 1;
    job->exclude = xcalloc(line->exclude_count + 1, sizeof *job->exclude);
    for (size_t i = 0; i < line->exclude_count; i++)
        job->exclude[i] = xstrdup(line->exclude[i]);
    job->exclude_count = line->exclude_count;
    return command;
}

static err_code begin_job(struct beginning *begin,
                          const struct rsync_line *line, struct error *err)
{
    struct task *task = begin->task;
    const struct drive_volume *volume = volume_at(begin, line->target);

    if (!volume || has_source(&task->config, line->source))
        return ERR_OK;
    const char *below = line->target + strlen(volume->mount_point);
    CLEANUP_FREE char *wanted = plain_name(path_name(line->source), "job");
    const char *name = free_name(begin, wanted);
    CLEANUP_FREE char *place =
        xasprintf("%s:/%s", volume->name, below + strspn(below, "/"));
    CLEANUP_FREE char *line_text = job_line(line, name, place);
    CLEANUP_FREE char *why = xasprintf(
        "rsync does this now (%s); what it copied is adopted, not copied again",
        line->where);
    begin->has_jobs = true;
    if (!is_wanted(begin, why, line_text))
        return ERR_OK;
    return carry_out(task, task_job_add, job_command(line, name, place), err);
}

static err_code begin_jobs(struct beginning *begin, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(rsync_lines_release) struct rsync_lines lines = {.items = NULL};
    err_code code = ERR_OK;

    platform_cron_lines(&text);
    crons_find_rsync(text.length ? text.text : "", begin->task->context->home,
                     &lines);
    for (size_t i = 0; !code && i < lines.count; i++)
        code = begin_job(begin, &lines.items[i], err);
    return code;
}

err_code task_init(struct task *task, enum outcome *outcome, struct error *err)
{
    struct beginning begin = {.task = task, .does_it = !task->command->dry_run};
    const struct registry registry = {
        .platform = task->context->platform,
        .config = &task->config,
        .state_directory = task->context->state_directory,
        .host = task->host,
    };
    err_code code = registry_list(&registry, &begin.drives, err);

    for (size_t i = 0; !code && i < begin.drives.count; i++)
        code = begin_drive(&begin, &begin.drives.items[i], err);
    if (!code)
        code = begin_jobs(&begin, err);
    if (!code && !task->config.job_count && !begin.has_jobs)
        task_say(task, "then say what is to be copied, as in `berth job add "
                       "media --source ~/media --target VOLUME:/media`, and "
                       "look at it with `berth diff`: nothing is copied before "
                       "`berth sync`");
    beginning_release(&begin);
    return code;
}
