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

/* --- beginning -------------------------------------------------------------
 */

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

static void begin(struct model *model, const struct drive *drive,
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

static void ask_while_reading(struct model *model, const struct drive *drive,
                              const struct drive_count *count, bool wants_eject)
{
    struct question question = {.drive = drive_key(drive),
                                .wants_eject = wants_eject};
    char files[WORDS_SIZE];

    question.title = count->percent >= 0
                         ? xasprintf("Still reading, %d %%", count->percent)
                         : xstrdup("Still reading");
    question.text =
        count->is_known
            ? xasprintf("%s is still being compared. What is shown is what\n"
                        "was known before: %s.",
                        drive->title, words_count(count->files, "file", files))
            : xasprintf("%s has not been compared yet.", drive->title);
    question_add(&question, 'w', "wait, then sync", ANSWER_WAIT_THEN_GO);
    if (count->is_known)
        question_add(&question, 'g', "go with what is shown", ANSWER_GO);
    model_ask(model, &question);
}

static void wait_for_other(struct model *model, const struct drive *drive)
{
    free(model->waiting_drive);
    model->waiting_drive = drive_key(drive);
    model->waiting_wants_eject = true;
    model->waiting_for_other = true;
    model_watch_foreign(model, drive);
}

void model_want_sync(struct model *model, const struct drive *drive,
                     bool wants_eject)
{
    struct drive_count count = model_count(model, drive);

    if (model_is_under_way(model, ROLE_RUN) ||
        model_is_under_way(model, ROLE_EJECT)) {
        model_say(model, "one thing at a time: %s is still at work",
                  model_is_under_way(model, ROLE_RUN) ? "a sync"
                                                      : "an ejection");
        return;
    }
    if (drive_foreign_run(drive)) {
        if (wants_eject)
            wait_for_other(model, drive);
        else
            model_watch_foreign(model, drive);
        return;
    }
    if (!count.has_jobs && wants_eject) {
        model_start_eject(model, drive);
        return;
    }
    if (count.has_jobs && !count.is_sharp && count.is_scanning) {
        ask_while_reading(model, drive, &count, wants_eject);
        return;
    }
    model_start_run(model, drive, wants_eject);
}

/* --- the command -----------------------------------------------------------
 */

static void add_part(struct sync_run *run, const struct target *target,
                     const struct plan *plan)
{
    const struct run_part part = {
        .job = xstrdup(target->job),
        .volume = xstrdup(target->volume),
        .bytes_total = plan->totals.copy_bytes,
        .files_total =
            plan->totals.count[ACTION_NEW] + plan->totals.count[ACTION_UPDATE],
    };

    run->bytes_total += part.bytes_total;
    run->files_total += part.files_total;
    run->held += plan->totals.held_files;
    ARRAY_PUSH(&run->parts, part);
}

/*
 * The plan as shown goes to the engine. A job of which everything was left
 * out goes with an empty one: the engine would compare anew what it does not
 * get a plan of.
 */
static void add_target(struct model *model, struct command *command,
                       struct target *target)
{
    if (!target->review)
        return;
    model_hide_target(model, target);
    target->left =
        (struct leftovers){.left_out = target->review->left_out_total.pending};
    struct plan plan = review_take_plan(target->review);
    add_part(&model->run, target, &plan);
    command_add_plan(command, target->job, target->volume, &plan);
    review_free(target->review);
    review_free(target->incoming);
    target->review = target->incoming = NULL;
    target->is_sharp = false;
}

static bool is_ready_target(const struct model *model,
                            const struct target *target,
                            const struct drive *drive)
{
    const struct drive_volume *volume =
        model_find_volume(model, target->volume);

    return target_is_of(target, drive) && volume && volume_is_ready(volume);
}

static struct command *make_command(struct model *model,
                                    const struct drive *drive)
{
    struct command *command = command_new(COMMAND_SYNC);

    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        bool has_target = false;
        for (size_t t = 0; t < model->targets.count; t++) {
            struct target *target = &model->targets.items[t];
            if (strcmp(target->volume, volume->name) != 0 ||
                !is_ready_target(model, target, drive))
                continue;
            has_target = true;
            add_target(model, command, target);
        }
        if (has_target)
            command_add_name(command, volume->name);
    }
    return command;
}

static bool has_something_to_do(const struct drive_count *count)
{
    return !count->is_known || count->error || count->pending > count->held;
}

static void worsen(enum preflight_state *state, enum preflight_state now)
{
    if (*state != PREFLIGHT_NO && now != PREFLIGHT_YES)
        *state = now;
}

static int64_t bytes_for(const struct sync_run *run, const char *volume)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < run->parts.count; i++)
        if (!strcmp(run->parts.items[i].volume, volume))
            bytes += run->parts.items[i].bytes_total;
    return bytes;
}

/* Only what the list of drives says; the engine looks again, and closer. */
static void look_before(struct model *model, const struct drive *drive,
                        const struct command *command)
{
    struct sync_run *run = &model->run;
    struct preflight *preflight = &run->preflight;

    preflight->identity = preflight->clean = preflight->space = PREFLIGHT_YES;
    for (size_t i = 0; i < command->name_count; i++) {
        const struct drive_volume *volume =
            model_find_volume(model, command->names[i]);
        int64_t bytes = bytes_for(run, command->names[i]);
        int64_t speed = model_usual_speed(model, command->names[i]);
        worsen(&preflight->identity,
               *volume->id ? PREFLIGHT_YES : PREFLIGHT_UNKNOWN);
        if (!volume->has_journal)
            worsen(&preflight->clean, volume->is_dirty < 0 ? PREFLIGHT_UNKNOWN
                                      : volume->is_dirty   ? PREFLIGHT_NO
                                                           : PREFLIGHT_YES);
        worsen(&preflight->space, volume->free_bytes < 0 ? PREFLIGHT_UNKNOWN
                                  : volume->free_bytes < bytes ? PREFLIGHT_NO
                                                               : PREFLIGHT_YES);
        preflight->space_left += volume->free_bytes - bytes;
        if (speed > 0)
            preflight->usual_ns +=
                (int64_t)((double)bytes / (double)speed * 1e9);
    }
}

