#include "ui/screen.h"

#include "core/base/quantity.h"
#include "ui/words.h"

#include <inttypes.h>

/* --- header ----------------------------------------------------------------
 */

static const char *state_words(const struct sync_run *run)
{
    if (!run->is_active)
        return "ended";
    if (run->is_stopping)
        return "stopping at the next clean boundary";
    if (run->is_paused)
        return "PAUSED";
    switch (run->progress.phase) {
    case PHASE_SCANNING:
        return "comparing";
    case PHASE_COPYING:
        return "copying";
    case PHASE_VERIFYING:
        return "reading back";
    }
    return "";
}

static void describe(const struct model *model, struct strbuf *left,
                     struct strbuf *right)
{
    const struct sync_run *run = &model->run;

    strbuf_addf(left, "Sync · %s", run->title ? run->title : "");
    strbuf_adds(right, state_words(run));
    if (run->is_active && run->progress.bytes_total > 0)
        strbuf_addf(
            right, " · %d %%",
            words_percent(run->progress.bytes_done, run->progress.bytes_total));
}

/* --- keys ------------------------------------------------------------------
 */

static bool is_own(const struct model *model)
{
    return model->run.is_active && !model->run.is_foreign &&
           !model->run.is_stopping;
}

/* Leaving is asked about. */
static bool is_writing(const struct model *model)
{
    return model->run.is_active && !model->run.is_foreign;
}

static bool is_at_rest(const struct model *model)
{
    return !is_writing(model);
}

static bool can_pause(const struct model *model)
{
    return is_own(model) && !model->run.is_paused;
}

static bool can_go_on(const struct model *model)
{
    return is_own(model) && model->run.is_paused;
}

static bool is_foreign(const struct model *model)
{
    return model->run.is_active && model->run.is_foreign;
}

static bool can_eject(const struct model *model)
{
    const struct drive *drive = model_find_drive(model, model->run.drive);

    return !model->run.is_active && drive && drive_can_be_ejected(drive);
}

static bool has_failures(const struct model *model)
{
    return model->run.failures.count > 0 && model->run.is_active;
}

static const struct binding bindings[] = {
    {{'p'}, INTENT_PAUSE, "pause", "hold between two files", can_pause},
    {{'p'}, INTENT_PAUSE, "go on", "go on copying", can_go_on},
    {{'c'},
     INTENT_STOP,
     "stop",
     "at the next clean boundary; what is staged whole is committed",
     is_own},
    {{'e'},
     INTENT_EJECT,
     "stop, eject",
     "stop at the next boundary and eject now; says what stays behind",
     is_own},
    {{'b'},
     INTENT_BANDWIDTH,
     "bandwidth",
     "at most 50, 20, 10, 5 MB/s, then as fast as it goes again",
     is_own},
    {{'c'},
     INTENT_STOP,
     "ask it to stop",
     "ask the other process to stop",
     is_foreign},
    {{'E'},
     INTENT_SYNC_EJECT,
     "then sync, eject",
     "when it has ended: compare, sync what is left, eject",
     is_foreign},
    {{'e'}, INTENT_EJECT, "eject", "flush, unmount and power off", can_eject},
    {{UI_KEY_ENTER, '\n'},
     INTENT_ENTER,
     "what failed",
     "list the files that did not arrive",
     has_failures},
    {{'q'}, INTENT_BACK, "leave", NULL, is_writing},
    {{'q'}, INTENT_BACK, "back", NULL, is_at_rest},
};

static void ask_to_leave(struct model *model)
{
    struct question question = {.title = xstrdup("A sync is at work")};

    question.text = xstrdup("It goes on only while berth is open.");
    question_add(&question, 'k', "keep watching", ANSWER_CLOSE);
    question_add(&question, 'c', "stop and quit", ANSWER_STOP_AND_QUIT);
    model_ask(model, &question);
}

static void ask_to_stop_and_eject(struct model *model)
{
    const struct progress *progress = &model->run.progress;
    struct question question = {.title = xstrdup("Stop, and eject now?")};
    char files[WORDS_SIZE], bytes[QUANTITY_SIZE];

    question.text = xasprintf(
        "%s (%s) would stay behind.",
        words_count(progress->files_total - progress->files_done, "file",
                    files),
        format_bytes(progress->bytes_total - progress->bytes_done, bytes));
    question_add(&question, 'x', "stop and eject", ANSWER_STOP_AND_EJECT);
    model_ask(model, &question);
}

static void ask_other_to_stop(struct model *model)
{
    const struct drive *drive = model_find_drive(model, model->run.drive);
    const struct drive_volume *volume = drive ? drive_foreign_run(drive) : NULL;
    struct question question = {.title = xstrdup("Ask it to stop?")};

    if (!volume) {
        question_release(&question);
        return;
    }
    question.text = xasprintf("%s (pid %" PRId64 ") stops at its next clean "
                              "boundary.",
                              volume->run.command, volume->run.pid);
    question.pid = volume->run.pid;
    question_add(&question, 'y', "ask it", ANSWER_STOP_OTHER);
    model_ask(model, &question);
}

static void leave(struct model *model)
{
    if (is_writing(model))
        ask_to_leave(model);
    else
        model_back(model);
}

static void eject(struct model *model)
{
    const struct drive *drive = model_find_drive(model, model->run.drive);

    if (is_own(model))
        ask_to_stop_and_eject(model);
    else if (drive)
        model_want_eject(model, drive);
}

static void scroll_by(struct model *model, long rows)
{
    struct sync_run *run = &model->run;
    long at = (long)run->scroll + rows;
    long most = (long)run->failures.count - 1;

    if (at > most)
        at = most;
    run->scroll = at > 0 ? (size_t)at : 0;
}

static void handle(struct model *model, enum intent intent, int argument)
{
    switch (intent) {
    case INTENT_PAUSE:
        model_pause_run(model);
        break;
    case INTENT_STOP:
        if (model->run.is_foreign)
            ask_other_to_stop(model);
        else
            model_stop_run(model);
        break;
    case INTENT_BANDWIDTH:
        model_limit_run(model);
        break;
    case INTENT_EJECT:
        eject(model);
        break;
    case INTENT_SYNC_EJECT:
        if (model_find_drive(model, model->run.drive))
            model_want_sync(model, model_find_drive(model, model->run.drive),
                            true);
        break;
    case INTENT_ENTER:
        model->run.shows_failures = !model->run.shows_failures;
        break;
    case INTENT_UP:
        scroll_by(model, -1);
        break;
    case INTENT_DOWN:
        scroll_by(model, 1);
        break;
    case INTENT_PAGE_UP:
        scroll_by(model, -10);
        break;
    case INTENT_PAGE_DOWN:
        scroll_by(model, 10);
        break;
    case INTENT_CANCEL:
    case INTENT_BACK:
        leave(model);
        break;
    default:
        break;
    }
}

const struct screen screen_sync = {
    .bindings = {"Sync", bindings, COUNT_OF(bindings)},
    .describe = describe,
    .draw = screen_draw_run,
    .handle = handle,
};
