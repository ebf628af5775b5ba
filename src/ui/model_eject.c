#include "ui/model.h"

#include "core/base/array.h"
#include "core/base/quantity.h"
#include "ui/keys.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

void ejection_release(struct ejection *eject)
{
    free(eject->drive);
    free(eject->title);
    for (size_t i = 0; i < eject->volumes.count; i++)
        free(eject->volumes.items[i]);
    free(eject->volumes.items);
    eject_info_release(&eject->info);
    free(eject->error);
    free(eject->completeness);
    *eject = (struct ejection){.drive = NULL};
}

enum eject_verdict ejection_verdict(const struct ejection *eject)
{
    if (eject->is_active)
        return EJECT_NONE;
    if (eject->has_info && eject->info.step == EJECT_STEP_DONE)
        return eject->info.judgement.verdict;
    return EJECT_RED;
}

/* --- what is not on it -----------------------------------------------------
 */

/* A run that ended since the plan was made knows better than the plan. */
static struct leftovers left_of(const struct target *target)
{
    const struct review *review = target->review;
    struct leftovers left = target->left;

    if (target->error)
        return (struct leftovers){.undone = 1};
    if (target->has_left || !review)
        return left;
    left = (struct leftovers){
        .too_young = review->too_young,
        .unreadable = review->unreadable,
        .held = review->held,
        .conflicts = review->total.conflicts,
    };
    left.pending = (int64_t)review->total.pending - left.too_young -
                   left.unreadable - left.held;
    /* What failed is pending again: say that it was tried. */
    left.failed =
        target->left.failed < left.pending ? target->left.failed : left.pending;
    left.pending -= left.failed;
    return left;
}

static bool has_volume(const struct ejection *eject, const char *volume)
{
    for (size_t i = 0; i < eject->volumes.count; i++)
        if (!strcmp(eject->volumes.items[i], volume))
            return true;
    return false;
}

static void judge_completeness(struct model *model)
{
    struct ejection *eject = &model->eject;
    struct leftovers sum = {0};

    for (size_t i = 0; i < model->targets.count; i++) {
        const struct target *target = &model->targets.items[i];
        if (!has_volume(eject, target->volume))
            continue;
        struct leftovers left = left_of(target);
        left.jobs = 1;
        left.unknown = !target->has_left && !target->review && !target->error;
        leftovers_add(&sum, &left);
    }
    const struct eject_proof *proof = &eject->info.proof;
    bool has_all = leftovers_are_none(&sum);
    bool is_doubtful =
        eject->has_info && (proof->barrier_failed || proof->was_poisoned);
    free(eject->completeness);
    eject->is_complete = has_all && !is_doubtful;
    eject->completeness =
        has_all && is_doubtful
            ? xstrdup("whether everything is on it is not proved")
            : leftovers_words(&sum);
}

/* --- beginning -------------------------------------------------------------
 */

bool drive_can_be_ejected(const struct drive *drive)
{
    bool is_folder =
        drive->volumes.count > 0 && drive->volumes.items[0].is_folder;

    return drive->is_attached && (!*drive->no_eject || is_folder);
}

static void ask_about_pending(struct model *model, const struct drive *drive,
                              const struct drive_count *count)
{
    struct question question = {.drive = drive_key(drive), .wants_eject = true};
    char files[WORDS_SIZE], bytes[QUANTITY_SIZE];

    question.title = xasprintf("Eject %s?", drive->title);
    if (count->error)
        question.text = xasprintf("Not all of its jobs could be compared:\n%s",
                                  count->error);
    else if (!count->is_known)
        question.text = xstrdup("What is not on it yet has not been counted.");
    else if (!count->files)
        question.text = xasprintf(
            "%s is not on it yet.",
            words_count(count->pending + count->conflicts, "change", files));
    else
        question.text = xasprintf("%s (%s) %s not on it yet.",
                                  words_count(count->files, "file", files),
                                  format_bytes(count->bytes, bytes),
                                  count->files == 1 ? "is" : "are");
    question_add(&question, 'S', "sync first", ANSWER_SYNC_FIRST);
    question_add(&question, 'x', "eject anyway", ANSWER_EJECT_ANYWAY);
    model_ask(model, &question);
}

