#include "ui/model.h"

#include "core/base/array.h"
#include "core/base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Smaller than this nothing can be read without being cut. */
#define LEAST_WIDTH 80
#define LEAST_HEIGHT 24

/* Lines of the diff screen that are no rows: header, news, frame, the line
 * about the row under the cursor, footer. */
#define DIFF_CHROME 6

void set_text(char **to, const char *text)
{
    free(*to);
    *to = text ? xstrdup(text) : NULL;
}

void model_init(struct model *model)
{
    *model = (struct model){.width = LEAST_WIDTH, .height = LEAST_HEIGHT};
    diff_view_init(&model->diff);
    pace_init(&model->run.pace);
}

static void release_list(char **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i]);
    free(items);
}

void model_release(struct model *model)
{
    diff_view_release(&model->diff);
    drives_release(&model->drives);
    for (size_t i = 0; i < model->targets.count; i++)
        target_release(&model->targets.items[i]);
    for (size_t i = 0; i < model->pasts.count; i++)
        free(model->pasts.items[i].volume);
    for (size_t i = 0; i < model->requests.count; i++)
        command_free(model->requests.items[i].command);
    run_release(&model->run);
    ejection_release(&model->eject);
    setup_release(&model->setup);
    settings_release(&model->settings);
    question_release(&model->question);
    news_release(&model->news);
    news_release(&model->pulled);
    release_list(model->dismissed.items, model->dismissed.count);
    free(model->targets.items);
    free(model->pasts.items);
    free(model->requests.items);
    free(model->scanned_volume);
    free(model->waiting_drive);
    free(model->selected);
    free(model->diff_drive);
    free(model->pulled_volume);
    free(model->message);
    free(model->trouble);
    shortage_release(&model->shortage);
    exclusion_release(&model->exclusion);
    lookup_release(&model->lookup);
    mend_release(&model->mend);
    crons_release(&model->crons);
}

/* --- requests --------------------------------------------------------------
 */

void model_add_request(struct model *model, const struct request *request)
{
    ARRAY_PUSH(&model->requests, *request);
}

void model_request(struct model *model, enum request_kind kind, enum role role)
{
    const struct request request = {
        .kind = kind, .role = role, .id = model->ids[role]};

    model_add_request(model, &request);
}

void model_post(struct model *model, enum role role, struct command *command)
{
    const struct request request = {
        .kind = REQUEST_POST, .role = role, .command = command};

    model->ids[role] = ID_REQUESTED;
    model_add_request(model, &request);
}

void model_posted(struct model *model, enum role role, uint64_t id)
{
    model->ids[role] = id;
}

bool model_is_under_way(const struct model *model, enum role role)
{
    return model->ids[role] != 0;
}

bool model_next_request(struct model *model, struct request *out)
{
    if (!model->requests.count)
        return false;
    *out = model->requests.items[0];
    model->requests.count--;
    memmove(model->requests.items, model->requests.items + 1,
            model->requests.count * sizeof *model->requests.items);
    return true;
}

void model_start(struct model *model)
{
    model_post(model, ROLE_WATCH, command_new(COMMAND_WATCH));
    model_post(model, ROLE_JOBS, command_new(COMMAND_JOB_LIST));
    model_post(model, ROLE_HISTORY, command_new(COMMAND_HISTORY));
    model_post(model, ROLE_SCHEDULE, command_new(COMMAND_SCHEDULE_SHOW));
}

/* --- small things ----------------------------------------------------------
 */

void model_set_time(struct model *model, int64_t now_ns)
{
    model->now_ns = now_ns;
}

void model_set_size(struct model *model, int width, int height)
{
    model->width = width;
    model->height = height;
    diff_view_set_height(&model->diff, height - DIFF_CHROME);
    model_fit_table(model);
}

bool model_is_too_small(const struct model *model)
{
    return model->width < LEAST_WIDTH || model->height < LEAST_HEIGHT;
}

void model_say(struct model *model, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    set_text(&model->message, text);
}

void model_go(struct model *model, enum screen_id screen)
{
    model->screen = screen;
    model->shows_entry = model->shows_why = false;
    model->types_filter = false;
}

void model_open(struct model *model, enum screen_id screen)
{
    if (model->screen != screen)
        model->under[screen] = model->screen;
    model_go(model, screen);
}

