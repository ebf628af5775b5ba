#include "core/task_writing.h"
#include "core/undo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The run that was asked for, or the last that changed something. */
struct finding {
    struct task *task;
    const struct config_volume *at_work;
    struct catalogue *catalogue;
    const struct config_volume *volume;
    struct run run; /* `jobs` is not kept */
    int64_t volumes;
};

static err_code note_change(void *context, const struct run_item *item,
                            struct error *err)
{
    bool *changed = context;

    *changed |= item->deed != DEED_FAILED && item->deed != DEED_PRUNED;
    return ERR_OK;
}

static bool counts_anything(const struct run *run)
{
    const struct run_counts *counts = &run->counts;

    return counts->files_new || counts->files_updated ||
           counts->files_renamed || counts->files_deleted ||
           counts->directories_made || counts->directories_removed;
}

static err_code look_at_run(void *context, const struct run *run,
                            struct error *err)
{
    struct finding *finding = context;
    bool is_asked = finding->task->command->run != 0;
    bool changed = is_asked || counts_anything(run);
    err_code code = ERR_OK;

    if (!is_asked && finding->volume &&
        run->started_ns <= finding->run.started_ns)
        return ERR_OK;
    if (!changed && !run->ended_ns) /* killed: what it did is told there */
        code = history_walk_items(finding->catalogue, run->id, note_change,
                                  &changed, err);
    if (code || !changed)
        return code;
    finding->volume = finding->at_work;
    finding->run = *run;
    finding->volumes++;
    return ERR_OK;
}

static err_code find_run(struct finding *finding, struct error *err)
{
    struct task *task = finding->task;
    const struct command *command = task->command;
    const struct config_volume *only;
    err_code code =
        command->run_volume
            ? task_find_volume(task, command->run_volume, &only, err)
            : ERR_OK;

    for (size_t i = 0; !code && i < task->config.volume_count; i++) {
        CLEANUP(catalogue_close_pointer) struct catalogue *catalogue = NULL;
        CLEANUP_FREE char *path = NULL;
        finding->at_work = &task->config.volumes[i];
        if (command->run_volume &&
            strcmp(command->run_volume, finding->at_work->name) != 0)
            continue;
        code = task_open_reader(task, finding->at_work, &catalogue, &path, err);
        finding->catalogue = catalogue;
        if (!code)
            code = history_walk(catalogue, command->run, look_at_run, finding,
                                err);
        else if (code == ERR_NOT_FOUND)
            code = ERR_OK;
    }
    if (!code && !finding->volume && !command->run)
        code = error_set(err, ERR_INVALID,
                         "no run changed anything that could be taken back: "
                         "`berth history` lists them");
    else if (!code && !finding->volume)
        code = error_set(err, ERR_INVALID,
                         "there is no run %" PRId64
                         " to take back: `berth history` lists them",
                         command->run);
    if (!code && command->run && finding->volumes > 1)
        code = error_set(err, ERR_INVALID,
                         "several volumes have a run %" PRId64
                         ": add --volume NAME",
                         command->run);
    return code;
}

static void post_failed(void *context, const char *path, err_code code,
                        const char *message)
{
    const struct writing *writing = context;
    struct event *event = task_event(writing->task, EVENT_FILE_FAILED);

    event->volume = xstrdup(writing->config->name);
    event->path = xstrdup(path);
    event->text = xstrdup(message);
    event->code = code;
    task_post(writing->task, event);
}

static err_code take_back(struct writing *writing, int64_t run,
                          struct error *err)
{
    CLEANUP(undo_release) struct undo undo = {.items = NULL};
    CLEANUP_FREE char *deed = xasprintf("undo %" PRId64, run);
    const struct undo_failure failure = {writing, post_failed};
    err_code code = writing_begin(writing, deed, err);

    if (code)
        return code;
    code = undo_build(&writing->session, run, &undo, err);
    if (!code)
        code = undo_carry_out(&writing->session, &undo, &writing->task->stop,
                              &failure, &writing->counts, err);
    return writing_close(writing, code, err);
}

err_code task_undo(struct task *task, enum outcome *outcome, struct error *err)
{
    struct finding finding = {.task = task};
    CLEANUP(writing_release)
    struct writing writing = {.task = task, .volume = VOLUME_INIT};
    err_code code = find_run(&finding, err);

    writing.config = finding.volume;
    if (!code)
        code = writing_open(&writing, "berth undo", err);
    if (!code)
        code = take_back(&writing, finding.run.id, err);
    if (writing.counts.failed)
        *outcome = outcome_worse(*outcome, OUTCOME_FAILED_FILES);
    if (code)
        return code;
    struct event *event = task_event(task, EVENT_UNDONE);
    event->volume = xstrdup(writing.config->name);
    event->run = (struct run){
        .id = writing.session.run,
        .started_ns = finding.run.started_ns,
        .counts = writing.counts,
    };
    event->text = xasprintf("%" PRId64, finding.run.id);
    task_post(task, event);
    return ERR_OK;
}
