#include "core/task.h"

#include "core/base/clock.h"
#include "core/host.h"
#include "core/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static task_body *const bodies[] = {
    [COMMAND_VOLUME_ADD] = task_volume_add,
    [COMMAND_VOLUME_LIST] = task_volume_list,
    [COMMAND_VOLUME_FORGET] = task_volume_forget,
    [COMMAND_VOLUME_REFRESH] = task_volume_refresh,
    [COMMAND_JOB_ADD] = task_job_add,
    [COMMAND_JOB_LIST] = task_job_list,
    [COMMAND_JOB_REMOVE] = task_job_remove,
    [COMMAND_JOB_CLAIM] = task_job_claim,
    [COMMAND_EXCLUDE] = task_exclude,
    [COMMAND_DIFF] = task_diff,
    [COMMAND_SYNC] = task_sync,
    [COMMAND_VERIFY] = task_verify,
    [COMMAND_HISTORY] = task_history,
    [COMMAND_VERSIONS] = task_versions,
    [COMMAND_RESTORE] = task_restore,
    [COMMAND_PRUNE] = task_prune,
    [COMMAND_UNDO] = task_undo,
    [COMMAND_WATCH] = task_watch,
    [COMMAND_RESCAN] = task_rescan,
    [COMMAND_MOUNT] = task_mount,
    [COMMAND_EJECT] = task_eject,
    [COMMAND_TIDY] = task_tidy,
    [COMMAND_COPIES] = task_copies,
    [COMMAND_FIND] = task_find,
    [COMMAND_SCHEDULE_INSTALL] = task_schedule_install,
    [COMMAND_SCHEDULE_REMOVE] = task_schedule_remove,
    [COMMAND_SCHEDULE_SHOW] = task_schedule_show,
    [COMMAND_DOCTOR] = task_doctor,
    [COMMAND_INIT] = task_init,
    [COMMAND_ASK_TO_QUIT] = task_ask_to_quit,
    [COMMAND_SETTINGS] = task_settings,
    [COMMAND_SET] = task_set,
    [COMMAND_FOLDERS] = task_folders,
    [COMMAND_LINES] = task_lines,
    [COMMAND_RSYNC_LINES] = task_rsync_lines,
    [COMMAND_SILENCE] = task_silence,
};

struct task *task_new(const struct task_context *context,
                      struct command *command)
{
    struct task *task = xcalloc(1, sizeof *task);

    task->context = context;
    task->command = command;
    task->config = (struct config)CONFIG_INIT;
    task->progress.started_ns = clock_monotonic_ns();
    current_init(&task->progress.current);
    if (pipe(task->stop_pipe))
        die("cannot create a pipe: errno %d", errno);
    for (int i = 0; i < 2; i++)
        if (fcntl(task->stop_pipe[i], F_SETFD, FD_CLOEXEC))
            die("cannot prepare a pipe: errno %d", errno);
    return task;
}

void task_stop(struct task *task)
{
    stop_flag_raise(&task->stop);
    if (write(task->stop_pipe[1], "", 1) < 0)
        die("cannot wake a task: errno %d", errno);
}

void task_free(struct task *task)
{
    if (!task)
        return;
    command_free(task->command);
    config_release(&task->config);
    cleanup_fd(&task->stop_pipe[0]);
    cleanup_fd(&task->stop_pipe[1]);
    current_release(&task->progress.current);
    free(task->host);
    free(task);
}

/* What cannot begin has found no drive absent and failed no file. */
static err_code open_state(struct task *task, struct error *err)
{
    const char *directory = task->context->state_directory;
    struct error why = ERROR_INIT;
    err_code code = host_id(directory, &task->host, &why);

    if (!code)
        return ERR_OK;
    if (code == ERR_NOT_FOUND || code == ERR_DENIED)
        return error_set(err, ERR_INVALID,
                         "%s: the state directory %s has to be this user's; "
                         "--state-dir names another",
                         why.message, directory);
    return error_set(err, code, "%s", why.message);
}

static err_code run_body(struct task *task, enum outcome *outcome,
                         struct error *err)
{
    const struct task_context *context = task->context;
    err_code code =
        config_load(context->config_path, context->home, &task->config, err);

    if (!code)
        code = open_state(task, err);
    if (!code)
        code = bodies[task->command->kind](task, outcome, err);
    return code;
}

void task_run(struct task *task)
{
    struct error err = ERROR_INIT;
    enum outcome outcome = OUTCOME_DONE;
    err_code code = run_body(task, &outcome, &err);
    struct event *done = task_event(task, EVENT_DONE);

    done->code = code;
    done->outcome = outcome_worse(outcome, outcome_of(code));
    if (code)
        done->text = xstrdup(err.message);
    atomic_store(&task->is_over, true);
    task_post(task, done);
}

struct event *task_event(struct task *task, enum event_kind kind)
{
    return event_new(kind, task->command->id);
}

void task_post(struct task *task, struct event *event)
{
    queue_push(task->context->events, &event->link);
}

void task_say(struct task *task, const char *format, ...)
{
    struct event *event = task_event(task, EVENT_MESSAGE);
    char message[ERROR_MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    event->text = xstrdup(message);
    task_post(task, event);
}

struct platform_inhibitor *task_inhibit(struct task *task,
                                        const struct volume *volume,
                                        const char *deed)
{
    struct platform_inhibitor *inhibitor = NULL;
    struct error err = ERROR_INIT;
    err_code code = platform_inhibit(
        task->context->platform, volume->mount.source, deed, &inhibitor, &err);

    if (code && code != ERR_UNSUPPORTED)
        task_say(task, "%s", err.message);
    return inhibitor;
}

void task_post_finding(void *context, const char *job, const char *path,
                       enum verify_finding finding, const char *message)
{
    struct task *task = context;
    struct event *event = task_event(task, EVENT_FINDING);

    event->job = xstrdup(job);
    event->path = xstrdup(path);
    event->text =
        *message ? xasprintf("%s (%s)", verify_finding_text(finding), message)
                 : xstrdup(verify_finding_text(finding));
    task_post(task, event);
}