void model_back(struct model *model)
{
    if (model->screen == SCREEN_DRIVES)
        model_interrupt(model);
    else
        model_go(model, model->under[model->screen]);
}

/* --- leaving and pausing ---------------------------------------------------
 */

/* What is stopped, and waited for, before berth leaves. */
static const enum role at_work[] = {ROLE_RUN,     ROLE_EJECT,  ROLE_UNDO,
                                    ROLE_RESTORE, ROLE_VERIFY, ROLE_PRUNE};

static bool is_writing(const struct model *model)
{
    for (size_t i = 0; i < COUNT_OF(at_work); i++)
        if (model_is_under_way(model, at_work[i]))
            return true;
    return false;
}

static void quit_if_free(struct model *model)
{
    if (model->quits && !is_writing(model))
        model_request(model, REQUEST_QUIT, ROLE_RUN);
}

void model_interrupt(struct model *model)
{
    if (model->quits && is_writing(model)) {
        model_request(model, REQUEST_LEAVE, ROLE_RUN);
        return;
    }
    model->quits = true;
    if (model_is_under_way(model, ROLE_RUN)) {
        model->is_interrupted = true;
        model_stop_run(model);
        model_go(model, SCREEN_SYNC);
    }
    for (size_t i = 1; i < COUNT_OF(at_work); i++)
        if (model_is_under_way(model, at_work[i]))
            model_request(model, REQUEST_STOP, at_work[i]);
    quit_if_free(model);
}

void model_suspend(struct model *model)
{
    const struct sync_run *run = &model->run;

    if (model->suspends)
        return;
    if (!model_is_under_way(model, ROLE_RUN) ||
        run->progress.phase != PHASE_COPYING) {
        model_request(model, REQUEST_SUSPEND, ROLE_RUN);
        return;
    }
    model->suspends = true;
    model->run.still_ticks = 0;
    model_request(model, REQUEST_PAUSE, ROLE_RUN);
    model_say(model, "pausing at the next file, then to the shell");
}

void model_resumed(struct model *model)
{
    if (model_is_under_way(model, ROLE_RUN) && !model->run.is_paused)
        model_request(model, REQUEST_GO_ON, ROLE_RUN);
    model_request(model, REQUEST_REDRAW, ROLE_RUN);
}

/* --- events ----------------------------------------------------------------
 */

static enum role role_of(const struct model *model, uint64_t id)
{
    enum role role = ROLE_WATCH;

    while (role < ROLE_COUNT && model->ids[role] != id)
        role++;
    return role;
}

static bool role_looks_up(enum role role)
{
    return role >= ROLE_RUNS && role <= ROLE_COPIES;
}

static bool role_mends(enum role role)
{
    return role >= ROLE_UNDO && role <= ROLE_VERIFY;
}

/* Free space, what was read back, what a run left: no device tells of it. */
static void look_again_after(struct model *model, enum role role)
{
    for (size_t i = 0; i < COUNT_OF(at_work); i++)
        if (role == at_work[i] && !is_writing(model) &&
            !model_is_under_way(model, ROLE_RESCAN))
            model_post(model, ROLE_RESCAN, command_new(COMMAND_RESCAN));
}

static void role_done(struct model *model, enum role role,
                      const struct event *event)
{
    model->ids[role] = 0;
    if (role == ROLE_JOBS && !event->code)
        model_jobs_done(model);
    if (role == ROLE_SCAN)
        model_scan_done(model, event);
    if ((role == ROLE_WATCH || role == ROLE_JOBS) && event->code)
        set_text(&model->trouble, event->text);
    if (role == ROLE_RESCAN && model->message &&
        !strcmp(model->message, LOOKING_AGAIN))
        set_text(&model->message, NULL); /* it may hide the news */
    if ((role == ROLE_RESCAN || role == ROLE_ASK_TO_QUIT ||
         role == ROLE_MOUNT) &&
        event->text)
        set_text(&model->message, event->text);
    if (role == ROLE_SPACE || role == ROLE_PRUNE)
        model_space_done(model, role, event);
    if (role == ROLE_CRONS || role == ROLE_SILENCE)
        model_crons_done(model, role, event);
    if (role == ROLE_EXCLUDE)
        model_exclude_done(model, event);
    if (role_mends(role))
        model_mend_done(model, (int)role, event);
    else if (role_looks_up(role))
        model_lookup_done(model, (int)role, event);
    look_again_after(model, role);
    quit_if_free(model);
}