void model_want_eject(struct model *model, const struct drive *drive)
{
    struct drive_count count = model_count(model, drive);

    if (!drive->is_attached) {
        model_say(model, "%s is not plugged in", drive->title);
    } else if (!drive_can_be_ejected(drive)) {
        model_say(model, "%s is not ejected: %s", drive->title,
                  drive->no_eject);
    } else if (model_at_work(model)) {
        model_say(model, "one thing at a time: %s is still at work",
                  model_at_work(model));
    } else if (count.has_jobs && (!count.is_known || count.error ||
                                  count.pending || count.conflicts)) {
        ask_about_pending(model, drive, &count);
    } else {
        model_start_eject(model, drive);
    }
}

/* What the engine knows the drive by. */
static const char *name_to_eject(const struct drive *drive)
{
    for (size_t i = 0; i < drive->volumes.count; i++)
        if (*drive->volumes.items[i].name)
            return drive->volumes.items[i].name;
    return *drive->device ? drive->device : drive->title;
}

void model_start_eject(struct model *model, const struct drive *drive)
{
    struct ejection *eject = &model->eject;
    struct command *command = command_new(COMMAND_EJECT);

    command->compare_first = false; /* the screen has compared */

    ejection_release(eject);
    eject->drive = drive_key(drive);
    eject->title = xstrdup(drive->title);
    eject->is_active = true;
    eject->is_practice = drive->is_practice;
    for (size_t i = 0; i < drive->volumes.count; i++)
        if (*drive->volumes.items[i].name)
            ARRAY_PUSH(&eject->volumes, xstrdup(drive->volumes.items[i].name));
    command_add_name(command, name_to_eject(drive));
    command->wait_while_busy = true;
    /* A comparison that reads the drive would hold it itself. */
    if (model_is_under_way(model, ROLE_SCAN))
        model_request(model, REQUEST_STOP, ROLE_SCAN);
    model_post(model, ROLE_EJECT, command);
    model_go(model, SCREEN_EJECT);
}

/* --- as it goes ------------------------------------------------------------
 */

static void take_info(struct ejection *eject, struct event *event)
{
    eject_info_release(&eject->info);
    eject->info = event->eject;
    eject->has_info = true;
    event->eject = (struct eject_info){.step = EJECT_STEP_JOBS};
    if (eject->info.unwritten_bytes > eject->most_unwritten)
        eject->most_unwritten = eject->info.unwritten_bytes;
    if (eject->cursor >= eject->info.holders.count)
        eject->cursor = 0;
}

static void end_ejection(struct model *model, const struct event *event)
{
    struct ejection *eject = &model->eject;

    eject->is_active = false;
    eject->ended_ns = model->now_ns;
    eject->code = event->code;
    set_text(&eject->error, event->text);
    if (model->message && !strcmp(model->message, GIVING_UP))
        set_text(&model->message, NULL); /* it is over, one way or the other */
    judge_completeness(model);
    if (event->code == ERR_CANCELLED && !model->quits) {
        model_say(model, "%s was not ejected: it stays mounted", eject->title);
        model_leave_eject(model);
    }
}

void model_apply_eject(struct model *model, struct event *event)
{
    switch (event->kind) {
    case EVENT_EJECT:
        take_info(&model->eject, event);
        break;
    case EVENT_MESSAGE:
        set_text(&model->message, event->text);
        break;
    case EVENT_DONE:
        model->ids[ROLE_EJECT] = 0;
        end_ejection(model, event);
        break;
    default:
        break;
    }
}

void model_leave_eject(struct model *model)
{
    if (model->screen == SCREEN_EJECT)
        model_go(model, SCREEN_DRIVES);
    question_release(&model->question);
}
