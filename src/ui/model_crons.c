#include "ui/model.h"

#include "core/base/array.h"
#include "core/base/path.h"

#include <stdlib.h>
#include <string.h>

static void forget_lines(struct crons *crons)
{
    for (size_t i = 0; i < crons->lines.count; i++)
        rsync_line_release(&crons->lines.items[i]);
    crons->lines.count = 0;
}

static void forget_repeated(struct crons *crons)
{
    for (size_t i = 0; i < crons->repeated.count; i++)
        free(crons->repeated.items[i]);
    crons->repeated.count = 0;
}

void crons_release(struct crons *crons)
{
    forget_lines(crons);
    forget_repeated(crons);
    free(crons->lines.items);
    free(crons->repeated.items);
    *crons = (struct crons){.are_offered = false};
}

void model_look_for_crons(struct model *model)
{
    if (model_is_under_way(model, ROLE_CRONS))
        return;
    forget_lines(&model->crons);
    model_post(model, ROLE_CRONS, command_new(COMMAND_RSYNC_LINES));
}

void model_apply_crons(struct model *model, struct event *event)
{
    if (event->kind != EVENT_RSYNC_LINE)
        return;
    ARRAY_PUSH(&model->crons.lines, event->rsync);
    event->rsync = (struct rsync_line){.where = NULL};
}

/* --- after the first sync --------------------------------------------------
 */

void model_look_for_repeated(struct model *model)
{
    model->crons.are_asked_for_run = true;
    model_look_for_crons(model);
}

/* What rsync copies is what a job copies now. */
static bool is_repeated(const struct model *model,
                        const struct rsync_line *line)
{
    for (size_t i = 0; i < model->targets.count; i++) {
        const char *source = model->targets.items[i].source;
        if (*source && path_is_within(line->source, source))
            return true;
    }
    return false;
}

static bool is_listed(const struct crons *crons, const char *line)
{
    for (size_t i = 0; i < crons->repeated.count; i++)
        if (!strcmp(crons->repeated.items[i], line))
            return true;
    return false;
}

static void find_repeated(struct model *model)
{
    struct crons *crons = &model->crons;

    forget_repeated(crons);
    for (size_t i = 0; i < crons->lines.count; i++) {
        const struct rsync_line *line = &crons->lines.items[i];
        if (!is_repeated(model, line) || is_listed(crons, line->line))
            continue;
        if (!strcmp(line->where, "crontab"))
            ARRAY_PUSH(&crons->repeated, xstrdup(line->line));
        else
            model_say(model, "rsync still does this, too: take it out of %s",
                      line->where);
    }
    crons->are_offered = crons->repeated.count > 0;
}

void model_offer_silence(struct model *model)
{
    struct crons *crons = &model->crons;
    struct question question = {.title = NULL};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (!crons->are_offered || model->screen != SCREEN_DRIVES ||
        model->question.title || model->shows_help || model_at_work(model))
        return;
    crons->are_offered = false;
    for (size_t i = 0; i < crons->repeated.count && i < 3; i++)
        strbuf_addf(&text, "%s\n", crons->repeated.items[i]);
    strbuf_adds(&text, "With --delete it would also remove what berth keeps "
                       "on the drive. As a comment the line stays in your "
                       "crontab, and does nothing.");
    question.title = xstrdup("rsync still does this by cron");
    question.text = strbuf_detach(&text);
    question_add(&question, 'y', "make it a comment", ANSWER_SILENCE);
    model_ask(model, &question);
}

void model_silence_next(struct model *model)
{
    struct crons *crons = &model->crons;

    if (!crons->repeated.count)
        return;
    struct command *command = command_new(COMMAND_SILENCE);
    command->value = crons->repeated.items[--crons->repeated.count];
    model_post(model, ROLE_SILENCE, command);
}

void model_crons_done(struct model *model, enum role role,
                      const struct event *event)
{
    struct crons *crons = &model->crons;

    if (role == ROLE_CRONS && crons->are_asked_for_run) {
        crons->are_asked_for_run = false;
        find_repeated(model);
    } else if (role == ROLE_SILENCE && event->code) {
        set_text(&model->message, event->text);
        forget_repeated(crons);
    } else if (role == ROLE_SILENCE && crons->repeated.count) {
        model_silence_next(model);
    } else if (role == ROLE_SILENCE) {
        model_say(model, "done: rsync is a comment in your crontab now");
    }
}
