#include "ui/model.h"

#include "core/base/array.h"
#include "core/base/quantity.h"
#include "ui/keys.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

/* Progress events without progress until a pause is taken to have come; and
 * how many are waited for at most. */
#define STILL_TICKS 2
#define STILL_TICKS_MOST 50

#define MB (INT64_C(1000) * 1000)

void run_release(struct sync_run *run)
{
    free(run->drive);
    free(run->title);
    free(run->current_path);
    free(run->error);
    free(run->pulled);
    for (size_t i = 0; i < run->parts.count; i++) {
        free(run->parts.items[i].job);
        free(run->parts.items[i].volume);
        free(run->parts.items[i].text);
    }
    for (size_t i = 0; i < run->failures.count; i++) {
        free(run->failures.items[i].job);
        free(run->failures.items[i].path);
        free(run->failures.items[i].text);
    }
    for (size_t i = 0; i < run->notes.count; i++)
        free(run->notes.items[i]);
    free(run->parts.items);
    free(run->failures.items);
    free(run->notes.items);
    *run = (struct sync_run){.drive = NULL};
    pace_init(&run->pace);
}

void model_begin_run(struct model *model, const struct drive *drive,
                     bool is_foreign)
{
    struct sync_run *run = &model->run;

    run_release(run);
    run->drive = drive_key(drive);
    run->title = xstrdup(drive->title);
    run->is_active = true;
    run->is_foreign = is_foreign;
    run->started_ns = model->now_ns;
    model_go(model, SCREEN_SYNC);
}

/* --- while it runs ---------------------------------------------------------
 */

void model_stop_run(struct model *model)
{
    struct sync_run *run = &model->run;

    if (!run->is_active || run->is_foreign || run->is_stopping)
        return;
    run->is_stopping = true;
    run->wants_eject = false;
    model_request(model, REQUEST_STOP, ROLE_RUN);
}

void model_pause_run(struct model *model)
{
    struct sync_run *run = &model->run;

    if (!run->is_active || run->is_foreign || run->is_stopping)
        return;
    run->is_paused = !run->is_paused;
    model_request(model, run->is_paused ? REQUEST_PAUSE : REQUEST_GO_ON,
                  ROLE_RUN);
}

static void post_limit(struct model *model)
{
    const struct request request = {.kind = REQUEST_LIMIT,
                                    .role = ROLE_RUN,
                                    .id = model->ids[ROLE_RUN],
                                    .amount = model->run.bandwidth};

    model_add_request(model, &request);
}

void model_limit_run(struct model *model)
{
    static const int64_t limits[] = {50, 20, 10, 5, -1};
    struct sync_run *run = &model->run;
    size_t next = 0;

    if (!run->is_active || run->is_foreign || run->is_stopping)
        return;
    while (next < COUNT_OF(limits) - 1 && run->bandwidth > 0 &&
           limits[next] * MB >= run->bandwidth)
        next++;
    run->bandwidth = limits[next] < 0 ? -1 : limits[next] * MB;
    post_limit(model);
    if (run->bandwidth > 0)
        model_say(model, "at most %d MB/s from now on; b again: less",
                  (int)limits[next]);
    else
        model_say(model, "as fast as the drive takes it");
}

static void suspend_when_still(struct model *model)
{
    struct sync_run *run = &model->run;

    if (!model->suspends)
        return;
    bool is_still = run->progress.bytes_written == run->still_bytes;
    run->still_bytes = run->progress.bytes_written;
    run->still_ticks++;
    if ((!is_still || run->still_ticks <= STILL_TICKS) &&
        run->still_ticks < STILL_TICKS_MOST)
        return;
    model->suspends = false;
    set_text(&model->message, NULL);
    model_request(model, REQUEST_SUSPEND, ROLE_RUN);
}