static int64_t bytes_needed(const struct model *model, const char *volume)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (!strcmp(target->volume, volume))
            bytes += model_count_target(model, target).bytes;
    }
    return bytes;
}

/* True when it has asked. */
static bool ask_about_space(struct model *model, const struct drive *drive,
                            bool wants_eject)
{
    char needed[QUANTITY_SIZE], free_bytes[QUANTITY_SIZE];

    for (size_t i = 0; i < drive->volumes.count; i++) {
        const struct drive_volume *volume = &drive->volumes.items[i];
        int64_t bytes = *volume->name ? bytes_needed(model, volume->name) : 0;
        if (volume->free_bytes < 0 || bytes <= volume->free_bytes)
            continue;
        struct question question = {.drive = drive_key(drive),
                                    .wants_eject = wants_eject};
        question.title = xasprintf("%s is too full", volume->name);
        question.text =
            xasprintf("needs %s, free %s", format_bytes(bytes, needed),
                      format_bytes(volume->free_bytes, free_bytes));
        question_add(&question, 'f', "what fits, in the order of the jobs",
                     ANSWER_WHAT_FITS);
        model_ask(model, &question);
        return true;
    }
    return false;
}

void model_start_run(struct model *model, const struct drive *drive,
                     bool wants_eject)
{
    struct drive_count count = model_count(model, drive);
    char held[WORDS_SIZE];

    if (!has_something_to_do(&count) && wants_eject) {
        model_start_eject(model, drive);
    } else if (!has_something_to_do(&count)) {
        if (count.held)
            model_say(model, "nothing to sync but %s: D on the diff approves",
                      words_count(count.held, "held delete", held));
        else
            model_say(model, "nothing to sync: %s has all of it", drive->title);
    } else if (!ask_about_space(model, drive, wants_eject)) {
        model_run_now(model, drive, wants_eject);
    }
}

void model_run_now(struct model *model, const struct drive *drive,
                   bool wants_eject)
{
    if (model_is_under_way(model, ROLE_SCAN))
        model_request(model, REQUEST_STOP, ROLE_SCAN);
    begin(model, drive, false);
    struct command *command = make_command(model, drive);
    if (!command->name_count) {
        command_free(command);
        model->run.is_active = false;
        model_go(model, SCREEN_DRIVES);
        model_say(model, "%s: no volume of it can be written to now",
                  drive->title);
        return;
    }
    look_before(model, drive, command);
    model->run.wants_eject = wants_eject;
    model_post(model, ROLE_RUN, command);
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
                     progress->bytes_total);
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
        target->left.pending = 1; /* how many nobody knows */
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

static int64_t count_not_arrived(const struct sync_run *run)
{
    int64_t count = 0;

    for (size_t i = 0; i < run->parts.count; i++)
        count += run->parts.items[i].info.counts.failed +
                 run->parts.items[i].info.unreadable;
    return count;
}

static void ask_before_ejecting(struct model *model, const struct drive *drive)
{
    const struct sync_run *run = &model->run;
    struct question question = {.drive = drive_key(drive), .wants_eject = true};
    int64_t missing = count_not_arrived(run);
    char files[WORDS_SIZE];

    if (missing) {
        question.title =
            xasprintf("%s did not arrive", words_count(missing, "file", files));
        question.text =
            xasprintf("%s is still plugged in and mounted.", drive->title);
        question_add(&question, UI_KEY_ENTER, "list", ANSWER_LIST_FAILED);
    } else {
        question.title = xstrdup("The sync did not end well");
        question.text =
            xasprintf("%s.\n%s is still plugged in and mounted.",
                      run->error ? run->error : "Not everything was copied",
                      drive->title);
    }
    question_add(&question, 'r', "retry", ANSWER_RETRY);
    question_add(&question, 'x', "eject without them",
                 ANSWER_EJECT_WITHOUT_THEM);
    model_ask(model, &question);
}

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
    if (!drive || model->quits || run->pulled)
        return;
    if (run->wants_eject_anyway || (run->wants_eject && is_well(run->outcome)))
        model_start_eject(model, drive);
    else if (run->wants_eject)
        ask_before_ejecting(model, drive);
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

/* --- another process -------------------------------------------------------
 */

void model_watch_foreign(struct model *model, const struct drive *drive)
{
    begin(model, drive, true);
    model_run_follows_drives(model);
}

/* The other process publishes how far it is about once a second. */
void model_run_follows_drives(struct model *model)
{
    struct sync_run *run = &model->run;
    const struct drive *drive = model_find_drive(model, run->drive);
    const struct drive_volume *volume = drive ? drive_foreign_run(drive) : NULL;

    if (!run->is_foreign || !run->is_active)
        return;
    if (!volume) {
        run->is_active = false;
        run->ended_ns = model->now_ns;
        model->waiting_for_other = false;
        return;
    }
    run->progress.phase = PHASE_COPYING;
    run->progress.bytes_done = run->progress.bytes_written =
        volume->run.done_bytes;
    run->progress.bytes_total = volume->run.total_bytes;
    pace_add(&run->pace, model->now_ns - run->started_ns,
             volume->run.done_bytes, volume->run.total_bytes);
}