/* The next of all: times that only the configuration names run nothing. */
static void apply_schedule(struct model *model, const struct event *event)
{
    int64_t next_ns = event->schedule.next_ns;

    if (!event->schedule.is_installed || next_ns <= model->now_ns)
        return;
    if (!model->next_run_ns || model->next_run_ns <= model->now_ns ||
        next_ns < model->next_run_ns)
        model->next_run_ns = next_ns;
}

static void apply_to_role(struct model *model, enum role role,
                          struct event *event)
{
    if (role == ROLE_HISTORY && event->kind == EVENT_RUN) {
        model_apply_history(model, event);
    } else if (role == ROLE_RUN) {
        model_apply_run(model, event);
    } else if (role == ROLE_EJECT) {
        model_apply_eject(model, event);
    } else if (event->kind == EVENT_SCHEDULE) {
        apply_schedule(model, event);
    } else if (event->kind == EVENT_PRUNED) {
        model_apply_space(model, event);
    } else if (role_mends(role)) {
        model_apply_mend(model, (int)role, event);
    } else if (role_looks_up(role)) {
        model_apply_lookup(model, (int)role, event);
    } else if (role == ROLE_FOLDERS) {
        model_apply_folder(model, event);
    } else if (role == ROLE_SETUP) {
        model_apply_setup(model, event);
    } else if (event->kind == EVENT_RSYNC_LINE) {
        model_apply_crons(model, event);
    } else if (role == ROLE_SETTINGS) {
        model_apply_settings(model, event);
    } else if (role == ROLE_SET) {
        model_apply_set(model, event);
    } else if (event->kind == EVENT_PROGRESS && role == ROLE_SCAN) {
        model->scan_progress = event->progress;
    } else if (event->kind == EVENT_MESSAGE && role != ROLE_SCHEDULE) {
        set_text(&model->message, event->text);
    } else if (event->kind == EVENT_DONE && role < ROLE_COUNT) {
        role_done(model, role, event);
        return;
    }
    if (event->kind == EVENT_DONE && role < ROLE_COUNT)
        role_done(model, role, event);
}

void model_apply(struct model *model, struct event *event)
{
    switch (event->kind) {
    case EVENT_DRIVES:
        model_apply_drives(model, event);
        model_run_follows_drives(model);
        break;
    case EVENT_PULLED:
        model_apply_pulled(model, event);
        break;
    case EVENT_JOB:
        model_apply_job(model, event);
        break;
    case EVENT_PLAN:
        model_apply_plan(model, event);
        break;
    default:
        apply_to_role(model, role_of(model, event->command), event);
        break;
    }
    model_setup_follow(model);
    model_scan_next(model);
    model_find_news(model);
    model_offer_silence(model);
    model_fit_table(model);
}

bool model_work(struct model *model)
{
    if (model_work_on_plans(model))
        return true;
    model_keep_question(model);
    return false;
}

/* --- the clock -------------------------------------------------------------
 */

static bool watches_other(const struct model *model)
{
    return model->run.is_foreign && model->run.is_active;
}

int model_next_tick_ms(const struct model *model)
{
    int64_t minute_ns = 60 * NS_PER_SECOND;
    int64_t left_ns = minute_ns - model->now_ns % minute_ns;

    return watches_other(model) ? 1000 : (int)(left_ns / NS_PER_MS) + 1;
}

/* When it has passed, the one after it. */
static void keep_next_run(struct model *model)
{
    if (!model->next_run_ns || model->next_run_ns > model->now_ns ||
        model_is_under_way(model, ROLE_SCHEDULE))
        return;
    model->next_run_ns = 0;
    model_post(model, ROLE_SCHEDULE, command_new(COMMAND_SCHEDULE_SHOW));
}

void model_tick(struct model *model)
{
    keep_next_run(model);
    if (!watches_other(model) || model_is_under_way(model, ROLE_RESCAN) ||
        model->now_ns - model->rescanned_ns < NS_PER_SECOND)
        return;
    model->rescanned_ns = model->now_ns;
    model_post(model, ROLE_RESCAN, command_new(COMMAND_RESCAN));
}