static int64_t largest(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

static void apply_progress(struct model *model, const struct event *event)
{
    struct sync_run *run = &model->run;
    struct progress *progress = &run->progress;

    /* What was asked for before it ran has met nobody. */
    if (run->bandwidth && !run->has_begun)
        post_limit(model);
    run->has_begun = true;
    *progress = event->progress;
    if (event->path)
        set_text(&run->current_path, event->path);
    if (progress->phase == PHASE_COPYING) {
        /* The engine counts a job's bytes when the job begins; the plans knew
         * them all. */
        progress->bytes_total =
            largest(progress->bytes_total, run->bytes_total);
        progress->files_total =
            largest(progress->files_total, run->files_total);
        if (run->is_paused || model->suspends)
            pace_skip(&run->pace, progress->elapsed_ns);
        else
            pace_add(&run->pace, progress->elapsed_ns, progress->bytes_written,
                     progress->bytes_done, progress->bytes_total);
    }
    suspend_when_still(model);
}

static void apply_failure(struct sync_run *run, struct event *event)
{
    const struct run_failure failure = {
        .job = xstrdup(event->job ? event->job : ""),
        .path = xstrdup(event->path ? event->path : ""),
        .text = xstrdup(event->text ? event->text : ""),
    };

    ARRAY_PUSH(&run->failures, failure);
}

static struct run_part *need_part(struct sync_run *run,
                                  const struct event *event)
{
    for (size_t i = 0; i < run->parts.count; i++) {
        struct run_part *part = &run->parts.items[i];
        if (!strcmp(part->job, event->job) &&
            !strcmp(part->volume, event->volume))
            return part;
    }
    const struct run_part part = {.job = xstrdup(event->job),
                                  .volume = xstrdup(event->volume)};
    ARRAY_PUSH(&run->parts, part);
    return &run->parts.items[run->parts.count - 1];
}

static void remember_left(struct model *model, const struct event *event)
{
    struct target *target = model_find_target(model, event->job, event->volume);
    const struct sync_info *info = &event->sync;

    if (!target)
        return;
    target->has_left = true;
    target->left.failed = info->counts.failed;
    target->left.too_young = info->too_young;
    target->left.unreadable = info->unreadable;
    target->left.held = info->held;
    target->left.conflicts = info->conflicts;
    if (event->code)
        target->left.undone = 1;
    else
        set_text(&target->error, NULL);
}

static void apply_synced(struct model *model, struct event *event)
{
    struct run_part *part = need_part(&model->run, event);

    part->is_over = true;
    part->info = event->sync;
    part->info.outcome = event->outcome;
    set_text(&part->text, event->text);
    if (!event->code && event->outcome <= OUTCOME_DIFFERENCES)
        model_forget_pulled(model, event->volume);
    remember_left(model, event);
    model_remember_past(model, event);
}

/* --- the end ---------------------------------------------------------------
 */

/* Held deletes and conflicts do not stop an ejection: the verdict names them.
 */
static bool is_well(enum outcome outcome)
{
    return outcome == OUTCOME_DONE || outcome == OUTCOME_DIFFERENCES;
}

/* The last progress told is older than the end. */
static void conclude_progress(struct sync_run *run)
{
    struct progress *progress = &run->progress;
    struct progress end = {.phase = PHASE_COPYING,
                           .bytes_total = run->bytes_total,
                           .files_total = run->files_total};

    if (progress->phase == PHASE_COPYING) {
        end.bytes_done = end.bytes_written = progress->bytes_done;
        end.files_done = progress->files_done;
    }
    int64_t bytes = 0, files = 0;
    for (size_t i = 0; i < run->parts.count; i++) {
        const struct run_counts *counts = &run->parts.items[i].info.counts;
        bytes += counts->bytes_copied;
        files += counts->files_new + counts->files_updated;
        end.files_failed += counts->failed;
    }
    end.bytes_done = largest(end.bytes_done, bytes);
    end.files_done = largest(end.files_done, files);
    end.bytes_total = largest(end.bytes_total, end.bytes_done);
    end.files_total = largest(end.files_total, end.files_done);
    *progress = end;
}

static void end_run(struct model *model, const struct event *event)
{
    struct sync_run *run = &model->run;
    const struct drive *drive = model_find_drive(model, run->drive);

    run->is_active = run->is_paused = false;
    run->outcome = event->outcome;
    run->ended_ns = model->now_ns;
    model->suspends = false;
    conclude_progress(run);
    question_release(&model->question); /* it was about the run */
    set_text(&run->current_path, NULL);
    if (event->code || event->text)
        set_text(&run->error, event->text);
    if (drive)
        model_wish_drive(model, drive, WISH_AUTO);
    if (!model_is_under_way(model, ROLE_JOBS))
        model_post(model, ROLE_JOBS, command_new(COMMAND_JOB_LIST));
    for (size_t i = 0; i < run->parts.count && is_well(run->outcome); i++)
        if (run->parts.items[i].is_first) {
            model_look_for_repeated(model);
            break;
        }
    if (!drive || model->quits || run->pulled)
        return;
    if (run->wants_eject_anyway || (run->wants_eject && is_well(run->outcome)))
        model_start_eject(model, drive);
    else if (run->wants_eject)
        model_ask_after(model, drive);
}

void model_apply_run(struct model *model, struct event *event)
{
    struct sync_run *run = &model->run;

    switch (event->kind) {
    case EVENT_PROGRESS:
        apply_progress(model, event);
        break;
    case EVENT_MESSAGE:
        ARRAY_PUSH(&run->notes, xstrdup(event->text));
        break;
    case EVENT_FILE_FAILED:
    case EVENT_FINDING:
        apply_failure(run, event);
        break;
    case EVENT_JOB_SYNCED:
        apply_synced(model, event);
        break;
    case EVENT_DONE:
        model->ids[ROLE_RUN] = 0;
        end_run(model, event);
        break;
    default:
        break;
    }
}
