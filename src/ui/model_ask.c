#include "ui/model.h"

#include <stdlib.h>
#include <string.h>

void question_release(struct question *question)
{
    free(question->title);
    free(question->text);
    free(question->drive);
    *question = (struct question){.title = NULL};
}

void question_add(struct question *question, uint32_t key, const char *words,
                  enum answer answer)
{
    question->answers[question->answer_count++] =
        (struct question_answer){key, words, answer};
}

void model_ask(struct model *model, const struct question *question)
{
    const struct drive *drive = model_find_drive(model, question->drive);

    question_release(&model->question);
    model->question = *question;
    model->question.needs_drive = drive && drive->is_attached;
}

static void wait_then_go(struct model *model, const struct question *question)
{
    set_text(&model->waiting_drive, question->drive);
    model->waiting_wants_eject = question->wants_eject;
}

static void post_ask_to_quit(struct model *model, int64_t pid)
{
    struct command *command = command_new(COMMAND_ASK_TO_QUIT);

    command->pid = pid;
    model_post(model, ROLE_ASK_TO_QUIT, command);
}

static void approve_held(struct model *model, const struct question *question)
{
    const struct drive *drive = model_find_drive(model, question->drive);

    for (size_t i = 0; drive && i < model->targets.count; i++) {
        struct target *target = &model->targets.items[i];
        if (target_is_of(target, drive) && target->review &&
            target->review->held)
            target->review->held_are_approved = true;
    }
    model_say(model, "approved: the next sync does it, and keeps versions");
}

static void answer_about_drive(struct model *model, enum answer answer,
                               const struct question *question)
{
    const struct drive *drive = model_find_drive(model, question->drive);

    if (!drive)
        return;
    switch (answer) {
    case ANSWER_GO:
        model_start_run(model, drive, question->wants_eject);
        break;
    case ANSWER_GO_PAST:
        model_start_past(model, drive, question->wants_eject, question->passed);
        break;
    case ANSWER_LOOK:
        model_open_diff(model, drive);
        break;
    case ANSWER_WHAT_FITS:
        model_run_now(model, drive, question->wants_eject);
        break;
    case ANSWER_SYNC_FIRST:
        model_want_sync(model, drive, true);
        break;
    case ANSWER_RETRY:
        model_wish_drive(model, drive, WISH_AUTO);
        wait_then_go(model, question);
        model_say(model, "comparing again, then the sync goes on");
        break;
    case ANSWER_EJECT_ANYWAY:
    case ANSWER_EJECT_WITHOUT_THEM:
        model_start_eject(model, drive);
        break;
    case ANSWER_VERIFY:
        model_verify(model, drive, 1.0);
        break;
    case ANSWER_VERIFY_SAMPLE:
        model_verify(model, drive, VERIFY_SAMPLE);
        break;
    default:
        break;
    }
}

/* The question is taken out first: an answer may ask the next one. */
void model_answer(struct model *model, enum answer answer)
{
    CLEANUP(question_release) struct question question = model->question;

    model->question = (struct question){.title = NULL};
    switch (answer) {
    case ANSWER_CLOSE:
        break;
    case ANSWER_WAIT_THEN_GO:
        wait_then_go(model, &question);
        break;
    case ANSWER_LIST_FAILED:
        model->run.shows_failures = true;
        model_go(model, SCREEN_SYNC);
        break;
    case ANSWER_APPROVE:
        approve_held(model, &question);
        break;
    case ANSWER_STOP_AND_EJECT:
        model->run.wants_eject_anyway = true;
        model_stop_run(model);
        break;
    case ANSWER_STOP_AND_QUIT:
        model_interrupt(model);
        break;
    case ANSWER_PRUNE:
        model_ask_to_prune(model);
        break;
    case ANSWER_PRUNE_NOW:
        model_prune(model);
        break;
    case ANSWER_EXCLUDE:
    case ANSWER_EXCLUDE_KIND:
        model_exclude(model, answer == ANSWER_EXCLUDE_KIND);
        break;
    case ANSWER_UNDO:
        model_undo(model);
        break;
    case ANSWER_RESTORE:
    case ANSWER_RESTORE_IN_PLACE:
        model_restore(model, answer == ANSWER_RESTORE_IN_PLACE, NULL);
        break;
    case ANSWER_RESTORE_ELSEWHERE:
        model_open_elsewhere(model);
        break;
    case ANSWER_SILENCE:
        model_silence_next(model);
        break;
    case ANSWER_SET_UP:
        model_setup_write(model);
        break;
    case ANSWER_STOP_OTHER:
    case ANSWER_QUIT_HOLDER:
        post_ask_to_quit(model, question.pid);
        break;
    default:
        answer_about_drive(model, answer, &question);
        break;
    }
}
