#include "ui/model.h"

#include "core/base/array.h"
#include "core/base/quantity.h"
#include "ui/keys.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

/* --- what is wanted --------------------------------------------------------
 */

static char *describe_reading(const struct drive_count *count)
{
    return count->percent >= 0
               ? xasprintf("Still reading, %d %%", count->percent)
               : xstrdup("Still reading");
}

/* The answer was not given yet, and it becomes another question, or none. */
void model_keep_question(struct model *model)
{
    struct question *question = &model->question;
    const struct drive *drive = model_find_drive(model, question->drive);

    if (question->needs_drive && !(drive && drive->is_attached)) {
        question_release(question);
        model_say(model, "%s is not plugged in any more",
                  drive ? drive->title : "the drive");
        return;
    }
    if (!question->title || !question->is_about_reading)
        return;
    const struct drive_count count =
        drive ? model_count(model, drive) : (struct drive_count){0};
    if (!count.is_scanning) {
        question_release(question);
        model_say(model, "it has been read: s syncs what is shown now");
        return;
    }
    free(question->title);
    question->title = describe_reading(&count);
}

static void ask_while_reading(struct model *model, const struct drive *drive,
                              const struct drive_count *count, bool wants_eject)
{
    struct question question = {.drive = drive_key(drive),
                                .wants_eject = wants_eject,
                                .is_about_reading = true};
    char files[WORDS_SIZE];

    question.title = describe_reading(count);
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

    if (model_at_work(model)) {
        model_say(model, "one thing at a time: %s is still at work",
                  model_at_work(model));
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
        .is_first = !target->last_sync_ns,
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

void model_start_run(struct model *model, const struct drive *drive,
                     bool wants_eject)
{
    model_start_past(model, drive, wants_eject, 0);
}

void model_start_past(struct model *model, const struct drive *drive,
                      bool wants_eject, unsigned passed)
{
    struct drive_count count = model_count(model, drive);
    char held[WORDS_SIZE];

    if (!has_something_to_do(&count) && wants_eject &&
        (!count.held || passed)) {
        model_start_eject(model, drive);
    } else if (!has_something_to_do(&count) && !wants_eject) {
        if (count.held)
            model_say(model, "nothing to sync but %s: D on the diff approves",
                      words_count(count.held, "held delete", held));
        else
            model_say(model, "nothing to sync: %s has all of it", drive->title);
    } else if (!model_ask_before(model, drive, wants_eject, passed)) {
        model_run_now(model, drive, wants_eject);
    }
}

void model_run_now(struct model *model, const struct drive *drive,
                   bool wants_eject)
{
    if (model_is_under_way(model, ROLE_SCAN))
        model_request(model, REQUEST_STOP, ROLE_SCAN);
    model_begin_run(model, drive, false);
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

/* --- another process -------------------------------------------------------
 */

void model_watch_foreign(struct model *model, const struct drive *drive)
{
    model_begin_run(model, drive, true);
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
             volume->run.done_bytes, volume->run.done_bytes,
             volume->run.total_bytes);
}
